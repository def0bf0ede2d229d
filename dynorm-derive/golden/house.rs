/// The operations on `House`.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
pub struct HouseRepo;
/// What the index `by_place` holds of [`House`].
#[derive(::core::fmt::Debug, ::core::clone::Clone)]
#[allow(dead_code, missing_docs, private_interfaces)]
pub struct HouseByPlace {
    pub id: Id<House>,
    pub country: String,
    pub city: String,
    pub street: String,
    pub number: u32,
}
/// What the index `by_owner` holds of [`House`].
#[derive(::core::fmt::Debug, ::core::clone::Clone)]
#[allow(dead_code, missing_docs, private_interfaces)]
pub struct HouseByOwner {
    pub id: Id<House>,
    pub number: u32,
    pub owner: Option<Id<Person>>,
    pub r#type: Type,
}
#[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
const _: () = {
    use ::dynorm::__private as __d;
    impl House {
        pub const ID: __d::Field<Self, Id<House>, __d::Key> = __d::field!(id);
        pub const COUNTRY: __d::Field<Self, String> = __d::field!(country);
        pub const CITY: __d::Field<Self, String> = __d::field!(city);
        pub const STREET: __d::Field<Self, String> = __d::field!(street);
        pub const NUMBER: __d::Field<Self, u32> = __d::field!(number);
        pub const OWNER: __d::Field<Self, Option<Id<Person>>> = __d::field!(owner);
        pub const TYPE: __d::Field<Self, Type> = __d::field!(r#type, "type");
        const ROOMS: __d::Field<Self, Vec<Room>> = __d::field!(rooms);
    }
    impl HouseRepo {
        /// Queries the index `by_place`.
        pub fn by_place(
            country: impl __d::IntoKey<__d::Base<String>>,
            city: impl __d::IntoKey<__d::Base<String>>,
        ) -> __d::Query<House, __d::Projected<HouseByPlace>> {
            __d::Query::by_index(
                    0,
                    &[
                        (1, &__d::IntoKey::into_key(country)),
                        (2, &__d::IntoKey::into_key(city)),
                    ],
                )
                .select_as()
        }
        /// Queries the index `by_owner`.
        pub fn by_owner(
            owner: impl __d::IntoKey<__d::Base<Option<Id<Person>>>>,
        ) -> __d::Query<House, __d::Projected<HouseByOwner>> {
            __d::Query::by_index(1, &[(5, &__d::IntoKey::into_key(owner))]).select_as()
        }
    }
    #[automatically_derived]
    impl __d::Repository for HouseRepo {
        type Entity = House;
    }
    #[automatically_derived]
    impl __d::Projection for HouseByPlace {
        type Entity = House;
        fn paths() -> __d::ProjectedPaths {
            __d::ProjectedPaths::of::<House>(&[0, 1, 2, 3, 4])
        }
        fn decode_projection(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<House, 8>(item)?;
            __d::Ok(Self {
                id: <Id<House> as __d::Attribute>::get(&found, 0)?,
                country: <String as __d::Attribute>::get(&found, 1)?,
                city: <String as __d::Attribute>::get(&found, 2)?,
                street: <String as __d::Attribute>::get(&found, 3)?,
                number: <u32 as __d::Attribute>::get(&found, 4)?,
            })
        }
    }
    #[automatically_derived]
    impl __d::Projection for HouseByOwner {
        type Entity = House;
        fn paths() -> __d::ProjectedPaths {
            __d::ProjectedPaths::of::<House>(&[0, 4, 5, 6])
        }
        fn decode_projection(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<House, 8>(item)?;
            __d::Ok(Self {
                id: <Id<House> as __d::Attribute>::get(&found, 0)?,
                number: <u32 as __d::Attribute>::get(&found, 4)?,
                owner: <Option<Id<Person>> as __d::Attribute>::get(&found, 5)?,
                r#type: <Type as __d::Attribute>::get(&found, 6)?,
            })
        }
    }
    #[automatically_derived]
    impl __d::Entity for House {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[
                __d::key("id", <__d::Own<Id<House>> as __d::KeyAttribute>::SCALAR),
                __d::keyed("country", <__d::Own<String> as __d::IndexKeyAttribute>::KEY),
                __d::keyed("city", <__d::Own<String> as __d::IndexKeyAttribute>::KEY),
                __d::keyed("street", <__d::Own<String> as __d::IndexKeyAttribute>::KEY),
                __d::keyed("number", <__d::Own<u32> as __d::IndexKeyAttribute>::KEY),
                __d::keyed(
                    "owner",
                    <__d::Own<Option<Id<Person>>> as __d::IndexKeyAttribute>::KEY,
                ),
                __d::field("type", <Type as __d::Attribute>::SCALAR),
                __d::field("rooms", <Vec<Room> as __d::Attribute>::SCALAR),
            ],
            partition: __d::at(0),
            key_fields: &[0],
            indexes: &[
                __d::index(
                        "by_place",
                        &[__d::at(1), __d::at(2)],
                        &[__d::at(3), __d::at(4)],
                    )
                    .projecting(&[0, 1, 2, 3, 4]),
                __d::index("by_owner", &[__d::at(5)], &[]).projecting(&[0, 4, 5, 6]),
            ],
            ..__d::entity("House", "houses")
        };
        type Key = Id<House>;
        fn entity_key(&self) -> Self::Key {
            <Id<House> as __d::Clone>::clone(&self.id)
        }
        fn encode_item(&self, item: &mut __d::ItemWriter<'_>) -> __d::Written {
            <Id<House> as __d::Attribute>::put(&self.id, item, 0)?;
            <String as __d::Attribute>::put(&self.country, item, 1)?;
            <String as __d::Attribute>::put(&self.city, item, 2)?;
            <String as __d::Attribute>::put(&self.street, item, 3)?;
            <u32 as __d::Attribute>::put(&self.number, item, 4)?;
            <Option<Id<Person>> as __d::Attribute>::put(&self.owner, item, 5)?;
            <Type as __d::Attribute>::put(&self.r#type, item, 6)?;
            <Vec<Room> as __d::Attribute>::put(&self.rooms, item, 7)
        }
        fn decode_item(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<Self, 8>(item)?;
            __d::Ok(Self {
                id: <Id<House> as __d::Attribute>::get(&found, 0)?,
                country: <String as __d::Attribute>::get(&found, 1)?,
                city: <String as __d::Attribute>::get(&found, 2)?,
                street: <String as __d::Attribute>::get(&found, 3)?,
                number: <u32 as __d::Attribute>::get(&found, 4)?,
                owner: <Option<Id<Person>> as __d::Attribute>::get(&found, 5)?,
                r#type: <Type as __d::Attribute>::get(&found, 6)?,
                rooms: <Vec<Room> as __d::Attribute>::get(&found, 7)?,
            })
        }
        fn stamp_item(&mut self, stamp: &__d::Stamp) {
            <Id<House> as __d::Identifier>::stamp_id(&mut self.id, stamp);
        }
    }
};
