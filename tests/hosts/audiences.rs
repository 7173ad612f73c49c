//! Every audience at every host, over real sockets: without a session, and while the store is out.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, header};
use http_body_util::Full;
use hyper::ext::Protocol;
use serde_json::{Value, json};
use tower_magic_link::testing::ManualClock;

use self::callers::callers;
use crate::{
    answer::Answer,
    host::{Host, Kind},
    names::ORIGIN,
    script::{Act, Script},
    site::{builder, cookie_of},
};

mod callers;

/// Somebody who asks for `/hello`.
struct Caller {
    name: &'static str,
    method: Method,
    fields: &'static [(&'static str, &'static str)],
    tongue: Tongue,
}

/// The language in which they are answered.
#[derive(Clone, Copy, Debug)]
enum Tongue {
    Frame {
        kind: &'static str,
        is_text: bool,
    },
    Grpc,
    /// A page with 401, which leads on by itself to the form, and back.
    Led,
    /// A problem, which leads on so if it is shown.
    LedProblem,
    /// A problem, and `HX-Redirect` to this.
    Htmx(&'static str),
    Page,
    Prefetch,
    /// A problem, whose form is this.
    Problem(&'static str),
    /// A page that says that nothing was saved, and leads to this form.
    Unsaved(&'static str),
}

const FORM_AND_BACK: &str = "/auth/login?return_to=/hello";
const FORM_AND_PAGE: &str = "/auth/login?return_to=/reports/new%3Fdraft%3D1";

/// What befell the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    NoSession,
    StoreOut,
}

impl Caller {
    /// Says whether a host's protocol can carry this request: HTTP/1.1 upgrades a GET, HTTP/2
    /// extends CONNECT, where the server says so.
    fn fits(&self, kind: Kind) -> bool {
        let is_http1 = matches!(kind, Kind::Axum | Kind::Hyper1);
        match self.name {
            "WebSocket" => is_http1,
            "WebSocket over HTTP/2" => kind == Kind::Hyper2,
            _ => true,
        }
    }

    async fn ask(&self, host: &Host, cookie: Option<&str>) -> Answer {
        let mut request = host.request(self.method.clone(), "/hello");
        for (name, value) in self.fields {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if self.method == Method::CONNECT {
            request = request.extension(Protocol::from_static("websocket"));
        }
        host.send(request.body(Full::default()).unwrap()).await
    }

    fn check(&self, answer: &Answer, fate: Fate, at: &str) {
        let is_out = fate == Fate::StoreOut;
        let (code, status) = if is_out {
            ("store_unavailable", 503)
        } else {
            ("no_session", 401)
        };
        assert_eq!(answer.header("cache-control"), "no-store", "{at}");
        assert_eq!(answer.header("vary"), "cookie", "{at}");
        assert!(answer.cookies().is_empty(), "the cookie stays: {at}");
        let leads = matches!(self.tongue, Tongue::Led | Tongue::LedProblem) && !is_out;
        let refresh = match leads {
            true => format!("0; url={ORIGIN}{FORM_AND_BACK}"),
            false => String::new(),
        };
        assert_eq!(answer.header("refresh"), refresh, "{at}");
        match self.tongue {
            Tongue::Page | Tongue::Led if is_out => {
                assert_eq!(answer.status(), 503, "{at}");
                assert_eq!(
                    answer.header("content-type"),
                    "text/html; charset=utf-8",
                    "{at}"
                );
                assert_eq!(answer.header("retry-after"), "5", "{at}");
                assert_eq!(answer.body.is_empty(), self.method == Method::HEAD, "{at}");
            }
            Tongue::Led => {
                assert_eq!(answer.status(), 401, "{at}");
                assert_eq!(
                    answer.header("content-type"),
                    "text/html; charset=utf-8",
                    "{at}"
                );
                assert_eq!(answer.header("location"), "", "{at}");
                let challenge = format!(r#"MagicLink login_url="{ORIGIN}{FORM_AND_BACK}""#);
                assert_eq!(answer.header("www-authenticate"), challenge, "{at}");
                let way_on = format!("href=\"{FORM_AND_BACK}\"");
                assert!(answer.text().contains(&way_on), "{at}");
            }
            Tongue::LedProblem => check_problem(answer, status, code, "/auth/login", at),
            Tongue::Page => {
                assert_eq!(answer.location(), FORM_AND_BACK, "{at}");
                assert!(answer.body.is_empty(), "{at}");
            }
            Tongue::Unsaved(form) => {
                assert_eq!(answer.status(), status, "{at}");
                assert_eq!(
                    answer.header("content-type"),
                    "text/html; charset=utf-8",
                    "{at}"
                );
                assert_eq!(answer.header("location"), "", "{at}");
                let challenge = match is_out {
                    true => String::new(),
                    false => format!(r#"MagicLink login_url="{ORIGIN}{form}""#),
                };
                assert_eq!(answer.header("www-authenticate"), challenge, "{at}");
                let text = answer.text();
                assert_eq!(
                    text.contains("nothing that was sent has been saved"),
                    !is_out,
                    "{at}"
                );
                let way_on = format!("href=\"{form}\"");
                assert_eq!(text.contains(&way_on), !is_out, "{at}: {text}");
            }
            Tongue::Problem(form) => check_problem(answer, status, code, form, at),
            Tongue::Htmx(form) => {
                check_problem(answer, status, code, form, at);
                let want = if is_out { "" } else { form };
                assert_eq!(answer.header("hx-redirect"), want, "{at}");
            }
            Tongue::Prefetch => check_problem(answer, 503, "prefetch", "", at),
            Tongue::Grpc => {
                let want: http::Response<()> = status_of(fate).into_http();
                assert_eq!(answer.status(), 200, "{at}");
                for (name, value) in want.headers() {
                    assert_eq!(answer.head.headers[name], value, "{name} {at}");
                }
                assert!(answer.body.is_empty() && answer.trailers.is_none(), "{at}");
            }
            Tongue::Frame { kind, is_text } => {
                assert_eq!(answer.status(), 200, "{at}");
                assert_eq!(answer.header("content-type"), kind, "{at}");
                let body = answer.body.to_vec();
                let frame = if is_text {
                    STANDARD.decode(body).unwrap()
                } else {
                    body
                };
                assert_eq!(frame, frame_of(fate), "{at}");
            }
        }
    }
}

fn status_of(fate: Fate) -> tonic::Status {
    match fate {
        Fate::NoSession => tonic::Status::unauthenticated("sign-in required"),
        Fate::StoreOut => tonic::Status::unavailable("session store unavailable"),
    }
}

/// The frame of trailers: the flag 0x80, four bytes of length, a line for each field that tonic
/// would write.
fn frame_of(fate: Fate) -> Vec<u8> {
    let status: http::Response<()> = status_of(fate).into_http();
    let mut lines = Vec::new();
    for name in ["grpc-status", "grpc-message"] {
        lines.extend(
            [
                name.as_bytes(),
                b":",
                status.headers()[name].as_bytes(),
                b"\r\n",
            ]
            .concat(),
        );
    }
    let length = u32::try_from(lines.len()).unwrap().to_be_bytes();
    [&[0x80][..], &length, &lines].concat()
}

fn check_problem(answer: &Answer, status: u16, code: &str, form: &str, at: &str) {
    assert_eq!(answer.status(), status, "{at}");
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{at}"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{at}");
    assert_eq!(answer.header("location"), "", "{at}");
    let mut problem: Value = serde_json::from_slice(&answer.body).unwrap();
    let title = problem["title"].take();
    assert!(
        title.as_str().is_some_and(|title| !title.is_empty()),
        "{at}"
    );
    let mut want = json!({
        "type": format!("urn:tower-magic-link:{code}"),
        "title": null,
        "status": status,
        "code": code,
    });
    let mut challenge = String::new();
    if status == 401 {
        want["login_url"] = format!("{ORIGIN}{form}").into();
        challenge = format!(r#"MagicLink login_url="{ORIGIN}{form}""#);
    }
    assert_eq!(problem, want, "{at}");
    assert_eq!(answer.header("www-authenticate"), challenge, "{at}");
    let wait = if status == 503 { "5" } else { "" };
    assert_eq!(answer.header("retry-after"), wait, "{at}");
}

#[tokio::test]
async fn every_audience_is_answered_in_its_own_language_at_every_host() {
    let stores = [
        (Fate::NoSession, Script::settled(Act::Active)),
        (Fate::StoreOut, Script::settled(Act::Fail)),
        (Fate::StoreOut, Script::pending(Act::Fail)),
    ];
    let mut asked = 0;
    for (fate, store) in stores {
        let layer = builder(&ManualClock::new()).revocations(store.clone());
        let layer = layer.build().unwrap();
        let (cookie, _) = cookie_of(&layer);
        let cookie = (fate == Fate::StoreOut).then_some(cookie.as_str());
        for host in Host::all(&layer).await {
            for caller in callers() {
                if caller.fits(host.kind) {
                    let at = format!("{} at {:?}, {fate:?}, {store:?}", caller.name, host.kind);
                    caller.check(&caller.ask(&host, cookie).await, fate, &at);
                    asked += 1;
                }
            }
        }
    }
    assert_eq!(asked, 3 * (4 * 31 + 2 + 1));
}
