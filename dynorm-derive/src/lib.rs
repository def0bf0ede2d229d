//! The derive macros of [dynorm](https://docs.rs/dynorm): use them through that crate, which documents them.
//!
//! A derive goes through three steps: `parse` reads the type and its attributes into a `model`, `check` refuses what cannot
//! work, `expand` writes the code. Every mistake is collected by `errors` and reported in one compile; where there is too
//! little to expand, `stub` stands in, so that only the true mistake shows.

mod attr;
mod check;
mod errors;
mod expand;
mod model;
mod names;
mod parse;
mod plural;
mod template;
#[cfg(test)]
mod tests;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct an entity: an item of a DynamoDB table.
///
/// ```
/// use dynorm::prelude::*;
///
/// # #[derive(Attribute, Clone, Copy, Debug, Default)]
/// # pub enum Status { #[default] Pending, Active }
/// #[derive(Entity, Clone, Debug, Default)]
/// pub struct User {
///     #[entity(id)]
///     pub id: Id<User>,
///     #[entity(index = "by_email")]
///     pub email: String,
///     #[entity(index = "by_status")]
///     pub status: Status,
///     pub age: u32,
///     #[entity(created_at)]
///     pub created_at: Timestamp,
///     #[entity(updated_at, index("by_status", sort))]
///     pub updated_at: Timestamp,
/// }
/// ```
///
/// It makes
///
/// - the implementation of `dynorm::Entity`, with the table, keys and indexes of `User`;
/// - a constant for each field, `User::EMAIL`, which makes conditions and reads and sets the field;
/// - the type `UserRepo` with the operations of `dynorm::Repository`, to which you add your own in an `impl UserRepo`;
/// - a function on it for each index, `UserRepo::by_status(…)`, which begins a query;
/// - for an index that does not hold the whole item, the type of what it holds, `UserByStatus`.
///
/// The struct has named fields, no parameters and no lifetimes, and is `Clone`. What is wrong with it is reported in one
/// compile, each mistake at its place.
///
/// # On the struct
///
/// | attribute | meaning |
/// |---|---|
/// | `table = "people"` | the table; without it the name in plural and snake_case: `OrderItem` is stored in `order_items` |
/// | `rename_all = "camelCase"` | how the attributes are spelled: `snake_case`, `camelCase`, `PascalCase`, `kebab-case`, `SCREAMING_SNAKE_CASE`, `lowercase`, `UPPERCASE` |
/// | `repo = "Users"` | the name of the repository, instead of `UserRepo` |
/// | `crate = "path"` | where dynorm is, for a crate that knows it by another name |
/// | `validate` | the rules of `garde::Validate` are checked before every write of the whole entity, and not before an `update` (feature `garde`); `dynorm::Validated` has a table of them |
/// | `hooks` | what `impl dynorm::Hooks` says runs around every save, delete and restore of the entity, and after every read; not around an `update` |
/// | `partition = "USER#{id}"`, `sort = "…"` | the key is made of a template, see below |
/// | `index("gsi1", partition = "…", sort = "…")` | so are the keys of an index; it may be given several times |
/// | `index("by_place", partition = [country, city], sort = [street, number])` | the keys of a global index are made of several attributes each, up to four, in this order |
/// | `partition_attribute = "pk"`, `sort_attribute = "sk"` | the attributes that hold what the templates make; in an index `gsi1pk` and `gsi1sk` without it |
/// | `type_attribute = "entity_type"` | the attribute that holds the type of an entity whose key is a template |
/// | `type_name = "USER"` | the type that is written into it, instead of the name of the struct |
/// | `type_name(also = ["User"])` | former types, whose items are read and written as the entity's own; the oldest last |
/// | `untyped` | the items have no type: everything under the keys of the entity is read as one |
/// | `escape = "none"` | values are written into templates as they are, see below |
///
/// # On a field
///
/// | attribute | meaning |
/// |---|---|
/// | `id` | filled with a fresh id at the first save; the partition key, unless a template, or `partition` or `sort` beside it, says otherwise |
/// | `partition` | the partition key of the table |
/// | `sort` | the sort key of the table |
/// | `index = "by_email"` | the partition key of a global index; it may be given several times, for several indexes |
/// | `index("by_email", sort)` | the sort key of a global index; an item without it, an `Option` that is `None`, is not in the index |
/// | `lsi = "by_date"` | the sort key of a local index, which shares the partition key of the table |
/// | `index("by_email", keys_only)`, `index("by_email", include = [name])`, `lsi("by_date", keys_only)` | the index holds its keys, those of the table, and these fields (with what templates are made of, up to 20), instead of the whole item |
/// | `created_at` | set to the current time when the entity is first saved |
/// | `updated_at` | set to the current time whenever it is saved |
/// | `version` | raised by every write, and checked by those of the whole entity (`u64`, `u32`, `i64`, `i32`) |
/// | `deleted_at` | a delete sets it to the current time and leaves the item (`Option<Timestamp>`) |
/// | `ttl` | when the item expires, stored in seconds (`Timestamp`, `Option<Timestamp>`) |
/// | `unique` | no two items have the same value, see below (text, a number or bytes, or an `Option` of one) |
/// | `rename = "eMail"` | the name of the attribute |
/// | `default`, `default = 7` | what the field is where the item does not have it: the default of its type, or an expression |
/// | `skip` | not stored; the default when it is read |
/// | `serde` | stored as serde writes it, for a type that is no attribute |
/// | `with = module` | stored by `module::encode(&T, &mut Encoder)` and `module::decode(Value)` |
/// | `flatten` | a map that holds the attributes which the struct does not model |
/// | `sensitive` | its values are not shown in errors |
///
/// # Unique fields
///
/// DynamoDB keeps only keys apart. So each value of a `unique` field is the key of an item in a table beside the entity's, called
/// `users-unique` for `users`: the claim of its owner. `create_table` makes both tables. Whatever writes an item writes its claims in
/// the same transaction, and a value that is taken is an `Error::UniqueConflict`, which names the field:
///
/// ```
/// # use dynorm::prelude::*;
/// #[derive(Entity, Clone, Debug, Default)]
/// struct User {
///     #[entity(id)]
///     id: Id<User>,
///     #[entity(unique)]
///     email: String,
/// }
///
/// # async fn example() -> dynorm::Result<()> {
/// let ada = UserRepo::save(User { email: "ada@example.com".into(), ..User::default() }).await?;
/// let error = UserRepo::save(User { email: "ada@example.com".into(), ..User::default() }).await.unwrap_err();
/// assert!(error.is_unique_conflict());
///
/// UserRepo::update(ada.id).set(User::EMAIL, "ada@example.org").await?;
/// UserRepo::save(User { email: "ada@example.com".into(), ..User::default() }).await?;
///
/// // By a unique value, too:
/// let found = UserRepo::first_or_create(User { email: "ada@example.org".into(), ..User::default() }).await?;
/// assert_eq!(found.id, ada.id);
/// # Ok(())
/// # }
/// ```
///
/// - A save that changes none of the values is one request, with the condition that they are as they were. Otherwise it is a
///   transaction, of which DynamoDB charges twice the units, with one operation for each value that is taken or freed; if the item
///   turns out to have other values than the entity, it is made again with those. A batch sends one request for each item.
/// - A change by `update` has to say the value: `set`, `set_if_absent` or `remove`. `upsert` is refused; `update_or_create` does the same.
///   Where there is a transaction, nothing can give the old item back (`returning_old`).
/// - A deleted owner frees its values; one that is marked as deleted keeps them. With `ttl` the claims end when their owner does, also
///   while DynamoDB has not deleted it yet.
/// - In a transaction the claims count for the 100 operations, and one value can be freed or taken, not both.
/// - Items that were there before the field was `unique`, and items that others write, have no claims: save them with a changed
///   value, or put their claims into the table: `claim`, such as `email#ada@example.com`, and `owner`, the key as a map.
///
/// # Templates
///
/// Several entities may share a table if their keys are made of templates:
///
/// ```
/// # use dynorm::prelude::*;
/// # pub struct Customer;
/// # #[derive(Attribute, Clone, Copy, Debug)]
/// # pub enum OrderStatus { Placed, Shipped }
/// #[derive(Entity, Clone, Debug)]
/// #[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
/// #[entity(index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}"))]
/// pub struct Order {
///     pub customer_id: Id<Customer>,
///     #[entity(id)]
///     pub id: Id<Order>,
///     pub status: OrderStatus,
///     pub placed_at: Timestamp,
/// }
/// ```
///
/// The key of such an entity is the tuple of its placeholders, `OrderRepo::find((customer_id, id))`. The keys are written
/// whenever the entity is; with a part that is `None`, the item is not in the index. `{{` and `}}` stand for braces.
///
/// `{number:020}` fills an integer up with zeros, so that texts sort as the numbers do. Other types have no padding: `"7"` and
/// `"007"` would be one key. Negative numbers, and those of more digits, are refused when they are written.
///
/// No two combinations of values make the same key. In a value, `#`, `\` and the character that a text behind a placeholder
/// begins with are escaped with `\`. The escape stands in front, `a\#b`; in a value that ends the template it stands behind,
/// `a#\b`, so that the keys have the order of the values. So a placeholder without a width is followed by a text, or by
/// nothing, and no text behind a placeholder begins with `\`. `create_table::<A>().with::<B>()` refuses entities that could
/// make each other's keys.
///
/// Each item has the type of its entity, and a key is not enough to be one: an item of another type, or of none, that lies
/// under the key of an entity is `Error::TypeMismatch` for reads by that key, and single writes and transactions leave it as
/// it is. Batches take no conditions, so they replace and delete it. Queries and scans leave it out.
///
/// `escape = "none"` is for tables whose keys others made: values are written as they are. Then `a#b` beside `c`, and `a`
/// beside `b#c`, are one key, and nothing keeps the entities of the table apart, so that a write may replace an item of
/// another entity: use it where no value holds what the templates put between them.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    entity(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a type one that an attribute can hold.
///
/// | type | stored as |
/// |---|---|
/// | a struct with named fields | a map |
/// | a newtype, `struct Email(String);` | what it holds; it can be a key if that can |
/// | an enum without data | text, the name of the variant in snake_case |
/// | an enum with data | a map with the name of the variant under `type`; a single value beside it under `value` |
///
/// ```
/// use dynorm::prelude::*;
///
/// # #[derive(Attribute, Clone, Debug, PartialEq)]
/// # pub struct CardNumber(String);
/// #[derive(Attribute, Clone, Copy, Debug, PartialEq)]
/// pub enum Status { Pending, Active, #[attribute(rename = "off")] Inactive }
///
/// #[derive(Attribute, Clone, Debug, PartialEq)]
/// pub struct Address { pub city: String, #[attribute(default)] pub zip: String }
///
/// #[derive(Attribute, Clone, Debug, PartialEq)]
/// #[attribute(tag = "kind")]
/// pub enum Payment { Cash, Card(CardNumber), Transfer { iban: String } }
/// ```
///
/// Type parameters are allowed, and must be attributes themselves; lifetimes are not.
///
/// | attribute | where | meaning |
/// |---|---|---|
/// | `rename_all = "camelCase"` | type, variant | how fields or variants are spelled; the cases are those of `Entity` |
/// | `crate = "path"` | type | where dynorm is, for a crate that knows it by another name |
/// | `tag = "kind"` | enum with data | the entry that holds the name of the variant |
/// | `rename = "…"` | field, variant | its name |
/// | `default`, `default = 7` | field | what the field is where the map does not have it |
/// | `skip`, `serde`, `with`, `flatten` | field | as for the fields of an `Entity` |
///
/// Each field of a struct has a constant, `Address::CITY`.
#[proc_macro_derive(Attribute, attributes(attribute))]
pub fn derive_attribute(input: TokenStream) -> TokenStream {
    attribute(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct a projection: some of the fields of an entity, which a query reads and gives instead of the whole.
///
/// ```
/// use dynorm::prelude::*;
///
/// # #[derive(Attribute, Clone, Debug, Default)]
/// # pub struct Address { pub city: String }
/// # #[derive(Entity, Clone, Debug, Default)]
/// # pub struct User { #[entity(id)] pub id: Id<User>, pub email: String, pub address: Option<Address> }
/// #[derive(Projection)]
/// #[projection(of = User)]
/// pub struct Contact {
///     pub id: Id<User>,
///     pub email: String,
///     #[projection(from = User::ADDRESS.field(Address::CITY))]
///     pub city: Option<String>,
/// }
/// ```
///
/// Each field has the name and the type of a field of the entity. `from` names a field that is called otherwise, or a place
/// inside one, which is an `Option` since it may not be there. Where dynorm is known by another name, `crate = "path"` beside `of`
/// says so.
#[proc_macro_derive(Projection, attributes(projection))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    projection(&parse_macro_input!(input as DeriveInput)).into()
}

fn entity(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::new();
    let code = parse::entity(input, &mut errors).map(|entity| {
        check::entity(&entity, &mut errors);
        if entity.has_fields { expand::entity(&entity) } else { expand::stub(&entity) }
    });
    errors.with(code.unwrap_or_default())
}

fn projection(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::new();
    let code = parse::projection(input, &mut errors).map(|projection| expand::projection(&projection));
    errors.with(code.unwrap_or_default())
}

fn attribute(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::new();
    let attribute = parse::attribute(input, &mut errors);
    errors.with(expand::attribute(&attribute))
}
