//! Tests of the graph on small made-up trees.

use crate::graph::Graph;
use crate::modules::Sources;
use crate::rules::{Exception, faults};

fn graph(files: &[(&str, &str)]) -> Graph {
    Graph::of(
        &files.iter().map(|(file, source)| ((*file).to_owned(), (*source).to_owned())).collect::<Sources>(),
    )
}

/// The arrows of `high.rs`, each with its target file and name.
fn arrows(high: &str) -> Vec<String> {
    let graph = graph(&[
        (
            "lib.rs",
            "extern crate self as own; mod low; mod high; mod folder; pub use folder::Thing as Renamed; mod \
            twin; pub use low::twin;",
        ),
        (
            "low.rs",
            "pub struct Base; pub enum Choice { One } pub fn make() {} pub fn twin() {} pub(crate) mod \
            nested { pub struct Deep; }",
        ),
        ("twin.rs", "pub struct InTwin;"),
        ("high.rs", high),
        (
            "folder/mod.rs",
            "mod file; pub use file::{file, Thing, Other as Another}; pub(crate) use file::told; pub struct \
            OfFacade;",
        ),
        (
            "folder/file.rs",
            "pub struct Thing; pub struct Other; pub fn file() {} macro_rules! told { () => {} } pub(crate) \
            use told;",
        ),
    ]);
    let of_high = graph.arrows.iter().filter(|((from, _), _)| from == "high.rs");
    of_high.map(|((_, to), arrow)| format!("{to}: {arrow}")).collect()
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    for import in [
        "use crate::folder::Thing;",
        "use super::folder::Thing;",
        "use crate::{low as _, folder::{self, Thing}};",
        "use crate::Renamed;",
        "use crate::folder; fn f(_: folder::Thing) {}",
        "fn f() { crate::folder::Thing::new::<u8>() }",
        "fn f() { own::folder::Thing }",
        "mod inner { use super::super::folder::Thing; }",
        "fn f() { use crate::folder::Thing; }",
        "use crate::folder::*; use Thing as T;",
        "macro_rules! m { () => { $crate::folder::Thing } }",
        "pub(crate) use crate::folder::Thing; struct S(Thing);",
    ] {
        let found = arrows(import);
        assert_eq!(found.len(), 1, "{import}: {found:?}");
        assert!(found[0].starts_with("folder/file.rs: "), "{import}: {found:?}");
    }
    assert_eq!(arrows("\n\nuse crate::folder::Another as A;"), ["folder/file.rs: Other (line 3)"]);
    assert_eq!(arrows("use crate::folder::OfFacade;"), ["folder/mod.rs: OfFacade (line 1)"]);
    assert_eq!(arrows("use crate::low::nested::Deep;"), ["low.rs: Deep (line 1)"]);
    assert_eq!(arrows("fn f() { crate::folder::told!() }"), ["folder/file.rs: told (line 1)"]);
    assert_eq!(arrows("use crate::low::Choice::One;"), ["low.rs: Choice (line 1)"]);
    // A function and a module with the same name.
    assert_eq!(arrows("fn f() { crate::folder::file() }"), ["folder/file.rs: file (line 1)"]);
    assert_eq!(arrows("fn f() { crate::twin() }"), ["low.rs: twin (line 1)"]);
    assert_eq!(arrows("use crate::twin::{self, InTwin};"), ["twin.rs: InTwin (line 1)"]);
    assert_eq!(arrows("use crate::low::{Base, make};"), ["low.rs: Base (line 1), make (line 1)"]);
}

#[test]
fn what_is_no_arrow_makes_none() {
    for code in [
        "// use crate::low::Base;\n/* use crate::low::Base; /* nested */ */",
        "const TEXT: &str = \"use crate::low::Base; \\\" crate::low::make()\";",
        "const TEXT: &str = r#\"\"crate::low::make()\"#;",
        "#[cfg(test)] mod tests { use crate::low::Base; }",
        "#[cfg(test)] use crate::low::{Base, make}; struct Mine;",
        "pub use crate::low::Base;",
        "pub(in crate::twin) struct S { pub(in crate::twin) field: u8 }",
        "use std::fmt; fn f<'a>(_: &'a str) -> char { '\\'' }",
        "use self::mine::Base; mod mine { pub struct Base; }",
        "fn f() -> impl Iterator<Item = u8> + use<> { [].into_iter() }",
    ] {
        assert_eq!(arrows(code), [""; 0], "{code}");
    }
}

#[test]
fn code_behind_what_is_left_out_is_read() {
    for code in [
        "#[cfg(test)] fn f() { let _ = [(); 1]; } use crate::low::Base;",
        "impl S { #[cfg(test)] fn f() {} fn g() { crate::low::Base } }",
        "const C: char = '\"'; use crate::low::Base;",
        "fn f<'a>() {} use crate::low::Base;",
        "const B: [u8; 2] = *b\"\\\"x\"; use crate::low::Base;",
    ] {
        assert!(arrows(code).len() == 1, "{code}");
    }
}

const LIB: (&str, &str) = ("lib.rs", "mod a; mod b; mod c;");

#[test]
fn a_circle_is_found_with_its_names_and_lines() {
    let graph = graph(&[
        LIB,
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "pub struct B;\n\nfn f() { crate::c::c() }"),
        ("c.rs", "pub fn c() {}\nuse super::a::A;"),
    ]);
    let faults = faults(&graph, &[("all", &["lib.rs", "a.rs", "b.rs", "c.rs"])], &[]);
    assert_eq!(
        faults,
        ["a circle of 3 files; the shortest way round:\n    `a.rs` → `b.rs`: B (line 1)\n    `b.rs` → \
            `c.rs`: c (line 3)\n    `c.rs` → `a.rs`: A (line 2)"]
    );
}

#[test]
fn an_arrow_that_points_up_is_found() {
    let graph =
        graph(&[LIB, ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;"), ("c.rs", "use crate::b::B;")]);
    let faults =
        faults(&graph, &[("low", &["a.rs"]), ("high", &["b.rs", "c.rs"]), ("crate", &["lib.rs"])], &[]);
    assert_eq!(
        faults,
        ["an arrow points up: `a.rs` is in the layer \"low\" and takes from `b.rs`, in \"high\":\n    B \
            (line 1)"]
    );
}

#[test]
fn an_exception_permits_one_arrow_and_is_needed() {
    let exception = |from, to| Exception { from, to, reason: "it has to be" };
    let layers: &[(&str, &[&str])] = &[("low", &["a.rs"]), ("high", &["b.rs", "c.rs", "lib.rs"])];
    let up =
        graph(&[LIB, ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;"), ("c.rs", "use crate::b::B;")]);
    assert_eq!(faults(&up, layers, &[exception("a.rs", "b.rs")]), [""; 0]);
    let stale = faults(
        &up,
        layers,
        &[exception("a.rs", "b.rs"), exception("b.rs", "a.rs"), exception("c.rs", "b.rs")],
    );
    assert_eq!(stale.len(), 2, "{stale:?}");
    assert!(
        stale[0].contains("`b.rs` → `a.rs` (it has to be) is out of date: there is no such arrow"),
        "{stale:?}"
    );
    assert!(
        stale[1].contains("`c.rs` → `b.rs` (it has to be) is out of date: that arrow needs no exception")
    );
    let circle = graph(&[
        LIB,
        ("a.rs", ""),
        ("b.rs", "pub struct B(crate::c::C);"),
        ("c.rs", "pub struct C(crate::b::B);"),
    ]);
    assert_eq!(faults(&circle, layers, &[exception("b.rs", "c.rs")]), [""; 0]);
}

#[test]
fn every_file_has_a_layer_and_every_member_is_a_file() {
    let graph = graph(&[
        ("lib.rs", "mod a; mod folder;"),
        ("a.rs", ""),
        ("folder/mod.rs", "mod deep;"),
        ("folder/deep.rs", ""),
    ]);
    let found = faults(&graph, &[("one", &["folder/", "gone.rs"]), ("two", &["lib.rs", "lib.rs"])], &[]);
    assert_eq!(
        found,
        [
            "`a.rs` is in no layer",
            "`gone.rs` is in the list of layers, and there is no such file",
            "`lib.rs` is in the list of layers twice"
        ]
    );
    let deeper: &[(&str, &[&str])] =
        &[("low", &["folder/", "a.rs"]), ("high", &["folder/deep.rs", "lib.rs"])];
    assert_eq!(faults(&graph, deeper, &[]), [""; 0]);
}
