//! The traits that are open: a program may implement them for types of its own. All the others of the public
//! face are sealed, or are implemented by the derive macros.

use dynorm::attribute::{Encoder, Value, ValueError, shape};
use dynorm::condition::{Comparand, IntoElement, Operand};
use dynorm::key::IntoKey;
use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct Member {
    #[entity(partition)]
    email: String,
    level: Level,
    tags: Vec<String>,
}

/// Compared with a text, and found by it, without being stored as itself.
struct Email(&'static str);

impl<E> Operand<String, E> for Email {
    fn into_comparand(self) -> Comparand<String> {
        Operand::<String, E>::into_comparand(self.0)
    }
}

impl IntoKey<String> for Email {
    fn into_key(self) -> String {
        self.0.to_owned()
    }
}

impl IntoElement<String> for Email {
    fn into_element(self) -> String {
        self.0.to_owned()
    }
}

/// Stored by hand.
#[derive(Clone, Debug)]
struct Level(u8);

impl dynorm::Attribute for Level {
    type Base = Self;
    type Shape = shape::Number;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        dynorm::Attribute::encode(&self.0, encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        <u8 as dynorm::Attribute>::decode(value).map(Self)
    }
}

#[tokio::test]
async fn types_of_a_program_stand_where_the_open_traits_are_asked_for() -> dynorm::Result<()> {
    let db = Database::memory()?;
    db.create_table::<Member>().await?;
    let ada = "ada@example.com";
    MemberRepo::save(Member { email: ada.into(), level: Level(3), tags: Vec::new() }).on(&db).await?;
    MemberRepo::update(Email(ada)).append(Member::TAGS, [Email("bob@example.com")]).on(&db).await?;
    let same = Member::EMAIL.eq(Email(ada)) & Member::LEVEL.ge(Level(2));
    let found: Vec<Member> = MemberRepo::filter(same).on(&db).get_all().await?.into_iter().collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found.iter().map(|it| it.tags.clone()).collect::<Vec<_>>(), [["bob@example.com"]]);
    Ok(())
}
