//! What a person who is asked for a card reads of those that are in.

use time::macros::date;

use super::*;
use crate::prompt::fixture::{closed, strangers};
use crate::token::{CardKind, Closed, ClosedCard, Strange, Stranger};

#[test]
fn who_is_asked_for_a_card_reads_of_those_that_are_in() {
    for (language, unserved, unread) in [
        (Language::En, "is not one that eid-agent can use", "could not be read"),
        (Language::Ru, "использовать не может", "не удалось прочитать"),
    ] {
        let texts = Texts::new(language);
        let said = |strangers| whole(&texts.question(&Question::InsertToken(request(), strangers), Room::Window));
        let text = said(strangers());
        let line = |words: &str| text.lines().find(|line| line.contains(words)).unwrap().to_owned();
        assert!(
            line(unserved).contains("Reader 00") && line(unserved).contains("eid-agent tokens"),
            "{text}"
        );
        // A reader's name is no line of ours.
        assert!(line(unread).contains("Reader") && line(unread).contains("01"), "{text}");
        assert!(!said(Vec::new()).contains("eid-agent tokens"));
    }
}

fn said(language: Language, request: Request, strangers: Vec<Stranger>) -> Text {
    Texts::new(language).question(&Question::InsertToken(request, strangers), Room::Window)
}

/// The paragraph that speaks of this card.
fn of(language: Language, stranger: Stranger) -> String {
    said(language, request(), vec![stranger]).body.swap_remove(1)
}

#[test]
fn a_card_in_use_and_a_reader_that_hangs_are_told_with_what_helps() {
    let stranger = |why| Stranger {
        reader: "Reader 00".to_owned(),
        why,
    };
    for (language, why, words) in [
        (Language::En, Strange::InUse, "Close that program"),
        (Language::Ru, Strange::InUse, "Закройте ту программу"),
        (Language::En, Strange::Hung, "Pull it out and plug it in again"),
        (Language::Ru, Strange::Hung, "Отключите его и подключите снова"),
    ] {
        let text = of(language, stranger(why));
        assert!(text.contains(words) && text.contains("Reader 00"), "{text}");
    }
}

#[test]
fn a_card_of_no_use_is_named_with_the_reason_and_the_end_of_its_programme() {
    for (language, name, ended) in [
        (Language::En, "universal electronic card (УЭК)", "ended with 2016"),
        (
            Language::Ru,
            "универсальная электронная карта (УЭК)",
            "завершилась в 2016 году",
        ),
    ] {
        let mut seen = BTreeSet::new();
        for why in [
            Closed::TerminalMissing,
            Closed::TerminalUnfit,
            Closed::TerminalRefused,
            Closed::Expired(date!(2016 - 03 - 04)),
            Closed::OutOfOrder,
            Closed::Unproven,
            Closed::Unchecked,
            Closed::Contactless,
            Closed::Inactive,
            Closed::Module,
        ] {
            let text = of(language, closed(why));
            for part in [name, ended, "Reader 00 00"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(seen.insert(text), "{why:?} reads as another");
        }
    }
    let day = Closed::Expired(date!(2016 - 03 - 04));
    assert!(of(Language::Ru, closed(day)).contains("04.03.2016"));
    assert!(of(Language::En, closed(day)).contains("2016-03-04"));
    assert!(of(Language::Ru, closed(Closed::TerminalMissing)).contains("в настройках eid-agent их нет"));
    let kind = CardKind {
        id: "belid",
        name: "BelID",
        ended: None,
    };
    let why = Closed::Inactive;
    let other = of(
        Language::En,
        Stranger {
            reader: "R".to_owned(),
            why: Strange::Closed(ClosedCard { kind, why }),
        },
    );
    assert!(other.contains("\"BelID\"") && !other.contains("programme"), "{other}");
}

/// A request for a universal card warns of the programme's end, too.
#[test]
fn the_end_of_the_programme_is_told_once() {
    let asks = Request {
        action: Action::ConfirmCard {
            purpose: Purpose::SignIn,
            signed: false,
        },
        ..request()
    };
    for strangers in [Vec::new(), vec![closed(Closed::TerminalMissing)]] {
        let text = whole(&said(Language::Ru, asks.clone(), strangers));
        assert_eq!(text.matches("Программа этих карт завершилась").count(), 1, "{text}");
    }
}
