//! The files of `[uec]`, read with the care that secrets get elsewhere.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::cvc::{Certificate, Holder};
use super::{Mistake, TerminalKey, read_key};
use crate::config::PlacedPath;

/// The longest file that is read, bytes.
const LONGEST: u64 = 16 * 1024;

/// What is wrong with the file that stands there.
pub(super) fn mistake(at: &PlacedPath, what: &str) -> Mistake {
    let line = at.line.map(|line| format!("line {line}, ")).unwrap_or_default();
    Mistake(format!("[uec], {line}{}: {what}", at.path.display()))
}

/// A CV certificate of this holder, as bytes.
pub(super) fn certificate(at: &PlacedPath, holder: Holder) -> Result<Certificate, Mistake> {
    let (bytes, _) = read(&at.path).map_err(|why| mistake(at, &why))?;
    let certificate = Certificate::read(&bytes).map_err(|why| mistake(at, &why.to_string()))?;
    match certificate.holder == holder {
        true => Ok(certificate),
        false => {
            let what = format!("it is the certificate of {}, not of {holder}", certificate.holder);
            Err(mistake(at, &what))
        }
    }
}

/// A private key, PKCS#8 in DER or PEM, that nobody else can read.
pub(super) fn key(at: &PlacedPath) -> Result<TerminalKey, Mistake> {
    let (bytes, meta) = read(&at.path).map_err(|why| mistake(at, &why))?;
    if meta.mode() & 0o077 != 0 {
        return Err(mistake(
            at,
            "it is a secret and others may read or write it; chmod 600 it",
        ));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(mistake(at, "it is a secret and belongs to another user"));
    }
    let none = || {
        mistake(
            at,
            "it is no private key in PKCS#8 (DER, or PEM with BEGIN PRIVATE KEY)",
        )
    };
    let der = match bytes.starts_with(b"-----") {
        false => bytes,
        true => {
            let (label, der) = der::pem::decode_vec(&bytes).map_err(|_| none())?;
            let der = Zeroizing::new(der);
            if label != "PRIVATE KEY" {
                return Err(none());
            }
            der
        }
    };
    read_key(der).ok_or_else(none)
}

/// The whole file, wiped after; no link is followed at its end.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, std::fs::Metadata), String> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| format!("it cannot be opened: {error}"))?;
    let meta = file.metadata().map_err(|error| format!("it cannot be read: {error}"))?;
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if meta.len() > LONGEST {
        return Err("it is too long".to_owned());
    }
    // As large as the file from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(meta.len() as usize + 1));
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    Ok((bytes, meta))
}
