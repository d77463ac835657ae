//! A person with a script: what they answer to each question, and what they were asked.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{oneshot, watch};

use crate::pin::Pin;
use crate::prompt::{Answer, Asking, Prompt, PromptError, Question};

/// One answer.
pub(crate) enum Reply {
    Yes,
    Pin(&'static str),
    Chosen(usize),
    Fail(PromptError),
    /// Never answers: the window stays open until it is closed.
    Hang,
    /// Something happens while the window is open, then they answer.
    After(Box<dyn FnOnce() + Send>, Box<Reply>),
    /// Answers when the word comes.
    Late(oneshot::Receiver<()>, Box<Reply>),
}

impl Reply {
    pub(crate) fn after(happens: impl FnOnce() + Send + 'static, reply: Reply) -> Self {
        Self::After(Box::new(happens), Box::new(reply))
    }
}

/// Answers by a script. When it is dropped the script must have been used up.
pub(crate) struct Person {
    script: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Question>>,
    count: watch::Sender<usize>,
    closed: AtomicUsize,
    unattended: bool,
}

impl Person {
    pub(crate) fn new(replies: Vec<Reply>) -> Self {
        Self {
            script: Mutex::new(replies.into()),
            asked: Mutex::default(),
            count: watch::Sender::new(0),
            closed: AtomicUsize::new(0),
            unattended: false,
        }
    }

    /// Nobody: a script that stands for a policy.
    pub(crate) fn unattended(replies: Vec<Reply>) -> Self {
        let mut nobody = Self::new(replies);
        nobody.unattended = true;
        nobody
    }

    /// One more answer at the end of the script.
    pub(crate) fn say(&self, reply: Reply) {
        self.script.lock().unwrap().push_back(reply);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }

    /// Windows that were closed without an answer.
    pub(crate) fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }

    /// Returns when so many questions were asked.
    pub(crate) async fn asked_times(&self, times: usize) {
        self.count.subscribe().wait_for(|count| *count >= times).await.unwrap();
    }
}

/// Counts a window that is closed before it was answered.
struct Open<'a>(Option<&'a AtomicUsize>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(closed) = self.0 {
            closed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Prompt for Person {
    fn name(&self) -> &str {
        "script"
    }

    fn unattended(&self) -> bool {
        self.unattended
    }

    fn check(&self) -> Result<(), PromptError> {
        Ok(())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(question.clone());
            let reply = self.script.lock().unwrap().pop_front();
            self.count.send_modify(|count| *count += 1);
            let mut open = Open(Some(&self.closed));
            let mut reply = reply.unwrap_or_else(|| panic!("a question beyond the script: {question:?}"));
            loop {
                reply = match reply {
                    Reply::After(happens, then) => {
                        happens();
                        *then
                    }
                    Reply::Late(word, then) => {
                        let _ = word.await;
                        *then
                    }
                    now => {
                        reply = now;
                        break;
                    }
                };
            }
            let answer = match reply {
                Reply::Yes => Ok(Answer::Yes),
                Reply::Pin(pin) => Ok(Answer::Pin(Pin::new(pin.to_owned()))),
                Reply::Chosen(index) => Ok(Answer::Chosen(index)),
                Reply::Fail(error) => Err(error),
                Reply::Hang | Reply::After(..) | Reply::Late(..) => std::future::pending().await,
            };
            open.0 = None;
            answer
        })
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let left = self.script.lock().unwrap().len();
        assert!(
            std::thread::panicking() || left == 0,
            "{left} answers of the script were not asked for"
        );
    }
}
