//! A session cookie that was planted in a browser ends when its person signs in (fixation), by
//! whatever way they do.

use tower_magic_link::{Builder, SignIn};

use crate::{
    names::{ADA, EVE},
    support::{Post, World, by_own_link},
};

const SESSION: &str = "__Host-magic-link";

#[derive(Clone, Copy, Debug)]
enum Way {
    Code,
    Link,
    OtherBrowser,
}

#[tokio::test]
async fn a_planted_session_is_replaced_and_ended_whichever_way_the_person_signs_in() {
    for way in [Way::Code, Way::Link, Way::OtherBrowser] {
        let post = Post::default();
        let mailed = |builder: Builder| builder.mailer(post.clone()).sign_in(SignIn::LinkAndCode);
        let world = World::with(mailed).await;
        let mut eve = world.browser();
        eve.ask_for_link(EVE, "/").await;
        let redirect = eve.get(&post.link()).await;
        by_own_link(&mut eve, &redirect).await;
        assert_eq!(eve.get("/").await.status(), 200);
        let planted = eve.jar[SESSION].clone();

        let mut first = world.browser();
        first.jar.insert(SESSION.to_owned(), planted.clone());
        let check = first.ask_for_link(ADA, "/").await.text();
        let after = |mark: &str| {
            let (_, rest) = check.split_once(mark).expect("a mark");
            rest.split_once(['"', '<']).unwrap().0.to_owned()
        };
        let (finisher, answer) = match way {
            Way::Code => {
                let action = format!("/auth/code?t={}", after("action=\"/auth/code?t="));
                let form = format!("code={}", post.code());
                let answer = first.post(&action, &form).await;
                (first, answer)
            }
            Way::Link => {
                let redirect = first.get(&post.link()).await;
                let answer = by_own_link(&mut first, &redirect).await;
                (first, answer)
            }
            Way::OtherBrowser => {
                let mut other = world.browser();
                other.jar.insert(SESSION.to_owned(), planted.clone());
                other.get(&post.link()).await;
                let form = format!("code={}", after("id=\"match-code\">"));
                let redirect = other.post(&post.link(), &form).await;
                let answer = by_own_link(&mut other, &redirect).await;
                (other, answer)
            }
        };
        assert_eq!(answer.location(), "/", "{way:?}");
        assert_ne!(finisher.jar[SESSION], planted, "{way:?}");
        let landed = finisher.clone().get("/").await;
        assert_eq!(landed.text(), "/ for ada@example.com", "{way:?}");
        assert_eq!(eve.get("/").await.status(), 303, "{way:?}: Eve's is ended");
    }
}
