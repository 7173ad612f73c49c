//! The sources that the layer's pages may load, and the response headers that enforce them.
//!
//! - Nothing loads unless [`PageSources`] names it. Inline text loads only by its hash, never by
//!   `'unsafe-…'`.
//! - Forms post to the layer's own origin. If a form's answer redirects to another origin, the
//!   policy must name that one too: Chromium and WebKit apply `form-action` to redirects
//!   (w3c/webappsec-csp#8).
//! - No page can be cached, or sends its address as a referrer. No page can be framed but the
//!   refusal of what a frame asked for, by a page of our own origin: it has a link and no form.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use sha2::{Digest, Sha256};

use crate::error::ConfigError;

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

/// Where a page's styles, images, scripts and fonts come from, as in a `Content-Security-Policy`
/// (CSP level 3).
///
/// A source is written as in the header: `'self'`, `https://cdn.example.com`, `'sha256-…'`. When
/// the layer is built, it refuses every `'unsafe-…'` keyword, a nonce (it would be the same in
/// every response), a keyword or hash without its single quotes, and anything but visible ASCII
/// without `;` and `,`.
///
/// A source that begins with one `/`, such as `/static/logo.svg`, is that path of
/// [`Builder::public_url`](crate::Builder::public_url).
///
/// ```
/// use tower_magic_link::page::PageSources;
///
/// let sources = PageSources::new()
///     .inline_style("h1 { color: teal }")
///     .image("https://cdn.example.com")
///     .font("'self'");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct PageSources {
    styles: Vec<String>,
    images: Vec<String>,
    scripts: Vec<String>,
    fonts: Vec<String>,
    forms: Vec<String>,
}

impl PageSources {
    /// Makes an empty list.
    pub const fn new() -> Self {
        Self {
            styles: Vec::new(),
            images: Vec::new(),
            scripts: Vec::new(),
            fonts: Vec::new(),
            forms: Vec::new(),
        }
    }

    /// Adds a source of style sheets.
    pub fn style(mut self, source: impl Into<String>) -> Self {
        self.styles.push(source.into());
        self
    }

    /// Adds a `<style>` element by the hash of the text between its tags.
    pub fn inline_style(self, text: &str) -> Self {
        self.style(hash_source(text))
    }

    /// Adds a source of images.
    pub fn image(mut self, source: impl Into<String>) -> Self {
        self.images.push(source.into());
        self
    }

    /// Adds a source of scripts.
    pub fn script(mut self, source: impl Into<String>) -> Self {
        self.scripts.push(source.into());
        self
    }

    /// Adds a `<script>` element by the hash of the text between its tags.
    pub fn inline_script(self, text: &str) -> Self {
        self.script(hash_source(text))
    }

    /// Adds a source of fonts.
    pub fn font(mut self, source: impl Into<String>) -> Self {
        self.fonts.push(source.into());
        self
    }

    /// Adds an origin to which the application itself redirects people after they sign in.
    ///
    /// Chromium and WebKit apply the policy to every redirect after a form. Without this origin
    /// they stay at the form.
    pub fn form_target(mut self, origin: impl Into<String>) -> Self {
        self.forms.push(origin.into());
        self
    }

    /// Returns the sources with each path at this origin, since a policy knows no path without one.
    pub(crate) fn at(mut self, origin: &str) -> Self {
        let Self {
            styles,
            images,
            scripts,
            fonts,
            forms: _,
        } = &mut self;
        for source in [styles, images, scripts, fonts].into_iter().flatten() {
            if source.starts_with('/') && !source.starts_with("//") {
                source.insert_str(0, origin);
            }
        }
        self
    }
}

/// The directive for the targets of the pages' forms.
const FORM_ACTION: &str = "form-action 'self'";

/// The directive for the pages that may frame a page.
const FRAME_ANCESTORS: &str = "frame-ancestors 'none'";

/// The response headers of every page, composed once.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    content_security: HeaderValue,
}

impl Policy {
    /// Composes the headers of pages with these sources.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] with the source that the policy cannot contain.
    pub(crate) fn new(sources: &PageSources) -> Result<Self, ConfigError> {
        let mut policy = String::from("default-src 'none'");
        // A directive without a source is left out: `default-src 'none'` covers it.
        let directives = [
            ("style-src", &sources.styles),
            ("img-src", &sources.images),
            ("script-src", &sources.scripts),
            ("font-src", &sources.fonts),
        ];
        for (directive, sources) in directives {
            if sources.is_empty() {
                continue;
            }
            policy.push_str("; ");
            policy.push_str(directive);
            for source in sources {
                policy.push(' ');
                policy.push_str(checked("pages", source)?);
            }
        }
        policy.push_str("; ");
        policy.push_str(FORM_ACTION);
        for target in &sources.forms {
            policy.push(' ');
            policy.push_str(checked("pages", target)?);
        }
        // `default-src` covers neither: they guard against clickjacking and an injected `<base>`.
        policy.push_str("; ");
        policy.push_str(FRAME_ANCESTORS);
        policy.push_str("; base-uri 'none'");
        let content_security = HeaderValue::try_from(policy.as_str())
            .map_err(|_| ConfigError::invalid("pages", policy, "is not a header value"))?;
        Ok(Self { content_security })
    }

    /// Returns the same headers, for a page whose form may lead to one more origin.
    pub(crate) fn leading_to(&self, origin: &str) -> Result<Self, ConfigError> {
        let policy = self.content_security.to_str().unwrap_or_default();
        let origin = checked("form_origin", origin)?;
        let wider = format!("{FORM_ACTION} {origin}");
        // Widened for this response alone: the other pages' forms lead nowhere else.
        let policy = policy.replacen(FORM_ACTION, &wider, 1);
        let content_security = HeaderValue::try_from(policy.as_str())
            .map_err(|_| ConfigError::invalid("form_origin", policy, "is not a header value"))?;
        Ok(Self { content_security })
    }

    /// Returns the same headers, for a page that a frame of our own origin may show.
    pub(crate) fn in_own_frame(&self) -> Self {
        let policy = self.content_security.to_str().unwrap_or_default();
        let policy = policy.replacen(FRAME_ANCESTORS, "frame-ancestors 'self'", 1);
        let content_security = HeaderValue::try_from(policy);
        Self {
            content_security: content_security.unwrap_or(self.content_security.clone()),
        }
    }

    /// Writes the headers, in place of any that are there.
    pub(crate) fn write_to(&self, headers: &mut HeaderMap) {
        let fixed = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(CONTENT_SECURITY_POLICY, self.content_security.clone());
    }
}

/// Returns the CSP source of an inline element with this text.
fn hash_source(text: &str) -> String {
    // A browser hashes the parsed text, and its parser turns CRLF into LF (HTML, section 13.2.3.5).
    // So text from a checkout with CRLF would never match.
    let text: Cow<'_, str> = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    };
    format!(
        "'sha256-{}'",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

fn checked<'a>(setting: &'static str, source: &'a str) -> Result<&'a str, ConfigError> {
    let refuse = |problem| Err(ConfigError::invalid(setting, source, problem));
    if source.is_empty()
        || !source
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b";,".contains(&b))
    {
        return refuse("is not one CSP source: visible ASCII without ; and ,");
    }
    let lower = source.to_ascii_lowercase();
    // With `'unsafe-inline'`, one forgotten escape in an application's own page would run as a
    // script.
    if lower.starts_with('\'') && lower.contains("unsafe-") {
        return refuse("would let injected text run; name inline text by its hash");
    }
    if lower.starts_with("'nonce-") {
        // A nonce has to be fresh in every response, and this policy is made once.
        return refuse("would be the same in every response; name inline text by its hash");
    }
    let is_keyword = ["self", "none", "unsafe-inline", "unsafe-eval"].contains(&lower.as_str())
        || ["sha256-", "sha384-", "sha512-", "nonce-"]
            .iter()
            .any(|kind| lower.starts_with(kind));
    if is_keyword {
        return refuse("must be in single quotes");
    }
    Ok(source)
}

#[cfg(test)]
mod tests;
