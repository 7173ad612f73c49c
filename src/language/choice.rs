//! `Languages`: the tables of a layer, and which of them a request gets.
//!
//! 1. The application's hook, if there is one, and if it names a language that has a table.
//! 2. `Accept-Language`.
//! 3. The first table.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use http::{Extensions, HeaderMap, Uri};

use super::{
    Words,
    accept::{lookup, preferred, table_for, tag},
};
use crate::{error::ConfigError, request::head::RequestHead};

/// The head of a request, for the hook of [`Builder::language`](crate::Builder::language).
///
/// ```
/// use tower_magic_link::language::Head;
///
/// /// The choice that a person has made in the application, or else the prefix of the path.
/// fn language(head: &Head<'_>) -> Option<String> {
///     let chosen = head.cookie("language").map(str::to_owned);
///     chosen.or_else(|| head.uri().path().starts_with("/de/").then(|| "de".to_owned()))
/// }
///
/// let request = http::Request::get("/reports").header("cookie", "language=fr").body(()).unwrap();
/// assert_eq!(language(&Head::of(&request)).as_deref(), Some("fr"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head<'r>(RequestHead<'r>);

impl<'r> Head<'r> {
    /// Returns the head of a request. The layer makes them; an application makes one to test its
    /// hook.
    #[must_use]
    pub fn of<B>(request: &'r http::Request<B>) -> Self {
        Self(RequestHead::of(request))
    }

    /// Returns the address that the browser asks for. At an endpoint of the layer's it is that of
    /// the endpoint.
    #[must_use]
    pub fn uri(&self) -> &'r Uri {
        self.0.original_uri()
    }

    /// Returns the request's header fields.
    #[must_use]
    pub fn headers(&self) -> &'r HeaderMap {
        self.0.headers()
    }

    /// Returns what the layers before this one, and the host, have kept with the request.
    #[must_use]
    pub fn extensions(&self) -> &'r Extensions {
        self.0.extensions()
    }

    /// Returns the value of a cookie, as it was sent. `None` if there are several with different
    /// values.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&'r str> {
        self.0.cookie(name).one()
    }
}

/// The application's own choice of a language.
pub(crate) type Hook = Box<dyn Fn(&Head<'_>) -> Option<String> + Send + Sync>;

/// The tables of a layer.
pub(crate) struct Languages {
    /// At least one.
    tables: Vec<Words>,
    hook: Option<Hook>,
    stating: Stating,
}

/// Whether a page's head says which language it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stating {
    Said,
    /// The application has set no language, and its own pages may be in any.
    Unsaid,
}

/// What the application's hook has said of a request that is gone, in the extensions of what is
/// kept of it.
#[derive(Clone, Debug)]
pub(crate) struct Told(Option<String>);

/// The language of one request.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) words: Words,
    /// The tag that the person prefers, which may be another than that of the table.
    pub(crate) tag: Option<String>,
}

impl Languages {
    /// Takes the tables that an application has set, the default first. Without any it is English.
    pub(crate) fn new(tables: Option<Vec<Words>>, hook: Option<Hook>) -> Result<Self, ConfigError> {
        let stating = match tables {
            Some(_) => Stating::Said,
            None => Stating::Unsaid,
        };
        let tables = tables.unwrap_or_else(|| vec![Words::english()]);
        if tables.is_empty() {
            let problem = "names no language: the first is the default";
            return Err(ConfigError::invalid("languages", "", problem));
        }
        let tags: Vec<_> = tables.iter().map(Words::tag).collect();
        let mut twice = tags.iter().enumerate();
        let twice = twice.find(|(at, tag)| tags.iter().take(*at).any(|other| other == *tag));
        if let Some((_, tag)) = twice {
            let problem = "has two tables: name each language once";
            return Err(ConfigError::invalid("languages", *tag, problem));
        }
        Ok(Self {
            tables,
            hook,
            stating,
        })
    }

    /// Returns the language of a page.
    pub(crate) fn words(&self, head: &RequestHead<'_>) -> &Words {
        let said = self.said(head);
        self.words_by(said.as_deref(), head)
    }

    /// Returns the language of a mail, too, which is written when the request is gone.
    pub(crate) fn choose(&self, head: &RequestHead<'_>) -> Chosen {
        let said = self.said(head);
        let words = self.words_by(said.as_deref(), head).clone();
        let said = said.filter(|said| tag(said.as_bytes()).is_some());
        Chosen {
            words,
            tag: said.or_else(|| preferred(head.headers()).map(str::to_owned)),
        }
    }

    /// Returns the tag that the head of a page states.
    pub(crate) fn stated<'w>(&self, words: &'w Words) -> Option<&'w str> {
        (self.stating == Stating::Said).then(|| words.tag())
    }

    /// Asks the hook now, for a refusal when the request is gone. `None` without a hook.
    pub(crate) fn told(&self, head: &RequestHead<'_>) -> Option<Told> {
        self.hook.as_ref().map(|_| Told(self.said(head)))
    }

    fn said(&self, head: &RequestHead<'_>) -> Option<String> {
        if let Some(Told(said)) = head.extensions().get() {
            return said.clone();
        }
        let hook = self.hook.as_ref()?;
        // A page in another language is better than none.
        let said = catch_unwind(AssertUnwindSafe(|| hook(&Head(*head))));
        said.unwrap_or_else(|_| {
            tracing::error!(target: "tower_magic_link", "the hook for the language panicked");
            None
        })
    }

    fn words_by(&self, said: Option<&str>, head: &RequestHead<'_>) -> &Words {
        let said = said.and_then(|said| lookup(said, &self.tables, |_| true));
        let found = said.or_else(|| match self.tables.as_slice() {
            [only] => Some(only),
            tables => table_for(head.headers(), tables),
        });
        match found.or(self.tables.first()) {
            Some(words) => words,
            None => super::default_words(),
        }
    }
}

impl fmt::Debug for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.tables).finish()
    }
}
