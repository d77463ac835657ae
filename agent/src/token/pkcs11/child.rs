//! The child's end: loads one module and answers until its parent is gone.
//!
//! OpenSSH's ssh-pkcs11-helper is the model: foreign code runs in a process of its own
//! that holds nothing but its module and, for the length of one call, a PIN.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use super::frame::{self, Answer, Failure, PIN_LIMIT, Request, Response, Started};
use super::module::Module;

/// The hidden subcommand `pkcs11-worker <module>`: never returns before its parent closes the pipe.
pub fn main(module: &Path) -> ExitCode {
    match harden()
        .and_then(|()| private_pipes())
        .and_then(|(input, output)| serve(module, input, output))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// No core file and no debugger sees the PIN; nothing of this outlives its parent.
fn harden() -> io::Result<()> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    Ok(())
}

/// Takes the pipes away from standard input and output, which modules read from and print to.
fn private_pipes() -> io::Result<(File, File)> {
    let input = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let output = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok((input.into(), output.into()))
}

fn serve(path: &Path, mut input: File, mut output: File) -> io::Result<()> {
    let module = match Module::load(path) {
        Ok(module) => module,
        Err(why) => return output.write_all(&frame::encode(&Started::Err(why))?),
    };
    output.write_all(&frame::encode(&Started::Ok(()))?)?;
    while let Some(request) = frame::receive::<Request>(&mut input)? {
        let response = answer(&module, request.check()?, &mut input)?;
        output.write_all(&encode(&response)?)?;
    }
    Ok(())
}

fn answer(module: &Module, request: Request, input: &mut File) -> io::Result<Response> {
    Ok(match request {
        Request::Tokens => module.tokens().map(Answer::Tokens),
        Request::Credentials(token) => module.credentials(&token).map(Answer::Credentials),
        Request::Sign { token, job, pin } => {
            let pin = if pin { frame::read(input, PIN_LIMIT)? } else { None };
            module.sign(&token, &job, pin).map(Answer::Signatures)
        }
    })
}

/// The answer's frame, or, where the token holds too much for one, a failure's.
fn encode(response: &Response) -> io::Result<Vec<u8>> {
    let too_long = |_| Response::Err(Failure::Module("answers with more than fits".to_owned()));
    frame::encode(response).or_else(|error| frame::encode(&too_long(error)))
}
