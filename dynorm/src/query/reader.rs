//! Sends the requests of a plan, page by page.

use super::answer::{Summary, read_page};
use super::plan::Plan;
use super::position::Next;
use crate::codec::{Item, Request, ValueError};
use crate::database::Database;
use crate::error::{Doing, Error, Report, Result, Subject};
use crate::expression::{DocumentPath, Expression, Node, check_bytes, check_operators};
use crate::rules::of_type;
use crate::transport::{self, Answer, Failure, FailureKind, Operation};

/// A plan as requests, without the position of a page.
#[derive(Debug)]
pub(super) struct Reader {
    database: Database,
    pub(super) plan: Plan,
    table: String,
    subject: Subject,
    /// The selected paths; `None` for whole items.
    select: Option<Vec<DocumentPath>>,
    segments: u32,
    /// The filter for DynamoDB, with the expiry as of the start of the query.
    filter: Option<Node>,
}

/// A page as it was received.
pub(super) struct Fetched {
    answer: Answer,
    pub(super) lane: usize,
    /// The request asked only for the number of items.
    counting: bool,
}

impl Reader {
    pub(super) fn new(
        database: Database,
        plan: Plan,
        select: Option<Vec<DocumentPath>>,
        segments: u32,
        doing: Doing,
    ) -> Result<Self> {
        let table = database.table(plan.info);
        let subject = Subject::of(plan.info).in_table(table.clone()).during(doing);
        let filter = filter(&plan, true);
        let reader = Self { database, plan, table, subject, select, segments, filter };
        reader.check().map_err(|error| Error::invalid(reader.subject.clone(), &error))?;
        Ok(reader)
    }

    pub(super) fn lanes(&self) -> usize {
        match self.plan.operation {
            operation if operation == Operation::SCAN => usize::try_from(self.segments).unwrap_or(1).max(1),
            operation if operation == Operation::BATCH_GET_ITEM => 1,
            _ => self.plan.partitions.len(),
        }
    }

    /// Checks DynamoDB's limits before anything is sent.
    fn check(&self) -> std::result::Result<(), ValueError> {
        check_operators("the conditions have", self.filter.as_ref().map_or(0, Node::operators))?;
        if let Some(local) = &self.plan.local {
            check_operators("the conditions have", local.operators())?;
        }
        let (expression, _) = self.expression(0, false, true)?;
        check_bytes("the conditions make", expression.longest())
    }

    fn expression(
        &self,
        lane: usize,
        counting: bool,
        with_live: bool,
    ) -> std::result::Result<(Expression, String), ValueError> {
        let mut expression = Expression::default();
        if let Some(values) = self.plan.partitions.get(lane) {
            for (name, value) in self.plan.partition.iter().zip(values) {
                expression.add_key_condition(name, value.clone());
            }
        }
        for sort in &self.plan.sort {
            let text = sort.render(&mut expression)?;
            expression.and_key_condition(&text);
        }
        let stable = if with_live { None } else { filter(&self.plan, false) };
        if let Some(filter) = if with_live { self.filter.as_ref() } else { stable.as_ref() } {
            let text = filter.render(&mut expression)?;
            expression.set_filter(text);
        }
        let mut projection = Vec::new();
        if counting {
            // DynamoDB refuses names that no expression uses.
        } else if self.plan.hydrates {
            let keys = self.plan.position_keys().into_iter();
            projection = keys.map(|name| DocumentPath::of(name).render(&mut expression)).collect();
        } else if let Some(select) = &self.select {
            let keys = self.plan.position_keys().into_iter().map(DocumentPath::of);
            // A single element would come back as the first of a list, so the whole list is requested.
            let select = select.iter().cloned().map(DocumentPath::before_elements);
            let mut paths: Vec<DocumentPath> = keys.chain(select).collect();
            if let Some(local) = &self.plan.local {
                // Attributes that are checked here must be read.
                local.each_path(&mut |path| paths.push(path.clone().before_elements()));
            }
            // DynamoDB refuses overlapping paths.
            paths.sort_by_key(DocumentPath::depth);
            let mut apart: Vec<DocumentPath> = Vec::with_capacity(paths.len());
            for path in paths {
                if !apart.iter().any(|other| other.holds(&path)) {
                    apart.push(path);
                }
            }
            let paths = apart;
            projection = paths.iter().map(|path| path.render(&mut expression)).collect();
        }
        Ok((expression, projection.join(", ")))
    }

    /// The request without a position, for the fingerprint.
    pub(super) fn identity(&self, lane: usize) -> std::result::Result<Vec<u8>, ValueError> {
        self.request(lane, &Next::Start, None, self.expression(lane, false, false)?, false)
    }

    /// The body of the request for a page.
    fn body(
        &self,
        lane: usize,
        start: &Next,
        limit: Option<u64>,
        counting: bool,
    ) -> std::result::Result<Vec<u8>, ValueError> {
        self.request(lane, start, limit, self.expression(lane, counting, true)?, counting)
    }

    fn request(
        &self,
        lane: usize,
        start: &Next,
        limit: Option<u64>,
        (expression, projection): (Expression, String),
        counting: bool,
    ) -> std::result::Result<Vec<u8>, ValueError> {
        let mut request = Request::for_table(&self.table, 512);
        if !self.plan.keys.is_empty() {
            request.array("Keys", &mut self.plan.keys.iter(), |key, encoder| encoder.raw(&key.json));
        }
        if let Some(index) = self.plan.index {
            request.text("IndexName", index.name);
        }
        expression.write(&mut request);
        request.flag("ConsistentRead", self.plan.consistent);
        if counting {
            request.text("Select", "COUNT");
        } else if !projection.is_empty() {
            request.text("ProjectionExpression", &projection);
        }
        if self.plan.descending {
            request.json("ScanIndexForward", b"false");
        }
        if self.plan.operation == Operation::SCAN && self.segments > 1 {
            request.json("Segment", lane.to_string().as_bytes());
            request.json("TotalSegments", self.segments.to_string().as_bytes());
        }
        if let Some(limit) = limit {
            request.json("Limit", limit.to_string().as_bytes());
        }
        if let Next::After(key) = start {
            request.json("ExclusiveStartKey", key);
        }
        request.text("ReturnConsumedCapacity", "TOTAL");
        Ok(request.finish())
    }

    pub(super) async fn fetch(
        &self,
        lane: usize,
        start: &Next,
        limit: Option<u64>,
        counting: bool,
    ) -> Result<Fetched> {
        let body = self.body(lane, start, limit, counting);
        let body = body.map_err(|error| Error::invalid(self.subject.clone(), &error))?;
        let answer = transport::send(self.database.carrier(), self.plan.operation, &self.table, body).await;
        let answer = answer.map_err(|failure| self.error(failure))?;
        Ok(Fetched { answer, lane, counting })
    }

    /// Reads a page of a lane; see [`read_page`].
    pub(super) fn read<'f>(
        &self,
        fetched: &'f Fetched,
        each: &mut dyn FnMut(usize, &Item<'f>) -> std::result::Result<(), ValueError>,
    ) -> std::result::Result<Summary<'f>, ValueError> {
        let summary = read_page(fetched.answer.text()?, &self.plan, fetched.lane, each)?;
        if !summary.has_items && !fetched.counting {
            return Err(ValueError::new("the answer has no items"));
        }
        Ok(summary)
    }

    /// For an index that does not exist, DynamoDB only reports an invalid request.
    fn error(&self, failure: Failure) -> Error {
        let says = |what: &str| failure.message.contains(what);
        let is_missing = says("specified index");
        let is_new = says("backfilling");
        match self.plan.index {
            Some(index) if failure.kind == FailureKind::Rejected && (is_missing || is_new) => {
                let problem = if is_new { "is still being built" } else { "does not exist" };
                let detail = format!(
                    "the index `{}` {problem}: `create_table::<{}>()` reports what else the table lacks",
                    index.name, self.plan.info.name
                );
                Error::TableMismatch(Report::new(self.subject.clone(), detail, None))
            }
            _ => failure.into_error(self.subject.clone()),
        }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// The filter for DynamoDB. It always includes the type, if other entities may share the table.
fn filter(plan: &Plan, with_live: bool) -> Option<Node> {
    let of_type = of_type(plan.info);
    let live = plan.live.as_ref().filter(|_| with_live);
    Node::all(of_type.into_iter().chain(plan.filter.iter().chain(live).cloned()))
}
