//! Who holds the port, and whether the runtime file tells the truth.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use agent::server::PortFile;
use plugin_protocol::api::HELLO;
use plugin_protocol::limits::PORTS;

use super::Check;
use crate::places::Places;

/// How long whoever listens there may take to say what it is; on a busy machine an agent takes seconds.
const PATIENCE: Duration = Duration::from_secs(5);
const WHAT: &str = "port";

/// Who a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Agent,
    Someone,
}

/// The check, and whether an agent runs.
pub(super) fn check(places: &Places, configured: Option<u16>) -> (Check, bool) {
    if let Some(announced) = PortFile::read(&places.port_file()) {
        let file = places.port_file();
        return match holder(announced) {
            Holder::Agent => {
                let found = format!("an agent answers on {announced}, as {} says", file.display());
                (Check::ok(WHAT, found), true)
            }
            _ => {
                let found = format!("{} names {announced}, but no agent answers there", file.display());
                let remedy = "start the agent anew: it writes the file itself";
                (Check::warn(WHAT, found, remedy), false)
            }
        };
    }
    if configured == Some(0) {
        return (Check::ok(WHAT, "any free one is taken".to_owned()), false);
    }
    let ports = configured.map_or(PORTS.to_vec(), |port| vec![port]);
    let holders: Vec<(u16, Holder)> = ports.into_iter().map(|port| (port, holder(port))).collect();
    let first = |wanted| {
        holders
            .iter()
            .find(|(_, holder)| *holder == wanted)
            .map(|(port, _)| *port)
    };
    let running = first(Holder::Agent);
    let check = match (running, first(Holder::Nobody)) {
        (Some(port), _) => Check::ok(WHAT, format!("an agent answers on {port}")),
        (None, Some(port)) => Check::ok(WHAT, format!("{port} is free")),
        (None, None) => Check::fail(
            WHAT,
            format!("{} taken by another program", list(&holders)),
            "end that program, or give the agent another port with --port",
        ),
    };
    (check, running.is_some())
}

fn list(holders: &[(u16, Holder)]) -> String {
    let ports: Vec<String> = holders.iter().map(|(port, _)| port.to_string()).collect();
    let verb = if ports.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", ports.join(", "))
}

/// The agent that the runtime file names, if it answers.
pub(in crate::cli) fn running(places: &Places) -> Option<u16> {
    PortFile::read(&places.port_file()).filter(|port| agent_answers(*port))
}

fn holder(port: u16) -> Holder {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
        return Holder::Nobody;
    }
    match greet(port) {
        Ok(true) => Holder::Agent,
        _ => Holder::Someone,
    }
}

/// Whether an agent listens on this port.
pub(in crate::cli) fn agent_answers(port: u16) -> bool {
    holder(port) == Holder::Agent
}

/// Whether what listens there says the agent's hello.
fn greet(port: u16) -> std::io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /v1/hello HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).ends_with(HELLO))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn places(folder: &std::path::Path) -> Places {
        Places {
            state: folder.to_owned(),
            runtime: folder.to_owned(),
            config: None,
        }
    }

    #[test]
    fn tells_a_free_port_from_a_foreign_program_and_a_stale_file() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = foreign.local_addr().unwrap().port();
        // Answers once, and not as an agent does.
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = foreign.accept().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
            foreign
        });
        let (taken, running) = check(&places(folder.path()), Some(port));
        assert!(!running);
        assert_eq!(taken.verdict, super::super::Verdict::Fail);
        assert!(taken.found.contains(&port.to_string()));
        drop(serving.join().unwrap());
        assert_eq!(
            check(&places(folder.path()), Some(port)).0.verdict,
            super::super::Verdict::Ok
        );
        std::fs::write(folder.path().join("port"), format!("{port}\n")).unwrap();
        assert_eq!(
            check(&places(folder.path()), None).0.verdict,
            super::super::Verdict::Warn
        );
    }
}
