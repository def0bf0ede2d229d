//! The modules of a crate, read from its sources: their definitions, imports and paths.

use std::collections::BTreeMap;

use crate::tokens::{Kind, Token, tokens};

/// The sources of a crate: the text of each file, by its path below `src`.
pub(crate) type Sources = BTreeMap<String, String>;

/// A module, in its own file or inline.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// The names that it defines.
    pub(crate) definitions: Vec<String>,
    pub(crate) imports: Vec<Import>,
    /// The paths of two or more names in its code.
    pub(crate) paths: Vec<Path>,
    /// All names in its code.
    pub(crate) words: Vec<(usize, String)>,
}

/// A name that a `use` imports.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    /// The name here; `*` for a glob.
    pub(crate) name: String,
    /// It is re-exported.
    pub(crate) is_export: bool,
    /// `a::{self}`: only the module, of all that is called `a`.
    pub(crate) is_module: bool,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) line: usize,
    pub(crate) names: Vec<String>,
}

/// The modules of a crate. The first one is the root.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
    /// The names of the crate itself (`extern crate self as name`).
    pub(crate) own_names: Vec<String>,
    /// The macros that `#[macro_export]` puts into the root, with their modules.
    pub(crate) exported: Vec<(String, usize)>,
}

impl Crate {
    /// Reads a crate from its root. Skips `#[cfg(test)]`.
    pub(crate) fn read(sources: &Sources) -> Self {
        let mut read = Self::default();
        read.file("lib.rs", None, sources);
        read
    }

    fn file(&mut self, file: &str, parent: Option<usize>, sources: &Sources) -> usize {
        let module = self.module(file, parent);
        let source = sources.get(file).unwrap_or_else(|| panic!("no file `{file}`"));
        self.items(&tokens(source), module, sources);
        module
    }

    fn module(&mut self, file: &str, parent: Option<usize>) -> usize {
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            definitions: Vec::new(),
            imports: Vec::new(),
            paths: Vec::new(),
            words: Vec::new(),
        });
        self.modules.len() - 1
    }

    /// Reads the items of a module.
    fn items(&mut self, tokens: &[Token], module: usize, sources: &Sources) {
        let mut rest = tokens;
        while !rest.is_empty() {
            let (attributes, item) = attributes(rest);
            let (is_export, inner) = visibility(item);
            let length = item.len() - inner.len() + item_length(inner);
            rest = &item[length..];
            if attributes.is_test {
                continue;
            }
            let inner = &inner[..item_length(inner)];
            let words: Vec<Option<&str>> = inner.iter().take(3).map(Token::word).collect();
            match words.as_slice() {
                [Some("use"), ..] => self.modules[module].imports.extend(imports(inner, is_export)),
                [Some("mod"), Some(name), ..] => {
                    let child = self.child(name, &inner[2..], attributes.path, module, sources);
                    self.modules[module].children.insert((*name).to_owned(), child);
                }
                [Some("extern"), Some("crate"), Some("self")] => {
                    self.own_names.extend(inner.get(4).and_then(Token::word).map(str::to_owned));
                }
                _ => {
                    if let Some(name) = definition(inner) {
                        if attributes.is_exported {
                            self.exported.push((name.to_owned(), module));
                        }
                        self.modules[module].definitions.push(name.to_owned());
                    }
                    self.code(inner, module);
                }
            }
        }
    }

    fn child(
        &mut self,
        name: &str,
        body: &[Token],
        path: Option<String>,
        parent: usize,
        sources: &Sources,
    ) -> usize {
        let file = self.modules[parent].file.clone();
        if body.first().is_some_and(|token| token.is('{')) {
            let child = self.module(&file, Some(parent));
            self.items(&body[1..body.len() - 1], child, sources);
            return child;
        }
        let folder = match file.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            Some(_) => format!("{}/", file.trim_end_matches(".rs")),
            None if file == "lib.rs" => String::new(),
            None => format!("{}/", file.trim_end_matches(".rs")),
        };
        let beside = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let candidates = match path {
            Some(path) => vec![format!("{beside}{path}")],
            None => vec![format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")],
        };
        let found = candidates.iter().find(|file| sources.contains_key(*file));
        let found = found.unwrap_or_else(|| panic!("`mod {name}` of `{file}` is in none of {candidates:?}"));
        self.file(found, Some(parent), sources)
    }

    /// Records the paths and local imports in code.
    fn code(&mut self, tokens: &[Token], module: usize) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if token.is_word("use") && !tokens.get(at + 1).is_some_and(|token| token.is('<')) {
                let length = item_length(&tokens[at..]);
                self.modules[module].imports.extend(imports(&tokens[at..at + length], false));
                at += length;
                continue;
            }
            if token.is('#') {
                let (attributes, item) = attributes(&tokens[at..]);
                at = tokens.len() - item.len();
                if attributes.is_test {
                    let (_, inner) = visibility(item);
                    at = tokens.len() - inner.len() + item_length(inner);
                }
                continue;
            }
            if token.is_word("pub") {
                at = tokens.len() - visibility(&tokens[at..]).1.len();
                continue;
            }
            let Some(first) = token.word() else {
                at += 1;
                continue;
            };
            let mut names = vec![first.to_owned()];
            let follows_path = at > 0 && tokens[at - 1].kind == Kind::PathSeparator;
            let line = token.line;
            at += 1;
            while let [separator, name, ..] = &tokens[at..]
                && separator.kind == Kind::PathSeparator
                && let Some(name) = name.word()
            {
                names.push(name.to_owned());
                at += 2;
            }
            let module = &mut self.modules[module];
            module.words.extend(names.iter().map(|name| (line, name.clone())));
            if names.len() > 1 && !follows_path {
                module.paths.push(Path { line, names });
            }
        }
    }
}

#[derive(Default)]
struct Attributes {
    is_test: bool,
    is_exported: bool,
    path: Option<String>,
}

/// Splits off the attributes before an item.
fn attributes(mut tokens: &[Token]) -> (Attributes, &[Token]) {
    let mut found = Attributes::default();
    while let [hash, rest @ ..] = tokens
        && hash.is('#')
    {
        found.is_test |= is_test(tokens);
        let rest = match rest {
            [bang, rest @ ..] if bang.is('!') => rest,
            _ => rest,
        };
        if !rest.first().is_some_and(|token| token.is('[')) {
            // In a macro, `#` can be anything.
            tokens = rest;
            break;
        }
        let length = group_length(rest);
        match &rest[..length] {
            [_, name, _] if name.is_word("macro_export") => found.is_exported = true,
            [_, name, _, Token { kind: Kind::Text(path), .. }, _] if name.is_word("path") => {
                found.path = Some(path.clone());
            }
            _ => {}
        }
        tokens = &rest[length..];
    }
    (found, tokens)
}

/// True for `#[cfg(test)]`.
fn is_test(tokens: &[Token]) -> bool {
    matches!(tokens, [hash, bracket, cfg, open, test, close, ..]
        if hash.is('#') && bracket.is('[') && cfg.is_word("cfg") && open.is('(') && test.is_word("test") && close.is(')'))
}

/// Whether an item is visible to others, and the item.
fn visibility(tokens: &[Token]) -> (bool, &[Token]) {
    match tokens {
        [public, rest @ ..] if public.is_word("pub") => {
            let inner = if rest.first().is_some_and(|token| token.is('(')) { group_length(rest) } else { 0 };
            (true, &rest[inner..])
        }
        _ => (false, tokens),
    }
}

/// The name that an item defines.
fn definition(item: &[Token]) -> Option<&str> {
    let mut at = 0;
    loop {
        match item.get(at)?.word()? {
            "async" | "unsafe" => at += 1,
            "const" if item.get(at + 1)?.is_word("fn") => at += 1,
            "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" => {
                return item.get(at + 1)?.word();
            }
            "macro_rules" => return item.get(at + 2)?.word(),
            _ => return None,
        }
    }
}

/// The number of tokens of an item, up to its `;` or its closing brace.
fn item_length(item: &[Token]) -> usize {
    let ends_at_semicolon = match item.first().and_then(Token::word) {
        Some("use" | "static" | "type") => true,
        Some("const") => !item.get(1).is_some_and(|token| token.is_word("fn")),
        _ => false,
    };
    let mut at = 0;
    while let Some(token) = item.get(at) {
        if token.is(';') {
            return at + 1;
        }
        if token.is('{') && !ends_at_semicolon {
            return at + group_length(&item[at..]);
        }
        at += group_length(&item[at..]);
    }
    item.len()
}

/// The number of tokens of a group with its brackets; 1 for other tokens.
fn group_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The imports of `use …;`.
fn imports(item: &[Token], is_export: bool) -> Vec<Import> {
    let mut found = Vec::new();
    let tree = item.get(1..item.len().saturating_sub(1)).unwrap_or_default();
    tree_of(tree, &[], is_export, &mut found);
    found
}

fn tree_of(tree: &[Token], prefix: &[String], is_export: bool, found: &mut Vec<Import>) {
    for branch in branches(tree) {
        let mut path = prefix.to_vec();
        let mut rest = branch;
        while let [token, after @ ..] = rest {
            match &token.kind {
                Kind::Word(word) if word == "as" => break,
                Kind::Word(word) => path.push(word.clone()),
                Kind::Mark('*') => path.push("*".to_owned()),
                Kind::Mark('{') => {
                    tree_of(&rest[1..group_length(rest) - 1], &path, is_export, found);
                    path.clear();
                    break;
                }
                _ => {}
            }
            rest = after;
        }
        let Some(line) = branch.first().map(|token| token.line) else { continue };
        let is_module = path.len() > 1 && path.last().is_some_and(|last| last == "self");
        if is_module {
            path.pop();
        }
        let Some(last) = path.last() else { continue };
        let name = match rest {
            [_, name, ..] => name.word().unwrap_or("_").to_owned(),
            _ => last.clone(),
        };
        found.push(Import { line, path, name, is_export, is_module });
    }
}

/// The branches of a use tree, between its commas.
fn branches(tree: &[Token]) -> Vec<&[Token]> {
    let (mut branches, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tree.len() {
        if tree[at].is(',') {
            branches.push(&tree[start..at]);
            start = at + 1;
        }
        at += group_length(&tree[at..]);
    }
    branches.push(&tree[start..]);
    branches
}
