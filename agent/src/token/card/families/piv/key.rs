//! The keys of the application, what they sign with, and how (SP 800-78-4; part 2, 3.2.4 and appendix A).

use std::fmt;
use std::str::FromStr;

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::padding;
use crate::certificate::Role;
use crate::token::card::apdu::{Command, Le};
use crate::token::card::error::CardError;
use crate::token::card::tlv;
use crate::token::{Credential, Mechanism, SignData, SignInput};

/// A key reference (part 1, table 4b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyReference {
    /// 9A, PIV authentication.
    Authentication,
    /// 9C, digital signature.
    Signature,
}

impl KeyReference {
    pub(super) const ALL: [Self; 2] = [Self::Authentication, Self::Signature];

    /// Its number on the wire.
    const fn byte(self) -> u8 {
        match self {
            Self::Authentication => 0x9A,
            Self::Signature => 0x9C,
        }
    }

    /// As the standard writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "9A",
            Self::Signature => "9C",
        }
    }

    /// The tag of its certificate's object (part 1, table 3).
    pub(super) const fn certificate(self) -> &'static [u8] {
        match self {
            Self::Authentication => &[0x5F, 0xC1, 0x05],
            Self::Signature => &[0x5F, 0xC1, 0x0A],
        }
    }

    /// "PIN Always": any command between VERIFY and the key's use takes the consent back.
    pub(super) const fn wants_pin_each_time(self) -> bool {
        matches!(self, Self::Signature)
    }

    const fn role(self) -> Role {
        match self {
            Self::Authentication => Role::Authentication,
            Self::Signature => Role::Signing,
        }
    }
}

/// A kind of key: its algorithm identifier (SP 800-78-4, table 6-2), and the length of what goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Algorithm {
    identifier: u8,
    /// Bytes of the modulus, or of the curve's field.
    length: usize,
    elliptic: bool,
}

const fn rsa(identifier: u8, length: usize) -> Algorithm {
    Algorithm {
        identifier,
        length,
        elliptic: false,
    }
}

const fn curve(identifier: u8, length: usize) -> Algorithm {
    Algorithm {
        identifier,
        length,
        elliptic: true,
    }
}

/// The kinds that are used; RSA 1024 (06) is too short. 05 is of SP 800-78-5, 16 Yubico's.
const ALGORITHMS: [Algorithm; 5] = [
    rsa(0x07, 256),
    rsa(0x05, 384),
    rsa(0x16, 512),
    curve(0x11, 32),
    curve(0x14, 48),
];

impl Algorithm {
    /// Of the key in a certificate; `None` of a kind that is not used, the error of what is no certificate.
    fn of(certificate: &[u8]) -> Option<Option<Self>> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let key = certificate.public_key();
        let parameters = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let (elliptic, length) = match (key.parsed(), parameters.map(|oid| oid.to_id_string()).as_deref()) {
            (Ok(PublicKey::RSA(key)), _) => {
                let zeros = key.modulus.iter().take_while(|byte| **byte == 0).count();
                (false, key.modulus.len() - zeros)
            }
            (Ok(PublicKey::EC(_)), Some("1.2.840.10045.3.1.7")) => (true, 32),
            (Ok(PublicKey::EC(_)), Some("1.3.132.0.34")) => (true, 48),
            _ => return Some(None),
        };
        let known = ALGORITHMS.into_iter();
        Some(
            known
                .into_iter()
                .find(|known| known.elliptic == elliptic && known.length == length),
        )
    }

    /// Everything is hashed and padded here: digests are as good as messages.
    fn mechanisms(self) -> Vec<Mechanism> {
        let schemes: &[_] = if self.elliptic { &[Ecdsa] } else { &[RsaPkcs1, RsaPss] };
        let hashes = [Sha256, Sha384, Sha512];
        let all = schemes.iter().flat_map(|scheme| hashes.map(|hash| (*scheme, hash)));
        all.map(|(scheme, hash)| Mechanism {
            scheme,
            hash,
            digest: true,
        })
        .collect()
    }
}

/// The certificate with its key; `None`, and a line in the log, where the object holds something else.
pub(super) fn credential(reference: KeyReference, certificate: Vec<u8>) -> Option<Credential> {
    let Some(algorithm) = Algorithm::of(&certificate) else {
        tracing::warn!(key = reference.name(), "what PIV keeps as a certificate is none");
        return None;
    };
    let key = match algorithm {
        Some(algorithm) => Key { reference, algorithm }.to_string(),
        None => reference.name().to_owned(),
    };
    Some(Credential {
        key,
        certificate,
        intermediates: Vec::new(),
        mechanisms: algorithm.map(Algorithm::mechanisms).unwrap_or_default(),
        role: Some(reference.role()),
    })
}

/// A key that signs: "9A/11" to the rest of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) reference: KeyReference,
    algorithm: Algorithm,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:02X}", self.reference.name(), self.algorithm.identifier)
    }
}

impl FromStr for Key {
    type Err = CardError;

    fn from_str(text: &str) -> Result<Self, CardError> {
        let pairs = KeyReference::ALL
            .into_iter()
            .flat_map(|reference| ALGORITHMS.map(|algorithm| Self { reference, algorithm }));
        let mut keys = pairs.into_iter();
        let found = keys.find(|key| key.to_string() == text);
        found
            .ok_or_else(|| CardError::Unsupported(format!("the key {text} of this card is of a kind that is not used")))
    }
}

impl Key {
    /// What the card is given: the padded block, or the digest as long as the curve's field.
    pub(super) fn input(self, input: &SignInput) -> Result<Vec<u8>, CardError> {
        let digest = match &input.data {
            SignData::Message(message) => input.hash.digest(message),
            SignData::Digest(digest) => digest.clone(),
        };
        let length = self.algorithm.length;
        let block = match (input.scheme, self.algorithm.elliptic) {
            _ if input.hash.is_streebog() || digest.len() != input.hash.length() => None,
            (Ecdsa, true) => Some(leftmost(&digest, length)),
            (RsaPkcs1, false) => padding::pkcs1(input.hash, &digest, length),
            (RsaPss, false) => padding::pss(input.hash, &digest, length),
            _ => None,
        };
        block.ok_or_else(|| {
            let key = self.reference.name();
            CardError::Unsupported(format!(
                "{:?} with {:?} is not for the key {key}",
                input.scheme, input.hash
            ))
        })
    }

    /// GENERAL AUTHENTICATE with `7C { 82 00, 81 input }`.
    pub(super) fn command(self, input: &[u8]) -> Command {
        let inside = [tlv::encode(0x82, &[]), tlv::encode(0x81, input)].concat();
        Command::new(0x00, 0x87, self.algorithm.identifier, self.reference.byte())
            .with(tlv::encode(0x7C, &inside))
            .wanting(Le::Max)
    }

    /// The signature out of `7C { 82 … }`: as long as the modulus, or `r || s`.
    pub(super) fn signature(self, answer: &[u8]) -> Result<Vec<u8>, CardError> {
        let malformed = |why: String| CardError::Malformed("GENERAL AUTHENTICATE", why);
        let length = self.algorithm.length;
        let found =
            tlv::find(answer, &[0x7C, 0x82]).ok_or_else(|| malformed("there is no signature in it".to_owned()))?;
        match self.algorithm.elliptic {
            true => raw(found, length).ok_or_else(|| malformed("it is no ECDSA signature in DER".to_owned())),
            false if found.len() == length => Ok(found.to_vec()),
            false => Err(malformed(format!(
                "the signature has {} bytes, not {length}",
                found.len()
            ))),
        }
    }
}

/// The integer that ECDSA makes of a digest (FIPS 186-5, 6.4.1): its leftmost bits, or zeros before a short one.
fn leftmost(digest: &[u8], length: usize) -> Vec<u8> {
    let digest = digest.get(..length).unwrap_or(digest);
    [&vec![0; length - digest.len()][..], digest].concat()
}

/// `r || s` of `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279, 2.2.3), each of `length` bytes.
fn raw(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let sequence = tlv::first(der).filter(|tlv| tlv.tag == 0x30 && tlv.whole.len() == der.len())?;
    let r = tlv::first(sequence.value).filter(|tlv| tlv.tag == 0x02)?;
    let s = sequence.value.get(r.whole.len()..)?;
    let s = tlv::first(s).filter(|tlv| tlv.tag == 0x02 && tlv.whole.len() == s.len())?;
    let fixed = |integer: &[u8]| {
        let zeros = integer.iter().take_while(|byte| **byte == 0).count();
        let number = &integer[zeros..];
        let filling = length.checked_sub(number.len())?;
        (!number.is_empty()).then(|| [&vec![0; filling][..], number].concat())
    };
    Some([fixed(r.value)?, fixed(s.value)?].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::token::card::testing::unhex;

    #[test]
    fn signatures_in_der_become_two_numbers_of_the_fields_length() {
        let half = |last: u8| [vec![0; 31], vec![last]].concat();
        assert_eq!(
            raw(&unhex("3006 020101 020102"), 32).unwrap(),
            [half(1), half(2)].concat()
        );
        let high = [vec![0x80], vec![0; 31]].concat();
        let der = [unhex("3026 0221 00"), high.clone(), unhex("020101")].concat();
        assert_eq!(raw(&der, 32).unwrap(), [high, half(1)].concat());
        for wrong in [
            "",
            "3006 020101 0201",
            "3003 020101",
            "3009 020101 020102 020103",
            "3006 020101 020102 00",
            "3006 020100 020102",
            "3006 040101 020102",
            "3184 00000006 020101 020102",
        ] {
            assert_eq!(raw(&unhex(wrong), 32), None, "{wrong}");
        }
        let long = [unhex("3026 0221 01"), vec![0; 32], unhex("020101")].concat();
        assert_eq!(raw(&long, 32), None, "a number longer than the field");
    }

    #[test]
    fn keys_have_names_that_lead_back_to_them() {
        for reference in KeyReference::ALL {
            for algorithm in ALGORITHMS {
                let key = Key { reference, algorithm };
                assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
            }
        }
        for unknown in ["", "9A", "9A/06", "9E/11", "9C/11 "] {
            assert!(matches!(unknown.parse::<Key>(), Err(CardError::Unsupported(_))));
        }
    }

    #[test]
    fn digests_are_cut_and_filled_to_the_field() {
        assert_eq!(leftmost(&[1, 2, 3, 4], 2), [1, 2]);
        assert_eq!(leftmost(&[1, 2], 4), [0, 0, 1, 2]);
    }
}
