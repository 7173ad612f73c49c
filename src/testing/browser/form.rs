//! The forms of a page, read as far as the layer's own pages need it: inputs and buttons inside of
//! a `form`.

use std::fmt;

use url::form_urlencoded;

use self::html::{Tag, tags};

mod html;

/// A form of a page.
pub(super) struct Form {
    action: String,
    is_post: bool,
    /// In the order of the page.
    controls: Vec<Control>,
}

struct Control {
    kind: Kind,
    is_required: bool,
    name: String,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Button,
    Hidden,
    Text,
    Tick { is_on: bool },
}

/// Returns the forms of a page, in its order.
pub(super) fn forms_of(html: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut open: Option<Form> = None;
    for tag in tags(html) {
        match (tag.name(), tag.is_closing(), &mut open) {
            // A form inside of another one is ignored, as the HTML parser does.
            ("form", false, None) => open = Some(Form::of(&tag)),
            ("form", true, _) => forms.extend(open.take()),
            (_, false, Some(form)) => form.controls.extend(Control::of(&tag)),
            _ => {}
        }
    }
    forms.extend(open);
    forms
}

impl Form {
    fn of(tag: &Tag) -> Self {
        let method = tag.attribute("method").unwrap_or_default();
        Self {
            action: tag.attribute("action").unwrap_or_default().to_owned(),
            is_post: method.eq_ignore_ascii_case("post"),
            controls: Vec::new(),
        }
    }

    /// Returns where the form is sent. An empty text is the address of the page.
    pub(super) fn action(&self) -> &str {
        &self.action
    }

    pub(super) const fn is_post(&self) -> bool {
        self.is_post
    }

    /// Returns the body that a person sends who filled in these fields, or `None` if the form lacks
    /// one of them or requires more.
    pub(super) fn filled(&self, given: &[(&str, &str)]) -> Option<String> {
        let is_taken = |field: &&(&str, &str)| self.controls.iter().any(|own| own.takes(field));
        if given.iter().filter(is_taken).count() < given.len() {
            return None;
        }
        let mut body = form_urlencoded::Serializer::new(String::new());
        for control in &self.controls {
            let new = given.iter().find(|field| control.takes(field));
            let value = match (control.kind, new) {
                // A person cannot change a hidden field, and a test must not either.
                (Kind::Hidden, _) | (Kind::Text, None) | (Kind::Tick { is_on: true }, None) => {
                    control.value.as_str()
                }
                (_, Some((_, value))) => *value,
                (Kind::Button | Kind::Tick { .. }, None) => continue,
            };
            if control.is_required && value.is_empty() {
                return None;
            }
            body.append_pair(&control.name, value);
        }
        Some(body.finish())
    }
}

impl Control {
    fn of(tag: &Tag) -> Option<Self> {
        let kind = tag.attribute("type").unwrap_or_default();
        let kind = match (tag.name(), kind.to_ascii_lowercase().as_str()) {
            ("button", "button" | "reset") | ("input", "button" | "reset" | "image" | "file") => {
                return None;
            }
            ("button", _) | ("input", "submit") => Kind::Button,
            ("input", "hidden") => Kind::Hidden,
            ("input", "checkbox" | "radio") => Kind::Tick {
                is_on: tag.attribute("checked").is_some(),
            },
            ("input", _) => Kind::Text,
            _ => return None,
        };
        let default = if matches!(kind, Kind::Tick { .. }) {
            "on"
        } else {
            ""
        };
        let control = Self {
            kind,
            is_required: kind == Kind::Text && tag.attribute("required").is_some(),
            name: tag.attribute("name").unwrap_or_default().to_owned(),
            value: tag.attribute("value").unwrap_or(default).to_owned(),
        };
        let is_sent = !control.name.is_empty() && tag.attribute("disabled").is_none();
        is_sent.then_some(control)
    }

    /// Says whether a person can give the control this value.
    fn takes(&self, (name, value): &(&str, &str)) -> bool {
        let is_free = match self.kind {
            Kind::Hidden => return false,
            Kind::Text => true,
            Kind::Button | Kind::Tick { .. } => false,
        };
        self.name == *name && (is_free || self.value == *value)
    }
}

/// Prints the names of the fields, and no value.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.controls.iter();
        let shown = shown.filter(|control| control.kind != Kind::Hidden);
        f.write_str("a form for ")?;
        f.debug_list()
            .entries(shown.map(|control| &control.name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(html: &str, given: &[(&str, &str)]) -> Option<String> {
        forms_of(html).iter().find_map(|form| form.filled(given))
    }

    #[test]
    fn what_a_form_sends_is_what_a_browser_would() {
        let cases = [
            ("hidden", "<input type=hidden name=a value=1>", Some("a=1")),
            ("typed before", "<input name=a value=1>", Some("a=1")),
            ("not filled in", "<input name=a>", Some("a=")),
            ("required", "<input name=a required>", None),
            (
                "required, filled in",
                "<input name=a value=1 required>",
                Some("a=1"),
            ),
            ("disabled", "<input name=a value=1 disabled>", Some("")),
            ("without a name", "<input value=1>", Some("")),
            (
                "ticked",
                "<input type=checkbox name=a checked>",
                Some("a=on"),
            ),
            ("not ticked", "<input type=checkbox name=a>", Some("")),
            ("a button with a name", "<button name=a value=1>", Some("")),
            (
                "in a comment",
                "<!-- <input name=a> --><input name=b>",
                Some("b="),
            ),
            ("in a script", "<script>'<input name=a>'</script>", Some("")),
            ("behind a sign", "1 < 2 <input name=a value=1>", Some("a=1")),
            ("in capitals", "<INPUT NAME=a VALUE='1 2'/>", Some("a=1+2")),
            ("spaced", "<input\nname = \"a\"\n value = 1 />", Some("a=1")),
            (
                "with references",
                "<input name=a value=\"&lt;&#38;&#x27;&quot;&x;&\">",
                Some("a=%3C%26%27%22%26x%3B%26"),
            ),
        ];
        for (name, html, want) in cases {
            let html = format!("<input name=z><form>{html}</form><input name=z>");
            assert_eq!(sent(&html, &[]).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn the_first_form_that_takes_the_fields_is_the_one_that_is_sent() {
        let html = "<form><input type=hidden name=email value=x></form>
            <form><input name=code required></form>
            <form><input name=email required><input type=checkbox name=stay value=yes>
            <button name=go value=on>Go</button><button name=go value=back>Back</button></form>";
        let cases: [(&[(&str, &str)], _); 8] = [
            (&[], Some("email=x")),
            (&[("code", "1")], Some("code=1")),
            (&[("email", "a@b")], Some("email=a%40b")),
            (
                &[("stay", "yes"), ("email", "a@b")],
                Some("email=a%40b&stay=yes"),
            ),
            (&[("email", "a"), ("go", "back")], Some("email=a&go=back")),
            (&[("email", "a"), ("stay", "no")], None),
            (&[("email", "a"), ("code", "1")], None),
            (&[("go", "back")], None),
        ];
        for (given, want) in cases {
            assert_eq!(sent(html, given).as_deref(), want, "{given:?}");
        }
    }
}
