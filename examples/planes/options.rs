//! The command line, and the database that it selects.

use std::env;
use std::path::PathBuf;

use anyhow::bail;
use dynorm::Database;

pub(crate) const HELP: &str = "\
Imports a CSV file of aircraft into DynamoDB.

Usage: cargo run --example planes -- [OPTIONS]

Options:
      --file PATH     The file; its columns are tailnum, year, type, manufacturer, model,
                      engines, seats, speed, engine [default: examples/planes.csv]
      --endpoint URL  A DynamoDB near by, such as DynamoDB Local at http://localhost:8000
  -h, --help          Print this

Without --endpoint, the environment names the database:
  DYNORM_DATABASE      aws, memory (an embedded database) or file:PATH (the same, kept in a file)
  DYNAMODB_ENDPOINT    another endpoint than that of the AWS region
  DYNORM_TABLE_PREFIX  stands before the name of the table, `planes`
With nothing set it is an embedded database in memory. The table is created if it is absent.

Malformed rows are reported on stderr and left out. The exit code is 0 if anything was
imported, and 1 if nothing was or if the database failed.
";

/// The options on the command line.
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    endpoint: Option<String>,
}

impl Options {
    /// `None` for `--help`.
    pub(crate) fn from_args() -> anyhow::Result<Option<Self>> {
        use lexopt::prelude::*;
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/planes.csv").into();
        let mut options = Self { file, endpoint: None };
        let mut args = lexopt::Parser::from_env();
        while let Some(arg) = args.next()? {
            match arg {
                Long("file") => options.file = args.value()?.into(),
                Long("endpoint") => options.endpoint = Some(args.value()?.string()?),
                Long("help") | Short('h') => return Ok(None),
                other => bail!("{}; see --help", other.unexpected()),
            }
        }
        Ok(Some(options))
    }

    /// The database to import into.
    pub(crate) async fn database(&self) -> dynorm::Result<Database> {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        match &self.endpoint {
            Some(url) => {
                let prefix = env::var("DYNORM_TABLE_PREFIX").unwrap_or_default();
                Ok(Database::local(url).with_table_prefix(prefix))
            }
            None if is_set("DYNORM_DATABASE") || is_set("DYNAMODB_ENDPOINT") => Database::from_env().await,
            None => Database::memory(),
        }
    }
}
