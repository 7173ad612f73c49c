//! The guard as a person runs it, in front of services that know nothing of it.

mod bodies;
mod connections;
mod fields;
mod grpc;
mod hosts;
mod servers;
mod setting;
mod takers;
mod tunnels_end;

use std::{process::Command, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use self::setting::nowhere;
use crate::{
    front::Front,
    names::{ADA, EVE},
    person::{ProxiedPerson, location},
    program::Program,
    site::{as_gateway, spellings},
    upstream,
};

/// Starts the guard in front of a service, and somebody who is signed in.
async fn guarded(upstream: &str) -> (Program, ProxiedPerson, String) {
    let mut guard = Program::example("guard", &[("UPSTREAM", upstream)]);
    let origin = guard.says("listening on ");
    let mut person = ProxiedPerson::at(&origin);
    person
        .sign_in(|| guard.says("sign-in link for ada@example.com: "))
        .await;
    (guard, person, origin)
}

#[tokio::test]
async fn nobody_gets_past_the_guard_without_signing_in() {
    let mut guard = Program::example("guard", &[("UPSTREAM", &upstream::serve().await)]);
    let origin = guard.says("listening on ");
    let stranger = ProxiedPerson::at(&origin);
    let answer = stranger.get("/page?x", &[]).await;
    assert_eq!(
        (answer.status().as_u16(), location(&answer)),
        (303, "/auth/login?return_to=/page%3Fx")
    );
    let answer = stranger
        .get(
            "/page",
            &[("accept", "application/json"), ("x-auth-email", ADA)],
        )
        .await;
    assert_ne!(answer.status(), 200);
    assert_eq!(stranger.greet("/socket").await, Err(401));
}

#[tokio::test]
async fn the_service_behind_learns_who_is_signed_in_by_our_word_alone() {
    let (_guard, mut person, _) = guarded(&upstream::serve().await).await;
    let ours = person.cookie.clone();
    person.cookie = format!("a=1; {ours}; b=2");
    for spelling in spellings() {
        let fields = [
            (spelling.as_str(), "eve"),
            ("connection", "close, x-auth-email, x-hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
        ];
        let answer = person.get("/page?x=1", &fields).await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("GET /page?x=1\n"), "{text}");
        let fields = upstream::fields_of(&text);
        let told = as_gateway(&fields);
        let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["X_AUTH_EMAIL", "X_AUTH_SESSION", "X_AUTH_SUBJECT"],
            "{spelling}"
        );
        assert_eq!(fields["x-auth-email"], ADA);
        assert_eq!(fields["cookie"], "a=1; b=2");
        for gone in ["connection", "x-hop", "te"] {
            assert!(
                !fields.contains_key(gone),
                "{gone} is about the client's connection"
            );
        }
    }
}

#[tokio::test]
async fn the_service_behind_cannot_set_our_cookies() {
    let (_guard, person, _) = guarded(&upstream::serve().await).await;
    let answer = person.get("/steal", &[]).await;
    let set: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(set, ["theirs=1"]);
}

#[tokio::test]
async fn what_a_session_was_given_to_is_the_browsers_alone() {
    let (_program, person, _) = guarded(&upstream::serve().await).await;
    let theirs = "public, max-age=600";
    for (path, want) in [
        ("/page", "private"),
        ("/cacheable", theirs),
        ("/missing", theirs),
    ] {
        let answer = person.get(path, &[]).await;
        assert_eq!(answer.headers()["cache-control"], want, "{path}");
    }
}

#[tokio::test]
async fn a_websocket_passes_the_guard_with_a_session() {
    let (_guard, mut person, _) = guarded(&upstream::serve().await).await;
    assert_eq!(person.greet("/socket").await.as_deref(), Ok("hello"));
    let (name, _) = person.cookie.split_once('=').unwrap();
    person.cookie = format!("{name}=forged");
    assert_eq!(person.greet("/socket").await, Err(401));
}

/// Pinned: a WebSocket through the guard went on after signing out.
#[tokio::test]
async fn a_websocket_closes_within_a_second_of_signing_out_and_another_persons_goes_on() {
    for form in ["", "everywhere=1"] {
        let running = Front::Guard.before(&upstream::serve().await).await;
        let (person, other) = (running.person().await, running.person_called(EVE).await);
        let mut socket = person.connect("/socket").await.unwrap();
        let mut others = other.connect("/socket").await.unwrap();
        for socket in [&mut socket, &mut others] {
            socket.send(Message::text("before")).await.unwrap();
            let echo = socket.next().await.unwrap().unwrap();
            assert_eq!(echo, Message::text("before"));
        }
        assert_eq!(person.sign_out(form).await.status(), 303, "{form:?}");
        let closed = timeout(Duration::from_secs(1), socket.next()).await;
        let closed = closed.expect("closed within a second");
        assert!(!matches!(closed, Some(Ok(_))), "{form:?}: {closed:?}");
        others.send(Message::text("after")).await.unwrap();
        let echo = others.next().await.unwrap().unwrap();
        assert_eq!(echo, Message::text("after"), "{form:?}");
    }
}

/// Nobody takes half a download for the whole.
#[tokio::test]
async fn a_download_that_is_cut_off_by_signing_out_breaks_off() {
    let running = Front::Guard.before(&upstream::serve().await).await;
    let person = running.person().await;
    let mut download = person.get("/endless", &[]).await;
    assert_eq!(download.chunk().await.unwrap().unwrap(), "first");
    assert_eq!(person.sign_out("").await.status(), 303);
    let rest = timeout(Duration::from_secs(1), download.chunk()).await;
    let error = rest.expect("cut off within a second").unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
}

/// Pinned: the next piece was there when the session ended, and every second time the guard took it
/// for the last one.
#[tokio::test]
async fn a_download_without_a_pause_breaks_off_each_time() {
    let running = Front::Guard.before(&upstream::serve().await).await;
    // As many mails as one person may have.
    for _ in 0..3 {
        let person = running.person().await;
        let mut downloads = Vec::new();
        for _ in 0..3 {
            let mut download = person.get("/torrent", &[]).await;
            assert!(download.chunk().await.unwrap().is_some());
            downloads.push(download);
        }
        assert_eq!(person.sign_out("").await.status(), 303);
        for mut download in downloads {
            let rest = timeout(Duration::from_secs(10), async {
                loop {
                    match download.chunk().await {
                        Ok(Some(_)) => {}
                        end => return end,
                    }
                }
            });
            let error = rest.await.expect("cut off soon").unwrap_err();
            assert!(error.is_body() || error.is_decode(), "{error:?}");
        }
    }
}

/// A service that switches to what nobody asked for: the layer has taken the request's wish out, or
/// never saw one.
#[tokio::test]
async fn a_service_that_switches_unasked_gets_no_tunnel() {
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", service.local_addr().unwrap());
    let (protocol, protocols) = watch::channel("h2c");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = service.accept().await.unwrap();
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let protocol = *protocols.borrow();
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: {protocol}\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let person = Front::Guard.before(&origin).await.person().await;
    for (asked, switched) in [("none", "h2c"), ("none", "websocket"), ("websocket", "h2c")] {
        protocol.send(switched).unwrap();
        let status = match asked {
            "websocket" => person.connect("/x").await.map(drop).unwrap_err(),
            _ => person.get("/x", &[]).await.status().as_u16(),
        };
        assert_eq!(status, 502, "{asked}, {switched}");
    }
}

/// Each piece comes back before the next is sent: neither way waits for an end.
#[tokio::test]
async fn bodies_stream_both_ways() {
    let (_guard, person, origin) = guarded(&upstream::serve().await).await;
    let stream = TcpStream::connect(origin.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let (pieces, receiver) = mpsc::channel::<Bytes>(1);
    let body = StreamBody::new(stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((
            Ok::<_, std::convert::Infallible>(Frame::data(piece)),
            receiver,
        ))
    }));
    let request = Request::post("/echo")
        .header("host", "localhost")
        .header("cookie", &person.cookie);
    pieces.send(Bytes::from_static(b"first")).await.unwrap();
    let answer = sender
        .send_request(request.body(Box::pin(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let mut answer = answer.into_body();
    for piece in ["first", "second", "third"] {
        if piece != "first" {
            pieces
                .send(Bytes::from_static(piece.as_bytes()))
                .await
                .unwrap();
        }
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(pieces);
    assert!(answer.frame().await.is_none());
}

#[tokio::test]
async fn a_service_that_is_down_is_a_bad_gateway() {
    let (closed, _held) = nowhere();
    let (_guard, person, _) = guarded(&closed).await;
    assert_eq!(person.get("/page", &[]).await.status(), 502);
}

#[tokio::test]
#[ignore = "needs python3; run by tests/run"]
async fn a_plain_python_server_is_guarded() {
    let mut python = Command::new("python3");
    python.args([
        "-u",
        "-m",
        "http.server",
        "0",
        "--bind",
        "127.0.0.1",
        "--directory",
        "examples",
    ]);
    let mut python = Program::start(&mut python);
    let says = python.says("Serving HTTP on 127.0.0.1 port ");
    let port = says.split(' ').next().unwrap();
    let (_guard, person, origin) = guarded(&format!("http://127.0.0.1:{port}")).await;
    let page = person.get("/guard/main.rs", &[]).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.version(), http::Version::HTTP_11, "Python speaks 1.0");
    let text = page.text().await.unwrap();
    assert_eq!(
        text,
        std::fs::read_to_string("examples/guard/main.rs").unwrap()
    );
    assert_eq!(person.get("/none", &[]).await.status(), 404);
    assert_eq!(
        ProxiedPerson::at(&origin)
            .get("/guard/main.rs", &[])
            .await
            .status(),
        303
    );
}
