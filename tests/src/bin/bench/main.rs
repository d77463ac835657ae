//! `make bench`: what a confirmation costs beside the bare operation, in one run on this machine.
//!
//! Compare lines of one run with each other; absolute figures are this machine's,
//! and of this moment. Each table says what it compares. With the argument `gost-signatures` or `cards`, only those
//! tables.

mod cards;
mod confirmations;
mod daemon;
mod direct;
mod gost_confirmations;
mod gost_signatures;
mod ssh;
mod stats;
mod token;
mod verifications;

use std::process::Command;

/// Set in the process that measures: SoftHSM reads its configuration from the environment once.
const MEASURE: &str = "EID_BENCH_TOKEN";

fn main() {
    if let Ok(token) = std::env::var(MEASURE) {
        let token: token::Described = serde_json::from_str(&token).expect("the description is ours");
        return measure(&token);
    }
    match std::env::args().nth(1).as_deref() {
        Some("gost-signatures") => return gost_signatures::run(),
        Some("cards") => return cards::run(&runtime()),
        _ => {}
    }
    // The store of keys must outlive the process that measures, so it is this process's.
    let provisioned = token::provision();
    let own = std::env::current_exe().expect("a program knows its path");
    let (name, value) = provisioned.environment();
    let description = serde_json::to_string(&provisioned.describe()).expect("paths are text");
    let status = Command::new(own)
        .env(name, value)
        .env(MEASURE, description)
        .status()
        .expect("it starts");
    std::process::exit(status.code().unwrap_or(1));
}

fn measure(token: &token::Described) {
    println!("One run on this machine; every process on its {} cores.", cores());
    let runtime = runtime();
    confirmations::run(token, &runtime);
    gost_confirmations::run(&runtime);
    cards::run(&runtime);
    daemon::run(&runtime);
    verifications::run();
    gost_signatures::run();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
