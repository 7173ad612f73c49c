//! `Fault`: how an endpoint fails, if a test orders it.
//!
//! - The orders of one endpoint form a queue: the first is used up before the next one begins.
//! - A fault replaces the endpoint's work, delays it, or spoils its answer. That decides whether a
//!   code is used up, so each fault's doc says which of the three it does.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use http::StatusCode;
use tokio::sync::watch;

use super::Endpoint;

/// How an endpoint fails. The request's body has been read before the fault begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Answers this, and does no work. An invalid header value is left out.
    Answer {
        /// The status.
        status: StatusCode,
        /// The `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Does no work, and ends the connection before the first byte of an answer.
    ///
    /// Without a server, the service's future fails with [`ConnectionCut`](super::ConnectionCut).
    Cut,
    /// Does the work, and ends the connection in the middle of the answer's body.
    ///
    /// Without a server, the body fails with [`ConnectionCut`](super::ConnectionCut). An answer
    /// without a body stays whole.
    CutBody,
    /// Waits by tokio's clock, then does the work, even if the client has hung up by then.
    Delay(Duration),
    /// Does no work and never answers.
    Hang,
    /// Waits until [`Hold::release`], then does the work, even if the client has hung up by then.
    ///
    /// Without a tokio runtime, a client that hangs up prevents the work.
    Hold(Hold),
    /// Does the work, and answers with that many spaces before the real body. The whole is valid
    /// JSON. It is streamed in small pieces, and no `Content-Length` announces it.
    HugeBody(usize),
    /// Does the work, and answers with the first half of the body as if it were complete.
    InvalidJson,
    /// Does the work, and ends the connection before the first byte of the answer, so that the
    /// client cannot know that the work is done.
    LostAnswer,
    /// Does the work, and leaves out the fields that WorkOS's older answers lack or that are
    /// optional: a token's `token_type` and `expires_in`, a sent mail's `success`, a profile's
    /// name, roles, groups and attributes, an authentication's `authentication_method`, and its
    /// user's name, language and metadata.
    OldShape,
    /// Answers 429 with `Retry-After` in whole seconds, and does no work.
    RateLimited(Duration),
    /// Answers 302 to this location, and does no work.
    Redirect(String),
    /// Answers a status and `{"message":…}`, and does no work.
    Status(StatusCode),
    /// Does the work, and answers a status and `{"message":…}`, like a proxy that gives up waiting
    /// for the server behind it.
    StatusAfterWork(StatusCode),
}

/// Holds requests until it is released, so that a test can act in between without sleeping. Clones
/// share one hold.
///
/// ```
/// use tower_magic_link::emulator::{Emulator, Endpoint, Fault, Hold};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::new();
/// let server = emulator.serve(0).await?;
/// let hold = Hold::new();
/// emulator.order(Endpoint::Profile, Fault::Hold(hold.clone()));
///
/// let request = tokio::spawn(reqwest::get(format!("{}/sso/profile", server.base_url())));
/// hold.wait_for(1).await;
/// assert!(!request.is_finished());
/// hold.release();
/// assert_eq!(request.await??.status(), 401);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hold(Arc<Held>);

struct Held {
    caught: watch::Sender<usize>,
    is_released: watch::Sender<bool>,
}

impl Hold {
    /// Creates a hold.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Held {
            caught: watch::Sender::new(0),
            is_released: watch::Sender::new(false),
        }))
    }

    /// Waits until the hold has caught that many requests since it was created.
    pub async fn wait_for(&self, requests: usize) {
        let mut caught = self.0.caught.subscribe();
        // It fails only if the sender is gone, and `self` holds it.
        let _ = caught.wait_for(|caught| *caught >= requests).await;
    }

    /// Releases all requests that are held, and all later ones.
    pub fn release(&self) {
        self.0.is_released.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        let mut is_released = self.0.is_released.subscribe();
        self.0.caught.send_modify(|caught| *caught += 1);
        let _ = is_released.wait_for(|is_released| *is_released).await;
    }
}

impl Default for Hold {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold")
            .field("caught", &*self.0.caught.borrow())
            .field("is_released", &*self.0.is_released.borrow())
            .finish()
    }
}

/// The faults that wait for requests.
#[derive(Debug, Default)]
pub(super) struct Orders(HashMap<Endpoint, VecDeque<Order>>);

#[derive(Debug)]
struct Order {
    fault: Fault,
    /// How many more requests it applies to. `None`: all.
    left: Option<usize>,
}

impl Orders {
    pub(super) fn push(&mut self, endpoint: Endpoint, fault: Fault, left: Option<usize>) {
        if left != Some(0) {
            self.0
                .entry(endpoint)
                .or_default()
                .push_back(Order { fault, left });
        }
    }

    pub(super) fn clear(&mut self, endpoint: Endpoint) {
        self.0.remove(&endpoint);
    }

    /// Takes the fault for the next request to an endpoint.
    pub(super) fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let orders = self.0.get_mut(&endpoint)?;
        let order = orders.front_mut()?;
        match &mut order.left {
            Some(1) => orders.pop_front().map(|order| order.fault),
            Some(left) => {
                *left -= 1;
                Some(order.fault.clone())
            }
            None => Some(order.fault.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(orders: &mut Orders, endpoint: Endpoint) -> Option<usize> {
        match orders.next(endpoint) {
            Some(Fault::HugeBody(name)) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn orders_wait_in_line_and_each_is_used_up_before_the_next() {
        let mut orders = Orders::default();
        orders.push(Endpoint::Token, Fault::HugeBody(0), Some(0));
        orders.push(Endpoint::Token, Fault::HugeBody(1), Some(1));
        orders.push(Endpoint::Token, Fault::HugeBody(2), Some(2));
        orders.push(Endpoint::Token, Fault::HugeBody(3), None);
        let got: Vec<_> = (0..6).map(|_| next(&mut orders, Endpoint::Token)).collect();
        assert_eq!(got, [1, 2, 2, 3, 3, 3].map(Some));
        assert_eq!(next(&mut orders, Endpoint::Send), None);
        orders.clear(Endpoint::Token);
        assert_eq!(next(&mut orders, Endpoint::Token), None);
    }

    #[tokio::test]
    async fn a_hold_lets_go_what_it_caught_and_catches_nothing_after() {
        let hold = Hold::new();
        let held = tokio::spawn({
            let hold = hold.clone();
            async move { hold.pass().await }
        });
        hold.wait_for(1).await;
        assert!(!held.is_finished());
        hold.release();
        held.await.unwrap();
        hold.pass().await;
        assert_eq!(format!("{hold:?}"), "Hold { caught: 2, is_released: true }");
    }
}
