//! Collects the errors of one derive.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors of one derive. All of them are reported in one compile, each at its token.
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an error at `tokens`. The message gives the fact, then the remedy, then an example.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// The number of errors so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Returns the code followed by the errors.
    pub(crate) fn with(self, mut code: TokenStream) -> TokenStream {
        code.extend(self.0.into_iter().map(syn::Error::into_compile_error));
        code
    }
}
