//! The code of `#[derive(Entity)]`: constant data, and one pair of functions that write and read the fields.
//! Everything else is ordinary code of the runtime crate.
//!
//! Two rules keep rustc's errors at one a mistake, at the right token. A bound on a field's type is written
//! as `<Type as Trait>::…` wherever it is needed: the type is the user's token, and rustc shows equal errors
//! at one token once. A bound that makes sense for attributes only, such as being a key, is put on
//! `Own<Type>`. That is the type itself if it is an attribute, and otherwise an error type, since that error
//! has been reported already.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Type};

use super::fields::{constant, decode_fields, encode_fields, spanned_as, stored, with_constant};
use super::index::{index_info, indexes, projected};
use super::keys::key_source;
use super::repository::{repository, starters};
use super::rules::{hooks, rule_traits, rules, stamp, version};
use super::stub;
use crate::model::{DefaultValue, Entity, Field, Source, StampKind, Storage};

pub(crate) fn entity(entity: &Entity<'_>) -> TokenStream {
    let Entity { ident, door, .. } = entity;
    let (repository_type, repository_impl) = repository(entity);
    let constants = constants(entity);
    let starters = starters(entity);
    let info = info(entity);
    let key = if entity.has_key() { key(entity) } else { stub::key() };
    let encode = encode(entity);
    let decode = decode(entity);
    let key_part = key_part(entity);
    let stamp = stamp(entity);
    let validate = entity.validate.then(|| {
        quote_spanned! {ident.span()=>
            fn violations(&self) -> ::std::vec::Vec<__d::Violation> {
                <Self as __d::Validated>::violations(self)
            }
        }
    });
    let (rule_traits, version, hooks) = (rule_traits(entity), version(entity), hooks(entity));
    let skipped = skipped(entity);
    let projected: Vec<_> = indexes(entity)
        .filter(|index| index.projection.is_some())
        .map(|index| projected(entity, index))
        .collect();
    let (projected_types, projected_impls): (Vec<TokenStream>, Vec<TokenStream>) =
        projected.into_iter().unzip();
    quote! {
        #repository_type
        #(#projected_types)*
        // A field and its type may be more private than the struct.
        #[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
        const _: () = {
            use #door::__private as __d;
            #constants
            #starters
            #repository_impl
            #(#projected_impls)*
            #rule_traits
            #[automatically_derived]
            impl __d::Entity for #ident {
                #info
                #key
                #encode
                #decode
                #key_part
                #stamp
                #skipped
                #validate
                #version
                #hooks
            }
        };
    }
}

/// The constants of the fields, such as `User::EMAIL`.
fn constants(entity: &Entity<'_>) -> TokenStream {
    let ident = entity.ident;
    let key_fields = entity.key_fields();
    let constants = with_constant(&entity.fields).map(|field| {
        let is_key = key_fields.contains(&field.ident);
        constant(field, &quote!(Self), is_key)
    });
    quote! {
        impl #ident {
            #(#constants)*
        }
    }
}

fn key(entity: &Entity<'_>) -> TokenStream {
    let fields = entity.key_fields();
    let types: Vec<&Type> =
        fields.iter().filter_map(|ident| entity.field(ident)).map(|field| field.ty).collect();
    let (ty, key) = match (types.as_slice(), fields.as_slice()) {
        ([ty], [field]) => (quote!(#ty), quote!(<#ty as __d::Clone>::clone(&self.#field))),
        _ => (quote!((#(#types),*)), quote!((#(<#types as __d::Clone>::clone(&self.#fields)),*))),
    };
    quote! {
        type Key = #ty;
        fn entity_key(&self) -> Self::Key {
            #key
        }
    }
}

fn info(entity: &Entity<'_>) -> TokenStream {
    let name = entity.ident.unraw().to_string();
    let table = &entity.table;
    let fields =
        entity.fields.iter().filter(|field| field.is_stored()).map(|field| field_info(entity, field));
    let key = entity.partition.as_ref().filter(|_| entity.has_key()).map(|partition| {
        let partition = key_source(entity, partition);
        let sort = entity.sort.as_ref().map(|source| {
            let source = key_source(entity, source);
            quote!(sort: __d::Some(#source),)
        });
        let key_fields = entity.key_fields().into_iter().map(|field| entity.position(field));
        quote!(partition: #partition, #sort key_fields: &[#(#key_fields),*],)
    });
    let indexes: Vec<TokenStream> = indexes(entity).map(|index| index_info(entity, index)).collect();
    let indexes = (!indexes.is_empty()).then(|| quote!(indexes: &[#(#indexes),*],));
    let type_attribute = &entity.type_attribute;
    let type_attribute = type_attribute.as_ref().map(|name| quote!(type_attribute: __d::Some(#name),));
    let names = entity.type_name.written.clone().unwrap_or_else(|| LitStr::new(&name, entity.ident.span()));
    let names = std::iter::once(&names).chain(&entity.type_name.former);
    let type_names = entity.type_name.all().next().map(|_| quote!(type_names: &[#(#names),*],));
    let rules = rules(entity);
    let flattened = entity.fields.iter().find(|field| matches!(field.storage, Storage::Flatten(_)));
    let flattened = flattened.map(|field| field.ident.unraw().to_string());
    let flattened = flattened.map(|name| quote!(flattened: __d::Some(#name),));
    quote! {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[#(#fields),*],
            #key
            #indexes
            #type_attribute
            #type_names
            #flattened
            ..__d::entity(#name, #table) #rules
        };
    }
}

/// Copies the fields that are not stored, so that a reread entity keeps them.
fn skipped(entity: &Entity<'_>) -> Option<TokenStream> {
    let skipped = entity.fields.iter().filter(|field| matches!(field.storage, Storage::Skip(_)));
    let fields: Vec<&Ident> = skipped.map(|field| field.ident).collect();
    let from = Ident::new("from", Span::mixed_site());
    (!fields.is_empty()).then(|| {
        quote! {
            fn take_skipped(&mut self, #from: &mut Self) {
                #(::core::mem::swap(&mut self.#fields, &mut #from.#fields);)*
            }
        }
    })
}

/// The entry of a field in the table of fields. It checks that the field's type meets the bounds.
fn field_info(entity: &Entity<'_>, field: &Field<'_>) -> TokenStream {
    let Field { ident, ty, name, .. } = field;
    let is = |source: &Source| matches!(source, Source::Field(key) if key == *ident);
    let stands_in = |source: &Source| match source {
        Source::Template { template, .. } => template.fields().contains(ident),
        _ => false,
    };
    let table_key = entity.keys().any(is);
    let index_key = entity.index_keys().any(is);
    let table_part = entity.keys().any(stands_in);
    let index_part = entity.index_keys().any(stands_in);
    let own = spanned_as(ty, "Own");
    // `deleted_at` in a key has been refused already; its type would be refused a second time.
    let is_deleted_at = field.stamps.iter().any(|(kind, _)| *kind == StampKind::DeletedAt);
    let is_typed = field.is_typed() && !(is_deleted_at && (table_key || table_part));
    let defaulted = field.default.as_ref().map(|default| match default {
        DefaultValue::OfType => quote!(.defaulted()),
        DefaultValue::Expression(_) => quote!(.preset()),
    });
    let sensitive = field.sensitive.then(|| quote!(.sensitive()));
    // A check for a key of the table covers the indexes too.
    let info = if !is_typed {
        quote!(__d::opaque(#name))
    } else if table_key {
        quote!(__d::key(#name, <#own as __d::KeyAttribute>::SCALAR))
    } else if index_key {
        quote!(__d::keyed(#name, <#own as __d::IndexKeyAttribute>::KEY))
    } else {
        quote!(__d::field(#name, <#ty as __d::Attribute>::SCALAR))
    };
    let pads = |source: &Source| matches!(source, Source::Template { template, .. } if template.pads(ident));
    let is_padded = entity.keys().chain(entity.index_keys()).any(pads);
    let part = match (is_padded, table_part, index_part) {
        _ if !is_typed => None,
        (false, true, _) => Some(quote!(.part(<#own as __d::KeyPart>::FIXED))),
        (true, true, _) => Some(quote!(.part(<#own as __d::PaddedKeyPart>::FIXED))),
        (false, false, true) => Some(quote!(.index_part(<#own as __d::IndexKeyPart>::PART))),
        (true, false, true) => Some(quote!(.index_part(<#own as __d::PaddedIndexKeyPart>::PART))),
        (_, false, false) => None,
    };
    let unique = field.unique.as_ref().map(|_| quote!(.unique(<#own as __d::UniqueAttribute>::UNIQUE)));
    quote!(#info #part #defaulted #sensitive #unique)
}

fn encode(entity: &Entity<'_>) -> TokenStream {
    let item = Ident::new("item", Span::mixed_site());
    let derived = entity.derived();
    let fields = encode_fields(&entity.fields, &item, &quote!(&self.), &quote!([#(#derived),*]));
    quote! {
        fn encode_item(&self, #item: &mut __d::ItemWriter<'_>) -> __d::Written {
            #fields
        }
    }
}

fn decode(entity: &Entity<'_>) -> TokenStream {
    let item = Ident::new("item", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let derived = entity.derived();
    let count = stored(&entity.fields);
    let fields = decode_fields(&entity.fields, &found, &quote!([#(#derived),*]));
    quote! {
        fn decode_item(#item: &__d::Item<'_>) -> __d::Read<Self> {
            let #found = __d::found::<Self, #count>(#item)?;
            __d::Ok(Self { #(#fields),* })
        }
    }
}

/// Gives a field by its position; only templates need it.
fn key_part(entity: &Entity<'_>) -> TokenStream {
    let mut parts: Vec<&Field<'_>> = Vec::new();
    for source in entity.keys().chain(entity.index_keys()) {
        let Source::Template { template, .. } = source else { continue };
        for field in template.fields().into_iter().filter_map(|part| entity.field(part)) {
            if field.is_typed() && !parts.iter().any(|known| known.ident == field.ident) {
                parts.push(field);
            }
        }
    }
    if parts.is_empty() {
        return TokenStream::new();
    }
    let field = Ident::new("field", Span::mixed_site());
    let positions = parts.iter().map(|part| entity.position(part.ident));
    let idents = parts.iter().map(|part| part.ident);
    let types = parts.iter().map(|part| part.ty);
    quote! {
        fn key_part(&self, #field: usize) -> __d::Option<&dyn __d::Part> {
            match #field {
                #(#positions => <#types as __d::Attribute>::key_part(&self.#idents),)*
                _ => __d::None,
            }
        }
    }
}
