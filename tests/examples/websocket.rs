//! The WebSocket example, by a client that speaks it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};
use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, provider::Identity, workos::WorkOs};

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
};

#[path = "../../examples/websocket.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod example;

/// Opens the socket over a connection, with these fields.
async fn open(
    stream: TcpStream,
    fields: &[(&str, &str)],
) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
    let address = stream.peer_addr().unwrap();
    let url = format!("ws://{address}/echo").parse().unwrap();
    let mut request = tungstenite::ClientRequestBuilder::new(url);
    for (name, value) in fields {
        request = request.with_header(*name, *value);
    }
    let (socket, _) = client_async(request, stream).await?;
    Ok(socket)
}

#[tokio::test]
async fn the_websocket_echoes_until_its_person_signs_out() {
    let mut program = Program::example("websocket", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let address = origin.strip_prefix("http://").unwrap().to_owned();
    let connect = async |cookies: String| {
        let url = format!("ws://{address}/echo").parse().unwrap();
        let request = tungstenite::ClientRequestBuilder::new(url);
        let request = request.with_header("cookie", cookies);
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };

    let Err(tungstenite::Error::Http(refused)) = connect(person.cookie()).await else {
        panic!("nobody is signed in");
    };
    assert_eq!(refused.status().as_u16(), 401);

    let login = location(&person.get("/").await);
    person.sign_in(&mut program, &login).await;

    let (mut socket, _) = connect(person.cookie()).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), "hello".into());
    person.post("/auth/logout", "").await;
    let Some(Ok(tungstenite::Message::Close(Some(close)))) = socket.next().await else {
        panic!("the session has ended");
    };
    assert_eq!(close.reason.as_str(), "session ended");
}

#[tokio::test]
async fn the_websocket_opens_for_the_applications_own_pages_alone() {
    let mut program = Program::example("websocket", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.sign_in(&mut program, &login).await;

    let address = origin.strip_prefix("http://").unwrap().to_owned();
    let port = address.rsplit_once(':').unwrap().1;
    let sibling = format!("http://sibling.localhost:{port}");
    let cases: [(&[&str], bool); 7] = [
        (&[&origin], true),
        // A program, which has no cookie but its own.
        (&[], true),
        (&[&sibling], false),
        (&["https://evil.example"], false),
        // A frame in a sandbox.
        (&["null"], false),
        (&[&format!("{origin}.evil.example")], false),
        (&[&origin, &sibling], false),
    ];
    for (origins, opens) in cases {
        let url = format!("ws://{address}/echo").parse().unwrap();
        let mut request = tungstenite::ClientRequestBuilder::new(url);
        request = request.with_header("cookie", person.cookie());
        for origin in origins {
            request = request.with_header("origin", *origin);
        }
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok(_) => assert!(opens, "{origins:?}"),
            Err(tungstenite::Error::Http(refused)) => {
                assert!(!opens, "{origins:?}");
                assert_eq!(refused.status().as_u16(), 403, "{origins:?}");
            }
            Err(error) => panic!("{origins:?}: {error}"),
        }
    }
}

/// Pins: the origin was compared with the text of the public URL. With a slash at its end, or a
/// capital letter in it, the application's own pages were refused.
#[tokio::test]
async fn the_websocket_opens_however_its_public_url_is_written() {
    let written = [
        ("https://app.example.com/", "https://app.example.com"),
        ("HTTPS://App.Example.Com:443", "https://app.example.com"),
        ("https://a.example:8443", "https://a.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ];
    for (public_url, origin) in written {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = || {
            let workos = WorkOs::new("sk_test", "client_test").unwrap();
            MagicLinkLayer::builder(workos, keys.clone())
        };
        let layer = builder().public_url(public_url).build().unwrap();
        let ada = Identity::new("prof_ada", ADA.parse().unwrap());
        let issued = layer.issuer().issue(&ada).unwrap();
        let cookie = format!("__Host-magic-link={}", issued.token().expose());

        let app = example::app(builder(), public_url).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let evil = "https://evil.example";
        for (from, want) in [(origin, None), (evil, Some(403))] {
            let stream = TcpStream::connect(address).await.unwrap();
            let fields = [("cookie", cookie.as_str()), ("origin", from)];
            let refused = match open(stream, &fields).await {
                Ok(_) => None,
                Err(tungstenite::Error::Http(refused)) => Some(refused.status().as_u16()),
                Err(error) => panic!("{public_url}, {from}: {error}"),
            };
            assert_eq!(refused, want, "{public_url}, {from}");
        }
    }
}

/// Pins: a client that read nothing kept its socket after its person had signed out.
#[tokio::test]
async fn the_websocket_of_a_client_that_reads_nothing_ends_with_its_session() {
    let mut program = Program::example("websocket", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.sign_in(&mut program, &login).await;

    let address = origin.strip_prefix("http://").unwrap().parse().unwrap();
    let plug = TcpSocket::new_v4().unwrap();
    // What a client does not read soon fills both ends.
    plug.set_recv_buffer_size(4_096).unwrap();
    let stream = plug.connect(address).await.unwrap();
    let cookie = person.cookie();
    let mut socket = open(stream, &[("cookie", &cookie)]).await.unwrap();
    socket.send("x".repeat(15 << 20).into()).await.unwrap();
    // The answer has begun, and does not fit.
    socket.get_ref().peek(&mut [0]).await.unwrap();
    person.post("/auth/logout", "").await;
    // Only a socket that is closed refuses what is written. An open one takes it, or has it wait.
    let more = async { while socket.send("x".repeat(1 << 16).into()).await.is_ok() {} };
    let ended = timeout(Duration::from_secs(60), more).await;
    assert!(ended.is_ok(), "the socket is open");
}
