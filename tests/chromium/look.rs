//! The default pages with a colour, a logo and a contact of the application's. Their pictures are
//! `target/look/KIND-NAME-light-1280.png`.

use std::fs;

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use tower_magic_link::page::{DefaultPages, Pages};

use crate::{
    drawn,
    gallery::Way,
    screens::{WINDOWS, faults, folder, picture, stand_in},
    site::APP,
    stage::{Post, Stage, page},
    wait::eventually,
};

const DRAWING: &str = "<svg viewBox=\"0 0 120 40\" fill=\"currentColor\"><defs><linearGradient \
    id=\"logo-a\"><stop stop-color=\"#e65100\"/><stop offset=\"1\" stop-color=\"#ffb300\"/>\
    </linearGradient></defs><circle cx=\"20\" cy=\"20\" r=\"18\" fill=\"url(#logo-a)\"/>\
    <path d=\"M50 8h60v8h-60zm0 16h40v8h-40z\"/></svg>";
const LOGO: &str = "/public/logo.svg";

/// The drawn pages that are looked at: one of each kind that is drawn.
const SEEN: [&str; 7] = [
    "check-code-Used",
    "check-long-address",
    "choose-again",
    "login-named",
    "match-Expired",
    "trouble-with-a-new-link",
    "trouble-NotAllowed",
];

fn pages(logo: &str, support: &str) -> DefaultPages {
    DefaultPages::new()
        .application_name("Acme")
        .accent("#e65100")
        .and_then(|pages| pages.logo(logo, "Acme"))
        .and_then(|pages| pages.support(support))
        .unwrap()
}

/// The colours of the first link, the first full button, and what is on it; and the logo's size.
const LOOK: &str = "
    const of = (query, name) => {
        const found = document.querySelector(query);
        return found ? getComputedStyle(found)[name] : '';
    };
    const logo = document.querySelector('.logo');
    return [
        of('a:not(.button)', 'color'),
        of('button:not(.quiet), a.button', 'backgroundColor'),
        of('button:not(.quiet), a.button', 'color'),
        logo.localName,
        `${logo.complete === false || logo.naturalWidth === 0 ? 'no picture' : 'drawn'}`,
        `${logo.getBoundingClientRect().height}`,
    ]";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn pages_in_an_applications_colours_with_its_logo_are_fit_to_be_seen() {
    // Beside the folder of the other pictures, which their test empties.
    let folder = folder().with_file_name("look");
    fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    let cases = [
        ("picture", LOGO, "help@example.com"),
        ("drawing", DRAWING, "https://example.com/help"),
    ];
    for (kind, logo, support) in cases {
        let pages = pages(logo, support);
        let stage = Stage::with(Post::Own, |builder| builder.pages(pages.clone())).await;
        let mut svg = HeaderMap::new();
        svg.insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
        let file = DRAWING.replace("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
        stage.sites.publish(&format!("{APP}{LOGO}"), svg, file);
        let headers = stage.sites.page_headers().await;
        let browser = stage.browser().await;
        for screen in drawn::screens() {
            let Way::Drawn(page) = &screen.way else {
                continue;
            };
            if !SEEN.contains(&&*screen.name) {
                continue;
            }
            seen += 1;
            let url = format!("{APP}/public/{}", screen.name);
            stage
                .sites
                .publish(&url, headers.clone(), pages.render(page));
            browser.goto(&url).await;
            for scheme in ["light", "dark"] {
                for window in WINDOWS {
                    let name = format!("{kind}-{}-{scheme}-{}", screen.name, window.0);
                    stand_in(&browser, scheme, window).await;
                    let faults = faults(&browser).await.into_iter();
                    wrong.extend(faults.map(|fault| format!("{name}: {fault}")));
                    let look = browser.run(LOOK).await.unwrap();
                    let (accent, on_accent) = match scheme {
                        "light" => ("rgb(207, 73, 0)", "rgb(255, 255, 255)"),
                        _ => ("rgb(230, 81, 0)", "rgb(13, 16, 20)"),
                    };
                    // A page whose buttons are all quiet has none in the colour.
                    for (place, want) in [(0, accent), (1, accent), (2, on_accent)] {
                        if look[place] != want && look[place] != "" {
                            wrong.push(format!("{name}: {look}"));
                        }
                    }
                    let element = if kind == "picture" { "img" } else { "svg" };
                    assert_eq!(look[3], element, "{name}");
                    assert_eq!(
                        (&look[4], &look[5]),
                        (&"drawn".into(), &"40".into()),
                        "{name}"
                    );
                    fs::write(folder.join(format!("{name}.png")), picture(&browser).await).unwrap();
                }
            }
            let complaints = browser.complaints().await.into_iter();
            wrong.extend(complaints.map(|said| format!("{kind}, {}: {said}", screen.name)));
        }
    }
    assert_eq!(seen, 2 * SEEN.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn beside_the_logo_no_other_picture_of_the_origin_loads() {
    let pages = pages(LOGO, "help@example.com");
    let stage = Stage::with(Post::Own, |builder| builder.pages(pages)).await;
    let headers = stage.sites.page_headers().await;
    let browser = stage.browser().await;
    for other in ["/public/other.svg", "/public/logo.svg/x", "/public/logo"] {
        let url = format!("{APP}/public/page");
        let html = page(&format!("<h1>One</h1><img src=\"{other}\" alt=\"x\">"));
        stage.sites.publish(&url, headers.clone(), html);
        browser.goto(&url).await;
        eventually(other, async || {
            let said = browser.complaints().await;
            let refused = "violates the following Content Security Policy";
            said.iter().any(|said| said.contains(refused)).then_some(())
        })
        .await;
    }
}
