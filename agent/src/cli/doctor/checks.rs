//! The checks, one function each.

use std::os::unix::fs::MetadataExt;

use agent::certificate::{Role, Summary};
use agent::clock::Clock;
use agent::config::{Config, PromptConfig};
use agent::history::History;
use agent::pairing::Pairings;
use agent::token::card::uec::Terminals;
use agent::token::discover;
use agent::token::worker::Tokens;
use agent::{Error, prompt};
use plugin_protocol::api::SourceKind;
use time::OffsetDateTime;
use time::macros::datetime;

use super::super::speak::{counted, word};
use super::{Check, cards};
use crate::places::Places;

/// Before this program was written: a clock that says so is wrong.
const FIRST_DAY: OffsetDateTime = datetime!(2025-01-01 0:00 UTC);

/// The configuration, or the default one where it cannot be used.
pub(super) fn config(places: &Places) -> (Check, Config) {
    let Some(file) = &places.config else {
        return (
            Check::ok("configuration", "none, so everything has its default"),
            Config::default(),
        );
    };
    match Config::read(file) {
        Ok(config) => (Check::ok("configuration", file.display().to_string()), config),
        Err(error) => {
            let remedy = "mend that line, or take it out: every key has a default";
            (
                Check::fail("configuration", error.to_string(), remedy),
                Config::default(),
            )
        }
    }
}

/// The state directory and the pairings in it.
pub(super) fn state(places: &Places) -> Vec<Check> {
    let path = &places.state;
    let shown = path.display();
    let what = "state directory";
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Check::ok(
                what,
                format!("{shown} is not there yet; it is made at the first run"),
            )];
        }
        Err(error) => {
            return vec![Check::fail(
                what,
                format!("{shown}: {error}"),
                "name another one with --state",
            )];
        }
    };
    if !meta.is_dir() {
        return vec![Check::fail(
            what,
            format!("{shown} is no directory"),
            "name another one with --state",
        )];
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        let remedy = "run the agent as its owner, or name another directory with --state";
        return vec![Check::fail(what, format!("{shown} belongs to another user"), remedy)];
    }
    if meta.mode() & 0o077 != 0 {
        let found = format!("{shown} is open to others (mode {:04o})", meta.mode() & 0o7777);
        return vec![Check::warn(what, found, format!("chmod 700 {shown}"))];
    }
    let listed = Pairings::open(path).and_then(|pairings| pairings.list());
    let pairings = match listed {
        Ok(list) if list.is_empty() => Check::ok("pairings", "none yet; a plugin asks for one itself"),
        Ok(list) => Check::ok("pairings", list.len().to_string()),
        Err(error) => Check::fail("pairings", error.to_string(), "move pairings.json away and pair again"),
    };
    vec![Check::ok(what, shown.to_string()), pairings]
}

/// The chain of the history.
pub(super) fn history(history: &Result<History, Error>) -> Check {
    let what = "history";
    let remedy = "keep the file for whoever may ask, and move it away: a new one is begun";
    let records = |count| counted(count, "record", "records");
    let verified = match history {
        Ok(history) => history.verify(),
        Err(error) => Err(error.clone()),
    };
    match verified {
        Ok(Ok(verified)) if verified.torn > 0 => Check::warn(
            what,
            format!("{}, then a line torn by a power cut", records(verified.records)),
            "nothing is to be done: the next record sets it aside",
        ),
        Ok(Ok(verified)) => Check::ok(
            what,
            format!("{}, each follows the one before it", records(verified.records)),
        ),
        Ok(Err(broken)) => Check::fail(what, broken.to_string(), remedy),
        Err(error) => Check::fail(what, error.to_string(), "see that the file can be read and written"),
    }
}

/// The terminals and roots of the universal card; nothing where none is named.
pub(super) fn universal_card(config: &Config) -> Vec<Check> {
    let loaded = Terminals::load(&config.uec);
    let what = "universal card";
    let found = loaded.describe().into_iter().map(|line| Check::ok(what, line));
    let remedy = "mend the file, or take its block out of [uec]";
    let wrong = loaded
        .mistakes()
        .iter()
        .map(|mistake| Check::fail(what, mistake.to_string(), remedy));
    let warned = loaded
        .warning()
        .map(|why| Check::warn(what, why, "name the authority's certificate as a root under [uec]"));
    let expired = loaded.expired(OffsetDateTime::now_utc().date()).into_iter().map(|why| {
        Check::warn(
            what,
            why,
            "ask the operator for a new certificate, and name its file in [uec]",
        )
    });
    found.chain(wrong).chain(expired).chain(warned).collect()
}

/// Each module and each token.
pub(super) async fn tokens(config: &Config, places: &Places) -> Vec<Check> {
    let found = discover(config, &places.state);
    let mut checks = Vec::new();
    for skipped in &found.modules.skipped {
        let what = format!("module {}", skipped.path.display());
        checks.push(Check::warn(
            &what,
            format!("left out ({})", skipped.origin),
            skipped.reason.clone(),
        ));
    }
    for file in config.software.pkcs12.iter().filter(|file| !file.exists()) {
        let what = format!("PKCS#12 file {}", file.display());
        let remedy = "mend pkcs12 under [software]; write the whole path";
        checks.push(Check::warn(&what, "is not there", remedy));
    }
    let left = found.left;
    let tokens = Tokens::new(found.sources);
    let listing = tokens.listing().await;
    if !listing.iter().any(|listed| listed.kind == SourceKind::Pkcs11) {
        let found = "none is installed at the usual places";
        checks.push(match config.cards.enabled {
            true => Check::ok("modules", found),
            false => {
                let remedy = "install the token's PKCS#11 module, or name it under [[pkcs11.modules]]";
                Check::warn("modules", found, remedy)
            }
        });
    }
    checks.extend(cards::check(config, &left, &tokens).await);
    for listed in listing {
        let what = format!("module {}", listed.source);
        if listed.kind == SourceKind::Pcsc {
            for token in listed.tokens.unwrap_or_default() {
                checks.push(token_check(&tokens, &token).await);
            }
            continue;
        }
        match listed.tokens {
            Err(error) => {
                let remedy = "see that its driver is whole, or switch it off with enabled = false";
                checks.push(Check::fail(&what, error.to_string(), remedy));
            }
            Ok(present) => {
                checks.push(Check::ok(&what, format!("loads; tokens present: {}", present.len())));
                for token in present {
                    checks.push(token_check(&tokens, &token).await);
                }
            }
        }
    }
    checks
}

async fn token_check(tokens: &Tokens, token: &agent::token::TokenInfo) -> Check {
    use plugin_protocol::api::PinState;
    let what = format!("token {}", token.id);
    match token.pin.state {
        PinState::Locked => {
            return Check::fail(
                &what,
                "its PIN is locked",
                "unblock it with its PUK: `eid-agent pin unblock`, or the token's own tool",
            );
        }
        PinState::MustChange => {
            return Check::fail(
                &what,
                "its PIN must be changed first",
                "change it: `eid-agent pin change`, or the token's own tool",
            );
        }
        PinState::FinalTry => {
            return Check::warn(&what, "one PIN try is left", "make sure of the PIN before you use it");
        }
        _ => {}
    }
    let credentials = match tokens.credentials(&token.id).await {
        Ok(credentials) => credentials,
        Err(error) => return Check::fail(&what, error.to_string(), "take the token out and put it in again"),
    };
    let now = Clock::system().now();
    let fit = |role| {
        let usable = credentials.iter().filter(|credential| credential.unusable().is_none());
        let summaries = usable.filter_map(|credential| Summary::read(&credential.certificate));
        summaries.filter(|summary| summary.fit(role, now).is_ok()).count()
    };
    let (confirming, signing) = (fit(Role::Authentication), fit(Role::Signing));
    let mut found = format!(
        "{}, certificates: {}, of which {confirming} confirm identity and {signing} sign documents",
        word(&token.kind),
        credentials.len()
    );
    let useless: Vec<&str> = credentials
        .iter()
        .filter_map(|credential| credential.unusable())
        .collect();
    if let Some(why) = useless.first() {
        found += &format!("; {} not usable: {why}", useless.len());
    }
    match confirming + signing {
        0 => Check::warn(&what, found, "`eid-agent tokens` says why none fits"),
        _ => Check::ok(&what, found),
    }
}

/// Whether the person can be asked. An agent that runs already was started elsewhere, perhaps in a
/// session with windows: what is missing here may be there.
pub(super) fn prompt(config: &PromptConfig, running: bool) -> Check {
    let prompt = prompt::detect(config);
    match prompt.check() {
        Err(why) if running => Check::warn(
            "prompt",
            format!("not in this session: {why}"),
            "nothing, if the running agent was started in a session with windows",
        ),
        Err(why) => Check::fail("prompt", why.to_string(), "without it nobody can agree to anything"),
        Ok(()) if prompt.unattended() => Check::warn(
            "prompt",
            "unattended: nobody is asked",
            "for tests alone; every result is marked as a test",
        ),
        Ok(()) => Check::ok("prompt", prompt.name()),
    }
}

/// Whether the clock can be right: it dates what is signed.
pub(super) fn clock(places: &Places) -> Check {
    let now = Clock::system().now();
    let shown = plugin_protocol::statement::rfc3339(now);
    let remedy = "set the machine's clock: portals refuse what is dated wrongly";
    if now < FIRST_DAY {
        return Check::fail("clock", format!("it says {shown}"), remedy);
    }
    let newest = History::open(places.history()).and_then(|history| history.newest(1, |_| true));
    let newest = newest.unwrap_or_default().pop().map(|entry| entry.time);
    match newest {
        // Both are UTC with whole seconds, so their texts sort as their times.
        Some(last) if last > shown => Check::warn(
            "clock",
            format!("it says {shown}, but something was signed {last}"),
            remedy,
        ),
        _ => Check::ok("clock", shown),
    }
}
