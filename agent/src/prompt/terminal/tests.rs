#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::prompt::fixture::pty::{PATIENCE, Pty};
use crate::prompt::fixture::{candidate, consent, pair, renewal, request, unblock};
use crate::prompt::{Mishap, Renewal, Step, Task};

/// Asks on a terminal while `person` sits at it.
async fn ask(question: Question, person: impl FnOnce(&mut Pty) + Send + 'static) -> (Result<Answer, PromptError>, Pty) {
    let mut pty = Pty::open();
    let terminal = Terminal::at(pty.path.clone(), Language::En);
    let sitting = tokio::task::spawn_blocking(move || {
        person(&mut pty);
        pty
    });
    let answer = tokio::time::timeout(PATIENCE, terminal.ask(&question)).await.unwrap();
    let pty = sitting.await.unwrap();
    assert!(pty.is_sane(), "settings are put back");
    (answer, pty)
}

fn pin_of(answer: Result<Answer, PromptError>) -> Vec<u8> {
    match answer {
        Ok(Answer::Pin(pin)) => pin.expose().to_vec(),
        Ok(_) => panic!("a PIN was expected"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_pin_is_read_unseen_and_the_window_tells_everything() {
    let (answer, mut pty) = ask(Question::Consent(consent()), |pty| {
        pty.expect("PIN (not shown");
        assert!(!pty.is_sane());
        pty.keys("49\u{7f}321\r");
    })
    .await;
    assert_eq!(pin_of(answer), b"4321");
    let screen = pty.screen();
    for part in [
        "https://www.portal.example\r\n",
        "confirm who you are",
        "Иванова Анна",
        "SNILS 553-375-994 26",
        "calls itself qualified, class КС2",
        "identified face to face",
        "Signature tool: ",
        "3 tries",
        "TEST TOKEN",
    ] {
        assert!(screen.contains(part), "{part} in {screen}");
    }
    let typed = screen
        .rsplit("PIN (not shown")
        .next()
        .expect("what follows the question");
    assert!(!typed.contains(|c: char| c.is_ascii_digit()), "{typed}");
}

#[tokio::test]
async fn codes_and_new_pins_are_read_unseen_and_only_in_their_form() {
    let (answer, mut pty) = ask(Question::Renew(renewal(unblock(Some(2)), Step::Key)), |pty| {
        pty.expect("PUK (not shown");
        pty.keys("1234567\r");
        pty.expect("It has 8 digits. No try was spent.");
        pty.keys("1234567a\r");
        pty.expect("digits only");
        pty.keys("87654321\r");
    })
    .await;
    assert_eq!(pin_of(answer), b"87654321");
    let screen = pty.screen();
    for part in [
        "Unblock the PIN",
        "https://www.portal.example\r\n",
        "2 tries of the PUK",
        "It has 8 digits",
    ] {
        assert!(screen.contains(part), "{part} in {screen}");
    }
    assert!(!screen.contains("765"), "{screen}");
    let differs = Renewal {
        mishap: Some(Mishap::Differs),
        ..renewal(Task::Change, Step::New)
    };
    let (answer, mut pty) = ask(Question::Renew(differs), |pty| {
        pty.expect("New PIN (not shown");
        pty.keys("\r");
    })
    .await;
    assert_eq!(answer.err(), Some(PromptError::Declined));
    assert!(pty.screen().contains("entries of the new PIN differ"));
    let (answer, _) = ask(Question::Renew(renewal(Task::ChangeFirst, Step::Offer)), |pty| {
        pty.expect("Agree?");
        pty.keys("yes\r");
    })
    .await;
    assert!(matches!(answer, Ok(Answer::Yes)));
}

#[tokio::test]
async fn a_pin_of_impossible_length_is_asked_again_and_an_empty_one_declines() {
    let (answer, _) = ask(Question::Consent(consent()), |pty| {
        pty.expect("PIN (not shown");
        pty.keys("1\r");
        pty.expect("4 to 8 characters");
        pty.keys("123456\r");
    })
    .await;
    assert_eq!(pin_of(answer), b"123456");
    let (answer, _) = ask(Question::Consent(consent()), |pty| {
        pty.expect("PIN (not shown");
        pty.keys("\r");
    })
    .await;
    assert_eq!(answer.err(), Some(PromptError::Declined));
}

#[tokio::test]
async fn yes_and_no_in_both_languages() {
    for (keys, expected) in [
        ("y\r", None),
        ("Да\r", None),
        ("maybe\ryes\r", None),
        ("n\r", Some(PromptError::Declined)),
        ("нет\r", Some(PromptError::Declined)),
        ("\u{3}", Some(PromptError::Cancelled)),
        ("\u{4}", Some(PromptError::Cancelled)),
    ] {
        for question in [pair(), Question::LastTry(request(), candidate())] {
            let (answer, _) = ask(question, move |pty| {
                pty.expect("(yes/no) ");
                pty.keys(keys);
            })
            .await;
            assert_eq!(answer.err(), expected, "{keys:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_is_chosen_by_number() {
    let question = || Question::Choose(request(), vec![candidate(), candidate()]);
    let (answer, _) = ask(question(), |pty| {
        pty.expect("Number (1 to 2)");
        pty.keys("3\r");
        pty.expect("from the list");
        pty.keys("2\r");
    })
    .await;
    assert!(matches!(answer, Ok(Answer::Chosen(1))));
    let (answer, _) = ask(question(), |pty| {
        pty.expect("Number (1 to 2)");
        pty.keys("\r");
    })
    .await;
    assert_eq!(answer.err(), Some(PromptError::Declined));
}

#[tokio::test]
async fn what_was_typed_before_the_question_answers_nothing() {
    let mut pty = Pty::open();
    pty.keys("y\ry\r");
    let terminal = Terminal::at(pty.path.clone(), Language::En);
    let sitting = tokio::task::spawn_blocking(move || {
        pty.expect("(yes/no) ");
        pty.keys("n\r");
    });
    let question = pair();
    let answer = tokio::time::timeout(PATIENCE, terminal.ask(&question)).await.unwrap();
    assert_eq!(answer.err(), Some(PromptError::Declined));
    sitting.await.unwrap();
}

#[tokio::test]
async fn dropping_the_question_puts_the_terminal_back_at_once() {
    let mut pty = Pty::open();
    let terminal = Arc::new(Terminal::at(pty.path.clone(), Language::En));
    let asked = tokio::spawn({
        let terminal = terminal.clone();
        async move { terminal.ask(&Question::Consent(consent())).await.err() }
    });
    let mut pty = tokio::task::spawn_blocking(move || {
        pty.expect("PIN (not shown");
        pty
    })
    .await
    .unwrap();
    assert!(!pty.is_sane());
    pty.keys("12");
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert!(pty.is_sane());
    // The half PIN is gone: a new question does not see it.
    let sitting = tokio::task::spawn_blocking(move || {
        pty.expect("Press Enter");
        pty.keys("\r");
    });
    let insert = Question::InsertToken(request(), Vec::new());
    let answer = tokio::time::timeout(PATIENCE, terminal.ask(&insert)).await.unwrap();
    assert_eq!(answer.err(), Some(PromptError::Cancelled));
    sitting.await.unwrap();
}

#[tokio::test]
async fn a_terminal_that_is_none_is_told_with_a_remedy() {
    for path in ["/nonexistent/tty", "/dev/null"] {
        let terminal = Terminal::at(path.into(), Language::En);
        let Err(PromptError::Unavailable(why)) = terminal.ask(&pair()).await else {
            panic!("{path} is no terminal")
        };
        assert!(why.contains("foreground") && why.contains(path), "{why}");
    }
}

/// Not a test: the process that [`the_controlling_terminal_is_restored_after_a_signal`] starts.
#[tokio::test]
async fn asks_on_its_controlling_terminal() {
    if std::env::var_os("ASK_ON_TERMINAL").is_none() {
        return;
    }
    let answer = Terminal::new(Language::En).ask(&Question::Consent(consent())).await;
    println!("ended: {:?}", answer.map(|_| ()));
}

#[test]
fn the_controlling_terminal_is_restored_after_a_signal() {
    for (signal, keys, ended) in [
        (Some("TERM"), "", "ended: Err(Cancelled)"),
        (Some("INT"), "", "ended: Err(Cancelled)"),
        (Some("HUP"), "", "ended: Err(Cancelled)"),
        (None, "1234\r", "ended: Ok(())"),
    ] {
        let mut pty = Pty::open();
        let slave = || std::fs::File::options().read(true).write(true).open(&pty.path).unwrap();
        let test = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(test)
            .args([
                "--exact",
                "--nocapture",
                "prompt::terminal::tests::asks_on_its_controlling_terminal",
            ])
            .env("ASK_ON_TERMINAL", "1")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("util-linux has setsid");
        pty.expect("PIN (not shown");
        assert!(!pty.is_sane());
        match signal {
            Some(signal) => {
                // The leader of its session, and so of the terminal's foreground group.
                let group = child.id();
                let sent = std::process::Command::new("kill")
                    .args(["-s", signal, "--", &format!("-{group}")])
                    .status();
                assert!(sent.unwrap().success());
            }
            None => pty.keys(keys),
        }
        pty.expect(ended);
        child.wait().unwrap();
        assert!(pty.is_sane(), "{signal:?}");
    }
}
