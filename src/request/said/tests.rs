use http::{HeaderName, header};
use proptest::prelude::*;

use super::*;

const FIELDS: [&str; 9] = [
    "accept",
    "hx-request",
    "purpose",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-purpose",
    "upgrade",
    "upgrade-insecure-requests",
];

const VALUES: [&str; 21] = [
    "",
    "1",
    "0",
    "cors",
    "CORS",
    "document",
    "embed",
    "empty",
    "fencedframe",
    "frame",
    "h2c, WebSocket",
    "iframe",
    "navigate",
    "none",
    "object",
    "prefetch;prerender",
    "same-origin",
    "same-site",
    "text/html",
    "text/html;q=0.5, application/json",
    "websocket",
];

/// Says whether every field of a name is one of these. `None` if there is no such field.
fn are(headers: &HeaderMap, name: &str, words: &[&str]) -> Option<bool> {
    let fields = headers.get_all(name);
    let is_one = |field: &HeaderValue| words.iter().any(|word| field == word);
    headers.get(name).map(|_| fields.iter().all(is_one))
}

fn wants_page_by_the_book(headers: &HeaderMap) -> bool {
    let prefers_page = accept::prefers_page(headers);
    let insecure = are(headers, "upgrade-insecure-requests", &["1"]) == Some(true);
    let modes: &[&str] = match (prefers_page, insecure) {
        (false, _) => &["navigate"],
        (true, false) => &["navigate", "same-origin"],
        (true, true) => &["navigate", "same-origin", "cors"],
    };
    let shown = ["document", "embed", "frame", "iframe", "object"];
    are(headers, "sec-fetch-mode", modes)
        .or_else(|| are(headers, "sec-fetch-dest", &shown))
        .unwrap_or(prefers_page)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn one_walk_says_what_look_ups_of_each_field_say(
        fields in proptest::collection::vec((0..FIELDS.len(), 0..VALUES.len()), 0..7),
    ) {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("app.example.com"));
        for (name, value) in fields {
            let value = HeaderValue::from_static(VALUES[value]);
            headers.append(HeaderName::from_static(FIELDS[name]), value);
        }
        let said = Said::of(&headers);
        let is = |name: &str, words: &[&str]| are(&headers, name, words) == Some(true);
        let is_fetch = is("sec-fetch-mode", &["cors", "same-origin"])
            && is("sec-fetch-dest", &["empty"])
            && is("sec-fetch-site", &["same-origin"]);
        let frames = ["embed", "fencedframe", "frame", "iframe", "object"];
        let has = |name: &str| headers.contains_key(name);
        let any = |name: &str, words: &[&str]| {
            let mut fields = headers.get_all(name).iter();
            fields.any(|field| words.iter().any(|word| field == word))
        };
        prop_assert_eq!(said.wants_page(), wants_page_by_the_book(&headers));
        prop_assert_eq!(said.is_fetch(), is_fetch);
        prop_assert_eq!(said.follows_redirects(), is_fetch && is("sec-fetch-mode", &["cors"]));
        prop_assert_eq!(said.is_framed(), is("sec-fetch-dest", &frames));
        prop_assert_eq!(said.is_of_browser(), has("sec-fetch-mode") || has("sec-fetch-dest"));
        let ahead = ["prefetch;prerender"];
        prop_assert_eq!(said.is_prefetch(), any("purpose", &ahead) || any("sec-purpose", &ahead));
        let websocket = ["websocket", "h2c, WebSocket"];
        prop_assert_eq!(said.opens_websocket(), any("upgrade", &websocket));
        prop_assert_eq!(said.htmx(), headers.get("hx-request"));
    }
}
