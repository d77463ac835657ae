//! `jws`: JWS compact serialisation over the confirmation statement.

use plugin_protocol::encoding::base64url;
use plugin_protocol::jws::{JwsHeader, to_be_signed};
use plugin_protocol::{Proof, SignatureAlgorithm, Statement};

use super::Finish;

pub(super) fn draft(statement: &Statement, certificates: &[&[u8]], algorithm: SignatureAlgorithm) -> (Vec<u8>, Finish) {
    let input = to_be_signed(&JwsHeader::new(algorithm, certificates), statement);
    let to_be_signed = input.clone().into_bytes();
    let finish = move |signature: Vec<u8>| {
        Ok(Proof::Jws {
            jws: format!("{input}.{}", base64url(&signature)),
        })
    };
    (to_be_signed, Box::new(finish))
}
