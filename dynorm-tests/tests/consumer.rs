//! Crates that use dynorm under difficult conditions: strict lints, shadowed names, macros, modules. Most of
//! the test is that it compiles.

#![deny(
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused,
    unused_qualifications,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    unsafe_code,
    warnings,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "consumer/hygiene.rs"]
mod hygiene;
#[path = "consumer/lints.rs"]
mod lints;
#[path = "consumer/macros.rs"]
mod macros;
#[path = "consumer/open.rs"]
mod open;
#[path = "consumer/types.rs"]
mod types;
