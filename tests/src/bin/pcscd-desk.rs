//! A `pcscd` of one's own with an empty virtual reader: `pcscd-desk`.
//!
//! Prints the port to which a card connects (`virtual-card --port`), then the socket where clients find the service
//! (`PCSCLITE_CSOCK_NAME`), and runs until its standard input ends. The machine's own readers are not touched.
//! For tests in other languages: `present` and `empty` on its input wait until the service sees a card, or none, and
//! are answered with `seen`.

use std::io::{BufRead, Write};

use system_tests::pcscd::Pcscd;

fn main() -> std::io::Result<()> {
    let pcscd = Pcscd::start();
    let reader = pcscd.reader();
    let mut output = std::io::stdout();
    writeln!(output, "a card may come to port {}", reader.port)?;
    writeln!(output, "listening on {}", pcscd.socket().display())?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "" => continue,
            "present" => pcscd.client().wait_for_card(&reader.name),
            "empty" => pcscd.client().wait_for_none(&reader.name),
            other => {
                writeln!(output, "`{other}`? Commands: present, empty")?;
                continue;
            }
        }
        writeln!(output, "seen")?;
    }
    Ok(())
}
