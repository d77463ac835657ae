//! Questions for the tests of this folder.

#![allow(clippy::unwrap_used)]

pub(super) mod pty;

use fixtures::pki::TestPki;
use plugin_protocol::api::{CertificateRole, PinState, TokenKind};
use plugin_protocol::pairing::{Bytes32, Jwk, digits};
use plugin_protocol::{HashFunction, Purpose};

use super::{Action, Candidate, Consent, Document, Mishap, PinEntry, Question, Renewal, Request, Step, Task};
use crate::certificate::Summary;
use crate::token::{CardKind, Closed, ClosedCard, PinInfo, Strange, Stranger, TokenId, TokenInfo, UnblockCode};

/// A request of an ordinary portal.
pub(super) fn request() -> Request {
    Request {
        origin: "https://www.portal.example".parse().unwrap(),
        attested: true,
        top_origin: None,
        action: Action::Confirm(Purpose::ConfirmIdentity),
        client: "Test plugin".to_owned(),
    }
}

/// An embedded software token with a test certificate.
pub(super) fn candidate() -> Candidate {
    let person = TestPki::new()
        .person("Иванова Анна")
        .officer_of("ООО «Ромашка»", "Директор", "1027700132195", "7707083893")
        .issue();
    Candidate {
        token: TokenInfo {
            id: TokenId::new(&["software", "1"]),
            kind: TokenKind::Software,
            label: "Test token".to_owned(),
            reader: None,
            pin: PinInfo {
                name: None,
                state: PinState::Ok,
                tries_left: Some(3),
                pad: false,
                length: Some((4, 8)),
            },
            role: None,
            insertion: None,
            unproven: false,
            test: true,
        },
        certificate: Summary::read(&person.certificate).unwrap(),
    }
}

/// A document whose digest in hexadecimal is this.
pub(super) fn document(name: Option<&str>, digest: String) -> Document {
    Document {
        name: name.map(str::to_owned),
        hash: if digest.len() == 128 {
            HashFunction::Sha512
        } else {
            HashFunction::Sha256
        },
        digest,
    }
}

/// A first consent with a PIN.
pub(super) fn consent() -> Consent {
    Consent {
        request: request(),
        candidate: candidate(),
        pin: PinEntry::Window,
        attempt: 1,
        refused: None,
    }
}

/// A pairing.
pub(super) fn pair() -> Question {
    let key = |byte| Jwk::from_coordinates(&[byte; 32], &[byte; 32]);
    let nonce = Bytes32([7; 32]);
    Question::Pair {
        client: "Test plugin".to_owned(),
        digits: digits(&key(1), &key(2), &nonce, &nonce),
    }
}

/// A step of changing or unblocking the PIN of [`candidate`], in the middle of [`request`].
pub(super) fn renewal(task: Task, step: Step) -> Renewal {
    Renewal {
        task,
        step,
        token: candidate().token,
        within: Some(request()),
        mishap: None,
    }
}

/// With a PUK of eight digits.
pub(super) fn unblock(tries_left: Option<u8>) -> Task {
    Task::Unblock(UnblockCode {
        name: "PUK".to_owned(),
        length: (8, 8),
        tries_left,
    })
}

/// Cards that are in and show no token.
pub(super) fn strangers() -> Vec<Stranger> {
    let stranger = |reader: &str, why| Stranger {
        reader: reader.to_owned(),
        why,
    };
    vec![
        stranger("Reader 00", Strange::Unserved),
        stranger("Reader\n01", Strange::Unread),
    ]
}

/// A universal electronic card that is in, and of no use.
pub(super) fn closed(why: Closed) -> Stranger {
    let kind = CardKind {
        id: "uec",
        name: "Universal electronic card (УЭК)",
        ended: Some(2016),
    };
    Stranger {
        reader: "ACS ACR39U ICC Reader 00 00".to_owned(),
        why: Strange::Closed(ClosedCard { kind, why }),
    }
}

/// One question of every kind.
pub(super) fn every_question() -> Vec<Question> {
    let sign = Action::Sign(vec![
        document(Some("Договор.pdf"), "ab".repeat(32)),
        document(None, "cd".repeat(64)),
    ]);
    let mut questions = vec![
        Question::InsertToken(request(), Vec::new()),
        Question::InsertToken(request(), strangers()),
        Question::InsertToken(request(), vec![closed(Closed::TerminalUnfit); 3]),
        Question::Choose(request(), vec![candidate(), candidate()]),
        Question::LastTry(request(), candidate()),
        pair(),
    ];
    for action in [
        Action::Confirm(Purpose::ConfirmIdentity),
        Action::Confirm(Purpose::SignIn),
        Action::ConfirmLiteral(Purpose::ConfirmIdentity),
        Action::ConfirmLiteral(Purpose::SignIn),
        Action::ConfirmCard {
            purpose: Purpose::ConfirmIdentity,
            signed: false,
        },
        Action::ConfirmCard {
            purpose: Purpose::SignIn,
            signed: true,
        },
        sign,
        Action::Certificate(CertificateRole::Signing),
        Action::Certificate(CertificateRole::Authentication),
    ] {
        for pin in [PinEntry::Window, PinEntry::Pad, PinEntry::None] {
            let request = Request {
                action: action.clone(),
                ..request()
            };
            questions.push(Question::Consent(Consent {
                request,
                pin,
                ..consent()
            }));
        }
    }
    for task in [Task::Change, Task::ChangeFirst, unblock(Some(2)), unblock(None)] {
        for step in [Step::Offer, Step::LastTry, Step::Key, Step::New, Step::Repeat] {
            let wrong = [Mishap::Wrong(Some(2)), Mishap::Wrong(None)];
            let mishaps = [Mishap::Differs, Mishap::Same, Mishap::Refused]
                .into_iter()
                .chain(wrong);
            for mishap in std::iter::once(None).chain(mishaps.map(Some)) {
                questions.push(Question::Renew(Renewal {
                    mishap,
                    ..renewal(task.clone(), step)
                }));
            }
        }
    }
    questions
}
