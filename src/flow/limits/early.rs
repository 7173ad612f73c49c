//! `Early`: a try that was taken, while nothing has been compared.

use tokio::runtime::Handle;
use tracing::Instrument;

use super::{Try, take_try};
use crate::{
    clock::Timestamp,
    flow::{apart::apart, step::Step},
    rejection::{Rejection, RejectionKind},
};

/// A try of a request that has not compared anything yet. If the request ends before it does, the
/// try is given back.
#[must_use = "a try that is dropped is given back"]
pub(in crate::flow) struct Early(Option<Try>);

impl Early {
    /// Takes a try, as [`take_try`] does.
    pub(in crate::flow) async fn take(
        step: &Step,
        of: Vec<u8>,
        most: u32,
        until: Timestamp,
    ) -> Result<Self, Rejection> {
        let (flow, now) = (step.flow.clone(), step.now);
        // Otherwise a request that ends meanwhile would lose the try with the answer.
        let taken = apart(async move {
            let taken = take_try(&flow, &of, most, until, now).await;
            taken.map(|taken| Self(Some(taken)))
        });
        let shut_down = || Err(Rejection::new(RejectionKind::StoreUnavailable));
        taken.await.unwrap_or_else(shut_down)
    }

    /// Counts it from here on: something is compared next.
    pub(in crate::flow) fn count(mut self) -> Option<Try> {
        self.0.take()
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        if let (Some(taken), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(taken.give_back().in_current_span());
        }
    }
}
