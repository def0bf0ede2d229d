//! The code of `#[derive(Projection)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{Projection, ProjectionField};
use crate::names::constant_name;

pub(crate) fn projection(projection: &Projection<'_>) -> TokenStream {
    let Projection { ident, of, door, fields, has_fields } = projection;
    let item = Ident::new("item", Span::mixed_site());
    let unreadable = unreadable();
    let paths = fields.iter().filter(|field| !field.failed).map(|field| path(of, field));
    let fields = fields.iter().map(|field| {
        let (ident, path) = (field.ident, path(of, field));
        if field.failed { quote!(#ident: #unreadable?) } else { quote!(#ident: #path.read(#item)?) }
    });
    let body = if *has_fields { quote!(__d::Ok(Self { #(#fields),* })) } else { unreadable.clone() };
    quote! {
        const _: () = {
            use #door::__private as __d;
            #[automatically_derived]
            impl __d::Projection for #ident {
                type Entity = #of;
                fn paths() -> __d::ProjectedPaths {
                    __d::ProjectedPaths::default()#(.and(#paths))*
                }
                fn decode_projection(#item: &__d::Item<'_>) -> __d::Read<Self> {
                    #body
                }
            }
        };
    }
}

/// Replaces code that an error leaves out.
fn unreadable() -> TokenStream {
    quote!(__d::Err(__d::ValueError::new("")))
}

/// The path of a field, `User::EMAIL` or the `from` expression, with the type of the field. It is written
/// twice in the same way, so that rustc reports a mistake once.
fn path(of: &syn::Path, field: &ProjectionField<'_>) -> TokenStream {
    let ty = field.ty;
    let path = match &field.from {
        Some(from) => quote_spanned!(from.span()=> &#from),
        None => {
            let constant = constant_name(field.ident);
            // Either the name or the type may be wrong, so both are underlined.
            let constant = quote_spanned!(field.ident.span()=> <#of>::#constant);
            quote_spanned!(ty.span()=> &#constant)
        }
    };
    quote!(__d::projected_field::<#of, #ty>(#path))
}
