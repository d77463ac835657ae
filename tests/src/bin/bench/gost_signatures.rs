//! GOST R 34.10 signatures beside OpenSSL's GOST engine, in turns: one of ours, one of the engine's.

use std::time::{Duration, Instant};

use gost3410::{Algorithm, ParameterSet, PublicKey, SecretKey, Signature, Size};
use system_tests::gost_engine::{GostEngine, Key};

use crate::stats::Sample;

/// How many keys of each curve; every one signs and verifies as often as the others.
const KEYS: u8 = 8;

/// One parameter set for each curve.
const CURVES: [ParameterSet; 9] = [
    ParameterSet::CryptoProTest,
    ParameterSet::CryptoProA,
    ParameterSet::CryptoProB,
    ParameterSet::CryptoProC,
    ParameterSet::Tc26_256A,
    ParameterSet::Tc26_512Test,
    ParameterSet::Tc26_512A,
    ParameterSet::Tc26_512B,
    ParameterSet::Tc26_512C,
];

/// Prints one line for each curve, or what is missing.
pub(crate) fn run() {
    println!(
        "\nGOST R 34.10-2012 beside OpenSSL's engine, medians in us of calls in turns (import: ours only, once a key)"
    );
    println!(
        "  {:<40} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}   {:>8}",
        "", "verify", "engine", "ratio", "sign", "engine", "ratio", "import"
    );
    match GostEngine::load() {
        Ok(engine) => CURVES.into_iter().for_each(|set| row(engine, set)),
        Err(missing) => println!("  not measured: {missing}"),
    }
}

fn row(engine: &GostEngine, set: ParameterSet) {
    let cases: Vec<_> = (0..KEYS).map(|number| Case::new(engine, set, number)).collect();
    let rounds = if set.size() == Size::Bits256 { 60 } else { 20 };
    let [verify, their_verify, sign, their_sign, import] = in_turns(
        rounds,
        &cases,
        [
            &|case: &Case<'_>| {
                case.public
                    .verify_digest(&case.digest, &case.signature)
                    .expect("it is right")
            },
            &|case| assert!(case.theirs.verify_digest(&case.digest, &case.octets), "it is right"),
            &|case| _ = case.secret.sign_digest(&case.digest).expect("it signs"),
            &|case| drop(case.theirs.sign_digest(&case.digest).expect("it signs")),
            &|case| _ = PublicKey::from_spki_der(&case.spki).expect("it is a key"),
        ],
    );
    println!(
        "  {:<40} {verify:>8.0} {their_verify:>8.0} {:>6.2}   {sign:>8.0} {their_sign:>8.0} {:>6.2}   {import:>8.0}",
        set.name(),
        verify / their_verify,
        sign / their_sign,
    );
}

/// A key in both programs' hands, and a signature of the engine's.
struct Case<'e> {
    secret: SecretKey,
    public: PublicKey,
    theirs: Key<'e>,
    spki: Vec<u8>,
    digest: Vec<u8>,
    signature: Signature,
    octets: Vec<u8>,
}

impl<'e> Case<'e> {
    fn new(engine: &'e GostEngine, set: ParameterSet, number: u8) -> Self {
        let algorithm = match set.size() {
            Size::Bits256 => Algorithm::Gost2012_256,
            Size::Bits512 => Algorithm::Gost2012_512,
        };
        let secret = SecretKey::generate(algorithm, set).expect("a key is made");
        let theirs = engine.private_key(&secret.to_pkcs8_der()).expect("the engine reads it");
        let digest = algorithm.digest(&[number]);
        let octets = theirs.sign_digest(&digest).expect("the engine signs");
        Self {
            public: secret.public_key().clone(),
            spki: secret.public_key().to_spki_der(),
            signature: Signature::from_x509(&octets).expect("it is a signature"),
            secret,
            theirs,
            digest,
            octets,
        }
    }
}

/// Medians in microseconds: each operation once on each case in its turn, `rounds` times; one more comes first.
fn in_turns<C, const N: usize>(rounds: usize, cases: &[C], operations: [&dyn Fn(&C); N]) -> [f64; N] {
    let mut durations = [const { Vec::<Duration>::new() }; N];
    for round in 0..=rounds {
        for case in cases {
            for (operation, durations) in operations.iter().zip(&mut durations) {
                let start = Instant::now();
                operation(case);
                if round > 0 {
                    durations.push(start.elapsed());
                }
            }
        }
    }
    durations.map(|durations| Sample::from_durations(durations).median().as_secs_f64() * 1e6)
}
