//! A reader with virtual cards and a program in the person's place: what is played with a card of plastic can be
//! rehearsed with it, word for word.
//!
//! The program listens on a socket. Each connection brings one line, `insert`, `another` or `remove`, and is answered
//! with `done` when the service has seen it, or with what went wrong.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;

use fixtures::card::kit::Watch;
use tempfile::TempDir;

use super::hardware::{Hand, Hardware, Move};
use super::{Desk, Ground, Kind, Place};
use crate::pcscd::SOCKET;

/// What ends the program.
const END: &str = "end";

/// A `pcscd` of one's own, a virtual card beside its reader, and who moves it.
pub struct Rehearsal {
    folder: TempDir,
    kind: Kind,
    pin: String,
    socket: PathBuf,
    reader: String,
    lines: String,
    /// What was done to the card.
    pub watch: Watch,
    hand: Option<JoinHandle<()>>,
}

impl Rehearsal {
    /// With a card of this kind, and another one.
    pub fn start(kind: Kind) -> Self {
        let desk = Desk::empty(Ground::Service, kind, |order| order);
        let Place::Service(service) = &desk.place else {
            unreachable!("it was asked for")
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        let listener = UnixListener::bind(folder.path().join("hand")).expect("a socket in a directory of ours");
        let lines = desk.lines();
        std::fs::write(folder.path().join("lines"), &lines).expect("a file in a directory of ours");
        Self {
            kind,
            pin: desk.right.clone(),
            socket: service.pcscd.socket(),
            reader: service.reader.name.clone(),
            lines,
            watch: desk.watch.clone(),
            folder,
            hand: Some(std::thread::spawn(move || serve(desk, &listener))),
        }
    }

    /// The reader, as if it were this machine's.
    pub fn hardware(&self) -> Hardware {
        Hardware {
            kind: self.kind,
            pin: self.pin.clone(),
            socket: self.socket.clone(),
            reader: Some(self.reader.clone()),
            another: true,
            lines: self.lines.clone(),
            hand: Hand::Program(self.folder.path().join("hand")),
        }
    }

    /// The environment in which [`Hardware::of_this_machine`] is this reader.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        vec![
            ("EID_CARD", self.kind.id.to_owned()),
            ("EID_CARD_PIN", self.pin.clone()),
            ("EID_CARD_READER", self.reader.clone()),
            ("EID_CARD_ANOTHER", "yes".to_owned()),
            ("EID_CARD_CONFIG", path("lines")),
            ("EID_CARD_HAND", path("hand")),
            (SOCKET, self.socket.display().to_string()),
        ]
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let told = UnixStream::connect(self.folder.path().join("hand")).and_then(|mut hand| writeln!(hand, "{END}"));
        if let (Ok(()), Some(hand)) = (told, self.hand.take()) {
            let _ = hand.join();
        }
    }
}

/// Moves cards as it is told, until the end.
fn serve(mut desk: Desk, listener: &UnixListener) {
    for stream in listener.incoming().map_while(Result::ok) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        // Who went away has not asked for anything.
        if stream.read_line(&mut line).is_err() {
            continue;
        }
        let answer = match line.trim_end() {
            END => return,
            word => match Move::ALL.into_iter().find(|known| known.word() == word) {
                Some(known) => moved(&mut desk, known),
                None => "what? insert, another, remove",
            },
        };
        let _ = writeln!(stream.get_mut(), "{answer}");
    }
}

fn moved(desk: &mut Desk, what: Move) -> &'static str {
    match (what, desk.card.is_some()) {
        (Move::Insert, true) => desk.insert(),
        (Move::InsertAnother, true) => desk.insert_another(),
        (Move::Remove, false) => desk.remove(),
        (Move::Remove, true) => return "no card is in",
        (_, false) => return "a card is in already",
    }
    "done"
}
