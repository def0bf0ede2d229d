//! The plans of queries. `explain` sends nothing; use it in tests, in reviews, and to estimate costs.

use dynorm::prelude::*;
use dynorm::query::Explanation;

use crate::orders::{Order, OrderRepo, Status};
use crate::{Plane, PlaneRepo};

pub(crate) fn print() {
    for (question, explanation) in plans() {
        println!("\n{question}\n{explanation}");
    }
}

fn plans() -> [(&'static str, Explanation); 8] {
    let model = Plane::MODEL.eq("A320-214");
    [
        ("one plane", PlaneRepo::filter(Plane::TAILNUM.eq("N10156")).explain()),
        (
            "the five largest BOEING of before 1990",
            PlaneRepo::by_manufacturer("BOEING")
                .filter(Plane::YEAR.lt(1990))
                .order_by(Plane::SEATS.desc())
                .limit(5)
                .explain(),
        ),
        (
            "those of two manufacturers that have 100 to 150 seats",
            PlaneRepo::filter(
                Plane::MANUFACTURER.is_in(["AIRBUS", "EMBRAER"])
                    & Plane::SEATS.ge(100)
                    & Plane::SEATS.le(150),
            )
            .explain(),
        ),
        (
            "the orders of a customer since a date",
            OrderRepo::filter(Order::CUSTOMER_ID.eq(Id::new()) & Order::PLACED_AT.ge(Timestamp::default()))
                .explain(),
        ),
        (
            "the totals of what is to be shipped: the index holds them",
            OrderRepo::by_status(Status::Placed).explain(),
        ),
        (
            "the orders to be shipped that have remarks: the index lacks those",
            OrderRepo::by_status(Status::Placed).hydrate().filter(Order::REMARKS.ne("")).explain(),
        ),
        ("every A320-214: nothing serves that", PlaneRepo::filter(model.clone()).explain()),
        (
            "the A320-214 of AIRBUS: whoever knows the manufacturer says so",
            PlaneRepo::filter(model & Plane::MANUFACTURER.eq("AIRBUS")).explain(),
        ),
    ]
}
