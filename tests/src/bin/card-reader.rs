//! Readers for tests in other languages: `card-reader`.
//!
//! Starts a `pcscd` of its own with two virtual readers, prints `ready {"socket", "readers": [{"name", "port"}]}` and
//! keeps it until its standard input ends. `stop` and `start` on its input end the service and start it again, and are
//! answered with `stopped` and `started`.

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
            other => panic!("card-reader knows `stop` and `start`, not {other:?}"),
        }
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
