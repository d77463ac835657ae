//! Keys and signatures of the crate `gost3410` and of the engine, each before the other.

use fixtures::openssl::OpenSsl;
use fixtures::pki::certificate::pem;
use gost3410::{Algorithm, ParameterSet, PublicKey, SecretKey, Signature};

use crate::authority::{CURVES, Curve, OF_256};

const MESSAGE: &[u8] = b"to be signed";

#[test]
fn its_keys_and_signatures_are_read() {
    let openssl = OpenSsl::with_gost();
    openssl.write("message", MESSAGE);
    let old = CURVES[..OF_256].iter().map(|curve| Curve::of_2001(curve.set));
    for curve in CURVES.into_iter().chain(old) {
        openssl.run(&format!(
            "genpkey -algorithm {} -pkeyopt paramset:{} -out key.pem",
            curve.key, curve.set
        ));
        openssl.run("pkey -in key.pem -outform DER -out key.der");
        openssl.run("pkey -in key.pem -pubout -outform DER -out public.der");
        let public = PublicKey::from_spki_der(&openssl.read("public.der"));
        let public = public.unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        let secret = SecretKey::from_pkcs8_der(&openssl.read("key.der"));
        let secret = secret.unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        assert!(secret.public_key().same_point(&public), "{curve:?}");
        for _ in 0..8 {
            openssl.run(&format!("dgst -{} -sign key.pem -out signature message", curve.digest));
            let signature = Signature::from_x509(&openssl.read("signature")).expect("a signature");
            let digest = public.algorithm().digest(MESSAGE);
            public
                .verify_digest(&digest, &signature)
                .unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        }
    }
}

#[test]
fn our_keys_and_signatures_are_read() {
    let openssl = OpenSsl::with_gost();
    openssl.write("message", MESSAGE);
    for (algorithm, set) in ours() {
        let digest = match algorithm {
            Algorithm::Gost2001 => "md_gost94",
            Algorithm::Gost2012_256 => "md_gost12_256",
            Algorithm::Gost2012_512 => "md_gost12_512",
        };
        let secret = SecretKey::generate(algorithm, set).expect("system random");
        openssl.write("key.pem", pem("PRIVATE KEY", &secret.to_pkcs8_der()));
        openssl.write("public.pem", pem("PUBLIC KEY", &secret.public_key().to_spki_der()));
        openssl.run("pkey -in key.pem -pubout -outform DER -out public.der");
        let theirs = PublicKey::from_spki_der(&openssl.read("public.der"));
        assert!(
            theirs.is_ok_and(|public| public.same_point(secret.public_key())),
            "{}",
            set.name()
        );
        for _ in 0..8 {
            let signature = secret.sign_digest(&algorithm.digest(MESSAGE)).expect("a signature");
            openssl.write("signature", signature.to_x509());
            let said = openssl.run(&format!(
                "dgst -{digest} -verify public.pem -signature signature message"
            ));
            assert!(said.contains("Verified OK"), "{}: {said}", set.name());
        }
    }
}

/// Every algorithm on every parameter set; the engine has no name for the example curve of 512 bits.
fn ours() -> impl Iterator<Item = (Algorithm, ParameterSet)> {
    let fits = |(algorithm, set): &(Algorithm, ParameterSet)| {
        set.size() == algorithm.size() && *set != ParameterSet::Tc26_512Test
    };
    let pairs = |algorithm| ParameterSet::ALL.map(|set| (algorithm, set));
    Algorithm::ALL.into_iter().flat_map(pairs).filter(fits)
}
