//! The code of `#[derive(Entity)]`. It is data and one pair of functions to write and read the fields; everything that can
//! be ordinary code of the runtime crate is.
//!
//! Two things keep the errors of rustc at one for each mistake, and at its token. What a field needs of its type is asked as
//! `<Type as Trait>::…`, wherever it is needed: the type is the token of the user, and equal errors at one place are shown
//! once. What can only be asked of an attribute, such as whether it can be a key, is asked of `Own<Type>`, which is the type
//! itself if it is an attribute, and an error that was reported already if it is not.

use heck::ToSnakeCase;
use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, LitStr, Type};

use crate::expand_marks::{hooks, marked, marks, stamp, version};
use crate::expand_projected::{projected, projection_name};
use crate::model::{DefaultValue, Entity, Field, Index, Source, StampKind, Storage};
use crate::stub;
use crate::template::Segment;

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
    let (marked, version, hooks) = (marked(entity), version(entity), hooks(entity));
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
        // A field, and its type, may be more private than the struct.
        #[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
        const _: () = {
            use #door::__private as __d;
            #constants
            #starters
            #repository_impl
            #(#projected_impls)*
            #marked
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

/// The type of the repository, and what makes it one.
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

/// `User::EMAIL` and its like.
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

/// The fields that have a constant: the stored ones, the first of each name.
pub(crate) fn with_constant<'f, 'i>(fields: &'f [Field<'i>]) -> impl Iterator<Item = &'f Field<'i>> {
    let stored = || fields.iter().filter(|field| field.is_stored());
    stored().enumerate().filter_map(move |(position, field)| {
        let name = constant_name(field.ident);
        let taken = stored().take(position).any(|other| constant_name(other.ident) == name);
        (!taken).then_some(field)
    })
}

/// It is documented as its field is.
pub(crate) fn constant(field: &Field<'_>, owner: &TokenStream, is_key: bool) -> TokenStream {
    let Field { ident, vis, ty, name, docs, .. } = field;
    let constant = constant_name(ident);
    let encode = match &field.storage {
        Storage::With(path) => {
            // Called as it is elsewhere, so that a function that is not there is one error.
            let call = quote_spanned!(path.span()=> #path::encode);
            Some(quote!(, |value, encoder| #call(value, encoder)))
        }
        Storage::Serde => Some(quote!(, <#ty as __d::Serde>::encode)),
        Storage::Expiry => Some(quote!(, <#ty as __d::Expiry>::encode)),
        _ => None,
    };
    let kind = match &encode {
        Some(_) => Some(quote!(, __d::Opaque)),
        None => is_key.then(|| quote!(, __d::Key)),
    };
    let name = (encode.is_some() || ident.to_string() != name.value()).then(|| quote!(, #name));
    quote! {
        #(#docs)*
        #vis const #constant: __d::Field<#owner, #ty #kind> = __d::field!(#ident #name #encode);
    }
}

pub(crate) fn constant_name(field: &Ident) -> Ident {
    Ident::new(&field.unraw().to_string().to_uppercase(), field.span())
}

/// One function for each index, which begins a query by it.
fn starters(entity: &Entity<'_>) -> TokenStream {
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

/// The indexes whose keys are there; it is reported for the others what they lack, or that their name is taken.
fn indexes<'e, 'i>(entity: &'e Entity<'i>) -> impl Iterator<Item = &'e Index> + use<'e, 'i> {
    entity.indexes.iter().filter(|index| {
        let is_taken = index.projection.is_some() && projection_name(entity, index) == entity.repository;
        entity.has_keys_of(index) && !is_taken
    })
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
    // A projected index gives what it holds.
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
    // `type` and its like become `type_`.
    syn::parse_str::<Ident>(&snake).map_or_else(
        |_| Ident::new(&format!("{snake}_"), name.span()),
        |ident| Ident::new(&ident.to_string(), name.span()),
    )
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
    let marks = marks(entity);
    let flattened = entity.fields.iter().find(|field| matches!(field.storage, Storage::Flatten(_)));
    let flattened = flattened.map(|field| field.ident.unraw().to_string());
    let flattened = flattened.map(|name| quote!(flattened: __d::Some(#name),));
    quote! {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[#(#fields),*],
            #key
            #indexes
            #type_attribute
            #flattened
            ..__d::entity(#name, #table) #marks
        };
    }
}

/// What is not stored, so that an entity which is read again keeps it.
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

fn index_info(entity: &Entity<'_>, index: &Index) -> TokenStream {
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

/// The line of a field in the table of fields. It asks of the type what the field needs.
fn field_info(entity: &Entity<'_>, field: &Field<'_>) -> TokenStream {
    let Field { ident, ty, name, .. } = field;
    let is = |source: &Source| matches!(source, Source::Field(key) if key == *ident);
    let stands_in = |source: &Source| matches!(source, Source::Template { template, .. } if template.fields().contains(ident));
    let table_key = entity.keys().any(is);
    let index_key = entity.index_keys().any(is);
    let table_part = entity.keys().any(stands_in);
    let index_part = entity.index_keys().any(stands_in);
    let own = spanned_as(ty, "Own");
    // A mark in the key is refused already, and its type would be refused a second time.
    let is_mark = field.stamps.iter().any(|(kind, _)| *kind == StampKind::DeletedAt);
    let is_typed = field.is_typed() && !(is_mark && (table_key || table_part));
    let defaulted = field.default.as_ref().map(|default| match default {
        DefaultValue::OfType => quote!(.defaulted()),
        DefaultValue::Expression(_) => quote!(.preset()),
    });
    let sensitive = field.sensitive.then(|| quote!(.sensitive()));
    // What holds for the table holds for an index.
    let info = if !is_typed {
        quote!(__d::opaque(#name))
    } else if table_key {
        quote!(__d::key(#name, <#own as __d::KeyAttribute>::SCALAR))
    } else if index_key {
        quote!(__d::keyed(#name, <#own as __d::IndexKeyAttribute>::KEY))
    } else {
        quote!(__d::field(#name, <#ty as __d::Attribute>::SCALAR))
    };
    let part = if !is_typed {
        None
    } else if table_part {
        Some(quote!(.part(<#own as __d::KeyPart>::FIXED)))
    } else {
        index_part.then(|| quote!(.index_part(<#own as __d::IndexKeyPart>::PART)))
    };
    let unique = field.unique.as_ref().map(|_| quote!(.unique(<#own as __d::UniqueAttribute>::UNIQUE)));
    quote!(#info #part #defaulted #sensitive #unique)
}

/// `__d::Alias<Type>`, the whole of it spanned as the type is, so that an error underlines the type.
pub(crate) fn spanned_as(ty: &Type, alias: &str) -> TokenStream {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(|| ty.span(), |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    let alias = Ident::new(alias, first);
    let (open, close) = (quote_spanned!(first=> __d::#alias<), quote_spanned!(last=> >));
    quote!(#open #ty #close)
}

fn key_source(entity: &Entity<'_>, source: &Source) -> TokenStream {
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
            quote!(__d::template(#attribute, &[#(#segments),*]))
        }
    }
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

/// One line for each field, the last of which is the result. `owner` stands before its name: `&self.`, or nothing for the fields of a variant.
pub(crate) fn encode_fields(
    fields: &[Field<'_>],
    item: &Ident,
    owner: &TokenStream,
    derived: &TokenStream,
) -> TokenStream {
    let encoder = Ident::new("encoder", Span::mixed_site());
    let mut position = 0usize;
    let lines = fields.iter().filter_map(|field| {
        let Field { ident, ty, .. } = field;
        let at = Literal::usize_unsuffixed(position);
        position += usize::from(field.is_stored());
        Some(match &field.storage {
            Storage::Attribute => quote!(<#ty as __d::Attribute>::put(#owner #ident, #item, #at)),
            Storage::With(path) => {
                let call = quote_spanned!(path.span()=> #path::encode);
                quote!(#item.field_with(#at, |#encoder| #call(#owner #ident, #encoder)))
            }
            Storage::Serde => quote!(<#ty as __d::Serde>::put(#owner #ident, #item, #at)),
            Storage::Expiry => quote!(<#ty as __d::Expiry>::put(#owner #ident, #item, #at)),
            Storage::Flatten(_) => quote!(<#ty as __d::Flatten>::write_all(#owner #ident, #item, &#derived)),
            Storage::Skip(_) => return None,
        })
    });
    let lines: Vec<TokenStream> = lines.collect();
    match lines.split_last() {
        Some((last, lines)) => quote!(#(#lines?;)* #last),
        None => quote!(__d::Ok(())),
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

/// How many attributes the fields stand for.
pub(crate) fn stored(fields: &[Field<'_>]) -> Literal {
    Literal::usize_unsuffixed(fields.iter().filter(|field| field.is_stored()).count())
}

/// Reads the fields out of what was `found`. What is `derived` from them is no part of a flattened map.
pub(crate) fn decode_fields(fields: &[Field<'_>], found: &Ident, derived: &TokenStream) -> Vec<TokenStream> {
    let mut position = 0usize;
    let lines = fields.iter().map(|field| {
        let Field { ident, ty, .. } = field;
        let at = Literal::usize_unsuffixed(position);
        position += usize::from(field.is_stored());
        let default = field.default.as_ref().map(|default| default_function(default, ty));
        let value = match (&field.storage, default) {
            (Storage::Attribute, None) => quote!(<#ty as __d::Attribute>::get(&#found, #at)?),
            (Storage::Attribute, Some(default)) => {
                quote!(<#ty as __d::Attribute>::get_or(&#found, #at, #default)?)
            }
            (Storage::Serde, None) => quote!(<#ty as __d::Serde>::get(&#found, #at)?),
            (Storage::Serde, Some(default)) => {
                quote!(<#ty as __d::Serde>::get_or(&#found, #at, #default)?)
            }
            (Storage::Expiry, None) => quote!(<#ty as __d::Expiry>::get(&#found, #at)?),
            (Storage::Expiry, Some(default)) => {
                quote!(<#ty as __d::Expiry>::get_or(&#found, #at, #default)?)
            }
            (Storage::With(path), default) => {
                let call = quote_spanned!(path.span()=> #path::decode);
                match default {
                    None => quote!(#found.get_with(#at, #call)?),
                    Some(default) => quote!(#found.get_with_or(#at, #call, #default)?),
                }
            }
            (Storage::Flatten(_), _) => quote!(<#ty as __d::Flatten>::read_all(&#found, &#derived)?),
            (Storage::Skip(word), None) => {
                quote_spanned!(word.span()=> ::core::default::Default::default())
            }
            (Storage::Skip(_), Some(default)) => quote!((#default)()),
        };
        quote!(#ident: #value)
    });
    lines.collect()
}

fn default_function(default: &DefaultValue, ty: &Type) -> TokenStream {
    match default {
        DefaultValue::OfType => quote!(|| <#ty as ::core::default::Default>::default()),
        DefaultValue::Expression(expression) => quote!(|| #expression),
    }
}

/// Only templates ask for single fields.
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
