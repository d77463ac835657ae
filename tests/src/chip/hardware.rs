//! A reader of this machine with a card in it, and somebody at the desk who moves the card.
//!
//! The card is looked at through PC/SC alone: what is done to it nobody counts, and it does nothing wrong to order. Its
//! certificate is under authorities that the tests do not know, so OpenSSL judges a proof's signature and not its path.
//!
//! The environment says what there is:
//!
//! | variable | meaning |
//! |---|---|
//! | `EID_CARD_PIN` | the PIN for identity of the card |
//! | `EID_CARD` | its kind, an id of [`KINDS`](super::KINDS); `piv` where it is missing |
//! | `EID_CARD_READER` | the reader's name or a part of it; the only reader where it is missing |
//! | `EID_CARD_ANOTHER` | anything: another card of this kind is at hand |
//! | `EID_CARD_CONFIG` | a file with lines for the agent's configuration, `uec.…` for a universal card |
//! | `EID_CARD_HAND` | the socket of a program in the person's place ([`rehearsal`](super::rehearsal)) |
//! | `PCSCLITE_CSOCK_NAME` | the socket of the PC/SC service, where it is not the machine's own |

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use plugin_protocol::Proof;
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState};
use plugin_protocol::encoding::from_base64;

use super::Kind;
use crate::agent::Setup;
use crate::pcsc_client::PcscClient;
use crate::pcscd::SOCKET;

/// Those of the scenes that a person plays with a card of plastic, and that spend no try of it while its PIN is right:
/// `$play!` is given their names.
#[macro_export]
macro_rules! scenes_that_spend_no_try {
    ($play:ident) => {
        $play!(
            a_confirmation,
            a_card_that_is_put_in_wakes_the_operation,
            pulled_while_the_pin_is_asked,
            another_card_is_put_in_its_place,
            the_same_card_is_put_in_again,
        );
    };
}

/// Those that spend one, and give it back.
#[macro_export]
macro_rules! scenes_that_spend_a_try {
    ($play:ident) => {
        $play!(a_wrong_pin_then_the_right_one);
    };
}

/// The socket of the machine's own `pcscd`.
const OWN: &str = "/run/pcscd/pcscd.comm";

/// How long somebody at the desk may take to move a card.
const PERSON: Duration = Duration::from_secs(90);

/// A reader and the card that belongs into it.
pub struct Hardware {
    /// The card's kind.
    pub kind: Kind,
    /// Its PIN for identity.
    pub pin: String,
    /// Where the PC/SC service listens.
    pub socket: PathBuf,
    /// The reader's name or a part of it.
    pub reader: Option<String>,
    /// Another card of the kind is at hand.
    pub another: bool,
    /// Lines for the agent's configuration.
    pub lines: String,
    /// Who moves cards.
    pub hand: Hand,
}

/// Who moves cards.
pub enum Hand {
    /// Somebody who reads the terminal.
    Person,
    /// A program that listens on a socket.
    Program(PathBuf),
}

/// What a hand is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Put the card in.
    Insert,
    /// Put the other card of its kind in.
    InsertAnother,
    /// Take what is in out.
    Remove,
}

impl Move {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Insert, Self::InsertAnother, Self::Remove];

    /// What a program is told.
    pub fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertAnother => "another",
            Self::Remove => "remove",
        }
    }

    /// What a person is told.
    fn sentence(self) -> &'static str {
        match self {
            Self::Insert => "put THE card in",
            Self::InsertAnother => "put THE OTHER card in",
            Self::Remove => "take the card OUT",
        }
    }
}

impl Hardware {
    /// What the environment says; see the module.
    ///
    /// # Panics
    /// When it does not say enough, with what is missing.
    pub fn of_this_machine() -> Self {
        let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let id = said("EID_CARD").unwrap_or_else(|| "piv".to_owned());
        let kind = Kind::find(&id).unwrap_or_else(|| panic!("EID_CARD: there is no kind of card `{id}`"));
        let read = |path: String| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            kind,
            pin: said("EID_CARD_PIN").expect("EID_CARD_PIN is the PIN for identity of the card in the reader"),
            socket: said(SOCKET).unwrap_or_else(|| OWN.to_owned()).into(),
            reader: said("EID_CARD_READER"),
            another: said("EID_CARD_ANOTHER").is_some(),
            lines: said("EID_CARD_CONFIG").map(read).unwrap_or_default(),
            hand: said("EID_CARD_HAND").map_or(Hand::Person, |path| Hand::Program(path.into())),
        }
    }

    /// The reader, with whatever is in it.
    pub(super) fn seat(&'static self) -> Seat {
        let client = PcscClient::at(&self.socket);
        let readers = client.readers();
        let wanted = self.reader.as_deref().unwrap_or_default();
        let fitting: Vec<&String> = readers.iter().filter(|name| name.contains(wanted)).collect();
        let [reader] = fitting[..] else {
            panic!(
                "one reader is needed, and EID_CARD_READER may name it; at {} there are: {readers:?}",
                self.socket.display()
            )
        };
        Seat {
            reader: reader.clone(),
            client,
            hardware: self,
        }
    }
}

/// A reader, and who moves the card in it.
pub(super) struct Seat {
    hardware: &'static Hardware,
    pub(super) reader: String,
    client: PcscClient,
}

impl Seat {
    pub(super) fn insert(&mut self) {
        self.have(Move::Insert);
    }

    pub(super) fn has_another(&self) -> bool {
        self.hardware.another
    }

    pub(super) fn insert_another(&mut self) {
        self.have(Move::InsertAnother);
    }

    pub(super) fn remove(&mut self) {
        self.have(Move::Remove);
    }

    /// Has the card moved, unless the reader is as wanted already.
    fn have(&mut self, what: Move) {
        let present = what != Move::Remove;
        if self.client.becomes(&self.reader, present, Duration::ZERO) {
            return;
        }
        match &self.hardware.hand {
            Hand::Person => tell(&format!("Reader «{}»: please {}.", self.reader, what.sentence())),
            Hand::Program(socket) => obeyed(socket, what),
        }
        let moved = self.client.becomes(&self.reader, present, PERSON);
        assert!(
            moved,
            "nobody has done it within {} s: {}",
            PERSON.as_secs(),
            what.sentence()
        );
    }

    /// An agent that finds this reader and others of the machine; the PIN is typed in its window.
    pub(super) fn setup(&self, setup: Setup) -> Setup {
        let lines = format!("cards.pin_pad = false\n{}", self.hardware.lines);
        setup.configure(&lines).cards(&self.hardware.socket)
    }

    /// Done, by a card of this kind; of a CMS OpenSSL verifies the signature with the certificate inside.
    pub(super) fn accept(&self, request: &ConfirmationRequest, operation: &Operation) {
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        let proof = operation.proof.as_ref().expect("what is done has a proof");
        assert_eq!(proof.format().name(), request.format);
        if let Proof::Cms(cms) = proof {
            let signed = openssl(&from_base64(&cms.cms).expect("base64"));
            assert!(signed.contains(request.challenge.as_str()), "{signed}");
        }
    }
}

/// The content of a CMS whose signature is good by its own certificate, whoever that is of.
fn openssl(cms: &[u8]) -> String {
    let mut command = Command::new("openssl");
    command.args(["cms", "-verify", "-noverify", "-binary", "-inform", "DER"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("openssl is installed");
    let mut input = child.stdin.take().expect("standard input is piped");
    // Where it does not read, it says why.
    let _ = input.write_all(cms);
    drop(input);
    let output = child.wait_with_output().expect("openssl ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl: {said}");
    String::from_utf8(output.stdout).expect("text was signed")
}

/// A line on the terminal, also where the test's own output is captured.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "\n>>> {line}");
}

/// Has a program move the card.
fn obeyed(socket: &Path, what: Move) {
    let told = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(PERSON))?;
        writeln!(stream, "{}", what.word())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok(answer)
    });
    let answer = told.unwrap_or_else(|error| panic!("EID_CARD_HAND {}: {error}", socket.display()));
    assert_eq!(answer.trim_end(), "done", "EID_CARD_HAND, asked to {}", what.word());
}
