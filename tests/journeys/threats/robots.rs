//! Prefetch, prerender and HEAD requests use nothing up.

use tower_magic_link::page::CrossDevice;

use super::{Asker, MODES, OFFICES, gets_in, site};
use crate::{
    names::ADA,
    site::PostOffice,
    visitor::{Ask, From, Habits},
};

/// Threat 54: the browser asks ahead of the person, with all its cookies.
#[tokio::test]
async fn a_prefetch_or_prerender_is_refused_everywhere_and_uses_nothing_up() {
    let purposes = [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch; anonymous-client-ip"),
        ("sec-purpose", "prerender"),
        ("purpose", "prefetch"),
        ("purpose", "Prefetch"),
    ];
    for office in OFFICES {
        for mode in MODES {
            let site = site(office, mode).await;
            let ada = Asker::new(&site, ADA).await;
            let other = Asker::new(&site, ADA).await;
            let callback = other.callback(&site).await;
            let landing = ada.link.clone();
            let used = site.used_links();
            let stranger = site.visitor(Habits::PERSON);
            let mut paths = vec![
                callback.as_str(),
                ada.check.ask.url.as_str(),
                "/auth/login",
                "/auth/open",
                "/auth/session",
                "/",
            ];
            if office != PostOffice::WorkOs {
                paths.push(&landing);
            }
            for path in paths {
                for (name, value) in purposes {
                    for visitor in [&ada.browser, &other.browser, &stranger] {
                        let before = visitor.cookies();
                        let seen = visitor
                            .go(Ask::get(path, From::Ours).with(name, value))
                            .await;
                        let at = format!("{office:?}, {mode:?}: {path}, {name}: {value}");
                        assert_eq!(seen.status, 503, "{at}: {}", seen.html);
                        assert_eq!(seen.set_cookies(), Vec::<String>::new(), "{at}");
                        assert_eq!(visitor.cookies(), before, "{at}");
                    }
                }
            }
            assert_eq!((site.sign_ins(), site.used_links()), (0, used));
            gets_in(&ada.browser, &ada.link).await;
            gets_in(&other.browser, &callback).await;
        }
    }
}

/// HEAD changes nothing, not even in the browser that began.
#[tokio::test]
async fn a_head_is_answered_with_nothing_whoever_asks() {
    for office in OFFICES {
        let site = site(office, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let other = Asker::new(&site, ADA).await;
        let callback = other.callback(&site).await;
        let used = site.used_links();
        let mut paths = vec![callback.as_str(), "/auth/open", "/auth/callback"];
        if office != PostOffice::WorkOs {
            paths.push(&ada.link);
        }
        let stranger = site.visitor(Habits::PERSON);
        for path in paths {
            for visitor in [&ada.browser, &other.browser, &stranger] {
                let seen = visitor.go(Ask::head(path)).await;
                assert_eq!((seen.status.as_u16(), &*seen.html), (200, ""), "{path}");
                assert_eq!(seen.set_cookies(), Vec::<String>::new(), "{path}");
            }
        }
        assert_eq!((site.sign_ins(), site.used_links()), (0, used));
        gets_in(&ada.browser, &ada.link).await;
        gets_in(&other.browser, &callback).await;
    }
}
