//! The dependencies between the files of a crate: an arrow for every name that one file uses from another.
//!
//! A name is followed through re-exports to the file that defines it, so a `mod.rs` with `pub use` neither
//! hides nor adds an arrow. Methods and the output of macros are not seen, since they have no path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::modules::{Crate, Sources};

/// The arrows of a crate.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) files: BTreeSet<String>,
    pub(crate) arrows: BTreeMap<(String, String), Arrow>,
}

/// The names that one file uses from another, and their lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrow(BTreeMap<String, usize>);

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.0.iter().collect();
        names.sort_by_key(|(_, line)| **line);
        let names: Vec<_> = names.into_iter().map(|(name, line)| format!("{name} (line {line})")).collect();
        f.write_str(&names.join(", "))
    }
}

impl Graph {
    pub(crate) fn of(sources: &Sources) -> Self {
        let read = Crate::read(sources);
        let mut graph = Self::default();
        for (id, module) in read.modules.iter().enumerate() {
            graph.files.insert(module.file.clone());
            for import in &module.imports {
                // A name that is only re-exported is not an arrow.
                let is_used = || module.words.iter().any(|(_, word)| *word == import.name);
                if !import.is_module && (!import.is_export || is_used()) {
                    graph.add(&read, id, import.line, &import.path);
                }
            }
            for path in &module.paths {
                graph.add(&read, id, path.line, &path.names);
            }
        }
        graph
    }

    fn add(&mut self, read: &Crate, module: usize, line: usize, path: &[String]) {
        let from = &read.modules[module].file;
        let mut resolver = Resolver { read, visited: BTreeSet::new() };
        for found in resolver.resolve(module, path) {
            if let Found::Name { file, name } = found
                && file != *from
            {
                let arrow = self.arrows.entry((from.clone(), file)).or_default();
                let first = arrow.0.entry(name).or_insert(line);
                *first = line.min(*first);
            }
        }
    }

    /// The cycles: groups of files that depend on each other, directly or indirectly.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<&String, BTreeSet<&String>> =
            self.files.iter().map(|file| (file, self.reach(file))).collect();
        let mut circles: Vec<Vec<String>> = Vec::new();
        for file in &self.files {
            let is_with = |other: &&String| reach[file].contains(other) && reach[other].contains(file);
            let circle: Vec<String> = self.files.iter().filter(is_with).cloned().collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest cycle in the group, starting with its first file on one.
    pub(crate) fn way_round(&self, circle: &[String]) -> Vec<String> {
        let ways = circle.iter().filter_map(|start| {
            let mut ways = vec![vec![start.clone()]];
            while !ways.is_empty() {
                let mut longer: Vec<Vec<String>> = Vec::new();
                for way in &ways {
                    for next in self.targets(way.last()?).filter(|next| circle.contains(next)) {
                        if next == start {
                            return Some(way.clone());
                        }
                        if !way.contains(next) && !longer.iter().any(|way| way.last() == Some(next)) {
                            longer.push([way.clone(), vec![next.clone()]].concat());
                        }
                    }
                }
                ways = longer;
            }
            None
        });
        ways.min_by_key(Vec::len).unwrap_or_default()
    }

    pub(crate) fn arrow(&self, from: &str, to: &str) -> Option<&Arrow> {
        self.arrows.get(&(from.to_owned(), to.to_owned()))
    }

    fn targets(&self, from: &str) -> impl Iterator<Item = &String> {
        let of_file = self.arrows.range((from.to_owned(), String::new())..);
        of_file
            .map(|((start, end), _)| (start, end))
            .take_while(move |(start, _)| *start == from)
            .map(|(_, end)| end)
    }

    fn reach<'g>(&'g self, from: &'g String) -> BTreeSet<&'g String> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            next.extend(self.targets(file).filter(|target| reached.insert(*target)));
        }
        reached
    }
}

/// The target of a path.
#[derive(Clone, Debug)]
enum Found {
    Module(usize),
    /// A name, in the file that defines it.
    Name {
        file: String,
        name: String,
    },
}

fn is_module(found: &Found) -> bool {
    matches!(found, Found::Module(_))
}

struct Resolver<'r> {
    read: &'r Crate,
    /// The names being resolved, so that glob imports in both directions terminate.
    visited: BTreeSet<(usize, String)>,
}

impl Resolver<'_> {
    /// The targets of a path, seen from a module. There are several if a module, a function and a macro have
    /// the same name.
    fn resolve(&mut self, module: usize, path: &[String]) -> Vec<Found> {
        let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
        let parent = |module: usize| self.read.modules[module].parent.unwrap_or(module);
        let mut start = match first.as_str() {
            "crate" => 0,
            "self" => module,
            "super" => parent(module),
            own if self.read.own_names.iter().any(|name| name == own) => 0,
            _ => {
                let found = self.look_up(module, first);
                return self.follow_all(found, rest);
            }
        };
        while let [next, others @ ..] = rest
            && next == "super"
        {
            start = parent(start);
            rest = others;
        }
        self.follow(Found::Module(start), rest)
    }

    /// Resolves the rest of a path from the target of its beginning.
    fn follow(&mut self, found: Found, rest: &[String]) -> Vec<Found> {
        match (found, rest) {
            (found, []) => vec![found],
            // The rest of the path belongs to the type.
            (found @ Found::Name { .. }, _) => vec![found],
            (Found::Module(module), [all]) if all == "*" => vec![Found::Module(module)],
            (Found::Module(module), [name, rest @ ..]) => {
                let mut found = self.look_up(module, name);
                if found.is_empty() {
                    // A macro has generated it.
                    let file = self.read.modules[module].file.clone();
                    found.push(Found::Name { file, name: name.clone() });
                }
                self.follow_all(found, rest)
            }
        }
    }

    /// The same for several targets with the same name. If the path continues, only the module is meant, not
    /// a function or macro with its name.
    fn follow_all(&mut self, mut found: Vec<Found>, rest: &[String]) -> Vec<Found> {
        if !rest.is_empty() && found.iter().any(is_module) {
            found.retain(is_module);
        }
        found.into_iter().flat_map(|found| self.follow(found, rest)).collect()
    }

    fn look_up(&mut self, module: usize, name: &str) -> Vec<Found> {
        let read = self.read;
        let here = &read.modules[module];
        let defined =
            |module: usize| Found::Name { file: read.modules[module].file.clone(), name: name.to_owned() };
        let mut found = Vec::new();
        found.extend(here.children.get(name).map(|child| Found::Module(*child)));
        found.extend(here.definitions.iter().filter(|known| *known == name).map(|_| defined(module)));
        if module == 0 {
            let exported = read.exported.iter().filter(|(known, _)| known == name);
            found.extend(exported.map(|(_, module)| defined(*module)));
        }
        // `use name::name` refers to a module, which was found above.
        if !self.visited.insert((module, name.to_owned())) {
            return found;
        }
        for import in here.imports.iter().filter(|import| import.name == name) {
            let imported = self.resolve(module, &import.path);
            found.extend(imported.into_iter().filter(|found| !import.is_module || is_module(found)));
        }
        if found.is_empty() {
            for import in here.imports.iter().filter(|import| import.name == "*") {
                for target in self.resolve(module, &import.path) {
                    if let Found::Module(target) = target {
                        found.extend(self.look_up(target, name));
                    }
                }
            }
        }
        self.visited.remove(&(module, name.to_owned()));
        found
    }
}
