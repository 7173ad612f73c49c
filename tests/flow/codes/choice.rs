//! A person of several organizations: the code is good, and one of them must be chosen.

use std::time::Duration;

use http::Request;
use serde_json::Value;
use tower_magic_link::{
    Builder, RejectionKind, SignIn,
    emulator::{Endpoint, Fault},
};

use super::{Begun, is_trouble};
use crate::{
    names::{ADA, EVE},
    support::{Answer, Browser, World},
};

mod bound;
mod cancel;
mod failing;
mod granted;
mod lost;
mod once;
mod program;
mod provider;
mod refused;

const SESSION: &str = "__Host-magic-link";
const ACME: (&str, &str) = ("org_acme", "Acme & Sons <Ltd>");
const GLOBEX: (&str, &str) = ("org_globex", "Globex");
const INITECH: (&str, &str) = ("org_initech", "Initech");

/// A page that asks which organization it is.
struct Asked {
    action: String,
    choice: String,
    offered: Vec<String>,
}

impl Asked {
    fn of(page: &Answer) -> Self {
        let text = page.text();
        let values = |before: &str| {
            let parts = text.split(before).skip(1);
            let values = parts.map(|part| part.split('"').next().unwrap().to_owned());
            values.collect::<Vec<_>>()
        };
        assert!(text.contains("Choose an organization"), "{text}");
        Self {
            action: values("action=\"").remove(0),
            choice: values("name=\"choice\" value=\"").remove(0),
            offered: values("name=\"organization\" value=\""),
        }
    }

    fn form(&self, organization: &str) -> String {
        format!("choice={}&organization={organization}", self.choice)
    }

    async fn choose(&self, browser: &mut Browser, organization: &str) -> Answer {
        browser.post(&self.action, &self.form(organization)).await
    }

    async fn cancel(&self, browser: &mut Browser) -> Answer {
        let form = format!("choice={}&answer=no", self.choice);
        browser.post(&self.action, &form).await
    }
}

/// Makes Ada a member of all three.
fn join(world: &World) {
    for (id, name) in [ACME, GLOBEX, INITECH] {
        world.emulator().add_membership(ADA, id, name);
    }
}

async fn begun(configure: impl FnOnce(Builder) -> Builder) -> Begun {
    let begun = Begun::with(SignIn::Code, configure).await;
    join(&begun.world);
    begun
}

/// Begins, types the code, and is asked.
async fn asked(configure: impl FnOnce(Builder) -> Builder) -> (Begun, Asked) {
    let mut begun = begun(configure).await;
    let code = begun.post.code();
    let page = begun.type_code(&code).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let asked = Asked::of(&page);
    (begun, asked)
}

/// Returns the organization of the session that a browser has.
async fn organization(browser: &mut Browser) -> Option<String> {
    let who = browser.get("/auth/session").await;
    let who: Value = serde_json::from_slice(&who.body).unwrap();
    who["organization"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_person_of_several_organizations_chooses_one_and_the_session_carries_it() {
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let mut begun = Begun::with(sign_in, |builder| builder).await;
        join(&begun.world);
        let code = begun.post.code();
        let page = begun.type_code(&code).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        assert!(page.set_cookies().is_empty(), "nobody is signed in yet");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("vary"), "cookie");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(
            page.header("content-security-policy")
                .contains("form-action 'self'")
        );
        let asked = Asked::of(&page);
        assert_eq!(asked.offered, [ACME.0, GLOBEX.0, INITECH.0]);
        let text = page.text();
        assert!(text.contains("Acme &#38; Sons &#60;Ltd&#62;"), "{text}");

        let answer = asked.choose(&mut begun.first, GLOBEX.0).await;
        assert_eq!(answer.location(), "/reports");
        let landed = begun.first.follow(answer).await;
        assert!(landed.text().contains("/reports for ada@"));
        let got = organization(&mut begun.first).await;
        assert_eq!(got.as_deref(), Some(GLOBEX.0));
        assert_eq!(begun.redeemed(), 2, "the code, and the choice");
    }
}

/// The pending token is a credential of the person: nothing but WorkOS's own answer and the request
/// that uses it shows it.
#[tokio::test]
async fn the_pending_token_stands_in_no_page_header_or_event() {
    let mut begun = begun(|builder| builder).await;
    let code = begun.post.code();
    let page = begun.type_code(&code).await;
    let asked = Asked::of(&page);
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    let requests = begun.world.emulator().requests();
    let chosen: Value = serde_json::from_slice(requests.last().unwrap().body()).unwrap();
    let pending = chosen["pending_authentication_token"].as_str().unwrap();
    assert!(pending.starts_with("pending_") && pending.len() > 20);
    assert_eq!(requests.last().unwrap().uri().query(), None);
    let printed = format!(
        "{page:?} {} {answer:?} {}",
        page.text(),
        begun.world.heard()
    );
    assert!(!printed.contains(pending), "{printed}");
}

#[tokio::test]
async fn the_one_configured_organization_is_taken_without_asking() {
    let cases: [&[&str]; 2] = [&[GLOBEX.0], &["org_other", GLOBEX.0]];
    for configured in cases {
        let mut begun = begun(|builder| {
            let configured = configured.iter();
            configured.fold(builder, |builder, id| builder.organization(*id))
        })
        .await;
        let code = begun.post.code();
        assert_eq!(begun.type_code(&code).await.location(), "/reports");
        let got = organization(&mut begun.first).await;
        assert_eq!(got.as_deref(), Some(GLOBEX.0), "{configured:?}");
        assert_eq!(begun.redeemed(), 2);
    }
}

#[tokio::test]
async fn of_several_configured_organizations_only_those_are_offered() {
    let (mut begun, asked) = asked(|builder| {
        builder
            .organization(ACME.0)
            .organization("org_other")
            .organization(INITECH.0)
    })
    .await;
    assert_eq!(asked.offered, [ACME.0, INITECH.0]);
    // Ada belongs to it, but it was not offered: WorkOS is not asked.
    for id in [GLOBEX.0, "org_other", ""] {
        let refused = asked.choose(&mut begun.first, id).await;
        is_trouble(&refused, 400, RejectionKind::Malformed);
    }
    assert_eq!(begun.redeemed(), 1);
    let answer = asked.choose(&mut begun.first, INITECH.0).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn a_person_of_other_organizations_than_those_configured_is_refused() {
    let mut begun = begun(|builder| builder.organization("org_other")).await;
    let code = begun.post.code();
    let refused = begun.type_code(&code).await;
    is_trouble(&refused, 403, RejectionKind::NotAllowed);
    assert!(!refused.text().contains(ACME.0));
    assert_eq!(begun.redeemed(), 1);
    assert!(!begun.first.jar.contains_key(SESSION));
}

#[tokio::test]
async fn a_person_of_one_organization_is_not_asked() {
    let mut begun = Begun::new(SignIn::Code).await;
    begun.world.emulator().add_membership(ADA, ACME.0, ACME.1);
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some(ACME.0));
}

#[tokio::test]
async fn organizations_of_one_name_are_told_apart_and_long_lists_have_an_end() {
    let mut begun = Begun::new(SignIn::Code).await;
    for n in 0..150 {
        let name = if n < 2 {
            "Twins".into()
        } else {
            format!("{}{n}", "N".repeat(300))
        };
        let id = format!("org_{n}");
        begun.world.emulator().add_membership(ADA, &id, name);
    }
    let code = begun.post.code();
    let page = begun.type_code(&code).await;
    let asked = Asked::of(&page);
    let text = page.text();
    assert!(text.contains("<bdi>Twins (org_0)</bdi>"), "{text}");
    assert!(text.contains("<bdi>Twins (org_1)</bdi>"), "{text}");
    assert!(asked.offered.len() > 50, "{}", asked.offered.len());
    assert!(asked.form("org_1").len() < 16 * 1_024);
    let answer = asked.choose(&mut begun.first, "org_1").await;
    assert_eq!(answer.location(), "/reports");
}
