#[allow(dead_code, missing_docs)]
const _: () = {
    use ::dynorm::__private as __d;
    impl Address {
        pub const CITY: __d::Field<Address, String> = __d::field!(city);
        pub const ZIP: __d::Field<Address, String> = __d::field!(zip);
    }
    impl Address {
        const __FIELDS: &'static [__d::FieldInfo] = &[
            __d::field("city", <String as __d::Attribute>::SCALAR),
            __d::field("zip", <String as __d::Attribute>::SCALAR),
        ];
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __d::Attribute for Address {
        type Base = Self;
        type Shape = __d::shape::Structure;
        fn encode(&self, encoder: &mut __d::Encoder) -> __d::Written {
            encoder
                .structure(
                    Self::__FIELDS,
                    |item| {
                        <String as __d::Attribute>::put(&self.city, item, 0)?;
                        <String as __d::Attribute>::put(&self.zip, item, 1)
                    },
                )
        }
        fn decode(value: __d::Value<'_>) -> __d::Read<Self> {
            let found = __d::Fields::<2>::read(value, Self::__FIELDS)?;
            __d::Ok(Self {
                city: <String as __d::Attribute>::get(&found, 0)?,
                zip: <String as __d::Attribute>::get(&found, 1)?,
            })
        }
    }
};
