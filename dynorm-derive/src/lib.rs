//! The derive macros of [dynorm](https://docs.rs/dynorm): use them through that crate, which documents them.
//!
//! A derive goes through four steps, one file each: `parse` reads the struct and its attributes, `check` refuses what
//! cannot work, `expand` writes the code. Every mistake is collected by `errors` and reported in one compile; where there
//! is too little to expand, `stub` stands in, so that only the true mistake shows.

mod attr;
mod check;
mod errors;
mod expand;
mod expand_attribute;
mod model;
mod parse;
mod stub;
mod template;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct an entity: an item of a DynamoDB table. Documented as `dynorm::Entity`.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    entity(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a type one that an attribute can hold. Documented as `dynorm::Attribute`.
#[proc_macro_derive(Attribute, attributes(attribute))]
pub fn derive_attribute(input: TokenStream) -> TokenStream {
    attribute(&parse_macro_input!(input as DeriveInput)).into()
}

fn entity(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::new();
    let entity = parse::entity(input, &mut errors);
    let code = match &entity {
        Some(entity) => {
            check::entity(entity, &mut errors);
            if entity.partition.is_some() { expand::entity(entity) } else { stub::entity(entity) }
        }
        None => proc_macro2::TokenStream::new(),
    };
    errors.with(code)
}

fn attribute(input: &DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::new();
    let code = match parse::attribute(input, &mut errors) {
        Some(attribute) => expand_attribute::attribute(&attribute, &mut errors),
        None => proc_macro2::TokenStream::new(),
    };
    errors.with(code)
}
