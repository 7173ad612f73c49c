//! What people see: the pages, and the languages of pages and mails.

use super::{error::SettingsError, value::shown, whole::Settings};
use crate::{builder::Builder, error::ConfigError, language::Words, page::DefaultPages};

impl Settings {
    pub(super) fn pages(&self) -> Result<Option<DefaultPages>, SettingsError> {
        let (support, accent) = (self.word("page_support"), self.word("page_accent"));
        let (logo, stylesheet) = (self.word("page_logo"), self.word("page_stylesheet"));
        if [support, accent, logo, stylesheet]
            .iter()
            .all(Option::is_none)
        {
            return Ok(None);
        }
        let name = self.word("application_name");
        let alt = match (logo, name) {
            (Some(_), None) => {
                let problem = "needs application_name, which is its alternative text";
                return Err(self.refused("page_logo", problem));
            }
            (_, name) => name.unwrap_or_default(),
        };
        // By itself, so that an error of the text names its own key and not the logo's.
        if logo.is_some() && DefaultPages::new().logo("/logo.svg", alt).is_err() {
            let expected = "must be 1 to 80 characters, without control characters";
            let problem = format!("{} {expected}", shown(alt));
            return Err(self.refused("application_name", &problem));
        }
        let made = || {
            let mut pages = DefaultPages::new();
            if let Some(name) = name {
                pages = pages.application_name(name);
            }
            if let Some(support) = support {
                pages = pages.support(support)?;
            }
            if let Some(accent) = accent {
                pages = pages.accent(accent)?;
            }
            if let Some(logo) = logo {
                pages = pages.logo(logo, alt)?;
            }
            if let Some(stylesheet) = stylesheet {
                pages = pages.stylesheet(stylesheet)?;
            }
            Ok(pages)
        };
        made()
            .map(Some)
            .map_err(|error: ConfigError| self.named("page_", &error))
    }

    pub(super) fn with_languages(&self, builder: Builder) -> Result<Builder, SettingsError> {
        let tags = self.list("languages");
        if !self.set.contains_key("languages") {
            return Ok(builder);
        }
        let shipped = Words::all();
        let words_of = |tag: &String| {
            let mut shipped = shipped.iter();
            let found = shipped.find(|words| words.tag().eq_ignore_ascii_case(tag));
            found.cloned().ok_or_else(|| {
                let tags: Vec<_> = Words::all().iter().map(|w| w.tag().to_owned()).collect();
                let problem = format!("{} is not shipped: use {}", shown(tag), tags.join(", "));
                self.refused("languages", &problem)
            })
        };
        let words = tags.iter().map(words_of).collect::<Result<Vec<_>, _>>()?;
        Ok(builder.languages(words))
    }
}
