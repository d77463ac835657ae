//! Why a card of a family that is known here is of no use here: the family says it as data, windows put it in words.

use std::fmt;

use time::Date;

/// A card of a known family with which nothing can be done here, though it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedCard {
    /// Its family.
    pub kind: CardKind,
    /// Why.
    pub why: Closed,
}

/// A family as those outside know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CardKind {
    /// Its short name in the configuration, by which windows know how to call it in their language: "uec".
    pub id: &'static str,
    /// Its name for people: "EstEID (IDEMIA)".
    pub name: &'static str,
    /// The year with which the programme of these cards ended, where it has: nobody gives out another one.
    pub ended: Option<u16>,
}

/// Why nothing on a card can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// It takes a PIN only from a terminal that its system certified, and no terminal's keys are configured.
    TerminalMissing,
    /// The same, and those that are configured are of another version, suite or authority.
    TerminalUnfit,
    /// The same, and it did not take the one that fits.
    TerminalRefused,
    /// Its time is over: its last day.
    Expired(Date),
    /// It says of itself that it is blocked, or otherwise not in order.
    OutOfOrder,
    /// It did not show that it is genuine.
    Unproven,
    /// Whether it is genuine cannot be checked: no root certificate for that is configured.
    Unchecked,
    /// It does without contacts nothing that is needed here.
    Contactless,
    /// Its issuer has not activated it.
    Inactive,
    /// It is left to PKCS#11 modules, of which none shows it.
    Module,
}

/// In English, without a capital letter and a full stop; the windows' words are in `prompt/texts`.
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TerminalMissing => {
                "it takes a PIN only from a terminal that its system certified, and no terminal's keys are configured \
                 ([uec] in the configuration)"
            }
            Self::TerminalUnfit => {
                "it takes a PIN only from a terminal of its own system, and none of those configured fits it"
            }
            Self::TerminalRefused => "it did not take the terminal that is configured",
            Self::Expired(day) => return write!(f, "it has expired: its last day was {day}"),
            Self::OutOfOrder => "it says that it is blocked or not in order; only its issuer could help",
            Self::Unproven => "it did not show that it is genuine, so no PIN is asked for",
            Self::Unchecked => {
                "no root certificate is configured to check with that it is genuine, so no PIN is asked for"
            }
            Self::Contactless => "without contacts it cannot be used here; insert it into a reader with contacts",
            Self::Inactive => "it is not activated; whoever issued it does that",
            Self::Module => "it works with a PKCS#11 module of its maker's, and none that is used here shows it",
        })
    }
}

/// The name of the card's family, why, and what became of its programme.
impl fmt::Display for ClosedCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name, self.why)?;
        self.kind.ended.map_or(Ok(()), |year| {
            write!(f, ". The programme of these cards ended with {year}")
        })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_card_is_named_with_what_is_wrong_and_what_became_of_its_programme() {
        let kind = CardKind {
            id: "uec",
            name: "Universal electronic card",
            ended: Some(2016),
        };
        let why = Closed::Expired(date!(2016 - 03 - 14));
        assert_eq!(
            ClosedCard { kind, why }.to_string(),
            "Universal electronic card: it has expired: its last day was 2016-03-14. \
             The programme of these cards ended with 2016"
        );
        let kind = CardKind { ended: None, ..kind };
        let why = Closed::Inactive;
        assert!(
            ClosedCard { kind, why }
                .to_string()
                .ends_with("whoever issued it does that")
        );
    }
}
