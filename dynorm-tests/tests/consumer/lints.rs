//! A module under all lints. `dynorm-renamed` covers those that apply only to libraries, such as
//! `missing_docs`.

/// A public interface.
pub(crate) mod library {
    use std::collections::BTreeMap;

    use dynorm::prelude::*;

    /// A customer.
    #[derive(Entity, Clone, Debug)]
    #[entity(repo = "Customers")]
    pub(crate) struct Customer {
        /// The number.
        #[entity(id)]
        pub(crate) id: Id<Customer>,
        /// The kind of the customer.
        #[entity(index = "by_kind", index("by_kind_only", keys_only))]
        kind: Kind,
        #[entity(index("by_name", include = [credit, home, kind]))]
        name: String,
        #[entity(serde)]
        notes: (String, Vec<u32>),
        #[entity(with = cents, default)]
        credit: f64,
        #[entity(default = "somewhere".to_owned())]
        home: String,
        #[entity(skip)]
        seen: bool,
        #[entity(flatten)]
        rest: BTreeMap<String, String>,
        #[entity(created_at)]
        pub(crate) created_at: Timestamp,
        #[entity(updated_at)]
        pub(super) updated_at: Option<Timestamp>,
    }

    /// The fields for a list of customers.
    #[derive(Projection, Clone, Debug)]
    #[projection(of = Customer)]
    pub(crate) struct Line {
        /// The number.
        pub(crate) id: Id<Customer>,
        kind: Kind,
        #[projection(from = Customer::NAME)]
        title: String,
    }

    impl Line {
        /// All fields in one line.
        #[must_use]
        pub(crate) fn describe(&self) -> String {
            let Self { kind, title, .. } = self;
            format!("{kind:?} {title}")
        }
    }

    /// More private than the entity.
    #[derive(Attribute, Clone, Copy, Debug, PartialEq, Eq)]
    enum Kind {
        #[allow(dead_code, reason = "nobody is one yet")]
        Person,
        Company,
    }

    mod cents {
        use dynorm::Attribute;
        use dynorm::attribute::{Encoder, Value, ValueError};

        #[allow(
            clippy::cast_possible_truncation,
            clippy::trivially_copy_pass_by_ref,
            reason = "the signature of `with`"
        )]
        pub(super) fn encode(amount: &f64, encoder: &mut Encoder) -> Result<(), ValueError> {
            ((amount * 100.0) as i64).encode(encoder)
        }

        pub(super) fn decode(value: Value<'_>) -> Result<f64, ValueError> {
            u32::decode(value).map(|cents| f64::from(cents) / 100.0)
        }
    }

    impl Customer {
        /// A company.
        #[must_use]
        pub(crate) fn company(name: &str) -> Self {
            Self {
                id: Id::new(),
                kind: Kind::Company,
                name: name.to_owned(),
                notes: ("none".to_owned(), vec![1, 2]),
                credit: 1.5,
                home: "Paris".to_owned(),
                seen: true,
                rest: BTreeMap::new(),
                created_at: Timestamp::default(),
                updated_at: None,
            }
        }

        /// All fields in one line.
        #[must_use]
        pub(crate) fn describe(&self) -> String {
            let Self { kind, name, notes, credit, home, seen, rest, .. } = self;
            format!("{kind:?} {name} {notes:?} {credit} {home} {seen} {rest:?}")
        }
    }

    impl Customers {
        /// The customers with this name, with the fields in the index.
        ///
        /// # Errors
        ///
        /// Those of the query.
        pub(crate) async fn named(name: &str) -> dynorm::Result<Collection<CustomerByName>> {
            Self::by_name(name).get_all().await
        }

        /// The lines of the customers of the same kind.
        ///
        /// # Errors
        ///
        /// Those of the query.
        pub(crate) async fn lines(customer: &Customer) -> dynorm::Result<Collection<Line>> {
            Self::by_kind(customer.kind).select_as().get_all().await
        }

        /// The customers of the same kind.
        ///
        /// # Errors
        ///
        /// Those of the query.
        pub(crate) async fn like(customer: &Customer) -> dynorm::Result<Collection<Customer>> {
            Self::by_kind(customer.kind).filter(Customer::NAME.begins_with("A")).get_all().await
        }
    }
}

#[tokio::test]
async fn a_strict_library_works() -> dynorm::Result<()> {
    use dynorm::prelude::*;

    use library::{Customer, Customers, Line};

    let db = dynorm_tests::database();
    db.create_table::<Customer>().await?;
    db.scope(async {
        let customer = Customers::save(Customer::company("ACME")).await?;
        let found = Customers::get(customer.id).await?;
        assert_eq!(found.describe(), r#"Company ACME ("none", [1, 2]) 1.5 Paris false {}"#);
        assert_eq!((found.created_at, found.updated_at), (customer.created_at, customer.updated_at));
        assert_eq!(Customers::like(&customer).await?.len(), 1);
        let named = Customers::named("ACME").await?;
        assert_eq!(named.iter().map(|named| named.id).collect::<Vec<_>>(), [customer.id]);
        let lines = Customers::lines(&customer).await?;
        assert_eq!(lines.iter().map(Line::describe).collect::<Vec<_>>(), ["Company ACME"]);
        assert!(lines.iter().all(|line| line.id == customer.id));
        Ok(())
    })
    .await
}
