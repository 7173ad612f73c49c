//! Another site cannot sign a person in as somebody else.

use std::collections::BTreeSet;

use tower_magic_link::page::CrossDevice;

use super::{Asker, OFFICES, site};
use crate::{
    names::EVE,
    visitor::{Ask, From, Habits},
};

/// Threat 18: Eve's own link, with everything that Eve knows, in the browser of a victim.
#[tokio::test]
async fn no_other_site_can_sign_a_victim_in_as_somebody_else() {
    let modern = Habits::PERSON;
    let old = Habits {
        is_modern: false,
        ..Habits::PERSON
    };
    let cases = [
        (
            "a form of another site",
            modern,
            From::Elsewhere,
            "https://evil.example",
        ),
        (
            "a form of a sandboxed frame",
            modern,
            From::Elsewhere,
            "null",
        ),
        (
            "an old browser, a form of another site",
            old,
            From::Elsewhere,
            "https://evil.example",
        ),
        (
            "an old browser, a form of a sister site",
            old,
            From::Elsewhere,
            "https://www.example.com",
        ),
        (
            "an old browser, a form by plain http",
            old,
            From::Elsewhere,
            "http://app.example.com",
        ),
        (
            "an old browser, a form of nobody's",
            old,
            From::Elsewhere,
            "null",
        ),
    ];
    for office in OFFICES {
        for mode in [CrossDevice::MatchCode, CrossDevice::Confirm] {
            let site = site(office, mode).await;
            let eve = Asker::new(&site, EVE).await;
            let landing = eve.landing(&site).await;
            let used = site.used_links();
            let form = match mode {
                CrossDevice::MatchCode => format!("code={}", eve.match_code()),
                _ => String::new(),
            };
            for (name, habits, from, origin) in cases {
                let at = format!("{office:?}, {mode:?}: {name}");
                let victim = site.visitor(habits);
                victim.go_to("/auth/login").await;
                victim.click(&landing).await;
                assert_eq!(victim.is_known_as().await, None, "{at}: by the link alone");
                let victim = match origin {
                    // Our cookies are Lax: nobody else's form has them sent. It is the last to hold
                    // where the browser says nothing.
                    "null" => site.visitor(habits),
                    // They hold no more than the page of Eve's link: that is enough for this.
                    _ => victim,
                };
                let ask = Ask::post(&landing, form.clone(), from).with("origin", origin);
                let seen = victim.go(ask).await;
                assert_eq!(seen.status, 403, "{at}: {}", seen.html);
                assert_eq!(seen.set_cookies(), Vec::<String>::new(), "{at}");
                assert_eq!(victim.sessions(), BTreeSet::new(), "{at}");
            }
            assert_eq!((site.sign_ins(), site.used_links()), (0, used));
            // The same form from our own page is Eve's to send: in this browser it signs Eve in.
            let own = site.visitor(Habits::PERSON);
            own.click(&landing).await;
            own.go(Ask::post(&landing, form, From::Ours)).await;
            assert_eq!(own.is_known_as().await.as_deref(), Some(EVE));
        }
    }
}
