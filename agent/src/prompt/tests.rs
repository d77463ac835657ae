//! A PIN goes from the person to the answer, and nowhere else.

#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Display};
use std::io::Write;
use std::sync::{Arc, Mutex};

use super::fixture::consent;
use super::*;

/// `Secret` implements none of `$traits`: if it did, `Absent<_>` would be ambiguous and this would not compile.
macro_rules! implements_none_of {
    ($secret:ty: $($name:ident = $($bound:path)|+),+) => {$(
        #[allow(dead_code)]
        mod $name {
            use super::*;
            trait Absent<Marker> { fn holds() {} }
            impl<T: ?Sized> Absent<()> for T {}
            $( impl<T: ?Sized + $bound> Absent<[u8; 1]> for T {} )+
            fn check() { <$secret as Absent<_>>::holds() }
        }
    )+};
}

implements_none_of!(Pin: pin_debug = Debug, pin_display = Display, pin_clone = Clone, pin_serialize = serde::Serialize);
implements_none_of!(Answer: answer_debug = Debug, answer_clone = Clone, answer_serialize = serde::Serialize);
implements_none_of!(Unattended: unattended_debug = Debug, unattended_clone = Clone);

/// Everything that is logged, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const PIN: &str = "73519264";

#[tokio::test]
async fn no_log_and_no_error_has_the_pin() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let question = |attempt| {
        let mut consent = consent();
        consent.attempt = attempt;
        Question::Consent(consent)
    };

    let mut told = String::new();
    let dir = tempfile::tempdir().unwrap();
    for (name, getpin) in [
        ("right", format!("echo 'D {PIN}'; echo OK")),
        ("garbage", format!("echo 'D {PIN}'; echo '{PIN}'")),
        ("long", format!("echo 'D {}'; echo OK", PIN.repeat(80))),
        ("error", format!("echo 'D {PIN}'; echo 'ERR 83886179 cancelled'")),
        ("dies", format!("echo 'D {PIN}'; exit 1")),
    ] {
        let program = pinentry::fake(dir.path(), name, &getpin);
        let answer = Pinentry::new(program, Language::En).ask(&question(1)).await;
        assert_eq!(answer.is_ok(), name == "right", "{name}");
        if let Err(error) = answer {
            told += &format!("{error} {error:?} {:?}\n", crate::Error::from(error.clone()).problem());
        }
    }

    let policy = dir.path().join("policy.toml");
    let text = format!("origins = [\"https://www.portal.example\"]\n[[token]]\nkind = \"software\"\npin = \"{PIN}\"\n");
    std::fs::write(&policy, text).unwrap();
    std::fs::set_permissions(&policy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let unattended = Unattended::open(&policy).unwrap();
    assert!(matches!(unattended.ask(&question(1)).await, Ok(Answer::Pin(pin)) if pin.expose() == PIN.as_bytes()));
    told += &format!("{:?}", unattended.ask(&question(2)).await.err());

    let mut pty = fixture::pty::Pty::open();
    let terminal = Terminal::at(pty.path.clone(), Language::En);
    let sitting = tokio::task::spawn_blocking(move || {
        pty.expect("PIN (not shown");
        pty.keys(&format!("{PIN}\r"));
        pty
    });
    assert!(matches!(terminal.ask(&question(1)).await, Ok(Answer::Pin(pin)) if pin.expose() == PIN.as_bytes()));
    told += sitting.await.unwrap().screen();

    told += &String::from_utf8_lossy(&log.0.lock().unwrap());
    assert!(told.contains("not tried again"), "the refusal was logged: {told}");
    assert!(!told.contains(PIN), "{told}");
}
