//! The code of key sources: where the keys of tables and indexes come from, as data.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::model::{Entity, Source};
use crate::template::Segment;

pub(super) fn key_source(entity: &Entity<'_>, source: &Source) -> TokenStream {
    match source {
        Source::Field(field) => {
            let position = entity.position(field);
            quote!(__d::at(#position))
        }
        Source::Template { attribute, template } => {
            let segments = template.segments.iter().map(|segment| match segment {
                Segment::Text(text) => quote!(__d::Segment::Text(#text)),
                Segment::Field { field, width } => {
                    let position = entity.position(field);
                    let width = Literal::usize_unsuffixed(*width);
                    quote!(__d::Segment::Field(#position, #width))
                }
            });
            let template = match entity.unescaped {
                None => quote!(template),
                Some(_) => quote!(unescaped_template),
            };
            quote!(__d::#template(#attribute, &[#(#segments),*]))
        }
    }
}
