//! Every number a caller can run into (PROTOCOL.md, "Limits").

/// The ports the agent tries, in this order; the first free one is taken.
pub const PORTS: [u16; 3] = [47290, 47291, 47292];
/// Largest request body, bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// Longest `Origin`, characters.
pub const MAX_ORIGIN: usize = 255;
/// Shortest `Challenge` of the literal form, characters.
pub const MIN_CHALLENGE: usize = 32;
/// Shortest `Challenge` of a format whose bytes the agent builds, characters (44 = base64 of 32 bytes).
pub const MIN_BOUND_CHALLENGE: usize = 44;
/// Longest `Challenge`, characters.
pub const MAX_CHALLENGE: usize = 128;
/// Longest wait of a long poll, seconds; below the 30 s after which a browser ends an idle worker.
pub const MAX_WAIT: u64 = 25;
/// How far `created` of a request signature may lie from the agent's clock, seconds, either way.
pub const SIGNATURE_WINDOW: i64 = 60;
/// Shortest and longest `nonce` of a request signature, characters of base64url.
pub const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;
/// Longest `Idempotency-Key`, characters of printable ASCII.
pub const MAX_IDEMPOTENCY_KEY: usize = 64;
/// Longest name a plugin may give itself, characters.
pub const MAX_CLIENT_NAME: usize = 64;
/// Pairings an agent keeps.
pub const MAX_PAIRINGS: usize = 64;
/// How long a pairing may take from commitment to decision, seconds.
pub const PAIRING_LIFETIME: u64 = 120;
/// New pairings a minute, over all callers.
pub const PAIRINGS_PER_MINUTE: u32 = 3;
/// Requests a minute of one paired plugin, long polls included.
pub const REQUESTS_PER_MINUTE: u32 = 600;
/// Requests a minute without a signature (hello and pairing), over all callers.
pub const UNPAIRED_REQUESTS_PER_MINUTE: u32 = 120;
/// Confirmations, signatures and certificates a minute of one paired plugin.
pub const OPERATIONS_PER_MINUTE: u32 = 10;
/// How long an operation waits for a token and for the person, seconds.
pub const OPERATION_LIFETIME: u64 = 120;
/// How long a pairing's window waits for its plugin while no reveal is open, seconds.
pub const CALLER_GRACE: u64 = 10;
/// How long an operation waits for its client after the last request for it was answered, seconds.
pub const CLIENT_ABSENCE: u64 = 40;
/// How long an operation waits for its client after the last request for it broke off, seconds.
pub const CLIENT_RECONNECT: u64 = 10;
/// How long the result of a finished operation is kept, seconds.
pub const RESULT_LIFETIME: u64 = 300;
/// Documents under one consent of `POST /v1/signatures`.
pub const MAX_SIGNATURE_ITEMS: usize = 20;
/// Longest name of a document to be signed, characters.
pub const MAX_ITEM_NAME: usize = 100;
/// Events kept for `GET /v1/events`; an older `since` is told as a gap.
pub const EVENTS_KEPT: usize = 256;
/// Records in one answer of `GET /v1/history`.
pub const MAX_HISTORY: usize = 100;
