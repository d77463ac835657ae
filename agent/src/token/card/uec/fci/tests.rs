#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::token::card::uec::testing::hex;

/// The whole of it.
const MSE_FCI: &str = concat!(
    "6F5D8001438102169C820138830210008408A0000004329000018A0105A540",
    "5F24031603145F25031103159F080110C202F000E02A",
    "E10CDF20010151020001DF210110E10CDF20010251020002DF210110E10CDF20010351020003DF210110"
);

#[test]
fn the_answer_that_the_vendors_library_has_built_in_reads() {
    let read = Application::read(&hex(MSE_FCI)).unwrap();
    let sector = |id, file| Sector { id, file, format: 0x10 };
    assert_eq!(
        read,
        Application {
            version: Version::V10,
            expires: Some(date!(2016 - 03 - 14)),
            effective: Some(date!(2011 - 03 - 15)),
            auc: Auc([0xF0, 0]),
            authority_key: 0,
            sectors: vec![sector(1, 1), sector(2, 2), sector(3, 3)],
        }
    );
    assert!(read.auc.has(Suite::Gost) && read.auc.has(Suite::Rsa) && read.auc.long_apdu() && read.auc.mse());
    assert_eq!(read.sector(2).unwrap().file, 2);
    assert_eq!(read.sector(9), None);
    let taken = of_mse_cards();
    assert_eq!(
        Application {
            expires: None,
            effective: None,
            ..read
        },
        taken
    );
}

#[test]
fn management_data_reads_with_the_version_of_the_authoritys_key() {
    let fmd = hex(concat!(
        "6427",
        "9F080111",
        "5F2403201231",
        "5F2503151231",
        "C202A000",
        "8F0107",
        "E00EE10CDF20010151020001DF210111",
    ));
    let read = Application::read(&fmd).unwrap();
    assert_eq!((read.version, read.authority_key), (Version::V11, 7));
    assert_eq!(read.expires, Some(date!(2020 - 12 - 31)));
    assert!(read.auc.has(Suite::Gost) && !read.auc.has(Suite::Rsa) && !read.auc.mse());
    assert_eq!(
        read.sectors,
        [Sector {
            id: 1,
            file: 1,
            format: 0x11
        }]
    );
}

#[test]
fn management_data_may_stand_inside_a_template_of_its_own() {
    let bare = hex("6410 9F080111 5F2403201231 C202A000 E000");
    let wrapped = [&[0x6F, bare.len() as u8 + 10][..], &hex("8408A000000432900001"), &bare].concat();
    assert_eq!(Application::read(&wrapped), Application::read(&bare));
    assert_eq!(Application::read(&bare).unwrap().version, Version::V11);
    let list = hex("640C E20A E308DF22010151020101");
    let wrapped = [&[0x6F, list.len() as u8][..], &list].concat();
    assert_eq!(blocks(Version::V11, &wrapped), blocks(Version::V11, &list));
    assert_eq!(blocks(Version::V11, &list).unwrap().len(), 1);
    assert_eq!(blocks(Version::V10, &wrapped), None);
}

#[test]
fn blocks_stand_where_the_version_has_them() {
    let expected = [Block { id: 1, file: 0x101 }, Block { id: 2, file: 0x102 }];
    let list = hex("E214E308DF22010151020101E308DF22010251020102");
    let v11 = [&[0x64, list.len() as u8][..], &list].concat();
    assert_eq!(blocks(Version::V11, &v11).unwrap(), expected);
    let v10 = [&[0x6F, list.len() as u8 + 2, 0xA5, list.len() as u8][..], &list].concat();
    assert_eq!(blocks(Version::V10, &v10).unwrap(), expected);
    assert_eq!(blocks(Version::V11, &v10), None);
    let mut torn = v11.clone();
    torn[5] = 9;
    assert_eq!(blocks(Version::V11, &torn), None, "lengths that do not add up");
}

#[test]
fn other_applications_are_none() {
    for other in [
        "",
        "6F00",
        "6F0884066F6F6F6F6F6F",
        "6F078405A000000308",
        "64049F080112",
        "64049F080111",
    ] {
        assert_eq!(Application::read(&hex(other)), None, "{other}");
    }
}

proptest! {
    #[test]
    fn no_answer_is_too_much(answer in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, byte: u8) {
        let _ = Application::read(&answer);
        let _ = blocks(Version::V10, &answer);
        let mut sample = hex(MSE_FCI);
        let at = at % sample.len();
        sample[at] = byte;
        sample.truncate(sample.len().min(answer.len() + 40));
        let _ = Application::read(&sample);
    }
}
