//! The mistakes of one derive.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Collects the mistakes of one derive, so that all of them are reported in one compile, each at its token.
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A mistake at `tokens`: the fact first, then the remedy.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// The code, with the errors behind it.
    pub(crate) fn with(self, mut code: TokenStream) -> TokenStream {
        code.extend(self.0.into_iter().map(syn::Error::into_compile_error));
        code
    }
}
