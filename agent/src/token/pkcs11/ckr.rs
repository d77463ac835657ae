//! What a PKCS#11 return value means for the person: one table.

use cryptoki::error::{Error, RvError};

use super::frame::Failure;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Error::Pkcs11(rv, function) = &error else {
            let what = match error {
                // A length out of bounds, or a value outside its type.
                Error::InvalidValue => "answered with a value out of bounds".to_owned(),
                Error::NullFunctionPointer => "lacks a function".to_owned(),
                other => format!("failed ({other})"),
            };
            return Self::Module(what);
        };
        match rv {
            RvError::PinIncorrect | RvError::PinInvalid => Self::PinIncorrect(None),
            RvError::PinLenRange => Self::PinIncorrect(None),
            RvError::PinLocked => Self::PinLocked,
            RvError::PinExpired | RvError::UserPinNotInitialized | RvError::NewPinMode => Self::PinMustChange,
            RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid
            | RvError::SessionHandleInvalid
            | RvError::SessionClosed => Self::TokenRemoved,
            RvError::Cancel | RvError::FunctionCanceled | RvError::FunctionRejected => Self::Cancelled,
            RvError::MechanismInvalid
            | RvError::MechanismParamInvalid
            | RvError::KeyFunctionNotPermitted
            | RvError::KeyTypeInconsistent
            | RvError::KeySizeRange
            | RvError::CurveNotSupported
            | RvError::DataLenRange => Self::Unsupported(format!("{function} answered {rv:?}")),
            rv => Self::Module(format!("failed ({function} answered {rv:?})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    fn of(rv: RvError) -> Failure {
        Error::Pkcs11(rv, Function::Login).into()
    }

    #[test]
    fn return_values_become_what_the_person_must_know() {
        assert_eq!(of(RvError::PinIncorrect), Failure::PinIncorrect(None));
        assert_eq!(of(RvError::PinLocked), Failure::PinLocked);
        assert_eq!(of(RvError::PinExpired), Failure::PinMustChange);
        assert_eq!(of(RvError::DeviceRemoved), Failure::TokenRemoved);
        assert_eq!(of(RvError::TokenNotPresent), Failure::TokenRemoved);
        assert_eq!(of(RvError::FunctionCanceled), Failure::Cancelled);
        assert!(matches!(of(RvError::MechanismInvalid), Failure::Unsupported(_)));
    }

    #[test]
    fn the_rest_is_the_module_s_and_keeps_its_name_for_a_search() {
        let Failure::Module(text) = of(RvError::DeviceError) else {
            panic!("not the module's")
        };
        assert!(text.contains("DeviceError") && text.contains("Login"), "{text}");
    }
}
