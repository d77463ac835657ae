//! Password-based encryption and integrity as PKCS#12 files use them.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{OctetString, OctetStringRef};
use der::{Decode, Encode, Sequence};
use ring::{digest, hmac};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier};
use zeroize::Zeroizing;

/// Iterations of a key derivation that a file may ask of us: some seconds.
const ITERATIONS: u32 = 5_000_000;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
/// pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C).
const SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
/// pbeWithSHAAnd40BitRC2-CBC.
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

/// pkcs-12PbeParams (RFC 7292 appendix C).
#[derive(Sequence)]
struct Parameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
}

/// DigestInfo (RFC 8017 section 9.2).
#[derive(Sequence)]
struct DigestInfo {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// MacData (RFC 7292 section 4).
#[derive(Sequence)]
pub(super) struct MacData {
    mac: DigestInfo,
    salt: OctetString,
    #[asn1(default = "one")]
    iterations: u32,
}

fn one() -> u32 {
    1
}

/// Why something does not open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The password is wrong, or the bytes are damaged: nobody can tell.
    Password,
    /// We cannot do what the file asks for.
    Unsupported(String),
}

/// What a key is derived for (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Decrypts; the plaintext is wiped when dropped.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    password: &str,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let unsupported = |_: der::Error| Closed::Unsupported(format!("the encryption {}", algorithm.oid));
    let der = algorithm.to_der().map_err(unsupported)?;
    if algorithm.oid == PBES2 {
        return decrypt_pbes2(&der, password, ciphertext);
    }
    let parameters = algorithm
        .parameters
        .as_ref()
        .map(Encode::to_der)
        .transpose()
        .map_err(unsupported)?;
    let parameters = parameters.unwrap_or_default();
    let parameters = Parameters::from_der(&parameters).map_err(unsupported)?;
    let hash = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let derive = |purpose, length| {
        derive(
            hash,
            purpose,
            password,
            parameters.salt.as_bytes(),
            parameters.iterations,
            length,
        )
    };
    match algorithm.oid {
        SHA1_3DES => cbc_decrypt::<des::TdesEde3>(&derive(Purpose::Key, 24)?, &derive(Purpose::Iv, 8)?, ciphertext),
        SHA1_RC2_40 => cbc_decrypt::<rc2::Rc2>(&derive(Purpose::Key, 5)?, &derive(Purpose::Iv, 8)?, ciphertext),
        other => Err(Closed::Unsupported(format!("the encryption {other}"))),
    }
}

fn decrypt_pbes2(scheme: &[u8], password: &str, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let unsupported = || Closed::Unsupported("its PBES2 parameters".to_owned());
    let scheme = pkcs5::EncryptionScheme::from_der(scheme).map_err(|_| unsupported())?;
    let kdf = scheme
        .pbes2()
        .and_then(|parameters| parameters.kdf.pbkdf2())
        .ok_or_else(unsupported)?;
    if u64::from(kdf.iteration_count) > u64::from(ITERATIONS) {
        return Err(Closed::Unsupported(format!("{} iterations", kdf.iteration_count)));
    }
    scheme
        .decrypt(password, ciphertext)
        .map(Zeroizing::new)
        .map_err(|_| Closed::Password)
}

fn cbc_decrypt<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv);
    let cipher = cipher.map_err(|_| Closed::Unsupported("the key's length".to_owned()))?;
    cipher
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map(Zeroizing::new)
        .map_err(|_| Closed::Password)
}

/// Checks the file's integrity, and with it the password.
pub(super) fn verify(mac: &MacData, password: &str, content: &[u8]) -> Result<(), Closed> {
    let (hash, algorithm) = match mac.mac.algorithm.oid.to_string().as_str() {
        "1.3.14.3.2.26" => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        "2.16.840.1.101.3.4.2.1" => (&digest::SHA256, hmac::HMAC_SHA256),
        "2.16.840.1.101.3.4.2.2" => (&digest::SHA384, hmac::HMAC_SHA384),
        "2.16.840.1.101.3.4.2.3" => (&digest::SHA512, hmac::HMAC_SHA512),
        other => return Err(Closed::Unsupported(format!("the integrity algorithm {other}"))),
    };
    let key = derive(
        hash,
        Purpose::Mac,
        password,
        mac.salt.as_bytes(),
        mac.iterations,
        hash.output_len(),
    )?;
    let key = hmac::Key::new(algorithm, &key);
    hmac::verify(&key, content, mac.mac.digest.as_bytes()).map_err(|_| Closed::Password)
}

/// The key derivation of RFC 7292 appendix B.2.
fn derive(
    hash: &'static digest::Algorithm,
    purpose: Purpose,
    password: &str,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Closed> {
    if iterations > ITERATIONS {
        return Err(Closed::Unsupported(format!("{iterations} iterations")));
    }
    let block = hash.block_len();
    let password = bmp(password);
    let mut input = Zeroizing::new(filled(salt, block));
    input.extend_from_slice(&Zeroizing::new(filled(&password, block)));
    let mut key = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    while key.len() < length {
        let mut context = digest::Context::new(hash);
        context.update(&vec![purpose as u8; block]);
        context.update(&input);
        let mut output = context.finish();
        for _ in 1..iterations {
            output = digest::digest(hash, output.as_ref());
        }
        key.extend_from_slice(output.as_ref());
        let addend = filled(output.as_ref(), block);
        input
            .chunks_exact_mut(block)
            .for_each(|chunk| add_one_more(chunk, &addend[..block]));
    }
    key.truncate(length);
    Ok(key)
}

/// The password as a BMPString with its closing zero; what is outside the BMP becomes two surrogates.
fn bmp(password: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    bytes.extend(password.encode_utf16().flat_map(u16::to_be_bytes));
    bytes.extend([0, 0]);
    bytes
}

/// `bytes` repeated to a multiple of `block`; nothing stays nothing.
fn filled(bytes: &[u8], block: usize) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .cycle()
        .take(bytes.len().div_ceil(block) * block)
        .collect()
}

/// chunk := chunk + addend + 1, big-endian, without the carry.
fn add_one_more(chunk: &mut [u8], addend: &[u8]) {
    let mut carry = 1u16;
    for (byte, addend) in chunk.iter_mut().zip(addend).rev() {
        carry += u16::from(*byte) + u16::from(*addend);
        *byte = carry as u8;
        carry >>= 8;
    }
}

#[cfg(test)]
mod tests {
    use plugin_protocol::encoding::hex;

    use super::*;

    /// The published vectors of PKCS#12's derivation (`smeg`, SHA-1), used by Bouncy Castle and others.
    #[test]
    fn derivation_agrees_with_published_vectors() {
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let salt = [0x0A, 0x58, 0xCF, 0x64, 0x53, 0x0D, 0x82, 0x3F];
        let key = derive(sha1, Purpose::Key, "smeg", &salt, 1, 24).map(|key| hex(&key));
        assert_eq!(key.as_deref(), Ok("8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"));
        let iv = derive(sha1, Purpose::Iv, "smeg", &salt, 1, 8).map(|iv| hex(&iv));
        assert_eq!(iv.as_deref(), Ok("79993dfe048d3b76"));
    }

    #[test]
    fn more_work_than_is_reasonable_is_refused() {
        let refused = derive(&digest::SHA256, Purpose::Key, "x", &[1], ITERATIONS + 1, 8);
        assert!(matches!(refused, Err(Closed::Unsupported(_))));
    }
}
