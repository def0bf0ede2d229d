//! The pages that the answer to a query or a scan comes in.

use crate::batch::{Stats, count};
use crate::codec::{Item, Scanner, ValueError};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, IndexInfo, decode_entity};
use crate::error::{Error, Result, Subject};
use crate::expression::{Expression, Node};
use crate::key::KeyRole;
use crate::operation::request::Request;
use crate::transport::{self, Operation};

/// A query or scan, without the place where it goes on.
#[derive(Debug)]
pub(crate) struct PagedRequest {
    operation: Operation,
    info: &'static EntityInfo,
    index: Option<&'static IndexInfo>,
    /// The sort key bounds what is read; a query takes one such condition.
    is_bounded: bool,
    pub(crate) expression: Expression,
    filter: String,
    consistent: bool,
    counting: bool,
}

impl PagedRequest {
    pub(crate) fn new(operation: Operation, info: &'static EntityInfo) -> Self {
        let mut expression = Expression::default();
        // Other entities may share the table, so the type is always asked for.
        let filter = match info.type_attribute {
            Some(attribute) => {
                let mut name = Vec::new();
                crate::codec::write_json_string(&mut name, info.name);
                let value = [br#"{"S":"#.as_slice(), &name, b"}"].concat();
                format!("{} = {}", expression.name(attribute), expression.encoded_value(value))
            }
            None => String::new(),
        };
        Self {
            operation,
            info,
            index: None,
            is_bounded: false,
            expression,
            filter,
            consistent: false,
            counting: false,
        }
    }

    pub(crate) fn index(mut self, index: &'static IndexInfo) -> Self {
        self.index = Some(index);
        self
    }

    pub(crate) fn consistent(mut self, consistent: bool) -> Self {
        self.consistent = consistent;
        self
    }

    /// Asks for the number of items instead of the items.
    pub(crate) fn counting(mut self) -> Self {
        self.counting = true;
        self
    }

    /// One more condition that an item must meet.
    pub(crate) fn filter(&mut self, node: &Node) -> std::result::Result<(), ValueError> {
        if let Node::And(nodes) = node {
            return nodes.iter().try_for_each(|node| self.filter(node));
        }
        if let Some(index) = self.index {
            for (role, source) in index.keys() {
                let key = self.info.attribute(source);
                if role == KeyRole::Sort && !self.is_bounded && node.bounds(key) {
                    let text = node.render(&mut self.expression)?;
                    self.expression.and_key_condition(&text);
                    self.is_bounded = true;
                    return Ok(());
                }
                if node.mentions(key) {
                    return Err(ValueError::new(format!(
                        "`{key}` is the {role} of the index `{}`, and DynamoDB filters a query by other attributes only; on the sort key it takes one of `eq`, `lt`, `le`, `gt`, `ge`, `between` and `begins_with` with a value",
                        index.name
                    )));
                }
            }
        }
        let text = node.render(&mut self.expression)?;
        self.filter = if self.filter.is_empty() { text } else { format!("({}) AND ({text})", self.filter) };
        Ok(())
    }

    fn body(&mut self, table: &str, start: Option<&[u8]>) -> Vec<u8> {
        let mut request = Request::for_table(table, 256);
        if let Some(index) = self.index {
            request.text("IndexName", index.name);
        }
        self.expression.set_filter(self.filter.clone());
        self.expression.write(&mut request);
        request.flag("ConsistentRead", self.consistent);
        if self.counting {
            request.text("Select", "COUNT");
        }
        if let Some(start) = start {
            request.json("ExclusiveStartKey", start);
        }
        request.finish()
    }
}

/// The pages of a request, one after the other. One page, of at most 1 MB, is in memory at a time.
#[derive(Debug)]
pub(crate) struct Pages {
    database: Database,
    request: PagedRequest,
    table: String,
    subject: Subject,
    requests: u64,
    /// Where the next page starts: nowhere yet, behind a key, or the pages have ended.
    next: Next,
}

#[derive(Debug)]
enum Next {
    Start,
    After(Vec<u8>),
    End,
}

impl Pages {
    pub(crate) fn new(database: Database, request: PagedRequest, doing: &'static str) -> Self {
        let table = database.table(request.info);
        let subject = Subject::of(request.info).in_table(table.clone()).during(doing);
        Self { database, request, table, subject, requests: 0, next: Next::Start }
    }

    /// Every entity of all pages.
    pub(crate) async fn collect<E: Entity>(mut self) -> Result<Collection<E>> {
        let start = tokio::time::Instant::now();
        let mut entities = Vec::new();
        let mut index = 0usize;
        let table = self.request.info.table;
        while self
            .next(&mut |item| {
                let entity = decode_entity(item).map_err(|error| error.at_index(index).in_field(table))?;
                entities.extend(entity);
                index += 1;
                Ok(())
            })
            .await?
            .is_some()
        {}
        let mut stats = Stats::default();
        stats.items = count(entities.len());
        stats.requests = self.requests;
        stats.elapsed = start.elapsed();
        Ok(Collection::new(entities, Some(self.database)).with_stats(stats))
    }

    /// The number of matches of all pages.
    pub(crate) async fn count(mut self) -> Result<u64> {
        let mut count = 0;
        while let Some(matches) = self.next(&mut |_| Ok(())).await? {
            count += matches;
        }
        Ok(count)
    }

    /// True if the page that is being read began behind this very key.
    fn is_after(&self, key: &str) -> bool {
        matches!(&self.next, Next::After(start) if start == key.as_bytes())
    }

    /// Fetches the next page, gives each of its items to `visit`, and says how many there were; `None` after the last.
    async fn next(
        &mut self,
        visit: &mut (dyn FnMut(&Item<'_>) -> std::result::Result<(), ValueError> + Send),
    ) -> Result<Option<u64>> {
        let start = match &self.next {
            Next::Start => None,
            Next::After(key) => Some(key.as_slice()),
            Next::End => return Ok(None),
        };
        let body = self.request.body(&self.table, start);
        let answer = transport::send(self.database.client(), self.request.operation, &self.table, body)
            .await
            .map_err(|failure| failure.into_error(self.subject.clone()))?;
        self.requests += 1;
        let mut count: Option<u64> = None;
        let mut next = Next::End;
        let mut item = Item::default();
        let mut read = || {
            Scanner::new(answer.text()?).object(|key, scanner| {
                match key.text {
                    "Items" => scanner.array(|scanner| {
                        item.refill(scanner)?;
                        visit(&item)
                    })?,
                    "Count" => {
                        let number = scanner.skip()?;
                        count = Some(number.parse().map_err(|_| ValueError::new("the count is no number"))?);
                    }
                    "LastEvaluatedKey" => match scanner.skip()? {
                        "null" => {}
                        key if self.is_after(key) => {
                            return Err(ValueError::new("the server gives the same page again and again"));
                        }
                        key => next = Next::After(key.as_bytes().to_vec()),
                    },
                    _ => {
                        scanner.skip()?;
                    }
                }
                Ok(())
            })
        };
        read().map_err(|error: ValueError| Error::undecodable(self.subject.clone(), &error))?;
        self.next = next;
        match count {
            Some(count) => Ok(Some(count)),
            None if !self.request.counting => Ok(Some(0)),
            None => {
                let error = ValueError::new("the answer has no count");
                Err(Error::undecodable(self.subject.clone(), &error))
            }
        }
    }
}
