//! Rust source as a list of tokens, without comments.

/// A token and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word(String),
    /// The content of a string literal.
    Text(String),
    /// `::`
    PathSeparator,
    /// Any other significant character.
    Mark(char),
}

impl Token {
    pub(crate) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The tokens of a file.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1 };
    let mut tokens = Vec::new();
    while let Some((line, kind)) = reader.next() {
        tokens.push(Token { line, kind });
    }
    tokens
}

struct Reader<'s> {
    rest: &'s str,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(usize, Kind)> {
        loop {
            let first = self.rest.chars().next()?;
            let line = self.line;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if self.rest.starts_with("//") {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.skip(comment(self.rest));
            } else if let Some((length, text)) = literal(self.rest) {
                self.skip(length);
                return Some((line, Kind::Text(text)));
            } else if first == '\'' {
                self.skip(lifetime_or_character(self.rest));
            } else if self.rest.starts_with("::") {
                self.skip(2);
                return Some((line, Kind::PathSeparator));
            } else if first.is_ascii_digit() {
                self.skip(word(self.rest).len());
            } else if is_of_word(first) {
                let word = word(self.rest.strip_prefix("r#").unwrap_or(self.rest)).to_owned();
                let raw = if self.rest.starts_with("r#") { 2 } else { 0 };
                self.skip(raw + word.len());
                return Some((line, Kind::Word(word)));
            } else {
                self.skip(first.len_utf8());
                return Some((line, Kind::Mark(first)));
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn word(source: &str) -> &str {
    source.split(|character| !is_of_word(character)).next().unwrap_or_default()
}

/// The length of a block comment, which may be nested.
fn comment(source: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    source.len()
}

/// The length and the content of the string literal at the start: `"…"`, `b"…"`, `c"…"`, `r#"…"#` and so on.
fn literal(source: &str) -> Option<(usize, String)> {
    let prefix = source.len() - source.trim_start_matches(['b', 'c']).len();
    let rest = &source[prefix..];
    let raw = rest.strip_prefix('r').unwrap_or(rest);
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let body = raw[hashes..].strip_prefix('"')?;
    let start = source.len() - body.len();
    if prefix > 1 || (hashes > 0 && raw.len() == rest.len()) {
        return None;
    }
    let end = if raw.len() < rest.len() {
        let end = format!("\"{}", "#".repeat(hashes));
        body.find(&end).map_or((body.len(), body.len()), |at| (at, at + end.len()))
    } else {
        let mut escaped = false;
        let at = body.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        at.map_or((body.len(), body.len()), |at| (at, at + 1))
    };
    Some((start + end.1, body[..end.0].to_owned()))
}

/// The length of `'a'`, `'\u{1F600}'` or the lifetime `'a`.
fn lifetime_or_character(source: &str) -> usize {
    let mut characters = source.char_indices().skip(1);
    match characters.next() {
        Some((at, '\\')) => source[at + 2..].find('\'').map_or(source.len(), |end| at + 2 + end + 1),
        Some((at, first)) => match characters.next() {
            Some((end, '\'')) => end + 1,
            _ if is_of_word(first) => at + word(&source[at..]).len(),
            _ => 1,
        },
        None => 1,
    }
}
