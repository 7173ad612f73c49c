//! Sessions that an application begins and ends by itself, through plain header values.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, service_fn};
use tower_magic_link::{
    Builder, Email, MagicLinkLayer,
    clock::Clock,
    companion::{IssueError, SessionIssuer},
    event::{EndedBy, Event},
    provider::Identity,
    store::StoreErrorKind,
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    jar::Forgets,
    names::{ADA, EVE, ORIGIN},
    script::{Act, Script},
    site::{SESSION, application, builder, cookie_of, document, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn ada() -> Identity {
    Identity::new("user-1", Email::parse(ADA).unwrap())
}

/// What was told, in short.
type Told = Arc<Mutex<Vec<String>>>;

fn listening(builder: Builder) -> (MagicLinkLayer, Told) {
    let told = Told::default();
    let heard = told.clone();
    let builder = builder.on_event(move |event, _| {
        heard.lock().unwrap().push(match event {
            Event::SignedIn { session } => format!("in {}", session.id()),
            Event::SignedOut {
                session,
                by: EndedBy::Application,
                is_everywhere: false,
                is_recorded,
            } => format!("out {} {is_recorded}", session.id()),
            Event::StoreFailed { kind } => format!("store {kind}"),
            other => format!("{other:?}"),
        });
    });
    (builder.build().unwrap(), told)
}

async fn ask(layer: &MagicLinkLayer, request: Request<Full<Bytes>>) -> Answer {
    Answer::of(layer.layer(application()), request).await
}

#[tokio::test]
async fn an_issued_session_is_admitted_by_its_cookie_and_by_its_token() {
    let clock = ManualClock::new();
    let (layer, told) = listening(builder(&clock).bearer_tokens());
    let issued = layer.issuer().issue(&ada()).unwrap();
    let session = issued.session();
    assert_eq!((session.subject(), session.email()), ("user-1", ADA));
    assert_eq!(
        (session.issued_at(), session.auth_time()),
        (clock.now(), clock.now())
    );
    assert_eq!(session.expires_at(), clock.now() + 12 * HOUR);
    assert_eq!(*told.lock().unwrap(), [format!("in {}", session.id())]);

    let token = issued.token().expose();
    let want = format!("{SESSION}={token}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=43200");
    assert_eq!(issued.set_cookie(), want);
    assert!(issued.set_cookie().is_sensitive());
    let by_cookie = with_cookie(program("/x"), &format!("{SESSION}={token}"));
    let mut by_token = program("/x");
    let field = format!("Bearer {token}").parse().unwrap();
    by_token.headers_mut().insert(header::AUTHORIZATION, field);
    for request in [by_cookie, by_token] {
        assert_eq!(ask(&layer, request).await.text(), greeting(session));
    }
    let again = layer.issuer().issue(&ada()).unwrap();
    assert_ne!(again.session().id(), session.id());
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_person_and_nobody_elses() {
    let (layer, told) = listening(builder(&ManualClock::new()));
    let [this, other] = [cookie_of(&layer), cookie_of(&layer)];
    let mut eve = Request::new(String::new());
    let eve_session = layer.sign_in(&mut eve, EVE);
    assert_ne!(eve_session.subject(), this.1.subject());
    // As a code yields it where a link has signed in before: another subject, the same person.
    let by_code = Identity::new("user-other", ADA.parse().unwrap());
    let by_code = layer.issuer().issue(&by_code).unwrap();
    let by_code = format!("{SESSION}={}", by_code.token().expose());
    layer.issuer().sign_out_everywhere(&this.1).await.unwrap();
    let told = told.lock().unwrap().concat();
    assert!(
        told.contains("is_everywhere: true, is_recorded: true"),
        "{told}"
    );
    for cookie in [this.0, other.0, by_code] {
        let refused = ask(&layer, with_cookie(program("/x"), &cookie)).await;
        assert_eq!(refused.code(), "revoked_session");
    }
    let cookie = eve.headers()["cookie"].to_str().unwrap().to_owned();
    assert_eq!(
        ask(&layer, with_cookie(program("/x"), &cookie))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_and_says_whether_the_store_took_it() {
    let clock = ManualClock::new();
    let (layer, told) = listening(builder(&clock));
    let (cookie, session) = cookie_of(&layer);
    layer.issuer().sign_out(&session).await.unwrap();
    let refused = ask(&layer, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(refused.code(), "revoked_session");
    assert_eq!(
        told.lock().unwrap()[0],
        format!("out {} true", session.id())
    );
    assert_eq!(refused.header("set-cookie"), "");
    let page = ask(&layer, with_cookie(document("/x"), &cookie)).await;
    let set = page.head.headers.get_all(header::SET_COOKIE).iter();
    let removals = layer.issuer().removals();
    assert_eq!(set.collect::<Vec<_>>(), removals.iter().collect::<Vec<_>>());

    let (layer, told) = listening(builder(&clock).revocations(Script::pending(Act::Fail)));
    let (_, session) = cookie_of(&layer);
    let error = layer.issuer().sign_out(&session).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let out = format!("out {} false", session.id());
    assert_eq!(
        *told.lock().unwrap(),
        ["store not available".to_owned(), out]
    );
}

#[tokio::test(start_paused = true)]
async fn signing_out_waits_for_the_store_no_longer_than_the_layer_does() {
    let builder = builder(&ManualClock::new()).revocations(Script::pending(Act::Hang));
    let layer = builder.build().unwrap();
    let (_, session) = cookie_of(&layer);
    let error = layer.issuer().sign_out(&session).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TimedOut);
}

#[test]
fn a_session_that_no_browser_would_keep_is_not_made_and_not_told_of() {
    let (layer, told) = listening(builder(&ManualClock::new()));
    let issuer = layer.issuer();
    let named = |length: usize| ada().with_names(Some("x".repeat(length)), None);
    let largest = (0..4_096)
        .rev()
        .find(|length| issuer.issue(&named(*length)).is_ok());
    let largest = largest.unwrap();
    let cookie = issuer.issue(&named(largest)).unwrap().set_cookie();
    let pair = cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert!((4_090..=4_097).contains(&pair.len()), "{}", pair.len());

    told.lock().unwrap().clear();
    let error = issuer.issue(&named(largest + 1)).unwrap_err();
    let IssueError::TooLarge { size } = error else {
        panic!("{error}");
    };
    assert!((4_097..4_100).contains(&size), "{size}");
    let nobody = Identity::new("", Email::parse(ADA).unwrap());
    assert_eq!(issuer.issue(&nobody).unwrap_err(), IssueError::NoSubject);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn an_issuer_is_cheap_to_share_and_prints_no_secret() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = builder(&ManualClock::new()).build().unwrap();
    let issuer = layer.issuer();
    shared(&issuer);
    assert_eq!(size_of_val(&issuer), size_of::<usize>());
    let issued = issuer.issue(&ada()).unwrap();
    shared(&issued);
    assert_eq!(format!("{:?}", issued.token()), "[redacted]");
    let printed = format!("{issuer:?} {issued:?}");
    for secret in issued.token().expose().split('.').chain([ADA]) {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// An application that answers with a `Set-Cookie` of its own.
async fn answer_with(layer: &MagicLinkLayer, set: &[HeaderValue], cookie: &str) -> Answer {
    let handler = service_fn(|_: Request<Full<Bytes>>| {
        let mut response = Response::new(Full::<Bytes>::default());
        for value in set {
            response
                .headers_mut()
                .append(header::SET_COOKIE, value.clone());
        }
        async { Ok::<_, Infallible>(response) }
    });
    Answer::of(layer.layer(handler), with_cookie(program("/x"), cookie)).await
}

#[tokio::test]
async fn a_handlers_own_session_cookie_wins_over_one_that_would_be_renewed() {
    let clock = ManualClock::new();
    let layer = builder(&clock).idle_timeout(HOUR).build().unwrap();
    let issuer = layer.issuer();
    let (cookie, session) = cookie_of(&layer);
    clock.advance(30 * MINUTE);
    let text = |text: &'static str| HeaderValue::from_static(text);
    let other = issuer.issue(&ada()).unwrap();
    let theirs: [(&str, Vec<HeaderValue>, bool); 11] = [
        ("nothing", vec![], false),
        ("a removal", vec![issuer.removal()], true),
        ("another session", vec![other.set_cookie()], true),
        (
            "among others",
            vec![text("a=1"), issuer.removal(), text("b=2")],
            true,
        ),
        (
            "by hand",
            vec![text("__Host-magic-link=; Path=/; Secure")],
            true,
        ),
        (
            "blanks around",
            vec![text(" __Host-magic-link\t=x; Path=/; Secure")],
            true,
        ),
        ("a neighbour", vec![text("a=1")], false),
        (
            "a longer name",
            vec![text("__Host-magic-link-browser=x")],
            false,
        ),
        ("another case", vec![text("__host-magic-link=x")], false),
        ("encoded", vec![text("%5f%5fHost-magic-link=x")], false),
        ("as a value", vec![text("a=__Host-magic-link=x")], false),
    ];
    for (name, set, is_theirs) in theirs {
        let answer = answer_with(&layer, &set, &cookie).await;
        let got = answer.head.headers.get_all(header::SET_COOKIE).iter();
        let got: Vec<_> = got.cloned().collect();
        assert_eq!(got[..set.len()], set, "{name}");
        assert_eq!(got.len() == set.len(), is_theirs, "{name}: {got:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
    }
    issuer.sign_out(&session).await.unwrap();
    let refused = ask(&layer, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(refused.code(), "revoked_session");
}

/// Signs in by a password and out, as a service without any framework does.
async fn by_hand(
    issuer: SessionIssuer,
    request: Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    let session = request.extensions().get::<tower_magic_link::Session>();
    match (request.method(), request.uri().path(), session) {
        (&Method::POST, "/password", _) => {
            let cookie = issuer.issue(&ada()).unwrap().set_cookie();
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        (&Method::POST, "/leave", Some(session)) => {
            for removal in issuer.removals() {
                response.headers_mut().append(header::SET_COOKIE, removal);
            }
            if issuer.sign_out(session).await.is_err() {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
        }
        (_, _, session) => {
            *response.body_mut() = Full::from(session.map(greeting).unwrap_or_default());
        }
    }
    Ok(response)
}

fn posted(path: &str) -> Request<Full<Bytes>> {
    Request::post(path).body(Full::default()).unwrap()
}

#[tokio::test]
async fn a_service_without_a_framework_signs_in_and_out_while_renewal_is_due() {
    let clock = ManualClock::new();
    let builder = builder(&clock).idle_timeout(HOUR);
    let builder = builder.public_path((Method::POST, "/password"));
    let layer = builder.build().unwrap();
    let issuer = layer.issuer();
    let app = layer.layer(service_fn(move |request| by_hand(issuer.clone(), request)));

    let answer = Answer::of(app.clone(), posted("/password")).await;
    let (token, max_age) = answer.cookies()[SESSION].clone();
    assert_eq!(max_age, 3_600);
    let cookie = format!("{SESSION}={token}");
    let answer = Answer::of(app.clone(), with_cookie(program("/x"), &cookie)).await;
    assert!(answer.text().starts_with("hello ada@"), "{}", answer.text());

    clock.advance(30 * MINUTE);
    let answer = Answer::of(app.clone(), with_cookie(posted("/leave"), &cookie)).await;
    assert_eq!(answer.status(), 200);
    let set = answer.head.headers.get_all(header::SET_COOKIE).iter();
    assert_eq!(set.collect::<Vec<_>>(), layer.issuer().removals());
    let answer = Answer::of(app, with_cookie(program("/x"), &cookie)).await;
    assert_eq!(answer.code(), "revoked_session");
    assert!(answer.header("www-authenticate").contains(ORIGIN));
}

/// Pins: the documented handler returned the store's error before it had removed the cookie.
#[tokio::test]
async fn a_service_without_a_framework_removes_the_cookie_even_if_the_store_fails() {
    let builder = builder(&ManualClock::new()).revocations(Forgets);
    let layer = builder.build().unwrap();
    let (issuer, (cookie, _)) = (layer.issuer(), cookie_of(&layer));
    let app = layer.layer(service_fn(move |request| by_hand(issuer.clone(), request)));
    let answer = Answer::of(app, with_cookie(posted("/leave"), &cookie)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.cookies()[SESSION], (String::new(), 0));
}
