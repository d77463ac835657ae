//! Arithmetic modulo a prime, in variable time where that is faster: for public numbers only.
//!
//! The primes of GOST curves come in three shapes, and each has its way of reducing a product:
//!
//! - p = 2^(64·N) - δ with a small δ: 2^(64·N) ≡ δ, so an upper half comes down multiplied by δ;
//! - 2p = 2^(64·N) + δ with a small δ: 2^(64·N) ≡ -δ, so it comes down and is subtracted;
//! - any other: Montgomery's method.
//!
//! In the first two an element is any number below 2^(64·N), which is p + δ or 2p - δ: below 2p in both, so an
//! element has at most two forms, and zero's are 0 and p. Carries that are next to impossible are branches, not sums.

use core::marker::PhantomData;

use super::limbs;

/// A prime of `N` limbs, above an eighth of 2^(64·N).
pub(super) trait Prime<const N: usize>: Copy {
    /// The prime.
    const P: [u64; N];
    /// How products are reduced.
    const SHAPE: Shape = Shape::of(&Self::P);
    /// -1/p modulo 2^64.
    const NEGATIVE_INVERSE: u64 = negative_inverse(Self::P[0]);
    /// What 1 is inside: 1, or 2^(64·N) mod p for Montgomery's method.
    const ONE: [u64; N] = match Self::SHAPE {
        Shape::Montgomery => montgomery_one(&Self::P),
        _ => one(),
    };
    /// What brings a number inside when multiplied by it: 2^(128·N) mod p for Montgomery's method.
    const ENTRY: [u64; N] = match Self::SHAPE {
        Shape::Montgomery => montgomery_entry(&Self::ONE, &Self::P, Self::NEGATIVE_INVERSE),
        _ => one(),
    };
}

/// How a product is reduced.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// p = 2^(64·N) - δ.
    Below(u64),
    /// 2p = 2^(64·N) + δ.
    HalfAbove(u64),
    /// Any other p.
    Montgomery,
}

impl Shape {
    /// Small enough for the bounds that are given below.
    const SMALL: u64 = 1 << 16;

    const fn of<const N: usize>(p: &[u64; N]) -> Self {
        let below = limbs::sub(&[0; N], p).0;
        let above = limbs::add(p, p).0;
        if fits_a_limb(&below) && below[0] < Self::SMALL {
            Self::Below(below[0])
        } else if fits_a_limb(&above) && above[0] < Self::SMALL && p[N - 1] >> 63 == 1 {
            Self::HalfAbove(above[0])
        } else {
            Self::Montgomery
        }
    }
}

/// An element of the field of `P`: modulo p it is what it stands for, times 2^(64·N) for Montgomery's method.
pub(super) struct Element<P, const N: usize> {
    limbs: [u64; N],
    prime: PhantomData<P>,
}

impl<P, const N: usize> Copy for Element<P, N> {}
impl<P, const N: usize> Clone for Element<P, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Prime<N>, const N: usize> Element<P, N> {
    /// 0.
    pub(super) const ZERO: Self = Self::raw([0; N]);
    /// 1.
    pub(super) const ONE: Self = Self::raw(P::ONE);

    const fn raw(limbs: [u64; N]) -> Self {
        Self {
            limbs,
            prime: PhantomData,
        }
    }

    /// The element of a number, which is reduced.
    pub(super) const fn new(number: &[u64; N]) -> Self {
        Self::raw(*number).mul(&Self::raw(P::ENTRY))
    }

    /// The number, below p.
    #[cfg(test)]
    pub(super) const fn number(&self) -> [u64; N] {
        let number = match P::SHAPE {
            Shape::Montgomery => montgomery_product(&self.limbs, &one(), &P::P, P::NEGATIVE_INVERSE),
            _ => self.limbs,
        };
        subtract_once(number, &P::P)
    }

    /// `self + other`.
    #[inline(always)]
    pub(super) const fn add(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.limbs, &other.limbs);
        Self::raw(match P::SHAPE {
            Shape::Below(delta) => add_folded(sum, carry * delta, delta),
            Shape::HalfAbove(delta) => sub_folded(sum, carry * delta, &P::P),
            Shape::Montgomery => subtract_if_above(sum, carry, &P::P),
        })
    }

    /// `2·self`.
    #[inline(always)]
    pub(super) const fn double(&self) -> Self {
        self.add(self)
    }

    /// `self - other`.
    #[inline(always)]
    pub(super) const fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.limbs, &other.limbs);
        Self::raw(match P::SHAPE {
            // With a borrow there are 2^(64·N) too many, that is δ: it goes. Once more, with next to no chance.
            Shape::Below(delta) => match limbs::sub_small(&difference, borrow * delta) {
                (difference, 0) => difference,
                (difference, _) => limbs::sub_small(&difference, delta).0,
            },
            // The same with -δ.
            Shape::HalfAbove(delta) => match limbs::add_small(&difference, borrow * delta) {
                (difference, 0) => difference,
                (difference, _) => sub_folded(difference, delta, &P::P),
            },
            Shape::Montgomery => limbs::add(&difference, &masked(&P::P, borrow)).0,
        })
    }

    /// `-self`.
    #[inline(always)]
    pub(super) const fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// `self / 2`.
    #[inline(always)]
    pub(super) const fn half(&self) -> Self {
        // p is odd: where the number is odd, number + p is even.
        let (sum, carry) = limbs::add(&self.limbs, &masked(&P::P, self.limbs[0] & 1));
        let (mut half, mut i) = ([0; N], 0);
        while i < N {
            let above = if i + 1 < N { sum[i + 1] } else { carry };
            half[i] = sum[i] >> 1 | above << 63;
            i += 1;
        }
        Self::raw(half)
    }

    /// `self·other`.
    #[inline(always)]
    pub(super) const fn mul(&self, other: &Self) -> Self {
        // The long product is a call: inlined everywhere it costs the compiler minutes and gains nothing.
        if N > 4 {
            self.long_product(other)
        } else {
            self.product(other)
        }
    }

    #[inline(never)]
    const fn long_product(&self, other: &Self) -> Self {
        self.product(other)
    }

    #[inline(always)]
    const fn product(&self, other: &Self) -> Self {
        Self::raw(match P::SHAPE {
            Shape::Below(delta) => fold_below(limbs::mul(&self.limbs, &other.limbs), delta),
            Shape::HalfAbove(delta) => fold_above(limbs::mul(&self.limbs, &other.limbs), delta, &P::P),
            Shape::Montgomery => montgomery_product(&self.limbs, &other.limbs, &P::P, P::NEGATIVE_INVERSE),
        })
    }

    /// `self²`.
    #[inline(always)]
    pub(super) const fn square(&self) -> Self {
        self.mul(self)
    }

    /// Whether it is 0, in either of its forms.
    #[inline(always)]
    pub(super) const fn is_zero(&self) -> bool {
        limbs::is_zero(&self.limbs) || limbs::equal(&self.limbs, &P::P)
    }

    /// `1 / self`, and 0 for 0, as self^(p-2). Slow: for tables that are built once.
    pub(super) fn invert(&self) -> Self {
        let exponent = limbs::sub_small(&P::P, 2).0;
        let (mut power, mut bit) = (Self::ONE, 64 * N);
        while bit > 0 {
            bit -= 1;
            power = power.square();
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                power = power.mul(self);
            }
        }
        power
    }
}

/// The inverses of elements that are not 0, at the price of one and three products for each.
pub(super) fn inverses<P: Prime<N>, const N: usize, const COUNT: usize>(
    elements: [Element<P, N>; COUNT],
) -> [Element<P, N>; COUNT] {
    // What comes before each: 1, a, a·b, …
    let mut product = Element::ONE;
    let mut inverses = elements.map(|element| {
        let before = product;
        product = product.mul(&element);
        before
    });
    let mut inverse = product.invert();
    for (element, before) in elements.iter().zip(&mut inverses).rev() {
        *before = before.mul(&inverse);
        inverse = inverse.mul(element);
    }
    inverses
}

/// (lower, upper) with 2^(64·N) ≡ δ.
#[inline(always)]
const fn fold_below<const N: usize>((lower, upper): ([u64; N], [u64; N]), delta: u64) -> [u64; N] {
    let (mut sum, mut carry, mut i) = ([0; N], 0, 0);
    while i < N {
        (sum[i], carry) = limbs::mac(lower[i], upper[i], delta, carry);
        i += 1;
    }
    // upper·δ + lower < 2^(64·N)·(δ+1), so carry ≤ δ, and carry·δ < 2^32.
    add_folded(sum, carry * delta, delta)
}

/// (lower, upper) with 2^(64·N) ≡ -δ.
#[inline(always)]
const fn fold_above<const N: usize>((lower, upper): ([u64; N], [u64; N]), delta: u64, p: &[u64; N]) -> [u64; N] {
    let (product, top) = limbs::mul_small(&upper, delta);
    let (difference, borrow) = limbs::sub(&lower, &product);
    // There are top + borrow ≤ δ times 2^(64·N) too many: as often, δ too few; below 2^32 together.
    match limbs::add_small(&difference, (top + borrow) * delta) {
        (sum, 0) => sum,
        (sum, _) => sub_folded(sum, delta, p),
    }
}

/// `number + small` for 2^(64·N) ≡ δ, where small and δ are below 2^32.
#[inline(always)]
const fn add_folded<const N: usize>(number: [u64; N], small: u64, delta: u64) -> [u64; N] {
    match limbs::add_small(&number, small) {
        (sum, 0) => sum,
        // Next to impossible. What is left of the sum is below 2^32, so this carries no more.
        (sum, _) => limbs::add_small(&sum, delta).0,
    }
}

/// `number - small`, where small is below p.
#[inline(always)]
const fn sub_folded<const N: usize>(number: [u64; N], small: u64, p: &[u64; N]) -> [u64; N] {
    match limbs::sub_small(&number, small) {
        (difference, 0) => difference,
        // Next to impossible. The true difference is between -p and 0; with p it is right again.
        (difference, _) => limbs::add(&difference, p).0,
    }
}

/// a·b / 2^(64·N) modulo p, for b < p and any a (Montgomery's method, row by row).
#[inline(always)]
const fn montgomery_product<const N: usize>(a: &[u64; N], b: &[u64; N], p: &[u64; N], inverse: u64) -> [u64; N] {
    // What is kept, (top, sum), stays below 2p: (2p + (2^64-1)·b + (2^64-1)·p) / 2^64 < 2p.
    let (mut sum, mut top, mut i) = ([0; N], 0, 0);
    while i < N {
        let (mut carry, mut j) = (0, 0);
        while j < N {
            (sum[j], carry) = limbs::mac(sum[j], a[i], b[j], carry);
            j += 1;
        }
        let (above, overflow) = limbs::adc(top, carry, 0);
        let multiple = sum[0].wrapping_mul(inverse);
        let (_, mut carry) = limbs::mac(sum[0], multiple, p[0], 0);
        j = 1;
        while j < N {
            (sum[j - 1], carry) = limbs::mac(sum[j], multiple, p[j], carry);
            j += 1;
        }
        let carried;
        (sum[N - 1], carried) = limbs::adc(above, carry, 0);
        top = overflow + carried;
        i += 1;
    }
    subtract_if_above(sum, top, p)
}

/// (top, number) less p where it is not below it.
#[inline(always)]
const fn subtract_if_above<const N: usize>(number: [u64; N], top: u64, p: &[u64; N]) -> [u64; N] {
    let (difference, borrow) = limbs::sub(&number, p);
    let keep = 0_u64.wrapping_sub((top == 0) as u64 & borrow);
    let (mut reduced, mut i) = ([0; N], 0);
    while i < N {
        reduced[i] = number[i] & keep | difference[i] & !keep;
        i += 1;
    }
    reduced
}

/// A number below 2p brought below p.
#[cfg(test)]
const fn subtract_once<const N: usize>(number: [u64; N], p: &[u64; N]) -> [u64; N] {
    subtract_if_above(number, 0, p)
}

/// The limbs where `flag` is 1, and zero where it is 0.
#[inline(always)]
const fn masked<const N: usize>(limbs: &[u64; N], flag: u64) -> [u64; N] {
    let (mut masked, mut i) = ([0; N], 0);
    while i < N {
        masked[i] = limbs[i] & 0_u64.wrapping_sub(flag);
        i += 1;
    }
    masked
}

const fn fits_a_limb<const N: usize>(limbs: &[u64; N]) -> bool {
    let mut above = *limbs;
    above[0] = 0;
    limbs::is_zero(&above)
}

/// -1/p modulo 2^64, for an odd p.
const fn negative_inverse(p: u64) -> u64 {
    // p is its own inverse modulo 8; each step of Newton's doubles the number of right bits.
    let (mut inverse, mut step) = (p, 0);
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg()
}

/// 1.
const fn one<const N: usize>() -> [u64; N] {
    let mut one = [0; N];
    one[0] = 1;
    one
}

/// 2^(64·N) mod p.
const fn montgomery_one<const N: usize>(p: &[u64; N]) -> [u64; N] {
    // 2^(64·N) - p, and p is above an eighth of that power.
    let mut one = limbs::sub(&[0; N], p).0;
    while !limbs::less(&one, p) {
        one = limbs::sub(&one, p).0;
    }
    one
}

/// 2^(128·N) mod p, from 2^(64·N) mod p.
const fn montgomery_entry<const N: usize>(one: &[u64; N], p: &[u64; N], inverse: u64) -> [u64; N] {
    // What stands for 2 becomes what stands for 2^2, 2^4, … 2^(64·N).
    let (double, carry) = limbs::add(one, one);
    let (mut power, mut exponent) = (subtract_if_above(double, carry, p), 1);
    while exponent < 64 * N {
        power = montgomery_product(&power, &power, p, inverse);
        exponent *= 2;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Primes of each shape, and of both lengths.
    macro_rules! primes {
        ($($name:ident: $limbs:literal, $wide:ident, $hex:literal;)*) => {
            $(
                #[test]
                #[allow(non_snake_case)]
                fn $name() {
                    use crypto_bigint::{NonZero, $wide};

                    #[derive(Clone, Copy)]
                    struct P;
                    impl Prime<$limbs> for P {
                        const P: [u64; $limbs] = limbs::from_hex($hex);
                    }
                    /// The double-length number modulo p, by `crypto-bigint`.
                    fn remainder(lower: &[u64; $limbs], upper: &[u64; $limbs]) -> [u64; $limbs] {
                        let wide = |lower: &[u64; $limbs], upper: &[u64; $limbs]| {
                            let mut octets = std::vec::Vec::new();
                            lower.iter().chain(upper).for_each(|limb| octets.extend_from_slice(&limb.to_le_bytes()));
                            $wide::from_le_slice(&octets)
                        };
                        let p = NonZero::new(wide(&P::P, &[0; $limbs])).unwrap();
                        let remainder = wide(lower, upper).rem_vartime(&p).to_be_bytes();
                        limbs::from_be(&remainder.as_ref()[8 * $limbs..]).unwrap()
                    }
                    all::<P, $limbs>(remainder);
                }
            )*
        };
    }

    primes! {
        below_2_256: 4, U512, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97";
        above_2_255: 4, U512, "8000000000000000000000000000000000000000000000000000000000000c99";
        just_above_2_255: 4, U512, "8000000000000000000000000000000000000000000000000000000000000431";
        of_no_shape_256: 4, U512, "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d759b";
        below_2_512: 8, U1024, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7";
        above_2_511: 8, U1024, "8000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006f";
        of_no_shape_511: 8, U1024, "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15df1d852741af4704a0458047e80e4546d35b8336fac224dd81664bbf528be6373";
    }

    /// Numbers at the edges of p and of the limbs, and some that look arbitrary.
    fn numbers<P: Prime<N>, const N: usize>() -> std::vec::Vec<[u64; N]> {
        let near = |number: &[u64; N]| {
            let below = (0..4).map(|i| limbs::sub_small(number, i).0);
            let above = (1..4).map(|i| limbs::add_small(number, i).0);
            below.chain(above).collect::<std::vec::Vec<_>>()
        };
        let delta = limbs::sub(&[0; N], &P::P).0;
        let mut numbers = [
            near(&[0; N]),
            near(&P::P),
            near(&delta),
            near(&limbs::add(&P::P, &P::P).0),
        ]
        .concat();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20 {
            numbers.push(core::array::from_fn(|_| {
                state = state
                    .wrapping_mul(0x5851_f42d_4c95_7f2d)
                    .wrapping_add(0x1405_7b7e_f767_814f);
                state ^ state >> 29
            }));
        }
        numbers
    }

    fn all<P: Prime<N>, const N: usize>(remainder: fn(&[u64; N], &[u64; N]) -> [u64; N]) {
        let reduced = |number: &[u64; N]| remainder(number, &[0; N]);
        for a in numbers::<P, N>() {
            let element = Element::<P, N>::new(&a);
            assert_eq!(element.number(), reduced(&a));
            assert_eq!(element.is_zero(), limbs::is_zero(&reduced(&a)));
            assert_eq!(element.half().double().number(), reduced(&a));
            assert!(element.add(&element.neg()).is_zero());
            if !element.is_zero() {
                assert_eq!(element.mul(&element.invert()).number(), one());
            }
            for b in numbers::<P, N>() {
                sums_and_products::<P, N>(&a, &b, remainder);
            }
        }
        folds::<P, N>(remainder);
    }

    fn sums_and_products<P: Prime<N>, const N: usize>(
        a: &[u64; N],
        b: &[u64; N],
        remainder: fn(&[u64; N], &[u64; N]) -> [u64; N],
    ) {
        // Any limbs are an element but in Montgomery's method, where they must be below p.
        let raw = |number: &[u64; N]| match P::SHAPE {
            Shape::Montgomery => Element::<P, N>::raw(remainder(number, &[0; N])),
            _ => Element::raw(*number),
        };
        let (x, y) = (raw(a), raw(b));
        let (sum, carry) = limbs::add(&x.number(), &y.number());
        let mut upper = [0; N];
        upper[0] = carry;
        assert_eq!(x.add(&y).number(), remainder(&sum, &upper), "{a:x?} + {b:x?}");
        assert_eq!(x.sub(&y).add(&y).number(), x.number(), "{a:x?} - {b:x?}");
        let (lower, upper) = limbs::mul(&x.number(), &y.number());
        assert_eq!(x.mul(&y).number(), remainder(&lower, &upper), "{a:x?} · {b:x?}");
        assert_eq!(x.square().number(), x.mul(&x).number(), "{a:x?}²");
    }

    /// Halves of a product that make the carries which are next to impossible.
    fn folds<P: Prime<N>, const N: usize>(remainder: fn(&[u64; N], &[u64; N]) -> [u64; N]) {
        let (Shape::Below(delta) | Shape::HalfAbove(delta)) = P::SHAPE else {
            return;
        };
        for upper in numbers::<P, N>() {
            let (down, _) = limbs::mul_small(&upper, delta);
            for near in 0..3 {
                // lower + δ·upper, or lower - δ·upper, is just below a multiple of 2^(64·N).
                let lower = match P::SHAPE {
                    Shape::Below(_) => limbs::sub_small(&limbs::sub(&[0; N], &down).0, near).0,
                    _ => limbs::sub_small(&down, near).0,
                };
                let folded = match P::SHAPE {
                    Shape::Below(_) => fold_below((lower, upper), delta),
                    _ => fold_above((lower, upper), delta, &P::P),
                };
                assert_eq!(
                    remainder(&folded, &[0; N]),
                    remainder(&lower, &upper),
                    "{lower:x?}, {upper:x?}"
                );
            }
        }
    }
}
