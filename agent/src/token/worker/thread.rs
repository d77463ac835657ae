//! A source on its thread, and how it is asked there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use plugin_protocol::api::SourceKind;
use tokio::sync::{broadcast, oneshot, watch};

use super::look::Seen;
use super::{TokenEvent, held};
use crate::error::Error;
use crate::token::{Announcer, Listing, Notice, Source};

type Job = Box<dyn FnOnce(&mut dyn Source) + Send>;

/// One source, its thread, and what was found there.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) kind: SourceKind,
    lane: Mutex<Lane>,
    pub(super) seen: Mutex<Seen>,
    /// It announces changes: it is asked again when it did.
    announces: AtomicBool,
    announcer: Announcer,
    /// Something was announced since it was asked last.
    stirred: Arc<AtomicBool>,
}

/// Where a source is: waiting for its first question, or on its thread.
enum Lane {
    Idle(Box<dyn Source>),
    Running(mpsc::Sender<Job>),
    Gone,
}

impl Worker {
    pub(super) fn new(
        source: Box<dyn Source>,
        events: &broadcast::Sender<TokenEvent>,
        noticed: &watch::Sender<()>,
    ) -> Self {
        let stirred = Arc::new(AtomicBool::new(true));
        let (stir, events, noticed) = (stirred.clone(), events.clone(), noticed.clone());
        let announcer = move |notice| {
            stir.store(true, Ordering::SeqCst);
            if notice != Notice::Changed {
                let _ = events.send(TokenEvent::Noticed(notice));
            }
            noticed.send_replace(());
        };
        Self {
            name: source.name().to_owned(),
            kind: source.kind(),
            lane: Mutex::new(Lane::Idle(source)),
            seen: Mutex::default(),
            announces: AtomicBool::new(false),
            announcer: Arc::new(announcer),
            stirred,
        }
    }

    /// Whether it tells by itself when its tokens change.
    pub(super) fn announces(&self) -> bool {
        self.announces.load(Ordering::SeqCst)
    }

    /// Whether it told of something since it was asked for its tokens.
    pub(super) fn is_stirred(&self) -> bool {
        self.stirred.load(Ordering::SeqCst)
    }

    /// As if it had told of something: it will be asked.
    pub(super) fn stir(&self) {
        self.stirred.store(true, Ordering::SeqCst);
    }

    /// Asks for its tokens; what it announces from now on is news.
    pub(super) fn ask_for_tokens(&self) -> impl Future<Output = Result<Listing, Error>> {
        self.stirred.store(false, Ordering::SeqCst);
        self.ask(|source| Ok(source.listing()))
    }

    /// Puts a question to the source at once; its answer may be awaited later.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Source) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |source| {
            // The asker may have gone while this waited for its turn.
            if !reply.is_closed() {
                let _ = reply.send(question(source));
            }
        });
        // Where the thread is gone, the job is dropped and its answer with it.
        let mut lane = held(&self.lane);
        if let Lane::Idle(source) = &mut *lane {
            let announces = source.announce(self.announcer.clone());
            self.announces.store(announces, Ordering::SeqCst);
        }
        lane.put(&self.name, job);
        drop(lane);
        async {
            let gone = || Error::Internal(format!("the thread of the token source {} is gone", self.name));
            answer.await.unwrap_or_else(|_| Err(gone()))
        }
    }
}

impl Lane {
    /// Hands a job to the thread, starting it for the first one.
    fn put(&mut self, name: &str, job: Job) {
        if let Self::Idle(_) = self {
            let Self::Idle(source) = std::mem::replace(self, Self::Gone) else {
                return;
            };
            *self = start(name, source).map_or(Self::Gone, Self::Running);
        }
        if let Self::Running(jobs) = self
            && jobs.send(job).is_err()
        {
            *self = Self::Gone;
        }
    }
}

/// The source's thread; it ends with the last sender, after the job at hand.
fn start(name: &str, mut source: Box<dyn Source>) -> Option<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let run = move || {
        for job in jobs {
            job(source.as_mut());
        }
    };
    let thread = std::thread::Builder::new().name(format!("token {name}")).spawn(run);
    if let Err(error) = &thread {
        tracing::error!(source = name, %error, "no thread for a token source");
    }
    thread.ok().map(|_| sender)
}
