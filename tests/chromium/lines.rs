//! Where the lines of the default pages end, and that nothing is cut when the letters are twice as
//! large, in every language.

use crate::{axe::Visit, wait::eventually};

/// Returns the ends of lines that read badly: behind the hyphen of a short word, and between a
/// figure and its noun. What a person or an application wrote is not ours.
const LINES: &str = r#"
    const found = [];
    const range = document.createRange();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode;
        const isOurs = !text.parentElement.closest(
            "script, style, noscript, bdi:not(#trouble > p:not(.detail) > bdi), a[href*='?t=']");
        if (!isOurs) continue;
        let last = null;
        for (let at = 0; at < text.length; at++) {
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            const box = range.getClientRects()[0];
            if (!box || box.width === 0) continue;
            if (last && box.top > last.bottom - 4) {
                const [before, behind] = [text.data.slice(0, at), text.data.slice(at)];
                const [start] = /[\p{L}\d]+-$/u.exec(before) ?? [""];
                const [end] = /^[\p{L}\d]+/u.exec(behind) ?? [""];
                const isWord = start && end && start.length + end.length <= 10;
                const isFigure = /\d\s$/.test(before) && /^\p{L}/u.test(behind);
                const place = `${before.slice(-12)}|${behind.slice(0, 12)}`;
                if (isWord || isFigure) found.push(`a line ends in "${place}"`);
            }
            last = box;
        }
    }
    return found"#;

/// Makes the letters twice as large, as a browser's own setting does.
const LARGE: &str = "document.documentElement.style.fontSize = '200%'";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_line_ends_neither_inside_a_short_word_nor_behind_a_figure() {
    let mut visit = Visit::begin().await;
    let names = visit.names().await;
    for tag in ["en", "ar", "de", "es", "fr", "ja"] {
        let of = format!("{tag}/plain");
        for name in &names {
            visit.goto(&of, name).await;
            for width in [320, 390, 768] {
                visit.window(width, 640, 1).await;
                let found = visit.browser.run(LINES).await.unwrap();
                let found = serde_json::from_value(found).unwrap();
                visit.note(&format!("{of} {width}"), name, found);
            }
        }
    }
    visit.end();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn nothing_is_cut_on_a_narrow_page_with_letters_twice_as_large() {
    let mut visit = Visit::begin().await;
    let names = visit.names().await;
    visit.window(320, 640, 1).await;
    for tag in ["en", "ar", "de", "es", "fr", "ja"] {
        let of = format!("{tag}/plain");
        // The mail has the size that its reader's program gives it.
        for name in names.iter().filter(|name| !name.starts_with("mail")) {
            visit.goto(&of, name).await;
            visit.browser.run(LARGE).await.unwrap();
            visit.look(&format!("{of} 200%"), name).await;
        }
    }
    visit.end();
}

/// Pins: the countdown replaced the first span of its sentence, which was another one in German.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn a_countdown_changes_its_figures_alone_in_each_language() {
    let visit = Visit::begin().await;
    let told = "return document.querySelector('#wait').innerText.replace(/[0-9]+/g, '#')";
    for tag in ["en", "ar", "de", "es", "fr", "ja"] {
        visit.goto(&format!("{tag}/plain"), "check-link-wait").await;
        let begun = visit.browser.run(told).await.unwrap();
        let seconds =
            "return Number(document.querySelector('#wait').innerText.match(/[0-9]+/g).pop())";
        eventually("fewer seconds", async || {
            let left = visit.browser.run(seconds).await.ok()?.as_u64()?;
            (left < 29).then_some(())
        })
        .await;
        let now = visit.browser.run(told).await.unwrap();
        assert_eq!(now, begun, "{tag}");
    }
}
