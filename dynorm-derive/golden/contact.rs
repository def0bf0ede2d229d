const _: () = {
    use ::dynorm::__private as __d;
    #[automatically_derived]
    impl __d::Projection for Contact {
        type Entity = shop::User;
        fn places() -> __d::Places {
            __d::Places::default()
                .and(__d::part::<shop::User, String>(&<shop::User>::EMAIL))
                .and(
                    __d::part::<
                        shop::User,
                        Option<String>,
                    >(&User::ADDRESS.field(Address::CITY)),
                )
        }
        fn decode_projection(item: &__d::Item<'_>) -> __d::Read<Self> {
            __d::Ok(Self {
                email: __d::part::<shop::User, String>(&<shop::User>::EMAIL).read(item)?,
                city: __d::part::<
                    shop::User,
                    Option<String>,
                >(&User::ADDRESS.field(Address::CITY))
                    .read(item)?,
            })
        }
    }
};
