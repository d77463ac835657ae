#![allow(clippy::unwrap_used)]
use super::*;

const EXAMPLE: &str = include_str!("../../eid-agent.example.toml");

fn mistake(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn nothing_is_a_configuration() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    assert!(
        !Config::default().software.enabled,
        "the test token is never offered unasked"
    );
    let literal = |text: &str| Config::parse(text).unwrap().literal.origins;
    assert_eq!(
        literal("[literal]"),
        LiteralOrigins::default(),
        "those that are shipped"
    );
    assert_eq!(literal("[literal]\norigins = []"), LiteralOrigins::new(Vec::new()));
}

#[test]
fn the_example_parses_as_it_stands_and_with_every_key_uncommented() {
    Config::parse(EXAMPLE).unwrap();
    let uncommented = uncommented();
    let config = Config::parse(&uncommented).unwrap();
    assert_eq!(config.pkcs11.modules.len(), 1);
    let [terminal] = &config.uec.terminals[..] else {
        panic!("one terminal")
    };
    let line = terminal.key.line.unwrap();
    assert!(
        uncommented.lines().nth(line - 1).unwrap().starts_with("key = "),
        "line {line}"
    );
}

/// The example with each `#key = value` line made live.
fn uncommented() -> String {
    let live = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(live).collect::<Vec<_>>().join("\n")
}

/// The names that serde accepts, from its own message about an unknown one.
fn keys(table: &str) -> Vec<String> {
    let message = mistake(&format!("{table}\nzzzzzzzz = 1\n"));
    let listed = message.split_once("expected").unwrap().1;
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_example_has_every_key() {
    let document: toml::Table = uncommented().parse().unwrap();
    let tables = [
        ("", document.clone()),
        ("[prompt]", document["prompt"].as_table().unwrap().clone()),
        ("[pkcs11]", document["pkcs11"].as_table().unwrap().clone()),
        (
            "[[pkcs11.modules]]",
            document["pkcs11"]["modules"][0].as_table().unwrap().clone(),
        ),
        ("[cards]", document["cards"].as_table().unwrap().clone()),
        ("[software]", document["software"].as_table().unwrap().clone()),
        ("[uec]", document["uec"].as_table().unwrap().clone()),
        (
            "[[uec.terminals]]",
            document["uec"]["terminals"][0].as_table().unwrap().clone(),
        ),
        ("[literal]", document["literal"].as_table().unwrap().clone()),
        ("[rates]", document["rates"].as_table().unwrap().clone()),
        ("[deadlines]", document["deadlines"].as_table().unwrap().clone()),
    ];
    for (header, table) in tables {
        for key in keys(header) {
            assert!(table.contains_key(&key), "{key} of {header} is not in the example");
        }
    }
}

#[test]
fn the_example_shows_the_defaults() {
    let mut shown = Config::parse(EXAMPLE).unwrap();
    assert_eq!(shown, Config::default(), "live lines of the example change nothing");
    shown = Config::parse(&uncommented()).unwrap();
    assert_eq!(shown.deadlines, Config::default().deadlines);
    assert_eq!(shown.pkcs11.call_deadline, Config::default().pkcs11.call_deadline);
    assert_eq!(shown.cards, Config::default().cards);
    assert_eq!(shown.rates, Config::default().rates);
    assert_eq!(shown.literal, Config::default().literal);
    assert_eq!(shown.prompt.kind, PromptKind::Auto);
}

#[test]
fn card_families_are_known_by_their_ids() {
    let config = Config::parse("[cards]\nleave_to_modules = [\"piv\", \"uec\"]").unwrap();
    assert_eq!(config.cards.leave_to_modules, ["piv", "uec"]);
    let told = mistake("cards.leave_to_modules = [\"pivv\"]");
    assert!(told.contains("\"pivv\"") && told.contains("esteid-idemia"), "{told}");
    for id in FAMILY_IDS {
        let config = Config::parse(&format!("cards.leave_to_modules = [{id:?}]")).unwrap();
        assert_eq!(config.cards.leave_to_modules, [id]);
    }
    assert_eq!(Config::default().cards.leave_to_modules, ["auto"]);
}

#[test]
fn mistakes_are_told_with_their_line_and_a_guess() {
    assert_eq!(Config::parse("\n\nprot = 1").unwrap_err().line(), Some(3));
    assert!(
        mistake("prot = 1").contains("did you mean `port`"),
        "{}",
        mistake("prot = 1")
    );
    assert!(mistake("[prompt]\nkind = \"pinentri\"").contains("did you mean `pinentry`"));
    assert!(mistake("[promt]\n").contains("did you mean `prompt`"));
    assert!(
        mistake("[literal]\norigins = [\"https://A.example\"]").contains("\"https://A.example\": the origin's host")
    );
    assert!(!mistake("entirely_else = 1").contains("did you mean"));
    for (text, key) in [
        ("port = 99999", "port"),
        ("rates.operations_per_minute = -5", "rates.operations_per_minute"),
        ("prompt = { language = \"en\", kind = 7 }", "kind"),
        ("[deadlines]\noperation = 0", "operation"),
    ] {
        let told = mistake(text);
        assert!(told.contains(&format!(": `{key}`: ")), "{told}");
    }
    for (text, line) in [
        ("port = 65536", 1),
        (
            "[literal]\norigins = [\n  \"https://a.example\",\n  \"https://A.example\",\n]",
            2,
        ),
        ("[deadlines]\noperation = 4", 2),
        ("[deadlines]\noperation = 121", 2),
        ("[pkcs11]\n\ncall_deadline = 0", 3),
        ("[[pkcs11.modules]]\npath = \"module.so\"", 2),
        ("[software]\npkcs12 = [\"me.p12\"]", 2),
        ("[[pkcs11.modules]]\nname = \"x\"", 1),
        ("port = 1\nport = 2", 2),
        ("[prompt", 1),
    ] {
        let error = Config::parse(text).unwrap_err();
        assert_eq!(error.line(), Some(line), "{text:?}: {error}");
    }
}

#[test]
fn a_file_is_named_in_its_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    assert!(Config::read(&path).unwrap_err().to_string().contains("config.toml"));
    std::fs::write(&path, "port = \"x\"").unwrap();
    let text = Config::read(&path).unwrap_err().to_string();
    assert!(text.contains("config.toml, line 1: "), "{text}");
}
