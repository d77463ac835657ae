//! A module that crashes, hangs and lies: it costs one operation, never the agent.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use agent::Error;
use agent::token::pkcs11::{Deadlines, Options, Pkcs11};
use agent::token::worker::{TokenEvent, Tokens};
use agent::token::{Credential, Source, TokenInfo};
use fixtures::evil::{Builder, Call, EvilModule, Fault, PIN};
use fixtures::pki::{KeyKind, TestPki};
use plugin_protocol::SignatureAlgorithm::ES256;

use crate::{job, message, only, person, pin, verify};

/// Long enough for a call on a busy machine, short enough to wait for in a test.
const SHORT: Duration = Duration::from_secs(5);

pub(crate) fn build(how: impl FnOnce(Builder) -> Builder) -> EvilModule {
    let module = how(EvilModule::builder(&person(&TestPki::new(), KeyKind::P256))).build();
    // Whatever the umask: a module others may write is refused.
    set_permissions(module.path(), Permissions::from_mode(0o755)).unwrap();
    module
}

pub(crate) fn source(module: &EvilModule) -> Pkcs11 {
    crate::source(module.path(), Options::default())
}

/// The same with deadlines that a test can wait for.
fn impatient(module: &EvilModule) -> Pkcs11 {
    let deadlines = Deadlines {
        start: SHORT,
        list: SHORT,
        sign: SHORT,
        pad: SHORT,
    };
    crate::source(
        module.path(),
        Options {
            deadlines,
            ..Options::default()
        },
    )
}

pub(crate) fn ready(source: &mut Pkcs11) -> (TokenInfo, Credential) {
    let token = only(source);
    let credential = source.credentials(&token.id).unwrap().remove(0);
    (token, credential)
}

fn confirm(source: &mut Pkcs11) -> Result<(), Error> {
    let token = source.tokens()?.into_iter().next().ok_or(Error::NoToken)?;
    let credential = source
        .credentials(&token.id)?
        .into_iter()
        .next()
        .ok_or(Error::NoCertificate(String::new()))?;
    let signatures = source.sign(&token.id, job(&credential, &[message(ES256)]), pin(PIN))?;
    assert_eq!((signatures.len(), signatures[0].len()), (1, 64));
    Ok(())
}

#[test]
fn a_good_token_signs_with_one_login_and_one_logout() {
    let module = build(|builder| builder);
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    let signed = source
        .sign(&token.id, job(&credential, &[message(ES256), message(ES256)]), pin(PIN))
        .unwrap();
    signed
        .iter()
        .for_each(|signature| verify(&credential.certificate, ES256, signature));
    assert_eq!((module.count(Call::Login), module.count(Call::Logout)), (1, 1));
    assert_eq!((module.pins_tried(), module.count(Call::Sign)), (1, 2));
    assert_eq!(module.count(Call::OpenSession), module.count(Call::CloseSession));
}

#[test]
fn a_crash_costs_one_operation_and_the_child_comes_back() {
    let module = build(|builder| builder.fault(Fault::SegfaultIn(Call::Sign)));
    let mut source = source(&module);
    let Err(Error::ModuleFailed(_, what)) = confirm(&mut source) else {
        panic!("no failure")
    };
    assert_eq!(what, "crashed (signal 11)");
    assert_eq!(module.pins_tried(), 1, "the PIN must not be tried again by itself");
    module.set_faults(&[]);
    confirm(&mut source).unwrap();
}

#[test]
fn a_hang_ends_at_the_deadline_and_the_child_comes_back() {
    for call in [Call::Initialize, Call::GetSlotList, Call::Login, Call::Sign] {
        let module = build(|builder| builder.fault(Fault::HangIn(call)));
        let mut source = impatient(&module);
        let Err(Error::ModuleFailed(_, what)) = confirm(&mut source) else {
            panic!("no failure in {call:?}")
        };
        assert!(what.starts_with("did not answer within 5 s"), "{call:?}: {what}");
        module.set_faults(&[]);
        confirm(&mut source).unwrap_or_else(|error| panic!("{call:?}: {error}"));
    }
}

#[test]
fn whatever_goes_wrong_no_more_than_one_try_is_spent_and_it_works_again() {
    for fault in Fault::all() {
        // Hangs have a test of their own.
        if matches!(fault, Fault::HangIn(_)) {
            continue;
        }
        let module = build(|builder| builder.fault(fault));
        let mut source = crate::evil::source(&module);
        let done = confirm(&mut source);
        assert!(module.pins_tried() <= 1, "{fault:?}");
        match fault {
            // A wrong signature is found when it is checked against the certificate; the rest does no harm.
            Fault::Noise | Fault::WrongSignature | Fault::LabelNotUtf8 => assert_eq!(done, Ok(()), "{fault:?}"),
            Fault::FailIn(Call::Sign, fixtures::evil::CKR_DEVICE_REMOVED) => {
                assert_eq!(done, Err(Error::TokenRemoved));
            }
            _ => assert!(done.is_err(), "{fault:?} went unnoticed"),
        }
        module.set_faults(&[]);
        // A child that did not fail goes on with the settings it has read.
        if !matches!(done, Err(Error::ModuleFailed(..))) {
            source = crate::evil::source(&module);
        }
        confirm(&mut source).unwrap_or_else(|error| panic!("after {fault:?}: {error}"));
    }
}

#[tokio::test]
async fn a_module_that_fails_again_and_again_rests_and_is_told_of() {
    let module = build(|builder| builder.fault(Fault::AbortIn(Call::GetSlotList)));
    let tokens = Tokens::new(vec![Box::new(source(&module))]);
    let mut events = tokens.subscribe();
    for _ in 0..3 {
        assert!(matches!(tokens.listing().await[0].tokens, Err(Error::ModuleFailed(..))));
    }
    for _ in 0..2 {
        assert!(matches!(
            tokens.listing().await[0].tokens,
            Err(Error::ModuleUnavailable(..))
        ));
    }
    let calls = module.count(Call::GetSlotList);
    assert_eq!(calls, 3, "a resting module is not asked");
    let mut told = Vec::new();
    while let Ok(TokenEvent::WorkerFailed { suspended, .. }) = events.try_recv() {
        told.push(suspended);
    }
    assert_eq!(told, [false, false, false, true]);
}

#[tokio::test]
async fn a_hung_module_holds_neither_others_nor_the_end() {
    let (hung, fine) = (
        build(|builder| builder.fault(Fault::HangIn(Call::GetSlotList))),
        build(|builder| builder),
    );
    let both = Tokens::new(vec![Box::new(impatient(&hung)), Box::new(source(&fine))]);
    assert_eq!(both.list().await.len(), 1);

    // With a deadline far longer than this test may take, dropping everything still ends at once.
    let deadlines = Deadlines {
        list: Duration::from_secs(3600),
        ..Deadlines::default()
    };
    let options = Options {
        deadlines,
        ..Options::default()
    };
    let tokens = Tokens::new(vec![Box::new(crate::source(hung.path(), options))]);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), tokens.list())
            .await
            .is_err()
    );
    drop(tokens);
}

#[test]
fn a_token_taken_out_spends_no_try() {
    let module = build(|builder| builder);
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    module.remove_token();
    let refused = source.sign(&token.id, job(&credential, &[message(ES256)]), pin(PIN));
    assert_eq!(refused, Err(Error::TokenRemoved));
    assert_eq!((source.tokens(), module.pins_tried()), (Ok(vec![]), 0));
    module.insert_token();
    confirm(&mut source).unwrap();
}

#[tokio::test]
async fn tokens_coming_and_going_are_noticed() {
    let module = build(|builder| builder);
    let tokens = Tokens::new(vec![Box::new(source(&module))]);
    let id = tokens.list().await.remove(0).id;
    let mut events = tokens.subscribe();
    module.remove_token();
    tokens.changed(std::slice::from_ref(&id)).await;
    assert_eq!(events.try_recv().unwrap(), TokenEvent::Removed(id.clone()));
    module.insert_token();
    tokens.changed(&[]).await;
    assert_eq!(events.try_recv().unwrap(), TokenEvent::Added(id));
}
