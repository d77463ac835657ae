//! Who may speak: every request passes here before anything of it is understood.
//!
//! The order is that of PROTOCOL.md section 4, and each check fails closed. What
//! comes out is a [`Caller`](crate::pairing::Caller) and an [`Entrance`] in the request's extensions; nobody
//! behind the door looks at headers again.

mod context;
mod head;
mod seal;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use plugin_protocol::ErrorCode;
use plugin_protocol::http_signature::content_digest;
use plugin_protocol::limits::{MAX_BODY, UNPAIRED_REQUESTS_PER_MINUTE};

use self::head::{SignedHead, refused};
pub(crate) use self::seal::LastWord;
use self::seal::Seal;
use crate::app::App;
use crate::error::Error;
use crate::rate::Rate;
use crate::replay::{Replay, ReplayCache};

/// A body that has not arrived by then is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The other end of the connection; the server puts it into each request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What the headers said that the use case may want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    /// `Idempotency-Key`, covered by the signature.
    pub idempotency_key: Option<String>,
    /// Seconds of `Prefer: wait=N`, as asked for.
    pub prefer_wait: Option<u64>,
}

/// The door: what it must remember between requests.
pub struct Guard {
    app: Arc<App>,
    /// `127.0.0.1:PORT`, the only `Host`.
    authority: String,
    replay: Mutex<ReplayCache>,
    paired: Rate,
    unpaired: Rate,
}

/// Why a request does not pass, and with whose key that is said, once the caller is known.
struct Refusal(Error, Option<Seal>);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error, None)
    }
}

impl Guard {
    /// The door of an agent that listens on `address`.
    pub fn new(app: Arc<App>, address: SocketAddr) -> Self {
        Self {
            authority: address.to_string(),
            replay: Mutex::new(ReplayCache::new(app.begun)),
            paired: Rate::per_minute(app.config.rates.requests_per_minute),
            unpaired: Rate::per_minute(UNPAIRED_REQUESTS_PER_MINUTE),
            app,
        }
    }

    /// Passes a request on, or not. The answer is signed where the caller is known.
    async fn admit(&self, request: Request) -> Result<(Request, Option<Seal>), Refusal> {
        let (mut head, body) = request.into_parts();
        let peer = head.extensions.get::<Peer>().copied();
        context::check(&head, &body, peer, &self.authority)?;
        let open = head::is_open(&head);
        if open {
            self.unpaired.spend("").map_err(Error::RateLimited)?;
        }
        let body = read(body).await?;
        let seal = match open {
            true => None,
            false => Some(self.identify(&mut head, &body)?),
        };
        head.extensions.insert(Entrance {
            idempotency_key: head::single(&head.headers, "idempotency-key").map(str::to_owned),
            prefer_wait: head::prefer_wait(&head.headers),
        });
        Ok((Request::from_parts(head, Body::from(body)), seal))
    }

    /// Step 7 and 8: whose signature it is, and that it is fresh.
    fn identify(&self, head: &mut axum::http::request::Parts, body: &Bytes) -> Result<Seal, Refusal> {
        let signed = SignedHead::parse(head)?;
        let paired = self.app.pairings.find(&signed.input.key_id);
        self.app.tell_of_revoked();
        let paired = paired.ok_or_else(|| {
            refused(
                ErrorCode::NotPaired,
                "no plugin with this key is paired; pair it, or try the agent's other ports",
            )
        })?;
        if content_digest(body) != signed.content_digest {
            let why = "Content-Digest is not the digest of the body";
            return Err(refused(ErrorCode::BadSignature, why).into());
        }
        if !paired
            .plugin_key
            .verify(&signed.base(&self.authority), &signed.signature)
        {
            let why = "the signature does not verify over this method, target, digest and idempotency key";
            return Err(refused(ErrorCode::BadSignature, why).into());
        }
        let within_rate = self.admit_once(&signed)?;
        let caller = paired.caller.clone();
        let seal = Seal::new(paired, signed.signature);
        if let Err(wait) = within_rate {
            return Err(Refusal(Error::RateLimited(wait), Some(seal)));
        }
        head.extensions.insert(caller);
        Ok(seal)
    }

    /// Neither stale nor seen, else refused without a signature: signed, the answer to a replay
    /// would also pass for an answer to the request that was recorded. Then whether the caller's
    /// rate allows it: what it does not is not remembered, so that no plugin fills the memory
    /// of nonces for the others.
    fn admit_once(&self, signed: &SignedHead) -> Result<Result<(), Duration>, Error> {
        let (input, now) = (&signed.input, self.app.clock.unix());
        let mut replay = self.replay.lock().unwrap_or_else(PoisonError::into_inner);
        replay
            .would_admit(&input.key_id, &input.nonce, input.created, now)
            .map_err(replayed)?;
        if let Err(wait) = self.paired.spend(&input.key_id) {
            return Ok(Err(wait));
        }
        let admitted = replay.admit(&input.key_id, &input.nonce, input.created, now);
        admitted.map(Ok).map_err(replayed)
    }
}

fn replayed(found: Replay) -> Error {
    match found {
        Replay::Seen => refused(ErrorCode::Replayed, "this nonce was used before; sign anew"),
        Replay::Stale => refused(
            ErrorCode::StaleSignature,
            "created is more than 60 s from the agent's clock, or before the agent was started; sign anew",
        ),
        Replay::Full(seconds) => Error::RateLimited(Duration::from_secs(seconds)),
    }
}

/// The middleware.
pub async fn enter(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (response, seal) = match guard.admit(request).await {
        Ok((request, seal)) => (seal::catch_panic(next.run(request)).await, seal),
        Err(Refusal(error, seal)) => (error.into_response(), seal),
    };
    let response = match seal {
        Some(seal) => seal.close(response, &guard.app).await,
        None => response,
    };
    seal::harden(response)
}

/// The whole body, at most [`MAX_BODY`] bytes, declared or not.
async fn read(body: Body) -> Result<Bytes, Error> {
    let unreadable = |why: &str| Error::Refused(ErrorCode::Malformed, why.to_owned());
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(context::too_large()),
        Ok(Err(_)) => Err(unreadable("the body ended early")),
        Err(_) => Err(unreadable("the body did not arrive in time")),
    }
}
