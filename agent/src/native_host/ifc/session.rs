//! One page's conversation: which devices it was told of, which certificates the person has shown it.

use std::collections::BTreeMap;
use std::time::Duration;

use plugin_protocol::api::{TokenKind, TokenSummary};
use plugin_protocol::encoding::from_base64;
use plugin_protocol::{Challenge, ErrorCode};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::code::Code;
use super::command::{self, Command, Devices, Sign};
use super::input::Gone;
use super::person::Person;
use super::{certificate, complain};
use crate::native_host::client::Client;
use crate::native_host::{Daemon, Host, Refusal};

/// The version of the official plugin whose commands these are.
const VERSION: &str = "3.1.1.0";
/// The first part of every device's id. The library takes ids apart by their slashes, in another way where
/// one holds a provider's name that it knows; this holds none.
const ALIAS: &str = "eidAgent";
/// Certificates that a page may have loaded at a time.
const MAX_LOADED: usize = 64;
/// How long a page waits for its answer once the daemon has told that it asks too often: a page that asks again at
/// once, without end, keeps neither this host nor the daemon busy.
const TOO_OFTEN: Duration = Duration::from_secs(1);

/// A certificate that the person agreed to show to this page.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The id of its token.
    pub(super) token: String,
    pub(super) der: Vec<u8>,
    id: String,
    fields: Map<String, Value>,
}

impl Choice {
    /// `None` if it is no certificate.
    pub(super) fn new(token: String, der: Vec<u8>) -> Option<Self> {
        Some(Self {
            id: certificate::id(&der),
            fields: certificate::fields(&der)?,
            token,
            der,
        })
    }

    /// An item of a certificate list.
    fn listed(&self) -> Value {
        let mut item = self.fields.clone();
        item.insert("id".to_owned(), self.id.clone().into());
        item.into()
    }
}

/// Why a command comes to nothing.
enum Failed {
    /// A number that is found here, and why.
    Here(Code, &'static str),
    /// The daemon's refusal.
    There(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::There(refusal)
    }
}

/// What one page knows.
pub(super) struct Session<'a> {
    daemon: &'a Daemon,
    gone: Gone,
    /// Token ids by the device's number: a number names the same token as long as the page is there.
    devices: Vec<String>,
    choices: Vec<Choice>,
    loaded: BTreeMap<i64, Choice>,
    /// The handle that was given last. None is 0, which pages take for "none".
    last: i64,
}

impl<'a> Session<'a> {
    pub(super) fn new(daemon: &'a Daemon, gone: Gone) -> Self {
        Self {
            daemon,
            gone,
            devices: Vec::new(),
            choices: Vec::new(),
            loaded: BTreeMap::new(),
            last: 0,
        }
    }

    /// The answer to a message; `None` when nobody is there any more.
    pub(super) async fn answer(&mut self, message: &[u8]) -> Option<Value> {
        let parsed = command::name(message).and_then(|name| Ok((name, command::parse(name, message)?)));
        let (name, command) = match parsed {
            Ok(parsed) => parsed,
            Err(code) => {
                let name = command::name(message).unwrap_or("a command");
                let why = if code == Code::NotSupported {
                    "it is not served"
                } else {
                    "it cannot be understood"
                };
                return Some(complete(name, complain(name, code, why)));
            }
        };
        let failed = match self.perform(command).await {
            Ok(mut answer) => {
                answer["error_code"] = json!(Code::Ok as i32);
                return Some(answer);
            }
            Err(failed) => failed,
        };
        let (code, why) = match &failed {
            Failed::There(Refusal::Gone) => return None,
            Failed::There(refusal) => {
                self.slow_down(refusal).await;
                let why = match refusal {
                    // It may name files: the browser's own log may know, and the page is told the number alone.
                    Refusal::Unavailable(why) => why,
                    other => other.reason(),
                };
                (Code::of(refusal), why)
            }
            Failed::Here(code, why) => (*code, *why),
        };
        Some(complete(name, complain(name, code, why)))
    }

    /// Waits where the daemon refused because it is asked too often, as long as the page is there.
    async fn slow_down(&self, refusal: &Refusal) {
        if matches!(refusal, Refusal::Problem(problem) if problem.code == ErrorCode::RateLimited) {
            tokio::select! {
                () = sleep(TOO_OFTEN) => {}
                () = self.gone.page().cancelled() => {}
            }
        }
    }

    async fn perform(&mut self, command: Command) -> Result<Value, Failed> {
        match command {
            Command::Create => Ok(json!({})),
            Command::Version => Ok(json!({ "version": VERSION })),
            Command::ListInfo(Devices::Providers) => Ok(json!({ "ifc_list": [] })),
            Command::ListInfo(Devices::Pkcs11) => {
                let present = self.present().await?.1;
                let items: Vec<Value> = present.iter().map(|(number, token)| device(*number, token)).collect();
                Ok(json!({ "ifc_list": items }))
            }
            Command::ListCerts(ids) => self.certificates(&ids).await,
            Command::ListCertsOf(id) => self.certificates_of(&id).await,
            Command::LoadX509(container) => self.load(&container),
            Command::X509Info(handle) => {
                let choice = self.loaded.get(&handle).ok_or(UNKNOWN_HANDLE)?;
                Ok(json!({ "cert_info": certificate::info(&choice.fields, &choice.der) }))
            }
            Command::FreeX509(handle) => match self.loaded.remove(&handle) {
                Some(_) => Ok(json!({})),
                None => Err(UNKNOWN_HANDLE),
            },
            Command::Sign(sign) => self.sign(sign).await,
        }
    }

    /// The daemon, and the tokens that are there now with the numbers of their devices.
    async fn present(&mut self) -> Result<(Client, Vec<(usize, TokenSummary)>), Failed> {
        let client = tokio::select! {
            reached = self.daemon.reach(Host::Ifc) => reached?.client,
            () = self.gone.stopped() => return Err(Refusal::Gone.into()),
        };
        let tokens = client.tokens().await.map_err(Refusal::from)?.tokens;
        let numbered = tokens.into_iter().map(|token| (self.number(&token.id), token));
        let present = numbered.collect();
        Ok((client, present))
    }

    fn number(&mut self, token: &str) -> usize {
        let known = self.devices.iter().position(|known| known == token);
        known.unwrap_or_else(|| {
            self.devices.push(token.to_owned());
            self.devices.len() - 1
        })
    }

    /// `get_list_certs_by_cryptoid_array`. A device that is gone meanwhile has no certificates.
    async fn certificates(&mut self, ids: &[String]) -> Result<Value, Failed> {
        let (client, present) = self.present().await?;
        let wanted: Vec<&str> = present
            .iter()
            .filter(|(number, _)| ids.contains(&device_id(*number)))
            .map(|(_, token)| token.id.as_str())
            .collect();
        self.shown(&client, &wanted).await?;
        let list = |id: &String| {
            let here = |choice: &&Choice| wanted.contains(&choice.token.as_str()) && self.holds(id, choice);
            let certificates: Vec<Value> = self.choices.iter().filter(here).map(Choice::listed).collect();
            json!({ "crypto_id": id, "cert_list": certificates })
        };
        let lists: Vec<Value> = ids.iter().map(list).collect();
        Ok(json!({ "result_array": lists }))
    }

    /// `get_list_certs`.
    async fn certificates_of(&mut self, id: &str) -> Result<Value, Failed> {
        let (client, present) = self.present().await?;
        let wanted = present.iter().find(|(number, _)| device_id(*number) == id);
        let (_, token) = wanted.ok_or(NO_DEVICE)?;
        self.shown(&client, &[&token.id]).await?;
        let here = self.choices.iter().filter(|choice| choice.token == token.id);
        Ok(json!({ "cert_list": here.map(Choice::listed).collect::<Vec<_>>() }))
    }

    /// Whether the device of this id is the token of that certificate.
    fn holds(&self, id: &str, choice: &Choice) -> bool {
        let number = self.devices.iter().position(|token| *token == choice.token);
        number.is_some_and(|number| device_id(number) == id)
    }

    /// Sees to it that the person was asked for a certificate on these tokens: once for the life of the page, as
    /// long as they do not say no. Tokens without one that fits have none.
    async fn shown(&mut self, client: &Client, tokens: &[&str]) -> Result<(), Failed> {
        let known = |token: &&str| self.choices.iter().any(|choice| choice.token == *token);
        if tokens.is_empty() || tokens.iter().any(known) {
            return Ok(());
        }
        let only = match tokens {
            [only] => Some(*only),
            _ => None,
        };
        let person = Person {
            client,
            gone: self.gone.page(),
        };
        match person.certificate(only).await {
            Ok(choice) => {
                self.number(&choice.token);
                self.choices.push(choice);
                Ok(())
            }
            Err(Refusal::Problem(none)) if matches!(none.code, ErrorCode::NoCertificate | ErrorCode::NoToken) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn load(&mut self, container: &str) -> Result<Value, Failed> {
        let choice = self.find(container)?.clone();
        if self.loaded.len() >= MAX_LOADED {
            return Err(Failed::Here(Code::RecordMax, "too many certificates are loaded"));
        }
        self.last += 1;
        self.loaded.insert(self.last, choice);
        Ok(json!({ "x509Handle": self.last }))
    }

    async fn sign(&mut self, sign: Sign) -> Result<Value, Failed> {
        let detached = detached(&sign)?;
        let challenge = challenge(&sign)?;
        let choice = self.find(&sign.container_id)?.clone();
        let (client, present) = self.present().await?;
        if !present.iter().any(|(_, token)| token.id == choice.token) {
            return Err(NO_DEVICE);
        }
        let person = Person {
            client: &client,
            gone: self.gone.page(),
        };
        let signed = person.sign(&choice, challenge, detached).await?;
        Ok(json!({ "sign_value": signed }))
    }

    /// The certificate of a container, if the person has shown it to this page.
    fn find(&self, container: &str) -> Result<&Choice, Failed> {
        let (device, id) = container.rsplit_once('/').ok_or(NO_CONTAINER)?;
        let number = (0..self.devices.len()).find(|number| device_id(*number) == device);
        let token = &self.devices[number.ok_or(NO_DEVICE)?];
        let mut choices = self.choices.iter();
        let found = choices.find(|choice| choice.token == *token && choice.id == id);
        found.ok_or(NO_CONTAINER)
    }
}

const NO_DEVICE: Failed = Failed::Here(Code::CryptoNotFound, "there is no such device");
const NO_CONTAINER: Failed = Failed::Here(Code::ContainerNotFound, "no such certificate was shown to this page");
const UNKNOWN_HANDLE: Failed = Failed::Here(Code::CertNotFound, "there is no such handle");

fn device_id(number: usize) -> String {
    format!("{ALIAS}/{number}")
}

/// An item of `ifc_list`. Nothing in it tells whose it is, or that it is the same as yesterday.
fn device(number: usize, token: &TokenSummary) -> Value {
    json!({
        "alias": ALIAS,
        "name": "eid-agent",
        "type": "pkcs11",
        "path": "",
        "num": number.to_string(),
        "description": match token.kind {
            TokenKind::Card => "Card",
            TokenKind::Pkcs11 => "Token",
            TokenKind::Software => "Software token",
        },
        "serial_number": "",
        "model": "eid-agent",
        "skip_pkcs11_list": "",
        // What would be made if keys were made here; pages show it and do not choose by it.
        "alg": "gost2012_256",
    })
}

/// Whether the CMS is to be without its content. Raw signatures are not made: nothing in them would tell a
/// challenge from a document.
fn detached(sign: &Sign) -> Result<bool, Failed> {
    match sign.out_data_type {
        1 => {}
        0 => return Err(Failed::Here(Code::NotSupported, "results are base64")),
        _ => return Err(Failed::Here(Code::BadParams, "outDataType is 1")),
    }
    match sign.sign_type {
        3 | 5 => Ok(false),
        4 | 6 => Ok(true),
        1 | 2 => Err(Failed::Here(Code::NotSupported, "raw signatures are not made")),
        _ => Err(Failed::Here(Code::BadSignType, "signType is 3 to 6")),
    }
}

/// What is to be signed, which must be a challenge and cannot be a document.
fn challenge(sign: &Sign) -> Result<Challenge, Failed> {
    let data = match sign.in_data_type {
        1 => sign.data.clone(),
        2 => {
            let text = sign.data.replace(['\r', '\n'], "");
            let bytes = from_base64(&text).ok_or(Failed::Here(Code::Base64, "data is not base64"))?;
            String::from_utf8(bytes).map_err(|_| NO_CHALLENGE)?
        }
        3..=5 => return Err(Failed::Here(Code::NotSupported, "hashes and files are not signed")),
        _ => return Err(Failed::Here(Code::BadInType, "inDataType is 1 or 2")),
    };
    data.parse().map_err(|_| NO_CHALLENGE)
}

const NO_CHALLENGE: Failed = Failed::Here(Code::UnsupportedFormat, "data is no literal challenge");

/// Gives a list that came to nothing its empty list: a page's library that looks for one and finds none says nothing
/// any more.
fn complete(name: &str, mut answer: Value) -> Value {
    let list = match name {
        "get_list_info" => "ifc_list",
        "get_list_certs_by_cryptoid_array" => "result_array",
        "get_list_certs" => "cert_list",
        _ => return answer,
    };
    answer[list] = json!([]);
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::native_host::ifc::input::listen;
    use std::path::PathBuf;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_page_that_asks_too_often_waits_for_its_answer_unless_it_leaves() {
        let daemon = Daemon {
            state: PathBuf::new(),
            port_file: PathBuf::new(),
            command: Vec::new(),
        };
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let (_commands, gone) = listen(Held(held));
        let session = Session::new(&daemon, gone.clone());
        let begun = Instant::now();
        session.slow_down(&Refusal::new(ErrorCode::Declined, "")).await;
        session.slow_down(&Refusal::Gone).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        session.slow_down(&Refusal::new(ErrorCode::RateLimited, "")).await;
        assert!(begun.elapsed() >= TOO_OFTEN);
        drop(hold);
        gone.page().cancelled().await;
        let left = Instant::now();
        session.slow_down(&Refusal::new(ErrorCode::RateLimited, "")).await;
        assert!(left.elapsed() < TOO_OFTEN);
    }

    /// An input that ends when its sender goes.
    struct Held(std::sync::mpsc::Receiver<()>);

    impl std::io::Read for Held {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }
}
