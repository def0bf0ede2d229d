//! Stand-ins for code that an error leaves out, so that uses of the type are not reported as well.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::repository::repository;
use crate::model::Entity;

/// For a type that is not a struct with fields.
pub(crate) fn entity(entity: &Entity<'_>) -> TokenStream {
    let Entity { ident, door, table, .. } = entity;
    let (repository_type, repository_impl) = repository(entity);
    let name = ident.unraw().to_string();
    let key = key();
    quote! {
        #repository_type
        const _: () = {
            use #door::__private as __d;
            #repository_impl
            #[automatically_derived]
            impl __d::Entity for #ident {
                const INFO: &'static __d::EntityInfo = &__d::entity(#name, #table);
                #key
                fn encode_item(&self, _: &mut __d::ItemWriter<'_>) -> __d::Written {
                    __d::Ok(())
                }
                fn decode_item(_: &__d::Item<'_>) -> __d::Read<Self> {
                    __d::Err(__d::ValueError::new(""))
                }
            }
        };
    }
}

/// For an entity without a key: a key type that accepts any argument.
pub(crate) fn key() -> TokenStream {
    quote! {
        type Key = __d::UnknownKey;
        fn entity_key(&self) -> Self::Key {
            __d::UnknownKey
        }
    }
}

/// For a type that cannot be an attribute.
pub(crate) fn attribute() -> (TokenStream, TokenStream) {
    let body = quote! {
        fn encode(&self, _: &mut __d::Encoder) -> __d::Written {
            __d::Ok(())
        }
        fn decode(_: __d::Value<'_>) -> __d::Read<Self> {
            __d::Err(__d::ValueError::new(""))
        }
    };
    (quote!(__d::shape::Any), body)
}
