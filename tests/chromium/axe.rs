//! Every page and mail of `examples/gallery` by axe-core, in every language: light and dark, wide
//! and narrow, enlarged, printed, and in a language that needs more room than any.
//!
//! axe runs on each structure of a language. Pages that differ from it in their words alone are
//! looked at by `faults.js` and `cut.js`, where they are narrowest. Colours do not depend on the
//! language: in English and Arabic axe sees them light and dark, narrow and wide.

use std::{collections::HashSet, env, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    chromium::Chromium,
    program::Program,
    screens::{faults, folder, picture, stand_in},
    stage::{Post, Stage},
    wait::eventually,
};

const AXE: &str = include_str!("axe.js");
const CUT: &str = include_str!("cut.js");

const WIDE: (u32, u32, bool) = (1_280, 800, false);
const NARROW: (u32, u32, bool) = (320, 640, false);

/// The elements of a page with what is in their attributes, without texts and values.
const STRUCTURE: &str = "
    const told = ['class', 'type', 'role', 'autofocus', 'disabled', 'aria-describedby', 'style'];
    const of = (element) => `${element.localName} ${element.getAttributeNames().join()}`
        + told.map((name) => element.getAttribute(name)).join();
    return [...document.querySelectorAll('*')].map(of).join(';')";

/// Words in plain letters that are not from the application's data.
const PLAIN: &str = "
    const known = /ada|example|com|acme|reports|sons|ltd|org|host|magic|link|browser|cookie\
        |featherstonehaugh|cholmondeley|correspondence|and|department|letters|wilhelmina|kwdrtm\
        |https|app|auth|open|mwj\\w*/gi;
    const said = [document.title, document.body.innerText].join(' ').replace(known, '');
    return said.match(/[a-z]{3,}/gi) ?? []";

/// The gallery, and a browser that looks at it.
pub(crate) struct Visit {
    pub(crate) browser: Chromium,
    pub(crate) origin: String,
    axe: String,
    wrong: Vec<String>,
    // They end with it.
    _stage: Stage,
    _gallery: Program,
}

impl Visit {
    pub(crate) async fn begin() -> Self {
        let mut gallery = Program::example("gallery", &[]);
        let origin = gallery.says("listening on ");
        let stage = Stage::new(Post::Own).await;
        let modules = env::var_os("TEST_NODE").expect("TEST_NODE; tests/run sets it");
        let axe = Path::new(&modules).join("node_modules/axe-core/axe.min.js");
        Self {
            browser: stage.browser().await,
            origin,
            axe: fs::read_to_string(axe).unwrap(),
            wrong: Vec::new(),
            _stage: stage,
            _gallery: gallery,
        }
    }

    /// Returns the name of everything that is a document.
    pub(crate) async fn names(&self) -> Vec<String> {
        let page = reqwest::get(&self.origin).await.unwrap();
        let page = page.text().await.unwrap();
        let names = page.split("<li><a href=\"/en/plain/auto/").skip(1);
        let names = names.filter_map(|rest| rest.split('"').next());
        let documents = names.filter(|name| !name.ends_with(".txt"));
        documents.map(str::to_owned).collect()
    }

    pub(crate) async fn goto(&self, of: &str, name: &str) {
        let url = format!("{}/{of}/auto/{name}", self.origin);
        self.browser.goto(&url).await;
    }

    pub(crate) async fn structure(&self) -> String {
        let structure = self.browser.run(STRUCTURE).await.unwrap();
        structure.as_str().unwrap().to_owned()
    }

    /// Looks at a structure with axe, light and dark, narrow and wide. By turns: axe asks of the
    /// one scheme all that it asks, and of the other what depends on colours.
    async fn inspect(&mut self, of: &str, name: &str) {
        // What depends on colours is the same in every language.
        let in_short = !["en/", "ar/"].iter().any(|tag| of.starts_with(tag));
        let colours = ["color-contrast", "link-in-text-block"];
        let all: &[&str] = &[];
        for (scheme, window, rules) in [
            ("light", NARROW, all),
            ("dark", NARROW, &colours),
            ("dark", WIDE, all),
            ("light", WIDE, &colours),
        ] {
            if in_short && (scheme, window) != ("light", NARROW) {
                continue;
            }
            stand_in(&self.browser, scheme, window).await;
            let at = format!("{of} {scheme} {}", window.0);
            self.look(&at, name).await;
            self.axe(&at, name, rules).await;
        }
        stand_in(&self.browser, "light", NARROW).await;
    }

    /// Looks at what can be seen without axe.
    pub(crate) async fn look(&mut self, at: &str, name: &str) {
        let cut = self.browser.run(CUT).await.unwrap();
        let mut found: Vec<String> = serde_json::from_value(cut).unwrap();
        if !name.starts_with("mail") {
            found.extend(faults(&self.browser).await);
        }
        self.note(at, name, found);
    }

    /// Runs axe, which is loaded into the page if it is not there.
    pub(crate) async fn axe(&mut self, at: &str, name: &str, rules: &[&str]) {
        let is_loaded = self.browser.run("return 'axe' in window").await.unwrap();
        if is_loaded == false {
            self.browser.run(&self.axe).await.unwrap();
        }
        let run = json!([rules, name.starts_with("mail")]).to_string();
        let script = AXE.replace("RUN", &run);
        let found = self.browser.run(&script).await.unwrap();
        self.note(at, name, serde_json::from_value(found).unwrap());
    }

    /// Gives the page a window, and as many pixels for each of its own.
    pub(crate) async fn window(&self, width: u32, height: u32, scale: u32) {
        let window = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false,
        });
        self.browser
            .devtools("Emulation.setDeviceMetricsOverride", window)
            .await;
        let script = format!("return innerWidth === {width} && innerHeight === {height}");
        eventually(&script, async || {
            (self.browser.run(&script).await.ok()? == true).then_some(())
        })
        .await;
    }

    pub(crate) fn note(&mut self, at: &str, name: &str, found: Vec<String>) {
        let found = found.into_iter().map(|said| format!("{at} {name}: {said}"));
        self.wrong.extend(found);
    }

    pub(crate) async fn media(&self, media: &str, features: &Value) {
        let wanted = json!({ "media": media, "features": features });
        self.browser
            .devtools("Emulation.setEmulatedMedia", wanted)
            .await;
    }

    pub(crate) fn end(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn axe_finds_nothing_and_nothing_is_cut_in_any_language_scheme_or_width() {
    let mut visit = Visit::begin().await;
    let names = visit.names().await;
    assert!(names.len() > 80, "{names:?}");
    let mut of = ["en", "ar", "de", "es", "fr", "ja", "en-XA"]
        .map(|tag| format!("{tag}/plain"))
        .to_vec();
    of.extend(["en/acme".to_owned(), "ar/acme".to_owned()]);
    stand_in(&visit.browser, "light", NARROW).await;
    for of in of {
        let mut known = HashSet::new();
        for name in &names {
            visit.goto(&of, name).await;
            visit.look(&format!("{of} light 320"), name).await;
            if known.insert(visit.structure().await) {
                visit.inspect(&of, name).await;
            }
            if of.starts_with("en-XA") {
                let plain = visit.browser.run(PLAIN).await.unwrap();
                visit.note(&of, name, serde_json::from_value(plain).unwrap());
            }
        }
        assert!(known.len() > 25, "{of} has {} structures", known.len());
    }
    visit.end();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium, chromedriver and axe-core; run by tests/run"]
async fn the_picture_of_the_readme_is_taken_from_the_gallery() {
    let visit = Visit::begin().await;
    visit.browser.goto(&format!("{}/pages", visit.origin)).await;
    visit.window(1_500, 720, 1).await;
    let taken = picture(&visit.browser).await;
    assert!(taken.len() < 150 * 1_024, "{} bytes", taken.len());
    fs::write(folder().with_file_name("pages.png"), taken).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gallery/pages.png");
    let size = fs::metadata(kept).unwrap().len();
    assert!((10_000..150 * 1_024).contains(&size), "{size} bytes");
}
