//! The connections of clients: how many, and how long one may do nothing.
//!
//! - A connection without a request under way is closed after [`Limits::idle`], whatever it is
//!   doing: saying nothing, dripping a head, keeping HTTP/1.1 alive, answering pings of HTTP/2.
//!   hyper's own limit for a head begins only when the version of HTTP is known. So is one of
//!   HTTP/2 whose client takes nothing of an answer for that long.
//! - If there are as many connections as there may be, each new one closes the one that has been
//!   idle for longest. If all have a request under way, the new one waits. [`WAITING`] may wait at
//!   a time, so that none of them waits until the one before it has its place.
//! - Of a head that is not whole, no more than [`KEPT`] is kept.
//! - An `accept` that fails, for instance without a free descriptor, ends nothing.
//! - A TLS handshake has as long as a connection may be idle, and makes room in a crowd like one.
//! - When the program is to end, no connection is accepted any more. Those without a request under
//!   way are closed, and so are tunnels and unfinished handshakes. The others are closed after
//!   their answer, or when the grace is over.

use std::{
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use futures_util::FutureExt;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::activity::{Activity, BLOCKED, Phase, STALLED};

/// How long to wait after a failed `accept`.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection that is asked to end may take.
const GRACE: Duration = Duration::from_secs(1);
const GRACE_IN_A_CROWD: Duration = Duration::from_millis(10);

/// How many new connections may wait for a place at a time.
const WAITING: usize = 32;

/// Descriptors that are for neither connections nor requests.
const SPARE: usize = 32 + WAITING;

/// How many requests one connection of HTTP/2 may have under way: RFC 9113, section 6.5.2, names
/// this as the least.
const STREAMS: u32 = 100;

/// How many bytes of a head are kept until it is whole, and of each answer over HTTP/2 until its
/// client takes them. A larger head is a 431. hyper's default is 400 KB for either.
const KEPT: usize = 64 * 1024;

/// What clients may do with connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) idle: Duration,
}

/// How clients come in, and until when.
#[derive(Clone)]
pub(crate) struct Door {
    /// The certificate of the moment. Default: plain http.
    pub(crate) tls: Option<watch::Receiver<TlsAcceptor>>,
    /// Becomes `true` when the program is to end.
    pub(crate) stop: watch::Receiver<bool>,
    /// How long a request under way may then take.
    pub(crate) grace: Duration,
}

/// Marks the requests that came over the guard's own TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverTls;

/// A connection's place among those that there may be. A tunnel keeps it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
    stop: watch::Receiver<bool>,
}

/// The places that connections take.
struct Crowd {
    free: Arc<Semaphore>,
    /// How many new connections wait for a place. Locked for each change of the questions.
    waiting: Mutex<usize>,
    /// At most one question for each of them, until an idle connection takes it and leaves.
    questions: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        // Each request may need a descriptor to the service too.
        let connections = descriptors().saturating_sub(SPARE) / 2;
        Self {
            connections: connections.max(1),
            idle: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Returns how many requests may be with the service at a time, each with a descriptor of its
    /// own: as many as the connections leave, and half of all at least.
    pub(crate) fn requests(&self) -> usize {
        let all = descriptors().saturating_sub(SPARE);
        let left = all.saturating_sub(self.connections);
        left.max(all / 2).max(1)
    }
}

/// Plain http, until the process ends.
impl Default for Door {
    fn default() -> Self {
        Self {
            tls: None,
            stop: watch::channel(false).1,
            grace: Duration::ZERO,
        }
    }
}

impl Slot {
    /// Waits until the program is to end.
    pub(super) async fn stopped(mut self) {
        stopped(&mut self.stop).await;
    }
}

impl Crowd {
    fn of(connections: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(connections)),
            waiting: Mutex::new(0),
            questions: Semaphore::new(0),
        }
    }

    /// Waits for a place, and asks an idle connection for its own if none is free.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(Arc::clone(&self.free).acquire_owned());
        // It has its turn among those that wait before anybody leaves for it.
        let place = match place.as_mut().now_or_never() {
            Some(place) => place,
            None => {
                self.begin_to_wait();
                let place = place.await;
                self.end_to_wait();
                place
            }
        };
        // It is never closed.
        place.ok()
    }

    /// Asks the connection that has been idle for longest to leave, or the next to be idle.
    fn begin_to_wait(&self) {
        let mut waiting = self.waiting();
        *waiting += 1;
        self.questions.add_permits(1);
    }

    /// Takes back a question that nobody needs any more: a connection would leave later, for
    /// nobody.
    fn end_to_wait(&self) {
        let mut waiting = self.waiting();
        *waiting -= 1;
        if self.questions.available_permits() > *waiting
            && let Ok(question) = self.questions.try_acquire()
        {
            question.forget();
        }
    }

    /// Waits until an idle connection is asked to leave. The one that has waited for longest is
    /// first.
    async fn asked(&self) {
        if let Ok(question) = self.questions.acquire().await {
            question.forget();
        }
    }

    /// Asks another connection, because the one that was asked does not leave yet.
    fn ask_another(&self) {
        let waiting = self.waiting();
        if self.questions.available_permits() < *waiting {
            self.questions.add_permits(1);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves HTTP/1.1, and HTTP/2 to clients that begin with it, until the program is to end.
pub(crate) async fn serve(listener: TcpListener, app: Router, limits: Limits, door: Door) {
    let crowd = Arc::new(Crowd::of(limits.connections));
    let waiting = Arc::new(Semaphore::new(WAITING));
    let mut stop = door.stop.clone();
    loop {
        let next = async {
            let waits = Arc::clone(&waiting).acquire_owned().await;
            (waits, listener.accept().await)
        };
        let (waits, accepted) = tokio::select! {
            () = stopped(&mut stop) => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(target: "guard", "accept: {error}");
                crowd.begin_to_wait();
                sleep(PAUSE).await;
                crowd.end_to_wait();
                continue;
            }
        };
        let (app, crowd, door) = (app.clone(), Arc::clone(&crowd), door.clone());
        tokio::spawn(async move {
            let mut stop = door.stop;
            let permit = tokio::select! {
                () = stopped(&mut stop) => return,
                permit = crowd.place() => permit,
            };
            drop(waits);
            let Some(permit) = permit else { return };
            let slot = Slot {
                _permit: Arc::new(permit),
                stop: stop.clone(),
            };
            let _ = stream.set_nodelay(true);
            let visit = Visit {
                peer,
                app,
                slot,
                limit: limits.idle,
                tls: door.tls.is_some().then_some(OverTls),
            };
            let tls = door.tls.map(|tls| tls.borrow().clone());
            let Some(tls) = tls else {
                return visit.converse(stream, &crowd, stop).await;
            };
            // A client that does not get through the handshake holds its place no longer than one
            // that says nothing.
            let handshake = tokio::select! {
                biased;
                handshake = timeout(limits.idle, tls.accept(stream)) => handshake,
                () = stopped(&mut stop) => return,
                () = crowd.asked() => return,
            };
            if let Ok(Ok(stream)) = handshake {
                visit.converse(stream, &crowd, stop).await;
            }
        });
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if timeout(door.grace, crowd.free.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!(
            target: "guard",
            "some requests were still under way when the grace was over"
        );
    }
}

/// Waits until the program is to end. Without anybody who could say so, that is never.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|is_stopped| *is_stopped).await.is_err() {
        pending().await
    }
}

/// One client's connection.
struct Visit {
    peer: SocketAddr,
    app: Router,
    slot: Slot,
    limit: Duration,
    tls: Option<OverTls>,
}

impl Visit {
    async fn converse(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        crowd: &Crowd,
        mut stop: watch::Receiver<bool>,
    ) {
        let Self {
            peer,
            app,
            slot,
            limit,
            tls,
        } = self;
        let activity = Activity::new();
        let begun = activity.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let turn = begun.begin();
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(slot.clone());
            if let Some(tls) = tls {
                request.extensions_mut().insert(tls);
            }
            let answer = app.clone().oneshot(request.map(Body::new));
            async move { Ok::<_, Infallible>(answer.await?.map(|body| turn.answer(body))) }
        });
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().max_buf_size(KEPT);
        // Pings find out whether a client with a request under way is still there.
        server
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(KEPT)
            .keep_alive_interval(limit);
        let stream = TokioIo::new(activity.watch(stream));
        let mut connection = pin!(server.serve_connection_with_upgrades(stream, service));
        let is_asked = tokio::select! {
            // What a client has sent is read before its connection counts as idle.
            biased;
            // An error here is the client's.
            _ = connection.as_mut() => return,
            () = stopped(&mut stop) => false,
            is_asked = idle(&activity, limit, limit, Some(crowd)) => is_asked,
        };
        connection.as_mut().graceful_shutdown();
        let stays = async {
            let mut phase = activity.phase();
            // It leaves for one new connection, and not for two. A request that has come in the
            // meantime is answered, and may take long.
            if is_asked {
                let _ = phase.wait_for(|phase| *phase == Phase::AtWork).await;
                crowd.ask_another();
            }
            pending().await
        };
        let over = async {
            match is_asked {
                true => idle(&activity, GRACE_IN_A_CROWD, STALLED.min(limit), None).await,
                false => idle(&activity, GRACE, limit, Some(crowd)).await,
            }
        };
        tokio::select! {
            biased;
            _ = connection => {}
            () = stays => {}
            _ = over => {}
        }
    }
}

/// Waits until nothing has been under way for `limit`, or the client has taken nothing for
/// `patience`, or a new connection needs the place. Says whether the new one asked.
async fn idle(
    activity: &Activity,
    limit: Duration,
    patience: Duration,
    crowd: Option<&Crowd>,
) -> bool {
    let asked = async || match crowd {
        Some(crowd) => crowd.asked().await,
        None => pending().await,
    };
    let mut phase = activity.phase();
    loop {
        let now = *phase.borrow_and_update();
        match now {
            Phase::AtWork => {
                let _ = phase.changed().await;
            }
            Phase::Blocked => {
                let patience = BLOCKED.max(patience);
                let left = patience.saturating_sub(activity.moved().elapsed());
                if left.is_zero() {
                    return false;
                }
                tokio::select! {
                    () = sleep(left) => {}
                    _ = phase.changed() => {}
                }
            }
            Phase::Idle => tokio::select! {
                () = sleep(limit) => return false,
                () = asked() => return true,
                _ = phase.changed() => {}
            },
            Phase::Taking => {
                let still = activity.moved().elapsed();
                if still >= patience {
                    return false;
                }
                let is_stalled = still >= STALLED;
                let again = match is_stalled {
                    true => STALLED.min(patience.saturating_sub(still)),
                    false => STALLED.min(patience).saturating_sub(still),
                };
                tokio::select! {
                    () = sleep(again) => {}
                    () = asked(), if is_stalled => {
                        if activity.moved().elapsed() >= STALLED {
                            return true;
                        }
                        // It has moved on meanwhile.
                        if let Some(crowd) = crowd {
                            crowd.ask_another();
                        }
                    }
                    _ = phase.changed() => {}
                }
            }
        }
    }
}

/// Returns how many descriptors the process may have, after asking for more than the usual 1,024.
#[cfg(unix)]
fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    const ENOUGH: u64 = 20_000;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    let wanted = Some(current.unwrap_or(ENOUGH).max(wanted));
    let raised = Rlimit {
        current: wanted,
        maximum,
    };
    let raised = setrlimit(Resource::Nofile, raised).map_or(current, |()| wanted);
    raised
        .and_then(|limit| limit.try_into().ok())
        .unwrap_or(1_024)
}

#[cfg(not(unix))]
const fn descriptors() -> usize {
    10_000
}

#[cfg(test)]
mod tests;
