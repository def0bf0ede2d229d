#[allow(dead_code, missing_docs)]
const _: () = {
    use ::dynorm::__private as __d;
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __d::Attribute for Payment {
        type Base = Self;
        type Shape = __d::shape::Any;
        fn encode(&self, encoder: &mut __d::Encoder) -> __d::Written {
            match self {
                Self::Cash => encoder.variant("kind", "cash", &[], |_| __d::Ok(())),
                Self::Card(content) => {
                    encoder
                        .variant(
                            "kind",
                            "card",
                            const {
                                &[
                                    __d::field("value", <CardNumber as __d::Attribute>::SCALAR),
                                ]
                            },
                            |item| {
                                <CardNumber as __d::Attribute>::put(content, item, 0)
                            },
                        )
                }
                Self::Transfer { iban, reference, .. } => {
                    encoder
                        .variant(
                            "kind",
                            "transfer",
                            const {
                                &[
                                    __d::field("iban", <String as __d::Attribute>::SCALAR),
                                    __d::field("reference", <String as __d::Attribute>::SCALAR)
                                        .defaulted(),
                                ]
                            },
                            |item| {
                                <String as __d::Attribute>::put(iban, item, 0)?;
                                <String as __d::Attribute>::put(reference, item, 1)
                            },
                        )
                }
            }
        }
        fn decode(value: __d::Value<'_>) -> __d::Read<Self> {
            match &*value.tag("kind")? {
                "cash" => __d::Ok(Self::Cash),
                "card" => {
                    __d::Ok(
                        Self::Card(
                            <CardNumber as __d::Attribute>::get(
                                &__d::Fields::<
                                    1,
                                >::read(
                                    value,
                                    const {
                                        &[
                                            __d::field("value", <CardNumber as __d::Attribute>::SCALAR),
                                        ]
                                    },
                                )?,
                                0,
                            )?,
                        ),
                    )
                }
                "transfer" => {
                    let found = __d::Fields::<
                        2,
                    >::read(
                        value,
                        const {
                            &[
                                __d::field("iban", <String as __d::Attribute>::SCALAR),
                                __d::field("reference", <String as __d::Attribute>::SCALAR)
                                    .defaulted(),
                            ]
                        },
                    )?;
                    __d::Ok(Self::Transfer {
                        iban: <String as __d::Attribute>::get(&found, 0)?,
                        reference: <String as __d::Attribute>::get_or(
                            &found,
                            1,
                            || <String as ::core::default::Default>::default(),
                        )?,
                    })
                }
                _ => {
                    __d::Err(
                        __d::ValueError::new(
                                "expected one of `cash`, `card` and `transfer`, found another text",
                            )
                            .in_field("kind"),
                    )
                }
            }
        }
    }
};
