//! Reads the input of `#[derive(Projection)]`.

use syn::ext::IdentExt;
use syn::{Data, DataStruct, DeriveInput, Fields};

use crate::attr::{self, Once, default_door};
use crate::errors::Errors;
use crate::model::{Projection, ProjectionField};
use crate::words;

/// `None` for a type that cannot be a projection.
pub(crate) fn projection<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Projection<'i>> {
    if let Some(parameter) = input.generics.params.first() {
        errors.at(
            parameter,
            "a projection cannot be generic, since it belongs to one entity: write one struct for each \
            entity",
        );
        return None;
    }
    let fields = match &input.data {
        Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) => Some(&fields.named),
        _ => {
            errors.at(
                &input.ident,
                "a projection is a struct with named fields, each with the name of a \
                field of the entity",
            );
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
            "the projection does not name its entity: write `#[projection(of = User)]` above the struct",
        );
    }
    let mut fields_read = Vec::new();
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
                words::FROM => from = entry.field_path("User::ADDRESS.field(Address::CITY)", errors),
                _ => {
                    attr::unknown(&entry.word, words::ON_PROJECTION_FIELD, "a field of a projection", errors);
                }
            }
        }
        fields_read.push(ProjectionField { ident, ty: &field.ty, from, failed: errors.count() > before });
    }
    if fields.is_some_and(syn::punctuated::Punctuated::is_empty) {
        errors.at(
            &input.ident,
            "a projection has at least one field: add the fields of the entity that it reads",
        );
    }
    let has_fields = !fields_read.is_empty();
    Some(Projection { ident: &input.ident, of: of?, door, fields: fields_read, has_fields })
}
