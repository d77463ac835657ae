//! Cards that are not genuine, or do not show it: none of them receives a PIN.

use super::*;

/// A card with this one's public files, and keys of others behind them.
fn copied(variant: &Variant, real: &UecPki) -> UecCard {
    let mut pki = real.clone();
    pki.agreement = real.operator.key.clone();
    pki.application.key = real.issuer.key.clone();
    UecCard::with_pkis(variant.clone(), vec![pki])
}

/// A proof with each PIN, a change and an unblocking are refused, and no VERIFY was sent.
fn refused(terminals: &Arc<Terminals>, card: UecCard, why: &str) {
    let what = format!("{:?}", card.variant());
    let mut reader = inserted(card);
    let mut card = opened(terminals, &mut reader);
    let mut all = vec![
        proven(&mut *card, 0, "1234", &mut reader).unwrap_err(),
        card.change_pin(0, pin("1234"), pin("4321"), &mut Link::new(&mut reader))
            .unwrap_err(),
        card.unblock_pin(0, pin("12345678"), pin("4321"), &mut Link::new(&mut reader))
            .unwrap_err(),
    ];
    if card.slots().len() > 1 {
        all.push(proven(&mut *card, 1, "5678", &mut reader).unwrap_err());
    }
    for error in all {
        let told = format!("{error:?}");
        assert!(told.contains(why), "{what}: {told}");
    }
    assert_eq!(reader.card().watch().verifies(), 0, "{what}");
}

#[test]
fn a_card_with_anothers_public_files_receives_no_pin() {
    for version in [Version::V10, Version::V11] {
        for suite in [Suite::Gost, Suite::Rsa] {
            let variant = Variant::ordinary(version, suite);
            let real = UecCard::new(variant.clone());
            let (_folder, terminals) = terminals(&real);
            let fake = copied(&variant, &real.pkis()[0]);
            let mut reader = inserted(fake);
            // Nothing is wrong with what can be read of it: up to the PIN it is the card it says.
            let mut card = opened(&terminals, &mut reader);
            let shown = card.credentials(0, &mut Link::new(&mut reader)).unwrap();
            assert_eq!(shown[0].certificate, real.pkis()[0].application.certificate);
            let why = "the cryptogram does not fit";
            refused(&terminals, copied(&variant, &real.pkis()[0]), why);
        }
    }
}

#[test]
fn a_card_that_withholds_a_certificate_receives_no_pin() {
    let variant = Variant::ordinary(Version::V11, Suite::Gost);
    let real = UecCard::new(variant.clone());
    let (_folder, terminals) = terminals(&real);
    let pki = real.pkis()[0].clone();
    let card = || UecCard::with_pkis(variant.clone(), vec![pki.clone()]);
    refused(
        &terminals,
        card().without_file(0x000C),
        "identification application is missing",
    );
    refused(
        &terminals,
        card().without_file(0x000B),
        "did not let its certificate be read",
    );
    let mut reader = inserted(card().without_file(0x000B));
    assert_eq!(opened(&terminals, &mut reader).closed(), Some(Closed::Unproven));
    let chain = card().with_file(0x000C, &pki.operator.certificate);
    refused(&terminals, chain, "stands where another's belongs");
}

#[test]
fn without_roots_no_pin_is_asked_for_unless_the_configuration_says_so() {
    let variant = Variant::ordinary(Version::V11, Suite::Gost);
    let real = UecCard::new(variant.clone());
    let pki = real.pkis()[0].clone();
    let card = || UecCard::with_pkis(variant.clone(), vec![pki.clone()]);
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&real, folder.path());
    config.roots = None;
    let unsaid = Terminals::load(&config);
    assert!(unsaid.warning().unwrap().contains("no PIN"));
    let unsaid = Arc::new(unsaid);
    refused(&unsaid, card(), "no root is configured");
    let mut reader = inserted(card());
    assert_eq!(opened(&unsaid, &mut reader).closed(), Some(Closed::Unchecked));
    // A root that cannot be read is not one that there is not.
    config.roots = Some(vec![PlacedPath::new(folder.path().join("none"))]);
    refused(&Arc::new(Terminals::load(&config)), card(), "no root is configured");

    config.roots = Some(Vec::new());
    let said = Terminals::load(&config);
    assert!(said.warning().unwrap().contains("forged"));
    let said = Arc::new(said);
    let mut reader = inserted(card());
    let mut opened = opened(&said, &mut reader);
    proven(&mut *opened, 0, "1234", &mut reader).unwrap();
    // What a card shows without a root, it has to have the key of all the same.
    refused(&said, copied(&variant, &pki), "the cryptogram does not fit");
}

#[test]
fn a_card_that_wants_its_pin_before_a_cryptogram_is_refused_before_a_try() {
    for version in [Version::V10, Version::V11] {
        let virtual_card = UecCard::new(Variant::ordinary(version, Suite::Gost));
        let (_folder, terminals) = terminals(&virtual_card);
        let stubborn = virtual_card.behaving(|behaviour| behaviour.authentication_after_pin = true);
        refused(&terminals, stubborn, "INTERNAL AUTHENTICATE");
    }
}

#[test]
fn a_file_that_is_no_file_is_missing_and_the_card_is_known_all_the_same() {
    let variant = Variant::ordinary(Version::V11, Suite::Gost);
    let real = UecCard::new(variant.clone());
    let (_folder, terminals) = terminals(&real);
    let pki = real.pkis()[0].clone();
    let huge = [0x7F, 0x21, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0];
    let longest = [0x7F, 0x21, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    for nonsense in [
        &[][..],
        &[0x7F],
        &[0; 5],
        &huge,
        &longest,
        &[0xFF; 300],
        &[0x7F, 0x21, 0x82, 0x04, 0, 1],
    ] {
        for file in [0x000B, 0x000C, 0x0011, 0x0012] {
            let card = UecCard::with_pkis(variant.clone(), vec![pki.clone()]).with_file(file, nonsense);
            let mut reader = inserted(card);
            let mut card = opened(&terminals, &mut reader);
            assert!(!card.details(&mut Link::new(&mut reader)).unwrap().is_empty());
            let came = proven(&mut *card, 0, "1234", &mut reader);
            assert_eq!(came.is_ok(), file > 0x000C, "{file:04X}: {came:?}");
            assert!(file <= 0x000C || card.slots().len() == 1, "{file:04X}");
        }
    }
}

/// A refusal in clear ends the session that it comes in: nothing more is asked for in it, and the card is still known.
#[test]
fn a_refusal_that_ends_the_session_leaves_the_card_known() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, terminals) = terminals(&virtual_card);
    for file in [0x000B, 0x000C, 0x0011, 0x0012] {
        let card = UecCard::with_pkis(virtual_card.variant().clone(), virtual_card.pkis().to_vec());
        let card = card
            .without_file(file)
            .behaving(|behaviour| behaviour.errors = Errors::Plain);
        let mut reader = inserted(card);
        let mut card = opened(&terminals, &mut reader);
        assert_eq!(proven(&mut *card, 0, "1234", &mut reader).is_ok(), file > 0x000C);
    }
}
