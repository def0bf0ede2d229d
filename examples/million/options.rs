//! The command line.

use anyhow::bail;

pub(crate) const HELP: &str = "\
Saves items to a table that fails in every way, and compares what became of each with the table.

Usage: cargo run --release --example million -- [OPTIONS] [COUNT]

Arguments:
  [COUNT]         How many items [default: 1000000]

Options:
      --attempts N  How often an item is sent at most; the fewer, the more fail [default: 5]
      --seed N      Another seed makes other faults [default: 1]
  -h, --help        Print this

The exit code is 0 if the fate of every item is compatible with what the table holds, and 1 if
that of any is not.
";

/// The options on the command line.
pub(crate) struct Options {
    pub(crate) count: u64,
    pub(crate) attempts: u32,
    pub(crate) seed: u64,
}

impl Options {
    /// `None` for `--help`.
    pub(crate) fn from_args() -> anyhow::Result<Option<Self>> {
        use lexopt::prelude::*;
        let mut options = Self { count: 1_000_000, attempts: 5, seed: 1 };
        let mut args = lexopt::Parser::from_env();
        while let Some(arg) = args.next()? {
            match arg {
                Value(count) => options.count = count.parse()?,
                Long("attempts") => options.attempts = args.value()?.parse()?,
                Long("seed") => options.seed = args.value()?.parse()?,
                Long("help") | Short('h') => return Ok(None),
                other => bail!("{}; see --help", other.unexpected()),
            }
        }
        Ok(Some(options))
    }
}
