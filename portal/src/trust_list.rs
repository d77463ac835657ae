//! The state's list of accredited certification authorities, an XML file.
//!
//! It is published by the ministry (e-trust.gosuslugi.ru) and names every authority that was
//! ever accredited for qualified certificates, with its status and its certificates. A portal
//! downloads it from time to time, over a channel it trusts, and gives the file here: **the
//! list's own signature is not verified**, and [`crate::Qualification`] says so.
//!
//! Elements are known by their local names; unknown ones are passed over. What is looked at:
//!
//! ```text
//! АккредитованныеУдостоверяющиеЦентры
//!   Версия, Дата
//!   УдостоверяющийЦентр*
//!     Название, КраткоеНазвание, ОГРН, ИНН, РеестровыйНомер
//!     СтатусАккредитации: Статус ("Действует", "Приостановлена", "Прекращена", …), ДействуетС
//!     ПрограммноАппаратныеКомплексы / ПрограммноАппаратныйКомплекс*
//!       Псевдоним, КлассСредствЭП
//!       КлючиУполномоченныхЛиц / Ключ*
//!         ИдентификаторКлюча, АдресаСписковОтзыва / Адрес*
//!         Сертификаты / ДанныеСертификата* / Данные (base64 of DER)
//! ```

use std::fmt;

use base64ct::{Base64, Encoding as _};
use plugin_protocol::qualified::ToolClass;
use roxmltree::{Document, Node, ParsingOptions};

/// Where the list comes from.
const PUBLISHER: &str = "e-trust.gosuslugi.ru";
/// Largest list read, bytes; the published one has some tens of megabytes.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Most XML nodes of it.
const MAX_NODES: u32 = 8_000_000;
/// The status of an authority that may issue qualified certificates.
const IN_FORCE: &str = "Действует";

/// A list as it was read; nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustList {
    /// `Версия`.
    pub version: Option<String>,
    /// `Дата`, as written.
    pub date: Option<String>,
    /// The authorities, in the order of the file, of whatever status.
    pub authorities: Vec<AccreditedAuthority>,
}

/// One authority of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccreditedAuthority {
    /// `Название`, or the short name where there is none.
    pub name: String,
    /// `ОГРН`.
    pub ogrn: Option<String>,
    /// `ИНН`.
    pub inn: Option<String>,
    /// `РеестровыйНомер`: its number in the register.
    pub register_number: Option<String>,
    /// `Статус` of its accreditation, as written.
    pub status: String,
    /// `ДействуетС` of the status, as written.
    pub since: Option<String>,
    /// Its keys.
    pub keys: Vec<AuthorityKey>,
}

/// A key that an authority signs certificates with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityKey {
    /// `ИдентификаторКлюча`, as written.
    pub identifier: Option<String>,
    /// `КлассСредствЭП` of the complex it is in.
    pub tool_class: Option<ToolClass>,
    /// Where its CRLs are published.
    pub crl_addresses: Vec<String>,
    /// Its certificates, DER; not parsed yet.
    pub certificates: Vec<Vec<u8>>,
}

/// Why a file is no trust list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustListError {
    /// Too large, not UTF-8, not XML, or with a DTD.
    Xml(String),
    /// XML of another kind: its root element.
    AnotherDocument(String),
    /// An authority without a member it must have.
    Authority {
        /// Its name, or its number in the file.
        authority: String,
        /// What is missing or unreadable.
        what: &'static str,
    },
}

impl fmt::Display for TrustListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xml(why) => write!(
                f,
                "not a trust list: {why}; it is the XML file that {PUBLISHER} publishes"
            ),
            Self::AnotherDocument(root) => write!(
                f,
                "not a trust list: its root element is {root}, not АккредитованныеУдостоверяющиеЦентры; \
                 it is the XML file that {PUBLISHER} publishes"
            ),
            Self::Authority { authority, what } => write!(f, "the authority {authority}: {what}"),
        }
    }
}

impl std::error::Error for TrustListError {}

impl TrustList {
    /// Reads the XML: UTF-8, no DTD, at most 128 MiB.
    pub fn from_xml(bytes: &[u8]) -> Result<Self, TrustListError> {
        let xml = |why: &str| TrustListError::Xml(why.to_owned());
        if bytes.len() > MAX_BYTES {
            return Err(xml("larger than 128 MiB"));
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| xml("not UTF-8; convert it first"))?;
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document =
            Document::parse_with_options(text, options).map_err(|error| xml(&format!("not XML ({error})")))?;
        let root = document.root_element();
        if !is(root, "АккредитованныеУдостоверяющиеЦентры") {
            return Err(TrustListError::AnotherDocument(root.tag_name().name().to_owned()));
        }
        let authorities = children(root, "УдостоверяющийЦентр").enumerate();
        Ok(Self {
            version: text_of(root, "Версия"),
            date: text_of(root, "Дата"),
            authorities: authorities
                .map(|(index, node)| AccreditedAuthority::read(node, index))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The authorities whose accreditation is in force.
    pub fn in_force(&self) -> impl Iterator<Item = &AccreditedAuthority> {
        self.authorities.iter().filter(|authority| authority.is_in_force())
    }
}

impl AccreditedAuthority {
    /// Whether the accreditation is in force, by the list's own word.
    pub fn is_in_force(&self) -> bool {
        self.status == IN_FORCE
    }

    /// Every certificate of every key, DER.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().flat_map(|key| &key.certificates).map(Vec::as_slice)
    }

    fn read(node: Node<'_, '_>, index: usize) -> Result<Self, TrustListError> {
        let name = text_of(node, "Название").or_else(|| text_of(node, "КраткоеНазвание"));
        let name = name.unwrap_or_else(|| format!("number {} in the file", index + 1));
        let fault = |what| TrustListError::Authority {
            authority: name.clone(),
            what,
        };
        let accreditation = only(node, "СтатусАккредитации");
        let accreditation = accreditation.ok_or_else(|| fault("СтатусАккредитации is missing, or there twice"))?;
        let status = only(accreditation, "Статус").and_then(text);
        let status = status.ok_or_else(|| fault("Статус is missing, there twice, or more than text"))?;
        let complexes = child(node, "ПрограммноАппаратныеКомплексы").into_iter();
        let keys = complexes.flat_map(|list| children(list, "ПрограммноАппаратныйКомплекс"));
        let keys = keys.flat_map(|complex| {
            let class = text_of(complex, "КлассСредствЭП").and_then(|name| ToolClass::from_name(&name));
            let list = child(complex, "КлючиУполномоченныхЛиц").into_iter();
            let keys = list.flat_map(|keys| children(keys, "Ключ"));
            keys.map(move |key| AuthorityKey::read(key, class))
        });
        let keys = keys.collect::<Result<_, _>>().map_err(fault)?;
        Ok(Self {
            ogrn: text_of(node, "ОГРН"),
            inn: text_of(node, "ИНН"),
            register_number: text_of(node, "РеестровыйНомер"),
            status,
            since: text_of(accreditation, "ДействуетС"),
            keys,
            name,
        })
    }
}

impl AuthorityKey {
    fn read(node: Node<'_, '_>, tool_class: Option<ToolClass>) -> Result<Self, &'static str> {
        let addresses = child(node, "АдресаСписковОтзыва").into_iter();
        let addresses = addresses.flat_map(|list| children(list, "Адрес"));
        let certificates = child(node, "Сертификаты").into_iter();
        let certificates = certificates.flat_map(|list| children(list, "ДанныеСертификата"));
        Ok(Self {
            identifier: text_of(node, "ИдентификаторКлюча"),
            tool_class,
            crl_addresses: addresses.filter_map(text).collect(),
            certificates: certificates.map(certificate).collect::<Result<_, _>>()?,
        })
    }
}

/// `Данные`: base64 of DER, in lines or in one.
fn certificate(data: Node<'_, '_>) -> Result<Vec<u8>, &'static str> {
    let text = text_of(data, "Данные").ok_or("a certificate without Данные, or with more in them than text")?;
    let compact: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&compact).map_err(|_| "a certificate whose Данные are not base64")
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn children<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| is(*child, name))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// The child of this name, if there are not several to choose from.
fn only<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> Option<Node<'a, 'input>> {
    let mut found = children(node, name);
    found.next().filter(|_| found.next().is_none())
}

/// The text of an element that holds nothing else: what follows a comment or an element is not cut off unseen.
fn text(node: Node<'_, '_>) -> Option<String> {
    let mut inside = node.children();
    let text = inside.next().filter(|_| inside.next().is_none())?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn text_of(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    child(node, name).and_then(text)
}
