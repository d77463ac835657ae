//! RSA for the software token: what `ring` does not do, a key pair and a signature over a digest.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::rand_core::{TryCryptoRng, TryRng};
use crypto_bigint::{BoxedUint, NonZero, Odd, U1024, U2048};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use der::asn1::{OctetStringRef, UintRef};
use der::{AnyRef, Decode, Encode, Sequence};
use ring::rand::{SecureRandom, SystemRandom};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use zeroize::Zeroizing;

/// rsaEncryption (RFC 8017 appendix A.1).
pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EXPONENT: u32 = 65537;

/// RSAPrivateKey (RFC 8017 appendix A.1.2), two primes.
#[derive(Sequence)]
struct RsaPrivateKey<'a> {
    version: u8,
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
    private_exponent: UintRef<'a>,
    prime1: UintRef<'a>,
    prime2: UintRef<'a>,
    exponent1: UintRef<'a>,
    exponent2: UintRef<'a>,
    coefficient: UintRef<'a>,
}

/// PrivateKeyInfo (RFC 5208 section 5), without attributes.
#[derive(Sequence)]
struct PrivateKeyInfo<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a OctetStringRef,
}

/// The system's random numbers in the form that crypto-primes takes.
struct System(SystemRandom);

impl TryRng for System {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0
            .fill(bytes)
            .expect("getrandom fails only where the kernel has none; no key may be made then");
        Ok(())
    }
}

impl TryCryptoRng for System {}

/// A new RSA-2048 key as PKCS#8; `None` where arithmetic refuses, which correct primes exclude.
pub(super) fn generate() -> Option<Zeroizing<Vec<u8>>> {
    let (p, q) = loop {
        let (p, q) = (prime()?, prime()?);
        // FIPS 186-5 A.1.3: the primes differ in their first 100 bits. CRT wants p > q.
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        if p.wrapping_sub(&q).bit_width() > 1024 - 100 {
            break (p, q);
        }
    };
    encode(&p, &q)
}

/// A prime of 1024 bits with the two highest set, so that the product has 2048, and p - 1 prime to the exponent.
fn prime() -> Option<U1024> {
    let mut random = System(SystemRandom::new());
    let exponent = NonZero::new(U1024::from(EXPONENT)).into_option()?;
    let suits = |candidate: &U1024| {
        let rest = candidate.wrapping_sub(&U1024::ONE).rem_vartime(&exponent);
        rest != U1024::ZERO && is_prime(Flavor::Any, candidate)
    };
    let sieve = SmallFactorsSieveFactory::new(Flavor::Any, 1024, SetBits::TwoMsb).ok()?;
    sieve_and_find(&mut random, sieve, |_, candidate| suits(candidate)).ok()?
}

fn encode(p: &U1024, q: &U1024) -> Option<Zeroizing<Vec<u8>>> {
    let (p1, q1) = (p.wrapping_sub(&U1024::ONE), q.wrapping_sub(&U1024::ONE));
    let wide = |number: &U1024| -> U2048 { number.resize() };
    let modulus = wide(p).wrapping_mul(&wide(q));
    // Carmichael's function: (p - 1)(q - 1) / gcd(p - 1, q - 1).
    let gcd = NonZero::new(wide(&p1.gcd(&q1))).into_option()?;
    let lambda = wide(&p1).wrapping_mul(&wide(&q1)).wrapping_div(&gcd);
    let d = U2048::from(EXPONENT)
        .invert_mod(&NonZero::new(lambda).into_option()?)
        .into_option()?;
    let modulo = |number: &U1024| -> Option<U1024> {
        let rest = d.rem(&NonZero::new(wide(number)).into_option()?);
        Some(rest.resize())
    };
    let (dp, dq) = (modulo(&p1)?, modulo(&q1)?);
    let coefficient = q.invert_mod(&NonZero::new(*p).into_option()?).into_option()?;

    let short = |number: &U1024| Zeroizing::new(number.to_be_bytes().as_ref().to_vec());
    let long = |number: &U2048| Zeroizing::new(number.to_be_bytes().as_ref().to_vec());
    let exponent = EXPONENT.to_be_bytes();
    let (n, d) = (long(&modulus), long(&d));
    let [p, q, dp, dq, coefficient] = [p, q, &dp, &dq, &coefficient].map(short);
    let key = RsaPrivateKey {
        version: 0,
        modulus: UintRef::new(&n).ok()?,
        public_exponent: UintRef::new(&exponent).ok()?,
        private_exponent: UintRef::new(&d).ok()?,
        prime1: UintRef::new(&p).ok()?,
        prime2: UintRef::new(&q).ok()?,
        exponent1: UintRef::new(&dp).ok()?,
        exponent2: UintRef::new(&dq).ok()?,
        coefficient: UintRef::new(&coefficient).ok()?,
    };
    let key = Zeroizing::new(key.to_der().ok()?);
    let info = PrivateKeyInfo {
        version: 0,
        algorithm: AlgorithmIdentifierRef {
            oid: RSA_ENCRYPTION,
            parameters: Some(AnyRef::NULL),
        },
        private_key: OctetStringRef::new(&key).ok()?,
    };
    info.to_der().ok().map(Zeroizing::new)
}

/// RSASSA-PKCS1-v1_5 over a DigestInfo (RFC 8017 section 8.2.1), with a key in PKCS#8.
///
/// The agent checks the result against the certificate, so that no faulty signature leaves it.
pub(crate) fn sign_digest_info(pkcs8: &[u8], digest_info: &[u8]) -> Option<Vec<u8>> {
    let (modulus, _) = public_numbers(pkcs8)?;
    // EMSA-PKCS1-v1_5: 00 01 FF … FF 00 DigestInfo, with at least eight FF.
    let padding = modulus
        .len()
        .checked_sub(3 + digest_info.len())
        .filter(|length| *length >= 8)?;
    let block = [&[0, 1], vec![0xFF; padding].as_slice(), &[0], digest_info].concat();
    private_operation(pkcs8, &block).map(|signature| signature.to_vec())
}

/// RSADP and RSASP1 (RFC 8017 sections 5.1.2, 5.2.1): a number as long as the modulus to the power of the private
/// exponent. Refused where it is not below the modulus.
///
/// The exponentiation takes the same steps for every exponent of the same length.
pub(crate) fn private_operation(pkcs8: &[u8], block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let info = PrivateKeyInfo::from_der(pkcs8).ok()?;
    let key = RsaPrivateKey::from_der(info.private_key.as_bytes()).ok()?;
    let modulus = key.modulus.as_bytes();
    let bits = u32::try_from(8 * modulus.len()).ok()?;
    let number = |octets: &[u8]| BoxedUint::from_be_slice(octets, bits).ok();
    let (n, block) = (number(modulus)?, number(block)?);
    if block >= n {
        return None;
    }
    let parameters = BoxedMontyParams::new(Odd::new(n).into_option()?);
    let exponent = Zeroizing::new(number(key.private_exponent.as_bytes())?);
    let result = Zeroizing::new(BoxedMontyForm::new(block, &parameters).pow(&exponent).retrieve());
    Some(Zeroizing::new(result.to_be_bytes().into_vec()))
}

/// Modulus and public exponent of a private key in PKCS#8, without leading zeros.
pub(crate) fn public_numbers(pkcs8: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let info = PrivateKeyInfo::from_der(pkcs8).ok()?;
    if info.algorithm.oid != RSA_ENCRYPTION {
        return None;
    }
    let key = RsaPrivateKey::from_der(info.private_key.as_bytes()).ok()?;
    Some((key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use plugin_protocol::HashFunction::Sha384;
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_SHA256, RsaKeyPair, UnparsedPublicKey};

    use super::*;
    use crate::token::pkcs11::digest_info;

    #[test]
    fn ring_takes_our_keys_and_our_signatures() {
        let pkcs8 = generate().unwrap();
        // ring checks n = pq, the CRT numbers and their sizes.
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(pair.public().modulus_len(), 256);
        let mut signature = vec![0; 256];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"m", &mut signature)
            .unwrap();

        let info = digest_info(Sha384, &Sha384.digest(b"message")).unwrap();
        let signature = sign_digest_info(&pkcs8, &info).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA384, pair.public_key().as_ref());
        key.verify(b"message", &signature).unwrap();
        assert!(key.verify(b"massage", &signature).is_err());
    }

    #[test]
    fn two_keys_differ() {
        assert_ne!(prime().unwrap(), prime().unwrap());
    }
}
