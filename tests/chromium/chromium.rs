//! A browser of its own: one profile of a headless Chromium.

use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::{
    By, CapabilitiesHelper, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel,
    PageLoadStrategy, TypingData, WebDriver, WindowHandle, error::WebDriverResult,
};

use crate::{
    driver::Driver,
    site::{APP, Sites},
    wait::{eventually, in_time},
};

/// How a browser is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// It keeps no cookie.
    CookiesBlocked,
    /// Its driver waits for no page, so that more can be done while one is on its way.
    Hasty,
    /// It keeps no living pages for Back.
    NoBackForwardCache,
    Usual,
}

/// A headless Chromium with a fresh profile. It ends with the chromedriver that started it.
pub(crate) struct Chromium {
    driver: WebDriver,
}

impl Chromium {
    pub(crate) async fn open(driver: &Driver, sites: &Sites, setup: Setup) -> Self {
        let mut capabilities = DesiredCapabilities::chrome();
        let profile = driver.fresh_profile();
        for argument in [
            "--headless=new",
            // Root, which builds in containers run as, has no sandbox; and /dev/shm is small there.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            // Whatever it asks for, it is this machine that answers.
            &format!(
                "--host-resolver-rules=MAP * 127.0.0.1:{}, EXCLUDE 127.0.0.1",
                sites.port
            ),
            &format!(
                "--ignore-certificate-errors-spki-list={}",
                sites.fingerprint
            ),
            &format!("--user-data-dir={}", profile.display()),
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        if setup == Setup::Hasty {
            capabilities
                .set_page_load_strategy(PageLoadStrategy::None)
                .unwrap();
        }
        if setup == Setup::NoBackForwardCache {
            let without = "--disable-features=BackForwardCache";
            capabilities.add_arg(without).unwrap();
        }
        if setup == Setup::CookiesBlocked {
            let settings = json!({ "profile.default_content_setting_values.cookies": 2 });
            capabilities
                .add_experimental_option("prefs", settings)
                .unwrap();
        }
        capabilities
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .unwrap();
        let driver = WebDriver::new(driver.url(), capabilities).await.unwrap();
        Self { driver }
    }

    /// Goes to an address, or to a path of the application, as if it had been typed.
    pub(crate) async fn goto(&self, url: &str) {
        let url = absolute(url);
        self.driver.goto(&url).await.unwrap();
    }

    /// Waits until the browser is at an address, or at a path of the application.
    pub(crate) async fn arrives(&self, url: &str) {
        let url = absolute(url);
        let there = in_time(async || self.url().await.filter(|now| *now == url)).await;
        assert!(there.is_some(), "{url}: {}", self.state().await);
    }

    /// Waits until the page's heading is this one.
    pub(crate) async fn shows(&self, heading: &str) {
        let there = in_time(async || self.text("h1").await.filter(|now| now == heading)).await;
        assert!(there.is_some(), "{heading:?}: {}", self.state().await);
    }

    /// Types into the field of this name, over what is there.
    pub(crate) async fn fill(&self, field: &str, text: &str) {
        let what = format!("the field {field:?}");
        eventually(&what, async || {
            let field = self.driver.find(By::Name(field)).await.ok()?;
            field.clear().await.ok()?;
            field.send_keys(TypingData::from(text)).await.ok()
        })
        .await;
    }

    /// Presses the button, or follows the link, with this label.
    pub(crate) async fn press(&self, label: &str) {
        let button = format!("//*[self::button or self::a][normalize-space()='{label}']");
        eventually(&format!("the button {label:?}"), async || {
            let button = self.driver.find(By::XPath(&*button)).await.ok()?;
            button.click().await.ok()
        })
        .await;
    }

    /// Presses the first form's button.
    pub(crate) async fn submit(&self) {
        eventually("the form's button", async || {
            let button = self.driver.find(By::Css("form button")).await.ok()?;
            button.click().await.ok()
        })
        .await;
    }

    /// Types into the field of this name, sends it, and waits for the page that comes of it, which
    /// may look the same.
    pub(crate) async fn answer(&self, field: &str, text: &str) {
        self.fill(field, text).await;
        self.run("window.isOld = true").await.unwrap();
        self.submit().await;
        self.is_new("the answer").await;
    }

    /// Waits until the page is another one than that of which a script has said `window.isOld`.
    pub(crate) async fn is_new(&self, what: &str) {
        let script = "return !window.isOld && document.readyState === 'complete'";
        eventually(what, async || {
            (self.run(script).await.ok()? == true).then_some(())
        })
        .await;
    }

    /// Returns the middle of the first element that a selector finds: across and down.
    pub(crate) async fn place(&self, selector: &str) -> Value {
        let script = format!(
            "const {{ x, y, width, height }} = document.querySelector({selector:?}).getBoundingClientRect();
             return [x + width / 2, y + height / 2];"
        );
        self.run(&script).await.unwrap()
    }

    /// Clicks on a place, and waits for nothing that comes of it.
    pub(crate) async fn click(&self, place: &Value) {
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.devtools("Input.dispatchMouseEvent", click).await;
        }
    }

    /// Clicks twice on a button, and waits for the page that comes of it, which may look the same.
    pub(crate) async fn send_twice(&self, button: &str) {
        self.run("window.isOld = true").await.unwrap();
        self.click_twice(button).await;
        self.is_new("what two clicks lead to").await;
    }

    /// Clicks twice on the first element that a selector finds, as fast as a mouse can.
    pub(crate) async fn click_twice(&self, selector: &str) {
        let element = self.driver.find(By::Css(selector)).await.unwrap();
        let at_once = Some(Duration::ZERO);
        let clicks = self.driver.action_chain_with_delay(at_once, at_once);
        clicks
            .double_click_element(&element)
            .perform()
            .await
            .unwrap();
    }

    /// Presses every button and follows every link of a page, as a robot does, and returns how many
    /// there were. Fields are left as they are, or all filled with a text. Each press has its
    /// consequence before the next: one that is called off is none.
    pub(crate) async fn press_everything(&self, url: &str, text: Option<&str>) -> usize {
        let mut pressed = 0;
        loop {
            self.goto(url).await;
            let buttons = self.driver.find_all(By::Css("button, a[href]")).await;
            let buttons = buttons.unwrap();
            let Some(button) = buttons.get(pressed) else {
                return pressed;
            };
            if let Some(text) = text {
                let fields = self.driver.find_all(By::Css("input:not([type=hidden])"));
                for field in fields.await.unwrap() {
                    field.send_keys(TypingData::from(text)).await.unwrap();
                }
            }
            // What the browser itself finds wrong with a form it does not send.
            let script = format!(
                "window.isOld = true;
                 const {{ form }} = document.querySelectorAll('button, a[href]')[{pressed}];
                 return !form || form.checkValidity();"
            );
            let leads_on = self.run(&script).await.unwrap();
            button.click().await.unwrap();
            if leads_on == true {
                self.is_new("what a press leads to").await;
            }
            pressed += 1;
        }
    }

    /// Presses the browser's own button: one page back.
    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Presses the browser's own button: one page forward.
    pub(crate) async fn forward(&self) {
        self.driver.forward().await.unwrap();
    }

    /// Presses the browser's own button: the same once more, by POST too.
    pub(crate) async fn reload(&self) {
        self.run("window.isOld = true").await.unwrap();
        self.driver.refresh().await.unwrap();
        self.is_new("the page once more").await;
    }

    /// Opens a tab beside the one that is open, and goes on in it.
    pub(crate) async fn open_tab(&self) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
    }

    /// Returns the open tabs, oldest first.
    pub(crate) async fn tabs(&self) -> Vec<WindowHandle> {
        self.driver.windows().await.unwrap()
    }

    /// Goes on in another tab.
    pub(crate) async fn look_at(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
    }

    /// Returns where the browser is.
    pub(crate) async fn url(&self) -> Option<String> {
        let url = self.driver.current_url().await.ok()?;
        Some(url.into())
    }

    /// Returns the text of the first element that a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> Option<String> {
        let element = self.driver.find(By::Css(selector)).await.ok()?;
        element.text().await.ok()
    }

    /// Runs a script in the page, and returns what it returns.
    pub(crate) async fn run(&self, script: &str) -> WebDriverResult<Value> {
        let returned = self.driver.execute(script, Vec::new()).await?;
        Ok(returned.json().clone())
    }

    /// Runs a script that leads to another address, and only where the browser is now: if the page
    /// changes before it has answered, ChromeDriver runs a script once more, in the next page.
    pub(crate) async fn leave(&self, script: &str) {
        let here = self.url().await.unwrap();
        let script = format!("if (location.href === {here:?}) {{ {script} }}");
        self.run(&script).await.unwrap();
    }

    /// Sends a command of the DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Returns every cookie in the jar, of any site, as DevTools' `Network.Cookie`.
    pub(crate) async fn jar(&self) -> Vec<Value> {
        let mut answer = self.devtools("Network.getAllCookies", json!({})).await;
        serde_json::from_value(answer["cookies"].take()).unwrap()
    }

    /// Returns a cookie of the jar by its name.
    pub(crate) async fn cookie(&self, name: &str) -> Option<Value> {
        let jar = self.jar().await;
        jar.into_iter().find(|cookie| cookie["name"] == name)
    }

    /// Takes a cookie of the application out of the jar.
    pub(crate) async fn forget_cookie(&self, name: &str) {
        let cookie = json!({ "name": name, "url": APP });
        self.devtools("Network.deleteCookies", cookie).await;
    }

    /// Empties the jar.
    pub(crate) async fn forget(&self) {
        self.devtools("Network.clearBrowserCookies", json!({}))
            .await;
    }

    /// Returns what the console has said since the last time: violations of a policy, errors of
    /// scripts, warnings.
    ///
    /// That a page or a picture was answered with a status of 400 and more is no complaint about
    /// the page.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        log.into_iter()
            .map(|entry| entry.message)
            .filter(|message| !message.contains("the server responded with a status of"))
            .collect()
    }

    /// Says what the browser shows instead of what a test waited for.
    async fn state(&self) -> String {
        let (url, heading) = (self.url().await, self.text("h1").await);
        format!("{url:?} {heading:?} {:?}", self.complaints().await)
    }

    /// Asserts that nothing that was shown since the last time made the browser complain.
    pub(crate) async fn is_content(&self) {
        assert_eq!(self.complaints().await, Vec::<String>::new());
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends it: no request that a test waits for, also when the test fails.
        let _ = self.driver.clone().leak();
    }
}

fn absolute(url: &str) -> String {
    if url.starts_with('/') {
        format!("{APP}{url}")
    } else {
        url.to_owned()
    }
}
