use super::*;

fn certificate(key: PublicKey) -> Certificate {
    Certificate {
        id: vec![1],
        der: Vec::new(),
        key,
        authority: false,
    }
}

#[test]
fn public_keys_of_the_same_identifier_confirm_or_refute() {
    let ours = PublicKey::Rsa(vec![1, 2, 3]);
    let other = PublicKey::Rsa(vec![9]);
    let certificate = certificate(ours.clone());
    assert_eq!(certificate.fit_beside(&[]), Fit::Unknown);
    assert_eq!(certificate.fit_beside(&[(vec![2], ours.clone())]), Fit::Unknown);
    assert_eq!(certificate.fit_beside(&[(vec![1], other.clone())]), Fit::No);
    // Several keys may share an identifier.
    assert_eq!(certificate.fit_beside(&[(vec![1], other), (vec![1], ours)]), Fit::Yes);
}

#[test]
fn numbers_are_read_in_the_machine_s_order() {
    let bytes = [1 as CK_ULONG, CK_ULONG::MAX].map(CK_ULONG::to_ne_bytes).concat();
    assert_eq!(numbers(&bytes), [1, CK_ULONG::MAX]);
    assert!(numbers(&[1, 2]).is_empty());
}
