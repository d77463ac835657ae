//! A `pcscd` of one's own with an empty virtual reader: `pcscd-desk`.
//!
//! Prints the port to which a card connects (`virtual-card --port`), then the socket where clients find the service
//! (`PCSCLITE_CSOCK_NAME`), and runs until its standard input ends. The machine's own readers are not touched.
//! For tests in other languages: `present` and `empty` on its input wait until the service sees a card, or none, and
//! are answered with `seen`.
//!
//! `pcscd-desk CARD COMMAND…` runs a command in whose environment that reader is the machine's, with a virtual card of
//! this kind and a program in the person's place: how `card_hardware` is rehearsed.

use std::io::{BufRead, Write};
use std::process::{Command, ExitCode};

use system_tests::chip::rehearsal::Rehearsal;
use system_tests::chip::{KINDS, Kind};
use system_tests::pcscd::Pcscd;
use system_tests::programs::take_as_they_are;

const HELP: &str = "\
A pcscd of your own, with two empty virtual readers; the readers of this computer are not touched.

Usage: pcscd-desk
       pcscd-desk CARD COMMAND…

The first form says the port of the first reader, for `virtual-card CARD --port PORT`, and the socket: programs with
PCSCLITE_CSOCK_NAME=SOCKET in their environment see these readers and no others. It runs until its input ends (Ctrl-D).
On its input, `present` and `empty` wait until a card is seen, or none; `seen` answers.

The second form runs COMMAND with a card in the reader and a program in the person's place, to rehearse `card_hardware`.

It needs pcscd with the driver vpcd: `apt-get install pcscd vsmartcard-vpcd`.";

fn kinds() -> String {
    KINDS.map(|kind| kind.id).join(", ")
}

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => stand_by().map(|()| ExitCode::SUCCESS),
        [help] if matches!(help.as_str(), "-h" | "--help") => {
            println!("{HELP}\n\nCARD: {}", kinds());
            Ok(ExitCode::SUCCESS)
        }
        [card, program, arguments @ ..] if let Some(kind) = Kind::find(card) => rehearse(kind, program, arguments),
        _ => {
            let kinds = kinds();
            eprintln!("usage: pcscd-desk, or pcscd-desk CARD COMMAND…, where CARD is one of {kinds}; --help says more");
            Ok(ExitCode::from(2))
        }
    }
}

fn rehearse(kind: Kind, program: &str, arguments: &[String]) -> std::io::Result<ExitCode> {
    let rehearsal = Rehearsal::start(kind);
    let ended = Command::new(program)
        .args(arguments)
        .envs(rehearsal.environment())
        .status()?;
    println!(
        "the card has compared {} PINs, {} of them wrong, and signed {} times",
        rehearsal.watch.verifies(),
        rehearsal.watch.tries_spent(),
        rehearsal.watch.signatures()
    );
    Ok(if ended.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn stand_by() -> std::io::Result<()> {
    take_as_they_are("pcsc-client");
    let pcscd = Pcscd::start();
    let reader = pcscd.reader();
    let mut output = std::io::stdout();
    writeln!(output, "a card may come to port {}", reader.port)?;
    writeln!(output, "listening on {}", pcscd.socket().display())?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "" => continue,
            "present" => pcscd.client().wait_for_card(&reader.name),
            "empty" => pcscd.client().wait_for_none(&reader.name),
            other => {
                writeln!(output, "`{other}`? Commands: present, empty")?;
                continue;
            }
        }
        writeln!(output, "seen")?;
    }
    Ok(())
}
