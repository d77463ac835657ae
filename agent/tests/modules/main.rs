//! The real child process over real modules: SoftHSM, and one that misbehaves.
#![allow(clippy::unwrap_used)]

mod evil;
mod gost;
mod pad_and_pin;
mod softhsm;

use std::path::{Path, PathBuf};

use agent::pin::Pin;
use agent::token::pkcs11::discover::ModulePath;
use agent::token::pkcs11::{Options, Pkcs11, Program};
use agent::token::{Credential, SignData, SignInput, SignJob, Source, TokenInfo};
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::SignatureAlgorithm;

pub(crate) const MESSAGE: &[u8] = b"what the person agreed to";

/// The module at `path` behind the agent's own binary.
pub(crate) fn source(path: &Path, options: Options) -> Pkcs11 {
    let program = Program::at(PathBuf::from(env!("CARGO_BIN_EXE_eid-agent")));
    Pkcs11::new(ModulePath::check(path).unwrap(), Options { program, ..options })
}

pub(crate) fn only(source: &mut Pkcs11) -> TokenInfo {
    let tokens = source.tokens().unwrap();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    tokens.into_iter().next().unwrap()
}

pub(crate) fn pin(text: &str) -> Option<Pin> {
    Some(Pin::new(text.to_owned()))
}

pub(crate) fn job(credential: &Credential, inputs: &[SignInput]) -> SignJob {
    SignJob {
        key: credential.key.clone(),
        certificate: credential.certificate.clone(),
        inputs: inputs.to_vec(),
    }
}

pub(crate) fn input(algorithm: SignatureAlgorithm, data: SignData) -> SignInput {
    SignInput {
        scheme: algorithm.scheme(),
        hash: algorithm.hash(),
        data,
    }
}

pub(crate) fn message(algorithm: SignatureAlgorithm) -> SignInput {
    input(algorithm, SignData::Message(MESSAGE.to_vec()))
}

pub(crate) fn digest(algorithm: SignatureAlgorithm) -> SignInput {
    input(algorithm, SignData::Digest(algorithm.hash().digest(MESSAGE)))
}

/// Verifies with ring (P-521 and GOST with their own crates); panics with the algorithm's name.
pub(crate) fn verify(certificate: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) {
    use ring::signature as r;
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let ring: &dyn r::VerificationAlgorithm = match algorithm {
        SignatureAlgorithm::ES256 => &r::ECDSA_P256_SHA256_FIXED,
        SignatureAlgorithm::ES384 => &r::ECDSA_P384_SHA384_FIXED,
        SignatureAlgorithm::ES512 => {
            use p521::ecdsa::signature::Verifier as _;
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
            return key
                .verify(MESSAGE, &p521::ecdsa::Signature::from_slice(signature).unwrap())
                .unwrap();
        }
        SignatureAlgorithm::Gost256 | SignatureAlgorithm::Gost512 => {
            let key = gost3410::PublicKey::from_spki_der(certificate.public_key().raw).unwrap();
            let signature = gost3410::Signature::from_x509(signature).unwrap();
            return key
                .verify_digest(&algorithm.hash().digest(MESSAGE), &signature)
                .unwrap();
        }
        SignatureAlgorithm::PS256 => &r::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::PS384 => &r::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::PS512 => &r::RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::RS256 => &r::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RS384 => &r::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RS512 => &r::RSA_PKCS1_2048_8192_SHA512,
    };
    let verified = r::UnparsedPublicKey::new(ring, key).verify(MESSAGE, signature);
    verified.unwrap_or_else(|_| panic!("{algorithm} does not verify"));
}

pub(crate) fn person(pki: &TestPki, kind: KeyKind) -> Issued {
    pki.person("Иванов Иван Иванович").key(kind).issue()
}
