/// The operations on `Order`.
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
pub struct OrderRepo;
#[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
const _: () = {
    use ::dynorm::__private as __d;
    impl Order {
        pub const CUSTOMER_ID: __d::Field<Self, Id<Customer>, __d::Key> = __d::field!(
            customer_id
        );
        pub const ID: __d::Field<Self, Id<Order>, __d::Key> = __d::field!(id);
        pub const STATUS: __d::Field<Self, OrderStatus> = __d::field!(status);
        pub const PLACED_AT: __d::Field<Self, Timestamp> = __d::field!(placed_at);
    }
    impl OrderRepo {
        /// Queries the index `gsi1`.
        pub fn gsi1(
            status: impl __d::IntoKey<__d::Base<OrderStatus>>,
        ) -> __d::Query<Order> {
            __d::Query::by_index(0, &[(2, &__d::IntoKey::into_key(status))])
        }
    }
    #[automatically_derived]
    impl __d::Repository for OrderRepo {
        type Entity = Order;
    }
    #[automatically_derived]
    impl __d::Entity for Order {
        const INFO: &'static __d::EntityInfo = &__d::EntityInfo {
            fields: &[
                __d::field("customer_id", <Id<Customer> as __d::Attribute>::SCALAR)
                    .part(<__d::Own<Id<Customer>> as __d::KeyPart>::FIXED),
                __d::field("id", <Id<Order> as __d::Attribute>::SCALAR)
                    .part(<__d::Own<Id<Order>> as __d::KeyPart>::FIXED),
                __d::field("status", <OrderStatus as __d::Attribute>::SCALAR)
                    .index_part(<__d::Own<OrderStatus> as __d::IndexKeyPart>::PART),
                __d::field("placed_at", <Timestamp as __d::Attribute>::SCALAR)
                    .index_part(<__d::Own<Timestamp> as __d::IndexKeyPart>::PART),
            ],
            partition: __d::template(
                "pk",
                &[__d::Segment::Text("CUSTOMER#"), __d::Segment::Field(0, 0)],
            ),
            sort: __d::Some(
                __d::template(
                    "sk",
                    &[__d::Segment::Text("ORDER#"), __d::Segment::Field(1, 0)],
                ),
            ),
            key_fields: &[0, 1],
            indexes: &[
                __d::index(
                    "gsi1",
                    &[
                        __d::template(
                            "gsi1pk",
                            &[__d::Segment::Text("STATUS#"), __d::Segment::Field(2, 0)],
                        ),
                    ],
                    &[__d::template("gsi1sk", &[__d::Segment::Field(3, 0)])],
                ),
            ],
            type_attribute: __d::Some("entity_type"),
            ..__d::entity("Order", "shop")
        };
        type Key = (Id<Customer>, Id<Order>);
        fn entity_key(&self) -> Self::Key {
            (
                <Id<Customer> as __d::Clone>::clone(&self.customer_id),
                <Id<Order> as __d::Clone>::clone(&self.id),
            )
        }
        fn encode_item(&self, item: &mut __d::ItemWriter<'_>) -> __d::Written {
            <Id<Customer> as __d::Attribute>::put(&self.customer_id, item, 0)?;
            <Id<Order> as __d::Attribute>::put(&self.id, item, 1)?;
            <OrderStatus as __d::Attribute>::put(&self.status, item, 2)?;
            <Timestamp as __d::Attribute>::put(&self.placed_at, item, 3)
        }
        fn decode_item(item: &__d::Item<'_>) -> __d::Read<Self> {
            let found = __d::found::<Self, 4>(item)?;
            __d::Ok(Self {
                customer_id: <Id<Customer> as __d::Attribute>::get(&found, 0)?,
                id: <Id<Order> as __d::Attribute>::get(&found, 1)?,
                status: <OrderStatus as __d::Attribute>::get(&found, 2)?,
                placed_at: <Timestamp as __d::Attribute>::get(&found, 3)?,
            })
        }
        fn key_part(&self, field: usize) -> __d::Option<&dyn __d::Part> {
            match field {
                0 => <Id<Customer> as __d::Attribute>::key_part(&self.customer_id),
                1 => <Id<Order> as __d::Attribute>::key_part(&self.id),
                2 => <OrderStatus as __d::Attribute>::key_part(&self.status),
                3 => <Timestamp as __d::Attribute>::key_part(&self.placed_at),
                _ => __d::None,
            }
        }
        fn stamp_item(&mut self, stamp: &__d::Stamp) {
            <Id<Order> as __d::Identifier>::stamp_id(&mut self.id, stamp);
        }
    }
};
