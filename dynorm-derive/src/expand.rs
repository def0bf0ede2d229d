//! The code of `#[derive(Entity)]`. It is data and one pair of functions to write and read the fields; everything that can
//! be ordinary code of the runtime crate is.

use heck::ToSnakeCase;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, LitStr, Type};

use crate::model::{DefaultValue, Entity, Field, Index, Source, StampKind, Storage};
use crate::template::Segment;

pub(crate) fn entity(entity: &Entity<'_>) -> TokenStream {
    let Entity { ident, repository, door, .. } = entity;
    let repository_type = repository_type(entity);
    let constants = constants(entity);
    let starters = starters(entity);
    let key_type = key_type(entity);
    let info = info(entity);
    let key = key(entity);
    let encode = encode(entity);
    let decode = decode(entity);
    let key_part = key_part(entity);
    let stamp = stamp(entity);
    quote! {
        #repository_type
        const _: () = {
            use #door::__private as __d;
            #constants
            #starters
            impl __d::Repository for #repository {
                type Entity = #ident;
            }
            impl __d::Entity for #ident {
                type Key = #key_type;
                #info
                #key
                #encode
                #decode
                #key_part
                #stamp
            }
        };
    }
}

pub(crate) fn repository_type(entity: &Entity<'_>) -> TokenStream {
    let Entity { ident, vis, repository, .. } = entity;
    let doc = format!("The operations on `{}`.", ident.unraw());
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, Copy)]
        #vis struct #repository;
    }
}

/// `User::EMAIL` and its like.
pub(crate) fn constants(entity: &Entity<'_>) -> TokenStream {
    let ident = entity.ident;
    let key_fields = entity.key_fields();
    let constants = entity.fields.iter().filter(|field| field.is_stored()).map(|field| {
        let is_key = key_fields.contains(&field.ident);
        constant(field, &quote!(Self), is_key)
    });
    quote! {
        #[allow(dead_code)]
        impl #ident {
            #(#constants)*
        }
    }
}

pub(crate) fn constant(field: &Field<'_>, owner: &TokenStream, is_key: bool) -> TokenStream {
    let Field { ident, vis, ty, name, .. } = field;
    let constant = Ident::new(&ident.unraw().to_string().to_uppercase(), ident.span());
    let kind = is_key.then(|| quote!(, __d::Key));
    let doc = format!("The attribute `{}`.", name.value());
    quote! {
        #[doc = #doc]
        #vis const #constant: __d::Field<#owner, #ty #kind> = __d::field!(#ident, #name);
    }
}

/// One function for each index, which begins a query by it.
fn starters(entity: &Entity<'_>) -> TokenStream {
    let repository = &entity.repository;
    let starters = entity.indexes.iter().enumerate().filter_map(|(position, index)| {
        let partition = if index.local { &entity.partition } else { &index.partition };
        Some(starter(entity, position, index, partition.as_ref()?))
    });
    let starters: Vec<TokenStream> = starters.collect();
    if starters.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[allow(dead_code)]
        impl #repository {
            #(#starters)*
        }
    }
}

fn starter(entity: &Entity<'_>, position: usize, index: &Index, partition: &Source) -> TokenStream {
    let Entity { ident, vis, .. } = entity;
    let name = starter_name(&index.name);
    let doc = format!("Queries the index `{}`.", index.name.value());
    let fields: Vec<&Field<'_>> =
        partition.fields().into_iter().filter_map(|field| entity.field(field)).collect();
    let idents: Vec<&Ident> = fields.iter().map(|field| field.ident).collect();
    let types: Vec<&Type> = fields.iter().map(|field| field.ty).collect();
    let positions = idents.iter().map(|ident| entity.position(ident));
    quote! {
        #[doc = #doc]
        #vis fn #name(#(#idents: impl __d::IntoKey<__d::Base<#types>>),*) -> __d::Query<#ident> {
            __d::Query::by_index(#position, &[#((#positions, &__d::IntoKey::into_key(#idents))),*])
        }
    }
}

/// The name of an index as that of a function: `by-email` → `by_email`.
pub(crate) fn starter_name(name: &LitStr) -> Ident {
    let text: String = name
        .value()
        .chars()
        .map(|character| if character.is_alphanumeric() { character } else { '_' })
        .collect();
    let snake = text.to_snake_case();
    let snake = if snake.starts_with(|first: char| first.is_ascii_digit()) || snake.is_empty() {
        format!("index_{snake}")
    } else {
        snake
    };
    syn::parse_str::<Ident>(&snake).map_or_else(
        |_| Ident::new(&format!("{snake}_"), name.span()),
        |ident| Ident::new(&ident.to_string(), name.span()),
    )
}

fn key_type(entity: &Entity<'_>) -> TokenStream {
    let types: Vec<&Type> = entity
        .key_fields()
        .into_iter()
        .filter_map(|ident| entity.field(ident))
        .map(|field| field.ty)
        .collect();
    match types.as_slice() {
        [only] => quote!(#only),
        types => quote!((#(#types),*)),
    }
}

fn key(entity: &Entity<'_>) -> TokenStream {
    let fields = entity.key_fields();
    let key = match fields.as_slice() {
        [only] => quote!(self.#only.clone()),
        fields => quote!((#(self.#fields.clone()),*)),
    };
    quote! {
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
    let partition = entity.partition.as_ref().map(|source| key_source(entity, source));
    let sort = optional(entity.sort.as_ref().map(|source| key_source(entity, source)));
    let key_fields = entity.key_fields().into_iter().map(|field| entity.position(field));
    let indexes = entity.indexes.iter().filter_map(|index| {
        let name = &index.name;
        let local = index.local;
        let partition = if local { &entity.partition } else { &index.partition };
        let partition = key_source(entity, partition.as_ref()?);
        let sort = optional(index.sort.as_ref().map(|source| key_source(entity, source)));
        Some(quote!(__d::IndexInfo { name: #name, local: #local, partition: #partition, sort: #sort }))
    });
    let type_attribute = optional(entity.type_attribute.as_ref().map(|attribute| quote!(#attribute)));
    quote! {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            name: #name,
            table: #table,
            fields: &[#(#fields),*],
            partition: #partition,
            sort: #sort,
            key_fields: &[#(#key_fields),*],
            indexes: &[#(#indexes),*],
            type_attribute: #type_attribute,
        };
    }
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

/// The line of a field in the table of fields. Its function asks of the type what the field needs, so the error of a type
/// that cannot stands at the type.
fn field_info(entity: &Entity<'_>, field: &Field<'_>) -> TokenStream {
    let Field { ident, ty, name, .. } = field;
    let is = |source: &Option<Source>| matches!(source, Some(Source::Field(key)) if key == *ident);
    let stands_in = |source: &Option<Source>| matches!(source, Some(Source::Template { template, .. }) if template.fields().any(|part| part == *ident));
    let table_key = is(&entity.partition) || is(&entity.sort);
    let index_key = entity.indexes.iter().any(|index| is(&index.partition) || is(&index.sort));
    let table_part = stands_in(&entity.partition) || stands_in(&entity.sort);
    let index_part = entity.indexes.iter().any(|index| stands_in(&index.partition) || stands_in(&index.sort));
    let info = if !field.is_typed() {
        quote!(__d::FieldInfo::opaque(#name))
    } else if table_key {
        quote!(__d::FieldInfo::table_key::<#ty>(#name))
    } else if table_part && index_key {
        quote!(__d::FieldInfo::table_part::<#ty>(#name).and_index_key::<#ty>())
    } else if table_part {
        quote!(__d::FieldInfo::table_part::<#ty>(#name))
    } else if index_key {
        quote!(__d::FieldInfo::index_key::<#ty>(#name))
    } else if index_part {
        quote!(__d::FieldInfo::index_part::<#ty>(#name))
    } else {
        quote!(__d::FieldInfo::of::<#ty>(#name))
    };
    let sensitive = field.sensitive.then(|| quote!(.sensitive()));
    quote!(#info #sensitive)
}

fn key_source(entity: &Entity<'_>, source: &Source) -> TokenStream {
    match source {
        Source::Field(field) => {
            let position = entity.position(field);
            quote!(__d::KeySource::Field(#position))
        }
        Source::Template { attribute, template } => {
            let segments = template.segments.iter().map(|segment| match segment {
                Segment::Text(text) => quote!(__d::Segment::Text(#text)),
                Segment::Field { field, width } => {
                    let position = entity.position(field);
                    quote!(__d::Segment::Field(#position, #width))
                }
            });
            quote!(__d::KeySource::Template(__d::Template {
                attribute: #attribute,
                segments: &[#(#segments),*],
            }))
        }
    }
}

fn encode(entity: &Entity<'_>) -> TokenStream {
    let item = Ident::new("item", Span::mixed_site());
    let derived = entity.derived();
    let fields = encode_fields(&entity.fields, &item, &quote!(self.), &quote!([#(#derived),*]));
    quote! {
        fn encode_item(&self, #item: &mut __d::ItemWriter<'_>) -> __d::Written {
            #(#fields)*
            Ok(())
        }
    }
}

/// One line for each field. `owner` stands before its name: `self.`, or nothing for the fields of a variant.
pub(crate) fn encode_fields(
    fields: &[Field<'_>],
    item: &Ident,
    owner: &TokenStream,
    derived: &TokenStream,
) -> Vec<TokenStream> {
    let mut position = 0usize;
    let lines = fields.iter().filter_map(|field| {
        let ident = field.ident;
        let value = if owner.is_empty() { quote!(#ident) } else { quote!(&#owner #ident) };
        let at = position;
        position += usize::from(field.is_stored());
        Some(match &field.storage {
            Storage::Attribute => quote!(#item.field(#at, #value)?;),
            Storage::With(path) => quote!(#item.field_with(#at, |encoder| #path::encode(#value, encoder))?;),
            Storage::Serde(word) => {
                let call = quote_spanned!(word.span()=> __d::nested_serde::encode);
                quote!(#item.field_with(#at, |encoder| #call(#value, encoder))?;)
            }
            Storage::Flatten(_) => quote!(#item.rest(#value, &#derived)?;),
            Storage::Skip(_) => return None,
        })
    });
    lines.collect()
}

fn decode(entity: &Entity<'_>) -> TokenStream {
    let item = Ident::new("item", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let derived = entity.derived();
    let reader = fields_reader(
        &entity.fields,
        &item,
        &quote!(<Self as __d::Entity>::INFO.fields),
        &quote!([#(#derived),*]),
    );
    let fields = decode_fields(&entity.fields, &found);
    quote! {
        fn decode_item(#item: __d::Value<'_>) -> __d::Read<Self> {
            let #found = #reader;
            Ok(Self { #(#fields),* })
        }
    }
}

pub(crate) fn fields_reader(
    fields: &[Field<'_>],
    item: &Ident,
    infos: &TokenStream,
    derived: &TokenStream,
) -> TokenStream {
    let count = fields.iter().filter(|field| field.is_stored()).count();
    if fields.iter().any(|field| matches!(field.storage, Storage::Flatten(_))) {
        quote!(__d::Fields::<#count>::read_all(#item, #infos, &#derived)?)
    } else {
        quote!(__d::Fields::<#count>::read(#item, #infos)?)
    }
}

pub(crate) fn decode_fields(fields: &[Field<'_>], found: &Ident) -> Vec<TokenStream> {
    let mut position = 0usize;
    let lines = fields.iter().map(|field| {
        let ident = field.ident;
        let at = position;
        position += usize::from(field.is_stored());
        let default = field.default.as_ref().map(default_function);
        let value = match (&field.storage, default) {
            (Storage::Attribute, None) => quote!(#found.get(#at)?),
            (Storage::Attribute, Some(default)) => quote!(#found.get_or(#at, #default)?),
            (Storage::With(path), None) => quote!(#found.get_with(#at, #path::decode)?),
            (Storage::With(path), Some(default)) => {
                quote!(#found.get_with_or(#at, #path::decode, #default)?)
            }
            (Storage::Serde(word), default) => {
                let call = quote_spanned!(word.span()=> __d::nested_serde::decode);
                match default {
                    None => quote!(#found.get_with(#at, #call)?),
                    Some(default) => quote!(#found.get_with_or(#at, #call, #default)?),
                }
            }
            (Storage::Flatten(_), _) => quote!(#found.rest()?),
            (Storage::Skip(word), None) => {
                quote_spanned!(word.span()=> ::core::default::Default::default())
            }
            (Storage::Skip(_), Some(default)) => quote!((#default)()),
        };
        quote!(#ident: #value)
    });
    lines.collect()
}

fn default_function(default: &DefaultValue) -> TokenStream {
    match default {
        DefaultValue::OfType => quote!(::core::default::Default::default),
        DefaultValue::Expression(expression) => quote!(|| #expression),
    }
}

/// Only templates ask for single fields.
fn key_part(entity: &Entity<'_>) -> TokenStream {
    let keys = [&entity.partition, &entity.sort].into_iter().flatten();
    let index_keys =
        entity.indexes.iter().flat_map(|index| [&index.partition, &index.sort]).filter_map(Option::as_ref);
    let mut parts: Vec<&Ident> = Vec::new();
    for source in keys.chain(index_keys) {
        if let Source::Template { template, .. } = source {
            for field in template.fields() {
                if !parts.contains(&field) {
                    parts.push(field);
                }
            }
        }
    }
    let parts: Vec<&Field<'_>> = parts.into_iter().filter_map(|part| entity.field(part)).collect();
    if parts.is_empty() {
        return TokenStream::new();
    }
    let field = Ident::new("field", Span::mixed_site());
    let positions = parts.iter().map(|part| entity.position(part.ident));
    let idents = parts.iter().map(|part| part.ident);
    quote! {
        fn key_part(&self, #field: usize) -> Option<&dyn __d::Part> {
            match #field {
                #(#positions => Some(&self.#idents),)*
                _ => None,
            }
        }
    }
}

fn stamp(entity: &Entity<'_>) -> TokenStream {
    let stamp = Ident::new("stamp", Span::mixed_site());
    let stamps = entity.fields.iter().flat_map(|field| field.stamps.iter().map(move |kind| (field, *kind)));
    let lines: Vec<TokenStream> = stamps
        .map(|(field, kind)| {
            let ident = field.ident;
            let method = match kind {
                StampKind::Id => format_ident!("id"),
                StampKind::CreatedAt => format_ident!("created_at"),
                StampKind::UpdatedAt => format_ident!("updated_at"),
            };
            let place = quote_spanned!(field.ty.span()=> &mut self.#ident);
            quote!(#stamp.#method(#place);)
        })
        .collect();
    if lines.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn stamp_item(&mut self, #stamp: &__d::Stamp) {
            #(#lines)*
        }
    }
}
