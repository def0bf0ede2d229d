//! Sends writes that depend on the stored item: because of the claims on its unique values, which change with
//! it in one transaction, or because of a NULL.

use tokio::time::Instant;

use super::find::get_item;
use crate::backoff::{Backoff, CLAIM_TIME};
use crate::codec::ValueError;
use crate::database::Database;
use crate::encoded::EncodedKey;
use crate::entity::EntityInfo;
use crate::error::{Doing, Error, Result, Subject};
use crate::transport::{self, Answer, Repeat};
use crate::write::{Known, Write, send_one, unsettled};

/// How a write is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// As a transaction, so that it is applied exactly once.
    Once,
    /// As a single request if no claim is taken or released, repeated as this says.
    Alone(Repeat),
}

/// Sends the write that `write` makes for the known state of the item, and again for the stored item if that
/// differs. If claims change with it, it is a transaction, which returns no item.
pub(super) async fn claiming(
    database: &Database,
    mut known: Known,
    sending: Sending,
    mut write: impl FnMut(&Known) -> Result<Write>,
) -> Result<Option<Answer>> {
    let (start, mut random) = (Instant::now(), fastrand::Rng::new());
    let (mut waits, mut is_fresh) = (0, false);
    loop {
        let mut write = write(&known)?;
        let sent = match sending {
            Sending::Alone(repeat) if write.claims.is_empty() => {
                let body = std::mem::take(&mut write.body);
                let sent =
                    transport::send_write(database, write.operation, &write.subject.table, body, repeat);
                sent.await.map(Some)
            }
            _ => send_one(database, &write).await.map(|()| None),
        };
        match sent {
            Ok(answer) => return Ok(answer),
            Err(failure) => known = write.explain(failure)?,
        }
        // The failure shows the freshest state that there is, so the next attempt is sent at once. If the
        // item has changed again by then, other clients are changing it: the attempt after that waits, and is
        // based on an older state.
        if is_fresh {
            if start.elapsed() >= CLAIM_TIME {
                return Err(unsettled(write.subject));
            }
            waits += 1;
            tokio::time::sleep(Backoff::CLAIM.delay(waits, &mut random)).await;
        }
        is_fresh = !is_fresh;
    }
}

/// Reads the known state of an item.
pub(crate) async fn read_known(
    database: &Database,
    info: &'static EntityInfo,
    key: &EncodedKey,
) -> Result<Known> {
    let subject = Subject::of(info).in_table(database.table(info)).with_key(key);
    let subject = subject.during(Doing::ReadingForUniqueValues);
    let answer = get_item(database, info, key, true, &subject).await?;
    let known = super::find::item(&answer).and_then(|item| match item {
        Some(item) => Known::of_item(info, &item),
        None => Ok(Known::nothing()),
    });
    known.map_err(|error: ValueError| Error::undecodable(subject, &error))
}
