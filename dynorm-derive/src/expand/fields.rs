//! The code of fields, for entities and nested structs: their constants, and one line each to write and to
//! read them.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::{DefaultValue, Field, Storage};
use crate::names::constant_name;

/// The fields that get a constant: the stored ones, and of two with one name the first.
pub(crate) fn with_constant<'f, 'i>(fields: &'f [Field<'i>]) -> impl Iterator<Item = &'f Field<'i>> {
    let stored = || fields.iter().filter(|field| field.is_stored());
    stored().enumerate().filter_map(move |(position, field)| {
        let name = constant_name(field.ident);
        let taken = stored().take(position).any(|other| constant_name(other.ident) == name);
        (!taken).then_some(field)
    })
}

/// The constant of a field, with the field's own documentation.
pub(crate) fn constant(field: &Field<'_>, owner: &TokenStream, is_key: bool) -> TokenStream {
    let Field { ident, vis, ty, name, docs, .. } = field;
    let constant = constant_name(ident);
    let encode = match &field.storage {
        Storage::With(path) => {
            // The same path as in `encode_fields`, so that a missing function is one error.
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

/// `__d::Alias<Type>` with the span of the type, so that an error underlines the whole type.
pub(crate) fn spanned_as(ty: &Type, alias: &str) -> TokenStream {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(|| ty.span(), |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    let alias = Ident::new(alias, first);
    let (open, close) = (quote_spanned!(first=> __d::#alias<), quote_spanned!(last=> >));
    quote!(#open #ty #close)
}

/// One line a field; the last one is the result. `owner` is the text before the field: `&self.`, or nothing
/// for the fields of a variant.
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

/// The number of attributes that the fields are stored as.
pub(crate) fn stored(fields: &[Field<'_>]) -> Literal {
    Literal::usize_unsuffixed(fields.iter().filter(|field| field.is_stored()).count())
}

/// Reads the fields from the attributes in `found`. The `derived` attributes do not go into a flattened map.
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
