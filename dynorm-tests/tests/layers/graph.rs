//! Which file of a crate stands on which other: an arrow for every name that one takes from another.
//!
//! A name is followed through re-exports to the file that defines it, so that a façade (`mod.rs` with its
//! `pub use`) neither hides an arrow nor makes one. What is not seen: methods and what a macro writes, since
//! they come without a path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::modules::{Crate, Sources};

/// The arrows of a crate.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) files: BTreeSet<String>,
    pub(crate) arrows: BTreeMap<(String, String), Arrow>,
}

/// What one file takes from another, and in which lines.
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
                // What is only handed on is no arrow.
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

    /// Groups of files each of which stands on each other, by way of others or not.
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

    /// The shortest way round, beginning with the first of a circle's files from which there is one as short.
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

/// What a path leads to.
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
    /// What is being looked for, so that two modules that import all of each other come to an end.
    visited: BTreeSet<(usize, String)>,
}

impl Resolver<'_> {
    /// What a path leads to, seen from a module: several things if a module, a function and a macro have one
    /// name.
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

    /// The rest of a path, from what its beginning leads to.
    fn follow(&mut self, found: Found, rest: &[String]) -> Vec<Found> {
        match (found, rest) {
            (found, []) => vec![found],
            // Of a type, what follows is of the type.
            (found @ Found::Name { .. }, _) => vec![found],
            (Found::Module(module), [all]) if all == "*" => vec![Found::Module(module)],
            (Found::Module(module), [name, rest @ ..]) => {
                let mut found = self.look_up(module, name);
                if found.is_empty() {
                    // A macro has written it.
                    let file = self.read.modules[module].file.clone();
                    found.push(Found::Name { file, name: name.clone() });
                }
                self.follow_all(found, rest)
            }
        }
    }

    /// The same from several things that have one name. Where a path goes on behind the name of a module, it
    /// is not that of the function or macro that is called as the module is.
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
        // `use name::name` is about a module of that name, which is found above.
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
