//! Addresses: which one asks, which can be confused, and what stands around it.

use super::*;

#[test]
fn origins_that_can_be_confused_carry_a_warning_and_stay_ascii() {
    for (origin, warning) in [
        ("https://xn--80ak6aa92e.com:8443", "foreign alphabet"),
        ("https://192.0.2.1", "number, not a site's name"),
        ("http://localhost:8080", "not encrypted"),
    ] {
        let text = text_of(Language::En, |consent| consent.request.origin = origin.parse().unwrap());
        assert!(
            text.contains(&format!("{origin}\n")) && text.contains(warning),
            "{text}"
        );
    }
    assert!(!text_of(Language::En, |_| ()).contains("CAUTION"));
}

#[test]
fn every_question_of_a_confusable_origin_carries_the_warning() {
    let look_alike = Request {
        origin: "https://xn--80ak6aa92e.com".parse().unwrap(),
        ..request()
    };
    for (language, warning) in [(Language::En, "foreign alphabet"), (Language::Ru, "чужого алфавита")] {
        let consent = Consent {
            request: look_alike.clone(),
            ..consent()
        };
        for question in [
            Question::InsertToken(look_alike.clone(), Vec::new()),
            Question::Choose(look_alike.clone(), vec![candidate(), candidate()]),
            Question::LastTry(look_alike.clone(), candidate()),
            Question::Consent(consent),
            Question::Renew(Renewal {
                within: Some(look_alike.clone()),
                ..renewal(unblock(None), Step::Offer)
            }),
        ] {
            let text = whole(&Texts::new(language).question(&question, Room::Window));
            assert_eq!(text.matches(warning).count(), 1, "{text}");
        }
    }
}

#[test]
fn a_long_origin_is_shown_whole_and_its_end_is_told() {
    let labels = [
        "www.gosuslugi.ru.",
        &"a".repeat(50),
        ".",
        &"b".repeat(60),
        ".",
        "evil.example",
    ]
    .concat();
    let origin = format!("https://{labels}:8443");
    let text = text_of(Language::En, |consent| consent.request.origin = origin.parse().unwrap());
    assert!(text.replace("…\n…", "").contains(&origin), "{text}");
    assert!(text.contains("how the site's name ends: …evil.example"), "{text}");
    let one_label = format!("https://{}.example", "b".repeat(60));
    let text = text_of(Language::En, |consent| {
        consent.request.origin = one_label.parse().unwrap()
    });
    assert!(text.contains("bbbb.example"), "{text}");
}

#[test]
fn a_page_that_is_not_known_is_said_to_be_so_before_anything_else() {
    for (language, page, meant, caution) in [
        (
            Language::En,
            "SITE NOT KNOWN: a page served by the plugin \"Test plugin\", which does not say which page it is,",
            "is meant for:\nhttps://www.portal.example",
            "CAUTION: agree only if you have just begun to sign in",
        ),
        (
            Language::Ru,
            "САЙТ НЕИЗВЕСТЕН: страница, которую обслуживает плагин «Test plugin»",
            "предназначено для:\nhttps://www.portal.example",
            "ВНИМАНИЕ: соглашайтесь, только если сами только что начали вход",
        ),
    ] {
        let unknown = Request {
            attested: false,
            ..request()
        };
        for action in [
            Action::ConfirmLiteral(Purpose::SignIn),
            Action::Certificate(CertificateRole::Authentication),
        ] {
            let unknown = Request {
                action,
                ..unknown.clone()
            };
            let consent = Consent {
                request: unknown.clone(),
                ..consent()
            };
            for question in [
                Question::InsertToken(unknown.clone(), Vec::new()),
                Question::Choose(unknown.clone(), vec![candidate(), candidate()]),
                Question::LastTry(unknown.clone(), candidate()),
                Question::Consent(consent),
            ] {
                let text = Texts::new(language).question(&question, Room::Window);
                assert!(text.head.starts_with(page), "{}", text.head);
                assert!(text.head.contains(meant), "{}", text.head);
                assert!(whole(&text).contains(caution), "{}", whole(&text));
                assert_eq!(whole(&text).matches("Test plugin").count(), 1, "{}", whole(&text));
            }
        }
        let known = text_of(language, |_| ());
        assert!(!known.contains(page) && !known.contains(caution), "{known}");
    }
}

/// Who embeds the portal is told under what it asks, in every window, with warnings of its own.
#[test]
fn the_page_around_the_portal_is_named_and_warned_of() {
    for (language, embedded, foreign, number) in [
        (
            Language::En,
            "embedded in a page of another site",
            "the page that it is embedded in holds letters of a foreign",
            "has a number for an address",
        ),
        (
            Language::Ru,
            "Портал открыт внутри страницы другого сайта",
            "в адресе страницы, внутри которой открыт портал, есть буквы чужого",
            "числовой адрес, а не имя сайта",
        ),
    ] {
        let top = |origin: &str| {
            let origin = origin.parse().unwrap();
            text_of(language, |consent| consent.request.top_origin = Some(origin))
        };
        let plain = top("https://news.example:8443");
        let lines: Vec<_> = plain.lines().collect();
        let portal = lines
            .iter()
            .position(|line| *line == "https://www.portal.example")
            .unwrap();
        let around = lines
            .iter()
            .position(|line| *line == "https://news.example:8443")
            .unwrap();
        assert!(portal < around && lines[around - 1].contains(embedded), "{plain}");
        assert!(!plain.contains("CAUTION") && !plain.contains("ВНИМАНИЕ"), "{plain}");
        assert!(top("https://xn--80ak6aa92e.com").contains(foreign));
        assert!(top("https://192.0.2.1").contains(number));
        let long = format!("https://www.gosuslugi.ru.{}.evil.example", "a".repeat(50));
        assert!(top(&long).replace("…\n…", "").contains(&long));
        assert!(top(&long).contains("…evil.example"), "{}", top(&long));
        assert!(!text_of(language, |_| ()).contains(embedded));

        let embedding = Request {
            top_origin: Some("https://news.example".parse().unwrap()),
            ..request()
        };
        for question in [
            Question::InsertToken(embedding.clone(), Vec::new()),
            Question::Choose(embedding.clone(), vec![candidate(), candidate()]),
            Question::LastTry(embedding, candidate()),
        ] {
            // In the head, which stands on every page.
            let head = Texts::new(language).question(&question, Room::Window).head;
            assert!(head.contains("\nhttps://news.example"), "{head}");
        }
    }
}
