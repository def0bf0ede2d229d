//! Runs the examples as in a fresh clone.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail, ensure};
use dynorm::Database;
use dynorm::aws::types::Select;

/// The program of an example, as cargo built it beside this test, without the environment variables that name
/// a database.
fn example(name: &str) -> anyhow::Result<Command> {
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).context("cargo builds tests in a folder of their own")?;
    let program = profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    ensure!(
        program.exists(),
        "{} is not built: `--test run` alone builds no examples, `cargo build --examples` does",
        program.display()
    );
    let mut command = Command::new(program);
    for variable in ["DYNORM_DATABASE", "DYNAMODB_ENDPOINT", "DYNORM_TABLE_PREFIX"] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// The result of a run.
struct Run {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Run {
    fn of(command: &mut Command) -> anyhow::Result<Self> {
        let Output { status, stdout, stderr } = command.output()?;
        Ok(Self {
            stdout: String::from_utf8(stdout)?,
            stderr: String::from_utf8(stderr)?,
            code: status.code(),
        })
    }

    /// The number of items in the row that begins with `what`.
    fn items(&self, what: &str) -> Option<usize> {
        let row = self.stdout.lines().find_map(|line| line.strip_prefix(what))?;
        row.split_whitespace().next()?.replace(',', "").parse().ok()
    }
}

/// A path for this test alone, with nothing there.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_file(&path).ok();
    path
}

#[test]
fn quickstart_runs() -> anyhow::Result<()> {
    let run = Run::of(&mut example("quickstart")?)?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    assert!(run.stdout.contains("London:  2 adults"), "{}", run.stdout);
    assert!(run.stdout.contains("deleted: 0 users are left"), "{}", run.stdout);
    Ok(())
}

#[test]
fn every_section_of_the_batch_operations_runs() -> anyhow::Result<()> {
    let run = Run::of(&mut example("batch_operations")?)?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    let mut lines = run.stdout.lines();
    for said in [
        "batch get: user1@example.com, user2@example.com, user3@example.com",
        "automatic chunking: 250 users in 3 requests",
        "batch save: 3 users, 3 with id and timestamps",
        "batch delete: 3 users",
        "delete by entity: 50 banned users",
        "collection: 50 saved, 10 deleted, 40 activated, 190 processed",
        "  processing batch 1 of 8",
        "  processing batch 8 of 8",
        "chunking: 8 batches",
        "retry handling: 50 users, 50 of them sent again",
        "constants: get 100, write 25, retries 3",
        "error handling: an item above 400 KB: correct the items that were rejected",
        "error handling: no capacity: send less, or raise the capacity of the table",
        "error handling: a failing server: try again later",
        "  20 of 75 are left; the first, partial1@example.com, is unprocessed",
        "partial failures: 75 users are saved in the end",
        "  imported 25/60 users",
        "  imported 60/60 users",
        "import from CSV: 60 users",
        "bulk status update: 30 users of 40 ids deactivated",
        "clean-up: 30 old records deleted, 60 left",
        "parallel processing: 376 users in 16 requests",
        "every section ran",
    ] {
        // Each line continues after the one before, so the order matters.
        assert!(lines.any(|line| line == said), "no {said:?}, or not at its place, in\n{}", run.stdout);
    }
    assert_eq!(lines.next(), None);
    Ok(())
}

#[test]
fn every_query_gives_what_is_in_the_file() -> anyhow::Result<()> {
    let run = Run::of(&mut example("queries")?)?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    let mut lines = run.stdout.lines();
    for said in [
        "import: 3322 planes",
        "by key: N10156 is EMBRAER EMB-145XR",
        "several keys: 2 of 3 planes have more than 100 seats",
        "count: 336 planes of AIRBUS",
        "sort key: 85 BOEING have 250 to 300 seats; 85 items were read",
        "filter: 1 BOEING have more than two engines; 1630 items were read",
        "order and limit: the largest BOEING",
        "  N670US  747-451  450 seats",
        "projection: the smallest BOEING is a 717-200 with 100 seats",
        "several partitions: the largest of AIRBUS and EMBRAER has 379 seats",
        "exists: a plane of TUPOLEV? false",
        "stream: the turbo-jets since 2000 have 40382 seats",
        "collection: the propellers of before 1980, by manufacturer",
        "  CESSNA: 150, 172E, 172N, 210-5(205), 310Q",
        "  DEHAVILLAND: OTTER DHC-3",
        "  DOUGLAS: DC-7BF",
        "  PIPER: PA-28-180, PA-32R-300, PA-32RT-300",
        "scan: 8 planes are of before 1970",
        "field by name: 4 planes have 4 engines",
        "orders: Ada has 6",
        "orders: Alan has 1",
        "orders: the latest three of Ada",
        "  2026-06-15   60  Placed",
        "  2026-05-15   50  Placed",
        "  2026-04-15   40  Shipped",
        "orders: 2 from February to March, by Ada",
        "orders: 3 of all customers wait to be shipped, for 117",
        "orders: leave it at the door, for 60",
    ] {
        // Each line continues after the one before, so the order matters.
        assert!(lines.any(|line| line == said), "no {said:?}, or not at its place, in\n{}", run.stdout);
    }
    assert!(run.stdout.contains("`Plane` has no field that is stored as `wings`"), "{}", run.stdout);

    // The rest are plans, separated by empty lines.
    let plans: Vec<String> = lines.map(|line| format!("{line}\n")).collect();
    let plans = plans.concat();
    let answers: Vec<&str> = plans.split("\n\n").filter_map(|plan| plan.trim().lines().nth(1)).collect();
    let refused = "Refused: no key and no index of `Plane` can serve these conditions, so the whole table would be \
                   read: add `#[entity(index = \"by_model\")]` to `model`, or call `.allow_scan()`";
    assert_eq!(
        answers,
        [
            "Query on the table `planes`",
            "Query on the index `by_manufacturer` of `planes`",
            "Query on the index `by_manufacturer` of `planes`",
            "Query on the table `shop`",
            "Query on the index `by_status` of `shop`",
            "Query on the index `by_status` of `shop`",
            refused,
            "Query on the index `by_manufacturer` of `planes`",
        ]
    );
    Ok(())
}

#[test]
fn every_page_is_served_and_a_wrong_cursor_is_not() -> anyhow::Result<()> {
    let run = Run::of(example("pages")?.arg("--demo").env_remove("CURSOR_KEY"))?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    let lines: Vec<&str> = run.stdout.lines().collect();
    let expected = [
        ("page 1: 20 events, Event 1 to Event 20", ""),
        ("page 2: 20 events, Event 21 to Event 40", ""),
        ("page 3: 5 events, Event 41 to Event 45", ""),
        ("an altered cursor: 400 ", "the cursor has another signature"),
        (
            "a cursor of another city: 400 ",
            "the cursor belongs to another query; start again with the first page",
        ),
        ("something else as a cursor: 400 ", "\"page-2\" is not a cursor"),
        ("no city: 400 ", "missing field `city`"),
        ("a size of 0: 400 ", "a page has at least one item"),
    ];
    assert_eq!(lines.len(), expected.len(), "{}", run.stdout);
    for (line, (beginning, part)) in lines.iter().zip(expected) {
        assert!(line.starts_with(beginning) && line.contains(part), "{line}");
    }
    Ok(())
}

#[test]
fn every_plane_is_saved_and_read_back() -> anyhow::Result<()> {
    let run = Run::of(&mut example("planes")?)?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)), "no bar and no colours outside a terminal");
    assert_eq!(run.items("saved"), Some(3322), "{}", run.stdout);
    assert_eq!(run.items("read back, and equal"), Some(3322));
    assert_eq!(run.items("malformed and left out"), Some(0));
    assert_eq!(run.items("AIRBUS INDUSTRIE renamed to AIRBUS"), Some(400));
    assert_eq!(run.items("BOEING of before 1985 deleted"), Some(6));
    assert_eq!(run.items("in the table now"), Some(3316));
    Ok(())
}

#[test]
fn a_batch_keeps_to_the_pace_of_its_table() -> anyhow::Result<()> {
    let file = fresh("pace.svg");
    let run = Run::of(example("pace")?.arg("--file").arg(&file))?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));

    // The name of a row is in the first 36 columns, followed by items, requests, at least, took, ratio,
    // waited and sends.
    let figures = |name: &str| -> anyhow::Result<(f64, f64)> {
        let row = run.stdout.lines().find_map(|line| line.strip_prefix(name)).context("no such row")?;
        let cells: Vec<&str> = row.split_whitespace().filter(|cell| *cell != "s").collect();
        let [_, _, _, _, ratio, _, sends] = cells.as_slice() else { bail!("{row}") };
        Ok((ratio.parse()?, sends.parse()?))
    };
    for name in ["a table of 1,000 units a second", "at most 500 units a second"] {
        let (ratio, sends) = figures(name)?;
        assert!((1.0..=1.05).contains(&ratio) && (1.0..1.2).contains(&sends), "{}", run.stdout);
    }
    // The first round trips measure what an idle table answers, and a hot range does not delay other keys.
    assert!(figures("an idle table")?.0 <= 1.1, "{}", run.stdout);
    assert!(figures("a hot range of keys")?.1 < 1.2, "{}", run.stdout);

    let plot = fs::read_to_string(&file)?;
    assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"), "{plot:.100}");
    assert!(plot.contains("How fast a batch goes"));
    assert_fails(example("pace")?.arg("--file").arg(file.join("no")), &["cannot write", "pace.svg"])
}

#[test]
fn every_fate_of_many_items_is_compatible_with_the_table() -> anyhow::Result<()> {
    let run = Run::of(example("million")?.args(["3000", "--attempts", "2"]))?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)), "{}", run.stdout);
    let rows = run.stdout.lines().take_while(|line| !line.is_empty()).skip(1);
    let (mut inputs, mut names) = (0, Vec::new());
    for row in rows {
        assert!(row.ends_with("  yes"), "{row}");
        let name = row.get(..40).context("a row begins with a fate")?;
        inputs += run.items(name).context("a row has a number")?;
        names.push(name.trim_end());
    }
    assert_eq!(inputs, 3000, "{}", run.stdout);
    for name in ["done", "unprocessed", "unprocessed, after a status of 500", "unknown"] {
        assert!(names.contains(&name), "no {name:?} in {}", run.stdout);
    }
    assert!(run.items("in the table").is_some_and(|stored| (2000..2970).contains(&stored)), "{}", run.stdout);
    Ok(())
}

const HEADER: &str = "tailnum,year,type,manufacturer,model,engines,seats,speed,engine";

#[test]
fn a_malformed_row_is_reported_by_its_line_and_the_others_are_saved() -> anyhow::Result<()> {
    let rows = [
        (HEADER, ""),
        ("N1,2004,Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Turbo-fan", ""),
        ("N2,2004,Fixed wing", "it has 3 fields instead of 9"),
        ("N3,soon,Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Turbo-fan", "year: invalid digit"),
        ("", ""),
        ("NA,2004,Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Turbo-fan", "tailnum: "),
        ("N1,2005,Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Turbo-fan", "N1 is on line 2 already"),
        ("N4,2004,Fixed wing,NA,EMB-145XR,2,55,NA,Turbo-fan", "by_manufacturer"),
        ("N5,2004,Fixed wing,EMBRAER,EMB-145XR,300,55,NA,Turbo-fan", "engines: number too large"),
        ("N6,2004,Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Steam", "unknown variant `Steam`"),
        ("N7,2004,\"Fixed wing,EMBRAER,EMB-145XR,2,55,NA,Turbo-fan", "it has 3 fields instead of 9"),
        ("N8,NA,Fixed wing,\"EMBRAER, Brazil\",EMB-145XR,2,55,90,4 Cycle", ""),
    ];
    for (name, end_of_line) in [("unix", "\n"), ("windows", "\r\n")] {
        let file = fresh(&format!("malformed-{name}.csv"));
        let database = fresh(&format!("malformed-{name}.db"));
        fs::write(&file, rows.map(|(row, _)| row).join(end_of_line))?;

        let run = Run::of(
            example("planes")?
                .arg("--file")
                .arg(&file)
                .env("DYNORM_DATABASE", format!("file:{}", database.display()))
                .env("DYNORM_TABLE_PREFIX", "test-"),
        )?;

        let expected: Vec<(usize, &str)> = (1..)
            .zip(rows)
            .filter(|(_, (_, reason))| !reason.is_empty())
            .map(|(line, (_, reason))| (line, reason))
            .collect();
        assert_eq!(run.stderr.lines().count(), expected.len(), "{}", run.stderr);
        for (said, (line, reason)) in run.stderr.lines().zip(&expected) {
            assert!(said.starts_with(&format!("line {line} is left out: ")), "{said}");
            assert!(said.contains(reason), "{said}");
        }
        assert_eq!(run.code, Some(0));
        assert_eq!(run.items("saved"), Some(2), "{}", run.stdout);
        assert_eq!(run.items("malformed and left out"), Some(expected.len()));
        assert_eq!(stored(&database)?, 2);
    }
    Ok(())
}

/// The number of items in the database file, counted without the entity.
#[tokio::main(flavor = "current_thread")]
async fn stored(database: &Path) -> anyhow::Result<i32> {
    let client = Database::file(database)?.client().clone();
    Ok(client.scan().table_name("test-planes").select(Select::Count).send().await?.count)
}

/// Checks that it fails with a single line, which has all these parts.
fn assert_fails(command: &mut Command, parts: &[&str]) -> anyhow::Result<()> {
    let run = Run::of(command)?;
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(1)), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is not in {}", run.stderr);
    }
    Ok(())
}

#[test]
fn a_database_out_of_reach_is_a_clear_error() -> anyhow::Result<()> {
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // free again, so nobody listens there
    let endpoint = format!("http://{nobody}");
    let refused = ["`planes`", "nobody answers", "refused"];
    assert_fails(example("planes")?.args(["--endpoint", &endpoint]), &refused)?;
    assert_fails(example("planes")?.env("DYNAMODB_ENDPOINT", &endpoint), &refused)
}

#[test]
fn an_environment_that_makes_no_sense_is_a_clear_error() -> anyhow::Result<()> {
    let databases = ["DYNORM_DATABASE is \"oracle\"", "`aws`, `memory` or `file:PATH`"];
    assert_fails(example("planes")?.env("DYNORM_DATABASE", "oracle"), &databases)?;
    let file = ["/nowhere/at/all.db", "create it first"];
    assert_fails(example("planes")?.env("DYNORM_DATABASE", "file:/nowhere/at/all.db"), &file)?;
    let url = ["DYNAMODB_ENDPOINT", "\"localhost:8000\" is not a URL", "http://localhost:8000"];
    assert_fails(example("planes")?.env("DYNAMODB_ENDPOINT", "localhost:8000"), &url)
}

#[test]
fn a_file_that_is_no_list_of_planes_is_a_clear_error() -> anyhow::Result<()> {
    let planes = |path: &Path| -> anyhow::Result<Command> {
        let mut command = example("planes")?;
        command.arg("--file").arg(path);
        Ok(command)
    };
    let file = fresh("no-planes.csv");
    assert_fails(&mut planes(&file)?, &["cannot open", "no-planes.csv"])?;
    fs::write(&file, "name,age\nAda,36\n")?;
    assert_fails(&mut planes(&file)?, &["no-planes.csv", "no column `tailnum`"])?;
    fs::write(&file, HEADER)?;
    assert_fails(&mut planes(&file)?, &["nothing was imported"])?;
    fs::write(&file, b"\x7fELF\xff\xfe\n")?;
    assert_fails(&mut planes(&file)?, &["no-planes.csv", "not a CSV file"])
}

#[test]
fn the_command_line_explains_itself() -> anyhow::Result<()> {
    let help = Run::of(example("planes")?.arg("--help"))?;
    assert_eq!((help.stderr.as_str(), help.code), ("", Some(0)));
    for option in ["--file", "--endpoint", "DYNORM_DATABASE", "DYNAMODB_ENDPOINT", "DYNORM_TABLE_PREFIX"] {
        assert!(help.stdout.contains(option), "{option}");
    }
    assert_fails(example("planes")?.arg("--fiel"), &["--fiel", "see --help"])
}

#[test]
fn the_books_of_the_order_service_balance() -> anyhow::Result<()> {
    let run = Run::of(&mut example("orders")?)?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    for said in [
        " cancelled, ",
        ", 12 deliveries, 0 failed\n",
        "the books balance",
        " tea are left\n",
        "refused: there is no sugar\n",
        "read it again, and repeat the change\nmilk costs 120, after both have changed it\n",
        "a late customer has the e-mail late@example.com\n",
        "the account stays open: there are orders that are not shipped yet\n",
        "refused: the account is closed\na late customer is back, with a credit of 2880\n",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    Ok(())
}

#[test]
fn and_they_balance_when_the_database_fails() -> anyhow::Result<()> {
    let run = Run::of(example("orders")?.args(["--faults", "--seed", "7"]))?;
    assert_eq!((run.stderr.as_str(), run.code), ("", Some(0)));
    for said in ["the books balance", " in conflict", " cut after", " throttled"] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    assert_fails(example("orders")?.arg("--nonsense"), &["--nonsense", "--help"])
}
