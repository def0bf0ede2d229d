/// The operations on `Thing`.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
pub(crate) struct Things;
#[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
const _: () = {
    use store::__private as __d;
    impl Thing {
        pub(crate) const OWNER: __d::Field<Self, String, __d::Key> = __d::field!(owner);
        pub(crate) const ID: __d::Field<Self, String, __d::Key> = __d::field!(id);
        const SIZE: __d::Field<Self, u64> = __d::field!(size);
        const TYPE: __d::Field<Self, Kind> = __d::field!(r#type, "type");
        const PLACE: __d::Field<Self, Option<String>> = __d::field!(place, "where");
        const COUNT: __d::Field<Self, u32> = __d::field!(count);
        const WEIGHT: __d::Field<Self, u8> = __d::field!(weight);
        const SHAPE: __d::Field<Self, Shape, __d::Opaque> = __d::field!(
            shape, "shape", < Shape as __d::Serde > ::encode
        );
        const PRICE: __d::Field<Self, Money, __d::Opaque> = __d::field!(
            price, "price", | value, encoder | money::encode(value, encoder)
        );
        const MADE: __d::Field<Self, Timestamp> = __d::field!(made);
        const CHANGED: __d::Field<Self, Option<Timestamp>> = __d::field!(changed);
    }
    impl Things {
        /// Queries the index `by-size`.
        pub(crate) fn by_size(
            owner: impl __d::IntoKey<__d::Base<String>>,
        ) -> __d::Query<Thing> {
            __d::Query::by_index(0, &[(0, &__d::IntoKey::into_key(owner))])
        }
        /// Queries the index `by_kind`.
        pub(crate) fn by_kind(
            r#type: impl __d::IntoKey<__d::Base<Kind>>,
        ) -> __d::Query<Thing> {
            __d::Query::by_index(1, &[(3, &__d::IntoKey::into_key(r#type))])
        }
        /// Queries the index `by_place`.
        pub(crate) fn by_place(
            place: impl __d::IntoKey<__d::Base<Option<String>>>,
        ) -> __d::Query<Thing> {
            __d::Query::by_index(2, &[(4, &__d::IntoKey::into_key(place))])
        }
    }
    #[automatically_derived]
    impl __d::Repository for Things {
        type Entity = Thing;
    }
    #[automatically_derived]
    impl __d::Entity for Thing {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[
                __d::key("owner", <__d::Own<String> as __d::KeyAttribute>::SCALAR)
                    .sensitive(),
                __d::key("id", <__d::Own<String> as __d::KeyAttribute>::SCALAR),
                __d::keyed("size", <__d::Own<u64> as __d::IndexKeyAttribute>::KEY),
                __d::keyed("type", <__d::Own<Kind> as __d::IndexKeyAttribute>::KEY),
                __d::keyed(
                    "where",
                    <__d::Own<Option<String>> as __d::IndexKeyAttribute>::KEY,
                ),
                __d::field("count", <u32 as __d::Attribute>::SCALAR).defaulted(),
                __d::field("weight", <u8 as __d::Attribute>::SCALAR).preset(),
                __d::opaque("shape"),
                __d::opaque("price").defaulted(),
                __d::field("made", <Timestamp as __d::Attribute>::SCALAR),
                __d::field("changed", <Option<Timestamp> as __d::Attribute>::SCALAR),
            ],
            partition: __d::at(0),
            sort: __d::Some(__d::at(1)),
            key_fields: &[0, 1],
            indexes: &[
                __d::local_index("by-size", &[__d::at(0)], &[__d::at(2)]),
                __d::index("by_kind", &[__d::at(3)], &[]),
                __d::index("by_place", &[__d::at(4)], &[__d::at(3)]),
            ],
            flattened: __d::Some("rest"),
            ..__d::entity("Thing", "things")
                .updated_at(10, <Option<Timestamp> as __d::Moment>::now)
        };
        type Key = (String, String);
        fn entity_key(&self) -> Self::Key {
            (
                <String as __d::Clone>::clone(&self.owner),
                <String as __d::Clone>::clone(&self.id),
            )
        }
        fn encode_item(&self, item: &mut __d::ItemWriter<'_>) -> __d::Written {
            <String as __d::Attribute>::put(&self.owner, item, 0)?;
            <String as __d::Attribute>::put(&self.id, item, 1)?;
            <u64 as __d::Attribute>::put(&self.size, item, 2)?;
            <Kind as __d::Attribute>::put(&self.r#type, item, 3)?;
            <Option<String> as __d::Attribute>::put(&self.place, item, 4)?;
            <u32 as __d::Attribute>::put(&self.count, item, 5)?;
            <u8 as __d::Attribute>::put(&self.weight, item, 6)?;
            <Shape as __d::Serde>::put(&self.shape, item, 7)?;
            item.field_with(8, |encoder| money::encode(&self.price, encoder))?;
            <BTreeMap<String, Value> as __d::Flatten>::write_all(&self.rest, item, &[])?;
            <Timestamp as __d::Attribute>::put(&self.made, item, 9)?;
            <Option<Timestamp> as __d::Attribute>::put(&self.changed, item, 10)
        }
        fn decode_item(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<Self, 11>(item)?;
            __d::Ok(Self {
                owner: <String as __d::Attribute>::get(&found, 0)?,
                id: <String as __d::Attribute>::get(&found, 1)?,
                size: <u64 as __d::Attribute>::get(&found, 2)?,
                r#type: <Kind as __d::Attribute>::get(&found, 3)?,
                place: <Option<String> as __d::Attribute>::get(&found, 4)?,
                count: <u32 as __d::Attribute>::get_or(
                    &found,
                    5,
                    || <u32 as ::core::default::Default>::default(),
                )?,
                weight: <u8 as __d::Attribute>::get_or(&found, 6, || 7)?,
                shape: <Shape as __d::Serde>::get(&found, 7)?,
                price: found
                    .get_with_or(
                        8,
                        money::decode,
                        || <Money as ::core::default::Default>::default(),
                    )?,
                cache: ::core::default::Default::default(),
                rest: <BTreeMap<String, Value> as __d::Flatten>::read_all(&found, &[])?,
                made: <Timestamp as __d::Attribute>::get(&found, 9)?,
                changed: <Option<Timestamp> as __d::Attribute>::get(&found, 10)?,
            })
        }
        fn stamp_item(&mut self, stamp: &__d::Stamp) {
            <String as __d::Identifier>::stamp_id(&mut self.id, stamp);
            <Timestamp as __d::Moment>::stamp_created_at(&mut self.made, stamp);
            <Option<
                Timestamp,
            > as __d::Moment>::stamp_updated_at(&mut self.changed, stamp);
        }
        fn take_skipped(&mut self, from: &mut Self) {
            ::core::mem::swap(&mut self.cache, &mut from.cache);
        }
    }
};
