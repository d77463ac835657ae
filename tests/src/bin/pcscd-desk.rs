//! A `pcscd` of one's own with an empty virtual reader: `pcscd-desk`.
//!
//! Prints the port to which a card connects (`virtual-card --port`), then the socket where clients find the service
//! (`PCSCLITE_CSOCK_NAME`), and runs until its standard input ends. The machine's own readers are not touched.

use std::io::Write;

use system_tests::pcscd::Pcscd;

fn main() -> std::io::Result<()> {
    let pcscd = Pcscd::start();
    let mut output = std::io::stdout();
    writeln!(output, "a card may come to port {}", pcscd.reader().port)?;
    writeln!(output, "listening on {}", pcscd.socket().display())?;
    output.flush()?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
