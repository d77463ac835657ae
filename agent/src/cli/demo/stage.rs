//! The three programs of the demo, and what they do with each other.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent::certificate::Summary;
use agent::private_file;
use plugin_protocol::encoding::{from_base64, from_base64url};
use serde_json::Value;

use super::child::{Server, output};
use crate::cli::Failure;

/// The steps that `eid-plugin confirm` takes the time of.
const STEPS: [&str; 5] = ["challenge", "request", "consent_and_sign", "verdict", "total"];

/// The programs, all built together.
pub(super) struct Programs {
    agent: PathBuf,
    portal: PathBuf,
    plugin: PathBuf,
}

impl Programs {
    pub(super) fn beside_this_one() -> Result<Self, Failure> {
        let agent = std::env::current_exe()?;
        let beside = |name: &str| {
            let path = agent.with_file_name(name);
            match path.is_file() {
                true => Ok(path),
                false => Err(Failure::other(format!(
                    "{} is not there; build all programs with `cargo build --workspace`",
                    path.display()
                ))),
            }
        };
        Ok(Self {
            portal: beside("eid-portal")?,
            plugin: beside("eid-plugin")?,
            agent,
        })
    }
}

/// A running portal and a running agent that approves what the portal asks.
pub(super) struct Stage {
    portal: Server,
    agent: Server,
    state: PathBuf,
}

/// What one confirmation brought.
pub(super) struct Confirmed {
    pub(super) format: String,
    /// The certificate that answered, where the proof shows it.
    pub(super) certificate: Option<Summary>,
    /// The bytes that were signed, where a person can read them.
    pub(super) statement: Option<String>,
    /// The portal's own words.
    pub(super) verdict: Value,
    /// Milliseconds of each step.
    pub(super) times: Vec<(String, f64)>,
}

impl Stage {
    /// Makes the test token, then starts the portal that trusts its root, then the agent
    /// whose policy names that portal.
    pub(super) fn set(programs: &Programs, state: &Path) -> Result<Self, Failure> {
        private_file::create_directory(state)?;
        configure(state)?;
        write(&state.join("policy.toml"), "origins = []\n")?;
        // Listing tokens makes the software token and its test authority at the first time.
        let (listed, made) = output(agent(programs, state, "tokens"))?;
        if !made {
            return Err(Failure::other(format!(
                "the software token could not be made: {listed}"
            )));
        }
        let mut portal = Command::new(&programs.portal);
        portal
            .args(["--listen", "127.0.0.1:0", "--test-root"])
            .arg(token_file(state, "root"))
            .arg("--test-root")
            .arg(token_file(state, "gost-root"));
        let portal = Server::start(portal, &state.join("portal.log"))?;
        write(&state.join("policy.toml"), &policy(portal.address()))?;
        let mut run = agent(programs, state, "run");
        run.args(["--port", "0"]);
        let agent = Server::start(run, &state.join("agent.log"))?;
        Ok(Self {
            portal,
            agent,
            state: state.to_owned(),
        })
    }

    pub(super) fn portal(&self) -> &str {
        self.portal.address()
    }

    pub(super) fn agent(&self) -> &str {
        self.agent.address()
    }

    /// Pairs the plugin; the digits that both sides showed.
    pub(super) fn pair(&mut self, programs: &Programs) -> Result<String, Failure> {
        let mut command = self.plugin(programs);
        command.args(["pair", "--name", "demo plugin"]);
        let (printed, paired) = output(command)?;
        if !paired {
            return Err(Failure::other(format!("pairing failed: {printed}")));
        }
        let digits = printed.lines().find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(line["digits"].as_str()?.to_owned())
        });
        Ok(digits.unwrap_or_default())
    }

    /// One confirmation from challenge to verdict.
    pub(super) fn confirm(&mut self, programs: &Programs, format: &str, key: &str) -> Result<Confirmed, Failure> {
        let mut command = self.plugin(programs);
        command.args(["confirm", "--portal", self.portal.address(), "--format", format]);
        command.arg("--certificate").arg(token_file(&self.state, key));
        let (printed, accepted) = output(command)?;
        let report: Value = serde_json::from_str(printed.trim())
            .map_err(|error| Failure::other(format!("eid-plugin printed no report ({error}): {printed}")))?;
        if !accepted {
            return Err(Failure::refused(format!(
                "{format}: the portal did not confirm: {printed}"
            )));
        }
        Ok(Confirmed::read(format, &report))
    }

    /// Ends both servers and waits for them.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.agent.end()?;
        self.portal.end()
    }

    fn plugin(&self, programs: &Programs) -> Command {
        let mut command = Command::new(&programs.plugin);
        command.args(["--json", "--agent", self.agent.address(), "--state"]);
        command.arg(self.state.join("plugin.json"));
        command
    }
}

impl Confirmed {
    fn read(format: &str, report: &Value) -> Self {
        let proof = &report["operation"]["proof"];
        let time = |step: &&str| Some((step.replace('_', " "), report["timings_ms"][*step].as_f64()?));
        Self {
            format: format.to_owned(),
            certificate: jws_certificate(proof),
            statement: jws_part(proof, 1).and_then(|bytes| String::from_utf8(bytes).ok()),
            verdict: report["verdict"]["body"].clone(),
            times: STEPS.iter().filter_map(time).collect(),
        }
    }
}

/// A certificate of the software token, PEM.
fn token_file(state: &Path, name: &str) -> PathBuf {
    state.join("software-token").join(format!("{name}.pem"))
}

/// A part of a compact JWS (RFC 7515 section 3.1), decoded.
fn jws_part(proof: &Value, index: usize) -> Option<Vec<u8>> {
    from_base64url(proof["jws"].as_str()?.split('.').nth(index)?)
}

/// The signer's certificate: the first of `x5c` (RFC 7515 section 4.1.6).
fn jws_certificate(proof: &Value) -> Option<Summary> {
    let header: Value = serde_json::from_slice(&jws_part(proof, 0)?).ok()?;
    Summary::read(&from_base64(header["x5c"][0].as_str()?)?)
}

/// The agent of the demo, which knows nothing of the person's own configuration.
fn agent(programs: &Programs, state: &Path, what: &str) -> Command {
    let mut command = Command::new(&programs.agent);
    command.arg(what).arg("--state").arg(state);
    command.arg("--runtime").arg(state.join("run"));
    command.arg("--config").arg(state.join("config.toml"));
    command
}

fn configure(state: &Path) -> Result<(), Failure> {
    let policy = toml::Value::String(state.join("policy.toml").display().to_string());
    let text = format!(
        "[prompt]\nkind = \"unattended\"\npolicy = {policy}\n\n[software]\nenabled = true\nkeys = [\"p256\", \"gost256\", \"gost512\"]\n\n[pkcs11]\nsearch = false\n\n[cards]\nenabled = false\n"
    );
    write(&state.join("config.toml"), &text)
}

/// Approves test tokens for one origin, and pairings.
fn policy(origin: &str) -> String {
    let (origin, pin) = (format!("{origin:?}"), agent::token::software::PIN);
    format!("origins = [{origin}]\npair = true\n\n[[token]]\nkind = \"software\"\npin = \"{pin}\"\n")
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    private_file::replace(path, text.as_bytes()).map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}
