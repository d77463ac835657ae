//! z1·G + z2·Q, both at once: one doubling for each bit, and an addition where a signed digit is not zero.

use super::prime::{Element, Prime};

/// How many bits a digit of z1 spans; G's odd multiples are a table, built at first use.
const BASE_WIDTH: usize = 8;
/// How many odd multiples of G there are: 1·G, 3·G, … 127·G.
pub(super) const BASE_MULTIPLES: usize = 1 << (BASE_WIDTH - 2);
/// How many bits a digit of z2 spans; Q's odd multiples are made for each verification.
const KEY_WIDTH: usize = 5;
/// How many odd multiples of Q there are: 1·Q, 3·Q, … 15·Q.
pub(super) const KEY_MULTIPLES: usize = 1 << (KEY_WIDTH - 2);
/// Digits of the longest number: one more than its bits.
const DIGITS: usize = 513;

/// A point in the coordinates that its curve adds fastest.
///
/// Every operation is right for every point of the subgroup of order q, infinity and equal or opposite points too.
pub(super) trait Group<const N: usize>: Copy {
    /// The field of the coordinates.
    type Field: Prime<N>;
    /// A multiple of the public key, ready to be added.
    type Ready: Copy;
    /// A multiple of the base point, ready to be added.
    type Fixed: Copy + 'static;

    /// The point at infinity.
    const INFINITY: Self;
    /// The odd multiples of the base point.
    fn base_multiples() -> &'static [Self::Fixed; BASE_MULTIPLES];

    /// The odd multiples of a point of order q, given by its coordinates in Weierstrass form.
    fn odd_multiples(x: &Element<Self::Field, N>, y: &Element<Self::Field, N>) -> [Self::Ready; KEY_MULTIPLES];
    /// Twice the point. `add_next`: an addition follows, not a doubling.
    fn double(&self, add_next: bool) -> Self;
    /// The sum with `other`, or with its opposite.
    fn add(&self, other: &Self::Ready, opposite: bool, add_next: bool) -> Self;
    /// The sum with `other`, or with its opposite; a doubling follows.
    fn add_fixed(&self, other: &Self::Fixed, opposite: bool) -> Self;
    /// Whether this is a point whose x coordinate, in Weierstrass form, is this; infinity has none.
    fn has_x(&self, x: &Element<Self::Field, N>) -> bool;
    /// Whether a point of the curve, given by its coordinates in Weierstrass form, is of order q.
    fn has_order(order: &[u64; N], x: &Element<Self::Field, N>, y: &Element<Self::Field, N>) -> bool;
}

/// z1·G + z2·Q, for any numbers and a Q of order q given by its coordinates.
pub(super) fn double_base<G: Group<N>, const N: usize>(
    z1: &[u64; N],
    z2: &[u64; N],
    (x, y): (&Element<G::Field, N>, &Element<G::Field, N>),
) -> G {
    let base_digits = signed_digits(z1, BASE_WIDTH);
    let key_digits = signed_digits(z2, KEY_WIDTH);
    let (base_multiples, key_multiples) = (G::base_multiples(), G::odd_multiples(x, y));
    let mut sum = G::INFINITY;
    let any = |i: &usize| base_digits[*i] != 0 || key_digits[*i] != 0;
    let Some(highest) = (0..DIGITS).rev().find(any) else {
        return sum;
    };
    for i in (0..=highest).rev() {
        let (base, key) = (base_digits[i], key_digits[i]);
        sum = sum.double(base != 0 || key != 0);
        if key != 0 {
            sum = sum.add(&key_multiples[index(key)], key < 0, base != 0);
        }
        if base != 0 {
            sum = sum.add_fixed(&base_multiples[index(base)], base < 0);
        }
    }
    sum
}

/// Where the multiple by an odd digit stands: 1, 3, 5, … at 0, 1, 2, …
fn index(digit: i8) -> usize {
    usize::from(digit.unsigned_abs() >> 1)
}

/// The number as a sum of digit·2^i where each digit is 0 or odd and below 2^(width-1), and those that are not zero
/// are at least `width` apart (the width-w non-adjacent form).
fn signed_digits<const N: usize>(number: &[u64; N], width: usize) -> [i8; DIGITS] {
    let mut digits = [0; DIGITS];
    let (mut at, mut carry) = (0, 0);
    while at <= 64 * N {
        let window = carry + bits(number, at, width);
        if window & 1 == 0 {
            // Zeros, or ones that the carry turns into zeros and itself.
            at += 1;
            continue;
        }
        // From the half up it is the window's complement that is taken away, and one more above it.
        carry = window >> (width - 1);
        let digit = window as i16 - ((carry as i16) << width);
        digits[at] = digit as i8;
        at += width;
    }
    digits
}

/// `count` bits from bit `at` up, zeros above the number.
fn bits<const N: usize>(number: &[u64; N], at: usize, count: usize) -> u64 {
    let (limb, shift) = (at / 64, at % 64);
    let low = number.get(limb).map_or(0, |low| low >> shift);
    let high = match number.get(limb + 1) {
        Some(high) if shift > 0 => high << (64 - shift),
        _ => 0,
    };
    (low | high) & ((1 << count) - 1)
}
