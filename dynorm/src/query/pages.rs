//! The pages that the answer to a query or a scan comes in.

use crate::codec::{Scanner, Value, ValueError};
use crate::database::Database;
use crate::entity::{Entity, EntityInfo, decode_entity};
use crate::error::{Error, Result, Subject};
use crate::expression::{Expression, Node};
use crate::operation::request::Request;
use crate::transport::{self, Operation};

/// A query or scan, without the place where it goes on.
#[derive(Debug)]
pub(crate) struct PagedRequest {
    operation: Operation,
    info: &'static EntityInfo,
    index: Option<&'static str>,
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
        Self { operation, info, index: None, expression, filter, consistent: false, counting: false }
    }

    pub(crate) fn index(mut self, name: &'static str) -> Self {
        self.index = Some(name);
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
        let text = node.render(&mut self.expression)?;
        self.filter = if self.filter.is_empty() { text } else { format!("({}) AND ({text})", self.filter) };
        Ok(())
    }

    fn body(&mut self, table: &str, start: Option<&[u8]>) -> Vec<u8> {
        let mut request = Request::for_table(table, 256);
        if let Some(index) = self.index {
            request.text("IndexName", index);
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
        Self { database, request, table, subject, next: Next::Start }
    }

    /// Every entity of all pages.
    pub(crate) async fn collect<E: Entity>(mut self) -> Result<Vec<E>> {
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
        Ok(entities)
    }

    /// The number of matches of all pages.
    pub(crate) async fn count(mut self) -> Result<u64> {
        let mut count = 0;
        while let Some(matches) = self.next(&mut |_| Ok(())).await? {
            count += matches;
        }
        Ok(count)
    }

    /// Fetches the next page, gives each of its items to `visit`, and says how many there were; `None` after the last.
    async fn next(
        &mut self,
        visit: &mut (dyn FnMut(Value<'_>) -> std::result::Result<(), ValueError> + Send),
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
        let mut count = 0;
        let mut next = Next::End;
        let mut read = || {
            Scanner::new(answer.text()?).object(|key, scanner| {
                match key.text {
                    "Items" => scanner.array(|scanner| visit(Value::item(scanner)?))?,
                    "Count" => count = scanner.skip()?.parse().unwrap_or_default(),
                    "LastEvaluatedKey" => next = Next::After(scanner.skip()?.as_bytes().to_vec()),
                    _ => {
                        scanner.skip()?;
                    }
                }
                Ok(())
            })
        };
        read().map_err(|error: ValueError| Error::undecodable(self.subject.clone(), &error))?;
        self.next = next;
        Ok(Some(count))
    }
}
