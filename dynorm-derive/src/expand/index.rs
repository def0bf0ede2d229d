//! The code of indexes: their data, and the types of the items in projected indexes.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;
use syn::ext::IdentExt;

use super::fields::{decode_fields, stored};
use super::keys::key_source;
use crate::model::{Entity, Field, Index};
use crate::names::projection_name;

/// The indexes with complete keys. For the others, and for names that are taken, an error has been reported.
pub(super) fn indexes<'e, 'i>(entity: &'e Entity<'i>) -> impl Iterator<Item = &'e Index> + use<'e, 'i> {
    entity.indexes.iter().filter(|index| {
        let is_taken = index.projection.is_some() && projection_name(entity, index) == entity.repository;
        entity.has_keys_of(index) && !is_taken
    })
}

pub(super) fn index_info(entity: &Entity<'_>, index: &Index) -> TokenStream {
    let name = &index.name;
    let kind = if index.local { quote!(local_index) } else { quote!(index) };
    let partition = entity.partition_of(index).map(|source| key_source(entity, source));
    let sort = index.sort.iter().map(|source| key_source(entity, source));
    let projecting = index.projection.is_some().then(|| {
        let fields = entity.fields_of(index).into_iter().map(|field| entity.position(field.ident));
        quote!(.projecting(&[#(#fields),*]))
    });
    quote!(__d::#kind(#name, &[#(#partition),*], &[#(#sort),*]) #projecting)
}

/// The type of the items in a projected index, and the code that reads them.
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
            fn paths() -> __d::ProjectedPaths {
                __d::ProjectedPaths::of::<#ident>(&[#(#positions),*])
            }
            fn decode_projection(#item: &__d::Item<'_>) -> __d::Read<Self> {
                let #found = __d::found::<#ident, #count>(#item)?;
                __d::Ok(Self { #(#lines),* })
            }
        }
    };
    (definition, implementation)
}
