//! Numbers as octets: big-endian, as long as the field of their curve.

use crate::{Error, Size};
use alloc::vec::Vec;
use zeroize::Zeroize;

/// A number of exactly 32 or 64 octets, big-endian. It may be any number of that length: who uses it checks the range.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Octets {
    size: Size,
    octets: [u8; 64],
}

impl Octets {
    /// Zero.
    pub(crate) fn zero(size: Size) -> Self {
        Octets { size, octets: [0; 64] }
    }

    /// Takes big-endian octets, exactly as many as `size` has.
    pub(crate) fn from_be(size: Size, be: &[u8]) -> Result<Self, Error> {
        let mut number = Octets::zero(size);
        if be.len() != size.bytes() {
            return Err(Error::Length {
                what: "number",
                expected: size.bytes(),
                got: be.len(),
            });
        }
        number.as_mut().copy_from_slice(be);
        Ok(number)
    }

    /// Takes little-endian octets, exactly as many as `size` has.
    pub(crate) fn from_le(size: Size, le: &[u8]) -> Result<Self, Error> {
        let mut number = Octets::from_be(size, le)?;
        number.as_mut().reverse();
        Ok(number)
    }

    /// Takes a number that fills the length by its type.
    pub(crate) fn from_field(size: Size, be: impl AsRef<[u8]>) -> Self {
        Octets::from_be(size, be.as_ref()).expect("an element of a curve's field has the length of the curve")
    }

    /// 32 or 64 octets.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Appends the number, big-endian.
    pub(crate) fn push_be(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_ref());
    }

    /// Appends the number, little-endian.
    pub(crate) fn push_le(&self, out: &mut Vec<u8>) {
        out.extend(self.as_ref().iter().rev());
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.size.bytes()]
    }
}

impl AsMut<[u8]> for Octets {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.octets[..self.size.bytes()]
    }
}

impl core::fmt::Debug for Octets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_ref().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl Zeroize for Octets {
    fn zeroize(&mut self) {
        self.octets.zeroize();
    }
}
