//! Mechanisms: what a token's list lets it make, and which one makes a given signature.

use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_RSA_PKCS_PSS_PARAMS, CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512, CKM_ECDSA,
    CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512, CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA256,
    CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512,
    CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
};
use plugin_protocol::HashFunction::{self, Sha256, Sha384, Sha512, Streebog256, Streebog512};
use plugin_protocol::api::SignatureScheme::{self, Ecdsa, Gost, RsaPkcs1, RsaPss};

use crate::token::{Mechanism, SignData, SignInput};

/// The mechanism that takes a digest (for PKCS#1: a DigestInfo); none is used for GOST yet.
fn plain(scheme: SignatureScheme) -> Option<CK_MECHANISM_TYPE> {
    match scheme {
        Ecdsa => Some(CKM_ECDSA),
        RsaPkcs1 => Some(CKM_RSA_PKCS),
        RsaPss => Some(CKM_RSA_PKCS_PSS),
        Gost => None,
    }
}

/// The mechanism that takes the message and hashes it on the token, where there is one.
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
        (Gost, _) | (_, Streebog256 | Streebog512) => return None,
    })
}

/// What `list` lets a key make. A plain mechanism serves messages too: we hash.
pub(super) fn offered(list: &[CK_MECHANISM_TYPE], rsa: bool) -> Vec<Mechanism> {
    let schemes: &[SignatureScheme] = if rsa { &[RsaPkcs1, RsaPss] } else { &[Ecdsa] };
    let all = schemes
        .iter()
        .flat_map(|scheme| [Sha256, Sha384, Sha512].map(|hash| (*scheme, hash)));
    all.filter_map(|(scheme, hash)| {
        let listed = |mechanism: Option<CK_MECHANISM_TYPE>| mechanism.is_some_and(|it| list.contains(&it));
        let digest = listed(plain(scheme));
        let there = digest || listed(hashing(scheme, hash));
        there.then_some(Mechanism { scheme, hash, digest })
    })
    .collect()
}

/// One way to make a signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Its mechanism.
    pub(super) mechanism: CK_MECHANISM_TYPE,
    /// What C_Sign gets.
    pub(super) data: Vec<u8>,
    /// Parameters of PSS: hash and MGF by this function, salt as long as it.
    pss: Option<HashFunction>,
}

impl Way {
    /// The parameters of C_SignInit.
    pub(super) fn parameters(&self) -> Option<CK_RSA_PKCS_PSS_PARAMS> {
        self.pss.and_then(|hash| {
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
        })
    }
}

/// The ways `list` offers for `input`, the likelier first.
pub(super) fn ways(list: &[CK_MECHANISM_TYPE], input: &SignInput) -> Vec<Way> {
    let SignInput { scheme, hash, data } = input;
    let pss = (*scheme == RsaPss).then_some(*hash);
    let (digest, message) = match data {
        SignData::Message(message) => (hash.digest(message), Some(message)),
        SignData::Digest(digest) => (digest.clone(), None),
    };
    let data = match scheme {
        RsaPkcs1 => digest_info(*hash, &digest),
        _ => Some(digest),
    };
    let way = |(mechanism, data)| Way { mechanism, data, pss };
    let plain = plain(*scheme).zip(data).map(way);
    let hashing = hashing(*scheme, *hash).zip(message.cloned()).map(way);
    plain
        .into_iter()
        .chain(hashing)
        .filter(|way| list.contains(&way.mechanism))
        .collect()
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
    use super::*;

    /// The octets as RFC 8017 prints them.
    #[test]
    #[allow(clippy::unwrap_used)]
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
            true,
        );
        let of = |scheme, hash, digest| Mechanism { scheme, hash, digest };
        let expected = [
            of(RsaPkcs1, Sha256, true),
            of(RsaPkcs1, Sha384, true),
            of(RsaPkcs1, Sha512, true),
            of(RsaPss, Sha384, false),
        ];
        assert_eq!(offered, expected);
        assert!(super::offered(&[CKM_RSA_PKCS], false).is_empty());
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
        let parameters = way.parameters().map(|p| ({ p.hashAlg }, { p.mgf }, { p.sLen }));
        assert_eq!(parameters, Some((CKM_SHA256, CKG_MGF1_SHA256, 32)));
    }
}
