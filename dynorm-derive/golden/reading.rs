/// The operations on `Reading`.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
struct ReadingRepo;
#[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
const _: () = {
    use ::dynorm::__private as __d;
    impl Reading {
        const SENSOR: __d::Field<Self, String, __d::Key> = __d::field!(sensor);
        const TAKEN_AT: __d::Field<Self, Timestamp, __d::Key> = __d::field!(taken_at);
        const CELSIUS: __d::Field<Self, f64> = __d::field!(celsius);
    }
    #[automatically_derived]
    impl __d::Repository for ReadingRepo {
        type Entity = Reading;
    }
    #[automatically_derived]
    impl __d::Entity for Reading {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[
                __d::key("sensor", <__d::Own<String> as __d::KeyAttribute>::SCALAR),
                __d::key("taken_at", <__d::Own<Timestamp> as __d::KeyAttribute>::SCALAR),
                __d::field("celsius", <f64 as __d::Attribute>::SCALAR),
            ],
            partition: __d::at(0),
            sort: __d::Some(__d::at(1)),
            key_fields: &[0, 1],
            ..__d::entity("Reading", "readings")
        };
        type Key = (String, Timestamp);
        fn entity_key(&self) -> Self::Key {
            (
                <String as __d::Clone>::clone(&self.sensor),
                <Timestamp as __d::Clone>::clone(&self.taken_at),
            )
        }
        fn encode_item(&self, item: &mut __d::ItemWriter<'_>) -> __d::Written {
            <String as __d::Attribute>::put(&self.sensor, item, 0)?;
            <Timestamp as __d::Attribute>::put(&self.taken_at, item, 1)?;
            <f64 as __d::Attribute>::put(&self.celsius, item, 2)
        }
        fn decode_item(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<Self, 3>(item)?;
            __d::Ok(Self {
                sensor: <String as __d::Attribute>::get(&found, 0)?,
                taken_at: <Timestamp as __d::Attribute>::get(&found, 1)?,
                celsius: <f64 as __d::Attribute>::get(&found, 2)?,
            })
        }
    }
};
