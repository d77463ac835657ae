//! What OpenSSL's GOST engine makes verifies: keys, certificates, CRLs and CMS in its own spelling.

use fixtures::openssl::OpenSsl;
use fixtures::pki::{Issued, KeyKind};
use portal::{CertificateStatus, Policy, Revocation, verify};

use super::{algorithm_of, proof, scene};
use crate::support::Scene;

fn digest_option(kind: KeyKind) -> &'static str {
    match kind.gost().0.size() {
        gost3410::Size::Bits256 => "md_gost12_256",
        gost3410::Size::Bits512 => "md_gost12_512",
    }
}

/// A directory with the signer's key, certificate and authorities, and the content to sign.
fn stage(content: &[u8], signer: &Issued) -> OpenSsl {
    let openssl = OpenSsl::with_gost();
    openssl.write("content", content);
    openssl.write("key.pem", signer.key.pkcs8_pem());
    openssl.write_pem("signer.pem", "CERTIFICATE", &[&signer.certificate]);
    openssl.write_pem("others.pem", "CERTIFICATE", &signer.intermediates);
    openssl
}

#[test]
fn a_cms_by_every_key_verifies_attached_detached_and_streamed() {
    let scene = scene();
    for kind in KeyKind::all_gost() {
        let person = scene.person(kind);
        let statement = scene.statement(&person.certificate).to_canonical_json();
        let openssl = stage(&statement, &person);
        for options in ["-nodetach", "", "-nodetach -stream", "-nodetach -keyid"] {
            openssl.run(&format!(
                "cms -sign -cades -binary -outform DER -md {} {options} -in content -signer signer.pem -inkey key.pem \
                 -certfile others.pem -out cms",
                digest_option(kind)
            ));
            let cms = openssl.read("cms");
            assert_eq!(cms[1] == 0x80, options.contains("-stream"), "an indefinite length");
            let detached = !options.contains("-nodetach");
            let identity = scene.verify(&proof(&cms, detached.then_some(&statement)));
            let identity = identity.unwrap_or_else(|error| panic!("{kind:?} {options}: {error}"));
            assert_eq!(identity.algorithm(), algorithm_of(kind));
        }
    }
}

/// An authority of OpenSSL's own making, with a person under it and a CRL.
const AUTHORITY: &str = "\
[ca]
default_ca = authority
[authority]
database = index
crlnumber = number
default_crl_days = 30
[person]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
";

#[test]
fn an_authority_of_its_making_verifies_with_its_crl() {
    for (algorithm, set, digest) in [
        ("gost2012_256", "A", "md_gost12_256"),
        ("gost2012_256", "TCA", "md_gost12_256"),
        ("gost2012_512", "A", "md_gost12_512"),
        ("gost2012_512", "C", "md_gost12_512"),
    ] {
        let openssl = OpenSsl::with_gost();
        openssl.write("ca.cnf", AUTHORITY);
        openssl.write("index", "");
        openssl.write("number", "01\n");
        for who in ["root", "person"] {
            openssl.run(&format!(
                "genpkey -algorithm {algorithm} -pkeyopt paramset:{set} -out {who}.key"
            ));
            openssl.run(&format!(
                "req -new -key {who}.key -{digest} -subj /CN={who} -out {who}.csr"
            ));
        }
        let sign = "x509 -req -days 2 -extfile ca.cnf";
        openssl.run(&format!(
            "{sign} -{digest} -in root.csr -signkey root.key -extensions root -out root.pem"
        ));
        openssl.run(&format!(
            "{sign} -{digest} -in person.csr -CA root.pem -CAkey root.key -CAcreateserial -extensions person -out person.pem"
        ));
        openssl.run(&format!(
            "ca -config ca.cnf -gencrl -md {digest} -cert root.pem -keyfile root.key -out crl.pem"
        ));
        openssl.run("crl -in crl.pem -outform DER -out crl");
        openssl.run("x509 -in person.pem -outform DER -out person");
        judge(&openssl, digest);
    }
}

fn judge(openssl: &OpenSsl, digest: &str) {
    let scene = Scene::with_pki(fixtures::pki::TestPki::new());
    let statement = scene.statement(&openssl.read("person")).to_canonical_json();
    openssl.write("content", &statement);
    openssl.run(&format!(
        "cms -sign -cades -binary -nodetach -outform DER -md {digest} -in content -signer person.pem -inkey person.key -out cms"
    ));
    let revocation = Revocation::required().crl(&openssl.read("crl")).unwrap();
    let policy = Policy::builder().trust_anchors_pem(&openssl.read("root.pem")).unwrap();
    let policy = policy.revocation(revocation).build().unwrap();
    // Its certificates and its CRL begin now, which is not before the scene's now.
    let now = scene.now + time::Duration::seconds(30);
    let identity = verify(
        &proof(&openssl.read("cms"), None),
        &scene.origin,
        &scene.challenge,
        &policy,
        now,
    );
    let identity = identity.unwrap_or_else(|error| panic!("{digest}: {error}"));
    assert!(matches!(identity.revocation(), [CertificateStatus::GoodByCrl(_)]));
    assert!(!identity.is_test());
}
