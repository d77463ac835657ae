//! What a qualified certificate says of itself, in words: for the windows and for `eid-agent tokens`.

use plugin_protocol::qualified::{IdentificationKind, QualifiedFacts};
use time::OffsetDateTime;

use super::Texts;
use super::clean::clean;
use super::compose::{NAME, args};

impl Texts {
    /// Whom the certificate names by number, on one line.
    fn numbers(&self, facts: &QualifiedFacts) -> Option<String> {
        let named = [
            ("number-snils", &facts.snils),
            ("number-inn", &facts.inn),
            ("number-ogrnip", &facts.ogrnip),
            ("number-innle", &facts.innle),
            ("number-ogrn", &facts.ogrn),
        ];
        let numbers = named.into_iter().filter_map(|(name, number)| {
            let number = number.clone()?;
            let shown = if name == "number-snils" {
                spaced_snils(&number)
            } else {
                number
            };
            Some(self.with(name, args([("number", shown.into())])))
        });
        let numbers: Vec<_> = numbers.collect();
        (!numbers.is_empty()).then(|| numbers.join(", "))
    }

    /// What a certificate says in the form of qualified ones, a line each, most important first.
    pub fn claims(&self, facts: &QualifiedFacts) -> Vec<String> {
        let mut lines: Vec<String> = self.numbers(facts).into_iter().collect();
        let class = facts.tool_classes.last().filter(|_| facts.claim_qualified());
        lines.extend(class.map(|class| self.with("qualified", args([("class", class.name().into())]))));
        lines.extend(facts.identification_kind.map(|kind| match kind {
            IdentificationKind::PERSONAL => self.say("identified-in-person"),
            IdentificationKind::QUALIFIED_SIGNATURE => self.say("identified-by-signature"),
            IdentificationKind::PASSPORT_CHIP => self.say("identified-by-passport"),
            IdentificationKind::BIOMETRIC_SYSTEM => self.say("identified-by-biometry"),
            IdentificationKind(other) => self.with("identified-otherwise", args([("kind", other.into())])),
        }));
        if let Some(tool) = &facts.subject_sign_tool {
            lines.push(self.with("tool-subject", args([("tool", clean(tool, NAME).into())])));
        }
        if let Some(tools) = &facts.issuer_sign_tool {
            let [tool, ca] = [&tools.sign_tool, &tools.ca_tool].map(|tool| clean(tool, NAME));
            lines.push(self.with("tool-issuer", args([("tool", tool.into()), ("ca", ca.into())])));
        }
        if let Some(period) = &facts.private_key_usage_period {
            let day = |end: &Option<String>| {
                end.as_deref()
                    .and_then(|text| self.date_of(text))
                    .unwrap_or("…".to_owned())
            };
            let (from, to) = (day(&period.not_before), day(&period.not_after));
            lines.push(self.with("key-period", args([("from", from.into()), ("to", to.into())])));
        }
        lines
    }

    /// The day of an RFC 3339 time.
    fn date_of(&self, time: &str) -> Option<String> {
        let time = OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).ok()?;
        Some(self.date(time))
    }
}

/// `112-233-445 95`, as the card shows it.
fn spaced_snils(digits: &str) -> String {
    match (digits.get(..3), digits.get(3..6), digits.get(6..9), digits.get(9..)) {
        (Some(a), Some(b), Some(c), Some(sum)) => format!("{a}-{b}-{c} {sum}"),
        _ => digits.to_owned(),
    }
}
