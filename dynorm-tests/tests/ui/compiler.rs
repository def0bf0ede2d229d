//! Calls the compiler on a case as cargo would, with the libraries that are built already.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;

/// The crates that cases may use.
const CRATES: [&str; 2] = ["dynorm", "serde"];

/// A message of the compiler.
pub(crate) struct Diagnostic {
    pub(crate) is_error: bool,
    pub(crate) rendered: String,
}

/// The root of the workspace. Paths in messages are relative to it.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace")
}

/// Compiles a file, given by its path in the workspace, and returns the messages.
pub(crate) fn compile(file: &Path) -> Vec<Diagnostic> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(workspace()).args(["--edition=2024", "--crate-name=ui_case", "--crate-type=bin"]);
    rustc.args(["--emit=metadata", "--error-format=json", "--diagnostic-width=140"]);
    // With full types. Unused items of a case are allowed.
    rustc.args(["--verbose", "--allow=dead_code"]);
    rustc.args(["--out-dir", env!("CARGO_TARGET_TMPDIR")]);
    for (name, library) in LIBRARIES.iter() {
        rustc.arg("--extern").arg(format!("{name}={}", library.display()));
        rustc.arg("-L").arg(format!("dependency={}", library.parent().unwrap_or(library).display()));
    }
    let output = rustc.arg(file).output().expect("the compiler runs");
    // The last note is for a terminal: how to show more.
    let diagnostics = json_lines(&output.stderr).filter(|message| message["level"] != "failure-note");
    let diagnostics = diagnostics.map(|message| Diagnostic {
        is_error: message["level"] == "error",
        rendered: message["rendered"].as_str().unwrap_or_default().to_owned(),
    });
    diagnostics.collect()
}

/// The directory of the libraries. Only cargo knows which of several builds has these features. With the
/// features of the whole workspace, as in CONTRIBUTING.md, all of them are built already.
static LIBRARIES: LazyLock<BTreeMap<&str, PathBuf>> = LazyLock::new(|| {
    let output = cargo();
    assert!(output.status.success(), "cargo failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let artifacts: Vec<Value> = json_lines(&output.stdout).collect();
    let library = |name| {
        let artifacts = artifacts.iter().filter(|artifact| artifact["target"]["name"] == name);
        let files = artifacts.filter_map(|artifact| artifact["filenames"].as_array()).flatten();
        let mut files = files.filter_map(Value::as_str).filter(|file| file.ends_with(".rlib"));
        let file = files.next().unwrap_or_else(|| panic!("cargo did not build {name}"));
        assert!(files.next().is_none(), "cargo built {name} more than once");
        PathBuf::from(file)
    };
    CRATES.into_iter().map(|name| (name, library(name))).collect()
});

fn cargo() -> Output {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Without cargo's variables for this package, which would make build scripts run again.
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            cargo.env_remove(name);
        }
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    cargo.current_dir(workspace()).args(["test", "--no-run", "--offline", "--workspace", "--all-features"]);
    cargo.args(["--test=ui", "--message-format=json", "--target-dir"]).arg(target);
    cargo.output().expect("cargo runs")
}

fn json_lines(output: &[u8]) -> impl Iterator<Item = Value> {
    output.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}
