//! The way around: a table of contents, one page in three widths, and the picture of the README.

use std::fmt::Write;

use crate::choice::{Choice, Gallery, SCHEMES};

const WIDTHS: [u16; 3] = [320, 768, 1280];

const STYLE: &str = ":root { color-scheme: light dark } \
    body { margin: 0 auto; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif } \
    nav { display: flex; flex-wrap: wrap; gap: 0 1rem } a { display: inline-block; padding: .25rem 0 } \
    ul { columns: 20rem; padding-inline-start: 1.25rem } \
    .frames { display: flex; gap: 1rem; overflow-x: auto } \
    iframe { border: 1px solid; height: 56rem } figure { margin: 0 }";

/// Lists all that there is in one language, look and scheme, with the way to the others.
pub(crate) fn contents(gallery: &Gallery, choice: Choice<'_>) -> String {
    let mut body = String::from("<h1>Every page and mail</h1>");
    body += &ways(gallery, choice, "");
    body += "<ul>";
    for name in choice.names() {
        let to = choice.to(&name);
        // A `String` takes all that is written.
        let _ = write!(
            body,
            "<li><a href=\"{to}\">{name}</a> · <a href=\"{to}/frames\" \
             aria-label=\"{name}, three widths\">widths</a></li>"
        );
    }
    document("Every page and mail", &(body + "</ul>"))
}

/// Shows one page in three widths, with the way to the same one in others and to its neighbours.
pub(crate) fn frames(gallery: &Gallery, choice: Choice<'_>, name: &str) -> Option<String> {
    let names = choice.names();
    let at = names.iter().position(|known| known == name)?;
    let mut body = format!("<h1>{name}</h1>{}<nav>", ways(gallery, choice, name));
    let before = at.checked_sub(1).and_then(|at| names.get(at));
    for (label, other) in [("Before", before), ("After", names.get(at + 1))] {
        if let Some(other) = other {
            let to = choice.to(other);
            let _ = write!(body, "<a href=\"{to}/frames\">{label}: {other}</a>");
        }
    }
    body += "</nav><div class=\"frames\">";
    let to = choice.to(name);
    for width in WIDTHS {
        let _ = write!(
            body,
            "<figure><figcaption>{width}</figcaption><iframe title=\"{name}, {width} wide\" \
             width=\"{width}\" src=\"{to}\"></iframe></figure>"
        );
    }
    Some(document(name, &(body + "</div>")))
}

/// Shows three pages beside one another.
pub(crate) fn picture() -> String {
    let shown = [
        "/en/named/light/login",
        "/ar/acme/light/check-code",
        "/de/acme/dark/trouble-with-a-new-link",
    ];
    let frames = shown.map(|at| format!("<iframe title=\"{at}\" src=\"{at}\"></iframe>"));
    let style = "body { display: flex; margin: 0 } iframe { flex: 1; height: 720px; border: 0 }";
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Three pages</title>\
         <style>{style}</style>{}</html>",
        frames.concat()
    )
}

/// Links to the same in every other language, look and scheme.
fn ways(gallery: &Gallery, choice: Choice<'_>, name: &str) -> String {
    let languages = gallery
        .languages
        .iter()
        .map(|words| Choice { words, ..choice });
    let looks = gallery.looks.iter().map(|(look, pages)| Choice {
        look,
        pages,
        ..choice
    });
    let schemes = SCHEMES
        .into_iter()
        .map(|scheme| Choice { scheme, ..choice });
    let mut html = String::from("<nav aria-label=\"The same in others\"><a href=\"/\">All</a>");
    let mut add = |label: &str, other: Choice<'_>| {
        let to = match name {
            "" => other.to("").trim_end_matches('/').to_owned(),
            name => other.to(&format!("{name}/frames")),
        };
        let _ = write!(html, "<a href=\"{to}\">{label}</a>");
    };
    languages.for_each(|other| add(other.words.tag(), other));
    looks.for_each(|other| add(other.look, other));
    schemes.for_each(|other| add(other.scheme, other));
    html + "</nav>"
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>"
    )
}
