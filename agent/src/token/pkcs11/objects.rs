//! The objects of a token: certificates, and the private keys that belong to them.
//!
//! The public key says which key belongs to a certificate; where no object tells it,
//! CKA_ID does. Some tokens show private keys only after login: then the certificate is
//! offered if nothing speaks against it, and looked at again before the signature.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_KEY_TYPE, CK_MECHANISM_TYPE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_ALWAYS_AUTHENTICATE,
    CKA_EC_PARAMS, CKA_EC_POINT, CKA_GOSTR3410_PARAMS, CKA_GOSTR3411_PARAMS, CKA_ID, CKA_KEY_TYPE, CKA_MODULUS,
    CKA_PUBLIC_KEY_INFO, CKA_SIGN, CKA_VALUE, CKK_EC, CKK_GOSTR3410, CKK_RSA,
};

use super::frame::{CERTIFICATE_LIMIT, CERTIFICATES};
use super::gost::{self, CKA_GOSTR3410_512_PARAMS, CKK_GOSTR3410_512};
use super::public_key::{Curve, PublicKey, Told};
use super::raw::Raw;

/// The most objects of one class that are looked at.
const OBJECTS: usize = 128;
/// The longest name of a curve or a hash function, bytes.
const OID: usize = 64;
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
    pub(super) facts: KeyFacts,
    /// CKA_ALWAYS_AUTHENTICATE: the PIN before each signature.
    pub(super) always_authenticate: bool,
    /// CKA_ALLOWED_MECHANISMS, where the key names some.
    pub(super) allowed: Option<Vec<CK_MECHANISM_TYPE>>,
}

/// What tells whose key a private key is.
#[derive(Clone, Debug)]
pub(super) struct KeyFacts {
    pub(super) id: Vec<u8>,
    signs: bool,
    kind: Kind,
    /// Its public half, where the key itself tells it.
    public: Option<Told>,
}

/// The kind of a key, as far as its object tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    Ec(Option<Curve>),
    Gost(gost::Kind),
    Other,
}

/// A public key beside a private one.
#[derive(Clone, Debug)]
pub(super) struct PublicObject {
    id: Vec<u8>,
    key: Told,
}

/// Whether a private key is a certificate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Nothing says so, or their public keys differ.
    No,
    /// CKA_ID says so, and no public key is told.
    Unknown,
    /// Their public keys are equal.
    Yes,
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

    /// The public keys this session sees; those that tell nothing of themselves are left out.
    pub(super) fn public_keys(&self) -> Result<Vec<PublicObject>, Error> {
        let handles = self.find(&[Attribute::Class(ObjectClass::PUBLIC_KEY)])?;
        let mut keys = Vec::new();
        for handle in handles {
            let id = self.read(handle, CKA_ID, ID)?.unwrap_or_default();
            let kind = self.kind(handle)?;
            let key = match (self.public_half(handle, kind)?, kind) {
                (Some(key), _) => key,
                (None, Kind::Gost(kind)) => match self.read(handle, CKA_VALUE, 512)? {
                    Some(value) if !value.is_empty() => Told::Gost(kind, value),
                    _ => continue,
                },
                (None, _) => Told::Key(PublicKey::Other),
            };
            keys.push(PublicObject { id, key });
        }
        Ok(keys)
    }

    fn private_key(&self, handle: ObjectHandle) -> Result<PrivateKey, Error> {
        let kind = self.kind(handle)?;
        Ok(PrivateKey {
            handle,
            facts: KeyFacts {
                id: self.read(handle, CKA_ID, ID)?.unwrap_or_default(),
                // A token that does not tell is believed to sign.
                signs: self.flag(handle, CKA_SIGN)?.unwrap_or(true),
                kind,
                public: self.public_half(handle, kind)?,
            },
            always_authenticate: self.flag(handle, CKA_ALWAYS_AUTHENTICATE)?.unwrap_or(false),
            allowed: self
                .read(handle, CKA_ALLOWED_MECHANISMS, 1024)?
                .map(|list| numbers(&list))
                .filter(|l| !l.is_empty()),
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
            Some([key_type @ (CKK_GOSTR3410 | CKK_GOSTR3410_512)]) => self.gost_kind(handle, *key_type)?,
            _ => Kind::Other,
        })
    }

    fn gost_kind(&self, handle: ObjectHandle, key_type: CK_KEY_TYPE) -> Result<Kind, Error> {
        let told = |kind| Ok::<_, Error>(self.read(handle, kind, OID)?.filter(|oid| !oid.is_empty()));
        let curve = match told(CKA_GOSTR3410_PARAMS)? {
            None if key_type == CKK_GOSTR3410_512 => told(CKA_GOSTR3410_512_PARAMS)?,
            curve => curve,
        };
        let hash = told(CKA_GOSTR3411_PARAMS)?;
        let attributes = gost::Attributes {
            key_type,
            curve: curve.as_deref(),
            hash: hash.as_deref(),
        };
        Ok(gost::Kind::told(&attributes).map_or(Kind::Other, Kind::Gost))
    }

    /// The public half that a private or a public key tells of itself: CKA_PUBLIC_KEY_INFO, or CKA_MODULUS,
    /// or CKA_EC_POINT. CKA_VALUE is no part of it: of a private key that would be the secret.
    fn public_half(&self, handle: ObjectHandle, kind: Kind) -> Result<Option<Told>, Error> {
        if let Some(info) = self
            .read(handle, CKA_PUBLIC_KEY_INFO, 4096)?
            .filter(|info| !info.is_empty())
        {
            return Ok(PublicKey::of_info(&info).map(Told::Key));
        }
        let some = |value: Option<Vec<u8>>| value.filter(|value| !value.is_empty());
        let key = match kind {
            Kind::Rsa => some(self.read(handle, CKA_MODULUS, 2048)?).map(|modulus| PublicKey::rsa(&modulus)),
            Kind::Ec(_) => {
                let params = self.read(handle, CKA_EC_PARAMS, 2048)?.unwrap_or_default();
                some(self.read(handle, CKA_EC_POINT, 512)?).map(|point| PublicKey::ec(&params, &point))
            }
            Kind::Gost(_) | Kind::Other => None,
        };
        Ok(key.map(Told::Key))
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

impl Kind {
    /// Whether a key of this kind may be the certificate's.
    fn fits(self, key: &PublicKey) -> bool {
        match (key, self) {
            (PublicKey::Rsa(_), Self::Rsa) | (PublicKey::Ec(..), Self::Ec(None)) => true,
            (PublicKey::Ec(curve, _), Self::Ec(Some(its))) => *curve == its,
            (PublicKey::Gost(key), Self::Gost(kind)) => kind.fits(key),
            _ => false,
        }
    }
}

impl Certificate {
    /// Whether `key` is this certificate's, as far as it and the public keys beside it tell.
    pub(super) fn fit(&self, key: &KeyFacts, public_keys: &[PublicObject]) -> Fit {
        if !key.signs || !key.kind.fits(&self.key) {
            return Fit::No;
        }
        match key.public.as_ref().and_then(|public| self.key.is(public)) {
            Some(true) => Fit::Yes,
            Some(false) => Fit::No,
            None => self.fit_beside(&key.id, public_keys),
        }
    }

    /// What the public keys of this CKA_ID say.
    fn fit_beside(&self, id: &[u8], public_keys: &[PublicObject]) -> Fit {
        let mut fit = if id == self.id { Fit::Unknown } else { Fit::No };
        for told in public_keys.iter().filter(|public| public.id == id) {
            match self.key.is(&told.key) {
                Some(true) => return Fit::Yes,
                Some(false) => fit = Fit::No,
                None => {}
            }
        }
        fit
    }

    /// The CKA_ID of its private key, as far as `private_keys` and the public keys tell.
    pub(super) fn key_among<'a>(
        &self,
        private_keys: impl IntoIterator<Item = &'a KeyFacts>,
        public_keys: &[PublicObject],
    ) -> (Fit, Vec<u8>) {
        let private_keys = private_keys.into_iter();
        self.best(private_keys.map(|key| (self.fit(key, public_keys), &key.id)))
    }

    /// The same, where private keys show themselves only after the login.
    pub(super) fn key_hidden(&self, public_keys: &[PublicObject]) -> (Fit, Vec<u8>) {
        let ids = public_keys.iter().map(|public| &public.id).chain([&self.id]);
        self.best(ids.map(|id| (self.fit_beside(id, public_keys), id)))
    }

    /// The surest; of several, the one of its own CKA_ID.
    fn best<'a>(&self, fits: impl Iterator<Item = (Fit, &'a Vec<u8>)>) -> (Fit, Vec<u8>) {
        let best = fits.max_by_key(|(fit, id)| (*fit, **id == self.id));
        best.map_or((Fit::No, Vec::new()), |(fit, id)| (fit, id.clone()))
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
