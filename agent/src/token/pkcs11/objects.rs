//! The objects of a token: certificates, and the private keys that belong to them.
//!
//! CKA_ID says which key belongs to a certificate; the public key says whether that is
//! true. Some tokens show private keys only after login: then the certificate is offered
//! if nothing speaks against it, and looked at again before the signature.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_ALWAYS_AUTHENTICATE, CKA_EC_PARAMS,
    CKA_EC_POINT, CKA_ID, CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_KEY_INFO, CKA_SIGN, CKA_VALUE, CKK_EC, CKK_RSA,
};

use super::frame::{CERTIFICATE_LIMIT, CERTIFICATES};
use super::public_key::{Curve, PublicKey};
use super::raw::Raw;

/// The most objects of one class that are looked at.
const OBJECTS: usize = 128;
/// The longest CKA_ID, bytes.
const ID: usize = 256;

/// A certificate on the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) id: Vec<u8>,
    pub(super) der: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) authority: bool,
}

/// A private key on the token, as far as the session sees it.
#[derive(Clone, Debug)]
pub(super) struct PrivateKey {
    pub(super) handle: ObjectHandle,
    id: Vec<u8>,
    signs: bool,
    /// CKA_ALWAYS_AUTHENTICATE: the PIN before each signature.
    pub(super) always_authenticate: bool,
    /// CKA_ALLOWED_MECHANISMS, where the key names some.
    pub(super) allowed: Option<Vec<CK_MECHANISM_TYPE>>,
    kind: Kind,
    /// Its public half, where the key itself tells it.
    public: Option<PublicKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    Ec(Option<Curve>),
    Other,
}

/// Whether a private key is a certificate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Their public keys are equal.
    Yes,
    /// Nothing tells.
    Unknown,
    /// They differ.
    No,
}

/// Reads one session's objects.
pub(super) struct Objects<'a> {
    pub(super) raw: &'a Raw,
    pub(super) session: &'a Session,
    /// Only those with this CKA_ID: a card reads each object slowly.
    pub(super) only: Option<Vec<u8>>,
}

impl Objects<'_> {
    /// The X.509 certificates; what is none, or too long, is left out.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let x509 = Attribute::CertificateType(CertificateType::X_509);
        let mut certificates: Vec<Certificate> = Vec::new();
        for handle in self.find(&[Attribute::Class(ObjectClass::CERTIFICATE), x509])? {
            let Some(der) = self.read(handle, CKA_VALUE, CERTIFICATE_LIMIT)? else {
                continue;
            };
            let Some((key, authority)) = PublicKey::of_certificate(&der) else {
                continue;
            };
            let id = self.read(handle, CKA_ID, ID)?.unwrap_or_default();
            let certificate = Certificate {
                id,
                der,
                key,
                authority,
            };
            if certificates.len() < CERTIFICATES && !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
        Ok(certificates)
    }

    /// The private keys this session sees.
    pub(super) fn private_keys(&self) -> Result<Vec<PrivateKey>, Error> {
        let handles = self.find(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])?;
        handles.into_iter().map(|handle| self.private_key(handle)).collect()
    }

    /// The public keys this session sees, with their CKA_ID.
    pub(super) fn public_keys(&self) -> Result<Vec<(Vec<u8>, PublicKey)>, Error> {
        let handles = self.find(&[Attribute::Class(ObjectClass::PUBLIC_KEY)])?;
        let read = |handle| {
            let id = self.read(handle, CKA_ID, ID)?.unwrap_or_default();
            Ok((
                id,
                self.public_half(handle, self.kind(handle)?)?
                    .unwrap_or(PublicKey::Other),
            ))
        };
        handles.into_iter().map(read).collect()
    }

    fn private_key(&self, handle: ObjectHandle) -> Result<PrivateKey, Error> {
        let kind = self.kind(handle)?;
        Ok(PrivateKey {
            handle,
            id: self.read(handle, CKA_ID, ID)?.unwrap_or_default(),
            // A token that does not tell is believed to sign.
            signs: self.flag(handle, CKA_SIGN)?.unwrap_or(true),
            always_authenticate: self.flag(handle, CKA_ALWAYS_AUTHENTICATE)?.unwrap_or(false),
            allowed: self
                .read(handle, CKA_ALLOWED_MECHANISMS, 1024)?
                .map(|list| numbers(&list))
                .filter(|l| !l.is_empty()),
            kind,
            public: self.public_half(handle, kind)?,
        })
    }

    fn kind(&self, handle: ObjectHandle) -> Result<Kind, Error> {
        let kind = self.read(handle, CKA_KEY_TYPE, size_of::<CK_ULONG>())?;
        Ok(match kind.map(|kind| numbers(&kind)).as_deref() {
            Some([CKK_RSA]) => Kind::Rsa,
            Some([CKK_EC]) => {
                let params = self
                    .read(handle, CKA_EC_PARAMS, 2048)?
                    .filter(|params| !params.is_empty());
                Kind::Ec(params.map(|params| Curve::from_params(&params)))
            }
            _ => Kind::Other,
        })
    }

    /// The public half an object tells of itself: CKA_PUBLIC_KEY_INFO, or CKA_MODULUS, or CKA_EC_POINT.
    fn public_half(&self, handle: ObjectHandle, kind: Kind) -> Result<Option<PublicKey>, Error> {
        if let Some(info) = self
            .read(handle, CKA_PUBLIC_KEY_INFO, 4096)?
            .filter(|info| !info.is_empty())
        {
            return Ok(PublicKey::of_info(&info));
        }
        let some = |value: Option<Vec<u8>>| value.filter(|value| !value.is_empty());
        Ok(match kind {
            Kind::Rsa => some(self.read(handle, CKA_MODULUS, 2048)?).map(|modulus| PublicKey::rsa(&modulus)),
            Kind::Ec(_) => {
                let params = self.read(handle, CKA_EC_PARAMS, 2048)?.unwrap_or_default();
                some(self.read(handle, CKA_EC_POINT, 512)?).map(|point| PublicKey::ec(&params, &point))
            }
            Kind::Other => None,
        })
    }

    fn find(&self, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Error> {
        let id = self
            .only
            .iter()
            .filter(|id| !id.is_empty())
            .map(|id| Attribute::Id(id.clone()));
        let template: Vec<_> = template.iter().cloned().chain(id).collect();
        // The search ends here, before anything else is asked of the session.
        self.session.iter_objects(&template)?.take(OBJECTS).collect()
    }

    /// An attribute; one longer than `limit` counts as absent.
    fn read(&self, object: ObjectHandle, kind: CK_ATTRIBUTE_TYPE, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        use cryptoki::error::RvError::BufferTooSmall;
        match self.raw.attribute(self.session, object, kind, limit) {
            Err(Error::Pkcs11(BufferTooSmall, _)) => Ok(None),
            read => read,
        }
    }

    fn flag(&self, object: ObjectHandle, kind: CK_ATTRIBUTE_TYPE) -> Result<Option<bool>, Error> {
        Ok(self
            .read(object, kind, 8)?
            .filter(|value| !value.is_empty())
            .map(|value| value[0] != 0))
    }
}

impl Certificate {
    /// Whether `key` is this certificate's, as far as it and the public keys beside it tell.
    pub(super) fn fit(&self, key: &PrivateKey, public_keys: &[(Vec<u8>, PublicKey)]) -> Fit {
        if key.id != self.id || !key.signs {
            return Fit::No;
        }
        match (&self.key, key.kind) {
            (PublicKey::Rsa(_), Kind::Rsa) | (PublicKey::Ec(..), Kind::Ec(None)) => {}
            (PublicKey::Ec(curve, _), Kind::Ec(Some(its))) if *curve == its => {}
            _ => return Fit::No,
        }
        match &key.public {
            Some(public) if *public == self.key => Fit::Yes,
            Some(_) => Fit::No,
            None => self.fit_beside(public_keys),
        }
    }

    /// What the public keys of the same CKA_ID say.
    pub(super) fn fit_beside(&self, public_keys: &[(Vec<u8>, PublicKey)]) -> Fit {
        let mut fit = Fit::Unknown;
        for (_, key) in public_keys.iter().filter(|(id, _)| *id == self.id) {
            if *key == self.key {
                return Fit::Yes;
            }
            fit = Fit::No;
        }
        fit
    }
}

/// CK_ULONGs in the machine's own order.
fn numbers(bytes: &[u8]) -> Vec<CK_ULONG> {
    let numbers = bytes.chunks_exact(size_of::<CK_ULONG>());
    numbers
        .filter_map(|chunk| chunk.try_into().ok())
        .map(CK_ULONG::from_ne_bytes)
        .collect()
}

#[cfg(test)]
mod tests;
