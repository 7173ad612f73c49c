//! Settings of the language of pages and mail.

use std::fmt;

use super::Builder;
use crate::{
    error::ConfigError,
    language::{Head, Hook, Languages, Words},
};

/// The settings of the language.
#[derive(Default)]
pub(super) struct Settings {
    tables: Option<Vec<Words>>,
    hook: Option<Hook>,
}

impl Settings {
    pub(super) fn languages(self) -> Result<Languages, ConfigError> {
        Languages::new(self.tables, self.hook)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

/// # Language
///
/// What language people read.
impl Builder {
    /// Sets the languages of the pages and of the layer's own mail, the default first. Default:
    /// English alone.
    ///
    /// `Accept-Language` chooses among them: each of the browser's ranges is looked up, the most
    /// wanted first, and made shorter until it is the tag of a table (RFC 4647, section 3.4). So
    /// `de-AT` gets `de`, but `pt` does not get `pt-BR`. A browser that names none of them gets the
    /// first that it does not exclude: of `en` and `de`, `en;q=0` gets `de`. `*` has no effect.
    /// Each page states its language in `<html lang>`, and with this setting in `Content-Language`.
    ///
    /// The mail is in the language of the browser that asked for it. A browser that opens the link
    /// has pages in its own.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// use tower_magic_link::language::Words;
    ///
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = || MagicLinkLayer::builder(StubProvider::new(), keys.clone())
    /// #     .public_url("https://app.example.com");
    /// // A German application, which speaks French and English, too.
    /// let tables = [Words::german(), Words::french(), Words::english()];
    /// let layer = builder().languages(tables).build()?;
    ///
    /// let error = builder().languages([Words::german(), Words::german()]).build().unwrap_err();
    /// let want = "languages \"de\" has two tables: name each language once";
    /// assert_eq!(error.to_string(), want);
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn languages(mut self, tables: impl IntoIterator<Item = Words>) -> Self {
        self.language.tables = Some(tables.into_iter().collect());
        self
    }

    /// Sets a hook that may choose the language of a request, by its tag: by a cookie of the
    /// application, or a prefix of the path. Default: none.
    ///
    /// The tag is looked up as one of `Accept-Language` is. If the hook returns `None`, or a
    /// language that has no table, `Accept-Language` chooses. A tag without a table still reaches
    /// the application's own mailer ([`Mail::language`](crate::mailer::Mail::language)).
    ///
    /// The layer calls it for each page and mail. With [`Builder::end_streams`] it also calls it
    /// once for each request with a session on a protected path, because it may have to refuse that
    /// request after the inner service has taken it. It calls it for no other request that it
    /// forwards. The hook must not wait for anything. If it panics, `Accept-Language` chooses, and
    /// the log says so.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// use tower_magic_link::language::Words;
    ///
    /// # let keys = KeyRing::new(SigningKey::generate()?);
    /// # let builder = MagicLinkLayer::builder(StubProvider::new(), keys)
    /// #     .public_url("https://app.example.com");
    /// let layer = builder
    ///     .languages([Words::english(), Words::german()])
    ///     .language(|head| head.cookie("language").map(str::to_owned))
    ///     .build()?;
    /// # Ok::<(), tower_magic_link::ConfigError>(())
    /// ```
    pub fn language(
        mut self,
        hook: impl Fn(&Head<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.language.hook = Some(Box::new(hook));
        self
    }
}
