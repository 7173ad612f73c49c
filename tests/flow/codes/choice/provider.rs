//! A custom provider may ask for the choice too, by a link as by a code.

use std::convert::Infallible;

use http::Response;
use tower::{Layer, service_fn};
use tower_magic_link::{
    Email, KeyRing, MagicLinkLayer, Session, SigningKey,
    provider::Organization,
    testing::{Browser, StubProvider},
};

use super::{ACME, ADA, GLOBEX};
use crate::names::ORIGIN;

fn layer(provider: &StubProvider) -> MagicLinkLayer {
    let ada = Email::parse(ADA).unwrap();
    for (id, name) in [ACME, GLOBEX] {
        provider.add_membership(&ada, Organization::new(id, name));
    }
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(provider.clone(), keys).public_url(ORIGIN);
    builder.build().unwrap()
}

fn browser(layer: &MagicLinkLayer) -> Browser {
    let inner = service_fn(|request: http::Request<String>| async move {
        let session = request.extensions().get::<Session>();
        let organization = session.and_then(|session| session.organization());
        Ok::<_, Infallible>(Response::new(organization.unwrap_or("none").to_owned()))
    });
    Browser::new(layer.layer(inner), ORIGIN)
}

#[tokio::test]
async fn a_link_of_a_provider_may_ask_for_the_choice_too() {
    let provider = StubProvider::new();
    let layer = layer(&provider);
    let mut browser = browser(&layer);
    browser.get("/reports").await;
    browser.submit_login(ADA).await;
    let page = browser.open(provider.last_link()).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("Choose an organization"));
    let landed = browser.submit(&[("organization", GLOBEX.0)]).await;
    assert_eq!(landed.text(), GLOBEX.0);
    assert_eq!(landed.path(), "/reports");
    assert_eq!(provider.finished(), 2, "the link, and the choice");
}

/// The choice is of the browser that brought the proof, and not of the one that began.
#[tokio::test]
async fn a_link_that_was_opened_elsewhere_asks_there() {
    let provider = StubProvider::new();
    let layer = layer(&provider);
    let (mut first, mut second) = (browser(&layer), browser(&layer));
    first.get("/reports").await;
    let check = first.submit_login(ADA).await;
    let text = check.text().into_owned();
    let (_, letters) = text.split_once("id=\"match-code\">").unwrap();
    let letters = letters.split_once('<').unwrap().0;
    second.open(provider.last_link()).await;
    let page = second.submit(&[("code", letters)]).await;
    assert!(page.text().contains("Choose an organization"));
    let landed = second.submit(&[("organization", ACME.0)]).await;
    assert_eq!(landed.text(), ACME.0);
    assert_ne!(first.get("/reports").await.text(), ACME.0);
}
