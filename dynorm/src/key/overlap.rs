//! Finding out whether the keys of two entities in one table can be equal: then an item of one could replace
//! an item of the other.
//!
//! The keys that a template makes are a regular language: fixed texts, padded numbers, and values with
//! escapes (see [`template`](super::template)). Two templates can make the same key if and only if their
//! languages have a text in common. A breadth-first search over pairs of states, one character at a time,
//! finds such a text: the first pair in which both languages may end gives a shortest one. So all cases are
//! handled alike: equal templates, `A#{x}` and `{x}#{y}`, different delimiters or widths, and plain keys
//! against templates.
//!
//! The values of a type are overestimated: any text for text and enums, any digits and signs for numbers. So
//! a negative result is certain, while a positive one may be a key with values that the types do not have.
//!
//! Characters that occur in no fixed text and in no rule are equivalent, so a few represent all of them.

use std::collections::{HashMap, VecDeque};

use super::template::{ESCAPE, KeySource, Segment, Template};
use crate::codec::{FieldInfo, ScalarType};

/// Returns a text that both keys can have, if there is one. Each key is given with the fields of its entity.
pub(crate) fn shared_key(
    (one, of_one): (&KeySource, &[FieldInfo]),
    (other, of_other): (&KeySource, &[FieldInfo]),
) -> Option<String> {
    let (one, other) = (Language::new(one, of_one)?, Language::new(other, of_other)?);
    if one.scalar != other.scalar {
        return None;
    }
    let alphabet = alphabet(&[&one, &other]);
    let start = (State::START, State::START);
    let mut reached = Reached::new();
    reached.insert(start, None);
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        if one.may_end(node.0) && other.may_end(node.1) && node != start {
            return Some(text_to(node, &reached));
        }
        for character in &alphabet {
            for next in one.after(node.0, *character) {
                for also in other.after(node.1, *character) {
                    reached.entry((next, also)).or_insert_with(|| {
                        open.push_back((next, also));
                        Some((node, *character))
                    });
                }
            }
        }
    }
    None
}

/// The visited nodes of the search, each with its predecessor and the character between them.
type Reached = HashMap<(State, State), Option<((State, State), char)>>;

/// Returns the characters on the path to a node.
fn text_to(mut node: (State, State), reached: &Reached) -> String {
    let mut text = Vec::new();
    while let Some(Some((before, character))) = reached.get(&node) {
        text.push(*character);
        node = *before;
    }
    text.iter().rev().collect()
}

/// Returns one character of each kind; the first ones are preferred in the text that is found.
fn alphabet(languages: &[&Language<'_>]) -> Vec<char> {
    let mut alphabet: Vec<char> = "a1xT-:.+\\# 023456789bcdefghijklmnopqrstuvwyzE".chars().collect();
    for piece in languages.iter().flat_map(|language| &language.pieces) {
        let Piece::Text(text) = piece else { continue };
        alphabet.extend(text.iter().filter(|character| !matches!(character, 'a'..='z' | '0'..='9')));
    }
    alphabet
}

/// The texts that a key can have.
struct Language<'t> {
    scalar: ScalarType,
    pieces: Vec<Piece>,
    /// Decides which characters are escaped.
    template: Option<&'t Template>,
}

enum Piece {
    Text(Vec<char>),
    Digits(usize),
    Value { kind: Kind, is_last: bool },
}

/// The characters that a value can have.
#[derive(Clone, Copy)]
enum Kind {
    Text { may_be_empty: bool },
    Fixed,
    Number,
    Bool,
}

/// A piece, and the progress in it: the number of characters for a text or number; one of the constants below
/// for a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    piece: usize,
    progress: usize,
}

impl State {
    const START: Self = Self { piece: 0, progress: 0 };

    fn at(self, progress: usize) -> Self {
        Self { progress, ..self }
    }

    fn next_piece(self) -> Self {
        Self { piece: self.piece.saturating_add(1), progress: 0 }
    }
}

/// A part of a value was read, and the value may end here.
const WITHIN: usize = 1;
/// The escape was read, and the escaped character follows.
const ESCAPED: usize = 2;
/// The escaped character was read, and the escape follows.
const BEFORE_ESCAPE: usize = 3;

impl<'t> Language<'t> {
    /// Creates the language of a key; `None` if a field does not exist.
    fn new(source: &'t KeySource, fields: &[FieldInfo]) -> Option<Self> {
        match source {
            KeySource::Field(field) => {
                let field = fields.get(*field)?;
                let scalar = field.scalar?;
                // No key is empty.
                let kind = kind(field, false);
                Some(Self { scalar, pieces: vec![Piece::Value { kind, is_last: true }], template: None })
            }
            KeySource::Template(template) => {
                let pieces = template.segments.iter().enumerate().map(|(position, segment)| match segment {
                    Segment::Text(text) => Some(Piece::Text(text.chars().collect())),
                    Segment::Field(_, width @ 1..) => Some(Piece::Digits(*width)),
                    Segment::Field(field, _) => {
                        let kind = kind(fields.get(*field)?, true);
                        Some(Piece::Value { kind, is_last: template.is_last(position) })
                    }
                });
                let pieces = pieces.collect::<Option<Vec<_>>>()?;
                Some(Self { scalar: ScalarType::String, pieces, template: Some(template) })
            }
        }
    }

    /// Returns true if a text may end in this state.
    fn may_end(&self, state: State) -> bool {
        self.open(state).iter().any(|state| state.piece == self.pieces.len())
    }

    /// Returns the state, and the states after pieces that may end here.
    fn open(&self, state: State) -> Vec<State> {
        let mut open = vec![state];
        while let Some(state) = open.last().copied()
            && let Some(piece) = self.pieces.get(state.piece)
            && piece.may_end(state.progress)
        {
            open.push(state.next_piece());
        }
        open
    }

    /// Returns the states that a character leads to.
    fn after(&self, state: State, character: char) -> Vec<State> {
        self.open(state).into_iter().filter_map(|state| self.step(state, character)).collect()
    }

    fn step(&self, state: State, character: char) -> Option<State> {
        match self.pieces.get(state.piece)? {
            Piece::Text(text) => {
                (text.get(state.progress) == Some(&character)).then(|| state.at(state.progress + 1))
            }
            Piece::Digits(width) => {
                let is_digit = state.progress < *width && character.is_ascii_digit();
                is_digit.then(|| state.at(state.progress + 1))
            }
            Piece::Value { kind, is_last } => {
                let is_escaped = self.template.is_some_and(|template| template.escapes(character));
                let is_first = state.progress == 0;
                let to = match (state.progress, is_last) {
                    (BEFORE_ESCAPE, _) => (character == ESCAPE).then_some(WITHIN),
                    (ESCAPED, _) => (is_escaped && kind.has(character, false)).then_some(WITHIN),
                    _ if !is_escaped => kind.has(character, is_first).then_some(WITHIN),
                    (_, true) => kind.has(character, is_first).then_some(BEFORE_ESCAPE),
                    (_, false) => (character == ESCAPE).then_some(ESCAPED),
                };
                to.map(|progress| state.at(progress))
            }
        }
    }
}

impl Piece {
    fn may_end(&self, progress: usize) -> bool {
        match self {
            Self::Text(text) => progress == text.len(),
            Self::Digits(width) => progress == *width,
            Self::Value { kind: Kind::Text { may_be_empty: true }, .. } if progress == 0 => true,
            Self::Value { .. } => progress == WITHIN,
        }
    }
}

impl Kind {
    fn has(self, character: char, is_first: bool) -> bool {
        match self {
            Self::Text { .. } => true,
            // See `shape::FixedText`.
            Self::Fixed if is_first => character.is_ascii_digit() || matches!(character, 'a'..='f'),
            Self::Fixed => character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.' | '+'),
            Self::Number => character.is_ascii_digit() || matches!(character, '-' | '+' | '.' | 'e' | 'E'),
            Self::Bool => "truefalse".contains(character),
        }
    }
}

fn kind(field: &FieldInfo, may_be_empty: bool) -> Kind {
    match field.scalar {
        _ if field.fixed => Kind::Fixed,
        Some(ScalarType::Number) => Kind::Number,
        None => Kind::Bool,
        Some(ScalarType::String | ScalarType::Binary) => Kind::Text { may_be_empty },
    }
}

#[cfg(test)]
mod tests {
    use super::shared_key;
    use crate::codec::{FieldInfo, ScalarType};
    use crate::key::{KeySource, Segment, Template};

    use Segment::{Field, Text};

    /// Text, a number, and text of one length.
    const FIELDS: &[FieldInfo] = &[
        FieldInfo::new("text", Some(ScalarType::String)),
        FieldInfo::new("number", Some(ScalarType::Number)),
        FieldInfo::new("at", Some(ScalarType::String)).part(true),
    ];

    fn shared(one: &'static [Segment], other: &'static [Segment]) -> Option<String> {
        let source = |segments| KeySource::Template(Template::new("pk", segments));
        let (one, other) = (source(one), source(other));
        let found = shared_key((&one, FIELDS), (&other, FIELDS));
        assert_eq!(found.is_some(), shared_key((&other, FIELDS), (&one, FIELDS)).is_some());
        found
    }

    #[test]
    fn templates_that_overlap_give_an_example() {
        for (one, other, example) in [
            (&[Text("A#"), Field(0, 0)][..], &[Text("A#"), Field(0, 0)][..], "A#"),
            (&[Text("A#"), Field(0, 0)], &[Field(0, 0), Text("#"), Field(0, 0)], "A#"),
            (&[Text("A|"), Field(0, 0)], &[Text("A|"), Field(0, 0), Text("|B")], "A||B"),
            (&[Field(1, 3)], &[Field(1, 0)], "111"),
            (&[Text("A#1")], &[Text("A#"), Field(1, 0)], "A#1"),
            (&[Field(0, 0)], &[Text("PROFILE")], "PROFILE"),
            (&[Field(0, 0), Text("~"), Field(0, 0)], &[Field(0, 0), Text("|"), Field(0, 0)], "~|"),
        ] {
            assert_eq!(shared(one, other).as_deref(), Some(example), "{one:?} {other:?}");
        }
    }

    #[test]
    fn templates_that_do_not_overlap_are_known() {
        for (one, other) in [
            (
                &[Text("USER#"), Field(0, 0)][..],
                &[Text("USER#"), Field(0, 0), Text("#ORDER#"), Field(1, 0)][..],
            ),
            (&[Text("A#"), Field(0, 0)], &[Text("B#"), Field(0, 0)]),
            (&[Field(1, 3)], &[Field(1, 4)]),
            (&[Field(2, 0)], &[Text("PROFILE")]),
            (&[Text("A#x")], &[Text("A#"), Field(1, 0)]),
            (
                &[Field(0, 0), Text("#"), Field(0, 0)],
                &[Field(0, 0), Text("#"), Field(0, 0), Text("#"), Field(0, 0)],
            ),
        ] {
            assert_eq!(shared(one, other), None, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_plain_key_of_text_can_be_any_key_and_others_only_their_own() {
        let template = KeySource::Template(Template::new("pk", &[Text("A#"), Field(0, 0)]));
        let shared = |field| shared_key((&KeySource::Field(field), FIELDS), (&template, FIELDS));
        assert_eq!(shared(0).as_deref(), Some("A#"));
        assert_eq!(shared(1), None);
        assert_eq!(shared(2), None);
    }
}
