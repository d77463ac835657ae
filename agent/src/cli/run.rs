//! `eid-agent run`: bind, announce, serve until told to end.

use std::process::ExitCode;
use std::sync::Arc;

use agent::native_host::daemon::LISTENING;
use agent::server::{self, PortFile};
use agent::token::software::Software;
use clap::Args;

use super::doctor::running;
use super::{Failure, Flags, Overrides, runtime, speak};
use crate::setup::Setup;

/// Runs the daemon in the foreground until SIGTERM or SIGINT. When it answers it
/// prints `listening on http://127.0.0.1:PORT`.
#[derive(Args)]
pub(crate) struct Run {
    /// The port on 127.0.0.1; 0 takes any [default: the first free one of 47290, 47291, 47292]
    #[arg(long)]
    port: Option<u16>,
    /// In a session of its own, silent once it has said where it listens
    #[arg(long, hide = true)]
    background: bool,
    #[command(flatten)]
    overrides: Overrides,
}

impl Run {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        if self.background {
            leave_session();
        }
        let setup = Setup::load(flags, &self.overrides, "info")?;
        let places = setup.places.clone();
        let listener = server::bind(self.port.or(setup.config.port))?;
        let port = listener.local_addr()?.port();
        let app = Arc::new(setup.app()?);
        if let Err(why) = app.prompt.check() {
            tracing::warn!("{why}; until then every request is refused");
        }
        // A portal's policy names its root: that is there once this says that it listens.
        if app.config.software.enabled {
            Software::with_keys(&places.state, &app.config.software.keys).make()?;
        }
        // Said, not refused: two may share a state directory.
        if let Some(other) = running(&places) {
            tracing::warn!(
                "an agent answers on port {other} already, and plugins stay with that one; to have them find this one, \
                 end every agent of yours (`pkill -x eid-agent`) and start it again"
            );
        }
        let _announced = PortFile::write(&places.runtime, port)?;
        runtime()?.block_on(async {
            // Whoever reads the line may tell it to end at once.
            let told_to_end = server::signals()?;
            speak::print(&format!("{LISTENING}{port}"))?;
            if self.background {
                fall_silent()?;
            }
            server::run(app, listener, told_to_end).await?;
            Ok::<(), Failure>(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Whoever started it may end with its own session; it fails where it leads a session already.
fn leave_session() {
    let _ = rustix::process::setsid();
}

/// Nobody reads standard output any more.
fn fall_silent() -> std::io::Result<()> {
    let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nowhere)?)
}
