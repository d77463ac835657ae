//! Key agreement: the point that two parties compute from each other's keys.
//!
//! What is made of the point is the caller's: VKO GOST R 34.10-2001 (RFC 4357 section 5.2) hashes
//! [`AgreedPoint::to_x509`] with GOST R 34.11-94, VKO GOST R 34.10-2012 (RFC 7836 section 4.3) with Streebog.

use crate::octets::Octets;
use crate::point::Point;
use crate::{Error, PublicKey, SecretKey, sign};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// A point that both parties know and nobody else. It is wiped when it goes, and has neither `Debug` nor `Clone`.
pub struct AgreedPoint(Zeroizing<Point>);

impl AgreedPoint {
    /// Gives `x || y`, each little-endian: what VKO hashes.
    pub fn to_x509(&self) -> Zeroizing<Vec<u8>> {
        self.octets(Octets::push_le)
    }

    /// Gives `x || y`, each big-endian.
    pub fn to_x_y(&self) -> Zeroizing<Vec<u8>> {
        self.octets(Octets::push_be)
    }

    fn octets(&self, push: fn(&Octets, &mut Vec<u8>)) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(self.0.x.size().pair_bytes()));
        push(&self.0.x, &mut octets);
        push(&self.0.y, &mut octets);
        octets
    }
}

impl SecretKey {
    /// The point `(m/q · ukm · d mod q) · Q` of this key d and the other party's Q: both parties get the same.
    ///
    /// `ukm` is a number, little-endian, at most as long as the curve's; what a protocol calls user keying material.
    /// One (`&[1]`) gives plain Diffie-Hellman. The product with the secret number runs in constant time, as signing
    /// does; `ukm` and the public key are public.
    ///
    /// Refused: a key on another curve, and a `ukm` that is too long or zero modulo q.
    pub fn agree(&self, peer: &PublicKey, ukm: &[u8]) -> Result<AgreedPoint, Error> {
        let set = self.public_key().parameter_set();
        if !set.same_curve(peer.parameter_set()) {
            return Err(Error::CurveMismatch);
        }
        let mut factor = Octets::zero(set.size());
        let room = factor.as_mut();
        room.get_mut(..ukm.len()).ok_or(Error::UkmRange)?.copy_from_slice(ukm);
        room.reverse();
        sign::agreed_point(set.curve(), self.secret(), &factor, peer.point())
            .map(AgreedPoint)
            .ok_or(Error::UkmRange)
    }
}
