//! What OpenSSL makes verifies: DER and streaming BER, attached and detached, RSA, PSS and ECDSA.

use std::path::Path;
use std::process::Command;

use fixtures::pki::certificate::pem;
use fixtures::pki::{Issued, KeyKind};
use plugin_protocol::encoding::base64;
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{ProofFormat, SignatureAlgorithm as A};

use crate::cms_builder::{Cms, wrap};
use crate::support::{Scene, key_for};

/// `openssl cms -sign` over `content`, with these options more.
fn sign(content: &[u8], signer: &Issued, options: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("content"), content).unwrap();
    std::fs::write(file("key.pem"), signer.key.pkcs8_pem()).unwrap();
    std::fs::write(file("signer.pem"), pem("CERTIFICATE", &signer.certificate)).unwrap();
    let others: String = signer.intermediates.iter().map(|der| pem("CERTIFICATE", der)).collect();
    std::fs::write(file("others.pem"), others).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-sign", "-binary", "-outform", "DER"]);
    openssl
        .arg("-in")
        .arg(file("content"))
        .arg("-signer")
        .arg(file("signer.pem"));
    openssl
        .arg("-inkey")
        .arg(file("key.pem"))
        .arg("-certfile")
        .arg(file("others.pem"));
    openssl.args(options).arg("-out").arg(file("out"));
    run(openssl);
    std::fs::read(file("out")).unwrap()
}

fn run(mut openssl: Command) {
    let output = openssl.output().expect("openssl is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{openssl:?}: {said}");
}

fn digest_option(algorithm: A) -> &'static str {
    match algorithm.hash() {
        plugin_protocol::HashFunction::Sha256 => "sha256",
        plugin_protocol::HashFunction::Sha384 => "sha384",
        plugin_protocol::HashFunction::Sha512 => "sha512",
        plugin_protocol::HashFunction::Streebog256 => "md_gost12_256",
        plugin_protocol::HashFunction::Streebog512 => "md_gost12_512",
    }
}

#[test]
fn signatures_of_every_algorithm_and_encoding_verify() {
    let scene = Scene::new();
    for algorithm in A::JOSE {
        let person = scene.person(key_for(algorithm));
        let statement = scene.statement(&person.certificate).to_canonical_json();
        let mut options = vec!["-cades", "-md", digest_option(algorithm)];
        if algorithm.scheme() == plugin_protocol::api::SignatureScheme::RsaPss {
            options.extend(["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"]);
        }
        for encoding in [&["-nodetach"][..], &[], &["-nodetach", "-stream"]] {
            if encoding.contains(&"-stream") && options.contains(&"-keyopt") {
                continue; // OpenSSL 3.0 cannot: "illegal zero content", the PSS parameters are not set yet.
            }
            let cms = sign(&statement, &person, &[&options[..], encoding].concat());
            let detached = !encoding.contains(&"-nodetach");
            let proof = CmsProof {
                cms: base64(&cms),
                content: detached.then(|| base64(&statement)),
            };
            let identity = scene.verify(&wrap(proof, ProofFormat::Cms));
            let identity = identity.unwrap_or_else(|error| panic!("{algorithm} {encoding:?}: {error}"));
            assert_eq!(identity.algorithm(), algorithm);
        }
    }
}

#[test]
fn streaming_output_is_really_ber() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let cms = sign(b"content", &person, &["-cades", "-nodetach", "-stream"]);
    assert_eq!(cms[..2], [0x30, 0x80], "an indefinite length");
}

#[test]
fn a_literal_challenge_signed_by_openssl_verifies() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::Rsa2048);
    let cms = sign(
        scene.challenge.as_str().as_bytes(),
        &person,
        &["-cades", "-md", "sha256"],
    );
    let proof = CmsProof {
        cms: base64(&cms),
        content: None,
    };
    assert!(scene.verify(&wrap(proof, ProofFormat::CmsChallenge)).is_ok());
}

#[test]
fn without_cades_there_is_no_signing_certificate() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let statement = scene.statement(&person.certificate).to_canonical_json();
    for (options, missing) in [("-noattr", "there are none"), ("-nosmimecap", "signing-certificate-v2")] {
        let cms = sign(&statement, &person, &["-nodetach", options]);
        let proof = CmsProof {
            cms: base64(&cms),
            content: None,
        };
        let error = scene.verify(&wrap(proof, ProofFormat::Cms)).unwrap_err();
        assert_eq!(error, portal::VerifyError::SignedAttributes(missing));
    }
}

#[test]
fn openssl_verifies_what_our_builder_makes() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let cms = Cms::statement(&scene, &person, A::ES256).der(&person);
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("cms"), cms).unwrap();
    std::fs::write(file("root.pem"), scene.pki.root_pem()).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any",
    ]);
    openssl.arg("-in").arg(file("cms")).arg("-CAfile").arg(file("root.pem"));
    openssl.arg("-out").arg(Path::new("/dev/null"));
    run(openssl);
}
