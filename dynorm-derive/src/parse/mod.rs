//! Reads a type and its attributes. An invalid attribute is reported and skipped, so that everything else is
//! still read.

mod attribute;
mod case;
mod entity;
mod field;
mod index;
mod projection;

pub(crate) use attribute::attribute;
pub(crate) use entity::entity;
pub(crate) use projection::projection;
