//! A reader of vpcd behind a real `pcscd`.

use fixtures::card::VirtualCard;
use fixtures::card::vpcd::{Fault, Slot};

use crate::pcsc_client::PcscClient;
use crate::pcscd::{Pcscd, Reader};
use crate::process::eventually;

pub(super) struct Service {
    pub(super) pcscd: Pcscd,
    pub(super) reader: Reader,
    slot: Slot,
    watcher: PcscClient,
}

impl Service {
    pub(super) fn start() -> Self {
        let pcscd = Pcscd::start();
        let reader = pcscd.reader();
        Self {
            slot: Slot::new(reader.port),
            watcher: pcscd.client(),
            reader,
            pcscd,
        }
    }

    pub(super) fn insert(&mut self, card: Box<dyn VirtualCard>, faults: &[Fault]) {
        self.slot.insert_faulty(card, faults).expect("vpcd listens");
        // One that is pulled at its first command may be gone before the next line.
        if faults.is_empty() {
            self.watcher.wait_for_card(&self.reader.name);
        }
    }

    pub(super) fn remove(&mut self) -> Option<Box<dyn VirtualCard>> {
        let card = self.slot.remove();
        self.pcscd.wait_until_it_has_seen_the_removal(&self.reader);
        self.watcher.wait_for_none(&self.reader.name);
        card
    }

    /// Takes the card out and puts it back before `pcscd` looks: it does not know that the card was away, unless a command
    /// has failed meanwhile.
    pub(super) fn put_back_at_once(&mut self) {
        if let Some(mut card) = self.slot.remove() {
            // It has lost power.
            card.reset();
            self.slot.insert(card).expect("vpcd listens");
        }
    }

    /// Whether a fault has pulled the card.
    pub(super) fn is_pulled(&self) -> bool {
        !self.slot.is_inserted()
    }

    /// Comes back after it has ended; the card that was in.
    pub(super) fn start_again(&mut self) -> Option<Box<dyn VirtualCard>> {
        let card = self.slot.remove();
        self.pcscd.start_again();
        self.watcher = self.pcscd.client();
        let listed = || self.watcher.readers().contains(&self.reader.name).then_some(());
        eventually("the readers of the new service", listed);
        card
    }
}
