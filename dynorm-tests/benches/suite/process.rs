//! Child processes: servers, and clients to measure.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::clock::Took;

/// A server process, which is killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) endpoint: String,
}

impl Server {
    /// Starts this program as a server, and waits until it prints its address.
    pub(crate) fn start(kind: &str, milliseconds: u64) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", kind, &milliseconds.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("the server has an output")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let endpoint = format!("http://127.0.0.1:{}", port.trim());
        ensure!(port.trim().parse::<u16>().is_ok(), "the server did not start: {port:?}");
        Ok(Self { process, endpoint })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that saves users and reads them back in its own process.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: String,
    program: PathBuf,
}

impl Client {
    pub(crate) fn ours(name: &str) -> anyhow::Result<Self> {
        Ok(Self { name: name.to_owned(), program: std::env::current_exe()? })
    }

    pub(crate) fn of(name: &str, program: PathBuf) -> Self {
        Self { name: name.to_owned(), program }
    }

    /// Saves `items` users and reads them back.
    pub(crate) fn run(&self, endpoint: &str, items: usize) -> anyhow::Result<[Took; 2]> {
        let output = Command::new(&self.program)
            .args(["--client", &self.name, endpoint, &items.to_string()])
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let problems = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} failed: {}", self.name, problems.trim());
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        match numbers.as_slice() {
            &[save_cpu, save, read_cpu, read] => {
                Ok([Took { cpu: save_cpu, wall: save }, Took { cpu: read_cpu, wall: read }])
            }
            _ => bail!("{} printed {text:?}", self.name),
        }
    }
}
