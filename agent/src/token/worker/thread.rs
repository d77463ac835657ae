//! A source on its thread, and how it is asked there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};

use plugin_protocol::api::SourceKind;
use tokio::sync::{broadcast, oneshot, watch};

use super::look::Seen;
use super::{TokenEvent, held};
use crate::error::Error;
use crate::token::{Announcer, Listing, Notice, Source};

type Job = Box<dyn FnOnce(&mut dyn Source) + Send>;

/// A job in line, until its turn comes or its asker goes.
struct InLine(Mutex<Option<Job>>);

/// Who waits for a job. When this goes, a job that has not begun goes with it, and the PIN that may be in it: whatever
/// holds the thread may do so for minutes yet. It does not keep the job, for that is to end with the thread.
struct Asker(Weak<InLine>);

/// A source's answer for its tokens, and when it was given.
pub(super) struct Told {
    /// Higher than that of all earlier answers of this source.
    pub(super) ticket: u64,
    pub(super) listing: Listing,
}

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
    /// The [`Told::ticket`] of the next answer.
    tickets: Arc<AtomicU64>,
}

/// Where a source is: waiting for its first question, or on its thread.
enum Lane {
    Idle(Box<dyn Source>),
    Running(mpsc::Sender<Arc<InLine>>),
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
            tickets: Arc::new(AtomicU64::new(1)),
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
    pub(super) fn ask_for_tokens(&self) -> impl Future<Output = Told> {
        self.stirred.store(false, Ordering::SeqCst);
        let tickets = self.tickets.clone();
        // On the source's one thread: tickets are in the order of the answers.
        let answer = self.ask(move |source| {
            Ok(Told {
                listing: source.listing(),
                ticket: tickets.fetch_add(1, Ordering::SeqCst),
            })
        });
        // A thread that is gone stays gone: nothing is newer.
        let gone = |error| Told {
            listing: Err(error).into(),
            ticket: u64::MAX,
        };
        async move { answer.await.unwrap_or_else(gone) }
    }

    /// Puts a question to the source at once; its answer may be awaited later. Where that future is dropped before the
    /// question's turn came, the question is dropped with it.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Source) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |source| {
            // The asker may be going just now.
            if !reply.is_closed() {
                let _ = reply.send(question(source));
            }
        });
        let job = Arc::new(InLine(Mutex::new(Some(job))));
        let asker = Asker(Arc::downgrade(&job));
        // Where the thread is gone, the job is dropped and its answer with it.
        let mut lane = held(&self.lane);
        if let Lane::Idle(source) = &mut *lane {
            let announces = source.announce(self.announcer.clone());
            self.announces.store(announces, Ordering::SeqCst);
        }
        lane.put(&self.name, job);
        drop(lane);
        async move {
            let _asker = asker;
            let gone = || Error::Internal(format!("the thread of the token source {} is gone", self.name));
            answer.await.unwrap_or_else(|_| Err(gone()))
        }
    }
}

impl InLine {
    /// The job, where it neither began nor was given up. The lock is let go before whatever is done with it.
    fn take(&self) -> Option<Job> {
        held(&self.0).take()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        drop(self.0.upgrade().and_then(|job| job.take()));
    }
}

impl Lane {
    /// Hands a job to the thread, starting it for the first one.
    fn put(&mut self, name: &str, job: Arc<InLine>) {
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
fn start(name: &str, mut source: Box<dyn Source>) -> Option<mpsc::Sender<Arc<InLine>>> {
    let (sender, jobs) = mpsc::channel::<Arc<InLine>>();
    let run = move || {
        for job in jobs {
            if let Some(job) = job.take() {
                job(source.as_mut());
            }
        }
    };
    let thread = std::thread::Builder::new().name(format!("token {name}")).spawn(run);
    if let Err(error) = &thread {
        tracing::error!(source = name, %error, "no thread for a token source");
    }
    thread.ok().map(|_| sender)
}
