//! From a [`Question`] to a [`Text`].

use fluent_bundle::{FluentArgs, FluentValue};
use plugin_protocol::api::{CertificateRole, PinState};
use plugin_protocol::origin::OriginWarning;
use plugin_protocol::{Origin, Purpose};
use time::{OffsetDateTime, UtcOffset};

use super::clean::{break_long, clean};
use super::{Language, Room, Text, Texts};
use crate::certificate::Summary;
use crate::prompt::{Action, Candidate, Consent, Document, PinEntry, Question, Refused, Request};
use crate::token::PinInfo;

/// Characters of an origin that every window shows on one line.
pub(super) const ORIGIN_WIDTH: usize = 60;
/// Most characters of a name out of a certificate.
pub(super) const NAME: usize = 80;
/// Most characters of the kind of a key: "RSA 2048", or an OID.
const KEY: usize = 48;
/// Most characters of a serial number, which has at most 20 bytes (RFC 5280 section 4.1.2.2).
const SERIAL: usize = 40;
/// Most characters of a token's label or a reader's name.
pub(super) const LABEL: usize = 48;
/// Most characters of a plugin's name.
const CLIENT: usize = plugin_protocol::limits::MAX_CLIENT_NAME;
/// Most characters of a document's name.
const DOCUMENT: usize = 100;
/// Documents whose digests a window shows whole.
const WHOLE_DIGESTS: usize = 3;

/// Variables of a message.
pub(super) fn args<const N: usize>(pairs: [(&'static str, FluentValue<'static>); N]) -> FluentArgs<'static> {
    pairs.into_iter().collect()
}

impl Texts {
    /// What the person is asked.
    pub fn question(&self, question: &Question, room: Room) -> Text {
        match question {
            Question::InsertToken(request, strangers) => self.insert(request, strangers),
            Question::Choose(request, candidates) => self.choose(request, candidates),
            Question::Consent(consent) => self.consent(consent, room),
            Question::LastTry(request, candidate) => self.last_try(request, candidate),
            Question::Renew(renewal) => self.renewal(renewal),
            Question::Pair { client, digits } => self.pair(client, &digits.to_string()),
        }
    }

    /// What to say of a PIN that the token would refuse unseen; `None` when it may be tried.
    ///
    /// No try is spent on it. Lengths are bytes, as PKCS#11 counts them.
    pub fn unfit_pin(&self, length: usize, pin: &PinInfo) -> Option<String> {
        if length == 0 {
            return Some(self.say("error-pin-empty"));
        }
        let (least, most) = pin.length.filter(|(least, most)| least <= most && *most > 0)?;
        (!(least..=most).contains(&length)).then(|| {
            self.with(
                "error-pin-length",
                args([("least", least.into()), ("most", most.into())]),
            )
        })
    }

    /// Candidates that would read the same are told apart by their keys, and if these are alike by their serial numbers.
    fn choose(&self, request: &Request, candidates: &[Candidate]) -> Text {
        let texts = candidates.iter().map(|candidate| self.candidate(candidate)).collect();
        let texts = self.told_apart(texts, candidates, |certificate| {
            let key = clean(&certificate.key, KEY);
            self.with("certificate-key", args([("key", key.into())]))
        });
        let texts = self.told_apart(texts, candidates, |certificate| {
            let serial = clean(&certificate.serial, SERIAL);
            self.with("certificate-serial", args([("serial", serial.into())]))
        });
        let numbered = |(index, text): (usize, String)| {
            let values = args([("number", (index + 1).into()), ("text", text.into())]);
            self.with("numbered", values)
        };
        Text {
            title: self.say("title-choose"),
            head: format!("{}\n\n{}", self.head(request), self.say("choose")),
            notes: self.cautions(request),
            body: texts.into_iter().enumerate().map(numbered).collect(),
            prompt: self.with("prompt-number", args([("count", candidates.len().into())])),
            ok: self.say("ok-choose"),
            next: self.say("next-certificate"),
            cancel: self.say("cancel"),
            error: None,
        }
    }

    /// The texts, with a line more for those that read like another.
    fn told_apart(
        &self,
        texts: Vec<String>,
        candidates: &[Candidate],
        line: impl Fn(&Summary) -> String,
    ) -> Vec<String> {
        let alike = |text: &String| texts.iter().filter(|other| *other == text).count() > 1;
        let longer = |(text, candidate): (&String, &Candidate)| {
            if alike(text) {
                format!("{text}\n{}", line(&candidate.certificate))
            } else {
                text.clone()
            }
        };
        texts.iter().zip(candidates).map(longer).collect()
    }

    fn consent(&self, consent: &Consent, room: Room) -> Text {
        let Consent {
            request,
            candidate,
            pin,
            attempt,
            refused,
        } = consent;
        let (title, ok) = match &request.action {
            Action::Confirm(purpose) | Action::ConfirmLiteral(purpose) | Action::ConfirmCard { purpose, .. } => {
                match purpose {
                    Purpose::ConfirmIdentity => ("title-confirm", "ok-confirm"),
                    Purpose::SignIn => ("title-sign-in", "ok-sign-in"),
                }
            }
            Action::Sign(_) => ("title-sign", "ok-sign"),
            Action::Certificate(_) => ("title-certificate", "ok-certificate"),
        };
        let field = match pin {
            PinEntry::Window => "prompt-pin",
            PinEntry::Pad | PinEntry::None => "prompt-yes-no",
        };
        // The certificate and the tries come last: of several pages, the one with the field has them.
        let mut body = self.warnings(request);
        body.extend(self.client(request));
        body.extend(self.documents(&request.action, room));
        let claims = self.claims(&candidate.certificate.qualified);
        let (notes, claims) = match room {
            Room::Window => (claims, Vec::new()),
            Room::Scroll if claims.is_empty() => (claims, Vec::new()),
            Room::Scroll => (Vec::new(), vec![claims.join("\n")]),
        };
        body.extend(claims);
        body.push(self.candidate(candidate));
        if *pin != PinEntry::None {
            // After a wrong PIN the error says how many are left; once is enough, but for the last.
            let tries = self.tries(&candidate.token.pin);
            let said = *attempt > 1 && refused.is_none() && candidate.token.pin.tries_left.is_some_and(|left| left > 1);
            body.extend(tries.filter(|_| !said));
        }
        if *pin == PinEntry::Pad {
            body.push(self.say("pin-on-pad"));
        }
        Text {
            title: self.say(title),
            notes,
            head: self.head(request),
            body,
            prompt: self.say(field),
            ok: self.say(ok),
            next: self.say("next-page"),
            cancel: self.say("cancel"),
            error: (*attempt > 1).then(|| match refused {
                Some(refused) => self.refused_pin(*refused),
                None => self.wrong_pin(&candidate.token.pin),
            }),
        }
    }

    fn last_try(&self, request: &Request, candidate: &Candidate) -> Text {
        Text {
            title: self.say("title-last-try"),
            notes: Vec::new(),
            head: self.head(request),
            body: [
                vec![self.say("last-try"), self.candidate(candidate)],
                self.warnings(request),
            ]
            .concat(),
            prompt: self.say("prompt-yes-no"),
            ok: self.say("ok-last-try"),
            next: self.say("next-page"),
            cancel: self.say("cancel"),
            error: None,
        }
    }

    fn pair(&self, client: &str, digits: &str) -> Text {
        let client = clean(client, CLIENT);
        Text {
            title: self.say("title-pair"),
            notes: Vec::new(),
            head: self.with("pair", args([("client", client.into())])),
            body: vec![format!("{}\n{digits}", self.say("pair-digits")), self.say("pair-note")],
            prompt: self.say("prompt-yes-no"),
            ok: self.say("ok-pair"),
            next: self.say("next-page"),
            cancel: self.say("cancel"),
            error: None,
        }
    }

    /// The portal's whole address on its own line, then what it asks; then the address of the page around it.
    /// Where the page is not known, that comes first, and the address is only what it is meant for.
    pub(super) fn head(&self, request: &Request) -> String {
        let asks = match &request.action {
            Action::Confirm(Purpose::ConfirmIdentity) | Action::ConfirmLiteral(Purpose::ConfirmIdentity) => {
                self.say("asks-confirm")
            }
            Action::Confirm(Purpose::SignIn) | Action::ConfirmLiteral(Purpose::SignIn) => self.say("asks-sign-in"),
            Action::ConfirmCard { purpose, signed } => self.say(match (purpose, signed) {
                (Purpose::ConfirmIdentity, false) => "asks-card-confirm",
                (Purpose::ConfirmIdentity, true) => "asks-card-confirm-signed",
                (Purpose::SignIn, false) => "asks-card-sign-in",
                (Purpose::SignIn, true) => "asks-card-sign-in-signed",
            }),
            Action::Sign(documents) => self.with("asks-sign", args([("count", documents.len().into())])),
            Action::Certificate(CertificateRole::Signing) => self.say("asks-certificate"),
            Action::Certificate(CertificateRole::Authentication) => self.say("asks-certificate-sign-in"),
        };
        let origin = break_long(request.origin.as_str(), ORIGIN_WIDTH);
        if !request.attested {
            let client = args([("client", clean(&request.client, CLIENT).into())]);
            let page = self.with("unattested", client);
            return format!("{page}\n{asks}\n\n{}\n{origin}", self.say("unattested-for"));
        }
        let head = format!("{origin}\n{asks}");
        match self.embedded(request) {
            Some(embedded) if is_short(request) => format!("{head}\n\n{embedded}"),
            _ => head,
        }
    }

    /// The page around the portal, where there is one.
    fn embedded(&self, request: &Request) -> Option<String> {
        let top = break_long(request.top_origin.as_ref()?.as_str(), ORIGIN_WIDTH);
        Some(format!("{}\n{top}", self.say("embedded")))
    }

    /// What the person should know of what is asked.
    pub(super) fn warnings(&self, request: &Request) -> Vec<String> {
        let mut warnings = self.cautions(request);
        if let Action::ConfirmLiteral(_) = request.action {
            warnings.push(self.say("literal"));
        }
        if let Action::ConfirmCard { .. } = request.action {
            warnings.push(self.say("card-ended"));
        }
        warnings
    }

    /// What the person should know of the addresses.
    pub(super) fn cautions(&self, request: &Request) -> Vec<String> {
        let mut warnings = Vec::new();
        warnings.extend((!request.attested).then(|| self.say("warning-unattested")));
        // The head, which stands on every page, must leave room for the rest.
        warnings.extend(self.embedded(request).filter(|_| !is_short(request)));
        warnings.extend(self.origin_warnings(&request.origin, |warning| match warning {
            OriginWarning::Punycode => "warning-punycode",
            OriginWarning::Address => "warning-address",
            OriginWarning::Insecure => "warning-insecure",
        }));
        if let Some(end) = end_of_long_host(&request.origin) {
            warnings.push(self.with("warning-long", args([("end", end.into())])));
        }
        if let Some(top) = &request.top_origin {
            warnings.extend(self.origin_warnings(top, |warning| match warning {
                OriginWarning::Punycode => "warning-top-punycode",
                OriginWarning::Address => "warning-top-address",
                OriginWarning::Insecure => "warning-top-insecure",
            }));
            if let Some(end) = end_of_long_host(top) {
                warnings.push(self.with("warning-top-long", args([("end", end.into())])));
            }
        }
        warnings
    }

    fn origin_warnings(&self, origin: &Origin, message: impl Fn(OriginWarning) -> &'static str) -> Vec<String> {
        let warnings = origin.warnings().into_iter();
        warnings.map(|warning| self.say(message(warning))).collect()
    }

    /// Which plugin passes it on, where the head does not say so already.
    pub(super) fn client(&self, request: &Request) -> Vec<String> {
        if !request.attested {
            return Vec::new();
        }
        let client = clean(&request.client, CLIENT);
        vec![self.with("client", args([("client", client.into())]))]
    }

    /// Whose certificate, from whom, until when, on what.
    fn candidate(&self, candidate: &Candidate) -> String {
        let certificate = &candidate.certificate;
        let name = clean(&certificate.name, NAME);
        let mut lines = vec![self.with("certificate", args([("name", name.into())]))];
        if let Some(organization) = &certificate.organization {
            let organization = clean(organization, NAME);
            lines.push(self.with(
                "certificate-organization",
                args([("organization", organization.into())]),
            ));
        }
        let issuer = clean(&certificate.issuer, NAME);
        lines.push(self.with("certificate-issuer", args([("issuer", issuer.into())])));
        let (from, to) = (self.date(certificate.not_before), self.date(certificate.not_after));
        lines.push(self.with("certificate-validity", args([("from", from.into()), ("to", to.into())])));
        let label = clean(&candidate.token.label, LABEL);
        lines.push(match &candidate.token.reader {
            Some(reader) => {
                let reader = clean(reader, LABEL);
                self.with(
                    "token-reader",
                    args([("label", label.into()), ("reader", reader.into())]),
                )
            }
            None => self.with("token", args([("label", label.into())])),
        });
        if candidate.token.unproven {
            lines.push(self.say("card-unproven"));
        }
        if candidate.token.test || certificate.test {
            lines.push(self.say("test"));
        }
        lines.join("\n")
    }

    fn documents(&self, action: &Action, room: Room) -> Vec<String> {
        let Action::Sign(documents) = action else {
            return Vec::new();
        };
        let whole = room == Room::Scroll || documents.len() <= WHOLE_DIGESTS;
        let shown = |document: &Document| {
            let name = match &document.name {
                Some(name) => self.with("document", args([("name", clean(name, DOCUMENT).into())])),
                None => self.say("document-unnamed"),
            };
            let digest = clean(&document.digest, 2 * 64);
            let digest = match digest.len() {
                length if !whole && length > 40 && digest.is_ascii() => {
                    format!("{}…{}", &digest[..16], &digest[length - 16..])
                }
                // The longest line that no window breaks once more.
                length if length > 64 => break_long(&digest, 48),
                _ => digest,
            };
            let digest = args([("hash", document.hash.name().into()), ("digest", digest.into())]);
            format!("{name}\n{}", self.with("digest", digest))
        };
        documents.iter().map(shown).collect()
    }

    pub(super) fn tries(&self, pin: &PinInfo) -> Option<String> {
        match (pin.tries_left, pin.state) {
            (Some(1), _) | (None, PinState::FinalTry) => Some(self.say("tries-last")),
            (Some(count), _) => Some(self.with("tries-left", args([("count", count.into())]))),
            (None, PinState::Low) => Some(self.say("tries-low")),
            (None, _) => None,
        }
    }

    fn refused_pin(&self, refused: Refused) -> String {
        match refused {
            Refused::Form => self.say("error-pin-form"),
            Refused::Letters => self.say("error-pin-digits"),
            Refused::Length(least, most) => self.with(
                "error-pin-length",
                args([("least", least.into()), ("most", most.into())]),
            ),
        }
    }

    fn wrong_pin(&self, pin: &PinInfo) -> String {
        match pin.tries_left {
            Some(count) => self.with("error-pin-tries", args([("count", count.into())])),
            None => self.say("error-pin"),
        }
    }

    /// A day in UTC, as the language writes it.
    pub(super) fn date(&self, time: OffsetDateTime) -> String {
        let day = time.to_offset(UtcOffset::UTC).date();
        let (year, month, day) = (day.year(), u8::from(day.month()), day.day());
        match self.language {
            Language::En => format!("{year:04}-{month:02}-{day:02}"),
            Language::Ru => format!("{day:02}.{month:02}.{year:04}"),
        }
    }
}

/// Whether the addresses of the portal and of the page around it take a line each.
fn is_short(request: &Request) -> bool {
    let mut origins = [Some(&request.origin), request.top_origin.as_ref()]
        .into_iter()
        .flatten();
    origins.all(|origin| origin.as_str().len() <= ORIGIN_WIDTH)
}

/// The last labels of a host whose origin does not fit on one line.
fn end_of_long_host(origin: &Origin) -> Option<String> {
    if origin.as_str().len() <= ORIGIN_WIDTH {
        return None;
    }
    let host = origin.host();
    let start = host.len().saturating_sub(ORIGIN_WIDTH / 2);
    // Origins are ASCII. Whole labels where at least two of them remain.
    let end = &host[start..];
    let labels = end
        .split_once('.')
        .map(|(_, rest)| rest)
        .filter(|rest| rest.contains('.'));
    Some(format!("…{}", labels.unwrap_or(end)))
}
