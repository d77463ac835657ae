//! ssh-agent with the same PKCS#11 module: the nearest peer that keeps a module in a process of its own.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// SSH_AGENT_RSA_SHA2_256: what rsa-sha2-256 is asked with.
const RSA_SHA2_256: u32 = 2;

/// A running ssh-agent that has the module's keys.
pub(crate) struct SshAgent {
    child: Child,
    socket: UnixStream,
}

impl SshAgent {
    /// Starts ssh-agent in `folder` and adds the keys of `module`; the error says what is missing.
    pub(crate) fn start(folder: &Path, module: &Path, conf: &Path, pin: &str) -> Result<Self, String> {
        let path = folder.join("ssh-agent.sock");
        let ask = folder.join("askpass");
        std::fs::write(&ask, format!("#!/bin/sh\necho {pin}\n")).map_err(|error| error.to_string())?;
        std::fs::set_permissions(&ask, std::fs::Permissions::from_mode(0o700)).map_err(|error| error.to_string())?;
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&path)
            .env("SOFTHSM2_CONF", conf)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("ssh-agent: {error}; install openssh-client"))?;
        let mut agent = Self {
            child,
            socket: connect(&path)?,
        };
        agent.add(&path, &ask, module, conf)?;
        Ok(agent)
    }

    fn add(&mut self, socket: &PathBuf, ask: &Path, module: &Path, conf: &Path) -> Result<(), String> {
        let module = std::fs::canonicalize(module).map_err(|error| error.to_string())?;
        let added = Command::new("ssh-add")
            .arg("-s")
            .arg(module)
            .env("SSH_AUTH_SOCK", socket)
            .env("SSH_ASKPASS", ask)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("SOFTHSM2_CONF", conf)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("ssh-add: {error}"))?;
        if added.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&added.stderr).trim().to_owned())
        }
    }

    /// The public key blob of the first key of this SSH type.
    pub(crate) fn key(&mut self, kind: &str) -> Option<Vec<u8>> {
        let answer = self.call(&[REQUEST_IDENTITIES]);
        let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER])?;
        let count = take_u32(&mut rest)?;
        for _ in 0..count {
            let blob = take_string(&mut rest)?.to_vec();
            take_string(&mut rest)?;
            if take_string(&mut blob.as_slice())? == kind.as_bytes() {
                return Some(blob);
            }
        }
        None
    }

    /// One signature over the socket.
    pub(crate) fn sign(&mut self, key: &[u8], data: &[u8], rsa: bool) {
        let mut request = vec![SIGN_REQUEST];
        for part in [key, data] {
            request.extend((part.len() as u32).to_be_bytes());
            request.extend(part);
        }
        request.extend((if rsa { RSA_SHA2_256 } else { 0 }).to_be_bytes());
        let answer = self.call(&request);
        assert_eq!(answer.first(), Some(&SIGN_RESPONSE), "ssh-agent refused to sign");
    }

    fn call(&mut self, body: &[u8]) -> Vec<u8> {
        let mut frame = (body.len() as u32).to_be_bytes().to_vec();
        frame.extend(body);
        self.socket.write_all(&frame).expect("ssh-agent takes the request");
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).expect("ssh-agent answers");
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut answer).expect("ssh-agent answers whole");
        answer
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects once the socket is there; it appears some milliseconds after the start.
fn connect(path: &Path) -> Result<UnixStream, String> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(error) if Instant::now() > deadline => return Err(format!("ssh-agent's socket: {error}")),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(4)?;
    *rest = tail;
    Some(u32::from_be_bytes(head.try_into().ok()?))
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_u32(rest)? as usize;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}
