//! Readers for tests in other languages: `card-reader`.
//!
//! Starts a `pcscd` of its own with two virtual readers, prints `ready {"socket", "readers": [{"name", "port"}]}` and
//! keeps it until its standard input ends. On its input, `stop` and `start` end the service and start it again, and are
//! answered with `stopped` and `started`; `empty` and `present` wait until the service sees no card, or one, in the first
//! reader, and are answered with `seen`.

use std::io::{BufRead, Write};

use serde_json::json;
use system_tests::pcscd::Pcscd;

fn main() -> std::io::Result<()> {
    let mut pcscd = Pcscd::start();
    let readers: Vec<_> = pcscd
        .readers()
        .into_iter()
        .map(|reader| json!({ "name": reader.name, "port": reader.port }))
        .collect();
    say(&format!(
        "ready {}",
        json!({ "socket": pcscd.socket(), "readers": readers })
    ))?;
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "stop" => {
                pcscd.stop();
                say("stopped")?;
            }
            "start" => {
                pcscd.start_again();
                say("started")?;
            }
            "empty" => {
                pcscd.client().wait_for_none(&pcscd.reader().name);
                say("seen")?;
            }
            "present" => {
                pcscd.client().wait_for_card(&pcscd.reader().name);
                say("seen")?;
            }
            other => panic!("card-reader knows `stop`, `start`, `empty` and `present`, not {other:?}"),
        }
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
