//! Journeys that meet an obstacle: an expired or used link, no cookies, a sign-out.

use tower_magic_link::RejectionKind;

use super::arrives;
use crate::{
    names::ADA,
    site::PostOffice,
    visitor::Habits,
    walk::{Ending, Walk},
};

pub(super) async fn expired(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    walk.ask(&desk).await;
    let link = walk.mail().await;
    walk.pass(15 * 60);
    let trouble = match walk.site.post_office {
        PostOffice::Alone | PostOffice::Ours => RejectionKind::LinkExpired,
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

pub(super) async fn used(mut walk: Walk) -> Ending {
    let (desk, telephone) = (walk.browser(Habits::PERSON), walk.browser(Habits::PERSON));
    let check = walk.ask(&desk).await;
    let link = walk.mail().await;
    arrives(&walk.open_here(&desk, &link).await);
    walk.pass(61);
    arrives(&desk.click(&link).await);

    let mut seen = telephone.click(&link).await;
    if walk.site.post_office != PostOffice::WorkOs {
        seen = walk.answer(&check, &telephone, &seen).await;
    }
    walk.hears(&telephone, &seen, RejectionKind::LinkUsed).await;
    if walk.site.post_office != PostOffice::WorkOs {
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

pub(super) async fn cookies_off(mut walk: Walk) -> Ending {
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

pub(super) async fn after_sign_out(mut walk: Walk) -> Ending {
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
    match walk.site.post_office {
        // The session is the attempt's only one, and has ended.
        PostOffice::Alone => walk.hears(&desk, &back, RejectionKind::LinkUsed).await,
        PostOffice::Ours | PostOffice::WorkOs => {
            assert_eq!(back.path(), "/auth/login", "{}", back.html);
        }
    }
    assert_eq!(desk.is_known_as().await, None);
    let seen = desk.click(&link).await;
    walk.hears(&desk, &seen, RejectionKind::LinkUsed).await;
    let link = walk.new_link(&desk, &seen).await;
    arrives(&desk.click(&link).await);
    walk.end(&[&desk]).await
}

pub(super) async fn organization_wrong(mut walk: Walk) -> Ending {
    let desk = walk.browser(Habits::PERSON);
    walk.ask(&desk).await;
    let link = walk.mail().await;
    let seen = walk.open_here(&desk, &link).await;
    assert_eq!(seen.status, 403);
    // A new link would not help, and their address is shown to be changed.
    walk.hears(&desk, &seen, RejectionKind::NotAllowed).await;
    walk.end(&[]).await
}
