//! The results of a query: entities, or some of their fields.

use std::fmt;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use super::evaluate::find;
use super::found::Found;
use crate::attribute::Attribute;
use crate::codec::{Item, ValueError};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, decode_entity};
use crate::expression::{DocumentPath, Path};
use crate::field::{Field, TypedKind};
use crate::hooks;
use crate::sealed::Sealed;

/// The result of a query for each item: the [`Whole`] entity, or what [`Query::select`](super::Query::select)
/// was given: a field, a path inside one, or a tuple of those.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{E}`",
    label = "expected a field of `{E}`, or a tuple of up to eight",
    note = "for example `.select((User::ID, User::EMAIL))`",
    note = "a field that is stored by `serde` or `with` cannot be selected: read the entity"
)]
pub trait Selection<E: Entity>: Sealed + Send + Sync + 'static {
    /// The result for one item.
    type Output: Send + 'static;
    /// The result for many items: a `Collection` of entities, a `Vec` of anything else.
    type Many: Send;

    #[doc(hidden)]
    fn paths(&self) -> Option<Vec<DocumentPath>>;

    #[doc(hidden)]
    fn decode(&self, item: &Item<'_>) -> Result<Option<Self::Output>, ValueError>;

    #[doc(hidden)]
    fn many(items: Vec<Self::Output>, found: Found) -> Self::Many;

    /// Calls the `retrieved` hook of the entity.
    #[doc(hidden)]
    fn retrieved<'o>(_: &'o mut Self::Output, _: &'o Database) -> Option<BoxFuture<'o, ()>> {
        None
    }
}

/// The whole entity.
pub struct Whole<E>(PhantomData<fn() -> E>);

impl<E> Whole<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> fmt::Debug for Whole<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<E> Sealed for Whole<E> {}
impl<P> Sealed for Projected<P> {}

#[diagnostic::do_not_recommend]
impl<E: Entity> Selection<E> for Whole<E> {
    type Output = E;
    type Many = Collection<E>;

    fn paths(&self) -> Option<Vec<DocumentPath>> {
        None
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<E>, ValueError> {
        decode_entity(item)
    }

    fn many(items: Vec<E>, found: Found) -> Collection<E> {
        found.into_collection(items)
    }

    fn retrieved<'o>(entity: &'o mut E, database: &'o Database) -> Option<BoxFuture<'o, ()>> {
        E::INFO.hooks.then(|| Box::pin(hooks::retrieved(database, entity)) as _)
    }
}

/// A struct made of some fields of an entity, for [`Query::select_as`](super::Query::select_as). Implemented
/// by the derive macro of the same name.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Attribute, Clone, Debug, Default)]
/// # struct Address { city: String, zip: String }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User {
/// #     #[entity(id)] id: Id<User>, #[entity(index = "by_status")] status: String,
/// #     email: String, address: Option<Address>,
/// # }
/// #[derive(Projection, Debug, PartialEq)]
/// #[projection(of = User)]
/// struct Contact {
///     email: String,
///     #[projection(from = User::ADDRESS.field(Address::CITY))]
///     city: Option<String>,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # let address = Some(Address { city: "Paris".into(), zip: "75001".into() });
/// # let ada = User { email: "ada@example.com".into(), address, ..Default::default() };
/// # UserRepo::save(User { status: "active".into(), ..ada }).await?;
///
/// let contacts: Collection<Contact> = UserRepo::by_status("active").select_as().get_all().await?;
/// assert_eq!(contacts, [Contact { email: "ada@example.com".into(), city: Some("Paris".into()) }]);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "this type does not implement `dynorm::Projection`",
    note = "a projection is a struct with `#[derive(Projection)]` and `#[projection(of = …)]`, which names \
        its entity"
)]
pub trait Projection: Sized + Send + 'static {
    /// The entity that it is made of.
    type Entity: Entity;

    #[doc(hidden)]
    fn paths() -> ProjectedPaths;

    #[doc(hidden)]
    fn decode_projection(item: &Item<'_>) -> Result<Self, ValueError>;
}

/// The paths that a projection reads.
#[derive(Debug, Default)]
pub struct ProjectedPaths(Vec<DocumentPath>);

impl ProjectedPaths {
    /// The fields at these positions of the table of fields.
    #[doc(hidden)]
    #[must_use]
    pub fn of<E: Entity>(fields: &[usize]) -> Self {
        let names = fields.iter().filter_map(|field| Some(E::INFO.fields.get(*field)?.name));
        Self(names.map(DocumentPath::of).collect())
    }

    /// Adds a field.
    #[doc(hidden)]
    #[must_use]
    pub fn and<T>(mut self, field: ProjectedField<T>) -> Self {
        self.0.push(field.path);
        self
    }
}

/// A path, and the function that reads a `T` from it.
#[doc(hidden)]
#[derive(Debug)]
pub struct ProjectedField<T> {
    path: DocumentPath,
    read: fn(&DocumentPath, &Item<'_>) -> Result<T, ValueError>,
}

impl<T> ProjectedField<T> {
    #[doc(hidden)]
    pub fn read(self, item: &Item<'_>) -> Result<T, ValueError> {
        (self.read)(&self.path, item)
    }
}

/// A field of an `E`, or a path inside one, that a projection reads as a `T`.
// The type is a parameter, so that a mismatch is a single error with this message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this field of `{E}` is not a `{T}`",
    label = "this field is `{Self}`",
    note = "a field of a projection has the type of the entity's field; a path inside one gives an \
        `Option`, since it may be absent",
    note = "a field that is stored by `serde` or `with` cannot be projected: read the entity"
)]
pub trait ProjectedFrom<E, T> {
    fn projected_field(&self) -> ProjectedField<T>;
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> ProjectedFrom<E, T>
    for Field<E, T, K>
{
    fn projected_field(&self) -> ProjectedField<T> {
        ProjectedField { path: self.path(), read: read_field }
    }
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> ProjectedFrom<E, Option<T>>
    for Path<E, T, K>
{
    fn projected_field(&self) -> ProjectedField<Option<T>> {
        ProjectedField { path: self.path(), read: read_path }
    }
}

/// A field of a projection, with the type that it has in the struct.
#[doc(hidden)]
pub fn projected_field<E, T>(source: &impl ProjectedFrom<E, T>) -> ProjectedField<T> {
    source.projected_field()
}

fn read_field<T: Attribute>(path: &DocumentPath, item: &Item<'_>) -> Result<T, ValueError> {
    let name = &path.attribute;
    match item.get(name)? {
        Some(value) => T::decode(value).map_err(|error| error.in_field(name.clone())),
        None => T::absent().ok_or_else(|| ValueError::new("the attribute is missing").in_field(name.clone())),
    }
}

fn read_path<T: Attribute>(path: &DocumentPath, item: &Item<'_>) -> Result<Option<T>, ValueError> {
    let value = find(path, item)?.filter(|value| !value.is_null());
    value.map(T::decode).transpose().map_err(|error| error.in_field(format!("{path:?}")))
}

/// The fields of a struct; see [`Projection`].
pub struct Projected<P>(PhantomData<fn() -> P>);

impl<P> Projected<P> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P> fmt::Debug for Projected<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Projected")
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity, P: Projection<Entity = E>> Selection<E> for Projected<P> {
    type Output = P;
    type Many = Collection<P>;

    fn paths(&self) -> Option<Vec<DocumentPath>> {
        Some(P::paths().0)
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<P>, ValueError> {
        P::decode_projection(item).map(Some)
    }

    fn many(items: Vec<P>, found: Found) -> Collection<P> {
        found.into_collection(items)
    }
}

/// A field or a path in a selection.
pub trait Selected<E>: Sealed + Send + Sync + 'static {
    /// The result for one item.
    type Output: Send + 'static;

    #[doc(hidden)]
    fn path(&self) -> DocumentPath;

    #[doc(hidden)]
    fn decode_part(&self, item: &Item<'_>) -> Result<Self::Output, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> Selected<E> for Field<E, T, K> {
    type Output = T;

    fn path(&self) -> DocumentPath {
        (*self).into()
    }

    fn decode_part(&self, item: &Item<'_>) -> Result<T, ValueError> {
        read_field(&self.path(), item)
    }
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> Selected<E> for Path<E, T, K> {
    type Output = Option<T>;

    fn path(&self) -> DocumentPath {
        self.clone().untyped()
    }

    fn decode_part(&self, item: &Item<'_>) -> Result<Option<T>, ValueError> {
        read_path(&self.path(), item)
    }
}

// Not generated by a macro, since rustc would show the macro's source in error messages.

#[diagnostic::do_not_recommend]
impl<E: Entity, T: Attribute + Send + 'static, K: TypedKind + 'static> Selection<E> for Field<E, T, K> {
    type Output = T;
    type Many = Vec<T>;

    fn paths(&self) -> Option<Vec<DocumentPath>> {
        Some(vec![self.path()])
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<T>, ValueError> {
        self.decode_part(item).map(Some)
    }

    fn many(items: Vec<T>, _: Found) -> Self::Many {
        items
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity, T: Attribute + Send + 'static, K: TypedKind + 'static> Selection<E> for Path<E, T, K> {
    type Output = Option<T>;
    type Many = Vec<Option<T>>;

    fn paths(&self) -> Option<Vec<DocumentPath>> {
        Some(vec![self.path()])
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<Option<T>>, ValueError> {
        self.decode_part(item).map(Some)
    }

    fn many(items: Vec<Option<T>>, _: Found) -> Self::Many {
        items
    }
}

macro_rules! tuple_selections {
    ($(($($part:ident $position:tt),*);)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: Entity, $($part: Selected<E>),*> Selection<E> for ($($part,)*) {
            type Output = ($($part::Output,)*);
            type Many = Vec<Self::Output>;

            fn paths(&self) -> Option<Vec<DocumentPath>> {
                Some(vec![$(self.$position.path()),*])
            }

            fn decode(&self, item: &Item<'_>) -> Result<Option<Self::Output>, ValueError> {
                Ok(Some(($(self.$position.decode_part(item)?,)*)))
            }

            fn many(items: Vec<Self::Output>, _: Found) -> Self::Many {
                items
            }
        }
    )*};
}

tuple_selections! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, F 4);
    (A 0, B 1, C 2, D 3, F 4, G 5);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7);
}
