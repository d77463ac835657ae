#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use plugin_protocol::Origin;
use plugin_protocol::encoding::{hex, sha256};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::pairing::Caller;

fn at() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_642_692).unwrap()
}

fn record(client: &str, outcome: &str) -> Record {
    let caller = Caller {
        id: client.to_owned(),
        name: format!("Plugin «{client}»"),
    };
    let mut record = Record::new(
        Action::Confirmation,
        &caller,
        "https://portal.example".parse::<Origin>().unwrap(),
    );
    record.outcome = outcome.to_owned();
    record
}

fn with(records: usize) -> (TempDir, History) {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(folder.path().join("history.jsonl")).unwrap();
    for number in 0..records {
        let seq = history
            .append(at(), &record(&format!("client{}", number % 2), "done"))
            .unwrap();
        assert_eq!(seq, number as u64 + 1);
    }
    (folder, history)
}

fn verified(history: &History) -> Verified {
    history.verify().unwrap().unwrap()
}

#[test]
fn an_absent_history_is_an_empty_one() {
    let (_folder, history) = with(0);
    assert_eq!(verified(&history).records, 0);
    assert_eq!(history.for_client("client0", 100).unwrap(), []);
    assert!(!history.path().exists(), "looking creates nothing");
}

#[test]
fn records_are_numbered_chained_private_and_read_back() {
    let (_folder, history) = with(5);
    assert_eq!((verified(&history).records, verified(&history).torn), (5, 0));
    let mode = std::fs::metadata(history.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mine = history.for_client("client0", 2).unwrap();
    let numbers: Vec<_> = mine.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, [5, 3], "newest first, one client's, no more than asked");
    assert_eq!(mine[0].time, "2026-11-25T21:38:12Z");
    assert_eq!(
        (mine[0].action.as_str(), mine[0].outcome.as_str()),
        ("confirmation", "done")
    );
}

/// Two lines as version 0.1.0 wrote them, then one with what is new.
#[test]
fn a_history_from_before_goes_on() {
    let (_folder, history) = with(2);
    let text = std::fs::read_to_string(history.path()).unwrap();
    let first = r#"{"seq":1,"time":"2026-11-25T21:38:12Z","action":"confirmation","client":{"id":"client0","name":"Plugin «client0»"},"origin":"https://portal.example","outcome":"done","prev":"#;
    assert!(
        text.starts_with(first),
        "a record without the new members is written as before: {text}"
    );
    let mut embedded = record("client0", "done");
    embedded.action = Action::Certificate;
    embedded.top_origin = Some("https://news.example".parse().unwrap());
    history.append(at(), &embedded).unwrap();
    assert_eq!(verified(&history).records, 3);
    let newest = history.for_client("client0", 1).unwrap().remove(0);
    assert_eq!(newest.action, "certificate");
    assert_eq!(newest.top_origin, embedded.top_origin);
}

#[test]
fn a_line_can_be_checked_with_common_tools() {
    let (_folder, history) = with(2);
    let text = std::fs::read_to_string(history.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (body, hash) = lines[0].split_at(lines[0].len() - 64 - 2 - 9);
    let expected = hex(&sha256(format!("{body}}}").as_bytes()));
    assert_eq!(hash, format!(",\"hash\":\"{expected}\"}}"));
    assert!(lines[1].contains(&format!("\"prev\":\"{expected}\"")));
    assert!(lines[0].contains(&format!("\"prev\":\"{}\"", "0".repeat(64))));
    let seen: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(seen["client"]["name"], "Plugin «client1»", "readable text, not escapes");
}

#[test]
fn a_removed_a_moved_and_a_changed_line_are_found_where_they_are() {
    let broken_at = |change: &dyn Fn(&mut Vec<String>)| {
        let (_folder, history) = with(4);
        let text = std::fs::read_to_string(history.path()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        std::fs::write(history.path(), lines.join("\n") + "\n").unwrap();
        history.verify().unwrap().unwrap_err().line
    };
    assert_eq!(broken_at(&|lines| drop(lines.remove(1))), 2);
    assert_eq!(broken_at(&|lines| lines.swap(1, 2)), 2);
    assert_eq!(broken_at(&|lines| drop(lines.remove(0))), 1);
    assert_eq!(broken_at(&|lines| lines[2] = lines[2].replace("done", "gone")), 3);
    assert_eq!(broken_at(&|lines| lines.insert(1, String::new())), 2);
    // Rewritten with a hash that fits its text, but not the line after it.
    assert_eq!(
        broken_at(&|lines| {
            let (mut entry, _) = chain::parse(format!("{}\n", lines[1]).as_bytes()).unwrap();
            entry.record.outcome = "declined".to_owned();
            lines[1] = chain::line(&entry).trim_end().to_owned();
        }),
        3
    );
}

#[test]
fn a_damaged_last_record_is_not_built_upon() {
    let (_folder, history) = with(2);
    let text = std::fs::read_to_string(history.path()).unwrap();
    std::fs::write(history.path(), text.replace("\"seq\":2", "\"seq\":7")).unwrap();
    let error = history.append(at(), &record("a", "done")).unwrap_err();
    assert!(error.to_string().contains("history verify"), "{error}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(folder.path().join("absent/history.jsonl")).unwrap();
    assert!(matches!(
        history.append(at(), &record("a", "done")),
        Err(Error::History(_))
    ));
    assert!(History::open(folder.path()).is_err(), "a folder is no history");
}

#[test]
fn several_writers_make_one_chain() {
    let (folder, _) = with(0);
    let path = folder.path().join("history.jsonl");
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let history = History::open(&path).unwrap();
            std::thread::spawn(move || {
                for _ in 0..10 {
                    history.append(at(), &record("a", "done")).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(verified(&History::open(&path).unwrap()).records, 40);
}

#[test]
fn cut_at_any_byte_it_goes_on_and_keeps_every_whole_record() {
    let (_folder, full) = with(3);
    let bytes = std::fs::read(full.path()).unwrap();
    // Near each line's ends at every byte, between them at some: each costs the disk three flushes.
    let near_an_end = |cut: usize| bytes[cut.saturating_sub(3)..bytes.len().min(cut + 3)].contains(&b'\n');
    for cut in (0..=bytes.len()).filter(|cut| cut % 13 == 0 || near_an_end(*cut)) {
        let (folder, history) = with(0);
        std::fs::write(history.path(), &bytes[..cut]).unwrap();
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
        let before = verified(&history);
        assert_eq!(before.records, whole, "cut at {cut}");
        assert_eq!(history.append(at(), &record("b", "done")).unwrap(), whole + 1);
        let after = verified(&history);
        assert_eq!((after.records, after.torn), (whole + 1, 0), "cut at {cut}");
        let aside = std::fs::read(folder.path().join("history.torn")).unwrap_or_default();
        assert_eq!(
            aside.len(),
            before.torn + usize::from(before.torn > 0),
            "the torn bytes are kept"
        );
    }
}

#[test]
fn zeros_after_a_power_cut_are_a_torn_line() {
    let (_folder, history) = with(2);
    let mut bytes = std::fs::read(history.path()).unwrap();
    bytes.extend([0; 300]);
    std::fs::write(history.path(), &bytes).unwrap();
    assert_eq!(verified(&history).torn, 300);
    history.append(at(), &record("a", "done")).unwrap();
    assert_eq!(verified(&history).records, 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_never_passes(position in any::<prop::sample::Index>(), bit in 0u8..8) {
        static INTACT: LazyLock<Vec<u8>> = LazyLock::new(|| { let (_folder, history) = with(3); std::fs::read(history.path()).unwrap() });
        let (_folder, history) = with(0);
        let mut bytes = INTACT.clone();
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        std::fs::write(history.path(), &bytes).unwrap();
        let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        match history.verify().unwrap() {
            // The very last line feed: what remains is a chain with a torn end.
            Ok(verified) => {
                prop_assert_eq!(at, bytes.len() - 1);
                prop_assert_eq!(verified.records, 2);
                prop_assert!(verified.torn > 0);
            }
            Err(broken) => prop_assert!(broken.line == line || broken.line + 1 == line, "{} for {}", broken.line, line),
        }
    }
}
