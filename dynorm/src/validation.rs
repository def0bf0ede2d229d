//! Validation rules of entities.

use std::fmt;

/// A validation rule that a field breaks; see [`Error::violations`](crate::Error::violations).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The path of the field, such as `lines[1].price`.
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

/// A type that `#[entity(validate)]` can validate: one that implements `garde::Validate`, with a context that
/// implements `Default`. Needs the feature `garde`.
///
/// An entity is validated before every write of the whole entity, also in batches. An `update` has no entity
/// to validate. [`Error::violations`](crate::Error::violations) lists every rule that is broken.
///
/// # The rules
///
/// | requirement | rule |
/// |---|---|
/// | required | a field that is not an `Option`; for an `Option`, `required` |
/// | not empty | `length(min = 1)` |
/// | length of a text | `length(min = 2, max = 80)` in bytes, `length(chars, max = 80)` in characters |
/// | length of a list, set or map | `length(max = 3)` |
/// | range | `range(min = 18, max = 120)` |
/// | e-mail | `email`, with the feature `email` of garde |
/// | URL | `url`, with the feature `url` of garde |
/// | pattern | `pattern(r"^[A-Z]{2}$")`, with the feature `pattern` of garde |
/// | simple patterns | `prefix`, `suffix`, `contains`, `ascii`, `alphanumeric` |
/// | UUID | the type of the field, `uuid::Uuid` (feature `uuid` of dynorm); for a text, `custom(…)` |
/// | ULID | the type of the field, [`Id<T>`](crate::Id); for a text, `custom(…)` |
/// | one of several values | the type of the field: an enum with `#[derive(Attribute)]` |
/// | each element of a list | `inner(length(max = 20))` |
/// | a nested struct | `dive`, and `#[derive(garde::Validate)]` on it |
/// | anything else | `custom(function)` |
/// | nothing | `skip` |
///
/// What a type guarantees needs no rule: a stored value that does not fit the type is an error when it is
/// read.
///
/// ```
/// # #[cfg(all(feature = "garde", feature = "uuid", feature = "embedded"))] mod example {
/// use dynorm::prelude::*;
/// use garde::Validate;
///
/// #[derive(Entity, Validate, Clone, Debug)]
/// #[entity(validate)]
/// struct User {
///     #[entity(id)]
///     #[garde(skip)]
///     id: Id<User>,                      // a ULID
///     #[garde(skip)]
///     device: uuid::Uuid,
///     #[garde(skip)]
///     status: Status,                    // one of these
///     #[garde(length(chars, min = 1, max = 80))]
///     name: String,
///     #[garde(email)]
///     email: String,
///     #[garde(range(min = 18, max = 120))]
///     age: u8,
///     #[garde(url)]
///     homepage: Option<String>,          // if there is one
///     #[garde(required)]
///     agreed_at: Option<Timestamp>,
///     #[garde(custom(ulid))]
///     invited_by: String,
///     #[garde(length(max = 3), inner(length(max = 20)))]
///     tags: Vec<String>,
///     #[garde(dive)]
///     address: Address,
/// }
///
/// #[derive(Attribute, Clone, Copy, Debug, PartialEq)]
/// enum Status { Active, Banned }
///
/// #[derive(Attribute, Validate, Clone, Debug)]
/// struct Address {
///     #[garde(pattern(r"^[A-Z]{2}$"))]
///     country: String,
/// }
///
/// fn ulid(text: &str, _: &()) -> garde::Result {
///     match text.parse::<dynorm::ulid::Ulid>() {
///         Ok(_) => Ok(()),
///         Err(error) => Err(garde::Error::new(format!("no ULID: {error}"))),
///     }
/// }
///
/// # pub async fn run() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// let user = User {
///     id: Id::default(),
///     device: uuid::Uuid::nil(),
///     status: Status::Active,
///     name: String::new(),
///     email: "ada".into(),
///     age: 7,
///     homepage: Some("here".into()),
///     agreed_at: None,
///     invited_by: "Alan".into(),
///     tags: vec!["x".repeat(30)],
///     address: Address { country: "Britain".into() },
/// };
/// let error = UserRepo::save(user).await.unwrap_err();
/// let fields: Vec<&str> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
/// assert_eq!(
///     fields,
///     ["address.country", "age", "agreed_at", "email", "homepage", "invited_by", "name", "tags[0]"]
/// );
/// # Ok(())
/// # }
/// # }
/// # #[cfg(all(feature = "garde", feature = "uuid", feature = "embedded"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// #     example::run().await
/// # }
/// # #[cfg(not(all(feature = "garde", feature = "uuid", feature = "embedded")))]
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rules to be validated by",
    label = "`#[entity(validate)]` needs `garde::Validate`",
    note = "derive it: `#[derive(garde::Validate)]`, with a rule such as `#[garde(length(min = 1))]` \
            or `#[garde(skip)]` on each field",
    note = "the feature `garde` of dynorm must be on, and its version of garde the same as yours; the \
            context of the rules needs a `Default`"
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
