//! A real `pcscd` for one test: an ordinary user's, on a socket of its own, with virtual readers alone.
//!
//! `pcscd` knows one place for its socket, and that is root's. Started by socket activation (sd_listen_fds(3)) it takes
//! any: the listener becomes its descriptor 3. Clients find it by `PCSCLITE_CSOCK_NAME`, so the machine's own service and
//! readers are never touched; a reader on USB is refused by its name (see [`NAME`]), should this user have access to it.
//!
//! Each reader is a slot of vpcd (vsmartcard), which listens on a TCP port for its card: see [`Reader`]. Connecting to the
//! port is putting the card in.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::apdu_log::{Exchange, exchanges};
use crate::pcsc_client::PcscClient;
use crate::process::{PATIENCE, eventually, last_lines};

/// What every reader's name begins with. Readers whose names hold another letter or digit are not taken in.
pub const NAME: &str = "VPCD";

/// The variable by which clients find the socket.
pub const SOCKET: &str = "PCSCLITE_CSOCK_NAME";

/// Whom a `pcscd` runs as where root runs the tests: nobody.
const NOBODY: u32 = 65534;

/// Slots of one vpcd (`VPCDNUMSLOTS`).
const SLOTS: u16 = 2;

/// Turns its standard input, a listening socket, into what sd_listen_fds(3) wants; the shell's process id stays. It
/// ends with the thread that has started it, also where a killed test cannot end it.
const ACTIVATE: &str = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec setpriv --pdeathsig KILL "$@""#;

/// The folder of the machine's own service. Every `pcscd` makes it and writes a file into it, and ends where it cannot
/// make it; that it cannot write the file is a line in its log.
const RUN: &str = "/run/pcscd";

/// Where [`RUN`] is missing and we are not root: a `/run` that only this process sees.
const PRIVATE_RUN: [&str; 7] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "/bin/sh",
    "-c",
    r#"mount -t tmpfs none /run && exec "$@""#,
    "sh",
];

/// A running, or stopped, `pcscd`.
pub struct Pcscd {
    folder: TempDir,
    first_port: u16,
    child: Option<Child>,
    runs: u32,
}

/// A reader: its name for PC/SC, and where its card connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// "VPCD 00 00".
    pub name: String,
    /// 127.0.0.1, this port.
    pub port: u16,
}

impl Pcscd {
    /// Starts one with two readers and waits until they are listed.
    ///
    /// # Panics
    /// When `pcscd` or vpcd is not installed, or they do not come up.
    pub fn start() -> Self {
        // A port may be taken between our look and vpcd's: then there are no readers, and we look for others.
        for _ in 0..5 {
            let mut pcscd = Self::in_folder();
            pcscd.start_again();
            if pcscd.has_readers() {
                return pcscd;
            }
        }
        panic!("pcscd came up without its readers, five times");
    }

    fn in_folder() -> Self {
        let folder = tempfile::Builder::new().prefix("pcscd-").tempdir();
        let folder = folder.expect("a temporary directory");
        let first_port = free_ports();
        // It must be able to read what root has made.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a directory of ours");
        let driver = folder.path().join("libifdvpcd.so");
        fs::copy(vpcd(), &driver).expect("the driver can be copied");
        let readers = folder.path().join("readers");
        fs::create_dir(&readers).expect("a directory");
        let entry = format!(
            "FRIENDLYNAME \"{NAME}\"\nDEVICENAME /dev/null:{first_port:#06X}\nLIBPATH {}\nCHANNELID {first_port:#06X}\n",
            driver.display()
        );
        fs::write(readers.join("vpcd"), entry).expect("a file");
        Self {
            folder,
            first_port,
            child: None,
            runs: 0,
        }
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The environment variable with which a client finds it.
    pub fn environment(&self) -> (&'static str, OsString) {
        (SOCKET, self.socket().into())
    }

    /// The readers; a card put into one is not seen in the other.
    pub fn readers(&self) -> Vec<Reader> {
        let reader = |number| Reader {
            name: format!("{NAME} 00 {number:02X}"),
            port: self.first_port + number,
        };
        (0..SLOTS).map(reader).collect()
    }

    /// The first reader.
    pub fn reader(&self) -> Reader {
        self.readers().remove(0)
    }

    /// A client beside the agent.
    pub fn client(&self) -> PcscClient {
        PcscClient::start(self)
    }

    /// Starts it, on the same socket and with the same readers as before. Clients may connect at once.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "pcscd runs already");
        let _ = fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).expect("a socket in a directory of ours");
        fs::set_permissions(self.socket(), fs::Permissions::from_mode(0o666)).expect("a socket of ours");
        self.runs += 1;
        let log = fs::File::create(self.log_file(self.runs)).expect("a file");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ACTIVATE, "sh"]);
        if !Path::new(RUN).is_dir() && (!geteuid().is_root() || fs::create_dir(RUN).is_err()) {
            command.args(PRIVATE_RUN);
        }
        command.arg(program());
        command.args(["--foreground", "--debug", "--apdu", "--config"]);
        command.arg(self.folder.path().join("readers"));
        command.env("PCSCLITE_FILTER_IGNORE_READER_NAMES", other_names());
        command.current_dir("/");
        command.stdin(OwnedFd::from(listener));
        command
            .stderr(log.try_clone().expect("a second descriptor"))
            .stdout(log);
        if geteuid().is_root() {
            chown(self.folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
            command.uid(NOBODY).gid(NOBODY);
        }
        self.child = Some(command.spawn().expect("/bin/sh is there"));
    }

    /// Ends it as a service manager would, and takes its socket away.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    /// Kills it.
    pub fn crash(&mut self) {
        self.end(Signal::KILL);
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        let _ = fs::remove_file(self.socket());
        let _ = kill_process(Pid::from_child(&child), signal);
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().expect("a child can be waited for").is_none() {
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!("pcscd does not end; its log:\n{}", self.log());
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Whether its readers are listed; connecting waits for it to be ready.
    fn has_readers(&mut self) -> bool {
        let readers = self.client().readers();
        let found = self.readers().iter().all(|reader| readers.contains(&reader.name));
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
            panic!(
                "pcscd ended by itself ({status}); if it could not make {RUN}, do that as root:\n{}",
                self.log()
            );
        }
        found
    }

    /// Waits until the thread that polls the reader (every 400 ms) has seen that its card is gone. A card that is back
    /// before that is never told of where a command has failed in between: clients hear of a removal, but not of it.
    pub fn wait_until_it_has_seen_the_removal(&self, reader: &Reader) {
        if self.child.is_none() {
            return;
        }
        let count = |log: &str, what: &str| log.matches(&format!("{what} {}", reader.name)).count();
        eventually("the removal in pcscd's log", || {
            let log = fs::read(self.log_file(self.runs)).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            (count(&log, "Card Removed From") >= count(&log, "Card inserted into")).then_some(())
        });
    }

    /// What every run has logged.
    pub fn log(&self) -> String {
        let runs = (1..=self.runs).map(|run| fs::read(self.log_file(run)).unwrap_or_default());
        String::from_utf8_lossy(&runs.collect::<Vec<_>>().concat()).into_owned()
    }

    /// Every APDU that any client has sent, with its answer, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        exchanges(&self.log())
    }

    /// How many VERIFY commands with a PIN were sent (ISO/IEC 7816-4, 11.6.6): each may cost a try.
    pub fn pins_sent(&self) -> usize {
        self.exchanges().iter().filter(|exchange| exchange.bears_pin()).count()
    }

    fn log_file(&self, run: u32) -> PathBuf {
        self.folder.path().join(format!("log-{run}"))
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of pcscd's log:\n{}", last_lines(&self.log(), 40));
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `pcscd`, which is in no ordinary user's path.
fn program() -> &'static Path {
    let places = ["/usr/sbin/pcscd", "/usr/local/sbin/pcscd", "/usr/bin/pcscd"].map(Path::new);
    let found = places.into_iter().find(|path| path.is_file());
    found.expect("pcscd is not installed: `apt-get install pcscd vsmartcard-vpcd`")
}

/// vpcd's driver.
fn vpcd() -> PathBuf {
    let folders = ["/usr/lib/pcsc/drivers/serial", "/usr/local/lib/pcsc/drivers/serial"];
    let mut paths = folders.iter().map(|folder| Path::new(folder).join("libifdvpcd.so"));
    let found = paths.find(|path| path.is_file());
    found.expect("vpcd is not installed: `apt-get install pcscd vsmartcard-vpcd`")
}

/// Every letter and digit that [`NAME`] has not: a reader with one of them in its name is not taken in.
fn other_names() -> String {
    let all = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    let others = all.filter(|letter| !NAME.contains(*letter)).map(String::from);
    others.collect::<Vec<_>>().join(":")
}

/// The first of as many free ports as there are slots, below those that outgoing connections use.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("0.0.0.0", port)).is_ok();
    let mut random = [0; 2];
    let fill = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random);
    fill.expect("random numbers");
    let from = 10_240 + u16::from_ne_bytes(random) % 20_000;
    let found = (from..32_000)
        .step_by(usize::from(SLOTS))
        .find(|first| (*first..*first + SLOTS).all(free));
    found.expect("two free ports")
}
