//! The vectors of uec-secure-messaging.md, section 9, and every altered answer.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::token::card::uec::crypto::gost as curve;
use crate::token::card::uec::crypto::rsa::HALF;
use crate::token::card::uec::kind::Version;
use crate::token::card::uec::terminal::gost::{v10, v11};
use crate::token::card::uec::testing::{gost_key, hex, seq};

const S_11: &str = concat!(
    "C59077DC4DD7E1B4632DE0F5177D39CD7F5DF39DD4ADEA62109A3FE173FFC97D",
    "A4035FE353B434F687017920172D8B4B5D4D1D856B64E315655C9445F966E5BB"
);
const S_10: &str = concat!(
    "68F5E4AC5DFC51D37C77BAC4C83A800B2A5C5A76C574012BE89996B08FAD4483",
    "59CE6F85CC523D1ED51CAE5AB04142A02FAF2809ED246318B7ABABD7824F77A9"
);

/// Section 9.1.
fn gost_11() -> Channel {
    let (terminal, card) = (gost_key(Version::V11, 0x01), gost_key(Version::V11, 0x21));
    let signature = hex(S_11);
    let (random, challenge) = (seq(0xA0, 16), seq(0xB0, 16));
    let public = terminal.public_key();
    assert!(curve::verify(
        Version::V11,
        public,
        &[&random[..], &challenge].concat(),
        &signature
    ));
    let pending = v11(&terminal, card.public_key(), &random, &challenge, &signature).unwrap();
    pending.complete(&hex("36878760")).unwrap()
}

/// Section 9.2.
fn gost_10() -> Channel {
    let [terminal, card, ephemeral] = [0x01, 0x21, 0x61].map(|first| gost_key(Version::V10, first));
    let signature = hex(S_10);
    let compressed = curve::compressed(ephemeral.public_key());
    assert_eq!(
        compressed[..],
        hex("039DFC9AD7DD00AE2DFB5E9B14AADD482CF7A5F584E6498A272ABECE3DA7560DD1")
    );
    let signed = [&seq(0xB0, 8)[..], &compressed].concat();
    assert!(curve::verify(Version::V10, terminal.public_key(), &signed, &signature));
    let pending = v10(&ephemeral, card.public_key(), &signature).unwrap();
    pending.complete(&hex("AC1E1E06")).unwrap()
}

/// Section 9.3.
fn rsa(version: Version) -> Channel {
    let own: [u8; HALF] = seq(0xC0, 16).try_into().unwrap();
    let cards = hex("1D5287BCF1265B90C5FA2F6499CE0338").try_into().unwrap();
    super::rsa::channel(version, &own, &cards, seq(0xE0, 8).try_into().unwrap())
}

fn verify() -> Command {
    Command::new(0, 0x20, 0, 1).with_secret(Secret::new(hex("241234FFFFFFFFFF")))
}

fn sent(channel: &mut Channel, command: &Command) -> Vec<u8> {
    let protected = channel.protect(command).unwrap();
    assert_eq!(protected.le, Le::None, "no Le follows");
    let data = match protected.data {
        Data::Secret(data) => data.expose().to_vec(),
        Data::Plain(data) => data,
        Data::None => Vec::new(),
    };
    let Command { cla, ins, p1, p2, .. } = protected;
    [&[cla, ins, p1, p2, data.len() as u8][..], &data].concat()
}

fn answer(text: &str) -> Response {
    Response {
        data: hex(text),
        status: Status::OK,
    }
}

#[test]
fn session_keys_are_those_of_the_vectors() {
    let key = |text: &str| -> curve::Key { Zeroizing::new(hex(text).try_into().unwrap()) };
    let agreed = curve::vko(
        &gost_key(Version::V11, 0x21),
        gost_key(Version::V11, 0x01).public_key(),
        &[seq(0xA0, 16), seq(0xB0, 16)].concat(),
    );
    let agreed = agreed.unwrap();
    assert_eq!(
        agreed,
        key("0A4D79B1216DAF0DCEE06B9420971D133F552FA2004FFCEFB5EB137F2D10AD16")
    );
    assert_eq!(
        curve::derive(&agreed, 1),
        key("19611E95E49CA402F7B6E27CB1C59558B78EBE50364393E0153A80FA3108E753")
    );
    assert_eq!(
        curve::derive(&agreed, 2),
        key("28BD7F0CD87ABBA139ACB53517941EDF2D95EB17F76B71C49B4B0CC863DBC848")
    );
    let z = curve::ecdh(&gost_key(Version::V10, 0x61), gost_key(Version::V10, 0x21).public_key()).unwrap();
    assert_eq!(
        z,
        key("4F27CF57FD64269E7A6375ADB5E3407BF6779DE233167D7ED67E9ED5F6781C5E")
    );
    assert_eq!(
        curve::derive(&z, 1),
        key("63385449E08426244DA8AE0D5992CE97D6D104D3353CF1E3A3C74B290FE849AB")
    );
    assert_eq!(
        curve::derive(&z, 2),
        key("E335EDAE6ABBB3F493C99388227B03F61441F1106BEF379ACE4B3EED91E6E793")
    );
    let shared = hex("DD93457F35E39D570D33E5AF5503CDF7").try_into().unwrap();
    let derive = super::super::crypto::rsa::derive;
    assert_eq!(derive(&shared, 1).as_slice(), hex("68EBDB22DEEEF2A1C1ED717242B84949"));
    assert_eq!(derive(&shared, 2).as_slice(), hex("88E627E27BC47370632E23FDCFAB7CA1"));
}

#[test]
fn keys_of_a_public_key_are_those_of_the_vectors() {
    let octets = |version, first| curve::public_octets(version, gost_key(version, first).public_key());
    assert_eq!(
        octets(Version::V11, 0x01),
        hex(concat!(
            "D4572C4A208AC360480314E38F9E087904BE0AA145C2E4F70F9FB47DE60CECD3",
            "42052B8DAC9A81DD2FDFBF7CEFEBD0596F694E87E71861FF9560CF1709312BC6"
        ))
    );
    assert_eq!(
        octets(Version::V11, 0x21),
        hex(concat!(
            "547497DD584B4F568BDAFA680EF24B45F2B870B07594EF1A3667EE5CE0706010",
            "BA1403A0FA99C7C1F26761278269CD2E1238BB8B4264E6E7EFD9C5CF50CC4032"
        ))
    );
}

#[test]
fn section_9_1_gost_of_version_1_1() {
    let mut channel = gost_11();
    assert_eq!(
        sent(&mut channel, &verify()),
        hex("0C2000011987110162D8F5B2341C38FE93C6344DF9903C5D8E041690CA64")
    );
    let done = channel.open(&answer("990290008E0461AD89AC")).unwrap();
    assert_eq!((done.data.as_slice(), done.status), (&[][..], Status::OK));
    let get = Command::new(0, 0xCA, 0xDF, 0x27).wanting(Le::Max);
    assert_eq!(sent(&mut channel, &get), hex("0CCADF27068E04F98C20DD"));
    let done = channel
        .open(&answer("8709011B3B1C67D2F3CD93990290008E045BEE3848"))
        .unwrap();
    assert_eq!(done.data, hex("112233445595"));
    let read = Command::new(0, 0xB0, 0, 0).wanting(Le::Exactly(5));
    assert_eq!(sent(&mut channel, &read), hex("0CB00000099701058E0496EFB7B1"));
}

#[test]
fn section_9_2_gost_of_version_1_0() {
    let mut channel = gost_10();
    assert_eq!(
        sent(&mut channel, &verify()),
        hex("0C20000114870902F30350E71D7EA3D99701008E04BDE8F106")
    );
    assert!(channel.open(&answer("990290008E04D40C9792")).unwrap().status.is_ok());
}

#[test]
fn section_9_3_the_rsa_suite() {
    let vectors = [
        (
            Version::V11,
            "0C2000011987110178091ED15B2156993F5C7A87A20C3EE98E04269FD69F",
            "990290008E049E61F6EF",
        ),
        (
            Version::V10,
            "0C20000119871101A7110D2BCC0996DB5C1AFA8355A974A78E04315CB60F",
            "990290008E0480EC6D82",
        ),
    ];
    for (version, command, said) in vectors {
        let mut channel = rsa(version);
        assert_eq!(sent(&mut channel, &verify()), hex(command));
        assert!(channel.open(&answer(said)).unwrap().status.is_ok());
    }
}

#[test]
fn section_9_4_keys_made_of_a_masters() {
    let data = hex("9643900000000000001F112233445595");
    let master = |length| seq(1, length);
    assert_eq!(
        curve::diversified(&master(32).try_into().unwrap(), &data),
        hex("5398B0B245FE42DCE52038CD70EE1E6D8C68A784ACA89B3AAC4196025515D2DA")
    );
    assert_eq!(
        super::super::crypto::rsa::diversified(&master(16).try_into().unwrap(), &data),
        hex("C20F6749DAD1BC820105C35886B152AE")
    );
}

#[test]
fn a_cards_wrong_cryptogram_makes_no_session() {
    let key = |first| gost_key(Version::V11, first);
    for i in 0..4 {
        let pending = v11(
            &key(1),
            key(0x21).public_key(),
            &seq(0xA0, 16),
            &seq(0xB0, 16),
            &hex(S_11),
        )
        .unwrap();
        let mut wrong = hex("36878760");
        wrong[i] ^= 1;
        assert!(pending.complete(&wrong).is_err());
    }
    for short in ["", "368787", "3687876000"] {
        let pending = v11(
            &key(1),
            key(0x21).public_key(),
            &seq(0xA0, 16),
            &seq(0xB0, 16),
            &hex(S_11),
        )
        .unwrap();
        assert!(pending.complete(&hex(short)).is_err());
    }
}

/// The answer with data of section 9.1, with every bit of every byte turned, its status words too, and cut short.
#[test]
fn no_altered_answer_is_believed() {
    let right = [hex("8709011B3B1C67D2F3CD93990290008E045BEE3848"), vec![0x90, 0]].concat();
    let ask = || {
        let mut channel = gost_11();
        sent(&mut channel, &verify());
        channel.open(&answer("990290008E0461AD89AC")).unwrap();
        channel
    };
    let read = |bytes: &[u8]| {
        let (data, status) = bytes.split_at(bytes.len() - 2);
        let mut channel = ask();
        let status = Status(u16::from_be_bytes([status[0], status[1]]));
        let opened = channel.open(&Response {
            data: data.to_vec(),
            status,
        });
        (opened, channel.is_alive())
    };
    assert!(matches!(read(&right), (Ok(_), true)));
    for at in 0..right.len() {
        for bit in 0..8 {
            let mut altered = right.clone();
            altered[at] ^= 1 << bit;
            let (opened, alive) = read(&altered);
            assert!(opened.is_err() && !alive, "byte {at}, bit {bit}");
        }
    }
    for end in 2..right.len() {
        // Cut off at the end there is no status word of success, or nothing that could be checked.
        let (opened, alive) = read(&right[..end]);
        assert!(
            !alive && !opened.is_ok_and(|response| response.status.is_ok()),
            "{end} bytes"
        );
    }
}

#[test]
fn errors_end_a_session_unless_they_are_protected() {
    // (a): an outer error and nothing else.
    let mut channel = gost_11();
    let plain = |status| Response {
        data: Vec::new(),
        status: Status(status),
    };
    assert_eq!(channel.open(&plain(0x63C2)).unwrap().status, Status(0x63C2));
    assert!(!channel.is_alive());
    assert!(channel.protect(&verify()).is_err());
    // Success without a MAC is none.
    assert!(gost_11().open(&plain(0x9000)).is_err());
    // (b) and (c): with an outer error or success, the inner one counts, and the session goes on.
    for outer in [0x63C2, 0x9000] {
        let mut channel = gost_11();
        let status = encode(0x99, &[0x63, 0xC2]);
        let counter = channel.counter.wrapping_add(1).to_be_bytes();
        let mac = channel.mac(counter, &[&status]);
        let data = [status, encode(0x8E, &mac)].concat();
        let opened = channel
            .open(&Response {
                data: data.clone(),
                status: Status(outer),
            })
            .unwrap();
        assert_eq!(opened.status, Status(0x63C2));
        assert!(channel.is_alive() && channel.protect(&verify()).is_ok());
        // The same answer again is another counter's.
        assert!(
            channel
                .open(&Response {
                    data,
                    status: Status(outer)
                })
                .is_err()
        );
    }
}

#[test]
fn a_counter_serves_one_command() {
    let mut channel = gost_11();
    sent(&mut channel, &verify());
    // No answer came, whatever became of the command.
    assert!(!channel.is_alive() && channel.protect(&verify()).is_err());
    // One that cannot be sent used nothing up.
    let mut channel = gost_11();
    let long = Command::new(0, 0xD6, 0, 0).with(vec![0; LONGEST + 1]);
    assert!(channel.protect(&long).is_err() && channel.is_alive());
}

#[test]
fn the_counter_goes_round() {
    let own = [0; HALF];
    let mut channel = super::rsa::channel(Version::V11, &own, &own, [0xFF; 8]);
    assert_eq!(channel.counter, 0);
    let _ = channel.open(&answer(""));
    assert_eq!(channel.counter, 2);
    assert_eq!(super::rsa::channel(Version::V10, &own, &own, [0xFF; 8]).counter, 1);
}

#[test]
fn what_does_not_fit_a_short_command_is_not_sent() {
    let long = Command::new(0, 0xD6, 0, 0).with(vec![0; LONGEST + 1]);
    assert!(gost_11().protect(&long).is_err());
    let longest = Command::new(0, 0xD6, 0, 0).with(vec![0; LONGEST]);
    assert!(sent(&mut gost_11(), &longest).len() <= 5 + 255);
}
