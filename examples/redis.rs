//! An application with several replicas behind one address, which share only a Redis and their
//! keys.
//!
//! `REDIS_URL=redis://127.0.0.1 PUBLIC_URL=https://app.example.com MAGIC_LINK_KEY=$(openssl rand
//! -base64 32) WORKOS_API_KEY=… WORKOS_CLIENT_ID=… cargo run --example redis` runs one of them. Any
//! of them finishes a sign-in that another began, and a session that is ended on one is ended on
//! all. `PORT` chooses the port: default 3000, 0 picks a free one.
//!
//! On SIGTERM it answers the requests that it has taken, and then waits for three seconds at most
//! until Redis has every revocation. What the layer still does beside them is dropped: a mail that
//! takes longer than its page, the exchange of a code whose browser has left.

#![expect(clippy::print_stdout, reason = "the terminal is where it is read")]

use std::{env, error::Error, net::SocketAddr, time::Duration};

use axum::{Router, http::StatusCode, response::Html, routing::get};
use tokio::{
    net::TcpListener,
    signal,
    time::{sleep, timeout},
};
use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, Session,
    event::Event,
    revocation::{RedisRevocations, Status},
    store::{Redis, StoreErrorKind},
    throttle::RedisThrottle,
    workos::WorkOs,
};

/// The application: one page, which says who is signed in.
pub(crate) fn app(
    builder: Builder,
    revocations: RedisRevocations,
    throttle: RedisThrottle,
) -> Result<Router, ConfigError> {
    let layer = builder
        .revocations(revocations.clone())
        .throttle(throttle)
        .public_path("/readyz")
        .on_event(|event, _| say(event))
        .build()?;
    let ready = move || std::future::ready(readiness(&revocations.status()));
    Ok(Router::new()
        .route("/", get(home))
        .route("/readyz", get(ready))
        .layer(layer))
}

/// For a load balancer: 503 while no session can be vouched for. A replica that has lost Redis
/// answers from its own copy, within the grace. Strangers can read the body, so it says no more.
fn readiness(now: &Status) -> (StatusCode, String) {
    let answer = if now.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (answer, now.phase().to_string())
}

async fn home(session: Session) -> Html<String> {
    let email = session.email().replace('&', "&amp;");
    Html(format!(
        "<!doctype html><html lang=en><title>Redis</title><h1>Hello {email}</h1>\
         <form method=post action=/auth/logout><button>Sign out</button>\
         <button name=everywhere value=1>Sign out everywhere</button></form>"
    ))
}

/// Prints what an operator wants to know at once.
fn say(event: &Event<'_>) {
    match event {
        Event::ServerLost { store } => println!("{store}: redis lost"),
        Event::ServerMayEvict { store, policy } => println!("{store}: redis evicts by {policy}"),
        Event::ServerRecovered { store } => println!("{store}: redis recovered"),
        Event::StoreLost { .. } => println!("no session can be vouched for"),
        Event::StoreRecovered => println!("sessions can be vouched for"),
        _ => {}
    }
}

/// Completes on SIGTERM or Ctrl-C.
async fn told_to_end() {
    #[cfg(unix)]
    if let Ok(mut term) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = term.recv() => return,
            _ = signal::ctrl_c() => return,
        }
    }
    let _ = signal::ctrl_c().await;
}

/// Waits until Redis has all revocations. The runtime ends without them.
async fn sent(revocations: &RedisRevocations) {
    let all = async {
        while revocations.status().unsent() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(Duration::from_secs(3), all).await.is_err() {
        let unsent = revocations.status().unsent();
        eprintln!("{unsent} revocations were not stored in redis: end those sessions again");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let url = env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set")?;
    let public_url = env::var("PUBLIC_URL").map_err(|_| "PUBLIC_URL is not set")?;
    let redis = Redis::new(&url)?;
    let builder = MagicLinkLayer::builder(WorkOs::from_env()?, KeyRing::from_env()?)
        .public_url(public_url)
        .trusted_proxies(["127.0.0.1"]);
    // A replica that starts while Redis is down answers 503 until it is back. But time does not
    // mend a wrong password.
    let revocations = match RedisRevocations::connect(&redis).await {
        Ok(revocations) => revocations,
        Err(error) if error.kind() == StoreErrorKind::Denied => return Err(error.into()),
        Err(_) => RedisRevocations::connect_later(&redis),
    };
    let app = app(builder, revocations.clone(), RedisThrottle::new(&redis))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(told_to_end())
        .await?;
    sent(&revocations).await;
    Ok(())
}
