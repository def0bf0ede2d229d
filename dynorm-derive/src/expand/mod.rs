//! Writes the code: one file for each file of `parse`, and the shared ones.

mod attribute;
mod entity;
mod fields;
mod index;
mod keys;
mod projection;
mod repository;
mod rules;
mod stub;

pub(crate) use attribute::attribute;
pub(crate) use entity::entity;
pub(crate) use projection::projection;
pub(crate) use stub::entity as stub;
