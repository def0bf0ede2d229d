//! Compile times: `cargo check` of a hundred entities with ten fields, compared with serde's two derives on
//! the same structs and toasty's derive, each in a generated package; and a cold build of dynorm, compared
//! with the SDK's.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::DYNORM;
use crate::peers::{cargo, target};
use crate::results::{Row, workspace};

const ENTITIES: usize = 100;
const RUNS: usize = 5;

const SERDE: &str = "serde's two derives";
const TOASTY: &str = "toasty";

/// A derive macro and its dependencies.
struct Derive {
    way: &'static str,
    package: &'static str,
    /// The lock file with the versions.
    lock: &'static str,
    dependencies: String,
    derives: &'static str,
    key: &'static str,
}

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let dynorm = format!("dynorm = {{ path = {:?} }}", workspace().join("dynorm"));
    let derives = [
        Derive {
            way: DYNORM,
            package: "entities-dynorm",
            lock: "Cargo.lock",
            dependencies: dynorm.clone(),
            derives: "dynorm::Entity, Clone, Debug, PartialEq",
            key: "entity(partition)",
        },
        Derive {
            way: SERDE,
            package: "entities-serde",
            lock: "Cargo.lock",
            dependencies: "serde = { version = \"1\", features = [\"derive\"] }".to_owned(),
            derives: "serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq",
            key: "serde(rename = \"id\")",
        },
        Derive {
            way: TOASTY,
            package: "entities-toasty",
            lock: "dynorm-tests/peers/Cargo.lock",
            dependencies:
                "toasty = { version = \"0.11\", default-features = false, features = [\"dynamodb\"] }"
                    .to_owned(),
            derives: "toasty::Model, Clone, Debug, PartialEq",
            key: "key",
        },
        Derive {
            way: "no derive",
            package: "entities-plain",
            lock: "Cargo.lock",
            dependencies: String::new(),
            derives: "Clone, Debug, PartialEq",
            key: "allow(unused)",
        },
    ];
    let mut rows = Vec::new();
    for derive in derives {
        match checked(&derive) {
            Ok(seconds) => rows.push(
                Row::new("`cargo check` of 100 entities of 10 fields", derive.way).with("seconds", seconds),
            ),
            Err(error) if derive.way == TOASTY => eprintln!("compile: toasty is left out: {error:#}"),
            Err(error) => return Err(error),
        }
    }
    rows.extend(cold(&dynorm)?);
    Ok(rows)
}

/// Seconds for a check after a change, with all dependencies built: the fastest of several.
fn checked(derive: &Derive) -> anyhow::Result<f64> {
    let mut code = String::from("//! Generated.\n");
    for entity in 0..ENTITIES {
        let _ = write!(
            code,
            r"
#[derive({})]
pub struct Entity{entity} {{
    #[{}]
    pub id: String,
    pub name: String,
    pub email: String,
    pub city: Option<String>,
    pub note: Option<String>,
    pub age: u32,
    pub number: i64,
    pub is_active: bool,
    pub score: f64,
    pub status: String,
}}
",
            derive.derives, derive.key
        );
    }
    let package = package(derive.package, derive.lock, &derive.dependencies, &code)?;
    run(&["check"], &package)?;
    let mut fastest = f64::INFINITY;
    for turn in 0..RUNS {
        std::fs::write(package.join("src/lib.rs"), format!("{code}// {turn}\n"))?;
        fastest = fastest.min(run(&["check"], &package)?);
    }
    Ok(fastest)
}

/// A cold build of dynorm and its derive, with their dependencies built; and of the SDK's DynamoDB crate.
fn cold(dynorm: &str) -> anyhow::Result<Vec<Row>> {
    let package = package("cold", "Cargo.lock", dynorm, "//! Generated.\n")?;
    run(&["build"], &package)?;
    let ours = ["-p", "dynorm", "-p", "dynorm-derive"];
    run(&[&["clean"][..], &ours].concat(), &package)?;
    let ours_alone = run(&["build"], &package)?;
    run(&[&["clean"][..], &ours, &["-p", "aws-sdk-dynamodb"]].concat(), &package)?;
    let both = run(&["build"], &package)?;
    let case = "cold build of the crate itself";
    Ok(vec![
        Row::new(case, DYNORM).with("seconds", ours_alone),
        Row::new(case, "aws-sdk-dynamodb").with("seconds", both - ours_alone),
    ])
}

/// Writes a package with one file. It shares the build directory with the others, and takes its versions from
/// the lock file.
fn package(name: &str, lock: &str, dependencies: &str, code: &str) -> anyhow::Result<PathBuf> {
    let folder = target("compile").join(name);
    std::fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \
        \"2024\"\n\n[dependencies]\n{dependencies}\n\n[workspace]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(folder.join("src/lib.rs"), code)?;
    std::fs::copy(workspace().join(lock), folder.join("Cargo.lock"))?;
    Ok(folder)
}

/// The seconds that a cargo command takes.
fn run(command: &[&str], package: &Path) -> anyhow::Result<f64> {
    let start = Instant::now();
    let status = cargo()
        .args(command)
        .arg("--quiet")
        .arg("--target-dir")
        .arg(target("compile").join("target"))
        .current_dir(package)
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "cargo {} failed in {}", command.join(" "), package.display());
    Ok(start.elapsed().as_secs_f64())
}
