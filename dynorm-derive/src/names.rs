//! The names that a derive generates: constants, functions that start a query, and types of the items in
//! projected indexes.

use heck::{ToSnakeCase, ToUpperCamelCase};
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::model::{Entity, Index};

/// The constant of a field: `email` → `EMAIL`.
pub(crate) fn constant_name(field: &Ident) -> Ident {
    Ident::new(&field.unraw().to_string().to_uppercase(), field.span())
}

/// The function of an index: `by-email` → `by_email`.
pub(crate) fn starter_name(name: &LitStr) -> Ident {
    let text: String = name
        .value()
        .chars()
        .map(|character| if character.is_alphanumeric() { character } else { '_' })
        .collect();
    let snake = text.to_snake_case();
    let snake = if snake.starts_with(|first: char| first.is_ascii_digit()) || snake.is_empty() {
        format!("index_{snake}")
    } else {
        snake
    };
    // A keyword gets an underscore: `type` → `type_`.
    syn::parse_str::<Ident>(&snake).map_or_else(
        |_| Ident::new(&format!("{snake}_"), name.span()),
        |ident| Ident::new(&ident.to_string(), name.span()),
    )
}

/// The type of the items in a projected index: `UserByEmail`.
pub(crate) fn projection_name(entity: &Entity<'_>, index: &Index) -> Ident {
    let starter = starter_name(&index.name).to_string();
    Ident::new(&format!("{}{}", entity.ident.unraw(), starter.to_upper_camel_case()), index.name.span())
}
