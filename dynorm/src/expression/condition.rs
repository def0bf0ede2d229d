use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use super::Expression;
use super::path::{DocumentPath, Path};
use super::update::Json;
use crate::attribute::Attribute;
use crate::codec::{Encoder, ValueError};
use crate::entity::EntityInfo;
use crate::field::{Field, TypedKind};

/// A condition on the attributes of an `E`, made by the operators of its fields and joined by `&`, `|` and `!`.
///
/// Not by `&&` and `||`, and not made by `==` and `<`: Rust keeps those for values at hand, whose result is a `bool`. A field of
/// truth values is compared as any other: `User::ACTIVE.eq(true)`.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug)]
/// # struct User { #[entity(id)] id: Id<User>, age: u32, name: String }
/// let adults_without_a_name = User::AGE.ge(18) & !User::NAME.exists();
/// ```
pub struct Condition<E> {
    pub(crate) node: Node,
    of: PhantomData<fn() -> E>,
}

/// The most values that `IN` takes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub(crate) const MAX_IN: usize = 100;

/// A condition without its type.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Compare { left: Term, operator: &'static str, right: Term },
    Between { term: Term, low: Term, high: Term },
    In { term: Term, values: Vec<Term> },
    Function { name: &'static str, arguments: Vec<Term> },
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

/// What an operator is applied to.
#[derive(Clone)]
pub(crate) enum Term {
    Path(DocumentPath),
    /// The length of a text or of bytes, or the number of elements.
    Size(DocumentPath),
    Value(Vec<u8>),
    /// A value that could not be encoded: the operation says so when it is awaited.
    Refused(ValueError),
}

impl fmt::Debug for Term {
    /// Values stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Size(path) => write!(f, "size({path:?})"),
            Self::Value(_) => f.write_str("…"),
            Self::Refused(_) => f.write_str("a value that cannot be written"),
        }
    }
}

impl<E> Condition<E> {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, of: PhantomData }
    }

    pub(crate) fn compare(left: Term, operator: &'static str, right: Term) -> Self {
        Self::new(Node::Compare { left, operator, right })
    }

    pub(crate) fn between(term: Term, low: Term, high: Term) -> Self {
        Self::new(Node::Between { term, low, high })
    }

    pub(crate) fn is_in(term: Term, values: Vec<Term>) -> Self {
        Self::new(Node::In { term, values })
    }

    pub(crate) fn function(name: &'static str, arguments: Vec<Term>) -> Self {
        Self::new(Node::Function { name, arguments })
    }
}

impl<E> Clone for Condition<E> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<E> fmt::Debug for Condition<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<E> BitAnd for Condition<E> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::new(Node::and(self.node, other.node))
    }
}

impl<E> BitOr for Condition<E> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::new(Node::or(self.node, other.node))
    }
}

impl<E> Not for Condition<E> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(Node::Not(Box::new(self.node)))
    }
}

/// What the rules of an entity ask of an item; what a caller asks is made by [`Condition`].
impl Node {
    pub(crate) fn exists(attribute: &'static str) -> Self {
        Self::Function { name: "attribute_exists", arguments: vec![Term::Path(DocumentPath::of(attribute))] }
    }

    pub(crate) fn absent(attribute: &'static str) -> Self {
        let arguments = vec![Term::Path(DocumentPath::of(attribute))];
        Self::Function { name: "attribute_not_exists", arguments }
    }

    pub(crate) fn compare(attribute: &'static str, operator: &'static str, json: Vec<u8>) -> Self {
        Self::Compare { left: Term::Path(DocumentPath::of(attribute)), operator, right: Term::Value(json) }
    }

    pub(crate) fn equals(attribute: &'static str, json: Vec<u8>) -> Self {
        Self::compare(attribute, "=", json)
    }

    /// What reads as absent: no such attribute, or one that holds NULL.
    pub(crate) fn absent_or_null(attribute: &'static str) -> Self {
        Self::absent(attribute).or(Self::equals(attribute, Json::NULL.to_vec()))
    }

    /// All of them; `None` if there are none.
    pub(crate) fn all(nodes: impl IntoIterator<Item = Self>) -> Option<Self> {
        nodes.into_iter().reduce(Self::and)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Or(mut nodes), other) => {
                nodes.push(other);
                Self::Or(nodes)
            }
            (node, other) => Self::Or(vec![node, other]),
        }
    }
}

impl Node {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut nodes), other) => {
                nodes.push(other);
                Self::And(nodes)
            }
            (node, other) => Self::And(vec![node, other]),
        }
    }

    /// Both, where there may be none yet.
    pub(crate) fn and_also(node: Option<Self>, other: Self) -> Self {
        match node {
            Some(node) => node.and(other),
            None => other,
        }
    }

    /// Refuses names that were learnt at run time and are none of the entity's.
    pub(crate) fn check_names(&self, info: &'static EntityInfo) -> Result<(), ValueError> {
        let mut unknown = None;
        self.each_path(&mut |path| {
            let is_known = info.fields.iter().any(|field| field.name == path.attribute);
            if path.is_by_name() && !is_known {
                unknown.get_or_insert_with(|| info.no_such_field(&path.attribute));
            }
        });
        unknown.map_or(Ok(()), Err)
    }

    /// True for a comparison of the attribute with values, of the kinds that DynamoDB takes for a sort key.
    pub(crate) fn bounds(&self, attribute: &str) -> bool {
        let is_key = |term: &Term| matches!(term, Term::Path(path) if path.is_attribute(attribute));
        let is_value = |term: &Term| matches!(term, Term::Value(_) | Term::Refused(_));
        match self {
            Self::Compare { left, operator, right } => *operator != "<>" && is_key(left) && is_value(right),
            Self::Between { term, low, high } => is_key(term) && is_value(low) && is_value(high),
            Self::Function { name: "begins_with", arguments } => {
                matches!(arguments.as_slice(), [key, prefix] if is_key(key) && is_value(prefix))
            }
            _ => false,
        }
    }

    /// True if the condition holds only for items that have the attribute.
    pub(crate) fn needs(&self, attribute: &str) -> bool {
        let is_it =
            |term: &Term| matches!(term, Term::Path(path) | Term::Size(path) if path.attribute == attribute);
        match self {
            // All is different from what is not there.
            Self::Compare { operator: "<>", .. } | Self::Not(_) => false,
            Self::Compare { left, right, .. } => is_it(left) || is_it(right),
            Self::Between { term, low, high } => [term, low, high].into_iter().any(is_it),
            Self::In { term, .. } => is_it(term),
            Self::Function { name, arguments } => {
                *name != "attribute_not_exists" && arguments.iter().any(is_it)
            }
            Self::And(nodes) => nodes.iter().any(|node| node.needs(attribute)),
            Self::Or(nodes) => !nodes.is_empty() && nodes.iter().all(|node| node.needs(attribute)),
        }
    }

    /// True if the attribute stands anywhere in the condition.
    pub(crate) fn mentions(&self, attribute: &str) -> bool {
        let is_key =
            |term: &Term| matches!(term, Term::Path(path) | Term::Size(path) if path.attribute == attribute);
        match self {
            Self::Compare { left, right, .. } => is_key(left) || is_key(right),
            Self::Between { term, low, high } => [term, low, high].into_iter().any(is_key),
            Self::In { term, values } => is_key(term) || values.iter().any(is_key),
            Self::Function { arguments, .. } => arguments.iter().any(is_key),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(|node| node.mentions(attribute)),
            Self::Not(node) => node.mentions(attribute),
        }
    }

    /// Calls `visit` with every path in it.
    pub(crate) fn each_path(&self, visit: &mut dyn FnMut(&DocumentPath)) {
        let mut term = |term: &Term| {
            if let Term::Path(path) | Term::Size(path) = term {
                visit(path);
            }
        };
        match self {
            Self::Compare { left, right, .. } => [left, right].into_iter().for_each(term),
            Self::Between { term: of, low, high } => [of, low, high].into_iter().for_each(term),
            Self::In { term: of, values } => {
                term(of);
                values.iter().for_each(term);
            }
            Self::Function { arguments, .. } => arguments.iter().for_each(term),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|node| node.each_path(visit)),
            Self::Not(node) => node.each_path(visit),
        }
    }

    /// How many operators DynamoDB counts in it: comparisons, functions and the words between them.
    pub(crate) fn operators(&self) -> usize {
        match self {
            Self::Compare { left, right, .. } => 1 + left.operators() + right.operators(),
            Self::Between { term, .. } | Self::In { term, .. } => 1 + term.operators(),
            Self::Function { .. } => 1,
            Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().map(Self::operators).sum::<usize>() + nodes.len().saturating_sub(1)
            }
            Self::Not(node) => 1 + node.operators(),
        }
    }

    /// The text of the condition, its names and values added to the expression.
    pub(crate) fn render(&self, expression: &mut Expression) -> Result<String, ValueError> {
        Ok(match self {
            Self::Compare { left, operator, right } => {
                format!("{} {operator} {}", left.render(expression)?, right.render(expression)?)
            }
            Self::Between { term, low, high } => format!(
                "{} BETWEEN {} AND {}",
                term.render(expression)?,
                low.render(expression)?,
                high.render(expression)?
            ),
            Self::In { term, values } => {
                if values.is_empty() {
                    return Err(ValueError::new("`is_in` was given no values, so nothing can match"));
                }
                if values.len() > MAX_IN {
                    return Err(ValueError::new(format!(
                        "`is_in` was given {} values, and DynamoDB takes {MAX_IN}",
                        values.len()
                    )));
                }
                format!("{} IN ({})", term.render(expression)?, list(values, expression)?)
            }
            Self::Function { name, arguments } => format!("{name}({})", list(arguments, expression)?),
            Self::And(_) => self.join(" AND ", Self::conjuncts, expression)?,
            Self::Or(_) => self.join(" OR ", Self::disjuncts, expression)?,
            Self::Not(node) => format!("NOT ({})", node.render(expression)?),
        })
    }
}

/// Groups. DynamoDB refuses parentheses that are there twice: so each member of a group has its own, and a group of one, or within
/// one of its kind, has none.
impl Node {
    fn conjuncts(&self) -> Option<&[Self]> {
        if let Self::And(nodes) = self { Some(nodes) } else { None }
    }

    fn disjuncts(&self) -> Option<&[Self]> {
        if let Self::Or(nodes) = self { Some(nodes) } else { None }
    }

    /// Itself, or the only member of the group that it is.
    fn sole(&self) -> &Self {
        match self {
            Self::And(nodes) | Self::Or(nodes) => match nodes.as_slice() {
                [only] => only.sole(),
                _ => self,
            },
            _ => self,
        }
    }

    fn join(
        &self,
        word: &str,
        members: fn(&Self) -> Option<&[Self]>,
        expression: &mut Expression,
    ) -> Result<String, ValueError> {
        fn flatten<'n>(node: &'n Node, members: fn(&Node) -> Option<&[Node]>, into: &mut Vec<&'n Node>) {
            let node = node.sole();
            match members(node) {
                Some(nodes) => nodes.iter().for_each(|node| flatten(node, members, into)),
                None => into.push(node),
            }
        }
        let mut nodes = Vec::new();
        flatten(self, members, &mut nodes);
        match nodes.as_slice() {
            [] => Err(ValueError::new("a group of conditions has none in it")),
            [only] => only.render(expression),
            nodes => {
                let nodes = nodes.iter().map(|node| Ok(format!("({})", node.render(expression)?)));
                Ok(nodes.collect::<Result<Vec<_>, ValueError>>()?.join(word))
            }
        }
    }
}

fn list(terms: &[Term], expression: &mut Expression) -> Result<String, ValueError> {
    let terms: Vec<String> = terms.iter().map(|term| term.render(expression)).collect::<Result<_, _>>()?;
    Ok(terms.join(", "))
}

impl Term {
    /// A value of a caller.
    pub(crate) fn encode<T: Attribute>(value: &T) -> Self {
        if value.is_absent() {
            return Self::Refused(ValueError::new(
                "this value is stored by leaving the attribute out, so nothing is equal to it: use `not_exists()`",
            ));
        }
        let mut encoder = Encoder::default();
        match value.encode(&mut encoder) {
            Ok(()) => Self::Value(encoder.into_bytes()),
            Err(error) => Self::Refused(error),
        }
    }

    fn operators(&self) -> usize {
        usize::from(matches!(self, Self::Size(_)))
    }

    fn render(&self, expression: &mut Expression) -> Result<String, ValueError> {
        match self {
            Self::Path(path) => Ok(path.render(expression)),
            Self::Size(path) => Ok(format!("size({})", path.render(expression))),
            Self::Value(json) => Ok(expression.encoded_value(json.clone())),
            Self::Refused(error) => Err(error.clone()),
        }
    }
}

/// What a field of the type `T` of an `E` can be compared with: a `T` by value or by reference, `&str` for text, `&[u8]` for
/// bytes, or another field of `E` of that type, or a place in one.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be compared with `{Self}`",
    label = "expected `{T}`",
    note = "the value is given by value or by reference, text also as `&str`, or as another field of the entity",
    note = "an `Option` field is compared with what it holds; for absence use `.not_exists()`"
)]
pub trait Operand<T, E> {
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term;
}

// One by one and not by a macro, whose source the compiler would show beside the message.

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for T {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for &T {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Attribute, E> Operand<T, E> for &&T {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(*self)
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<String, E> for &str {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(&self.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<String, E> for &&str {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(&(*self).to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl<E> Operand<Vec<u8>, E> for &[u8] {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(&self.to_vec())
    }
}

#[diagnostic::do_not_recommend]
impl<E, const N: usize> Operand<Vec<u8>, E> for &[u8; N] {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::encode(&self.to_vec())
    }
}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute, F: Attribute<Base = T>, K: TypedKind> Operand<T, E> for Field<E, F, K> {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::Path(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl<E, T: Attribute, F: Attribute<Base = T>, K: TypedKind> Operand<T, E> for Path<E, F, K> {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_term(self) -> Term {
        Term::Path(self.untyped())
    }
}

/// What a field of the type `T` of an `E` can be one of: an array, a `Vec` or anything else that iterates, of [operands](Operand).
#[diagnostic::on_unimplemented(
    message = "`is_in` takes a list of `{T}`, and this is `{Self}`",
    label = "expected an array, a `Vec` or an iterator of `{T}`",
    note = "for one value use `.eq(value)`",
    note = "the values are given by value or by reference, text also as `&str`, or as other fields of the entity"
)]
pub trait OperandList<T, E> {
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_terms(self) -> Vec<Term>;
}

#[diagnostic::do_not_recommend]
impl<T, E, I: IntoIterator<Item: Operand<T, E>>> OperandList<T, E> for I {
    #[allow(private_interfaces, reason = "called by the operators alone")]
    fn into_terms(self) -> Vec<Term> {
        self.into_iter().map(Operand::into_term).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, DocumentPath, Node, Term};
    use crate::expression::Expression;

    fn exists(name: &'static str) -> Condition<()> {
        Condition::new(Node::Function {
            name: "attribute_exists",
            arguments: vec![Term::Path(DocumentPath::of(name))],
        })
    }

    #[test]
    fn every_name_is_a_placeholder_and_the_nesting_is_kept() {
        let condition = (exists("a.b") | exists("size") | !exists("a.b")) & exists("c-d");
        let mut expression = Expression::default();
        assert_eq!(
            condition.node.render(&mut expression).unwrap(),
            "((attribute_exists(#0)) OR (attribute_exists(#1)) OR (NOT (attribute_exists(#0)))) AND (attribute_exists(#2))"
        );
        assert_eq!(expression.names, ["a.b", "size", "c-d"]);
    }
}
