//! gRPC and gRPC-Web streams end as unauthenticated.

use futures_util::FutureExt;
use http::uri::PathAndQuery;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::{
    Code, Status,
    client::{Grpc, GrpcService},
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_web::{GrpcWebClientLayer, GrpcWebLayer};
use tower::ServiceBuilder;

use super::{ENDS, SignedIn, Site, soon};
use crate::{
    greeter::{ENDLESS, Greeter, Text, greeting},
    host::listen,
    names::ADA,
};

/// Opens the endless stream, and returns its first message and the rest.
async fn endless<T>(client: &mut Grpc<T>, person: &SignedIn) -> (String, tonic::Streaming<String>)
where
    T: GrpcService<tonic::body::Body>,
    T::Error: std::fmt::Debug,
    T::ResponseBody: http_body::Body + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let mut request = tonic::Request::new("me".to_owned());
    let cookie = person.cookie.parse().unwrap();
    request.metadata_mut().append("cookie", cookie);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(ENDLESS);
    let stream = soon(client.server_streaming(request, path, Text)).await;
    let mut stream = stream.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    (first, stream)
}

fn ended(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn a_grpc_stream_ends_as_unauthenticated_after_its_messages() {
    for end in ENDS {
        let site = Site::new();
        let (listener, address) = listen().await;
        let mut server = Server::builder().layer(site.layer.clone());
        let server = server.add_service(Greeter);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap();
        let mut client = Grpc::new(channel.connect().await.unwrap());

        let (ada, eve) = site.people();
        let (first, mut adas) = endless(&mut client, &ada).await;
        assert_eq!(first, greeting(&ada.session), "{end:?}");
        let (_, mut eves) = endless(&mut client, &eve).await;
        site.settles_at(2, 0).await;
        site.end(&ada.session, end);
        let status = soon(adas.message()).await.unwrap_err();
        let want = (Code::Unauthenticated, "sign-in required");
        assert_eq!(ended(&status), want, "{end:?}");
        assert!(eves.message().now_or_never().is_none(), "{end:?}");
        site.settles_at(1, 0).await;
        drop(eves);
        site.settles_at(0, 0).await;
    }
}

#[tokio::test]
async fn a_grpc_web_stream_ends_with_the_frame_of_trailers() {
    for end in ENDS {
        let site = Site::new();
        let (listener, address) = listen().await;
        let server = Server::builder()
            .accept_http1(true)
            .layer(site.layer.clone())
            .layer(GrpcWebLayer::new())
            .add_service(Greeter);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let web = ServiceBuilder::new()
            .layer(GrpcWebClientLayer::new())
            .service(Client::builder(TokioExecutor::new()).build_http());
        let origin = format!("http://{address}").parse().unwrap();
        let mut client = Grpc::with_origin(web, origin);

        let ada = site.person(ADA);
        let (first, mut stream) = endless(&mut client, &ada).await;
        assert_eq!(first, greeting(&ada.session), "{end:?}");
        site.settles_at(1, 0).await;
        site.end(&ada.session, end);
        let status = soon(stream.message()).await.unwrap_err();
        let want = (Code::Unauthenticated, "sign-in required");
        assert_eq!(ended(&status), want, "{end:?}");
        site.settles_at(0, 0).await;
    }
}
