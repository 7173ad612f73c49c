//! A mailer that fails, and the check page after a mail.

use std::time::Duration;

use tower_magic_link::RejectionKind;

use crate::{
    names::ADA,
    support::{Post, World},
};

#[tokio::test]
async fn a_mailer_that_fails_is_told_and_the_next_try_works() {
    let post = Post::default();
    post.is_down(true);
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    let answer = browser.post("/auth/login", "email=ada@example.com").await;
    assert_eq!(answer.status(), 502);
    assert!(
        answer.text().contains(RejectionKind::MailNotSent.heading()),
        "{}",
        answer.text()
    );
    post.is_down(false);
    assert_eq!(
        browser
            .post("/auth/login", "email=ada@example.com")
            .await
            .status(),
        303
    );
}

#[tokio::test]
async fn the_check_page_shows_the_address_in_the_browser_that_asked_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    let posted = browser
        .post("/auth/login?return_to=/reports", "email=ada@example.com")
        .await;
    let check = posted.location().to_owned();
    assert!(!check.contains("ada"), "{check}");
    let own = browser.get(&check).await;
    assert!(own.text().contains(ADA) && own.text().contains("return_to=/reports"));
    world.clock.advance(Duration::from_secs(10));
    let other = world.browser().get(&check).await;
    assert_eq!(other.status(), 200);
    assert!(
        !other.text().contains("ada") && !other.text().contains("reports"),
        "{}",
        other.text()
    );
    assert_eq!(
        browser.get("/auth/check?t=x").await.location(),
        "/auth/login"
    );
    world.clock.advance(Duration::from_secs(1_490));
    let late = browser.get(&check).await;
    assert!(
        late.read()
            .contains(RejectionKind::AttemptExpired.heading()),
        "{}",
        late.text()
    );
}
