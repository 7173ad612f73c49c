//! A link or a callback that is repeated signs in no other browser.

use std::{collections::BTreeSet, time::Duration};

use tower_magic_link::{RejectionKind, page::CrossDevice};

use super::{Asker, OFFICES, gets_in, site};
use crate::{
    names::ADA,
    site::PostOffice,
    visitor::{Ask, From, Habits},
};

/// Threat 23. The first answer comes from the browser that began, or from one that has given the
/// right answer.
#[tokio::test]
async fn a_callback_again_is_the_same_session_for_a_minute_and_no_way_in_for_another_jar() {
    for answers in [false, true] {
        let site = site(PostOffice::WorkOs, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let callback = ada.callback(&site).await;
        let telephone = site.visitor(Habits::PERSON);
        let form = format!("code={}", ada.match_code());
        let (person, ask) = if answers {
            let asked = telephone.click(&callback).await;
            assert!(asked.asks_for_match_code());
            (&telephone, Ask::post(&callback, form, From::Ours))
        } else {
            (&ada.browser, Ask::get(&callback, From::Elsewhere))
        };
        let fresh = person.apart();
        let late = person.apart();
        person.go(ask.clone()).await;
        let sessions = person.sessions();
        assert_eq!(sessions.len(), 1);

        site.clock.advance(Duration::from_secs(1));
        fresh.go(ask.clone()).await;
        assert_eq!(fresh.sessions(), sessions, "a second later");
        let stranger = site.visitor(Habits::PERSON);
        let seen = stranger.go(Ask::get(&callback, From::Elsewhere)).await;
        assert!(seen.asks_for_match_code(), "{}", seen.html);
        let wrong = stranger.type_into(&seen, "code", "BBB-BBB").await;
        assert_eq!(
            (wrong.status.as_u16(), stranger.sessions()),
            (422, BTreeSet::new())
        );

        site.clock.advance(Duration::from_secs(60));
        assert!(late.go(ask.clone()).await.is(RejectionKind::LinkUsed));
        assert_eq!(late.sessions(), BTreeSet::new(), "61 seconds later");
        let seen = person.go(ask).await;
        assert_eq!(
            (seen.path(), seen.status.as_u16()),
            ("/reports", 200),
            "signed in already"
        );
        assert_eq!((site.sign_ins(), person.sessions().len()), (1, 1));
    }
}

/// The two halves of a double click share a session. What pins it: the link in another browser,
/// seconds later, is used.
#[tokio::test]
async fn a_link_that_was_used_a_moment_ago_is_used_for_every_other_browser() {
    for (office, mode) in [
        (PostOffice::Alone, CrossDevice::MatchCode),
        (PostOffice::Alone, CrossDevice::Confirm),
        (PostOffice::Ours, CrossDevice::MatchCode),
        (PostOffice::Ours, CrossDevice::Confirm),
    ] {
        let site = site(office, mode).await;
        let ada = Asker::new(&site, ADA).await;
        gets_in(&ada.browser, &ada.link).await;
        site.clock.advance(Duration::from_secs(5));
        gets_in(&ada.browser, &ada.link).await;
        let other = site.visitor(Habits::PERSON);
        other.click(&ada.link).await;
        let form = match mode {
            CrossDevice::MatchCode => format!("code={}", ada.match_code()),
            _ => String::new(),
        };
        let seen = other.go(Ask::post(&ada.link, form, From::Ours)).await;
        assert!(seen.is(RejectionKind::LinkUsed), "{mode:?}: {}", seen.html);
        assert_eq!(other.is_known_as().await, None, "{mode:?}");
        assert_eq!(site.sign_ins(), 1, "{mode:?}");
    }
}

/// Leave is given to browsers that keep it: another would use the link up for nothing.
#[tokio::test]
async fn a_right_answer_without_our_cookie_uses_nothing_up() {
    for office in OFFICES {
        for mode in [CrossDevice::MatchCode, CrossDevice::Confirm] {
            let site = site(office, mode).await;
            let ada = Asker::new(&site, ADA).await;
            let landing = ada.landing(&site).await;
            let used = site.used_links();
            let form = match mode {
                CrossDevice::MatchCode => format!("code={}", ada.match_code()),
                _ => String::new(),
            };
            let forgetful = site.visitor(Habits {
                keeps_cookies: false,
                ..Habits::PERSON
            });
            let seen = forgetful.go(Ask::post(&landing, form, From::Ours)).await;
            assert!(seen.is(RejectionKind::CookiesBlocked), "{}", seen.html);
            assert_eq!(seen.set_cookies(), Vec::<String>::new());
            assert_eq!((site.sign_ins(), site.used_links()), (0, used));
        }
    }
}

/// "That wasn't me" ends the other-browser way of this link, whoever comes next, and the way of the
/// browser that began never.
#[tokio::test]
async fn a_link_that_was_turned_down_works_where_it_was_asked_for_alone() {
    for office in OFFICES {
        let site = site(office, CrossDevice::Confirm).await;
        let ada = Asker::new(&site, ADA).await;
        let landing = ada.landing(&site).await;
        let telephone = site.visitor(Habits::PERSON);
        let asked = telephone.click(&landing).await;
        let page = asked.page();
        let form = &page.forms[0];
        let (no, yes) = (&form.buttons[0], &form.buttons[1]);
        assert_eq!((no.name.as_deref(), &*no.value), (Some("answer"), "no"));
        assert_eq!((yes.name.as_deref(), form.buttons.len()), (None, 2));
        let declined = telephone.press(&asked, form, no, &[]).await;
        assert!(
            declined.is(RejectionKind::LinkDeclined),
            "{}",
            declined.html
        );
        assert_eq!(site.heard("LinkDeclined"), 1);
        let other = site.visitor(Habits::PERSON);
        for visitor in [&telephone, &other] {
            let asked = visitor.click(&landing).await;
            let answered = visitor.press(&asked, form, yes, &[]).await;
            assert!(
                answered.is(RejectionKind::LinkDeclined),
                "{}",
                answered.html
            );
            assert_eq!(visitor.is_known_as().await, None);
        }
        gets_in(&ada.browser, &landing).await;
    }
}
