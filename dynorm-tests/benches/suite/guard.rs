//! The guard: checks repeatable figures against limits. `.ci/run` runs it.
//!
//! Allocations are always counted, instructions only if valgrind is installed. A test of `dynorm-derive`
//! limits the number of generated lines.

use crate::codec::cases as codec;
use crate::requests::{BATCH_GET, BATCH_SAVE, QUERY, batch_get_dynorm, cases as requests};
use crate::shapes::{Document, Order, Plane, Shape, User};
use crate::work::{self, Case, Way, allocations, allocations_of, instructions};
use crate::{DYNORM, FLOOR, SDK};

/// A limit for dynorm: a share of another way's figure, or an addition to it.
struct Limit {
    part: &'static str,
    case: String,
    against: Against,
    /// The goal.
    goal: f64,
    /// The figure reached so far, plus three percent. More than that fails.
    reached: f64,
}

#[derive(Clone, Copy)]
enum Against {
    /// Instructions, as a share of another way's.
    Way(&'static str),
    /// Allocations per item, beyond those for the fields of the struct.
    Fields,
    /// The same for the second half of a request's items, so that the SDK's cost of the request itself does
    /// not count.
    FieldsOfMore,
}

/// All limits. `reached` only goes down.
fn limits() -> Vec<Limit> {
    let of = |part, case: &str, against, goal, reached| Limit {
        part,
        case: case.to_owned(),
        against,
        goal,
        reached,
    };
    let codec = |way: &str, shape: &str, reached| {
        of("codec", &format!("{way}: {shape}"), Against::Way(FLOOR), 1.2, reached)
    };
    vec![
        of("requests", BATCH_SAVE, Against::Way(SDK), 0.40, 0.41),
        of("requests", BATCH_GET, Against::Way(SDK), 0.25, 0.28),
        codec("encode", User::NAME, 1.20),
        codec("encode", Plane::NAME, 1.20),
        codec("encode", Order::NAME, 1.20),
        codec("encode", Document::NAME, 1.20),
        codec("decode", User::NAME, 1.20),
        codec("decode", Plane::NAME, 1.20),
        codec("decode", Order::NAME, 1.20),
        codec("decode", Document::NAME, 1.20),
        of("requests", BATCH_GET, Against::Fields, 1.0, 3.3),
        of("requests", BATCH_GET, Against::FieldsOfMore, 1.0, 1.0),
        of("requests", QUERY, Against::Fields, 1.0, 1.0),
    ]
}

/// True if no limit is exceeded.
pub(crate) fn check() -> anyhow::Result<bool> {
    crate::codec::check_floor()?;
    let has_valgrind = work::has_valgrind();
    if !has_valgrind {
        println!("valgrind is missing, so instructions are not counted: allocations alone are checked");
    }
    println!("| guarded | measured | at most | goal | |");
    println!("|---|---:|---:|---:|---|");
    let (codec, requests) = (codec(), requests());
    let user = User::sample(1);
    let fields = allocations_of(|| user.clone());
    let mut kept = true;
    for limit in limits() {
        let cases = if limit.part == "codec" { &codec } else { &requests };
        let Some((case, ours)) = find(cases, &limit.case, DYNORM) else { continue };
        let (what, measured) = match limit.against {
            Against::Way(_) if !has_valgrind => continue,
            Against::Way(name) => {
                let Some((_, theirs)) = find(cases, &limit.case, name) else { continue };
                let (ours, theirs) =
                    (instructions(limit.part, case, ours)?, instructions(limit.part, case, theirs)?);
                (format!("instructions, of {name}"), ours / theirs)
            }
            Against::Fields => {
                ("allocations an item, beyond its fields".to_owned(), allocations(case, ours)? - fields)
            }
            Against::FieldsOfMore => {
                let half =
                    Case { items: 100, ways: Vec::new(), name: case.name.clone(), rounds: case.rounds };
                let half = allocations(&half, &Way::new(DYNORM, batch_get_dynorm::<50>))?;
                let more = (allocations(case, ours)? - half) * 2.0 - fields;
                ("allocations of each further item, beyond its fields".to_owned(), more)
            }
        };
        let most = limit.reached.max(limit.goal);
        let verdict = match measured {
            over if over > most => "OVER THE LIMIT",
            short if short > limit.goal => "short of the goal",
            _ => "",
        };
        kept &= measured <= most;
        println!("| {}: {what} | {measured:.3} | {most:.3} | {:.2} | {verdict} |", limit.case, limit.goal);
    }
    Ok(kept)
}

fn find<'c>(cases: &'c [Case], case: &str, way: &str) -> Option<(&'c Case, &'c Way)> {
    let case = cases.iter().find(|known| known.name == case)?;
    case.ways.iter().find(|known| known.name == way).map(|way| (case, way))
}
