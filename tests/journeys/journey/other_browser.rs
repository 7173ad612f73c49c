//! Journeys that go on in another browser.

use tower_magic_link::RejectionKind;

use super::arrives;
use crate::{
    robot::Robot,
    site::PostOffice,
    visitor::Habits,
    walk::{Ending, Walk},
};

pub(super) async fn other_browser_match_code(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    let asked = walk.open_elsewhere(&desk, &check, &telephone, &link).await;
    arrives(&walk.answer(&check, &telephone, &asked).await);
    walk.end(&[&telephone]).await
}

pub(super) async fn other_browser_confirm(mut walk: Walk) -> Ending {
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

pub(super) async fn other_browser_refuse(mut walk: Walk) -> Ending {
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

pub(super) async fn in_app_then_system_browser(mut walk: Walk) -> Ending {
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
