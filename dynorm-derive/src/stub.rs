//! What stands in for an entity without a key, so that the code that uses it is not reported as well.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::expand::{constants, repository_type};
use crate::model::Entity;

pub(crate) fn entity(entity: &Entity<'_>) -> TokenStream {
    let Entity { ident, repository, door, table, .. } = entity;
    let repository_type = repository_type(entity);
    let constants = constants(entity);
    let name = ident.unraw().to_string();
    quote! {
        #repository_type
        const _: () = {
            use #door::__private as __d;
            #constants
            impl __d::Repository for #repository {
                type Entity = #ident;
            }
            impl __d::Entity for #ident {
                type Key = ();
                const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
                    name: #name,
                    table: #table,
                    fields: &[],
                    partition: __d::KeySource::Field(0),
                    sort: None,
                    key_fields: &[],
                    indexes: &[],
                    type_attribute: None,
                };
                fn entity_key(&self) {}
                fn encode_item(&self, _: &mut __d::ItemWriter<'_>) -> __d::Written {
                    Ok(())
                }
                fn decode_item(_: __d::Value<'_>) -> __d::Read<Self> {
                    Err(__d::ValueError::new(""))
                }
            }
        };
    }
}
