//! An authority of OpenSSL's making, its person, and a portal that trusts it.

use fixtures::openssl::OpenSsl;
use plugin_protocol::encoding::base64;
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{Challenge, Origin, Proof, ProofFormat, Purpose, SignatureAlgorithm, Statement};
use portal::{Policy, Revocation, VerifiedIdentity, VerifyError, verify};
use time::OffsetDateTime;

/// Every curve that the engine makes keys of 2012 on, the 256-bit ones first.
pub(crate) const CURVES: [Curve; 13] = [
    Curve::of_256("A"),
    Curve::of_256("B"),
    Curve::of_256("C"),
    Curve::of_256("XA"),
    Curve::of_256("XB"),
    Curve::of_256("TCA"),
    Curve::of_256("TCB"),
    Curve::of_256("TCC"),
    Curve::of_256("TCD"),
    Curve::of_256("0"),
    Curve::of_512("A"),
    Curve::of_512("B"),
    Curve::of_512("C"),
];

/// How many of [`CURVES`] are of 256 bits.
pub(crate) const OF_256: usize = 10;

/// The curve of most new keys.
pub(crate) const TCA: Curve = Curve::of_256("TCA");
/// The curve of most keys of 512 bits.
pub(crate) const A_512: Curve = Curve::of_512("A");

/// A sort of key by OpenSSL's names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    pub(crate) key: &'static str,
    pub(crate) set: &'static str,
    pub(crate) digest: &'static str,
}

impl Curve {
    const fn of_256(set: &'static str) -> Self {
        Self {
            key: "gost2012_256",
            set,
            digest: "md_gost12_256",
        }
    }

    const fn of_512(set: &'static str) -> Self {
        Self {
            key: "gost2012_512",
            set,
            digest: "md_gost12_512",
        }
    }

    /// GOST R 34.10-2001, whose use ended.
    pub(crate) const fn of_2001(set: &'static str) -> Self {
        Self {
            key: "gost2001",
            set,
            digest: "md_gost94",
        }
    }

    /// Our name of the algorithm.
    ///
    /// # Panics
    /// For keys of 2001: nothing of ours signs with them.
    pub(crate) fn algorithm(self) -> SignatureAlgorithm {
        match self.key {
            "gost2012_256" => SignatureAlgorithm::Gost256,
            "gost2012_512" => SignatureAlgorithm::Gost512,
            other => panic!("no name for the signatures of {other}"),
        }
    }
}

pub(crate) const NAME: &str = "Иванов Иван Иванович";
const SUBJECT: &str = "/SNILS=11223344595/INN=500100732259/C=RU/SN=Иванов/GN=Иван Иванович/CN=Иванов Иван Иванович";

/// What `openssl ca` needs, and the extensions of an authority and of a qualified certificate.
const CONFIGURATION: &str = "\
[req]
distinguished_name = subject
string_mask = utf8only
[subject]
[ca]
default_ca = authority
[authority]
database = index
serial = serial
crlnumber = number
new_certs_dir = .
default_days = 30
default_crl_days = 30
default_md = default
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[person]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = clientAuth,emailProtection,1.2.643.2.2.34.6
certificatePolicies = 1.2.643.100.113.1,1.2.643.100.113.2
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer:always
subjectSignTool = Средство владельца
issuerSignTool = ASN1:SEQUENCE:tools
1.2.643.100.114 = ASN1:INTEGER:0
privateKeyUsagePeriod = ASN1:SEQUENCE:period
[tools]
sign = FORMAT:UTF8,UTF8:Средство издателя
ca = FORMAT:UTF8,UTF8:Средство удостоверяющего центра
sign_paper = FORMAT:UTF8,UTF8:Заключение на средство издателя
ca_paper = FORMAT:UTF8,UTF8:Заключение на средство центра
[period]
from = IMPLICIT:0,GENTIME:20260101000000Z
to = IMPLICIT:1,GENTIME:20991231235959Z
";

/// A directory in which OpenSSL keeps an authority (`root.*`) and a person (`person.*`).
pub(crate) struct World {
    pub(crate) openssl: OpenSsl,
    pub(crate) origin: Origin,
    pub(crate) challenge: Challenge,
}

impl World {
    /// Both on one curve.
    pub(crate) fn of(curve: Curve) -> Self {
        Self::with(curve, curve)
    }

    /// An authority on one curve, a person on another.
    pub(crate) fn with(authority: Curve, person: Curve) -> Self {
        let openssl = OpenSsl::with_gost();
        openssl.write("ca.cnf", CONFIGURATION);
        openssl.write("index", "");
        openssl.write("serial", "01\n");
        openssl.write("number", "01\n");
        for (name, curve) in [("root", authority), ("person", person)] {
            openssl.run(&format!(
                "genpkey -algorithm {} -pkeyopt paramset:{} -out {name}.key",
                curve.key, curve.set
            ));
        }
        let world = Self {
            openssl,
            origin: "https://portal.example".parse().expect("an origin"),
            challenge: base64(&[7; 32]).parse().expect("a challenge"),
        };
        let certify = ["-x509", "-key", "root.key", "-extensions", "root", "-out", "root.pem"];
        world.request(authority, &certify, "/C=RU/CN=Корень");
        world.request(person, &["-key", "person.key", "-out", "person.csr"], SUBJECT);
        let options = "-batch -utf8 -preserveDN -notext -extensions person -in person.csr -out person.pem";
        world.authority(&format!("-md {} {options}", authority.digest));
        world.openssl.run("x509 -in person.pem -outform DER -out person.der");
        world
    }

    /// `openssl req` by a key of this curve.
    fn request(&self, curve: Curve, options: &[&str], subject: &str) {
        let md = format!("-{}", curve.digest);
        let command = ["req", "-new", "-config", "ca.cnf", "-utf8", "-subj", subject, &md];
        self.openssl.run_list(&[&command[..], options].concat());
    }

    /// `openssl ca` of this authority.
    pub(crate) fn authority(&self, arguments: &str) {
        let own = "ca -config ca.cnf -cert root.pem -keyfile root.key";
        self.openssl.run(&format!("{own} {arguments}"));
    }

    /// The person's certificate, DER.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.openssl.read("person.der")
    }

    /// What the person is to sign.
    pub(crate) fn statement(&self) -> Vec<u8> {
        let now = OffsetDateTime::now_utc();
        let purpose = Purpose::ConfirmIdentity;
        let statement = Statement::new(
            self.origin.clone(),
            self.challenge.clone(),
            purpose,
            now,
            &self.certificate(),
        );
        statement.to_canonical_json()
    }

    /// `openssl cms -sign` by the person, DER or BER.
    pub(crate) fn sign(&self, content: &[u8], options: &str) -> Vec<u8> {
        self.openssl.write("content", content);
        let own = "cms -sign -binary -outform DER -signer person.pem -inkey person.key -in content -out message";
        self.openssl.run(&format!("{own} {options}"));
        self.openssl.read("message")
    }

    /// The portal's verdict on a statement's CMS.
    pub(crate) fn verdict(&self, cms: &[u8], content: Option<&[u8]>) -> Result<VerifiedIdentity, VerifyError> {
        self.judge(&Proof::Cms(proof(cms, content)), Revocation::none())
    }

    /// The portal's verdict, with this evidence.
    pub(crate) fn judge(&self, proof: &Proof, revocation: Revocation) -> Result<VerifiedIdentity, VerifyError> {
        let policy = Policy::builder().trust_anchors_pem(&self.openssl.read("root.pem"));
        let policy = policy
            .expect("a root")
            .formats(&ProofFormat::ALL)
            .revocation(revocation);
        let policy = policy.build().expect("a whole policy");
        verify(proof, &self.origin, &self.challenge, &policy, OffsetDateTime::now_utc())
    }
}

/// A CMS with the content it leaves out.
pub(crate) fn proof(cms: &[u8], content: Option<&[u8]>) -> CmsProof {
    CmsProof {
        cms: base64(cms),
        content: content.map(base64),
    }
}
