//! A language, a look and a colour scheme, and what each name shows in them.

use tower_magic_link::{
    ConfigError,
    language::Words,
    page::{DefaultPages, Pages},
};

use crate::{mails, states};

const LOGO: &str = "<svg viewBox=\"0 0 106 40\" fill=\"currentColor\"><circle cx=\"20\" cy=\"20\" \
    r=\"18\" fill=\"#e65100\"/><path d=\"M12 28 20 10l8 18h-5l-3-8-3 8z\" fill=\"#ffffff\"/>\
    <path d=\"M50 10h56v8H50zm0 12h36v8H50z\"/></svg>";

/// Whose choice between light and dark counts, by the name in an address.
pub(crate) const SCHEMES: [&str; 3] = ["auto", "light", "dark"];

/// All that there is to choose from.
pub(crate) struct Gallery {
    pub(crate) languages: Vec<Words>,
    pub(crate) looks: [(&'static str, DefaultPages); 3],
}

/// One of each.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'g> {
    pub(crate) words: &'g Words,
    pub(crate) look: &'static str,
    pub(crate) pages: &'g DefaultPages,
    pub(crate) scheme: &'static str,
}

impl Gallery {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let mut languages = Words::all();
        languages.push(pseudo()?);
        let plain = DefaultPages::new();
        let named = plain.clone().application_name("Acme Reports");
        let acme = (named.clone().accent("#e65100")?)
            .logo(LOGO, "Acme")?
            .support("help@example.com")?;
        let looks = [("plain", plain), ("named", named), ("acme", acme)];
        Ok(Self { languages, looks })
    }

    /// Returns the choice that the first three parts of an address name.
    pub(crate) fn choice(&self, of: &(String, String, String)) -> Option<Choice<'_>> {
        let (language, look, scheme) = of;
        let (look, pages) = self.looks.iter().find(|(name, _)| name == look)?;
        Some(Choice {
            words: self
                .languages
                .iter()
                .find(|words| words.tag() == language)?,
            look,
            pages,
            scheme: SCHEMES.into_iter().find(|name| name == scheme)?,
        })
    }
}

impl Choice<'_> {
    /// Returns the address of what has this name.
    pub(crate) fn to(&self, name: &str) -> String {
        let (tag, look, scheme) = (self.words.tag(), self.look, self.scheme);
        format!("/{tag}/{look}/{scheme}/{name}")
    }

    /// Returns the name of the application, as the mail has it.
    pub(crate) fn application(&self) -> Option<&'static str> {
        (self.look != "plain").then_some("Acme Reports")
    }

    /// Returns the names of all that is shown: pages, then mails.
    pub(crate) fn names(&self) -> Vec<String> {
        let links = states::Links::of(self);
        let pages = states::states(&links, self.words).into_iter();
        pages.map(|(name, _)| name).chain(mails::names()).collect()
    }

    /// Returns the type of what has this name, and the thing itself.
    pub(crate) fn shown(&self, name: &str) -> Option<(&'static str, String)> {
        const HTML: &str = "text/html; charset=utf-8";
        if name.ends_with(".txt") {
            return Some(("text/plain; charset=utf-8", mails::shown(self, name)?));
        }
        if let Some(mail) = mails::shown(self, name) {
            return Some((HTML, self.in_scheme(mail)));
        }
        let links = states::Links::of(self);
        let mut states = states::states(&links, self.words).into_iter();
        let (_, page) = states.find(|(of, _)| of == name)?;
        Some((HTML, self.in_scheme(self.pages.render(&page))))
    }

    /// Makes a document light or dark whatever the browser prefers: by its condition, which the
    /// layer leaves to the browser.
    fn in_scheme(&self, html: String) -> String {
        let condition = match self.scheme {
            "light" => "not all",
            "dark" => "all",
            _ => return html,
        };
        html.replace("(prefers-color-scheme: dark)", condition)
            .replace(
                "color-scheme: light dark",
                &format!("color-scheme: {}", self.scheme),
            )
            .replace(
                "content=\"light dark\"",
                &format!("content=\"{}\"", self.scheme),
            )
    }
}

/// Returns a language that nobody speaks: English with accents, and two fifths longer, as German
/// often is. A text that stays plain is not from a table, and what has too little room shows.
fn pseudo() -> Result<Words, ConfigError> {
    let lines = Words::TABLE
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((name, text)) if !line.starts_with('#') && name != "direction" => {
                let length = text.chars().count();
                let more: Vec<_> = (0..length * 2 / 5).step_by(5).map(|_| "ñôþé").collect();
                format!("{name} = [{} {}]\n", accented(text), more.join(" "))
            }
            _ => format!("{line}\n"),
        });
    Words::new("en-XA", lines.collect::<String>())
}

/// Gives each letter an accent, except in the names of places that are filled in.
fn accented(text: &str) -> String {
    const PLAIN: &str = "abcdefghijklmnoprstuvwyzABCDEFGHIJKLMNOPRSTUVWYZ";
    const ACCENTED: &str = "áƀçðéƒĝĥîĵķļɱñôþŕšţûṽŵýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÔÞŔŠŢÛṼŴÝŽ";
    let mut in_place = false;
    let accent = |c: char| {
        in_place = (in_place || c == '{') && c != '}';
        let pair = PLAIN
            .chars()
            .zip(ACCENTED.chars())
            .find(|(plain, _)| *plain == c);
        pair.filter(|_| !in_place)
            .map_or(c, |(_, accented)| accented)
    };
    text.chars().map(accent).collect()
}
