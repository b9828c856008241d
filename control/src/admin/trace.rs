//! Verdicts as they happen, a line each, until there were enough or the caller goes.

use super::protocol::{Request, answer};
use crate::report::Board;
use crate::report::refused::{names, verdict};
use sealgate_dataplane::pipeline::tap::{Session, Tap};
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

/// Verdicts that are taken from the tap at a time.
const BATCH: usize = 64;

/// A trace that ends with this value.
struct Running<'a>(&'a Tap, Session);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Streams verdicts to a caller. Each read of the stream waits at most for its timeout; so does each line that it does not
/// take.
/// # Errors
/// What the caller hears: a filter that cannot be, or too many traces.
pub(super) fn stream(
    request: &Request,
    board: &Board,
    caller: &mut UnixStream,
    stop: &AtomicBool,
    say: impl Fn(&mut UnixStream, &Value) -> io::Result<()>,
) -> Result<(), String> {
    let words = request.filter.clone().unwrap_or_default();
    let filter = words.compile(&board.engine.snapshot())?;
    let tap = &board.engine.shared().tap;
    let session = tap.begin(filter).ok_or("four traces run already; end one of them")?;
    let running = Running(tap, session);
    let wanted = request.count.unwrap_or(u64::MAX);
    let (mut shown, mut missed, mut batch) = (0_u64, 0, Vec::with_capacity(BATCH));
    while shown < wanted && !stop.load(Ordering::Acquire) && !board.engine.is_finished() {
        missed = running.0.take(session, BATCH, &mut batch);
        if batch.is_empty() && is_gone(caller) {
            return Ok(());
        }
        let snapshot = board.engine.snapshot();
        for traced in batch.drain(..) {
            if shown == wanted {
                break;
            }
            let (peer, link) = names(&traced.seen, &snapshot);
            let rule = snapshot.ruleset.name_of(traced.seen.record.rule);
            let line = answer("verdict", verdict(&traced.seen, &peer, &link, &traced.spoken, rule));
            if say(caller, &line).is_err() {
                return Ok(());
            }
            shown += 1;
        }
    }
    drop(running);
    // Whoever went meanwhile needs no end.
    let _ = say(caller, &answer("end", json!({ "shown": shown, "missed": missed })));
    Ok(())
}

/// Whether the caller has hung up; waits for the stream's read timeout if not. What it says meanwhile is not heard.
fn is_gone(caller: &mut UnixStream) -> bool {
    match caller.read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted),
    }
}
