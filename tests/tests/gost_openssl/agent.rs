//! What the agent signs with the software token's GOST keys, before OpenSSL and the portal.

use plugin_protocol::api::{Operation, OperationState, SignatureItem, SignatureScheme};
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::{ErrorCode, HashFunction, ProofFormat, SignatureAlgorithm};
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation, signatures};
use system_tests::judge::Judge;
use system_tests::scene::{Scene, code};

const YES: &[&str] = &["yes", "pin 1234"];

/// An agent whose only key is of this kind, and the judges of what it signs.
async fn scene(kind: &str) -> (Scene, Judge) {
    let setup = Setup::new().software().literal(ORIGIN);
    let scene = Scene::open(setup.configure(&format!("software.keys = [{kind:?}]\n"))).await;
    assert_eq!(scene.tokens().len(), 1, "made when it is first looked for");
    let root = scene.agent.setup().state().join("software-token/gost-root.pem");
    let root = std::fs::read_to_string(root).expect("the token's root for GOST keys");
    (scene, Judge::new(&root, &[]).knowing_gost())
}

const KINDS: [(&str, SignatureAlgorithm, HashFunction, &str); 2] = [
    (
        "gost256",
        SignatureAlgorithm::Gost256,
        HashFunction::Streebog256,
        "-md_gost12_256",
    ),
    (
        "gost512",
        SignatureAlgorithm::Gost512,
        HashFunction::Streebog512,
        "-md_gost12_512",
    ),
];

#[tokio::test]
async fn openssl_and_the_portal_verify_every_confirmation() {
    for (kind, algorithm, ..) in KINDS {
        let (scene, judge) = scene(kind).await;
        for format in [ProofFormat::Cms, ProofFormat::CmsChallenge] {
            for detached in [false, true] {
                let mut request = confirmation(format.name());
                request.detached = detached;
                let identity = judge.accept(&request, &scene.confirm(&request, YES).await);
                assert_eq!((identity.algorithm(), identity.format()), (algorithm, format));
            }
        }
        for format in [ProofFormat::WebEid, ProofFormat::Jws] {
            let refused = scene.confirm(&confirmation(format.name()), YES).await;
            assert_eq!(code(&refused), ErrorCode::UnsupportedAlgorithm, "{kind} {format}");
        }
    }
}

#[tokio::test]
async fn openssl_verifies_the_signatures_of_documents() {
    for (kind, _, hash, digest) in KINDS {
        let (scene, judge) = scene(kind).await;
        let documents: [(&str, &[u8]); 2] = [("a.pdf", b"first"), ("b.pdf", b"second")];
        let mut request = signatures(&documents);
        request.items = documents
            .iter()
            .map(|(name, content)| item(name, hash, content))
            .collect();
        let operation = scene.sign(&request, YES).await;
        check(&judge, &operation, &documents, digest);

        request.items = vec![item("c.pdf", HashFunction::Sha256, b"third")];
        let refused = scene.sign(&request, YES).await;
        assert_ne!(
            refused.state,
            OperationState::Done,
            "{kind}: a GOST key signs Streebog digests alone"
        );
    }
}

fn item(name: &str, hash: HashFunction, content: &[u8]) -> SignatureItem {
    SignatureItem {
        name: Some(name.to_owned()),
        hash_function: hash,
        hash: base64(&hash.digest(content)),
    }
}

fn check(judge: &Judge, operation: &Operation, documents: &[(&str, &[u8])], digest: &str) {
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let signed = operation.signatures.as_ref().expect("signatures");
    let certificate = from_base64(&signed.certificate).expect("base64");
    assert_eq!(signed.items.len(), documents.len());
    for (outcome, (_, content)) in signed.items.iter().zip(documents) {
        assert_eq!(outcome.scheme, SignatureScheme::Gost);
        let signature = from_base64(&outcome.signature).expect("base64");
        judge.openssl_signature(&certificate, digest, content, &signature);
    }
}
