//! `eid-agent`: flags, then one command. The daemon is `cli/run.rs`.

mod browsers;
mod cli;
mod hardening;
mod places;
mod setup;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    hardening::apply();
    let arguments = cli::Arguments::parse();
    match cli::run(&arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
