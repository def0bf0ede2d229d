//! The code of `#[derive(Projection)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::constant_name;
use crate::model::{Part, Projection};

pub(crate) fn projection(projection: &Projection<'_>) -> TokenStream {
    let Projection { ident, of, door, parts } = projection;
    let item = Ident::new("item", Span::mixed_site());
    let places = parts.iter().map(|part| place(of, part));
    let fields = parts.iter().map(|part| {
        let (ident, ty, place) = (part.ident, part.ty, place(of, part));
        // The mistake is the type that was written for the field.
        let part = quote_spanned!(ty.span()=> __d::part(&#place, #item)?);
        quote!(#ident: #part)
    });
    quote! {
        const _: () = {
            use #door::__private as __d;
            #[automatically_derived]
            impl __d::Projection for #ident {
                type Entity = #of;
                fn places() -> __d::Places {
                    __d::Places::default()#(.and::<#of>(&#places))*
                }
                fn decode_projection(#item: &__d::Item<'_>) -> __d::Read<Self> {
                    __d::Ok(Self { #(#fields),* })
                }
            }
        };
    }
}

/// `User::EMAIL`, or what is said instead.
fn place(of: &syn::Path, part: &Part<'_>) -> TokenStream {
    match &part.from {
        Some(from) => from.to_token_stream(),
        None => {
            let constant = constant_name(part.ident);
            quote_spanned!(part.ident.span()=> <#of>::#constant)
        }
    }
}
