//! Places inside an item without their types: an attribute, or something in it.

use std::borrow::Cow;
use std::fmt;

use super::placeholders::Expression;
use crate::field::Field;

/// A place inside an item: an attribute, and the steps that lead on from it.
#[derive(Clone)]
pub struct DocumentPath {
    pub(crate) attribute: Cow<'static, str>,
    pub(crate) steps: Vec<Step>,
    /// The name of the attribute was learnt at run time, so that the compiler has checked neither it nor what
    /// it is compared with.
    pub(crate) by_name: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Member(Cow<'static, str>),
    Element(usize),
}

impl DocumentPath {
    pub(crate) fn of(attribute: impl Into<Cow<'static, str>>) -> Self {
        Self { attribute: attribute.into(), steps: Vec::new(), by_name: false }
    }

    /// An attribute whose name was learnt at run time.
    pub(crate) fn by_name(attribute: String) -> Self {
        Self { by_name: true, ..Self::of(attribute) }
    }

    /// True if it is this attribute as a whole.
    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.steps.is_empty() && self.attribute == name
    }

    /// How deep in the item it lies.
    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// True if `other` is this place, or lies within it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.attribute == other.attribute && other.steps.starts_with(&self.steps)
    }

    /// The place up to the first list that an element is taken of.
    pub(crate) fn before_elements(mut self) -> Self {
        let elements = self.steps.iter().position(|step| matches!(step, Step::Element(_)));
        self.steps.truncate(elements.unwrap_or(self.steps.len()));
        self
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Its text, of placeholders.
    pub(crate) fn render(&self, expression: &mut Expression) -> String {
        let mut text = expression.name(&self.attribute);
        for step in &self.steps {
            match step {
                Step::Member(name) => {
                    text.push('.');
                    text.push_str(&expression.name(name));
                }
                Step::Element(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

/// The same place is the same, however its attribute was named.
impl PartialEq for DocumentPath {
    fn eq(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.steps == other.steps
    }
}

impl Eq for DocumentPath {}

/// `address.lines[0]`
impl fmt::Debug for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl<E, T, K> From<Field<E, T, K>> for DocumentPath {
    fn from(field: Field<E, T, K>) -> Self {
        Self::of(field.name())
    }
}

impl From<&'static str> for DocumentPath {
    fn from(attribute: &'static str) -> Self {
        Self::of(attribute)
    }
}
