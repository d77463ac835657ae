//! What the CV certificate of a universal electronic card says: its number by the last digits alone, no SNILS.

use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::qualified::QualifiedFacts;
use time::{Date, Duration, OffsetDateTime, Time};

use super::Summary;
use crate::token::card::uec::cvc::{Certificate, Holder};
use crate::token::card::uec::kind::Suite;

/// The name of the issuer in certificates of test cards (tag 42).
const TEST_ISSUER: &[u8] = b"TEST";

/// A summary of it; `None` where it is none.
pub(super) fn summary(certificate: &[u8]) -> Option<Summary> {
    let read = Certificate::read(certificate).ok()?;
    let application = read.holder == Holder::Application;
    Some(Summary {
        name: match read.pan() {
            Some(pan) => format!("УЭК {pan}"),
            None => format!("УЭК: {}", read.holder),
        },
        organization: None,
        issuer: format!("УЭК, {}", hex(&read.issuer)),
        // It has no serial number: the beginning of its fingerprint finds it again.
        serial: hex(&sha256(certificate)[..8]),
        key: match read.suite {
            Suite::Gost => "GOST R 34.10-2001, CryptoPro A".to_owned(),
            Suite::Rsa => "RSA, SHA-1".to_owned(),
        },
        not_before: begin(read.effective),
        not_after: begin(read.expires) + Duration::DAY - Duration::SECOND,
        qualified: QualifiedFacts::default(),
        test: read.issuer == TEST_ISSUER,
        digital_signature: application,
        non_repudiation: application,
        authority: read.holder == Holder::Authority,
    })
}

fn begin(day: Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_utc()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::cvc::{Suite, UecPki, Version};

    use super::*;
    use crate::certificate::{Role, Unfit};

    #[test]
    fn a_cards_certificate_shows_no_whole_number() {
        let pki = UecPki::new(Version::V11, Suite::Gost);
        let read = Summary::read(&pki.application.certificate).unwrap();
        assert_eq!(
            read.name,
            format!("УЭК •••• {}", &pki.holder.pan[pki.holder.pan.len() - 4..])
        );
        let all = format!("{read:?}");
        assert!(
            !all.contains(&pki.holder.pan) && !all.contains(&pki.holder.snils),
            "{all}"
        );
        assert!(read.test);
        let at = OffsetDateTime::from_unix_timestamp(pki.at).unwrap();
        assert_eq!(read.fit(Role::Authentication, at), Ok(()));
        assert_eq!(
            read.fit(Role::Authentication, at + Duration::days(1600)),
            Err(Unfit::Expired)
        );
        let root = Summary::read(&pki.authority.certificate).unwrap();
        assert_eq!(root.fit(Role::Authentication, at), Err(Unfit::Authority));
        assert_eq!(Summary::read(&[0x7F, 0x21, 0]), None);
    }
}
