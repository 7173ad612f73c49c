//! What is written for people keeps to the width that CONTRIBUTING.md names.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

const WIDTH: usize = 100;

/// The folders of code, and the pages beside them.
const PLACES: [&str; 9] = [
    "src",
    "examples",
    "tests",
    "benches",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
];

/// Calls back with each file of ours that has prose in it.
fn visit(path: &Path, read: &mut impl FnMut(&Path, &str)) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap().path();
            if !entry.ends_with("target") {
                visit(&entry, read);
            }
        }
    } else if path
        .extension()
        .is_some_and(|kind| kind == "rs" || kind == "md")
    {
        read(path, &fs::read_to_string(path).unwrap());
    }
}

/// Returns what a line says to people; `None` is code.
fn prose(line: &str, is_page: bool) -> Option<&str> {
    if is_page {
        return Some(line);
    }
    let comment = line.trim_start().strip_prefix("//")?;
    Some(comment.trim_start_matches(['/', '!']).trim_start())
}

#[test]
fn a_line_of_prose_has_at_most_100_columns_but_in_tables_code_and_links() {
    let mut wide = Vec::new();
    let mut lines = 0;
    for place in PLACES {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
        visit(&place, &mut |path, text| {
            let is_page = path.extension().is_some_and(|kind| kind == "md");
            let mut is_code = false;
            for line in text.lines() {
                let Some(said) = prose(line, is_page) else {
                    is_code = false;
                    continue;
                };
                lines += 1;
                if said.starts_with("```") {
                    is_code = !is_code;
                }
                let is_excused = is_code || said.starts_with('|') || !said.trim().contains(' ');
                if line.chars().count() > WIDTH && !is_excused {
                    wide.push(format!("{}: {line}", path.display()));
                }
            }
        });
    }
    assert!(lines > 5_000, "{lines} lines were read");
    assert_eq!(wide, [""; 0]);
}

/// THREATS.md names the tests that pin each attack: they exist.
#[test]
fn each_test_that_the_table_of_threats_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for place in ["src", "tests"] {
        visit(&root.join(place), &mut |path, text| {
            if path.extension().is_some_and(|kind| kind == "rs") {
                code.push_str(text);
            }
        });
    }
    let table = fs::read_to_string(root.join("tests/THREATS.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    // The last column alone: others may quote a header.
    let named = rows.filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit_once('|'));
    let names: Vec<_> = named
        .flat_map(|(_, tests)| tests.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 100, "{} tests are named", names.len());
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| !code.contains(&format!("fn {name}(")))
        .collect();
    assert_eq!(missing, [""; 0]);
}

/// Returns the names in backticks that a table's rows begin with.
fn first_column(page: &str) -> Vec<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" |").next());
    cells.flat_map(|cell| cell.split('`').step_by(2)).collect()
}

#[test]
fn readme_and_the_crates_page_list_each_feature_and_readme_is_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let (manifest, readme) = (read("Cargo.toml"), read("README.md"));
    let section = manifest
        .split("\n[")
        .find_map(|s| s.strip_prefix("features]"));
    let features: Vec<_> = section
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .filter(|name| *name != "default")
        .collect();
    assert!(features.len() > 5, "{features:?}");
    let (_, in_readme) = readme.split_once("## Features\n").unwrap();
    assert_eq!(first_column(in_readme), features, "README.md");
    let page = read("src/lib.rs").replace("//! ", "");
    let (_, in_page) = page.split_once("# Features\n").unwrap();
    let listed: Vec<_> = first_column(in_page);
    assert_eq!(listed, features, "src/lib.rs");
    let lines = readme.lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}
