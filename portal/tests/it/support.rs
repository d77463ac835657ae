//! A portal with its origin, challenge and policy, and a person who makes proofs for it.

use fixtures::pki::{Issued, KeyKind, SignatureAlgorithm as CertificateAlgorithm, TestPki};
use plugin_protocol::encoding::{base64, base64url};
use plugin_protocol::jws::JwsHeader;
use plugin_protocol::proof::WebEidToken;
use plugin_protocol::{Challenge, Origin, Proof, Purpose, SignatureAlgorithm, Statement, jws, web_eid};
use portal::policy::PolicyBuilder;
use portal::{Policy, VerifiedIdentity, VerifyError, verify};
use time::OffsetDateTime;

pub const NAME: &str = "Иванов Иван Иванович";

/// Everything a proof is verified against.
pub struct Scene {
    pub pki: TestPki,
    pub origin: Origin,
    pub challenge: Challenge,
    pub policy: Policy,
    pub now: OffsetDateTime,
}

impl Scene {
    pub fn new() -> Self {
        Self::with_pki(TestPki::new())
    }

    pub fn with_pki(pki: TestPki) -> Self {
        Self {
            policy: builder(&pki).build().unwrap(),
            origin: "https://portal.example".parse().unwrap(),
            challenge: base64(&[7; 32]).parse().unwrap(),
            now: OffsetDateTime::from_unix_timestamp(pki.at).unwrap(),
            pki,
        }
    }

    pub fn person(&self, kind: KeyKind) -> Issued {
        self.pki.person(NAME).key(kind).issue()
    }

    pub fn verify(&self, proof: &Proof) -> Result<VerifiedIdentity, VerifyError> {
        verify(proof, &self.origin, &self.challenge, &self.policy, self.now)
    }

    pub fn statement(&self, certificate: &[u8]) -> Statement {
        Statement::new(
            self.origin.clone(),
            self.challenge.clone(),
            Purpose::ConfirmIdentity,
            self.now,
            certificate,
        )
    }

    pub fn web_eid(&self, signer: &Issued, algorithm: SignatureAlgorithm) -> Proof {
        let message = web_eid::to_be_signed(&self.origin, &self.challenge, algorithm);
        Proof::WebEid(WebEidToken {
            unverified_certificate: base64(&signer.certificate),
            algorithm,
            signature: base64(&signer.key.sign_fixed(x509(algorithm), &message)),
            app_version: "https://web-eid.eu/web-eid-app/releases/2.9.0+0".to_owned(),
        })
    }

    pub fn jws(&self, signer: &Issued, algorithm: SignatureAlgorithm) -> Proof {
        let chain = signer.chain();
        let chain: Vec<_> = chain.iter().map(Vec::as_slice).collect();
        let header = JwsHeader::new(algorithm, &chain);
        let input = jws::to_be_signed(&header, &self.statement(&signer.certificate));
        sign_jws(signer, algorithm, &input)
    }
}

/// A JWS over these two parts, whatever they say.
pub fn sign_jws(signer: &Issued, algorithm: SignatureAlgorithm, input: &str) -> Proof {
    let signature = signer.key.sign_fixed(x509(algorithm), input.as_bytes());
    Proof::Jws {
        jws: format!("{input}.{}", base64url(&signature)),
    }
}

/// A policy that trusts the test root and knows the intermediate.
pub fn builder(pki: &TestPki) -> PolicyBuilder {
    let builder = Policy::builder().test_root(&pki.root.certificate).unwrap();
    let builder = builder.intermediate(&pki.intermediate.certificate).unwrap();
    builder.formats(&plugin_protocol::ProofFormat::ALL)
}

/// The same algorithm by its X.509 name.
pub fn x509(algorithm: SignatureAlgorithm) -> CertificateAlgorithm {
    match algorithm {
        SignatureAlgorithm::ES256 => CertificateAlgorithm::EcdsaSha256,
        SignatureAlgorithm::ES384 => CertificateAlgorithm::EcdsaSha384,
        SignatureAlgorithm::ES512 => CertificateAlgorithm::EcdsaSha512,
        SignatureAlgorithm::RS256 => CertificateAlgorithm::RsaSha256,
        SignatureAlgorithm::RS384 => CertificateAlgorithm::RsaSha384,
        SignatureAlgorithm::RS512 => CertificateAlgorithm::RsaSha512,
        SignatureAlgorithm::PS256 => CertificateAlgorithm::RsaPssSha256,
        SignatureAlgorithm::PS384 => CertificateAlgorithm::RsaPssSha384,
        SignatureAlgorithm::PS512 => CertificateAlgorithm::RsaPssSha512,
        SignatureAlgorithm::Gost256 => CertificateAlgorithm::GOST_256,
        SignatureAlgorithm::Gost512 => CertificateAlgorithm::GOST_512,
    }
}

/// A kind of key for this algorithm.
pub fn key_for(algorithm: SignatureAlgorithm) -> KeyKind {
    match algorithm {
        SignatureAlgorithm::ES256 => KeyKind::P256,
        SignatureAlgorithm::ES384 => KeyKind::P384,
        SignatureAlgorithm::ES512 => KeyKind::P521,
        SignatureAlgorithm::Gost256 => KeyKind::GOST_256,
        SignatureAlgorithm::Gost512 => KeyKind::GOST_512,
        _ => KeyKind::Rsa2048,
    }
}
