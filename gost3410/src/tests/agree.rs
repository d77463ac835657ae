//! Key agreement: both sides come to the same point, on every curve; published numbers; what is refused.

use super::{hex, kinds, octets, q};
use crate::octets::Octets;
use crate::{Algorithm, Error, ParameterSet, PublicKey, SecretKey, sign};
use alloc::vec::Vec;
use elliptic_curve::bigint::U512;
use zeroize::Zeroizing;

fn seq(first: u8, length: u8) -> Vec<u8> {
    (first..first + length).collect()
}

#[test]
fn both_sides_agree_and_a_third_does_not() {
    for (algorithm, set) in kinds() {
        let [alice, bob, eve] = [0; 3].map(|_| SecretKey::generate(algorithm, set).unwrap());
        let ukm = seq(1, 8);
        let shared = alice.agree(bob.public_key(), &ukm).unwrap().to_x509();
        assert_eq!(shared, bob.agree(alice.public_key(), &ukm).unwrap().to_x509());
        assert_ne!(shared, eve.agree(alice.public_key(), &ukm).unwrap().to_x509());
        assert_ne!(shared, alice.agree(bob.public_key(), &[1]).unwrap().to_x509());
        // What they agree on is a point of the group.
        PublicKey::from_x509(algorithm, set, &shared).unwrap();
    }
}

#[test]
fn one_times_a_base_point_is_the_public_key() {
    for (algorithm, set) in kinds() {
        let mut one = Vec::from([1]);
        one.resize(set.size().bytes(), 0);
        let one = SecretKey::from_le_bytes(algorithm, set, &one).unwrap();
        let key = SecretKey::generate(algorithm, set).unwrap();
        // On curves of 4·q points VKO multiplies by 4.
        let cofactor = match set {
            ParameterSet::Tc26_256A | ParameterSet::Tc26_512C => 4u8,
            _ => 1,
        };
        let quarter = super::invert_mod_q(set.curve(), &U512::from(cofactor));
        let mut quarter = octets(set.size(), &quarter);
        quarter.as_mut().reverse();
        let point = key.agree(one.public_key(), quarter.as_ref()).unwrap();
        assert_eq!(*point.to_x509(), key.public_key().to_x509(), "{}", set.name());
    }
}

#[test]
fn what_cannot_be_agreed_on_is_refused() {
    let make = |set| SecretKey::generate(Algorithm::Gost2001, set).unwrap();
    let (a, b) = (make(ParameterSet::CryptoProA), make(ParameterSet::CryptoProB));
    assert_eq!(a.agree(b.public_key(), &[1]).err(), Some(Error::CurveMismatch));
    for ukm in [&[][..], &[0; 32], &[1; 33]] {
        assert_eq!(a.agree(a.public_key(), ukm).err(), Some(Error::UkmRange));
    }
    let mut order = octets(
        a.public_key().parameter_set().size(),
        &q(a.public_key().parameter_set().curve()),
    );
    order.as_mut().reverse();
    assert_eq!(a.agree(a.public_key(), order.as_ref()).err(), Some(Error::UkmRange));
    let exchange = make(ParameterSet::CryptoProXchA);
    a.agree(exchange.public_key(), &[1]).unwrap();
}

/// Numbers that pygost 5.11 computed: a terminal and a card of the universal electronic card, both of its encodings.
#[test]
fn an_independent_implementation_has_the_same_numbers() {
    let le = |number: &[u8]| SecretKey::from_le_bytes(Algorithm::Gost2001, ParameterSet::CryptoProA, number).unwrap();
    let be = |number: &[u8]| SecretKey::from_be_bytes(Algorithm::Gost2001, ParameterSet::CryptoProA, number).unwrap();
    let (terminal, card) = (le(&seq(1, 32)), le(&seq(0x21, 32)));
    let randoms = [seq(0xa0, 16), seq(0xb0, 16)].concat();
    let digest = Algorithm::Gost2001.digest(&randoms);
    let point = terminal.agree(card.public_key(), &digest[..8]).unwrap();
    assert_eq!(
        Algorithm::Gost2001.digest(&point.to_x509()),
        hex("0A4D79B1216DAF0DCEE06B9420971D133F552FA2004FFCEFB5EB137F2D10AD16")
    );
    let signature = with_nonce(&terminal, &digest, Octets::from_le);
    assert_eq!(
        signature.to_cryptoapi(),
        hex(concat!(
            "C59077DC4DD7E1B4632DE0F5177D39CD7F5DF39DD4ADEA62109A3FE173FFC97D",
            "A4035FE353B434F687017920172D8B4B5D4D1D856B64E315655C9445F966E5BB"
        ))
    );

    let (ephemeral, card) = (be(&seq(0x61, 32)), be(&seq(0x21, 32)));
    assert_eq!(
        ephemeral.agree(card.public_key(), &[1]).unwrap().to_x_y()[..32],
        hex("4F27CF57FD64269E7A6375ADB5E3407BF6779DE233167D7ED67E9ED5F6781C5E")
    );
    let x_y = ephemeral.public_key().to_x_y();
    let mut signed = [seq(0xb0, 8), Vec::from([2 + (x_y[63] & 1)]), x_y[..32].to_vec()].concat();
    assert_eq!(
        signed[8..],
        hex("039DFC9AD7DD00AE2DFB5E9B14AADD482CF7A5F584E6498A272ABECE3DA7560DD1")
    );
    signed = Algorithm::Gost2001.digest(&signed);
    signed.reverse();
    assert_eq!(
        with_nonce(&be(&seq(1, 32)), &signed, Octets::from_be).to_r_s(),
        hex(concat!(
            "68F5E4AC5DFC51D37C77BAC4C83A800B2A5C5A76C574012BE89996B08FAD4483",
            "59CE6F85CC523D1ED51CAE5AB04142A02FAF2809ED246318B7ABABD7824F77A9"
        ))
    );
}

/// Signs with the nonce 41 42 … 60, read by `read`.
fn with_nonce(
    key: &SecretKey,
    digest: &[u8],
    read: fn(crate::Size, &[u8]) -> Result<Octets, Error>,
) -> crate::Signature {
    let set = key.public_key().parameter_set();
    let nonce = read(set.size(), &seq(0x41, 32)).unwrap();
    let mut next = || Zeroizing::new(nonce.clone());
    sign::sign(set.curve(), key.secret(), digest, &mut next).unwrap()
}
