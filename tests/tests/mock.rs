//! `eid-agent mock`: each outcome as a plugin and as a portal see it, and that a real agent cannot be talked into any.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fixtures::plugin::{Plugin, PluginError};
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState, PinState};
use plugin_protocol::encoding::from_base64;
use plugin_protocol::{ErrorCode, ProofFormat};
use portal::{Policy, Revocation, VerifiedIdentity, VerifyError, verify};
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::{certificate, confirmation, signatures};
use system_tests::mock::{Mock, run};
use system_tests::scene::code;
use time::OffsetDateTime;

/// The reference verifier with the mock's root as a test root, and its CRL.
fn policy(mock: &Mock) -> Policy {
    let read = |member| std::fs::read(mock.told(member)).expect("it is where the first line says");
    let revocation = Revocation::required().crl(&read("crl")).expect("a CRL");
    let policy = Policy::builder().test_roots_pem(&read("root")).expect("a root in PEM");
    let policy = policy.formats(&ProofFormat::ALL).revocation(revocation);
    policy.build().expect("a whole policy")
}

fn judge(
    policy: &Policy,
    request: &ConfirmationRequest,
    operation: &Operation,
) -> Result<VerifiedIdentity, VerifyError> {
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let proof = operation.proof.as_ref().expect("what is done has a proof");
    let now = OffsetDateTime::now_utc();
    verify(proof, &request.origin, &request.challenge, policy, now)
}

fn listed() -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = run(folder.path(), &["--list", "--json"]);
    assert!(output.status.success());
    let mut told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    match told["outcomes"].take() {
        Value::Array(outcomes) => outcomes,
        other => panic!("no list but {other}"),
    }
}

/// The whole table of MOCK.md, played.
#[tokio::test]
async fn each_outcome_is_what_the_list_says() {
    let mock = Mock::start(&[]);
    let (plugin, policy) = (mock.paired().await, policy(&mock));
    let outcomes = listed();
    assert!(outcomes.len() >= 26);
    for outcome in outcomes {
        let name = outcome["name"].as_str().expect("a name");
        mock.set(name);
        if name == "no-answer" {
            stays_open_until_cancelled(&plugin).await;
            continue;
        }
        let request = confirmation("jws");
        let answer = plugin.confirm_and_wait(&request).await;
        match &outcome["code"] {
            Value::Null => {
                let operation = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(operation.test, "{name}");
                let verdict = match judge(&policy, &request, &operation) {
                    Ok(identity) if identity.subject().surname() == Some("Образцова") => "accepted",
                    Ok(identity) => {
                        assert!(identity.is_test() && identity.subject().snils().is_some());
                        "accepted, of another person"
                    }
                    Err(error) => error.code(),
                };
                assert_eq!(outcome["verdict"], verdict, "{name}");
            }
            expected if matches!(name, "busy" | "rate-limited") => match answer {
                Err(PluginError::Problem(problem)) => assert_eq!(problem.code.name(), expected, "{name}"),
                other => panic!("{name}: {other:?}"),
            },
            expected => {
                let operation = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(code(&operation).name(), expected, "{name}");
                assert!(operation.test, "{name}");
            }
        }
    }
}

async fn stays_open_until_cancelled(plugin: &Plugin) {
    let mut started = plugin
        .confirm(&confirmation("jws"), None, None)
        .await
        .expect("it begins");
    while started.state == OperationState::AwaitingToken {
        started = plugin.operation(&started.id, 0).await.expect("it answers");
    }
    let waited = plugin.operation(&started.id, 1).await.expect("it answers");
    assert_eq!(waited.state, OperationState::AwaitingConsent);
    let told = plugin.cancel(&started.id).await.expect("it answers");
    let ended = plugin.finish("/v1/confirmations", told).await.expect("it is cancelled");
    assert_eq!(code(&ended), ErrorCode::Cancelled);
}

#[tokio::test]
async fn the_sequence_goes_on_over_a_restart_and_is_changed_in_the_middle() {
    let mut mock = Mock::start(&["--outcome", "declined,wrong-pin,confirmed"]);
    assert!(mock.log().contains("THIS IS A MOCK"), "{}", mock.log());
    let plugin = mock.paired().await;
    assert!(plugin.info().await.expect("it answers").test);
    let ended = async |plugin: &Plugin| {
        let operation = plugin.confirm_and_wait(&confirmation("web-eid:1.0")).await;
        let operation = operation.expect("it answers");
        operation.problem.map_or("done", |problem| problem.code.name())
    };
    assert_eq!(ended(&plugin).await, "declined");

    mock.restart(&[]);
    let plugin = mock.paired().await;
    assert_eq!(ended(&plugin).await, "pin_incorrect", "the script goes on where it was");
    assert_eq!(ended(&plugin).await, "done");
    assert_eq!(ended(&plugin).await, "done", "the last one repeats");
    mock.set("no-certificate,token-removed");
    assert_eq!(ended(&plugin).await, "no_certificate");
    assert_eq!(ended(&plugin).await, "token_removed");

    mock.restart(&["--outcome", "confirmed"]);
    let plugin = mock.paired().await;
    assert_eq!(ended(&plugin).await, "done");
    assert!(mock.end(), "{}", mock.log());
}

/// The revoked certificate stays on the CRL that a portal was given before the mock was started anew.
#[tokio::test]
async fn a_portal_keeps_its_policy_over_a_restart() {
    let mut mock = Mock::start(&["--outcome", "revoked-certificate,confirmed"]);
    let policy = policy(&mock);
    mock.restart(&[]);
    let plugin = mock.paired().await;
    for verdict in [Some("certificate_revoked"), None] {
        let request = confirmation("cms");
        let operation = plugin.confirm_and_wait(&request).await.expect("it answers");
        let told = judge(&policy, &request, &operation).err();
        assert_eq!(told.map(|error| error.code()), verdict);
    }
}

#[tokio::test]
async fn wrong_pins_leave_tries_and_what_is_to_come_shows_before_an_operation() {
    let mock = Mock::start(&["--outcome", "wrong-pin,wrong-pin,wrong-pin-last-try,pin-locked"]);
    let plugin = mock.paired().await;
    for left in [2, 2, 1] {
        let operation = plugin.confirm_and_wait(&confirmation("jws")).await.expect("it answers");
        assert_eq!(operation.problem.and_then(|problem| problem.tries_left), Some(left));
    }
    let seen = async || plugin.tokens().await.expect("it answers").tokens;
    assert_eq!(seen().await[0].pin, PinState::Locked);
    mock.set("confirmed");
    assert_eq!(seen().await[0].tries_left, Some(3));
    mock.set("no-token");
    assert!(seen().await.is_empty());
    mock.set("module-unavailable");
    let told = serde_json::to_value(plugin.tokens().await.expect("it answers")).expect("JSON");
    assert_eq!(
        told["unavailable"][0],
        serde_json::json!({ "source": "pkcs11", "reason": "module_unavailable" })
    );
}

#[tokio::test]
async fn a_gost_key_makes_the_formats_of_cms_and_its_outcomes_are_played_too() {
    let mock = Mock::start(&["--key", "gost256", "--literal", system_tests::ask::ORIGIN]);
    let (plugin, policy) = (mock.paired().await, policy(&mock));
    for format in [ProofFormat::Cms, ProofFormat::CmsChallenge] {
        let request = confirmation(format.name());
        let operation = plugin.confirm_and_wait(&request).await.expect("it answers");
        let identity = judge(&policy, &request, &operation).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(identity.algorithm(), plugin_protocol::SignatureAlgorithm::Gost256);
    }
    let refused = plugin.confirm_and_wait(&confirmation("jws")).await.expect("it answers");
    assert_eq!(code(&refused), ErrorCode::UnsupportedAlgorithm);
    for outcome in ["revoked-certificate", "unknown-issuer", "broken-signature"] {
        mock.set(outcome);
        let request = confirmation("cms");
        let operation = plugin.confirm_and_wait(&request).await.expect("it answers");
        judge(&policy, &request, &operation).expect_err(outcome);
    }
}

#[tokio::test]
async fn the_person_and_the_key_are_as_wished_in_every_format() {
    let person = "SN=Иванова,GN=Анна Петровна,SNILS=087-654-303 00";
    let origin = system_tests::ask::ORIGIN;
    let mock = Mock::start(&["--person", person, "--key", "rsa2048", "--literal", origin]);
    let (plugin, policy) = (mock.paired().await, policy(&mock));
    for format in ProofFormat::X509 {
        let request = confirmation(format.name());
        let operation = plugin.confirm_and_wait(&request).await.expect("it answers");
        let identity = judge(&policy, &request, &operation).unwrap_or_else(|error| panic!("{format}: {error}"));
        let subject = identity.subject();
        assert_eq!(subject.common_name(), Some("Иванова Анна Петровна"));
        assert_eq!((subject.snils(), subject.inn()), (Some("08765430300"), None));
        assert!(identity.algorithm().to_string().starts_with("RS"), "{format}");
    }
    let signed = plugin
        .sign_and_wait(&signatures(&[("a.pdf", b"a")]))
        .await
        .expect("it answers");
    assert_eq!(signed.state, OperationState::Done, "{:?}", signed.problem);
    let shown = plugin.certificate_and_wait(&certificate()).await.expect("it answers");
    let shown = shown.certificate.expect("a signing certificate");
    let shown = from_base64(&shown.certificate).and_then(|der| agent::certificate::Summary::read(&der));
    assert_eq!(shown.expect("a certificate").name, "Иванова Анна Петровна");
    mock.set("declined");
    let signed = plugin
        .sign_and_wait(&signatures(&[("a.pdf", b"a")]))
        .await
        .expect("it answers");
    assert_eq!(code(&signed), ErrorCode::Declined);
}

#[tokio::test]
async fn a_delay_lets_every_state_be_seen() {
    let mock = Mock::start(&["--outcome", "token-inserted", "--delay", "0.3"]);
    let plugin = mock.paired().await;
    let operation = plugin
        .confirm(&confirmation("jws"), None, None)
        .await
        .expect("it begins");
    let (mut states, mut since) = (vec![operation.state], 0);
    while !states.iter().any(|state| state.is_final()) {
        let events = plugin.events(since, 25).await.expect("it answers");
        let changed = events.events.iter().filter_map(|event| {
            let event = serde_json::to_value(event).ok()?;
            serde_json::from_value::<OperationState>(event["state"].clone()).ok()
        });
        states.extend(changed);
        since = events.next;
        // A plugin that waits asks for its operation too.
        plugin.operation(&operation.id, 0).await.expect("it answers");
    }
    states.dedup();
    use OperationState::{AwaitingConsent, AwaitingToken, Done, Signing};
    assert_eq!(states, [AwaitingToken, AwaitingConsent, Signing, Done]);
}

#[test]
fn a_mock_keeps_away_from_real_state_and_a_real_agent_from_a_mocks() {
    let setup = Setup::new().software();
    let listed = setup.command(&["tokens"]).output().expect("it starts");
    assert!(listed.status.success());
    let state = setup.state();
    let before = names(&state);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut command = Command::new(system_tests::programs::path("eid-agent"));
    command
        .args(["mock", "--port", "0", "--state"])
        .arg(&state)
        .env("HOME", folder.path());
    let refused = command.output().expect("it starts");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("keeps away from real state"), "{said}");
    assert_eq!(names(&state), before, "nothing was touched");

    let mut mock = Mock::start(&["--outcome", "broken-signature"]);
    mock.end();
    let agent = system_tests::programs::path("eid-agent");
    for what in [
        ["run", "--port", "0"],
        ["confirm", "--origin", "https://portal.example"],
    ] {
        let mut command = Command::new(&agent);
        command
            .args(what)
            .arg("--software-token")
            .arg("--state")
            .arg(mock.state());
        if what[0] == "confirm" {
            command.args(["--challenge", &"c".repeat(44)]);
        }
        command.env("HOME", folder.path()).env_remove("XDG_RUNTIME_DIR");
        let refused = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("state of a mock"), "{said}");
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Its script, its certificates and its mark mean nothing to a real agent.
#[tokio::test]
async fn a_real_agent_reads_no_script() {
    let policy =
        "origins = [\"https://portal.example\"]\npair = true\n\n[[token]]\nkind = \"software\"\npin = \"1234\"\n";
    let setup = Setup::new().software().unattended(policy);
    std::fs::create_dir_all(setup.state()).expect("a folder");
    for name in ["script", "mock", "outcomes"] {
        std::fs::write(setup.state().join(name), "broken-signature\n").expect("a file");
    }
    let agent = setup.start();
    let plugin = agent.paired().await;
    let request = confirmation("jws");
    let operation = plugin.confirm_and_wait(&request).await.expect("it answers");
    let root = std::fs::read(agent.setup().state().join("software-token/root.pem")).expect("its root");
    let policy = Policy::builder()
        .test_roots_pem(&root)
        .expect("PEM")
        .build()
        .expect("a policy");
    judge(&policy, &request, &operation).expect("a good proof");
}

/// The shell example of MOCK.md, as it stands there.
#[test]
fn the_manuals_shell_example_runs() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/MOCK.md");
    let manual = std::fs::read_to_string(manual).expect("the manual is there");
    let marked = manual
        .split("<!-- Run by tests/tests/mock.rs. -->")
        .nth(1)
        .expect("an example");
    let example = marked
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("\n```").next());
    let agent = system_tests::programs::path("eid-agent");
    let programs = agent.parent().expect("programs lie in a folder").display().to_string();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(example.expect("a block of shell"))
        .env("PATH", path);
    shell.env("HOME", folder.path()).env("TMPDIR", folder.path());
    let output = shell.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.ends_with("every branch was met\n"), "{said}");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        0,
        "it cleans up"
    );
}
