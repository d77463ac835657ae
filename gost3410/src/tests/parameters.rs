//! The numbers of every curve prove themselves.

use super::{base, p, q};
use crate::curves::{GostCurve, with_curve};
use crate::point::in_subgroup;
use crate::{ParameterSet, Size};
use crypto_primes::{Flavor, is_prime};
use elliptic_curve::bigint::{U512, U1024};
use primeorder::PrimeCurveParams;

#[test]
fn p_and_q_are_prime_and_different() {
    for set in ParameterSet::ALL {
        let (p, q) = (p(set.curve()), q(set.curve()));
        assert!(is_prime(Flavor::Any, &p) && is_prime(Flavor::Any, &q), "{set}");
        assert_ne!(p, q, "{set}");
    }
}

/// RFC 7091 section 5.2: q has 254 to 256, or 508 to 512 bits.
#[test]
fn q_has_the_length_that_the_standard_wants() {
    for set in ParameterSet::ALL {
        let bits = q(set.curve()).bit_width_vartime();
        match set.size() {
            Size::Bits256 => assert!((255..=256).contains(&bits), "{set}"),
            Size::Bits512 => assert!((509..=512).contains(&bits), "{set}"),
        }
    }
}

#[test]
fn the_base_point_lies_on_the_curve_and_has_order_q() {
    for set in ParameterSet::ALL {
        with_curve!(set.curve(), C => {
            let (x, y) = C::GENERATOR;
            assert_eq!(y.square(), (x.square() + C::EQUATION_A) * x + C::EQUATION_B, "{set}");
            // q is prime, so q·G = O and G ≠ O leave no other order.
            assert!(in_subgroup::<C>(x, y), "{set}");
        });
    }
}

/// 4a³ + 27b² ≠ 0, and the j-invariant is neither 0 nor 1728 (RFC 7091 section 5.2): a and b are not zero.
#[test]
fn the_curves_are_not_singular() {
    for set in ParameterSet::ALL {
        with_curve!(set.curve(), C => {
            let (a, b) = (C::EQUATION_A, C::EQUATION_B);
            let three = a.square() * a;
            let mut sum = three.double().double();
            for _ in 0..27 {
                sum += b.square();
            }
            assert!(!bool::from(sum.is_zero()) && !bool::from(a.is_zero()) && !bool::from(b.is_zero()), "{set}");
        });
    }
}

/// Hasse: (p + 1 - h·q)² ≤ 4p. Only one multiple of q is there, so h is the cofactor.
#[test]
fn the_cofactor_is_what_it_is_said_to_be() {
    for set in ParameterSet::ALL {
        let (p, q) = (
            p(set.curve()).resize::<{ U1024::LIMBS }>(),
            q(set.curve()).resize::<{ U1024::LIMBS }>(),
        );
        let cofactor = with_curve!(set.curve(), C => C::COFACTOR);
        let order = q.wrapping_mul(&U1024::from_u8(cofactor));
        let p_1: U1024 = p.wrapping_add(&U1024::ONE);
        let off = if p_1 > order {
            p_1.wrapping_sub(&order)
        } else {
            order.wrapping_sub(&p_1)
        };
        assert!(off.bit_width_vartime() <= 512, "{set}");
        assert!(off.wrapping_mul(&off) <= p.shl_vartime(2), "{set}");
    }
}

/// The order is no divisor of p^t - 1 for small t (RFC 7091 section 5.2: the MOV condition, B = 31 and 131).
#[test]
fn no_small_power_of_p_is_one_modulo_q() {
    for set in ParameterSet::ALL {
        let q_odd = q(set.curve()).to_nz().unwrap();
        let p_mod_q: U512 = p(set.curve()).rem_vartime(&q_odd);
        let mut power = U512::ONE;
        for t in 1..=131 {
            power = super::mul_mod_q(set.curve(), &power, &p_mod_q);
            assert_ne!(power, U512::ONE, "{set}: t = {t}");
        }
    }
}

#[test]
fn names_and_identifiers_are_unique_and_lead_back() {
    for set in ParameterSet::ALL {
        assert_eq!(ParameterSet::from_oid(&set.oid()), Some(set));
        assert_eq!(ParameterSet::from_name(set.name()), Some(set));
        assert_eq!(ParameterSet::from_name(&set.name().to_ascii_lowercase()), Some(set));
        let same = ParameterSet::ALL.into_iter().filter(|other| set.same_curve(*other));
        for other in same {
            assert_eq!(
                (p(set.curve()), q(set.curve()), base(set.curve())),
                (p(other.curve()), q(other.curve()), base(other.curve()))
            );
        }
    }
    assert_eq!(
        ParameterSet::from_oid(&crate::ObjectIdentifier::new_unwrap("1.2.643.7.1.2.1.1.5")),
        None
    );
    assert!(ParameterSet::CryptoProXchA.same_curve(ParameterSet::Tc26_256B));
    assert!(ParameterSet::CryptoProB.same_curve(ParameterSet::Tc26_256C));
    assert!(ParameterSet::CryptoProXchB.same_curve(ParameterSet::Tc26_256D));
    assert!(!ParameterSet::Tc26_256A.same_curve(ParameterSet::CryptoProA));
}
