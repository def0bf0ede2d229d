use std::borrow::Cow;
use std::fmt;

use super::{beginning, shown};

/// Why a value cannot be stored or read, and where in the item it stands.
///
/// The message starts with the path, outermost first: `address.zip: expected a string, found a number`.
/// Implementations of [`Attribute`](crate::Attribute) make one with [`ValueError::new`]; whoever calls them
/// adds the path on the way out.
///
/// ```
/// use dynorm::ValueError;
///
/// let error = ValueError::new("expected a string, found a number").in_field("zip").at_index(2).in_field("addresses");
/// assert_eq!(error.to_string(), "addresses[2].zip: expected a string, found a number");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ValueError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    /// Innermost first, since each level is added on the way out.
    path: Vec<Segment>,
    problem: Cow<'static, str>,
    /// The same without the value, if the problem shows it.
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
    /// An error about the value itself; the callers add where it stands.
    pub fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            path: Vec::new(),
            problem: problem.into(),
            discreet: None,
            is_type_mismatch: false,
        }))
    }

    /// An error that shows the value, and what it says where values must not be shown.
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

    /// The same error without the value: it is not known yet whether its field is sensitive.
    pub(crate) fn discreet(mut self) -> Self {
        if let Some(discreet) = self.0.discreet.take() {
            self.0.problem = discreet;
        }
        self
    }

    /// The same error, one level further out: inside the attribute or struct field `name`.
    #[must_use]
    pub fn in_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.path.push(Segment::Field(name.into()));
        self
    }

    /// The same error, one level further out: at position `index` of a list.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }

    /// The same error, one level further out: at `key` of a map.
    #[must_use]
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.0.path.push(Segment::Key(key.into()));
        self
    }

    /// Where the value stands, such as `addresses[2].zip`; empty for the value itself.
    ///
    /// ```
    /// # use dynorm::ValueError;
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

    /// What is wrong, without the path.
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
