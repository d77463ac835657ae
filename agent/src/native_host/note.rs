//! What a waiting host tells the hosts after it: which question of whom it has open.
//!
//! The extension does not tell its host that a tab was closed or loaded anew: the port stays open, and
//! with it the window. So the next request of the same origin ends the older one (`question`), which it
//! finds in this file. The file is trusted with nothing: what it names is asked of the daemon with the
//! host's own key, and the daemon knows the host's own operations alone.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plugin_protocol::Origin;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Host;
use crate::history::Action;
use crate::private_file;

/// Far above any note, bytes.
const MAX_NOTE: u64 = 4096;
/// An operation's id is shorter.
const MAX_ID: usize = 64;
/// Two that come at once are not further apart. A note from later than that is from before the clock was put back.
const AT_ONCE: Duration = Duration::from_secs(10);

/// When a host got its command, in nanoseconds of Unix time: the later one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Arrival(i64);

impl Arrival {
    pub(super) fn now() -> Self {
        // Until the year 2262.
        Self(i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos()).unwrap_or(i64::MAX))
    }

    /// Whether `other` came after this one.
    fn is_before(self, other: Self) -> bool {
        let apart = u128::try_from(i128::from(other.0) - i128::from(self.0)).unwrap_or(0);
        (1..=AT_ONCE.as_nanos()).contains(&apart)
    }
}

/// A running operation of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub(super) action: Action,
    pub(super) id: String,
    pub(super) origin: Origin,
    pub(super) since: Arrival,
}

impl Note {
    /// The operation's path.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.action.collection(), self.id)
    }

    /// Whether a request of `origin` that came at `since` takes its place.
    pub(super) fn gives_way_to(&self, origin: &Origin, since: Arrival) -> bool {
        self.origin == *origin && !since.is_before(self.since)
    }

    /// Nothing but an id may stand behind the collection's path.
    fn is_sound(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=MAX_ID).contains(&self.id.len()) && self.id.bytes().all(plain)
    }
}

/// The file of one host name: one window, so one note.
#[derive(Clone, Debug)]
pub(super) struct NoteFile(PathBuf);

impl NoteFile {
    pub(super) fn of(host: Host, state: &Path) -> Self {
        Self(state.join(format!("native-host-{}.running", host.name())))
    }

    /// What it says; `None` if nothing that can be understood.
    pub(super) fn read(&self) -> Option<Note> {
        let mut text = Vec::new();
        File::open(&self.0).ok()?.take(MAX_NOTE).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok().filter(Note::is_sound)
    }

    /// Leaves a note as long as the result lives. One that cannot be written only means that the
    /// next request waits.
    pub(super) fn leave(&self, note: Note) -> Left {
        if let Ok(text) = serde_json::to_vec(&note)
            && let Ok(_lock) = private_file::lock(&self.0)
        {
            let _ = private_file::replace(&self.0, &text);
        }
        Left {
            file: self.clone(),
            note,
        }
    }
}

/// A note that was left; dropping it takes it away, unless another's is there by now.
pub(super) struct Left {
    file: NoteFile,
    note: Note,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Ok(_lock) = private_file::lock(&self.file.0)
            && self.file.read().as_ref() == Some(&self.note)
        {
            let _ = fs::remove_file(&self.file.0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    fn note(id: &str, origin: &str, since: i64) -> Note {
        Note {
            action: Action::Signatures,
            id: id.to_owned(),
            origin: origin.parse().unwrap(),
            since: Arrival(since),
        }
    }

    #[test]
    fn a_note_is_private_and_goes_with_its_host_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = NoteFile::of(Host::WebEid, folder.path());
        assert_eq!(file.read(), None);
        let first = file.leave(note("one", "https://ria.ee", 1));
        assert_eq!(file.read(), Some(first.note.clone()));
        assert_eq!(first.note.path(), "/v1/signatures/one");
        let mode = fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(NoteFile::of(Host::Plugin, folder.path()).read(), None, "another host's");
        let second = file.leave(note("two", "https://ria.ee", 2));
        drop(first);
        assert_eq!(file.read(), Some(second.note.clone()), "the later one's stays");
        drop(second);
        assert!(!file.0.exists());
        let nowhere = NoteFile::of(Host::WebEid, &folder.path().join("missing"));
        drop(nowhere.leave(note("one", "https://ria.ee", 1)));
        assert_eq!(nowhere.read(), None);
    }

    #[test]
    fn what_is_no_note_names_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = NoteFile::of(Host::WebEid, folder.path());
        let right = json!({"action": "confirmation", "id": "aZ0-_", "origin": "https://ria.ee", "since": 1});
        fs::write(&file.0, right.to_string()).unwrap();
        assert_eq!(file.read().unwrap().path(), "/v1/confirmations/aZ0-_");
        for (member, value) in [
            ("action", json!("pairings")),
            ("action", json!("/v1/pairings")),
            ("id", json!("")),
            ("id", json!("../pairings/own")),
            ("id", json!("one?wait=1")),
            ("id", json!("one HTTP/1.1")),
            ("id", json!("a".repeat(65))),
            ("origin", json!("https://ria.ee/")),
            ("since", json!("1")),
            ("more", json!(1)),
        ] {
            let mut wrong = right.clone();
            wrong[member] = value;
            fs::write(&file.0, wrong.to_string()).unwrap();
            assert_eq!(file.read(), None, "{wrong}");
        }
        for wrong in [
            String::new(),
            right.to_string()[1..].to_owned(),
            " ".repeat(4096) + &right.to_string(),
        ] {
            fs::write(&file.0, &wrong).unwrap();
            assert_eq!(file.read(), None, "{wrong}");
        }
    }

    #[test]
    fn an_older_question_of_the_same_origin_gives_way_and_no_other() {
        let second = 1_000_000_000;
        let origin: Origin = "https://ria.ee".parse().unwrap();
        let asked = Arrival(100 * second);
        for (since, gives_way) in [
            (0, true),
            (100 * second - 1, true),
            (100 * second, true),
            (100 * second + 1, false),
            (110 * second, false),
            // The clock was put back in between.
            (110 * second + 1, true),
            (i64::MAX, true),
            (i64::MIN, true),
        ] {
            assert_eq!(
                note("one", "https://ria.ee", since).gives_way_to(&origin, asked),
                gives_way,
                "{since}"
            );
        }
        for other in ["https://www.ria.ee", "https://ria.ee:8443", "http://localhost"] {
            assert!(!note("one", other, 0).gives_way_to(&origin, asked), "{other}");
        }
    }
}
