const _: () = {
    use ::dynorm::__private as __d;
    #[automatically_derived]
    impl __d::Projection for Contact {
        type Entity = shop::User;
        fn paths() -> __d::ProjectedPaths {
            __d::ProjectedPaths::default()
                .and(__d::projected_field::<shop::User, String>(&<shop::User>::EMAIL))
                .and(
                    __d::projected_field::<
                        shop::User,
                        Option<String>,
                    >(&User::ADDRESS.field(Address::CITY)),
                )
        }
        fn decode_projection(item: &__d::Item<'_>) -> __d::Read<Self> {
            __d::Ok(Self {
                email: __d::projected_field::<shop::User, String>(&<shop::User>::EMAIL)
                    .read(item)?,
                city: __d::projected_field::<
                    shop::User,
                    Option<String>,
                >(&User::ADDRESS.field(Address::CITY))
                    .read(item)?,
            })
        }
    }
};
