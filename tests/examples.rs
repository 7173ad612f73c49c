//! The examples as a person runs them: the program, its printed lines, and real HTTP.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Response, redirect::Policy};
use tokio_tungstenite::tungstenite;

/// A running example, ended when it is dropped.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts an example, which cargo has built beside this test.
    fn start(name: &str) -> Self {
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/{name}{}", env::consts::EXE_SUFFIX));
        let mut child = Command::new(&path)
            .env("PORT", "0")
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}; `cargo build --examples` makes {name}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Returns what follows `start` on the next line.
    fn says(&mut self, start: &str) -> String {
        let line = self.lines.next().expect("a line").unwrap();
        line.strip_prefix(start)
            .unwrap_or_else(|| panic!("{line:?} is not {start:?}"))
            .to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A client that keeps cookies and follows no redirect.
struct Person {
    http: Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Person {
    fn at(origin: &str) -> Self {
        Self {
            http: Client::builder().redirect(Policy::none()).build().unwrap(),
            origin: origin.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    async fn get(&mut self, url: &str) -> Response {
        let request = self.http.get(self.absolute(url));
        self.send(request).await
    }

    async fn post(&mut self, url: &str, form: &'static str) -> Response {
        let request = self
            .http
            .post(self.absolute(url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request
            .header("accept", "text/html")
            .header("cookie", cookies.join("; "))
            .send()
            .await
            .unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn absolute(&self, url: &str) -> String {
        match url.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.origin),
            None => url.to_owned(),
        }
    }
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_quickstart_signs_a_person_in_and_out() {
    let mut program = Program::start("quickstart");
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);

    let login = location(&person.get("/?tab=2").await);
    assert_eq!(login, "/auth/login?return_to=/%3Ftab%3D2");
    let form = person.get(&login).await;
    assert!(form.text().await.unwrap().contains("name=\"email\""));
    let check = location(&person.post(&login, "email=ada%40example.com").await);
    assert!(
        person
            .get(&check)
            .await
            .text()
            .await
            .unwrap()
            .contains("ada@example.com")
    );

    let link = program.says("sign-in link for ada@example.com: ");
    let opened = person.get(&link).await;
    assert_eq!(opened.status(), 302);
    let callback = opened.headers()["location"].to_str().unwrap().to_owned();
    assert!(callback.starts_with(&origin), "{callback}");
    let home = location(&person.get(&callback).await);
    assert_eq!(home, "/?tab=2");
    let page = person.get(&home).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("Hello ada@example.com"));

    let before = person.cookies.clone();
    let out = location(&person.post("/auth/logout", "").await);
    let out = person.get(&out).await.text().await.unwrap();
    assert!(out.contains("signed out"), "{out}");
    person.cookies = before;
    assert!(location(&person.get("/").await).starts_with("/auth/login"));
    let about = person.get("/about").await.text().await.unwrap();
    assert!(about.contains("not signed in"), "{about}");
}

#[tokio::test]
async fn the_emulator_prints_where_it_listens_and_each_link() {
    let mut program = Program::start("emulator");
    let url = program.says("listening on ");
    let client = tower_magic_link::WorkOs::new("sk_any", "any")
        .and_then(|client| client.base_url(&url))
        .unwrap();
    let email = "ada@example.com".parse().unwrap();
    let session = client
        .create_session(&tower_magic_link::NewPasswordlessSession::new(email))
        .await
        .unwrap();
    client.send_session(session.id()).await.unwrap();
    let link = program.says("sign-in link for ada@example.com: ");
    assert_eq!(session.link().unwrap().expose(), link);
}

#[tokio::test]
async fn the_websocket_echoes_until_its_person_signs_out() {
    let mut program = Program::start("websocket");
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let address = origin.strip_prefix("http://").unwrap().to_owned();
    let connect = async |cookies: &BTreeMap<String, String>| {
        let cookies = cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let url = format!("ws://{address}/echo").parse().unwrap();
        let request = tungstenite::ClientRequestBuilder::new(url);
        let request = request.with_header("cookie", cookies.join("; "));
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await
    };

    let Err(tungstenite::Error::Http(refused)) = connect(&person.cookies).await else {
        panic!("nobody is signed in");
    };
    assert_eq!(refused.status().as_u16(), 401);

    let login = location(&person.get("/").await);
    person.get(&login).await;
    let check = location(&person.post(&login, "email=ada%40example.com").await);
    person.get(&check).await;
    let link = program.says("sign-in link for ada@example.com: ");
    let opened = person.get(&link).await;
    let callback = opened.headers()["location"].to_str().unwrap().to_owned();
    location(&person.get(&callback).await);

    let (mut socket, _) = connect(&person.cookies).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), "hello".into());
    person.post("/auth/logout", "").await;
    let Some(Ok(tungstenite::Message::Close(Some(close)))) = socket.next().await else {
        panic!("the session has ended");
    };
    assert_eq!(close.reason.as_str(), "session ended");
}
