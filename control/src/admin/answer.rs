//! What is done with a request.

use super::protocol::{Request, VERSION, answer};
use super::who::Caller;
use crate::logging;
use crate::report::{Board, What};
use sealgate_dataplane::engine::now_ms;
use serde_json::{Value, json};

/// How a request goes on.
pub(super) enum Answer {
    /// With one line.
    Line(Value),
    /// With a line for each verdict that matches.
    Trace(Box<Request>),
}

/// Answers one line.
/// # Errors
/// What the caller hears before it is hung up on.
pub(super) fn to(line: &[u8], board: &Board, caller: &Caller) -> Result<Answer, String> {
    let request: Request = serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))?;
    if request.v != VERSION {
        return Err(format!("version {} is not known; this gateway speaks version {VERSION}", request.v));
    }
    let (cmd, what) = (request.cmd.as_str(), request.what.as_str());
    match cmd {
        "show" => show(&request, board).map(Answer::Line),
        "trace" => Ok(Answer::Trace(Box::new(request))),
        "repository" => {
            tell(caller, cmd, what);
            repository(what, board).map(Answer::Line)
        }
        "log-level" => {
            if !what.is_empty() {
                tell(caller, cmd, what);
                logging::set_level(what).map_err(|error| error.to_string())?;
            }
            Ok(Answer::Line(answer(cmd, json!({ "level": logging::level() }))))
        }
        "reload" => {
            tell(caller, cmd, what);
            reload(board).map(Answer::Line)
        }
        "drain" => {
            tell(caller, cmd, what);
            let stopped = board.drain();
            let data = json!({ "late": stopped.late, "failed": stopped.failed, "stuck": stopped.stuck });
            Ok(Answer::Line(answer(cmd, data)))
        }
        "stop" => {
            tell(caller, cmd, what);
            board.wish_stop();
            Ok(Answer::Line(answer(cmd, json!({}))))
        }
        other => Err(format!(
            "\"{other}\" is not a command; there are: show, trace, repository, reload, log-level, drain, stop"
        )),
    }
}

/// Leaves word of who did what.
fn tell(caller: &Caller, cmd: &str, what: &str) {
    let what: String = what.chars().filter(|c| !c.is_control()).take(64).collect();
    let gap = if what.is_empty() { "" } else { " " };
    tracing::info!("admin: {cmd}{gap}{what}, by user {} (process {})", caller.uid, caller.pid);
}

fn show(request: &Request, board: &Board) -> Result<Value, String> {
    let Some(what) = What::from_name(&request.what) else {
        let words: Vec<_> = What::ALL.iter().map(|(word, _)| *word).collect();
        return Err(format!("\"{}\" cannot be shown; there are: {}", request.what, words.join(", ")));
    };
    let data = match what {
        What::Refused => {
            let words = request.filter.clone().unwrap_or_default();
            let reason = words.reasons()?.and_then(|reasons| reasons.first().copied());
            board.observer.refused(reason, request.frames)
        }
        _ => board.document(what, now_ms()),
    };
    Ok(answer(what.name(), data))
}

/// Reads everything again. Faults are an answer, not an error of the caller's.
fn reload(board: &Board) -> Result<Value, String> {
    let reloader = board.reloader.as_ref().ok_or("this gateway has no files")?;
    let outcome = reloader.reload(i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX));
    crate::reload::log(&outcome);
    Ok(match outcome {
        Ok(reloaded) => answer("reload", reloaded.to_json()),
        Err(problems) => {
            json!({ "v": VERSION, "ok": false, "error": problems.to_string(), "faults": problems.to_json() })
        }
    })
}

/// Tells the thread that follows the repository what to do.
fn repository(what: &str, board: &Board) -> Result<Value, String> {
    let handle = board.repository.as_ref().ok_or("this gateway follows no repository")?;
    match what {
        "look" => handle.look(),
        "confirm" if handle.confirm() => {}
        "confirm" => return Err("nothing is held back".to_owned()),
        other => return Err(format!("\"{other}\" cannot be done; there are: look, confirm")),
    }
    Ok(answer(what, json!({})))
}
