//! Organizations and domains that were narrowed hold for sessions that began before, and for those
//! of a wider layer with the same keys.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use tower::{Layer, service_fn};
use tower_magic_link::{
    Builder, Email, KeyRing, MagicLinkLayer, RejectionKind, Session, SessionGuard,
    companion::IssueError, companion::Outcome, provider::Identity, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    host::{Host, Kind},
    names::{ADA, EVE},
    script::{Act, Script},
    site::{SESSION, application, builder_with, document, grpc, keys, program, with_cookie},
};

const HOUR: Duration = Duration::from_secs(3_600);

type Narrow = fn(Builder) -> Builder;

/// Ways to narrow the rules so that a session of Ada's with `org_1` stays, or does not.
const RULES: [(&str, Narrow, bool); 8] = [
    ("her organization", |b| b.organization("org_1"), true),
    (
        "hers among others",
        |b| b.organization("org_2").organization("org_1"),
        true,
    ),
    ("her domain", |b| b.email_domains(["example.com"]), true),
    (
        "both",
        |b| b.organization("org_1").email_domains(["EXAMPLE.com"]),
        true,
    ),
    ("another organization", |b| b.organization("org_11"), false),
    (
        "another domain",
        |b| b.email_domains(["example.org", "le.com", "sub.example.com"]),
        false,
    ),
    (
        "her domain, another organization",
        |b| b.email_domains(["example.com"]).organization("org_2"),
        false,
    ),
    (
        "her organization, another domain",
        |b| b.email_domains(["example.org"]).organization("org_1"),
        false,
    ),
];

/// Two layers with the same keys: the wider one, and one that was narrowed.
struct Pair {
    clock: ManualClock,
    keys: KeyRing,
    wide: MagicLinkLayer,
    strict: MagicLinkLayer,
}

impl Pair {
    fn new(narrow: impl FnOnce(Builder) -> Builder) -> Self {
        let (clock, keys) = (ManualClock::new(), keys());
        let wide = configured(&clock, &keys).build().unwrap();
        let strict = narrow(configured(&clock, &keys)).build().unwrap();
        Self {
            clock,
            keys,
            wide,
            strict,
        }
    }

    /// Begins a session at the wider layer, and returns its token.
    fn token(&self, email: &str, organization: Option<&str>) -> (String, Session) {
        let identity = Identity::new("user-1", Email::parse(email).unwrap())
            .with_organization(organization.map(str::to_owned));
        let issued = self.wide.issuer().issue(&identity).unwrap();
        (issued.token().expose().to_owned(), issued.session().clone())
    }
}

fn configured(clock: &ManualClock, keys: &KeyRing) -> Builder {
    builder_with(clock, keys)
        .idle_timeout(HOUR)
        .bearer_tokens()
        .optional_path("/home")
        .public_path("/about")
}

fn cookie(token: &str) -> String {
    format!("{SESSION}={token}")
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<Bytes>>) -> Answer {
    Answer::of(layer.layer(application()), request).await
}

#[tokio::test]
async fn a_narrowed_organization_or_domain_holds_for_sessions_at_every_host() {
    for (name, narrow, stays) in RULES {
        let pair = Pair::new(narrow);
        let (token, session) = pair.token(ADA, Some("org_1"));
        for host in Host::all(&pair.strict).await {
            if host.kind == Kind::Axum && !stays {
                let request = host.request(Method::GET, "/hello");
                let request = request
                    .header("sec-fetch-mode", "navigate")
                    .header(header::COOKIE, cookie(&token));
                let answer = host.send(request.body(Full::default()).unwrap()).await;
                assert_eq!(answer.status(), 403, "{name}");
                let page = answer.text();
                assert!(page.contains("This address can’t sign in here"), "{name}");
                continue;
            }
            let want = match (stays, host.kind) {
                (true, _) => Ok(greeting(&session)),
                (false, Kind::Tonic) => Err("PermissionDenied: request refused".to_owned()),
                (false, _) => Err("403 not_allowed".to_owned()),
            };
            let heard = host.greet(Some(&cookie(&token))).await;
            assert_eq!(heard, want, "{name}, {:?}", host.kind);
        }
        // As a bearer token, and as a program that explains.
        let bearer = || {
            let mut request = program("/x");
            let field = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, field);
            request
        };
        let answer = ask(&pair.strict, bearer()).await;
        let want = if stays { 200 } else { 403 };
        assert_eq!(answer.status(), want, "{name}, bearer");
        assert_eq!(ask(&pair.wide, bearer()).await.status(), 200, "{name}");
        let outcome = pair.strict.explain(&bearer().into_parts().0).outcome();
        let want = match stays {
            true => Outcome::Admit,
            false => Outcome::Refuse(RejectionKind::NotAllowed),
        };
        assert_eq!(outcome, want, "{name}");
    }
}

/// A token of the time before organizations were configured, or of a person proven otherwise.
#[tokio::test]
async fn a_session_without_an_organization_is_a_member_of_none() {
    let pair = Pair::new(|builder| builder.organization("org_1"));
    for (organization, want) in [(None, 403), (Some("org_2"), 403), (Some("org_1"), 200)] {
        let (token, _) = pair.token(ADA, organization);
        let answer = ask(&pair.strict, with_cookie(program("/x"), &cookie(&token))).await;
        assert_eq!(answer.status(), want, "{organization:?}");
    }
}

#[tokio::test]
async fn who_may_not_pass_keeps_the_cookie_and_is_led_to_another_address() {
    let pair = Pair::new(|builder| builder.email_domains(["example.org"]));
    let (token, _) = pair.token(ADA, None);
    // A renewal is due: the narrower layer gives none.
    pair.clock.advance(HOUR / 2);
    let form = "/auth/login?return_to=/x";
    let mut post = document("/x");
    *post.method_mut() = Method::POST;
    let page = "https://app.example.com/x".parse().unwrap();
    post.headers_mut().insert(header::REFERER, page);
    let mut htmx = program("/part");
    for (name, value) in [
        ("hx-request", "true"),
        ("hx-current-url", "https://app.example.com/x"),
    ] {
        htmx.headers_mut().insert(name, value.parse().unwrap());
    }
    for (name, request) in [
        ("navigation", document("/x")),
        ("post", post),
        ("htmx", htmx),
        ("program", program("/x")),
        ("grpc", grpc("/x")),
    ] {
        let answer = ask(&pair.strict, with_cookie(request, &cookie(&token))).await;
        assert!(answer.cookies().is_empty(), "{name}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        assert_eq!(answer.header("vary"), "cookie, authorization", "{name}");
        let (status, marks) = match name {
            "navigation" | "post" => (403, format!("href=\"{form}\"")),
            "program" => (403, "not_allowed".to_owned()),
            "htmx" => (403, "not_allowed".to_owned()),
            _ => (200, String::new()),
        };
        assert_eq!(answer.status(), status, "{name}");
        assert!(answer.text().contains(&marks), "{name}: {}", answer.text());
        assert!(!answer.text().contains("login_url"), "{name}");
        let grpc = (answer.header("grpc-status"), answer.header("hx-redirect"));
        let want = match name {
            "grpc" => ("7", ""),
            "htmx" => ("", form),
            _ => ("", ""),
        };
        assert_eq!((grpc.0.as_str(), grpc.1.as_str()), want, "{name}");
    }
    let renewed = ask(&pair.wide, with_cookie(program("/x"), &cookie(&token))).await;
    assert!(renewed.cookies()[SESSION].0.starts_with("ey"), "still good");
    let login = ask(&pair.strict, with_cookie(document(form), &cookie(&token))).await;
    assert_eq!(login.status(), 200);
    assert!(
        !login.text().contains(ADA),
        "an address that would be refused"
    );
}

#[tokio::test]
async fn an_open_path_goes_on_without_the_session_of_who_may_not_pass() {
    let pair = Pair::new(|builder| builder.organization("org_1"));
    let (token, session) = pair.token(ADA, None);
    for path in ["/home", "/about"] {
        let ask = |layer| ask(layer, with_cookie(document(path), &cookie(&token)));
        let (strict, wide) = (ask(&pair.strict).await, ask(&pair.wide).await);
        assert_eq!(strict.text(), "hello nobody", "{path}");
        assert!(strict.cookies().is_empty(), "{path}");
        assert_eq!(wide.text(), greeting(&session), "{path}");
    }
}

#[tokio::test]
async fn the_store_is_not_asked_about_who_may_not_pass() {
    let store = Script::settled(Act::Active);
    let asked = store.clone();
    let pair = Pair::new(move |builder| builder.organization("org_1").revocations(store));
    let (token, _) = pair.token(ADA, Some("org_2"));
    let answer = ask(&pair.strict, with_cookie(program("/x"), &cookie(&token))).await;
    assert_eq!(answer.code(), "not_allowed");
    assert_eq!(asked.asked(), 0);
}

/// The wider layer may stand around the narrower one, or beside it.
#[tokio::test]
async fn a_narrower_layer_inside_a_wider_one_holds_and_so_does_its_require_recent() {
    let pair = Pair::new(|builder| builder.email_domains(["example.org"]));
    let recent = pair.strict.require_recent(HOUR).unwrap();
    for (email, want) in [(ADA, 403), ("ada@example.org", 200)] {
        let (token, _) = pair.token(email, None);
        let request = || with_cookie(program("/x"), &cookie(&token));
        let inside = pair.wide.layer(pair.strict.layer(application()));
        assert_eq!(
            Answer::of(inside, request()).await.status(),
            want,
            "{email}"
        );
        let behind = pair.wide.layer(recent.layer(application()));
        assert_eq!(
            Answer::of(behind, request()).await.status(),
            want,
            "{email}"
        );
    }
}

/// Pinned: what the wider layer had put into the request reached the narrower one's handlers.
#[tokio::test]
async fn a_narrower_layer_inside_a_wider_one_hands_on_no_session_that_it_does_not_take() {
    let mut pair = Pair::new(|builder| builder.email_domains(["example.org"]));
    let wide = configured(&pair.clock, &pair.keys).end_streams();
    pair.wide = wide.build().unwrap();
    for path in ["/about", "/home"] {
        for (email, is_theirs) in [(ADA, false), ("ada@example.org", true)] {
            let (token, _) = pair.token(email, None);
            let seen = service_fn(async |request: Request<Full<Bytes>>| {
                let extensions = request.extensions();
                let has = [
                    extensions.get::<Session>().is_some(),
                    extensions.get::<SessionGuard>().is_some(),
                ];
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(format!("{has:?}"))))
            });
            let inside = pair.wide.layer(pair.strict.layer(seen));
            let request = with_cookie(program(path), &cookie(&token));
            let told = Answer::of(inside, request).await.text();
            assert_eq!(
                told,
                format!("[{is_theirs}, {is_theirs}]"),
                "{path} {email}"
            );
        }
    }
}

#[tokio::test]
async fn the_endpoint_for_scripts_says_that_the_person_may_not_pass() {
    let pair = Pair::new(|builder| builder.email_domains(["example.org"]));
    let (token, _) = pair.token(ADA, None);
    let mut cases = Vec::new();
    for cookie in [cookie(&token), format!("{SESSION}=x")] {
        let answer = ask(&pair.strict, with_cookie(program("/auth/session"), &cookie)).await;
        cases.push((answer.status().as_u16(), answer.code()));
    }
    let want = [(403, "not_allowed"), (401, "no_session")];
    assert_eq!(cases, want.map(|(status, code)| (status, code.to_owned())));
}

#[tokio::test]
async fn who_may_not_pass_can_sign_out() {
    let pair = Pair::new(|builder| {
        let builder = builder.email_domains(["example.org"]);
        builder.revocations(Script::settled(Act::Active))
    });
    let (token, _) = pair.token(ADA, None);
    let form = with_cookie(document("/auth/logout"), &cookie(&token));
    assert!(ask(&pair.strict, form).await.text().contains(ADA));
    let mut post = with_cookie(document("/auth/logout"), &cookie(&token));
    *post.method_mut() = Method::POST;
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ] {
        post.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = ask(&pair.strict, post).await;
    assert_eq!(answer.location(), "/auth/logout");
    assert_eq!(answer.cookies()[SESSION], (String::new(), 0));
}

#[test]
fn no_session_is_issued_that_the_layer_would_refuse() {
    let pair = Pair::new(|builder| builder.email_domains(["example.com"]).organization("org_1"));
    let issuer = pair.strict.issuer();
    for (email, organization, is_issued) in [
        (ADA, Some("org_1"), true),
        (EVE, Some("org_1"), true),
        (ADA, None, false),
        (ADA, Some("org_2"), false),
        ("ada@example.org", Some("org_1"), false),
    ] {
        let identity = Identity::new("user-1", Email::parse(email).unwrap())
            .with_organization(organization.map(str::to_owned));
        let issued = issuer.issue(&identity);
        let want = (!is_issued).then_some(IssueError::NotAllowed);
        assert_eq!(issued.err(), want, "{email}, {organization:?}");
    }
}
