//! The daemon itself: from exec to the first answer, and its memory.

use std::time::Instant;

use plugin_protocol::api::ConfirmationRequest;
use system_tests::agent::Setup;
use tokio::runtime::Runtime;

use crate::confirmations::{confirm_once, request};
use crate::stats::{Sample, print_header, print_row};

const STARTS: usize = 50;
const CONFIRMATIONS: usize = 10_000;

/// Prints start and memory.
pub(crate) fn run(runtime: &Runtime) {
    print_header("The daemon, without modules");
    let starts = (0..STARTS).map(|_| {
        let setup = Setup::new().quiet();
        let start = Instant::now();
        let agent = setup.start();
        runtime.block_on(agent.stranger().hello()).expect("it says hello");
        start.elapsed()
    });
    print_row(
        "exec to the first answer (hello)",
        &Sample::from_durations(starts.collect::<Vec<_>>()),
        None,
    );
    memory(runtime);
}

fn memory(runtime: &Runtime) {
    let policy =
        "pair = true\norigins = [\"https://portal.example\"]\n[[token]]\nkind = \"software\"\npin = \"1234\"\n";
    let mut agent = Setup::new()
        .quiet()
        .rates(1_000_000)
        .software()
        .unattended(policy)
        .start();
    let plugin = runtime.block_on(agent.paired());
    let idle = resident(agent.process().id());
    let request: ConfirmationRequest = request("");
    for _ in 0..CONFIRMATIONS {
        runtime.block_on(confirm_once(&plugin, &request));
    }
    let after = resident(agent.process().id());
    println!("  resident memory, idle and paired: {:.1} MB", idle as f64 / 1024.0);
    println!(
        "  resident memory after {CONFIRMATIONS} confirmations (software token): {:.1} MB",
        after as f64 / 1024.0
    );
}

/// VmRSS in KiB.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the process is there");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("Linux tells VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number of KiB")
}
