#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use plugin_protocol::Purpose;
use plugin_protocol::api::{CertificateRole, PinState};

use super::*;
use crate::prompt::fixture::{candidate, consent, document, every_question, pair, renewal, request, unblock};
use crate::prompt::{Action, Candidate, Consent, Question, Refused, Renewal, Request, Step};

mod insert;
mod origins;

const BOTH: [Language; 2] = [Language::En, Language::Ru];

/// Message → its variables.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let (_, source) = language.source();
    let mut found = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if let Some((id, _)) = line.split_once(" = ").filter(|_| !line.starts_with(' ')) {
            current = id.to_owned();
            assert!(
                found.insert(current.clone(), BTreeSet::new()).is_none(),
                "{current} twice"
            );
        }
        for variable in line.split('$').skip(1) {
            let end = variable
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(variable.len());
            found.get_mut(&current).unwrap().insert(variable[..end].to_owned());
        }
    }
    found
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_variables() {
    assert!(messages(Language::En).len() > 50);
    assert_eq!(messages(Language::En), messages(Language::Ru));
}

#[test]
fn every_message_parses_and_is_used() {
    let code = [
        include_str!("compose.rs"),
        include_str!("insert.rs"),
        include_str!("qualified.rs"),
        include_str!("renewal.rs"),
        include_str!("../terminal.rs"),
        include_str!("../text.rs"),
    ]
    .concat();
    for language in BOTH {
        let (tag, source) = language.source();
        assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{tag}");
        for id in messages(language).keys() {
            let texts = Texts::new(language);
            assert!(texts.bundle.has_message(id), "{tag} {id}");
            let used = code.contains(&format!("\"{id}\""));
            assert!(used, "{tag} {id} is not used");
        }
    }
}

fn whole(text: &Text) -> String {
    let mut parts = vec![text.title.clone(), text.head.clone()];
    parts.extend([text.notes.clone(), text.body.clone()].concat());
    parts.extend([
        text.prompt.clone(),
        text.ok.clone(),
        text.next.clone(),
        text.cancel.clone(),
    ]);
    parts.extend(text.error.clone());
    parts.join("\n")
}

#[test]
fn every_question_names_origin_purpose_and_plugin() {
    for language in BOTH {
        let texts = Texts::new(language);
        for question in every_question() {
            for room in [Room::Window, Room::Scroll] {
                let text = texts.question(&question, room);
                assert!(
                    ![&text.title, &text.head, &text.prompt, &text.ok, &text.cancel]
                        .iter()
                        .any(|s| s.is_empty())
                );
                let all = whole(&text);
                assert!(!all.contains("{ $") && !all.contains('\u{2068}'), "{all}");
                match &question {
                    Question::Pair { digits, .. } => {
                        assert!(all.contains(&digits.to_string()) && all.contains("Test plugin"));
                    }
                    _ => assert!(text.head.lines().next() == Some("https://www.portal.example"), "{all}"),
                }
                if let Question::Consent(_) | Question::InsertToken(..) = question {
                    assert!(all.contains("Test plugin"), "{all}");
                }
            }
        }
    }
}

fn text_of(language: Language, change: impl FnOnce(&mut Consent)) -> String {
    let mut consent = consent();
    change(&mut consent);
    whole(&Texts::new(language).question(&Question::Consent(consent), Room::Window))
}

#[test]
fn the_certificate_is_told_in_full() {
    let russian = text_of(Language::Ru, |_| ());
    for part in [
        "Сертификат: Иванова Анна",
        "Организация: ООО «Ромашка»",
        "Кем выдан: Test intermediate",
        "Действует с ",
        "Карта или токен: Test token",
        "ТЕСТОВЫЙ ТОКЕН",
        "просит подтвердить вашу личность",
        "называет себя «Test plugin»",
    ] {
        assert!(russian.contains(part), "{part} in {russian}");
    }
    let date = |consent: &Consent| consent.candidate.certificate.not_after.date();
    let day = date(&consent());
    let english = text_of(Language::En, |_| ());
    assert!(english.contains(&format!("to {day}")), "{english}");
    let russian_day = format!("по {:02}.{:02}.{}", day.day(), u8::from(day.month()), day.year());
    assert!(russian.contains(&russian_day), "{russian}");
    let reader = text_of(Language::En, |consent| {
        consent.candidate.token.reader = Some("ACS ACR39U".to_owned())
    });
    assert!(reader.contains("Card or token: Test token (ACS ACR39U)"));
}

#[test]
fn tests_are_marked_by_token_or_by_certificate() {
    let banner = |token: bool, certificate: bool| {
        text_of(Language::En, |consent| {
            consent.candidate.token.test = token;
            consent.candidate.certificate.test = certificate;
        })
        .contains("TEST TOKEN")
    };
    assert!(banner(true, false) && banner(false, true) && !banner(false, false));
}

/// A card that nothing showed to be genuine is called so wherever its PIN is asked for, or it is chosen.
#[test]
fn a_card_that_was_not_checked_is_told_of_wherever_its_pin_is_asked_for() {
    let questions = |unproven: bool| {
        let mut card = candidate();
        card.token.unproven = unproven;
        let consent = Consent {
            candidate: card.clone(),
            ..consent()
        };
        let steps = [Step::Offer, Step::LastTry, Step::Key, Step::New, Step::Repeat].map(|step| {
            let mut renewal = renewal(unblock(None), step);
            renewal.token.unproven = unproven;
            Question::Renew(renewal)
        });
        let mut questions = vec![
            Question::Choose(request(), vec![card.clone(), candidate()]),
            Question::LastTry(request(), card),
            Question::Consent(consent),
        ];
        questions.extend(steps);
        questions
    };
    for (language, words) in [
        (Language::En, "CAUTION: nothing checked that this card is genuine"),
        (Language::Ru, "ВНИМАНИЕ: подлинность этой карты не проверена"),
    ] {
        for unproven in [true, false] {
            for question in questions(unproven) {
                let text = whole(&Texts::new(language).question(&question, Room::Window));
                assert_eq!(text.matches(words).count(), usize::from(unproven), "{text}");
            }
        }
    }
}

#[test]
fn russian_counts_tries_and_documents_right() {
    for (tries, expected) in [
        (2, "Осталось 2 попытки ввода"),
        (3, "Осталось 3 попытки ввода"),
        (5, "Осталось 5 попыток ввода"),
        (11, "Осталось 11 попыток ввода"),
        (21, "Осталась 21 попытка ввода"),
        (1, "ЭТО ПОСЛЕДНЯЯ ПОПЫТКА"),
    ] {
        let text = text_of(Language::Ru, |consent| {
            consent.candidate.token.pin.tries_left = Some(tries)
        });
        assert!(text.contains(expected), "{expected} in {text}");
    }
    for (count, expected) in [
        (1, "подписать 1 документ. При согласии сайт получит подпись "),
        (3, "подписать 3 документа."),
        (11, "подписать 11 документов."),
    ] {
        let text = text_of(Language::Ru, |consent| {
            consent.request.action = Action::Sign(vec![document(None, "ab".repeat(32)); count]);
        });
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let again = |tries| {
        text_of(Language::Ru, |consent| {
            consent.attempt = 2;
            consent.candidate.token.pin.tries_left = tries;
        })
    };
    assert!(again(Some(2)).contains("Неверный ПИН-код. Осталось 2 попытки."));
    assert!(again(Some(1)).contains("Неверный ПИН-код. Осталась 1 попытка."));
    assert!(again(None).ends_with("Неверный ПИН-код."));
}

#[test]
fn a_pin_that_was_refused_for_its_form_is_not_called_wrong() {
    for (language, wrong, form, left) in [
        (
            Language::En,
            "Wrong PIN",
            "does not take a PIN of this form or length",
            "3 tries of the PIN",
        ),
        (
            Language::Ru,
            "Неверный",
            "не принимает ПИН-код такого вида или длины",
            "Осталось 3 попытки",
        ),
    ] {
        let said = |refused, tries| {
            text_of(language, |consent| {
                (consent.attempt, consent.refused) = (2, Some(refused));
                consent.candidate.token.pin.tries_left = tries;
            })
        };
        // The tries are what the card tells now.
        let text = said(Refused::Form, Some(3));
        assert!(
            !text.contains(wrong) && text.contains(form) && text.contains(left),
            "{text}"
        );
        let untold = said(Refused::Form, None);
        assert!(untold.contains(form) && !untold.contains(left), "{untold}");
        let length = said(Refused::Length(4, 12), None);
        assert!(!length.contains(wrong) && length.contains("12"), "{length}");
        assert!(!said(Refused::Letters, None).contains(wrong));
    }
}

#[test]
fn pin_flags_without_a_count_are_told() {
    let flag = |state| {
        text_of(Language::En, |consent| {
            consent.candidate.token.pin.state = state;
            consent.candidate.token.pin.tries_left = None;
        })
    };
    assert!(flag(PinState::Low).contains("entered wrongly before"));
    assert!(flag(PinState::FinalTry).contains("LAST TRY"));
    assert!(!flag(PinState::Ok).contains("wrong"));
}

#[test]
fn the_literal_form_says_so() {
    let action = Action::ConfirmLiteral(Purpose::SignIn);
    let text = text_of(Language::En, |consent| consent.request.action = action);
    assert!(text.contains("one-time code as it is"), "{text}");
    assert!(text.contains("asks you to sign in"), "{text}");
}

#[test]
fn documents_show_name_and_digest_and_only_a_full_window_cuts_digests() {
    let documents = |count: usize| {
        Question::Consent(Consent {
            request: Request {
                action: Action::Sign(
                    (0..count)
                        .map(|n| document(Some(&format!("n{n}.pdf")), format!("{n:064x}")))
                        .collect(),
                ),
                ..request()
            },
            ..consent()
        })
    };
    let texts = Texts::new(Language::En);
    let few = whole(&texts.question(&documents(3), Room::Window));
    let many = whole(&texts.question(&documents(20), Room::Window));
    let all = whole(&texts.question(&documents(20), Room::Scroll));
    for n in 0..20 {
        let digest = format!("{n:064x}");
        assert_eq!(few.contains(&format!("Digest (SHA-256): {digest}")), n < 3);
        assert!(all.contains(&digest));
        assert!(many.contains(&format!("n{n}.pdf")) && many.contains(&format!("{}…{}", &digest[..16], &digest[48..])));
    }
}

#[test]
fn nothing_from_outside_can_write_a_line_of_its_own() {
    let nasty = "x\nCAUTION: none\r\u{202e}evil\u{2028}\u{1b}[2J".to_owned();
    let mut hostile = candidate();
    hostile.token.label = nasty.clone();
    hostile.token.reader = Some(nasty.clone());
    hostile.certificate.name = nasty.repeat(50);
    hostile.certificate.organization = Some(nasty.clone());
    hostile.certificate.issuer = nasty.clone();
    let request = Request {
        client: nasty.clone(),
        action: Action::Sign(vec![document(Some(&nasty.repeat(50)), "ab".repeat(32))]),
        ..request()
    };
    let consent = Consent {
        request: request.clone(),
        candidate: hostile.clone(),
        ..consent()
    };
    let Question::Pair { digits, .. } = pair() else {
        unreachable!()
    };
    for question in [
        Question::Consent(consent),
        Question::Choose(request.clone(), vec![hostile.clone()]),
        Question::LastTry(request, hostile),
        Question::Pair { client: nasty, digits },
    ] {
        let shown = whole(&Texts::new(Language::En).question(&question, Room::Window));
        assert!(!shown.lines().any(|line| line.starts_with("CAUTION")), "{shown}");
        assert!(!shown.contains(['\r', '\u{202e}', '\u{2028}', '\u{1b}']), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    }
}

/// What a candidate's certificate says stands in the window of a choice, numbered.
#[test]
fn a_choice_tells_its_candidates_apart() {
    let second = Candidate {
        token: crate::token::TokenInfo {
            label: "Second".to_owned(),
            ..candidate().token
        },
        ..candidate()
    };
    let question = Question::Choose(request(), vec![candidate(), second]);
    let text = Texts::new(Language::En).question(&question, Room::Window);
    assert!(text.body[0].starts_with("1. Certificate: Иванова Анна") && text.body[0].contains("Test token"));
    assert!(text.body[1].starts_with("2. Certificate: Иванова Анна") && text.body[1].contains("Second"));
    assert!(text.prompt.contains("1 to 2"));
}

/// A token may hold certificates that differ in their keys alone.
#[test]
fn candidates_that_read_the_same_show_their_keys_then_their_serial_numbers() {
    let choice = |candidates: &[&Candidate]| {
        let candidates = candidates.iter().map(|candidate| (*candidate).clone()).collect();
        Texts::new(Language::Ru)
            .question(&Question::Choose(request(), candidates), Room::Window)
            .body
    };
    let first = candidate();
    let (mut twin, mut other) = (first.clone(), first.clone());
    twin.certificate.serial = "0a1b2c".to_owned();
    other.certificate.key = "RSA 2048".to_owned();
    let shown = choice(&[&first, &other]);
    assert!(shown[0].ends_with("Ключ: P-256"), "{shown:?}");
    assert!(shown[1].ends_with("Ключ: RSA 2048"), "{shown:?}");
    let shown = choice(&[&first, &twin, &other]);
    assert!(
        shown[0].ends_with(&format!("Ключ: P-256\nСерийный номер: {}", first.certificate.serial)),
        "{shown:?}"
    );
    assert!(shown[1].ends_with("Ключ: P-256\nСерийный номер: 0a1b2c"), "{shown:?}");
    assert!(shown[2].ends_with("Ключ: RSA 2048"), "{shown:?}");
    let shown = choice(&[&first]);
    assert!(
        !shown[0].contains("Ключ") && !shown[0].contains("Серийный"),
        "{shown:?}"
    );
}

#[test]
fn a_pin_the_token_would_refuse_is_not_tried() {
    let texts = Texts::new(Language::Ru);
    let mut pin = candidate().token.pin;
    assert_eq!(texts.unfit_pin(4, &pin), None);
    assert_eq!(texts.unfit_pin(8, &pin), None);
    assert!(texts.unfit_pin(3, &pin).unwrap().contains("от 4 до 8"));
    assert!(texts.unfit_pin(9, &pin).is_some() && texts.unfit_pin(0, &pin).is_some());
    for unknown in [None, Some((0, 0)), Some((8, 4))] {
        pin.length = unknown;
        assert_eq!(texts.unfit_pin(1, &pin), None, "{unknown:?}");
    }
}

#[test]
fn language_follows_the_locale() {
    for (locale, language) in [
        ("ru_RU.UTF-8", Language::Ru),
        ("ru", Language::Ru),
        ("en_GB.UTF-8", Language::En),
        ("C", Language::En),
        ("", Language::En),
        ("run", Language::En),
    ] {
        assert_eq!(Language::of_locale(locale), language, "{locale}");
    }
}

#[test]
fn a_certificate_is_handed_over_and_the_window_says_that_nothing_is_signed() {
    for (language, parts) in [
        (
            Language::En,
            [
                "Hand over a certificate",
                "https://www.portal.example\nasks for the certificate that you sign documents with",
                "Nothing is signed, and no PIN is needed",
                "Certificate: Иванова Анна",
                "calls itself \"Test plugin\"",
                "Agree?",
                "Hand over",
            ],
        ),
        (
            Language::Ru,
            [
                "Передача сертификата",
                "https://www.portal.example\nпросит сертификат, которым вы подписываете документы",
                "Ничего не подписывается, ПИН-код не нужен",
                "Сертификат: Иванова Анна",
                "называет себя «Test plugin»",
                "Согласны?",
                "Передать",
            ],
        ),
    ] {
        let text = text_of(language, |consent| {
            consent.request.action = Action::Certificate(CertificateRole::Signing);
            consent.pin = crate::prompt::PinEntry::None;
            consent.candidate.token.pin.tries_left = Some(1);
        });
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("LAST TRY") && !text.contains("ПОСЛЕДНЯЯ"), "{text}");
    }
}
