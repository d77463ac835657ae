//! The Belgian card's transcripts: applets 1.7 and 1.8, over T=0.

use fixtures::pki::KeyKind;
use plugin_protocol::HashFunction::{Sha256, Sha384};
use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
use plugin_protocol::encoding::hex;

use super::super::super::transport::Protocol::T0;
use super::transcripts::{play, reading};
use super::*;

const ATR_18: &str = "3B7F96000080318065B085040120120FFF829000";
const ATR_17: &str = "3B9813400AA503010101AD1311";
const BELPIC: &str = "# the applet\n> 00A4040C0F A00000003029057000AD13100101FF\n< 9000\n";
const DF_ID: &str = "# the folder\n> 00A4020C02 DF00\n< 9000\n";
const PIN: &str = "241234FFFFFFFFFF";

/// Identification: 28 bytes, the applet's version at 21, the life cycle at 27.
fn card_data(version: u8, life: u8) -> String {
    format!(
        "{BELPIC}# card data\n> 80E400001C\n< {} A5A5A5A5A5 {version:02X} 0001000000 {life:02X} 9000\n",
        "534C494E0123456789ABCDEF01234567"
    )
}

/// The file of a certificate, `filling` zeros behind it.
fn file(id: &str, certificate: &[u8], filling: usize) -> String {
    let bytes = [certificate, &vec![0; filling]].concat();
    format!("# no control parameters\n> 00A4080C04 DF00{id}\n< 9000\n") + &reading_cut(&bytes, certificate.len())
}

/// What is read of it: nothing behind the certificate.
fn reading_cut(bytes: &[u8], length: usize) -> String {
    reading(&bytes[..length], 0, 0xF8)
}

#[test]
fn applet_1_8_confirms_and_signs_with_a_curve() {
    let (one, two) = (certificate(KeyKind::P384), certificate(KeyKind::P384));
    let digest = hex(&Sha384.digest(b"m"));
    let sign = |key: &str| {
        format!(
            "# a body of its own
            > 002241B605 04800284{key}
            < 9000
            > 0020000108 {PIN}
            < 9000
            > 002A9E9A30 {digest}
            < 6160
            > 00C0000060
            < {} 9000
            ",
            "5A".repeat(96)
        )
    };
    let transcript = [
        card_data(0x18, 0x0F),
        "# tries: byte 28\n> 80E400011F\n< ".to_owned() + &"00".repeat(28) + "020000 9000\n",
        file("5038", &one, 1100),
        file("5039", &two, 1100),
        BELPIC.to_owned(),
        DF_ID.to_owned(),
        // Two for identity after one VERIFY.
        sign("82"),
        format!(
            "> 002A9E9A30 {digest}\n< 6160\n> 00C0000060\n< {} 9000\n",
            "5A".repeat(96)
        ),
        // One PIN opens both keys; for signatures it comes anew each time.
        sign("83"),
        sign("83"),
    ]
    .concat();
    play("belid", ATR_18, T0, &transcript, |card, link| {
        let status = card.pin_status(0, link).unwrap();
        assert_eq!((status.tries_left, status.tries_max), (Some(2), Some(3)));
        let keys: Vec<String> = card
            .credentials(0, link)
            .unwrap()
            .into_iter()
            .map(|one| one.key)
            .collect();
        assert_eq!(keys, ["82", "83"]);
        let inputs = [message(Ecdsa, Sha384, "m"), message(Ecdsa, Sha384, "m")];
        assert_eq!(card.sign(0, "82", &inputs, typed("1234"), link).unwrap().len(), 2);
        assert_eq!(card.sign(0, "83", &inputs, typed("1234"), link).unwrap().len(), 2);
        let details = card.details(link).unwrap();
        assert_eq!(details[0], ("applet".to_owned(), "1.8".to_owned()));
        assert_eq!(details[1], ("serial".to_owned(), "•••• 4567".to_owned()));
        assert_eq!(card.serial().unwrap(), "534c494e0123456789abcdef01234567");
    });
}

#[test]
fn applet_1_7_confirms_with_rsa() {
    let one = certificate(KeyKind::Rsa2048);
    let info = "3031300D060960864801650304020105000420".to_owned() + &hex(&Sha256.digest(b"m"));
    let transcript = [
        card_data(0x17, 0x0F),
        "# tries: VERIFY without data\n> 0020000100\n< 63C3\n".to_owned(),
        file("5038", &one, 0),
        // A child's card: no certificate for signatures.
        format!(
            "# nothing but zeros\n> 00A4080C04 DF005039\n< 9000\n> 00B00000F8\n< {} 9000\n",
            "00".repeat(248)
        ),
        BELPIC.to_owned(),
        DF_ID.to_owned(),
        format!(
            "> 002241B605 0480018482
            < 9000
            > 0020000108 {PIN}
            < 9000
            > 002A9E9A33 {info}
            < 6100
            > 00C0000000
            < {} 9000",
            "5A".repeat(256)
        ),
    ]
    .concat();
    play("belid", ATR_17, T0, &transcript, |card, link| {
        assert_eq!(card.pin_status(0, link).unwrap().tries_left, Some(3));
        let keys: Vec<String> = card
            .credentials(0, link)
            .unwrap()
            .into_iter()
            .map(|one| one.key)
            .collect();
        assert_eq!(keys, ["82"]);
        card.sign(0, "82", &[message(RsaPkcs1, Sha256, "m")], typed("1234"), link)
            .unwrap();
    });
}

#[test]
fn below_1_7_no_verify_is_sent_without_data() {
    let transcript = card_data(0x11, 0x0F) + BELPIC;
    play("belid", ATR_17, T0, &card_data(0x11, 0x0F), |card, link| {
        let status = card.pin_status(0, link).unwrap();
        assert_eq!((status.tries_left, status.tries_max), (None, Some(3)));
    });
    // In another transaction the applet is selected again, and still nothing is asked.
    let mut script = Script::new(T0, &transcript);
    let mut link = Link::new(&mut script);
    let mut card = family("belid").open(&unhex(ATR_17), &mut link).unwrap().unwrap();
    let mut link = Link::new(&mut script);
    assert_eq!(card.pin_status(0, &mut link).unwrap().tries_left, None);
}

/// No manual at hand says that an applet below 1.7 knows PSS: it is not asked for it, and nothing is spent on it.
#[test]
fn pss_is_offered_from_1_7_on() {
    let one = certificate(KeyKind::Rsa2048);
    for (version, offers) in [(0x11, false), (0x17, true)] {
        let missing = "# none\n> 00A4080C04 DF005039\n< 6A82\n".to_owned();
        let transcript = card_data(version, 0x0F) + &file("5038", &one, 0) + &missing;
        play("belid", ATR_17, T0, &transcript, |card, link| {
            let keys = card.credentials(0, link).unwrap();
            let schemes: Vec<_> = keys[0].mechanisms.iter().map(|way| way.scheme).collect();
            assert!(schemes.contains(&RsaPkcs1));
            assert_eq!(schemes.contains(&RsaPss), offers, "{version:02X}");
            if !offers {
                let refused = card.sign(0, "82", &[message(RsaPss, Sha256, "m")], typed("1234"), link);
                assert!(matches!(refused, Err(CardError::Unsupported(_))), "{refused:?}");
            }
        });
    }
}

#[test]
fn a_short_last_part_is_corrected_and_past_the_end_is_the_end() {
    let one = certificate(KeyKind::P384);
    // The card gives less at once than it is asked for, and corrects the length of the last part.
    let (first, rest) = one.split_at(200);
    let mut transcript =
        card_data(0x18, 0x0F) + &format!("> 00A4080C04 DF005038\n< 9000\n> 00B00000F8\n< {} 9000\n", hex(first));
    let mut at = 200;
    for part in rest.chunks(0xF8) {
        let length = part.len();
        transcript += &match length {
            0xF8 => format!("> 00B0{at:04X}F8\n< {} 9000\n", hex(part)),
            _ => format!(
                "> 00B0{at:04X}{length:02X}\n< 6C{length:02X}\n> 00B0{at:04X}{length:02X}\n< {} 9000\n",
                hex(part)
            ),
        };
        at += length;
    }
    transcript += "> 00A4080C04 DF005039\n< 6A82\n";
    play("belid", ATR_18, T0, &transcript, |card, link| {
        assert_eq!(credential(card, 0, link).1, one);
    });
    let cut = card_data(0x18, 0x0F)
        + &format!(
            "> 00A4080C04 DF005038\n< 9000\n> 00B00000F8\n< {} 9000\n> 00B000F8F8\n< 6B00",
            hex(&one[..0xF8])
        );
    play("belid", ATR_18, T0, &cut, |card, link| {
        assert!(matches!(card.credentials(0, link), Err(CardError::Malformed(..))));
    });
}

#[test]
fn a_card_that_is_not_activated_says_so() {
    play("belid", ATR_18, T0, &card_data(0x18, 0x07), |card, link| {
        let error = card.credentials(0, link).unwrap_err();
        assert!(error.to_string().contains("not activated"), "{error}");
        assert_eq!(card.closed(), Some(Closed::Inactive));
    });
}
