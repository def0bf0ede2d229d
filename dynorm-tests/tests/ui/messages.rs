//! Normalizes messages of the compiler: removes what differs between machines or after edits of the library,
//! such as directories, line numbers outside of the case, and indentation.

use std::iter;

/// Lists of types are cut off after this number of types, since the library may grow.
const LISTED_TYPES: usize = 9;
/// The least indentation of such a list.
const LISTED: &str = "            ";

/// What stands behind the last message.
const SUMMARY: [&str; 3] =
    ["error: aborting due to ", "Some errors have detailed explanations:", "For more information about "];
/// The file with the full text of a long type has another path in each run.
const LONG_NAME: [&str; 2] =
    ["the full name for the type has been written to", "the full type name has been written to"];

/// The messages as in a `.stderr` file.
pub(crate) fn of<'a>(rendered: impl Iterator<Item = &'a str>) -> String {
    let messages = rendered.map(|message| unindented(&without_places(message)));
    messages.filter(|message| !message.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Removes directories from paths, and line numbers in files other than the case.
fn without_places(message: &str) -> String {
    let mut out = String::new();
    let mut outside = false; // in the source of another file
    let mut types = None; // how many types there were of the list that goes on here
    for line in message.lines() {
        let text = line.trim_start();
        let note = text.trim_start_matches("= note: ");
        if SUMMARY.iter().any(|start| line.starts_with(start))
            || LONG_NAME.iter().any(|start| note.starts_with(start))
        {
            continue;
        }
        let line = if let Some((arrow, place)) = arrow(line) {
            let own = place.strip_prefix("dynorm-tests/").filter(|place| place.starts_with("tests/ui/"));
            outside = own.is_none();
            format!("{arrow}{}", own.map_or_else(|| named(without_numbers(place)), str::to_owned))
        } else if outside && text.starts_with(|first: char| first.is_ascii_digit() || "|.".contains(first)) {
            let source = line.trim_start_matches(|first: char| first.is_ascii_digit() || first == ' ');
            format!("{:1$}{source}", "", line.len() - source.len())
        } else {
            outside = false;
            line.replace("dynorm-tests/tests/ui/", "$DIR/tests/ui/")
        };
        types = match types {
            _ if text.starts_with("= help: the following ") && text.contains("types implement trait ") => {
                Some(0)
            }
            Some(count) if line.starts_with(LISTED) => Some(count + 1),
            _ => None,
        };
        let line = match types {
            Some(LISTED_TYPES) => format!("{:1$}and $N others", "", line.len() - text.len() - 2),
            Some(count) if count > LISTED_TYPES => continue,
            _ => line,
        };
        out.push_str(line.trim_end());
        // Keeps one of several empty lines.
        if !out.ends_with("\n\n") {
            out.push('\n');
        }
    }
    trimmed(&out)
}

/// The indentation with its arrow, and the location after it.
fn arrow(line: &str) -> Option<(&str, &str)> {
    let indent = line.len() - line.trim_start().len();
    let arrow = ["--> ", "::: "].into_iter().find(|arrow| line[indent..].starts_with(arrow))?;
    Some(line.split_at(indent + arrow.len()))
}

/// `src/lib.rs` of `src/lib.rs:12:34`.
fn without_numbers(place: &str) -> &str {
    place.trim_end_matches(|last: char| last.is_ascii_digit() || last == ':')
}

fn named(path: &str) -> String {
    if let Some((_, path)) = path.split_once("/library/").filter(|(root, _)| root.contains("rust")) {
        return format!("$RUST/{path}");
    }
    let Some((_, path)) = path.split_once("/registry/src/") else {
        return format!("$WORKSPACE/{path}");
    };
    // index.crates.io-1949cf8c6b5b557f/serde-1.0.228/src/lib.rs
    let mut parts = path.splitn(3, '/').skip(1);
    let package = parts.next().unwrap_or_default();
    let name = package
        .split_once('.')
        .and_then(|(start, _)| start.rsplit_once('-'))
        .map_or(package, |(name, _)| name);
    format!("$CARGO/{name}-$VERSION/{}", parts.next().unwrap_or_default())
}

/// Moves each block of source as far left as its line numbers allow; removed ones may have been long.
fn unindented(message: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let lines: Vec<&str> = message.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        out.push((*line).to_owned());
        at += 1;
        let heading = is_heading(line) || line.starts_with("note: ");
        if !heading || !lines.get(at).is_some_and(|next| next.trim_start().starts_with("--> ")) {
            continue;
        }
        let block = block(&lines[at..]);
        let least = block.iter().filter_map(|line| gutter(line)).min().unwrap_or_default();
        let mut after_note = false;
        for line in block {
            let note = is_note(line, after_note);
            let space = line.find(' ').filter(|_| !note);
            out.push(match space {
                Some(space) => format!("{}{}", &line[..space], &line[space + least..]),
                None => (*line).to_owned(),
            });
            after_note = note;
        }
        at += block.len();
    }
    trimmed(&out.join("\n"))
}

/// The lines up to the next heading that are source, or notes on it.
fn block<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    let mut after_note = false;
    let len = lines.iter().take_while(|line| {
        let note = is_note(line, after_note);
        after_note = note;
        !is_heading(line) && (note || gutter(line).is_some() || continues(line))
    });
    &lines[..len.count()]
}

fn is_heading(line: &str) -> bool {
    ["error", "warning"]
        .iter()
        .any(|level| line.strip_prefix(level).is_some_and(|rest| rest.starts_with([':', '['])))
}

/// A note at the left margin, or another line that starts there.
fn is_note(line: &str, after_note: bool) -> bool {
    line == "..."
        || line.starts_with("note:")
        || line.starts_with("help:")
        || (after_note && line.starts_with("      "))
}

/// A line of a list below a note.
fn continues(line: &str) -> bool {
    line.bytes().take_while(|byte| *byte == b' ').count() > 10
}

/// How far a line can move left, by its line number or the space for one.
fn gutter(line: &str) -> Option<usize> {
    let spaces = |text: &str| text.bytes().take_while(|byte| *byte == b' ').count();
    if let Some(rest) = line.strip_prefix("... ") {
        return Some(spaces(rest));
    }
    let before = spaces(line);
    let digits = line[before..].bytes().take_while(u8::is_ascii_digit).count();
    let spaces = before + spaces(&line[before + digits..]);
    let rest = &line[digits + spaces..];
    let begins =
        |sign: &str| rest.strip_prefix(sign).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let is_code = begins("|")
        || (digits > 0 && (begins("~") || begins("+") || begins("-")))
        || (digits == 0 && ["--> ", "::: ", "= "].iter().any(|sign| rest.starts_with(sign)));
    (spaces > 0 && is_code).then(|| spaces - 1)
}

fn trimmed(text: &str) -> String {
    let text = text.trim_end();
    text.chars().chain(iter::once('\n').filter(|_| !text.is_empty())).collect()
}
