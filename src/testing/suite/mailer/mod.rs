//! What every [`Mailer`](crate::mailer::Mailer) does.
//!
//! [`run`] takes a [`Trial`]: a mailer, and the inbox in which the test finds its mails.
//!
//! | obligation of the port | cases |
//! | --- | --- |
//! | a mail is sent to `Mail::to` alone | `a mail reaches its recipient and nobody else`, `mails that are sent at once each reach their own recipient` |
//! | it holds the link or the code, or both | `a mail holds its link`, `a mail holds its code`, `a mail holds its link and its code` |
//! | the link is not rewritten for tracking | `a link is delivered as it was given` |
//! | neither link nor code is logged | `neither the link nor the code is logged` |
//! | it may be dropped before it is done | `a mail that is dropped half-way does not keep the next one` |
//! | a mail that was not taken is an error | `a mail that is not taken is an error`, `after a failure the next mail is taken` |
//!
//! The log is what `tracing` records while the mailer's future is polled. The suite does not see
//! what a task or thread of the mailer logs, or what goes to another log. It skips the cases of
//! failure if the trial cannot make its mailer [fail](Trial::fail).
//!
//! ```
//! use std::sync::Mutex;
//! use tower_magic_link::{
//!     mailer::{Mail, MailError, Mailer},
//!     testing::suite::{self, mailer::{Delivered, Trial}},
//! };
//!
//! /// Hands mails to a service, which keeps them here.
//! #[derive(Default)]
//! struct Courier(Mutex<Vec<Delivered>>);
//!
//! impl Mailer for Courier {
//!     async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
//!         let delivered = Delivered::new([mail.to().as_str()], mail.text());
//!         self.0.lock().unwrap().push(delivered);
//!         Ok(())
//!     }
//! }
//!
//! impl Trial for Courier {
//!     type Mailer = Self;
//!
//!     fn mailer(&self) -> &Self {
//!         self
//!     }
//!
//!     async fn delivered(&self, _: usize) -> Vec<Delivered> {
//!         self.0.lock().unwrap().clone()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! suite::mailer::run(async |_world| Courier::default()).await.assert();
//! # }
//! ```

use super::{Report, Suite, World};

mod desk;
mod sent;
mod trial;

pub use self::trial::{Delivered, Failure, Trial};

/// Runs the suite. `make` makes a mailer that has sent nothing, for each case.
pub async fn run<T: Trial>(make: impl AsyncFn(World) -> T) -> Report {
    let mut suite = Suite::of("mailer", make);
    all(&mut suite).await;
    suite.report
}

async fn all<T: Trial>(suite: &mut Suite<impl AsyncFn(World) -> T>) {
    let name = "a mail reaches its recipient and nobody else";
    suite.case(name, sent::to_its_recipient).await;
    let name = "mails that are sent at once each reach their own recipient";
    suite.case(name, sent::at_once).await;
    let name = "a mail holds its link";
    suite.case(name, sent::a_link).await;
    let name = "a mail holds its code";
    suite.case(name, sent::a_code).await;
    let name = "a mail holds its link and its code";
    suite.case(name, sent::both).await;
    let name = "a link is delivered as it was given";
    suite.case(name, sent::as_it_was_given).await;
    let name = "neither the link nor the code is logged";
    suite.case(name, sent::not_logged).await;
    let name = "a mail that is dropped half-way does not keep the next one";
    suite.case(name, sent::dropped).await;
    let name = "a mail that is not taken is an error";
    suite.case(name, sent::not_taken).await;
    let name = "after a failure the next mail is taken";
    suite.case(name, sent::after_a_failure).await;
}
