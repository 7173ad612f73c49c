//! The layer's own link after mail programs and people have handled it.

use http::Request;
use tower_magic_link::RejectionKind;

use crate::{
    names::ADA,
    support::{Browser, Post, World},
};

/// Returns a browser that has asked for a link, and the sealed text of that link.
async fn asked(world: &World, post: &Post) -> (Browser, String) {
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let link = post.link();
    let sealed = link.strip_prefix("/auth/open?t=").expect("our own link");
    (browser, sealed.to_owned())
}

fn is_cut_short(name: &str, status: u16, page: &str) {
    assert_eq!(status, 400, "{name}: {page}");
    let heading = RejectionKind::Malformed.heading();
    assert!(page.contains(heading), "{name}: {page}");
    assert!(!page.contains("<form"), "{name}: no empty form: {page}");
}

/// As browsers send it: they encode what no address may hold.
#[tokio::test]
async fn a_link_that_mail_or_copying_has_changed_still_opens() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let (mut browser, sealed) = asked(&world, &post).await;
    let (start, end) = sealed.split_at(70);
    let mut links: Vec<(String, String)> = [
        ".",
        ",",
        ";",
        ":",
        "!",
        ")",
        "]",
        "*",
        "'",
        "-",
        "--",
        "_",
        "%3E",
        "%22",
        "%22%3E",
        "%20",
        "%C2%A0",
        "%E2%80%9D",
        "%E2%80%8B",
        "%EF%BB%BF",
        "%0A",
        "%2",
        "=",
        "+",
        ".)",
        "&utm=1",
        "?utm_source=mail",
        ")%20thanks",
        "#top",
    ]
    .map(|stray| (stray.to_owned(), format!("/auth/open?t={sealed}{stray}")))
    .into();
    for between in [
        "%20",
        "+",
        "%0A",
        "%0D%0A",
        "%0D%0A%20",
        "=%0D%0A",
        "=%20",
        "%20%3E%20",
        "%0A%3E%20%3E%20",
        "%09",
        "%E2%80%8B",
        "%C2%AD",
    ] {
        let link = format!("/auth/open?t={start}{between}{end}");
        links.push((between.to_owned(), link));
    }
    for (name, link) in [
        ("trailing slash", format!("/auth/open/?t={sealed}")),
        ("angle brackets", format!("/auth/open?t=%3C{sealed}%3E")),
        ("raw mail", format!("/auth/open?t=3D{start}=%0A{end}")),
        ("slash and dot", format!("/auth/open/?t={sealed}.")),
    ] {
        links.push((name.to_owned(), link));
    }
    for (name, link) in links {
        let onward = browser.get(&link).await;
        assert_eq!(onward.status(), 303, "{name}: {}", onward.text());
        let to = onward.location();
        assert!(to.starts_with(world.workos.base_url()), "{name}: {to}");
    }
}

#[tokio::test]
async fn a_link_that_was_cut_short_is_told_as_that_and_is_no_empty_form() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let (mut browser, sealed) = asked(&world, &post).await;
    for link in [
        "/auth/open".to_owned(),
        "/auth/open?".to_owned(),
        "/auth/open/".to_owned(),
        "/auth/open/?t=".to_owned(),
        "/auth/open?t".to_owned(),
        "/auth/open.".to_owned(),
        "/auth/open,".to_owned(),
        "/auth/open)".to_owned(),
        "/auth/open%3E".to_owned(),
        "/auth/open%22".to_owned(),
        format!("/auth/open%3Ft={sealed}"),
        format!("/auth/open%3Ft%3D{sealed}"),
        format!("/auth/open?t%3D{sealed}"),
        format!("/auth/open?t={}", &sealed[..sealed.len() - 1]),
        format!("/auth/open?t={}=", &sealed[..60]),
        format!("/auth/open?t={}", &sealed[60..]),
        format!("/auth/open?t={}", "A".repeat(5_000)),
    ] {
        let page = browser.get(&link).await;
        is_cut_short(&link, page.status().as_u16(), &page.text());
    }
    assert_eq!(browser.get(&post.link()).await.status(), 303);
}

/// A path that only begins like the link's is the application's.
#[tokio::test]
async fn a_path_of_the_application_is_not_taken_for_a_link() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADA).await;
    for path in [
        "/auth/openid",
        "/auth/open-source",
        "/auth/open/x",
        "/open/",
        "/auth/login/",
    ] {
        let hits = world.hits();
        assert_eq!(browser.get(path).await.status(), 200, "{path}");
        assert_eq!(world.hits(), hits + 1, "{path}");
    }
}

#[tokio::test]
async fn a_changed_link_asks_another_browser_for_the_letters_and_takes_them() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut first = world.browser();
    let check = first.ask_for_link(ADA, "/reports").await.text();
    let (_, letters) = check.split_once("id=\"match-code\"").unwrap();
    let (_, letters) = letters.split_once('>').unwrap();
    let letters = letters.split('<').next().unwrap();
    let link = post.link().replace("/open?", "/open/?") + "%22.";
    let mut other = world.browser();
    let page = other.get(&link).await.text();
    let (_, action) = page.split_once("action=\"").expect("a form");
    let action = action.split('"').next().unwrap().replace("&#34;", "\"");
    let answer = other.post(&action, &format!("code={letters}")).await;
    assert!(answer.location().starts_with(world.workos.base_url()));
    // HEAD, as scanners send it, tells nothing.
    let head = Request::head(&link).body("".into()).unwrap();
    assert_eq!(other.send(head).await.status(), 200);
}

/// Row 87: a link has many spellings at this endpoint, and one count.
#[tokio::test]
async fn another_spelling_of_a_link_gives_no_more_tries() {
    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let (_, sealed) = asked(&world, &post).await;
    let mut robot = world.browser();
    robot.get("/auth/login").await;
    for (stray, status) in [
        (".", 422),
        (",", 422),
        ("%3E", 422),
        ("", 422),
        ("-", 422),
        (")", 403),
    ] {
        let link = format!("/auth/open/?t={sealed}{stray}");
        let answer = robot.post(&link, "code=BCD-FGH").await;
        assert_eq!(answer.status(), status, "{stray}: {}", answer.text());
    }
}
