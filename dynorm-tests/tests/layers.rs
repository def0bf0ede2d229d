//! The files of dynorm form layers: every arrow between them points down, and there are no cycles.
//!
//! A failure lists the arrows with their lines. CONTRIBUTING.md says how to fix it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

#[path = "layers/derive.rs"]
mod derive;
#[path = "layers/dynorm.rs"]
mod dynorm;
#[path = "layers/graph.rs"]
mod graph;
#[path = "layers/made_up.rs"]
mod made_up;
#[path = "layers/modules.rs"]
mod modules;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/tokens.rs"]
mod tokens;

use std::path::Path;

use graph::Graph;
use modules::Sources;
use rules::{Exception, Layers, faults};

#[test]
fn every_arrow_of_dynorm_points_down() {
    check("../dynorm/src", dynorm::LAYERS, dynorm::EXCEPTIONS);
}

#[test]
fn every_arrow_of_the_derive_points_down() {
    check("../dynorm-derive/src", derive::LAYERS, &[]);
}

#[test]
fn the_layers_are_those_of_the_architecture() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md")).unwrap();
    let (_, section) = page.split_once("## Layers\n").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    let members =
        |members: &[&str]| members.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let layers = dynorm::LAYERS.iter().rev();
    let expected: Vec<String> = layers.map(|(name, its)| format!("| {name} | {} |", members(its))).collect();
    assert_eq!(rows, expected);
}

fn check(folder: &str, layers: Layers<'_>, exceptions: &[Exception<'_>]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let graph = Graph::of(&sources(&root));
    let faults = faults(&graph, layers, exceptions);
    assert!(faults.is_empty(), "{folder}:\n\n{}\n", faults.join("\n\n"));
}

/// The files below a directory, by relative path.
fn sources(root: &Path) -> Sources {
    let (mut sources, mut folders) = (Sources::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let parts: Vec<_> =
                    path.strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
                sources.insert(parts.join("/"), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}
