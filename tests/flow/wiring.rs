//! Mistakes in how an application has built the layer in: each is one line in the log.

mod host;
mod nested;
mod site;
mod unreached;

/// Returns the warnings of a layer, by its public URL and a part of the text.
fn warnings(public_url: &str, part: &str) -> Vec<String> {
    let logged = crate::secrets::logged();
    let lines = logged.lines();
    lines
        .filter(|line| line.contains(public_url) && line.contains(part))
        .map(str::to_owned)
        .collect()
}
