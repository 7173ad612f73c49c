//! An inline SVG that is a drawing alone: what it may have is listed, and the rest is refused.
//!
//! - No script, no event attribute, no style, nothing from another address, no text, no link.
//! - It is read by rules that are stricter than those of HTML and of XML. Both take what is left in
//!   the same way: elements and attributes by their exact names, each value in quotes, no entities,
//!   no comments, every element closed.
//! - Its ids begin with `logo`, so that none is one of a page's own.
//! - It costs a browser little, and stays in its place: nothing is drawn again by reference (`use`,
//!   `pattern`, a mask in a mask), which would multiply at each level, and `<svg>` is not moved.

use std::borrow::Cow;

const NAMESPACE: &str = "http://www.w3.org/2000/svg";
/// Every page carries it.
const LONGEST: usize = 16 * 1024;

/// Shapes, and what they are filled and cut with (SVG 2). None has text or runs anything.
const ELEMENTS: [&str; 15] = [
    "circle",
    "clipPath",
    "defs",
    "ellipse",
    "g",
    "line",
    "linearGradient",
    "mask",
    "path",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "svg",
];

const ATTRIBUTES: [&str; 56] = [
    "clip-path",
    "clip-rule",
    "clipPathUnits",
    "color",
    "cx",
    "cy",
    "d",
    "display",
    "fill",
    "fill-opacity",
    "fill-rule",
    "focusable",
    "fr",
    "fx",
    "fy",
    "gradientTransform",
    "gradientUnits",
    "height",
    "href",
    "id",
    "mask",
    "mask-type",
    "maskContentUnits",
    "maskUnits",
    "offset",
    "opacity",
    "pathLength",
    "points",
    "preserveAspectRatio",
    "r",
    "rx",
    "ry",
    "shape-rendering",
    "spreadMethod",
    "stop-color",
    "stop-opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-opacity",
    "stroke-width",
    "transform",
    "vector-effect",
    "version",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "xmlns",
    "y",
    "y1",
    "y2",
];

type Problem = Cow<'static, str>;

/// Checks an `<svg>` element, and returns what follows its name.
pub(super) fn checked(svg: &str) -> Result<&str, Problem> {
    if svg.len() > LONGEST {
        return Err("must be an SVG of at most 16 KiB".into());
    }
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    loop {
        let (tag, behind) = tag(rest)?;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.trim_end_matches(is_space)) {
                return Err("must be an SVG that closes each element that it opens".into());
            }
        } else {
            let (tag, is_closed) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let name = tag.split(is_space).next().unwrap_or_default();
            element(name, tag.get(name.len()..).unwrap_or_default(), &open)?;
            if !is_closed {
                open.push(name);
            }
        }
        rest = behind.trim_start_matches(is_space);
        if open.is_empty() {
            break;
        }
    }
    if !rest.is_empty() {
        return Err("must be one SVG, with nothing behind it".into());
    }
    Ok(svg.strip_prefix("<svg").unwrap_or_default())
}

/// Returns the inside of the first tag, and what follows it.
fn tag(text: &str) -> Result<(&str, &str), Problem> {
    let Some(inside) = text.strip_prefix('<') else {
        return Err("must be an SVG without text, in which each element is closed".into());
    };
    if inside.starts_with(['!', '?']) {
        return Err("must be an SVG without comments, declarations and instructions".into());
    }
    let mut quote = None;
    for (place, c) in inside.char_indices() {
        match (quote, c) {
            (None, '>') => {
                let (tag, behind) = inside.split_at(place);
                return Ok((tag, behind.strip_prefix('>').unwrap_or_default()));
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    Err("must be an SVG whose tags end".into())
}

/// Checks one element: its name, and the text of its attributes.
fn element(name: &str, attributes: &str, open: &[&str]) -> Result<(), Problem> {
    let is_root = open.is_empty();
    if is_root != (name == "svg") {
        return Err("must be one <svg> element with none in it".into());
    }
    if !ELEMENTS.contains(&name) {
        let problem = match name.to_ascii_lowercase().as_str() {
            "script" => "must be an SVG without <script>".to_owned(),
            "style" => "must be an SVG without <style>: use attributes such as fill".to_owned(),
            "title" | "desc" | "text" => {
                format!("must be an SVG without <{name}>: its alternative text says what it is")
            }
            _ => format!("must be an SVG of shapes alone, without <{}>", cut(name)),
        };
        return Err(problem.into());
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut rest = attributes;
    while !rest.trim_matches(is_space).is_empty() {
        let (attribute, value, behind) = attribute(rest)?;
        if seen.contains(&attribute) {
            return Err(format!("must be an SVG without a second {attribute} on <{name}>").into());
        }
        check(attribute, value)?;
        seen.push(attribute);
        rest = behind;
    }
    let is_in_cut = is_cut(name) || open.iter().any(|name| is_cut(name));
    if is_in_cut && (seen.contains(&"mask") || seen.contains(&"clip-path")) {
        return Err("must be an SVG whose masks and clips have none of their own".into());
    }
    if is_root && seen.contains(&"transform") {
        return Err("must be an SVG whose <svg> has no transform: it keeps its place".into());
    }
    if is_root && !seen.contains(&"viewBox") {
        return Err("must be an SVG with a viewBox, by which it is scaled".into());
    }
    Ok(())
}

fn is_cut(name: &str) -> bool {
    matches!(name, "clipPath" | "mask")
}

/// Returns the first attribute's name and value, and what follows it.
fn attribute(text: &str) -> Result<(&str, &str, &str), Problem> {
    let unquoted =
        || Problem::from("must be an SVG whose attributes are written as name=\"value\"");
    let start = text.trim_start_matches(is_space);
    if start.len() == text.len() {
        return Err(unquoted());
    }
    let (name, rest) = start.split_once('=').ok_or_else(unquoted)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.ok_or_else(unquoted)?;
    let rest = rest.get(1..).unwrap_or_default();
    let (value, behind) = rest.split_once(quote).ok_or_else(unquoted)?;
    Ok((name, value, behind))
}

/// Checks one attribute.
fn check(name: &str, value: &str) -> Result<(), Problem> {
    if !ATTRIBUTES.contains(&name) {
        let lower = name.to_ascii_lowercase();
        let shown = cut(name);
        let problem = match lower.as_str() {
            "class" => "must be an SVG without class: the pages have classes of their own".into(),
            "style" => {
                "must be an SVG without a style attribute: use attributes such as fill".into()
            }
            "xlink:href" => "must be an SVG without xlink:href: use href".into(),
            _ if lower.starts_with("on") => {
                format!("must be an SVG without event attributes such as {shown}")
            }
            _ => format!("must be an SVG without the attribute {shown}"),
        };
        return Err(problem.into());
    }
    let refuse = |problem: &str| {
        let value = cut(value);
        Err(format!("must be an SVG {problem}, and {name} is {value:?}").into())
    };
    let is_local = |id: &str| id.strip_prefix('#').is_some_and(is_id);
    match name {
        "xmlns" if value == NAMESPACE => return Ok(()),
        "xmlns" => return refuse("of the SVG namespace"),
        "id" if is_id(value) => return Ok(()),
        "id" => return refuse("whose ids begin with logo, so that none is a page's"),
        "href" if is_local(value) => return Ok(()),
        "href" => return refuse("that refers to its own ids alone, such as #logo-a"),
        _ => {}
    }
    // Without a colon, a quote and a backslash no value spells an address or hides one.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || is_space(c) || "#%()+,-._".contains(c);
    if !value.chars().all(is_plain) {
        return refuse("whose values have letters, digits, spaces and #%()+,-._ alone");
    }
    let lower = value.to_ascii_lowercase();
    if lower.contains("url") {
        let id = value
            .strip_prefix("url(")
            .and_then(|rest| rest.strip_suffix(')'));
        if !id.is_some_and(is_local) {
            return refuse("that refers to its own ids alone, such as url(#logo-a)");
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    text.starts_with("logo")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A space to HTML and to XML. A form feed is one to HTML alone.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Returns the beginning of a text.
fn cut(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(40)
        .map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
