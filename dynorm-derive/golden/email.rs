#[allow(dead_code, missing_docs)]
const _: () = {
    use ::dynorm::__private as __d;
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __d::Attribute for Email {
        type Base = Self;
        type Shape = __d::Newtype<String>;
        fn encode(&self, encoder: &mut __d::Encoder) -> __d::Written {
            <String as __d::Attribute>::encode(&self.0, encoder)
        }
        fn decode(value: __d::Value<'_>) -> __d::Read<Self> {
            <String as __d::Attribute>::decode(value).map(Self)
        }
        fn is_absent(&self) -> bool {
            <String as __d::Attribute>::is_absent(&self.0)
        }
        fn absent() -> __d::Option<Self> {
            <String as __d::Attribute>::absent().map(Self)
        }
    }
};
