//! The file of planes as a stream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use csv::{ErrorKind, StringRecord, Trim};
use tokio::sync::mpsc;

use crate::Plane;

/// The number of rows in a batch. dynorm splits them into requests, and sends several in parallel.
const AT_A_TIME: usize = 500;

/// Some rows of the file.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) planes: Vec<Plane>,
    /// The line number of each plane.
    pub(crate) lines: Vec<u64>,
    /// The malformed rows: the line number and the reason.
    pub(crate) malformed: Vec<(u64, String)>,
    /// The length of all rows in bytes.
    pub(crate) bytes: u64,
}

const COLUMNS: [&str; 9] =
    ["tailnum", "year", "type", "manufacturer", "model", "engines", "seats", "speed", "engine"];

/// A CSV file with a plane on each line. The first line names the columns.
pub(crate) struct PlaneFile {
    lines: BufReader<File>,
    columns: StringRecord,
    pub(crate) bytes: u64,
}

impl PlaneFile {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let bytes = file.metadata()?.len();
        let (mut lines, mut first) = (BufReader::new(file), Vec::new());
        lines.read_until(b'\n', &mut first).with_context(|| format!("cannot read {name}"))?;
        let columns = fields(&first).with_context(|| format!("{name} is not a CSV file"))?;
        for column in COLUMNS {
            let is_there = columns.iter().any(|name| name == column);
            ensure!(is_there, "{name} is not a file of planes: the first line names no column `{column}`");
        }
        Ok(Self { lines, columns, bytes })
    }

    /// Sends the rows in batches, and waits while the channel is full.
    pub(crate) fn read(mut self, batches: &mpsc::Sender<Rows>) -> anyhow::Result<()> {
        let mut rows = Rows::default();
        // A second plane with the same tail number would replace the first. To detect it, all tail numbers
        // are kept in memory, but nothing else of the file.
        let mut seen: HashMap<String, u64> = HashMap::new();
        let mut line = Vec::new();
        for number in 2.. {
            line.clear();
            if self.lines.read_until(b'\n', &mut line).context("cannot read the file to its end")? == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match parse(&line, &self.columns) {
                Ok(plane) => match seen.entry(plane.tailnum.clone()) {
                    Entry::Vacant(free) => {
                        free.insert(number);
                        rows.planes.push(plane);
                        rows.lines.push(number);
                    }
                    Entry::Occupied(first) => {
                        let reason =
                            format!("the tail number {} is on line {} already", first.key(), first.get());
                        rows.malformed.push((number, reason));
                    }
                },
                Err(reason) => rows.malformed.push((number, format!("{reason:#}"))),
            }
            rows.bytes += line.len() as u64;
            if rows.lines.len() + rows.malformed.len() == AT_A_TIME
                && batches.blocking_send(std::mem::take(&mut rows)).is_err()
            {
                return Ok(()); // the import has ended with an error
            }
        }
        batches.blocking_send(rows).ok();
        Ok(())
    }
}

/// Parses the fields of one line. Lines are parsed one by one, so that a stray quote affects one row and not
/// the rest of the file.
fn fields(line: &[u8]) -> anyhow::Result<StringRecord> {
    let text = std::str::from_utf8(line).context("it is not UTF-8")?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(text.as_bytes());
    let mut fields = StringRecord::new();
    reader.read_record(&mut fields)?;
    Ok(fields)
}

fn parse(line: &[u8], columns: &StringRecord) -> anyhow::Result<Plane> {
    let row = fields(line)?;
    ensure!(row.len() == columns.len(), "it has {} fields instead of {}", row.len(), columns.len());
    // For serde, an empty field is a missing one.
    let row: StringRecord = row.iter().map(|field| if field == "NA" { "" } else { field }).collect();
    row.deserialize(Some(columns)).map_err(|error| match error.kind() {
        ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| columns.get(field as usize));
            column.map_or_else(|| anyhow!("{}", err.kind()), |column| anyhow!("{column}: {}", err.kind()))
        }
        _ => error.into(),
    })
}
