#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;

/// A module file (empty) and a shell script in the place of the child.
fn source(script: &str) -> (Pkcs11, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("module.so");
    std::fs::write(&path, "").unwrap();
    let program = Program {
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
    };
    let options = Options {
        program,
        ..Options::default()
    };
    (Pkcs11::new(ModulePath::check(&path).unwrap(), options), directory)
}

#[test]
fn a_module_that_keeps_failing_rests() {
    let (mut source, _directory) = source("exit 1");
    for _ in 0..3 {
        assert!(matches!(source.tokens(), Err(Error::ModuleFailed(name, _)) if name == "module.so"));
    }
    let Err(Error::ModuleUnavailable(_, rest)) = source.tokens() else {
        panic!("it does not rest")
    };
    assert!(Duration::ZERO < rest && rest <= Duration::from_secs(15));
}

#[test]
fn an_answer_to_another_question_is_a_failure() {
    let answer = r#"{"Ok":{"Signatures":[]}}"#;
    let script = format!(
        r#"printf '\000\000\000\013{{"Ok":null}}\000\000\000\{:03o}{answer}'; exec cat"#,
        answer.len()
    );
    let (mut source, _directory) = source(&script);
    let Err(Error::ModuleFailed(_, what)) = source.tokens() else {
        panic!("believed")
    };
    assert!(what.contains("another question"), "{what}");
}

#[test]
fn what_a_module_says_of_a_token_is_cleaned() {
    let token = serde_json::json!({
        "id": "x", "kind": "software", "label": "a\u{1b}[31mb\n", "reader": "r".repeat(1000),
        "pin": {"state": "ok", "tries_left": null, "pad": false, "length": null}, "test": true,
    });
    let token = cleaned(serde_json::from_value(token).unwrap());
    assert_eq!(token.label, "a[31mb");
    assert_eq!(token.reader.unwrap().len(), NAME);
    assert_eq!((token.kind, token.test), (TokenKind::Pkcs11, false));
}

#[test]
fn what_a_module_says_of_a_failure_is_cleaned() {
    let told = format!("is\u{1b}[31m {}", "x".repeat(1000));
    let (mut source, _directory) = source("exit 1");
    for error in [
        source.failed(&told),
        source.answer(Err(Failure::NoCertificate(told.clone()))).unwrap_err(),
        source.answer(Err(Failure::Unsupported(told.clone()))).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("is[31m x") && text.len() < 2 * REASON, "{text}");
    }
}
