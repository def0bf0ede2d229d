//! Describes the machine and the versions of a measurement.

use std::process::Command;

use crate::results::workspace;

/// The description in Markdown.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let member = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap_or_default();
        line.split_once([':', '=']).map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processor = member(&file("/proc/cpuinfo"), "model name").unwrap_or_else(unknown);
    let memory = member(&file("/proc/meminfo"), "MemTotal").unwrap_or_else(unknown);
    let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let system = member(&file("/etc/os-release"), "PRETTY_NAME").unwrap_or_else(unknown);
    let kernel = file("/proc/sys/kernel/osrelease");
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let versions = ["aws-sdk-dynamodb", "serde_dynamo", "serde_json", "dynoxide-rs"];
    let lock = file(&workspace().join("Cargo.lock").to_string_lossy());
    let versions: Vec<String> =
        versions.iter().map(|name| format!("{name} {}", version(&lock, name).unwrap_or_default())).collect();
    format!(
        "| machine | |\n|---|---|\n| processor | {processor}, {cores} cores |\n| memory | {} GB |\n| system \
        | {system}, Linux {kernel} |\n| compiler | {} |\n| libraries | {}, {} |\n| instructions counted by \
        | {} |\n\n",
        kilobytes / 1_000_000,
        first_line("rustc", "--version"),
        versions.join(", "),
        crate::peers::versions(),
        first_line("valgrind", "--version"),
    )
}

/// The version of a package in a lock file.
pub(crate) fn version(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next().map(str::to_owned)
}

fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("not there").to_owned()
}
