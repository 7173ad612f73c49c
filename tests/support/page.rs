//! What a page offers: its heading, texts by id, links and forms, as a person's browser or a robot
//! finds them.
//!
//! Strict: it reads the markup of our own pages, and panics at what they should not hold (tags that
//! do not close, attributes without quotes, fields that it does not know).

use std::collections::BTreeMap;

use url::form_urlencoded;

/// Elements without content.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];
/// Elements whose content is no markup.
const RAW: [&str; 3] = ["script", "style", "title"];

/// What a page offers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) forms: Vec<Form>,
    /// The text of the first `h1`.
    pub(crate) heading: String,
    /// Where the links lead, as written.
    pub(crate) links: Vec<Link>,
    /// The content of a `<meta http-equiv="refresh">`.
    pub(crate) refresh: Option<String>,
    pub(crate) scripts: Vec<String>,
    texts: BTreeMap<String, String>,
}

/// A link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) label: String,
}

/// A form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) method: String,
    /// In the order of the page.
    pub(crate) fields: Vec<Field>,
    /// In the order of the page.
    pub(crate) buttons: Vec<Button>,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_hidden: bool,
}

/// A button that sends its form.
#[derive(Clone, Debug)]
pub(crate) struct Button {
    pub(crate) label: String,
    pub(crate) name: Option<String>,
    pub(crate) value: String,
}

/// An element that is not closed yet.
struct Open {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Page {
    /// Reads a page. Text that is no markup is a page that offers nothing.
    pub(crate) fn of(html: &str) -> Self {
        let mut page = Self::default();
        let mut open: Vec<Open> = Vec::new();
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            let (text, tag) = rest.split_at(start);
            if let Some(element) = open.last_mut() {
                element.text.push_str(&unescape(text));
            }
            if let Some(comment) = tag.strip_prefix("<!--") {
                rest = comment.split_once("-->").expect("the end of a comment").1;
            } else if tag.starts_with("<!") {
                rest = tag.split_once('>').expect("the end of a declaration").1;
            } else if let Some(closing) = tag.strip_prefix("</") {
                let (name, after) = closing.split_once('>').expect("the end of a tag");
                let element = open.pop().unwrap_or_else(|| panic!("</{name}> alone"));
                assert_eq!(element.name, name, "{html}");
                page.close(element, &mut open);
                rest = after;
            } else {
                let (element, is_whole, after) = opening(&tag[1..]);
                rest = after;
                if element.name == "form" {
                    assert!(open.iter().all(|outer| outer.name != "form"), "{html}");
                    page.forms.push(Form::of(&element.attributes));
                }
                if RAW.contains(&element.name.as_str()) {
                    let end = format!("</{}>", element.name);
                    let (content, after) = rest.split_once(&end).expect("the end of a text");
                    page.raw(&element, content);
                    rest = after;
                } else if is_whole || VOID.contains(&element.name.as_str()) {
                    page.void(&element, &open);
                } else {
                    open.push(element);
                }
            }
        }
        assert!(open.is_empty(), "<{}> does not close", open[0].name);
        page
    }

    /// Returns the text of the element of an id.
    pub(crate) fn text_of(&self, id: &str) -> Option<&str> {
        self.texts.get(id).map(String::as_str)
    }

    /// Returns the form that has a field that is typed into.
    pub(crate) fn form_to_type(&self, field: &str) -> Option<&Form> {
        let is_typed = |found: &Field| found.name == field && !found.is_hidden;
        self.forms
            .iter()
            .find(|form| form.fields.iter().any(is_typed))
    }

    /// Returns the form that asks for a new mail without typing: its address is a hidden field.
    pub(crate) fn form_to_resend(&self) -> Option<&Form> {
        let is_address = |field: &Field| field.name == "email" && field.is_hidden;
        self.forms
            .iter()
            .find(|form| form.fields.iter().any(is_address))
    }

    fn close(&mut self, element: Open, open: &mut [Open]) {
        let Open {
            name,
            attributes,
            text,
        } = element;
        let label = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.as_str() {
            "a" => self.links.push(Link {
                href: attributes["href"].clone(),
                label: label.clone(),
            }),
            "button" => self.button(&attributes, label.clone(), open),
            "h1" if self.heading.is_empty() => self.heading.clone_from(&label),
            "textarea" | "select" | "iframe" | "frame" | "object" | "embed" | "base" => {
                panic!("<{name}> is none of ours")
            }
            _ => {}
        }
        if let Some(id) = attributes.get("id") {
            let twice = self.texts.insert(id.clone(), label);
            assert!(twice.is_none(), "two elements are #{id}");
        }
        if let Some(outer) = open.last_mut() {
            outer.text.push_str(&text);
        }
    }

    fn button(&mut self, attributes: &BTreeMap<String, String>, label: String, open: &[Open]) {
        assert_eq!(attributes.get("type").map(String::as_str), Some("submit"));
        assert!(!attributes.contains_key("formaction"), "{attributes:?}");
        let form = self.form_inside(open);
        if attributes.contains_key("disabled") {
            return;
        }
        form.buttons.push(Button {
            label,
            name: attributes.get("name").cloned(),
            value: attributes.get("value").cloned().unwrap_or_default(),
        });
    }

    fn void(&mut self, element: &Open, open: &[Open]) {
        let attribute = |name: &str| element.attributes.get(name).cloned();
        if element.name == "meta" && attribute("http-equiv").is_some() {
            self.refresh = attribute("content");
        }
        if element.name == "input" {
            let kind = attribute("type").unwrap_or_default();
            // Nobody ticks it, so that it is not sent.
            if kind == "checkbox" {
                return;
            }
            let is_known = ["email", "hidden", "text"].contains(&kind.as_str());
            assert!(is_known, "a field of type {kind:?}");
            self.form_inside(open).fields.push(Field {
                name: attribute("name").expect("a field's name"),
                value: attribute("value").unwrap_or_default(),
                is_hidden: kind == "hidden",
            });
        }
    }

    fn raw(&mut self, element: &Open, content: &str) {
        if element.name == "script" {
            assert!(
                !element.attributes.contains_key("src"),
                "scripts are inline"
            );
            self.scripts.push(content.to_owned());
        }
    }

    fn form_inside(&mut self, open: &[Open]) -> &mut Form {
        assert!(open.iter().any(|outer| outer.name == "form"), "in no form");
        self.forms.last_mut().expect("a form")
    }
}

impl Form {
    fn of(attributes: &BTreeMap<String, String>) -> Self {
        let method = attributes.get("method").map_or("get", String::as_str);
        assert_eq!(method, "post", "ours change something");
        Self {
            action: attributes["action"].clone(),
            method: method.to_owned(),
            ..Self::default()
        }
    }

    /// Returns the button that has no name of its own: what the Enter key would press, if it came
    /// first.
    pub(crate) fn plain_button(&self) -> &Button {
        let plain = self.buttons.iter().find(|button| button.name.is_none());
        plain.unwrap_or_else(|| panic!("no button that just sends {self:?}"))
    }

    /// Returns what is sent when a button is pressed after something was typed.
    pub(crate) fn sent_by(&self, button: &Button, typed: &[(&str, &str)]) -> String {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for field in &self.fields {
            let new = typed.iter().find(|(name, _)| *name == field.name);
            body.append_pair(&field.name, new.map_or(&field.value, |(_, value)| value));
        }
        if let Some(name) = &button.name {
            body.append_pair(name, &button.value);
        }
        body.finish()
    }
}

/// Reads a tag behind its `<`: the element, whether it closes itself, and what follows.
fn opening(tag: &str) -> (Open, bool, &str) {
    let end = tag
        .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .expect("the end of a tag's name");
    let (name, mut rest) = tag.split_at(end);
    assert!(!name.is_empty(), "a < that should be &lt;");
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (element(name, attributes), true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (element(name, attributes), false, after);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .expect("the end of an attribute's name");
        let (attribute, after) = rest.split_at(end);
        assert!(!attribute.is_empty(), "{rest}");
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').expect("the end of a value"),
            None => ("", after),
        };
        assert!(!after.starts_with('='), "a value without quotes: {rest}");
        let twice = attributes.insert(attribute.to_owned(), unescape(value));
        assert!(twice.is_none(), "{attribute} is there twice");
        rest = after;
    }
}

fn element(name: &str, attributes: BTreeMap<String, String>) -> Open {
    Open {
        name: name.to_owned(),
        attributes,
        text: String::new(),
    }
}

/// Reads the references that a template engine writes.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((plain, reference)) = rest.split_once('&') {
        out.push_str(plain);
        let (name, after) = reference.split_once(';').expect("the end of a reference");
        let number = name
            .strip_prefix('#')
            .and_then(|number| number.parse().ok());
        out.push(match name {
            "amp" => '&',
            "gt" => '>',
            "lt" => '<',
            "quot" => '"',
            _ => number
                .and_then(char::from_u32)
                .unwrap_or_else(|| panic!("&{name};")),
        });
        rest = after;
    }
    out + rest
}
