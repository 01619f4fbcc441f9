//! What a client is sent: one event after another, or a list of those that have come.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, StreamExt as _};

use super::log::{ChangeLog, Position};
use super::reader::{Next, Reader, TooSlow};
use super::ring::Stored;
use crate::http::process::pin;
use crate::snapshot::Snapshot;
use crate::views::{ChangeList, ChangeStart};

/// The longest that nothing is sent: proxies end connections that seem dead, and a client that is gone shows.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes of events in one list; a larger one is alone.
const LIST_MAX: usize = 512 * 1024;

/// Events for as long as the client stays.
pub(super) fn events(reader: Reader, position: &Position) -> Body {
    let log = reader.log();
    let first = position.start.as_ref().map(|snapshot| {
        let (name, id) = (if position.is_reset { "reset" } else { "hello" }, log.id(position.sequence));
        let data = start(log, &id, snapshot);
        Ok(event(name, &id, &serde_json::to_string(&data).unwrap_or_default()))
    });
    let later = stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        match reader.next().await {
            Next::Event(stored) => {
                let event = event(stored.change.kind.word(), &reader.log().id(stored.sequence), stored.data.get());
                Some((Ok(event), Some(reader)))
            }
            Next::TooSlow => {
                reader.give_up();
                Some((Err(TooSlow), None))
            }
            Next::Stopped => None,
        }
    });
    let events = Sse::new(stream::iter(first).chain(later));
    events.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response().into_body()
}

fn event(name: &str, id: &str, data: &str) -> Event {
    Event::default().event(name).id(id).data(data)
}

fn start<'a>(log: &ChangeLog, id: &'a str, snapshot: &Snapshot) -> ChangeStart<'a> {
    ChangeStart {
        id,
        generation: snapshot.generation(),
        observed_at: snapshot.observed_at(),
        pin: pin(log.boot(), snapshot),
    }
}

/// A list, as soon as there is something in it or the time is over. The head of the answer does not wait for it.
pub(super) fn list(reader: Reader, position: Position, wait: Duration) -> Body {
    Body::from_stream(stream::once(async move { Ok::<_, Infallible>(listed(reader, position, wait).await) }))
}

async fn listed(mut reader: Reader, mut position: Position, wait: Duration) -> Vec<u8> {
    let mut events = Vec::new();
    // That a client has to begin again is to be known at once.
    if !position.is_reset && gather(&mut reader, wait, &mut events).await.is_err() {
        // More has come than is kept.
        events.clear();
        if let Some(newest) = reader.log().begin(true) {
            (reader.sequence, position) = (newest.sequence, newest);
        }
    }
    let log = reader.log();
    let (first, last) = (log.id(position.sequence), log.id(reader.sequence));
    let answer = ChangeList {
        last_event_id: &last,
        reset: position.is_reset,
        start: position.start.as_ref().map(|snapshot| start(log, &first, snapshot)),
        events: events.iter().map(|event| &*event.data).collect(),
    };
    // Plain texts and numbers cannot fail to be written.
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// Waits for the first event, and takes what is there behind it.
async fn gather(reader: &mut Reader, wait: Duration, events: &mut Vec<Arc<Stored>>) -> Result<(), TooSlow> {
    let mut next = match tokio::time::timeout(wait, reader.next()).await {
        Ok(Next::Event(event)) => Some(event),
        Ok(Next::TooSlow) => return Err(TooSlow),
        Ok(Next::Stopped) | Err(_) => None,
    };
    let mut bytes = 0;
    while let Some(event) = next {
        bytes += event.data.get().len();
        events.push(event);
        next = if bytes < LIST_MAX { reader.ready()? } else { None };
    }
    Ok(())
}
