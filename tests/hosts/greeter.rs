//! A gRPC service that greets whoever is signed in, once or in a stream; written by hand, so that
//! no protoc is needed.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, BufMut};
use futures_util::{Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    client::GrpcService,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService},
};
use tower::{Service, service_fn};
use tower_magic_link::Session;

pub(crate) const ONCE: &str = "/hosts.Greeter/Once";
pub(crate) const STREAM: &str = "/hosts.Greeter/Stream";
/// Greets once the client has said all that it has to say.
pub(crate) const COLLECT: &str = "/hosts.Greeter/Collect";
/// Greets once, and then says nothing more and does not end.
pub(crate) const ENDLESS: &str = "/hosts.Greeter/Endless";

/// The service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Greeter;

/// Messages are plain text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Greetings = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl NamedService for Greeter {
    const NAME: &'static str = "hosts.Greeter";
}

impl Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(Text);
            Ok(match request.uri().path() {
                ONCE => grpc.unary(service_fn(once), request).await,
                ENDLESS => grpc.server_streaming(service_fn(endless), request).await,
                COLLECT => grpc.client_streaming(service_fn(collect), request).await,
                STREAM => grpc.server_streaming(service_fn(stream), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

async fn once(request: Request<String>) -> Result<Response<String>, Status> {
    let session = request.extensions().get::<Session>();
    let session = session.ok_or_else(|| Status::internal("no session"))?;
    Ok(Response::new(greeting(session)))
}

async fn collect(request: Request<Streaming<String>>) -> Result<Response<String>, Status> {
    let session = request.extensions().get::<Session>().cloned();
    let session = session.ok_or_else(|| Status::internal("no session"))?;
    let mut messages = request.into_inner();
    while messages.message().await?.is_some() {}
    Ok(Response::new(greeting(&session)))
}

async fn stream(request: Request<String>) -> Result<Response<Greetings>, Status> {
    let greeting = once(request).await?.into_inner();
    let greetings: Greetings = Box::pin(stream::iter([Ok(greeting.clone()), Ok(greeting)]));
    Ok(Response::new(greetings))
}

async fn endless(request: Request<String>) -> Result<Response<Greetings>, Status> {
    let greeting = once(request).await?.into_inner();
    let greetings = stream::iter([Ok(greeting)]).chain(stream::pending());
    Ok(Response::new(Box::pin(greetings)))
}

/// Says who is greeted, and in which session.
pub(crate) fn greeting(session: &Session) -> String {
    format!("hello {} of {}", session.email(), session.id())
}

/// Asks for greetings as a client does: one, or all of a stream.
pub(crate) async fn ask<T>(
    client: &mut tonic::client::Grpc<T>,
    method: &'static str,
    cookies: &[String],
) -> Result<Vec<String>, Status>
where
    T: GrpcService<Body>,
    T::Error: std::fmt::Debug,
    T::ResponseBody: http_body::Body + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let metadata: Vec<_> = cookies
        .iter()
        .map(|pair| ("cookie", pair.clone()))
        .collect();
    ask_with(client, method, &metadata).await
}

/// Asks for greetings with any metadata.
pub(crate) async fn ask_with<T>(
    client: &mut tonic::client::Grpc<T>,
    method: &'static str,
    metadata: &[(&'static str, String)],
) -> Result<Vec<String>, Status>
where
    T: GrpcService<Body>,
    T::Error: std::fmt::Debug,
    T::ResponseBody: http_body::Body + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let mut request = Request::new("me".to_owned());
    for (name, value) in metadata {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(method);
    if method == ONCE {
        let greeting = client.unary(request, path, Text).await?;
        return Ok(vec![greeting.into_inner()]);
    }
    let stream = client.server_streaming(request, path, Text).await?;
    let mut stream = stream.into_inner();
    let mut greetings = Vec::new();
    while let Some(greeting) = stream.message().await? {
        greetings.push(greeting);
    }
    Ok(greetings)
}

/// Returns what a client makes of a refusal.
pub(crate) fn heard(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|_| Status::internal("not UTF-8"))
    }
}
