//! A tonic server behind email sign-in. All of it is protected; its HTTP/1.1 side lets a person
//! sign in.
//!
//! `cargo run --example tonic` runs it with a WorkOS in the same process: type any address, and
//! open the link that is printed here. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. `PORT` chooses the port: default 3000, 0 picks a free one. A gRPC client sends the
//! browser's session cookie as `cookie` in its metadata.

#![expect(clippy::print_stdout, reason = "the link is read there")]

use std::{env, error::Error, io, time::Duration};

use axum::{extract, routing};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tonic::transport::server::{Router, Server, TcpConnectInfo, TcpIncoming};
use tonic::{Request, Response, Status, body::Body, server::Grpc, service::Routes};
use tonic_prost::ProstCodec;
use tower::layer::util::{Identity, Stack};
use tower::util::MapRequestLayer;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, PeerAddr, Session, SigningKey, workos::WorkOs,
};

type Tell = fn(http::Request<Body>) -> http::Request<Body>;
type App = Router<Stack<MagicLinkLayer, Stack<MapRequestLayer<Tell>, Identity>>>;

/// `message Text { string text = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// The server. `service Greeter` is written by hand, so that no protoc is needed. Add a generated
/// one with `add_service`.
pub(crate) fn app(workos: WorkOs, keys: KeyRing, public_url: &str) -> Result<App, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys).public_url(public_url);
    let greeter = Routes::default()
        .into_axum_router()
        .route("/hello.Greeter/Once", routing::post(once))
        .route("/hello.Greeter/Thrice", routing::post(thrice))
        .route("/", routing::get(home));
    let tell: Tell = tell;
    let server = Server::builder().accept_http1(true);
    let server = server.layer(MapRequestLayer::new(tell));
    let mut server = server.layer(layer.build()?);
    Ok(server.add_routes(Routes::from(greeter)))
}

/// Turns tonic's `TcpConnectInfo` into a `PeerAddr`: sign-in limits are counted per client network.
fn tell(mut request: http::Request<Body>) -> http::Request<Body> {
    let info = request.extensions().get::<TcpConnectInfo>();
    if let Some(peer) = info.and_then(TcpConnectInfo::remote_addr) {
        request.extensions_mut().insert(PeerAddr::from(peer));
    }
    request
}

/// The page after signing in.
async fn home(session: Session) -> String {
    format!("hello {}\n", session.email())
}

/// `rpc Once(Text) returns (Text);`
async fn once(request: extract::Request) -> http::Response<Body> {
    let answer = tower::service_fn(async |request| greet(&request).map(Response::new));
    let mut grpc = Grpc::new(ProstCodec::default());
    grpc.unary(answer, request).await
}

/// `rpc Thrice(Text) returns (stream Text);`
async fn thrice(request: extract::Request) -> http::Response<Body> {
    let thrice = |text| Response::new(futures_util::stream::iter(vec![Ok(text); 3]));
    let answer = tower::service_fn(async |request| greet(&request).map(thrice));
    let mut grpc = Grpc::new(ProstCodec::default());
    grpc.server_streaming(answer, request).await
}

/// The layer leaves the session in the extensions of what it admits.
fn greet(request: &Request<Text>) -> Result<Text, Status> {
    let session = request.extensions().get::<Session>();
    let email = session.ok_or_else(|| Status::internal("no layer"))?.email();
    let text = format!("{} {email}", request.get_ref().text);
    Ok(Text { text })
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
    // tonic would end at the first error, for instance without a free descriptor.
    let incoming = TcpIncoming::from(listener).filter_map(async |accepted| match accepted {
        Ok(stream) => Some(Ok::<_, io::Error>(stream)),
        Err(error) => {
            eprintln!("accept: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    });
    Ok(app.serve_with_incoming(incoming).await?)
}
