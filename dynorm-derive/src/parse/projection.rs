//! Reads what `#[derive(Projection)]` stands on.

use syn::ext::IdentExt;
use syn::{Data, DataStruct, DeriveInput, Fields};

use crate::attr::{self, Once, default_door};
use crate::errors::Errors;
use crate::model::{Part, Projection};
use crate::words;

/// `None` for what cannot be a projection.
pub(crate) fn projection<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Projection<'i>> {
    if let Some(parameter) = input.generics.params.first() {
        errors.at(
            parameter,
            "a projection has no parameters, since it is made of the fields of one entity: write one struct for each",
        );
        return None;
    }
    let fields = match &input.data {
        Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) => Some(&fields.named),
        _ => {
            errors.at(&input.ident, "a projection is a struct with named fields, each named as the field of the entity that it is");
            None
        }
    };
    let mut once = Once::default();
    let (mut of, mut door) = (None, default_door());
    let before = errors.count();
    for entry in attr::entries(&input.attrs, words::PROJECTION, errors) {
        if !once.first(&entry.word, errors) {
            continue;
        }
        match entry.word.unraw().to_string().as_str() {
            words::OF => of = entry.path("User", errors),
            words::CRATE => door = entry.path("my_dynorm", errors).unwrap_or(door),
            _ => attr::unknown(&entry.word, words::ON_PROJECTION, "a projection", errors),
        }
    }
    if of.is_none() && errors.count() == before {
        errors.at(
            &input.ident,
            "it is not said what this is a projection of: write `#[projection(of = User)]` above the struct",
        );
    }
    let mut parts = Vec::new();
    for field in fields.into_iter().flatten() {
        let Some(ident) = &field.ident else { continue };
        let mut once = Once::default();
        let mut from = None;
        let before = errors.count();
        for entry in attr::entries(&field.attrs, words::PROJECTION, errors) {
            if !once.first(&entry.word, errors) {
                continue;
            }
            match entry.word.unraw().to_string().as_str() {
                words::FROM => from = entry.place("User::ADDRESS.field(Address::CITY)", errors),
                _ => {
                    attr::unknown(&entry.word, words::ON_PROJECTION_FIELD, "a field of a projection", errors);
                }
            }
        }
        parts.push(Part { ident, ty: &field.ty, from, failed: errors.count() > before });
    }
    if fields.is_some_and(syn::punctuated::Punctuated::is_empty) {
        errors.at(
            &input.ident,
            "a projection has at least one field: name those of the entity that are wanted",
        );
    }
    let has_fields = !parts.is_empty();
    Some(Projection { ident: &input.ident, of: of?, door, parts, has_fields })
}
