//! What no document says for certain: one place, so that a real card can correct it by data.
//!
//! Nobody of this project has had a real card in a reader. Each value names how sure it is, with the words of
//! the facts it was taken from: **[DOC]** read in the source of a terminal's library, **[INF]** inferred from that
//! source, **[UNKNOWN]** in no source, a reasonable choice.

/// [DOC] AUC of the answer to SELECT that the vendor's library has built in for cards of the MSE ("Micron") family, which
/// may give none: every suite, long commands, MSE. Its other members are v1.0 and the sectors 1 to 3 in the files 0001
/// to 0003; its dates are of 2011 and say nothing of a card. A test reads the whole answer.
pub(super) const MSE_AUC: [u8; 2] = [0xF0, 0x00];

/// Where the answer to SELECT has what the application, or a sector, says of itself. [DOC] v1.1: `64` (file management
/// data), looked for first; v1.0: `A5` in `6F`. [INF] v1.1's `64` may stand inside `6F`, as ISO/IEC 7816-4 has it (5.3.3):
/// the documents name the path `64`, and not what is around it.
pub(super) const TEMPLATES: [&[u32]; 3] = [&[0x64], &[0x6F, 0x64], &[0x6F, 0xA5]];

/// [DOC] Answers to reset that pcsc-tools lists as this card's; [INF] that other cards of the two series differ only in
/// what surrounds these historical bytes.
pub(super) const HISTORICAL: [&[u8]; 2] = [
    &[0x80, 0x64, 0x11, 0x34, 0x01, 0x48, 0x73, 0xF7, 0x41, 0xC0, 0x81, 0x07],
    &[0x80, 0x64, 0x11, 0x65, 0x01, 0x90, 0x73, 0x00, 0x00, 0x00, 0x81, 0x07],
];

/// [UNKNOWN] The fewest digits of a PIN; [DOC] the most that a person may type.
pub(super) const PIN_LENGTH: (usize, usize) = (4, 8);
/// [UNKNOWN] The fewest digits of the unblocking code; [DOC] the most.
pub(super) const PUK_LENGTH: (usize, usize) = (4, 8);

/// [INF] Plain commands that want data say so with Le; the vendor's library leaves it out and lets the card answer.
pub(super) const PLAIN_COMMANDS_STATE_LE: bool = true;

/// [DOC] The library sends sixteen bytes of TermRandom in v1.1; a comment there says that the specification wants four.
pub(super) const TERMINAL_RANDOM: usize = 16;

/// [INF] A block that consists of data objects is selected before GET DATA, as the vendor's library does for the PAN
/// (EF 0009, then tag 5A).
pub(super) const SELECT_BLOCK_BEFORE_GET_DATA: bool = true;

/// [UNKNOWN] What a cryptogram's service (9F15) is where no service provider of the programme asks.
pub(super) const SERVICE: [u8; 10] = [0; 10];

/// [DOC] EF 0012 says that the holder's signature is enabled by a BIT STRING of two bytes whose second is this;
/// [UNKNOWN] what other bits mean.
pub(super) const SIGNATURE_ENABLED: u8 = 3;

/// Which member of TermInfo (5F20 of the terminal's certificate, v1.1) holds its flags: the suites, and 04 for
/// "may ask for the holder's signature" [DOC]; v1.0's is four bytes shorter [DOC].
pub(super) const TERMINAL_FLAGS_V11: usize = 14;
/// The same of v1.0's twelve bytes.
pub(super) const TERMINAL_FLAGS_V10: usize = 10;

/// [DOC] Where the holder's data are: sector 1, block 2 (sectors.ini).
pub(super) const SECTOR_OF_IDENTITY: u8 = 1;
/// See [`SECTOR_OF_IDENTITY`].
pub(super) const BLOCK_OF_IDENTITY: u8 = 2;

/// What has to be done before a card's data are read, or its holder signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// INTERNAL AUTHENTICATE, and the check of what comes: the card has the key of its certificate.
    Cryptogram,
    /// VERIFY.
    Pin,
}

/// [INF] A cryptogram needs a terminal's session and no PIN: the vendor's library asks for one where the PUK is blocked and
/// nothing can be verified (uec-secure-messaging.md, 1.8). [DOC] Before a holder's signature it asks for the cryptogram,
/// then for PIN2, and nothing comes between PIN2 and the signature (section 4).
///
/// A session alone shows no genuine card: its key (EF 000F) is certified by nobody. With the PIN first, whoever copies a
/// card's public files is given the PIN.
pub(super) const STEPS: [Step; 2] = [Step::Cryptogram, Step::Pin];
