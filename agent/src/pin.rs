//! A PIN: moves once, into the call that needs it, and is wiped.

use zeroize::Zeroizing;

/// A PIN in UTF-8, as PKCS#11 takes it.
///
/// Deliberately not `Clone`, `Debug`, `Display` or `Serialize`: it can be handed
/// on, used and dropped, and its memory is wiped when it is.
pub struct Pin(Zeroizing<Vec<u8>>);

impl Pin {
    /// Takes over the text's own memory; nothing is copied.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }

    /// Takes over the bytes' own memory; nothing is copied.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the call that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
