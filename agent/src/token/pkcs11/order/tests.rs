#![allow(clippy::unwrap_used)]

use fixtures::der_writer::sequence;
use fixtures::pki::{Template, TestPki};
use gost3410::{Algorithm, ParameterSet, SecretKey};
use plugin_protocol::HashFunction::{Sha256, Streebog256, Streebog512};

use super::*;

struct Token {
    id: TokenId,
    key: SecretKey,
    hash: HashFunction,
    certificate: Vec<u8>,
}

impl Token {
    fn new(id: &str, hash: HashFunction) -> Self {
        let (algorithm, set) = match hash {
            Streebog512 => (Algorithm::Gost2012_512, ParameterSet::Tc26_512A),
            _ => (Algorithm::Gost2012_256, ParameterSet::Tc26_256A),
        };
        let key = SecretKey::generate(algorithm, set).unwrap();
        let pki = TestPki::new();
        let name = sequence(&[]);
        let spki = key.public_key().to_spki_der();
        let template = Template::new(name.clone(), name, &spki, (pki.at, pki.at + 1000));
        Self {
            id: TokenId::new(&[id]),
            key,
            hash,
            certificate: pki.root.sign(&template),
        }
    }

    fn job(&self, data: &[SignData]) -> SignJob {
        let input = |data: &SignData| SignInput {
            scheme: SignatureScheme::Gost,
            hash: self.hash,
            data: data.clone(),
        };
        SignJob {
            key: String::new(),
            certificate: self.certificate.clone(),
            inputs: data.iter().map(input).collect(),
        }
    }

    /// What the token answers, in this order, and what the agent wants of it.
    fn sign(&self, data: &SignData, order: SignatureOrder) -> (Vec<u8>, Vec<u8>) {
        let digest = match data {
            SignData::Message(message) => self.hash.digest(message),
            SignData::Digest(digest) => digest.clone(),
        };
        let signature = self.key.sign_digest(&digest).unwrap();
        (signature.to_order(order), signature.to_x509())
    }
}

fn message(text: &str) -> SignData {
    SignData::Message(text.as_bytes().to_vec())
}

#[test]
fn every_order_is_found_and_turned_into_that_of_x509() {
    for hash in [Streebog256, Streebog512] {
        for order in SignatureOrder::ALL {
            let token = Token::new("a", hash);
            let mut orders = Orders::default();
            let data = [
                message("first"),
                SignData::Digest(hash.digest(b"second")),
                message("third"),
            ];
            let (told, wanted): (Vec<_>, Vec<_>) = data.iter().map(|data| token.sign(data, order)).unzip();
            assert_eq!(
                orders.settle(&token.id, &token.job(&data), told),
                Ok(wanted),
                "{order:?}"
            );
            assert_eq!(orders.known(&token.id, hash), Some(order));
        }
    }
}

#[test]
fn an_order_is_learned_once() {
    let token = Token::new("a", Streebog256);
    let mut orders = Orders::default();
    let data = message("text");
    let (told, wanted) = token.sign(&data, SignatureOrder::RS);
    let job = token.job(std::slice::from_ref(&data));
    assert_eq!(orders.settle(&token.id, &job, vec![told]), Ok(vec![wanted]));
    // The token turns to another order: what comes out verifies nowhere, and nothing new is learned.
    let (told, wanted) = token.sign(&data, SignatureOrder::X509);
    let settled = orders.settle(&token.id, &job, vec![told]).unwrap();
    assert_ne!(settled, [wanted]);
    let key = gost_key(&token.certificate).unwrap();
    let read = Signature::from_x509(&settled[0]).unwrap();
    assert!(key.verify_digest(&Streebog256.digest(b"text"), &read).is_err());
    assert_eq!(orders.known(&token.id, Streebog256), Some(SignatureOrder::RS));
}

#[test]
fn a_signature_that_verifies_in_no_order_teaches_nothing() {
    let token = Token::new("a", Streebog256);
    let mut orders = Orders::default();
    let data = message("text");
    let job = token.job(std::slice::from_ref(&data));
    let (mut spoilt, _) = token.sign(&data, SignatureOrder::X509);
    spoilt[5] ^= 1;
    let (other, _) = token.sign(&message("another text"), SignatureOrder::X509);
    let (stranger, _) = Token::new("b", Streebog256).sign(&data, SignatureOrder::X509);
    for wrong in [
        spoilt,
        other,
        stranger,
        vec![0; 64],
        vec![0xFF; 64],
        vec![1; 63],
        Vec::new(),
    ] {
        let settled = orders.settle(&token.id, &job, vec![wrong]);
        assert_eq!(settled, Err(Error::SignatureMismatch));
        assert_eq!(orders.known(&token.id, Streebog256), None);
    }
    let (told, wanted) = token.sign(&data, SignatureOrder::CryptoApi);
    assert_eq!(orders.settle(&token.id, &job, vec![told]), Ok(vec![wanted]));
}

#[test]
fn each_token_and_size_has_its_own_order_and_other_schemes_none() {
    let (small, large) = (Token::new("a", Streebog256), Token::new("a", Streebog512));
    let mut orders = Orders::default();
    let data = message("text");
    for (token, order) in [(&small, SignatureOrder::CryptoApi), (&large, SignatureOrder::RS)] {
        let (told, wanted) = token.sign(&data, order);
        let job = token.job(std::slice::from_ref(&data));
        assert_eq!(orders.settle(&token.id, &job, vec![told]), Ok(vec![wanted]));
    }
    assert_eq!(orders.known(&small.id, Streebog256), Some(SignatureOrder::CryptoApi));
    assert_eq!(orders.known(&large.id, Streebog512), Some(SignatureOrder::RS));

    let mut job = small.job(&[data]);
    job.inputs[0].scheme = SignatureScheme::Ecdsa;
    job.inputs[0].hash = Sha256;
    assert_eq!(orders.settle(&small.id, &job, vec![vec![1, 2]]), Ok(vec![vec![1, 2]]));
}

#[test]
fn what_is_remembered_is_bounded() {
    let token = Token::new("a", Streebog256);
    let mut orders = Orders::default();
    let data = message("text");
    let (told, _) = token.sign(&data, SignatureOrder::X509);
    let job = token.job(&[data]);
    for number in 0..=REMEMBERED {
        let id = TokenId::new(&[&number.to_string()]);
        orders.settle(&id, &job, vec![told.clone()]).unwrap();
    }
    assert_eq!(orders.0.len(), REMEMBERED);
    assert_eq!(orders.known(&TokenId::new(&["0"]), Streebog256), None);
    assert_eq!(
        orders.known(&TokenId::new(&["1"]), Streebog256),
        Some(SignatureOrder::X509)
    );
}
