//! What a certificate claims to be, on what grounds, and what a policy can demand of it.

use fixtures::pki::extensions::{CERTIFICATE_POLICIES, KC1, KC3};
use fixtures::pki::{Extension, Issued, Person, TrustListBuilder};
use plugin_protocol::SignatureAlgorithm::ES256;
use plugin_protocol::qualified::{IdentificationKind, ToolClass};
use portal::qualification::{Ground, Lack, Unchecked};
use portal::trust_list::TrustListError;
use portal::{Policy, Qualification, QualifiedDemand, Revocation, TrustList, VerifyError};

use crate::support::{NAME, Scene, builder};

const AUTHORITY: &str = "АО «Тестовый УЦ»";

/// A scene whose policy demands this, without a trust list.
fn demanding(demand: QualifiedDemand) -> Scene {
    let mut scene = Scene::new();
    scene.policy = builder(&scene.pki).qualified(demand).build().unwrap();
    scene
}

/// A scene whose policy trusts this list and nothing else.
fn trusting(list: &TrustList, scene: &mut Scene, demand: QualifiedDemand) {
    let (policy, left_out) = Policy::builder().qualified(demand).test_trust_list(list);
    assert_eq!(left_out, []);
    scene.policy = policy.build().unwrap();
}

fn list(scene: &Scene, status: &str) -> TrustList {
    let list = TrustListBuilder::default().authority(AUTHORITY, status, &[&scene.pki.intermediate.certificate]);
    TrustList::from_xml(list.xml().as_bytes()).unwrap()
}

fn verify(scene: &Scene, signer: &Issued) -> Result<Qualification, VerifyError> {
    let identity = scene.verify(&scene.jws(signer, ES256))?;
    Ok(identity.qualification().clone())
}

#[test]
fn a_certificate_of_the_whole_form_claims_and_says_why() {
    let scene = demanding(QualifiedDemand::Claimed);
    let person = scene.pki.person(NAME).snils("11223344595").inn("500100732259").issue();
    let qualification = verify(&scene, &person).unwrap();
    assert!(qualification.is_claimed());
    assert_eq!(qualification.lacks(), []);
    let facts = qualification.facts();
    assert_eq!(facts.snils.as_deref(), Some("11223344595"));
    assert_eq!(facts.inn.as_deref(), Some("500100732259"));
    assert_eq!(facts.identification_kind, Some(IdentificationKind::PERSONAL));
    assert!(facts.subject_sign_tool.is_some());
    let strongest = *facts.tool_classes.last().unwrap();
    assert!(qualification.grounds().contains(&Ground::ToolClass(strongest)));
    assert!(qualification.grounds().contains(&Ground::IssuerSignTool));
    assert_eq!(qualification.accredited_issuer(), None);
    let unchecked = [Unchecked::Accreditation, Unchecked::Revocation, Unchecked::SigningTime];
    assert_eq!(qualification.unchecked(), unchecked);
}

#[test]
fn what_the_form_lacks_is_named_and_a_demand_refuses_it() {
    let policies = Extension::policies;
    type Spoil = fn(Person<'_>) -> Person<'_>;
    let cases: [(Lack, Spoil); 4] = [
        (Lack::ToolClass, |person| person.without(CERTIFICATE_POLICIES)),
        (Lack::IssuerSignTool, |person| person.without("1.2.643.100.112")),
        (Lack::SubjectSignTool, |person| person.without("1.2.643.100.111")),
        (Lack::IssuerSignTool, |person| {
            person.extension(Extension::new("1.2.643.100.112", false, vec![0x30, 0x02, 0x0C, 0x00]))
        }),
    ];
    let relaxed = demanding(QualifiedDemand::Nothing);
    let strict = demanding(QualifiedDemand::Claimed);
    for (lack, spoil) in cases {
        let person = spoil(relaxed.pki.person(NAME)).issue();
        assert!(verify(&relaxed, &person).unwrap().lacks().contains(&lack), "{lack:?}");
        let person = spoil(strict.pki.person(NAME)).issue();
        let refused = verify(&strict, &person).unwrap_err();
        assert_eq!(refused, VerifyError::NotQualified(lack.text()));
    }
    let person = strict.pki.person(NAME).extension(policies(&[KC3, KC1])).issue();
    let classes = verify(&strict, &person).unwrap().facts().tool_classes.clone();
    assert_eq!(classes, [ToolClass::KC1, ToolClass::KC3]);
}

/// PrivateKeyUsagePeriod with these ends, GeneralizedTime each.
fn period(ends: [Option<&str>; 2]) -> Extension {
    let mut content = Vec::new();
    for (tag, end) in [0x80, 0x81].into_iter().zip(ends) {
        if let Some(end) = end {
            content.extend([tag, u8::try_from(end.len()).unwrap()]);
            content.extend(end.as_bytes());
        }
    }
    let value = [&[0x30, u8::try_from(content.len()).unwrap()][..], &content].concat();
    Extension::new("2.5.29.16", false, value)
}

#[test]
fn a_key_signs_within_its_own_period() {
    let scene = demanding(QualifiedDemand::Claimed);
    let (past, future) = (Some("20200101000000Z"), Some("20990101000000Z"));
    for (ends, may_sign) in [
        ([past, future], true),
        ([past, None], true),
        ([None, future], true),
        ([None, past], false),
        ([future, None], false),
        ([None, None], false),
    ] {
        let person = scene.pki.person(NAME).extension(period(ends)).issue();
        let verdict = verify(&scene, &person);
        let expected = (!may_sign).then_some(VerifyError::NotQualified(Lack::KeyUsagePeriod.text()));
        assert_eq!(verdict.as_ref().err(), expected.as_ref(), "{ends:?}");
        if let Ok(qualification) = verdict {
            let told = qualification.facts().private_key_usage_period.clone().unwrap();
            assert_eq!(told.not_before.is_some(), ends[0].is_some());
        }
    }
}

#[test]
fn an_authority_in_force_accredits_and_one_that_is_not_does_not() {
    let mut scene = Scene::new();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let list = list(&scene, "Действует");
    trusting(&list, &mut scene, QualifiedDemand::Accredited);
    let qualification = verify(&scene, &person).unwrap();
    assert_eq!(qualification.accredited_issuer(), Some(AUTHORITY));
    assert!(qualification.unchecked().contains(&Unchecked::TrustListSignature));
    assert!(!qualification.unchecked().contains(&Unchecked::Accreditation));
    for status in ["Прекращена", "Приостановлена", "действует"] {
        let list = self::list(&scene, status);
        assert_eq!(list.in_force().count(), 0);
        let (policy, _) = builder(&scene.pki)
            .qualified(QualifiedDemand::Accredited)
            .test_trust_list(&list);
        scene.policy = policy.build().unwrap();
        let refused = verify(&scene, &person).unwrap_err();
        assert!(
            matches!(refused, VerifyError::NotQualified(why) if why.contains("trust list")),
            "{status}"
        );
    }
}

#[test]
fn an_accredited_authority_above_does_not_accredit_the_one_below() {
    let mut scene = Scene::new();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let list = TrustListBuilder::default()
        .authority("Головной УЦ", "Действует", &[&scene.pki.root.certificate])
        .authority(AUTHORITY, "Прекращена", &[&scene.pki.intermediate.certificate]);
    let list = TrustList::from_xml(list.xml().as_bytes()).unwrap();
    for demand in [QualifiedDemand::Claimed, QualifiedDemand::Accredited] {
        let (policy, _) = builder(&scene.pki).qualified(demand).test_trust_list(&list);
        scene.policy = policy.build().unwrap();
        match verify(&scene, &person) {
            Ok(qualification) => {
                assert_eq!(demand, QualifiedDemand::Claimed);
                assert_eq!(qualification.accredited_issuer(), None);
                assert!(qualification.unchecked().contains(&Unchecked::Accreditation));
            }
            Err(refused) => {
                assert_eq!(demand, QualifiedDemand::Accredited);
                assert!(matches!(refused, VerifyError::NotQualified(why) if why.contains("trust list")));
            }
        }
    }
}

#[test]
fn a_status_that_is_more_than_one_text_is_refused() {
    let good = TrustListBuilder::default()
        .authority(AUTHORITY, "Действует", &[b"x"])
        .xml();
    assert!(TrustList::from_xml(good.as_bytes()).is_ok());
    let status = "<СтатусАккредитации><Статус>Действует</Статус>";
    for (from, to) in [
        (status, "<СтатусАккредитации><Статус>Действует<!-- --> до 2020</Статус>"),
        (status, "<СтатусАккредитации><Статус>Действует<б/>: нет</Статус>"),
        (
            status,
            "<СтатусАккредитации><Статус>Действует</Статус><Статус>Прекращена</Статус>",
        ),
        (
            status,
            "<СтатусАккредитации><Статус>Действует</Статус></СтатусАккредитации><СтатусАккредитации><Статус>Прекращена</Статус>",
        ),
        ("</Данные>", "<!-- -->AAAA</Данные>"),
    ] {
        let spoilt = good.replacen(from, to, 1);
        assert_ne!(spoilt, good, "{from}");
        let refused = TrustList::from_xml(spoilt.as_bytes()).unwrap_err();
        assert!(
            matches!(&refused, TrustListError::Authority { authority, .. } if authority == AUTHORITY),
            "{to}: {refused}"
        );
    }
}

#[test]
fn revocation_that_was_checked_is_not_among_the_unchecked() {
    let mut scene = Scene::new();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let crl = |authority: &fixtures::pki::Authority| authority.crl(scene.pki.at).sign();
    let evidence = Revocation::required()
        .crl(&crl(&scene.pki.intermediate))
        .and_then(|evidence| evidence.crl(&crl(&scene.pki.root)))
        .unwrap();
    scene.policy = builder(&scene.pki).revocation(evidence).build().unwrap();
    let qualification = verify(&scene, &person).unwrap();
    assert_eq!(
        qualification.unchecked(),
        [Unchecked::Accreditation, Unchecked::SigningTime]
    );
}

#[test]
fn a_list_says_who_and_leaves_out_what_is_no_authoritys() {
    let scene = Scene::new();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let xml = TrustListBuilder::default()
        .authority("A & <B>", "Действует", &[&person.certificate, b"no DER"])
        .authority(AUTHORITY, "Действует", &[&scene.pki.intermediate.certificate])
        .xml();
    let list = TrustList::from_xml(xml.as_bytes()).unwrap();
    assert_eq!((list.version.as_deref(), list.authorities.len()), (Some("77"), 2));
    let first = &list.authorities[0];
    assert_eq!(
        (first.name.as_str(), first.ogrn.as_deref()),
        ("A & <B>", Some("1027700132195"))
    );
    assert_eq!(first.status, "Действует");
    assert_eq!(first.keys[0].tool_class, Some(ToolClass::KC2));
    assert_eq!(first.keys[0].crl_addresses, ["http://ca1.example.org/ca.crl"]);
    let (policy, left_out) = Policy::builder().trust_list(&list);
    assert_eq!(
        left_out.iter().map(|left| left.authority.as_str()).collect::<Vec<_>>(),
        ["A & <B>"; 2]
    );
    assert!(policy.build().is_ok());
    // A list that is not for tests accredits no test authority.
    let mut scene = scene;
    let (policy, _) = Policy::builder().trust_list(&list);
    scene.policy = policy.build().unwrap();
    assert_eq!(verify(&scene, &person).unwrap_err(), VerifyError::TestCertificate);
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let good = TrustListBuilder::default().authority(AUTHORITY, "Действует", &[]).xml();
    assert!(
        TrustList::from_xml(format!("\u{feff}{good}").as_bytes()).is_ok(),
        "a byte order mark is no fault"
    );
    let refused = |text: &str| TrustList::from_xml(text.as_bytes()).unwrap_err();
    assert!(matches!(refused("<a/>"), TrustListError::AnotherDocument(root) if root == "a"));
    assert!(matches!(refused("hello"), TrustListError::Xml(_)));
    let bomb = good.replacen("<Аккр", "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><Аккр", 1);
    assert!(refused(&bomb).to_string().contains("DTD"), "{}", refused(&bomb));
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(TrustList::from_xml(&utf16).unwrap_err().to_string().contains("UTF-8"));
    let nameless = good.replace("<Статус>Действует</Статус>", "");
    assert!(refused(&nameless).to_string().contains(AUTHORITY));
    let garbled = TrustListBuilder::default()
        .authority(AUTHORITY, "Действует", &[b"x"])
        .xml();
    let garbled = garbled.replace("<Данные>", "<Данные>*");
    assert!(refused(&garbled).to_string().contains("base64"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[<>/А-Яа-я&;!\\[\\] \"a-z]{0,200}") {
        let _ = TrustList::from_xml(text.as_bytes());
    }
}
