//! The code of the repository type, and of its functions that start a query of an index.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::Ident;
use syn::ext::IdentExt;

use super::fields::spanned_as;
use super::index::indexes;
use crate::model::{Entity, Field, Index, Source};
use crate::names::{projection_name, starter_name};

/// The repository type and its implementation of `Repository`.
pub(crate) fn repository(entity: &Entity<'_>) -> (TokenStream, TokenStream) {
    let Entity { ident, vis, repository, .. } = entity;
    let doc = format!(" The operations on `{}`.", ident.unraw());
    let definition = quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #vis struct #repository;
    };
    let implementation = quote! {
        #[automatically_derived]
        impl __d::Repository for #repository {
            type Entity = #ident;
        }
    };
    (definition, implementation)
}

/// One function for each index, which starts a query of it.
pub(super) fn starters(entity: &Entity<'_>) -> TokenStream {
    let repository = &entity.repository;
    let mut names: Vec<Ident> = Vec::new();
    let starters = indexes(entity).enumerate().filter_map(|(position, index)| {
        let name = starter_name(&index.name);
        if names.contains(&name) {
            return None;
        }
        names.push(name);
        Some(starter(entity, position, index))
    });
    let starters: Vec<TokenStream> = starters.collect();
    if starters.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl #repository {
            #(#starters)*
        }
    }
}

fn starter(entity: &Entity<'_>, position: usize, index: &Index) -> TokenStream {
    let Entity { ident, vis, .. } = entity;
    let name = starter_name(&index.name);
    let doc = format!(" Queries the index `{}`.", index.name.value());
    let mut fields: Vec<&Field<'_>> = Vec::new();
    for field in entity.partition_of(index).flat_map(Source::fields).filter_map(|field| entity.field(field)) {
        if !fields.iter().any(|known| known.ident == field.ident) {
            fields.push(field);
        }
    }
    // A projected index gives its own type.
    let (result, select) = match &index.projection {
        Some(_) => {
            let projection = projection_name(entity, index);
            (quote!(, __d::Projected<#projection>), quote!(.select_as()))
        }
        None => (TokenStream::new(), TokenStream::new()),
    };
    let idents: Vec<&Ident> = fields.iter().map(|field| field.ident).collect();
    let types = fields.iter().map(|field| spanned_as(field.ty, "Base"));
    let positions = idents.iter().map(|ident| entity.position(ident));
    let position = Literal::usize_unsuffixed(position);
    quote! {
        #[doc = #doc]
        #vis fn #name(#(#idents: impl __d::IntoKey<#types>),*) -> __d::Query<#ident #result> {
            __d::Query::by_index(#position, &[#((#positions, &__d::IntoKey::into_key(#idents))),*]) #select
        }
    }
}
