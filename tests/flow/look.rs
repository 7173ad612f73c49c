//! What an application sets on the default pages, as a browser gets it.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use tower_magic_link::{Builder, page::DefaultPages};

use crate::{
    names::ORIGIN,
    support::{Answer, World},
};

const DRAWING: &str = "<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>";

/// Returns the directives of a page's policy, each with its sources.
fn policy(answer: &Answer) -> BTreeMap<String, String> {
    let policy = answer.header("content-security-policy").split("; ");
    policy
        .map(|directive| directive.split_once(' ').unwrap())
        .map(|(name, sources)| (name.to_owned(), sources.to_owned()))
        .collect()
}

/// Returns the CSP source of a page's one style sheet.
fn style_source(html: &str) -> String {
    let (_, rest) = html.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    format!("'sha256-{hash}'")
}

#[tokio::test]
async fn the_policy_names_the_style_by_its_hash_and_the_one_picture_and_is_else_as_it_was() {
    let cases = [
        (
            "/static/logo.svg",
            Some(format!("{ORIGIN}/static/logo.svg")),
        ),
        (
            "https://cdn.example.com/logo.svg",
            Some("https://cdn.example.com/logo.svg".to_owned()),
        ),
        (DRAWING, None),
    ];
    let plain = World::with(|builder| builder).await;
    for (source, image) in cases {
        let pages = DefaultPages::new()
            .accent("#e65100")
            .and_then(|pages| pages.logo(source, "Acme"))
            .and_then(|pages| pages.support("help@example.com"))
            .unwrap();
        let world = World::with(|builder| builder.pages(pages)).await;
        // A form, a failure, and a page that is neither.
        for (path, fails) in [
            ("/auth/login", false),
            ("/auth/callback?error=access_denied", true),
            ("/auth/logout", false),
        ] {
            let page = world.browser().get(path).await;
            let html = page.text();
            assert!(
                html.contains("class=\"logo\"") && html.contains("#cf4900"),
                "{html}"
            );
            assert_eq!(html.contains("mailto:help@example.com"), fails, "{path}");
            let mut ours = policy(&page);
            assert_eq!(
                ours.remove("style-src"),
                Some(style_source(&html)),
                "{path}"
            );
            assert_eq!(ours.remove("img-src"), image, "{path}");
            let mut without = policy(&plain.browser().get(path).await);
            without.remove("style-src");
            // Each world has a WorkOS of its own, to which forms may lead.
            for policy in [&mut ours, &mut without] {
                policy.remove("form-action");
            }
            assert_eq!(ours, without, "{path}");
        }
    }
}

#[tokio::test]
async fn every_page_shows_the_layers_name_unless_the_application_brings_pages() {
    let named = |builder: Builder| builder.application_name("R&D");
    let ours = World::with(named).await;
    let brought = World::with(|builder| named(builder).pages(DefaultPages::new())).await;
    let plain = World::with(|builder| builder).await;
    for path in [
        "/auth/login",
        "/auth/callback?error=access_denied",
        "/auth/logout",
    ] {
        let is_form = path == "/auth/login";
        for (world, want) in [(&ours, true), (&brought, is_form), (&plain, false)] {
            let html = world.browser().get(path).await.text();
            assert_eq!(html.contains(" · R&#38;D</title>"), want, "{path}");
            assert_eq!(html.contains("<bdi>R&#38;D</bdi>"), want, "{path}");
        }
    }
}

#[tokio::test]
async fn the_policy_names_the_applications_style_sheet_beside_the_hash_of_ours() {
    let path = format!("{ORIGIN}/static/sign-in.css");
    let url = "https://cdn.example.com/sign-in.css".to_owned();
    for (address, source) in [("/static/sign-in.css", path), (&url, url.clone())] {
        let pages = DefaultPages::new().stylesheet(address).unwrap();
        let world = World::with(|builder| builder.pages(pages)).await;
        let opened = ["/auth/login", "/auth/callback?error=access_denied"];
        for path in opened {
            let page = world.browser().get(path).await;
            let want = format!("{} {source}", style_source(&page.text()));
            assert_eq!(policy(&page).remove("style-src"), Some(want), "{path}");
        }
    }
}
