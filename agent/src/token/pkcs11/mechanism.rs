//! Mechanisms: what a token's list lets it make, and which one makes a given signature.

use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_RSA_PKCS_PSS_PARAMS, CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512, CKM_ECDSA,
    CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512, CKM_GOSTR3410, CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA256,
    CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512,
    CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
};
use plugin_protocol::HashFunction::{self, Sha256, Sha384, Sha512, Streebog256, Streebog512};
use plugin_protocol::api::SignatureScheme::{self, Ecdsa, Gost, RsaPkcs1, RsaPss};

use super::gost::{
    CKM_GOSTR3410_512, CKM_GOSTR3410_WITH_GOSTR3411_12_256, CKM_GOSTR3410_WITH_GOSTR3411_12_512, OLD, STREEBOG_256,
    STREEBOG_512,
};
use super::public_key::PublicKey;
use super::raw::Parameter;
use crate::token::{Mechanism, SignData, SignInput};

/// The mechanism that takes a digest (for PKCS#1: a DigestInfo).
fn plain(scheme: SignatureScheme, hash: HashFunction) -> Option<CK_MECHANISM_TYPE> {
    match (scheme, hash) {
        (Gost, Streebog256) => Some(CKM_GOSTR3410),
        (Gost, Streebog512) => Some(CKM_GOSTR3410_512),
        (Gost, _) | (_, Streebog256 | Streebog512) => None,
        (Ecdsa, _) => Some(CKM_ECDSA),
        (RsaPkcs1, _) => Some(CKM_RSA_PKCS),
        (RsaPss, _) => Some(CKM_RSA_PKCS_PSS),
    }
}

/// The mechanism that takes the message and hashes it on the token.
fn hashing(scheme: SignatureScheme, hash: HashFunction) -> Option<CK_MECHANISM_TYPE> {
    Some(match (scheme, hash) {
        (Ecdsa, Sha256) => CKM_ECDSA_SHA256,
        (Ecdsa, Sha384) => CKM_ECDSA_SHA384,
        (Ecdsa, Sha512) => CKM_ECDSA_SHA512,
        (RsaPkcs1, Sha256) => CKM_SHA256_RSA_PKCS,
        (RsaPkcs1, Sha384) => CKM_SHA384_RSA_PKCS,
        (RsaPkcs1, Sha512) => CKM_SHA512_RSA_PKCS,
        (RsaPss, Sha256) => CKM_SHA256_RSA_PKCS_PSS,
        (RsaPss, Sha384) => CKM_SHA384_RSA_PKCS_PSS,
        (RsaPss, Sha512) => CKM_SHA512_RSA_PKCS_PSS,
        (Gost, Streebog256) => CKM_GOSTR3410_WITH_GOSTR3411_12_256,
        (Gost, Streebog512) => CKM_GOSTR3410_WITH_GOSTR3411_12_512,
        (Gost, _) | (_, Streebog256 | Streebog512) => return None,
    })
}

/// What `list` lets a key make. A plain mechanism serves messages too: we hash.
pub(super) fn offered(list: &[CK_MECHANISM_TYPE], key: &PublicKey) -> Vec<Mechanism> {
    let sha2 = [Sha256, Sha384, Sha512];
    let all: Vec<(SignatureScheme, HashFunction)> = match key {
        PublicKey::Rsa(_) => [RsaPkcs1, RsaPss]
            .iter()
            .flat_map(|s| sha2.map(|hash| (*s, hash)))
            .collect(),
        PublicKey::Ec(..) => sha2.map(|hash| (Ecdsa, hash)).to_vec(),
        // The hash function follows the key; a key of 34.10-2001 has none.
        PublicKey::Gost(key) => key.hash().map(|hash| (Gost, hash)).into_iter().collect(),
        PublicKey::Other => Vec::new(),
    };
    let has = |mechanism: Option<CK_MECHANISM_TYPE>| mechanism.is_some_and(|wanted| list.contains(&wanted));
    all.into_iter()
        .filter_map(|(scheme, hash)| {
            let digest = has(plain(scheme, hash));
            let there = digest || has(hashing(scheme, hash));
            there.then_some(Mechanism { scheme, hash, digest })
        })
        .collect()
}

/// Why a token offers nothing for the key of this certificate.
pub(in crate::token) fn why_unusable(certificate: &[u8]) -> &'static str {
    match PublicKey::of_certificate(certificate) {
        Some((PublicKey::Gost(key), _)) if key.hash().is_none() => OLD,
        Some((PublicKey::Other, _)) | None => "its key is of a kind that is not used here",
        Some(_) => "the token offers no mechanism to sign with its key",
    }
}

/// One way to make a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Its mechanism.
    pub(super) mechanism: CK_MECHANISM_TYPE,
    /// What C_Sign gets.
    pub(super) data: Vec<u8>,
    with: With,
}

/// What C_SignInit gets beside the mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    /// PSS: hash and MGF by this function, salt as long as it.
    Pss(HashFunction),
    /// The OBJECT IDENTIFIER of the hash function, DER.
    Oid(&'static [u8]),
}

impl Way {
    /// The parameter of C_SignInit.
    pub(super) fn parameter(&self) -> Parameter {
        match self.with {
            With::Nothing => Parameter::None,
            With::Pss(hash) => pss(hash).map_or(Parameter::None, Parameter::Pss),
            With::Oid(oid) => Parameter::Octets(oid.to_vec()),
        }
    }
}

fn pss(hash: HashFunction) -> Option<CK_RSA_PKCS_PSS_PARAMS> {
    let (hash_alg, mgf) = match hash {
        Sha256 => (CKM_SHA256, CKG_MGF1_SHA256),
        Sha384 => (CKM_SHA384, CKG_MGF1_SHA384),
        Sha512 => (CKM_SHA512, CKG_MGF1_SHA512),
        Streebog256 | Streebog512 => return None,
    };
    Some(CK_RSA_PKCS_PSS_PARAMS {
        hashAlg: hash_alg,
        mgf,
        sLen: hash.length() as _,
    })
}

/// The ways `list` offers for `input`, the likelier first.
///
/// The mechanisms that hash with Streebog on the token take no parameter with some modules, and
/// the hash function's OID with others: C_SignInit says which, and that costs nothing.
pub(super) fn ways(list: &[CK_MECHANISM_TYPE], input: &SignInput) -> Vec<Way> {
    let SignInput { scheme, hash, data } = input;
    let with = if *scheme == RsaPss {
        With::Pss(*hash)
    } else {
        With::Nothing
    };
    let (digest, message) = match data {
        SignData::Message(message) => (hash.digest(message), Some(message)),
        SignData::Digest(digest) => (digest.clone(), None),
    };
    let data = match scheme {
        RsaPkcs1 => digest_info(*hash, &digest),
        _ => Some(digest),
    };
    let way = |mechanism, data: &[u8], with| Way {
        mechanism,
        data: data.to_vec(),
        with,
    };
    let plain = plain(*scheme, *hash).zip(data);
    let mut ways: Vec<Way> = plain.iter().map(|(plain, data)| way(*plain, data, with)).collect();
    if let (Some(hashing), Some(message)) = (hashing(*scheme, *hash), message) {
        ways.push(way(hashing, message, with));
        let oid: Option<&[u8]> = match hash {
            Streebog256 => Some(&STREEBOG_256),
            Streebog512 => Some(&STREEBOG_512),
            _ => None,
        };
        ways.extend(oid.map(|oid| way(hashing, message, With::Oid(oid))));
    }
    ways.retain(|way| list.contains(&way.mechanism));
    ways
}

/// DigestInfo of a digest (RFC 8017 section 9.2, note 1); `None` of hash functions that RSA is not used with.
pub(in crate::token) fn digest_info(hash: HashFunction, digest: &[u8]) -> Option<Vec<u8>> {
    // SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.n, NULL }, OCTET STRING }
    let (number, length) = match hash {
        Sha256 => (1, 32),
        Sha384 => (2, 48),
        Sha512 => (3, 64),
        Streebog256 | Streebog512 => return None,
    };
    let mut info = vec![
        0x30,
        17 + length,
        0x30,
        0x0D,
        0x06,
        0x09,
        0x60,
        0x86,
        0x48,
        0x01,
        0x65,
        0x03,
        0x04,
        0x02,
    ];
    info.extend([number, 0x05, 0x00, 0x04, length]);
    info.extend(digest);
    Some(info)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use gost3410::{Algorithm, ParameterSet, SecretKey};

    use super::super::public_key::Curve;
    use super::*;

    /// The octets as RFC 8017 prints them.
    #[test]
    fn digest_infos_are_those_of_the_rfc() {
        let printed = [
            (Sha256, "3031300d060960864801650304020105000420"),
            (Sha384, "3041300d060960864801650304020205000430"),
            (Sha512, "3051300d060960864801650304020305000440"),
        ];
        for (hash, prefix) in printed {
            let digest = vec![0xAB; hash.length()];
            let info = plugin_protocol::encoding::hex(&digest_info(hash, &digest).unwrap());
            assert_eq!(info, format!("{prefix}{}", "ab".repeat(hash.length())));
        }
        for hash in [Streebog256, Streebog512] {
            assert_eq!(digest_info(hash, &vec![0; hash.length()]), None);
        }
    }

    fn input(scheme: SignatureScheme, data: SignData) -> SignInput {
        SignInput {
            scheme,
            hash: Sha256,
            data,
        }
    }

    #[test]
    fn plain_mechanisms_serve_every_hash_and_digests() {
        let offered = offered(
            &[CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, 0xD432_1008],
            &PublicKey::Rsa(vec![1]),
        );
        let of = |scheme, hash, digest| Mechanism { scheme, hash, digest };
        let expected = [
            of(RsaPkcs1, Sha256, true),
            of(RsaPkcs1, Sha384, true),
            of(RsaPkcs1, Sha512, true),
            of(RsaPss, Sha384, false),
        ];
        assert_eq!(offered, expected);
        assert!(super::offered(&[CKM_RSA_PKCS], &PublicKey::Ec(Curve::P256, vec![4])).is_empty());
    }

    #[test]
    fn a_digest_is_never_given_to_a_hashing_mechanism() {
        let list = [CKM_ECDSA_SHA256];
        let digest = SignData::Digest(vec![1; 32]);
        assert!(ways(&list, &input(Ecdsa, digest.clone())).is_empty());
        let message = SignData::Message(b"m".to_vec());
        let way = &ways(&list, &input(Ecdsa, message.clone()))[0];
        assert_eq!(
            (way.mechanism, way.data.as_slice()),
            (CKM_ECDSA_SHA256, b"m".as_slice())
        );

        // Where both are there, the plain one comes first and we hash.
        let ways = ways(&[CKM_ECDSA_SHA256, CKM_ECDSA], &input(Ecdsa, message));
        assert_eq!(ways.len(), 2);
        assert_eq!((ways[0].mechanism, &ways[0].data), (CKM_ECDSA, &Sha256.digest(b"m")));
    }

    #[test]
    fn pss_has_parameters_and_no_digest_info() {
        let way = &ways(&[CKM_RSA_PKCS_PSS], &input(RsaPss, SignData::Digest(vec![7; 32])))[0];
        assert_eq!(way.data, vec![7; 32]);
        let Parameter::Pss(pss) = way.parameter() else {
            panic!("no parameters")
        };
        assert_eq!(
            ({ pss.hashAlg }, { pss.mgf }, { pss.sLen }),
            (CKM_SHA256, CKG_MGF1_SHA256, 32)
        );
    }

    fn gost(algorithm: Algorithm, set: ParameterSet) -> PublicKey {
        let key = SecretKey::generate(algorithm, set).unwrap().public_key().to_spki_der();
        PublicKey::of_info(&key).unwrap()
    }

    fn message(hash: HashFunction) -> SignInput {
        SignInput {
            scheme: Gost,
            hash,
            data: SignData::Message(b"m".to_vec()),
        }
    }

    #[test]
    fn gost_keys_sign_with_the_hash_function_of_their_size_alone() {
        let all = [
            CKM_GOSTR3410,
            CKM_GOSTR3410_512,
            CKM_GOSTR3410_WITH_GOSTR3411_12_256,
            CKM_GOSTR3410_WITH_GOSTR3411_12_512,
            CKM_ECDSA,
            CKM_RSA_PKCS,
        ];
        let of = |hash, digest| {
            vec![Mechanism {
                scheme: Gost,
                hash,
                digest,
            }]
        };
        let small = gost(Algorithm::Gost2012_256, ParameterSet::Tc26_256A);
        let large = gost(Algorithm::Gost2012_512, ParameterSet::Tc26_512A);
        assert_eq!(offered(&all, &small), of(Streebog256, true));
        assert_eq!(offered(&all, &large), of(Streebog512, true));
        assert_eq!(offered(&all[2..3], &small), of(Streebog256, false));
        assert_eq!(offered(&all[3..4], &large), of(Streebog512, false));
        for none in [&all[1..2], &all[3..], &[]] {
            assert!(offered(none, &small).is_empty());
        }
        for none in [&all[..1], &all[2..3]] {
            assert!(offered(none, &large).is_empty());
        }
        // 34.10-2001 shares its mechanism with 34.10-2012, and is never offered.
        let old = gost(Algorithm::Gost2001, ParameterSet::CryptoProA);
        assert!(offered(&all, &old).is_empty());
    }

    #[test]
    fn gost_digests_are_made_here_where_the_token_takes_them() {
        let both = [CKM_GOSTR3410_WITH_GOSTR3411_12_256, CKM_GOSTR3410];
        let ways = super::ways(&both, &message(Streebog256));
        assert_eq!(
            (ways[0].mechanism, &ways[0].data),
            (CKM_GOSTR3410, &Streebog256.digest(b"m"))
        );
        assert!(matches!(ways[0].parameter(), Parameter::None));
        // With the token's own hash function the OID is the second way, for it may be wanted or not.
        for way in &ways[1..] {
            assert_eq!((way.mechanism, way.data.as_slice()), (both[0], b"m".as_slice()));
        }
        assert!(matches!(ways[1].parameter(), Parameter::None));
        assert!(matches!(ways[2].parameter(), Parameter::Octets(oid) if oid == STREEBOG_256));
        assert_eq!(ways.len(), 3);

        let digest = SignInput {
            scheme: Gost,
            hash: Streebog512,
            data: SignData::Digest(vec![7; 64]),
        };
        assert!(super::ways(&[CKM_GOSTR3410_WITH_GOSTR3411_12_512], &digest).is_empty());
        let ways = super::ways(&[CKM_GOSTR3410_512], &digest);
        assert_eq!((ways.len(), ways[0].data.as_slice()), (1, [7; 64].as_slice()));
    }

    #[test]
    fn schemes_and_hash_functions_that_do_not_go_together_have_no_way() {
        let all = [
            CKM_GOSTR3410,
            CKM_GOSTR3410_512,
            CKM_ECDSA,
            CKM_RSA_PKCS,
            CKM_RSA_PKCS_PSS,
        ];
        assert!(ways(&all, &message(Sha256)).is_empty());
        for scheme in [Ecdsa, RsaPkcs1, RsaPss] {
            let input = SignInput {
                scheme,
                ..message(Streebog256)
            };
            assert!(ways(&all, &input).is_empty());
        }
    }
}
