//! The mock itself: the same server as `eid-agent run`, over other collaborators.

use std::process::ExitCode;
use std::sync::Arc;

use agent::mock::{Home, Mock as Played, Settings};
use agent::server::{self, PortFile};
use agent::token::software::KeyKind;
use plugin_protocol::limits::PORTS;
use serde_json::json;

use super::{Key, Mock, places};
use crate::cli::doctor::agent_answers;
use crate::cli::{Failure, Flags, runtime, speak};
use crate::places::Places;
use crate::setup::start_log;

impl Mock {
    pub(super) fn serve(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        if flags.config.is_some() {
            let why = "a mock reads no configuration, so that nothing of a real agent comes into it";
            return Err(Failure::usage(format!("{why}; leave --config out")));
        }
        start_log(flags.log.as_deref().unwrap_or("info"))?;
        let places = places(flags)?;
        self.alone()?;
        let home = Home::enter(&places.state)?;
        if !self.outcome.is_empty() {
            home.script().write(&self.outcome)?;
        }
        let listener = server::bind(self.port)?;
        let port = listener.local_addr()?.port();
        let played = Played::new(&home, self.settings())?;
        let _announced = PortFile::write(&places.runtime, port)?;
        runtime()?.block_on(async {
            let told_to_end = server::signals()?;
            announce(flags.json, port, &places, &played, &home)?;
            let app = Arc::new(played.app);
            Ok(server::run(app, listener, told_to_end)
                .await
                .map(|()| ExitCode::SUCCESS)?)
        })
    }

    /// On the protocol's ports a plugin would find the one or the other: there is no mock beside an agent.
    fn alone(&self) -> Result<(), Failure> {
        let found = PORTS.iter().find(|port| agent_answers(**port));
        match (self.port, found) {
            (None, Some(port)) => Err(Failure::other(format!(
                "an agent answers on {port} already, and a plugin would not tell the two apart; \
                 end it, or give the mock --port 0"
            ))),
            _ => Ok(()),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            person: self.person.clone().unwrap_or_default(),
            key: match self.key {
                Key::P256 => KeyKind::P256,
                Key::P384 => KeyKind::P384,
                Key::Rsa2048 => KeyKind::Rsa2048,
                Key::Gost256 => KeyKind::Gost256,
                Key::Gost512 => KeyKind::Gost512,
            },
            delay: self.delay,
            literal: self.literal.clone(),
        }
    }
}

/// Where everything is: with --json one line.
fn announce(as_json: bool, port: u16, places: &Places, played: &Played, home: &Home) -> Result<(), Failure> {
    let address = format!("http://127.0.0.1:{port}");
    let (root, crl, script) = (played.root.display(), played.crl.display(), home.script());
    let script = script.path().display();
    let text = match as_json {
        true => json!({
            "listening": address,
            "port": port,
            "state": places.state.display().to_string(),
            "root": root.to_string(),
            "crl": crl.to_string(),
            "script": script.to_string(),
            "test": true,
        })
        .to_string(),
        false => format!(
            "listening on {address}\n\
             test root   {root}\n\
             CRL         {crl}\n\
             script      {script}"
        ),
    };
    speak::print(&text).map(|_| ())
}
