//! A [`Text`] cut into pages that fit an Assuan line.

use crate::prompt::assuan::{MAX_LINE, escape};
use crate::prompt::text::Text;
use crate::prompt::text::clean::wrap_lines;

/// Octets of a description: the line less `SETDESC `.
const ROOM: usize = MAX_LINE - "SETDESC ".len();
/// Columns that a terminal flavour shows without cutting.
const COLUMNS: usize = 72;
/// Lines that a terminal flavour surely shows: a screen has 24, and field, buttons and frame take theirs.
const LINES: usize = 15;

/// Pages of the head and as many paragraphs of the body as fit; every page has the head. Notes come last, those
/// that do not make it a page more.
///
/// `wrap`: break lines for flavours that cut instead.
pub(super) fn pages(text: &Text, wrap: bool) -> Vec<String> {
    let mut shown = Text {
        notes: Vec::new(),
        ..text.clone()
    };
    let mut pages = cut(&shown, wrap);
    for note in &text.notes {
        shown.body.push(note.clone());
        let longer = cut(&shown, wrap);
        let tall = wrap && longer.iter().any(|page| page.lines().count() > LINES);
        if tall || longer.len() > pages.len() {
            shown.body.pop();
        } else {
            pages = longer;
        }
    }
    pages
}

fn cut(text: &Text, wrap: bool) -> Vec<String> {
    let wrapped = |text: &str| match wrap {
        true => wrap_lines(text, COLUMNS),
        false => text.to_owned(),
    };
    let head = fitting(&wrapped(&text.head));
    let mut pages = Vec::new();
    let mut page = head.clone();
    let room = ROOM.saturating_sub(escape(&head).len() + escape("\n\n").len());
    for paragraph in &text.body {
        let paragraph = wrapped(paragraph);
        // A certificate, or a document and its digest, is read on one page where it fits on one.
        let (taken, needed) = (escape(&page).len(), escape("\n\n").len() + escape(&paragraph).len());
        if page != head && taken + needed > ROOM && escape(&head).len() + needed <= ROOM {
            pages.push(std::mem::replace(&mut page, head.clone()));
        }
        let lines = paragraph.lines().flat_map(|line| pieces(line, room));
        for (index, line) in lines.enumerate() {
            let line = line.as_str();
            let gap = if index == 0 { "\n\n" } else { "\n" };
            if escape(&page).len() + escape(gap).len() + escape(line).len() > ROOM && page != head {
                pages.push(std::mem::replace(&mut page, head.clone()));
                page.push('\n');
            }
            page.push_str(if page == format!("{head}\n") { "\n" } else { gap });
            page.push_str(line);
            page = fitting(&page);
        }
    }
    pages.push(page);
    pages
}

/// One page of a choice: the head, the candidate, and between them as many of the notes as leave room for it.
pub(super) fn choice(text: &Text, index: usize, wrap: bool) -> String {
    let page = |notes: &[String]| {
        let text = Text {
            body: [notes, &text.body[index..=index]].concat(),
            ..text.clone()
        };
        cut(&text, wrap)
    };
    let mut shown = Vec::new();
    for note in &text.notes {
        shown.push(note.clone());
        if page(&shown).len() > 1 {
            shown.pop();
        }
    }
    page(&shown).swap_remove(0)
}

/// A line in pieces that fit on a page; what goes on is set in, so that no text from outside can begin a line.
fn pieces(line: &str, room: usize) -> Vec<String> {
    if escape(line).len() <= room {
        return vec![line.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for c in line.chars() {
        let longer = pieces.last().map_or(0, |piece| escape(&format!("{piece}{c}")).len());
        if longer > room {
            pieces.push("  ".to_owned());
        }
        pieces
            .iter_mut()
            .next_back()
            .into_iter()
            .for_each(|piece| piece.push(c));
    }
    pieces
}

/// `text` if it fits, else what of it does: a last resort that no text of ours needs.
fn fitting(text: &str) -> String {
    let mut shown = text.to_owned();
    let cut = escape(&shown).len() > ROOM;
    while escape(&shown).len() + if cut { "…".len() } else { 0 } > ROOM {
        shown.pop();
    }
    if cut {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(head: &str, body: &[String]) -> Text {
        Text {
            head: head.to_owned(),
            body: body.to_vec(),
            ..Text::default()
        }
    }

    #[test]
    fn what_fits_is_one_page() {
        let short = text("https://a.example\nasks", &["one\ntwo".to_owned(), "three".to_owned()]);
        assert_eq!(pages(&short, false), ["https://a.example\nasks\n\none\ntwo\n\nthree"]);
    }

    #[test]
    fn every_page_fits_has_the_head_and_nothing_is_lost() {
        let body: Vec<String> = (0..20)
            .map(|n| format!("Документ: 100%№{n}№ {}\nХеш: {}", "я".repeat(60), "ab".repeat(32)))
            .collect();
        let head = format!("https://{}.example\nпросит подписать 20 документов", "a".repeat(40));
        for wrap in [false, true] {
            let pages = pages(&text(&head, &body), wrap);
            assert!(pages.len() > 5);
            for page in &pages {
                assert!(escape(page).len() <= ROOM && page.starts_with(&head), "{page}");
            }
            let all = pages.concat();
            for n in 0..20 {
                assert!(all.contains(&format!("100%№{n}№")));
            }
            for page in &pages {
                let (names, digests) = (page.matches("100%№").count(), page.matches(&"ab".repeat(32)).count());
                assert_eq!(names, digests, "a document is on one page: {page}");
            }
            assert_eq!(all.matches(&"ab".repeat(32)).count(), 20);
        }
    }

    #[test]
    fn two_long_addresses_leave_room_for_everything_else() {
        use crate::prompt::fixture::{consent, document};
        use crate::prompt::text::{Language, Room, Texts};
        use crate::prompt::{Action, Question};
        let long = |end: &str| format!("https://{}.{end}.example", ["xn--80ak6aa92e"; 15].join("."));
        let mut consent = consent();
        consent.request.origin = long("portal").parse().expect("an origin");
        consent.request.top_origin = Some(long("news").parse().expect("an origin"));
        consent.request.client = "😀".repeat(64);
        let name = "🏛".repeat(100);
        consent.request.action = Action::Sign(vec![document(Some(&name), "ab".repeat(64))]);
        let question = Question::Consent(consent);
        for (language, wrap) in [(Language::En, false), (Language::Ru, false), (Language::Ru, true)] {
            let text = Texts::new(language).question(&question, Room::Window);
            let pages = pages(&text, wrap);
            let head = match wrap {
                true => wrap_lines(&text.head, COLUMNS),
                false => text.head.clone(),
            };
            assert!(
                pages
                    .iter()
                    .all(|page| escape(page).len() <= ROOM && page.starts_with(&head))
            );
            let shown: String = pages.iter().map(|page| &page[head.len()..]).collect();
            let bare = |text: &str| text.replace([' ', '\n'], "");
            for paragraph in &text.body {
                assert!(
                    bare(&shown).contains(&bare(paragraph)),
                    "{paragraph}\nis not in\n{shown}"
                );
            }
            assert!(bare(&shown).replace("……", "").contains(&long("news")));
        }
    }

    #[test]
    fn a_choice_has_the_notes_that_leave_room_for_its_candidate() {
        let note = |c: &str, length| c.repeat(length);
        let text = Text {
            notes: vec![note("first ", 10), note("x", ROOM), note("third ", 10)],
            ..text("https://a.example\nasks", &["1. one".to_owned(), "2. two".to_owned()])
        };
        for wrap in [false, true] {
            let page = choice(&text, 1, wrap);
            assert!(page.starts_with("https://a.example\nasks\n\nfirst first"), "{page}");
            assert!(page.contains("\n\nthird third") && !page.contains("xxx"), "{page}");
            assert!(page.ends_with("\n\n2. two") && !page.contains("1. one"), "{page}");
            assert!(escape(&page).len() <= ROOM);
        }
        let crowded = Text {
            body: vec![note("y", ROOM - 100)],
            notes: vec![note("x", 100)],
            ..text
        };
        assert_eq!(
            choice(&crowded, 0, false),
            format!("https://a.example\nasks\n\n{}", note("y", ROOM - 100))
        );
    }

    #[test]
    fn an_ordinary_choice_has_room_for_the_caution_of_a_look_alike() {
        use crate::prompt::Question;
        use crate::prompt::fixture::{candidate, request};
        use crate::prompt::text::{Language, Room, Texts};
        let mut asks = request();
        asks.origin = "https://xn--80ak6aa92e.com".parse().expect("an origin");
        let question = Question::Choose(asks, vec![candidate(), candidate()]);
        for (language, caution) in [(Language::En, "CAUTION: "), (Language::Ru, "ВНИМАНИЕ: ")] {
            let text = Texts::new(language).question(&question, Room::Window);
            for (index, wrap) in [(0, false), (1, true)] {
                let page = choice(&text, index, wrap);
                let whole = page.find(caution).zip(page.find("Иванова Анна"));
                assert!(whole.is_some_and(|(caution, name)| caution < name), "{page}");
                let last = text.body[index].lines().next_back().expect("a line");
                assert!(page.ends_with(last), "{page}");
            }
        }
    }

    /// The longest reason, with a request for this very card: who is asked to insert one reads it before turning a page.
    #[test]
    fn why_a_card_is_of_no_use_stands_whole_on_the_first_page() {
        use plugin_protocol::Purpose;

        use crate::prompt::fixture::{closed, request};
        use crate::prompt::text::{Language, Room, Texts};
        use crate::prompt::{Action, Question, Request};
        use crate::token::Closed;
        let asks = Request {
            origin: "https://esia.gosuslugi.example".parse().expect("an origin"),
            client: "Подтверждение личности (Firefox)".to_owned(),
            action: Action::ConfirmCard {
                purpose: Purpose::ConfirmIdentity,
                signed: false,
            },
            ..request()
        };
        let question = Question::InsertToken(asks, vec![closed(Closed::TerminalUnfit); 3]);
        for (language, wrap) in [(Language::En, false), (Language::Ru, false), (Language::Ru, true)] {
            let text = Texts::new(language).question(&question, Room::Window);
            let pages = pages(&text, wrap);
            let bare = |text: &str| text.replace([' ', '\n'], "");
            for paragraph in &text.body[..2] {
                assert!(bare(&pages[0]).contains(&bare(paragraph)), "{paragraph}\n{}", pages[0]);
            }
            let shown = bare(&pages.concat());
            assert!(text.body.iter().all(|paragraph| shown.contains(&bare(paragraph))));
        }
    }

    #[test]
    fn an_ordinary_consent_is_one_page_in_both_languages() {
        use crate::prompt::fixture::consent;
        use crate::prompt::text::{Language, Room, Texts};
        use crate::prompt::{Question, Request};
        let mut consent = consent();
        consent.request = Request {
            origin: "https://esia.gosuslugi.example".parse().expect("an origin"),
            client: "Подтверждение личности (Firefox)".to_owned(),
            ..consent.request
        };
        let certificate = &mut consent.candidate.certificate;
        certificate.name = "Константинопольский Александр Вячеславович".to_owned();
        certificate.organization = Some("ООО «Северо-Западная строительная компания»".to_owned());
        certificate.issuer = "Федеральная налоговая служба".to_owned();
        consent.candidate.token.label = "Рутокен ЭЦП 3.0".to_owned();
        consent.candidate.token.reader = Some("Aktiv Rutoken ECP 00 00".to_owned());
        for language in [Language::En, Language::Ru] {
            let text = Texts::new(language).question(&Question::Consent(consent.clone()), Room::Window);
            assert_eq!(
                pages(&text, true).len(),
                1,
                "{language:?}: {} octets",
                escape(&pages(&text, true)[0]).len()
            );
        }
    }
}
