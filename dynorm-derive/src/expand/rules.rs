//! The code of an entity's rules: timestamps, version, expiry, soft deletion, unique fields and hooks.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::{Entity, Field, StampKind, Storage};

/// The position of `updated_at` or `deleted_at`, and the function that encodes its new value without an
/// entity.
fn moment(entity: &Entity<'_>, kind: StampKind, method: &Ident) -> Option<TokenStream> {
    let field = entity.stamped(kind)?;
    let Field { ident, ty, .. } = field;
    let position = entity.position(ident);
    let moment = quote!(<#ty as __d::Moment>);
    let encode = match &field.storage {
        Storage::Attribute => quote!(#moment::now),
        Storage::With(path) => {
            let call = quote_spanned!(path.span()=> #path::encode);
            quote!(|stamp, encoder| #call(&#moment::of_stamp(stamp), encoder))
        }
        Storage::Serde => {
            quote!(|stamp, encoder| <#ty as __d::Serde>::encode(&#moment::of_stamp(stamp), encoder))
        }
        Storage::Expiry => {
            quote!(|stamp, encoder| <#ty as __d::Expiry>::encode(&#moment::of_stamp(stamp), encoder))
        }
        Storage::Flatten(_) | Storage::Skip(_) => return None,
    };
    Some(quote!(.#method(#position, #encode)))
}

/// The rules as data, on top of the defaults that all entities have.
pub(crate) fn rules(entity: &Entity<'_>) -> TokenStream {
    let name = |name: &str| Ident::new(name, Span::call_site());
    let position = |kind: StampKind, method: &str| {
        let field = entity.stamped(kind).filter(|field| field.is_stored())?;
        let (position, method) = (entity.position(field.ident), name(method));
        Some(quote!(.#method(#position)))
    };
    let rules = [
        moment(entity, StampKind::UpdatedAt, &name("updated_at")),
        moment(entity, StampKind::DeletedAt, &name("deleted_at")),
        version_field(entity),
        position(StampKind::Ttl, "ttl"),
    ];
    let hooks = entity.hooks.as_ref().map(|_| quote!(.hooks()));
    rules.into_iter().flatten().chain(hooks).chain(uniques(entity)).collect()
}

/// The position of the version field, and the largest value of its type.
fn version_field(entity: &Entity<'_>) -> Option<TokenStream> {
    let Field { ident, ty, .. } = entity.stamped(StampKind::Version).filter(|field| field.is_stored())?;
    let position = entity.position(ident);
    Some(quote!(.version(#position, <#ty as __d::Version>::LAST)))
}

/// The positions of the unique fields, and the table of their claims.
fn uniques(entity: &Entity<'_>) -> Option<TokenStream> {
    let fields: Vec<&Field<'_>> = entity.fields.iter().filter(|field| field.unique.is_some()).collect();
    if fields.is_empty() {
        return None;
    }
    let positions = fields.iter().map(|field| entity.position(field.ident));
    let name = entity.ident.unraw().to_string();
    let table = &entity.table;
    let expires = entity.stamped(StampKind::Ttl).is_some();
    Some(quote!(.uniques(&[#(#positions),*], &__d::claims!(#name, #table, #expires))))
}

/// The traits that the rules implement.
pub(crate) fn rule_traits(entity: &Entity<'_>) -> TokenStream {
    let ident = entity.ident;
    let soft_delete = entity.stamped(StampKind::DeletedAt).map(|Field { ident: field, ty, .. }| {
        quote! {
            #[automatically_derived]
            impl __d::SoftDelete for #ident {
                fn is_trashed(&self) -> bool {
                    <#ty as __d::Mark>::is_set(&self.#field)
                }
            }
        }
    });
    let expires = entity.stamped(StampKind::Ttl).map(|Field { ident: field, ty, .. }| {
        quote! {
            #[automatically_derived]
            impl __d::Expires for #ident {
                fn expires_at(&self) -> __d::Option<__d::Timestamp> {
                    <#ty as __d::Expiry>::at(&self.#field)
                }
            }
        }
    });
    let versioned = entity.stamped(StampKind::Version).map(|_| {
        quote! {
            #[automatically_derived]
            impl __d::Versioned for #ident {}
        }
    });
    let has_hooks = entity.hooks.as_ref().map(|word| {
        // At the word `hooks`, so that a missing `impl Hooks` is reported there.
        let this = quote_spanned!(word.span()=> __d::HasHooks);
        quote! {
            #[automatically_derived]
            impl #this for #ident {}
        }
    });
    quote!(#soft_delete #expires #versioned #has_hooks)
}

/// The functions that call the hooks, and the test for a new entity.
pub(crate) fn hooks(entity: &Entity<'_>) -> Option<TokenStream> {
    if entity.hooks.is_none() && entity.fields.iter().all(|field| field.unique.is_none()) {
        return None;
    }
    let is_new =
        [(StampKind::CreatedAt, "Moment"), (StampKind::Id, "Identifier"), (StampKind::Version, "Version")];
    let is_new = is_new.into_iter().find_map(|(kind, name)| {
        let Field { ident, ty, .. } = entity.stamped(kind)?;
        let name = Ident::new(name, Span::call_site());
        let function =
            Ident::new(if kind == StampKind::Version { "is_new" } else { "is_unset" }, Span::call_site());
        Some(quote! {
            fn is_new(&self) -> __d::Option<bool> {
                __d::Some(<#ty as __d::#name>::#function(&self.#ident))
            }
        })
    });
    let hook = Ident::new("hook", Span::mixed_site());
    let hook = entity.hooks.as_ref().map(|word| {
        let this = quote_spanned!(word.span()=> <Self as __d::Hooked>::hooked);
        quote! {
            fn hook(&mut self, #hook: __d::Hook) -> __d::Option<__d::HookFuture<'_>> {
                #this(self, #hook)
            }
        }
    });
    Some(quote!(#hook #is_new))
}

/// Access to the version, for writes that check it.
pub(crate) fn version(entity: &Entity<'_>) -> Option<TokenStream> {
    let Field { ident, ty, .. } = entity.stamped(StampKind::Version)?;
    Some(quote! {
        fn item_version(&self) -> __d::Option<i128> {
            __d::Some(<#ty as __d::Version>::value(&self.#ident))
        }
    })
}

pub(crate) fn stamp(entity: &Entity<'_>) -> TokenStream {
    let stamp = Ident::new("stamp", Span::mixed_site());
    let stamps =
        entity.fields.iter().flat_map(|field| field.stamps.iter().map(move |(kind, _)| (field, *kind)));
    let lines: Vec<TokenStream> = stamps
        .filter_map(|(Field { ident, ty, .. }, kind)| {
            let function = match kind {
                StampKind::Id => quote!(Identifier > ::stamp_id),
                StampKind::CreatedAt => quote!(Moment > ::stamp_created_at),
                StampKind::UpdatedAt => quote!(Moment > ::stamp_updated_at),
                StampKind::Version => quote!(Version > ::raise),
                StampKind::DeletedAt | StampKind::Ttl => return None,
            };
            Some(quote!(<#ty as __d::#function(&mut self.#ident, #stamp);))
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
