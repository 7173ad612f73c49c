//! The tags of a page, without the text between them.

/// Elements whose content is not markup.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// A tag, its name and its attributes' names in lower case.
pub(super) struct Tag {
    attributes: Vec<(String, String)>,
    is_closing: bool,
    name: String,
}

impl Tag {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Returns an attribute's value: nothing for one without a value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name)?;
        Some(&found.1)
    }
}

/// Returns the tags of a page, in its order.
pub(super) fn tags(html: &str) -> impl Iterator<Item = Tag> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (tag, after) = next_tag(rest)?;
        rest = after;
        Some(tag)
    })
}

fn next_tag(html: &str) -> Option<(Tag, &str)> {
    let mut rest = html;
    loop {
        let (_, after) = rest.split_once('<')?;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let closing = after.strip_prefix('/');
        let tag = closing.unwrap_or(after);
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = after;
            continue;
        }
        let (name, after) = tag.split_at(tag.find(ends_name).unwrap_or(tag.len()));
        let name = name.to_ascii_lowercase();
        let (attributes, mut after) = attributes(after);
        if closing.is_none() && RAW.contains(&name.as_str()) {
            after = behind_content(after, &name);
        }
        let tag = Tag {
            attributes,
            is_closing: closing.is_some(),
            name,
        };
        return Some((tag, after));
    }
}

fn ends_name(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '>' | '/')
}

/// Returns the attributes, and what follows the tag.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (attributes, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (attributes, after);
        }
        // An equals sign at the start belongs to the name.
        let start = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest
            .char_indices()
            .find(|(at, c)| *at >= start && (ends_name(*c) || *c == '='));
        let (name, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        let (value, after) = value(after);
        attributes.push((name.to_ascii_lowercase(), unescaped(value)));
        rest = after;
    }
}

/// Returns the text after an attribute's name, up to the end of its value.
fn value(after: &str) -> (&str, &str) {
    let Some(value) = after.trim_start().strip_prefix('=') else {
        return ("", after);
    };
    let value = value.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = value.find(|c: char| c.is_ascii_whitespace() || c == '>');
    value.split_at(end.unwrap_or(value.len()))
}

/// Skips text that is not markup, up to the closing tag.
fn behind_content<'h>(html: &'h str, name: &str) -> &'h str {
    let end = html.to_ascii_lowercase().find(&format!("</{name}"));
    html.split_at(end.unwrap_or(html.len())).1
}

/// Reads the references that template engines write. Any other text stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((plain, reference)) = rest.split_once('&') {
        out.push_str(plain);
        let read = reference.split_once(';');
        let read = read.and_then(|(name, after)| Some((character(name)?, after)));
        let (c, after) = read.unwrap_or(('&', reference));
        out.push(c);
        rest = after;
    }
    out + rest
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "apos" => '\'',
        "gt" => '>',
        "lt" => '<',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
    })
}
