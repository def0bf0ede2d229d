//! What closes a trait: one that has [`Sealed`] above it cannot be implemented outside of the crate.

/// Implemented for the types of the crate that its closed traits are implemented for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot implement a trait of dynorm that is sealed",
    label = "the trait is for types of dynorm alone",
    note = "what a program may implement says how in its documentation, such as `dynorm::condition::Operand`"
)]
pub trait Sealed {}

impl<T: Sealed> Sealed for Vec<T> {}
impl<T: Sealed> Sealed for Option<T> {}
impl<T: Sealed> Sealed for &T {}

macro_rules! tuples {
    ($(($($part:ident),*);)*) => {$( impl<$($part: Sealed),*> Sealed for ($($part,)*) {} )*};
}

tuples! {
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
    (A, B, C, D, E, F, G);
    (A, B, C, D, E, F, G, H);
}
