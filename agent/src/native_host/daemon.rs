//! Finding the daemon, and starting it when none runs.
//!
//! A port number proves nothing, the runtime file may be left over: a daemon is found when it
//! has signed an answer with the key it keeps for this host.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use plugin_protocol::limits::PORTS;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::client::{Client, ClientError};
use super::identity::Identity;
use super::{Host, Refusal};
use crate::private_file;
use crate::server::PortFile;

/// How long the daemon may take from its start until it listens, and another host to start it.
const START: Duration = Duration::from_secs(20);
/// How long whoever holds the announced port may take to prove that it is the daemon.
const ANNOUNCED: Duration = Duration::from_secs(5);
/// The same for a port that nobody announced.
const GUESSED: Duration = Duration::from_secs(2);
/// A log longer than this is begun anew at the next start, bytes.
const MAX_LOG: u64 = 1024 * 1024;
/// What `eid-agent run` prints when it can be asked.
pub const LISTENING: &str = "listening on http://127.0.0.1:";

/// The daemon of one state directory.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Where pairings and the hosts' keys are.
    pub state: PathBuf,
    /// The file in which a running daemon names its port.
    pub port_file: PathBuf,
    /// How it is started: a program and its arguments. It must print [`LISTENING`] and its port.
    pub command: Vec<OsString>,
}

/// A daemon that has proved that it is ours.
pub struct Reached {
    /// Speaks with it.
    pub client: Client,
    /// Whether it was started for this.
    pub started: bool,
    /// Its version.
    pub version: String,
}

impl Daemon {
    /// The running daemon, or one that is started now.
    pub async fn reach(&self, host: Host) -> Result<Reached, Refusal> {
        let client = match self.find(host, false).await? {
            Ok(found) => return Ok(found),
            Err(client) => client,
        };
        // One host starts it; the others find it then.
        let lock = lock(self.state.join("native-host-start")).await?;
        let client = match self.find(host, true).await? {
            Ok(found) => return Ok(found),
            Err(_) => client,
        };
        let port = self.start().await?;
        drop(lock);
        let client = client.at(port);
        let proved = timeout(START, client.info()).await;
        let info = proved.map_err(|_| Refusal::Unavailable("the agent does not answer".to_owned()))??;
        Ok(Reached {
            client,
            started: true,
            version: info.version,
        })
    }

    /// Asks the announced port, then the usual ones; the client, unused, if no daemon is there.
    async fn find(&self, host: Host, again: bool) -> Result<Result<Reached, Client>, Refusal> {
        let announced = PortFile::read(&self.port_file);
        let mut client = Client::new(0, Identity::of(host, &self.state)?);
        let usual = PORTS.into_iter().filter(|port| !again && Some(*port) != announced);
        for port in announced.into_iter().chain(usual) {
            client = client.at(port);
            let patience = if Some(port) == announced { ANNOUNCED } else { GUESSED };
            match timeout(patience, client.info()).await {
                Ok(Ok(info)) => {
                    let version = info.version;
                    return Ok(Ok(Reached {
                        client,
                        started: false,
                        version,
                    }));
                }
                // Signed, so it is the daemon.
                Ok(Err(ClientError::Problem(problem))) => return Err(Refusal::Problem(problem)),
                Ok(Err(ClientError::NoAnswer(_) | ClientError::Unsigned(_))) | Err(_) => {}
            }
        }
        Ok(Err(client))
    }

    /// Starts it and waits until it listens; its port.
    async fn start(&self) -> Result<u16, Refusal> {
        let log = self.state.join("daemon.log");
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| Refusal::Unavailable("there is no program to start".to_owned()))?;
        let failed = |error: io::Error| {
            let shown = Path::new(program).display();
            Refusal::Unavailable(format!("{shown} cannot be started: {error}"))
        };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(open_log(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        match timeout(START, listens(&mut child)).await {
            Ok(Some(port)) => Ok(port),
            Ok(None) => Err(Refusal::Unavailable(ended(&mut child, &log).await)),
            Err(_) => {
                let _ = child.start_kill();
                let what = format!("the agent did not listen within {} s", START.as_secs());
                Err(Refusal::Unavailable(what))
            }
        }
    }
}

/// The port in its first line about that; `None` when it ends without.
async fn listens(child: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(port) = line.strip_prefix(LISTENING) {
            return port.trim().parse().ok();
        }
    }
    None
}

/// Why it ended, as far as its log says.
async fn ended(child: &mut Child, log: &Path) -> String {
    let status = match timeout(START, child.wait()).await {
        Ok(Ok(status)) => status.to_string(),
        _ => "no exit status".to_owned(),
    };
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.unwrap_or("it said nothing");
    format!("the agent ended at once ({status}): {last}; `eid-agent doctor` says more")
}

/// Appends, mode 0600; one that has grown long is begun anew.
fn open_log(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > MAX_LOG) {
        std::fs::remove_file(path)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Waits for the lock on a thread of its own: whoever waits here may leave.
async fn lock(path: PathBuf) -> Result<File, Refusal> {
    let (sender, locked) = oneshot::channel();
    std::thread::spawn(move || sender.send(private_file::lock(&path)));
    match timeout(START * 2, locked).await {
        Ok(Ok(Ok(lock))) => Ok(lock),
        Ok(Ok(Err(error))) => Err(Refusal::Unavailable(format!("the state directory: {error}"))),
        _ => Err(Refusal::Unavailable(
            "another program starts the agent and does not end".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn daemon(folder: &Path, script: &str) -> Daemon {
        Daemon {
            state: folder.to_owned(),
            port_file: folder.join("port"),
            command: ["/bin/sh", "-c", script].map(OsString::from).to_vec(),
        }
    }

    #[tokio::test]
    async fn what_it_prints_is_read_and_why_it_ended_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let started = daemon(folder.path(), &format!("echo hello; echo {LISTENING}4711"));
        assert_eq!(started.start().await, Ok(4711));
        let broken = daemon(folder.path(), "echo the reason >&2; exit 3");
        let refused = broken.start().await.unwrap_err();
        assert_eq!(refused.reason(), "agent_unavailable");
        for part in ["exit status: 3", "the reason", "doctor"] {
            assert!(refused.message().contains(part), "{refused:?}");
        }
        let mode = std::fs::metadata(folder.path().join("daemon.log"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let missing = Daemon {
            command: vec![OsString::from("/nowhere/eid-agent")],
            ..broken
        };
        assert!(
            missing
                .start()
                .await
                .unwrap_err()
                .message()
                .contains("cannot be started")
        );
    }

    #[tokio::test]
    async fn a_port_file_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let squatter = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = squatter.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in squatter.incoming().flatten() {
                let _ = io::Read::read(&mut stream, &mut [0; 1024]);
                let body = plugin_protocol::api::HELLO;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = io::Write::write_all(&mut stream, head.as_bytes());
            }
        });
        let daemon = daemon(folder.path(), "exit 1");
        std::fs::write(&daemon.port_file, format!("{port}\n")).unwrap();
        assert_eq!(PortFile::read(&daemon.port_file), Some(port));
        assert!(daemon.find(Host::WebEid, true).await.unwrap().is_err());
        for nonsense in ["", "0\n", "70000\n", "port\n"] {
            std::fs::write(&daemon.port_file, nonsense).unwrap();
            assert_eq!(PortFile::read(&daemon.port_file), None, "{nonsense:?}");
        }
    }
}
