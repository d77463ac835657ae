//! `gost3410` against OpenSSL's GOST engine, an implementation that shares nothing with it: thousands of random keys,
//! digests and signatures, both ways, on every parameter set that the engine has.
//!
//! `GOST_CASES` says how many signatures of each kind (default 60, which makes some thousands in all).
#![allow(clippy::unwrap_used)]

use gost3410::{Algorithm, ObjectIdentifier, ParameterSet, PublicKey, SecretKey, Signature};
use system_tests::gost_engine::{GostEngine, Key, KeyAlgorithm, PARAMETER_SETS};

/// Every algorithm with every parameter set that the engine generates keys on.
fn kinds() -> Vec<(Algorithm, KeyAlgorithm, ParameterSet, &'static str)> {
    let sets = PARAMETER_SETS.iter().map(|(oid, _)| {
        let set = ParameterSet::from_oid(&ObjectIdentifier::new(oid).unwrap());
        (set.unwrap_or_else(|| panic!("gost3410 does not know {oid}")), *oid)
    });
    let algorithms = [
        (Algorithm::Gost2001, KeyAlgorithm::Gost2001),
        (Algorithm::Gost2012_256, KeyAlgorithm::Gost2012_256),
        (Algorithm::Gost2012_512, KeyAlgorithm::Gost2012_512),
    ];
    let all = sets.flat_map(|(set, oid)| algorithms.map(|(ours, theirs)| (ours, theirs, set, oid)));
    all.filter(|(algorithm, _, set, _)| algorithm.size() == set.size())
        .collect()
}

fn cases() -> usize {
    std::env::var("GOST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(60)
}

/// The engine may know a set for one algorithm and not for another; it says so when it is asked for a key.
fn their_key<'e>(engine: &'e GostEngine, algorithm: KeyAlgorithm, oid: &str) -> Option<Key<'e>> {
    engine.generate(algorithm, oid).ok()
}

/// A digest from nothing but a counter: the hash function's own octets.
fn digest(algorithm: Algorithm, case: usize, salt: &str) -> Vec<u8> {
    algorithm.digest(format!("{salt} {case}").as_bytes())
}

/// Verifies by both, and wants one answer of both.
fn agreed(ours: &PublicKey, theirs: &Key<'_>, digest: &[u8], signature: &[u8]) -> bool {
    let our_answer = ours.verify_digest(digest, &Signature::from_x509(signature).unwrap());
    let their_answer = theirs.verify_digest(digest, signature);
    assert_eq!(
        our_answer.is_ok(),
        their_answer,
        "{}: {our_answer:?}",
        ours.parameter_set()
    );
    their_answer
}

#[test]
fn the_engine_has_every_parameter_set() {
    let engine = GostEngine::required();
    for set in ParameterSet::ALL {
        let known = kinds().into_iter().filter(|kind| kind.2 == set);
        let keys = known
            .filter_map(|(_, theirs, _, oid)| their_key(engine, theirs, oid))
            .count();
        assert!(
            keys > 0,
            "the engine makes no key on {set}, so nothing here compares it"
        );
    }
}

#[test]
fn what_the_engine_signs_is_verified_by_us() {
    let engine = GostEngine::required();
    let mut verified = 0;
    for (algorithm, theirs, set, oid) in kinds() {
        let Some(key) = their_key(engine, theirs, oid) else {
            continue;
        };
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        assert_eq!((public.algorithm(), public.parameter_set()), (algorithm, set));
        for case in 0..cases() {
            let digest = digest(algorithm, case, "theirs");
            let signature = key.sign_digest(&digest).unwrap();
            assert!(agreed(&public, &key, &digest, &signature), "{set}");
            verified += 1;
        }
    }
    assert!(verified >= 14 * cases());
}

#[test]
fn what_we_sign_is_verified_by_the_engine() {
    let engine = GostEngine::required();
    for (algorithm, _, set, _) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let Ok(judge) = engine.public_key(&key.public_key().to_spki_der()) else {
            assert_eq!(algorithm, Algorithm::Gost2001, "the engine refuses our key on {set}");
            continue;
        };
        for case in 0..cases() {
            let digest = digest(algorithm, case, "ours");
            let signature = match case % 2 {
                0 => key.sign_digest(&digest).unwrap(),
                _ => key.sign_digest_deterministic(&digest).unwrap(),
            };
            assert!(agreed(key.public_key(), &judge, &digest, &signature.to_x509()), "{set}");
        }
    }
}

/// Halves and digests altered at random, and set to what attacks try: one answer of both, always.
#[test]
fn both_refuse_the_same() {
    let engine = GostEngine::required();
    for (algorithm, theirs, set, oid) in kinds() {
        let Some(key) = their_key(engine, theirs, oid) else {
            continue;
        };
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        let half = set.size().bytes();
        for case in 0..cases() / 4 {
            let good_digest = digest(algorithm, case, "refused");
            let good = key.sign_digest(&good_digest).unwrap();
            let noise = digest(algorithm, case, "noise");
            let mut altered = good.clone();
            altered[usize::from(noise[0]) % (2 * half)] ^= 1 << (noise[1] % 8);
            let swapped = [&good[half..], &good[..half]].concat();
            let zero_s = [&vec![0; half][..], &good[half..]].concat();
            let zero_r = [&good[..half], &vec![0; half][..]].concat();
            let all_ones = vec![0xff; 2 * half];
            for bad in [altered, swapped, zero_s, zero_r, all_ones] {
                assert!(!agreed(&public, &key, &good_digest, &bad), "{set}");
            }
            assert!(!agreed(&public, &key, &noise, &good), "{set}");
        }
        // Zero digests stand for one, here and there.
        let zero = vec![0; half];
        assert!(agreed(&public, &key, &zero, &key.sign_digest(&zero).unwrap()), "{set}");
    }
}

#[test]
fn keys_travel_both_ways() {
    let engine = GostEngine::required();
    for (algorithm, theirs, set, oid) in kinds() {
        let Some(key) = their_key(engine, theirs, oid) else {
            continue;
        };
        for case in 0..4 {
            // From the engine to us: the private key, which then signs for the same public one.
            let pkcs8 = key.pkcs8_der().unwrap();
            let ours = SecretKey::from_pkcs8_der(&pkcs8).unwrap();
            assert_eq!(
                ours.public_key().to_spki_der(),
                key.spki_der().unwrap(),
                "{set}: the same octets"
            );
            let digest = digest(algorithm, case, "keys");
            assert!(key.verify_digest(&digest, &ours.sign_digest(&digest).unwrap().to_x509()));
            // From us to the engine, in our octets.
            let fresh = SecretKey::generate(algorithm, set).unwrap();
            let taken = engine.private_key(&fresh.to_pkcs8_der()).unwrap();
            assert_eq!(taken.spki_der().unwrap(), fresh.public_key().to_spki_der(), "{set}");
            let signature = Signature::from_x509(&taken.sign_digest(&digest).unwrap()).unwrap();
            fresh.public_key().verify_digest(&digest, &signature).unwrap();
        }
    }
}
