//! All words of the derive macros: the names of attributes, where each is allowed, and which names are taken.
//!
//! To add a word, add a constant and list it here, and also change: its reader in `parse/`, the list in the
//! docs of its macro in `lib.rs`, and a case in `dynorm-tests/tests/ui`. A test fails if the lists, the
//! readers and the docs differ.

/// The attributes of the three macros.
pub(crate) const ENTITY: &str = "entity";
pub(crate) const ATTRIBUTE: &str = "attribute";
pub(crate) const PROJECTION: &str = "projection";

pub(crate) const ALSO: &str = "also";
pub(crate) const CRATE: &str = "crate";
pub(crate) const CREATED_AT: &str = "created_at";
pub(crate) const DEFAULT: &str = "default";
pub(crate) const DELETED_AT: &str = "deleted_at";
pub(crate) const ESCAPE: &str = "escape";
pub(crate) const FLATTEN: &str = "flatten";
pub(crate) const FROM: &str = "from";
pub(crate) const HOOKS: &str = "hooks";
pub(crate) const ID: &str = "id";
pub(crate) const INCLUDE: &str = "include";
pub(crate) const INDEX: &str = "index";
pub(crate) const KEYS_ONLY: &str = "keys_only";
pub(crate) const LSI: &str = "lsi";
pub(crate) const OF: &str = "of";
pub(crate) const PARTITION: &str = "partition";
pub(crate) const PARTITION_ATTRIBUTE: &str = "partition_attribute";
pub(crate) const RENAME: &str = "rename";
pub(crate) const RENAME_ALL: &str = "rename_all";
pub(crate) const REPO: &str = "repo";
pub(crate) const SENSITIVE: &str = "sensitive";
pub(crate) const SERDE: &str = "serde";
pub(crate) const SKIP: &str = "skip";
pub(crate) const SORT: &str = "sort";
pub(crate) const SORT_ATTRIBUTE: &str = "sort_attribute";
pub(crate) const TABLE: &str = "table";
pub(crate) const TAG: &str = "tag";
pub(crate) const TTL: &str = "ttl";
pub(crate) const TYPE_ATTRIBUTE: &str = "type_attribute";
pub(crate) const TYPE_NAME: &str = "type_name";
pub(crate) const UNIQUE: &str = "unique";
pub(crate) const UNTYPED: &str = "untyped";
pub(crate) const UPDATED_AT: &str = "updated_at";
pub(crate) const VALIDATE: &str = "validate";
pub(crate) const VERSION: &str = "version";
pub(crate) const WITH: &str = "with";

/// `#[entity(…)]` on the struct.
pub(crate) const ON_ENTITY: &[&str] = &[
    TABLE,
    RENAME_ALL,
    REPO,
    CRATE,
    PARTITION,
    SORT,
    INDEX,
    PARTITION_ATTRIBUTE,
    SORT_ATTRIBUTE,
    TYPE_ATTRIBUTE,
    TYPE_NAME,
    UNTYPED,
    ESCAPE,
    VALIDATE,
    HOOKS,
];
/// Those of them that take no value.
pub(crate) const ENTITY_FLAGS: &[&str] = &[VALIDATE, HOOKS, UNTYPED];
/// `index("name", …)` on the struct.
pub(crate) const IN_INDEX: &[&str] =
    &[PARTITION, SORT, PARTITION_ATTRIBUTE, SORT_ATTRIBUTE, KEYS_ONLY, INCLUDE];
/// `type_name(…)` on the struct.
pub(crate) const IN_TYPE_NAME: &[&str] = &[ALSO];

/// `#[entity(…)]` on a field.
pub(crate) const ON_FIELD: &[&str] = &[
    ID, PARTITION, SORT, INDEX, LSI, CREATED_AT, UPDATED_AT, DELETED_AT, VERSION, TTL, UNIQUE, RENAME, SKIP,
    DEFAULT, FLATTEN, SERDE, WITH, SENSITIVE,
];
/// `index("name", …)` on a field.
pub(crate) const IN_FIELD_INDEX: &[&str] = &[PARTITION, SORT, KEYS_ONLY, INCLUDE];
/// `lsi("name", …)` on a field.
pub(crate) const IN_LSI: &[&str] = &[KEYS_ONLY, INCLUDE];

/// `#[attribute(…)]` on a struct, an enum, a variant and a field.
pub(crate) const ON_STRUCT: &[&str] = &[RENAME_ALL, CRATE];
pub(crate) const ON_ENUM: &[&str] = &[RENAME_ALL, CRATE, TAG];
pub(crate) const ON_VARIANT: &[&str] = &[RENAME, RENAME_ALL];
pub(crate) const ON_NESTED_FIELD: &[&str] = &[RENAME, SKIP, DEFAULT, FLATTEN, SERDE, WITH];

/// `#[projection(…)]` on the struct and on a field.
pub(crate) const ON_PROJECTION: &[&str] = &[OF, CRATE];
pub(crate) const ON_PROJECTION_FIELD: &[&str] = &[FROM];

/// The words whose value may be a list in brackets.
pub(crate) const LISTS: &[&str] = &[PARTITION, SORT, INCLUDE, ALSO];

/// The value of `escape`.
pub(crate) const NONE: &str = "none";

/// The default names of the attributes that hold rendered templates; those of an index begin with its name.
pub(crate) const PARTITION_OF_TEMPLATE: &str = "pk";
pub(crate) const SORT_OF_TEMPLATE: &str = "sk";
/// The default name of the attribute that holds the type name.
pub(crate) const TYPE_OF_ENTITY: &str = "entity_type";
/// The default name of the entry that holds the name of a variant, and the name of the entry that holds the
/// value of a newtype variant.
pub(crate) const TAG_OF_ENUM: &str = "type";
pub(crate) const VALUE_OF_VARIANT: &str = "value";

/// The methods of `dynorm::Repository`, which the function of an index must not hide.
pub(crate) const OPERATIONS: &[&str] = &[
    "all",
    "batch_create",
    "batch_delete",
    "batch_delete_entities",
    "batch_delete_stream",
    "batch_get",
    "batch_get_stream",
    "batch_restore",
    "batch_save",
    "batch_save_stream",
    "check",
    "count",
    "create",
    "delete",
    "delete_by_id",
    "filter",
    "find",
    "first_or_create",
    "force_delete",
    "force_delete_by_id",
    "get",
    "only_trashed",
    "restore",
    "retry_on_conflict",
    "save",
    "scan",
    "transact_get",
    "transaction",
    "update",
    "update_or_create",
    "upsert",
    "with_trashed",
];
