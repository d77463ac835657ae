//! OpenSSL's GOST engine in this process: an independent judge, thousands of times a second.
//!
//! `libcrypto.so.3` is opened at run time and asked for its engine `gost`; nothing is linked,
//! and no product knows of it. The engine generates keys on every parameter set, signs and
//! verifies digests, and reads and writes `SubjectPublicKeyInfo` and PKCS#8. Signatures are
//! in the order of X.509 and CMS: `s || r`, each big-endian.
//!
//! The configuration file of OpenSSL is not read: the judge is the same on every machine.
// Why unsafe: this is C, called by hand. It stays in this file, behind a safe interface.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use libloading::Library;

/// What to do where it is missing.
const INSTALL: &str = "install OpenSSL 3 with its GOST engine (Debian: apt-get install libengine-gost-openssl)";

/// The three key algorithms, by the OID of their keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyAlgorithm {
    /// GOST R 34.10-2001, `1.2.643.2.2.19`.
    Gost2001,
    /// GOST R 34.10-2012 with 256 bits, `1.2.643.7.1.1.1.1`.
    Gost2012_256,
    /// GOST R 34.10-2012 with 512 bits, `1.2.643.7.1.1.1.2`.
    Gost2012_512,
}

impl KeyAlgorithm {
    fn oid(self) -> &'static CStr {
        match self {
            Self::Gost2001 => c"1.2.643.2.2.19",
            Self::Gost2012_256 => c"1.2.643.7.1.1.1.1",
            Self::Gost2012_512 => c"1.2.643.7.1.1.1.2",
        }
    }
}

/// Every parameter set with which the engine generates keys: its OID, and what the engine's `paramset` calls it.
///
/// The one for tests of 512 bits and the one of 256 bits are among them.
pub const PARAMETER_SETS: [(&str, &CStr); 14] = [
    ("1.2.643.2.2.35.0", c"0"),
    ("1.2.643.2.2.35.1", c"A"),
    ("1.2.643.2.2.35.2", c"B"),
    ("1.2.643.2.2.35.3", c"C"),
    ("1.2.643.2.2.36.0", c"XA"),
    ("1.2.643.2.2.36.1", c"XB"),
    ("1.2.643.7.1.2.1.1.1", c"TCA"),
    ("1.2.643.7.1.2.1.1.2", c"TCB"),
    ("1.2.643.7.1.2.1.1.3", c"TCC"),
    ("1.2.643.7.1.2.1.1.4", c"TCD"),
    ("1.2.643.7.1.2.1.2.0", c"1.2.643.7.1.2.1.2.0"),
    ("1.2.643.7.1.2.1.2.1", c"A"),
    ("1.2.643.7.1.2.1.2.2", c"B"),
    ("1.2.643.7.1.2.1.2.3", c"C"),
];

/// The engine, loaded once for the process.
pub struct GostEngine {
    c: Functions,
    engine: *mut c_void,
}

// SAFETY: the pointer is to an ENGINE, which is reference-counted and only read after
// `ENGINE_init`; OpenSSL 3 locks what it shares between threads.
unsafe impl Send for GostEngine {}
// SAFETY: as above.
unsafe impl Sync for GostEngine {}

/// A public key, or a key pair, of the engine.
///
/// It stays on its thread, and its contexts are made once: what is measured is the arithmetic.
pub struct Key<'e> {
    engine: &'e GostEngine,
    pkey: *mut c_void,
    verifies: *mut c_void,
    signs: Option<*mut c_void>,
}

impl GostEngine {
    /// The engine, or a sentence that says what is missing and what helps.
    ///
    /// # Errors
    /// When `libcrypto.so.3` or its engine `gost` is not on this machine.
    pub fn load() -> Result<&'static Self, &'static str> {
        static LOADED: OnceLock<Result<GostEngine, String>> = OnceLock::new();
        LOADED.get_or_init(Self::load_now).as_ref().map_err(String::as_str)
    }

    /// The engine.
    ///
    /// # Panics
    /// Where it is missing, with what helps: a comparison is never silently left out.
    pub fn required() -> &'static Self {
        Self::load().unwrap_or_else(|missing| panic!("{missing}"))
    }

    fn load_now() -> Result<Self, String> {
        let c = Functions::open().map_err(|error| format!("OpenSSL's libcrypto does not load ({error}): {INSTALL}"))?;
        /// `OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ENGINE_DYNAMIC`
        const INIT: u64 = 0x80 | 0x400;
        // SAFETY: no settings are passed; the name is a C string.
        let engine = unsafe {
            (c.openssl_init_crypto)(INIT, null());
            (c.engine_by_id)(c"gost".as_ptr())
        };
        // SAFETY: `engine` is what ENGINE_by_id gave; it is not used when null. It is never freed.
        let ready =
            !engine.is_null() && unsafe { (c.engine_init)(engine) == 1 && (c.engine_set_default)(engine, 0xFFFF) == 1 };
        match ready {
            true => Ok(Self { c, engine }),
            false => Err(format!(
                "OpenSSL's engine `gost` does not load ({}): {INSTALL}",
                c.last_error()
            )),
        }
    }

    /// A new key pair. `parameter_set` is an OID of [`PARAMETER_SETS`].
    ///
    /// # Errors
    /// When the engine refuses the parameter set for the algorithm, in its words.
    pub fn generate(&self, algorithm: KeyAlgorithm, parameter_set: &str) -> Result<Key<'_>, String> {
        let known = PARAMETER_SETS.iter().find(|(oid, _)| *oid == parameter_set);
        let (_, name) = known.ok_or_else(|| format!("{parameter_set} is no parameter set of the judge"))?;
        let mut pkey = null_mut();
        // SAFETY: every pointer is one of OpenSSL's or a C string; the context is freed once, and
        // the functions that take it answer a null one with failure.
        let generated = unsafe {
            let context = (self.c.evp_pkey_ctx_new_id)((self.c.obj_txt2nid)(algorithm.oid().as_ptr()), self.engine);
            let generated = (self.c.evp_pkey_keygen_init)(context) == 1
                && (self.c.evp_pkey_ctx_ctrl_str)(context, c"paramset".as_ptr(), name.as_ptr()) == 1
                && (self.c.evp_pkey_keygen)(context, &raw mut pkey) == 1;
            (self.c.evp_pkey_ctx_free)(context);
            generated
        };
        match generated {
            true => self.key(pkey, true),
            false => Err(self.c.last_error()),
        }
    }

    /// A public key from a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// When OpenSSL does not read it, in its words.
    pub fn public_key(&self, spki_der: &[u8]) -> Result<Key<'_>, String> {
        let mut at = spki_der.as_ptr();
        // SAFETY: `at` points to as many octets as are said.
        let pkey = unsafe { (self.c.d2i_pubkey)(null_mut(), &raw mut at, c_length(spki_der)) };
        self.key(pkey, false)
    }

    /// A key pair from a DER PKCS#8 `PrivateKeyInfo`.
    ///
    /// # Errors
    /// When OpenSSL does not read it, in its words.
    pub fn private_key(&self, pkcs8_der: &[u8]) -> Result<Key<'_>, String> {
        let mut at = pkcs8_der.as_ptr();
        // SAFETY: `at` points to as many octets as are said; the info is freed once and not used when null.
        let pkey = unsafe {
            let info = (self.c.d2i_pkcs8_priv_key_info)(null_mut(), &raw mut at, c_length(pkcs8_der));
            let pkey = if info.is_null() {
                null_mut()
            } else {
                (self.c.evp_pkcs82pkey)(info)
            };
            (self.c.pkcs8_priv_key_info_free)(info);
            pkey
        };
        self.key(pkey, true)
    }

    /// Takes over `pkey`.
    fn key(&self, pkey: *mut c_void, private: bool) -> Result<Key<'_>, String> {
        if pkey.is_null() {
            return Err(self.c.last_error());
        }
        let mut key = Key {
            engine: self,
            pkey,
            verifies: null_mut(),
            signs: None,
        };
        // SAFETY: `pkey` is a key; a null context is answered with failure, and `Key` frees them.
        unsafe {
            key.verifies = (self.c.evp_pkey_ctx_new)(pkey, self.engine);
            if (self.c.evp_pkey_verify_init)(key.verifies) != 1 {
                return Err(self.c.last_error());
            }
            if private {
                let signs = (self.c.evp_pkey_ctx_new)(pkey, self.engine);
                key.signs = Some(signs);
                if (self.c.evp_pkey_sign_init)(signs) != 1 {
                    return Err(self.c.last_error());
                }
            }
        }
        Ok(key)
    }
}

impl Key<'_> {
    /// Whether `signature`, `s || r`, is right for the digest, which is the hash function's octets as they come.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        let c = &self.engine.c;
        // SAFETY: lengths are those of the slices; the engine copies what it keeps.
        let answer = unsafe {
            (c.evp_pkey_verify)(
                self.verifies,
                signature.as_ptr(),
                signature.len(),
                digest.as_ptr(),
                digest.len(),
            )
        };
        if answer != 1 {
            c.last_error();
        }
        answer == 1
    }

    /// A signature over the digest: `s || r`.
    ///
    /// # Errors
    /// When the key is public only, or OpenSSL refuses, in its words.
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, String> {
        let c = &self.engine.c;
        let signs = self.signs.ok_or("a public key does not sign")?;
        let mut signature = vec![0; 128];
        let mut length = signature.len();
        // SAFETY: `length` says how much room there is, and then how much was used.
        let answer = unsafe {
            (c.evp_pkey_sign)(
                signs,
                signature.as_mut_ptr(),
                &raw mut length,
                digest.as_ptr(),
                digest.len(),
            )
        };
        if answer != 1 {
            return Err(c.last_error());
        }
        signature.truncate(length);
        Ok(signature)
    }

    /// The DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// When OpenSSL refuses, in its words.
    pub fn spki_der(&self) -> Result<Vec<u8>, String> {
        let c = &self.engine.c;
        // SAFETY: the key is live.
        c.encoded(|out| unsafe { (c.i2d_pubkey)(self.pkey, out) })
    }

    /// The DER PKCS#8 `PrivateKeyInfo`.
    ///
    /// # Errors
    /// When the key is public only, or OpenSSL refuses, in its words.
    pub fn pkcs8_der(&self) -> Result<Vec<u8>, String> {
        let c = &self.engine.c;
        if self.signs.is_none() {
            return Err("a public key has no PKCS#8".to_owned());
        }
        // SAFETY: the key is live; the info is not used when null and freed once.
        unsafe {
            let info = (c.evp_pkey2pkcs8)(self.pkey);
            if info.is_null() {
                return Err(c.last_error());
            }
            let encoded = c.encoded(|out| (c.i2d_pkcs8_priv_key_info)(info, out));
            (c.pkcs8_priv_key_info_free)(info);
            encoded
        }
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        let c = &self.engine.c;
        // SAFETY: each is OpenSSL's, or null, which these functions ignore; none is used again.
        unsafe {
            (c.evp_pkey_ctx_free)(self.verifies);
            (c.evp_pkey_ctx_free)(self.signs.unwrap_or(null_mut()));
            (c.evp_pkey_free)(self.pkey);
        }
    }
}

/// A length as C takes it; what is read here is far shorter than a `long` holds.
fn c_length(octets: &[u8]) -> c_long {
    c_long::try_from(octets.len()).unwrap_or(c_long::MAX)
}

/// Declares the functions of `libcrypto` that are used, by their names there.
macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// What is used of `libcrypto.so.3`, with the types of OpenSSL 3's headers.
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// Keeps the functions where they are; never closed, as it lives in a static.
            _library: Library,
        }

        impl Functions {
            fn open() -> Result<Self, libloading::Error> {
                // SAFETY: libcrypto's constructors may run at any time, and the types are those of its headers.
                unsafe {
                    let library = Library::new("libcrypto.so.3")?;
                    Ok(Self { $($field: *library.get(concat!($name, "\0").as_bytes())?,)* _library: library })
                }
            }
        }
    };
}

functions! {
    openssl_init_crypto = "OPENSSL_init_crypto": fn(u64, *const c_void) -> c_int;
    err_get_error = "ERR_get_error": fn() -> c_ulong;
    err_error_string_n = "ERR_error_string_n": fn(c_ulong, *mut c_char, usize);
    crypto_free = "CRYPTO_free": fn(*mut c_void, *const c_char, c_int);
    obj_txt2nid = "OBJ_txt2nid": fn(*const c_char) -> c_int;
    engine_by_id = "ENGINE_by_id": fn(*const c_char) -> *mut c_void;
    engine_init = "ENGINE_init": fn(*mut c_void) -> c_int;
    engine_set_default = "ENGINE_set_default": fn(*mut c_void, c_uint) -> c_int;
    evp_pkey_ctx_new = "EVP_PKEY_CTX_new": fn(*mut c_void, *mut c_void) -> *mut c_void;
    evp_pkey_ctx_new_id = "EVP_PKEY_CTX_new_id": fn(c_int, *mut c_void) -> *mut c_void;
    evp_pkey_ctx_ctrl_str = "EVP_PKEY_CTX_ctrl_str": fn(*mut c_void, *const c_char, *const c_char) -> c_int;
    evp_pkey_ctx_free = "EVP_PKEY_CTX_free": fn(*mut c_void);
    evp_pkey_keygen_init = "EVP_PKEY_keygen_init": fn(*mut c_void) -> c_int;
    evp_pkey_keygen = "EVP_PKEY_keygen": fn(*mut c_void, *mut *mut c_void) -> c_int;
    evp_pkey_sign_init = "EVP_PKEY_sign_init": fn(*mut c_void) -> c_int;
    evp_pkey_sign = "EVP_PKEY_sign": fn(*mut c_void, *mut c_uchar, *mut usize, *const c_uchar, usize) -> c_int;
    evp_pkey_verify_init = "EVP_PKEY_verify_init": fn(*mut c_void) -> c_int;
    evp_pkey_verify = "EVP_PKEY_verify": fn(*mut c_void, *const c_uchar, usize, *const c_uchar, usize) -> c_int;
    evp_pkey_free = "EVP_PKEY_free": fn(*mut c_void);
    d2i_pubkey = "d2i_PUBKEY": fn(*mut *mut c_void, *mut *const c_uchar, c_long) -> *mut c_void;
    i2d_pubkey = "i2d_PUBKEY": fn(*mut c_void, *mut *mut c_uchar) -> c_int;
    d2i_pkcs8_priv_key_info = "d2i_PKCS8_PRIV_KEY_INFO": fn(*mut *mut c_void, *mut *const c_uchar, c_long) -> *mut c_void;
    i2d_pkcs8_priv_key_info = "i2d_PKCS8_PRIV_KEY_INFO": fn(*mut c_void, *mut *mut c_uchar) -> c_int;
    pkcs8_priv_key_info_free = "PKCS8_PRIV_KEY_INFO_free": fn(*mut c_void);
    evp_pkcs82pkey = "EVP_PKCS82PKEY": fn(*mut c_void) -> *mut c_void;
    evp_pkey2pkcs8 = "EVP_PKEY2PKCS8": fn(*mut c_void) -> *mut c_void;
}

impl Functions {
    /// The first error of the queue, which it empties.
    fn last_error(&self) -> String {
        let mut text = [0 as c_char; 256];
        // SAFETY: the text is written within its length and ends with a zero.
        unsafe {
            let first = (self.err_get_error)();
            while (self.err_get_error)() != 0 {}
            (self.err_error_string_n)(first, text.as_mut_ptr(), text.len());
            CString::from(CStr::from_ptr(text.as_ptr()))
                .to_string_lossy()
                .into_owned()
        }
    }

    /// What an `i2d` function writes into memory of its own.
    fn encoded(&self, i2d: impl FnOnce(*mut *mut c_uchar) -> c_int) -> Result<Vec<u8>, String> {
        let mut out = null_mut();
        let length = usize::try_from(i2d(&raw mut out)).unwrap_or(0);
        if length == 0 || out.is_null() {
            return Err(self.last_error());
        }
        // SAFETY: `i2d` allocated `out` and wrote `length` octets; it is freed once.
        unsafe {
            let encoded = std::slice::from_raw_parts(out, length).to_vec();
            (self.crypto_free)(out.cast(), null(), 0);
            Ok(encoded)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn algorithms(oid: &str) -> &'static [KeyAlgorithm] {
        match () {
            () if oid.starts_with("1.2.643.7.1.2.1.2.") => &[KeyAlgorithm::Gost2012_512],
            () if oid.starts_with("1.2.643.7.") => &[KeyAlgorithm::Gost2012_256],
            () => &[KeyAlgorithm::Gost2001, KeyAlgorithm::Gost2012_256],
        }
    }

    #[test]
    fn every_parameter_set_signs_verifies_and_travels() {
        let engine = GostEngine::required();
        for (oid, _) in PARAMETER_SETS {
            for &algorithm in algorithms(oid) {
                let key = engine
                    .generate(algorithm, oid)
                    .unwrap_or_else(|error| panic!("{algorithm:?} {oid}: {error}"));
                let mut digest = vec![
                    7;
                    if algorithm == KeyAlgorithm::Gost2012_512 {
                        64
                    } else {
                        32
                    }
                ];
                let signature = key.sign_digest(&digest).unwrap();
                assert_eq!(signature.len(), 2 * digest.len());
                let public = engine.public_key(&key.spki_der().unwrap()).unwrap();
                let private = engine.private_key(&key.pkcs8_der().unwrap()).unwrap();
                for judge in [&key, &public, &private] {
                    assert!(judge.verify_digest(&digest, &signature), "{algorithm:?} {oid}");
                }
                assert!(public.verify_digest(&digest, &private.sign_digest(&digest).unwrap()));
                digest[0] ^= 1;
                assert!(!public.verify_digest(&digest, &signature), "{algorithm:?} {oid}");
            }
        }
    }

    #[test]
    fn refusals_come_in_words() {
        let engine = GostEngine::required();
        let refused = |answer: Result<Key<'_>, String>| answer.err().expect("it is refused");
        assert!(refused(engine.public_key(b"no DER")).contains("error:"));
        assert!(refused(engine.private_key(b"no DER")).contains("error:"));
        assert!(refused(engine.generate(KeyAlgorithm::Gost2012_256, "1.2.3")).contains("1.2.3"));
        let key = engine
            .generate(KeyAlgorithm::Gost2012_256, "1.2.643.7.1.2.1.1.1")
            .unwrap();
        let public = engine.public_key(&key.spki_der().unwrap()).unwrap();
        assert!(public.sign_digest(&[7; 32]).is_err());
        assert!(public.pkcs8_der().is_err());
    }
}
