//! Golden expansions: the code that the macros generate for the types in the documentation, and its size.
//! After an intended change, run these tests with `UPDATE_GOLDEN=1` and review the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quote::quote;

use crate::words;

fn pretty(code: proc_macro2::TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(code).expect("the expansion parses"))
}

fn entity(input: proc_macro2::TokenStream) -> String {
    pretty(crate::entity(&syn::parse2(input).expect("the input parses")))
}

fn attribute(input: proc_macro2::TokenStream) -> String {
    pretty(crate::attribute(&syn::parse2(input).expect("the input parses")))
}

fn projection(input: proc_macro2::TokenStream) -> String {
    pretty(crate::projection(&syn::parse2(input).expect("the input parses")))
}

fn check(name: &str, code: &str) {
    assert!(!code.contains("compile_error"), "{name} is refused:\n{code}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name).with_extension("rs");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, code).expect("the golden file is written");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == code, "{} differs; the expansion is now:\n{code}", path.display());
}

/// The `User` of the documentation, followed by `more` other fields.
fn user(more: usize) -> String {
    let fields = (0..more).map(|n| quote::format_ident!("field_{n}"));
    entity(quote! {
        pub struct User {
            #[entity(id)]
            pub id: Id<User>,
            #[entity(index = "by_email")]
            pub email: String,
            pub first_name: String,
            pub last_name: String,
            #[entity(index = "by_status")]
            pub status: Status,
            pub age: u32,
            pub tags: BTreeSet<String>,
            pub address: Option<Address>,
            #[entity(created_at)]
            pub created_at: Timestamp,
            #[entity(updated_at, index("by_status", sort))]
            pub updated_at: Timestamp,
            #(pub #fields: Option<String>,)*
        }
    })
}

#[test]
fn ten_fields() {
    check("user", &user(0));
}

/// Every generated line is compiled once for each entity.
#[test]
fn the_expansion_is_thin() {
    let lines = |more| user(more).lines().count();
    let (ten, each) = (lines(0), (lines(10) - lines(0)).div_ceil(10));
    println!("{ten} lines for 10 fields, {each} for each further one");
    assert!(ten <= 100, "{ten} lines for 10 fields");
    assert!(each <= 8, "{each} lines for each further field");
}

#[test]
fn a_key_of_two_parts() {
    let code = entity(quote! {
        struct Reading {
            #[entity(partition)]
            sensor: String,
            #[entity(sort)]
            taken_at: Timestamp,
            celsius: f64,
        }
    });
    check("reading", &code);
}

#[test]
fn keys_of_templates() {
    let code = entity(quote! {
        #[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
        #[entity(index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}"))]
        pub struct Order {
            pub customer_id: Id<Customer>,
            #[entity(id)]
            pub id: Id<Order>,
            pub status: OrderStatus,
            pub placed_at: Timestamp,
        }
    });
    check("order", &code);
}

#[test]
fn indexes_that_hold_a_part() {
    let code = entity(quote! {
        #[entity(index("by_place", partition = [country, city], sort = [street, number], keys_only))]
        pub struct House {
            #[entity(id)]
            pub id: Id<House>,
            pub country: String,
            pub city: String,
            pub street: String,
            pub number: u32,
            #[entity(index("by_owner", include = [number, r#type]))]
            pub owner: Option<Id<Person>>,
            pub r#type: Type,
            rooms: Vec<Room>,
        }
    });
    check("house", &code);
}

#[test]
fn a_projection() {
    let code = projection(quote! {
        #[projection(of = shop::User)]
        pub struct Contact {
            pub email: String,
            #[projection(from = User::ADDRESS.field(Address::CITY))]
            pub city: Option<String>,
        }
    });
    check("contact", &code);
}

#[test]
fn every_attribute_of_a_field() {
    let code = entity(quote! {
        #[entity(table = "things", repo = "Things", crate = store, rename_all = "camelCase")]
        pub(crate) struct Thing {
            #[entity(partition, sensitive)]
            pub(crate) owner: String,
            #[entity(id, sort)]
            pub(crate) id: String,
            #[entity(lsi = "by-size")]
            size: u64,
            #[entity(index("by_kind", partition), index("by_place", sort))]
            r#type: Kind,
            #[entity(index = "by_place", rename = "where")]
            place: Option<String>,
            #[entity(default)]
            count: u32,
            #[entity(default = 7)]
            weight: u8,
            #[entity(serde)]
            shape: Shape,
            #[entity(with = money, default)]
            price: Money,
            #[entity(skip)]
            cache: Cache,
            #[entity(flatten)]
            rest: BTreeMap<String, Value>,
            #[entity(created_at)]
            made: Timestamp,
            #[entity(updated_at)]
            changed: Option<Timestamp>,
        }
    });
    check("thing", &code);
}

#[test]
fn a_unit_enum() {
    let code = attribute(quote! {
        enum Status { #[default] Pending, Active, #[attribute(rename = "off")] Inactive }
    });
    check("status", &code);
}

#[test]
fn a_nested_struct() {
    let code = attribute(quote! {
        pub struct Address { pub city: String, pub zip: String }
    });
    check("address", &code);
}

#[test]
fn an_enum_with_data() {
    let code = attribute(quote! {
        #[attribute(tag = "kind")]
        enum Payment {
            Cash,
            Card(CardNumber),
            Transfer { iban: String, #[attribute(default)] reference: String },
        }
    });
    check("payment", &code);
}

#[test]
fn a_newtype() {
    check(
        "email",
        &attribute(quote!(
            pub struct Email(String);
        )),
    );
}

#[test]
fn a_generic_struct() {
    let code = attribute(quote! {
        pub struct Versioned<T> where T: Clone { pub value: T, pub version: u32 }
    });
    check("versioned", &code);
}

/// The source files of the crate, by module path: `parse::entity`.
fn modules() -> BTreeMap<String, String> {
    fn add(directory: &Path, prefix: &str, modules: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            if path.is_dir() {
                add(&path, &format!("{prefix}{name}::"), modules);
                continue;
            }
            let module = match name.as_str() {
                "mod" => prefix.trim_end_matches("::").to_owned(),
                _ => format!("{prefix}{name}"),
            };
            modules.insert(module, std::fs::read_to_string(&path).expect("a file"));
        }
    }
    let mut modules = BTreeMap::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut modules);
    // The tests use every module.
    modules.remove("tests");
    modules
}

/// The modules that a file uses, by its `use` lines and `mod` declarations.
fn uses(module: &str, source: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut uses = BTreeSet::new();
    for line in source.lines().map(str::trim).take_while(|line| *line != "mod tests {") {
        let declared = line.strip_prefix("mod ").map(|name| match module {
            "lib" => name.to_owned(),
            _ => format!("{module}::{name}"),
        });
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line).strip_prefix("use ").unwrap_or_default();
        let named = match (line.strip_prefix("crate::"), line.strip_prefix("super::")) {
            (Some(path), _) => Some(path.to_owned()),
            (_, Some(path)) => Some(format!("{parent}::{path}")),
            _ => None,
        };
        for path in declared.into_iter().chain(named) {
            // `a::b::c` is an item of `a::b`, or a module; `a::{b, c}` may be several modules of `a`.
            let (path, list) = path.split_once('{').unwrap_or((&path, ""));
            let names = list.split([',', '{', '}', ';']).map(|name| format!("{path}{}", name.trim()));
            for path in names.chain([path.to_owned()]) {
                let path = path.trim_end_matches([';', ':']);
                let known = |found: &&String| path == *found || path.starts_with(&format!("{found}::"));
                uses.extend(modules.keys().filter(known).max_by_key(|found| found.len()).cloned());
            }
        }
    }
    uses.remove(module);
    uses
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let modules = modules();
    assert!(modules.len() > 20, "{:?}", modules.keys());
    let mut above: BTreeMap<&str, BTreeSet<String>> =
        modules.iter().map(|(module, source)| (module.as_str(), uses(module, source, &modules))).collect();
    assert!(above["lib"].contains("expand") && above["expand::entity"].contains("expand::fields"));
    // Removes modules that use no remaining module, until only cycles are left.
    loop {
        let free: Vec<&str> =
            above.iter().filter(|(_, uses)| uses.is_empty()).map(|(module, _)| *module).collect();
        if free.is_empty() {
            break;
        }
        above.retain(|module, _| !free.contains(module));
        above.values_mut().for_each(|uses| uses.retain(|module| !free.contains(&module.as_str())));
    }
    assert!(above.is_empty(), "in a circle, or above one: {above:#?}");
}

/// Fails if the macro reports the word as unknown; it may report anything else.
fn knows(
    derive: fn(&syn::DeriveInput) -> proc_macro2::TokenStream,
    attribute: &str,
    word: &str,
    input: &str,
) {
    let input = input.replace('@', &format!("#[{attribute}({word})]"));
    let code = derive(&syn::parse_str(&input).expect("the input parses")).to_string();
    for unknown in ["unknown attribute", "belongs on", "is for the fields"] {
        assert!(!code.contains(unknown), "`{word}`: {code}");
    }
}

#[test]
fn every_word_is_read() {
    for word in words::ON_ENTITY {
        knows(crate::entity, words::ENTITY, word, "@ struct User { id: String }");
    }
    for word in words::ON_FIELD {
        knows(crate::entity, words::ENTITY, word, "struct User { @ id: String }");
    }
    for (list, on) in [
        (words::ON_STRUCT, "@ struct Address { city: String }"),
        (words::ON_ENUM, "@ enum Payment { Card { number: String } }"),
        (words::ON_VARIANT, "enum Payment { @ Card { number: String } }"),
        (words::ON_NESTED_FIELD, "struct Address { @ city: String }"),
    ] {
        list.iter().for_each(|word| knows(crate::attribute, words::ATTRIBUTE, word, on));
    }
    for (list, on) in [
        (words::ON_PROJECTION, "@ struct Contact { city: String }"),
        (words::ON_PROJECTION_FIELD, "struct Contact { @ city: String }"),
    ] {
        list.iter().for_each(|word| knows(crate::projection, words::PROJECTION, word, on));
    }
    for (list, with, on) in [
        (words::IN_INDEX, "index(\"gsi1\", WORD)", "@ struct User { id: String }"),
        (words::IN_FIELD_INDEX, "index(\"gsi1\", WORD)", "struct User { @ id: String }"),
        (words::IN_LSI, "lsi(\"lsi1\", WORD)", "struct User { @ id: String }"),
        (words::IN_TYPE_NAME, "type_name(WORD)", "@ struct User { id: String }"),
    ] {
        list.iter().for_each(|word| knows(crate::entity, words::ENTITY, &with.replace("WORD", word), on));
    }
}

#[test]
#[should_panic(expected = "unknown attribute")]
fn a_word_that_is_not_read_would_be_seen() {
    knows(crate::entity, words::ENTITY, "colour", "@ struct User { id: String }");
}

#[test]
fn every_word_is_in_the_docs_of_its_macro() {
    let source = &modules()["lib"];
    let docs = |end: &str| {
        let (docs, _) = source.split_once(end).expect("the macro");
        docs.rsplit_once("\n\n").expect("its docs").1.to_owned()
    };
    let entity = docs("#[proc_macro_derive(Entity,");
    let attribute = docs("#[proc_macro_derive(Attribute,");
    let projection = docs("#[proc_macro_derive(Projection,");
    let of_entity =
        words::ON_ENTITY.iter().chain(words::ON_FIELD).chain(words::IN_INDEX).chain(words::IN_LSI);
    let of_attribute = words::ON_ENUM.iter().chain(words::ON_VARIANT).chain(words::ON_NESTED_FIELD);
    let of_projection = words::ON_PROJECTION.iter().chain(words::ON_PROJECTION_FIELD);
    let named = |docs: &str, word: &str| {
        let mut before_and_behind = docs.split(word).zip(docs.split(word).skip(1));
        before_and_behind.any(|(before, behind)| {
            before.ends_with(['`', '(', ' ']) && behind.starts_with(['`', ' ', '(', ')', ',', '='])
        })
    };
    of_entity.for_each(|word| assert!(named(&entity, word), "{word} is not in the docs of `Entity`"));
    of_attribute
        .for_each(|word| assert!(named(&attribute, word), "{word} is not in the docs of `Attribute`"));
    of_projection
        .for_each(|word| assert!(named(&projection, word), "{word} is not in the docs of `Projection`"));
}

#[test]
fn the_operations_are_the_methods_of_a_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dynorm/src/repository.rs");
    let source = std::fs::read_to_string(path).expect("the sources of dynorm are beside this crate");
    let (_, body) = source.split_once("pub trait Repository").expect("the trait");
    let (body, _) = body.split_once("\n}").expect("its end");
    let methods = body.lines().filter_map(|line| line.strip_prefix("    fn "));
    let mut methods: Vec<&str> = methods.filter_map(|line| line.split(['(', '<']).next()).collect();
    methods.sort_unstable();
    assert_eq!(methods, words::OPERATIONS);
}
