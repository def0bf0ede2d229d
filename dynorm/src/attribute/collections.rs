//! Collections: lists (`L`), maps (`M`) and sets (`SS`, `NS`, `BS`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::shape::{self, Shape};
use super::{Attribute, Flatten};
use crate::codec::{Encoder, Value, ValueError};

impl<T: Attribute + 'static> Attribute for Vec<T> {
    type Base = Self;
    type Shape = <T::Shape as Shape>::Many<T>;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        T::encode_slice(self, encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        T::decode_vec(value)
    }
}

impl<T: Attribute + 'static> Attribute for Box<[T]> {
    type Base = Self;
    type Shape = <T::Shape as Shape>::Many<T>;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        T::encode_slice(self, encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        T::decode_vec(value).map(Vec::into_boxed_slice)
    }
}

impl<T: Attribute + 'static, const N: usize> Attribute for [T; N] {
    type Base = Self;
    type Shape = <T::Shape as Shape>::Many<T>;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        T::encode_slice(self, encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        T::decode_vec(value)?
            .try_into()
            .map_err(|items: Vec<T>| ValueError::new(format!("expected {N} elements, found {}", items.len())))
    }
}

/// Implements [`Attribute`] for a set type.
macro_rules! set {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Attribute for $type {
            type Base = Self;
            type Shape = shape::Set<T>;

            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                encoder.set(self)
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                // Inserted one by one: `collect` would make a list first.
                let mut set = Self::default();
                for (index, item) in value.as_set()?.enumerate() {
                    set.insert(item.and_then(T::decode).map_err(|error| error.at_index(index))?);
                }
                Ok(set)
            }

            fn is_absent(&self) -> bool {
                self.is_empty()
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }
        }
    };
}

set!([T: Attribute<Shape: shape::Scalar> + Ord + 'static] BTreeSet<T>);
set!([T: Attribute<Shape: shape::Scalar> + Eq + Hash + 'static, S: BuildHasher + Default] HashSet<T, S>);

/// Implements [`Attribute`] and [`Flatten`] for a map type.
macro_rules! map {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Attribute for $type {
            type Base = Self;
            type Shape = shape::Map<V>;

            fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
                encoder.map(|map| self.iter().try_for_each(|(key, value)| map.entry(key, value)))
            }

            fn decode(value: Value<'_>) -> Result<Self, ValueError> {
                let mut map = Self::default();
                let mut entries = value.as_map()?;
                while let Some((key, value)) = entries.next_raw()? {
                    let located = |error: ValueError| error.at_key(key.readable());
                    let name = K::decode(Value::of_key(key)).map_err(located)?;
                    map.insert(name, V::decode(value).map_err(located)?);
                }
                Ok(map)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Flatten for $type {
            fn each_attribute(
                &self,
                visit: &mut dyn FnMut(
                    &str,
                    &mut dyn FnMut(&mut Encoder) -> Result<(), ValueError>,
                ) -> Result<(), ValueError>,
            ) -> Result<(), ValueError> {
                for (key, value) in self {
                    let name = super::flatten::key_text(key)?;
                    visit(&name, &mut |encoder| value.encode(encoder))?;
                }
                Ok(())
            }

            fn insert_attribute(&mut self, name: &str, value: Value<'_>) -> Result<(), ValueError> {
                let located = |error: ValueError| error.in_field(name.to_owned());
                let key = K::decode(Value::of_text(name)).map_err(located)?;
                let held = V::decode(value).map_err(located)?;
                super::flatten::check_type(value, &held).map_err(located)?;
                self.insert(key, held);
                Ok(())
            }
        }
    };
}

map!([K: Attribute<Shape: shape::TextLike> + Ord, V: Attribute + 'static] BTreeMap<K, V>);
map!([
    K: Attribute<Shape: shape::TextLike> + Eq + Hash,
    V: Attribute + 'static,
    S: BuildHasher + Default
] HashMap<K, V, S>);
