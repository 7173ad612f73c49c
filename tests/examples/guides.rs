//! What the guides give a shell to run.

use std::{env, process::Command};

use crate::{
    person::{Person, location},
    program::Program,
};

/// The emulator as a program of its own, and an application that finds it by the environment.
#[tokio::test]
async fn the_guides_lines_sign_a_person_in_without_an_account() {
    let guide = include_str!("../../src/guide/developing_without_an_account.md");
    let (_, lines) = guide.split_once("```sh\n").unwrap();
    let (lines, _) = lines.split_once("```").unwrap();
    let (first, rest) = lines.split_once('\n').unwrap();
    assert_eq!(first, "cargo run --example emulator &");
    // At a free port, and not at the one that it takes by itself.
    let mut emulator = Program::example("emulator", &[]);
    let url = emulator.says("listening on ");
    assert!(rest.contains("http://127.0.0.1:4200"), "{rest}");
    let rest = rest.replace("http://127.0.0.1:4200", &url);

    let mut built = env::current_exe().unwrap();
    built.pop();
    built.pop();
    built.push("examples");
    // The examples are built, so that this cargo has only to run them.
    let cargo = "cargo() { [ \"$1 $2\" = 'run --example' ] && exec \"$BUILT/$3\"; }";
    let mut shell = Command::new("bash");
    shell
        .args(["-euc", &format!("{cargo}\n{rest}")])
        .env_remove("MAGIC_LINK_KEY")
        .env("PORT", "0")
        .env("BUILT", built);
    let mut program = Program::start(&mut shell);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let form = location(&person.get("/").await);
    person.ask_for_link(&form).await;
    let link = program.says("sign-in link for ada@example.com: ");
    let opened = location(&person.get(&link).await);
    assert!(
        opened.starts_with(&format!("{url}/passwordless/")),
        "{opened}"
    );
    assert_eq!(person.follow(&link).await, "/");
    let home = person.get("/").await.text().await.unwrap();
    assert!(home.contains("Hello ada@example.com"), "{home}");
}
