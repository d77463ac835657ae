//! The command line, as a person at a terminal meets it.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use fixtures::evil::{Call, EvilModule, Fault};
use fixtures::pki::TestPki;
use fixtures::plugin::Plugin;
use plugin_protocol::Proof;
use plugin_protocol::api::OperationState;
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation};
use system_tests::judge::Judge;
use system_tests::process::Process;
use system_tests::programs;
use system_tests::scene::{Scene, tokens};

/// Approves confirmations on the software token, and pairings.
const POLICY: &str =
    "origins = [\"https://portal.example\"]\npair = true\n[[token]]\nkind = \"software\"\npin = \"1234\"\n";

fn run(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(arguments).output().expect("it starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The standard output of a command that must succeed.
fn done(setup: &Setup, arguments: &[&str]) -> String {
    let output = run(setup, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        out(&output),
        err(&output)
    );
    out(&output)
}

/// Exit code and standard error of a command that must fail.
fn failed(setup: &Setup, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(setup, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", out(&output));
    (output.status.code(), err(&output))
}

#[test]
fn the_demo_shows_the_whole_path() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let state = folder.path().join("demo");
    for (language, facts) in [
        (
            "C.UTF-8",
            [
                "nothing here proves anything about a person",
                "asks the account \"demo\" to confirm",
                "both sides showed ",
                "Certificate  of ",
                "\"type\":\"eid-confirmation\"",
                "the account \"demo\" is now \"confirmed\": ",
                "(proof jws, ES256)",
                "Time, ms",
                "as web-eid:1.0: accepted",
                "as cms: accepted (ES256)",
                "as cms: accepted (GOSTR3410-2012-256)",
                "as cms: accepted (GOSTR3410-2012-512)",
                "history.jsonl: 5 records",
                "Done in ",
            ],
        ),
        (
            "ru_RU.UTF-8",
            [
                "она ничью личность не подтверждает",
                "просит учётную запись «demo» подтвердить личность",
                "обе стороны показали ",
                "Сертификат   ",
                "\"origin\":\"http://127.0.0.1:",
                "учётная запись «demo» теперь «confirmed»: ",
                "(доказательство jws, ES256)",
                "Время, мс",
                "в формате web-eid:1.0: принято",
                "в формате cms: принято (ES256)",
                "в формате cms: принято (GOSTR3410-2012-256)",
                "в формате cms: принято (GOSTR3410-2012-512)",
                "history.jsonl: записей 10",
                "Готово за ",
            ],
        ),
    ] {
        let mut command = Command::new(programs::path("eid-agent"));
        command.arg("--state").arg(&state).arg("demo").env("LC_ALL", language);
        let output = command.output().expect("it starts");
        let told = out(&output);
        assert!(output.status.success(), "{told}{}", err(&output));
        for fact in facts {
            assert!(told.contains(fact), "{fact:?} is not in {told}");
        }
        assert!(told.lines().count() <= 16, "a screen at most: {told}");
        // Not as a part of other numbers: ports, times, serial numbers and digests have such digits by chance.
        let words = told.split(|letter: char| !letter.is_alphanumeric() && letter != '.');
        assert!(!words.into_iter().any(|word| word == "1234"), "no PIN: {told}");
    }
    let mut verify = Command::new(programs::path("eid-agent"));
    verify.arg("--state").arg(&state).args(["history", "verify"]);
    let verified = verify.output().expect("it starts");
    assert!(out(&verified).contains("10 records"), "{}", err(&verified));
}

#[test]
fn a_confirmation_from_the_command_line() {
    let setup = Setup::new()
        .software()
        .unattended(POLICY)
        .literal("https://esia.example");
    let request = confirmation("cms");
    let challenge = request.challenge.as_str();
    let ask = |format: &'static str, origin: &'static str| {
        let arguments = [
            "confirm",
            "--origin",
            origin,
            "--challenge",
            challenge,
            "--format",
            format,
        ];
        run(&setup, &arguments)
    };
    for format in ["web-eid:1.0", "jws", "cms"] {
        let output = ask(format, ORIGIN);
        assert!(output.status.success(), "{}", err(&output));
        assert!(err(&output).contains("proves no person"), "{}", err(&output));
        let proof: Proof = serde_json::from_str(&out(&output)).expect("a proof");
        let root = setup.state().join("software-token/root.pem");
        let judge = Judge::new(&std::fs::read_to_string(root).expect("its root"), &[]);
        let identity = judge.verdict(&request, &proof, &request.origin).expect("accepted");
        assert_eq!(identity.format().name(), format);
    }
    // Refused: by the policy of the unattended prompt, by that of the origin, by the arguments.
    for (format, origin, code, why) in [
        ("jws", "https://other.example", 5, "declined"),
        ("cms-challenge", ORIGIN, 1, "literal challenge"),
        ("cms-challenge", "https://esia.example", 5, "declined"),
        ("sms", ORIGIN, 2, "unknown proof format \"sms\""),
        ("jws", "portal.example", 2, "https://"),
    ] {
        let output = ask(format, origin);
        assert_eq!(output.status.code(), Some(code), "{format} {origin}: {}", err(&output));
        assert!(err(&output).contains(why), "{why:?} is not in {}", err(&output));
        assert_eq!(out(&output), "");
    }
    let told = done(&setup, &["history"]);
    for line in [
        "done  jws",
        "declined  jws",
        "origin_not_allowed",
        "eid-agent confirm",
        "(test)",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    let told: Value =
        serde_json::from_str(&done(&setup, &["history", "show", "--limit", "2", "--json"])).expect("JSON");
    assert_eq!(told["entries"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_history_is_verified_to_the_last_byte() {
    let setup = Setup::new().software().unattended(POLICY);
    assert!(done(&setup, &["history", "verify"]).contains("0 records"));
    let challenge = confirmation("jws").challenge;
    for _ in 0..3 {
        let arguments = ["confirm", "--origin", ORIGIN, "--challenge", challenge.as_str()];
        done(&setup, &arguments);
    }
    let told = done(&setup, &["history", "verify"]);
    assert!(told.contains("3 records, each follows the one before it"), "{told}");
    let path = setup.state().join("history.jsonl");
    let whole = std::fs::read(&path).expect("the history");
    // A byte in each line and in each part of it.
    for at in (0..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).expect("it can be written");
        let (code, told) = failed(&setup, &["history", "verify"]);
        let line = 1 + whole[..at].iter().filter(|byte| **byte == b'\n').count();
        let next = line + 1;
        assert_eq!(code, Some(6), "{told}");
        assert!(
            told.contains(&format!("line {line}")) || told.contains(&format!("line {next}")),
            "{at}: {told}"
        );
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    std::fs::write(&path, [lines[0], lines[2]].concat()).expect("it can be written");
    assert!(failed(&setup, &["history", "verify"]).1.contains("line 2"));
    std::fs::write(&path, [&whole[..], b"{\"seq\":4,\"ti"].concat()).expect("it can be written");
    let told = done(&setup, &["history", "verify"]);
    assert!(told.contains("3 records") && told.contains("torn"), "{told}");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn pairings_are_listed_and_revoked() {
    let agent = Setup::new().unattended(POLICY).start();
    assert!(done(agent.setup(), &["pairings", "list"]).contains("No plugin is paired."));
    let (first, second) = (agent.paired().await, agent.paired().await);
    let told = done(agent.setup(), &["pairings", "list"]);
    let id = first.key().jwk().key_id();
    assert!(
        told.contains(&id) && told.contains(&second.key().jwk().key_id()),
        "{told}"
    );
    assert!(told.contains("calls itself \"system tests\""), "{told}");
    let listed: Value = serde_json::from_str(&done(agent.setup(), &["pairings", "list", "--json"])).expect("JSON");
    assert_eq!(listed["pairings"].as_array().map(Vec::len), Some(2));

    done(agent.setup(), &["pairings", "revoke", &id]);
    assert!(first.info().await.is_err(), "a running daemon heeds it at once");
    second.info().await.expect("the other one stays");
    let (code, told) = failed(agent.setup(), &["pairings", "revoke", &id]);
    assert_eq!(code, Some(1));
    assert!(told.contains("pairings list"), "{told}");
    for hyphen in ["-vNoSuchId", "-hNoSuchId"] {
        let (code, told) = failed(agent.setup(), &["pairings", "revoke", hyphen]);
        assert_eq!(code, Some(1), "an id may begin with a hyphen: {told}");
    }
    let mode = std::fs::metadata(agent.setup().state().join("pairings.json")).expect("it is there");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
}

#[test]
fn tokens_of_broken_modules_cost_only_themselves() {
    let ivanov = TestPki::new().person("Иванов Иван Иванович").issue();
    let broken = EvilModule::builder(&ivanov)
        .fault(Fault::SegfaultIn(Call::GetSlotList))
        .build();
    let good = EvilModule::builder(&ivanov).label("good").build();
    let setup = Setup::new().module(broken.path()).module(good.path()).software();
    let output = run(&setup, &["tokens"]);
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let told = out(&output);
    for line in [
        "pkcs11 «good», PIN ok",
        "Иванов Иван Иванович, issued by Test intermediate",
        "confirms identity, signs documents",
        "for tests only",
        "crashed (signal 11)",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    let listed = tokens(&setup);
    let kinds: Vec<&str> = listed.iter().filter_map(|token| token["kind"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "{listed:?}");
    assert_eq!(good.count(Call::Login), 0);
    assert!(done(&Setup::new(), &["tokens"]).contains("No token is present."));
    let missing = Setup::new()
        .configure("software.pkcs12 = [\"/nonexistent/me.p12\"]\n")
        .software();
    let output = run(&missing, &["tokens"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).contains("/nonexistent/me.p12 is not there") && out(&output).contains("software «"));
    // What could not even be begun with is told as well.
    let absent = Setup::new().module(Path::new("/nonexistent/token.so"));
    let output = run(&absent, &["tokens", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let told = out(&output);
    assert!(told.contains("/nonexistent/token.so: cannot be found"), "{told}");
    assert!(done(&absent, &["tokens", "--help"]).contains("Exit codes: 0 all was looked at"));
}

#[test]
fn the_doctor_has_a_remedy_for_each_trouble() {
    let healthy = Setup::new().software().unattended(POLICY);
    let told = done(&healthy, &["doctor", "--port", "0"]);
    for line in [
        "ok    configuration: ",
        "ok    state directory: ",
        "ok    history: 0 records",
        "ok    port: ",
        "ok    module software token: loads",
        "ok    token ",
        "warn  prompt: unattended",
        "ok    clock: ",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    let told: Value = serde_json::from_str(&done(&healthy, &["doctor", "--json", "--port", "0"])).expect("JSON");
    let verdicts: Vec<&Value> = told["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| &check["verdict"])
        .collect();
    assert!(
        verdicts.iter().all(|verdict| **verdict == "ok" || **verdict == "warn"),
        "{told}"
    );

    // The port is another program's.
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let output = run(&healthy, &["doctor", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let told = out(&output);
    assert!(
        told.contains(&format!("FAIL  port: {port} is taken by another program; ")),
        "{told}"
    );
    let (code, told) = failed(&healthy, &["run", "--port", &port]);
    assert_eq!(code, Some(1));
    assert!(told.contains(&port) && told.contains("taken"), "{told}");

    // The configuration has a mistake; the module crashes; the state is no directory.
    let ivanov = TestPki::new().person("Иванов Иван Иванович").issue();
    let broken = EvilModule::builder(&ivanov)
        .fault(Fault::AbortIn(Call::Initialize))
        .build();
    let pinentry = std::path::Path::new("/nonexistent/pinentry");
    let ill = Setup::new().module(broken.path()).pinentry(pinentry);
    std::fs::write(ill.state(), "not a directory").expect("a file");
    // At a port of its own: an agent of this machine's person, at a usual one, has its windows.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port().to_string();
    drop(free);
    let told = out(&run(&ill, &["doctor", "--port", &port]));
    for line in [
        "FAIL  state directory: ",
        "is no directory; name another one with --state",
        "FAIL  module libevil_module.so: ",
        "FAIL  prompt: ",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    assert!(
        failed(&ill, &["run", "--port", "0"]).1.contains("state"),
        "and the daemon says so too"
    );
    let typo = Setup::new().configure("sofware.enabled = true\n");
    let told = out(&run(&typo, &["doctor", "--port", "0"]));
    assert!(
        told.contains("FAIL  configuration: ") && told.contains("line 1"),
        "{told}"
    );

    // Open to others: a warning with the command that mends it.
    let open = Setup::new();
    std::fs::create_dir(open.state()).expect("a directory");
    std::fs::set_permissions(open.state(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let told = out(&run(&open, &["doctor", "--port", "0"]));
    assert!(
        told.contains("warn  state directory: ") && told.contains("chmod 700"),
        "{told}"
    );

    // A record was changed.
    let challenge = confirmation("jws").challenge;
    done(
        &healthy,
        &["confirm", "--origin", ORIGIN, "--challenge", challenge.as_str()],
    );
    let path = healthy.state().join("history.jsonl");
    let text = std::fs::read_to_string(&path).expect("the history");
    std::fs::write(&path, text.replace("portal.example", "portal.exampel")).expect("it can be written");
    let told = out(&run(&healthy, &["doctor", "--port", "0"]));
    assert!(told.contains("FAIL  history: line 1"), "{told}");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let setup = Setup::new().configure("\n# a comment\npromt.kind = \"auto\"\n");
    for command in [&["run", "--port", "0"][..], &["tokens"]] {
        let (code, told) = failed(&setup, command);
        assert_eq!(code, Some(2), "{told}");
        assert!(
            told.contains("line 3") && told.contains("did you mean `prompt`?"),
            "{told}"
        );
    }
    let seconds = Setup::new().configure("deadlines.operation = 1\n");
    assert!(failed(&seconds, &["run", "--port", "0"]).1.contains("line 1"));
    let (code, told) = failed(&Setup::new(), &["frobnicate"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("frobnicate"), "{told}");
}

#[test]
fn every_command_explains_itself() {
    let setup = Setup::new();
    let whole = done(&setup, &["--help"]);
    let commands = ["run", "demo", "tokens", "confirm", "pairings", "history", "doctor"];
    for command in commands {
        assert!(
            whole.contains(&format!("\n  {command} ")),
            "{command} is not in {whole}"
        );
        let told = done(&setup, &[command, "--help"]);
        assert!(told.contains("Usage: eid-agent") && told.len() > 300, "{told}");
    }
    for hidden in ["pkcs11-worker", "openapi"] {
        assert!(!whole.contains(hidden), "{whole}");
    }
    for command in [
        &["mock"][..],
        &["mock", "set"],
        &["pairings", "list"],
        &["pairings", "revoke"],
        &["history", "show"],
        &["history", "verify"],
    ] {
        let told = done(&setup, &[command, &["--help"]].concat());
        assert!(told.contains("Usage: eid-agent"), "{told}");
    }
    let (code, told) = failed(&setup, &["native-host"]);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("for browsers") && told.contains("install-browser"),
        "{told}"
    );
    assert!(done(&setup, &["--version"]).starts_with("eid-agent "));
    assert!(!setup.state().exists(), "asking for help leaves nothing behind");
}

#[tokio::test]
async fn a_daemon_announces_itself_and_ends_cleanly() {
    let mut scene = Scene::open(Setup::new().software()).await;
    let file = scene.agent.setup().runtime().join("port");
    let announced = std::fs::read_to_string(&file).expect("the file is there");
    assert_eq!(
        format!("http://127.0.0.1:{}\n", announced.trim_end()),
        format!("{}\n", scene.agent.base())
    );
    for (path, mode) in [
        (&file, 0o600),
        (&scene.agent.setup().runtime(), 0o700),
        (&scene.agent.setup().state(), 0o700),
    ] {
        let found = std::fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }
    let doctor = scene.agent.cli(&["doctor"]);
    assert!(
        out(&doctor).contains("ok    port: an agent answers on"),
        "{}",
        out(&doctor)
    );

    // A window open: its operation is cancelled and remembered before the end.
    let started = scene.begin(&confirmation("jws"), &["yes", "hang"]).await;
    scene.person.wait_until_shown("GETPIN");
    assert!(!started.state.is_final());
    assert!(scene.agent.process().terminate().success());
    assert!(!file.exists());
    let history = scene.agent.cli(&["history"]);
    assert!(out(&history).contains("cancelled"), "{}", out(&history));
    scene.person.wait_until_closed().await;

    // The pairing outlives the daemon.
    scene.agent.restart();
    let key = fixtures::plugin::PluginKey::from_pkcs8(scene.plugin.key().pkcs8()).expect("its own key");
    let plugin = Plugin::with_key(scene.agent.base(), key, scene.plugin.agent_key().cloned()).expect("a URL");
    assert_eq!(plugin.pairings().await.expect("the agent knows it").len(), 1);
    assert_eq!(plugin.history().await.expect("the agent answers").entries.len(), 1);
}

#[tokio::test]
async fn two_daemons_on_one_state_directory_share_one_chain() {
    let mut first = Setup::new().software().unattended(POLICY).start();
    let mut command = first.setup().command(&["run", "--port", "0"]);
    command.arg("--runtime").arg(first.setup().folder().join("second"));
    let second = Process::start(command, &first.setup().folder().join("second.log"));
    let base = second.wait_for("listening on ");
    let here = first.paired().await;
    let key = fixtures::plugin::PluginKey::from_pkcs8(here.key().pkcs8()).expect("its own key");
    let there = Plugin::with_key(&base, key, here.agent_key().cloned()).expect("a URL");
    for _ in 0..5 {
        let (request, other) = (confirmation("jws"), confirmation("web-eid:1.0"));
        let (one, two) = tokio::join!(here.confirm_and_wait(&request), there.confirm_and_wait(&other));
        for operation in [one, two] {
            assert_eq!(operation.expect("an answer").state, OperationState::Done);
        }
    }
    let told = done(first.setup(), &["history", "verify"]);
    assert!(told.contains("10 records"), "{told}");

    // With one runtime directory too, the file names the daemon that began last, until that one ends.
    let mut third = Process::start(
        first.setup().command(&["run", "--port", "0"]),
        &first.setup().folder().join("third.log"),
    );
    let base = third.wait_for("listening on ");
    let warned = std::fs::read_to_string(first.setup().folder().join("third.log")).expect("its log");
    assert!(warned.contains("already, and plugins stay with that one"), "{warned}");
    let file = first.setup().runtime().join("port");
    assert!(first.process().terminate().success());
    let announced = std::fs::read_to_string(&file).expect("the third one's file stays");
    assert_eq!(format!("http://127.0.0.1:{}", announced.trim_end()), base);
    assert!(third.terminate().success());
    assert!(!file.exists());
}
