//! Values are written and read back unchanged.

use std::sync::{Arc, Mutex};

use dynorm::Repository;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer, Requests};
use proptest::prelude::*;

use crate::sample::*;
use crate::{cases, run};

/// A database that keeps the last item byte by byte, and answers every read with it.
pub(crate) fn echo() -> (Database, Requests) {
    let kept = Arc::new(Mutex::new(String::from("{}")));
    canned::database(move |request| {
        let text = request.text();
        if request.target == "PutItem" {
            *kept.lock().unwrap() = format!("{{\"Item\":{}}}", item_of(&text));
            return Answer::ok("{}");
        }
        Answer::ok(kept.lock().unwrap().clone())
    })
}

/// The JSON of the item in the body of a PutItem, as it was written.
pub(crate) fn item_of(body: &str) -> String {
    let item = body.split_once("\"Item\":").unwrap().1;
    let mut values = serde_json::Deserializer::from_str(item).into_iter::<serde::de::IgnoredAny>();
    values.next().unwrap().unwrap();
    item[..values.byte_offset()].to_owned()
}

fn survives<R: Repository>(cases_: u32)
where
    R::Entity: Entity<Key = String> + Sampled + PartialEq + std::fmt::Debug,
{
    let (db, _) = echo();
    proptest!(cases(cases_), |(entity in R::Entity::any())| {
        // Through the bytes of a request and an answer …
        let read = run(async {
            R::save(&entity).on(&db).await?;
            R::get(entity.entity_key()).on(&db).await
        });
        prop_assert_eq!(&read.unwrap(), &entity);
        // … and through the SDK's model.
        let item = dynorm::to_item(&entity).unwrap();
        prop_assert_eq!(&dynorm::from_item::<R::Entity>(&item).unwrap(), &entity);
    });
}

macro_rules! survive {
    ($($name:ident: $repository:ident, $cases:literal;)*) => {$(
        #[test]
        fn $name() {
            survives::<$repository>($cases);
        }
    )*};
}

survive! {
    texts: TextItemRepo, 300;
    unsigned_integers: UnsignedItemRepo, 200;
    signed_integers: SignedItemRepo, 200;
    floats: FloatItemRepo, 500;
    bytes: ByteItemRepo, 200;
    lists: ListItemRepo, 200;
    sets: SetItemRepo, 200;
    maps: MapItemRepo, 200;
    options: OptionItemRepo, 200;
    times: TimeItemRepo, 300;
    ids: IdItemRepo, 200;
    special: SpecialItemRepo, 300;
    all_of_them_nested: SampleRepo, 60;
}
