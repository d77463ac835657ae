//! GOST tokens behind the child: curves, orders of r and s, mechanisms, and how keys are found.

mod keys;
mod pins;

use std::time::Duration;

use agent::Error;
use agent::token::pkcs11::{Deadlines, Options, Pkcs11};
use agent::token::{Credential, Mechanism, Source, TokenInfo};
use fixtures::gost_token::{Call, GostToken, PIN};
use fixtures::pki::{KeyKind, TestPki};
use gost3410::{PublicKey, Signature};
use plugin_protocol::SignatureAlgorithm::{self, ES256, Gost256, Gost512};
use plugin_protocol::api::SignatureScheme::Gost;
use serde_json::{Value, json};

use crate::{MESSAGE, digest, job, message, only, person, pin, verify};

const BOTH: [(KeyKind, SignatureAlgorithm); 2] = [(KeyKind::GOST_256, Gost256), (KeyKind::GOST_512, Gost512)];

/// A token with one person's key and certificate, which keeps a journal.
fn token_with(kind: KeyKind, settings: Value) -> GostToken {
    let token = GostToken::new("card");
    token.import(&person(&TestPki::new(), kind), &[1], "ivanov");
    set(&token, settings);
    token
}

/// Replaces its settings; the journal goes on.
fn set(token: &GostToken, mut settings: Value) {
    settings["journal"] = true.into();
    token.configure(&settings);
}

fn source(token: &GostToken) -> Pkcs11 {
    crate::source(token.module(), Options::default())
}

fn ready(source: &mut Pkcs11) -> (TokenInfo, Credential) {
    let token = only(source);
    let mut credentials = source.credentials(&token.id).unwrap();
    assert_eq!(credentials.len(), 1, "{credentials:?}");
    (token, credentials.remove(0))
}

/// Whether a signature of [`MESSAGE`] verifies as X.509 has it.
fn verifies(certificate: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> bool {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).unwrap();
    let key = PublicKey::from_spki_der(certificate.public_key().raw).unwrap();
    let signature = Signature::from_x509(signature).unwrap();
    key.verify_digest(&algorithm.hash().digest(MESSAGE), &signature).is_ok()
}

#[test]
fn every_curve_signs_messages_and_digests_after_one_login() {
    let (pki, token) = (TestPki::new(), GostToken::new("card"));
    let kinds = KeyKind::all_gost();
    for (id, kind) in (1..).zip(&kinds) {
        token.import(&person(&pki, *kind), &[id], "key");
    }
    set(&token, json!({}));
    let mut source = source(&token);
    let info = only(&mut source);
    let mut credentials = source.credentials(&info.id).unwrap();
    credentials.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(credentials.len(), kinds.len());
    for (credential, kind) in credentials.iter().zip(&kinds) {
        let large = kind.gost().0 == gost3410::Algorithm::Gost2012_512;
        let algorithm = if large { Gost512 } else { Gost256 };
        let expected = Mechanism {
            scheme: Gost,
            hash: algorithm.hash(),
            digest: true,
        };
        assert_eq!(credential.mechanisms, [expected], "{kind:?}");
        let inputs = [message(algorithm), digest(algorithm)];
        let signed = source.sign(&info.id, job(credential, &inputs), pin(PIN));
        for signature in signed.unwrap_or_else(|error| panic!("{kind:?}: {error}")) {
            verify(&credential.certificate, algorithm, &signature);
        }
    }
    assert_eq!((token.count(Call::Login), token.count(Call::Logout)), (14, 14));
    assert_eq!(token.count(Call::OpenSession), token.count(Call::CloseSession));
}

#[test]
fn every_order_of_r_and_s_costs_one_signature_and_one_pin() {
    for order in ["s-r", "r-s", "reversed"] {
        for (kind, algorithm) in BOTH {
            let token = token_with(kind, json!({ "signature_order": order }));
            let mut source = source(&token);
            let (info, credential) = ready(&mut source);
            for count in 1..=3 {
                let signed = source.sign(&info.id, job(&credential, &[message(algorithm)]), pin(PIN));
                verify(&credential.certificate, algorithm, &signed.unwrap()[0]);
                assert_eq!((token.count(Call::Sign), token.pins_tried()), (count, count), "{order}");
            }
            // Several in one job, the first of this source.
            let mut source = crate::gost::source(&token);
            let inputs = [digest(algorithm), message(algorithm), digest(algorithm)];
            let signed = source.sign(&info.id, job(&credential, &inputs), pin(PIN)).unwrap();
            signed
                .iter()
                .for_each(|one| verify(&credential.certificate, algorithm, one));
            assert_eq!((token.count(Call::Sign), token.pins_tried()), (6, 4), "{order}");
        }
    }
}

#[test]
fn an_order_that_changes_is_a_mismatch_even_after_the_child_came_back() {
    let token = token_with(KeyKind::GOST_256, json!({ "signature_order": "r-s" }));
    let short = Duration::from_secs(2);
    let deadlines = Deadlines {
        list: short,
        ..Deadlines::default()
    };
    let options = Options {
        deadlines,
        ..Options::default()
    };
    let mut source = crate::source(token.module(), options);
    let (info, credential) = ready(&mut source);
    let one = job(&credential, &[message(Gost256)]);
    let signed = source.sign(&info.id, one.clone(), pin(PIN)).unwrap();
    assert!(verifies(&credential.certificate, Gost256, &signed[0]));

    set(&token, json!({ "signature_order": "s-r" }));
    let signed = source.sign(&info.id, one.clone(), pin(PIN)).unwrap();
    assert!(!verifies(&credential.certificate, Gost256, &signed[0]), "learned anew");

    // The child hangs, is ended, and another one takes its place: the order is the agent's to remember.
    let hang = json!([{ "call": "C_GetSlotList", "delay_ms": 20_000 }]);
    set(&token, json!({ "signature_order": "s-r", "faults": hang }));
    assert!(matches!(source.tokens(), Err(Error::ModuleFailed(..))));
    for (order, good) in [("s-r", false), ("r-s", true)] {
        set(&token, json!({ "signature_order": order }));
        let signed = source.sign(&info.id, one.clone(), pin(PIN)).unwrap();
        assert_eq!(verifies(&credential.certificate, Gost256, &signed[0]), good, "{order}");
    }
    // An agent that starts anew learns anew.
    set(&token, json!({ "signature_order": "s-r" }));
    let signed = crate::gost::source(&token).sign(&info.id, one, pin(PIN)).unwrap();
    assert!(verifies(&credential.certificate, Gost256, &signed[0]));
}

#[test]
fn a_signature_that_verifies_in_no_order_is_a_mismatch_and_teaches_nothing() {
    for (kind, algorithm) in BOTH {
        let token = token_with(kind, json!({ "wrong_signature": true }));
        let mut source = source(&token);
        let (info, credential) = ready(&mut source);
        let one = job(&credential, &[message(algorithm)]);
        let refused = source.sign(&info.id, one.clone(), pin(PIN));
        assert_eq!(refused, Err(Error::SignatureMismatch));
        assert_eq!(
            (token.count(Call::Sign), token.pins_tried()),
            (1, 1),
            "nothing is tried again"
        );
        set(&token, json!({ "signature_order": "reversed" }));
        let signed = source.sign(&info.id, one, pin(PIN)).unwrap();
        verify(&credential.certificate, algorithm, &signed[0]);
    }
}

#[test]
fn a_token_that_only_hashes_itself_gets_messages_with_the_parameter_it_wants() {
    for parameter in ["optional", "required", "refused"] {
        for (kind, algorithm) in BOTH {
            let token = token_with(kind, json!({ "mechanisms": "hashing", "digest_parameter": parameter }));
            let mut source = source(&token);
            let (info, credential) = ready(&mut source);
            assert_eq!(credential.mechanisms.len(), 1);
            assert!(!credential.mechanisms[0].digest);
            let inputs = [message(algorithm), message(algorithm)];
            let signed = source.sign(&info.id, job(&credential, &inputs), pin(PIN));
            let signed = signed.unwrap_or_else(|error| panic!("{parameter}: {error}"));
            signed
                .iter()
                .for_each(|one| verify(&credential.certificate, algorithm, one));
            let refused = source.sign(&info.id, job(&credential, &[digest(algorithm)]), pin(PIN));
            assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
            assert_eq!(token.pins_tried(), 1, "{parameter}");
        }
    }
}

#[test]
fn what_the_key_cannot_make_is_refused_before_the_login() {
    let token = token_with(KeyKind::GOST_256, json!({}));
    let mut source = source(&token);
    let (info, credential) = ready(&mut source);
    for algorithm in [Gost512, ES256, SignatureAlgorithm::RS256] {
        let refused = source.sign(&info.id, job(&credential, &[message(algorithm)]), pin(PIN));
        assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
    }
    assert_eq!(token.count(Call::Login), 0);

    // The other size's mechanisms are of no use to it.
    for useless in [
        json!(["CKM_GOSTR3410_512", "CKM_GOSTR3410_WITH_GOSTR3411_12_512"]),
        json!(["CKM_GOSTR3410_WITH_GOSTR3411"]),
        json!(["CKM_GOSTR3411_12_256"]),
    ] {
        set(&token, json!({ "mechanisms": { "only": useless } }));
        let (_, credential) = ready(&mut source);
        assert!(credential.mechanisms.is_empty());
        assert!(credential.unusable().unwrap().contains("no mechanism"));
        let refused = source.sign(&info.id, job(&credential, &[message(Gost256)]), pin(PIN));
        assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
    }
    assert_eq!(token.count(Call::Login), 0);
}

#[test]
fn faults_cost_one_operation_and_one_try_at_most() {
    for (call, rv, removed) in [
        ("C_GetSlotList", "CKR_GENERAL_ERROR", false),
        ("C_OpenSession", "CKR_DEVICE_ERROR", false),
        ("C_GetAttributeValue", "CKR_DEVICE_ERROR", false),
        ("C_Login", "CKR_FUNCTION_FAILED", false),
        ("C_SignInit", "CKR_DEVICE_ERROR", false),
        ("C_Sign", "CKR_FUNCTION_FAILED", false),
        ("C_Sign", "CKR_DEVICE_REMOVED", true),
    ] {
        let token = token_with(KeyKind::GOST_512, json!({}));
        let mut source = source(&token);
        let (info, credential) = ready(&mut source);
        let one = job(&credential, &[message(Gost512)]);
        set(
            &token,
            json!({ "faults": [{ "call": call, "return": rv, "times": 1 }] }),
        );
        let failed = source.sign(&info.id, one.clone(), pin(PIN)).unwrap_err();
        match removed {
            true => assert_eq!(failed, Error::TokenRemoved, "{call}"),
            false => assert!(matches!(failed, Error::ModuleFailed(..)), "{call}: {failed}"),
        }
        assert!(token.pins_tried() <= 1, "{call}");
        set(&token, json!({}));
        let signed = source.sign(&info.id, one, pin(PIN));
        let signed = signed.unwrap_or_else(|error| panic!("after {call}: {error}"));
        verify(&credential.certificate, Gost512, &signed[0]);
    }
}
