#![allow(clippy::unwrap_used)]

use fixtures::openssl::OpenSsl;
use fixtures::pkcs12::{Protection, make};
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::SignatureAlgorithm::{self, ES256, ES384, ES512, Gost256, Gost512, RS256};
use tempfile::TempDir;

use super::*;
use crate::proof::verify_own;
use crate::token::{SignData, SignInput};

const PASSWORD: &str = "пароль 1";

fn input(algorithm: SignatureAlgorithm) -> SignInput {
    let data = SignData::Message(b"what the person agreed to".to_vec());
    SignInput {
        scheme: algorithm.scheme(),
        hash: algorithm.hash(),
        data,
    }
}

fn pin(text: &str) -> Option<Pin> {
    Some(Pin::new(text.to_owned()))
}

fn issued(kind: KeyKind) -> Issued {
    TestPki::new().person("Иванов Иван Иванович").key(kind).issue()
}

/// `ivanov.p12`, and beside it what everyone may read.
fn files(issued: &Issued, how: Protection, beside: bool) -> (TempDir, Pkcs12) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ivanov.p12");
    std::fs::write(&path, make(issued, "ivanov", PASSWORD, how)).unwrap();
    if beside {
        std::fs::write(path.with_extension("pem"), issued.chain_pem()).unwrap();
    }
    (folder, Pkcs12::new(path))
}

#[test]
fn keys_of_every_kind_sign_under_both_protections() {
    for (kind, algorithm) in [
        (KeyKind::Rsa2048, RS256),
        (KeyKind::P256, ES256),
        (KeyKind::P384, ES384),
        (KeyKind::P521, ES512),
    ] {
        let issued = issued(kind);
        for how in [Protection::Modern, Protection::TripleDes] {
            let (_folder, mut source) = files(&issued, how, true);
            let token = source.tokens().unwrap().remove(0);
            assert_eq!((token.kind, token.test), (TokenKind::Software, true));
            let credentials = source.credentials(&token.id).unwrap();
            assert_eq!(credentials.len(), 1);
            assert_eq!(credentials[0].certificate, issued.certificate);
            assert_eq!(credentials[0].intermediates, issued.intermediates);
            let input = input(algorithm);
            let job = || SignJob {
                key: credentials[0].key.clone(),
                certificate: issued.certificate.clone(),
                inputs: vec![input.clone()],
            };
            assert_eq!(
                source.sign(&token.id, job(), pin("not it")),
                Err(Error::PinIncorrect(None))
            );
            assert!(matches!(
                source.sign(&token.id, job(), pin("")),
                Err(Error::PinLength(..))
            ));
            let signature = source.sign(&token.id, job(), pin(PASSWORD)).unwrap().remove(0);
            verify_own(&issued.certificate, input.scheme, input.hash, &input.data, &signature).unwrap();
        }
    }
}

#[test]
fn certificates_under_the_password_are_asked_for_with_what_helps() {
    let (_folder, mut source) = files(&issued(KeyKind::P256), Protection::Modern, false);
    let token = source.tokens().unwrap().remove(0);
    assert!(!token.test, "nothing is known of it");
    let Err(Error::NoCertificate(why)) = source.credentials(&token.id) else {
        panic!("known without the password")
    };
    assert!(why.contains("-nokeys"), "{why}");
}

#[test]
fn another_person_s_certificate_beside_it_signs_nothing() {
    let (folder, mut source) = files(&issued(KeyKind::P256), Protection::Modern, false);
    let stranger = issued(KeyKind::P256);
    std::fs::write(folder.path().join("ivanov.crt"), &stranger.certificate).unwrap();
    let token = source.tokens().unwrap().remove(0);
    let credential = source.credentials(&token.id).unwrap().remove(0);
    assert_eq!(credential.certificate, stranger.certificate);
    let job = SignJob {
        key: credential.key,
        certificate: credential.certificate,
        inputs: vec![input(ES256)],
    };
    assert!(matches!(
        source.sign(&token.id, job, pin(PASSWORD)),
        Err(Error::NoCertificate(_))
    ));
}

#[test]
fn a_file_gone_is_a_token_removed_and_rubbish_is_told_of() {
    let (folder, mut source) = files(&issued(KeyKind::P256), Protection::Modern, true);
    let token = source.tokens().unwrap().remove(0);
    let path = folder.path().join("ivanov.p12");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(source.tokens(), Ok(vec![]));
    assert_eq!(source.credentials(&token.id), Err(Error::TokenRemoved));
    std::fs::write(&path, "rubbish").unwrap();
    assert!(matches!(source.tokens(), Err(Error::NoCertificate(why)) if why.contains("ivanov.p12")));
}

#[test]
fn damaged_files_never_panic() {
    let der = make(&issued(KeyKind::P256), "ivanov", PASSWORD, Protection::TripleDes);
    for at in (0..der.len()).step_by(7) {
        let mut damaged = der.clone();
        damaged[at] ^= 0x55;
        if let Ok(file) = File::parse(&damaged) {
            let opened = file.open("x");
            assert!(opened.is_err(), "byte {at}");
        }
    }
}

/// `openssl pkcs12 -export` with these arguments, in a folder with nothing beside it.
fn exported(issued: &Issued, arguments: &[&str]) -> (TempDir, Pkcs12) {
    let folder = tempfile::tempdir().unwrap();
    let (input, path) = (folder.path().join("input"), folder.path().join("a.p12"));
    std::fs::write(&input, [issued.key.pkcs8_pem(), issued.chain_pem()].concat()).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl
        .args(["pkcs12", "-export", "-passout"])
        .arg(format!("pass:{PASSWORD}"))
        .args(arguments);
    let output = openssl
        .arg("-in")
        .arg(&input)
        .arg("-out")
        .arg(&path)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, Pkcs12::new(path))
}

#[test]
fn certificates_in_the_open_need_nothing_beside_the_file() {
    let issued = issued(KeyKind::P256);
    let (_folder, mut source) = exported(&issued, &["-certpbe", "NONE"]);
    let token = source.tokens().unwrap().remove(0);
    assert!(token.test);
    let credential = source.credentials(&token.id).unwrap().remove(0);
    assert_eq!(
        (credential.certificate, credential.intermediates),
        (issued.certificate, issued.intermediates)
    );
}

/// As OpenSSL's engine writes the key, under the protection that OpenSSL has for every key.
#[test]
fn gost_keys_sign() {
    use gost3410::{Algorithm, ParameterSet};
    for (kind, algorithm) in [
        (
            KeyKind::Gost(Algorithm::Gost2012_256, ParameterSet::CryptoProXchA),
            Gost256,
        ),
        (KeyKind::Gost(Algorithm::Gost2012_512, ParameterSet::Tc26_512C), Gost512),
    ] {
        let issued = issued(kind);
        let openssl = OpenSsl::with_gost();
        openssl.write("input", [issued.key.pkcs8_pem(), issued.chain_pem()].concat());
        let password = format!("pass:{PASSWORD}");
        openssl.run_list(&[
            "pkcs12", "-export", "-passout", &password, "-certpbe", "NONE", "-in", "input", "-out", "a.p12",
        ]);
        let mut source = Pkcs12::new(openssl.path("a.p12"));
        let token = source.tokens().unwrap().remove(0);
        let credential = source.credentials(&token.id).unwrap().remove(0);
        let input = input(algorithm);
        let job = SignJob {
            key: credential.key,
            certificate: credential.certificate.clone(),
            inputs: vec![input.clone()],
        };
        let signature = source.sign(&token.id, job, pin(PASSWORD)).unwrap().remove(0);
        verify_own(
            &credential.certificate,
            input.scheme,
            input.hash,
            &input.data,
            &signature,
        )
        .unwrap();
    }
}

#[test]
fn files_of_old_tools_with_40_bit_rc2_open() {
    let issued = issued(KeyKind::Rsa2048);
    let (_folder, source) = exported(&issued, &["-legacy"]);
    let file = source.now().unwrap().unwrap().file;
    let contents = file.open(PASSWORD).ok().unwrap();
    assert_eq!(contents.certificates.len(), 1 + issued.intermediates.len());
    assert!(key_of(contents, &issued.certificate).is_some());
    assert_eq!(file.open("not it").err(), Some(Closed::Password));
}
