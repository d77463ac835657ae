//! Where a secret must not be: a whole run at level trace, then every trace of it searched.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use fixtures::pki::TestPki;
use fixtures::softhsm::SoftHsm;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;
use plugin_protocol::encoding::{base64, base64url, from_base64, hex};
use system_tests::agent::Setup;
use system_tests::ask;
use system_tests::process::{children, is_alive};
use system_tests::raw;
use system_tests::scene::{Scene, code};

/// PINs that occur nowhere by chance.
const RIGHT: &str = "Kq7xPINx9Wz2741b";
const WRONG: &str = "Zy3xBADx8Qp5093c";
const PERSON: &str = "Неповторимова Ксения Игоревна";

/// A secret as it might show: bare, and in every encoding something here uses.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let list = |separator: &str| {
        let numbers: Vec<String> = secret.iter().map(u8::to_string).collect();
        numbers.join(separator)
    };
    let mut spellings = vec![secret.to_vec(), secret.iter().rev().copied().collect()];
    let lower = hex(secret);
    let pairs: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let utf16: Vec<u8> = secret.iter().flat_map(|byte| [*byte, 0]).collect();
    spellings.push(utf16);
    for text in [
        lower.to_uppercase(),
        lower,
        pairs.join(" "),
        pairs.join(":"),
        list(","),
        list(", "),
    ] {
        spellings.push(text.into_bytes());
    }
    // base64 of it as a part of something longer: at each of the three places in a group, without the ends
    // that depend on what is around.
    for before in 0..3 {
        let padded = [&vec![0; before][..], secret].concat();
        for text in [base64(&padded), base64url(&padded)] {
            let text = text.trim_end_matches('=');
            spellings.push(text.as_bytes()[(before * 4).div_ceil(3)..text.len() - 1].to_vec());
        }
    }
    spellings
}

/// A place where it must not be, and what is there.
type Place = (String, Vec<u8>);

fn assert_nowhere(name: &str, secret: &[u8], places: &[Place]) {
    for spelling in spellings(secret) {
        for (place, bytes) in places {
            let found = bytes.windows(spelling.len()).any(|window| window == spelling);
            assert!(
                !found,
                "{name} is in {place} as {:?}",
                String::from_utf8_lossy(&spelling)
            );
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found
}

/// What others see of a process: its command line and its environment, where the system lets us look. Nothing of one that
/// has ended meanwhile, as that of a window does.
fn process_places(id: u32) -> Vec<Place> {
    let read = |name: &str| {
        let path = format!("/proc/{id}/{name}");
        match fs::read(&path) {
            Ok(bytes) => Some((path, bytes)),
            // Not dumpable: nobody but the administrator reads it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
            Err(_) if !is_alive(id) => None,
            Err(error) => panic!("{path}: {error}"),
        }
    };
    ["cmdline", "environ"].into_iter().filter_map(read).collect()
}

/// Everything an agent leaves behind but the files that hold private keys.
fn places(scene: &mut Scene) -> Vec<Place> {
    let setup = scene.agent.setup();
    let mut paths = files_below(&setup.state());
    paths.extend(files_below(&setup.runtime()));
    let keeps =
        |path: &PathBuf| path.extension().is_none_or(|ending| ending != "key") && !path.ends_with("pairings.json");
    let mut places: Vec<Place> = paths
        .into_iter()
        .filter(keeps)
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    places.push(("the log".to_owned(), scene.agent.log().into_bytes()));
    for arguments in [
        &["history", "--json"][..],
        &["history"],
        &["tokens", "--json"],
        &["pairings", "list"],
        &["doctor"],
    ] {
        let output = scene.agent.cli(arguments);
        places.push((format!("{arguments:?}"), [output.stdout, output.stderr].concat()));
    }
    let id = scene.agent.process().id();
    places.extend(std::iter::once(id).chain(children(id)).flat_map(process_places));
    places
}

/// Every answer that a plugin can get, as bytes.
fn answers(scene: &Scene, operations: &[String]) -> Vec<Place> {
    let mut targets: Vec<String> = [
        "info",
        "tokens",
        "events?since=0",
        "history",
        "pairings",
        "openapi.json",
    ]
    .map(|name| format!("/v1/{name}"))
    .into();
    targets.extend(operations.iter().cloned());
    let ask = |target: String| {
        let answer = raw::ask(
            scene.agent.authority(),
            &raw::signed(&scene.plugin, "GET", &target, b""),
        )
        .unwrap();
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        (target, [answer.head.as_bytes(), &answer.body].concat())
    };
    targets.into_iter().map(ask).collect()
}

#[tokio::test]
async fn no_pin_and_no_private_key_is_left_anywhere() {
    let hsm = SoftHsm::new();
    let person = TestPki::new().person(PERSON).issue();
    let card = hsm.init_token_with("card", RIGHT, "so-87654321");
    card.import(&person, &[1], "key");
    let (name, value) = hsm.environment();
    let setup = Setup::new().software().module(hsm.module()).environment(name, value);
    let mut scene = Scene::open(setup).await;
    let of = |scene: &Scene, label: &str| {
        let mut request = ask::confirmation("jws");
        request.token = Some(scene.token(label));
        request
    };
    let (right, wrong) = (format!("pin {RIGHT}"), format!("pin {WRONG}"));
    let software = of(&scene, "eid-agent software token");
    let card = of(&scene, "card");
    let mut operations = Vec::new();
    for (request, answers, expected) in [
        (&card, &["no"][..], Some(ErrorCode::Declined)),
        (&card, &[wrong.as_str(), "no"], Some(ErrorCode::Declined)),
        (&card, &[wrong.as_str(), right.as_str()], None),
        (&card, &[right.as_str()], None),
        (&software, &["yes", wrong.as_str(), "no"], Some(ErrorCode::Declined)),
        (&software, &["yes", "pin 1234"], None),
    ] {
        let operation = scene.confirm(request, answers).await;
        match expected {
            Some(expected) => assert_eq!(code(&operation), expected),
            None => assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem),
        }
        operations.push(format!("/v1/confirmations/{}", operation.id));
    }
    let mut documents = ask::signatures(&[("contract", b"one"), ("annex", b"two")]);
    documents.token = software.token.clone();
    let signed = scene.sign(&documents, &["pin 1234"]).await;
    assert_eq!(signed.state, OperationState::Done, "{:?}", signed.problem);
    operations.push(format!("/v1/signatures/{}", signed.id));

    // The log is at its loudest, and tells of each refusal.
    let stranger = raw::signed(&scene.agent.stranger(), "GET", "/v1/info", b"");
    assert_eq!(
        raw::ask(scene.agent.authority(), &stranger).unwrap().code(),
        Some(ErrorCode::NotPaired)
    );
    let command = process_places(scene.agent.process().id()).swap_remove(0).1;
    assert!(String::from_utf8_lossy(&command).contains("--log\0trace"));
    assert!(
        scene.agent.log().contains("DEBUG refused code=not_paired"),
        "{}",
        scene.agent.log()
    );
    let mut all = answers(&scene, &operations);
    all.extend(places(&mut scene));
    assert!(all.len() > 20, "few places were looked at: {}", all.len());
    // The instrument sees what is there: what every window and the history named.
    let seen = |what: &str| {
        all.iter()
            .any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(what))
    };
    assert!(seen(ask::ORIGIN) && seen("declined") && seen("pin_incorrect"));
    assert_nowhere("the PIN", RIGHT.as_bytes(), &all);
    assert_nowhere("a wrong PIN", WRONG.as_bytes(), &all);

    let folder = scene.agent.setup().state();
    let pairings: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("pairings.json")).unwrap()).unwrap();
    let key = pairings["pairings"][0]["agent_pkcs8"].as_str().unwrap();
    // PKCS#8 of P-256 as ring writes it: the scalar is 32 bytes from the 36th on (RFC 5958, RFC 5915).
    let key = from_base64(key).unwrap();
    assert_nowhere("a pairing's private key", &key[36..68], &all);
    for name in ["root", "p256", "p384", "rsa2048", "signing"] {
        let pem = fs::read_to_string(folder.join(format!("software-token/{name}.key"))).unwrap();
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = from_base64(&text).unwrap();
        // Behind the headers, the same for all keys, come 24 bytes of the private part.
        let private = match name {
            "rsa2048" => &der[der.len() - 100..der.len() - 76],
            _ => &der[40..64],
        };
        assert_nowhere(name, private, &all);
    }
}

#[tokio::test]
async fn nobodys_name_or_certificate_leaves_before_the_person_agreed() {
    let hsm = SoftHsm::new();
    let person = TestPki::new().person(PERSON).issue();
    let card = hsm.init_token_with("card", RIGHT, "so-87654321");
    card.import(&person, &[1], "key");
    let (name, value) = hsm.environment();
    let scene = Scene::open(Setup::new().module(hsm.module()).environment(name, value)).await;
    let operation = scene.confirm(&ask::confirmation("jws"), &["no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert!(
        scene.person.shown().contains("Неповторимова"),
        "the person is told whose it is"
    );
    let told = answers(&scene, &[format!("/v1/confirmations/{}", operation.id)]);
    assert_nowhere("a name", "Неповторимова".as_bytes(), &told);
    assert_nowhere("a certificate", &person.certificate[60..100], &told);
}

#[tokio::test]
async fn files_are_the_owners_alone() {
    let mut scene = Scene::open(Setup::new().software()).await;
    let operation = scene.confirm(&ask::confirmation("jws"), &["yes", "pin 1234"]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let (state, runtime) = (scene.agent.setup().state(), scene.agent.setup().runtime());
    let own = fs::metadata(scene.agent.setup().folder()).unwrap().uid();
    let mut looked = 0;
    let mut queue = vec![state.clone(), runtime.clone()];
    while let Some(path) = queue.pop() {
        let data = fs::symlink_metadata(&path).unwrap();
        let mode = data.permissions().mode() & 0o7777;
        let expected = if data.is_dir() { 0o700 } else { 0o600 };
        assert!(!data.is_symlink() && data.uid() == own, "{}", path.display());
        assert_eq!(mode, expected, "{} has mode {mode:o}", path.display());
        if data.is_dir() {
            queue.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        looked += 1;
    }
    assert!(looked > 15, "{looked}");
    for name in ["history.jsonl", "pairings.json", "software-token/p256.key"] {
        assert!(state.join(name).exists(), "{name}");
    }
    assert!(runtime.join("port").exists());
    // Ended in order, it takes its announcement with it.
    assert!(scene.agent.process().terminate().success());
    assert!(!runtime.join("port").exists());
}

#[tokio::test]
async fn no_process_of_ours_leaves_a_core_or_can_be_looked_into() {
    let hsm = SoftHsm::new();
    let (name, value) = hsm.environment();
    let mut scene = Scene::open(Setup::new().module(hsm.module()).environment(name, value)).await;
    let _ = scene.plugin.tokens().await.unwrap();
    let id = scene.agent.process().id();
    let workers = children(id);
    assert!(!workers.is_empty(), "the module runs in no process of its own");
    for id in std::iter::once(id).chain(workers) {
        let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        let numbers: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(numbers, ["0", "0"], "{core}");
        // The files of a process that is not dumpable belong to the administrator (proc(5)).
        assert_eq!(fs::metadata(format!("/proc/{id}/environ")).unwrap().uid(), 0);
    }
}

#[tokio::test]
async fn the_agent_listens_on_one_address_of_this_computer() {
    let agent = Setup::new().start();
    let port: u16 = agent.authority().rsplit(':').next().unwrap().parse().unwrap();
    // proc_net_tcp: local address and port in hexadecimal, state 0A is LISTEN.
    let listening = |table: &str| -> Vec<String> {
        let text = fs::read_to_string(table).unwrap_or_default();
        let fields = text
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let here = fields.filter(|fields| fields[3] == "0A" && fields[1].ends_with(&format!(":{port:04X}")));
        here.map(|fields| fields[1].to_owned()).collect()
    };
    assert_eq!(listening("/proc/net/tcp"), [format!("0100007F:{port:04X}")]);
    assert!(listening("/proc/net/tcp6").is_empty());
    for address in ["127.0.0.2", "[::1]"] {
        let refused = TcpStream::connect(format!("{address}:{port}"));
        assert!(refused.is_err(), "{address} answers");
    }
}
