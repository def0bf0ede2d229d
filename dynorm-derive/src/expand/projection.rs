//! The code of `#[derive(Projection)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{Part, Projection};
use crate::names::constant_name;

pub(crate) fn projection(projection: &Projection<'_>) -> TokenStream {
    let Projection { ident, of, door, parts, has_fields } = projection;
    let item = Ident::new("item", Span::mixed_site());
    let unreadable = unreadable();
    let places = parts.iter().filter(|part| !part.failed).map(|part| place(of, part));
    let fields = parts.iter().map(|part| {
        let (ident, place) = (part.ident, place(of, part));
        if part.failed { quote!(#ident: #unreadable?) } else { quote!(#ident: #place.read(#item)?) }
    });
    let body = if *has_fields { quote!(__d::Ok(Self { #(#fields),* })) } else { unreadable.clone() };
    quote! {
        const _: () = {
            use #door::__private as __d;
            #[automatically_derived]
            impl __d::Projection for #ident {
                type Entity = #of;
                fn places() -> __d::Places {
                    __d::Places::default()#(.and(#places))*
                }
                fn decode_projection(#item: &__d::Item<'_>) -> __d::Read<Self> {
                    #body
                }
            }
        };
    }
}

/// Stands in for what a mistake leaves out.
fn unreadable() -> TokenStream {
    quote!(__d::Err(__d::ValueError::new("")))
}

/// `User::EMAIL`, or what is said instead, as a part of the type that was written for it. It is written twice, in the same
/// way, so that a mistake is one error.
fn place(of: &syn::Path, part: &Part<'_>) -> TokenStream {
    let ty = part.ty;
    let place = match &part.from {
        Some(from) => quote_spanned!(from.span()=> &#from),
        None => {
            let constant = constant_name(part.ident);
            // The mistake may be the name or the type, so that both are underlined.
            let place = quote_spanned!(part.ident.span()=> <#of>::#constant);
            quote_spanned!(ty.span()=> &#place)
        }
    };
    quote!(__d::part::<#of, #ty>(#place))
}
