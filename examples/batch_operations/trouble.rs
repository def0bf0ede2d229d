//! A database in trouble, to see what becomes of a batch then: it stands before a healthy one and gives some of the answers
//! itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use dynorm::Database;
use dynorm_tests::canned::{self, Answer, Recorded};

pub(crate) struct Trouble {
    answer: Box<dyn Fn(&Recorded) -> Answer + Send + Sync>,
    times: usize,
}

impl Trouble {
    /// Answers every request like this.
    pub(crate) fn answering(answer: Answer) -> Self {
        Self { answer: Box::new(move |_| answer.clone()), times: usize::MAX }
    }

    /// Takes the requests and hands back everything in them, unprocessed.
    pub(crate) fn handing_back() -> Self {
        let answer = |request: &Recorded| {
            Answer::ok(format!(r#"{{"UnprocessedItems":{}}}"#, request.body["RequestItems"]))
        };
        Self { answer: Box::new(answer), times: usize::MAX }
    }

    /// It is over after so many requests.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    pub(crate) fn over(self, healthy: &Database) -> Database {
        let seen = AtomicUsize::new(0);
        let (database, _) = canned::over(healthy, move |request| {
            if seen.fetch_add(1, Ordering::Relaxed) < self.times {
                (self.answer)(request)
            } else {
                Answer::Engine
            }
        });
        database
    }
}
