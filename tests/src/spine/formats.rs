//! What a card can sign, in every format, judged by the portal's library, a running portal and OpenSSL.

use fixtures::der_writer::{sequence, unsigned_integer};
use fixtures::pki::Issued;
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState, SignatureItem};
use plugin_protocol::encoding::{base64, from_base64, hex, sha256};
use plugin_protocol::{ErrorCode, ProofFormat, Purpose, SignatureAlgorithm};
use portal::VerifiedIdentity;

use super::RIGHT;
use crate::ask::{ORIGIN, confirmation, signatures};
use crate::card::{Card, Kind, Wish};
use crate::judge::Judge;
use crate::portal::Portal;
use crate::scene::{Scene, code};

/// Every format, and detached where there is such a thing.
pub const FORMATS: [(ProofFormat, bool); 6] = [
    (ProofFormat::WebEid, false),
    (ProofFormat::Jws, false),
    (ProofFormat::Cms, false),
    (ProofFormat::Cms, true),
    (ProofFormat::CmsChallenge, false),
    (ProofFormat::CmsChallenge, true),
];

/// A judge who trusts the card's authority, and an OpenSSL that knows its algorithm.
pub fn judge(card: &dyn Card) -> Judge {
    let pki = card.pki();
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);
    match card.algorithm().is_gost() {
        true => judge.knowing_gost(),
        false => judge,
    }
}

/// What the portal learned is what the certificate says.
///
/// # Panics
/// When it is not.
pub fn assert_is(identity: &VerifiedIdentity, certificate: &[u8], algorithm: SignatureAlgorithm, format: ProofFormat) {
    assert_eq!(identity.certificate_der(), certificate);
    assert_eq!(identity.certificate_sha256(), hex(&sha256(certificate)));
    assert_eq!((identity.algorithm(), identity.format()), (algorithm, format));
    assert!(identity.is_test());
    let dated = matches!(format, ProofFormat::Jws | ProofFormat::Cms);
    assert_eq!(
        identity.signed_purpose(),
        dated.then_some(Purpose::ConfirmIdentity),
        "{format}"
    );
    assert_eq!(
        identity.signed_at().is_some(),
        format != ProofFormat::WebEid,
        "{format}"
    );
}

/// The proof is accepted as this certificate's, by way of the intermediate; only the literal form is good for another origin.
pub fn accepted(
    judge: &Judge,
    request: &ConfirmationRequest,
    operation: &Operation,
    issued: &Issued,
    algorithm: SignatureAlgorithm,
) -> VerifiedIdentity {
    let format = request.proof_format().expect("a format");
    let identity = judge.accept(request, operation);
    assert_is(&identity, &issued.certificate, algorithm, format);
    assert!(identity.subject().snils().is_some() && identity.subject().inn().is_some());
    assert_eq!(identity.path().len(), 2, "the intermediate and the root");
    assert!(operation.test, "a test certificate marks the result");
    let elsewhere = "https://portal.example.org".parse().expect("an origin");
    let proof = operation.proof.as_ref().expect("a proof");
    let verdict = judge.verdict(request, proof, &elsewhere);
    assert_eq!(
        verdict.is_ok(),
        format == ProofFormat::CmsChallenge,
        "{format} for another origin"
    );
    identity
}

/// Each format that carries the card's algorithm is accepted; each that does not is refused before anyone is asked.
pub async fn every_format_that_carries_the_algorithm(kind: Kind) {
    let wish = Wish::default();
    let card = kind.make(&wish);
    let scene = Scene::open(card.setup().literal(ORIGIN)).await;
    let judge = judge(&*card);
    let mut done = 0;
    for (format, detached) in FORMATS {
        let mut request = confirmation(format.name());
        request.detached = detached;
        let operation = scene.confirm(&request, &[RIGHT]).await;
        if !format.carries(card.algorithm()) {
            assert_eq!(code(&operation), ErrorCode::UnsupportedAlgorithm, "{format}");
            // Of the key a page learns nothing; who runs the agent reads which formats do.
            let detail = operation.problem.expect("a problem").detail;
            assert!(detail.contains("another format") && !detail.contains("cms"), "{detail}");
            let log = scene.agent.log();
            assert!(log.contains("the formats cms and cms-challenge have one"), "{log}");
            assert_eq!(scene.person.shown(), "", "nobody is asked in vain");
            continue;
        }
        done += 1;
        let identity = accepted(&judge, &request, &operation, card.issued(), card.algorithm());
        assert_eq!(identity.subject().common_name(), Some(wish.person.as_str()));
    }
    assert_eq!((card.pins_tried(), card.signings()), (done, done));
}

/// Documents: OpenSSL verifies each signature with the certificate's key.
pub async fn documents(kind: Kind) {
    let card = kind.make(&Wish::default());
    let scene = Scene::open(card.setup()).await;
    let judge = judge(&*card);
    let algorithm = card.algorithm();
    let documents: [(&str, &[u8]); 2] = [("a.pdf", b"first"), ("b.pdf", b"second")];
    let mut request = signatures(&documents);
    let item = |(name, content): &(&str, &[u8])| SignatureItem {
        name: Some((*name).to_owned()),
        hash_function: algorithm.hash(),
        hash: base64(&algorithm.hash().digest(content)),
    };
    request.items = documents.iter().map(item).collect();
    let operation = scene.sign(&request, &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let signed = operation.signatures.expect("signatures");
    assert_eq!(signed.certificate, base64(&card.issued().certificate));
    assert_eq!(signed.items.len(), documents.len());
    for (outcome, (_, content)) in signed.items.iter().zip(documents) {
        assert_eq!(
            (outcome.scheme, outcome.hash_function),
            (algorithm.scheme(), algorithm.hash())
        );
        let raw = from_base64(&outcome.signature).expect("base64");
        assert_eq!(Some(raw.len()), algorithm.raw_length());
        let (option, signature) = for_openssl(algorithm, &raw);
        judge.openssl_signature(&card.issued().certificate, option, content, &signature);
    }
    assert_eq!((card.pins_tried(), card.signings()), (1, 2), "one PIN for both");
}

/// The option of `openssl dgst`, and the signature as it takes it.
fn for_openssl(algorithm: SignatureAlgorithm, raw: &[u8]) -> (&'static str, Vec<u8>) {
    match algorithm {
        SignatureAlgorithm::Gost256 => ("-md_gost12_256", raw.to_vec()),
        SignatureAlgorithm::Gost512 => ("-md_gost12_512", raw.to_vec()),
        _ => {
            let (r, s) = raw.split_at(raw.len() / 2);
            ("-sha256", sequence(&[&unsigned_integer(r), &unsigned_integer(s)]))
        }
    }
}

/// A portal that runs: it takes the proof once, and says who it is.
pub async fn a_real_portal_takes_each_challenge_once(kind: Kind) {
    let card = kind.make(&Wish::default());
    let scene = Scene::open(card.setup()).await;
    let root = scene.agent.setup().folder().join("root.pem");
    std::fs::write(&root, card.pki().root_pem()).expect("a file");
    let portal = Portal::start(&root);
    let client = portal.client();
    for detached in [false, true] {
        let issued = client.challenge("vera", Purpose::SignIn).await.expect("a challenge");
        let mut request = confirmation("cms");
        request.detached = detached;
        request.origin = issued.origin.clone();
        request.challenge = issued.challenge.clone();
        request.purpose = issued.purpose;
        let operation = scene.confirm(&request, &[RIGHT]).await;
        let proof = operation.proof.unwrap_or_else(|| panic!("{:?}", operation.problem));
        let prove = || client.prove(&issued.challenge, &proof);
        let verdict = prove().await.expect("the portal answers");
        assert!(verdict.accepted(), "{verdict:?}");
        let told = |name: &str| verdict.body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (told("account"), told("algorithm")),
            ("vera".into(), card.algorithm().name().to_owned())
        );
        assert!(!prove().await.expect("the portal answers").accepted(), "taken twice");
    }
    assert!(!portal.log().contains("panicked"));
}
