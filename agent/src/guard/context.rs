//! Steps 1 to 5: nothing but the request line, the headers and the number of bytes.

use axum::body::{Body, HttpBody};
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    HOST, ORIGIN, REFERER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use plugin_protocol::ErrorCode;
use plugin_protocol::limits::MAX_BODY;

use super::Peer;
use super::head::{refused, single};
use crate::error::Error;

/// What a plugin's own context sends, where the browser sends it at all (W3C Fetch Metadata).
/// Chromium's extensions say `none`, Firefox's `same-origin`; both `cors` and `empty`.
const FETCH_METADATA: [(&str, &[&str]); 3] = [
    ("sec-fetch-site", &["none", "same-origin"]),
    ("sec-fetch-mode", &["cors", "same-origin"]),
    ("sec-fetch-dest", &["empty"]),
];

/// What no plugin sends: links and navigations, preflights, WebSockets.
const NEVER_SENT: [HeaderName; 6] = [
    REFERER,
    UPGRADE,
    ACCESS_CONTROL_REQUEST_METHOD,
    ACCESS_CONTROL_REQUEST_HEADERS,
    HeaderName::from_static("access-control-request-private-network"),
    HeaderName::from_static("sec-fetch-user"),
];

const EXTENSION_SCHEMES: [&str; 3] = ["chrome-extension://", "moz-extension://", "safari-web-extension://"];

/// The first of steps 1 to 5 that fails.
pub(super) fn check(head: &Parts, body: &Body, peer: Option<Peer>, authority: &str) -> Result<(), Error> {
    check_peer(peer)?;
    check_host(head, authority)?;
    check_context(&head.headers)?;
    check_method(&head.method)?;
    check_media_type(head)?;
    check_size(&head.headers, body)
}

fn check_peer(peer: Option<Peer>) -> Result<(), Error> {
    match peer {
        Some(Peer(address)) if address.ip().is_loopback() => Ok(()),
        _ => Err(refused(
            ErrorCode::ForbiddenContext,
            "only this computer may ask the agent",
        )),
    }
}

/// Exactly one `Host`, byte for byte our own, and a target in origin form: what DNS rebinding cannot give.
fn check_host(head: &Parts, authority: &str) -> Result<(), Error> {
    let origin_form = head.uri.scheme().is_none() && head.uri.authority().is_none();
    match single(&head.headers, HOST.as_str()) {
        Some(host) if host == authority && origin_form => Ok(()),
        _ => Err(refused(
            ErrorCode::BadHost,
            "Host must be 127.0.0.1 and the port, and the target begin with a slash",
        )),
    }
}

fn check_context(headers: &HeaderMap) -> Result<(), Error> {
    let forbidden = |name: &str| {
        let why = format!("a plugin's own context does not send this {name}");
        Err(Error::Refused(ErrorCode::ForbiddenContext, why))
    };
    if headers.contains_key(ORIGIN) && !single(headers, ORIGIN.as_str()).is_some_and(is_extension) {
        return forbidden("Origin");
    }
    for (name, allowed) in FETCH_METADATA {
        if headers.contains_key(name) && !single(headers, name).is_some_and(|value| allowed.contains(&value)) {
            return forbidden(name);
        }
    }
    match NEVER_SENT.iter().find(|name| headers.contains_key(*name)) {
        Some(name) => forbidden(name.as_str()),
        None => Ok(()),
    }
}

/// `scheme://id`, the id of letters, digits and hyphens.
fn is_extension(origin: &str) -> bool {
    let id = EXTENSION_SCHEMES.iter().find_map(|scheme| origin.strip_prefix(scheme));
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

fn check_method(method: &Method) -> Result<(), Error> {
    match *method {
        Method::GET | Method::POST | Method::DELETE => Ok(()),
        _ => Err(refused(
            ErrorCode::MethodNotAllowed,
            "only GET, POST and DELETE are spoken here",
        )),
    }
}

/// A POST and whatever has a body is `application/json`, not encoded further.
fn check_media_type(head: &Parts) -> Result<(), Error> {
    let headers = &head.headers;
    let empty = !headers.contains_key(TRANSFER_ENCODING)
        && headers
            .get(CONTENT_LENGTH)
            .is_none_or(|length| length.as_bytes() == b"0");
    if head.method != Method::POST && empty && !headers.contains_key(CONTENT_TYPE) {
        return Ok(());
    }
    let json = single(headers, CONTENT_TYPE.as_str()).is_some_and(is_json);
    if json && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    Err(refused(
        ErrorCode::UnsupportedMediaType,
        "send one Content-Type: application/json and no Content-Encoding",
    ))
}

fn is_json(content_type: &str) -> bool {
    let (media_type, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    media_type
        .trim_matches([' ', '\t'])
        .eq_ignore_ascii_case("application/json")
}

fn check_size(headers: &HeaderMap, body: &Body) -> Result<(), Error> {
    let declared = headers.get(CONTENT_LENGTH).map(|length| {
        let digits = length.to_str().unwrap_or_default();
        digits.parse().unwrap_or(u64::MAX)
    });
    match declared.unwrap_or(0).max(body.size_hint().lower()) > MAX_BODY as u64 {
        true => Err(too_large()),
        false => Ok(()),
    }
}

pub(super) fn too_large() -> Error {
    Error::Refused(ErrorCode::TooLarge, format!("the body has more than {MAX_BODY} bytes"))
}
