//! The stored state before a write: the item under the key, as dynorm or another program may have left it,
//! another item, and the claims on unique values.

use std::collections::BTreeMap;
use std::fmt;

use dynorm::aws::types::AttributeValue;
use dynorm::prelude::*;

use super::subject::{FORMER, Fields, Rules, Subject};

/// An item as it is stored.
pub(super) type Item = BTreeMap<String, AttributeValue>;

/// The version of the entity that was read.
pub(super) const READ: u64 = 3;
pub(super) const STORED: &str = "stored";
const EARLIER: &str = "2024-02-29T12:34:56.000000Z";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Is(u64),
    /// The maximum of its type.
    Last,
    Null,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    None,
    Null,
    SoftDeleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    None,
    Null,
    Past,
    Future,
}

/// The type in an item with a key template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Own,
    /// The one that it had before.
    Former,
    Other,
    None,
}

/// The owner of the claim on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Itself,
    Nobody,
    Another,
    /// Another item, which has expired.
    Expired,
    /// Another item, which is soft-deleted.
    SoftDeleted,
}

/// The unique values of the item and of the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    /// They are equal, and this is the owner.
    Same(Holder),
    /// They differ, and these are the owners of the item's and of the entity's.
    Differ(Holder, Holder),
}

/// The item under the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) stored: bool,
    pub(super) version: Version,
    pub(super) deletion: Deletion,
    pub(super) expiry: Expiry,
    pub(super) of_type: Type,
    pub(super) codes: Codes,
}

impl State {
    pub(super) const USUAL: Self = Self {
        stored: true,
        version: Version::Is(READ),
        deletion: Deletion::None,
        expiry: Expiry::None,
        of_type: Type::Own,
        codes: Codes::Same(Holder::Itself),
    };

    /// The differences from the default state.
    fn deviations(self) -> Vec<String> {
        let mut found = Vec::new();
        if !self.stored {
            found.push("absent".to_owned());
        }
        let mut push = |differs: bool, what: String| {
            if differs {
                found.push(what);
            }
        };
        push(self.version != Self::USUAL.version, format!("version {:?}", self.version));
        push(self.deletion != Self::USUAL.deletion, format!("deletion {:?}", self.deletion));
        push(self.expiry != Self::USUAL.expiry, format!("expiry {:?}", self.expiry));
        push(self.of_type != Self::USUAL.of_type, format!("type {:?}", self.of_type));
        push(self.codes != Self::USUAL.codes, format!("codes {:?}", self.codes));
        found
    }

    /// All useful states for these rules: those with one difference from the default, and those with two.
    pub(super) fn all(rules: Rules) -> (Vec<Self>, Vec<Self>) {
        let changes = changes(rules);
        let usual = Self::USUAL;
        let mut one = vec![usual];
        let mut two = Vec::new();
        for (position, group) in changes.iter().enumerate() {
            for change in group {
                let changed = change(usual);
                one.push(changed);
                for other in changes.iter().skip(position + 1).flatten() {
                    two.push(other(changed));
                }
            }
        }
        one.extend(absent(rules));
        (one, two)
    }
}

type Change = Box<dyn Fn(State) -> State>;

/// The possible differences of an item, by kind.
fn changes(rules: Rules) -> Vec<Vec<Change>> {
    use Holder::{Another, Expired, Itself, Nobody, SoftDeleted};
    fn group<T: Copy + 'static>(values: &[T], set: fn(&mut State, T)) -> Vec<Change> {
        let change = |value: &T| {
            let value = *value;
            Box::new(move |mut state: State| {
                set(&mut state, value);
                state
            }) as Change
        };
        values.iter().map(change).collect()
    }
    let mut groups = Vec::new();
    if rules.version {
        let others = [Version::None, Version::Null, Version::Is(0), Version::Is(1), Version::Is(7)];
        groups.push(group(&others, |state, version| state.version = version));
    }
    if rules.soft_delete {
        let others = [Deletion::SoftDeleted, Deletion::Null];
        groups.push(group(&others, |state, deletion| state.deletion = deletion));
    }
    if rules.expiry {
        let others = [Expiry::Past, Expiry::Future, Expiry::Null];
        groups.push(group(&others, |state, expiry| state.expiry = expiry));
    }
    if rules.typed() {
        let mut others = vec![Type::Other, Type::None];
        others.extend(rules.renamed().then_some(Type::Former));
        groups.push(group(&others, |state, of_type| state.of_type = of_type));
    }
    if rules.unique {
        let mut others = vec![
            Codes::Same(Nobody),
            Codes::Same(Another),
            Codes::Differ(Itself, Nobody),
            Codes::Differ(Itself, Itself),
            Codes::Differ(Itself, Another),
            Codes::Differ(Nobody, Nobody),
            Codes::Differ(Another, Nobody),
        ];
        others.extend(rules.expiry.then_some(Codes::Differ(Itself, Expired)));
        others.extend(rules.soft_delete.then_some(Codes::Differ(Itself, SoftDeleted)));
        groups.push(group(&others, |state, codes| state.codes = codes));
    }
    groups
}

/// The states without an item, by the owner of the unique value.
fn absent(rules: Rules) -> Vec<State> {
    let absent = State { stored: false, codes: Codes::Same(Holder::Nobody), ..State::USUAL };
    let mut all = vec![absent];
    if rules.unique {
        let mut holders = vec![Holder::Itself, Holder::Another];
        holders.extend(rules.expiry.then_some(Holder::Expired));
        holders.extend(rules.soft_delete.then_some(Holder::SoftDeleted));
        all.extend(holders.into_iter().map(|holder| State { codes: Codes::Same(holder), ..absent }));
    }
    all
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deviations = self.deviations();
        if deviations.is_empty() {
            return f.write_str("as it was read");
        }
        f.write_str(&deviations.join(", "))
    }
}

/// The entity that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It was read, with version 3.
    Read,
    /// It is new and was never saved.
    Fresh,
    /// It was read, with version 0.
    ReadZero,
    /// It was read, and gets an expiry.
    Expiring,
    /// It was read with the maximum version.
    Last,
}

impl Held {
    pub(super) fn all(rules: Rules) -> Vec<Self> {
        let mut all = vec![Self::Read];
        all.extend((rules.version || rules.times).then_some(Self::Fresh));
        all.extend((rules.version && rules.times).then_some(Self::ReadZero));
        all.extend(rules.expiry.then_some(Self::Expiring));
        all
    }

    pub(super) fn version<E: Subject>(self) -> u64 {
        match self {
            Self::Fresh | Self::ReadZero => 0,
            Self::Read | Self::Expiring => READ,
            Self::Last => E::LAST_VERSION,
        }
    }
}

/// The claim of an item on a unique value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    /// The key of the item.
    pub(super) owner: Item,
    pub(super) ends: Option<AttributeValue>,
}

/// The stored state, as far as a write can change it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct World {
    /// The item under the key.
    pub(super) item: Option<Item>,
    /// Another item.
    pub(super) other: Option<Item>,
    /// The claims, by the value.
    pub(super) claims: BTreeMap<String, Claim>,
}

/// A state for one number, which is part of its keys and values, so that many states fit into one table.
#[derive(Clone)]
pub(super) struct Scene<E> {
    pub(super) number: usize,
    /// The entity that is to be written.
    pub(super) entity: E,
    /// The entity as it was read, for a tracked save.
    pub(super) original: E,
    pub(super) before: World,
}

impl<E: Subject> Scene<E> {
    pub(super) fn new(number: usize, state: State, held: Held) -> Self {
        let number = number * 2;
        let rules = E::RULES;
        let (same, of_item, of_entity) = match state.codes {
            Codes::Same(holder) => (true, holder, holder),
            Codes::Differ(of_item, of_entity) => (false, of_item, of_entity),
        };
        let wanted = code(number);
        let stored_code = if same { wanted.clone() } else { code(number + 1) };
        let fields = Fields {
            text: "written".into(),
            code: wanted.clone(),
            version: held.version::<E>(),
            created_at: if held == Held::Fresh { Timestamp::default() } else { EARLIER.parse().unwrap() },
            expires_at: (held == Held::Expiring).then(|| in_seconds(7200)),
        };
        let original = Fields { text: STORED.into(), code: stored_code.clone(), ..fields.clone() };
        let (entity, original) = (E::with(number, &fields), E::with(number, &original));

        let item = state.stored.then(|| stored_item::<E>(number, state, &stored_code));
        let mut before = World { item, ..World::default() };
        if rules.unique {
            for (value, holder) in [(&stored_code, of_item), (&wanted, of_entity)] {
                let taken = before.claim_for::<E>(number, value, holder);
                before.claims.extend(taken.map(|claim| (value.clone(), claim)));
            }
        }
        Self { number, entity, original, before }
    }

    /// The values that may be claimed.
    pub(super) fn codes(&self) -> [String; 2] {
        [code(self.number), code(self.number + 1)]
    }
}

impl World {
    /// The claim of this owner, and the item that owns it if it is another one.
    fn claim_for<E: Subject>(&mut self, number: usize, value: &str, holder: Holder) -> Option<Claim> {
        let usual = State::USUAL;
        let other = match holder {
            Holder::Nobody => return None,
            Holder::Itself => {
                let item = self.item.clone().unwrap_or_else(|| stored_item::<E>(number, usual, value));
                return Some(claim::<E>(&item));
            }
            Holder::Another => usual,
            Holder::Expired => State { expiry: Expiry::Past, ..usual },
            Holder::SoftDeleted => State { deletion: Deletion::SoftDeleted, ..usual },
        };
        let other = stored_item::<E>(number + 1, other, value);
        let claim = claim::<E>(&other);
        self.other = Some(other);
        Some(claim)
    }
}

fn code(number: usize) -> String {
    format!("v{number}")
}

pub(super) fn key_of<E: Subject>(item: &Item) -> Item {
    E::KEY.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect()
}

/// The claim that an item should have on its unique value. It expires with the item.
pub(super) fn claim<E: Subject>(item: &Item) -> Claim {
    let ends = item.get(EXPIRES_AT).filter(|ends| ends.is_n()).cloned();
    Claim { owner: key_of::<E>(item), ends }
}

pub(super) const EXPIRES_AT: &str = "expires_at";
pub(super) const VERSION: &str = "version";
pub(super) const DELETED_AT: &str = "deleted_at";
pub(super) const ENTITY_TYPE: &str = "entity_type";
/// An attribute without a field.
pub(super) const EXTRA: &str = "extra";

pub(super) fn in_seconds(seconds: i64) -> Timestamp {
    let now = Timestamp::now().unix_micros() / 1_000_000 + seconds;
    Timestamp::from_unix_micros(now * 1_000_000).unwrap()
}

fn stored_item<E: Subject>(number: usize, state: State, code: &str) -> Item {
    let fields = Fields {
        text: STORED.into(),
        code: code.into(),
        version: READ,
        created_at: EARLIER.parse().unwrap(),
        expires_at: None,
    };
    let mut item: Item = dynorm::to_item(&E::with(number, &fields)).unwrap().into_iter().collect();
    let null = || Some(AttributeValue::Null(true));
    let number = |number: i64| Some(AttributeValue::N(number.to_string()));
    let mut put = |name: &str, value: Option<AttributeValue>| match value {
        Some(value) => drop(item.insert(name.to_owned(), value)),
        None => drop(item.remove(name)),
    };
    put(EXTRA, Some(AttributeValue::S("of others".into())));
    if E::RULES.version {
        put(
            VERSION,
            match state.version {
                Version::Is(version) => Some(AttributeValue::N(version.to_string())),
                Version::Last => Some(AttributeValue::N(E::LAST_VERSION.to_string())),
                Version::Null => null(),
                Version::None => None,
            },
        );
    }
    if E::RULES.soft_delete {
        put(
            DELETED_AT,
            match state.deletion {
                Deletion::None => None,
                Deletion::Null => null(),
                Deletion::SoftDeleted => Some(AttributeValue::S(EARLIER.into())),
            },
        );
    }
    if E::RULES.expiry {
        put(
            EXPIRES_AT,
            match state.expiry {
                Expiry::None => None,
                Expiry::Null => null(),
                Expiry::Past => number(in_seconds(-3600).unix_micros() / 1_000_000),
                Expiry::Future => number(in_seconds(3600).unix_micros() / 1_000_000),
            },
        );
    }
    match state.of_type {
        Type::Own => {}
        Type::Former => put(ENTITY_TYPE, Some(AttributeValue::S(FORMER.into()))),
        Type::Other => put(ENTITY_TYPE, Some(AttributeValue::S("Neighbour".into()))),
        Type::None => put(ENTITY_TYPE, None),
    }
    item
}
