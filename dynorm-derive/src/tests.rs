//! Golden expansions: what the macros make of the types of the documentation, and how much of it. After a change on
//! purpose run these tests with `UPDATE_GOLDEN=1`, and read the difference as a reviewer would.

use std::path::Path;

use quote::quote;

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

/// The `User` of the documentation, with more fields behind its own.
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

/// Every line that is emitted is compiled in every crate with entities, once for each of them.
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
