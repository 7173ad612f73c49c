//! What gRPC and gRPC-Web clients hear, as tonic's own clients decode it.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::{
    Code, Status,
    transport::{Server, server::TcpIncoming},
};
use tonic_web::{GrpcWebClientLayer, GrpcWebLayer};
use tower::{Layer, ServiceBuilder};
use tower_magic_link::{MagicLinkLayer, testing::ManualClock};

use crate::{
    answer::Answer,
    greeter::{Greeter, ONCE, STREAM, ask, greeting, heard},
    host::{Host, Kind, listen},
    script::{Act, Script},
    site::{application, builder, cookie_of, grpc, with_cookie},
};

const REFUSED: (Code, &str) = (Code::Unauthenticated, "sign-in required");

fn layer() -> MagicLinkLayer {
    builder(&ManualClock::new()).build().unwrap()
}

fn layer_in_an_outage() -> MagicLinkLayer {
    let builder = builder(&ManualClock::new()).revocations(Script::settled(Act::Fail));
    builder.build().unwrap()
}

async fn tonic_host(layer: &MagicLinkLayer) -> Host {
    let hosts = Host::all(layer).await;
    hosts
        .into_iter()
        .find(|host| host.kind == Kind::Tonic)
        .unwrap()
}

#[tokio::test]
async fn a_grpc_client_hears_a_status_and_with_the_cookie_in_its_metadata_gets_its_greetings() {
    let layer = layer();
    let mut client = tonic_host(&layer).await.grpc_client().await;
    let (cookie, session) = cookie_of(&layer);
    let crumbs = ["a=1".to_owned(), cookie, "b=2".to_owned()];
    for (method, times) in [(ONCE, 1), (STREAM, 2)] {
        let refused = ask(&mut client, method, &[]).await.unwrap_err();
        assert_eq!(heard(&refused), REFUSED, "{method}");
        assert!(refused.details().is_empty(), "{method}");
        let greetings = ask(&mut client, method, &crumbs).await.unwrap();
        assert_eq!(greetings, vec![greeting(&session); times], "{method}");
    }
}

#[tokio::test]
async fn a_grpc_client_is_told_to_try_again_while_the_store_is_out() {
    let layer = layer_in_an_outage();
    let mut client = tonic_host(&layer).await.grpc_client().await;
    let (cookie, _) = cookie_of(&layer);
    for method in [ONCE, STREAM] {
        let cookie = std::slice::from_ref(&cookie);
        let refused = ask(&mut client, method, cookie).await.unwrap_err();
        let want = (Code::Unavailable, "session store unavailable");
        assert_eq!(heard(&refused), want, "{method}");
        assert!(refused.metadata().get("set-cookie").is_none(), "{method}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_bytes_that_tonic_writes() {
    let (out, stranger) = (layer_in_an_outage(), layer());
    let (cookie, _) = cookie_of(&out);
    let cases = [
        (
            stranger,
            grpc(ONCE),
            Status::unauthenticated("sign-in required"),
        ),
        (
            out,
            with_cookie(grpc(ONCE), &cookie),
            Status::unavailable("session store unavailable"),
        ),
    ];
    for (layer, request, status) in cases {
        let want: http::Response<()> = status.into_http();
        let answer = Answer::of(layer.layer(application()), request).await;
        assert_eq!(answer.status(), want.status());
        assert!(answer.body.is_empty() && answer.trailers.is_none());
        let mut headers = answer.head.headers;
        for name in ["cache-control", "vary"] {
            assert!(headers.remove(name).is_some(), "{name}");
        }
        assert_eq!(headers, *want.headers());
    }
}

#[tokio::test]
async fn a_refusal_is_trailers_only_on_the_wire() {
    let host = tonic_host(&layer()).await;
    let request = host
        .request(Method::POST, ONCE)
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers");
    let answer = host.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(answer.header("grpc-status"), "16");
    assert_eq!(answer.header("grpc-message"), "sign-in%20required");
    assert!(answer.body.is_empty() && answer.trailers.is_none());
}

#[tokio::test]
async fn a_grpc_web_client_hears_the_same_in_its_framing() {
    let layer = layer();
    let (listener, address) = listen().await;
    let server = Server::builder()
        .accept_http1(true)
        .layer(layer.clone())
        .layer(GrpcWebLayer::new())
        .add_service(Greeter);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let http = Client::builder(TokioExecutor::new()).build_http();
    let web = ServiceBuilder::new()
        .layer(GrpcWebClientLayer::new())
        .service(http);
    let origin = format!("http://{address}").parse().unwrap();
    let mut client = tonic::client::Grpc::with_origin(web, origin);

    let (cookie, session) = cookie_of(&layer);
    for (method, times) in [(ONCE, 1), (STREAM, 2)] {
        let refused = ask(&mut client, method, &[]).await.unwrap_err();
        assert_eq!(heard(&refused), REFUSED, "{method}");
        let greetings = ask(&mut client, method, std::slice::from_ref(&cookie))
            .await
            .unwrap();
        assert_eq!(greetings, vec![greeting(&session); times], "{method}");
    }
}

#[tokio::test]
async fn a_grpc_web_refusal_is_one_frame_of_trailers_in_binary_or_base64() {
    let cases = [
        ("application/grpc-web", "application/grpc-web+proto", false),
        (
            "application/grpc-web+proto",
            "application/grpc-web+proto",
            false,
        ),
        (
            "application/grpc-web-text",
            "application/grpc-web-text+proto",
            true,
        ),
        (
            "application/grpc-web-text+proto",
            "application/grpc-web-text+proto",
            true,
        ),
    ];
    for (asked, want, is_text) in cases {
        let request = Request::post(ONCE)
            .header("content-type", asked)
            .body(Full::<Bytes>::default())
            .unwrap();
        let answer = Answer::of(layer().layer(application()), request).await;
        assert_eq!(answer.status(), 200, "{asked}");
        assert_eq!(answer.header("content-type"), want, "{asked}");
        assert_eq!(answer.header("grpc-status"), "", "{asked}");
        let frame = if is_text {
            STANDARD.decode(&answer.body).unwrap()
        } else {
            answer.body.to_vec()
        };
        // PROTOCOL-WEB: the flag's highest bit marks trailers; four bytes of length; lines as in
        // HTTP/1.1.
        let (head, lines) = frame.split_at(5);
        assert_eq!(head[0], 0x80, "{asked}");
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), lines.len(), "{asked}");
        let lines = std::str::from_utf8(lines).unwrap();
        let want = "grpc-status:16\r\ngrpc-message:sign-in%20required\r\n";
        assert_eq!(lines, want, "{asked}");
    }
}
