//! Digits: WorkOS's, mailed by WorkOS or by the application; right, wrong, and too often.

use tower_magic_link::{Builder, SignIn};

use super::{code_action, other_than, program, type_digits};
use crate::{
    names::{ADA, EVE},
    support::{Post, by_own_link},
    walk::Walk,
    watched::Watched,
};

pub(crate) async fn all(walk: &Walk) {
    by_the_application(walk).await;
    by_workos(walk).await;
}

async fn by_the_application(walk: &Walk) {
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let post = Post::default();
        let mailed = |builder: Builder| {
            let builder = builder.mailer(Watched::new(post.clone(), walk));
            builder.sign_in(sign_in)
        };
        let world = walk.world(mailed).await;
        let mut browser = walk.browser(&world.layer);
        let check = browser.ask_for_link(ADA, "/reports").await;
        let digits = post.code();
        type_digits(&mut browser, &check, other_than(&digits)).await;
        type_digits(&mut browser, &check, "no digits").await;
        let form = format!("code={}", other_than(&digits));
        browser.send(program(&code_action(&check), &form)).await;
        // In a browser that did not begin.
        let mut other = walk.browser(&world.layer);
        type_digits(&mut other, &check, &digits).await;
        let landed = type_digits(&mut browser, &check, &digits).await;
        assert!(landed.text().contains(ADA), "{}", landed.text());
        type_digits(&mut browser, &check, &digits).await;

        let mut wrong = walk.browser(&world.layer);
        let check = wrong.ask_for_link(EVE, "/").await;
        let digits = post.code();
        for _ in 0..8 {
            type_digits(&mut wrong, &check, other_than(&digits)).await;
        }
        type_digits(&mut wrong, &check, &digits).await;
        wrong
            .post("/auth/login", "email=eve@example.com&answer=resend")
            .await;

        if sign_in == SignIn::LinkAndCode {
            let mut link = walk.browser(&world.layer);
            link.ask_for_link(ADA, "/").await;
            let redirect = link.get(&post.link()).await;
            by_own_link(&mut link, &redirect).await;
        }
        walk.gather(&world);
    }
}

async fn by_workos(walk: &Walk) {
    let world = walk.world(|builder| builder.sign_in(SignIn::Code)).await;
    let mut browser = walk.browser(&world.layer);
    let check = browser.ask_for_link(ADA, "/").await;
    walk.gather(&world);
    let digits = world.emulator().last_code_to(ADA).unwrap();
    walk.secrets.add(crate::secrets::Kind::Code, &digits);
    type_digits(&mut browser, &check, other_than(&digits)).await;
    let landed = type_digits(&mut browser, &check, &digits).await;
    assert!(landed.text().contains(ADA), "{}", landed.text());
}
