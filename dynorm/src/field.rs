use std::fmt;
use std::marker::PhantomData;

/// A field of an entity or of a nested struct, as a typed constant such as `User::EMAIL`: the derive macros make one for
/// each field.
///
/// It makes conditions, and reads and sets the field of a value at hand:
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, email: String, age: u32 }
/// let condition = User::AGE.ge(18) & User::EMAIL.begins_with("ada@");
///
/// let mut user = User::default();
/// User::AGE.set(&mut user, 36);
/// assert_eq!(User::AGE.get(&user), &36);
/// assert_eq!(User::AGE.name(), "age");
/// ```
///
/// It is [`Copy`]. The last parameter tells key fields, which cannot be changed, from the plain ones.
pub struct Field<E, T, K = Plain> {
    name: &'static str,
    get: fn(&E) -> &T,
    set: fn(&mut E, T),
    kind: PhantomData<fn() -> K>,
}

/// The kind of the fields that can be changed.
#[derive(Debug)]
pub enum Plain {}

/// The kind of the fields that the key of the table is made of.
#[derive(Debug)]
pub enum Key {}

impl<E, T, K> Field<E, T, K> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, get: fn(&E) -> &T, set: fn(&mut E, T)) -> Self {
        Self { name, get, set, kind: PhantomData }
    }

    /// The name of the attribute that the field is stored in.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The value of the field in `entity`.
    #[must_use]
    pub fn get(self, entity: &E) -> &T {
        (self.get)(entity)
    }

    /// Sets the field in `entity`. Nothing is sent.
    pub fn set(self, entity: &mut E, value: T) {
        (self.set)(entity, value);
    }
}

// By hand, since a derive would ask the same of the parameters.
impl<E, T, K> Clone for Field<E, T, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E, T, K> Copy for Field<E, T, K> {}

impl<E, T, K> fmt::Debug for Field<E, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name)
    }
}
