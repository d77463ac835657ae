//! A token that two may serve: the agent itself, and a PKCS#11 module. Over a real `pcscd`; the module is OpenSC's, which
//! nobody in this house has written, and so the judge of the virtual token too.

use fixtures::card::kit::{Made, Order};
use fixtures::card::rutoken_ecp;
use fixtures::card::vpcd::Slot;
use fixtures::pki::{Issued, TestPki};
use plugin_protocol::SignatureAlgorithm;
use portal::VerifiedIdentity;
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::foreign;
use system_tests::judge::Judge;
use system_tests::pcscd::Pcscd;
use system_tests::scene::{Scene, tokens};

const PERSON: &str = "Иванов Иван Иванович";
const RIGHT: &str = "pin 12345678";

/// A token in its reader.
struct Token {
    pki: TestPki,
    pcscd: Pcscd,
    issued: Issued,
    _slot: Slot,
}

impl Token {
    fn put_in(make: fn(&TestPki, &Order) -> Made) -> Self {
        let pki = TestPki::new();
        let made = make(&pki, &Order::new(PERSON));
        let issued = made.authentication.clone();
        let pcscd = Pcscd::start();
        let mut slot = Slot::new(pcscd.reader().port);
        slot.insert(made.chip).expect("vpcd listens");
        pcscd.client().wait_for_card(&pcscd.reader().name);
        Self {
            pki,
            pcscd,
            issued,
            _slot: slot,
        }
    }

    fn setup(&self) -> Setup {
        Setup::new().pcscd(&self.pcscd)
    }

    async fn confirms(&self, setup: Setup) -> VerifiedIdentity {
        let intermediate = &self.pki.intermediate.certificate;
        let judge = Judge::new(&self.pki.root_pem(), &[intermediate]).introducing(intermediate);
        let scene = Scene::open(setup).await;
        let mut identity = None;
        for format in ["web-eid:1.0", "jws", "cms"] {
            let request = confirmation(format);
            let operation = scene.confirm(&request, &[RIGHT]).await;
            let told = judge.accept(&request, &operation);
            assert_eq!(told.certificate_der(), self.issued.certificate, "{format}");
            assert_eq!(told.algorithm(), SignatureAlgorithm::RS256, "{format}");
            identity = Some(told);
        }
        identity.expect("three formats")
    }
}

#[tokio::test]
async fn the_agent_and_opensc_tell_the_same_identity() {
    let token = Token::put_in(rutoken_ecp::usb);
    let ours = token.confirms(token.setup()).await;
    // The module is there, and the token is the agent's all the same: it serves no more of it.
    let beside = token.setup().module(&foreign::opensc());
    assert_eq!(tokens(&beside).len(), 1);
    let left = token.setup().module(&foreign::opensc());
    let left = left.configure("cards.leave_to_modules = [\"rutoken-ecp\"]\n");
    let theirs = token.confirms(left).await;
    assert_eq!(ours.certificate_sha256(), theirs.certificate_sha256());
    assert_eq!(ours.subject().snils(), theirs.subject().snils());
}

/// The maker's module is known by its file's name: here it is OpenSC's under that name.
#[tokio::test]
async fn where_its_makers_module_is_used_it_keeps_the_token() {
    let token = Token::put_in(rutoken_ecp::usb);
    let folder = tempfile::tempdir().expect("a folder");
    let module = folder.path().join("librtpkcs11ecp.so");
    std::fs::copy(foreign::opensc(), &module).expect("a copy");
    let setup = token.setup().module(&module);
    let sent = token.pcscd.exchanges().len();
    let told = setup.command(&["doctor"]).output().expect("it starts");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("Rutoken ECP, left to PKCS#11 modules: librtpkcs11ecp.so serves more of it"),
        "{told}"
    );
    assert!(token.pcscd.exchanges().len() > sent, "the module has asked it");
    token.confirms(setup).await;
}

/// What the maker's software writes is not read here: one SELECT, and a sentence that says who serves it.
#[tokio::test]
async fn a_token_of_its_makers_software_is_named_and_left() {
    let token = Token::put_in(rutoken_ecp::of_its_maker);
    let setup = token.setup();
    assert_eq!(tokens(&setup).len(), 0);
    let told = setup.command(&["doctor"]).output().expect("it starts");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = told.lines().find(|line| line.contains("reader VPCD 00 00"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(line.starts_with("warn") && line.contains("librtpkcs11ecp"), "{line}");
    assert!(
        token
            .pcscd
            .exchanges()
            .iter()
            .all(|exchange| exchange.instruction() == 0xA4)
    );
    assert_eq!(token.pcscd.pins_sent(), 0);
}
