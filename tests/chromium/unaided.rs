//! The gallery's pages for people who see, press or allow less: by a keyboard alone, without
//! scripts, in forced colours, without motion, enlarged, and on paper.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    axe::Visit,
    chromium::Chromium,
    screens::stand_in,
    wait::{eventually, in_time},
};

const WINDOW: (u32, u32, bool) = (1_280, 800, false);

/// What Tab stops at, in the order of the document.
const STOPS: &str = "const stops = [...document.querySelectorAll(
    'a[href], button:not([disabled]), input:not([type=hidden])')];";

/// Which stop has the focus; whether a line around it shows that, and one that stands apart from
/// what a browser draws in the same colour; and whether its middle is in the window (WCAG 2.2,
/// 2.4.11).
const FOCUS: &str = "
    const at = document.activeElement;
    const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(at);
    const isApart = at.type !== 'checkbox' || parseFloat(outlineOffset) >= 1;
    const { top, bottom } = at.getBoundingClientRect();
    return [stops.indexOf(at), outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && isApart,
        top + bottom >= 0 && top + bottom <= 2 * innerHeight, top, bottom]";

/// The stops that stand before the one before them: above it, or on its line and on the wrong side.
const DISORDER: &str = "
    const isReversed = document.dir === 'rtl';
    const boxes = stops.map((stop) => stop.getBoundingClientRect());
    return boxes.flatMap((box, i) => {
        const before = boxes[i - 1] ?? box;
        const isBeside = box.top < before.bottom;
        const isWrong = isBeside && i > 0 && (isReversed ? box.left >= before.left : box.left <= before.left);
        return box.top < before.top || isWrong ? [i] : [];
    })";

/// What moves, or would.
const MOTION: &str = "
    const moves = [...document.querySelectorAll('*')].filter((element) => {
        const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
        return animationName !== 'none' || parseFloat(transitionDuration) > 0 || scrollBehavior === 'smooth';
    });
    return moves.map((element) => `${element.localName} moves`)";

/// The buttons and fields whose edge does not show where a page has no colours of its own.
const EDGELESS: &str = "
    const all = [...document.querySelectorAll('button, .button, input:not([type=hidden], [type=checkbox])')];
    const ground = getComputedStyle(document.querySelector('main')).backgroundColor;
    const isShown = ({ borderTopStyle, borderTopWidth, borderTopColor }) =>
        borderTopStyle !== 'none' && parseFloat(borderTopWidth) >= 1 && borderTopColor !== ground;
    return all.filter((element) => !isShown(getComputedStyle(element)))
        .map((element) => `${element.localName} has no edge`)";

async fn tell(browser: &Chromium, script: &str) -> Vec<String> {
    serde_json::from_value(browser.run(script).await.unwrap()).unwrap()
}

async fn press(browser: &Chromium, key: &str, code: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let mut event =
            json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        if kind == "keyDown" {
            event["text"] = json!(text);
        }
        browser.devtools("Input.dispatchKeyEvent", event).await;
    }
}

/// Returns what [`FOCUS`] says, once the browser has scrolled there if it does.
async fn focused(browser: &Chromium) -> Value {
    let script = format!("{STOPS}{FOCUS}");
    for _ in 0..100 {
        let focus = browser.run(&script).await.unwrap();
        if focus[0] == -1 || focus[2] == true {
            return focus;
        }
    }
    browser.run(&script).await.unwrap()
}

/// Goes to the pages of one language that differ in more than words.
async fn each_structure(visit: &Visit, of: &str) -> Vec<String> {
    let mut known = HashSet::new();
    let mut names = visit.names().await;
    names.retain(|name| !name.starts_with("mail"));
    let mut found = Vec::new();
    for name in names {
        visit.goto(of, &name).await;
        if known.insert(visit.structure().await) {
            found.push(name);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn by_keyboard_alone_each_action_is_reached_in_order_and_taken() {
    let visit = Visit::begin().await;
    let browser = &visit.browser;
    let names = each_structure(&visit, "en/acme").await;
    for of in ["en/acme", "ar/acme"] {
        for name in &names {
            let at = format!("{of} {name}");
            visit.goto(of, name).await;
            stand_in(browser, "light", WINDOW).await;
            let stops = browser.run(&format!("{STOPS} return stops.length")).await;
            let stops = stops.unwrap().as_u64().unwrap();
            let disorder = browser.run(&format!("{STOPS}{DISORDER}")).await.unwrap();
            assert_eq!(disorder, json!([]), "{at}");
            // Once round from wherever the focus is, past the end of the document.
            let mut reached = Vec::new();
            for _ in 0..=stops {
                press(browser, "Tab", 9).await;
                let focus = focused(browser).await;
                if focus[0] != -1 {
                    assert_eq!(
                        (&focus[1], &focus[2]),
                        (&json!(true), &json!(true)),
                        "{at}: {focus}"
                    );
                    reached.push(focus[0].as_u64().unwrap());
                }
            }
            let in_order = |pair: &[u64]| pair[1] == (pair[0] + 1) % stops;
            assert!(reached.windows(2).all(in_order), "{at}: {reached:?}");
            let reached: HashSet<_> = reached.into_iter().collect();
            assert_eq!(u64::try_from(reached.len()), Ok(stops), "{at}: {reached:?}");
            if of == "en/acme" {
                enter(&visit, of, name, stops).await;
            }
        }
    }
}

/// Presses Enter at each stop: it leads to another page, except where a mail program would open.
async fn enter(visit: &Visit, of: &str, name: &str, stops: u64) {
    let browser = &visit.browser;
    for stop in 0..stops {
        visit.goto(of, name).await;
        let fill = "
            for (const field of document.querySelectorAll('input:not([type=hidden], [type=checkbox])')) {
                field.value = field.type === 'email' ? 'ada@example.com' : '481516';
            }
            window.isOld = true;";
        let focus =
            format!("{STOPS}{fill} stops[{stop}].focus(); return stops[{stop}].protocol ?? ''");
        if browser.run(&focus).await.unwrap() == "mailto:" {
            continue;
        }
        press(browser, "Enter", 13).await;
        browser.is_new(&format!("Enter at {stop} of {name}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn without_scripts_each_form_is_sent_and_each_link_is_followed() {
    let visit = Visit::begin().await;
    let browser = &visit.browser;
    let of = "ar/plain";
    let names = each_structure(&visit, of).await;
    let off = json!({ "value": true });
    browser
        .devtools("Emulation.setScriptExecutionDisabled", off)
        .await;
    for name in names.iter().filter(|name| *name != "onward") {
        visit.goto(of, name).await;
        let count = browser.run("return document.querySelectorAll('button, a[href]').length");
        let count = count.await.unwrap().as_u64().unwrap();
        for number in 0..count {
            visit.goto(of, name).await;
            let press = format!(
                "const fields = {{ email: 'ada@example.com', code: '481516' }};
                 for (const [id, text] of Object.entries(fields)) {{
                     const field = document.getElementById(id);
                     if (field) field.value = text;
                 }}
                 const way = document.querySelectorAll('button, a[href]')[{number}];
                 const box = way.getBoundingClientRect();
                 scrollTo(0, box.top - 100);
                 return [way.disabled ?? false, way.form?.action ?? way.href]"
            );
            let told = browser.run(&press).await.unwrap();
            assert_eq!(told[0], false, "{name}: a button is disabled");
            let script = format!(
                "const box = document.querySelectorAll('button, a[href]')[{number}].getBoundingClientRect();
                 return [box.x + box.width / 2, box.y + box.height / 2]"
            );
            let place: Value = browser.run(&script).await.unwrap();
            browser.click(&place).await;
            let want = match told[1].as_str().unwrap() {
                // The page that leads on does so without its script, too.
                way if way.ends_with("/onward") => "https://app.example.com/",
                way => way,
            };
            let is_there = |url: &String| url.starts_with(want);
            let there = in_time(async || browser.url().await.filter(is_there)).await;
            assert!(
                there.is_some(),
                "{name}: {number} leads to {:?}",
                browser.url().await
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn enlarged_very_wide_in_forced_colours_without_motion_and_on_paper_nothing_is_lost() {
    let mut visit = Visit::begin().await;
    let names = each_structure(&visit, "en/acme").await;
    for of in ["en/acme", "ar/acme"] {
        for name in &names {
            visit.goto(of, name).await;
            for (at, width, height, scale) in [
                ("1920", 1_920, 1_080, 1),
                ("200 %", 640, 400, 2),
                ("400 %", 320, 256, 4),
            ] {
                visit.window(width, height, scale).await;
                visit.look(&format!("{of} {at}"), name).await;
            }
            visit.window(320, 640, 1).await;
            for scheme in ["light", "dark"] {
                for (media, feature, value) in [
                    ("screen", "forced-colors", "active"),
                    ("screen", "prefers-reduced-motion", "reduce"),
                    ("print", "prefers-contrast", "more"),
                ] {
                    let features = json!([
                        { "name": "prefers-color-scheme", "value": scheme },
                        { "name": feature, "value": value },
                    ]);
                    visit.media(media, &features).await;
                    let query =
                        format!("return matchMedia('{media} and ({feature}: {value})').matches");
                    eventually(&query, async || {
                        (visit.browser.run(&query).await.ok()? == true).then_some(())
                    })
                    .await;
                    let at = format!("{of} {scheme} {feature}");
                    visit.look(&at, name).await;
                    let asked = match feature {
                        "forced-colors" => EDGELESS,
                        _ => MOTION,
                    };
                    let found = tell(&visit.browser, asked).await;
                    visit.note(&at, name, found);
                    if scheme == "light" && media == "screen" {
                        visit.axe(&at, name, &[]).await;
                    }
                }
            }
            visit.media("", &json!([])).await;
        }
    }
    visit.end();
}
