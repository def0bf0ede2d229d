//! What the builder passes to the planner.

use std::borrow::Cow;

use crate::codec::ValueError;
use crate::entity::EntityInfo;
use crate::expression::Node;
use crate::rules::Visibility;

#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) info: &'static EntityInfo,
    pub(super) source: Source,
    pub(super) conditions: Vec<Node>,
    pub(super) order: Option<Order>,
    pub(super) using: Option<Cow<'static, str>>,
    pub(super) allow_scan: bool,
    pub(super) consistent: bool,
    pub(super) hydrate: bool,
    pub(super) visible: Visibility,
}

/// How the query was started.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Filter,
    /// With the function of an index, and the fields of its partition key.
    Index(usize, Vec<(usize, Result<Vec<u8>, ValueError>)>),
    Scan,
}

/// An attribute to sort by.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) attribute: &'static str,
    pub(super) descending: bool,
}

impl Spec {
    pub(super) fn new(info: &'static EntityInfo, source: Source) -> Self {
        Self {
            info,
            source,
            conditions: Vec::new(),
            order: None,
            using: None,
            allow_scan: false,
            consistent: false,
            hydrate: false,
            visible: Visibility::default(),
        }
    }
}
