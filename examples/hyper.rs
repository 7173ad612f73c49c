//! A bare hyper service behind email sign-in, over HTTP/1.1 and HTTP/2.
//!
//! `cargo run --example hyper` runs it with a WorkOS in the same process: type any address, and
//! open the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. `PORT` chooses the port: default 3000, 0 picks a free one.

#![expect(clippy::print_stdout, reason = "the link is read there")]

use std::{convert::Infallible, env, error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{Layer, Service, service_fn, util::MapRequest};
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, PeerAddr, ResponseBody, Session, SigningKey,
    workos::WorkOs,
};

type Answer = Response<ResponseBody<Full<Bytes>>>;

/// The service. No path of it is public.
pub(crate) fn app(
    workos: WorkOs,
    keys: KeyRing,
    public_url: &str,
) -> Result<
    impl Service<Request<Incoming>, Response = Answer, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static,
    ConfigError,
> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .build()?;
    Ok(layer.layer(service_fn(hello)))
}

/// Without an extractor, a handler reads the session from the request's extensions.
async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let email = request.extensions().get::<Session>().map(Session::email);
    let text = format!("hello {}\n", email.unwrap_or("nobody"));
    Ok(Response::new(Full::from(text)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without WorkOS's two variables it is emulated, for addresses of this machine alone.
    let workos = WorkOs::from_env_or_emulator().await?;

    let app = app(workos, keys, &public_url)?;
    println!("listening on {public_url}");
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Without a free descriptor, for instance. One becomes free when a client leaves.
                eprintln!("accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Attach the peer's address: sign-in limits are counted per client network.
        let service = MapRequest::new(app.clone(), move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddr::from(peer));
            request
        });
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(service);
            server.serve_connection(TokioIo::new(stream), service).await
        });
    }
}
