//! Compile errors: each case `ui/<topic>/*.rs` must fail to compile, with exactly the messages in the
//! `.stderr` file beside it. Code that must compile is in `consumer.rs`.
//!
//! The compiler is called directly, with the libraries of this test, so nothing is built twice.
//!
//! A topic is a test, so its name narrows a run. `UI_CASE` narrows it to the cases with that text in their
//! path. After an intended change run this with `UPDATE_GOLDEN=1`, and read the messages as a user would.
//! After a change on purpose run this with `UPDATE_GOLDEN=1`, and read the messages as a user would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

mod compiler;
mod difference;
mod messages;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// From the root of the workspace, where the compiler runs.
const CASES: &str = "dynorm-tests/tests/ui";

macro_rules! topics {
    ($($topic:ident)*) => {
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];

        $(
            #[test]
            fn $topic() {
                check_topic(stringify!($topic).trim_start_matches("r#"));
            }
        )*
    };
}

topics! {
    attribute condition create delete find index key kind nested operation projection query rules save stamp
    template time_to_live tracked transaction r#type unique update
}

#[test]
fn every_topic_is_tested() {
    let mut found: Vec<String> = entries(Path::new(""))
        .into_iter()
        .filter(|entry| entry.is_dir())
        .map(|entry| entry.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let listed: Vec<&str> = TOPICS.iter().map(|topic| topic.trim_start_matches("r#")).collect();
    assert_eq!(found, listed, "the directories of {CASES}, and the list in its main.rs");
}

fn check_topic(topic: &str) {
    let only = env::var("UI_CASE").unwrap_or_default();
    let all = entries(Path::new(topic));
    let orphan = all.iter().find(|file| has_extension(file, "stderr") && !file.with_extension("rs").exists());
    assert!(orphan.is_none(), "messages of no case: {orphan:?}");
    let cases: Vec<&PathBuf> = all.iter().filter(|file| has_extension(file, "rs")).collect();
    assert!(!cases.is_empty(), "no cases in {topic}");

    let chosen = cases.iter().filter(|case| case.to_string_lossy().contains(&only));
    let failures: Vec<String> = chosen.filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{} of {} failed:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn check(case: &Path) -> Result<(), String> {
    let name = Path::new(CASES).join(case.strip_prefix(cases()).unwrap_or(case));
    let diagnostics = compiler::compile(&name);
    if !diagnostics.iter().any(|diagnostic| diagnostic.is_error) {
        return Err(format!("{}: it compiles, and must not", name.display()));
    }
    let actual = messages::of(diagnostics.iter().map(|diagnostic| diagnostic.rendered.as_str()));
    let golden = case.with_extension("stderr");
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    if actual == expected {
        return Ok(());
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&golden, actual).map_err(|error| format!("{}: {error}", golden.display()));
    }
    let difference = difference::of(&expected, &actual);
    Err(format!("{}: other messages; if they are right, UPDATE_GOLDEN=1\n{difference}", name.display()))
}

fn cases() -> PathBuf {
    compiler::workspace().join(CASES)
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let directory = cases().join(directory);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension() == Some(OsStr::new(extension))
}
