//! A card for tests in other languages, with what SoftHSM lacks: `evil-card NAME LABEL [pad]`.
//!
//! Puts a person's certificate on a fresh token of that label (`fixtures::evil`, with no fault), whose PIN
//! locks after three wrong ones or is typed on the reader (`pad`), prints `ready {"module", "pin", "root", "name"}`
//! as `softhsm-card` does, and keeps everything until its standard input ends.

use std::io::Write;

use fixtures::evil::{EvilModule, PIN};
use fixtures::pki::TestPki;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, label, pad) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, label] => (name, label, false),
        [name, label, "pad"] => (name, label, true),
        _ => panic!("usage: evil-card NAME LABEL [pad]"),
    };
    let pki = TestPki::new();
    let card = EvilModule::builder(&pki.person(name).issue()).label(label);
    let card = if pad { card.protected_path() } else { card }.build();
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root.pem");
    std::fs::write(&root, pki.root_pem())?;
    let told = json!({ "module": { "path": card.path(), "environment": {} }, "pin": PIN, "root": root, "name": name });
    writeln!(std::io::stdout(), "ready {told}")?;
    // Whoever started this closes it when the card is not needed any more.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
