//! Names that must not conflict with generated code.

/// A user's types and modules with names of the standard library and of dynorm.
mod shadows {
    #![allow(dead_code, reason = "they are here for their names")]

    use ::dynorm::prelude::*;

    type Text = ::std::string::String;

    #[derive(Clone, Copy, Debug)]
    struct Option;
    #[derive(Clone, Copy, Debug)]
    struct Result;
    #[derive(Clone, Copy, Debug)]
    struct String;
    #[derive(Clone, Copy, Debug)]
    struct Some;
    #[derive(Clone, Copy, Debug)]
    struct None;
    #[derive(Clone, Copy, Debug)]
    struct Ok;
    #[derive(Clone, Copy, Debug)]
    struct Err;
    #[derive(Clone, Copy, Debug)]
    struct Field;
    #[derive(Clone, Copy, Debug)]
    struct Query;
    #[derive(Clone, Copy, Debug)]
    struct Box;
    trait Default {}
    trait Repository {}
    trait IntoKey {}
    mod d {}
    mod core {}
    mod dynorm {}
    mod __private {}

    /// An entity among those names.
    #[derive(Entity, Clone, Debug)]
    #[entity(partition = "A#{name}", sort = "{number:05}", index("by_kind", partition = "{kind}"))]
    #[entity(index("by_size", partition = [size], sort = [number], include = [place]))]
    pub(super) struct Thing {
        pub(super) name: Text,
        pub(super) number: u32,
        kind: Kind,
        size: Size,
        #[entity(default)]
        place: Place,
    }

    /// A projection of it.
    #[derive(Projection, Debug)]
    #[projection(of = Thing)]
    pub(super) struct Short {
        pub(super) name: Text,
        #[projection(from = Thing::PLACE.field(Place::STREET))]
        pub(super) street: ::core::option::Option<Text>,
    }

    #[derive(Attribute, Clone, Copy, Debug)]
    enum Kind {
        Big,
    }

    #[derive(Attribute, Clone, Copy, Debug)]
    pub(super) struct Size(pub(super) u32);

    #[derive(Attribute, Clone, Debug, Default)]
    struct Place {
        street: Text,
    }

    #[derive(Attribute, Clone, Debug)]
    enum Payment {
        Cash,
        Card(Text),
        Transfer { iban: Text },
    }

    pub(super) fn thing() -> Thing {
        let place = Place { street: "Main".to_owned() };
        Thing { name: "a".to_owned(), number: 7, kind: Kind::Big, size: Size(1), place }
    }
}

/// Fields named like variables of the generated code, and like keywords.
mod fields {
    use dynorm::prelude::*;

    #[derive(Entity, Clone, Debug, Default, PartialEq)]
    pub(super) struct Names {
        #[entity(partition)]
        pub(super) item: String,
        #[entity(sort, rename = "self")]
        pub(super) r#type: u32,
        #[entity(index("by_found", include = [r#fn, stamp, info, value, __d]))]
        pub(super) found: String,
        #[entity(index = "type")]
        pub(super) r#fn: String,
        pub(super) stamp: String,
        pub(super) field: String,
        pub(super) encoder: String,
        pub(super) info: String,
        pub(super) key: String,
        pub(super) value: String,
        pub(super) content: String,
        pub(super) entity: String,
        pub(super) __d: Tagged,
        #[entity(updated_at)]
        pub(super) at: Timestamp,
    }

    #[derive(Projection, Debug, PartialEq)]
    #[projection(of = Names)]
    pub(super) struct Words {
        pub(super) item: String,
        pub(super) r#type: u32,
        pub(super) r#fn: String,
        pub(super) found: String,
        #[projection(from = Names::INFO)]
        pub(super) r#struct: String,
        pub(super) __d: Tagged,
    }

    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(partition = "TYPE#{type}")]
    pub(super) struct Raw {
        pub(super) r#type: String,
    }

    #[derive(Attribute, Clone, Debug, PartialEq)]
    pub(super) enum Tagged {
        Variables { item: String, encoder: String, found: u32, value: Inner, content: bool, r#match: u8 },
        Inner(Inner),
    }

    impl Default for Tagged {
        fn default() -> Self {
            let text = || "x".to_owned();
            let value = Inner { encoder: 1, item: text(), value: text(), found: text() };
            Self::Variables { item: text(), encoder: text(), found: 1, value, content: true, r#match: 2 }
        }
    }

    #[derive(Attribute, Clone, Debug, PartialEq)]
    pub(super) struct Inner {
        #[attribute(with = halves)]
        pub(super) encoder: u32,
        pub(super) item: String,
        pub(super) value: String,
        #[attribute(serde)]
        pub(super) found: String,
    }

    mod halves {
        use dynorm::Attribute;
        use dynorm::attribute::{Encoder, Value, ValueError};

        #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature of `with`")]
        pub(super) fn encode(number: &u32, encoder: &mut Encoder) -> Result<(), ValueError> {
            (f64::from(*number) / 2.0).encode(encoder)
        }

        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are small")]
        pub(super) fn decode(value: Value<'_>) -> Result<u32, ValueError> {
            f64::decode(value).map(|half| (half * 2.0) as u32)
        }
    }
}

#[tokio::test]
async fn names_do_not_matter() -> dynorm::Result<()> {
    use dynorm::prelude::*;

    use fields::{Names, NamesByFound, NamesRepo, Raw, RawRepo, Words};
    use shadows::{Short, Size, Thing, ThingBySize, ThingRepo};

    let db = dynorm_tests::database();
    db.create_table::<Thing>().await?;
    db.create_table::<Names>().await?;
    db.create_table::<Raw>().await?;
    db.scope(async {
        let thing = ThingRepo::save(shadows::thing()).await?;
        assert_eq!(ThingRepo::get((thing.name, thing.number)).await?.number, 7);

        let ThingBySize { number, .. } = ThingRepo::by_size(Size(1)).one().await?;
        assert_eq!(number, 7);
        let short: Short = ThingRepo::by_size(Size(1)).hydrate().select_as().one().await?;
        assert_eq!((short.name.as_str(), short.street.as_deref()), ("a", Some("Main")));

        let names = Names { item: "a".into(), found: "b".into(), r#fn: "c".into(), ..Default::default() };
        let names = NamesRepo::save(names).await?;
        assert_eq!(NamesRepo::get(("a", 0)).await?, names);
        let NamesByFound { r#type, r#fn, found, __d, .. } = NamesRepo::by_found("b").one().await?;
        assert_eq!((r#type, r#fn.as_str(), found.as_str(), __d), (0, "c", "b", names.__d.clone()));
        let words = NamesRepo::by_found("b").hydrate().select_as::<Words>().one().await?;
        assert_eq!((words.r#fn.as_str(), words.r#struct.as_str()), ("c", ""));
        assert_eq!(NamesRepo::type_("c").filter(Names::TYPE.eq(0)).get_all().await?, vec![names]);

        let raw = RawRepo::save(Raw { r#type: "x".into() }).await?;
        assert_eq!(RawRepo::get("x").await?, raw);
        Ok(())
    })
    .await
}
