//! Sessions that the application orders to end, by what they have in common.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_magic_link::{
    Builder, Email, MagicLinkLayer, companion::Issued, event::Event, provider::Identity,
    revocation::Target, store::StoreErrorKind, testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::{ADA, EVE},
    script::{Act, Script},
    site::{application, builder, program},
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
    use tower::Layer;
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
