//! What can come of an operation with a mock, by name.

use std::fmt;
use std::str::FromStr;

use plugin_protocol::ErrorCode;

/// The outcome of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each one's sentence is in `TABLE`
pub enum Outcome {
    Confirmed,
    TokenInserted,
    Declined,
    Cancelled,
    Expired,
    NoAnswer,
    WrongPin,
    WrongPinLastTry,
    PinLocked,
    PinMustChange,
    NoToken,
    TokenRemoved,
    NoCertificate,
    UnsupportedAlgorithm,
    ModuleFailed,
    ModuleUnavailable,
    PromptUnavailable,
    SignatureMismatch,
    Busy,
    RateLimited,
    OtherPerson,
    ExpiredCertificate,
    NotYetValidCertificate,
    RevokedCertificate,
    UnknownIssuer,
    BrokenSignature,
}

/// Who sees that something is wrong, and by which code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nobody: a proof that a portal accepts.
    Good,
    /// The plugin: the code of its operation, or of the answer to its request (PROTOCOL.md section 10).
    Plugin(ErrorCode),
    /// The portal: the operation is `done`, and the verifier refuses its proof with this code.
    Portal(&'static str),
    /// The portal alone, if it compares the certificate's person with the account's.
    PersonOnly,
}

type Row = (Outcome, &'static str, Seen, &'static str);

/// Every outcome: its name, who sees it, and a sentence.
const TABLE: [Row; 26] = {
    use ErrorCode as E;
    use Outcome as O;
    use Seen::{Good, PersonOnly, Plugin, Portal};
    [
        (
            O::Confirmed,
            "confirmed",
            Good,
            "the person agrees and types the right PIN",
        ),
        (
            O::TokenInserted,
            "token-inserted",
            Good,
            "there is no token at first; the person inserts it, then agrees",
        ),
        (O::Declined, "declined", Plugin(E::Declined), "the person says no"),
        (
            O::Cancelled,
            "cancelled",
            Plugin(E::Cancelled),
            "the person closes the window that asks for a token",
        ),
        (
            O::Expired,
            "expired",
            Plugin(E::Expired),
            "the time runs out while the window is open",
        ),
        (
            O::NoAnswer,
            "no-answer",
            Plugin(E::Expired),
            "the window stays open until the caller cancels, or 120 s are over",
        ),
        (
            O::WrongPin,
            "wrong-pin",
            Plugin(E::PinIncorrect),
            "the PIN is wrong; two tries are left",
        ),
        (
            O::WrongPinLastTry,
            "wrong-pin-last-try",
            Plugin(E::PinIncorrect),
            "the PIN is wrong; one try is left",
        ),
        (O::PinLocked, "pin-locked", Plugin(E::PinLocked), "the PIN is locked"),
        (
            O::PinMustChange,
            "pin-must-change",
            Plugin(E::PinMustChange),
            "the PIN must be changed before its first use",
        ),
        (O::NoToken, "no-token", Plugin(E::NoToken), "no token appears in time"),
        (
            O::TokenRemoved,
            "token-removed",
            Plugin(E::TokenRemoved),
            "the token is taken out before it signs",
        ),
        (
            O::NoCertificate,
            "no-certificate",
            Plugin(E::NoCertificate),
            "the token is empty",
        ),
        (
            O::UnsupportedAlgorithm,
            "unsupported-algorithm",
            Plugin(E::UnsupportedAlgorithm),
            "the token cannot make the signature that is asked for",
        ),
        (
            O::ModuleFailed,
            "module-failed",
            Plugin(E::ModuleFailed),
            "the token's module crashes while it signs",
        ),
        (
            O::ModuleUnavailable,
            "module-unavailable",
            Plugin(E::ModuleUnavailable),
            "the token's module failed too often and rests",
        ),
        (
            O::PromptUnavailable,
            "prompt-unavailable",
            Plugin(E::PromptUnavailable),
            "no window can be shown to the person",
        ),
        (
            O::SignatureMismatch,
            "signature-mismatch",
            Plugin(E::SignatureMismatch),
            "the token signs nonsense, which the agent notices",
        ),
        (
            O::Busy,
            "busy",
            Plugin(E::Busy),
            "another request waits for the person; no operation begins",
        ),
        (
            O::RateLimited,
            "rate-limited",
            Plugin(E::RateLimited),
            "too many operations a minute; no operation begins",
        ),
        (
            O::OtherPerson,
            "other-person",
            PersonOnly,
            "a good proof by the certificate of somebody else",
        ),
        (
            O::ExpiredCertificate,
            "expired-certificate",
            Portal("certificate_expired"),
            "a certificate that ended yesterday",
        ),
        (
            O::NotYetValidCertificate,
            "not-yet-valid-certificate",
            Portal("certificate_not_yet_valid"),
            "a certificate that begins tomorrow",
        ),
        (
            O::RevokedCertificate,
            "revoked-certificate",
            Portal("certificate_revoked"),
            "a certificate that is on the mock's CRL; seen by portals that were given it",
        ),
        (
            O::UnknownIssuer,
            "unknown-issuer",
            Portal("unknown_issuer"),
            "a certificate by an authority that the portal does not know",
        ),
        (
            O::BrokenSignature,
            "broken-signature",
            Portal("signature_invalid"),
            "a proof whose signature does not verify; a real agent would notice",
        ),
    ]
};

impl Outcome {
    /// Every outcome, in the order of MOCK.md.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name on the command line and in the script.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Who sees it, and how.
    pub fn seen(self) -> Seen {
        self.row().2
    }

    /// What happens, for people.
    pub fn sentence(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static Row {
        let index = TABLE.iter().position(|row| row.0 == self);
        &TABLE[index.expect("every outcome has its row; a test goes through them")]
    }
}

impl Seen {
    /// The code of the operation's problem; none where it is done.
    pub fn code(self) -> Option<ErrorCode> {
        match self {
            Self::Plugin(code) => Some(code),
            _ => None,
        }
    }

    /// What the reference verifier says of the proof, where there is one.
    pub fn verdict(self) -> Option<&'static str> {
        match self {
            Self::Good => Some("accepted"),
            Self::PersonOnly => Some("accepted, of another person"),
            Self::Portal(code) => Some(code),
            Self::Plugin(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no outcome's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOutcome(String);

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no outcome; `eid-agent mock --list` names them", self.0)
    }
}

impl std::error::Error for UnknownOutcome {}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let row = TABLE.iter().find(|row| row.1 == name);
        row.map(|row| row.0).ok_or_else(|| UnknownOutcome(name.to_owned()))
    }
}
