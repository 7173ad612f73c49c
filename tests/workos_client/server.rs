//! A server on a loopback port that answers by script and remembers what it was asked.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower_magic_link::workos::WorkOs;

use crate::{KEY, TOKEN};

/// What is done with one request after it has been read whole. Then the connection is closed.
pub(crate) enum Reply {
    Bytes(Vec<u8>),
    Close,
    /// These bytes, then one more every 5 ms without an end.
    Drip(Vec<u8>),
    /// These bytes, then as much as the client takes, up to 100 MB.
    Flood(Vec<u8>),
    Hang,
    /// These bytes, after a while.
    Late(Duration, Vec<u8>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) struct Server {
    pub(crate) base: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    flooded: AtomicUsize,
    requests: Mutex<Vec<Request>>,
}

impl Server {
    /// Serves one reply per request. After the last one it answers 418.
    pub(crate) async fn with(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let mut replies: Vec<_> = replies.into_iter().collect();
        replies.reverse();
        let server = Self {
            base,
            seen: seen.clone(),
        };
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                seen.connections.fetch_add(1, Ordering::Relaxed);
                let Ok(request) = Request::read(&mut stream).await else {
                    continue;
                };
                seen.requests.lock().unwrap().push(request);
                let reply = replies.pop().unwrap_or_else(|| json(418, "{}"));
                tokio::spawn(reply.play(stream, seen.clone()));
            }
        });
        server
    }

    pub(crate) fn client(&self) -> WorkOs {
        client_of(&self.base)
    }

    /// Takes the requests that have come.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.seen.requests.lock().unwrap())
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn flooded(&self) -> usize {
        self.seen.flooded.load(Ordering::Relaxed)
    }
}

impl Request {
    async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let (line, fields) = head.split_once("\r\n").unwrap();
        let mut headers: Vec<_> = fields
            .split("\r\n")
            .map(|field| field.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        headers.sort();
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or(0, |(_, length)| length.parse().unwrap());
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            stream.read_buf(&mut body).await?;
        }
        Ok(Self {
            line: line.to_owned(),
            headers,
            body: String::from_utf8(body).unwrap(),
        })
    }

    pub(crate) fn headers_but_host(&self) -> Vec<(&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| *name != "host")
            .collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Reply {
    async fn play(self, mut stream: TcpStream, seen: Arc<Seen>) {
        match self {
            Self::Bytes(bytes) => drop(stream.write_all(&bytes).await),
            Self::Close => {}
            Self::Drip(head) => {
                let mut beat = tokio::time::interval(Duration::from_millis(5));
                let mut written = stream.write_all(&head).await;
                while written.is_ok() {
                    beat.tick().await;
                    written = stream.write_all(b" ").await;
                }
            }
            Self::Flood(head) => {
                let mut written = stream.write_all(&head).await;
                while written.is_ok() && seen.flooded.load(Ordering::Relaxed) < 100_000_000 {
                    written = stream.write_all(&[b' '; 10_000]).await;
                    seen.flooded.fetch_add(10_000, Ordering::Relaxed);
                }
            }
            Self::Hang => std::future::pending().await,
            Self::Late(pause, bytes) => {
                tokio::time::sleep(pause).await;
                drop(stream.write_all(&bytes).await);
            }
        }
    }
}

/// Makes a client of a server.
pub(crate) fn client_of(base: &str) -> WorkOs {
    // The machine's root certificates are read once: a slow machine would spend its timeouts on
    // them.
    static CLIENT: OnceLock<WorkOs> = OnceLock::new();
    let client = CLIENT.get_or_init(|| WorkOs::new(KEY, "client_01").unwrap());
    client.clone().base_url(base).unwrap()
}

/// Makes an answer with these header lines. Its length is told truthfully, unless they tell
/// another.
pub(crate) fn answer(status: u16, headers: &[&str], body: &[u8]) -> Reply {
    let mut head = format!("HTTP/1.1 {status} X\r\nx-request-id: req_01\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if !headers.iter().any(|h| h.starts_with("content-length")) {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    answer(status, &["content-type: application/json"], body.as_bytes())
}

/// Makes the answer to an exchange.
pub(crate) fn token(profile: &str) -> Reply {
    let rest = format!(r#""token_type":"Bearer","access_token":"{TOKEN}","expires_in":600"#);
    json(200, &format!(r#"{{{rest},"profile":{profile}}}"#))
}

/// Makes the answer to a request for a mail.
pub(crate) fn sent() -> Reply {
    json(201, r#"{"success":true}"#)
}
