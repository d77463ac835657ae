//! The ASCII serialisation of a web origin (RFC 6454 section 6.2, WHATWG URL).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::MAX_ORIGIN;

/// A portal's origin, exactly as the browser serialises it: `https://host[:port]`.
///
/// ASCII only (internationalised names in their `xn--` form), lower case, no
/// default port, no path, no trailing slash. `http` is accepted for loopback
/// hosts alone, so that a portal can be developed on one's own machine.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Origin(String);

/// Why a text is not an [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginError {
    /// Longer than 255 characters.
    TooLong,
    /// Neither `https://` nor, for a loopback host, `http://`.
    Scheme,
    /// Not a lower-case ASCII host name, IPv4 address or bracketed IPv6 address.
    Host,
    /// A port that is not 1 to 65535 in plain decimal, or the scheme's default.
    Port,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the origin is longer than 255 characters",
            Self::Scheme => "the origin must start with https:// (http:// only for a loopback host)",
            Self::Host => {
                "the origin's host must be a lower-case ASCII name or an address, as the browser serialises it"
            }
            Self::Port => "the origin's port must be a plain decimal number and not the default of its scheme",
        })
    }
}

impl std::error::Error for OriginError {}

/// Why an origin deserves a second look by the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginWarning {
    /// A label is in Punycode: its Unicode form may look like another site's name.
    Punycode,
    /// An address instead of a name: nobody vouches for it.
    Address,
    /// Not encrypted: only for development on this machine.
    Insecure,
}

impl Origin {
    /// The text, `scheme://host[:port]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, brackets included for IPv6.
    pub fn host(&self) -> &str {
        split(&self.0).map_or("", |(_, host, _)| host)
    }

    /// What should make the person look twice; empty for an ordinary site.
    pub fn warnings(&self) -> Vec<OriginWarning> {
        let host = self.host();
        let mut found = Vec::new();
        if host.split('.').any(|label| label.starts_with("xn--")) {
            found.push(OriginWarning::Punycode);
        }
        if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
            found.push(OriginWarning::Address);
        }
        if self.0.starts_with("http://") {
            found.push(OriginWarning::Insecure);
        }
        found
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.len() > MAX_ORIGIN {
            return Err(OriginError::TooLong);
        }
        let (scheme, host, port) = split(text).ok_or(OriginError::Scheme)?;
        let loopback = check_host(host)?;
        let default = match (scheme, loopback) {
            ("https", _) => 443,
            ("http", true) => 80,
            _ => return Err(OriginError::Scheme),
        };
        match port {
            Some(port) if !is_plain_port(port, default) => Err(OriginError::Port),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// Scheme, host (with brackets) and port text; `None` without `://`.
fn split(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, rest) = text.split_once("://")?;
    let port_at = match rest.rfind(']') {
        Some(bracket) => rest[bracket..].find(':').map(|at| bracket + at),
        None => rest.find(':'),
    };
    Some(match port_at {
        Some(at) => (scheme, &rest[..at], Some(&rest[at + 1..])),
        None => (scheme, rest, None),
    })
}

/// Whether the host is loopback; an error if it is no host.
fn check_host(host: &str) -> Result<bool, OriginError> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(OriginError::Host)?;
        let address: Ipv6Addr = inner.parse().map_err(|_| OriginError::Host)?;
        // WHATWG serialises mapped addresses in hexadecimal, Rust does not: refuse them.
        let canonical = address.to_ipv4_mapped().is_none() && address.to_string() == inner;
        return canonical.then_some(address.is_loopback()).ok_or(OriginError::Host);
    }
    if host.len() > 253 || host.is_empty() {
        return Err(OriginError::Host);
    }
    if !host.split('.').all(is_label) {
        return Err(OriginError::Host);
    }
    // WHATWG "ends in a number": such a host is an IPv4 address or nothing.
    if host.rsplit('.').next().is_some_and(ends_in_number) {
        let address: Ipv4Addr = host.parse().map_err(|_| OriginError::Host)?;
        return Ok(address.is_loopback());
    }
    Ok(host == "localhost" || host.ends_with(".localhost"))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

fn ends_in_number(label: &str) -> bool {
    let hex = label
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || label.bytes().all(|b| b.is_ascii_digit())
}

fn is_plain_port(port: &str, default: u16) -> bool {
    port.parse::<u16>()
        .is_ok_and(|number| number != 0 && number != default && number.to_string() == port)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::schema::string_schema!(Origin, "A web origin in its ASCII serialisation", 255);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn accepts_what_browsers_serialise() {
        for text in [
            "https://www.gosuslugi.ru",
            "https://a.b:8443",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "https://[::1]:8443",
            "https://xn--80ak6aa92e.com",
            "https://1.example",
            "https://a_b.example",
            "http://portal.localhost",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_everything_else() {
        use OriginError::*;
        for (text, why) in [
            ("", Scheme),
            ("null", Scheme),
            ("https:/a", Scheme),
            ("ftp://a", Scheme),
            ("HTTPS://a", Scheme),
            ("http://example.org", Scheme),
            ("https://", Host),
            ("https://A.b", Host),
            ("https://a/", Host),
            ("https://a b", Host),
            ("https://пример.рф", Host),
            ("https://u@a", Host),
            ("https://a..b", Host),
            ("https://127.1", Host),
            ("https://0x7f.1", Host),
            ("https://1.2.3.256", Host),
            ("https://[::1", Host),
            ("https://[0:0::1]", Host),
            ("https://[::ffff:1.2.3.4]", Host),
            ("https://a:443", Port),
            ("https://a:0", Port),
            ("https://a:", Port),
            ("https://a:080", Port),
            ("https://a:65536", Port),
            ("https://a:+1", Port),
            ("https://a:8443/x", Port),
            ("http://localhost:80", Port),
        ] {
            assert_eq!(text.parse::<Origin>(), Err(why), "{text}");
        }
        assert_eq!(format!("https://{}", "a".repeat(250)).parse::<Origin>(), Err(TooLong));
    }

    #[test]
    fn warns_of_what_can_be_confused() {
        let warnings = |text: &str| text.parse::<Origin>().unwrap().warnings();
        assert_eq!(warnings("https://xn--80ak6aa92e.com"), [OriginWarning::Punycode]);
        assert_eq!(
            warnings("http://127.0.0.1:8080"),
            [OriginWarning::Address, OriginWarning::Insecure]
        );
        assert!(warnings("https://www.gosuslugi.ru").is_empty());
    }
}
