//! What a stranger, an attacker, a scanner or a hasty browser gets out of a link: nothing.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use tower_magic_link::{RejectionKind, emulator::Endpoint, page::CrossDevice};

use crate::{
    names::{ADA, EVE},
    robot::Robot,
    site::{PostOffice, Site},
    visitor::{Ask, From, Habits, Seen, Visitor},
};

const BROWSER: &str = "__Host-magic-link-browser";
const PASS: &str = "__Host-magic-link-pass";
const OFFICES: [PostOffice; 2] = [PostOffice::Ours, PostOffice::WorkOs];
const MODES: [CrossDevice; 3] = [
    CrossDevice::MatchCode,
    CrossDevice::Confirm,
    CrossDevice::Refuse,
];

/// A browser that has asked for a link.
struct Asker {
    browser: Visitor,
    check: Seen,
    link: String,
}

impl Asker {
    async fn new(site: &Site, email: &str) -> Self {
        let browser = site.visitor(Habits::PERSON);
        let form = browser.go_to("/auth/login?return_to=/reports").await;
        let check = browser.type_into(&form, "email", email).await;
        let link = site.mails().pop().unwrap();
        Self {
            browser,
            check,
            link,
        }
    }

    /// Returns where the other-browser page is: our link, or WorkOS's followed as far as our
    /// callback.
    async fn landing(&self, site: &Site) -> String {
        match site.post_office {
            PostOffice::Ours => self.link.clone(),
            PostOffice::WorkOs => self.callback(site).await,
        }
    }

    /// Follows the link up to the callback, which is not visited.
    async fn callback(&self, site: &Site) -> String {
        let mut ask = Ask::get(&self.link, From::Elsewhere);
        while ask.url.path() != "/auth/callback" {
            let seen = self.browser.hop(&ask).await;
            ask = Ask::get(seen.location().unwrap(), From::Elsewhere);
        }
        assert_eq!(site.sign_ins(), 0);
        ask.url.to_string()
    }

    fn match_code(&self) -> String {
        self.check.page().text_of("match-code").unwrap().to_owned()
    }
}

async fn site(office: PostOffice, mode: CrossDevice) -> Site {
    Site::new(office, |builder| builder.cross_device(mode)).await
}

async fn gets_in(person: &Visitor, way: &str) {
    let seen = person.click(way).await;
    assert_eq!(
        person.is_known_as().await.as_deref(),
        Some(ADA),
        "{}",
        seen.html
    );
}

/// Threat 52 (RFC 10027): whoever began the sign-in waits for the victim's scanner to finish it.
#[tokio::test]
async fn an_attacker_who_begins_for_a_victim_gets_nothing_from_the_victims_scanner() {
    for office in OFFICES {
        for mode in MODES {
            for robot in Robot::ALL {
                let at = format!("{office:?}, {mode:?}, {robot:?}");
                let site = site(office, mode).await;
                let attacker = Asker::new(&site, ADA).await;
                let scanners = robot.visit(&site, &attacker.link).await;
                let used = site.used_links();
                let again = attacker.browser.reload(&attacker.check).await;
                assert_eq!(again.status, 200, "{at}");
                for path in ["/", "/auth/callback", "/auth/open", "/auth/session"] {
                    attacker.browser.go_to(path).await;
                    assert_eq!(attacker.browser.is_known_as().await, None, "{at}: {path}");
                }
                for scanner in scanners {
                    assert_eq!(scanner.is_known_as().await, None, "{at}");
                }
                let exchanged = site.emulator().count(Endpoint::Token);
                assert_eq!((site.sign_ins(), exchanged), (0, 0), "{at}");
                assert!(used.is_empty() || office == PostOffice::WorkOs, "{at}");
            }
        }
    }
}

/// Threat 53: the link is in somebody else's hands, as links on scanning services are.
#[tokio::test]
async fn a_stranger_with_a_leaked_link_sees_a_page_and_gets_no_further() {
    for office in OFFICES {
        for mode in [CrossDevice::MatchCode, CrossDevice::Refuse] {
            let site = site(office, mode).await;
            let ada = Asker::new(&site, ADA).await;
            let landing = ada.landing(&site).await;
            let used = site.used_links();
            let stranger = site.visitor(Habits::PERSON);
            stranger.go_to("/auth/login").await;
            let page = stranger.click(&landing).await;
            let masked = mode == CrossDevice::MatchCode;
            assert_eq!(
                page.html.contains("a***@example.com"),
                masked,
                "{}",
                page.html
            );
            for form in [
                "",
                "code=",
                "code=BBB-BBB",
                "code=%00",
                "answer=yes",
                "code[]=x",
            ] {
                let ask = Ask::post(&landing, form, From::Ours);
                let seen = stranger.go(ask).await;
                let want = match mode {
                    CrossDevice::MatchCode => 422,
                    _ => 403,
                };
                assert_eq!(seen.status, want, "{form}: {}", seen.html);
                assert!(!seen.html.contains(ADA), "{form}");
                assert!(!stranger.cookies().contains(&PASS.to_owned()), "{form}");
            }
            let own_code = Asker::new(&site, EVE).await.match_code_or_none(mode);
            let form = format!("code={own_code}");
            stranger.go(Ask::post(&landing, form, From::Ours)).await;
            assert_eq!(stranger.is_known_as().await, None);
            assert_eq!((site.sign_ins(), site.used_links()), (0, used));
            let way = match office {
                PostOffice::Ours => &ada.link,
                PostOffice::WorkOs => &landing,
            };
            gets_in(&ada.browser, way).await;
        }
    }
}

impl Asker {
    fn match_code_or_none(&self, mode: CrossDevice) -> String {
        match mode {
            CrossDevice::MatchCode => self.match_code(),
            _ => "BBB-BBB".to_owned(),
        }
    }
}

/// A robot presses the button of the page as often as it likes.
#[tokio::test]
async fn pressing_the_button_without_typing_is_no_try() {
    for office in OFFICES {
        let site = site(office, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let landing = ada.landing(&site).await;
        let robot = site.visitor(Habits::PERSON);
        robot.click(&landing).await;
        for form in ["", "code=", "code=+", "code=-"].repeat(5) {
            let seen = robot.go(Ask::post(&landing, form, From::Ours)).await;
            assert!(seen.asks_for_match_code(), "{}", seen.html);
        }
        let telephone = site.visitor(Habits::PERSON);
        let asked = telephone.click(&landing).await;
        telephone.type_into(&asked, "code", &ada.match_code()).await;
        assert_eq!(telephone.is_known_as().await.as_deref(), Some(ADA));
    }
}

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
            if office == PostOffice::Ours {
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
        if office == PostOffice::Ours {
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

/// Five guesses, from however many browsers and however many at once: then the other-browser way of
/// this link is closed, and no other way.
#[tokio::test]
async fn five_wrong_codes_end_the_way_of_other_browsers_and_never_that_of_the_one_that_began() {
    for office in OFFICES {
        let site = site(office, CrossDevice::MatchCode).await;
        let ada = Asker::new(&site, ADA).await;
        let landing = ada.landing(&site).await;
        let mut guessers = Vec::new();
        for _ in 0..12 {
            let guesser = site.visitor(Habits::PERSON);
            let asked = guesser.click(&landing).await;
            guessers.push((guesser, asked));
        }
        let guesses = guessers
            .iter()
            .map(|(guesser, asked)| guesser.type_into(asked, "code", "BBB-BBB"));
        let answers = join_all(guesses).await;
        let wrong = answers.iter().filter(|seen| seen.status == 422).count();
        let ended = answers
            .iter()
            .filter(|seen| seen.is(RejectionKind::TooManyTries));
        assert_eq!((wrong, ended.count()), (5, 7), "{office:?}");
        let (guesser, asked) = &guessers[0];
        let late = guesser.type_into(asked, "code", &ada.match_code()).await;
        assert!(late.is(RejectionKind::TooManyTries), "{}", late.html);
        assert_eq!((site.sign_ins(), guesser.is_known_as().await), (0, None));
        gets_in(&ada.browser, &landing).await;
    }
}

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
    for mode in [CrossDevice::MatchCode, CrossDevice::Confirm] {
        let site = site(PostOffice::Ours, mode).await;
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

/// The leave to finish is one browser's, for one sign-in.
#[tokio::test]
async fn leave_to_finish_is_of_no_use_in_another_browser_or_for_another_link() {
    let site = site(PostOffice::Ours, CrossDevice::MatchCode).await;
    let ada = Asker::new(&site, ADA).await;
    let eve = Asker::new(&site, EVE).await;
    let telephone = site.visitor(Habits::PERSON);
    telephone.click(&ada.link).await;
    let answer = Ask::post(&ada.link, format!("code={}", ada.match_code()), From::Ours);
    let onward = telephone.hop(&answer).await;
    assert!(onward.location().is_some(), "{}", onward.html);
    assert!(telephone.cookies().contains(&PASS.to_owned()));

    let thief = site.visitor(Habits::PERSON);
    thief.click(&ada.link).await;
    thief.take_cookie_from(&telephone, PASS);
    assert!(
        thief.click(&ada.link).await.asks_for_match_code(),
        "another browser"
    );
    thief.take_cookie_from(&site.visitor(Habits::PERSON), BROWSER);
    assert!(
        thief.click(&ada.link).await.asks_for_match_code(),
        "no browser"
    );
    assert!(
        telephone.click(&eve.link).await.asks_for_match_code(),
        "another link"
    );
    assert_eq!((site.sign_ins(), site.used_links()), (0, BTreeSet::new()));

    let link = onward.location().unwrap();
    let followed = telephone.click(link).await;
    assert_eq!(
        (followed.path(), followed.status.as_u16()),
        ("/reports", 200)
    );
    assert!(
        !telephone.cookies().contains(&PASS.to_owned()),
        "it was for once"
    );
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
