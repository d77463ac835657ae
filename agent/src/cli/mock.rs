//! `eid-agent mock`: an agent for the tests of portals, whose person is a script.

mod list;
mod run;

use std::process::ExitCode;
use std::time::Duration;

use agent::mock::{Home, Outcome};
use agent::token::software::Person;
use clap::{Args, Subcommand, ValueEnum};
use plugin_protocol::Origin;

use super::{Failure, Flags, speak};
use crate::places::Places;

/// Runs an agent for the tests of a portal: the real protocol and real signatures on test
/// keys, and a person that is a script. Plugins are paired without asking anybody.
///
/// It keeps to a state directory of its own and never touches a module, a card or a file
/// of yours. With --json its first line of output says where everything is.
#[derive(Args)]
#[command(
    after_help = "Its state is in ~/.local/state/eid-agent/mock unless --state says otherwise, and it reads no configuration. \
                        The manual is agent/MOCK.md."
)]
pub(crate) struct Mock {
    #[command(subcommand)]
    order: Option<Order>,
    /// Say which outcomes there are, and end
    #[arg(long)]
    list: bool,
    /// The outcomes of the next operations, in this order; the last one repeats [default: as the script stands, else confirmed]
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    outcome: Vec<Outcome>,
    /// How long each state lasts, so that it can be seen
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    delay: Duration,
    /// Whom the certificates name: SN=Surname,GN=Name Patronymic,SNILS=11 digits,INN=12 digits
    #[arg(long, value_name = "PERSON")]
    person: Option<Person>,
    /// The key that confirms
    #[arg(long, value_enum, default_value = "p256")]
    key: Key,
    /// An origin that may ask for the format cms-challenge; repeatable
    #[arg(long, value_name = "ORIGIN")]
    literal: Vec<Origin>,
    /// The port on 127.0.0.1; 0 takes any [default: the first free one of 47290, 47291, 47292]
    #[arg(long)]
    port: Option<u16>,
}

#[derive(Subcommand)]
enum Order {
    /// Change the outcomes of the next operations while a mock runs
    #[command(
        after_help = "`eid-agent mock --list` says which names there are. Give the mock's --state, if it was given one."
    )]
    Set {
        /// In this order; the last one repeats
        #[arg(required = true, value_name = "NAME[,NAME…]", value_delimiter = ',')]
        outcomes: Vec<Outcome>,
    },
}

/// The kinds of key that the software token has.
#[derive(Clone, Copy, ValueEnum)]
enum Key {
    /// ES256
    P256,
    /// ES384
    P384,
    /// RS256
    Rsa2048,
    /// GOSTR3410-2012-256, for the formats of CMS
    Gost256,
    /// GOSTR3410-2012-512, for the formats of CMS
    Gost512,
}

impl Mock {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        match &self.order {
            _ if self.list => list::print(flags.json),
            Some(Order::Set { outcomes }) => set(flags, outcomes),
            None => self.serve(flags),
        }
    }
}

/// The mock's own places: never those of a real agent.
fn places(flags: &Flags) -> Result<Places, Failure> {
    let usual = Places::find(None, None, None);
    let state = match (&flags.state, &usual) {
        (Some(given), Some(usual)) if same(given, &usual.state) => {
            let what = format!("{} is where your real agent keeps its state", given.display());
            return Err(Failure::usage(format!("{what}; give the mock another --state")));
        }
        (Some(given), _) => given.clone(),
        (None, Some(usual)) => usual.state.join("mock"),
        (None, None) => {
            return Err(Failure::usage(
                "there is no home directory; give --state DIR".to_owned(),
            ));
        }
    };
    Ok(Places {
        // An agent's runtime directory is found by native clients; a mock's only by those it was told to.
        runtime: flags.runtime.clone().unwrap_or_else(|| state.join("run")),
        state,
        config: None,
    })
}

fn same(a: &std::path::Path, b: &std::path::Path) -> bool {
    let whole = |path: &std::path::Path| std::path::absolute(path).and_then(|path| path.canonicalize().or(Ok(path)));
    matches!((whole(a), whole(b)), (Ok(a), Ok(b)) if a == b)
}

fn set(flags: &Flags, outcomes: &[Outcome]) -> Result<ExitCode, Failure> {
    let home = Home::of(&places(flags)?.state)?;
    home.script().write(outcomes)?;
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.name()).collect();
    match flags.json {
        true => speak::print(&serde_json::json!({ "outcomes": names }).to_string()),
        false => speak::print(&format!("next: {}", names.join(", then "))),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match (0.0..=60.0).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("0 to 60 seconds".to_owned()),
    }
}
