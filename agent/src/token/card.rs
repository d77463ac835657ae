//! Tokens behind a reader: chips that the agent speaks to itself.
//!
//! From the reader up: [`transport`] is bytes out and bytes in, within one transaction;
//! [`apdu`] is a command and what the card made of it, [`tlv`] the data in it; [`recorder`] counts them;
//! [`pin`] is how a PIN is written into a command and what a refusal of it means, [`pad`] how a reader's own keys do it;
//! [`family`] is what a kind of card is, [`families`] are those that are known,
//! [`profile`] plays those that are data alone, [`uec`] is the universal electronic card. Below them, [`pcsc`] is the system's service for readers, [`readers`] knows what is
//! in them, and [`source`] makes tokens of it all.

pub mod apdu;
pub mod error;
pub mod families;
pub mod family;
pub mod pad;
pub mod pcsc;
pub mod pin;
pub mod profile;
pub mod readers;
pub mod recorder;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
pub mod tlv;
pub mod transport;
pub mod uec;
