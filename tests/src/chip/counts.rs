//! What was done to a card, in numbers.

/// What was done to a card, as it and its reader have seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// PINs sent to it.
    pub sent: usize,
    /// PINs it has compared.
    pub compared: usize,
    /// Tries that wrong ones cost.
    pub wrong: usize,
    /// Signatures it has made, and cryptograms.
    pub signed: usize,
}

impl Counts {
    /// Nothing.
    pub const NOTHING: Self = Self {
        sent: 0,
        compared: 0,
        wrong: 0,
        signed: 0,
    };

    /// Of one confirmation with the right PIN.
    pub const CONFIRMED: Self = Self {
        sent: 1,
        compared: 1,
        wrong: 0,
        signed: 1,
    };

    /// Of one wrong PIN.
    pub const WRONG: Self = Self {
        sent: 1,
        compared: 1,
        wrong: 1,
        signed: 0,
    };

    /// Both, one after the other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            compared: self.compared + other.compared,
            wrong: self.wrong + other.wrong,
            signed: self.signed + other.signed,
        }
    }

    /// What of this was done after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            compared: self.compared - before.compared,
            wrong: self.wrong - before.wrong,
            signed: self.signed - before.signed,
        }
    }
}
