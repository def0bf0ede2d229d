//! The rules that an entity says of its own fields.

use std::fmt;

/// A rule that a field breaks; see [`Error::violations`](crate::Error::violations).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The field, with the way to it: `lines[1].price`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

/// A type that `#[entity(validate)]` can ask: one that implements `garde::Validate`, with a context that has a default. It
/// needs the feature `garde`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rules to be validated by",
    label = "`#[entity(validate)]` needs `garde::Validate`",
    note = "derive it: `#[derive(garde::Validate)]`, with a rule such as `#[garde(length(min = 1))]` or `#[garde(skip)]` on each field",
    note = "the feature `garde` of dynorm must be on, and its version of garde the same as yours; the context of the rules needs a `Default`"
)]
pub trait Validated {
    #[doc(hidden)]
    fn violations(&self) -> Vec<Violation>;
}

#[cfg(feature = "garde")]
#[diagnostic::do_not_recommend]
impl<T: garde::Validate<Context: Default>> Validated for T {
    fn violations(&self) -> Vec<Violation> {
        let Err(report) = self.validate() else { return Vec::new() };
        let violation = |(path, error): &(garde::Path, garde::Error)| Violation {
            field: path.to_string(),
            message: error.message().to_owned(),
        };
        report.iter().map(violation).collect()
    }
}
