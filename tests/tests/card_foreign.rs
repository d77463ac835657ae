//! Cards that nobody in this house has written, each through the agent itself and through OpenSC's module.

use fixtures::der_writer::{sequence, unsigned_integer};
use fixtures::pki::{Issued, Person, TestPki};
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use portal::VerifiedIdentity;
use system_tests::agent::Setup;
use system_tests::ask::{confirmation, signatures};
use system_tests::foreign::{self, Algorithm, ForeignCard, Purpose};
use system_tests::judge::Judge;
use system_tests::pcscd::Pcscd;
use system_tests::scene::Scene;

const PERSON: &str = "Иванов Иван Иванович";
const RIGHT: &str = "pin 123456";

/// Directly below the root, for these cards have no place for an intermediate certificate.
fn person(pki: &TestPki) -> Person<'_> {
    pki.root.person(PERSON, fixtures::pki::now())
}

/// A PIV card with two keys, in its reader.
struct Piv {
    pki: TestPki,
    pcscd: Pcscd,
    authentication: Issued,
    signature: Issued,
    _card: ForeignCard,
}

impl Piv {
    fn with(algorithm: Algorithm) -> Self {
        let pki = TestPki::new();
        let pcscd = Pcscd::start();
        let card = ForeignCard::piv(&pcscd, &pcscd.reader());
        let authentication = card.provision(&pcscd, algorithm, Purpose::Authentication, person(&pki));
        let signature = card.provision(&pcscd, algorithm, Purpose::Signature, person(&pki));
        Self {
            pki,
            pcscd,
            authentication,
            signature,
            _card: card,
        }
    }

    fn judge(&self) -> Judge {
        Judge::new(&self.pki.root_pem(), &[])
    }

    /// The agent's own family.
    fn ours(&self) -> Setup {
        Setup::new().pcscd(&self.pcscd)
    }

    /// OpenSC's module alone.
    fn opensc(&self) -> Setup {
        self.ours()
            .module(&foreign::opensc())
            .configure("cards.leave_to_modules = [\"piv\"]\n")
    }
}

/// Confirms in every format that needs no GOST; a portal and OpenSSL verify, and the identity is the certificate's.
async fn confirms(card: &Piv, setup: Setup, algorithm: SignatureAlgorithm) -> VerifiedIdentity {
    let scene = Scene::open(setup).await;
    let judge = card.judge();
    let mut identity = None;
    for format in ["web-eid:1.0", "jws", "cms"] {
        let request = confirmation(format);
        let operation = scene.confirm(&request, &[RIGHT]).await;
        let told = judge.accept(&request, &operation);
        assert_eq!(told.certificate_der(), card.authentication.certificate, "{format}");
        assert_eq!(told.algorithm(), algorithm, "{format}");
        identity = Some(told);
    }
    identity.expect("three formats")
}

/// Signs two documents with 9C, which wants its PIN directly before each; OpenSSL verifies.
async fn signs(card: &Piv, setup: Setup, algorithm: SignatureAlgorithm) {
    let documents: [(&str, &[u8]); 2] = [("Договор.pdf", b"one"), ("Согласие.pdf", b"two")];
    let mut request = signatures(&documents);
    for (item, (_, content)) in request.items.iter_mut().zip(documents) {
        item.hash_function = algorithm.hash();
        item.hash = base64(&algorithm.hash().digest(content));
    }
    let scene = Scene::open(setup).await;
    let operation = scene.sign(&request, &[RIGHT]).await;
    let signed = operation
        .signatures
        .unwrap_or_else(|| panic!("{:?}", operation.problem));
    assert_eq!(signed.certificate, base64(&card.signature.certificate));
    assert_eq!(signed.items.len(), documents.len());
    assert_eq!(scene.person.pins_asked(), 1, "typed once");
    for (made, (_, content)) in signed.items.iter().zip(documents) {
        let raw = from_base64(&made.signature).expect("base64");
        let signature = match algorithm {
            SignatureAlgorithm::RS256 => raw,
            _ => {
                let (r, s) = raw.split_at(raw.len() / 2);
                sequence(&[&unsigned_integer(r), &unsigned_integer(s)])
            }
        };
        let option = match algorithm.hash() {
            HashFunction::Sha384 => "-sha384",
            _ => "-sha256",
        };
        card.judge()
            .openssl_signature(&card.signature.certificate, option, content, &signature);
    }
}

#[tokio::test]
async fn a_foreign_piv_card_confirms_with_p256() {
    let card = Piv::with(Algorithm::P256);
    let ours = confirms(&card, card.ours(), SignatureAlgorithm::ES256).await;
    let theirs = confirms(&card, card.opensc(), SignatureAlgorithm::ES256).await;
    assert_eq!(ours.certificate_sha256(), theirs.certificate_sha256());
    assert_eq!(ours.subject().snils(), theirs.subject().snils());
    signs(&card, card.ours(), SignatureAlgorithm::ES256).await;
}

#[tokio::test]
async fn a_foreign_piv_card_confirms_with_p384() {
    let card = Piv::with(Algorithm::P384);
    confirms(&card, card.ours(), SignatureAlgorithm::ES384).await;
    signs(&card, card.ours(), SignatureAlgorithm::ES384).await;
}

#[tokio::test]
async fn a_foreign_piv_card_confirms_with_rsa() {
    let card = Piv::with(Algorithm::Rsa2048);
    confirms(&card, card.ours(), SignatureAlgorithm::RS256).await;
    signs(&card, card.ours(), SignatureAlgorithm::RS256).await;
}

/// Of a card that the agent does not know it says so, and leaves it to the module.
#[tokio::test]
async fn a_foreign_openpgp_card_confirms_through_opensc() {
    let pki = TestPki::new();
    let pcscd = Pcscd::start();
    let card = ForeignCard::openpgp(&pcscd, &pcscd.reader());
    let issued = card.provision_openpgp(&pcscd, person(&pki));
    let scene = Scene::open(Setup::new().pcscd(&pcscd).module(&foreign::opensc())).await;
    let judge = Judge::new(&pki.root_pem(), &[]);
    let request = confirmation("cms");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    assert_eq!(judge.accept(&request, &operation).certificate_der(), issued.certificate);
}
