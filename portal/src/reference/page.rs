//! The one page, in Russian and English, with its script and style in files of their own.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};

use super::problem::Language;

/// `GET /`.
pub async fn html(headers: HeaderMap) -> Response {
    let (language, page) = match Language::of(&headers) {
        Language::English => ("en", include_str!("page/en.html")),
        Language::Russian => ("ru", include_str!("page/ru.html")),
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_LANGUAGE, language),
        (VARY, "Accept-Language"),
    ];
    (headers, page).into_response()
}

/// `GET /portal.css`.
pub async fn css() -> Response {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("page/portal.css"),
    )
        .into_response()
}

/// `GET /portal.js`.
pub async fn js() -> Response {
    (
        [(CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("page/portal.js"),
    )
        .into_response()
}
