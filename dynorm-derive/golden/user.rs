/// The operations on `User`.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
pub struct UserRepo;
#[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
const _: () = {
    use ::dynorm::__private as __d;
    impl User {
        pub const ID: __d::Field<Self, Id<User>, __d::Key> = __d::field!(id);
        pub const EMAIL: __d::Field<Self, String> = __d::field!(email);
        pub const FIRST_NAME: __d::Field<Self, String> = __d::field!(first_name);
        pub const LAST_NAME: __d::Field<Self, String> = __d::field!(last_name);
        pub const STATUS: __d::Field<Self, Status> = __d::field!(status);
        pub const AGE: __d::Field<Self, u32> = __d::field!(age);
        pub const TAGS: __d::Field<Self, BTreeSet<String>> = __d::field!(tags);
        pub const ADDRESS: __d::Field<Self, Option<Address>> = __d::field!(address);
        pub const CREATED_AT: __d::Field<Self, Timestamp> = __d::field!(created_at);
        pub const UPDATED_AT: __d::Field<Self, Timestamp> = __d::field!(updated_at);
    }
    impl UserRepo {
        /// Queries the index `by_email`.
        pub fn by_email(
            email: impl __d::IntoKey<__d::Base<String>>,
        ) -> __d::Query<User> {
            __d::Query::by_index(0, &[(1, &__d::IntoKey::into_key(email))])
        }
        /// Queries the index `by_status`.
        pub fn by_status(
            status: impl __d::IntoKey<__d::Base<Status>>,
        ) -> __d::Query<User> {
            __d::Query::by_index(1, &[(4, &__d::IntoKey::into_key(status))])
        }
    }
    #[automatically_derived]
    impl __d::Repository for UserRepo {
        type Entity = User;
    }
    #[automatically_derived]
    impl __d::Entity for User {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[
                __d::key("id", <__d::Own<Id<User>> as __d::KeyAttribute>::SCALAR),
                __d::keyed("email", <__d::Own<String> as __d::IndexKeyAttribute>::KEY),
                __d::field("first_name", <String as __d::Attribute>::SCALAR),
                __d::field("last_name", <String as __d::Attribute>::SCALAR),
                __d::keyed("status", <__d::Own<Status> as __d::IndexKeyAttribute>::KEY),
                __d::field("age", <u32 as __d::Attribute>::SCALAR),
                __d::field("tags", <BTreeSet<String> as __d::Attribute>::SCALAR),
                __d::field("address", <Option<Address> as __d::Attribute>::SCALAR),
                __d::field("created_at", <Timestamp as __d::Attribute>::SCALAR),
                __d::keyed(
                    "updated_at",
                    <__d::Own<Timestamp> as __d::IndexKeyAttribute>::KEY,
                ),
            ],
            partition: __d::at(0),
            key_fields: &[0],
            indexes: &[
                __d::index("by_email", &[__d::at(1)], &[]),
                __d::index("by_status", &[__d::at(4)], &[__d::at(9)]),
            ],
            ..__d::entity("User", "users").updated_at(9, <Timestamp as __d::Moment>::now)
        };
        type Key = Id<User>;
        fn entity_key(&self) -> Self::Key {
            <Id<User> as __d::Clone>::clone(&self.id)
        }
        fn encode_item(&self, item: &mut __d::ItemWriter<'_>) -> __d::Written {
            <Id<User> as __d::Attribute>::put(&self.id, item, 0)?;
            <String as __d::Attribute>::put(&self.email, item, 1)?;
            <String as __d::Attribute>::put(&self.first_name, item, 2)?;
            <String as __d::Attribute>::put(&self.last_name, item, 3)?;
            <Status as __d::Attribute>::put(&self.status, item, 4)?;
            <u32 as __d::Attribute>::put(&self.age, item, 5)?;
            <BTreeSet<String> as __d::Attribute>::put(&self.tags, item, 6)?;
            <Option<Address> as __d::Attribute>::put(&self.address, item, 7)?;
            <Timestamp as __d::Attribute>::put(&self.created_at, item, 8)?;
            <Timestamp as __d::Attribute>::put(&self.updated_at, item, 9)
        }
        fn decode_item(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<Self, 10>(item)?;
            __d::Ok(Self {
                id: <Id<User> as __d::Attribute>::get(&found, 0)?,
                email: <String as __d::Attribute>::get(&found, 1)?,
                first_name: <String as __d::Attribute>::get(&found, 2)?,
                last_name: <String as __d::Attribute>::get(&found, 3)?,
                status: <Status as __d::Attribute>::get(&found, 4)?,
                age: <u32 as __d::Attribute>::get(&found, 5)?,
                tags: <BTreeSet<String> as __d::Attribute>::get(&found, 6)?,
                address: <Option<Address> as __d::Attribute>::get(&found, 7)?,
                created_at: <Timestamp as __d::Attribute>::get(&found, 8)?,
                updated_at: <Timestamp as __d::Attribute>::get(&found, 9)?,
            })
        }
        fn stamp_item(&mut self, stamp: &__d::Stamp) {
            <Id<User> as __d::Identifier>::stamp_id(&mut self.id, stamp);
            <Timestamp as __d::Moment>::stamp_created_at(&mut self.created_at, stamp);
            <Timestamp as __d::Moment>::stamp_updated_at(&mut self.updated_at, stamp);
        }
    }
};
