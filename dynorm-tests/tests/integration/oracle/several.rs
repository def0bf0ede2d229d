//! Index keys of several attributes.

use dynorm::prelude::*;
use dynorm::{Condition, Query};
use dynorm_tests::database;
use fastrand::Rng;

use super::{Both, KINDS, Kind, Order, Plans, Sample, TEXTS, assert_met, both, by, compare, text, word};

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(index("by_place", partition = [country, city], sort = [street, number, built]))]
#[entity(index("by_year", partition = [kind, built], sort = [number, street], include = [city]))]
#[entity(index("by_street", partition = [street], sort = [size, city]))]
struct Site {
    #[entity(partition)]
    id: u32,
    country: String,
    city: String,
    street: String,
    number: i32,
    built: Option<u16>,
    kind: Kind,
    size: f64,
}

fn site(id: u32, random: &mut Rng) -> Site {
    Site {
        id,
        country: TEXTS[random.usize(1..3)].to_owned(),
        city: TEXTS[random.usize(1..4)].to_owned(),
        street: word(random),
        number: random.i32(-2..3),
        built: (random.u8(0..3) > 0).then(|| random.u16(1990..1994)),
        kind: KINDS[random.usize(0..2)],
        size: [-1.5, 0.0, 0.5, 10.0][random.usize(0..4)],
    }
}

impl Sample for Site {
    fn simple(random: &mut Rng) -> Both<Self> {
        match random.u8(0..8) {
            0 => textual!(Site::COUNTRY, |it: &Site| Some(it.country.clone()), random),
            1 => textual!(Site::CITY, |it: &Site| Some(it.city.clone()), random),
            2 => textual!(Site::STREET, |it: &Site| Some(it.street.clone()), random),
            3 => ordered!(Site::NUMBER, |it: &Site| Some(it.number), random.i32(-2..3), random),
            4 => ordered!(Site::BUILT, |it: &Site| it.built, random.u16(1990..1994), random),
            5 => equal!(Site::KIND, |it: &Site| it.kind, KINDS, random),
            6 => ordered!(Site::SIZE, |it: &Site| Some(it.size), f64::from(random.i8(-2..3)) / 2.0, random),
            _ => ordered!(Site::ID, |it: &Site| Some(it.id), random.u32(0..200), random),
        }
    }

    fn of_key(item: &Self, random: &mut Rng) -> Vec<[Both<Self>; 2]> {
        let Site { country, city, street, number, built, kind, size, .. } = item.clone();
        let year = built.unwrap_or(1990);
        let by_street =
            |random: &mut Rng| textual!(Site::STREET, |it: &Site| Some(it.street.clone()), random);
        let by_number =
            |random: &mut Rng| ordered!(Site::NUMBER, |it: &Site| Some(it.number), random.i32(-2..3), random);
        let of_street = {
            let street = street.clone();
            both(Site::STREET.eq(&street), move |it: &Site| it.street == street)
        };
        match random.u8(0..3) {
            0 => vec![
                [
                    both(Site::COUNTRY.eq(&country) & Site::CITY.is_in(["a", &city]), move |it: &Site| {
                        it.country == country && (it.city == city || it.city == "a")
                    }),
                    by_street(random),
                ],
                [of_street, by_number(random)],
                [
                    both(Site::NUMBER.eq(number), move |it| it.number == number),
                    ordered!(Site::BUILT, |it: &Site| it.built, random.u16(1990..1994), random),
                ],
                [both(Site::BUILT.eq(year), move |it| it.built == Some(year)), Self::simple(random)],
            ],
            1 => vec![
                [
                    both(Site::KIND.eq(kind) & Site::BUILT.is_in([year, 1991]), move |it: &Site| {
                        it.kind == kind && it.built.is_some_and(|built| built == year || built == 1991)
                    }),
                    by_number(random),
                ],
                [both(Site::NUMBER.eq(number), move |it| it.number == number), by_street(random)],
                [of_street, Self::simple(random)],
            ],
            _ => vec![
                [
                    of_street,
                    ordered!(
                        Site::SIZE,
                        |it: &Site| Some(it.size),
                        f64::from(random.i8(-2..3)) / 2.0,
                        random
                    ),
                ],
                [
                    both(Site::SIZE.eq(size), move |it| it.size == size),
                    textual!(Site::CITY, |it: &Site| Some(it.city.clone()), random),
                ],
                [both(Site::CITY.eq(&city), move |it| it.city == city), Self::simple(random)],
            ],
        }
    }

    fn orders() -> Vec<Order<Self>> {
        vec![
            order!(Site::STREET, |it: &Site| it.street.clone()),
            order!(Site::NUMBER, |it: &Site| it.number),
            order!(Site::BUILT, |it: &Site| it.built),
            order!(Site::CITY, |it: &Site| it.city.clone()),
            (|descending| by(Site::SIZE, descending), |one, other| one.size.total_cmp(&other.size)),
        ]
    }

    fn filter(condition: Condition<Self>) -> Query<Self> {
        SiteRepo::filter(condition)
    }
}

#[tokio::test]
async fn oracle_of_keys_of_several_attributes() {
    let mut plans = Plans::new();
    for seed in 0..4 {
        let mut random = Rng::with_seed(seed);
        let db = database();
        db.create_table::<Site>().await.unwrap();
        let sites: Vec<Site> = (0..200).map(|id| site(id, &mut random)).collect();
        SiteRepo::batch_save(&sites).on(&db).await.unwrap();
        for _ in 0..300 {
            compare(&db, &sites, &mut random, &mut plans).await;
        }
    }
    assert_met(&plans, &["Scan", "by_place", "by_year", "by_street", "on the table"]);
}
