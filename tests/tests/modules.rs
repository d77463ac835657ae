//! Modules that crash, hang and lie: each costs one operation, never the daemon.

use fixtures::evil::{CKR_DEVICE_REMOVED, CKR_GENERAL_ERROR, Call, EvilModule, Fault, PIN};
use fixtures::pki::{Issued, TestPki};
use fixtures::softhsm::SoftHsm;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;
use rustix::process::{Pid, Signal, kill_process};
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::card::Kind;
use system_tests::process::{children, eventually, is_alive};
use system_tests::scene::{Scene, code, tokens};
use system_tests::spine::slot;

const RIGHT: &str = "pin 12345678";

fn ivanov() -> Issued {
    TestPki::new().person("Иванов Иван Иванович").issue()
}

/// What hangs is given up after so long. A good module must have answered by then, also on a busy machine.
const SHORT: &str = "pkcs11.call_deadline = 5\n";

async fn before(module: &EvilModule) -> Scene {
    assert_eq!(RIGHT, format!("pin {PIN}"));
    Scene::open(Setup::new().module(module.path()).configure(SHORT)).await
}

/// Ends the module's process, so that the next one reads new settings.
fn renew(scene: &mut Scene) {
    let daemon = scene.agent.process().id();
    for child in children(daemon) {
        let id = Pid::from_raw(child.try_into().expect("a process id")).expect("a process id");
        let _ = kill_process(id, Signal::KILL);
        eventually("the end of the module's process", || (!is_alive(child)).then_some(()));
    }
}

/// One operation meets the fault and ends with this code; the next one, with a good module, is done.
async fn costs_one_operation(fault: Fault, expected: ErrorCode) {
    let module = EvilModule::builder(&ivanov()).fault(fault).build();
    let mut scene = before(&module).await;
    let request = confirmation("web-eid:1.0");
    let failed = scene.confirm(&request, &[RIGHT, RIGHT]).await;
    assert_eq!(code(&failed), expected, "{fault:?}: {:?}", failed.problem);
    if expected == ErrorCode::ModuleFailed {
        scene
            .event("worker.failed", |event| {
                event["type"] == "worker.failed" && event["suspended"] == false
            })
            .await;
    }
    let tried = module.journal().iter().filter(|line| line.starts_with("pin ")).count();
    assert!(tried <= 1, "{fault:?}: a PIN was tried {tried} times");

    module.set_faults(&[]);
    renew(&mut scene);
    let done = scene.confirm(&request, &[RIGHT]).await;
    assert_eq!(done.state, OperationState::Done, "{fault:?}: {:?}", done.problem);
    let outcomes = scene.outcomes().await;
    assert_eq!(outcomes, [expected.name(), "done"], "{fault:?}");
}

const CALLS: [Call; 4] = [Call::Initialize, Call::GetSlotList, Call::Login, Call::Sign];

#[tokio::test]
async fn crashes() {
    for call in CALLS {
        for fault in [Fault::SegfaultIn(call), Fault::AbortIn(call), Fault::ExitIn(call)] {
            costs_one_operation(fault, ErrorCode::ModuleFailed).await;
        }
    }
}

#[tokio::test]
async fn hangs() {
    for call in CALLS {
        costs_one_operation(Fault::HangIn(call), ErrorCode::ModuleFailed).await;
    }
}

#[tokio::test]
async fn errors() {
    for (call, rv, expected) in [
        (Call::Initialize, CKR_GENERAL_ERROR, ErrorCode::ModuleFailed),
        (Call::GetSlotList, CKR_GENERAL_ERROR, ErrorCode::ModuleFailed),
        (Call::Login, CKR_GENERAL_ERROR, ErrorCode::ModuleFailed),
        (Call::Sign, CKR_GENERAL_ERROR, ErrorCode::ModuleFailed),
        (Call::Sign, CKR_DEVICE_REMOVED, ErrorCode::TokenRemoved),
    ] {
        costs_one_operation(Fault::FailIn(call, rv), expected).await;
    }
}

#[tokio::test]
async fn lies() {
    for (fault, expected) in [
        (Fault::AttributeLength(u64::MAX / 2), ErrorCode::ModuleFailed),
        (Fault::AttributeLength(1 << 32), ErrorCode::ModuleFailed),
        (Fault::AttributeGrows, ErrorCode::ModuleFailed),
        (Fault::AttributeUnavailable, ErrorCode::NoCertificate),
        (Fault::GarbageCertificate, ErrorCode::NoCertificate),
        (Fault::MoreObjectsThanAsked, ErrorCode::ModuleFailed),
        (Fault::EndlessObjects, ErrorCode::NoCertificate),
        (Fault::SlotCount(1 << 40), ErrorCode::ModuleFailed),
        (Fault::SlotCountGrows, ErrorCode::ModuleFailed),
        (Fault::WrongSignature, ErrorCode::SignatureMismatch),
        (Fault::SignatureLength(1 << 40), ErrorCode::ModuleFailed),
    ] {
        costs_one_operation(fault, expected).await;
    }
}

#[tokio::test]
async fn noise_and_odd_labels_harm_nobody() {
    for fault in [Fault::Noise, Fault::LabelNotUtf8] {
        let module = EvilModule::builder(&ivanov()).fault(fault).build();
        let scene = before(&module).await;
        let done = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
        assert_eq!(done.state, OperationState::Done, "{fault:?}: {:?}", done.problem);
        assert_eq!(module.pins_tried(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_fails_again_and_again_rests() {
    let module = EvilModule::builder(&ivanov())
        .fault(Fault::AbortIn(Call::GetSlotList))
        .build();
    let scene = before(&module).await;
    let request = confirmation("web-eid:1.0");
    for _ in 0..3 {
        let failed = scene.confirm(&request, &[]).await;
        assert_eq!(code(&failed), ErrorCode::ModuleFailed);
        let detail = failed.problem.expect("a problem").detail;
        assert!(
            !detail.contains("evil") && detail.contains("eid-agent doctor"),
            "{detail}"
        );
    }
    let started = module.count(Call::Initialize);
    let rests = scene.confirm(&request, &[]).await;
    assert_eq!(code(&rests), ErrorCode::ModuleUnavailable);
    let problem = rests.problem.expect("a problem");
    assert!(problem.retryable && problem.detail.contains("rests"), "{problem:?}");
    assert!(!problem.detail.contains("evil"), "{problem:?}");
    // Which one it was, and what became of it, its owner reads.
    let log = scene.agent.log();
    assert!(log.contains("libevil_module") && log.contains("rests for"), "{log}");
    assert_eq!(
        module.count(Call::Initialize),
        started,
        "while it rests it is not started"
    );
    scene
        .event("a suspended worker", |event| {
            event["type"] == "worker.failed" && event["suspended"] == true
        })
        .await;
    let told = ["module_failed", "module_failed", "module_failed", "module_unavailable"];
    assert_eq!(scene.outcomes().await, told);
    scene.plugin.info().await.expect("the daemon lives");
}

#[tokio::test]
async fn a_broken_module_beside_a_good_one() {
    let broken = EvilModule::builder(&ivanov())
        .fault(Fault::SegfaultIn(Call::GetSlotList))
        .build();
    let hangs = EvilModule::builder(&ivanov())
        .fault(Fault::HangIn(Call::GetTokenInfo))
        .build();
    let good = EvilModule::builder(&ivanov()).label("good").build();
    let setup = Setup::new()
        .module(broken.path())
        .module(hangs.path())
        .module(good.path());
    let scene = Scene::open(setup.configure(SHORT)).await;
    let done = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(done.state, OperationState::Done, "{:?}", done.problem);
    assert!(scene.person.shown().contains("Card or token: good"));
    let tokens = scene.plugin.tokens().await.expect("the agent answers").tokens;
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn a_token_removed_or_changed_between_consent_and_signature() {
    slot::a_token_removed_between_consent_and_signature(Kind::Ecdsa).await;

    // The same key under another certificate: not what the person agreed to.
    let pki = TestPki::new();
    let first = pki.person("Иванов Иван Иванович").issue();
    let second = pki.person("Петров Пётр Петрович").with_key(first.key.clone()).issue();
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    card.import(&first, &[1], "key");
    let (name, value) = hsm.environment();
    let scene = Scene::open(Setup::new().module(hsm.module()).environment(name, value)).await;
    let started = scene.begin(&confirmation("jws"), &["held pin 12345678"]).await;
    assert!(scene.person.shown().contains("Иванов"));
    delete_certificate(&hsm);
    card.add_certificate(&second.certificate, &[1], "key");
    scene.person.release();
    assert_eq!(code(&scene.end(started).await), ErrorCode::TokenRemoved);
    let done = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(done.state, OperationState::Done, "{:?}", done.problem);
    assert!(scene.person.shown().contains("Петров"));
}

fn delete_certificate(hsm: &SoftHsm) {
    let (name, value) = hsm.environment();
    let mut tool = std::process::Command::new("pkcs11-tool");
    tool.env(name, value).arg("--module").arg(hsm.module());
    tool.args(["--token-label", "card", "--login", "--pin", PIN]);
    tool.args(["--delete-object", "--type", "cert", "--id", "01"]);
    let output = tool.output().expect("pkcs11-tool is installed");
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_token_that_is_put_in_wakes_the_operation() {
    slot::a_token_that_is_put_in_wakes_the_operation(Kind::Ecdsa).await;
}

#[test]
fn an_uninitialised_token_is_no_token() {
    let hsm = SoftHsm::new();
    let (name, value) = hsm.environment();
    let setup = Setup::new().module(hsm.module()).environment(name, value);
    assert!(tokens(&setup).is_empty());
    let card = hsm.init_token("card");
    card.import(&ivanov(), &[1], "key");
    let found = tokens(&setup);
    assert_eq!(
        found.len(),
        1,
        "the uninitialised slot beside it is left out: {found:?}"
    );
    assert_eq!(found[0]["label"], "card");
}

#[tokio::test]
async fn no_process_outlives_the_daemon() {
    let quiet = EvilModule::builder(&ivanov()).build();
    let hanging = EvilModule::builder(&ivanov()).fault(Fault::HangIn(Call::Sign)).build();
    let setup = Setup::new().module(quiet.path()).module(hanging.path());
    let mut scene = Scene::open(setup.configure(SHORT)).await;
    assert_eq!(scene.plugin.tokens().await.expect("the agent answers").tokens.len(), 2);
    let daemon = scene.agent.process().id();
    assert_eq!(children(daemon).len(), 2, "one process for each module");

    // A window open, then told to end: the window, both modules and the port file go with it.
    scene.begin(&confirmation("jws"), &["hang"]).await;
    let offspring = children(daemon);
    assert_eq!(offspring.len(), 3, "two modules and a window");
    let status = scene.agent.process().terminate();
    assert!(status.success(), "{status:?}");
    for child in offspring {
        eventually("the end of a child", || (!is_alive(child)).then_some(()));
    }
    assert!(!scene.agent.setup().runtime().join("port").exists());

    // Killed while a module hangs in a call: that one ends too.
    let setup = Setup::new().module(hanging.path());
    let mut scene = Scene::open(setup.configure("pkcs11.call_deadline = 300\n")).await;
    scene.person.will_answer(&[RIGHT]);
    let started = scene.plugin.confirm(&confirmation("jws"), None, None).await;
    let started = started.expect("it starts");
    scene.reached(&started, OperationState::Signing).await;
    eventually("the hanging call", || (hanging.count(Call::Sign) > 0).then_some(()));
    let offspring = children(scene.agent.process().id());
    assert_eq!(offspring.len(), 1);
    scene.agent.process().kill();
    eventually("the end of the hanging module", || {
        (!is_alive(offspring[0])).then_some(())
    });
}
