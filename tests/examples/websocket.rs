//! The WebSocket example, by a client that speaks it.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite;

use crate::{
    person::{Person, location},
    program::Program,
};

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
