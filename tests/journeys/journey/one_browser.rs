//! Journeys in the browser that began.

use tower_magic_link::RejectionKind;

use super::arrives;
use crate::{
    names::ADA,
    site::PostOffice,
    visitor::{Clicks, Habits, Seen, Visitor},
    walk::{Ending, Walk},
};

pub(super) async fn same_browser(mut walk: Walk) -> Ending {
    let desk = walk.browser(Habits::PERSON);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);
    walk.end(&[&desk]).await
}

pub(super) async fn code_in_the_first_tab(mut walk: Walk) -> Ending {
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

pub(super) async fn two_tabs(mut walk: Walk) -> Ending {
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

pub(super) async fn reload_at_every_page(mut walk: Walk) -> Ending {
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

pub(super) async fn back_button(mut walk: Walk) -> Ending {
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

pub(super) async fn double_click(mut walk: Walk, clicks: Clicks) -> Ending {
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
