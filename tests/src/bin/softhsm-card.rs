//! A SoftHSM token for tests in other languages: `softhsm-card NAME [SNILS]`.
//!
//! Puts a person's certificate, and the authority's, on a fresh token, prints
//! `ready {"module", "pin", "root", "name"}` and keeps everything until its standard input ends.

use std::io::Write;

use fixtures::pki::TestPki;
use fixtures::softhsm::SoftHsm;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("usage: softhsm-card NAME [SNILS]");
    let pki = TestPki::new();
    let mut person = pki.person(&name);
    if let Some(snils) = arguments.next() {
        person = person.snils(&snils);
    }
    let hsm = SoftHsm::new();
    let token = hsm.init_token("card");
    token.import(&person.issue(), &[1], "card");
    token.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root.pem");
    std::fs::write(&root, pki.root_pem())?;
    let (variable, configuration) = hsm.environment();
    let card = json!({
        "module": { "path": hsm.module(), "environment": { variable: configuration.to_string_lossy() } },
        "pin": token.pin,
        "root": root,
        "name": name,
    });
    writeln!(std::io::stdout(), "ready {card}")?;
    // Whoever started this closes it when the card is not needed any more.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
