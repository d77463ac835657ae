//! `eid-agent native-host`: started by a browser, which speaks with it over standard input and output.

use std::ffi::OsString;
use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::process::ExitCode;

use agent::native_host::{Daemon, Host, converse};
use clap::Args;

use super::{Failure, Flags, runtime};
use crate::places::Places;

/// For a person who starts it in a terminal.
const BY_HAND: &str = "this command is for browsers, which start it themselves; \
                       `eid-agent install-browser` tells them of it, `eid-agent run` starts the agent by hand";

/// Serves a browser's extension over native messaging, starting the daemon when none runs. `eid-agent install-browser` tells browsers of it.
#[derive(Args)]
#[command(after_help = "Browsers start this themselves; `eid-agent install-browser` tells them how.")]
pub(crate) struct NativeHost {
    /// The name in the browser's manifest: eu.webeid, eid_agent.plugin or ru.rtlabs.ifcplugin
    #[arg(long, value_name = "NAME")]
    host: Option<Host>,
    /// What the browser says of its extension
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "BROWSER'S ARGUMENTS"
    )]
    browser: Vec<OsString>,
}

impl NativeHost {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let host = match self.host {
            Some(host) if !std::io::stdin().is_terminal() => host,
            _ => return Err(Failure::usage(BY_HAND.to_owned())),
        };
        let daemon = daemon(flags, &flags.places()?)?;
        let mut output = std::io::stdout();
        // Without a buffer, which would keep what a page sends: a PIN may be in it.
        let input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        let talk = converse(host, &self.browser, &daemon, input, &mut output);
        runtime()?.block_on(talk).map_err(Failure::other)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The daemon of the same places, started with the flags that were given here.
fn daemon(flags: &Flags, places: &Places) -> Result<Daemon, Failure> {
    let mut command = vec![std::env::current_exe()?.into_os_string()];
    let named = [
        ("--state", &flags.state),
        ("--runtime", &flags.runtime),
        ("--config", &flags.config),
    ];
    for (flag, path) in named {
        if let Some(path) = path {
            command.extend([flag.into(), std::path::absolute(path)?.into_os_string()]);
        }
    }
    if let Some(log) = &flags.log {
        command.extend(["--log".into(), log.into()]);
    }
    command.extend(["run".into(), "--background".into()]);
    Ok(Daemon {
        state: places.state.clone(),
        port_file: places.port_file(),
        command,
    })
}
