//! Changing and unblocking a PIN. Both values are looked at before the first byte is sent.

use super::super::apdu::{Command, Link};
use super::super::error::CardError;
use super::super::pin::changed;
use super::{SlotProfile, UnblockForm, select};
use crate::pin::Pin;

/// CHANGE REFERENCE DATA (ISO/IEC 7816-4, 11.6.7): old block, new block.
pub(super) fn change(slot: &SlotProfile, old: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
    if !slot.change {
        return Err(unsupported("this PIN is not changed here"));
    }
    let blocks = slot.pin.blocks(&slot.pin, &old, &new).map_err(CardError::Pin)?;
    drop((old, new));
    select::go(link, slot.pin_at)?;
    let command = Command::new(0x00, 0x24, 0x00, slot.pin.reference).with_secret(blocks);
    changed(link.send(&command)?.status)
}

/// RESET RETRY COUNTER (ISO/IEC 7816-4, 11.6.10).
pub(super) fn unblock(slot: &SlotProfile, puk: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
    let Some(unblock) = slot.unblock else {
        return Err(unsupported("this PIN is unblocked by the card's issuer alone"));
    };
    let reset = |p1| Command::new(0x00, 0x2C, p1, slot.pin.reference);
    let command = match unblock.form {
        UnblockForm::CodeAndPin => {
            let blocks = slot.pin.blocks(&unblock.puk, &puk, &new).map_err(CardError::Pin)?;
            drop((puk, new));
            reset(0x00).with_secret(blocks)
        }
        UnblockForm::AfterVerify => {
            let code = unblock.puk.block(&puk).map_err(CardError::Pin)?;
            let block = slot.pin.block(&new).map_err(CardError::Pin)?;
            drop((puk, new));
            select::go(link, unblock.puk_at)?;
            link.verify_block(&unblock.puk, code)?;
            reset(0x02).with_secret(block)
        }
    };
    select::go(link, slot.pin_at)?;
    changed(link.send(&command)?.status)
}

fn unsupported(why: &str) -> CardError {
    CardError::Unsupported(why.to_owned())
}
