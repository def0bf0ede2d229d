//! The peers: other crates for the same work, in their own package, so that nothing else depends on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};

use crate::machine::version;
use crate::process::Client;
use crate::results::workspace;

/// The peers that can be built.
pub(crate) fn clients() -> Vec<Client> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| match build("dynorm-tests/peers") {
        Ok(programs) => Some(programs.join("dynorm-peers")),
        Err(error) => {
            eprintln!("peers: they cannot be built, and are left out: {error:#}");
            None
        }
    });
    let Some(program) = program else { return Vec::new() };
    ["dynamodb-facade", "modyne", "toasty"].map(|name| Client::of(name, program.clone())).into()
}

/// Builds a package outside of the workspace, and returns the directory of its programs.
pub(crate) fn build(package: &str) -> anyhow::Result<PathBuf> {
    let target = target("peers");
    eprintln!("building {package} (the first time takes minutes)");
    let status = cargo()
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(workspace().join(package).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "cargo could not build {package}");
    Ok(target.join("release"))
}

/// The measured versions.
pub(crate) fn versions() -> String {
    let lock = std::fs::read_to_string(workspace().join("dynorm-tests/peers/Cargo.lock")).unwrap_or_default();
    let peers = ["dynamodb-facade", "modyne", "toasty"];
    let known = peers.iter().filter_map(|name| Some(format!("{name} {}", version(&lock, name)?)));
    known.collect::<Vec<_>>().join(", ")
}

/// A directory below the target directory of this program.
pub(crate) fn target(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    // target/release/deps/suite-…
    let target = program.ancestors().nth(3).map(Path::to_owned);
    target.unwrap_or_else(|| workspace().join("target")).join(name)
}

/// Cargo without the variables of the outer cargo, which would make build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let of_a_package = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| of_a_package.iter().any(|prefix| name.starts_with(prefix))) {
            cargo.env_remove(name);
        }
    }
    cargo.stdin(Stdio::null());
    cargo
}
