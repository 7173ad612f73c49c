//! `WorkOs::from_env_or_emulator` as README's first block has it: what a person needs to sign in
//! stands in the terminal, once.

#![expect(
    clippy::print_stdout,
    reason = "a test is the program that prints, too"
)]

use std::{
    env, fs,
    future::pending,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use axum::{Router, routing::get};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SignIn, SigningKey,
    mailer::ConsoleMailer,
    workos::{NewMagicAuth, WorkOs},
};

use crate::{
    guard::{Scratch, logs},
    names::ADA,
    person::{Person, location},
};

pub(crate) const CODE: &str = "sign-in code for ada@example.com: ";
const LINK: &str = "sign-in link for ada@example.com: ";

/// The variable by which this test's own program, started once more, is such an application.
const WAY: &str = "TOWER_MAGIC_LINK_TEST_WAY";

/// A way to sign in, whether the layer has a mailer, and how often link and code are printed.
const WAYS: [(SignIn, bool, usize, usize); 5] = [
    (SignIn::Link, false, 1, 0),
    (SignIn::Link, true, 1, 0),
    (SignIn::Code, false, 0, 1),
    (SignIn::Code, true, 0, 1),
    (SignIn::LinkAndCode, true, 1, 1),
];

/// Returns an example, which cargo has built beside this test.
pub(crate) fn example(name: &str) -> Command {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push(format!("examples/{name}{}", env::consts::EXE_SUFFIX));
    Command::new(path)
}

/// Starts an example that does not take its variables. Returns what it says before it ends.
pub(crate) fn refusal(name: &str, variables: &[(&str, &str)]) -> String {
    let mut command = example(name);
    for name in ["MAGIC_LINK_KEY", "MAIL_FROM", "SMTP_URL"] {
        command.env_remove(name);
    }
    for name in ["WORKOS_API_KEY", "WORKOS_CLIENT_ID"] {
        command.env_remove(name);
    }
    let ports = [("PORT", "0"), ("METRICS_PORT", "0")];
    command.envs(ports).envs(variables.iter().copied());
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // One that serves says so first, and would not end.
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let _ = child.kill();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(line, "", "{name} serves with {variables:?}");
    assert_eq!(ended.status.code(), Some(1), "{name} {variables:?}");
    String::from_utf8(ended.stderr).unwrap()
}

/// A program that prints into a file, ended when it is dropped.
pub(crate) struct Printing(pub(crate) Child);

impl Printing {
    pub(crate) fn start(command: &mut Command, out: &Scratch) -> Self {
        let out = fs::File::create(out.path()).unwrap();
        Self(command.stdout(out).spawn().unwrap())
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Waits until a program listens, and signs in there by the link or code that it prints into a
/// file. Returns the page that it leads to.
pub(crate) async fn sign_in(out: &Scratch, by: &str) -> String {
    let origin = after(out, "listening on ").await;
    let mut person = Person::at(&origin);
    let form = location(&person.get("/").await);
    person.get(&form).await;
    let check = location(&person.post(&form, "email=ada%40example.com").await);
    let printed = after(out, by).await;
    let home = if by == CODE {
        let entry = check.replace("/auth/check", "/auth/code");
        location(&person.post(&entry, &format!("code={printed}")).await)
    } else {
        person.follow(&printed).await
    };
    person.get(&home).await.text().await.unwrap()
}

/// Waits for a line, and returns what follows its beginning.
pub(crate) async fn after(out: &Scratch, start: &str) -> String {
    let text = logs(out, start).await;
    let (_, rest) = text.split_once(start).unwrap();
    rest.lines().next().unwrap().to_owned()
}

/// Starts a test of this file as a program, without an account. What it prints goes into a file.
fn start(test: &str, way: usize, out: &Scratch) -> Printing {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("without_account::{test}"),
            "--nocapture",
        ])
        .env(WAY, way.to_string());
    for name in ["WORKOS_API_KEY", "WORKOS_CLIENT_ID", "WORKOS_BASE_URL"] {
        command.env_remove(name);
    }
    Printing::start(&mut command, out)
}

/// Returns which of the ways this process is to serve, if it was started for one.
fn way() -> Option<usize> {
    env::var(WAY).ok().map(|way| way.parse().unwrap())
}

/// README's first block, with another way to sign in.
async fn serve((sign_in, has_mailer, ..): (SignIn, bool, usize, usize)) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public_url = format!("http://{}", listener.local_addr().unwrap());
    let workos = WorkOs::from_env_or_emulator().await.unwrap();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let mut layer = MagicLinkLayer::builder(workos, keys)
        .public_url(&public_url)
        .sign_in(sign_in);
    if has_mailer {
        layer = layer.mailer(ConsoleMailer::new());
    }
    let home = get(async |session: Session| format!("hello {}", session.email()));
    let app = Router::new()
        .route("/", home)
        .layer(layer.build().unwrap())
        .into_make_service_with_connect_info::<SocketAddr>();
    println!("listening on {public_url}");
    axum::serve(listener, app).await.unwrap();
}

/// Pinned: a code was made and printed nowhere, unless the layer had a mailer.
#[tokio::test]
async fn whoever_has_no_account_reads_each_link_and_code_once() {
    if let Some(way) = way() {
        return serve(WAYS[way]).await;
    }
    for (number, way) in WAYS.into_iter().enumerate() {
        let (_, _, links, codes) = way;
        let out = Scratch::new(&format!("way-{number}"), "");
        let test = "whoever_has_no_account_reads_each_link_and_code_once";
        let _program = start(test, number, &out);
        let by = if codes > 0 { CODE } else { LINK };
        assert_eq!(sign_in(&out, by).await, "hello ada@example.com", "{way:?}");
        let printed = logs(&out, by).await;
        let count = |start| printed.matches(start).count();
        assert_eq!((count(LINK), count(CODE)), (links, codes), "{way:?}");
    }
}

/// WorkOS would mail it if its dashboard said so: here, too, somebody waits for it.
#[tokio::test]
async fn a_code_that_the_client_makes_without_a_layer_is_printed_too() {
    if way().is_some() {
        let workos = WorkOs::from_env_or_emulator().await.unwrap();
        let new = NewMagicAuth::new(ADA.parse().unwrap());
        let made = workos.create_magic_auth(&new).await.unwrap();
        let code = made.code().unwrap().expose();
        println!("made {code}");
        return pending().await;
    }
    let out = Scratch::new("way-client", "");
    let test = "a_code_that_the_client_makes_without_a_layer_is_printed_too";
    let _program = start(test, 0, &out);
    let made = after(&out, "made ").await;
    let printed = logs(&out, CODE).await;
    assert_eq!(printed.matches(&format!("{CODE}{made}\n")).count(), 1);
}

/// Pins: with a misspelled `WORKOS_API_KEY` six examples emulated WorkOS, and printed the link of
/// each sign-in to their log.
#[test]
fn an_example_with_half_of_workoss_variables_does_not_start() {
    let examples = [
        "axum",
        "custom_mail",
        "forward_auth",
        "hyper",
        "metrics",
        "quickstart",
        "tonic",
        "websocket",
    ];
    for example in examples {
        let said = refusal(
            example,
            &[("WORKOS_KEY", "sk_1"), ("WORKOS_CLIENT_ID", "client_1")],
        );
        let want = "WORKOS_API_KEY is not set";
        assert!(said.contains(want), "{example}: {said}");
        let said = refusal(example, &[("WORKOS_API_KEY", "sk_1")]);
        let want = "WORKOS_CLIENT_ID is not set";
        assert!(said.contains(want), "{example}: {said}");
    }
}
