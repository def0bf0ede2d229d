//! The code of `#[derive(Attribute)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, LitStr, Type};

use crate::attr;
use crate::errors::Errors;
use crate::expand::{constant, decode_fields, encode_fields, fields_reader};
use crate::model::{Attribute, AttributeShape, Field, Storage, Variant, VariantData};

pub(crate) fn attribute(attribute: &Attribute<'_>, errors: &mut Errors) -> TokenStream {
    let door = &attribute.door;
    let code = match &attribute.shape {
        AttributeShape::Struct(fields) => structure(attribute, fields),
        AttributeShape::Newtype(ty) => newtype(attribute, ty),
        AttributeShape::Choice(variants) => choice(attribute, variants),
        AttributeShape::Tagged { tag, variants } => tagged(attribute, tag, variants, errors),
    };
    quote! {
        const _: () = {
            use #door::__private as __d;
            #code
        };
    }
}

/// A map with the fields as its entries.
fn structure(attribute: &Attribute<'_>, fields: &[Field<'_>]) -> TokenStream {
    let ident = attribute.ident;
    let (impl_generics, ty_generics, where_clause) = attribute.generics.split_for_impl();
    let constants = fields
        .iter()
        .filter(|field| field.is_stored())
        .map(|field| constant(field, &quote!(#ident #ty_generics), false));
    let encoder = Ident::new("encoder", Span::mixed_site());
    let item = Ident::new("item", Span::mixed_site());
    let value = Ident::new("value", Span::mixed_site());
    let found = Ident::new("found", Span::mixed_site());
    let infos = field_infos(fields);
    let encode = encode_fields(fields, &item, &quote!(self.), &quote!([]));
    let reader = fields_reader(fields, &value, &quote!(Self::__FIELDS), &quote!([]));
    let decode = decode_fields(fields, &found);
    let body = quote! {
        fn encode(&self, #encoder: &mut __d::Encoder) -> __d::Written {
            #encoder.structure(Self::__FIELDS, |#item| {
                #(#encode)*
                Ok(())
            })
        }
        fn decode(#value: __d::Value<'_>) -> __d::Read<Self> {
            let #found = #reader;
            Ok(Self { #(#decode),* })
        }
    };
    let implementation = implementation(attribute, &quote!(__d::shape::Structure), &body);
    let bounds = bounds(attribute, where_clause);
    quote! {
        #[allow(dead_code)]
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
        match field.storage {
            Storage::Attribute => quote!(__d::FieldInfo::of::<#ty>(#name)),
            _ => quote!(__d::FieldInfo::opaque(#name)),
        }
    })
}

/// Whatever the field is.
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
        fn absent() -> Option<Self> {
            <#ty as __d::Attribute>::absent().map(Self)
        }
    };
    let shape = quote!(<<#ty as __d::Attribute>::Shape as __d::shape::Shape>::Newtype);
    implementation(attribute, &shape, &body)
}

/// The name of the variant, as text.
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
                #(#names => Ok(Self::#idents),)*
                _ => Err(__d::ValueError::new(#problem)),
            }
        }
    };
    implementation(attribute, &quote!(__d::shape::Choice), &body)
}

/// A map: the name of the variant under the tag, and its data beside it.
fn tagged(
    attribute: &Attribute<'_>,
    tag: &LitStr,
    variants: &[Variant<'_>],
    errors: &mut Errors,
) -> TokenStream {
    const CONTENT: &str = "value";
    if tag.value() == CONTENT
        && variants.iter().any(|variant| matches!(variant.data, VariantData::Newtype(_)))
    {
        errors.at(tag, "the value of a variant is stored as `value`: choose another tag");
    }
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
                encode.push(quote!(Self::#ident => #encoder.variant(#tag, #name, &[], |_| Ok(())),));
                decode.push(quote!(#name => Ok(Self::#ident),));
            }
            VariantData::Newtype(ty) => {
                let infos = quote!(const { &[__d::FieldInfo::of::<#ty>(#CONTENT)] });
                encode.push(quote! {
                    Self::#ident(#content) => #encoder.variant(#tag, #name, #infos, |#item| #item.field(0, #content)),
                });
                decode.push(quote! {
                    #name => Ok(Self::#ident(__d::Fields::<1>::read(#value, #infos)?.get(0)?)),
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
                        #(#lines)*
                        Ok(())
                    }),
                });
                let reader = fields_reader(fields, &value, &infos, &quote!([#tag]));
                let decoded = decode_fields(fields, &found);
                decode.push(quote! {
                    #name => {
                        let #found = #reader;
                        Ok(Self::#ident { #(#decoded),* })
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
                _ => Err(__d::ValueError::new(#problem).in_field(#tag)),
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
        impl #impl_generics __d::Attribute for #ident #ty_generics #bounds {
            type Base = Self;
            type Shape = #shape;
            #body
        }
    }
}

/// What a generic type asks of its parameters.
fn bounds(attribute: &Attribute<'_>, where_clause: Option<&syn::WhereClause>) -> TokenStream {
    let parameters: Vec<&Ident> =
        attribute.generics.type_params().map(|parameter| &parameter.ident).collect();
    if parameters.is_empty() {
        return quote!(#where_clause);
    }
    let predicates = where_clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
    quote!(where #(#predicates,)* #(#parameters: __d::Attribute + 'static),*)
}
