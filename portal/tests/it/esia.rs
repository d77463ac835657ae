//! The `client_secret` of a system whose key OpenSSL holds, judged by OpenSSL.

use base64ct::{Base64Url, Base64UrlUnpadded, Encoding as _};
use fixtures::openssl::OpenSsl;
use portal::esia::{Request, Variant};

const REQUEST: Request<'static> = Request {
    client_id: "MNEMONIC",
    scope: "openid fullname",
    redirect_uri: "https://portal.example/back",
    state: "6f2a3f1e-9a4b-4c63-8a5e-0d9a8f1c2b3d",
    timestamp: time::macros::datetime!(2026-11-26 04:05:09 UTC),
    code: None,
};

/// A system's key and certificate, of 256 or 512 bits.
fn system(algorithm: &str, digest: &str) -> (OpenSsl, Vec<u8>) {
    let openssl = OpenSsl::with_gost();
    openssl.run(&format!(
        "genpkey -algorithm {algorithm} -pkeyopt paramset:A -out key.pem"
    ));
    openssl.run(&format!(
        "req -x509 -new -key key.pem -{digest} -days 30 -subj /CN=System -out cert.pem"
    ));
    openssl.run("x509 -in cert.pem -outform DER -out cert.der");
    openssl.run("pkey -in key.pem -pubout -out public.pem");
    let certificate = openssl.read("cert.der");
    (openssl, certificate)
}

const KEYS: [(&str, &str); 2] = [("gost2012_256", "md_gost12_256"), ("gost2012_512", "md_gost12_512")];

#[test]
fn every_variant_is_verified_by_openssl() {
    for (algorithm, digest) in KEYS {
        let (openssl, certificate) = system(algorithm, digest);
        let sign = |message: &[u8]| {
            openssl.write("to-sign", message);
            openssl.run(&format!("dgst -{digest} -sign key.pem -out signature to-sign"));
            Ok::<_, std::convert::Infallible>(openssl.read("signature"))
        };
        for variant in Variant::ALL {
            let secret = variant.client_secret(&REQUEST, &certificate, sign).unwrap();
            openssl.write("message", variant.to_be_signed(&REQUEST));
            if variant == Variant::EsiaPotato {
                openssl.write("secret", Base64Url::decode_vec(&secret).unwrap());
                openssl.run("cms -verify -inform DER -in secret -content message -CAfile cert.pem -binary -out out");
                assert_eq!(openssl.read("out"), openssl.read("message"));
                let attached = "cms -verify -inform DER -in secret -CAfile cert.pem -binary";
                assert!(openssl.try_run(attached).is_err(), "it is detached");
            } else {
                let secret = secret.trim_end_matches('=');
                openssl.write("secret", Base64UrlUnpadded::decode_vec(secret).unwrap());
                openssl.run(&format!("dgst -{digest} -verify public.pem -signature secret message"));
            }
        }
    }
}

#[test]
fn the_certificate_is_named_by_its_streebog() {
    let (openssl, certificate) = system("gost2012_256", "md_gost12_256");
    let told = openssl.run("dgst -md_gost12_256 -r cert.der");
    let hash = Variant::GoApiEpgu.certificate_hash(&certificate).unwrap();
    assert!(told.starts_with(&hash), "{told}");
}
