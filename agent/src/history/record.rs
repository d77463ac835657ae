//! One record: who asked what of whom, what was signed, and how it ended.
//!
//! It holds no name from a certificate: the certificate's fingerprint and serial
//! number find it again, and a file that is copied about tells nobody's name.

use plugin_protocol::api::TokenKind;
use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::{HashFunction, Origin, ProofFormat, Purpose};
use serde::{Deserialize, Serialize};

use crate::certificate::Summary;
use crate::error::Error;
use crate::pairing::Caller;
use crate::token::{SignData, SignInput, TokenInfo};

/// What is remembered of one operation. Members that were not reached are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What was asked.
    pub action: Action,
    /// The plugin, or the command line.
    pub client: ClientRef,
    /// The portal; `None` where none asked: a PIN was changed at the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The page that embedded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_origin: Option<Origin>,
    /// `false`: which page asked was not known, and `origin` is the service that the plugin stood for.
    #[serde(default = "attested", skip_serializing_if = "Clone::clone")]
    pub origin_attested: bool,
    /// What a confirmation was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The format of its proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ProofFormat>,
    /// The token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenRef>,
    /// The certificate that the person was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateRef>,
    /// What the token was asked to sign. With another outcome than `done`, no signature was handed out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<SignedBytes>,
    /// `done`, or the error code.
    pub outcome: String,
    /// PIN tries left after a wrong one, where the token told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// A test token, or nobody was asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A confirmation of identity.
    Confirmation,
    /// The signing of documents.
    Signatures,
    /// The handing over of a signing certificate.
    Certificate,
    /// The change of a PIN, at the command line or within an operation.
    PinChange,
    /// The unblocking of a PIN, likewise.
    PinUnblock,
}

impl Action {
    /// The name in the file and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Signatures => "signatures",
            Self::Certificate => "certificate",
            Self::PinChange => "pin_change",
            Self::PinUnblock => "pin_unblock",
        }
    }

    /// Whether it is about a PIN: nothing was signed or handed over, and plugins are not told of it.
    pub const fn is_about_pin(self) -> bool {
        matches!(self, Self::PinChange | Self::PinUnblock)
    }

    /// The path under which operations of this kind are begun and found (PROTOCOL.md section 7). What is no operation
    /// of its own leaves no more than its record.
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Confirmation => "/v1/confirmations",
            Self::Signatures => "/v1/signatures",
            Self::Certificate => "/v1/certificates",
            Self::PinChange | Self::PinUnblock => "/v1/history",
        }
    }
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRef {
    /// The pairing's id.
    pub id: String,
    /// The name the plugin gave itself.
    pub name: String,
}

/// Which token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRef {
    /// What holds the key.
    pub kind: TokenKind,
    /// The token's opaque id.
    pub id: String,
}

/// Which certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRef {
    /// SHA-256 of its DER, lower-case hexadecimal.
    pub sha256: String,
    /// Its serial number, lower-case hexadecimal.
    pub serial: String,
}

/// The digest of bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBytes {
    /// The hash function.
    pub hash: HashFunction,
    /// The digest, lower-case hexadecimal.
    pub digest: String,
}

impl Record {
    /// A record of what `caller` asks for `origin`, with nothing reached yet.
    pub fn new(action: Action, caller: &Caller, origin: impl Into<Option<Origin>>) -> Self {
        Self {
            action,
            client: ClientRef {
                id: caller.id.clone(),
                name: caller.name.clone(),
            },
            origin: origin.into(),
            top_origin: None,
            origin_attested: true,
            purpose: None,
            format: None,
            token: None,
            certificate: None,
            signed: Vec::new(),
            outcome: String::new(),
            tries_left: None,
            test: false,
        }
    }

    /// The token and the certificate that the person is asked about.
    pub fn chose(&mut self, token: &TokenInfo, certificate: &[u8], summary: &Summary) {
        self.token = Some(TokenRef {
            kind: token.kind,
            id: token.id.to_string(),
        });
        self.certificate = Some(CertificateRef {
            sha256: hex(&sha256(certificate)),
            serial: summary.serial.clone(),
        });
        self.test |= token.test || summary.test;
    }

    /// The token whose PIN it is about.
    pub fn about(&mut self, token: &TokenInfo) {
        self.token = Some(TokenRef {
            kind: token.kind,
            id: token.id.to_string(),
        });
        self.test |= token.test;
    }

    /// What goes to the token now.
    pub fn signing(&mut self, inputs: &[SignInput]) {
        self.signed = inputs.iter().map(SignedBytes::of).collect();
    }

    /// What goes to a card now that proves itself.
    pub fn proving(&mut self, statement: &[u8]) {
        self.signed = vec![SignedBytes {
            hash: HashFunction::Sha256,
            digest: hex(&sha256(statement)),
        }];
    }

    /// How it ended.
    pub fn ended<T>(&mut self, result: &Result<T, Error>) {
        self.outcome = match result {
            Ok(_) => "done".to_owned(),
            Err(error) => error.code().name().to_owned(),
        };
        self.tries_left = match result {
            Err(Error::PinIncorrect(left) | Error::PukIncorrect(left)) => *left,
            _ => None,
        };
    }
}

fn attested() -> bool {
    true
}

impl SignedBytes {
    /// SHA-256 of a message; a digest as it was given.
    fn of(input: &SignInput) -> Self {
        match &input.data {
            SignData::Message(message) => Self {
                hash: HashFunction::Sha256,
                digest: hex(&sha256(message)),
            },
            SignData::Digest(digest) => Self {
                hash: input.hash,
                digest: hex(digest),
            },
        }
    }
}
