#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use fixtures::openssl::OpenSsl;
use plugin_protocol::{SignatureAlgorithm, TEST_ORGANIZATION};
use time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::store::SLOTS;
use super::*;
use crate::certificate::{Role, Summary};
use crate::proof::verify_own;
use crate::token::{SignData, SignInput};

const MESSAGE: &[u8] = b"what the person agreed to";

fn pin(text: &str) -> Option<Pin> {
    Some(Pin::new(text.to_owned()))
}

fn job(credential: &Credential, inputs: Vec<SignInput>) -> SignJob {
    SignJob {
        key: credential.key.clone(),
        certificate: credential.certificate.clone(),
        inputs,
    }
}

fn input(algorithm: SignatureAlgorithm, data: SignData) -> SignInput {
    SignInput {
        scheme: algorithm.scheme(),
        hash: algorithm.hash(),
        data,
    }
}

fn message(algorithm: SignatureAlgorithm) -> SignInput {
    input(algorithm, SignData::Message(MESSAGE.to_vec()))
}

fn algorithms(credential: &Credential) -> &'static [SignatureAlgorithm] {
    use SignatureAlgorithm::*;
    match credential.key.as_str() {
        "p256" | "signing" => &[ES256],
        "p384" => &[ES384],
        "gost256" | "gost256-signing" => &[Gost256],
        "gost512" | "gost512-signing" => &[Gost512],
        _ => &[RS256, RS384, RS512, PS256, PS384, PS512],
    }
}

/// Makes the token with every key once for a test, and gives its only id.
fn made(state: &Path) -> (Software, TokenId) {
    made_with(state, &Keys::all())
}

fn made_with(state: &Path, keys: &Keys) -> (Software, TokenId) {
    let mut software = Software::with_keys(state, keys);
    let token = software.tokens().unwrap().remove(0);
    (software, token.id)
}

#[test]
fn every_key_signs_and_its_certificate_says_so() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    let credentials = software.credentials(&id).unwrap();
    assert_eq!(credentials.len(), SLOTS.len());
    for credential in &credentials {
        let mut inputs = Vec::new();
        for algorithm in algorithms(credential) {
            inputs.push(message(*algorithm));
            let digest = algorithm.hash().digest(MESSAGE);
            if credential
                .mechanisms
                .iter()
                .any(|m| m.scheme == algorithm.scheme() && m.digest)
            {
                inputs.push(input(*algorithm, SignData::Digest(digest)));
            }
        }
        let signatures = software.sign(&id, job(credential, inputs.clone()), pin(PIN)).unwrap();
        for (input, signature) in inputs.iter().zip(&signatures) {
            verify_own(
                &credential.certificate,
                input.scheme,
                input.hash,
                &input.data,
                signature,
            )
            .unwrap();
        }
    }
}

#[test]
fn the_certificates_chain_to_the_root_and_are_marked_as_tests() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    assert!(software.tokens().unwrap()[0].test);
    let now = OffsetDateTime::now_utc();
    for credential in software.credentials(&id).unwrap() {
        let root = &credential.intermediates[0];
        let (_, root) = X509Certificate::from_der(root).unwrap();
        let (_, certificate) = X509Certificate::from_der(&credential.certificate).unwrap();
        let tbs = certificate.tbs_certificate.as_ref();
        let signature = &certificate.signature_value.data;
        if credential.key.starts_with("gost") {
            let key = gost3410::PublicKey::from_spki_der(root.public_key().raw).unwrap();
            let signature = gost3410::Signature::from_x509(signature).unwrap();
            key.verify_message(tbs, &signature).unwrap();
        } else {
            let key = &root.public_key().subject_public_key.data;
            let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, key);
            key.verify(tbs, signature).unwrap();
        }
        assert!(root.is_ca() && !certificate.is_ca());

        let summary = Summary::read(&credential.certificate).unwrap();
        let role = if credential.key.ends_with("signing") {
            Role::Signing
        } else {
            Role::Authentication
        };
        assert_eq!(summary.fit(role, now), Ok(()));
        assert!(summary.test && summary.name.contains("Образцова"));
        let organization = certificate.issuer().iter_organization().next().unwrap();
        assert_eq!(organization.as_str().unwrap(), TEST_ORGANIZATION);
        assert!(certificate.tbs_certificate.extensions().len() >= 5);
    }
}

#[test]
fn openssl_accepts_the_chain() {
    let state = tempfile::tempdir().unwrap();
    made(state.path());
    let folder = state.path().join("software-token");
    let openssl = OpenSsl::with_gost();
    for slot in &SLOTS {
        let path = |name: &str| folder.join(format!("{name}.pem")).display().to_string();
        let (root, certificate) = (path(slot.root.name()), path(slot.name));
        openssl.run_list(&[
            "verify",
            "-x509_strict",
            "-check_ss_sig",
            "-CAfile",
            &root,
            &certificate,
        ]);
        // The key in its file is the one of the certificate.
        let key = folder.join(format!("{}.key", slot.name)).display().to_string();
        let public = openssl.run_list(&["pkey", "-in", &key, "-pubout"]);
        let certified = openssl.run_list(&["x509", "-in", &certificate, "-noout", "-pubkey"]);
        assert_eq!(public, certified, "{}", slot.name);
    }
}

/// Every file of the token, by name.
fn files(state: &Path) -> std::collections::BTreeMap<std::ffi::OsString, Vec<u8>> {
    let entries = std::fs::read_dir(state.join("software-token")).unwrap();
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(entry).collect()
}

#[test]
fn a_token_of_an_older_version_gains_gost_keys_when_they_are_asked_for_and_keeps_its_own() {
    let state = tempfile::tempdir().unwrap();
    let (mut usual, id) = made_with(state.path(), &Keys::default());
    let names = |software: &mut Software| -> Vec<String> {
        let credentials = software.credentials(&id).unwrap();
        credentials.into_iter().map(|credential| credential.key).collect()
    };
    assert_eq!(names(&mut usual), ["p256", "p384", "rsa2048", "signing"]);
    let before = files(state.path());
    assert_eq!(before.len(), 11, "what 0.2.0 made: {:?}", before.keys());

    let (mut gost, same) = made_with(state.path(), &"gost512,p384".parse().unwrap());
    assert_eq!(same, id);
    assert_eq!(names(&mut gost), ["gost512", "p384", "gost512-signing", "signing"]);
    let after = files(state.path());
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    assert!(gost.gost_root().is_file() && !after.contains_key(std::ffi::OsStr::new("gost256.key")));

    // A further kind later: what is there stays once more, the authority too. And the older version still opens it.
    let (mut all, _) = made(state.path());
    let all_files = files(state.path());
    assert!(after.iter().all(|(name, bytes)| all_files.get(name) == Some(bytes)));
    assert_eq!(all.credentials(&id).unwrap().len(), SLOTS.len());
    assert_eq!(names(&mut usual), ["p256", "p384", "rsa2048", "signing"]);
}

#[test]
fn gost_keys_that_a_killed_one_left_half_made_are_made_anew() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    let folder = state.path().join("software-token");
    let root = std::fs::read(folder.join("gost-root.pem")).unwrap();
    std::fs::remove_file(folder.join("gost256.pem")).unwrap();
    std::fs::write(folder.join("gost256.key"), "half").unwrap();
    software.tokens().unwrap();
    assert_eq!(std::fs::read(folder.join("gost-root.pem")).unwrap(), root);
    let credential = software
        .credentials(&id)
        .unwrap()
        .into_iter()
        .find(|credential| credential.key == "gost256");
    let job = job(&credential.unwrap(), vec![message(SignatureAlgorithm::Gost256)]);
    software.sign(&id, job, pin(PIN)).unwrap();
}

#[test]
fn a_key_that_is_not_offered_does_not_sign() {
    let state = tempfile::tempdir().unwrap();
    let (mut all, id) = made(state.path());
    let gost = all
        .credentials(&id)
        .unwrap()
        .into_iter()
        .find(|credential| credential.key == "gost256")
        .unwrap();
    let mut usual = Software::new(state.path());
    let job = job(&gost, vec![message(SignatureAlgorithm::Gost256)]);
    assert_eq!(usual.sign(&id, job, pin(PIN)), Err(Error::TokenRemoved));
    assert_eq!(usual.tokens().unwrap()[0].pin.tries_left, Some(TRIES));
}

#[test]
fn wrong_pins_are_counted_across_restarts_and_lock() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    let credential = software.credentials(&id).unwrap().remove(0);
    let job = || job(&credential, vec![message(SignatureAlgorithm::ES256)]);
    let pin_of = |software: &mut Software| {
        let pin = software.tokens().unwrap().remove(0).pin;
        (pin.state, pin.tries_left)
    };
    assert_eq!(pin_of(&mut software), (PinState::Ok, Some(3)));
    assert_eq!(
        software.sign(&id, job(), pin("0000")),
        Err(Error::PinIncorrect(Some(2)))
    );
    assert_eq!(pin_of(&mut software), (PinState::Low, Some(2)));
    // A PIN of a wrong length is no try.
    assert_eq!(software.sign(&id, job(), pin("000")), Err(Error::PinLength(4, 16)));
    assert_eq!(
        software.sign(&id, job(), pin("1111")),
        Err(Error::PinIncorrect(Some(1)))
    );
    assert_eq!(pin_of(&mut software), (PinState::FinalTry, Some(1)));
    // The right one brings them back.
    software.sign(&id, job(), pin(PIN)).unwrap();
    assert_eq!(pin_of(&mut software), (PinState::Ok, Some(3)));

    for _ in 0..2 {
        software.sign(&id, job(), pin("9999")).unwrap_err();
    }
    let mut restarted = Software::new(state.path());
    assert_eq!(restarted.sign(&id, job(), pin("9999")), Err(Error::PinLocked));
    assert_eq!(pin_of(&mut restarted), (PinState::Locked, Some(0)));
    assert_eq!(restarted.sign(&id, job(), pin(PIN)), Err(Error::PinLocked));

    // The documented way to unlock.
    std::fs::remove_file(state.path().join("software-token/tries")).unwrap();
    restarted.sign(&id, job(), pin(PIN)).unwrap();
}

#[test]
fn what_it_cannot_make_and_another_certificate_spend_no_try() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    let credentials = software.credentials(&id).unwrap();
    let wrong = job(&credentials[0], vec![message(SignatureAlgorithm::RS256)]);
    assert!(matches!(
        software.sign(&id, wrong, pin("0000")),
        Err(Error::UnsupportedAlgorithm(_))
    ));
    let mut swapped = job(&credentials[0], vec![message(SignatureAlgorithm::ES256)]);
    swapped.certificate.clone_from(&credentials[1].certificate);
    assert_eq!(software.sign(&id, swapped, pin("0000")), Err(Error::TokenRemoved));
    assert_eq!(
        software.sign(&TokenId::new(&["other"]), job(&credentials[0], vec![]), None),
        Err(Error::TokenRemoved)
    );
    assert_eq!(software.tokens().unwrap()[0].pin.tries_left, Some(TRIES));
}

#[test]
fn files_are_private_and_what_a_killed_one_left_is_swept_away() {
    let state = tempfile::tempdir().unwrap();
    let half = state.path().join("software-token.new");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("p256.key"), "half").unwrap();
    made(state.path());
    assert!(!half.exists());
    let folder = state.path().join("software-token");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let entries: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        entries.len(),
        2 * SLOTS.len() + 5,
        "two files of each key and each root, and the tries"
    );
    entries
        .iter()
        .for_each(|path| assert_eq!(mode(path), 0o600, "{path:?}"));
}

#[test]
fn two_first_uses_at_once_make_one_token() {
    let state = tempfile::tempdir().unwrap();
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| made(state.path()).1)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn expired_certificates_are_renewed_under_the_same_root() {
    let state = tempfile::tempdir().unwrap();
    let (mut software, id) = made(state.path());
    let before = software.credentials(&id).unwrap();
    let mut later =
        Software::with_keys(state.path(), &Keys::all()).with_clock(|| OffsetDateTime::now_utc() + Duration::days(800));
    assert_eq!(later.tokens().unwrap()[0].id, id);
    let after = later.credentials(&id).unwrap();
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before.certificate, after.certificate);
        assert_eq!(before.intermediates, after.intermediates);
        let summary = Summary::read(&after.certificate).unwrap();
        assert!(summary.not_after > OffsetDateTime::now_utc() + Duration::days(800));
    }
    let signed = later
        .sign(&id, job(&after[0], vec![message(SignatureAlgorithm::ES256)]), pin(PIN))
        .unwrap();
    let input = message(SignatureAlgorithm::ES256);
    verify_own(&after[0].certificate, input.scheme, input.hash, &input.data, &signed[0]).unwrap();
}
