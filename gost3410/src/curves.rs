//! The nine curves behind the parameter sets: numbers, and the arithmetic that stands on them.
//!
//! The numbers are facts of RFC 4357 section 11.4, RFC 7836 appendix A and RFC 7091 section 7; a test proves of
//! each that p and q are prime, that G lies on the curve and that q·G is the point at infinity.

use crate::Size;
use elliptic_curve::bigint::{Odd, U256, U512};
use elliptic_curve::consts::{U32, U64};
use elliptic_curve::ff::PrimeField;
use elliptic_curve::hazmat::FieldArithmetic;
use elliptic_curve::scalar::{FromUintUnchecked, IsHigh};
use elliptic_curve::subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, CtOption};
use elliptic_curve::{CurveArithmetic, PrimeCurveArithmetic};
use primeorder::point_arithmetic::{EquationAIsGeneric, EquationAIsMinusThree};
use primeorder::wnaf::WnafSize;
use primeorder::wnaf::array::sizes::{U256 as Digits256, U257 as Digits257, U528 as Digits528};
use primeorder::{AffinePoint, PrimeCurveParams, ProjectivePoint};

/// A curve that the generic code of this crate can work on.
///
/// `primeorder` calls its curves prime-order ones. Two of ours have 4·q points; the formulas hold on them for the
/// points of the subgroup of order q, and [`crate::point`] lets no other point in.
pub(crate) trait GostCurve: PrimeCurveParams {
    /// The number of points on the curve divided by q: 1 or 4.
    const COFACTOR: u8;
}

/// Names one of the nine curves at run time. Several parameter sets share a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Curve {
    Test256,
    CryptoProA,
    CryptoProB,
    CryptoProC,
    Tc26A256,
    Test512,
    Tc26A512,
    Tc26B512,
    Tc26C512,
}

impl Curve {
    /// How long its numbers are.
    pub(crate) const fn size(self) -> Size {
        match self {
            Curve::Test512 | Curve::Tc26A512 | Curve::Tc26B512 | Curve::Tc26C512 => Size::Bits512,
            _ => Size::Bits256,
        }
    }
}

/// Runs an expression with the type `$c` standing for the curve that `$curve` names.
macro_rules! with_curve {
    ($curve:expr, $c:ident => $body:expr) => {
        match $curve {
            $crate::curves::Curve::Test256 => {
                type $c = $crate::curves::Test256;
                $body
            }
            $crate::curves::Curve::CryptoProA => {
                type $c = $crate::curves::CryptoProA;
                $body
            }
            $crate::curves::Curve::CryptoProB => {
                type $c = $crate::curves::CryptoProB;
                $body
            }
            $crate::curves::Curve::CryptoProC => {
                type $c = $crate::curves::CryptoProC;
                $body
            }
            $crate::curves::Curve::Tc26A256 => {
                type $c = $crate::curves::Tc26A256;
                $body
            }
            $crate::curves::Curve::Test512 => {
                type $c = $crate::curves::Test512;
                $body
            }
            $crate::curves::Curve::Tc26A512 => {
                type $c = $crate::curves::Tc26A512;
                $body
            }
            $crate::curves::Curve::Tc26B512 => {
                type $c = $crate::curves::Tc26B512;
                $body
            }
            $crate::curves::Curve::Tc26C512 => {
                type $c = $crate::curves::Tc26C512;
                $body
            }
        }
    };
}
pub(crate) use with_curve;

/// Defines a curve: its two fields over `primefield`, its equation and its generator over `primeorder`.
///
/// `primefield` asks for a multiplicative generator of each field, and uses only that it is no square.
macro_rules! curve {
    (
        $(#[$doc:meta])*
        $name:ident: $uint:ident, $size:ident, $digits:ident, $arithmetic:ident, cofactor $cofactor:literal;
        p: $p:literal, nonresidue $p_nonresidue:literal;
        q: $q:literal, nonresidue $q_nonresidue:literal;
        a: $a:literal;
        b: $b:literal;
        x: $x:literal;
        y: $y:literal;
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(unreachable_pub)] // the macros of elliptic-curve implement public traits for it
        pub struct $name;

        const _: () = {
            // The macros of primefield name their elements `pub`, and want to be alone in a module.
            use fields::{Element, Scalar};
            #[allow(unreachable_pub, dead_code, missing_docs, deprecated)]
            mod fields {
                pub(super) use element::Element;
                pub(super) use scalar::Scalar;
                mod element {
                    use super::super::*;
                    primefield::monty_field_params! {
                        name: Params, modulus: $p, uint: $uint, byte_order: primefield::ByteOrder::BigEndian,
                        multiplicative_generator: $p_nonresidue, doc: "The field of the coordinates."
                    }
                    primefield::monty_field_element! { name: Element, params: Params, uint: $uint, doc: "A coordinate." }
                    primefield::monty_field_arithmetic! { name: Element, params: Params, uint: $uint }
                }
                mod scalar {
                    use super::super::*;
                    primefield::monty_field_params! {
                        name: Params, modulus: $q, uint: $uint, byte_order: primefield::ByteOrder::BigEndian,
                        multiplicative_generator: $q_nonresidue, doc: "The field of the multipliers."
                    }
                    primefield::monty_field_element! { name: Scalar, params: Params, uint: $uint, doc: "A multiplier." }
                    primefield::monty_field_arithmetic! { name: Scalar, params: Params, uint: $uint }
                    primefield::monty_field_reduce! { name: Scalar, params: Params, uint: $uint, }
                    elliptic_curve::scalar_impls!($name, Scalar);
                    impl AsRef<Scalar> for Scalar {
                        fn as_ref(&self) -> &Scalar {
                            self
                        }
                    }
                    impl FromUintUnchecked for Scalar {
                        type Uint = $uint;
                        fn from_uint_unchecked(uint: $uint) -> Self {
                            Self::from_uint_unchecked(uint)
                        }
                    }
                    impl IsHigh for Scalar {
                        fn is_high(&self) -> Choice {
                            const HALF: $uint = $uint::from_be_hex($q).shr_vartime(1);
                            ConstantTimeGreater::ct_gt(&self.to_canonical(), &HALF)
                        }
                    }
                    impl WnafSize for Scalar {
                        type StorageSize = $digits;
                    }
                }
            }

            impl elliptic_curve::ops::BatchInvert for Element {}

            impl elliptic_curve::Curve for $name {
                type FieldBytesSize = $size;
                type Uint = $uint;
                const ORDER: Odd<$uint> = Odd::<$uint>::from_be_hex($q);
            }
            impl elliptic_curve::PrimeCurve for $name {}
            impl elliptic_curve::point::PointCompression for $name {
                const COMPRESS_POINTS: bool = false;
            }
            impl CurveArithmetic for $name {
                type AffinePoint = AffinePoint<$name>;
                type ProjectivePoint = ProjectivePoint<$name>;
                type Scalar = Scalar;
            }
            impl FieldArithmetic for $name {
                type FieldElement = Element;
            }
            impl PrimeCurveArithmetic for $name {
                type CurveGroup = ProjectivePoint<$name>;
            }
            impl PrimeCurveParams for $name {
                type PointArithmetic = $arithmetic;
                type Backend = primeorder::mul_backend::VariableOnly;
                const EQUATION_A: Element = Element::from_hex_vartime($a);
                const EQUATION_B: Element = Element::from_hex_vartime($b);
                const GENERATOR: (Element, Element) = (Element::from_hex_vartime($x), Element::from_hex_vartime($y));
            }
            impl GostCurve for $name {
                const COFACTOR: u8 = $cofactor;
            }
        };
    };
}

curve! {
    /// `id-GostR3410-2001-TestParamSet`: the example curve of RFC 7091 A.1.
    Test256: U256, U32, Digits257, EquationAIsGeneric, cofactor 1;
    p: "8000000000000000000000000000000000000000000000000000000000000431", nonresidue 7;
    q: "8000000000000000000000000000000150fe8a1892976154c59cfc193accf5b3", nonresidue 2;
    a: "0000000000000000000000000000000000000000000000000000000000000007";
    b: "5fbff498aa938ce739b8e022fbafef40563f6e6a3472fc2a514c0ce9dae23b7e";
    x: "0000000000000000000000000000000000000000000000000000000000000002";
    y: "08e2a8a0e65147d4bd6316030e16d19c85c97f0a9ca267122b96abbcea7e8fc8";
}

curve! {
    /// CryptoPro-A, CryptoPro-XchA, TC26 256-B.
    CryptoProA: U256, U32, Digits257, EquationAIsMinusThree, cofactor 1;
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97", nonresidue 7;
    q: "ffffffffffffffffffffffffffffffff6c611070995ad10045841b09b761b893", nonresidue 2;
    a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd94";
    b: "00000000000000000000000000000000000000000000000000000000000000a6";
    x: "0000000000000000000000000000000000000000000000000000000000000001";
    y: "8d91e471e0989cda27df505a453f2b7635294f2ddf23e3b122acc99c9e9f1e14";
}

curve! {
    /// CryptoPro-B, TC26 256-C.
    CryptoProB: U256, U32, Digits257, EquationAIsMinusThree, cofactor 1;
    p: "8000000000000000000000000000000000000000000000000000000000000c99", nonresidue 3;
    q: "800000000000000000000000000000015f700cfff1a624e5e497161bcc8a198f", nonresidue 5;
    a: "8000000000000000000000000000000000000000000000000000000000000c96";
    b: "3e1af419a269a5f866a7d3c25c3df80ae979259373ff2b182f49d4ce7e1bbc8b";
    x: "0000000000000000000000000000000000000000000000000000000000000001";
    y: "3fa8124359f96680b83d1c3eb2c070e5c545c9858d03ecfb744bf8d717717efc";
}

curve! {
    /// CryptoPro-C, CryptoPro-XchB, TC26 256-D.
    CryptoProC: U256, U32, Digits257, EquationAIsMinusThree, cofactor 1;
    p: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d759b", nonresidue 2;
    q: "9b9f605f5a858107ab1ec85e6b41c8aa582ca3511eddfb74f02f3a6598980bb9", nonresidue 7;
    a: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d7598";
    b: "000000000000000000000000000000000000000000000000000000000000805a";
    x: "0000000000000000000000000000000000000000000000000000000000000000";
    y: "41ece55743711a8c3cbf3783cd08c0ee4d4dc440d4641a8f366e550dfdb3bb67";
}

curve! {
    /// TC26 256-A: a twisted Edwards curve in Weierstrass form, cofactor 4.
    Tc26A256: U256, U32, Digits256, EquationAIsGeneric, cofactor 4;
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97", nonresidue 7;
    q: "400000000000000000000000000000000fd8cddfc87b6635c115af556c360c67", nonresidue 5;
    a: "c2173f1513981673af4892c23035a27ce25e2013bf95aa33b22c656f277e7335";
    b: "295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513";
    x: "91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28";
    y: "32879423ab1a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c";
}

curve! {
    /// `id-tc26-gost-3410-2012-512-paramSetTest`: the example curve of RFC 7091 A.2.
    Test512: U512, U64, Digits528, EquationAIsGeneric, cofactor 1;
    p: "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15df1d852741af4704a0458047e80e4546d35b8336fac224dd81664bbf528be6373", nonresidue 2;
    q: "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15da82f2d7ecb1dbac719905c5eecc423f1d86e25edbe23c595d644aaf187e6e6df", nonresidue 5;
    a: "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000007";
    b: "1cff0806a31116da29d8cfa54e57eb748bc5f377e49400fdd788b649eca1ac4361834013b2ad7322480a89ca58e0cf74bc9e540c2add6897fad0a3084f302adc";
    x: "24d19cc64572ee30f396bf6ebbfd7a6c5213b3b3d7057cc825f91093a68cd762fd60611262cd838dc6b60aa7eee804e28bc849977fac33b4b530f1b120248a9a";
    y: "2bb312a43bd2ce6e0d020613c857acddcfbf061e91e5f2c3f32447c259f39b2c83ab156d77f1496bf7eb3351e1ee4e43dc1a18b91b24640b6dbb92cb1add371e";
}

curve! {
    /// TC26 512-A.
    Tc26A512: U512, U64, Digits528, EquationAIsMinusThree, cofactor 1;
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7", nonresidue 5;
    q: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff27e69532f48d89116ff22b8d4e0560609b4b38abfad2b85dcacdb1411f10b275", nonresidue 2;
    a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc4";
    b: "e8c2505dedfc86ddc1bd0b2b6667f1da34b82574761cb0e879bd081cfd0b6265ee3cb090f30d27614cb4574010da90dd862ef9d4ebee4761503190785a71c760";
    x: "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003";
    y: "7503cfe87a836ae3a61b8816e25450e6ce5e1c93acf1abc1778064fdcbefa921df1626be4fd036e93d75e6a50e3a41e98028fe5fc235f5b889a589cb5215f2a4";
}

curve! {
    /// TC26 512-B.
    Tc26B512: U512, U64, Digits528, EquationAIsMinusThree, cofactor 1;
    p: "8000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006f", nonresidue 7;
    q: "800000000000000000000000000000000000000000000000000000000000000149a1ec142565a545acfdb77bd9d40cfa8b996712101bea0ec6346c54374f25bd", nonresidue 2;
    a: "8000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006c";
    b: "687d1b459dc841457e3e06cf6f5e2517b97c7d614af138bcbf85dc806c4b289f3e965d2db1416d217f8b276fad1ab69c50f78bee1fa3106efb8ccbc7c5140116";
    x: "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002";
    y: "1a8f7eda389b094c2c071e3647a8940f3c123b697578c213be6dd9e6c8ec7335dcb228fd1edf4a39152cbcaaf8c0398828041055f94ceeec7e21340780fe41bd";
}

curve! {
    /// TC26 512-C: a twisted Edwards curve in Weierstrass form, cofactor 4.
    Tc26C512: U512, U64, Digits528, EquationAIsGeneric, cofactor 4;
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7", nonresidue 5;
    q: "3fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc98cdba46506ab004c33a9ff5147502cc8eda9e7a769a12694623cef47f023ed", nonresidue 2;
    a: "dc9203e514a721875485a529d2c722fb187bc8980eb866644de41c68e143064546e861c0e2c9edd92ade71f46fcf50ff2ad97f951fda9f2a2eb6546f39689bd3";
    b: "b4c4ee28cebc6c2c8ac12952cf37f16ac7efb6a9f69f4b57ffda2e4f0de5ade038cbc2fff719d2c18de0284b8bfef3b52b8cc7a5f5bf0a3c8d2319a5312557e1";
    x: "e2e31edfc23de7bdebe241ce593ef5de2295b7a9cbaef021d385f7074cea043aa27272a7ae602bf2a7b9033db9ed3610c6fb85487eae97aac5bc7928c1950148";
    y: "f5ce40d95b5eb899abbccff5911cb8577939804d6527378b8c108c3d2090ff9be18e2d33e3021ed2ef32d85822423b6304f726aa854bae07d0396e9a9addc40f";
}
