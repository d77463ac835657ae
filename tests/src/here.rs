//! A daemon in this process, for scenes below which there is nothing but a trait.

use std::sync::Arc;
use std::thread::JoinHandle;

use agent::app::{App, Window};
use agent::clock::Clock;
use agent::config::Config;
use agent::events::Events;
use agent::history::History;
use agent::operation::Operations;
use agent::pairing::Pairings;
use agent::token::Source;
use agent::token::worker::Tokens;
use agent::{private_file, prompt, server};
use tokio::sync::oneshot;

use crate::agent::Setup;

/// It, in a thread of its own: a test that waits does not keep it waiting.
pub(crate) struct Here {
    base: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Here {
    pub(crate) fn start(setup: &Setup, sources: Vec<Box<dyn Source>>) -> Self {
        let config = Config::parse(&setup.config()).expect("a configuration");
        let state = setup.state();
        private_file::create_directory(&state).expect("a state directory");
        let listener = server::bind(Some(0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let clock = Clock::system();
        let app = App {
            begun: clock.unix(),
            clock,
            tokens: Tokens::new(sources),
            prompt: prompt::detect(&config.prompt),
            window: Window::default(),
            pairings: Pairings::open(&state).expect("pairings"),
            events: Events::new(),
            history: History::open(state.join("history.jsonl")).expect("a history"),
            operations: Operations::with_rate(config.rates.operations_per_minute),
            config,
            rehearsal: None,
        };
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let running = server::run(Arc::new(app), listener, async {
                let _ = ended.await;
            });
            let _ = runtime.expect("a runtime").block_on(running);
        });
        Self {
            base: format!("http://{address}"),
            end: Some(end),
            thread: Some(thread),
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
