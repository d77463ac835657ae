//! From flags and the configuration file to the collaborators.

use agent::app::{App, Window};
use agent::clock::Clock;
use agent::config::{Config, ConfigError};
use agent::events::Events;
use agent::history::History;
use agent::operation::Operations;
use agent::pairing::Pairings;
use agent::token::discover;
use agent::token::worker::Tokens;
use agent::{Error, private_file, prompt};

use crate::cli::{Failure, Flags, Overrides};
use crate::places::Places;

/// The configuration with the flags laid over it.
pub(crate) struct Setup {
    pub(crate) places: Places,
    pub(crate) config: Config,
}

impl Setup {
    /// Finds the places, reads the configuration, starts the log.
    pub(crate) fn load(flags: &Flags, overrides: &Overrides, default_log: &str) -> Result<Self, Failure> {
        let places = flags.places()?;
        let mut config = match &places.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        overrides.apply(&mut config);
        let log = flags.log.as_deref().or(config.log.as_deref()).unwrap_or(default_log);
        start_log(log)?;
        Ok(Self { places, config })
    }

    /// Creates what is missing and gathers the collaborators. No token is touched.
    pub(crate) fn app(self) -> Result<App, Failure> {
        let Self { places, config } = self;
        if agent::mock::is_mock(&places.state) {
            let why = "is the state of a mock, whose pairings nobody agreed to; give a real agent another --state";
            return Err(Failure::usage(format!("{} {why}", places.state.display())));
        }
        private_file::create_directory(&places.state)
            .map_err(|error| Error::Internal(format!("state directory {}: {error}", places.state.display())))?;
        let found = discover(&config, &places.state);
        let clock = Clock::system();
        Ok(App {
            begun: clock.unix(),
            clock,
            tokens: Tokens::new(found.sources),
            prompt: prompt::detect(&config.prompt),
            window: Window::default(),
            pairings: Pairings::open(&places.state)?,
            events: Events::new(),
            history: History::open(places.history())?,
            operations: Operations::with_rate(config.rates.operations_per_minute),
            config,
            rehearsal: None,
        })
    }
}

/// The log goes to standard error: `warn`, `agent=debug,warn`, …
pub(crate) fn start_log(filter: &str) -> Result<(), Failure> {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let targets: Targets = filter
        .parse()
        .map_err(|error| Failure::usage(format!("--log {filter}: {error}")))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    let started = tracing_subscriber::registry().with(lines).with(targets).try_init();
    started.map_err(|error| Failure::usage(error.to_string()))
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}
