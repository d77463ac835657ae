//! Security environment, VERIFY, signature: in the order of the family, once or anew for each input.

use plugin_protocol::HashFunction;

use super::super::apdu::{Command, Le, Link, Secret};
use super::super::error::{CardError, PinFailure};
use super::super::pin::{PinSource, PinSpec};
use super::super::tlv;
use super::super::transport::Protocol;
use super::key::Key;
use super::locate::{Found, malformed};
use super::{Input, KeyKind, KeyProfile, Order, Output, Profile, SlotProfile, Step, Way, counter, select};
use crate::token::pkcs11::digest_info;
use crate::token::{Mechanism, SignData, SignInput};

/// What a key makes on a card of this version.
pub(super) fn mechanisms(profile: &KeyProfile, key: Option<Key>, version: u8) -> Vec<Mechanism> {
    let Some(key) = key.filter(|key| !key.is_weak()) else {
        return Vec::new();
    };
    let ways = profile.ways.iter().filter(|way| fits(way, key, version));
    ways.flat_map(|way| {
        way.hashes.iter().map(|(hash, _)| Mechanism {
            scheme: way.scheme,
            hash: *hash,
            digest: true,
        })
    })
    .collect()
}

/// Whether a way is for this key: known to the card, of its kind, and of its size where the input's length is fixed.
fn fits(way: &Way, key: Key, version: u8) -> bool {
    version >= way.since && way.key == key.kind && !matches!(way.input, Input::Fixed(length) if length != key.size)
}

/// A signature to make, ready for the card.
pub(super) struct Prepared {
    way: &'static Way,
    algorithm: u8,
    data: Vec<u8>,
}

/// Finds the way for an input, before anything is spent on it.
pub(super) fn prepare(profile: &KeyProfile, key: Key, version: u8, input: &SignInput) -> Result<Prepared, CardError> {
    let SignInput { scheme, hash, data } = input;
    let unsupported = || CardError::Unsupported(format!("{scheme:?} with {hash:?} is not for this key"));
    let ways = profile
        .ways
        .iter()
        .filter(|way| way.scheme == *scheme && fits(way, key, version));
    let (way, algorithm) = ways
        .flat_map(|way| way.hashes.iter().map(move |(hash, algorithm)| (way, hash, algorithm)))
        .find_map(|(way, offered, algorithm)| (offered == hash).then_some((way, *algorithm)))
        .ok_or_else(unsupported)?;
    let digest = match data {
        SignData::Message(message) => hash.digest(message),
        SignData::Digest(digest) if digest.len() == hash.length() => digest.clone(),
        SignData::Digest(digest) => {
            let why = format!("a digest of {} bytes is none of {hash:?}", digest.len());
            return Err(CardError::Unsupported(why));
        }
    };
    let data = shaped(way.input, *hash, digest, key.size).ok_or_else(unsupported)?;
    Ok(Prepared { way, algorithm, data })
}

fn shaped(input: Input, hash: HashFunction, mut digest: Vec<u8>, size: usize) -> Option<Vec<u8>> {
    match input {
        Input::Hash => Some(digest),
        Input::Fixed(length) => {
            digest.truncate(length);
            let mut block = vec![0; length - digest.len()];
            block.extend(digest);
            Some(block)
        }
        Input::DigestInfo => digest_info(hash, &digest),
        Input::Pkcs1Block => pkcs1_block(&digest_info(hash, &digest)?, size),
    }
}

/// `00 01 FF… 00 <DigestInfo>`, as long as the modulus (RFC 8017, 9.2); eight bytes of FF at least.
fn pkcs1_block(info: &[u8], size: usize) -> Option<Vec<u8>> {
    let filling = size.checked_sub(info.len() + 3).filter(|filling| *filling >= 8)?;
    Some([&[0x00, 0x01][..], &vec![0xFF; filling], &[0x00], info].concat())
}

/// A PIN that one script may need more than once: written once, wiped when the script ends.
enum Entry {
    Block(Secret),
    Pad,
}

impl Entry {
    /// Refused here where it is no PIN of this card.
    fn of(spec: &PinSpec, pin: PinSource) -> Result<Self, CardError> {
        match pin {
            PinSource::Typed(pin) => Ok(Self::Block(spec.block(&pin).map_err(CardError::Pin)?)),
            PinSource::Pad => Ok(Self::Pad),
        }
    }

    fn verify(&self, spec: &PinSpec, link: &mut Link<'_>) -> Result<(), CardError> {
        match self {
            Self::Block(block) => link.verify_block(spec, Secret::new(block.expose().to_vec())),
            Self::Pad => link.verify(spec, PinSource::Pad),
        }
    }
}

/// Everything that a script of signatures needs to know.
pub(super) struct Script<'a> {
    pub(super) profile: &'a Profile,
    pub(super) slot: &'a SlotProfile,
    pub(super) key: &'a KeyProfile,
    pub(super) found: &'a Found,
    pub(super) size: Key,
}

impl Script<'_> {
    /// Signs every input; the first refusal ends it, so that one try is spent at most.
    pub(super) fn run(
        &self,
        inputs: &[Prepared],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError> {
        let pin = Entry::of(&self.slot.pin, pin)?;
        select::go(link, self.key.sign_at)?;
        let mut environment = None;
        let mut signatures = Vec::with_capacity(inputs.len());
        for input in inputs {
            self.open(&pin, input, &mut environment, link)?;
            let mut signature = self.sign(input, link)?;
            if self.profile.reversed {
                signature.reverse();
            }
            signatures.push(finished(input.way.output, self.size, signature)?);
        }
        Ok(signatures)
    }

    /// Sets the environment and verifies the PIN, as far as the signature before did not leave them so.
    fn open(
        &self,
        pin: &Entry,
        input: &Prepared,
        environment: &mut Option<(u8, u8)>,
        link: &mut Link<'_>,
    ) -> Result<(), CardError> {
        let wanted = (input.way.template, input.algorithm);
        let first = environment.is_none();
        let set = self.key.each_time || *environment != Some(wanted);
        *environment = Some(wanted);
        match self.profile.order {
            Order::MseFirst if set => {
                self.environment(wanted, link)?;
                self.verify(pin, link)
            }
            Order::VerifyFirst if set => {
                if first || self.key.each_time {
                    self.verify(pin, link)?;
                }
                self.environment(wanted, link)
            }
            Order::MseFirst | Order::VerifyFirst => Ok(()),
        }
    }

    /// VERIFY, and what the family's card wants to be asked or told after a refusal. Never a second one.
    fn verify(&self, pin: &Entry, link: &mut Link<'_>) -> Result<(), CardError> {
        let logout = self.profile.logout;
        match (pin.verify(&self.slot.pin, link), logout) {
            (Err(CardError::Pin(PinFailure::Wrong(None))), _) => {
                Err(CardError::Pin(match counter::after_wrong(self.slot, link) {
                    Some(0) => PinFailure::Blocked,
                    left => PinFailure::Wrong(left),
                }))
            }
            (Err(CardError::Refused(_, status)), Some(logout)) if status.0 == logout.status => {
                let [cla, ins, p1, p2] = logout.command;
                link.expect("the end of another program's login", &Command::new(cla, ins, p1, p2))?;
                Err(CardError::InUse)
            }
            (result, _) => result,
        }
    }

    /// MSE SET (ISO/IEC 7816-4, 11.5.11) for signing, with the key's file selected where it has one.
    fn environment(&self, (template, algorithm): (u8, u8), link: &mut Link<'_>) -> Result<(), CardError> {
        if let Some(file) = &self.found.file {
            link.set_place(Vec::new());
            link.expect("SELECT of the key", &select::by_path(file))?;
        }
        let body = (self.profile.mse)(algorithm, self.found.reference);
        let command = Command::new(0x00, 0x22, 0x41, template).with(body);
        link.expect("MSE SET", &command).map(|_| ())
    }

    fn sign(&self, input: &Prepared, link: &mut Link<'_>) -> Result<Vec<u8>, CardError> {
        let mut data = input.data.clone();
        if self.profile.reversed {
            data.reverse();
        }
        let compute = || Command::new(0x00, 0x2A, 0x9E, 0x9A);
        let signing = "the signature";
        match input.way.step {
            Step::InternalAuthenticate => {
                let command = Command::new(0x00, 0x88, 0x00, 0x00).with(data);
                link.expect(signing, &command.wanting(Le::Max))
            }
            Step::Compute => link.expect(signing, &compute().with(data).wanting(Le::Max)),
            Step::HashThenCompute => {
                let hash = Command::new(0x00, 0x2A, 0x90, 0xA0).with(tlv::encode(0x90, &data));
                link.expect("PSO HASH", &hash)?;
                // Under T=0 the exact length saves a 6Cxx; what is longer comes in parts.
                let le = match (link.protocol(), self.size.signature()) {
                    (Protocol::T0, length @ 1..=256) => Le::Exactly(length),
                    _ => Le::Max,
                };
                link.expect(signing, &compute().wanting(le))
            }
        }
    }
}

/// A signature as it is handed out.
fn finished(output: Output, key: Key, signature: Vec<u8>) -> Result<Vec<u8>, CardError> {
    let length = signature.len();
    let raw = match (output, key.kind) {
        (Output::Der, KeyKind::Ec) => raw(&signature, key.size),
        _ => Some(signature).filter(|signature| signature.len() == key.signature()),
    };
    let wrong = || format!("{length} bytes are no signature of this key");
    raw.ok_or_else(|| malformed("the signature", wrong()))
}

/// `r || s` of SEQUENCE { r, s } (RFC 3279, 2.2.3), each of the order's length.
pub(in crate::token::card) fn raw(der: &[u8], half: usize) -> Option<Vec<u8>> {
    let sequence = tlv::first(der).filter(|sequence| sequence.tag == 0x30)?;
    let numbers = tlv::all(sequence.value).ok()?;
    let [r, s] = numbers.as_slice() else { return None };
    let mut raw = Vec::with_capacity(2 * half);
    for number in [r, s] {
        let zeros = number.value.iter().take_while(|byte| **byte == 0).count();
        let digits = number.value.get(zeros..)?;
        let filling = half.checked_sub(digits.len()).filter(|_| number.tag == 0x02)?;
        raw.resize(raw.len() + filling, 0);
        raw.extend(digits);
    }
    Some(raw)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::testing::unhex;
    use super::*;

    #[test]
    fn der_becomes_two_numbers_of_the_orders_length() {
        let of = |text: &str| raw(&unhex(text), 4);
        // Shorter than the order; with the zero that keeps a number positive; as long as it.
        assert_eq!(of("3008 0202 0102 0202 7FFF").unwrap(), unhex("00000102 00007FFF"));
        assert_eq!(
            of("300B 0205 00FFFFFFFF 0202 0001").unwrap(),
            unhex("FFFFFFFF 00000001")
        );
        for wrong in [
            // Longer than the order, one number, three, not numbers, cut off, nothing.
            "300C 0206 00AAFFFFFFFF 0202 0001",
            "3004 0202 0102",
            "300C 0202 0102 0202 7FFF 0202 0001",
            "3008 0402 0102 0202 7FFF",
            "3009 0202 0102 0202 7FFF",
            "",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn digests_are_shaped_as_the_card_takes_them() {
        use HashFunction::{Sha256, Sha512, Streebog256};
        let fixed = |hash: HashFunction| shaped(Input::Fixed(48), hash, vec![0xAB; hash.length()], 48).unwrap();
        assert_eq!(fixed(Sha256), [vec![0; 16], vec![0xAB; 32]].concat());
        assert_eq!(fixed(Sha512), [0xAB; 48]);
        assert_eq!(shaped(Input::Hash, Sha256, vec![1; 32], 32).unwrap(), [1; 32]);
        assert_eq!(shaped(Input::DigestInfo, Sha256, vec![1; 32], 256).unwrap().len(), 51);
        assert_eq!(shaped(Input::DigestInfo, Streebog256, vec![1; 32], 256), None);
        let block = shaped(Input::Pkcs1Block, Sha256, vec![1; 32], 256).unwrap();
        assert_eq!((block.len(), &block[..3]), (256, &[0x00, 0x01, 0xFF][..]));
        assert_eq!(block[203..207], [0xFF, 0x00, 0x30, 0x31]);
        // No room for eight bytes of filling.
        assert_eq!(shaped(Input::Pkcs1Block, Sha256, vec![1; 32], 61), None);
        assert!(shaped(Input::Pkcs1Block, Sha256, vec![1; 32], 62).is_some());
    }
}
