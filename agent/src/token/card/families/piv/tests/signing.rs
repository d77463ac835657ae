//! Signatures of every kind of key, verified with their certificates.

use fixtures::card::kit::{CardKey, RsaPadding};
use plugin_protocol::HashFunction::Sha384;
use plugin_protocol::api::SignatureScheme::{RsaPkcs1, RsaPss};

use super::*;
use crate::proof::verify_own;
use crate::token::card::transport::Protocol::T0;

#[test]
fn a_p256_key_authenticates_after_one_verify() {
    let issued = issued(Purpose::Authentication, KeyKind::P256);
    let key = CardKey::new(&issued.key);
    let digest = Sha256.digest(b"statement");
    let der = key.ecdsa_der(&digest).unwrap();
    let answer = hex(&ber("7C", &ber("82", &der)));
    for (protocol, le) in [(T1, "00"), (T0, "")] {
        let text = format!(
            "# the application\n> 00A4040009 A00000030800001000 {le}\n< 6108\n> 00C0000008\n< 6106 4F04 00001000 9000\n\
             # the PIN, filled with FF\n> 00200080 08 313233343536FFFF\n< 9000\n\
             # the digest under 9A\n> 0087119A 26 7C24 8200 8120 {} {le}\n< 6148\n> 00C0000048\n< {answer} 9000\n",
            hex(&digest)
        );
        let input = input(Ecdsa, Sha256, b"statement");
        let inputs = std::slice::from_ref(&input);
        let signed = with(protocol, &text, |link| {
            card().sign(0, "9A/11", inputs, typed("123456"), link)
        });
        let [signature] = signed.unwrap().try_into().unwrap();
        assert_eq!(signature.len(), 64);
        verify_own(&issued.certificate, Ecdsa, Sha256, &input.data, &signature).unwrap();
    }
}

#[test]
fn a_p384_key_takes_a_short_digest_filled_to_its_field() {
    let issued = issued(Purpose::Authentication, KeyKind::P384);
    let key = CardKey::new(&issued.key);
    for hash in [Sha384, Sha256] {
        let digest = [vec![0; 48 - hash.length()], hash.digest(b"m")].concat();
        let answer = ber("7C", &ber("82", &key.ecdsa_der(&digest).unwrap()));
        let text = format!(
            "{SELECTED}> 00200080 08 3132333435363738\n< 9000\n> 0087149A 36 7C34 8200 8130 {} 00\n< {} 9000\n",
            hex(&digest),
            hex(&answer)
        );
        let input = input(Ecdsa, hash, b"m");
        let inputs = std::slice::from_ref(&input);
        let signed = with(T1, &text, |link| {
            card().sign(0, "9A/14", inputs, typed("12345678"), link)
        });
        verify_own(&issued.certificate, Ecdsa, hash, &input.data, &signed.unwrap()[0]).unwrap();
    }
}

#[test]
fn rsa_blocks_are_padded_here_and_chained() {
    let issued = issued(Purpose::Authentication, KeyKind::Rsa2048);
    let key = CardKey::new(&issued.key);
    let info = [unhex("3031300D060960864801650304020105000420"), Sha256.digest(b"m")].concat();
    let block = [vec![0, 1], vec![0xFF; 256 - 3 - info.len()], vec![0], info].concat();
    let body = [unhex("7C820106 8200 81820100"), block.clone()].concat();
    let signature = key.rsa(RsaPadding::None, &block).unwrap();
    let answer = [unhex("7C820104 82820100"), signature].concat();
    let text = format!(
        "{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n\
         > 1087079A FF {}\n< 9000\n> 0087079A 0B {} 00\n< {} 6108\n> 00C0000008\n< {} 9000\n",
        hex(&body[..255]),
        hex(&body[255..]),
        hex(&answer[..256]),
        hex(&answer[256..])
    );
    let input = input(RsaPkcs1, Sha256, b"m");
    let inputs = std::slice::from_ref(&input);
    let signed = with(T1, &text, |link| card().sign(0, "9A/07", inputs, typed("123456"), link));
    verify_own(&issued.certificate, RsaPkcs1, Sha256, &input.data, &signed.unwrap()[0]).unwrap();
}

/// The salt is fresh each time: the block is made, signed by the card's key, and verified.
#[test]
fn pss_blocks_verify_with_the_certificate() {
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072] {
        let issued = issued(Purpose::Authentication, kind);
        let card_key = CardKey::new(&issued.key);
        let name = if kind == KeyKind::Rsa2048 { "9A/07" } else { "9A/05" };
        let key: Key = name.parse().unwrap();
        for hash in [Sha256, Sha384] {
            let input = input(RsaPss, hash, b"m");
            let block = key.input(&input).unwrap();
            let made = card_key.rsa(RsaPadding::None, &block).unwrap();
            let signature = key.signature(&ber("7C", &ber("82", &made))).unwrap();
            verify_own(&issued.certificate, RsaPss, hash, &input.data, &signature).unwrap();
        }
    }
}

fn two_documents(reference: &str, between: &str) -> String {
    let answer = "7C0A 8208 3006 020101 020102 9000";
    let sign = |message: &[u8]| {
        format!(
            "> 008711{reference} 26 7C24 8200 8120 {} 00\n< {answer}\n",
            hex(&Sha256.digest(message))
        )
    };
    let verify = "> 00200080 08 313233343536FFFF\n< 9000\n";
    format!("{SELECTED}{verify}{}{between}{}", sign(b"one"), sign(b"two"))
}

#[test]
fn the_signature_key_is_given_the_pin_directly_before_each_use() {
    let inputs = [input(Ecdsa, Sha256, b"one"), input(Ecdsa, Sha256, b"two")];
    let again = "> 00200080 08 313233343536FFFF\n< 9000\n";
    for (key, text) in [
        ("9C/11", two_documents("9C", again)),
        ("9A/11", two_documents("9A", "")),
    ] {
        let signed = with(T1, &text, |link| card().sign(0, key, &inputs, typed("123456"), link));
        assert_eq!(signed.unwrap().len(), 2);
    }
}

#[test]
fn what_the_card_refuses_after_the_pin_is_said_in_words() {
    let inputs = [input(Ecdsa, Sha256, b"m")];
    for (answer, words) in [
        ("6982", "touched"),
        ("6A80", "9C"),
        ("6A86", "9C"),
        ("6A88", "no key 9C"),
    ] {
        let text = format!("{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n> 0087119C ..\n< {answer}\n");
        let signed = with(T1, &text, |link| {
            card().sign(0, "9C/11", &inputs, typed("123456"), link)
        });
        assert!(
            matches!(&signed, Err(CardError::Unsupported(why)) if why.contains(words)),
            "{answer}: {signed:?}"
        );
    }
    for answer in ["9000", "7C02 8200 9000", "7C0A 8208 3006 020101 0201 9000", "00 9000"] {
        let text = format!("{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n> 0087119C ..\n< {answer}\n");
        let signed = with(T1, &text, |link| {
            card().sign(0, "9C/11", &inputs, typed("123456"), link)
        });
        assert!(matches!(signed, Err(CardError::Malformed(..))), "{answer}: {signed:?}");
    }
}
