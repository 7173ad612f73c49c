//! A gRPC service that knows nothing of the layer, and a client of tonic's.
//!
//! `Say` answers once, and `Chat` each message as it comes. Both name the identity that arrived.
//! `Chat` ends at a message "end" with a status and a field in its trailers.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt, future::BoxFuture, stream};
use http::uri::PathAndQuery;
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    metadata::MetadataMap,
    server::{Grpc, NamedService},
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::site::as_gateway;

pub(crate) const SAY: &str = "/acme.Echo/Say";
const CHAT: &str = "/acme.Echo/Chat";

#[derive(Clone, Copy, Debug)]
struct Echo;

/// A client with fields that it sends each time.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    fields: Vec<(&'static str, String)>,
}

/// A conversation.
pub(crate) struct Chat {
    say: Option<mpsc::UnboundedSender<String>>,
    answers: Streaming<String>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// Starts the service, and returns its origin.
pub(crate) async fn serve() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(Echo);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    origin
}

impl NamedService for Echo {
    const NAME: &'static str = "acme.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            Ok(match request.uri().path() {
                SAY => grpc.unary(service_fn(say), request).await,
                CHAT => grpc.streaming(service_fn(chat), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

async fn say(request: Request<String>) -> Result<Response<String>, Status> {
    let told = told(request.metadata());
    let mut answer = Response::new(format!("{told}: {}", request.get_ref()));
    // A proxy that obeys this has no message to hand on.
    let elsewhere = "/about".parse().unwrap();
    answer.metadata_mut().insert("x-accel-redirect", elsewhere);
    Ok(answer)
}

async fn chat(request: Request<Streaming<String>>) -> Result<Response<Answers>, Status> {
    let told = told(request.metadata());
    let answers = request
        .into_inner()
        .map(move |message| match message?.as_str() {
            "end" => {
                let mut late = MetadataMap::new();
                late.insert("x-late", "1".parse().unwrap());
                Err(Status::with_metadata(
                    tonic::Code::FailedPrecondition,
                    "the end",
                    late,
                ))
            }
            message => Ok(format!("{told}: {message}")),
        });
    Ok(Response::new(Box::pin(answers)))
}

/// Says what a gateway takes for identity: our names, and their number with what a forger said.
fn told(fields: &MetadataMap) -> String {
    let headers = fields.clone().into_headers();
    let told = as_gateway(&headers);
    let email = headers.get("x-auth-email");
    let email = email.map_or("nobody", |email| email.to_str().unwrap());
    let forged = headers.values().filter(|value| *value == "eve").count();
    format!("{email} of {}", told.len() + forged)
}

impl Caller {
    /// Connects, by HTTP/2 from the first byte on.
    pub(crate) async fn at(authority: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{authority}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Self {
            channel,
            fields: Vec::new(),
        }
    }

    /// The same, with a field more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// Calls `Say`.
    pub(crate) async fn say(&self, text: &str) -> Result<Response<String>, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<String, String>::default();
        let request = self.request(text.to_owned());
        grpc.unary(request, PathAndQuery::from_static(SAY), codec)
            .await
    }

    /// Calls `Chat`, and says something at once. A proxy may hold back the head of the answer until
    /// there is a message.
    pub(crate) async fn chat(&self, first: &str) -> Result<Chat, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<String, String>::default();
        let (say, said) = mpsc::unbounded_channel();
        say.send(first.to_owned()).unwrap();
        let said = stream::unfold(said, async |mut said| Some((said.recv().await?, said)));
        let request = self.request(Box::pin(said));
        let path = PathAndQuery::from_static(CHAT);
        let answers = grpc.streaming(request, path, codec).await?.into_inner();
        Ok(Chat {
            say: Some(say),
            answers,
        })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for (name, value) in &self.fields {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        request
    }
}

impl Chat {
    /// Says something more.
    pub(crate) fn say(&self, text: &str) {
        self.say.as_ref().unwrap().send(text.to_owned()).unwrap();
    }

    /// Ends the client's half.
    pub(crate) fn say_no_more(&mut self) {
        self.say = None;
    }

    /// Waits for an answer.
    pub(crate) async fn hear(&mut self) -> Result<Option<String>, Status> {
        self.answers.message().await
    }
}
