//! Pages that a browser loads before anybody asks for them (threat 54).

use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::{
    names::ADA,
    site::{APP, MAIL, Seen},
    stage::{Post, SESSION, Stage, escape, page},
    wait::eventually,
};

/// Returns a page whose browser loads these addresses ahead of time.
fn ahead(how: &str, urls: &[&str]) -> String {
    let body = match how {
        "link" => urls
            .iter()
            .map(|url| format!("<link rel=prefetch href=\"{}\">", escape(url)))
            .collect(),
        rule => {
            let rules = json!({
                (rule): [{ "source": "list", "urls": urls, "eagerness": "immediate" }],
            });
            format!("<script type=speculationrules>{rules}</script>")
        }
    };
    page(&body)
}

fn previews(seen: Vec<Seen>, purpose: &str) -> Vec<Seen> {
    let mut seen = seen;
    seen.retain(|seen| seen.purpose.as_deref() == Some(purpose));
    seen
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_preview_uses_nothing_up_and_sets_no_cookie() {
    let own = format!("{APP}/public/page");
    let other = format!("{MAIL}/inbox");
    let cases = [
        ("prefetch", &own, "prefetch"),
        ("prerender", &own, "prefetch;prerender"),
        ("link", &own, "prefetch"),
        ("link", &other, "prefetch"),
        // From another site by a rule only where there is no cookie; and no prerendering
        // (crbug.com/1176054).
        ("prefetch", &other, "prefetch"),
    ];
    for (how, from, purpose) in cases {
        let name = format!("{how} from {from}");
        let stage = Stage::new(Post::Own).await;
        let person = stage.browser().await;
        let link = stage.ask_for_link(&person, "/reports").await;
        let stranger = stage.browser().await;
        let form = format!("{APP}/auth/login?return_to=/reports");
        let html = ahead(how, &[&link, &form]);
        stage.sites.publish(from, HeaderMap::new(), html);
        for browser in [&person, &stranger] {
            let jar = browser.jar().await;
            if how == "prefetch" && *from == other && !jar.is_empty() {
                continue;
            }
            let before = stage.sites.seen().len();
            browser.goto(from).await;
            let previews = eventually(&name, async || {
                let seen = previews(stage.sites.seen().split_off(before), purpose);
                (seen.len() >= 2).then_some(seen)
            })
            .await;
            for seen in &previews {
                assert_eq!(
                    seen.status,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "{name}: {seen:?}"
                );
                assert!(!seen.sets_cookie, "{name}: {seen:?}");
            }
            let paths = ["/auth/login", "/auth/open"];
            for path in paths {
                let url = format!("{APP}{path}");
                assert!(
                    previews.iter().any(|seen| seen.url == url),
                    "{name}: {path}"
                );
            }
            assert_eq!(browser.jar().await, jar, "{name}");
        }
        assert_eq!(stage.exchanges(), 0, "{name}");
        assert!(stranger.cookie(SESSION).await.is_none(), "{name}");

        person.goto(&link).await;
        person.shows(&format!("Hello {ADA}")).await;
        person.is_content().await;
        stranger.is_content().await;
    }
}
