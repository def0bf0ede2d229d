//! Creates, compares and deletes the tables of entities.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus,
};

use super::OperationFuture;
use super::key_overlap::keep_apart;
use super::time_to_live::{self, TtlAttribute};
use crate::attribute::ScalarType;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, IndexInfo};
use crate::error::{Doing, Error, Report, Result, Subject};
use crate::key::{KeyRole, KeySource};
use crate::transport::{Failure, in_runtime};

/// How long to wait until a table is active or deleted. A global index of a new table takes seconds on AWS.
const PATIENCE: Duration = Duration::from_secs(300);

type Configure = Box<dyn FnOnce(CreateTableFluentBuilder) -> CreateTableFluentBuilder + Send>;

/// Creates the table of an entity, or compares an existing table with the entity. Created by
/// [`Database::create_table`].
///
/// A new table is billed on demand and has all indexes of the entity, each with the projection that the
/// entity declares. The call waits until it is active. For an entity with `#[entity(ttl)]` it then enables
/// TTL.
///
/// For an existing table, the keys, their types, the indexes and TTL are compared. What is missing or differs
/// is listed in an [`Error::TableMismatch`]. An index may project more than the entity declares, since other
/// entities may share it. Additional indexes and the billing mode are ignored. Nothing is ever changed or
/// deleted: TTL too is only enabled by [`Database::enable_ttl`], since DynamoDB then deletes the expired
/// items. If the future is dropped between the creation of the table and TTL, TTL remains to be enabled.
#[must_use = "an operation does nothing until it is awaited"]
pub struct CreateTable<E: Entity> {
    database: Database,
    infos: Vec<&'static EntityInfo>,
    configure: Option<Configure>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> CreateTable<E> {
    pub(super) fn new(database: Database) -> Self {
        Self { database, infos: vec![E::INFO], configure: None, of: PhantomData }
    }

    /// Creates the table with the indexes of `F` as well, for entities that share it. Each entity declares
    /// the indexes that its queries use, and the table has those of all entities. An index that several
    /// entities declare projects everything that any of them needs.
    ///
    /// Entities whose templates can produce the same key, so that an item of one could replace an item of the
    /// other, are refused with an [`Error::Configuration`] that shows such a key. Not compared are two
    /// entities of the same type, two whose items store no type, and those with `escape = "none"`.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// #[derive(Entity, Clone, Debug)]
    /// #[entity(table = "shop", partition = "CUSTOMER#{id}", sort = "PROFILE")]
    /// # #[entity(index("by_name", partition = "{name}"))]
    /// struct Customer {
    ///     id: Id<Customer>,
    ///     name: String,
    /// }
    ///
    /// #[derive(Entity, Clone, Debug)]
    /// #[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
    /// # #[entity(index("by_status", partition = "{status}"))]
    /// struct Order {
    ///     customer_id: Id<Customer>,
    ///     id: Id<Order>,
    ///     status: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// db.create_table::<Customer>().with::<Order>().await?;
    /// # db.create_table::<Order>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with<F: Entity>(mut self) -> Self {
        self.infos.push(F::INFO);
        self
    }

    /// Changes the SDK's request before a table is created: billing, encryption, streams, tags, deletion
    /// protection.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Note { #[entity(partition)] title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// db.create_table::<Note>().configure(|sdk| sdk.deletion_protection_enabled(true)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(
        mut self,
        configure: impl FnOnce(CreateTableFluentBuilder) -> CreateTableFluentBuilder + Send + 'static,
    ) -> Self {
        self.configure = Some(match self.configure.take() {
            Some(first) => Box::new(|sdk| configure(first(sdk))),
            None => Box::new(configure),
        });
        self
    }
}

impl<E: Entity> IntoFuture for CreateTable<E> {
    type Output = Result<()>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(in_runtime(async move {
            let claims = EntityInfo::claims_of(&self.infos);
            create_or_compare(self.database.clone(), E::INFO, self.infos, self.configure).await?;
            match claims {
                Some(claims) => create_or_compare(self.database, claims, vec![claims], None).await,
                None => Ok(()),
            }
        }))
    }
}

impl<E: Entity> fmt::Debug for CreateTable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateTable").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

/// Deletes the table of an entity, with all of its items. Created by [`Database::delete_table`].
#[must_use = "an operation does nothing until it is awaited"]
pub struct DeleteTable<E: Entity> {
    database: Database,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> DeleteTable<E> {
    pub(super) fn new(database: Database) -> Self {
        Self { database, of: PhantomData }
    }
}

impl<E: Entity> IntoFuture for DeleteTable<E> {
    type Output = Result<()>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(in_runtime(async move {
            delete(&self.database, E::INFO).await?;
            match EntityInfo::claims_of(&[E::INFO]) {
                Some(claims) => match delete(&self.database, claims).await {
                    // The table of the claims exists only if there was a unique field when it was created.
                    Err(Error::TableNotFound(_)) => Ok(()),
                    done => done,
                },
                None => Ok(()),
            }
        }))
    }
}

impl<E: Entity> fmt::Debug for DeleteTable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteTable").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn create_or_compare(
    database: Database,
    info: &'static EntityInfo,
    infos: Vec<&'static EntityInfo>,
    configure: Option<Configure>,
) -> Result<()> {
    let database = Database::of_operation(Some(database))?;
    let table = database.table(info);
    let subject = Subject::of(info).in_table(table.clone()).during(Doing::CreatingTable);
    if let Some(other) = infos.iter().find(|other| other.table != info.table) {
        return Err(Error::configuration(
            format!(
                "`{}` is stored in the table `{}` and not in `{}`, so they do not share it: give both the same `table = \"…\"`",
                other.name, other.table, info.table
            ),
            None,
        ));
    }
    keep_apart(&infos)?;
    let ttl = time_to_live::ttl_attribute_of(&infos)?;
    let mut wait = Wait::new();
    let existing = loop {
        match describe(&database, &subject).await? {
            // A table that is being deleted keeps its name for a while.
            Some(table) if table.table_status() == Some(&TableStatus::Deleting) => {
                if !wait.again().await {
                    return Err(Error::Timeout(Report::new(
                        subject,
                        "the old table is still being deleted",
                        None,
                    )));
                }
            }
            existing => break existing,
        }
    };
    let mut is_ours = false;
    if existing.is_none() {
        let request = request(&database, info, &infos, &table).map_err(|error| {
            Error::configuration(format!("the table `{table}` cannot be described"), Some(error.into()))
        })?;
        let request = match configure {
            Some(configure) => configure(request),
            None => request,
        };
        match request.send().await {
            Ok(_) => is_ours = true,
            // Another client created the table meanwhile, so it is compared.
            Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => {}
            Err(error) => return Err(Failure::new(error).into_error(subject)),
        }
    }
    let description = until_active(&database, &infos, &subject).await?;
    let mut differences: Vec<String> = Vec::new();
    for difference in infos.iter().flat_map(|info| self::differences(info, &description)) {
        if !differences.contains(&difference) {
            differences.push(difference);
        }
    }
    match ttl {
        Some(ttl) if is_ours => time_to_live::switch_on(&database, &ttl, &subject).await?,
        Some(ttl) => {
            // The client that created the table is about to enable TTL.
            let patience = if is_fresh(&description) { Duration::from_secs(2) } else { Duration::ZERO };
            differences.extend(ttl_difference(&database, &ttl, &subject, patience).await?);
        }
        None => {}
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::TableMismatch(Report::new(subject, differences.join("; "), None)))
}

/// True for a table that is at most a minute old.
fn is_fresh(description: &TableDescription) -> bool {
    let now = aws_sdk_dynamodb::primitives::DateTime::from(std::time::SystemTime::now());
    description.creation_date_time().is_some_and(|created| now.secs() - created.secs() < 60)
}

/// Returns how TTL differs from the entities, after waiting up to `patience` for it to match.
async fn ttl_difference(
    database: &Database,
    ttl: &TtlAttribute,
    subject: &Subject,
    patience: Duration,
) -> Result<Option<String>> {
    let mut wait = Wait::with(patience);
    loop {
        let difference = time_to_live::describe(database, subject).await?.difference(ttl);
        if difference.is_none() || !wait.again().await {
            return Ok(difference);
        }
    }
}

async fn delete(database: &Database, info: &'static EntityInfo) -> Result<()> {
    let database = Database::of_operation(Some(database.clone()))?;
    let table = database.table(info);
    let subject = Subject::of(info).in_table(table.clone()).during(Doing::DeletingTable);
    match database.client().delete_table().table_name(&table).send().await {
        Ok(_) => {}
        Err(error) => return Err(Failure::new(error).into_error(subject)),
    }
    let mut wait = Wait::new();
    while describe(&database, &subject).await?.is_some() {
        if !wait.again().await {
            return Err(Error::Timeout(Report::new(subject, "the table is still being deleted", None)));
        }
    }
    Ok(())
}

async fn describe(database: &Database, subject: &Subject) -> Result<Option<TableDescription>> {
    match database.client().describe_table().table_name(&subject.table).send().await {
        Ok(answer) => Ok(answer.table),
        Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => Ok(None),
        Err(error) => Err(Failure::new(error).into_error(subject.clone())),
    }
}

async fn until_active(
    database: &Database,
    infos: &[&'static EntityInfo],
    subject: &Subject,
) -> Result<TableDescription> {
    let mut wait = Wait::new();
    loop {
        if let Some(description) = describe(database, subject).await?
            && is_active(infos, &description)
        {
            return Ok(description);
        }
        if !wait.again().await {
            return Err(Error::Timeout(Report::new(subject.clone(), "the table is not active yet", None)));
        }
    }
}

/// True if the table serves requests: `UPDATING` does too. Indexes that the entity does not declare may be in
/// creation or deletion.
fn is_active(infos: &[&'static EntityInfo], description: &TableDescription) -> bool {
    let indexes = description.global_secondary_indexes();
    matches!(description.table_status(), Some(TableStatus::Active | TableStatus::Updating))
        && indexes
            .iter()
            .filter(|index| indexes_of(infos).iter().any(|(_, known)| index.index_name() == Some(known.name)))
            .all(|index| matches!(index.index_status(), Some(IndexStatus::Active | IndexStatus::Updating)))
}

/// Waits longer each time, until the patience is used up.
struct Wait {
    next: Duration,
    until: tokio::time::Instant,
}

impl Wait {
    fn new() -> Self {
        Self::with(PATIENCE)
    }

    fn with(patience: Duration) -> Self {
        Self { next: Duration::from_millis(20), until: tokio::time::Instant::now() + patience }
    }

    async fn again(&mut self) -> bool {
        if tokio::time::Instant::now() >= self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(2));
        true
    }
}

type Built<T> = std::result::Result<T, aws_sdk_dynamodb::error::BuildError>;

fn request(
    database: &Database,
    info: &'static EntityInfo,
    infos: &[&'static EntityInfo],
    table: &str,
) -> Built<CreateTableFluentBuilder> {
    let mut request = database
        .client()
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(info, info.keys())?));
    let mut defined: Vec<&str> = Vec::new();
    for (name, scalar) in infos.iter().flat_map(|info| key_attributes(info)) {
        if !defined.contains(&name) {
            defined.push(name);
            let definition =
                AttributeDefinition::builder().attribute_name(name).attribute_type(scalar_type(scalar));
            request = request.attribute_definitions(definition.build()?);
        }
    }
    for (info, index) in indexes_of(infos) {
        let keys = Some(key_schema(info, index.keys())?);
        request = if index.local {
            let local = LocalSecondaryIndex::builder().index_name(index.name).set_key_schema(keys);
            request.local_secondary_indexes(local.projection(projection(infos, index.name)).build()?)
        } else {
            let global = GlobalSecondaryIndex::builder().index_name(index.name).set_key_schema(keys);
            request.global_secondary_indexes(global.projection(projection(infos, index.name)).build()?)
        };
    }
    Ok(request)
}

/// Returns the projection of an index: everything that the entities which share it need.
fn projection(infos: &[&'static EntityInfo], name: &str) -> Projection {
    let projection = Projection::builder();
    let of_entities =
        infos.iter().flat_map(|info| info.indexes.iter().map(|index| (index.name, index.beside_keys(info))));
    let mut all: Option<Vec<&'static str>> = Some(Vec::new());
    for (_, wanted) in of_entities.filter(|(index, _)| *index == name) {
        all = all.zip(wanted).map(|(mut all, wanted)| {
            for name in wanted {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            all
        });
    }
    match all.as_deref() {
        None => projection.projection_type(ProjectionType::All),
        Some([]) => projection.projection_type(ProjectionType::KeysOnly),
        Some(names) => projection
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(names.iter().map(|name| (*name).to_owned()).collect())),
    }
    .build()
}

/// True if an index with the projection `found` can serve entities that need `wanted`.
fn holds(found: &Projection, wanted: &Projection) -> bool {
    match (found.projection_type(), wanted.projection_type()) {
        (Some(ProjectionType::All), _) => true,
        (_, Some(ProjectionType::All)) => false,
        _ => wanted.non_key_attributes().iter().all(|name| found.non_key_attributes().contains(name)),
    }
}

/// Describes a projection. The order of the attributes does not matter.
fn describe_projection(projection: &Projection) -> String {
    let kind = projection.projection_type().map_or("nothing", ProjectionType::as_str);
    let mut names: Vec<&String> = projection.non_key_attributes().iter().collect();
    if names.is_empty() {
        return kind.to_owned();
    }
    names.sort();
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{kind} {}", names.join(", "))
}

/// Returns the indexes of all entities of a table, each name once.
fn indexes_of(infos: &[&'static EntityInfo]) -> Vec<(&'static EntityInfo, &'static IndexInfo)> {
    let mut indexes: Vec<(&'static EntityInfo, &'static IndexInfo)> = Vec::new();
    for info in infos.iter().copied() {
        for index in info.indexes {
            if indexes.iter().all(|(_, known)| known.name != index.name) {
                indexes.push((info, index));
            }
        }
    }
    indexes
}

fn key_schema(
    info: &EntityInfo,
    keys: impl Iterator<Item = (KeyRole, &'static KeySource)>,
) -> Built<Vec<KeySchemaElement>> {
    keys.map(|(role, source)| {
        let kind = match role {
            KeyRole::Partition => KeyType::Hash,
            KeyRole::Sort => KeyType::Range,
        };
        KeySchemaElement::builder().attribute_name(info.attribute(source)).key_type(kind).build()
    })
    .collect()
}

/// Returns each attribute that is a key of the table or of an index, once.
fn key_attributes(info: &'static EntityInfo) -> Vec<(&'static str, ScalarType)> {
    let mut attributes = Vec::new();
    for (_, source) in info.keys().chain(info.indexes.iter().flat_map(IndexInfo::keys)) {
        let attribute = (info.attribute(source), info.scalar(source));
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
    }
    attributes
}

fn scalar_type(scalar: ScalarType) -> ScalarAttributeType {
    match scalar {
        ScalarType::String => ScalarAttributeType::S,
        ScalarType::Number => ScalarAttributeType::N,
        ScalarType::Binary => ScalarAttributeType::B,
    }
}

/// Returns what the entity needs and the table lacks, each as a sentence.
fn differences(info: &'static EntityInfo, table: &TableDescription) -> Vec<String> {
    let mut differences = Vec::new();
    compare_keys("the table", info, info.keys(), table.key_schema(), &mut differences);
    for index in info.indexes {
        let kind = if index.local { "local" } else { "global" };
        let name = format!("the {kind} index `{}`", index.name);
        let found = if index.local {
            let mut indexes = table.local_secondary_indexes().iter();
            let found = indexes.find(|found| found.index_name() == Some(index.name));
            found.map(|found| (found.key_schema(), found.projection()))
        } else {
            let mut indexes = table.global_secondary_indexes().iter();
            let found = indexes.find(|found| found.index_name() == Some(index.name));
            found.map(|found| (found.key_schema(), found.projection()))
        };
        let Some((keys, projection)) = found else {
            differences.push(format!("{name} is missing"));
            continue;
        };
        compare_keys(&name, info, index.keys(), keys, &mut differences);
        let wanted = self::projection(&[info], index.name);
        if !projection.is_some_and(|found| holds(found, &wanted)) {
            let found = projection.map_or_else(|| "nothing".to_owned(), describe_projection);
            differences.push(format!("{name} projects {found}, not {}", describe_projection(&wanted)));
        }
    }
    for (name, scalar) in key_attributes(info) {
        let wanted = scalar_type(scalar);
        let mut definitions = table.attribute_definitions().iter();
        if let Some(found) = definitions.find(|found| found.attribute_name() == name)
            && *found.attribute_type() != wanted
        {
            let found = found.attribute_type();
            differences.push(format!("the attribute `{name}` has the type {found}, not {wanted}"));
        }
    }
    differences
}

fn compare_keys(
    of: &str,
    info: &EntityInfo,
    wanted: impl Iterator<Item = (KeyRole, &'static KeySource)>,
    found: &[KeySchemaElement],
    differences: &mut Vec<String>,
) {
    let describe = |elements: &mut dyn Iterator<Item = (String, bool)>| {
        let words: Vec<String> = elements
            .map(|(name, sort)| format!("{} `{name}`", if sort { "sort key" } else { "partition key" }))
            .collect();
        words.join(" and ")
    };
    let wanted = describe(
        &mut wanted.map(|(role, source)| (info.attribute(source).to_owned(), role == KeyRole::Sort)),
    );
    let found = describe(
        &mut found
            .iter()
            .map(|element| (element.attribute_name().to_owned(), *element.key_type() == KeyType::Range)),
    );
    if wanted != found {
        differences.push(format!("{of} has {found}, not {wanted}"));
    }
}
