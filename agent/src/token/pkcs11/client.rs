//! The parent's end: one child process, asked with a deadline.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::frame::{self, Request, Response, Started};
use crate::pin::Pin;

/// The program that becomes the child; the module's path is its last argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Path of the program.
    pub path: PathBuf,
    /// Arguments before the module's path.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This very binary with its hidden subcommand, even when its file was replaced meanwhile.
    pub fn this() -> Self {
        let path = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().unwrap_or_else(|_| PathBuf::from("eid-agent"))
        };
        Self::at(path)
    }

    /// Another `eid-agent` binary: for tests, whose own binary has no subcommand.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            arguments: vec!["pkcs11-worker".into()],
        }
    }
}

/// How long the parent waits for the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// To load and initialise the module.
    pub start: Duration,
    /// To list tokens, or read a token's certificates.
    pub list: Duration,
    /// To log in and sign.
    pub sign: Duration,
    /// To sign when the person types the PIN on the reader's pad.
    pub pad: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(5),
            list: Duration::from_secs(5),
            sign: Duration::from_secs(30),
            pad: Duration::from_secs(120),
        }
    }
}

/// A running child with its module initialised. Killed and reaped when dropped.
pub(super) struct Connection {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Connection {
    /// Starts the child and waits for its first word. The error's text follows the module's name.
    pub(super) fn start(
        program: &Program,
        module: &Path,
        environment: &[(OsString, OsString)],
        deadline: Duration,
    ) -> Result<Self, String> {
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).arg(module);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // `/` holds no directory in place, and no relative path of the module finds anything of the person's.
        command.current_dir("/");
        for (name, _) in std::env::vars_os().filter(|(name, _)| names_a_secret(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().map_err(|error| format!("got no process: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("got no pipes".to_owned());
        };
        let mut connection = Self { child, stdin, stdout };
        let begun = rustix::io::ioctl_fionbio(&connection.stdin, true).map_err(io::Error::from);
        let started = begun.and_then(|()| connection.receive::<Started>(Instant::now() + deadline));
        match started {
            Ok(Ok(())) => Ok(connection),
            Ok(Err(why)) => Err(why),
            Err(error) => Err(connection.broken(&error, deadline)),
        }
    }

    /// Asks and waits. An error means that the child is of no more use; its text follows the module's name.
    pub(super) fn call(&mut self, request: &Request, pin: Option<Pin>, deadline: Duration) -> Result<Response, String> {
        self.exchange(request, pin, Instant::now() + deadline)
            .map_err(|error| self.broken(&error, deadline))
    }

    /// Whether the child is gone already.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn exchange(&mut self, request: &Request, pin: Option<Pin>, until: Instant) -> io::Result<Response> {
        let mut stdin = Timed {
            pipe: &mut self.stdin,
            until,
        };
        stdin.write_all(&frame::encode(request)?)?;
        if let Some(pin) = pin {
            stdin.write_all(&frame::encode_pin(pin.expose())?)?;
        }
        let response: Response = self.receive(until)?;
        response
            .map(|answer| answer.check())
            .map_or_else(|failure| Ok(Err(failure)), |checked| checked.map(Ok))
    }

    fn receive<T: serde::de::DeserializeOwned>(&mut self, until: Instant) -> io::Result<T> {
        let mut stdout = Timed {
            pipe: &mut self.stdout,
            until,
        };
        frame::receive(&mut stdout)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// What happened to the child, after it is surely dead.
    fn broken(&mut self, error: &io::Error, deadline: Duration) -> String {
        // Whether it died by itself is only known before it is killed.
        let own = self.child.try_wait().ok().flatten();
        let gone = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
        let status = own.or_else(|| self.end(gone));
        match error.kind() {
            io::ErrorKind::TimedOut => format!("did not answer within {} s", deadline.as_secs_f32()),
            io::ErrorKind::InvalidData => format!("answered nonsense ({error})"),
            _ if gone => status.map_or_else(|| "ended".to_owned(), describe),
            _ => format!("cannot be reached: {error}"),
        }
    }

    /// Kills and reaps; a child whose pipes are closed is given a moment to end by itself, so that its reason is known.
    fn end(&mut self, closing: bool) -> Option<ExitStatus> {
        let until = Instant::now() + Duration::from_millis(200);
        while closing && Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end(false);
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("crashed (signal {signal})"),
        (None, Some(code)) => format!("ended by itself (status {code})"),
        (None, None) => "ended".to_owned(),
    }
}

/// Foreign code gets the environment it may need, but not what others keep in it.
///
/// Modules read all kinds of variables (`SOFTHSM2_CONF`, `OPENSC_CONF`, `PCSCLITE_CSOCK_NAME`, `DISPLAY`, …),
/// so this removes instead of allowing.
fn names_a_secret(name: &str) -> bool {
    const MARKS: [&str; 6] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY"];
    const NAMES: [&str; 2] = ["SSH_AUTH_SOCK", "GPG_AGENT_INFO"];
    let upper = name.to_uppercase();
    NAMES.contains(&upper.as_str()) || MARKS.iter().any(|mark| upper.contains(mark))
}

/// A pipe whose reads and writes end at a moment with `TimedOut`.
struct Timed<'a, P> {
    pipe: &'a mut P,
    until: Instant,
}

impl<P> Timed<'_, P> {
    /// Waits until the pipe is ready, its other end closed, or the time over.
    fn ready(fd: BorrowedFd<'_>, events: PollFlags, until: Instant) -> io::Result<()> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: left.as_secs() as _,
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::from_borrowed_fd(fd, events)], Some(&timeout)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl<P: Read + AsFd> Read for Timed<'_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Self::ready(self.pipe.as_fd(), PollFlags::IN, self.until)?;
        self.pipe.read(buffer)
    }
}

impl<P: Write + AsFd> Write for Timed<'_, P> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            Self::ready(self.pipe.as_fd(), PollFlags::OUT, self.until)?;
            match self.pipe.write(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shell(script: &str) -> Program {
        Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
        }
    }

    fn start(script: &str, deadline: Duration) -> Result<Connection, String> {
        Connection::start(&shell(script), Path::new("m.so"), &[], deadline)
    }

    /// The frame `{"Ok":null}` as `printf` prints it.
    const OK: &str = r#"printf '\000\000\000\013{"Ok":null}'"#;
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_child_that_ends_or_crashes_says_how() {
        assert_eq!(start("exit 3", LONG).err().unwrap(), "ended by itself (status 3)");
        assert_eq!(start("kill -SEGV $$", LONG).err().unwrap(), "crashed (signal 11)");
    }

    #[test]
    fn a_child_that_says_nothing_is_killed_at_the_deadline() {
        let begin = Instant::now();
        let error = start("exec sleep 1000", Duration::from_millis(50)).err().unwrap();
        assert!(error.contains("did not answer within 0.05 s"), "{error}");
        assert!(begin.elapsed() < LONG);
    }

    #[test]
    fn nonsense_is_told_as_such() {
        assert!(
            start("echo hello, I am a module", LONG)
                .err()
                .unwrap()
                .contains("nonsense")
        );
        assert!(
            start(r"printf '\000\000\000\002{}'; exec sleep 1000", LONG)
                .err()
                .unwrap()
                .contains("nonsense")
        );
    }

    #[test]
    fn a_child_that_does_not_read_does_not_hold_us() {
        let mut connection = start(&format!("{OK}; exec sleep 1000"), LONG).unwrap();
        // More than a pipe holds.
        let request = Request::Credentials(serde_json::from_value("x".repeat(200 * 1024).into()).unwrap());
        let error = connection.call(&request, None, Duration::from_millis(50)).unwrap_err();
        assert!(error.contains("did not answer"), "{error}");
    }

    #[test]
    fn the_environment_keeps_what_modules_need_and_drops_secrets() {
        for name in [
            "SOFTHSM2_CONF",
            "HOME",
            "XDG_RUNTIME_DIR",
            "PCSCLITE_CSOCK_NAME",
            "PATH",
            "OPENSSL_CONF",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
        for name in ["GITHUB_TOKEN", "aws_secret_access_key", "SSH_AUTH_SOCK", "PGPASSWORD"] {
            assert!(names_a_secret(name), "{name}");
        }
    }
}
