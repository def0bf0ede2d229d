//! Changes without types, and their text in an update expression.

use std::borrow::Cow;

use super::document_path::DocumentPath;
use super::json::Json;
use super::placeholders::{Expression, check_operators};
use crate::codec::ValueError;

/// A change of one path of an item.
#[derive(Clone, Debug)]
pub struct Change {
    pub(crate) path: DocumentPath,
    /// The path ends at an element of a list or an entry of a map. Absence is stored there as NULL, since
    /// removing an element would move those after it.
    pub(crate) is_entry: bool,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Set(Source),
    SetIfAbsent(Source),
    /// Adds a number to the stored one, or to 0 if `starts` is true and there is none.
    Add {
        operand: Number,
        minus: bool,
        starts: bool,
    },
    /// Appends the elements to the stored list, or prepends them.
    Extend {
        list: Json,
        before: bool,
        starts: bool,
    },
    /// Inserts elements into a set; `None` if there are none.
    Insert(Option<Json>),
    /// Deletes elements from a set.
    Discard(Option<Json>),
    Remove,
    /// A value that could not be encoded. The operation fails with this error.
    Refused(ValueError),
}

/// The source of a new value.
#[derive(Clone, Debug)]
pub enum Source {
    Value(Json),
    /// The value is stored by leaving out the attribute.
    Absent,
    Path(DocumentPath),
    Sum {
        left: Number,
        minus: bool,
        right: Number,
    },
}

/// An operand of a sum.
#[derive(Clone, Debug)]
pub enum Number {
    Value(Json),
    Path { path: DocumentPath, starts: bool },
}

impl Change {
    pub(crate) fn set(attribute: impl Into<Cow<'static, str>>, source: Source) -> Self {
        Self { path: DocumentPath::of(attribute), is_entry: false, action: Action::Set(source) }
    }

    pub(crate) fn remove(attribute: impl Into<Cow<'static, str>>) -> Self {
        Self { path: DocumentPath::of(attribute), is_entry: false, action: Action::Remove }
    }

    /// Calls `visit` with the paths that the change reads.
    pub(crate) fn each_operand(&mut self, visit: &mut dyn FnMut(&DocumentPath, &mut bool)) {
        let mut number = |number: &mut Number| {
            if let Number::Path { path, starts } = number {
                visit(path, starts);
            }
        };
        match &mut self.action {
            Action::Set(Source::Sum { left, right, .. }) => [left, right].into_iter().for_each(number),
            Action::Add { operand, .. } => number(operand),
            Action::Set(Source::Path(path)) | Action::SetIfAbsent(Source::Path(path)) => {
                visit(path, &mut false);
            }
            _ => {}
        }
    }
}

impl Action {
    /// The method of `Update` that makes it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Set(_) | Self::Refused(_) => "set",
            Self::SetIfAbsent(_) => "set_if_absent",
            Self::Add { minus: false, .. } => "add",
            Self::Add { minus: true, .. } => "subtract",
            Self::Extend { before: false, .. } => "append",
            Self::Extend { before: true, .. } => "prepend",
            Self::Insert(_) => "insert",
            Self::Discard(_) => "discard",
            Self::Remove => "remove",
        }
    }
}

/// Refuses overlapping changes: DynamoDB applies the changes of an update all at once, in no order.
pub(crate) fn check_overlaps(changes: &[Change]) -> Result<(), ValueError> {
    for (position, change) in changes.iter().enumerate() {
        for other in changes.iter().skip(position + 1) {
            if change.path == other.path {
                return Err(ValueError::new(format!(
                    "`{:?}` is changed twice, by `{}` and by `{}`: an update can change a path only once: \
                    make one change, or two updates",
                    change.path,
                    change.action.name(),
                    other.action.name()
                )));
            }
            if change.path.holds(&other.path) || other.path.holds(&change.path) {
                return Err(ValueError::new(format!(
                    "`{:?}` (by `{}`) and `{:?}` (by `{}`) overlap: an update can change a path only once: \
                    change either the whole or its parts",
                    change.path,
                    change.action.name(),
                    other.path,
                    other.action.name()
                )));
            }
        }
    }
    Ok(())
}

/// The initial value of a top-level attribute, if the item does not have it. Updates of existing items have
/// none.
pub(crate) type Start<'s> = &'s dyn Fn(&str) -> Option<Vec<u8>>;

impl Expression {
    /// Sets the update expression.
    pub(crate) fn set_changes(&mut self, changes: &[Change], start: Start<'_>) -> Result<(), ValueError> {
        let mut update = Update { expression: self, start, clauses: Default::default(), operators: 0 };
        for change in changes {
            update.add(change)?;
        }
        let (clauses, operators) = (update.clauses, update.operators);
        check_operators("the changes have", operators)?;
        let words = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().zip(&clauses);
        let clauses = words.filter(|(_, parts)| !parts.is_empty());
        let clauses: Vec<String> =
            clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        self.set_update(clauses.join(" "))
    }
}

struct Update<'u> {
    expression: &'u mut Expression,
    start: Start<'u>,
    clauses: [Vec<String>; 4],
    operators: usize,
}

impl Update<'_> {
    fn add(&mut self, change: &Change) -> Result<(), ValueError> {
        let path = &change.path;
        let [set, remove, add, delete] = [0, 1, 2, 3];
        let (clause, text) = match &change.action {
            Action::Set(Source::Absent) if change.is_entry => {
                (set, self.assignment(path, |update| update.value(Json::NULL)))
            }
            Action::Set(Source::Absent) | Action::Remove => (remove, path.render(self.expression)),
            Action::Set(source) => (set, self.assignment(path, |update| update.source(source))),
            Action::SetIfAbsent(source) => {
                // The initial value of the attribute takes precedence over the given one.
                let text = self.assignment(path, |update| match (update.start_of(path), source) {
                    (Some(json), _) => update.if_not_exists(path, &json),
                    (None, Source::Value(json)) => update.if_not_exists(path, &json.0),
                    (None, source) => {
                        let own = path.render(update.expression);
                        let other = update.source(source);
                        update.function("if_not_exists", &own, &other)
                    }
                });
                (set, text)
            }
            Action::Add { operand, minus, starts } => {
                let left = Number::Path { path: path.clone(), starts: *starts };
                (set, self.assignment(path, |update| update.sum(&left, *minus, operand)))
            }
            Action::Extend { list, before, starts } => {
                let text = self.assignment(path, |update| {
                    let own = update.or_start(path, starts.then_some(EMPTY));
                    let new = update.value(&list.0);
                    if *before {
                        update.function("list_append", &new, &own)
                    } else {
                        update.function("list_append", &own, &new)
                    }
                });
                (set, text)
            }
            Action::Insert(None) | Action::Discard(None) => return Ok(()),
            Action::Insert(Some(elements)) => (add, self.elements(path, elements)),
            Action::Discard(Some(elements)) => (delete, self.elements(path, elements)),
            Action::Refused(error) => return Err(error.clone()),
        };
        if let Some(clause) = self.clauses.get_mut(clause) {
            clause.push(text);
        }
        Ok(())
    }

    fn assignment(&mut self, path: &DocumentPath, value: impl FnOnce(&mut Self) -> String) -> String {
        let path = path.render(self.expression);
        format!("{path} = {}", value(self))
    }

    fn elements(&mut self, path: &DocumentPath, elements: &Json) -> String {
        let path = path.render(self.expression);
        format!("{path} {}", self.value(&elements.0))
    }

    fn source(&mut self, source: &Source) -> String {
        match source {
            Source::Value(json) => self.value(&json.0),
            Source::Absent => self.value(Json::NULL),
            Source::Path(path) => self.or_start(path, None),
            Source::Sum { left, minus, right } => self.sum(left, *minus, right),
        }
    }

    fn sum(&mut self, left: &Number, minus: bool, right: &Number) -> String {
        self.operators += 1;
        let sign = if minus { '-' } else { '+' };
        format!("{} {sign} {}", self.number(left), self.number(right))
    }

    fn number(&mut self, number: &Number) -> String {
        match number {
            Number::Value(json) => self.value(&json.0),
            Number::Path { path, starts } => self.or_start(path, starts.then_some(ZERO)),
        }
    }

    /// The path, or its initial value if it is absent.
    fn or_start(&mut self, path: &DocumentPath, otherwise: Option<&[u8]>) -> String {
        let start = self.start_of(path);
        match start.as_deref().or(otherwise) {
            Some(json) => self.if_not_exists(path, json),
            None => path.render(self.expression),
        }
    }

    fn start_of(&self, path: &DocumentPath) -> Option<Vec<u8>> {
        if path.depth() == 0 { (self.start)(&path.attribute) } else { None }
    }

    fn if_not_exists(&mut self, path: &DocumentPath, json: &[u8]) -> String {
        let path = path.render(self.expression);
        let value = self.value(json);
        self.function("if_not_exists", &path, &value)
    }

    fn function(&mut self, name: &str, one: &str, other: &str) -> String {
        self.operators += 1;
        format!("{name}({one}, {other})")
    }

    fn value(&mut self, json: &[u8]) -> String {
        self.expression.encoded_value(json.to_vec())
    }
}

const ZERO: &[u8] = br#"{"N":"0"}"#;
const EMPTY: &[u8] = br#"{"L":[]}"#;
