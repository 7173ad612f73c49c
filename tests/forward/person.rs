//! Somebody in front of a proxy: signs in, and comes with a cookie from then on.

use futures_util::{SinkExt, StreamExt};
use http::Method;
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::names::ADA;

pub(crate) struct ProxiedPerson {
    http: Client,
    origin: String,
    pub(crate) cookie: String,
}

impl ProxiedPerson {
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            http: Client::builder().redirect(Policy::none()).build().unwrap(),
            origin: origin.to_owned(),
            cookie: String::new(),
        }
    }

    /// Navigates, with other fields beside the usual ones.
    pub(crate) async fn get(&self, url: &str, fields: &[(&str, &str)]) -> Response {
        let mut request = self
            .http
            .get(self.absolute(url))
            .header("accept", "text/html");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.header("cookie", &self.cookie).send().await.unwrap()
    }

    /// Begins a request with the cookie, as a program does.
    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.http.request(method, self.absolute(url));
        match self.cookie.as_str() {
            "" => request,
            cookie => request.header("cookie", cookie),
        }
    }

    /// Signs in, and keeps the session's cookie. `link` reads the mail.
    pub(crate) async fn sign_in(&mut self, link: impl FnOnce() -> String) {
        self.sign_in_as(ADA, link).await;
    }

    pub(crate) async fn sign_in_as(&mut self, email: &str, link: impl FnOnce() -> String) {
        let form = self.get("/auth/login?return_to=/page", &[]).await;
        assert_eq!(form.status(), 200);
        let post = self.http.post(self.absolute("/auth/login?return_to=/page"));
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        let sent = post
            .header("origin", &self.origin)
            .body(format!("email={}", email.replace('@', "%40")));
        let sent = sent.send().await.unwrap();
        assert_eq!(sent.status(), 303);
        self.cookie = cookie_in(&sent);
        let opened = self.get(&link(), &[]).await;
        let callback = self.get(location(&opened), &[]).await;
        assert_eq!(
            (callback.status().as_u16(), location(&callback)),
            (303, "/page")
        );
        self.cookie = cookie_in(&callback);
        let (name, token) = self.cookie.split_once('=').unwrap();
        let port = self.origin.rsplit(':').next().unwrap();
        let is_named = name == "magic-link" || name == format!("magic-link-{port}");
        assert!(is_named && token.starts_with("ey"), "{}", self.cookie);
    }

    /// Signs out, of every browser if asked to.
    pub(crate) async fn sign_out(&self, form: &str) -> Response {
        let post = self.http.post(self.absolute("/auth/logout"));
        let post = post
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.origin)
            .header("cookie", &self.cookie);
        post.body(form.to_owned()).send().await.unwrap()
    }

    /// Says hello over a WebSocket, and returns what comes back.
    pub(crate) async fn greet(&self, path: &str) -> Result<String, u16> {
        let mut socket = self.connect(path).await?;
        socket.send(Message::text("hello")).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        Ok(answer.into_text().unwrap().to_string())
    }

    /// Opens a WebSocket.
    pub(crate) async fn connect(&self, path: &str) -> Result<WebSocketStream<TcpStream>, u16> {
        let authority = self.origin.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{authority}{path}")
            .into_client_request()
            .unwrap();
        if !self.cookie.is_empty() {
            let cookie = self.cookie.parse().unwrap();
            request.headers_mut().insert("cookie", cookie);
        }
        let stream = TcpStream::connect(authority).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    fn absolute(&self, url: &str) -> String {
        match url.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.origin),
            None => url.to_owned(),
        }
    }
}

pub(crate) fn location(answer: &Response) -> &str {
    let location = answer.headers().get("location");
    location.map_or("", |value| value.to_str().unwrap())
}

/// Returns the pairs that an answer sets.
fn cookie_in(answer: &Response) -> String {
    let set = answer.headers().get_all("set-cookie").iter();
    let pairs = set.map(|value| value.to_str().unwrap().split(';').next().unwrap());
    pairs
        .filter(|pair| !pair.ends_with('='))
        .collect::<Vec<_>>()
        .join("; ")
}
