//! The rules of the graph: no cycles between files, and no arrow that points up.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::graph::Graph;

/// The layers of a crate, from the bottom up. Each has a name and members: files, and directories with a
/// trailing `/`. The longest matching member decides.
pub(crate) type Layers<'l> = &'l [(&'l str, &'l [&'l str])];

/// A permitted arrow, and the reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exception<'e> {
    pub(crate) from: &'e str,
    pub(crate) to: &'e str,
    pub(crate) reason: &'e str,
}

/// All violations, one text each.
pub(crate) fn faults(graph: &Graph, layers: Layers<'_>, exceptions: &[Exception<'_>]) -> Vec<String> {
    let mut faults = misplaced(graph, layers);
    faults.extend(exceptions.iter().filter_map(|exception| stale(graph, layers, exception)));
    let mut rest = Graph { files: graph.files.clone(), arrows: graph.arrows.clone() };
    for Exception { from, to, .. } in exceptions {
        rest.arrows.remove(&((*from).to_owned(), (*to).to_owned()));
    }
    for ((from, to), arrow) in &rest.arrows {
        if let Some((low, high)) = rises(layers, from, to) {
            faults.push(format!(
                "an arrow points up: `{from}` is in the layer \"{low}\" and takes from `{to}`, in \
                \"{high}\":\n    {arrow}"
            ));
        }
    }
    faults.extend(rest.circles().iter().map(|circle| described(&rest, circle)));
    faults
}

/// The layers of two files, if an arrow from one to the other points up.
fn rises<'l>(layers: Layers<'l>, from: &str, to: &str) -> Option<(&'l str, &'l str)> {
    let (low, high) = (layer_of(layers, from)?, layer_of(layers, to)?);
    (low < high).then(|| (layers[low].0, layers[high].0))
}

fn layer_of(layers: Layers<'_>, file: &str) -> Option<usize> {
    let members =
        layers.iter().enumerate().flat_map(|(at, (_, members))| members.iter().map(move |it| (at, it)));
    let its = members.filter(|(_, member)| is_member(member, file));
    its.max_by_key(|(_, member)| member.len()).map(|(at, _)| at)
}

fn is_member(member: &str, file: &str) -> bool {
    file == member || (member.ends_with('/') && file.starts_with(member))
}

/// Files without a layer, and members that do not exist.
fn misplaced(graph: &Graph, layers: Layers<'_>) -> Vec<String> {
    let homeless = graph.files.iter().filter(|file| layer_of(layers, file).is_none());
    let mut faults: Vec<String> = homeless.map(|file| format!("`{file}` is in no layer")).collect();
    let members = layers.iter().flat_map(|(_, members)| members.iter());
    let mut seen = BTreeSet::new();
    for member in members {
        if !graph.files.iter().any(|file| is_member(member, file)) {
            faults.push(format!("`{member}` is in the list of layers, and there is no such file"));
        }
        if !seen.insert(member) {
            faults.push(format!("`{member}` is in the list of layers twice"));
        }
    }
    faults
}

/// An exception that is not needed: there is no such arrow, or it does not point up.
fn stale(graph: &Graph, layers: Layers<'_>, exception: &Exception<'_>) -> Option<String> {
    let Exception { from, to, reason } = exception;
    let what = match graph.arrow(from, to) {
        None => "there is no such arrow",
        Some(_) if rises(layers, from, to).is_some() => return None,
        Some(_) => {
            let is_in =
                |circle: &Vec<String>| [from, to].iter().all(|file| circle.iter().any(|it| it == *file));
            if graph.circles().iter().any(is_in) {
                return None;
            }
            "that arrow needs no exception any more"
        }
    };
    Some(format!("the exception `{from}` → `{to}` ({reason}) is out of date: {what}"))
}

/// A cycle: the shortest way around it, and the names that each file uses from the next.
fn described(graph: &Graph, circle: &[String]) -> String {
    let way = graph.way_round(circle);
    let mut text = format!("a circle of {} files; the shortest way round:", circle.len());
    for (from, to) in way.iter().zip(way.iter().cycle().skip(1)) {
        let arrow = graph.arrow(from, to).map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "\n    `{from}` → `{to}`: {arrow}");
    }
    if circle.len() > way.len() {
        let others: Vec<&str> =
            circle.iter().filter(|file| !way.contains(file)).map(String::as_str).collect();
        let _ = write!(text, "\n    the others: {}", others.join(", "));
    }
    text
}
