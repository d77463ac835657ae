//! What a page may say: `{"func_name": …, "params": {…}}`, each command with its own parameters.
//!
//! A message is read twice, first for its name, then for the parameters that are needed. What is not asked for is
//! never copied out of the message, which is wiped: so it is with `userPin`, the PIN that the page
//! asked for in a window of its own, and with the parameters of commands that are not served.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::code::Code;
use crate::native_host::object::Object;

/// Devices that a command may name: far more than there are tokens. The answer repeats each, so a message of nothing
/// but names would come to hundreds of times its length.
const MAX_DEVICES: usize = 64;

/// The names of the commands that are served. The library has more, and they are answered as unknown ones are:
/// those that make, change or delete keys, PINs and tokens could be sent by any page on the extension's list.
pub(super) const SERVED: [&str; 9] = [
    "create",
    "version",
    "get_list_info",
    "get_list_certs_by_cryptoid_array",
    "get_list_certs",
    "load_x509_from_container",
    "get_x509_info",
    "free_x509",
    "sign",
];

/// A command that is served.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Begins; the files that it names are not looked at.
    Create,
    Version,
    ListInfo(Devices),
    /// The certificates of these devices.
    ListCerts(Vec<String>),
    /// The certificates of this one.
    ListCertsOf(String),
    LoadX509(String),
    X509Info(i64),
    FreeX509(i64),
    Sign(Sign),
}

/// Which kinds of devices are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Devices {
    /// All, or those of type `pkcs11`, which all are.
    Pkcs11,
    /// Those of a cryptographic provider of the system: none.
    Providers,
}

/// `sign`, without the PIN.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sign {
    pub(super) container_id: String,
    pub(super) in_data_type: i64,
    pub(super) data: String,
    pub(super) sign_type: i64,
    #[serde(default = "base64", rename = "outDataType")]
    pub(super) out_data_type: i64,
    /// Ignored since version 3.1 of the official plugin.
    #[serde(default, rename = "hashType")]
    _hash_type: i64,
    /// Whether a provider of the system shows its window; ours is always shown.
    #[serde(default, rename = "cspUI")]
    _csp_ui: i64,
}

fn base64() -> i64 {
    1
}

#[derive(Deserialize)]
struct Named {
    func_name: String,
}

#[derive(Deserialize)]
struct Message<P> {
    params: Object<P>,
}

#[derive(Deserialize)]
struct Optional<P> {
    #[serde(default = "Option::default")]
    params: Option<Object<P>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Create {
    #[serde(rename = "file_config")]
    _file_config: String,
    #[serde(rename = "config_string")]
    _config_string: String,
    #[serde(rename = "log_file_location")]
    _log_file_location: String,
    #[serde(rename = "plugin_log_level")]
    _plugin_log_level: String,
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListInfo {
    #[serde(default)]
    crypto_type: Option<String>,
}

#[derive(Deserialize)]
struct ListCerts {
    #[serde(rename = "cryptoID_array")]
    devices: Vec<String>,
    /// Whether answers in between are wanted; there are none, which is allowed.
    #[serde(default, rename = "show_progress")]
    _show_progress: i64,
}

#[derive(Deserialize)]
struct ListCertsOf {
    #[serde(rename = "cryptoID")]
    device: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    container_id: String,
}

#[derive(Deserialize)]
struct Handle {
    #[serde(rename = "x509Handle")]
    handle: i64,
}

/// Which command it is.
pub(super) fn name(message: &[u8]) -> Result<&'static str, Code> {
    let Object(Named { func_name }) = read(message)?;
    let served = SERVED.into_iter().find(|name| *name == func_name);
    served.ok_or(Code::NotSupported)
}

/// Reads the parameters of a command.
pub(super) fn parse(name: &str, message: &[u8]) -> Result<Command, Code> {
    Ok(match name {
        "create" => {
            optional::<Create>(message)?;
            Command::Create
        }
        "version" => {
            optional::<Nothing>(message)?;
            Command::Version
        }
        "get_list_info" => Command::ListInfo(kind(params::<ListInfo>(message)?)?),
        "get_list_certs_by_cryptoid_array" => Command::ListCerts(few(params::<ListCerts>(message)?.devices)?),
        "get_list_certs" => Command::ListCertsOf(params::<ListCertsOf>(message)?.device),
        "load_x509_from_container" => Command::LoadX509(params::<Container>(message)?.container_id),
        "get_x509_info" => Command::X509Info(params::<Handle>(message)?.handle),
        "free_x509" => Command::FreeX509(params::<Handle>(message)?.handle),
        "sign" => Command::Sign(params(message)?),
        _ => return Err(Code::NotSupported),
    })
}

fn few(devices: Vec<String>) -> Result<Vec<String>, Code> {
    match devices.len() {
        0..=MAX_DEVICES => Ok(devices),
        _ => Err(Code::BadParams),
    }
}

fn kind(asked: ListInfo) -> Result<Devices, Code> {
    match asked.crypto_type.as_deref() {
        None | Some("pkcs11") => Ok(Devices::Pkcs11),
        Some("capi" | "capi_linux") => Ok(Devices::Providers),
        Some(_) => Err(Code::BadParams),
    }
}

fn params<P: DeserializeOwned>(message: &[u8]) -> Result<P, Code> {
    read::<Message<P>>(message).map(|message| message.params.0)
}

/// The same where the library leaves them out.
fn optional<P: DeserializeOwned>(message: &[u8]) -> Result<Option<P>, Code> {
    read::<Optional<P>>(message).map(|message| message.params.map(|Object(params)| params))
}

fn read<T: DeserializeOwned>(message: &[u8]) -> Result<T, Code> {
    serde_json::from_slice(message).map_err(|_| Code::BadParams)
}
