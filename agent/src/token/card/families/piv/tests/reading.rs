//! Certificates, however a card keeps them.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;
use crate::certificate::Role;

#[test]
fn certificates_are_read_plain_and_compressed_and_their_keys_named() {
    let kinds = [
        (KeyKind::P256, "9A/11", 3),
        (KeyKind::P384, "9A/14", 3),
        (KeyKind::Rsa2048, "9A/07", 6),
        (KeyKind::Rsa3072, "9A/05", 6),
        (KeyKind::Rsa1024, "9A", 0),
        (KeyKind::P521, "9A", 0),
    ];
    for (kind, key, mechanisms) in kinds {
        let der = issued(Purpose::Authentication, kind).certificate;
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(&der).unwrap();
        let signing = issued(Purpose::Signature, KeyKind::P256).certificate;
        for object in [
            certificate_object(&der, 0),
            certificate_object(&gz.finish().unwrap(), 1),
        ] {
            let text = [
                SELECTED.to_owned(),
                get("5FC105", &object),
                get("5FC10A", &certificate_object(&signing, 0)),
            ];
            let read = with(T1, &text.concat(), |link| card().credentials(0, link)).unwrap();
            let [first, second] = read.try_into().unwrap();
            assert_eq!((first.key.as_str(), first.mechanisms.len()), (key, mechanisms));
            assert_eq!(
                (first.role, second.role),
                (Some(Role::Authentication), Some(Role::Signing))
            );
            assert_eq!((first.certificate, second.key.as_str()), (der.clone(), "9C/11"));
        }
    }
}

#[test]
fn what_is_empty_or_no_certificate_costs_only_itself() {
    let der = issued(Purpose::Signature, KeyKind::P256).certificate;
    let there = get("5FC10A", &certificate_object(&der, 0));
    for empty in [
        "< 6A82",
        "< 6A88",
        "< 5300 9000",
        "< 9000",
        "< 5307 7000 710100 FE00 9000",
        // Kept back: the other object is open all the same.
        "< 6982",
        "< 6985",
        // No certificate; no DER either; torn; without its template.
        "< 5309 7002 3000 710100 FE00 9000",
        "< 5309 7002 4200 710100 FE00 9000",
        "< 5305 7009 300071 9000",
        "< 7002 3000 9000",
    ] {
        let text = format!("{SELECTED}> 00CB3FFF 05 5C035FC105 00\n{empty}\n{there}");
        let read = with(T1, &text, |link| card().credentials(0, link)).unwrap();
        assert_eq!((read.len(), read[0].key.as_str()), (1, "9C/11"), "{empty}");
    }
    // Where nothing else is there, what is wrong with it is said.
    let text = format!(
        "{SELECTED}> 00CB3FFF 05 5C035FC105 00\n< 5305 7009 300071 9000\n> 00CB3FFF 05 5C035FC10A 00\n< 6A82\n"
    );
    let read = with(T1, &text, |link| card().credentials(0, link));
    assert!(matches!(read, Err(CardError::Malformed(..))), "{read:?}");
}

#[test]
fn compressed_certificates_are_bounded_and_told_by_what_they_are() {
    let der = issued(Purpose::Authentication, KeyKind::P256).certificate;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&der).unwrap();
    let zlib = zlib.finish().unwrap();
    let net_id = [
        vec![1, 0],
        vec![(der.len() % 256) as u8, (der.len() / 256) as u8],
        zlib.clone(),
    ]
    .concat();
    // Whatever CertInfo says: plain, zlib, Net iD's.
    for (value, info) in [(&der, 1), (&zlib, 1), (&net_id, 1), (&zlib, 0)] {
        assert_eq!(
            certificate::read(&certificate_object(value, info)),
            Ok(Some(der.clone()))
        );
    }
    // Filled to the container's size, outside and inside the compression.
    let filled = [&der[..], &[0; 40]].concat();
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(&filled).unwrap();
    for (value, info) in [(&filled, 0), (&gz.finish().unwrap(), 1)] {
        let read = certificate::read(&certificate_object(value, info));
        assert_eq!(read, Ok(Some(der.clone())));
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0x30; 50 << 20]).unwrap();
    let bomb = certificate_object(&bomb.finish().unwrap(), 1);
    assert!(matches!(certificate::read(&bomb), Err(CardError::Malformed(..))));
    for torn in [&[0x1F, 0x8B, 8][..], &[0x1F, 0x8B], &[0x78], &[0x42; 20], &zlib[..40]] {
        let read = certificate::read(&certificate_object(torn, 1));
        assert!(matches!(read, Err(CardError::Malformed(..))), "{torn:02X?}");
    }
}
