//! RFC 7091 appendix A: both examples, with the nonce that the standard gives.

use super::hex;
use crate::octets::Octets;
use crate::sign::sign;
use crate::{Algorithm, ParameterSet, PublicKey, SecretKey};
use zeroize::Zeroizing;

/// One example: the private key, the digest as a number, the nonce; Q, r and s as they must come out.
struct Example<'a> {
    algorithm: Algorithm,
    set: ParameterSet,
    d: &'a str,
    e: &'a str,
    k: &'a str,
    q: [&'a str; 2],
    r: &'a str,
    s: &'a str,
}

fn run(example: &Example<'_>) {
    let (algorithm, set) = (example.algorithm, example.set);
    let key = SecretKey::from_be_bytes(algorithm, set, &hex(example.d)).unwrap();
    assert_eq!(key.public_key().to_x_y(), hex(&example.q.concat()));
    assert!(PublicKey::from_x_y(algorithm, set, &hex(&example.q.concat())).is_ok());
    let mut digest = hex(example.e);
    digest.reverse();
    let d = Octets::from_be(set.size(), &hex(example.d)).unwrap();
    let k = || Zeroizing::new(Octets::from_be(set.size(), &hex(example.k)).unwrap());
    let signature = sign(set.curve(), &d, &digest, &mut || k()).unwrap();
    assert_eq!(signature.to_r_s(), hex(&[example.r, example.s].concat()));
    key.public_key().verify_digest(&digest, &signature).unwrap();
}

#[test]
fn example_of_256_bits() {
    run(&Example {
        algorithm: Algorithm::Gost2012_256,
        set: ParameterSet::CryptoProTest,
        d: "7a929ade789bb9be10ed359dd39a72c11b60961f49397eee1d19ce9891ec3b28",
        e: "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
        k: "77105c9b20bcd3122823c8cf6fcc7b956de33814e95b7fe64fed924594dceab3",
        q: [
            "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
            "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
        ],
        r: "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493",
        s: "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40",
    });
}

#[test]
fn example_of_512_bits() {
    run(&Example {
        algorithm: Algorithm::Gost2012_512,
        set: ParameterSet::Tc26_512Test,
        d: "0ba6048aadae241ba40936d47756d7c93091a0e8514669700ee7508e508b102072e8123b2200a0563322dad2827e2714a2636b7bfd18aadfc62967821fa18dd4",
        e: "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c5917184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c",
        k: "0359e7f4b1410feacc570456c6801496946312120b39d019d455986e364f365886748ed7a44b3e794434006011842286212273a6d14cf70ea3af71bb1ae679f1",
        q: [
            "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1",
            "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec",
        ],
        r: "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd35492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36",
        s: "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a",
    });
}
