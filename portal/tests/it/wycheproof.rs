//! Project Wycheproof's vectors through the portal's signature verification.
//!
//! Every vector of the sets below runs. Valid must verify, invalid must not.
//! Where we refuse more, a row of [`DIVERGENCES`] says why; a row that nothing needs fails the test.

use der::Decode;
use fixtures::der_writer::{explicit, integer, null, oid, sequence};
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;
use portal::signature::{Encoding, PublicKey, Scheme};
use spki::SubjectPublicKeyInfoOwned;
use wycheproof::TestResult;

use crate::cms_builder::hash_oid;

/// (set, why): sets whose valid vectors we refuse, in part or all. Nothing invalid is ever accepted.
const DIVERGENCES: &[(&str, &str)] = &[
    ("EcdsaSecp256r1Sha512", NO_SUCH_PAIR),
    ("EcdsaSecp256r1Sha512P1363", NO_SUCH_PAIR),
    ("EcdsaSecp384r1Sha512", NO_SUCH_PAIR),
    ("EcdsaSecp384r1Sha512P1363", NO_SUCH_PAIR),
    ("RsaPss2048Sha1Mgf1SaltLen20", HASH),
    ("RsaPss2048Sha1Mgf1SaltLen20WithParams", HASH),
    ("RsaPss2048Sha256Mgf1SaltLen0", SALT),
    ("RsaPss2048Sha256Mgf1SaltLen0WithParams", SALT),
    ("RsaPss2048Sha256Mgf1Sha1_20", MASK),
    ("RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams", MASK),
    ("RsaPss2048Sha512_224Mgf1SaltLen28", HASH),
    ("RsaPss2048Sha512_256Mgf1SaltLen32", HASH),
    ("RsaPss2048Shake128", HASH),
    ("RsaPss2048Shake256", HASH),
    ("RsaPss3072Shake128", HASH),
    ("RsaPss3072Shake256", HASH),
    ("RsaPss4096Shake256", HASH),
    ("RsaPss4096Sha512Mgf1SaltLen32", SALT),
    ("RsaPss4096Sha512Mgf1SaltLen32WithParams", SALT),
    ("RsaPssmisc", OTHER_PARAMETERS),
    ("RsaPssmiscWithParams", OTHER_PARAMETERS),
];

const NO_SUCH_PAIR: &str = "ring does not verify SHA-512 on this curve, and no JOSE algorithm pairs them";
const HASH: &str = "SHA-1, SHAKE and truncated SHA-512 are not accepted here";
const SALT: &str = "JOSE (RFC 7518 section 3.5) and ring take a salt as long as the hash, nothing else";
const MASK: &str = "JOSE and ring take MGF1 with the same hash, nothing else";
const OTHER_PARAMETERS: &str = "a mixture of hashes, masks and salts; those that JOSE knows are verified";

/// What became of one vector.
struct Outcome {
    set: String,
    result: TestResult,
    verified: bool,
}

fn verify(spki: &[u8], scheme: Scheme, encoding: Encoding, message: &[u8], signature: &[u8]) -> bool {
    let Ok(spki) = SubjectPublicKeyInfoOwned::from_der(spki) else {
        return false;
    };
    let Ok(key) = PublicKey::from_spki(&spki) else {
        return false;
    };
    key.verify(scheme, encoding, message, signature).is_ok()
}

fn hash(hash: wycheproof::HashFunction) -> Option<HashFunction> {
    match hash {
        wycheproof::HashFunction::Sha2_256 => Some(HashFunction::Sha256),
        wycheproof::HashFunction::Sha2_384 => Some(HashFunction::Sha384),
        wycheproof::HashFunction::Sha2_512 => Some(HashFunction::Sha512),
        _ => None,
    }
}

fn ecdsa() -> Vec<Outcome> {
    use wycheproof::EllipticCurve::{Secp256r1, Secp384r1, Secp521r1};
    use wycheproof::ecdsa::{TestGroupTypeId, TestName, TestSet};
    let mut outcomes = Vec::new();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let (Some(hash), Secp256r1 | Secp384r1 | Secp521r1) = (hash(group.hash), group.key.curve) else {
                continue;
            };
            let encoding = match group.test_type {
                TestGroupTypeId::EcdsaP1363 => Encoding::Fixed,
                _ => Encoding::Asn1,
            };
            let scheme = Scheme {
                scheme: SignatureScheme::Ecdsa,
                hash,
            };
            outcomes.extend(group.tests.iter().map(|test| Outcome {
                set: format!("{name:?}"),
                result: test.result,
                verified: verify(&group.der, scheme, encoding, &test.msg, &test.sig),
            }));
        }
    }
    outcomes
}

fn rsa_pkcs1() -> Vec<Outcome> {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut outcomes = Vec::new();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let Some(hash) = hash(group.hash) else { continue };
            let scheme = Scheme {
                scheme: SignatureScheme::RsaPkcs1,
                hash,
            };
            outcomes.extend(group.tests.iter().map(|test| Outcome {
                set: format!("{name:?}"),
                result: test.result,
                verified: verify(&group.der, scheme, Encoding::Asn1, &test.msg, &test.sig),
            }));
        }
    }
    outcomes
}

fn rsa_pss() -> Vec<Outcome> {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut outcomes = Vec::new();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            // The portal reads the scheme from an AlgorithmIdentifier; so does this.
            let scheme = pss_identifier(&group).and_then(|der| {
                let identifier = spki::AlgorithmIdentifierOwned::from_der(&der).unwrap();
                Scheme::from_identifier(&identifier)
            });
            outcomes.extend(group.tests.iter().map(|test| Outcome {
                set: format!("{name:?}"),
                result: test.result,
                verified: scheme.is_some_and(|scheme| verify(&group.der, scheme, Encoding::Asn1, &test.msg, &test.sig)),
            }));
        }
    }
    outcomes
}

/// id-RSASSA-PSS with the group's parameters; `None` for hashes that are not SHA-2 or have no identifier here.
fn pss_identifier(group: &wycheproof::rsa_pss_verify::TestGroup) -> Option<Vec<u8>> {
    let hash_identifier = |function| Some(sequence(&[&oid(hash_oid(hash(function)?)), &null()]));
    let digest = hash_identifier(group.hash)?;
    let mask = match group.mgf_hash {
        Some(wycheproof::HashFunction::Sha1) => sequence(&[&oid("1.3.14.3.2.26"), &null()]),
        Some(function) => hash_identifier(function)?,
        None => return None,
    };
    let mask = sequence(&[&oid("1.2.840.113549.1.1.8"), &mask]);
    let salt = integer(group.salt_size as u64);
    let parameters = sequence(&[&explicit(0, &digest), &explicit(1, &mask), &explicit(2, &salt)]);
    Some(sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters]))
}

#[test]
fn every_vector_comes_out_as_it_should() {
    let outcomes: Vec<_> = [ecdsa(), rsa_pkcs1(), rsa_pss()].into_iter().flatten().collect();
    assert!(outcomes.len() > 9000, "only {} vectors ran", outcomes.len());
    let mut needed = vec![false; DIVERGENCES.len()];
    let mut wrong = std::collections::BTreeMap::<String, usize>::new();
    for outcome in &outcomes {
        let row = DIVERGENCES.iter().position(|(set, _)| outcome.set == *set);
        match (outcome.result, outcome.verified, row) {
            (TestResult::Valid, true, _) | (TestResult::Invalid, false, _) | (TestResult::Acceptable, ..) => {}
            (TestResult::Valid, false, Some(row)) => needed[row] = true,
            _ => {
                *wrong
                    .entry(format!("{} {:?}", outcome.set, outcome.result))
                    .or_default() += 1
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (row, needed) in DIVERGENCES.iter().zip(needed) {
        assert!(needed, "nothing needs the row {row:?} any more");
    }
}
