//! A WebSocket handler learns that its session has ended.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use super::{ENDS, SignedIn, Site, soon};

type Socket = WebSocketStream<TcpStream>;

async fn connect(address: SocketAddr, person: &SignedIn) -> Socket {
    let request =
        tungstenite::ClientRequestBuilder::new(format!("ws://{address}/socket").parse().unwrap())
            .with_header("cookie", &person.cookie);
    let stream = TcpStream::connect(address).await.unwrap();
    soon(client_async(request, stream)).await.unwrap().0
}

async fn say(socket: &mut Socket, text: &str) -> tungstenite::Message {
    socket.send(text.into()).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_websocket_handler_hears_the_end_of_the_session() {
    for end in ENDS {
        let site = Site::new();
        let address = site.serve().await;
        let (ada, eve) = site.people();
        let mut adas = connect(address, &ada).await;
        let mut eves = connect(address, &eve).await;
        assert_eq!(say(&mut adas, "a").await, "a".into(), "{end:?}");
        assert_eq!(say(&mut eves, "e").await, "e".into(), "{end:?}");
        site.settles_at(2, 0).await;
        site.end(&ada.session, end);
        let close = soon(adas.next()).await.unwrap().unwrap();
        let tungstenite::Message::Close(Some(close)) = close else {
            panic!("{end:?}: {close:?}");
        };
        assert_eq!(u16::from(close.code), 1008, "{end:?}");
        assert_eq!(say(&mut eves, "on").await, "on".into(), "{end:?}");
        site.settles_at(1, 0).await;
        drop(eves);
        site.settles_at(0, 0).await;
    }
}
