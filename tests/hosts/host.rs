//! The hosts of the layer, each on a loopback port of its own.

use std::{convert::Infallible, net::SocketAddr};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tonic::{
    client::Grpc,
    transport::{Channel, Server, server::TcpIncoming},
};
use tower::{ServiceBuilder, service_fn};
use tower_magic_link::{MagicLinkLayer, Session};

use crate::{
    answer::Answer,
    greeter::{self, Greeter, greeting},
};

/// A server with the layer in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) kind: Kind,
    address: SocketAddr,
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An axum router, over HTTP/1.1.
    Axum,
    /// A hyper service, over HTTP/1.1.
    Hyper1,
    /// The same hyper service, over HTTP/2 with prior knowledge.
    Hyper2,
    /// A tonic server, over HTTP/2.
    Tonic,
}

impl Host {
    /// Starts every host, each with a clone of one layer.
    pub(crate) async fn all(layer: &MagicLinkLayer) -> [Self; 4] {
        let hyper = hyper(layer.clone()).await;
        let host = |kind, address| Self { kind, address };
        [
            host(Kind::Axum, axum(layer.clone()).await),
            host(Kind::Hyper1, hyper),
            host(Kind::Hyper2, hyper),
            host(Kind::Tonic, tonic(layer.clone()).await),
        ]
    }

    /// Sends a request over a connection of its own, in the protocol of the host.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream = TokioIo::new(stream);
        let response = match self.kind {
            Kind::Axum | Kind::Hyper1 => {
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                sender.send_request(request).await.unwrap()
            }
            Kind::Hyper2 | Kind::Tonic => {
                let executor = TokioExecutor::new();
                let (mut sender, connection) =
                    hyper::client::conn::http2::handshake(executor, stream)
                        .await
                        .unwrap();
                tokio::spawn(connection);
                if request.method() == Method::CONNECT {
                    // The server's answer follows its settings, without which the client extends no
                    // CONNECT (RFC 8441).
                    let first = self.request(Method::GET, "/");
                    let first = first.body(Full::default()).unwrap();
                    sender.send_request(first).await.unwrap();
                }
                sender.send_request(request).await.unwrap()
            }
        };
        Answer::read(response).await
    }

    pub(crate) const fn new(kind: Kind, address: SocketAddr) -> Self {
        Self { kind, address }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for the greeting as a client of this host does: navigating, as a program, by gRPC.
    /// Returns the refusal in short.
    pub(crate) async fn greet(&self, cookie: Option<&str>) -> Result<String, String> {
        if self.kind == Kind::Tonic {
            let cookies: Vec<_> = cookie.map(str::to_owned).into_iter().collect();
            let mut client = self.grpc_client().await;
            return match greeter::ask(&mut client, greeter::ONCE, &cookies).await {
                Ok(greetings) => Ok(greetings.concat()),
                Err(status) => {
                    let (code, message) = greeter::heard(&status);
                    Err(format!("{code:?}: {message}"))
                }
            };
        }
        let mut request = self.request(Method::GET, "/hello");
        request = match self.kind {
            Kind::Axum => request.header("sec-fetch-mode", "navigate"),
            _ => request.header("accept", "application/json"),
        };
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = self.send(request.body(Full::default()).unwrap()).await;
        match answer.status().as_u16() {
            200 => Ok(answer.text()),
            303 => Err(format!("303 {}", answer.location())),
            status => Err(format!("{status} {}", answer.code())),
        }
    }

    /// Begins a request to this host: with a `Host` in HTTP/1.1, an authority in HTTP/2.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method);
        match self.kind {
            Kind::Axum | Kind::Hyper1 => request.uri(path).header("host", "app.example.com"),
            Kind::Hyper2 | Kind::Tonic => request.uri(format!("http://app.example.com{path}")),
        }
    }

    /// Connects a gRPC client.
    pub(crate) async fn grpc_client(&self) -> Grpc<Channel> {
        let endpoint = Channel::from_shared(format!("http://{}", self.address));
        Grpc::new(endpoint.unwrap().connect().await.unwrap())
    }
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn axum(layer: MagicLinkLayer) -> SocketAddr {
    let hello = get(async |session: Session| greeting(&session));
    let app = Router::new().route("/hello", hello).layer(layer);
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn tonic(layer: MagicLinkLayer) -> SocketAddr {
    let (listener, address) = listen().await;
    let server = Server::builder().layer(layer).add_service(Greeter);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn hyper(layer: MagicLinkLayer) -> SocketAddr {
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(hello));
    let service = TowerToHyperService::new(service);
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                server.http2().enable_connect_protocol();
                server.serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let session = request.extensions().get::<Session>();
    let text = session.map_or("no session".to_owned(), greeting);
    Ok(Response::new(Full::from(text)))
}
