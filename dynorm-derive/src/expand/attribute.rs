//! The code of `#[derive(Attribute)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, LitStr, Type};

use super::fields::{constant, decode_fields, encode_fields, spanned_as, stored, with_constant};
use super::stub;
use crate::attr;
use crate::model::{Attribute, AttributeShape, Field, Storage, Variant, VariantData};
use crate::words;

pub(crate) fn attribute(attribute: &Attribute<'_>) -> TokenStream {
    let door = &attribute.door;
    let code = match &attribute.shape {
        Some(AttributeShape::Struct(fields)) => structure(attribute, fields),
        Some(AttributeShape::Newtype(ty)) => newtype(attribute, ty),
        Some(AttributeShape::Choice(variants)) => choice(attribute, variants),
        Some(AttributeShape::Tagged { tag, variants }) => tagged(attribute, tag, variants),
        None => {
            let (shape, body) = stub::attribute();
            implementation(attribute, &shape, &body)
        }
    };
    quote! {
        #[allow(dead_code, missing_docs)]
        const _: () = {
            use #door::__private as __d;
            #code
        };
    }
}

/// A struct, stored as a map with one entry a field.
fn structure(attribute: &Attribute<'_>, fields: &[Field<'_>]) -> TokenStream {
    let ident = attribute.ident;
    let (impl_generics, ty_generics, where_clause) = attribute.generics.split_for_impl();
    let constants = with_constant(fields).map(|field| constant(field, &quote!(#ident #ty_generics), false));
    let encoder = Ident::new("encoder", Span::mixed_site());
    let item = Ident::new("item", Span::mixed_site());
    let value = Ident::new("value", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let infos = field_infos(fields);
    let encode = encode_fields(fields, &item, &quote!(&self.), &quote!([]));
    let count = stored(fields);
    let reader = quote!(__d::Fields::<#count>::read(#value, Self::__FIELDS)?);
    let decode = decode_fields(fields, &found, &quote!([]));
    let body = quote! {
        fn encode(&self, #encoder: &mut __d::Encoder) -> __d::Written {
            #encoder.structure(Self::__FIELDS, |#item| {
                #encode
            })
        }
        fn decode(#value: __d::Value<'_>) -> __d::Read<Self> {
            let #found = #reader;
            __d::Ok(Self { #(#decode),* })
        }
    };
    let implementation = implementation(attribute, &quote!(__d::shape::Structure), &body);
    let bounds = bounds(attribute, where_clause);
    quote! {
        impl #impl_generics #ident #ty_generics #where_clause {
            #(#constants)*
        }
        impl #impl_generics #ident #ty_generics #bounds {
            const __FIELDS: &'static [__d::FieldInfo] = &[#(#infos),*];
        }
        #implementation
    }
}

fn field_infos<'f>(fields: &'f [Field<'_>]) -> impl Iterator<Item = TokenStream> + 'f {
    fields.iter().filter(|field| field.is_stored()).map(|field| {
        let (name, ty) = (&field.name, field.ty);
        let defaulted = field.default.is_some().then(|| quote!(.defaulted()));
        match field.storage {
            Storage::Attribute => {
                quote!(__d::field(#name, <#ty as __d::Attribute>::SCALAR) #defaulted)
            }
            _ => quote!(__d::opaque(#name) #defaulted),
        }
    })
}

/// A newtype, stored as its field is.
fn newtype(attribute: &Attribute<'_>, ty: &Type) -> TokenStream {
    let encoder = Ident::new("encoder", Span::mixed_site());
    let value = Ident::new("value", Span::mixed_site());
    let body = quote! {
        fn encode(&self, #encoder: &mut __d::Encoder) -> __d::Written {
            <#ty as __d::Attribute>::encode(&self.0, #encoder)
        }
        fn decode(#value: __d::Value<'_>) -> __d::Read<Self> {
            <#ty as __d::Attribute>::decode(#value).map(Self)
        }
        fn is_absent(&self) -> bool {
            <#ty as __d::Attribute>::is_absent(&self.0)
        }
        fn absent() -> __d::Option<Self> {
            <#ty as __d::Attribute>::absent().map(Self)
        }
    };
    implementation(attribute, &spanned_as(ty, "Newtype"), &body)
}

/// An enum without data, stored as the name of the variant.
fn choice(attribute: &Attribute<'_>, variants: &[(&Ident, LitStr)]) -> TokenStream {
    let encoder = Ident::new("encoder", Span::mixed_site());
    let value = Ident::new("value", Span::mixed_site());
    let idents: Vec<&Ident> = variants.iter().map(|(ident, _)| *ident).collect();
    let names: Vec<&LitStr> = variants.iter().map(|(_, name)| name).collect();
    let problem = expected_one_of(&names);
    let body = quote! {
        fn encode(&self, #encoder: &mut __d::Encoder) -> __d::Written {
            #encoder.string(match self {
                #(Self::#idents => #names,)*
            })
        }
        fn decode(#value: __d::Value<'_>) -> __d::Read<Self> {
            match &*#value.as_str()? {
                #(#names => __d::Ok(Self::#idents),)*
                _ => __d::Err(__d::ValueError::new(#problem)),
            }
        }
    };
    implementation(attribute, &quote!(__d::shape::Choice), &body)
}

/// An enum with data, stored as a map: the name of the variant under the tag, and its data beside it.
fn tagged(attribute: &Attribute<'_>, tag: &LitStr, variants: &[Variant<'_>]) -> TokenStream {
    let name_of_content = words::VALUE_OF_VARIANT;
    let encoder = Ident::new("encoder", Span::mixed_site());
    let item = Ident::new("item", Span::mixed_site());
    let value = Ident::new("value", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let content = Ident::new("content", Span::mixed_site());
    let mut encode = Vec::new();
    let mut decode = Vec::new();
    for Variant { ident, name, data } in variants {
        match data {
            VariantData::Unit => {
                encode.push(quote!(Self::#ident => #encoder.variant(#tag, #name, &[], |_| __d::Ok(())),));
                decode.push(quote!(#name => __d::Ok(Self::#ident),));
            }
            VariantData::Newtype(ty) => {
                let infos =
                    quote!(const { &[__d::field(#name_of_content, <#ty as __d::Attribute>::SCALAR)] });
                encode.push(quote! {
                    Self::#ident(#content) => #encoder.variant(#tag, #name, #infos, |#item| {
                        <#ty as __d::Attribute>::put(#content, #item, 0)
                    }),
                });
                decode.push(quote! {
                    #name => __d::Ok(Self::#ident(
                        <#ty as __d::Attribute>::get(&__d::Fields::<1>::read(#value, #infos)?, 0)?,
                    )),
                });
            }
            VariantData::Struct(fields) => {
                let infos = field_infos(fields);
                let infos = quote!(const { &[#(#infos),*] });
                let idents = fields.iter().filter(|field| !matches!(field.storage, Storage::Skip(_)));
                let idents = idents.map(|field| field.ident);
                let lines = encode_fields(fields, &item, &TokenStream::new(), &quote!([#tag]));
                encode.push(quote! {
                    Self::#ident { #(#idents,)* .. } => #encoder.variant(#tag, #name, #infos, |#item| {
                        #lines
                    }),
                });
                let count = stored(fields);
                let reader = quote!(__d::Fields::<#count>::read(#value, #infos)?);
                let decoded = decode_fields(fields, &found, &quote!([#tag]));
                decode.push(quote! {
                    #name => {
                        let #found = #reader;
                        __d::Ok(Self::#ident { #(#decoded),* })
                    }
                });
            }
        }
    }
    let names: Vec<&LitStr> = variants.iter().map(|variant| &variant.name).collect();
    let problem = expected_one_of(&names);
    let body = quote! {
        fn encode(&self, #encoder: &mut __d::Encoder) -> __d::Written {
            match self {
                #(#encode)*
            }
        }
        fn decode(#value: __d::Value<'_>) -> __d::Read<Self> {
            match &*#value.tag(#tag)? {
                #(#decode)*
                _ => __d::Err(__d::ValueError::new(#problem).in_field(#tag)),
            }
        }
    };
    implementation(attribute, &quote!(__d::shape::Any), &body)
}

fn expected_one_of(names: &[&LitStr]) -> String {
    let names: Vec<String> = names.iter().map(|name| name.value()).collect();
    match names.as_slice() {
        [only] => format!("expected `{only}`, found another text"),
        names => format!("expected one of {}, found another text", attr::list(names)),
    }
}

fn implementation(attribute: &Attribute<'_>, shape: &TokenStream, body: &TokenStream) -> TokenStream {
    let ident = attribute.ident;
    let (impl_generics, ty_generics, where_clause) = attribute.generics.split_for_impl();
    let bounds = bounds(attribute, where_clause);
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #impl_generics __d::Attribute for #ident #ty_generics #bounds {
            type Base = Self;
            type Shape = #shape;
            #body
        }
    }
}

/// The bounds of a generic type's parameters.
fn bounds(attribute: &Attribute<'_>, where_clause: Option<&syn::WhereClause>) -> TokenStream {
    let parameters: Vec<&Ident> =
        attribute.generics.type_params().map(|parameter| &parameter.ident).collect();
    if parameters.is_empty() {
        return quote!(#where_clause);
    }
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    quote!(where #(#predicates,)* #(#parameters: __d::Attribute + 'static),*)
}
