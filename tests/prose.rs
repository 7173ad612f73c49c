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

/// The blocks of pages and documentation that are not Rust, which no doc test runs: the file, the
/// language, and the test that runs the block. `shown:` says why there is nothing to run.
const BLOCKS: [(&str, &str, &str); 28] = [
    (
        "README.md",
        "console",
        "the_quickstart_signs_a_person_in_and_out",
    ),
    ("README.md", "toml", "tests/newcomer.sh"),
    ("src/flow/limits.rs", "text", "shown: a table of shares"),
    ("src/flow/mod.rs", "text", "shown: a diagram of the steps"),
    (
        "src/guide/behind_a_proxy.md",
        "caddyfile",
        "an_access_log_has_each_path_and_no_query",
    ),
    (
        "src/guide/behind_a_proxy.md",
        "haproxy",
        "an_access_log_has_each_path_and_no_query",
    ),
    (
        "src/guide/behind_a_proxy.md",
        "text",
        "the_guide_shows_the_line_as_it_is_logged",
    ),
    (
        "src/guide/behind_a_proxy.md",
        "yaml",
        "an_access_log_has_each_path_and_no_query",
    ),
    (
        "src/guide/behind_a_proxy.md",
        "yaml",
        "an_access_log_has_each_path_and_no_query",
    ),
    (
        "src/guide/caches_and_back.md",
        "js",
        "a_living_page_that_asks_for_its_session_leads_to_the_form",
    ),
    (
        "src/guide/developing_without_an_account.md",
        "sh",
        "the_guides_lines_sign_a_person_in_without_an_account",
    ),
    (
        "src/guide/guard.md",
        "dockerfile",
        "each_variable_of_the_unit_and_the_dockerfile_is_taken",
    ),
    (
        "src/guide/guard.md",
        "ini",
        "the_guides_unit_is_one_that_systemd_takes",
    ),
    (
        "src/guide/guard.md",
        "sh",
        "the_guides_command_is_one_that_the_guard_takes",
    ),
    (
        "src/guide/guard.md",
        "sh",
        "the_guides_line_makes_a_key_that_the_guard_takes",
    ),
    (
        "src/guide/guard.md",
        "toml",
        "the_guide_shows_a_file_that_can_be_read_and_every_key",
    ),
    (
        "src/guide/look_and_language.md",
        "css",
        "the_guides_sheet_gives_the_pages_its_colour_and_shape",
    ),
    (
        "src/guide/operations.md",
        "text",
        "shown: what the self-test prints, one line of each kind",
    ),
    (
        "src/guide/running_more_than_one.md",
        "text",
        "the_rights_that_the_guide_names_are_enough_for_every_command",
    ),
    (
        "src/guide/single_page_applications.md",
        "js",
        "the_guides_function_leads_to_the_form_and_back_to_the_fragment",
    ),
    (
        "src/guide/single_page_applications.md",
        "json",
        "a_script_without_a_session_gets_the_problem_that_the_guide_shows",
    ),
    (
        "src/guide/terminal_clients.md",
        "console",
        "the_guides_line_for_a_script_gets_what_its_token_opens_and_fails_without",
    ),
    (
        "src/lib.rs",
        "json",
        "a_script_learns_who_is_signed_in_and_a_stranger_nothing",
    ),
    (
        "src/mailer/console.rs",
        "text",
        "each_link_and_code_is_printed_on_a_line",
    ),
    (
        "src/revocation/redis/simulation/mod.rs",
        "text",
        "shown: a command for people",
    ),
    (
        "src/session/mod.rs",
        "toml",
        "each_page_names_the_version_of_the_manifest",
    ),
    (
        "src/session/ring/file.rs",
        "text",
        "the_file_that_the_documentation_shows_can_be_read",
    ),
    (
        "src/settings/mod.rs",
        "toml",
        "the_example_has_every_key_with_its_default_and_can_be_read",
    ),
];

#[test]
fn each_block_that_is_not_rust_has_a_test_or_a_reason_for_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut code) = (Vec::new(), String::new());
    for place in ["README.md", "src", "tests"] {
        visit(&root.join(place), &mut |path, text| {
            let name = path.strip_prefix(root).unwrap();
            let is_page = path.extension().is_some_and(|kind| kind == "md");
            if !is_page {
                code.push_str(text);
            }
            // What a test says of itself is on no page.
            if name.iter().any(|part| part == "tests") {
                return;
            }
            let mut is_code = false;
            for line in text.lines() {
                let Some(said) = prose(line, is_page) else {
                    is_code = false;
                    continue;
                };
                let Some(language) = said.trim().strip_prefix("```") else {
                    continue;
                };
                is_code = !is_code;
                let is_rust = ["", "rust", "no_run", "rust,no_run"].contains(&language);
                if is_code && !is_rust {
                    found.push((name.to_str().unwrap().to_owned(), language.to_owned()));
                }
            }
        });
    }
    found.sort();
    let listed = BLOCKS.map(|(file, language, _)| (file.to_owned(), language.to_owned()));
    assert_eq!(found, listed);
    let missing: Vec<_> = BLOCKS
        .iter()
        .map(|(_, _, test)| *test)
        .filter(|test| {
            let is_there = code.contains(&format!("fn {test}(")) || root.join(test).is_file();
            !is_there && !test.starts_with("shown: ")
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn each_page_names_the_version_of_the_manifest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = concat!(
        env!("CARGO_PKG_VERSION_MAJOR"),
        ".",
        env!("CARGO_PKG_VERSION_MINOR")
    );
    let mut named = Vec::new();
    for place in PLACES {
        visit(&root.join(place), &mut |path, text| {
            let is_page = path.extension().is_some_and(|kind| kind == "md");
            let lines = text.lines().filter_map(|line| prose(line, is_page));
            for line in lines.filter(|line| line.starts_with("tower-magic-link = ")) {
                named.push(format!("{}: {line}", path.display()));
            }
        });
    }
    assert!(named.len() > 1, "{named:?}");
    let want = format!("version = \"{version}\"");
    named.retain(|line| !line.contains(&want));
    assert_eq!(named, [""; 0]);
    let changes = fs::read_to_string(root.join("CHANGELOG.md")).unwrap();
    let headings = changes.lines().filter_map(|line| line.strip_prefix("## ["));
    let mut names = headings.filter_map(|heading| Some(heading.split_once(']')?.0));
    assert_eq!(names.next(), Some("Unreleased"));
    let newest = names.next();
    assert!(
        newest.is_none_or(|newest| newest == env!("CARGO_PKG_VERSION")),
        "{newest:?}"
    );
}
