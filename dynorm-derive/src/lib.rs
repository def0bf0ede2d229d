//! The derive macros of [dynorm](https://docs.rs/dynorm): use them through that crate, which documents them.
//!
//! A derive has three steps: `parse` reads the type and its attributes into a `model`, `check` refuses what
//! cannot work, and `expand` writes the code. `errors` collects all errors, so that one compile reports them
//! all. If a type is too broken to expand, `stub` writes a stand-in, so that only the real mistake is
//! reported.

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

/// Derives `dynorm::Entity`: the struct is stored as an item of a DynamoDB table.
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
/// It generates
///
/// - the implementation of `dynorm::Entity`, with the table, the keys and the indexes of `User`;
/// - a constant for each field, such as `User::EMAIL`, from which conditions, changes and projections are
///   built;
/// - the repository type `UserRepo`, with the methods of `dynorm::Repository`; add your own in an `impl
///   UserRepo`;
/// - a function of `UserRepo` for each index, such as `UserRepo::by_status(…)`, which starts a query;
/// - for an index that does not hold the whole item, the type of the items that it holds, such as
///   `UserByStatus`.
///
/// The struct has named fields and no generic parameters, and implements `Clone`. All mistakes are reported
/// in one compile, each at its token.
///
/// # Attributes of the struct
///
/// - `table = "people"`: the table name. The default is the plural of the struct's name in snake_case:
///   `OrderItem` is stored in `order_items`.
/// - `rename_all = "camelCase"`: the case of the attribute names: `snake_case`, `camelCase`, `PascalCase`,
///   `kebab-case`, `SCREAMING_SNAKE_CASE`, `lowercase` or `UPPERCASE`.
/// - `repo = "Users"`: the name of the repository type, instead of `UserRepo`.
/// - `crate = "path"`: the path of dynorm, if the crate is renamed.
/// - `validate`: checks the rules of `garde::Validate` before every write of the whole entity, and not before
///   an `update` (feature `garde`). `dynorm::schema::Validated` lists the rules.
/// - `hooks`: calls the methods of `impl dynorm::Hooks` before and after every save, delete and restore of
///   the entity, and after every read. An `update` does not call them.
/// - `partition = "USER#{id}"`, `sort = "…"`: builds the table's keys from templates; see
///   [Templates](#templates).
/// - `index("gsi1", partition = "…", sort = "…")`: builds the keys of a global index from templates. May be
///   given once for each index.
/// - `index("by_place", partition = [country, city], sort = [street, number])`: a global index whose keys
///   have several attributes, at most four each, in this order.
/// - `partition_attribute = "pk"`, `sort_attribute = "sk"`: the attributes that hold the rendered templates.
///   These are the defaults; for an index `gsi1` they are `gsi1pk` and `gsi1sk`.
/// - `type_attribute = "entity_type"`: the attribute that holds the type name of an entity with a key
///   template. This is the default.
/// - `type_name = "USER"`: the type name that is stored, instead of the struct's name.
/// - `type_name(also = ["User"])`: former type names, the oldest last. Items with one of them are read and
///   written as this entity's.
/// - `untyped`: stores no type name. Every item under the entity's keys is read as one of its items.
/// - `escape = "none"`: does not escape values in templates; see [Templates](#templates).
///
/// # Attributes of a field
///
/// - `id`: gets a new id when the entity is first saved. It is the partition key, unless the struct has a key
///   template or the field has `partition` or `sort` beside `id`.
/// - `partition`: the partition key of the table.
/// - `sort`: the sort key of the table.
/// - `index = "by_email"`: the partition key of a global index. May be given once for each index.
/// - `index("by_email", sort)`: the sort key of a global index. An item in which it is absent (an `Option`
///   that is `None`) is not in the index.
/// - `lsi = "by_date"`: the sort key of a local index, which has the partition key of the table.
/// - `index("by_email", keys_only)`, `index("by_email", include = [name])`, `lsi("by_date", keys_only)`: the
///   index holds its own keys, those of the table and the listed fields, at most 20 with those in templates,
///   instead of the whole item.
/// - `created_at`: set to the current time when the entity is first saved.
/// - `updated_at`: set to the current time by every save and update.
/// - `version`: incremented by every write, and checked by writes of the whole entity (`u64`, `u32`, `i64` or
///   `i32`).
/// - `deleted_at`: enables soft deletion. A delete sets it to the current time and keeps the item
///   (`Option<Timestamp>`).
/// - `ttl`: the expiry of the item, stored in seconds (`Timestamp` or `Option<Timestamp>`).
/// - `unique`: no two items have the same value (a string, a number or bytes, or an `Option` of one); see
///   [Unique fields](#unique-fields).
/// - `rename = "eMail"`: the name of the attribute.
/// - `default`, `default = 7`: the value of the field if the item does not have the attribute: the default of
///   its type, or an expression.
/// - `skip`: not stored; reads set it to its default.
/// - `serde`: stored as serde serializes it, for types that do not implement `Attribute`.
/// - `with = module`: stored by `module::encode(&T, &mut Encoder)` and read by `module::decode(Value)`.
/// - `flatten`: a map that holds all attributes without a field of their own.
/// - `sensitive`: errors do not show its values.
///
/// # Unique fields
///
/// DynamoDB only enforces the uniqueness of keys. So each value of a `unique` field becomes the key of an
/// item in a second table, such as `users-unique` for `users`. This item, a claim, names the item that owns
/// the value. `create_table` creates both tables. Every write of an item writes its claims in the same
/// transaction. A value that is taken already is an `Error::UniqueConflict`, which names the field:
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
/// let second = User { email: "ada@example.com".into(), ..User::default() };
/// assert!(UserRepo::save(second).await.unwrap_err().is_unique_conflict());
///
/// UserRepo::update(ada.id).set(User::EMAIL, "ada@example.org").await?;
/// UserRepo::save(User { email: "ada@example.com".into(), ..User::default() }).await?;
///
/// // Finds by a unique value, too:
/// let found = UserRepo::first_or_create(User { email: "ada@example.org".into(), ..User::default() }).await?;
/// assert_eq!(found.id, ada.id);
/// # Ok(())
/// # }
/// ```
///
/// - A save that changes no unique value is one request, on the condition that the stored values are the
///   same. Otherwise it is a transaction, for which DynamoDB charges twice the capacity, with one more
///   operation for each value that is taken or freed. If the stored item turns out to have other values than
///   the entity, the transaction is built again with those. A batch sends one request for each item.
/// - `update` can change a unique field only by `set`, `set_if_absent` and `remove`. `upsert` is refused; use
///   `update_or_create`. A write that is a transaction cannot return the old item (`returning_old`).
/// - Deleting an item frees its values; soft-deleting it does not. With `ttl`, the claims expire together
///   with the item, even if DynamoDB has not deleted it yet.
/// - In a transaction the claims count towards the 100 operations, and a value can be either freed or taken,
///   not both.
/// - Items from before the field was `unique`, and items that other programs write, have no claims. Save them
///   with a changed value, or write the claims yourself: `claim`, such as `email#ada@example.com`, and
///   `owner`, the key as a map.
///
/// # Templates
///
/// Several entities can share a table if their keys are built from templates:
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
/// The key of such an entity is the tuple of the fields in its templates: `OrderRepo::find((customer_id,
/// id))`. Every write of an entity writes its keys. If a field in an index's template is `None`, the item is
/// not in that index. `{{` and `}}` are literal braces.
///
/// `{number:020}` pads an integer with zeros to 20 digits, so that keys sort as the numbers do. Other types
/// cannot be padded, since `"7"` and `"007"` would be one key. Negative numbers and numbers with more digits
/// are refused when they are written.
///
/// Different values never make the same key. In a value, `#`, `\` and the first character of the text after a
/// placeholder are escaped with `\`. The escape comes before the character: `a\#b`. In a value at the end of
/// a template it comes after it: `a#\b`, so that keys sort as the values do. Therefore a placeholder without
/// a width must be followed by text or end the template, and text after a placeholder must not begin with
/// `\`. `create_table::<A>().with::<B>()` refuses entities that could have equal keys.
///
/// Each item has the type of its entity. If an item of another type, or without one, has the key of an
/// entity, reads by that key return `Error::TypeMismatch`, and single writes and transactions leave the item
/// as it is. Batches cannot have conditions, so they replace or delete it. Queries and scans leave it out.
///
/// `escape = "none"` writes values as they are, for tables whose keys another program defined. Then `a#b`
/// followed by `c` and `a` followed by `b#c` are one key, and the keys of several entities may be equal, so
/// that one entity's write can replace an item of another. Use it only if no value contains the text between
/// the placeholders.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    entity(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `dynorm::Attribute`: the type can be stored in an attribute.
///
/// - A struct with named fields is stored as a map.
/// - A newtype, `struct Email(String);`, is stored as its field is, and can be a key if its field can.
/// - An enum without data is stored as a string, the name of the variant in snake_case.
/// - An enum with data is stored as a map with the name of the variant under `type`. The fields of the
///   variant are entries beside it; a single unnamed value is stored under `value`.
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
/// Type parameters must implement `Attribute`. Lifetimes are not allowed.
///
/// - `rename_all = "camelCase"`, on the type or a variant: the case of the names of fields or variants, as
///   for `Entity`.
/// - `crate = "path"`, on the type: the path of dynorm, if the crate is renamed.
/// - `tag = "kind"`, on an enum with data: the entry that holds the name of the variant, instead of `type`.
/// - `rename = "…"`, on a field or a variant: its name.
/// - `default`, `default = 7`, on a field: its value if the map does not have it.
/// - `skip`, `serde`, `with = module`, `flatten`, on a field: as for the fields of an `Entity`.
///
/// Each field of a struct has a constant, such as `Address::CITY`.
#[proc_macro_derive(Attribute, attributes(attribute))]
pub fn derive_attribute(input: TokenStream) -> TokenStream {
    attribute(&parse_macro_input!(input as DeriveInput)).into()
}

/// Derives `dynorm::Projection`: some fields of an entity, which a query can read instead of
/// the whole.
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
/// Each field has the name and the type of a field of the entity. `from` names another field, or a path
/// inside one; a path gives an `Option`, since it may be absent. `crate = "path"`, beside `of`, is the path
/// of dynorm if the crate is renamed.
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
