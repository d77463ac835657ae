//! A sign-in page with the library that it has, and the official extension around it: one host for one page.
//!
//! Written from what is known of them, not from the agent's code: the library answers for itself where it is strict, and
//! takes ids, names and answers apart as it does.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::browser::{Talk, framed};

/// The host's name in the browser's manifest.
pub(crate) const HOST: &str = "ru.rtlabs.ifcplugin";
/// The extension in Chromium: what the browser says of the caller.
pub(crate) const EXTENSION: &str = "chrome-extension://pbefkdcndngodfeigfdgiodgnmbgcfha/";
/// The PIN that the page collects in a window of its own. It opens nothing, and must be found nowhere.
pub(crate) const PAGES_PIN: &str = "Qw83PAGE55610zz";
/// More is not taken by a browser, bytes.
const MOST: usize = 1024 * 1024;
/// Provider names by which the library takes an id apart at its first slash.
const PROVIDERS: [&str; 4] = ["CryptoPro", "VIPNet", "SignalCom", "LISSI-CSP"];

/// A page that is loaded: its host runs.
pub(crate) struct Page {
    talk: Talk,
}

impl Page {
    /// Loads a page, which starts a host.
    pub(crate) fn load(setup: &Setup) -> Self {
        Self {
            talk: Talk::start(setup, HOST, &[EXTENSION]),
        }
    }

    /// What the library sends; its host's answer.
    pub(crate) fn call(&mut self, name: &str, params: Value) -> Value {
        self.say(&json!({ "func_name": name, "params": params }));
        self.answer()
    }

    /// Sends a message that is not answered at once.
    pub(crate) fn say(&mut self, message: &Value) {
        self.talk.write(&framed(message.to_string().as_bytes()));
    }

    /// Sends any bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.talk.write(bytes);
    }

    /// The next answer, as strictly as the library looks at it.
    pub(crate) fn answer(&self) -> Value {
        let answer = self.talk.answer().expect("the host answers");
        assert!(answer["error_code"].is_i64(), "compared with ===: {answer}");
        assert!(answer.to_string().len() < MOST, "the browser takes no more");
        assert!(answer.get("intermediate").is_none(), "the slot is free again");
        answer
    }

    /// The page is left: its host must end by itself.
    pub(crate) fn leave(mut self) {
        self.talk.hang_up();
        assert!(self.talk.end().success());
    }

    /// The host must end by itself, with the page still there.
    pub(crate) fn ends(self) -> bool {
        self.talk.end().success()
    }

    /// Sends SIGTERM, as a browser does that ends.
    pub(crate) fn terminate(self) {
        self.talk.terminate();
        assert!(self.talk.end().success());
    }

    /// `getCryptoList`: the ids that the library makes of the devices.
    pub(crate) fn devices(&mut self) -> Vec<String> {
        let told = self.call("get_list_info", json!({ "cryptoType": null }));
        assert_eq!(told["error_code"], 0, "{told}");
        let devices = told["ifc_list"].as_array().expect("an array").iter();
        devices.map(device_id).collect()
    }

    /// `getCertificateList`, as the library has it: the devices, then the certificates of all of them; those of
    /// another id than its own are dropped.
    pub(crate) fn certificates(&mut self) -> Result<Vec<Certificate>, i64> {
        let devices = self.devices();
        let params = json!({ "cryptoID_array": devices, "show_progress": 0 });
        let told = self.call("get_list_certs_by_cryptoid_array", params);
        let lists = told["result_array"].as_array().expect("an array, in any case");
        let code = told["error_code"].as_i64().expect("a number");
        if code != 0 {
            assert!(lists.is_empty(), "{told}");
            return Err(code);
        }
        let mut found = Vec::new();
        for list in lists {
            let device = list["crypto_id"].as_str().expect("text");
            let certificates = list["cert_list"].as_array().expect("an array");
            if devices.iter().any(|known| known == device) {
                found.extend(certificates.iter().map(|item| Certificate::read(device, item)));
            }
        }
        Ok(found)
    }

    /// `signDataCmsAttached` and its siblings: the device is looked for first, and an unknown one is told by the
    /// library itself.
    pub(crate) fn sign(&mut self, container: &str, data: &str, sign_type: i64) -> Result<String, i64> {
        self.begin_sign(container, data, sign_type)?;
        let told = self.answer();
        match told["error_code"].as_i64().expect("a number") {
            0 => Ok(told["sign_value"].as_str().expect("base64").to_owned()),
            code => Err(code),
        }
    }

    /// The same without the answer.
    pub(crate) fn begin_sign(&mut self, container: &str, data: &str, sign_type: i64) -> Result<(), i64> {
        if !self.devices().iter().any(|device| *device == crypto_part(container)) {
            return Err(0xa4);
        }
        self.say(&sign(container, data, sign_type));
        Ok(())
    }

    /// `getCertificate`: loads it, reads it, lets it go.
    pub(crate) fn certificate(&mut self, container: &str) -> Value {
        let handle = self.call("load_x509_from_container", json!({ "containerId": container }));
        assert_eq!(handle["error_code"], 0, "{handle}");
        let handle = handle["x509Handle"].as_i64().expect("a number");
        assert!(handle > 0, "0 is none");
        let told = self.call("get_x509_info", json!({ "x509Handle": handle }));
        assert_eq!(told["error_code"], 0, "{told}");
        let freed = self.call("free_x509", json!({ "x509Handle": handle }));
        assert_eq!(freed["error_code"], 0, "it is the result of the whole: {freed}");
        let again = self.call("get_x509_info", json!({ "x509Handle": handle }));
        assert_eq!(again["error_code"], 9, "{again}");
        told["cert_info"].clone()
    }
}

/// A `sign` command as the library makes it, with the PIN that the page asked for.
pub(crate) fn sign(container: &str, data: &str, sign_type: i64) -> Value {
    let params = json!({ "containerId": container, "userPin": PAGES_PIN, "inDataType": 1, "data": data, "hashType": 1,
        "signType": sign_type, "cspUI": 1, "outDataType": 1 });
    json!({ "func_name": "sign", "params": params })
}

fn device_id(item: &Value) -> String {
    let text = |member: &str| {
        item[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member} is no text: {item}"))
    };
    for member in [
        "name",
        "path",
        "description",
        "serial_number",
        "model",
        "skip_pkcs11_list",
        "alg",
    ] {
        text(member);
    }
    assert_eq!(text("type"), "pkcs11");
    assert!(
        !PROVIDERS.iter().any(|provider| text("alias").contains(provider)),
        "{item}"
    );
    format!("{}/{}", text("alias"), text("num"))
}

/// The device's part of a container's id.
pub(crate) fn crypto_part(container: &str) -> &str {
    let parts = match PROVIDERS.iter().any(|provider| container.contains(provider)) {
        true => container.split_once('/'),
        false => container.rsplit_once('/'),
    };
    parts.map_or("", |(device, _)| device)
}

/// An item of a certificate list.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// For `load_x509_from_container` and `sign`.
    pub(crate) container: String,
    /// The item itself.
    pub(crate) item: Value,
}

impl Certificate {
    fn read(device: &str, item: &Value) -> Self {
        let text = |member: &str| {
            item[member]
                .as_str()
                .unwrap_or_else(|| panic!("{member} is no text: {item}"))
        };
        assert!(!text("id").contains('/'), "{item}");
        for date in ["cert_valid_from", "cert_valid_to"] {
            let parsed = time::OffsetDateTime::parse(
                &text(date).replace("GMT", "+0000"),
                &time::format_description::well_known::Rfc2822,
            );
            assert!(parsed.is_ok(), "a page's Date would not take {date} of {item}");
        }
        for part in text("cert_sn").split(':') {
            assert!(part.len() == 2 && u8::from_str_radix(part, 16).is_ok(), "{item}");
        }
        let container = format!("{device}/{}", text("id"));
        assert_eq!(crypto_part(&container), device);
        Self {
            container,
            item: item.clone(),
        }
    }

    /// An attribute of the subject: names without case, only what is between the first two `=`, the last one counts.
    pub(crate) fn subject(&self, name: &str) -> Option<String> {
        attributes(self.item["cert_subject"].as_str().expect("text")).remove(&name.to_lowercase())
    }
}

/// A distinguished name as the library takes it apart.
fn attributes(name: &str) -> BTreeMap<String, String> {
    let attribute = |line: &str| {
        let mut pieces = line.split('=');
        let (name, value) = (pieces.next().unwrap_or_default(), pieces.next().unwrap_or_default());
        (name.trim().to_lowercase(), value.trim().replace("\\,", ","))
    };
    name.split('\n').map(attribute).collect()
}
