//! Types are judged by their traits and not by their names: aliases, newtypes, parameters.

use std::collections::{BTreeMap, BTreeSet};

use dynorm::attribute::{Identifier, Moment};
use dynorm::prelude::*;

type UserId = Id<User>;
type Maybe<T> = Option<T>;
type Now = Timestamp;

#[derive(Attribute, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Email(String);

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Number(u64);

/// A user's own id and timestamp types.
#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct OwnId(String);

impl Identifier for OwnId {
    fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    fn fresh() -> Self {
        Self("fresh".to_owned())
    }
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq)]
struct OwnTime(i64);

impl Moment for OwnTime {
    fn is_unset(&self) -> bool {
        self.0 == 0
    }

    fn at(now: Timestamp) -> Self {
        Self(now.unix_micros())
    }
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct Page<T, const N: usize>
where
    T: Default,
{
    items: Vec<T>,
    first: Option<T>,
    #[attribute(skip)]
    sizes: Sizes<N>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Sizes<const N: usize>;

#[derive(Attribute, Clone, Debug, PartialEq)]
enum Either<A, B> {
    Left(A),
    Right { value: B },
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Wrapper<T>(Vec<T>);

#[derive(Entity, Clone, Debug, PartialEq)]
struct User {
    #[entity(id)]
    id: UserId,
    #[entity(index = "by_email")]
    email: Maybe<Email>,
    #[entity(index("by_email", sort))]
    number: Number,
    seen: Now,
    page: Page<u32, 3>,
    either: Vec<Either<String, u8>>,
    wrapper: Wrapper<u8>,
    names: BTreeMap<Email, BTreeSet<Number>>,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Own {
    #[entity(id, sort)]
    id: OwnId,
    #[entity(partition)]
    email: Email,
    #[entity(created_at)]
    at: OwnTime,
}

#[tokio::test]
async fn aliases_newtypes_and_parameters() -> dynorm::Result<()> {
    let db = dynorm_tests::database();
    db.create_table::<User>().await?;
    db.create_table::<Own>().await?;
    db.scope(async {
        let user = User {
            id: UserId::default(),
            email: Some(Email("a".to_owned())),
            number: Number(3),
            seen: Now::now(),
            page: Page { items: vec![1, 2], first: None, sizes: Sizes },
            either: vec![Either::Left("l".to_owned()), Either::Right { value: 9 }],
            wrapper: Wrapper(vec![1, 2, 3]),
            names: BTreeMap::from([(Email("b".to_owned()), BTreeSet::from([Number(1)]))]),
        };
        let user = UserRepo::save(user).await?;
        assert_eq!(UserRepo::get(user.id).await?, user);
        let query = UserRepo::by_email(Email("a".to_owned())).filter(User::SEEN.exists());
        assert_eq!(query.get_all().await?, vec![user]);

        let own = OwnRepo::save(Own { email: Email("c".to_owned()), ..Default::default() }).await?;
        assert_eq!(own.id, OwnId("fresh".to_owned()));
        assert_ne!(own.at, OwnTime(0));
        assert_eq!(OwnRepo::get((&own.email, &own.id)).await?, own);
        Ok(())
    })
    .await
}
