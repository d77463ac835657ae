//! What tells cards without a number apart, and tells nobody whose they are.
//!
//! Such a card is known again by its first certificate alone, and certificates of states are in public directories:
//! whoever had a plain hash in an id could hash a directory and read the holder's name off, before the person agreed to
//! anything. A mark is an HMAC-SHA-256 under a secret of this installation (RFC 2104): the same here for the same
//! certificate, over runs and programs, and nothing to anybody without the secret.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use plugin_protocol::encoding::hex;
use ring::hmac::{self, HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::private_file;

/// The secret's file in the state directory: its 32 bytes, mode 0600.
const FILE: &str = "card-marks.key";
/// As long as the hash: RFC 2104, section 3.
const LENGTH: usize = 32;
/// What the secret is used for, so that no other use of it could give the same.
const LABEL: &[u8] = b"eid-agent card mark 1\0";

/// Makes marks. The secret is read, or made, when the first is needed.
pub(super) struct Marks {
    state: Option<PathBuf>,
    key: Mutex<Option<hmac::Key>>,
}

impl Marks {
    /// With the secret of this state directory.
    pub(super) fn kept_in(state: &Path) -> Self {
        Self {
            state: Some(state.to_owned()),
            ..Self::passing()
        }
    }

    /// With a secret that ends with this.
    pub(super) fn passing() -> Self {
        Self {
            state: None,
            key: Mutex::new(None),
        }
    }

    /// A certificate's mark, hex; `None` where there is no secret to be had.
    pub(super) fn of(&self, certificate: &[u8]) -> Option<String> {
        let mut key = self.key.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = match &mut *key {
            Some(key) => key,
            none => none.insert(self.secret()?),
        };
        let mut mark = hmac::Context::with_key(key);
        mark.update(LABEL);
        mark.update(certificate);
        Some(hex(mark.sign().as_ref()))
    }

    /// The secret kept; where it cannot be, one for this run alone: ids then change, and tell as little.
    fn secret(&self) -> Option<hmac::Key> {
        let kept = self.state.as_deref().map(kept).transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, file = FILE, "cards without a number have other ids in the next run");
            None
        });
        let secret = kept.map_or_else(fresh, Ok).ok()?;
        Some(hmac::Key::new(HMAC_SHA256, &*secret))
    }
}

type Secret = Zeroizing<[u8; LENGTH]>;

/// The secret of a state directory; where there is none, or no whole one, it is made.
fn kept(state: &Path) -> io::Result<Secret> {
    let path = state.join(FILE);
    // It is replaced whole or not at all: what is there needs no lock, nor a directory that may be written to.
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    private_file::create_directory(state)?;
    // Another program of this agent may be making it.
    let _lock = private_file::lock(&path)?;
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    let secret = fresh()?;
    private_file::replace(&path, &*secret)?;
    Ok(secret)
}

/// What is in the file, if that is a secret: no more of it is read than a secret has.
fn read(path: &Path) -> io::Result<Option<Secret>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut secret = Zeroizing::new([0; LENGTH]);
    match file.read_exact(&mut *secret) {
        Ok(()) => Ok((file.read(&mut [0])? == 0).then_some(secret)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn fresh() -> io::Result<Secret> {
    let mut secret = Zeroizing::new([0; LENGTH]);
    let filled = SystemRandom::new().fill(&mut *secret);
    filled.map_err(|_| io::Error::other("the system gave no random bytes"))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn marks_stay_over_runs_and_are_another_installations_never() {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // What is missing is made, with the folder.
        let state = here.path().join("state");
        let mark = Marks::kept_in(&state).of(b"certificate").unwrap();
        assert_eq!(Marks::kept_in(&state).of(b"certificate").unwrap(), mark, "the next run");
        assert_ne!(Marks::kept_in(&state).of(b"another").unwrap(), mark);
        assert_ne!(Marks::kept_in(elsewhere.path()).of(b"certificate").unwrap(), mark);
        assert_ne!(Marks::passing().of(b"certificate").unwrap(), mark);

        let file = state.join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // The mark is what RFC 2104 says under the secret, and no mark without it.
        let key = hmac::Key::new(HMAC_SHA256, &std::fs::read(&file).unwrap());
        let message = [LABEL, b"certificate"].concat();
        assert_eq!(hex(hmac::sign(&key, &message).as_ref()), mark);
    }

    #[test]
    fn a_secret_that_is_cut_or_cannot_be_kept_costs_the_ids_and_nothing_else() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(FILE);
        let mut mark = String::new();
        for wrong in [0, LENGTH - 1, LENGTH + 1] {
            std::fs::write(&file, vec![0; wrong]).unwrap();
            let made = Marks::kept_in(state.path()).of(b"certificate").unwrap();
            assert_eq!(std::fs::read(&file).unwrap().len(), LENGTH);
            assert_ne!(made, mark, "{wrong}");
            mark = made;
        }

        // What is there is used while somebody else is at it.
        let _held = private_file::lock(&file).unwrap();
        assert_eq!(Marks::kept_in(state.path()).of(b"certificate").unwrap(), mark);

        // A file where the folder would be.
        let marks = Marks::kept_in(&file);
        let passing = marks.of(b"certificate").unwrap();
        assert_eq!(marks.of(b"certificate").unwrap(), passing, "for as long as it runs");
        assert_ne!(passing, mark);
    }
}
