//! The agent's check of its own card: no evidence leaves that a portal would not find right (invariant 11).

use gost3410::PublicKey;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::family::Evidence;
use super::super::tlv::encode;
use super::crypto::gost;
use super::cvc::{Certificate, Holder};
use super::identity::Identity;
use super::kind::{Suite, Version};
use super::objects::{exactly, value};
use super::terminal::compressed;

/// In which order of octets the holder's signature came ([UNKNOWN] of real cards).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// `r || s`, each little-endian, as everything else of v1.1.
    LittleEndian,
    /// `r || s`, each big-endian.
    BigEndian,
}

/// Evidence that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Of the holder's signature, where there is one.
    pub(crate) order: Option<Order>,
}

/// Checks that the evidence is the agreed card's and about the statement; what is wrong, where it is not.
pub(crate) fn check(evidence: &Evidence, agreed: &[u8], statement: &[u8]) -> Result<Checked, &'static str> {
    if evidence.certificate != agreed {
        return Err("another card's certificate came");
    }
    let certificate = Certificate::read(agreed).map_err(|malformed| malformed.0)?;
    if certificate.holder != Holder::Application || certificate.version.byte() != evidence.version {
        return Err("the certificate is not of an application of this version");
    }
    let digest = certificate.suite.hash(statement);
    check_message(&certificate, evidence, &digest)?;
    check_cryptogram(&certificate, &evidence.message, &evidence.cryptogram)?;
    if let Some(data) = &evidence.data {
        let identity = Identity::read(data).ok_or("the holder's data are not what their tags say")?;
        if identity.snils.is_some() && identity.snils != certificate.snils() {
            return Err("the holder's data name another SNILS than the card's certificate");
        }
    }
    let order = match &evidence.holder {
        None => None,
        Some(holder) => {
            let first = holder
                .certificates
                .first()
                .ok_or("the holder's certificate is missing")?;
            Some(holders_order(first, &digest, &holder.signature)?)
        }
    };
    Ok(Checked { order })
}

/// Whether the card that made the cryptogram over the message has the certificate's key.
pub(super) fn check_cryptogram(
    certificate: &Certificate,
    message: &[u8],
    cryptogram: &[u8],
) -> Result<(), &'static str> {
    match certificate.signed(&signed_bytes(certificate, message)?, cryptogram) {
        true => Ok(()),
        false => Err("the cryptogram does not fit the card's certificate"),
    }
}

/// The objects in their order, each once; the statement's digest and the terminal's name are the right ones.
fn check_message(certificate: &Certificate, evidence: &Evidence, digest: &[u8]) -> Result<(), &'static str> {
    let order: &[u32] = match certificate.version {
        Version::V11 => &[
            0x9F15, 0x9F37, 0x9F21, 0x9F03, 0xDF02, 0x9F1C, 0x9F1D, 0x9F36, 0x9F35, 0xDF28,
        ],
        Version::V10 => &[0x9F15, 0x9F1C, 0x9F37, 0x9F21, 0x9F03, 0xDF02, 0x9F36, 0x9F35],
    };
    let objects = exactly(&evidence.message, order.len()).ok_or("the message is no data objects")?;
    if !objects.iter().map(|object| object.tag).eq(order.iter().copied()) {
        return Err("the message has not its objects in their order");
    }
    if value(&objects, 0xDF02) != Some(digest) {
        return Err("the message is about another statement");
    }
    let Some(terminal) = &evidence.terminal else {
        return Ok(());
    };
    let terminal = Certificate::read(terminal).map_err(|malformed| malformed.0)?;
    let key = compressed(&terminal.key);
    let names = value(&objects, 0x9F1C) == Some(&terminal.subject)
        && (certificate.version == Version::V10 || value(&objects, 0x9F1D) == Some(&key));
    names.then_some(()).ok_or("the message names another terminal")
}

/// What the cryptogram is over: the message; of v1.0 with GOST, what stands before 9F36 in a template 5F70 (section 5.3).
fn signed_bytes(certificate: &Certificate, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    if (certificate.version, certificate.suite) != (Version::V10, Suite::Gost) {
        return Ok(message.to_vec());
    }
    let objects = exactly(message, 8).ok_or("the message is no data objects")?;
    let before = objects.iter().take_while(|object| object.tag != 0x9F36);
    let length = before.map(|object| object.whole.len()).sum();
    let (before, after) = message.split_at(length);
    Ok([encode(0x5F70, before), after.to_vec()].concat())
}

/// Tries both orders of octets with the holder's key.
fn holders_order(certificate: &[u8], digest: &[u8], signature: &[u8]) -> Result<Order, &'static str> {
    let unread = "the holder's certificate is no X.509 certificate with a GOST key";
    let (_, read) = X509Certificate::from_der(certificate).map_err(|_| unread)?;
    let key = PublicKey::from_spki_der(read.public_key().raw).map_err(|_| unread)?;
    let fits = |version| gost::verify_digest(version, &key, digest, signature);
    match (fits(Version::V11), fits(Version::V10)) {
        (true, _) => Ok(Order::LittleEndian),
        (_, true) => Ok(Order::BigEndian),
        _ => Err("the holder's signature fits the certificate in neither order of octets"),
    }
}
