//! An address inside the application, opened without a session, is where the person comes out.

use crate::{
    names::ADA,
    support::{Browser, World},
};

/// The addresses that cannot leave the origin, and some that seem to.
const TARGETS: [&str; 14] = [
    "/search?re=\\d+\\\\w",
    "/search?re=%5Cd+%5C%5Cw",
    "/search?path=C:\\Users",
    "/?\\\\evil.example",
    "/?//evil.example",
    "/proxy/https://other.example/x?y=1",
    "/proxy/https:%2F%2Fother.example/x",
    "/a//b",
    "/a///",
    "/files/C:%5CUsers%5Cada",
    "/caf%E9",
    "/%FCber/%E9t%E9?q=%E9",
    "/caf%C3%A9?q=%C3%A9",
    "/x?a=1&a=2;b=%00%0d%0a",
];

/// Signs in from the form at `login`, and returns where the person comes out.
async fn comes_out(world: &World, browser: &mut Browser, login: &str) -> String {
    let form = browser.get(login).await;
    assert_eq!(form.status(), 200, "{login}");
    let (_, action) = form_action(&form.text());
    let posted = browser.post(&action, &format!("email={ADA}")).await;
    assert_eq!(posted.status(), 303, "{login}: {}", posted.text());
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await.location().to_owned()
}

/// Returns a page's heading and where its form posts to.
fn form_action(page: &str) -> (String, String) {
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).expect(start);
        rest.split_once(end).unwrap().0.to_owned()
    };
    let action = between("<form method=\"post\" action=\"", "\"");
    (between("<h1>", "</h1>"), action.replace("&#38;", "&"))
}

#[tokio::test]
async fn a_deep_link_that_cannot_leave_the_origin_comes_back() {
    let world = World::with(tower_magic_link::Builder::insecure_no_throttle).await;
    let longest = format!("/reports?filter={}", "x".repeat(2_048 - 16));
    assert_eq!(longest.len(), 2_048);
    for target in TARGETS.into_iter().chain([longest.as_str()]) {
        // Opened in the browser, which shows the form and leads back.
        let mut browser = world.browser();
        let login = browser.get(target).await.location().to_owned();
        let out = comes_out(&world, &mut browser, &login).await;
        assert_eq!(out, target, "{login}");
        // Named by the application.
        let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let login = format!("/auth/login?return_to={encoded}");
        let mut browser = world.browser();
        let out = comes_out(&world, &mut browser, &login).await;
        assert_eq!(out, target, "{login}");
    }
}

/// An application that writes a page's address into its own link has often encoded it once only.
#[tokio::test]
async fn a_backslash_that_was_encoded_once_comes_back_as_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    let login = "/auth/login?return_to=/search%3Fre=%5Cd";
    let out = comes_out(&world, &mut browser, login).await;
    assert_eq!(out, "/search?re=\\d");
}

#[tokio::test]
async fn a_deep_link_that_is_too_long_to_keep_is_told_on_the_form() {
    const TOLD: &str = "please open it again";
    let world = World::new().await;
    let long = format!("/reports?filter={}", "x".repeat(2_048 - 15));
    for login in [
        world.browser().get(&long).await.location().to_owned(),
        format!("/auth/login?return_to={long}"),
    ] {
        let mut browser = world.browser();
        let form = browser.get(&login).await.text();
        assert!(form.contains(TOLD), "{login}: {form}");
        assert!(!form.contains("xxxx"), "{form}");
        // A typing mistake does not lose the word.
        let (_, action) = form_action(&form);
        let again = browser.post(&action, "email=ada").await;
        assert_eq!(again.status(), 422);
        assert!(again.text().contains(TOLD), "{}", again.text());
        let (_, action) = form_action(&again.text());
        let posted = browser.post(&action, &format!("email={ADA}")).await;
        assert_eq!(posted.status(), 303);
        let callback = world.follow_mail(ADA).await;
        assert_eq!(browser.get(&callback).await.location(), "/");
        assert_eq!(browser.get(&long).await.status(), 200, "opened again");
    }
    for kept in ["/auth/login", "/auth/login?return_to=/reports&too_long=1"] {
        let form = world.browser().get(kept).await.text();
        assert!(!form.contains(TOLD), "{kept}: {form}");
    }
}
