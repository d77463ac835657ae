//! The sign-in service behind the page: hands out a challenge, judges what comes back.

use fixtures::pki::TestPki;
use fixtures::pki::certificate::pem;
use plugin_protocol::Proof;
use plugin_protocol::encoding::from_base64;
use plugin_protocol::proof::CmsProof;
use portal::{Policy, verify};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use system_tests::judge::Judge;
use time::OffsetDateTime;

/// `/aas/oauth2/api/login/digital/…` of a service that trusts one test authority.
pub(crate) struct Esia {
    judge: Judge,
    policy: Policy,
    /// The challenge of this session: taken once.
    digital_challenge: Option<String>,
}

impl Esia {
    pub(crate) fn new(pki: &TestPki) -> Self {
        let intermediate: &[u8] = &pki.intermediate.certificate;
        let policy = Policy::builder()
            .test_roots_pem(pki.root_pem().as_bytes())
            .expect("a root in PEM")
            .formats(&plugin_protocol::ProofFormat::ALL)
            .intermediate(intermediate)
            .expect("a certificate")
            .build()
            .expect("a whole policy");
        Self {
            // OpenSSL is given the authority in between as well: a token need not hold it, and ESIA knows it.
            judge: Judge::new(&(pki.root_pem() + &pem("CERTIFICATE", intermediate)), &[]),
            policy,
            digital_challenge: None,
        }
    }

    /// `GET …/digital/request`: the challenge is hexadecimal text.
    pub(crate) fn request(&mut self) -> String {
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).expect("random numbers");
        let challenge = plugin_protocol::encoding::hex(&random);
        self.digital_challenge = Some(challenge.clone());
        challenge
    }

    /// `POST …/digital/validate`: an attached CMS over the ASCII bytes of the text, as it was handed out.
    pub(crate) fn validate(&mut self, body: &Value) -> Value {
        let challenge = self.digital_challenge.take().expect("a challenge was handed out");
        let signature = body["signature"].as_str().expect("text");
        assert!(!signature.contains(['\r', '\n']), "one line");
        let cms = from_base64(signature).expect("standard base64 with padding");
        let signed = self.judge.openssl_cms(&cms, None);
        assert_eq!(
            signed,
            challenge.as_bytes(),
            "the text's own bytes, not what it decodes to"
        );
        let proof = Proof::CmsChallenge(CmsProof {
            cms: signature.to_owned(),
            content: None,
        });
        let origin = "https://esia.gosuslugi.ru".parse().expect("an origin");
        let challenge = challenge.parse().expect("a challenge");
        let verdict = verify(&proof, &origin, &challenge, &self.policy, OffsetDateTime::now_utc());
        match verdict {
            Ok(identity) => json!({ "action": "DONE", "name": identity.subject().common_name() }),
            Err(error) => json!({ "action": "ERROR", "why": error.to_string() }),
        }
    }

    /// The same for a CMS without its content, which sign-in does not use.
    pub(crate) fn validate_detached(&mut self, signature: &str) {
        let challenge = self.digital_challenge.take().expect("a challenge was handed out");
        let cms = from_base64(signature).expect("standard base64 with padding");
        self.judge.openssl_cms(&cms, Some(challenge.as_bytes()));
        let inside = cms
            .windows(challenge.len())
            .any(|window| window == challenge.as_bytes());
        assert!(!inside, "the content is not in it");
    }
}
