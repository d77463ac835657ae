//! Numbers of `N` limbs of 64 bits, the lowest first. Everything is `const`, so that tables are built by the compiler.

/// `a + b + carry`, and the carry out of it: 0 or 1.
#[inline(always)]
pub(super) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 + b as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

/// `a - b - borrow`, and the borrow out of it: 0 or 1.
#[inline(always)]
pub(super) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let difference = (a as u128).wrapping_sub(b as u128 + borrow as u128);
    (difference as u64, (difference >> 64) as u64 & 1)
}

/// `accumulator + a·b + carry`, low and high; it cannot overflow: (2^64-1)² + 2·(2^64-1) = 2^128 - 1.
#[inline(always)]
pub(super) const fn mac(accumulator: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = accumulator as u128 + a as u128 * b as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b` and its carry.
#[inline(always)]
pub(super) const fn add<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let (mut sum, mut carry, mut i) = ([0; N], 0, 0);
    while i < N {
        (sum[i], carry) = adc(a[i], b[i], carry);
        i += 1;
    }
    (sum, carry)
}

/// `a - b` and its borrow.
#[inline(always)]
pub(super) const fn sub<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let (mut difference, mut borrow, mut i) = ([0; N], 0, 0);
    while i < N {
        (difference[i], borrow) = sbb(a[i], b[i], borrow);
        i += 1;
    }
    (difference, borrow)
}

/// `a + small` and its carry.
#[inline(always)]
pub(super) const fn add_small<const N: usize>(a: &[u64; N], small: u64) -> ([u64; N], u64) {
    let (mut sum, mut carry, mut i) = ([0; N], small, 0);
    while i < N {
        (sum[i], carry) = adc(a[i], carry, 0);
        i += 1;
    }
    (sum, carry)
}

/// `a - small` and its borrow.
#[inline(always)]
pub(super) const fn sub_small<const N: usize>(a: &[u64; N], small: u64) -> ([u64; N], u64) {
    let (mut difference, mut borrow, mut i) = ([0; N], small, 0);
    while i < N {
        (difference[i], borrow) = sbb(a[i], borrow, 0);
        i += 1;
    }
    (difference, borrow)
}

/// `a·small`, and the limb above it.
#[inline(always)]
pub(super) const fn mul_small<const N: usize>(a: &[u64; N], small: u64) -> ([u64; N], u64) {
    let (mut product, mut carry, mut i) = ([0; N], 0, 0);
    while i < N {
        (product[i], carry) = mac(0, a[i], small, carry);
        i += 1;
    }
    (product, carry)
}

/// `a·b`, the lower half and the upper one.
#[inline(always)]
pub(super) const fn mul<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], [u64; N]) {
    // `upper` holds what is above the limbs that are done; each row finishes one more.
    let (mut lower, mut upper, mut i) = ([0; N], [0; N], 0);
    while i < N {
        let mut carry;
        (lower[i], carry) = mac(upper[0], a[i], b[0], 0);
        let mut j = 1;
        while j < N {
            (upper[j - 1], carry) = mac(upper[j], a[i], b[j], carry);
            j += 1;
        }
        upper[N - 1] = carry;
        i += 1;
    }
    (lower, upper)
}

/// Whether `a < b`.
pub(super) const fn less<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    sub(a, b).1 == 1
}

/// Whether `a` is zero.
#[inline(always)]
pub(super) const fn is_zero<const N: usize>(a: &[u64; N]) -> bool {
    equal(a, &[0; N])
}

/// Whether `a` and `b` are one number.
#[inline(always)]
pub(super) const fn equal<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    let (mut difference, mut i) = (0, 0);
    while i < N {
        difference |= a[i] ^ b[i];
        i += 1;
    }
    difference == 0
}

/// From exactly `16·N` hexadecimal digits, the highest first. For constants: anything else does not compile.
pub(super) const fn from_hex<const N: usize>(hex: &str) -> [u64; N] {
    let digits = hex.as_bytes();
    assert!(digits.len() == 16 * N, "a constant has 16 digits for each limb");
    let (mut limbs, mut i) = ([0; N], 0);
    while i < digits.len() {
        let digit = match digits[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("a constant is written in lower-case hexadecimal digits"),
        };
        let limb = N - 1 - i / 16;
        limbs[limb] = limbs[limb] << 4 | digit as u64;
        i += 1;
    }
    limbs
}

/// From big-endian octets, at most `8·N`.
pub(super) fn from_be<const N: usize>(octets: &[u8]) -> Option<[u64; N]> {
    let mut limbs = [0; N];
    if octets.len() > 8 * N {
        return None;
    }
    for (i, octet) in octets.iter().rev().enumerate() {
        limbs[i / 8] |= u64::from(*octet) << (8 * (i % 8));
    }
    Some(limbs)
}
