//! What becomes of many links of the layer's own in mail programs.

use tower_magic_link::{MagicLinkLayer, testing::StubProvider};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, World, app_of},
};

/// Breaks a text after so many characters, as a mail system does that knows no words.
fn broken(text: &str, width: usize, by: &str) -> String {
    let pieces = text.as_bytes().chunks(width);
    let pieces: Vec<_> = pieces
        .map(|piece| std::str::from_utf8(piece).unwrap())
        .collect();
    pieces.join(by)
}

/// Returns what a browser asks for when a text is pasted: it drops line breaks, and encodes blanks
/// and what no address may hold.
fn pasted(text: &str) -> String {
    let text = text.replace(['\r', '\n'], "");
    text.replace(' ', "%20").replace('>', "%3E")
}

#[tokio::test]
async fn of_ten_thousand_links_none_ends_on_a_dash_and_each_survives_every_width() {
    let post = Post::default();
    let world = World::new().await;
    let layer = MagicLinkLayer::builder(StubProvider::new(), world.keys.clone())
        .public_url(ORIGIN)
        .mailer(post.clone())
        .insecure_no_throttle()
        .insecure_answer_when_sent()
        .build()
        .unwrap();
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    browser.get("/auth/login").await;
    for number in 0..10_000 {
        // Ways back of every length modulo three, on which the last character depends.
        let way_back = "x".repeat(number % 7);
        let form = format!("/auth/login?return_to=/{way_back}");
        let posted = browser.post(&form, &format!("email={ADA}")).await;
        assert_eq!(posted.status(), 303);
    }
    let links: Vec<_> = post
        .letters()
        .into_iter()
        .map(|letter| letter.link.unwrap())
        .collect();
    assert_eq!(links.len(), 10_000);
    for link in &links {
        assert!(
            link.ends_with(|c: char| c.is_ascii_alphanumeric()),
            "{link}"
        );
    }
    let marks = ["\r\n", " \r\n", "=\r\n", "\r\n> ", "\r\n> > "];
    for (number, link) in links.iter().step_by(20).enumerate() {
        let width = [60, 72, 76, 78][number % 4];
        let by = marks[number / 4 % marks.len()];
        let path = pasted(&broken(link, width, by));
        let path = path.strip_prefix(ORIGIN).unwrap();
        let onward = browser.get(path).await;
        assert_eq!(onward.status(), 303, "{width} {by:?}: {path}");
    }
}
