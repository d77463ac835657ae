#![allow(clippy::unwrap_used)]
use super::*;
use plugin_protocol::pairing::Jwk;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn jwk() -> Jwk {
    AgentKey::from_pkcs8(&AgentKey::generate().unwrap())
        .unwrap()
        .jwk()
        .unwrap()
}

fn client(name: &str) -> Client {
    Client {
        name: name.to_owned(),
        jwk: jwk(),
    }
}

fn add(pairings: &Pairings, client: &Client, second: i64) -> Jwk {
    let pkcs8 = AgentKey::generate().unwrap();
    let now = OffsetDateTime::from_unix_timestamp(second).unwrap();
    pairings.add(client, &pkcs8, now).unwrap();
    AgentKey::from_pkcs8(&pkcs8).unwrap().jwk().unwrap()
}

#[test]
fn are_kept_found_and_revoked_across_processes() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let daemon = Pairings::open(&state).unwrap();
    let (first, second) = (client("Первый плагин"), client("second"));
    let agent = add(&daemon, &first, 1000);
    add(&daemon, &second, 2000);
    let found = daemon.find(&first.jwk.key_id()).unwrap();
    assert_eq!(found.caller.name, "Первый плагин");
    assert_eq!(found.agent_key.jwk(), Some(agent));

    let command_line = Pairings::open(&state).unwrap();
    let names: Vec<_> = command_line.list().unwrap().into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["Первый плагин", "second"]);
    assert!(command_line.revoke(&first.jwk.key_id()).unwrap());
    assert!(!command_line.revoke(&first.jwk.key_id()).unwrap());
    assert!(daemon.find(&first.jwk.key_id()).is_none(), "seen at once");
    assert!(daemon.find(&second.jwk.key_id()).is_some());

    let mode = fs::metadata(state.join("pairings.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn there_is_room_for_so_many_and_for_those_that_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let pairings = Pairings::open(directory.path()).unwrap();
    let clients: Vec<_> = (0..MAX_PAIRINGS).map(|n| client(&format!("plugin {n}"))).collect();
    for (second, client) in clients.iter().enumerate() {
        add(&pairings, client, second as i64);
    }
    let pkcs8 = AgentKey::generate().unwrap();
    let now = OffsetDateTime::from_unix_timestamp(1000).unwrap();
    let refused = pairings.add(&client("one more"), &pkcs8, now).unwrap_err();
    assert_eq!(refused.code(), plugin_protocol::ErrorCode::TooManyPairings);
    assert!(refused.to_string().contains("eid-agent pairings revoke"), "{refused}");
    add(&pairings, &clients[0], 1000);
    assert!(pairings.revoke(&clients[1].jwk.key_id()).unwrap());
    add(&pairings, &client("one more"), 1000);
    assert_eq!(pairings.list().unwrap().len(), MAX_PAIRINGS);
}

#[test]
fn the_same_plugin_pairs_anew_with_another_agent_key() {
    let directory = tempfile::tempdir().unwrap();
    let pairings = Pairings::open(directory.path()).unwrap();
    let client = client("again");
    let before = add(&pairings, &client, 1000);
    let after = add(&pairings, &client, 2000);
    assert_ne!(before, after);
    assert_eq!(pairings.list().unwrap().len(), 1);
    assert_eq!(
        pairings.find(&client.jwk.key_id()).unwrap().agent_key.jwk(),
        Some(after)
    );
}

#[test]
fn an_unreadable_or_open_file_lets_nobody_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pairings.json");
    let pairings = Pairings::open(directory.path()).unwrap();
    let client = client("once");
    add(&pairings, &client, 1000);
    let id = client.jwk.key_id();

    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(pairings.find(&id).is_none());
    assert!(Pairings::open(directory.path()).is_err());
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(pairings.find(&id).is_some());

    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        "",
        "{}",
        "null",
        &good.replace("\"version\": 1", "\"version\": 2"),
        &good[1..],
    ] {
        fs::write(&path, bad).unwrap();
        assert!(pairings.find(&id).is_none(), "{bad}");
        assert!(pairings.revoke(&id).is_err(), "what cannot be read is not overwritten");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
    fs::remove_file(&path).unwrap();
    assert!(pairings.find(&id).is_none());
    assert!(pairings.list().unwrap().is_empty());
}

#[test]
fn are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let pairings = Pairings::open(directory.path()).unwrap();
    let clients: Vec<_> = (0..MAX_PAIRINGS).map(|n| client(&n.to_string())).collect();
    for client in &clients {
        add(&pairings, client, 1000);
    }
    let pkcs8 = AgentKey::generate().unwrap();
    let now = OffsetDateTime::UNIX_EPOCH;
    assert!(pairings.add(&client("one too many"), &pkcs8, now).is_err());
    assert!(
        pairings.add(&clients[0], &pkcs8, now).is_ok(),
        "a known one is replaced"
    );
}

#[test]
fn names_hide_nothing() {
    for good in ["a", "Плагин Госуслуг", "eID plugin (Firefox)", &"я".repeat(64)] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        " ",
        " padded",
        "padded ",
        "two\nlines",
        "bell\u{7}",
        "c1\u{85}",
        "\u{202e}reversed",
        "isolate\u{2066}",
        "mark\u{200f}",
        "zero\u{200b}width",
        "join\u{200d}er",
        "bom\u{feff}",
        "soft\u{ad}hyphen",
        "tag\u{e0041}",
        "filler\u{3164}x",
        "para\u{2029}graph",
        &"a".repeat(65),
    ] {
        assert!(check_name(bad).is_err(), "{bad:?}");
    }
}
