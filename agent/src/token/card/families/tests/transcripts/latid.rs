//! Latvia's cards.

use plugin_protocol::HashFunction::{Sha256, Sha512};
use plugin_protocol::api::SignatureScheme::RsaPkcs1;

use super::*;

/// EF.OD: EF.CD is 7005 and EF.PrKD 7001; the first entry of EF.CD is for `3404`.
fn pkcs15(adf: &str, key: &str, certificate: &[u8]) -> String {
    let od = unhex("A406 3004 0402 7005 A006 3004 0402 7001");
    // X509Certificate: common attributes, class attributes, [1] path 3404.
    // Filled up to more than a Cosmo X in some readers gives at once.
    let mut cd = unhex("3019 3005 0C03617574 3004 04020081 A10A 3008 3006 04023404 0500");
    cd.resize(0xE0, 0);
    let prkd = unhex(key);
    [
        MAIN.to_owned(),
        adf.to_owned(),
        file("00A4020402503100", "80", &od, 0xC0),
        file("00A4020402700500", "80", &cd, 0xC0),
        file("00A4020402340400", "80", certificate, 0xC0),
        file("00A4020402700100", "80", &prkd, 0xC0),
    ]
    .concat()
}

#[test]
fn latid_v2_goes_where_pkcs15_says() {
    // RSA: the tag is 30, and the key is 0082, two bytes.
    let one = certificate(KeyKind::Rsa2048);
    let info = "3031300D060960864801650304020105000420".to_owned() + &hex(&Sha256.digest(b"statement"));
    let transcript = format!(
        "{}{AWP}
        > 002241A406 800102840182
        < 9000
        > 002000010C {PIN1}
        < 9000
        # the DigestInfo goes in
        > 0088000033 {info} 00
        < {} 9000",
        pkcs15(AWP, "3014 3005 0C03617574 300B 040145 03020520 02020082", &one),
        made_up(256)
    );
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        let (key, found) = credential(card, 0, link);
        assert_eq!((key.as_str(), found), ("82", one));
        let inputs = [message(RsaPkcs1, Sha256, "statement")];
        card.sign(0, "82", &inputs, typed("1234"), link).unwrap();
    });

    // A curve: the tag is A0, no reference is named; and the RSA key of signatures takes the bare hash.
    let two = certificate(KeyKind::P384);
    let transcript = pkcs15(QSCD, "A00E 3005 0C03617574 3005 040145 0500", &two);
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        assert_eq!(credential(card, 1, link), ("9f".to_owned(), two));
    });
    let three = certificate(KeyKind::Rsa2048);
    let transcript = format!(
        "{}{QSCD}
        > 002241B606 80014284019E
        < 9000
        > 002000850C 313233343536FFFFFFFFFFFF
        < 9000
        > 002A9E9A20 {} 00
        < {} 9000",
        pkcs15(QSCD, "3014 3005 0C03617574 300B 040145 03020520 0202009E", &three),
        hex(&Sha256.digest(b"m")),
        made_up(256)
    );
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        let (key, _) = credential(card, 1, link);
        card.sign(1, &key, &[message(RsaPkcs1, Sha256, "m")], typed("123456"), link)
            .unwrap();
    });
}

#[test]
fn latid_v1_reads_der_and_fills_its_pin_to_64_bytes() {
    let two = certificate(KeyKind::Rsa2048);
    // Filling behind the certificate is not read.
    let select = "> 00A4090404 ADF1A001 00\n< 6F00 9000\n";
    let info = "3051300D060960864801650304020305000440".to_owned() + &hex(&Sha512.digest(b"m"));
    let transcript = format!(
        "{MAIN}{select}{}{AWP}
        > 002241A406 800102840181
        < 9000
        > 0020008140 313233343536 {}
        < 9000
        > 0088000053 {info} 00
        < {} 9000
        # the counter of 81 is asked for as 01, in ADF1, where this transaction still is
        > 00CB3FFF0A 4D087006BF810102A080 00
        < 70 0C BF810108 A006 9A0103 9B0103 9000",
        reading(&two, 0, 0xB5),
        "FF".repeat(58),
        made_up(256)
    );
    play("latid-v1", atr("latid-v1"), T1, &transcript, |card, link| {
        let (key, found) = credential(card, 1, link);
        assert_eq!((key.as_str(), found), ("81", two));
        card.sign(1, "81", &[message(RsaPkcs1, Sha512, "m")], typed("123456"), link)
            .unwrap();
        assert_eq!(card.pin_status(1, link).unwrap().tries_left, Some(3));
        assert!(card.slots().iter().all(|slot| !slot.pad), "no reader writes 64 bytes");
    });
}
