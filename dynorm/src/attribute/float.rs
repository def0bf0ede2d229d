//! Floating-point numbers, type `N`.

use super::{Attribute, shape};
use crate::codec::{Encoder, Value, ValueError, out_of_range};

macro_rules! floats {
    ($($type:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Attribute for $type {
            type Base = Self;
            type Shape = shape::Number;

            /// Writes the shortest text that reads as the same number. DynamoDB has only one zero, so `-0.0`
            /// is stored as 0.
            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                if !self.is_finite() {
                    return Err(ValueError::new(format!("{self} is not a number that DynamoDB holds")));
                }
                if *self == 0.0 {
                    return encoder.unchecked_number(b"0");
                }
                let magnitude = f64::from(self.abs());
                if !(1e-130..1e126).contains(&magnitude) {
                    return Err(out_of_range(&format!("{self:e}")));
                }
                let mut buffer = zmij::Buffer::new();
                let text = buffer.format_finite(*self);
                encoder.unchecked_number(text.strip_suffix(".0").unwrap_or(text).as_bytes())
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                value
                    .as_number()?
                    .parse()
                    .ok()
                    .filter(|number: &Self| number.is_finite())
                    .ok_or_else(|| ValueError::new(concat!("the number does not fit ", stringify!($type))))
            }
        }
    )*};
}

floats!(f32, f64);
