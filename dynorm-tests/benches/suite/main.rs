//! The benchmarks of dynorm, in one command:
//!
//! ```sh
//! cargo bench --workspace --all-features --bench suite
//! ```
//!
//! It measures all parts, prints the tables, and writes them to `docs/BENCHMARKS.md`, and the figures and
//! plots to `docs/benchmarks/`. With names of parts after `--`, it measures only those. With `guard`, it
//! checks the repeatable figures against their limits, and writes nothing.

mod clients;
mod clock;
mod codec;
mod compile;
mod floor;
mod guard;
mod machine;
mod memory;
mod peers;
mod plot;
mod process;
mod report;
mod requests;
mod results;
mod server;
mod shapes;
mod socket;
mod start;
mod stub;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};

use report::Table;
use results::Row;
use work::Case;

/// The ways that most parts compare.
pub(crate) const DYNORM: &str = "dynorm";
pub(crate) const SDK: &str = "serde_dynamo + SDK";
pub(crate) const FLOOR: &str = "floor";

/// A part of the suite.
struct Part {
    /// Its name on the command line, in the markers of the page and in its files.
    name: &'static str,
    measure: fn() -> anyhow::Result<Vec<Row>>,
    tables: &'static [Table],
}

/// All parts, in the order of the report.
const PARTS: &[Part] = &[
    Part {
        name: "codec",
        measure: || counted("codec"),
        tables: &[
            Table {
                measure: "instructions",
                title: "instructions an item",
                against: Some(FLOOR),
                plot: true,
            },
            Table { measure: "ns", title: "nanoseconds an item", against: Some(FLOOR), plot: false },
            Table { measure: "allocations", title: "allocations an item", against: None, plot: false },
        ],
    },
    Part {
        name: "requests",
        measure: || counted("requests"),
        tables: &[
            Table { measure: "instructions", title: "instructions an item", against: Some(SDK), plot: true },
            Table { measure: "ns", title: "nanoseconds an item", against: Some(SDK), plot: false },
            Table { measure: "allocations", title: "allocations an item", against: Some(SDK), plot: false },
        ],
    },
    Part {
        name: "socket",
        measure: socket::measure,
        tables: &[
            Table {
                measure: "cpu",
                title: "CPU of the client, microseconds an item",
                against: Some(SDK),
                plot: true,
            },
            Table {
                measure: "wall",
                title: "wall time, microseconds an item",
                against: Some(SDK),
                plot: false,
            },
        ],
    },
    Part {
        name: "latency",
        measure: socket::latency,
        tables: &[Table {
            measure: "seconds",
            title: "seconds, at 5 ms a request",
            against: Some(SDK),
            plot: true,
        }],
    },
    Part {
        name: "memory",
        measure: memory::measure,
        tables: &[Table { measure: "memory", title: "memory", against: None, plot: false }],
    },
    Part {
        name: "start",
        measure: start::measure,
        tables: &[
            Table {
                measure: "milliseconds",
                title: "milliseconds from start to end",
                against: Some(SDK),
                plot: false,
            },
            Table { measure: "size", title: "size of the program, MB", against: Some(SDK), plot: true },
        ],
    },
    Part {
        name: "compile",
        measure: compile::measure,
        tables: &[Table { measure: "seconds", title: "seconds", against: None, plot: true }],
    },
];

fn main() -> ExitCode {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False if a limit is exceeded.
fn run(arguments: &[String]) -> anyhow::Result<bool> {
    match arguments {
        // This program starts itself for work that needs its own process.
        [flag, part, rest @ ..] if flag == "--rounds" => {
            work::run_rounds(&cases(part)?, rest)?;
            Ok(true)
        }
        [flag, kind, milliseconds] if flag == "--serve" => {
            server::serve(kind, milliseconds.parse()?)?;
            Ok(true)
        }
        [flag, way, endpoint, items] if flag == "--client" => {
            clients::run(way, endpoint, items.parse()?)?;
            Ok(true)
        }
        [flag] if flag == "--clients" => {
            socket::clients_of_dynamodb_local()?;
            Ok(true)
        }
        [flag, case] if flag == "--memory" => {
            memory::run(case)?;
            Ok(true)
        }
        [command] if command == "guard" => guard::check(),
        names => {
            if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|part| part.name != **name)) {
                let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
                bail!("there is no part {unknown}; there are {} and guard", names.join(", "));
            }
            measure(|part| names.is_empty() || names.iter().any(|name| name == part.name))?;
            Ok(true)
        }
    }
}

fn measure(wanted: impl Fn(&Part) -> bool) -> anyhow::Result<()> {
    let machine = machine::describe();
    println!("{machine}");
    report::publish("machine", &machine)?;
    for part in PARTS.iter().filter(|part| wanted(part)) {
        let start = Instant::now();
        let rows = (part.measure)().with_context(|| format!("the part {}", part.name))?;
        results::keep(part.name, &rows)?;
        let section = report::section(part.name, part.tables, &rows)?;
        report::publish(part.name, &section)?;
        println!("{section}");
        eprintln!("{}: {:.0} s", part.name, start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// The cases of the parts whose instructions are counted.
fn cases(part: &str) -> anyhow::Result<Vec<Case>> {
    match part {
        "codec" => Ok(codec::cases()),
        "requests" => Ok(requests::cases()),
        _ => bail!("there is no part {part}"),
    }
}

fn counted(part: &str) -> anyhow::Result<Vec<Row>> {
    if part == "codec" {
        codec::check_floor()?;
    }
    let has_valgrind = work::has_valgrind();
    if !has_valgrind {
        eprintln!("{part}: valgrind is missing, so instructions are not counted");
    }
    let mut rows = Vec::new();
    for case in cases(part)? {
        for way in &case.ways {
            let mut row = Row::new(&case.name, way.name);
            if has_valgrind {
                row.add("instructions", work::instructions(part, &case, way)?);
            }
            row.add("ns", work::nanoseconds(&case, way)?);
            row.add("allocations", work::allocations(&case, way)?);
            rows.push(row);
        }
    }
    Ok(rows)
}
