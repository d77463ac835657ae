//! Nonces: derived from the key and the digest as RFC 6979 section 3.2 does it, with HMAC-Streebog, and mixed with
//! fresh randomness (its section 3.6) where the caller has some.
//!
//! Without randomness the same digest gives the same nonce, which is safe; with it, faults and side channels find no
//! signature twice the same. If the randomness were bad the derivation still stands, and the other way round.
//!
//! One thing is added to RFC 6979: the name of the curve is among what is hashed, so that one number used as a key on
//! two curves does not have one nonce on both.

use crate::curves::Curve;
use crate::octets::Octets;
use crate::{Size, sign};
use digest::block_api::BlockSizeUser;
use digest::{Digest, Output};
use hmac::{KeyInit, Mac, SimpleHmac};
use streebog::{Streebog256, Streebog512};
use zeroize::{Zeroize, Zeroizing};

/// The generator of RFC 6979, for 256 or 512 bits.
pub(crate) struct Nonces {
    curve: Curve,
    drbg: Drbg,
}

enum Drbg {
    Bits256(HmacDrbg<Streebog256>),
    Bits512(HmacDrbg<Streebog512>),
}

impl Nonces {
    /// Seeds the generator. `number` is the digest's number e, below q.
    pub(crate) fn new(curve: Curve, secret: &Octets, number: &Octets, randomness: &[u8]) -> Self {
        let name = [curve as u8];
        let seed: [&[u8]; 4] = [secret.as_ref(), number.as_ref(), &name, randomness];
        let drbg = match curve.size() {
            Size::Bits256 => Drbg::Bits256(HmacDrbg::new(&seed)),
            Size::Bits512 => Drbg::Bits512(HmacDrbg::new(&seed)),
        };
        Nonces { curve, drbg }
    }

    /// The next candidate: as many bits as q has. It may be zero or above q; then the next is asked for.
    pub(crate) fn next(&mut self) -> Zeroizing<Octets> {
        let mut octets = Zeroizing::new(Octets::zero(self.curve.size()));
        match &mut self.drbg {
            Drbg::Bits256(drbg) => drbg.fill((*octets).as_mut()),
            Drbg::Bits512(drbg) => drbg.fill((*octets).as_mut()),
        }
        let unused = 8 * self.curve.size().bytes() as u32 - sign::order_bits(self.curve);
        keep_left_bits((*octets).as_mut(), unused);
        octets
    }
}

/// bits2int of RFC 6979 section 2.3.2 for a string less than eight bits longer than q: the leftmost bits are kept.
fn keep_left_bits(octets: &mut [u8], unused: u32) {
    let mut carried = 0u16;
    for octet in octets.iter_mut() {
        let wide = carried << 8 | u16::from(*octet);
        carried = u16::from(*octet);
        *octet = (wide >> unused) as u8;
    }
}

/// HMAC_DRBG of NIST SP 800-90A as RFC 6979 uses it. K and V are wiped when it goes.
struct HmacDrbg<D: Digest + BlockSizeUser> {
    k: Output<D>,
    v: Output<D>,
}

impl<D: Digest + BlockSizeUser> HmacDrbg<D> {
    fn new(seed: &[&[u8]]) -> Self {
        let mut drbg = HmacDrbg {
            k: Output::<D>::default(),
            v: Output::<D>::default(),
        };
        drbg.v.fill(1);
        drbg.update(0, seed);
        drbg.update(1, seed);
        drbg
    }

    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(self.v.len()) {
            self.v = self.hmac(&[]);
            chunk.copy_from_slice(&self.v[..chunk.len()]);
        }
        self.update(0, &[]);
    }

    /// K = HMAC(K, V || separator || seed), V = HMAC(K, V).
    fn update(&mut self, separator: u8, seed: &[&[u8]]) {
        let separator = [separator];
        self.k = match seed {
            [] => self.hmac(&[&separator]),
            [a, b, c, d] => self.hmac(&[&separator, a, b, c, d]),
            _ => unreachable!("a seed has four parts"),
        };
        self.v = self.hmac(&[]);
    }

    /// HMAC(K, V || parts).
    fn hmac(&self, parts: &[&[u8]]) -> Output<D> {
        let mut hmac = SimpleHmac::<D>::new_from_slice(&self.k).expect("HMAC takes keys of any length");
        Mac::update(&mut hmac, &self.v);
        parts.iter().for_each(|part| Mac::update(&mut hmac, part));
        hmac.finalize().into_bytes()
    }
}

impl<D: Digest + BlockSizeUser> Drop for HmacDrbg<D> {
    fn drop(&mut self) {
        self.k.as_mut_slice().zeroize();
        self.v.as_mut_slice().zeroize();
    }
}
