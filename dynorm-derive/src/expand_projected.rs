//! The types of what projected indexes hold.

use heck::ToUpperCamelCase;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;
use syn::ext::IdentExt;

use crate::expand::{decode_fields, starter_name, stored};
use crate::model::{Entity, Field, Index};

/// `UserByEmail`: what a projected index holds.
pub(crate) fn projection_name(entity: &Entity<'_>, index: &Index) -> Ident {
    let starter = starter_name(&index.name).to_string();
    Ident::new(&format!("{}{}", entity.ident.unraw(), starter.to_upper_camel_case()), index.name.span())
}

/// The type of what a projected index holds, and what reads it.
pub(crate) fn projected(entity: &Entity<'_>, index: &Index) -> (TokenStream, TokenStream) {
    let Entity { ident, vis, .. } = entity;
    let name = projection_name(entity, index);
    let doc = format!(" What the index `{}` holds of [`{}`].", index.name.value(), ident.unraw());
    let held = entity.fields_of(index);
    let fields = held.iter().map(|Field { ident, vis, ty, docs, .. }| quote!(#(#docs)* #vis #ident: #ty));
    let definition = quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(dead_code, missing_docs, private_interfaces)]
        #vis struct #name { #(#fields),* }
    };
    let item = Ident::new("item", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let positions = held.iter().map(|field| entity.position(field.ident));
    let count = stored(&entity.fields);
    let lines = entity.fields.iter().zip(decode_fields(&entity.fields, &found, &quote!([])));
    let lines =
        lines.filter(|(field, _)| held.iter().any(|held| held.ident == field.ident)).map(|(_, line)| line);
    let implementation = quote! {
        #[automatically_derived]
        impl __d::Projection for #name {
            type Entity = #ident;
            fn places() -> __d::Places {
                __d::Places::of::<#ident>(&[#(#positions),*])
            }
            fn decode_projection(#item: &__d::Item<'_>) -> __d::Read<Self> {
                let #found = __d::found::<#ident, #count>(#item)?;
                __d::Ok(Self { #(#lines),* })
            }
        }
    };
    (definition, implementation)
}
