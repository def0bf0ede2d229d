//! Document paths without types: an attribute of an item, or a value nested in it.

use std::borrow::Cow;
use std::fmt;

use super::placeholders::Expression;
use crate::field::Field;

/// A document path: an attribute, and the steps to a value nested in it.
#[derive(Clone)]
pub struct DocumentPath {
    pub(crate) attribute: Cow<'static, str>,
    pub(crate) steps: Vec<Step>,
    /// The attribute name is known only at run time, so that the compiler has checked neither the name nor
    /// the operands.
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

    /// The attribute with a name known only at run time.
    pub(crate) fn by_name(attribute: String) -> Self {
        Self { by_name: true, ..Self::of(attribute) }
    }

    /// True if the path is the attribute `name` itself.
    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.steps.is_empty() && self.attribute == name
    }

    /// The number of steps below the attribute.
    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// True if `other` is the same path, or lies within it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.attribute == other.attribute && other.steps.starts_with(&self.steps)
    }

    /// The path up to the first list of which it takes an element.
    pub(crate) fn before_elements(mut self) -> Self {
        let elements = self.steps.iter().position(|step| matches!(step, Step::Element(_)));
        self.steps.truncate(elements.unwrap_or(self.steps.len()));
        self
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Renders the path with placeholders for its names.
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

/// Ignores how the attribute was named.
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
