//! One exchange of HTTP/1.1, with bytes that no client library sends.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if there is none.
    pub(crate) status: u16,
    pub(crate) fields: HeaderMap,
    /// The bytes behind the head, with the marks of chunks.
    pub(crate) body: String,
}

/// Sends a request line, fields, and a body. `Host` is the authority's, and the connection is
/// closed, if no field says otherwise.
pub(crate) async fn exchange(authority: &str, line: &str, fields: &str, body: &str) -> Answer {
    let mut head = format!("{line}\r\n");
    let says = |name: &str| {
        let mut lines = fields.lines();
        lines.any(|line| {
            line.split(':')
                .next()
                .is_some_and(|it| it.eq_ignore_ascii_case(name))
        })
    };
    if !says("host") {
        head += &format!("Host: {authority}\r\n");
    }
    if !says("connection") {
        head += "Connection: close\r\n";
    }
    let text = format!("{head}{fields}\r\n{body}");
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    // A reset is an answer too: a server that refuses may not have read all.
    let _ = read.unwrap_or_else(|_| panic!("{line:?} is not answered in full"));
    parsed(&bytes)
}

/// Asks for a WebSocket, and returns the head of the answer.
pub(crate) async fn upgrade(authority: &str, path: &str, cookie: &str) -> Answer {
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read_buf(&mut bytes);
        let length = timeout(Duration::from_secs(10), read).await;
        assert!(length.expect("an answer").unwrap() > 0, "an answer");
    }
    parsed(&bytes)
}

fn parsed(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let fields = lines.filter_map(|line| line.split_once(':'));
    let fields = fields.map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, value.trim().parse().unwrap())
    });
    Answer {
        status: status.and_then(|it| it.parse().ok()).unwrap_or(0),
        fields: fields.collect(),
        body: body.to_owned(),
    }
}
