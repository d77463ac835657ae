//! Card readers: PC/SC's library, its service, the readers, the cards.

use std::fmt::Write;

use agent::Error;
use agent::config::Config;
use agent::legible::legible;
use agent::token::card::families::FAMILY_IDS;
use agent::token::card::pcsc::System;
use agent::token::card::source::Left;
use agent::token::worker::Tokens;
use agent::token::{Inserted, ReaderInfo};
use plugin_protocol::api::SourceKind;

use super::super::tokens::readers;
use super::Check;

const WHAT: &str = "card readers";

/// The checks; of what the configuration switches off, one line.
pub(super) async fn check(config: &Config, left: &[Left], tokens: &Tokens) -> Vec<Check> {
    if !config.cards.enabled {
        return vec![Check::ok(WHAT, "switched off: cards.enabled = false")];
    }
    if let Err(why) = System::library() {
        return vec![library(&why)];
    }
    let told = tokens.readers().await;
    let of_cards = told.into_iter().find(|(kind, _)| *kind == SourceKind::Pcsc);
    match of_cards {
        None => vec![Check::ok(WHAT, "switched off")],
        Some((_, Err(error))) => vec![service(&error)],
        Some((_, Ok(list))) => readers_and_cards(left, &list),
    }
}

fn library(why: &str) -> Check {
    let remedy = "install it (Debian, Ubuntu: apt install pcscd; Fedora: dnf install pcsc-lite); \
                  without it cards are read by PKCS#11 modules alone";
    Check::warn(WHAT, format!("the PC/SC library is missing ({why})"), remedy)
}

fn service(error: &Error) -> Check {
    let remedy = "install and start it (apt install pcscd, systemctl enable --now pcscd.socket), then look again; \
                  cards.enabled = false where no card is used";
    Check::warn(WHAT, error.to_string(), remedy)
}

fn readers_and_cards(left: &[Left], list: &[ReaderInfo]) -> Vec<Check> {
    let known = FAMILY_IDS
        .iter()
        .filter(|id| !left.iter().any(|left| left.family == **id));
    let known: Vec<&str> = known.copied().collect();
    let mut found = format!(
        "the PC/SC service answers; readers: {}; cards known: {}",
        list.len(),
        known.join(", ")
    );
    for left in left {
        let _ = write!(
            found,
            "; {} left to PKCS#11 modules: {}",
            left.family,
            legible(&left.why)
        );
    }
    let mut checks = vec![match list.is_empty() {
        true => {
            let remedy = "plug a reader in; where one is, its driver may be missing (Debian, Ubuntu: libccid)";
            Check::warn(WHAT, found, remedy)
        }
        false => Check::ok(WHAT, found),
    }];
    checks.extend(list.iter().map(reader));
    checks
}

fn reader(reader: &ReaderInfo) -> Check {
    let what = format!("reader {}", legible(&reader.name));
    let mut found = readers::card(&reader.card);
    if let Inserted::Known {
        details, closed: None, ..
    } = &reader.card
    {
        for (_, note) in details.iter().filter(|(name, _)| name == "note") {
            let _ = write!(found, " ({})", legible(note));
        }
    }
    match &reader.card {
        Inserted::Known { closed: Some(_), .. } => {
            let remedy =
                "use another card or token, or what is said to be missing (`eid-agent tokens` says more of it)";
            Check::warn(&what, found, remedy)
        }
        Inserted::InUse => Check::warn(
            &what,
            found,
            "end what that program does with the card, then look again",
        ),
        Inserted::Nothing | Inserted::Known { .. } | Inserted::Left { .. } => Check::ok(&what, found),
        Inserted::Unknown { .. } => {
            let remedy = "its vendor's PKCS#11 module may know it, or OpenSC's: name it under [[pkcs11.modules]]";
            Check::warn(&what, found, remedy)
        }
        Inserted::Elsewhere { .. } => {
            let remedy = "install that module, or name it under [[pkcs11.modules]]";
            Check::warn(&what, found, remedy)
        }
        Inserted::Hung(_) => {
            let remedy = "pull the reader out and plug it in again; where that does not help, restart the service \
                          (systemctl restart pcscd)";
            Check::fail(&what, found, remedy)
        }
        Inserted::Unreadable(_) => Check::warn(&what, found, "take the card out, turn it if need be, insert it again"),
    }
}

#[cfg(test)]
mod tests {
    use agent::token::{Closed, ClosedCard};

    use super::*;

    fn told(card: Inserted) -> String {
        let name = "Reader 00".to_owned();
        reader(&ReaderInfo { name, card }).line()
    }

    #[test]
    fn what_is_in_a_reader_is_told_with_what_helps() {
        assert_eq!(told(Inserted::Nothing), "ok    reader Reader 00: empty\n");
        let unknown = told(Inserted::Unknown {
            atr: vec![0x3B, 0x00],
            tried: vec!["PIV".to_owned()],
        });
        assert!(
            unknown.starts_with("warn") && unknown.contains("3B00") && unknown.contains("PIV"),
            "{unknown}"
        );
        let kind = agent::token::CardKind {
            id: "uec",
            name: "Universal electronic card",
            ended: Some(2016),
        };
        let known = |why: Option<Closed>| {
            told(Inserted::Known {
                family: kind.name.to_owned(),
                slots: Vec::new(),
                details: Vec::new(),
                closed: why.map(|why| ClosedCard { kind, why }),
            })
        };
        assert!(known(None).starts_with("ok"));
        let closed = known(Some(Closed::TerminalMissing));
        assert!(
            closed.starts_with("warn") && closed.contains("Universal electronic card: it takes a PIN only from"),
            "{closed}"
        );
        let used = told(Inserted::InUse);
        assert!(used.starts_with("warn") && used.contains("another program"), "{used}");
        assert!(told(Inserted::Unreadable("mute".to_owned())).contains("mute"));
        let hung = told(Inserted::Hung(std::time::Duration::from_secs(15)));
        assert!(
            hung.starts_with("FAIL") && hung.contains("not answered for 15 s") && hung.contains("plug it in again"),
            "{hung}"
        );
    }

    #[test]
    fn what_is_missing_is_told_with_its_remedy() {
        let line = library("libpcsclite.so.1: not found").line();
        assert!(
            line.contains("libpcsclite.so.1") && line.contains("apt install pcscd"),
            "{line}"
        );
        let line = service(&Error::ReaderService("it is not running".to_owned())).line();
        assert!(line.contains("not running") && line.contains("pcscd.socket"), "{line}");
        let none = readers_and_cards(&[], &[]);
        assert!(none[0].line().contains("readers: 0") && none[0].line().contains("plug a reader in"));
    }
}
