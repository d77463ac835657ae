//! `eid-agent mock --list`.

use std::process::ExitCode;

use agent::mock::Outcome;
use serde_json::json;

use crate::cli::{Failure, speak};

/// Every outcome with its sentence; as JSON with what plugin and portal see of it, too.
pub(super) fn print(as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        let outcomes: Vec<_> = Outcome::all()
            .map(|outcome| {
                json!({
                    "name": outcome.name(),
                    "sentence": outcome.sentence(),
                    "code": outcome.seen().code(),
                    "verdict": outcome.seen().verdict(),
                })
            })
            .collect();
        return speak::print_json(&json!({ "outcomes": outcomes }));
    }
    let width = Outcome::all().map(|outcome| outcome.name().len()).max().unwrap_or(0);
    let lines: Vec<String> = Outcome::all()
        .map(|outcome| format!("{:width$}  {}", outcome.name(), outcome.sentence()))
        .collect();
    speak::print(&lines.join("\n"))
}
