#[allow(dead_code, missing_docs)]
const _: () = {
    use ::dynorm::__private as __d;
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __d::Attribute for Status {
        type Base = Self;
        type Shape = __d::shape::Choice;
        fn encode(&self, encoder: &mut __d::Encoder) -> __d::Written {
            encoder
                .string(
                    match self {
                        Self::Pending => "pending",
                        Self::Active => "active",
                        Self::Inactive => "off",
                    },
                )
        }
        fn decode(value: __d::Value<'_>) -> __d::Read<Self> {
            match &*value.as_str()? {
                "pending" => __d::Ok(Self::Pending),
                "active" => __d::Ok(Self::Active),
                "off" => __d::Ok(Self::Inactive),
                _ => {
                    __d::Err(
                        __d::ValueError::new(
                            "expected one of `pending`, `active` and `off`, found another text",
                        ),
                    )
                }
            }
        }
    }
};
