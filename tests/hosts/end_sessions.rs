//! Sessions that the application orders to end, by what they have in common.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    Builder, Email, MagicLinkLayer, Session,
    companion::Issued,
    event::Event,
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations, Standing, Target},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::{ADA, EVE},
    script::{Act, Script},
    site::{application, builder, cookie_of, program, with_cookie},
};

type Told = Arc<Mutex<Vec<String>>>;

/// Returns a layer, and what it tells of sessions that were ended.
fn listening(builder: Builder) -> (MagicLinkLayer, Told) {
    let told = Told::default();
    let heard = told.clone();
    let builder = builder.on_event(move |event, _| {
        if let Event::SessionsEnded {
            kind,
            id,
            is_recorded,
        } = event
        {
            let line = format!("{kind} {id} {is_recorded}");
            heard.lock().unwrap().push(line);
        }
    });
    (builder.build().unwrap(), told)
}

fn identity(subject: &str, address: &str, organization: &str) -> Identity {
    let identity = Identity::new(subject, Email::parse(address).unwrap());
    identity.with_organization(Some(organization.to_owned()))
}

async fn is_admitted(layer: &MagicLinkLayer, issued: &Issued) -> bool {
    let mut request = program("/");
    let token = format!("Bearer {}", issued.token().expose());
    let headers = request.headers_mut();
    headers.insert("authorization", token.parse().unwrap());
    Answer::of(layer.layer(application()), request)
        .await
        .status()
        == 200
}

#[tokio::test]
async fn an_order_ends_what_it_names_and_has_begun_and_is_told() {
    let text = str::to_owned;
    let cases = [
        (Target::Subject(text("ada")), "subject ada true"),
        (
            Target::Address(text("ADA@example.com")),
            "address a***@example.com true",
        ),
        (
            Target::Organization(text("org-1")),
            "organization org-1 true",
        ),
        (
            Target::Membership {
                subject: text("ada"),
                organization: text("org-1"),
            },
            "membership ada org-1 true",
        ),
    ];
    assert_eq!(ADA, "ada@example.com");
    for (target, line) in cases {
        let clock = ManualClock::new();
        let (layer, told) = listening(builder(&clock).bearer_tokens());
        let issue = |subject, address, organization| {
            let identity = identity(subject, address, organization);
            layer.issuer().issue(&identity).unwrap()
        };
        let (ada, eve) = (issue("ada", ADA, "org-1"), issue("eve", EVE, "org-2"));
        layer.end_sessions(target).await.unwrap();
        assert!(!is_admitted(&layer, &ada).await, "{line}");
        assert!(is_admitted(&layer, &eve).await, "{line}");
        assert_eq!(*told.lock().unwrap(), [line]);
        clock.advance(Duration::from_secs(1));
        let again = issue("ada", ADA, "org-1");
        assert!(is_admitted(&layer, &again).await, "{line}: a later sign-in");
    }
}

#[tokio::test]
async fn one_session_is_ended_by_its_id_for_as_long_as_it_can_be_renewed() {
    let clock = ManualClock::new();
    let (layer, told) = listening(builder(&clock).bearer_tokens());
    let ada = identity("ada", ADA, "org-1");
    let issue = || layer.issuer().issue(&ada).unwrap();
    let (phone, laptop) = (issue(), issue());
    let id = phone.session().id();
    layer.end_sessions(Target::Session(id)).await.unwrap();
    assert!(!is_admitted(&layer, &phone).await);
    assert!(is_admitted(&layer, &laptop).await);
    assert_eq!(*told.lock().unwrap(), [format!("session {id} true")]);
    // To the last second of the token, many others having been ended meanwhile.
    clock.set(phone.session().expires_at() - Duration::from_secs(1));
    for number in 0..1_000 {
        let other = Target::Subject(format!("other-{number}"));
        layer.end_sessions(other).await.unwrap();
    }
    assert!(!is_admitted(&layer, &phone).await);
}

#[tokio::test]
async fn an_order_that_the_store_does_not_take_is_an_error_and_told_as_such() {
    let clock = ManualClock::new();
    let (layer, told) = listening(builder(&clock).revocations(Script::pending(Act::Fail)));
    let error = layer.end_sessions(Target::Subject("ada".to_owned())).await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(*told.lock().unwrap(), ["subject ada false"]);
}

/// Pins: an order for an address in another spelling than a session's ended nobody, returned `Ok`
/// and named the right person in the log.
#[tokio::test]
async fn an_address_in_another_spelling_ends_the_sessions_of_its_mailbox() {
    let cases = [
        (ADA, " ada@example.com "),
        (ADA, "\u{feff}Ada@EXAMPLE.com\t"),
        ("ada@bücher.example", "ada@bücher.example"),
        ("ada@bücher.example", "Ada@BÜCHER.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
    ];
    for (proven, named) in cases {
        let (layer, told) = listening(builder(&ManualClock::new()).bearer_tokens());
        let issue = |address| {
            let identity = identity(address, address, "org-1");
            layer.issuer().issue(&identity).unwrap()
        };
        let (ada, eve) = (issue(proven), issue(EVE));
        let target = Target::Address(named.to_owned());
        layer.end_sessions(target).await.unwrap();
        assert!(!is_admitted(&layer, &ada).await, "{named:?}");
        assert!(is_admitted(&layer, &eve).await, "{named:?}");
        let masked = Email::parse(proven).unwrap();
        assert_eq!(
            *told.lock().unwrap(),
            [format!("address {masked:?} true")],
            "{named:?}"
        );
    }
}

/// A store that does not take an order for one target.
#[derive(Clone, Debug)]
struct Refuses {
    target: Target,
    ended: MemoryRevocations,
}

impl Revocations for Refuses {
    fn look_up(&self, session: &Session) -> Lookup {
        self.ended.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        if *revocation.target() == self.target {
            return Box::pin(async { Err(StoreError::new(StoreErrorKind::Denied)) });
        }
        self.ended.revoke(revocation)
    }
}

#[tokio::test]
async fn each_spelling_of_an_address_is_recorded_even_if_the_other_one_fails() {
    let given = " ada@example.com ";
    for (refused, is_ended) in [(given, true), (ADA, false)] {
        let store = Refuses {
            target: Target::Address(refused.to_owned()),
            ended: MemoryRevocations::default(),
        };
        let builder = builder(&ManualClock::new()).bearer_tokens();
        let (layer, told) = listening(builder.revocations(store));
        let ada = layer.issuer().issue(&identity("ada", ADA, "org-1"));
        let error = layer.end_sessions(Target::Address(given.to_owned())).await;
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Denied);
        let is_admitted = is_admitted(&layer, &ada.unwrap()).await;
        assert_eq!(!is_admitted, is_ended, "{refused:?}");
        let lines = told.lock().unwrap().clone();
        assert_eq!(lines, ["address a***@example.com false"], "{refused:?}");
    }
}

/// A store that takes an order only once it is let.
#[derive(Clone, Debug, Default)]
struct Slow {
    lets: Arc<Notify>,
    ended: MemoryRevocations,
}

impl Revocations for Slow {
    fn look_up(&self, session: &Session) -> Lookup {
        self.ended.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.lets.notified().await;
            self.ended.revoke(revocation).await
        })
    }
}

/// How a handler ends its own session.
#[derive(Clone, Copy, Debug)]
enum Order {
    EndSessions,
    SignOut,
    SignOutEverywhere,
}

impl Order {
    const ALL: [Self; 3] = [Self::EndSessions, Self::SignOut, Self::SignOutEverywhere];

    async fn give(self, layer: &MagicLinkLayer, session: &Session) -> Result<(), StoreError> {
        match self {
            Self::EndSessions => {
                let target = Target::Address(session.email().to_owned());
                layer.end_sessions(target).await
            }
            Self::SignOut => layer.issuer().sign_out(session).await,
            Self::SignOutEverywhere => layer.issuer().sign_out_everywhere(session).await,
        }
    }
}

/// Pins: a browser that left dropped the handler within its order. The order was lost, and no event
/// told of it.
#[tokio::test(start_paused = true)]
async fn an_order_goes_on_and_is_told_after_the_browser_has_left() {
    for order in Order::ALL {
        let (store, (tell, mut told)) = (Slow::default(), mpsc::unbounded_channel());
        let layer = builder(&ManualClock::new())
            .revocations(store.clone())
            .end_streams()
            .on_event(move |event, _| {
                if let Event::SessionsEnded { is_recorded, .. }
                | Event::SignedOut { is_recorded, .. } = event
                {
                    let _ = tell.send(*is_recorded);
                }
            })
            .build()
            .unwrap();
        let (cookie, session) = cookie_of(&layer);
        let ordering = layer.clone();
        let handler = service_fn(move |request: Request<Full<Bytes>>| {
            let layer = ordering.clone();
            async move {
                let session = request.extensions().get::<Session>().unwrap();
                order.give(&layer, session).await.unwrap();
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        });
        let request = with_cookie(program("/x"), &cookie);
        let answer = layer.layer(handler).oneshot(request).now_or_never();
        assert!(answer.is_none(), "{order:?}: the store waits");
        store.lets.notify_waiters();
        let is_recorded = timeout(Duration::from_secs(60), told.recv()).await;
        assert_eq!(is_recorded, Ok(Some(true)), "{order:?}");
        let standing = store.ended.look_up(&session);
        let is_ended = matches!(standing, Lookup::Settled(Ok(Standing::Revoked)));
        assert!(is_ended, "{order:?}");
    }
}
