#![allow(clippy::unwrap_used)]

use std::time::Instant;

use super::*;
use crate::prompt::fixture::pty::{PATIENCE as TEST_PATIENCE, Pty};
use crate::prompt::fixture::{candidate, closed, consent, document, pair, request};
use crate::prompt::{Action, Consent};
use crate::token::Closed;

/// A pinentry made of shell: what it does at `GETPIN` and `CONFIRM`; it writes down what it is told.
struct Fake {
    dir: tempfile::TempDir,
}

impl Fake {
    fn new(greeting: &str, getpin: &str, confirm: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        program(dir.path(), "fake", greeting, getpin, confirm);
        Self { dir }
    }

    fn ready(getpin: &str, confirm: &str) -> Self {
        Self::new("echo 'OK Pleased to meet you'", getpin, confirm)
    }

    fn pinentry(&self) -> Pinentry {
        let mut pinentry = Pinentry::new(self.dir.path().join("fake"), Language::En);
        (pinentry.promptly, pinentry.patience) = (TEST_PATIENCE, Duration::from_secs(60));
        pinentry
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    async fn ask(&self, question: &Question) -> Result<Answer, PromptError> {
        self.pinentry().ask(question).await
    }
}

/// Writes the shell script `name` in `dir`, which keeps `log` there; its path.
fn program(dir: &Path, name: &str, greeting: &str, getpin: &str, confirm: &str) -> PathBuf {
    let log = dir.join("log").display().to_string();
    let script = format!(
        "#!/bin/sh\nexec 3>>'{log}'\necho \"$$\" >&3\n{greeting}\n\
         while IFS= read -r line; do\n printf '%s\\n' \"$line\" >&3\n case \"$line\" in\n\
         GETPIN*) {getpin} ;;\n CONFIRM*) {confirm} ;;\n BYE*) echo OK; exit 0 ;;\n *) echo OK ;;\n esac\ndone\n"
    );
    let source = dir.join("source");
    std::fs::write(&source, script).unwrap();
    // Another process writes the program: no descriptor of ours can hold it open while it is started.
    let program = dir.join(name);
    let made = std::process::Command::new("install")
        .args(["-m", "755"])
        .arg(&source)
        .arg(&program)
        .status();
    assert!(made.unwrap().success());
    program
}

/// A pinentry that does `getpin` when asked for a PIN.
pub(in crate::prompt) fn fake(dir: &Path, name: &str, getpin: &str) -> PathBuf {
    program(dir, name, "echo OK", getpin, OK)
}

fn kind(answer: Result<Answer, PromptError>) -> Result<String, PromptError> {
    answer.map(|answer| match answer {
        Answer::Yes => "yes".to_owned(),
        Answer::Chosen(index) => format!("chosen {index}"),
        Answer::Pin(pin) => format!("pin {}", String::from_utf8_lossy(pin.expose())),
    })
}

fn unavailable(answer: Result<Answer, PromptError>) -> String {
    match answer.err() {
        Some(PromptError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

const OK: &str = "echo OK";
const CANCELLED: &str = "echo 'ERR 83886179 Operation cancelled <Pinentry>'";

#[tokio::test]
async fn consent_and_pin_in_one_window() {
    let fake = Fake::ready("echo 'D 12%2534%E2%82%AC'; echo OK", OK);
    let mut asked = consent();
    asked.candidate.token.pin.length = None;
    let answer = fake.ask(&Question::Consent(asked)).await;
    assert_eq!(kind(answer).as_deref(), Ok("pin 12%34€"));
    let log = fake.log();
    for line in [
        "SETTITLE Confirm your identity\n",
        "SETDESC https://www.portal.example%0Aasks you to confirm",
        "SETPROMPT PIN:\n",
        "SETOK Confirm\n",
        "SETCANCEL Decline\n",
        "SETTIMEOUT 60\n",
        "OPTION lc-ctype=",
        "BYE\n",
    ] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert!(!log.contains("SETERROR") && !log.contains("CONFIRM"), "{log}");
    assert_eq!(log.matches("GETPIN\n").count(), 1);
}

#[tokio::test]
async fn every_end_of_a_window_has_its_outcome() {
    let consent = Question::Consent(consent());
    for (end, expected) in [
        (CANCELLED, PromptError::Declined),
        ("echo 'ERR 83886278 fully cancelled'", PromptError::Declined),
        ("echo 'ERR 83886194 not confirmed'", PromptError::Declined),
        ("echo 'ERR 83886142 timeout'", PromptError::TimedOut),
    ] {
        let fake = Fake::ready(end, end);
        assert_eq!(kind(fake.ask(&consent).await), Err(expected.clone()), "{end}");
        assert_eq!(kind(fake.ask(&pair()).await), Err(expected), "{end}");
    }
    let fake = Fake::ready(OK, OK);
    assert_eq!(kind(fake.ask(&pair()).await).as_deref(), Ok("yes"));
    let last = Question::LastTry(request(), candidate());
    assert_eq!(kind(fake.ask(&last).await).as_deref(), Ok("yes"));
    let insert = Question::InsertToken(request(), Vec::new());
    assert_eq!(kind(fake.ask(&insert).await), Err(PromptError::Cancelled));
    assert!(fake.log().contains("CONFIRM --one-button\n"));
}

#[tokio::test]
async fn the_second_attempt_says_what_was_wrong_with_the_first() {
    let fake = Fake::ready("echo 'D 1234'; echo OK", OK);
    let mut again = consent();
    again.attempt = 2;
    again.candidate.token.pin.tries_left = Some(2);
    assert!(fake.ask(&Question::Consent(again)).await.is_ok());
    assert!(
        fake.log().contains("SETERROR Wrong PIN. 2 tries are left.\n"),
        "{}",
        fake.log()
    );
}

#[tokio::test]
async fn a_pin_of_impossible_length_is_asked_again() {
    let fake = Fake::ready("n=$((n+1)); test $n = 1 || echo 'D 12345'; echo OK", OK);
    let answer = fake.ask(&Question::Consent(consent())).await;
    assert_eq!(kind(answer).as_deref(), Ok("pin 12345"));
    assert_eq!(fake.log().matches("GETPIN\n").count(), 2);
    assert!(fake.log().contains("SETERROR Please enter the PIN.\n"));
}

#[tokio::test]
async fn without_a_pin_the_window_only_confirms() {
    let fake = Fake::ready(CANCELLED, OK);
    for pin in [PinEntry::None, PinEntry::Pad] {
        let question = Question::Consent(Consent { pin, ..consent() });
        assert_eq!(kind(fake.ask(&question).await).as_deref(), Ok("yes"));
    }
    assert!(!fake.log().contains("GETPIN") && fake.log().contains("type the PIN on the reader"));
}

#[tokio::test]
async fn candidates_go_round_until_one_is_taken() {
    let question = Question::Choose(request(), vec![candidate(), candidate(), candidate()]);
    let next = "echo 'ERR 83886194 not confirmed'";
    let fourth = Fake::ready(
        OK,
        &format!("n=$((n+1)); if test $n = 5; then echo OK; else {next}; fi"),
    );
    assert_eq!(kind(fourth.ask(&question).await).as_deref(), Ok("chosen 1"));
    let log = fourth.log();
    assert!(
        log.contains("SETNOTOK Show the next\n") && log.contains("SETTITLE Choose a certificate (3/3)\n"),
        "{log}"
    );
    let declined = Fake::ready(OK, CANCELLED);
    assert_eq!(kind(declined.ask(&question).await), Err(PromptError::Declined));
    assert_eq!(declined.log().matches("CONFIRM\n").count(), 1);
}

#[tokio::test]
async fn two_buttons_show_the_next_and_decline_on_the_last() {
    let question = Question::Choose(request(), vec![candidate(), candidate()]);
    let greeting = "echo OK\ngnome() { echo 'D gnome3'; echo OK; }";
    let fake = Fake::new(greeting, OK, &format!("{CANCELLED} ;;\n GETINFO*) gnome"));
    assert_eq!(kind(fake.ask(&question).await), Err(PromptError::Declined));
    let log = fake.log();
    assert_eq!(log.matches("CONFIRM\n").count(), 2);
    let (next, decline) = (
        log.find("SETCANCEL Show the next").unwrap(),
        log.find("SETCANCEL Decline").unwrap(),
    );
    assert!(next < decline && !log.contains("SETNOTOK"));
}

#[tokio::test]
async fn many_documents_are_leafed_through_before_the_pin() {
    let mut many = consent();
    let documents = (0..20).map(|n| document(Some(&format!("Документ {n}.pdf")), "ab".repeat(32)));
    many.request.action = Action::Sign(documents.collect());
    let fake = Fake::ready("echo 'D 1234'; echo OK", OK);
    assert!(fake.ask(&Question::Consent(many.clone())).await.is_ok());
    let log = fake.log();
    let pages = log.matches("SETDESC https://www.portal.example%0A").count();
    assert!(
        pages > 2 && log.matches("CONFIRM\n").count() == pages - 1,
        "{pages} pages in {log}"
    );
    assert!((0..20).all(|n| log.contains(&format!("Документ {n}.pdf"))));
    assert!(log.lines().all(|line| line.len() <= 1000));
    let refusing = Fake::ready("echo 'D 1234'; echo OK", CANCELLED);
    assert_eq!(
        kind(refusing.ask(&Question::Consent(many)).await),
        Err(PromptError::Declined)
    );
    assert!(!refusing.log().contains("GETPIN"));
}

/// A window for inserting has one button; with more to say than fits, pages that turn.
#[tokio::test]
async fn what_a_window_for_inserting_says_is_said_on_as_many_pages_as_it_takes() {
    let crowded = Question::InsertToken(request(), vec![closed(Closed::TerminalUnfit); 3]);
    let fake = Fake::ready(OK, OK);
    assert_eq!(kind(fake.ask(&crowded).await), Err(PromptError::Cancelled));
    let log = fake.log();
    let pages = log.matches("SETDESC https://www.portal.example%0A").count();
    assert!(pages > 1 && log.matches("CONFIRM\n").count() == pages - 1, "{log}");
    assert_eq!(log.matches("CONFIRM --one-button\n").count(), 1);
    assert!(log.contains("calls itself"), "the last thing there is to say: {log}");
    let closing = Fake::ready(OK, CANCELLED);
    assert_eq!(kind(closing.ask(&crowded).await), Err(PromptError::Cancelled));
}

#[tokio::test]
async fn hostile_texts_stay_inside_their_line() {
    let mut hostile = consent();
    let nasty = "x\nGETPIN\r\n%0ACONFIRM\0".repeat(40);
    hostile.request.client = nasty.clone();
    hostile.candidate.certificate.name = nasty.clone();
    hostile.candidate.certificate.issuer = nasty.clone();
    hostile.candidate.certificate.organization = Some(nasty.clone());
    hostile.candidate.token.label = nasty.clone();
    hostile.candidate.token.reader = Some(nasty);
    hostile.request.origin = format!("https://{}.example", ["a".repeat(60).as_str(); 3].join("."))
        .parse()
        .unwrap();
    let fake = Fake::ready("echo 'D 1234'; echo OK", OK);
    assert!(fake.ask(&Question::Consent(hostile)).await.is_ok());
    let log = fake.log();
    assert_eq!(log.matches("\nGETPIN").count(), 1, "{log}");
    assert!(log.lines().all(|line| line.len() <= 1000), "{log}");
}

#[tokio::test]
async fn what_is_no_pinentry_is_told_as_that() {
    let question = pair();
    for (greeting, word) in [
        ("exit 0", "ended without an answer"),
        ("kill -9 $$", "ended without an answer"),
        ("echo 'HTTP/1.1 400 Bad Request'", "does not speak"),
        ("echo 'ERR 1 no'", "does not speak"),
        ("head -c 5000 /dev/zero | tr '\\0' x", "does not speak"),
    ] {
        let why = unavailable(Fake::new(greeting, OK, OK).ask(&question).await);
        assert!(why.starts_with("fake ") && why.contains(word), "{greeting}: {why}");
    }
    for (confirm, word) in [
        ("kill -9 $$", "ended without an answer"),
        ("echo garbage", "does not speak"),
        ("head -c 5000 /dev/zero | tr '\\0' x", "does not speak"),
        (
            "echo 'ERR 83918950 Inappropriate ioctl for device <Pinentry>'",
            "Inappropriate ioctl",
        ),
    ] {
        let why = unavailable(Fake::ready(OK, confirm).ask(&question).await);
        assert!(why.contains(word), "{confirm}: {why}");
    }
    let missing = Pinentry::new("/nonexistent/pinentry".into(), Language::En);
    assert!(unavailable(missing.ask(&question).await).contains("install"));
}

#[tokio::test]
async fn a_pinentry_that_hangs_is_left() {
    let silent = Fake::new("exec tail -f /dev/null", OK, OK);
    let mut pinentry = silent.pinentry();
    // It must have written its process id by then.
    pinentry.promptly = Duration::from_secs(5);
    assert!(unavailable(pinentry.ask(&pair()).await).contains("does not answer"));
    let deaf = Fake::ready(OK, "exec tail -f /dev/null");
    let mut pinentry = deaf.pinentry();
    (pinentry.promptly, pinentry.patience) = (Duration::from_secs(5), Duration::ZERO);
    assert_eq!(kind(pinentry.ask(&pair()).await), Err(PromptError::TimedOut));
    for fake in [silent, deaf] {
        gone(&fake).await;
    }
}

/// Waits until the fake's process is no more, not even a zombie, with nothing else to wake the runtime for.
async fn gone(fake: &Fake) {
    let pid: i32 = fake.log().lines().next().unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let deadline = Instant::now() + TEST_PATIENCE;
    let watching = move || {
        while rustix::process::test_kill_process(pid).is_ok() {
            assert!(Instant::now() < deadline, "process {pid:?} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    tokio::task::spawn_blocking(watching).await.unwrap();
}

#[tokio::test]
async fn dropping_the_question_closes_the_window() {
    let fake = Fake::ready("exec tail -f /dev/null", OK);
    let pinentry = fake.pinentry();
    let question = Question::Consent(consent());
    let deadline = Instant::now() + TEST_PATIENCE;
    let open = async {
        while !fake.log().contains("GETPIN") {
            assert!(Instant::now() < deadline, "no window");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = pinentry.ask(&question) => panic!("nobody answered"),
        () = open => (),
    }
    gone(&fake).await;
}

#[tokio::test]
async fn a_terminal_flavour_needs_a_terminal() {
    let fake = Fake::ready(OK, OK);
    let mut pinentry = fake.pinentry();
    (pinentry.flavour, pinentry.tty) = (Flavour::Text, None);
    assert!(unavailable(pinentry.ask(&pair()).await).contains("GPG_TTY"));
}

/// A real pinentry on a terminal; `None` where it is not installed.
fn real(name: &str, pty: &Pty) -> Option<Pinentry> {
    let program = find::programs().find(|program| program.file_name().is_some_and(|found| found == name));
    match program {
        Some(program) => Some(Pinentry::new(program, Language::En).on_tty(pty.path.clone())),
        None => {
            eprintln!("{name} is not installed: not tried");
            None
        }
    }
}

async fn with_real(
    name: &str,
    question: Question,
    person: impl FnOnce(&mut Pty) + Send + 'static,
) -> Option<Result<String, PromptError>> {
    let mut pty = Pty::open();
    let pinentry = real(name, &pty)?;
    let sitting = tokio::task::spawn_blocking(move || {
        person(&mut pty);
        pty
    });
    let answer = tokio::time::timeout(TEST_PATIENCE, pinentry.ask(&question))
        .await
        .unwrap();
    let pty = sitting.await.unwrap();
    assert!(pty.is_sane());
    Some(kind(answer))
}

#[tokio::test]
async fn pinentry_tty_takes_a_pin() {
    let answer = with_real("pinentry-tty", Question::Consent(consent()), |pty| {
        pty.expect("https://www.portal.example");
        pty.expect("Иванова Анна");
        pty.expect("PIN:");
        pty.keys("1234\n");
    })
    .await;
    if let Some(answer) = answer {
        assert_eq!(answer.as_deref(), Ok("pin 1234"));
    }
}

#[tokio::test]
async fn pinentry_curses_takes_a_pin() {
    let answer = with_real("pinentry-curses", Question::Consent(consent()), |pty| {
        pty.expect("https://www.portal.example");
        pty.expect("<Decline>");
        pty.keys("1234\r");
    })
    .await;
    if let Some(answer) = answer {
        assert_eq!(answer.as_deref(), Ok("pin 1234"));
    }
}

#[tokio::test]
async fn pinentry_curses_killed_leaves_a_sane_terminal() {
    let mut pty = Pty::open();
    let Some(pinentry) = real("pinentry-curses", &pty) else {
        return;
    };
    let asked = tokio::spawn(async move { pinentry.ask(&Question::Consent(consent())).await.err() });
    let pty = tokio::task::spawn_blocking(move || {
        pty.expect("<Decline>");
        pty
    })
    .await
    .unwrap();
    assert!(!pty.is_sane());
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert!(pty.is_sane());
}
