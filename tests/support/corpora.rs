//! Outside data, read from the folder that `CORPORA` names.

/// Reads a file of it.
pub(crate) fn corpus(name: &str) -> String {
    let folder = std::env::var_os("CORPORA").expect("CORPORA");
    std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap()
}

/// Reads the text of an XML element. The corpus writes a control character as its picture, U+2400
/// and its number.
pub(crate) fn text_of(element: &str, name: &str) -> String {
    let (_, rest) = element
        .split_once(&format!("<{name}>"))
        .unwrap_or(("", "</"));
    let raw = rest.split_once("</").unwrap().0;
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';').unwrap();
        text.push_str(before);
        text.push(match entity {
            "amp" => '&',
            "apos" => '\'',
            "gt" => '>',
            "lt" => '<',
            "quot" => '"',
            number => {
                let number = number.strip_prefix("#x").unwrap();
                char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap()
            }
        });
        rest = after;
    }
    text.push_str(rest);
    text.chars()
        .map(|c| match u32::from(c) {
            picture @ 0x2400..=0x241f => char::from_u32(picture - 0x2400).unwrap(),
            _ => c,
        })
        .collect()
}
