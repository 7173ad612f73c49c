//! The house as ARCHITECTURE.md draws it: a file imports from its own room and from the rooms below
//! it, and no files import one another in a circle.
//!
//! - Imports are read as text: `use` trees, and paths in the code that begin with `crate` or
//!   `super`. Comments, strings and the tests at the end of a file are left out.
//! - A name that a room's `mod.rs` only hands on counts as an import of the file that defines it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

type Module = Vec<String>;

/// One file of the library, and what it says.
struct File {
    path: String,
    module: Module,
    /// The module paths that it imports from.
    imports: Vec<Module>,
}

/// The library's files, and the names that modules hand on.
#[derive(Default)]
struct Library {
    files: Vec<File>,
    by_module: BTreeMap<Module, usize>,
    handed_on: BTreeMap<(Module, String), Module>,
}

fn module_of(path: &str) -> Module {
    let path = path.strip_suffix(".rs").unwrap();
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

/// Returns the code of a file: without comments, the insides of strings, and its tests.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut code = String::new();
    for line in text.lines() {
        let mut is_text = false;
        let mut before = ' ';
        for (place, c) in line.char_indices() {
            if !is_text && line[place..].starts_with("//") {
                break;
            }
            is_text ^= c == '"' && before != '\\' && before != '\'';
            if !is_text {
                code.push(c);
            }
            before = c;
        }
        code.push('\n');
    }
    code
}

/// Splits at the commas that stand in no braces.
fn members(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (place, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(list[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    members.push(list[start..].trim());
    members.retain(|member| !member.is_empty());
    members
}

/// Returns the paths of a `use` tree, each with the name that it gets.
fn leaves(tree: &str, before: &[String]) -> Vec<(Module, String)> {
    let tree = tree.trim();
    if let Some((path, list)) = tree.split_once('{') {
        let mut path = [before, &segments(path)].concat();
        path.retain(|segment| !segment.is_empty());
        let list = list.strip_suffix('}').expect("a closed list");
        return members(list)
            .into_iter()
            .flat_map(|member| leaves(member, &path))
            .collect();
    }
    let (path, name) = match tree.split_once(" as ") {
        Some((path, name)) => (path.trim(), Some(name.trim().to_owned())),
        None => (tree, None),
    };
    let mut path = [before, &segments(path)].concat();
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = name.or(path.last().cloned()).unwrap_or_default();
    vec![(path, name)]
}

fn segments(path: &str) -> Vec<String> {
    path.split("::")
        .map(|word| word.trim().to_owned())
        .collect()
}

/// Returns a path from the crate's root. `None` is one of another crate.
fn absolute(path: &[String], module: &[String]) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let (_, parent) = module.split_last()?;
            if rest.first().is_some_and(|next| next == "super") {
                absolute(rest, parent)
            } else {
                Some([parent, rest].concat())
            }
        }
        _ => None,
    }
}

impl Library {
    fn read() -> Self {
        let mut library = Self::default();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        library.read_folder(&root, "");
        library
    }

    fn read_folder(&mut self, folder: &Path, name: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{name}{}", entry.file_name().to_str().unwrap());
            // What is compiled for tests alone may look anywhere.
            let is_test = path.ends_with("tests.rs")
                || path.ends_with("tests")
                || path.ends_with("test_keys.rs");
            if is_test {
                continue;
            }
            if entry.path().is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"));
            } else if path.ends_with(".rs") {
                let code = code_of(&fs::read_to_string(entry.path()).unwrap());
                self.add(path, &code);
            }
        }
    }

    fn add(&mut self, path: String, code: &str) {
        let module = module_of(&path);
        let mut imports = Vec::new();
        let mut rest = String::new();
        for statement in code.split_inclusive(';') {
            let starts = [
                "\nuse ",
                "\npub use ",
                "\npub(crate) use ",
                "\npub(super) use ",
            ];
            let Some((start, at)) = starts
                .iter()
                .find_map(|start| Some((start, statement.find(start)?)))
            else {
                rest.push_str(statement);
                continue;
            };
            let tree = statement[at + start.len()..].trim_end_matches(';');
            for (leaf, name) in leaves(tree, &[]) {
                let Some(leaf) = absolute(&leaf, &module) else {
                    continue;
                };
                if start.contains("pub") {
                    self.handed_on.insert((module.clone(), name), leaf);
                } else {
                    imports.push(leaf);
                }
            }
        }
        for (place, _) in rest.match_indices("::") {
            let start = rest[..place].rfind(|c: char| !c.is_alphanumeric() && c != '_');
            let head = &rest[start.map_or(0, |start| start + 1)..place];
            if head == "crate" || head == "super" {
                let end = rest[place..].find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
                let path = &rest[place - head.len()..end.map_or(rest.len(), |end| place + end)];
                imports.extend(absolute(&segments(path), &module));
            }
        }
        self.by_module.insert(module.clone(), self.files.len());
        self.files.push(File {
            path,
            module,
            imports,
        });
    }

    /// Returns the file that defines what a path names.
    fn definer(&self, path: &[String]) -> Option<usize> {
        for length in (0..=path.len()).rev() {
            let Some(file) = self.by_module.get(&path[..length]) else {
                continue;
            };
            let handed_on = path
                .get(length)
                .and_then(|name| self.handed_on.get(&(path[..length].to_vec(), name.clone())));
            return match handed_on {
                Some(target) => self.definer(&[target, &path[length + 1..]].concat()),
                None => Some(*file),
            };
        }
        None
    }

    /// Returns for each file the files that it imports from.
    fn arrows(&self) -> Vec<BTreeSet<usize>> {
        let arrows = self.files.iter().enumerate().map(|(number, file)| {
            let targets = file.imports.iter().filter_map(|path| self.definer(path));
            targets.filter(|target| *target != number).collect()
        });
        arrows.collect()
    }
}

fn room(file: &File) -> &str {
    file.module.first().map_or("lib", String::as_str)
}

/// Returns the rooms in the order of ARCHITECTURE.md, from the top floor down.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).unwrap();
    let (_, drawing) = text
        .split_once("```text rooms\n")
        .expect("a drawing of the rooms");
    let (drawing, _) = drawing.split_once("```").unwrap();
    drawing
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_file_imports_from_its_own_room_and_from_the_rooms_below() {
    let (library, rooms) = (Library::read(), rooms());
    let floor = |file: &File| {
        let room = room(file);
        let floor = rooms.iter().position(|one| one == room);
        floor.unwrap_or_else(|| panic!("{}: ARCHITECTURE.md has no room {room:?}", file.path))
    };
    let mut wrong = Vec::new();
    for (file, targets) in library.files.iter().zip(library.arrows()) {
        for target in targets {
            let target = &library.files[target];
            if floor(target) < floor(file) {
                wrong.push(format!(
                    "{} imports from {}, a room above",
                    file.path, target.path
                ));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    let seen: BTreeSet<_> = library.files.iter().map(room).collect();
    let drawn: BTreeSet<_> = rooms.iter().map(String::as_str).collect();
    assert_eq!(seen, drawn, "each room that is drawn is there");
    assert!(library.arrows().iter().map(BTreeSet::len).sum::<usize>() > 500);
}

/// What everybody writes stands at the root; the rest stands in the public modules.
#[test]
fn the_front_door_has_at_most_30_names() {
    let library = Library::read();
    let names = library.handed_on.keys();
    let names: Vec<_> = names
        .filter(|(module, _)| module.is_empty())
        .map(|(_, name)| name)
        .collect();
    assert!(
        (20..=30).contains(&names.len()),
        "{}: {names:?}",
        names.len()
    );
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    let library = Library::read();
    let mut arrows = library.arrows();
    let mut left: BTreeSet<usize> = (0..arrows.len()).collect();
    // What imports from nothing that is left can be in no circle.
    loop {
        let free: Vec<_> = left
            .iter()
            .copied()
            .filter(|file| arrows[*file].is_empty())
            .collect();
        if free.is_empty() {
            break;
        }
        for file in free {
            left.remove(&file);
            for targets in &mut arrows {
                targets.remove(&file);
            }
        }
    }
    let circle: Vec<_> = left
        .iter()
        .map(|file| {
            let targets = arrows[*file]
                .iter()
                .map(|target| library.files[*target].path.as_str());
            format!(
                "{} -> {}",
                library.files[*file].path,
                targets.collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    assert_eq!(circle, [""; 0], "a circle, or what leads into one");
}
