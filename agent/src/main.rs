//! The daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The child that holds a PKCS#11 module is this same program; it needs nothing of the rest.
    let mut arguments = std::env::args_os().skip(1);
    if let (Some(first), Some(module)) = (arguments.next(), arguments.next())
        && first == "pkcs11-worker"
    {
        return agent::token::pkcs11::child::main(module.as_ref());
    }
    ExitCode::SUCCESS
}
