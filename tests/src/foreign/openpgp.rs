//! An OpenPGP card gets an authentication key by commands of its specification (OpenPGP smart card application, 3.4).

use fixtures::pki::keys::curve_spki;
use fixtures::pki::{Issued, Person};

use super::{ForeignCard, Purpose, certify};
use crate::pcsc_client::PcscClient;
use crate::pcscd::Pcscd;

/// 4.2.1: the registered part of the application's name.
const NAME: &[u8] = &[0xD2, 0x76, 0x00, 0x01, 0x24, 0x01];
/// The administrator's PIN of a blank card (4.4.1).
const ADMIN: &[u8] = b"12345678";
/// P-256 (RFC 5480, 2.1.1.1), and its object identifier without tag and length.
const P256: (&str, &[u8]) = ("1.2.840.10045.3.1.7", &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]);

impl ForeignCard {
    /// Has an OpenPGP card make a P-256 key for authentication, and puts this person's certificate for it on the card.
    /// The [`Issued::key`] of what is returned is another one: the card's own does not leave it.
    pub fn provision_openpgp(&self, pcscd: &Pcscd, person: Person<'_>) -> Issued {
        let client = pcscd.client();
        client.connect(&self.reader.name, false).expect("a card to connect to");
        expect(&client, [0x00, 0xA4, 0x04, 0x00], NAME);
        expect(&client, [0x00, 0x20, 0x00, 0x83], ADMIN);
        // 4.4.3.9: algorithm 13h, ECDSA, and the curve; C3 is the key for authentication.
        expect(&client, [0x00, 0xDA, 0x00, 0xC3], &[&[0x13], P256.1].concat());
        // 7.2.14: A4 is the key for authentication; 86 in the answer is the public point.
        let made = expect(&client, [0x00, 0x47, 0x80, 0x00], &[0xA4, 0x00]);
        let at = made.windows(2).position(|pair| pair == [0x86, 0x41]).expect("a point");
        let point = &made[at + 2..at + 2 + 65];
        // A key without a fingerprint and a date is none to OpenSC.
        expect(&client, [0x00, 0xDA, 0x00, 0xC9], &[0xA5; 20]);
        expect(&client, [0x00, 0xDA, 0x00, 0xD0], &1_700_000_000_u32.to_be_bytes());
        let issued = certify(person, Purpose::Authentication, curve_spki(P256.0, point));
        // 4.4.3.10: the first certificate is that of the key for authentication.
        expect(&client, [0x00, 0xDA, 0x7F, 0x21], &issued.certificate);
        client.disconnect(true).expect("it lets go");
        issued
    }
}

/// One command, in a chain where it is long (ISO/IEC 7816-4, 5.1.1.1), which has to succeed; its data.
fn expect(client: &PcscClient, header: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut links = data.chunks(255).peekable();
    while let Some(link) = links.next() {
        let [class, rest @ ..] = header;
        let last = links.peek().is_none();
        let class = if last { class } else { class | 0x10 };
        let length = u8::try_from(link.len()).expect("255 at most");
        let mut command = [&[class][..], &rest, &[length], link].concat();
        if last {
            command.push(0);
        }
        let answer = client.send(&command).expect("an answer");
        let (answered, status) = answer.split_at(answer.len() - 2);
        assert_eq!(status, [0x90, 0x00], "{header:02X?}");
        if last {
            return answered.to_vec();
        }
    }
    panic!("no command without data is sent this way")
}
