//! The exchange of a code, once for however many callbacks bring it, tried in every order that
//! threads can take.
//!
//! - Its run is a future that callers share (futures-util's `Shared`). Here it is a lock: the
//!   thread that takes it first asks the provider.
//! - The provider takes a code once, as WorkOS does.

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use super::Runs;
use crate::clock::Timestamp;

const CODE: [u8; 32] = [7; 32];
const NOW: Timestamp = Timestamp::from_secs(1_000);

/// What a callback ends with: the number of the session, if there is one.
type Outcome = Result<u32, ()>;
type Run = Arc<Mutex<Option<Outcome>>>;

struct Callbacks {
    runs: Runs<Run>,
    asked: AtomicU32,
    /// How many of the first answers are failures, before the code is looked at.
    failures: u32,
}

impl Callbacks {
    fn new(failures: u32) -> Arc<Self> {
        Arc::new(Self {
            runs: Runs::new(|_| Some(NOW)),
            asked: AtomicU32::new(0),
            failures,
        })
    }

    /// What `Exchanges::join` does, with its run awaited.
    fn callback(&self) -> Outcome {
        let run = self
            .runs
            .join(CODE, None, || Arc::new(Mutex::new(None)), NOW);
        let outcome = *run.lock().unwrap().get_or_insert_with(|| self.ask());
        if outcome.is_err() {
            self.runs.forget(CODE, |known| Arc::ptr_eq(known, &run));
        }
        outcome
    }

    fn ask(&self) -> Outcome {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        if asked == self.failures {
            Ok(asked)
        } else {
            Err(())
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn try_every_order(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn callbacks_at_once_make_one_exchange_and_one_session() {
    try_every_order(|| {
        let callbacks = Callbacks::new(0);
        let others = [(); 2].map(|()| {
            let callbacks = callbacks.clone();
            thread::spawn(move || callbacks.callback())
        });
        let ours = callbacks.callback();
        let theirs = others.map(|other| other.join().unwrap());
        assert_eq!((ours, theirs), (Ok(0), [Ok(0); 2]));
        assert_eq!(callbacks.asked(), 1);
        assert!(callbacks.runs.knows(&CODE, NOW));
    });
}

/// The provider fails once. A caller that got the failure tries again, while another may be late to
/// forget the run that failed.
#[test]
fn a_late_caller_of_a_failure_does_not_forget_the_next_try() {
    try_every_order(|| {
        let callbacks = Callbacks::new(1);
        let others = [(); 2].map(|()| {
            let callbacks = callbacks.clone();
            thread::spawn(move || callbacks.callback().or_else(|()| callbacks.callback()))
        });
        let outcomes = others.map(|other| other.join().unwrap());
        assert_eq!(outcomes, [Ok(1); 2]);
        assert_eq!(callbacks.asked(), 2, "one failure, one exchange");
        assert!(callbacks.runs.knows(&CODE, NOW));
    });
}
