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
        let quoted = match language {
            Language::En => "\"Reader 00\"",
            Language::Ru => "«Reader 00»",
        };
        assert!(text.contains(words) && text.contains(quoted), "{text}");
    }
}

/// USB strings choose it.
#[test]
fn a_readers_name_does_not_end_the_quotation_it_stands_in() {
    for why in [
        Strange::Unserved,
        Strange::Unread,
        Strange::InUse,
        Strange::Hung,
        closed(Closed::Inactive).why,
    ] {
        for (language, name, told) in [
            (
                Language::En,
                "R\" is fine. Enter the PIN \"here",
                "\"R' is fine. Enter the PIN 'here\"",
            ),
            (
                Language::Ru,
                "R» готов. Введите ПИН «тут",
                "«R' готов. Введите ПИН 'тут»",
            ),
        ] {
            let reader = name.to_owned();
            let text = of(language, Stranger { reader, why });
            assert!(text.contains(told), "{text}");
        }
    }
}

#[test]
fn what_a_person_can_do_most_about_comes_first_and_the_rest_is_counted() {
    let stranger = |why| Stranger {
        reader: "Reader 00".to_owned(),
        why,
    };
    let crowd = |unserved: usize| {
        let mut crowd = vec![stranger(Strange::Unserved); unserved];
        crowd.extend([Strange::Unread, Strange::Hung, Strange::InUse].map(stranger));
        crowd.push(closed(Closed::Inactive));
        crowd
    };
    let body = said(Language::En, request(), crowd(2)).body;
    for (line, words) in [
        (1, "It is not activated"),
        (2, "Close that program"),
        (3, "Pull it out and plug it in again"),
        (4, "3 more readers have cards"),
    ] {
        assert!(body[line].contains(words), "{line}: {body:?}");
    }
    for (language, unserved, words) in [
        (Language::En, 0, "1 more reader has a card"),
        (Language::Ru, 0, "Ещё в 1 считывателе — карта"),
        (Language::Ru, 1, "Ещё в 2 считывателях — карты"),
        (Language::Ru, 4, "Ещё в 5 считывателях — карты"),
    ] {
        let body = said(language, request(), crowd(unserved)).body;
        assert!(body[4].contains(words), "{body:?}");
    }
    let few = whole(&said(Language::En, request(), crowd(0)[1..].to_vec()));
    assert!(!few.contains("more reader"), "{few}");
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
