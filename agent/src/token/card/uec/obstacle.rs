//! What a card can and cannot do here, in the person's language: all that somebody with such a card in hand wants to know.

use time::Date;

use super::super::apdu::Status;
use super::terminal::NoTerminal;
use crate::prompt::Language;
use crate::token::Closed;

/// Why no PIN of a card can be entered here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The agent is no terminal to it.
    Terminal(NoTerminal),
    /// The card did not take the terminal: what went wrong, in the words of its documents.
    Refused(String),
    /// The card says that it is not in order (DF2C).
    Status(u8),
    /// Its time is over: its last day, by its own word or its certificate's.
    Expired(Date),
    /// Nothing shows that the card is genuine.
    Unproven(Unproven),
}

/// Why nothing shows that a card is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// It keeps its certificate to itself.
    Withheld,
    /// There is nothing to check it with.
    NoRoot,
    /// Its certificate does not lead to a root: what is wrong with it.
    Broken(String),
    /// It signs nothing with the certificate's key before it has a PIN: what it said to that.
    NoCryptogram(Status),
}

impl Obstacle {
    /// The same for those outside, who know of families and not of this one.
    pub(super) fn closed(&self) -> Closed {
        match self {
            Self::Terminal(NoTerminal::Configured) => Closed::TerminalMissing,
            Self::Terminal(NoTerminal::Fitting) => Closed::TerminalUnfit,
            Self::Refused(_) => Closed::TerminalRefused,
            Self::Status(_) => Closed::OutOfOrder,
            Self::Expired(day) => Closed::Expired(*day),
            Self::Unproven(Unproven::NoRoot) => Closed::Unchecked,
            Self::Unproven(_) => Closed::Unproven,
        }
    }

    /// For people: sentences without a capital letter and a full stop, as an error has them.
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::En => self.english(),
            Language::Ru => self.russian(),
        }
    }

    fn english(&self) -> String {
        let why = match self {
            Self::Terminal(NoTerminal::Configured) => "none is configured ([uec] in the configuration)".to_owned(),
            Self::Terminal(NoTerminal::Fitting) => {
                "none of those configured is of its version, its algorithms and its authority's key".to_owned()
            }
            Self::Refused(what) => format!("it did not take the one configured: {what}"),
            Self::Status(status) => {
                return format!(
                    "the universal card says that it is not in order (status {status:02X}); only its issuer could help"
                );
            }
            Self::Expired(day) => {
                return format!(
                    "the universal card has expired: its last day was {day}; no PIN was tried. \
                     The programme of these cards ended with 2016"
                );
            }
            Self::Unproven(why) => {
                let why = match why {
                    Unproven::Withheld => {
                        "it did not let its certificate be read, and proves nothing without it".to_owned()
                    }
                    Unproven::NoRoot => {
                        "no root is configured to check its certificate with (roots under [uec])".to_owned()
                    }
                    Unproven::Broken(what) => format!("its certificate does not hold: {what}"),
                    Unproven::NoCryptogram(status) => {
                        format!(
                            "asked to prove itself before a PIN (INTERNAL AUTHENTICATE), it refused with {:04X}",
                            status.0
                        )
                    }
                };
                return format!("nothing shows that the universal card is genuine: {why}; no PIN was tried");
            }
        };
        format!(
            "the universal card takes a PIN only from a terminal that its system certified, and {why}; \
             it was recognised and no PIN was tried. The programme of these cards ended with 2016"
        )
    }

    fn russian(&self) -> String {
        let why = match self {
            Self::Terminal(NoTerminal::Configured) => "в настройках не указан ни один (раздел [uec])".to_owned(),
            Self::Terminal(NoTerminal::Fitting) => {
                "ни один из указанных в настройках не подходит ей по версии, алгоритмам и ключу её центра".to_owned()
            }
            Self::Refused(what) => format!("указанный в настройках она не приняла: {what}"),
            Self::Status(status) => {
                return format!(
                    "универсальная карта (УЭК) сообщает, что она не в порядке (состояние {status:02X}); помочь мог бы \
                     только тот, кто её выдал"
                );
            }
            Self::Expired(day) => {
                let (day, month, year) = (day.day(), u8::from(day.month()), day.year());
                return format!(
                    "срок действия универсальной карты (УЭК) закончился {day:02}.{month:02}.{year:04}; ПИН-код не \
                     передавался. Программа этих карт завершилась в 2016 году"
                );
            }
            Self::Unproven(why) => {
                let why = match why {
                    Unproven::Withheld => {
                        "она не дала прочитать свой сертификат, а без него ничего не доказывает".to_owned()
                    }
                    Unproven::NoRoot => {
                        "не указан корневой сертификат, которым проверяется её сертификат (roots в разделе [uec])"
                            .to_owned()
                    }
                    Unproven::Broken(what) => format!("её сертификат не проходит проверку: {what}"),
                    Unproven::NoCryptogram(status) => {
                        format!(
                            "на просьбу доказать её до ввода ПИН-кода (INTERNAL AUTHENTICATE) она ответила {status}"
                        )
                    }
                };
                return format!(
                    "ничто не доказывает подлинность универсальной карты (УЭК): {why}; ПИН-код не передавался"
                );
            }
        };
        format!(
            "универсальная карта (УЭК) принимает ПИН-код только от терминала, который удостоверила её система, а {why}; \
             карта распознана, ПИН-код не передавался. Программа этих карт завершилась в 2016 году"
        )
    }
}

/// What can be done with a card to which nothing stands in the way.
pub(super) fn possible(language: Language) -> &'static str {
    match language {
        Language::En => {
            "a terminal is configured: PINs can be verified, changed and unblocked, and the format uec is made. \
             The programme of these cards ended with 2016"
        }
        Language::Ru => {
            "терминал указан в настройках: ПИН-коды можно проверять, менять и разблокировать, личность \
             подтверждается в формате uec. Программа этих карт завершилась в 2016 году"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_obstacle_is_told_in_both_languages() {
        let mut seen = std::collections::BTreeSet::new();
        for obstacle in [
            Obstacle::Terminal(NoTerminal::Configured),
            Obstacle::Terminal(NoTerminal::Fitting),
            Obstacle::Refused("SELECT".to_owned()),
            Obstacle::Status(0x7F),
            Obstacle::Expired(time::macros::date!(2016 - 03 - 14)),
            Obstacle::Unproven(Unproven::Withheld),
            Obstacle::Unproven(Unproven::NoRoot),
            Obstacle::Unproven(Unproven::Broken("SELECT".to_owned())),
            Obstacle::Unproven(Unproven::NoCryptogram(Status(0x6982))),
        ] {
            let (english, russian) = (obstacle.text(Language::En), obstacle.text(Language::Ru));
            assert!(
                !english.replace("УЭК", "").contains(|c| ('а'..='я').contains(&c)),
                "{english}"
            );
            assert!(russian.contains("УЭК") && !russian.contains("card"), "{russian}");
            let tried = !matches!(obstacle, Obstacle::Status(_));
            assert_eq!(english.contains("no PIN was tried"), tried, "{english}");
            assert_eq!(russian.contains("ПИН-код не передавался"), tried, "{russian}");
            assert!(seen.insert(english) && seen.insert(russian));
        }
        for text in [possible(Language::En), possible(Language::Ru)] {
            assert!(text.contains("2016") && text.contains("uec"));
        }
    }
}
