//! The few PKCS#11 calls that cryptoki 0.12 cannot express, and the only `unsafe` of this crate.
//!
//! cryptoki drops mechanisms it does not know, fails a whole read for one attribute it
//! does not know, believes the module's lengths when it allocates, and cannot log in
//! between C_SignInit and C_Sign (CKA_ALWAYS_AUTHENTICATE). A second `dlopen` of the same
//! path is the same module, so its handles work here.
#![allow(unsafe_code)]

use std::path::Path;

use cryptoki::context::Function;
use cryptoki::error::{Error, Result, Rv, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki_sys::{
    CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_FUNCTION_LIST, CK_MECHANISM, CK_MECHANISM_TYPE, CK_RSA_PKCS_PSS_PARAMS,
    CK_SLOT_ID, CK_ULONG, CK_UNAVAILABLE_INFORMATION,
};

/// The most mechanisms read of a token.
const MECHANISMS: usize = 1024;

/// The parameter of a mechanism.
#[derive(Clone)]
pub(super) enum Parameter {
    /// It takes none.
    None,
    /// Of RSASSA-PSS.
    Pss(CK_RSA_PKCS_PSS_PARAMS),
    /// Octets of a meaning of its own.
    Octets(Vec<u8>),
}

/// The module's function list, version 2.40.
pub(super) struct Raw {
    list: CK_FUNCTION_LIST,
}

impl Raw {
    /// Opens a module that cryptoki has opened (and initialised, or will).
    pub(super) fn open(path: &Path) -> Result<Self> {
        // SAFETY: loading runs the module's constructors; it is loaded in this process already.
        let library = unsafe { cryptoki_sys::Pkcs11::new(path) }.map_err(Error::LibraryLoading)?;
        let function = library
            .C_GetFunctionList
            .as_ref()
            .map_err(|_| Error::MissingSymbol("C_GetFunctionList"))?;
        let mut list = std::ptr::null_mut();
        // SAFETY: the symbol has this signature in every PKCS#11 module; `list` outlives the call.
        check(unsafe { function(&mut list) }, Function::GetFunctionList)?;
        if list.is_null() {
            return Err(Error::NullFunctionPointer);
        }
        // SAFETY: not null, and a successful C_GetFunctionList points at a list that lives as long as the module.
        let list = unsafe { list.read_unaligned() };
        // Never unloaded: vendor modules crash at dlclose, and `list` points into it.
        std::mem::forget(library);
        Ok(Self { list })
    }

    /// Every mechanism of the token by its number, vendors' and unknown ones too.
    pub(super) fn mechanisms(&self, slot: Slot) -> Result<Vec<CK_MECHANISM_TYPE>> {
        let function = self.list.C_GetMechanismList.ok_or(Error::NullFunctionPointer)?;
        let slot = slot.id() as CK_SLOT_ID;
        let mut mechanisms: Vec<CK_MECHANISM_TYPE> = vec![0; MECHANISMS];
        let mut count = MECHANISMS as CK_ULONG;
        // SAFETY: `count` tells the room of `mechanisms`, in elements.
        check(
            unsafe { function(slot, mechanisms.as_mut_ptr(), &mut count) },
            Function::GetMechanismList,
        )?;
        mechanisms.truncate(within(count, MECHANISMS)?);
        Ok(mechanisms)
    }

    /// An attribute of at most `limit` bytes; `None` where the object has none or does not show it.
    pub(super) fn attribute(
        &self,
        session: &Session,
        object: ObjectHandle,
        kind: CK_ATTRIBUTE_TYPE,
        limit: usize,
    ) -> Result<Option<Vec<u8>>> {
        let function = self.list.C_GetAttributeValue.ok_or(Error::NullFunctionPointer)?;
        let mut value = vec![0u8; limit];
        let mut attribute = CK_ATTRIBUTE {
            type_: kind,
            pValue: value.as_mut_ptr().cast(),
            ulValueLen: limit as CK_ULONG,
        };
        // SAFETY: one attribute whose length tells the room of `value`.
        let rv = unsafe { function(session.handle(), object.handle(), &mut attribute, 1) };
        match Rv::from(rv) {
            Rv::Error(RvError::AttributeSensitive | RvError::AttributeTypeInvalid) => return Ok(None),
            _ => check(rv, Function::GetAttributeValue)?,
        }
        let length = attribute.ulValueLen;
        if length == CK_UNAVAILABLE_INFORMATION {
            return Ok(None);
        }
        value.truncate(within(length, limit)?);
        Ok(Some(value))
    }

    /// C_SignInit alone, so that a login may come before [`Self::sign`].
    pub(super) fn sign_init(
        &self,
        session: &Session,
        key: ObjectHandle,
        mechanism: CK_MECHANISM_TYPE,
        parameter: Parameter,
    ) -> Result<()> {
        let function = self.list.C_SignInit.ok_or(Error::NullFunctionPointer)?;
        let mut parameter = parameter;
        let (parameter, length) = match &mut parameter {
            Parameter::None => (std::ptr::null_mut(), 0),
            Parameter::Pss(pss) => (std::ptr::from_mut(pss).cast(), size_of::<CK_RSA_PKCS_PSS_PARAMS>()),
            Parameter::Octets(octets) => (octets.as_mut_ptr().cast(), octets.len()),
        };
        let mut mechanism = CK_MECHANISM {
            mechanism,
            pParameter: parameter,
            ulParameterLen: length as CK_ULONG,
        };
        // SAFETY: `mechanism` and what it points at outlive the call; C_SignInit copies them.
        check(
            unsafe { function(session.handle(), &mut mechanism, key.handle()) },
            Function::SignInit,
        )
    }

    /// C_Sign, once, with room for `limit` bytes; no probe of the length, which some tokens take for the operation.
    pub(super) fn sign(&self, session: &Session, data: &[u8], limit: usize) -> Result<Vec<u8>> {
        let function = self.list.C_Sign.ok_or(Error::NullFunctionPointer)?;
        let mut data = data.to_vec();
        let mut signature = vec![0u8; limit];
        let mut length = limit as CK_ULONG;
        // SAFETY: both lengths tell the sizes of their buffers. `data` is a copy, since the interface is not const.
        let rv = unsafe {
            function(
                session.handle(),
                data.as_mut_ptr(),
                data.len() as CK_ULONG,
                signature.as_mut_ptr(),
                &mut length,
            )
        };
        check(rv, Function::Sign)?;
        signature.truncate(within(length, limit)?);
        Ok(signature)
    }
}

fn check(rv: cryptoki_sys::CK_RV, function: Function) -> Result<()> {
    match Rv::from(rv) {
        Rv::Ok => Ok(()),
        Rv::Error(error) => Err(Error::Pkcs11(error, function)),
    }
}

/// A length the module told, if it is within what it was given.
fn within(length: CK_ULONG, limit: usize) -> Result<usize> {
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= limit)
        .ok_or(Error::InvalidValue)
}
