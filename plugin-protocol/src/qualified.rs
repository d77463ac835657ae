//! What a Russian qualified certificate says of itself.
//!
//! Its form is laid down by order 795 of the ФСБ of 27.12.2011 to the law on electronic
//! signatures (63-ФЗ). These are claims: whoever reads them off a certificate has not
//! checked who issued it. They are read twice, by the agent for the person and by the
//! portal for its verdict; only the words are shared.

pub mod checksum;

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of a signature tool, a certificate policy each (`1.2.643.100.113.1` to `.6`), weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ToolClass {
    /// КС1
    KC1,
    /// КС2
    KC2,
    /// КС3
    KC3,
    /// КВ1
    KB1,
    /// КВ2
    KB2,
    /// КА1
    KA1,
}

impl ToolClass {
    /// Every class, weakest first.
    pub const ALL: [Self; 6] = [Self::KC1, Self::KC2, Self::KC3, Self::KB1, Self::KB2, Self::KA1];

    /// The certificate policy that claims it, in dotted decimal form.
    pub const fn policy(self) -> &'static str {
        match self {
            Self::KC1 => "1.2.643.100.113.1",
            Self::KC2 => "1.2.643.100.113.2",
            Self::KC3 => "1.2.643.100.113.3",
            Self::KB1 => "1.2.643.100.113.4",
            Self::KB2 => "1.2.643.100.113.5",
            Self::KA1 => "1.2.643.100.113.6",
        }
    }

    /// The class that a certificate policy claims, if it claims one.
    pub fn from_policy(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.policy() == oid)
    }

    /// As the orders write it, in Cyrillic.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KC1 => "КС1",
            Self::KC2 => "КС2",
            Self::KC3 => "КС3",
            Self::KB1 => "КВ1",
            Self::KB2 => "КВ2",
            Self::KA1 => "КА1",
        }
    }

    /// The class written so, in Cyrillic or in the Latin letters that look alike.
    pub fn from_name(name: &str) -> Option<Self> {
        let latin: String = name.trim().chars().map(latin).collect();
        Self::ALL
            .into_iter()
            .find(|class| class.name().chars().map(self::latin).eq(latin.chars()))
    }
}

/// The Latin capital that looks like a Cyrillic one of the six names.
fn latin(letter: char) -> char {
    match letter {
        'К' | 'к' | 'k' => 'K',
        'С' | 'с' | 'c' => 'C',
        'В' | 'в' | 'b' => 'B',
        'А' | 'а' | 'a' => 'A',
        other => other,
    }
}

impl fmt::Display for ToolClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the authority identified the applicant (extension `1.2.643.100.114`, an INTEGER).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct IdentificationKind(pub u8);

impl IdentificationKind {
    /// In person.
    pub const PERSONAL: Self = Self(0);
    /// By a qualified signature the person had already.
    pub const QUALIFIED_SIGNATURE: Self = Self(1);
    /// By the chip of a passport for travel abroad.
    pub const PASSPORT_CHIP: Self = Self(2);
    /// By the unified biometric system (ЕБС).
    pub const BIOMETRIC_SYSTEM: Self = Self(3);
}

/// What made the issuer's signature (extension `1.2.643.100.112`, `issuerSignTool`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuerSignTool {
    /// The issuer's signature tool (`signTool`).
    pub sign_tool: String,
    /// The issuer's own tool (`cATool`).
    pub ca_tool: String,
    /// The certificate of conformity of the signature tool (`signToolCert`).
    pub sign_tool_certificate: String,
    /// The certificate of conformity of the issuer's tool (`cAToolCert`).
    pub ca_tool_certificate: String,
}

/// When the private key may sign (`2.5.29.16`); RFC 3339, UTC, either end may be open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyUsagePeriod {
    /// Its first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Its last moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

/// What a certificate says in the attributes and extensions of qualified certificates.
///
/// A number is here only if it is there once and its check digits are right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QualifiedFacts {
    /// СНИЛС (1.2.643.100.3): 11 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snils: Option<String>,
    /// ИНН of a person (1.2.643.3.131.1.1): 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inn: Option<String>,
    /// ИНН of an organisation (1.2.643.100.4): 10 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub innle: Option<String>,
    /// ОГРН (1.2.643.100.1): 13 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ogrn: Option<String>,
    /// ОГРНИП (1.2.643.100.5): 15 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ogrnip: Option<String>,
    /// The person's signature tool (extension `1.2.643.100.111`, `subjectSignTool`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_sign_tool: Option<String>,
    /// What made the issuer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_sign_tool: Option<IssuerSignTool>,
    /// The classes claimed, weakest first; a tool of a class names the weaker ones as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_classes: Vec<ToolClass>,
    /// How the person was identified; 0 in person, 1 by a qualified signature, 2 by a passport's chip, 3 by biometry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification_kind: Option<IdentificationKind>,
    /// When the private key may sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_usage_period: Option<KeyUsagePeriod>,
}

impl QualifiedFacts {
    /// Whether the certificate claims to be qualified: it names a tool class and its issuer's tools.
    ///
    /// Both are mandatory in a qualified certificate and have no use in another one.
    pub fn claim_qualified(&self) -> bool {
        !self.tool_classes.is_empty() && self.issuer_sign_tool.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_by_policy_and_by_name_in_either_alphabet() {
        for class in ToolClass::ALL {
            assert_eq!(ToolClass::from_policy(class.policy()), Some(class));
            assert_eq!(ToolClass::from_name(class.name()), Some(class));
            assert_eq!(
                ToolClass::from_name(&format!(" {class:?} ")),
                Some(class),
                "in Latin letters"
            );
        }
        assert_eq!(ToolClass::from_policy("1.2.643.100.113.7"), None);
        assert_eq!(ToolClass::from_name("КС4"), None);
        assert!(ToolClass::ALL.is_sorted());
    }

    #[test]
    fn only_class_and_issuers_tools_together_are_a_claim() {
        let mut facts = QualifiedFacts {
            tool_classes: vec![ToolClass::KC1],
            ..QualifiedFacts::default()
        };
        assert!(!facts.claim_qualified());
        let tool = String::new;
        facts.issuer_sign_tool = Some(IssuerSignTool {
            sign_tool: tool(),
            ca_tool: tool(),
            sign_tool_certificate: tool(),
            ca_tool_certificate: tool(),
        });
        assert!(facts.claim_qualified());
        facts.tool_classes.clear();
        assert!(!facts.claim_qualified());
    }
}
