//! Nonces: how they come about, and which are thrown away.

use super::{digest_of, invert_mod_q, kinds, mul_mod_q, octets, q};
use crate::nonce::Nonces;
use crate::sign::sign;
use crate::{Algorithm, ParameterSet, SecretKey, Size};
use alloc::vec::Vec;
use elliptic_curve::bigint::{CheckedAdd, U256, U512};
use zeroize::Zeroizing;

/// Signs with the given nonces, one after the other, and says how many were used.
fn sign_with(set: ParameterSet, d: &U512, digest: &[u8], nonces: &[U512]) -> (crate::Signature, usize) {
    let mut used = 0;
    let mut next = || {
        used += 1;
        Zeroizing::new(octets(set.size(), &nonces[used - 1]))
    };
    let signature = sign(set.curve(), &octets(set.size(), d), digest, &mut next).unwrap();
    (signature, used)
}

#[test]
fn nonces_out_of_range_are_thrown_away() {
    for (algorithm, set) in kinds() {
        let q = q(set.curve());
        let digest = algorithm.digest(b"nonce");
        let d = U512::from_u8(7);
        let mut nonces = alloc::vec![U512::ZERO, q];
        nonces.extend(
            q.checked_add(&U512::ONE)
                .into_option()
                .filter(|n| n.bit_width_vartime() as usize <= 8 * set.size().bytes()),
        );
        nonces.push(q.wrapping_sub(&U512::from_u8(9)));
        let (signature, used) = sign_with(set, &d, &digest, &nonces);
        assert_eq!(used, nonces.len(), "{set}");
        assert_eq!(signature, sign_with(set, &d, &digest, &nonces[nonces.len() - 1..]).0);
    }
}

/// The base point of CryptoPro-C has x = 0, so the nonces 1 and q - 1 give r = 0.
#[test]
fn a_nonce_that_gives_r_zero_is_thrown_away() {
    for set in [
        ParameterSet::CryptoProC,
        ParameterSet::CryptoProXchB,
        ParameterSet::Tc26_256D,
    ] {
        let minus_one = q(set.curve()).wrapping_sub(&U512::ONE);
        let digest = Algorithm::Gost2012_256.digest(b"r");
        let nonces = [U512::ONE, minus_one, U512::from_u8(2)];
        assert_eq!(sign_with(set, &U512::from_u8(7), &digest, &nonces).1, 3);
    }
}

/// The digest e = -r·d/k gives s = 0 with the nonce k.
#[test]
fn a_nonce_that_gives_s_zero_is_thrown_away() {
    for (algorithm, set) in kinds() {
        let curve = set.curve();
        let q = q(curve);
        let (d, k, other) = (U512::from_u8(11), U512::from_u8(13), U512::from_u8(17));
        let (any, _) = sign_with(set, &d, &algorithm.digest(b"s"), &[k]);
        let r = super::from_be(any.r().as_ref());
        let e = q.wrapping_sub(&mul_mod_q(curve, &mul_mod_q(curve, &r, &d), &invert_mod_q(curve, &k)));
        let (signature, used) = sign_with(set, &d, &digest_of(set.size(), &e), &[k, other]);
        assert_eq!(used, 2, "{set}");
        let key = SecretKey::from_be_bytes(algorithm, set, octets(set.size(), &d).as_ref()).unwrap();
        key.public_key()
            .verify_digest(&digest_of(set.size(), &e), &signature)
            .unwrap();
    }
}

/// The `rfc6979` crate derives the same, for every q that fills its length (others it treats as DSA does).
#[test]
fn nonces_are_those_of_rfc_6979_with_the_curve_in_the_seed() {
    for set in ParameterSet::ALL
        .into_iter()
        .filter(|set| q(set.curve()).bit_width_vartime() as usize == 8 * set.size().bytes())
    {
        let q = q(set.curve());
        let d = octets(set.size(), &q.wrapping_sub(&U512::from_u8(99)));
        let number = octets(set.size(), &q.wrapping_sub(&U512::from_u8(5)));
        for randomness in [&[][..], &[7; 32]] {
            let data: Vec<u8> = [&[set.curve() as u8], randomness].concat();
            let mut ours = Nonces::new(set.curve(), &d, &number, randomness);
            let mut theirs = alloc::vec![0; set.size().bytes()];
            match set.size() {
                Size::Bits256 => {
                    let q: U256 = q.resize();
                    let (d, h) = (d.as_ref(), number.as_ref());
                    rfc6979::KGenerator::<streebog::Streebog256, U256>::new(d, h, &data, &q).fill_next_k(&mut theirs);
                }
                Size::Bits512 => {
                    let (d, h) = (d.as_ref(), number.as_ref());
                    rfc6979::KGenerator::<streebog::Streebog512, U512>::new(d, h, &data, &q).fill_next_k(&mut theirs);
                }
            }
            let ours = core::iter::repeat_with(|| ours.next())
                .find(|k| super::from_be((**k).as_ref()) < q && super::from_be((**k).as_ref()) != U512::ZERO)
                .unwrap();
            assert_eq!((*ours).as_ref(), theirs, "{set}");
        }
    }
}

/// Candidates have as many bits as q, so that few are thrown away and none is likelier than another.
#[test]
fn candidates_are_as_long_as_q() {
    for set in ParameterSet::ALL {
        let bits = q(set.curve()).bit_width_vartime();
        let one = octets(set.size(), &U512::ONE);
        let mut nonces = Nonces::new(set.curve(), &one, &one, &[]);
        let longest = (0..64)
            .map(|_| super::from_be((*nonces.next()).as_ref()).bit_width_vartime())
            .max();
        assert_eq!(longest, Some(bits), "{set}");
    }
}

#[test]
fn nonces_differ_by_key_digest_curve_and_randomness() {
    let of = |set: ParameterSet, d: u8, e: u8, randomness: &[u8]| {
        let [d, e] = [d, e].map(|n| octets(set.size(), &U512::from_u8(n)));
        (*Nonces::new(set.curve(), &d, &e, randomness).next()).as_ref().to_vec()
    };
    let (a, b) = (ParameterSet::CryptoProA, ParameterSet::CryptoProB);
    let all = [
        of(a, 1, 1, &[]),
        of(a, 2, 1, &[]),
        of(a, 1, 2, &[]),
        of(b, 1, 1, &[]),
        of(a, 1, 1, &[1; 32]),
        of(a, 1, 1, &[2; 32]),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|other| other != one));
    }
    assert_eq!(of(a, 1, 1, &[]), of(ParameterSet::Tc26_256B, 1, 1, &[]));
}

#[test]
fn signatures_repeat_only_when_asked_to() {
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let digest = algorithm.digest(b"again");
        assert_ne!(key.sign_digest(&digest).unwrap(), key.sign_digest(&digest).unwrap());
        let deterministic = key.sign_digest_deterministic(&digest).unwrap();
        assert_eq!(deterministic, key.sign_digest_deterministic(&digest).unwrap());
        key.public_key().verify_digest(&digest, &deterministic).unwrap();
    }
}
