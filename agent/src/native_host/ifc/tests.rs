//! What a page may say before anything is asked of the daemon, and the numbers it is told.

#![allow(clippy::unwrap_used)]
use super::command::{Command, SERVED};
use super::*;
use crate::native_host::Refusal;
use plugin_protocol::ErrorCode;
use serde_json::json;

/// The commands of the page's library that are not served.
const NOT_SERVED: [&str; 19] = [
    "hash",
    "verify",
    "sign_xml",
    "verify_xml",
    "load_x509_from_data",
    "set_x509",
    "get_list_keys",
    "get_guid",
    "key_gen",
    "req_gen",
    "make_cert",
    "key_delete",
    "encrypt",
    "decrypt",
    "p11_init",
    "p11_pin_change",
    "p11_pin_unlock",
    "p11_key_rename",
    "send_apdu",
];

/// Where nothing can be started: what needs the daemon is told that it cannot be reached.
async fn answers(messages: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon {
        state: folder.path().join("state"),
        port_file: folder.path().join("port"),
        command: Vec::new(),
    };
    let wire: Vec<u8> = messages
        .iter()
        .flat_map(|message| {
            let body = message.to_string().into_bytes();
            [&u32::try_from(body.len()).unwrap().to_ne_bytes()[..], &body].concat()
        })
        .collect();
    let mut output = Vec::new();
    serve(&[], &daemon, io::Cursor::new(wire), &mut output).await.unwrap();
    let mut output = &output[..];
    std::iter::from_fn(|| frame::read(&mut output, 0..=MAX_ANSWER).unwrap())
        .map(|answer| serde_json::from_slice(&answer).unwrap())
        .collect()
}

async fn code(message: Value) -> i64 {
    let answers = answers(&[message]).await;
    let [answer] = &answers[..] else {
        panic!("one answer: {answers:?}")
    };
    answer["error_code"].as_i64().unwrap()
}

fn message(name: &str, params: Value) -> Value {
    json!({ "func_name": name, "params": params })
}

fn sign() -> Value {
    json!({ "containerId": "eidAgent/0/ab", "userPin": "12345678", "inDataType": 1, "data": "0123456789abcdef".repeat(4),
        "hashType": 1, "signType": 3, "cspUI": 1, "outDataType": 1 })
}

fn sign_with(member: &str, value: Value) -> Value {
    let mut params = sign();
    params[member] = value;
    message("sign", params)
}

#[tokio::test]
async fn each_command_has_its_answer_in_its_turn_and_the_rest_is_not_supported() {
    let create = json!({ "file_config": "", "config_string": "", "log_file_location": "", "plugin_log_level": "" });
    let told = answers(&[
        json!({ "func_name": "version" }),
        message("create", create),
        json!({ "func_name": "create" }),
        message("unheard_of", json!({})),
        message("version", json!({})),
        message("get_list_info", json!({ "cryptoType": "capi" })),
    ])
    .await;
    assert_eq!(
        told,
        [
            json!({ "error_code": 0, "version": "3.1.1.0" }),
            json!({ "error_code": 0 }),
            json!({ "error_code": 0 }),
            json!({ "error_code": 17 }),
            json!({ "error_code": 0, "version": "3.1.1.0" }),
            json!({ "error_code": 0, "ifc_list": [] }),
        ]
    );
    for name in NOT_SERVED {
        assert!(!SERVED.contains(&name));
        assert_eq!(code(message(name, json!({ "userPin": "1" }))).await, 17, "{name}");
        assert_eq!(code(json!({ "func_name": name })).await, 17, "{name}");
    }
}

#[tokio::test]
async fn wrong_types_and_what_is_no_command_are_bad_parameters() {
    for wrong in [
        json!([]),
        json!("version"),
        json!(["version", {}]),
        json!({ "params": {} }),
        json!({ "func_name": 7 }),
        json!({ "func_name": "version", "params": [] }),
        json!({ "func_name": "create", "params": { "file_config": 1 } }),
        json!({ "func_name": "get_list_info" }),
        message("get_list_info", json!([null])),
        message("get_list_info", json!({ "cryptoType": 1 })),
        message("get_list_info", json!({ "cryptoType": "pkcs12" })),
        message("get_list_certs", json!({ "cryptoId": "eidAgent/0" })),
        message("get_list_certs", json!({ "cryptoID": null })),
        message(
            "get_list_certs_by_cryptoid_array",
            json!({ "cryptoID_array": "eidAgent/0" }),
        ),
        message(
            "get_list_certs_by_cryptoid_array",
            json!({ "cryptoID_array": [0], "show_progress": 0 }),
        ),
        message(
            "get_list_certs_by_cryptoid_array",
            json!({ "cryptoID_array": [], "show_progress": "0" }),
        ),
        message(
            "get_list_certs_by_cryptoid_array",
            json!({ "cryptoID_array": vec!["eidAgent/0"; 65], "show_progress": 0 }),
        ),
        message("load_x509_from_container", json!({ "containerID": "a/0/b" })),
        message("get_x509_info", json!({ "x509Handle": "1" })),
        message("get_x509_info", json!({ "x509Handle": 1.5 })),
        message("free_x509", json!({})),
        sign_with("containerId", json!(null)),
        sign_with("data", json!(1)),
        sign_with("inDataType", json!("1")),
        sign_with("signType", json!(null)),
        sign_with("hashType", json!("1")),
        sign_with("cspUI", json!("1")),
        sign_with("outDataType", json!(2)),
    ] {
        assert_eq!(code(wrong.clone()).await, 5, "{wrong}");
    }
}

#[tokio::test]
async fn only_a_literal_challenge_in_a_cms_gets_as_far_as_the_certificate() {
    let hex = "0123456789abcdef".repeat(4);
    for (member, value, expected) in [
        // Whose device is looked for then.
        ("userPin", json!(null), 164),
        ("signType", json!(6), 164),
        ("containerId", json!("eidAgent"), 10),
        ("containerId", json!(""), 10),
        ("containerId", json!("ruTokenECP/0/ab"), 164),
        ("signType", json!(1), 17),
        ("signType", json!(2), 17),
        ("signType", json!(0), 14),
        ("signType", json!(7), 14),
        ("outDataType", json!(0), 17),
        ("inDataType", json!(3), 17),
        ("inDataType", json!(4), 17),
        ("inDataType", json!(5), 17),
        ("inDataType", json!(0), 13),
        ("inDataType", json!(6), 13),
        ("inDataType", json!(2), 11),
        ("data", json!(""), 11),
        ("data", json!("a".repeat(31)), 11),
        ("data", json!("a".repeat(129)), 11),
        ("data", json!(format!("{hex}\n")), 11),
        ("data", json!(format!("{hex} ")), 11),
        ("data", json!(format!("<xml>{hex}</xml>")), 11),
        ("data", json!("я".repeat(32)), 11),
    ] {
        let told = code(sign_with(member, value.clone())).await;
        assert_eq!(told, expected, "{member} {value}");
    }
    for (data, expected) in [
        (plugin_protocol::encoding::base64(hex.as_bytes()), 164),
        (plugin_protocol::encoding::base64(&[0xff; 32]), 11),
        ("not base64".to_owned(), 20),
    ] {
        let mut params = sign();
        params["inDataType"] = json!(2);
        params["data"] = json!(data);
        assert_eq!(code(message("sign", params)).await, expected, "{data}");
    }
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_is_told_with_the_lists_that_pages_look_for() {
    let told = answers(&[
        message("get_list_info", json!({ "cryptoType": null })),
        message(
            "get_list_certs_by_cryptoid_array",
            json!({ "cryptoID_array": ["eidAgent/0"], "show_progress": 0 }),
        ),
        message("get_list_certs", json!({ "cryptoID": "eidAgent/0" })),
        message("get_x509_info", json!({ "x509Handle": 0 })),
        message("free_x509", json!({ "x509Handle": 1 })),
    ])
    .await;
    assert_eq!(
        told,
        [
            json!({ "error_code": 163, "ifc_list": [] }),
            json!({ "error_code": 163, "result_array": [] }),
            json!({ "error_code": 163, "cert_list": [] }),
            json!({ "error_code": 9 }),
            json!({ "error_code": 9 }),
        ]
    );
}

#[test]
fn the_pin_of_the_page_is_not_read() {
    let text = message("sign", sign()).to_string();
    assert!(text.contains("12345678"));
    let command = command::parse("sign", text.as_bytes()).unwrap();
    assert!(matches!(command, Command::Sign(_)));
    assert!(!format!("{command:?}").contains("\"12345678\""), "{command:?}");
}

#[test]
fn every_problem_has_a_number_that_the_library_knows() {
    // Of the library's table, without those that it makes itself.
    let known: Vec<i64> = (-1..=23).chain(25..=28).chain(160..=164).collect();
    for problem in ErrorCode::ALL {
        let told = Code::of(&Refusal::new(*problem, "")).answer();
        let number = told["error_code"].as_i64().unwrap();
        assert!(known.contains(&number) && number != 0, "{problem}: {told}");
    }
    for (problem, number) in [
        (ErrorCode::Declined, 1),
        (ErrorCode::Cancelled, 1),
        (ErrorCode::PinIncorrect, 0xa0),
        (ErrorCode::PinLocked, 0x17),
        (ErrorCode::NoToken, 0x19),
        (ErrorCode::TokenRemoved, 0x19),
        (ErrorCode::OriginNotAllowed, 0x11),
        (ErrorCode::Busy, -1),
    ] {
        assert_eq!(Code::of(&Refusal::new(problem, "")) as i32, number, "{problem}");
    }
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon {
        state: folder.path().join("state"),
        port_file: folder.path().join("port"),
        command: Vec::new(),
    };
    let body = b"{\"func_name\":\"version\"}";
    let wire = [&u32::try_from(body.len()).unwrap().to_ne_bytes()[..], body].concat();
    let mut output = Vec::new();
    let caller = [OsString::from("chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/")];
    serve(&caller, &daemon, io::Cursor::new(wire), &mut output)
        .await
        .unwrap();
    assert_eq!(&output[4..], b"{\"error_code\":163}");
}

#[test]
fn complaints_come_to_an_end() {
    let complaints = Complaints(AtomicUsize::new(0));
    let written = (0..1000).filter(|_| complaints.another()).count();
    assert_eq!(written, MAX_COMPLAINTS);
}
