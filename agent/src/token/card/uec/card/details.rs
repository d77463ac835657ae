//! What `eid-agent tokens` tells of a card: no whole number, nothing of its holder.

use super::super::super::apdu::Link;
use super::super::super::error::CardError;
use super::super::kind::Suite;
use super::super::obstacle::possible;
use super::super::session::{Session, production_number, select};
use super::{IN_ORDER, UecCard};

impl UecCard {
    /// Names and values. No PIN is tried.
    pub(super) fn describe(&self, link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        let mut lines = vec![
            ("application".to_owned(), self.kind()),
            ("validity".to_owned(), self.validity()),
        ];
        if let Some(status) = self.status {
            let meaning = match status {
                IN_ORDER => "in order".to_owned(),
                0x7F => "not consistent (7F)".to_owned(),
                other => format!("unknown ({other:02X})"),
            };
            lines.push(("status".to_owned(), meaning));
        }
        lines.push(("card number".to_owned(), self.number()));
        lines.push(("certificate".to_owned(), self.certified()));
        lines.push(("sectors".to_owned(), self.sectors(link)?));
        let number = production_number(link)?.map_or("not told".to_owned(), |number| masked(&number));
        lines.push(("production number (CIN)".to_owned(), number));
        lines.push(("holder's signature (PIN2)".to_owned(), self.signature().to_owned()));
        let pins = "tries left are not told by this card without one being spent".to_owned();
        lines.push(("PIN".to_owned(), pins));
        lines.push(("here".to_owned(), self.possible()));
        Ok(lines)
    }

    fn kind(&self) -> String {
        let auc = self.application.auc;
        let suites = Suite::ALL.into_iter().filter(|suite| auc.has(*suite)).map(Suite::name);
        let suites: Vec<_> = suites.collect();
        let mse = if auc.mse() { ", of the MSE family" } else { "" };
        format!(
            "version {}, {}{mse}",
            self.application.version.name(),
            suites.join(" and ")
        )
    }

    fn validity(&self) -> String {
        match (self.application.effective, self.application.expires) {
            (Some(from), Some(to)) => format!("{from} to {to}"),
            (None, Some(to)) => format!("to {to}"),
            _ => "not told".to_owned(),
        }
    }

    fn number(&self) -> String {
        let pan = self.certificate.as_ref().and_then(|certificate| certificate.pan());
        pan.map_or("not read".to_owned(), |pan| pan.to_string())
    }

    fn certified(&self) -> String {
        let Some(certificate) = &self.certificate else {
            return "not readable here".to_owned();
        };
        let chain = match self.chain() {
            None => "its chain is not checked: no root is configured, and whether the card is genuine is not known"
                .to_owned(),
            Some(Ok(())) => "its chain leads to a configured root".to_owned(),
            Some(Err(why)) => format!("its chain does not hold: {why}"),
        };
        format!(
            "{}, valid until {}; {chain}",
            certificate.suite.name(),
            certificate.expires
        )
    }

    /// The sectors with their formats and, where the card lists them without a session, their blocks.
    fn sectors(&self, link: &mut Link<'_>) -> Result<String, CardError> {
        select(link, self.known)?;
        let mut session = Session::plain(link, &self.application);
        let mut told = Vec::new();
        for sector in &self.application.sectors {
            let format = format!("{}.{}", sector.format >> 4, sector.format & 15);
            let blocks = session.sector(sector)?.ok();
            if blocks.is_some() {
                // What the card says to it matters to nobody: the next sector is named by its file anyway.
                let _ = session.leave_sector()?;
            }
            let numbers = |blocks: Vec<super::super::fci::Block>| {
                let numbers: Vec<String> = blocks.iter().map(|block| block.id.to_string()).collect();
                format!(", blocks {}", numbers.join(" "))
            };
            let blocks = blocks
                .filter(|blocks| !blocks.is_empty())
                .map(numbers)
                .unwrap_or_default();
            told.push(format!("{} (format {format}{blocks})", sector.id));
        }
        Ok(match told.is_empty() {
            true => "none".to_owned(),
            false => told.join(", "),
        })
    }

    fn signature(&self) -> &'static str {
        match (&self.terminal, &self.holder, self.may_sign()) {
            (Ok(_), Some(_), _) => "enabled",
            (Ok(_), None, true) => "not enabled on this card",
            (Ok(_), None, false) => "not with this card's version and algorithms, or not for this terminal",
            (Err(_), ..) => "not known without a terminal",
        }
    }

    fn possible(&self) -> String {
        match &self.terminal {
            Ok(_) => possible(self.language).to_owned(),
            Err(obstacle) => obstacle.text(self.language),
        }
    }
}

/// The last two bytes.
fn masked(number: &[u8]) -> String {
    let shown: String = number
        .iter()
        .rev()
        .take(2)
        .rev()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!("•••• {shown}")
}
