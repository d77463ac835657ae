//! Signatures at the edges: ranges, infinity, digests that are zero, private keys that make the sums collide.

use super::{digest_of, invert_mod_q, kinds, mul_mod_q, octets, q};
use crate::{Algorithm, Error, ParameterSet, PublicKey, SecretKey, Signature, Size};
use alloc::vec::Vec;
use elliptic_curve::bigint::{CheckedAdd, U512};

fn key(algorithm: Algorithm, set: ParameterSet, d: &U512) -> SecretKey {
    SecretKey::from_be_bytes(algorithm, set, octets(set.size(), d).as_ref()).unwrap()
}

fn halves(signature: &Signature) -> (U512, U512) {
    (
        super::from_be(signature.r().as_ref()),
        super::from_be(signature.s().as_ref()),
    )
}

fn signature(size: Size, r: &U512, s: &U512) -> Signature {
    Signature::new(octets(size, r), octets(size, s))
}

/// The largest number of a length.
fn all_ones(size: Size) -> U512 {
    match size {
        Size::Bits256 => U512::MAX.shr_vartime(256),
        Size::Bits512 => U512::MAX,
    }
}

#[test]
fn r_and_s_out_of_range_are_refused() {
    for (algorithm, set) in kinds() {
        let (size, q) = (set.size(), q(set.curve()));
        let key = SecretKey::generate(algorithm, set).unwrap();
        let digest = algorithm.digest(b"range");
        let (r, s) = halves(&key.sign_digest(&digest).unwrap());
        let mut bad = alloc::vec![U512::ZERO, q, all_ones(size)];
        bad.extend(q.checked_add(&U512::ONE).into_option().filter(|n| *n <= all_ones(size)));
        bad.extend(q.checked_add(&r).into_option().filter(|n| *n <= all_ones(size)));
        bad.extend(q.checked_add(&s).into_option().filter(|n| *n <= all_ones(size)));
        for n in bad {
            for (r, s) in [(n, s), (r, n), (n, n)] {
                let refused = key.public_key().verify_digest(&digest, &signature(size, &r, &s));
                assert_eq!(refused, Err(Error::SignatureRange), "{set}");
            }
        }
    }
}

#[test]
fn negated_swapped_and_altered_halves_are_refused() {
    for (algorithm, set) in kinds() {
        let (size, q) = (set.size(), q(set.curve()));
        let key = SecretKey::generate(algorithm, set).unwrap();
        let digest = algorithm.digest(b"negative");
        let (r, s) = halves(&key.sign_digest(&digest).unwrap());
        let (minus_r, minus_s) = (q.wrapping_sub(&r), q.wrapping_sub(&s));
        let last = q.wrapping_sub(&U512::ONE);
        let one = U512::ONE;
        for (r, s) in [
            (minus_r, s),
            (r, minus_s),
            (minus_r, minus_s),
            (s, r),
            (one, one),
            (last, last),
            (one, last),
            (r, one),
            (one, s),
        ] {
            let refused = key.public_key().verify_digest(&digest, &signature(size, &r, &s));
            assert_eq!(refused, Err(Error::SignatureInvalid), "{set}");
        }
        assert_eq!(
            key.public_key().verify_digest(&digest, &signature(size, &r, &s)),
            Ok(())
        );
    }
}

/// s = r·d makes z1·G + z2·Q the point at infinity, which has no x; for a forger it would be any r he likes.
#[test]
fn a_sum_at_infinity_is_refused() {
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let d = super::from_be(&key.to_be_bytes());
        for r in [U512::ONE, U512::from_u8(2), q(set.curve()).wrapping_sub(&U512::ONE)] {
            let s = mul_mod_q(set.curve(), &r, &d);
            let refused = key
                .public_key()
                .verify_digest(&algorithm.digest(b"infinity"), &signature(set.size(), &r, &s));
            assert_eq!(refused, Err(Error::SignatureInvalid), "{set}");
        }
    }
}

/// RFC 7091 section 6.1, step 2: a digest that is zero modulo q stands for one.
#[test]
fn digests_that_are_zero_modulo_q_are_one() {
    for (algorithm, set) in kinds() {
        let (size, q) = (set.size(), q(set.curve()));
        let key = SecretKey::generate(algorithm, set).unwrap();
        let ones = [U512::ZERO, q, U512::ONE].map(|number| digest_of(size, &number));
        for signed in &ones {
            let signature = key.sign_digest(signed).unwrap();
            for verified in &ones {
                assert_eq!(key.public_key().verify_digest(verified, &signature), Ok(()), "{set}");
            }
            let two = digest_of(size, &U512::from_u8(2));
            assert_eq!(
                key.public_key().verify_digest(&two, &signature),
                Err(Error::SignatureInvalid),
                "{set}"
            );
        }
    }
}

#[test]
fn digests_above_q_are_reduced() {
    for (algorithm, set) in kinds() {
        let (size, q) = (set.size(), q(set.curve()));
        let key = SecretKey::generate(algorithm, set).unwrap();
        let high = all_ones(size);
        let low = high.rem_vartime(&q.to_nz().unwrap());
        let signature = key.sign_digest(&digest_of(size, &high)).unwrap();
        assert_eq!(
            key.public_key().verify_digest(&digest_of(size, &low), &signature),
            Ok(()),
            "{set}"
        );
        assert_eq!(
            key.public_key().verify_digest(&digest_of(size, &high), &signature),
            Ok(()),
            "{set}"
        );
    }
}

/// Q = ±G, ±2G, ±G/2: sums and tables meet equal and opposite points.
#[test]
fn private_keys_near_the_ends_work() {
    for (algorithm, set) in kinds() {
        let q = q(set.curve());
        let half = invert_mod_q(set.curve(), &U512::from_u8(2));
        let keys: Vec<U512> = [1, 2, 3, 5, 16].map(U512::from_u8).into_iter().chain([half]).collect();
        for d in keys.iter().copied().chain(keys.iter().map(|d| q.wrapping_sub(d))) {
            let key = key(algorithm, set, &d);
            assert!(PublicKey::from_spki_der(&key.public_key().to_spki_der()).is_ok());
            for message in [&b"a"[..], b"b", b"c"] {
                let signature = key.sign_message(message).unwrap();
                assert_eq!(key.public_key().verify_message(message, &signature), Ok(()), "{set}");
            }
            // e = ±s, ±r: z1 or z2 is ±1.
            let (r, s) = halves(&key.sign_message(b"units").unwrap());
            for e in [r, s, q.wrapping_sub(&r), q.wrapping_sub(&s)] {
                let refused = key
                    .public_key()
                    .verify_digest(&digest_of(set.size(), &e), &signature(set.size(), &r, &s));
                assert_eq!(refused, Err(Error::SignatureInvalid), "{set}");
            }
        }
    }
}

#[test]
fn signatures_and_digests_of_another_length_are_refused() {
    let short = SecretKey::generate(Algorithm::Gost2012_256, ParameterSet::CryptoProA).unwrap();
    let long = SecretKey::generate(Algorithm::Gost2012_512, ParameterSet::Tc26_512A).unwrap();
    let (short_signature, long_signature) = (short.sign_message(b"").unwrap(), long.sign_message(b"").unwrap());
    let length = |result: Result<(), Error>| matches!(result, Err(Error::Length { .. }));
    assert!(length(short.public_key().verify_message(b"", &long_signature)));
    assert!(length(long.public_key().verify_message(b"", &short_signature)));
    for wrong in [0, 31, 33, 64] {
        assert!(length(
            short
                .public_key()
                .verify_digest(&alloc::vec![1; wrong], &short_signature)
        ));
        assert!(short.sign_digest(&alloc::vec![1; wrong]).is_err());
    }
}

#[test]
fn private_keys_out_of_range_are_refused() {
    for (algorithm, set) in kinds() {
        for d in [U512::ZERO, q(set.curve()), all_ones(set.size())] {
            let refused = SecretKey::from_be_bytes(algorithm, set, octets(set.size(), &d).as_ref());
            assert_eq!(refused.err(), Some(Error::PrivateKeyRange), "{set}");
        }
    }
}
