//! What a trust anchor's own certificate says binds everything below it (RFC 5937 section 3.2).

use fixtures::pki::extensions::{KC1, KC2};
use fixtures::pki::{Authority, Extension, KeyKind, KeyUsage, Name, TestKey, TestPki};
use plugin_protocol::SignatureAlgorithm;
use portal::policy::PolicyBuilder;
use portal::{Policy, VerifyError};

use crate::support::{NAME, Scene};

/// A person below an intermediate below a root that has these extensions too;
/// whoever verifies trusts the root, and demands this certificate policy.
fn verify_under(extensions: &[Extension], demanded: Option<&str>) -> Result<(), VerifyError> {
    let at = TestPki::new().at;
    let root = constrained_root(extensions, at);
    let intermediate = root.intermediate("Intermediate", KeyKind::P256, at);
    let person = intermediate.person(NAME, at).issue();
    let mut builder = Policy::builder().test_root(&root.certificate).unwrap();
    if let Some(policy) = demanded {
        builder = builder.require_policy(policy).unwrap();
    }
    let mut scene = Scene::new();
    scene.policy = builder.build().unwrap();
    scene.verify(&scene.jws(&person, SignatureAlgorithm::ES256)).map(|_| ())
}

fn constrained_root(extensions: &[Extension], at: i64) -> Authority {
    let key = TestKey::generate(KeyKind::P256);
    let mut root = Authority::root(Name::test_authority("Constrained root"), key, at);
    let mut template = root.authority_template(&root.name, &root.key, at);
    template.remove(fixtures::pki::extensions::CERTIFICATE_POLICIES);
    for extension in extensions {
        template.set(extension.clone());
    }
    root.certificate = root.sign(&template);
    root
}

fn country(code: &str) -> Name {
    Name::new().country(code)
}

#[test]
fn a_root_that_says_nothing_of_it_is_trusted_for_all() {
    assert_eq!(verify_under(&[], None), Ok(()));
    assert_eq!(verify_under(&[], Some(KC1)), Ok(()));
}

#[test]
fn a_persons_certificate_is_no_anchor() {
    let pki = TestPki::new();
    let person = pki.person(NAME).issue();
    for add in [PolicyBuilder::test_root, PolicyBuilder::trust_anchor] {
        let refused = add(Policy::builder(), &person.certificate).err();
        let told = refused.expect("it is refused").to_string();
        assert!(told.contains(NAME) && told.contains("no authority's"), "{told}");
    }
    assert!(Policy::builder().test_root(&pki.root.certificate).is_ok());
}

#[test]
fn pem_files_are_taken_as_authorities_publish_them() {
    let pki = TestPki::new();
    let good = pki.root_pem();
    let body: String = good.lines().filter(|line| !line.starts_with('-')).collect();
    let in_lines_of = |width: usize| {
        let lines: Vec<_> = body
            .as_bytes()
            .chunks(width)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    };
    let intermediate = fixtures::pki::certificate::pem("CERTIFICATE", &pki.intermediate.certificate);
    for text in [
        good.clone(),
        good.replace('\n', "\r\n"),
        in_lines_of(76),
        in_lines_of(10_000),
        format!("Subject: Test root\n\n{good}\nIssuer: the same\n{intermediate}"),
        good.trim_end().to_owned(),
    ] {
        assert!(Policy::builder().test_roots_pem(text.as_bytes()).is_ok(), "{text}");
    }
    for text in [
        good.replace("CERTIFICATE", "PUBLIC KEY"),
        good.replacen("CERTIFICATE", "PRIVATE KEY", 1),
        good.replacen("M", "*", 1),
        good.replacen("-----END", "-----ENDE", 1),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
        format!("{good}-----BEGIN CERTIFICATE-----\nMII"),
    ] {
        assert!(Policy::builder().test_roots_pem(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn its_name_constraints_bind() {
    let only = |code| Extension::name_constraints(&[country(code)], &[]);
    let not = |code| Extension::name_constraints(&[], &[country(code)]);
    assert_eq!(verify_under(&[only("RU")], None), Ok(()));
    assert_eq!(verify_under(&[only("EE")], None), Err(VerifyError::NameConstraints));
    assert_eq!(verify_under(&[not("EE")], None), Ok(()));
    assert_eq!(verify_under(&[not("RU")], None), Err(VerifyError::NameConstraints));
}

#[test]
fn its_path_length_binds() {
    assert_eq!(verify_under(&[Extension::authority(Some(1))], None), Ok(()));
    let refused = verify_under(&[Extension::authority(Some(0))], None);
    assert_eq!(refused, Err(VerifyError::PathLength));
}

#[test]
fn its_certificate_policies_bind() {
    let first = || Extension::policies(&[KC1]);
    assert_eq!(verify_under(&[first()], None), Ok(()));
    assert_eq!(verify_under(&[first()], Some(KC1)), Ok(()));
    // Nothing is left of what the portal demands: that must not turn into "any policy".
    let refused = verify_under(&[first()], Some(KC2));
    assert_eq!(refused, Err(VerifyError::PolicyMissing));
}

#[test]
fn a_root_that_may_not_issue_or_is_not_understood_is_refused() {
    let refused = verify_under(&[Extension::key_usage(&[KeyUsage::CrlSign])], None);
    assert_eq!(refused, Err(VerifyError::IssuerNotAuthority));
    let unknown = Extension::new("1.2.643.100.999", true, vec![5, 0]);
    let refused = verify_under(&[unknown], None).unwrap_err();
    assert_eq!(refused.code(), "critical_extension");
}
