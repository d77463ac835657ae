//! Who a challenge was issued to: a session cookie for browsers, nobody in particular for programs.
//!
//! A challenge taken in one browser must not be spendable in another: else an
//! attacker could have a victim's browser hand in the attacker's proof, and the
//! victim's account would be confirmed as the attacker. A program that is no browser has no
//! cookie jar to be abused; its challenges are bound to the empty session, which no browser has.

use axum::http::HeaderMap;
use axum::http::header;
use plugin_protocol::Origin;
use plugin_protocol::encoding::base64url;
use ring::rand::{SecureRandom, SystemRandom};

/// Characters of a session identifier: 32 random bytes in base64url.
const LENGTH: usize = 43;

/// Whose challenge it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session(String);

impl Session {
    /// The session of this request; `None` for a browser that has none yet.
    pub fn of(headers: &HeaderMap, origin: &Origin) -> Option<Self> {
        match cookie(headers, cookie_name(origin)) {
            Some(identifier) => Some(Self(identifier.to_owned())),
            None if is_browser(headers) => None,
            None => Some(Self(String::new())),
        }
    }

    /// The session of a page's request: what its cookie says, nobody without one.
    pub fn of_page(headers: &HeaderMap, origin: &Origin) -> Option<Self> {
        cookie(headers, cookie_name(origin)).map(|identifier| Self(identifier.to_owned()))
    }

    /// A new session; `None` when the system's random generator fails.
    pub fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(base64url(&bytes)))
    }

    /// What challenges are bound to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the challenges of a page's own routes are bound to: none of them is one of `POST /challenge`.
    pub fn page_binding(&self) -> String {
        format!("page {}", self.0)
    }

    /// The `Set-Cookie` that takes it back.
    pub fn clear_cookie(origin: &Origin) -> String {
        let secure = if is_https(origin) { "; Secure" } else { "" };
        format!(
            "{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{secure}",
            cookie_name(origin)
        )
    }

    /// The `Set-Cookie` that carries it: not for scripts, not for other sites, encrypted where the portal is.
    pub fn set_cookie(&self, origin: &Origin) -> String {
        let secure = if is_https(origin) { "; Secure" } else { "" };
        format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
            cookie_name(origin),
            self.0
        )
    }
}

/// The `__Host-` prefix keeps subdomains from setting it; it needs `https`.
fn cookie_name(origin: &Origin) -> &'static str {
    if is_https(origin) {
        "__Host-eid-session"
    } else {
        "eid-session"
    }
}

/// Whether browsers reach the portal over TLS.
pub(super) fn is_https(origin: &Origin) -> bool {
    origin.as_str().starts_with("https://")
}

/// Browsers say where a `POST` comes from; programs need not.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// The cookie's value, if it is one we could have set.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = all
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(found, _)| *found == name)?;
    let ours = value.len() == LENGTH
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    ours.then_some(value)
}
