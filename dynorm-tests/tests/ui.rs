//! What the compiler says to a mistake: each case of `ui/` must fail with exactly the messages of its `.stderr` file. What
//! must compile is in `consumer.rs`, which costs no second build of everything.
//!
//! After a change on purpose run this with `TRYBUILD=overwrite`, and read the messages as a user would.

#[test]
fn every_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}
