//! The program `eid-portal` as a process: ready line, clean end, errors that help.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use fixtures::pki::TestPki;

fn eid_portal() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eid-portal"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn says_when_it_listens_and_ends_on_sigterm() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root.pem");
    std::fs::write(&root, TestPki::new().root_pem()).unwrap();
    let ready = directory.path().join("ready");
    let mut command = eid_portal();
    command.arg("--test-root").arg(&root).arg("--ready-file").arg(&ready);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .expect("the ready line")
        .to_owned();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    assert_eq!(std::fs::read_to_string(&ready).unwrap().trim(), address);
    std::net::TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success(), "a clean end");
}

#[test]
fn takes_cards_under_the_roots_it_is_given() {
    use std::io::{Read, Write};
    let directory = tempfile::tempdir().unwrap();
    let (root, anchor) = (directory.path().join("root.cv"), directory.path().join("root.pem"));
    let pki = fixtures::cvc::UecPki::new(fixtures::cvc::Version::V11, fixtures::cvc::Suite::Gost);
    std::fs::write(&root, &pki.authority.certificate).unwrap();
    std::fs::write(&anchor, TestPki::new().root_pem()).unwrap();
    let mut command = eid_portal();
    command.arg("--uec-test-root").arg(&root).arg("--uec-holder-signature");
    let mut child = command.arg("--test-root").arg(&anchor).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let host = line
        .trim()
        .strip_prefix("listening on http://")
        .expect("the ready line")
        .to_owned();
    let mut stream = std::net::TcpStream::connect(&host).unwrap();
    let body = r#"{"account":"a"}"#;
    let head =
        format!("POST /challenge HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        answer.contains(r#""formats":["web-eid:1.0","jws","cms","uec"],"holder_signature":true"#),
        "{answer}"
    );
}

#[test]
fn says_what_is_missing_or_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("not.pem");
    std::fs::write(&file, "hello").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, said) in [
        (&[][..], "--trust-anchor"),
        (&["--trust-anchor", file], "no certificate in it"),
        (&["--trust-anchor", "/nonexistent"], "/nonexistent"),
        (&["--origin", "https://a/b", "--test-root", file], "origin"),
        (&["--format", "xades", "--test-root", file], "web-eid:1.0, jws, cms"),
        (&["--format", "uec"], "--uec-root"),
        (&["--uec-holder-signature"], "--uec-root"),
        (&["--uec-root", file], "no root of universal electronic cards"),
        (&["--uec-test-root", "/nonexistent"], "/nonexistent"),
        (&["--crl", file], "not a certificate revocation list"),
    ] {
        let Output { status, stderr, .. } = eid_portal().args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

#[test]
fn does_not_listen_before_its_accounts_are_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root.pem");
    std::fs::write(&root, TestPki::new().root_pem()).unwrap();
    let accounts = directory.path().join("accounts.json");
    let account = r#"{"id":"a","surname":"А","given_name":"Б","level":"standard"}"#;
    std::fs::write(&accounts, format!("[{account}]")).unwrap();
    let mut command = eid_portal();
    command.arg("--test-root").arg(&root).arg("--accounts").arg(&accounts);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && stdout.is_empty());
    assert!(stderr.contains("accounts.json") && stderr.contains("snils"), "{stderr}");
}

#[test]
fn a_trust_list_is_read_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let pki = TestPki::new();
    let list = fixtures::pki::TrustListBuilder::default()
        .authority("УЦ 1", "Действует", &[&pki.intermediate.certificate, b"no DER"])
        .authority("УЦ 2", "Прекращена", &[&pki.root.certificate]);
    let file = directory.path().join("list.xml");
    std::fs::write(&file, list.xml()).unwrap();
    let mut command = eid_portal();
    // It would go on to listen; an address that is not this machine's ends it.
    command
        .arg("--test-trust-list")
        .arg(&file)
        .args(["--listen", "192.0.2.1:0", "--qualified", "accredited"]);
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(
        stderr.contains("1 of 2 authorities in force, 1 of their certificates trusted"),
        "{stderr}"
    );
    assert!(
        stderr.contains("left out: УЦ 1:") && stderr.contains("not X.509"),
        "{stderr}"
    );
    assert!(stderr.contains("cannot listen"), "{stderr}");
    std::fs::write(&file, "<a/>").unwrap();
    let mut command = eid_portal();
    let stderr = command.arg("--trust-list").arg(&file).output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&stderr).contains("list.xml: not a trust list"));
}
