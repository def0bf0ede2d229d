#[allow(dead_code, missing_docs)]
const _: () = {
    use ::dynorm::__private as __d;
    impl<T> Versioned<T>
    where
        T: Clone,
    {
        pub const VALUE: __d::Field<Versioned<T>, T> = __d::field!(value);
        pub const VERSION: __d::Field<Versioned<T>, u32> = __d::field!(version);
    }
    impl<T> Versioned<T>
    where
        T: Clone,
        T: __d::Attribute + 'static,
    {
        const __FIELDS: &'static [__d::FieldInfo] = &[
            __d::field("value", <T as __d::Attribute>::SCALAR),
            __d::field("version", <u32 as __d::Attribute>::SCALAR),
        ];
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<T> __d::Attribute for Versioned<T>
    where
        T: Clone,
        T: __d::Attribute + 'static,
    {
        type Base = Self;
        type Shape = __d::shape::Structure;
        fn encode(&self, encoder: &mut __d::Encoder) -> __d::Written {
            encoder
                .structure(
                    Self::__FIELDS,
                    |item| {
                        <T as __d::Attribute>::put(&self.value, item, 0)?;
                        <u32 as __d::Attribute>::put(&self.version, item, 1)
                    },
                )
        }
        fn decode(value: __d::Value<'_>) -> __d::Read<Self> {
            let found = __d::Fields::<2>::read(value, Self::__FIELDS)?;
            __d::Ok(Self {
                value: <T as __d::Attribute>::get(&found, 0)?,
                version: <u32 as __d::Attribute>::get(&found, 1)?,
            })
        }
    }
};
