//! The journeys.

use tower_magic_link::{Builder, RejectionKind, SignIn, page::CrossDevice};

use crate::{
    names::ADA,
    robot::Robot,
    site::PostOffice,
    visitor::{Clicks, Habits, Seen, Visitor},
    walk::{Ending, Walk},
};

/// What a person does to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Journey {
    SameBrowser,
    OtherBrowserMatchCode,
    OtherBrowserConfirm,
    OtherBrowserRefuse,
    CodeInTheFirstTab,
    TwoTabs,
    ReloadAtEveryPage,
    BackButton,
    DoubleClickInARow,
    DoubleClickAtOnce,
    Expired,
    Used,
    InAppThenSystemBrowser,
    CookiesOff,
    AfterSignOut,
    OrganizationWrong,
}

impl Journey {
    /// Every journey is here: the matrix has a row for each.
    pub(crate) const ALL: [Self; 16] = [
        Self::SameBrowser,
        Self::OtherBrowserMatchCode,
        Self::OtherBrowserConfirm,
        Self::OtherBrowserRefuse,
        Self::CodeInTheFirstTab,
        Self::TwoTabs,
        Self::ReloadAtEveryPage,
        Self::BackButton,
        Self::DoubleClickInARow,
        Self::DoubleClickAtOnce,
        Self::Expired,
        Self::Used,
        Self::InAppThenSystemBrowser,
        Self::CookiesOff,
        Self::AfterSignOut,
        Self::OrganizationWrong,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AfterSignOut => "opened after sign-out",
            Self::BackButton => "back button",
            Self::CodeInTheFirstTab => "code in the first tab",
            Self::CookiesOff => "cookies off",
            Self::DoubleClickAtOnce => "double click, at once",
            Self::DoubleClickInARow => "double click, in a row",
            Self::Expired => "link expired",
            Self::InAppThenSystemBrowser => "in-app, then system browser",
            Self::OrganizationWrong => "organization wrong",
            Self::OtherBrowserConfirm => "other browser, confirm",
            Self::OtherBrowserMatchCode => "other browser, match code",
            Self::OtherBrowserRefuse => "other browser, refuse",
            Self::ReloadAtEveryPage => "reload at every page",
            Self::SameBrowser => "same browser",
            Self::TwoTabs => "two tabs",
            Self::Used => "link used",
        }
    }

    pub(crate) fn configure(self, office: PostOffice, builder: Builder) -> Builder {
        match self {
            Self::CodeInTheFirstTab => builder.sign_in(match office {
                PostOffice::Ours => SignIn::LinkAndCode,
                // WorkOS would send two mails. Its own one has no link: there is nothing for a
                // robot to visit.
                PostOffice::WorkOs => SignIn::Code,
            }),
            Self::OtherBrowserConfirm => builder.cross_device(CrossDevice::Confirm),
            Self::OtherBrowserRefuse => builder.cross_device(CrossDevice::Refuse),
            Self::OrganizationWrong => builder.organization("org_1"),
            _ => builder,
        }
    }

    pub(crate) async fn take(self, walk: Walk) -> Ending {
        match self {
            Self::AfterSignOut => after_sign_out(walk).await,
            Self::BackButton => back_button(walk).await,
            Self::CodeInTheFirstTab => code_in_the_first_tab(walk).await,
            Self::CookiesOff => cookies_off(walk).await,
            Self::DoubleClickAtOnce => double_click(walk, Clicks::TwiceAtOnce).await,
            Self::DoubleClickInARow => double_click(walk, Clicks::TwiceInARow).await,
            Self::Expired => expired(walk).await,
            Self::InAppThenSystemBrowser => in_app_then_system_browser(walk).await,
            Self::OrganizationWrong => organization_wrong(walk).await,
            Self::OtherBrowserConfirm => other_browser_confirm(walk).await,
            Self::OtherBrowserMatchCode => other_browser_match_code(walk).await,
            Self::OtherBrowserRefuse => other_browser_refuse(walk).await,
            Self::ReloadAtEveryPage => reload_at_every_page(walk).await,
            Self::SameBrowser => same_browser(walk).await,
            Self::TwoTabs => two_tabs(walk).await,
            Self::Used => used(walk).await,
        }
    }
}

/// They arrive where they wanted to go.
fn arrives(seen: &Seen) {
    assert_eq!(
        (seen.path(), seen.status.as_u16()),
        ("/reports", 200),
        "{}",
        seen.html
    );
    assert_eq!(seen.page().text_of("who"), Some(ADA));
}

async fn same_browser(mut walk: Walk) -> Ending {
    let desk = walk.browser(Habits::PERSON);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);
    walk.end(&[&desk]).await
}

async fn other_browser_match_code(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    let asked = walk.open_elsewhere(&desk, &check, &telephone, &link).await;
    arrives(&walk.answer(&check, &telephone, &asked).await);
    walk.end(&[&telephone]).await
}

async fn other_browser_confirm(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    let asked = walk.open_elsewhere(&desk, &check, &telephone, &link).await;
    let page = asked.page();
    let form = &page.forms[0];
    let answer = telephone
        .press(&asked, form, form.plain_button(), &[])
        .await;
    if walk.robot != Robot::PressesEverything || walk.is_burnt(&link) {
        arrives(&answer);
        return walk.end(&[&telephone]).await;
    }
    // The robot has said that it wasn't them. The link works where it was asked for.
    walk.hears(&telephone, &answer, RejectionKind::LinkDeclined)
        .await;
    arrives(&desk.click(&link).await);
    walk.end(&[&desk]).await
}

async fn other_browser_refuse(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    let refused = walk.open_elsewhere(&desk, &check, &telephone, &link).await;
    assert_eq!(refused.status, 403);
    walk.hears(&telephone, &refused, RejectionKind::AnotherBrowser)
        .await;
    // They go back to the desk, as they were told to.
    let link = walk.site.mails().pop().unwrap();
    let mut seen = desk.click(&link).await;
    if walk.site.post_office == PostOffice::WorkOs {
        // The visit of the telephone has used WorkOS's link up.
        walk.hears(&desk, &seen, RejectionKind::LinkUsed).await;
        let link = walk.new_link(&desk, &seen).await;
        seen = desk.click(&link).await;
    }
    arrives(&seen);
    walk.end(&[&desk]).await
}

async fn code_in_the_first_tab(mut walk: Walk) -> Ending {
    let (desk, stranger) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    walk.mails().await;
    let code = walk.site.code();
    // Read by somebody else, the code is of no use: it is typed where the sign-in began alone.
    let elsewhere = stranger.reload(&check).await;
    assert!(elsewhere.page().form_to_type("code").is_none());
    let refused = stranger.type_into(&check, "code", &code).await;
    assert!(
        refused.is(RejectionKind::AnotherBrowser),
        "{}",
        refused.html
    );
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let again = desk.type_into(&check, "code", wrong).await;
    assert_eq!(again.status, 422);
    arrives(&desk.type_into(&again, "code", &code).await);
    walk.end(&[&desk]).await
}

async fn two_tabs(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let tab = desk.clone();
    walk.ask(&desk).await;
    let check = walk.ask(&tab).await;
    let mails = walk.mails().await;
    assert_eq!(mails.len(), 2);
    // The first mail on the telephone, with the code of the second tab: they show the same one.
    let asked = walk
        .open_elsewhere(&tab, &check, &telephone, &mails[0])
        .await;
    arrives(&walk.answer(&check, &telephone, &asked).await);
    arrives(&walk.open_here(&desk, &mails[1]).await);
    // And whatever is opened twice leads where it led.
    arrives(&tab.click(&mails[1]).await);
    walk.end(&[&desk, &telephone]).await
}

async fn reload_at_every_page(mut walk: Walk) -> Ending {
    let reloads = Habits {
        reloads: true,
        ..Habits::PERSON
    };
    let (desk, telephone) = (walk.browser(reloads), walk.browser(reloads));
    walk.ask(&desk).await;
    assert_eq!(walk.site.mails().len(), 1, "a reload mails nothing");
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);

    let other = walk.browser(reloads);
    let check = walk.ask(&other).await;
    let link = walk.site.mails().pop().unwrap();
    let asked = telephone.click(&link).await;
    let wrong = telephone.type_into(&asked, "code", "BBB-BBB").await;
    assert_eq!(wrong.status, 422);
    arrives(&walk.answer(&check, &telephone, &wrong).await);
    walk.end(&[&desk, &telephone]).await
}

async fn back_button(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let form = desk.go_to("/auth/login?return_to=/reports").await;
    desk.type_into(&form, "email", ADA).await;
    let mails = walk.mails().await;
    arrives(&walk.open_here(&desk, &mails[0]).await);
    assert_eq!(desk.reload(&check).await.status, 200);
    let callback = desk.visited("/auth/callback").pop().unwrap();
    arrives(&desk.go_to(callback.as_str()).await);
    walk.pass(61);
    arrives(&desk.go_to(callback.as_str()).await);

    let asked = walk
        .open_elsewhere(&desk, &check, &telephone, &mails[1])
        .await;
    let wrong = telephone.type_into(&asked, "code", "BBB-BBB").await;
    assert_eq!(wrong.status, 422);
    let asked = telephone.reload(&asked).await;
    arrives(&walk.answer(&check, &telephone, &asked).await);
    // Back to the question, which they have answered: it is asked again, and nothing ends.
    let asked = telephone.reload(&asked).await;
    assert!(asked.asks_for_match_code(), "{}", asked.html);
    walk.end(&[&desk, &telephone]).await
}

async fn double_click(mut walk: Walk, clicks: Clicks) -> Ending {
    let twice = Habits {
        clicks,
        ..Habits::PERSON
    };
    let desk = walk.browser(twice);
    let mut telephone = walk.browser(twice);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    let seen = walk.open_here(&desk, &link).await;
    got_in(&mut walk, &desk, &seen).await;

    // Each click is a mail, and there are three at once for an address.
    walk.pass(10 * 60);
    let other = walk.browser(twice);
    let check = walk.ask(&other).await;
    let link = walk.site.mails().pop().unwrap();
    let mut asked = telephone.click(&link).await;
    if walk.site.post_office == PostOffice::WorkOs {
        // The first click has used WorkOS's link up, and the answer to it is not what is seen.
        walk.hears(&telephone, &asked, RejectionKind::LinkUsed)
            .await;
        walk.pass(30);
        let link = walk.new_link(&other, &other.reload(&check).await).await;
        telephone.habits.clicks = Clicks::Once;
        asked = telephone.click(&link).await;
        telephone.habits.clicks = clicks;
    }
    let seen = walk.answer(&check, &telephone, &asked).await;
    got_in(&mut walk, &telephone, &seen).await;
    walk.end(&[&desk, &telephone]).await
}

/// The second of two clicks at once may hear that the link is used: by the first, which has signed
/// them in.
async fn got_in(walk: &mut Walk, person: &Visitor, seen: &Seen) {
    if seen.is(RejectionKind::LinkUsed) {
        walk.hears(person, seen, RejectionKind::LinkUsed).await;
        arrives(&person.go_to("/reports").await);
    } else {
        arrives(seen);
    }
}

async fn expired(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    walk.ask(&desk).await;
    let link = walk.mail().await;
    walk.pass(15 * 60);
    let trouble = match walk.site.post_office {
        PostOffice::Ours => RejectionKind::LinkExpired,
        // WorkOS does not say why.
        PostOffice::WorkOs => RejectionKind::LinkUsed,
    };
    let elsewhere = telephone.click(&link).await;
    walk.hears(&telephone, &elsewhere, trouble).await;
    assert!(!elsewhere.html.contains(ADA), "a stranger may see this");
    let late = desk.click(&link).await;
    walk.hears(&desk, &late, trouble).await;
    let link = walk.new_link(&desk, &late).await;
    arrives(&desk.click(&link).await);
    walk.end(&[&desk]).await
}

async fn used(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);
    walk.pass(61);
    arrives(&desk.click(&link).await);

    let mut seen = telephone.click(&link).await;
    if walk.site.post_office == PostOffice::Ours {
        seen = walk.answer(&check, &telephone, &seen).await;
    }
    walk.hears(&telephone, &seen, RejectionKind::LinkUsed).await;
    if walk.site.post_office == PostOffice::Ours {
        // They have shown that they are who began: a new link needs no typing here either.
        let link = walk.new_link(&telephone, &seen).await;
        arrives(&telephone.click(&link).await);
        return walk.end(&[&desk, &telephone]).await;
    }
    walk.ask(&telephone).await;
    let link = walk.site.mails().pop().unwrap();
    arrives(&telephone.click(&link).await);
    walk.end(&[&desk, &telephone]).await
}

async fn in_app_then_system_browser(mut walk: Walk) -> Ending {
    let system = walk.browser(Habits::PERSON);
    let in_app = walk.browser(Habits {
        is_modern: false,
        ..Habits::PERSON
    });
    walk.ask(&system).await;
    let link = walk.mail().await;
    let asked = in_app.click(&link).await;
    if walk.is_burnt(&link) {
        walk.hears(&in_app, &asked, RejectionKind::LinkUsed).await;
    } else {
        assert!(asked.asks_for_match_code(), "{}", asked.html);
    }
    // "Open in browser" hands over the address of what is seen.
    let mut seen = system.go_to(asked.ask.url.as_str()).await;
    if walk.is_burnt(&link) {
        walk.hears(&system, &seen, RejectionKind::LinkUsed).await;
        let link = walk.new_link(&system, &seen).await;
        seen = system.click(&link).await;
    }
    arrives(&seen);
    walk.end(&[&system]).await
}

async fn cookies_off(mut walk: Walk) -> Ending {
    let off = Habits {
        keeps_cookies: false,
        ..Habits::PERSON
    };
    let old = Habits {
        is_modern: false,
        ..off
    };
    let (mut desk, old) = (walk.browser(off), walk.browser(old));
    let told = walk.ask(&old).await;
    // It says as much as one that comes by plain http, where no browser keeps our cookies either.
    walk.hears(&old, &told, RejectionKind::InsecureConnection)
        .await;
    assert_eq!(walk.site.mails(), Vec::<String>::new());
    let told = walk.ask(&desk).await;
    walk.hears(&desk, &told, RejectionKind::CookiesBlocked)
        .await;

    let link = walk.mail().await;
    let mut seen = desk.click(&link).await;
    if walk.is_burnt(&link) {
        walk.hears(&desk, &seen, RejectionKind::LinkUsed).await;
    } else {
        seen = desk.type_into(&seen, "code", "BBB-BBB").await;
        walk.hears(&desk, &seen, RejectionKind::CookiesBlocked)
            .await;
    }
    desk.habits.keeps_cookies = true;
    walk.ask(&desk).await;
    let link = walk.site.mails().pop().unwrap();
    arrives(&desk.click(&link).await);
    walk.end(&[&desk]).await
}

async fn after_sign_out(mut walk: Walk) -> Ending {
    let desk = walk.browser(Habits::PERSON);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);
    let callback = desk.visited("/auth/callback").pop().unwrap();
    let asked = desk.go_to("/auth/logout").await;
    let page = asked.page();
    let form = &page.forms[0];
    desk.press(&asked, form, form.plain_button(), &[]).await;
    assert_eq!(desk.is_known_as().await, None);

    // A step back, and to the link once more: who has signed out stays out.
    let back = desk.go_to(callback.as_str()).await;
    assert_eq!(back.path(), "/auth/login", "{}", back.html);
    assert_eq!(desk.is_known_as().await, None);
    let seen = desk.click(&link).await;
    walk.hears(&desk, &seen, RejectionKind::LinkUsed).await;
    let link = walk.new_link(&desk, &seen).await;
    arrives(&desk.click(&link).await);
    walk.end(&[&desk]).await
}

async fn organization_wrong(mut walk: Walk) -> Ending {
    let desk = walk.browser(Habits::PERSON);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    let seen = walk.open_here(&desk, &link).await;
    assert_eq!(seen.status, 403);
    // A new link would not help, and their address is shown to be changed.
    walk.hears(&desk, &seen, RejectionKind::NotAllowed).await;
    walk.end(&[]).await
}
