//! `examples/gallery`: the way through it leads everywhere.

use std::collections::{BTreeSet, VecDeque};

use reqwest::header::{CONTENT_LANGUAGE, CONTENT_TYPE};
use tower_magic_link::language::Words;

use crate::program::Program;

/// Returns where the links, frames and forms of a document lead, if it is in the gallery.
fn ways(html: &str) -> impl Iterator<Item = String> {
    ["href=\"/", "src=\"/", "action=\"/"]
        .into_iter()
        .flat_map(|start| {
            let parts = html.split(start).skip(1);
            parts.filter_map(|rest| Some(format!("/{}", rest.split('"').next()?)))
        })
}

#[tokio::test]
async fn every_link_of_the_gallery_answers_and_each_page_and_mail_is_in_its_language() {
    let mut program = Program::example("gallery", &[]);
    let origin = program.says("listening on ");
    let client = reqwest::Client::new();
    let mut known = BTreeSet::from(["/".to_owned(), "/pages".to_owned()]);
    let mut left: VecDeque<_> = known.iter().cloned().collect();
    while let Some(path) = left.pop_front() {
        let answer = client.get(format!("{origin}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let headers = answer.headers().clone();
        let text = answer.text().await.unwrap();
        if headers[CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
        {
            let new = ways(&text).filter(|way| known.insert(way.clone()));
            left.extend(new.collect::<Vec<_>>());
        }
        let Some(language) = headers.get(CONTENT_LANGUAGE) else {
            continue;
        };
        let language = language.to_str().unwrap();
        assert!(path.starts_with(&format!("/{language}/")), "{path}");
        let lang = format!("<html lang=\"{language}\"");
        assert!(
            path.ends_with(".txt") || text.contains(&lang),
            "{path}: {text}"
        );
        for (scheme, other) in [("/light/", "dark"), ("/dark/", "light")] {
            let other = format!("color-scheme: {other}");
            assert!(
                !path.contains(scheme) || !text.contains(&other),
                "{path}: {text}"
            );
        }
    }
    for words in Words::all() {
        for look in ["plain", "named", "acme"] {
            for scheme in ["auto", "light", "dark"] {
                for name in [
                    "check-link",
                    "mail-link.html",
                    "mail-code.txt",
                    "trouble-link_used",
                ] {
                    let path = format!("/{}/{look}/{scheme}/{name}", words.tag());
                    assert!(known.contains(&path), "{path}");
                }
            }
        }
    }
    let missing = client.get(format!("{origin}/en/plain/auto/nothing"));
    assert_eq!(missing.send().await.unwrap().status(), 404);
    // A form is answered with the page that follows.
    let sent = client.post(format!("{origin}/de/acme/dark/check-link"));
    let page = sent.body("email=ada%40example.com").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("ada@example.com"));
}
