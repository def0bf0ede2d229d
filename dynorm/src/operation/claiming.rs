//! Writes of entities with unique fields: the item and the claims on its values, in one transaction.

use tokio::time::Instant;

use super::find::get_item;
use crate::backoff::{Backoff, CLAIM_TIME};
use crate::codec::ValueError;
use crate::database::Database;
use crate::encoded::EncodedKey;
use crate::entity::EntityInfo;
use crate::error::{Doing, Error, Result, Subject};
use crate::transport::{self, Answer, Repeat};
use crate::unique::Claimed;
use crate::write::{Known, Write, send_one, unsettled};

/// Sends what `write` makes of what is known of the item, and again with what the item turns out to be. Where nothing is to be
/// claimed or released it is a write by itself, with the condition that this is still so, unless it has to be made exactly
/// `once`. A transaction gives no answer.
pub(super) async fn claiming(
    database: &Database,
    mut known: Known,
    once: bool,
    mut write: impl FnMut(&Known) -> Result<Write>,
) -> Result<Option<Answer>> {
    let (start, mut random) = (Instant::now(), fastrand::Rng::new());
    let (mut waits, mut is_fresh) = (0, false);
    loop {
        let write = write(&known)?;
        let sent = if write.claims.is_empty() && !once {
            let Write { operation, subject, body, .. } = &write;
            let sent = transport::send_write(database, *operation, &subject.table, body.clone(), Repeat::Any);
            sent.await.map(Some)
        } else {
            send_one(database, &write).await.map(|()| None)
        };
        match sent {
            Ok(answer) => return Ok(answer),
            Err(failure) => known = write.explain(failure)?,
        }
        // What a failure has shown is never as fresh as now, so the next attempt goes at once. If the item
        // has changed once more by then, others are at it as well: then it waits, and what it knows is old
        // when it has.
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

/// What is known of an item, by reading it.
pub(crate) async fn read_known(
    database: &Database,
    info: &'static EntityInfo,
    key: &EncodedKey,
) -> Result<Known> {
    let subject = Subject::of(info).in_table(database.table(info)).with_key(key);
    let subject = subject.during(Doing::ReadingForUniqueValues);
    let answer = get_item(database, info, key, true, &subject).await?;
    let claimed = super::find::item(&answer).and_then(|item| match item {
        Some(item) => Claimed::of(info, &item),
        None => Ok(Claimed::none()),
    });
    claimed.map(Known::of).map_err(|error: ValueError| Error::undecodable(subject, &error))
}
