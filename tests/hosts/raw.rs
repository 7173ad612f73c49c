//! Request targets that no client library sends, over real sockets: absolute-form, authority-form,
//! `*`, CONNECT (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
//!
//! A witness between hyper and the layer says what hyper hands on, so that the test also knows what
//! hyper refuses by itself.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::{Layer, Service, service_fn};
use tower_magic_link::{PathRule, testing::ManualClock};

use crate::{host::listen, site};

const LONG: Duration = Duration::from_secs(20);

/// What the layer was handed and answered: `TARGET: STATUS LOCATION`.
type Witness = Arc<Mutex<Vec<String>>>;

/// Serves one connection with HTTP/1.1 or HTTP/2, and sends it these bytes. Returns what came back
/// until it was answered or closed, and what the layer was handed.
async fn exchange(bytes: &[u8], is_answered: fn(&[u8]) -> bool) -> (Vec<u8>, Vec<String>) {
    let layer = site::builder(&ManualClock::new())
        .public_prefix(PathRule::any_method("/public"))
        .optional_prefix(PathRule::any_method("/optional"))
        .build()
        .unwrap();
    let witness = Witness::default();
    let seen = witness.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut inner = layer.layer(site::application::<Incoming>());
        let target = request.uri().to_string();
        let seen = seen.clone();
        async move {
            let response = inner.call(request).await?;
            let location = response.headers().get(header::LOCATION);
            let location = location.map_or("", |value| value.to_str().unwrap());
            let line = format!("{target}: {} {location}", response.status().as_u16());
            seen.lock().unwrap().push(line.trim_end().to_owned());
            Ok::<_, Infallible>(response)
        }
    });
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let server = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(service);
        drop(server.serve_connection(TokioIo::new(stream), service).await);
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let reading = async {
        while !is_answered(&answer) && stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {}
    };
    let read = tokio::time::timeout(LONG, reading).await;
    read.expect("the server answers or closes the connection");
    let seen = witness.lock().unwrap().clone();
    (answer, seen)
}

#[tokio::test]
async fn no_form_of_target_opens_anything_or_redirects_to_its_authority_over_http1() {
    let login = "303 /auth/login";
    let cases: [(&str, &str, Option<String>); 19] = [
        (
            "origin-form",
            "GET /x",
            Some(format!("/x: {login}?return_to=/x")),
        ),
        ("public", "GET /public/x", Some("/public/x: 200".to_owned())),
        (
            "optional",
            "PUT /optional",
            Some("/optional: 200".to_owned()),
        ),
        (
            "absolute-form",
            "GET http://evil.example/x",
            Some(format!("http://evil.example/x: {login}?return_to=/x")),
        ),
        (
            "absolute-form, public",
            "GET http://evil.example/public",
            Some("http://evil.example/public: 200".to_owned()),
        ),
        (
            "absolute-form, no path",
            "GET http://evil.example",
            Some(format!("http://evil.example/: {login}?return_to=/")),
        ),
        (
            "absolute-form, other scheme",
            "GET gopher://evil.example/public/..",
            Some(format!("gopher://evil.example/public/..: {login}")),
        ),
        (
            "absolute-form, user",
            "GET http://app.example.com@evil.example/x",
            Some(format!(
                "http://app.example.com@evil.example/x: {login}?return_to=/x"
            )),
        ),
        (
            "two slashes",
            "GET //evil.example/public",
            Some(format!("//evil.example/public: {login}")),
        ),
        (
            "backslash",
            "GET /\\evil.example",
            Some(format!("/\\evil.example: {login}")),
        ),
        ("asterisk", "OPTIONS *", Some("*: 401".to_owned())),
        ("asterisk, GET", "GET *", Some(format!("*: {login}"))),
        (
            "authority-form",
            "CONNECT evil.example:443",
            Some("evil.example:443: 401".to_owned()),
        ),
        (
            "CONNECT, origin-form",
            "CONNECT /public",
            Some("/public: 401".to_owned()),
        ),
        (
            "CONNECT, absolute-form",
            "CONNECT http://evil.example/public",
            Some("http://evil.example/public: 401".to_owned()),
        ),
        (
            "authority-form, GET",
            "GET evil.example:443",
            Some(format!("evil.example:443: {login}")),
        ),
        ("relative", "GET public", Some(format!("public: {login}"))),
        ("nothing", "GET ", None),
        (
            "fragment",
            "GET /x#/public",
            Some(format!("/x: {login}?return_to=/x")),
        ),
    ];
    for (name, line, want) in cases {
        let bytes = format!(
            "{line} HTTP/1.1\r\nhost: evil.example\r\naccept: text/html\r\nconnection: close\r\n\r\n"
        );
        let (answer, seen) = exchange(bytes.as_bytes(), |_| false).await;
        assert_eq!(seen, Vec::from_iter(want), "{name}");
        let answer = String::from_utf8(answer).unwrap();
        if seen.is_empty() {
            assert!(answer.starts_with("HTTP/1.1 400 "), "{name}: {answer}");
        }
        assert!(!answer.contains("evil"), "{name}: {answer}");
    }
}

/// Names and values, pseudo-header fields among them.
type Fields = Vec<(&'static str, &'static str)>;

/// Writes a HEADERS frame that ends its stream, in HPACK literals without an index (RFC 7541,
/// section 6.2.2).
fn headers_frame(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    // Type HEADERS, flags END_STREAM and END_HEADERS, stream 1.
    let mut frame = [&length[1..], &[1, 0x05], &[0, 0, 0, 1]].concat();
    frame.extend(block);
    frame
}

/// Says whether a response, RST_STREAM or GOAWAY is among the frames that came.
fn has_end(mut frames: &[u8]) -> bool {
    while let Some((head, rest)) = frames.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let length = usize::try_from(length).unwrap();
        if matches!(head[3], 1 | 3 | 7) {
            return true;
        }
        frames = rest.get(length..).unwrap_or_default();
    }
    false
}

#[tokio::test]
async fn no_pseudo_header_opens_anything_or_redirects_to_its_authority_over_http2() {
    let login = "303 /auth/login";
    let to = |path: &'static str| {
        [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "evil.example"),
            (":path", path),
        ]
        .to_vec()
    };
    let cases: [(&str, Fields, Option<String>); 17] = [
        (
            "protected",
            to("/x"),
            Some(format!("https://evil.example/x: {login}?return_to=/x")),
        ),
        (
            "public",
            to("/public/x"),
            Some("https://evil.example/public/x: 200".to_owned()),
        ),
        (
            "two slashes",
            to("//evil.example/public"),
            Some(format!(
                "https://evil.example//evil.example/public: {login}"
            )),
        ),
        (
            "dot segment",
            to("/public/../x"),
            Some(format!("https://evil.example/public/../x: {login}")),
        ),
        (
            "asterisk",
            to("*"),
            Some(format!("https://evil.example*: {login}")),
        ),
        ("absolute-form", to("https://evil.example/public"), None),
        ("authority-form", to("evil.example:443"), None),
        ("relative", to("public"), None),
        ("empty", to(""), None),
        (
            "no path",
            vec![
                (":method", "GET"),
                (":scheme", "https"),
                (":authority", "evil.example"),
            ],
            None,
        ),
        (
            "two paths",
            [to("/x"), vec![(":path", "/public")]].concat(),
            None,
        ),
        (
            "path as a field",
            [to("/x"), vec![("path", "/public")]].concat(),
            Some(format!("https://evil.example/x: {login}?return_to=/x")),
        ),
        (
            "odd scheme",
            vec![
                (":method", "GET"),
                (":scheme", "javascript"),
                (":authority", "evil.example"),
                (":path", "/x"),
            ],
            Some(format!("javascript://evil.example/x: {login}?return_to=/x")),
        ),
        (
            "OPTIONS asterisk",
            vec![
                (":method", "OPTIONS"),
                (":scheme", "https"),
                (":authority", "evil.example"),
                (":path", "*"),
            ],
            Some("https://evil.example*: 401".to_owned()),
        ),
        (
            "CONNECT",
            vec![(":method", "CONNECT"), (":authority", "evil.example:443")],
            Some("evil.example:443: 401".to_owned()),
        ),
        (
            "CONNECT with a path",
            [to("/public"), vec![(":method", "CONNECT")]].concat(),
            None,
        ),
        (
            "extended CONNECT",
            vec![
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":authority", "evil.example"),
                (":path", "/public"),
            ],
            None,
        ),
    ];
    for (name, mut fields, want) in cases {
        fields.push(("accept", "text/html"));
        // The preface, empty SETTINGS, the request.
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        bytes.extend(headers_frame(&fields));
        let (_, seen) = exchange(&bytes, has_end).await;
        assert_eq!(seen, Vec::from_iter(want), "{name}");
    }
}
