//! A [`Text`] cut into pages that fit an Assuan line.

use crate::prompt::assuan::{MAX_LINE, escape};
use crate::prompt::text::Text;
use crate::prompt::text::clean::wrap_lines;

/// Octets of a description: the line less `SETDESC `.
const ROOM: usize = MAX_LINE - "SETDESC ".len();
/// Columns that a terminal flavour shows without cutting.
const COLUMNS: usize = 72;

/// Pages of the head and as much of the body as fits; every page has the head.
///
/// `wrap`: break lines for flavours that cut instead.
pub(super) fn pages(text: &Text, wrap: bool) -> Vec<String> {
    let wrapped = |text: &str| match wrap {
        true => wrap_lines(text, COLUMNS),
        false => text.to_owned(),
    };
    let head = fitting(&wrapped(&text.head));
    let mut pages = Vec::new();
    let mut page = head.clone();
    for paragraph in &text.body {
        for (index, line) in wrapped(paragraph).lines().enumerate() {
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
            assert_eq!(all.matches(&"ab".repeat(32)).count(), 20);
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
