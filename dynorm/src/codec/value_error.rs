//! The error of encoding and decoding.

use std::borrow::Cow;
use std::fmt;

use super::{beginning, shown};

/// The error for a value that cannot be stored or read, with its path in the item.
///
/// The message starts with the path, outermost first: `address.zip: expected a string, found a number`.
/// Implementations of [`Attribute`](crate::Attribute) create it with [`ValueError::new`]; their callers add
/// the path.
///
/// ```
/// use dynorm::attribute::ValueError;
///
/// let error = ValueError::new("expected a string, found a number");
/// let error = error.in_field("zip").at_index(2).in_field("addresses");
/// assert_eq!(error.to_string(), "addresses[2].zip: expected a string, found a number");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ValueError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    /// Innermost first, since callers add their segment one after another.
    path: Vec<Segment>,
    problem: Cow<'static, str>,
    /// The same without the value, if `problem` contains it.
    discreet: Option<Cow<'static, str>>,
    /// Not a value is wrong: the item is another entity's.
    is_type_mismatch: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    Field(Cow<'static, str>),
    Index(usize),
    Key(String),
}

impl ValueError {
    /// Creates an error about a value; the callers add its path.
    pub fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            path: Vec::new(),
            problem: problem.into(),
            discreet: None,
            is_type_mismatch: false,
        }))
    }

    /// Creates an error that shows the value, with another text for sensitive values.
    pub(crate) fn showing(problem: String, discreet: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(problem);
        error.0.discreet = Some(discreet.into());
        error
    }

    /// Of an item that is another entity's, as this text says.
    pub(crate) fn type_mismatch(problem: String) -> Self {
        let mut error = Self::new(problem);
        error.0.is_type_mismatch = true;
        error
    }

    pub(crate) const fn is_type_mismatch(&self) -> bool {
        self.0.is_type_mismatch
    }

    /// Removes the value from the message: for a field that may be sensitive.
    pub(crate) fn discreet(mut self) -> Self {
        if let Some(discreet) = self.0.discreet.take() {
            self.0.problem = discreet;
        }
        self
    }

    /// Adds the attribute or struct field `name` to the path, outside of what it has.
    #[must_use]
    pub fn in_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(Segment::Field(name.into()));
        self
    }

    /// Adds the position `index` of a list to the path, outside of what it has.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }

    /// Adds the `key` of a map to the path, outside of what it has.
    #[must_use]
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.0.path.push(Segment::Key(key.into()));
        self
    }

    /// Returns the path of the value, such as `addresses[2].zip`; empty for the value itself.
    ///
    /// ```
    /// # use dynorm::attribute::ValueError;
    /// assert_eq!(ValueError::new("too long").at_key("fr").in_field("titles").path(), "titles[\"fr\"]");
    /// ```
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Field(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&shown(name));
                }
                Segment::Index(index) => path.push_str(&format!("[{index}]")),
                Segment::Key(key) => path.push_str(&format!("[{:?}]", beginning(key))),
            }
        }
        path
    }

    /// Returns the problem, without the path.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.0.problem
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        f.write_str(&self.0.problem)
    }
}

impl fmt::Debug for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueError({:?})", self.to_string())
    }
}

impl std::error::Error for ValueError {}
