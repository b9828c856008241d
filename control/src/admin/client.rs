//! Callers of a gateway: the commands of the operator.

use super::protocol::Request;
use crate::cli::CliError;
use crate::report::What;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The longest answer that is read, octets: a policy of two million prefixes, or many thousand certificates.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// The longest line of a trace, octets.
const MAX_LINE: u64 = 64 * 1024;
/// How long a gateway may take to answer: a drain takes some seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// Asks a gateway.
/// # Errors
/// Nobody answers there, or the answer is a refusal or not one of ours.
pub fn ask(path: &Path, what: What) -> Result<Value, CliError> {
    request(path, "show", what.name())
}

/// Tells a gateway something.
/// # Errors
/// As [`ask`].
pub fn request(path: &Path, cmd: &str, what: &str) -> Result<Value, CliError> {
    send(path, &Request::new(cmd, what))
}

/// Sends a request and reads the answer.
/// # Errors
/// As [`ask`].
pub fn send(path: &Path, request: &Request) -> Result<Value, CliError> {
    read(path, &exchange(path, request, PATIENCE)?).map(|(_, data)| data)
}

/// Sends a request and reads the whole answer, a refusal too.
///
/// * `patience`: how long the gateway may be silent
/// # Errors
/// Nobody answers there, or not one of ours.
pub fn whole(path: &Path, request: &Request, patience: Duration) -> Result<Value, CliError> {
    let reply: Value = serde_json::from_slice(&exchange(path, request, patience)?).map_err(|_| foreign(path))?;
    if reply.get("ok").and_then(Value::as_bool).is_some() { Ok(reply) } else { Err(foreign(path)) }
}

fn exchange(path: &Path, request: &Request, patience: Duration) -> Result<Vec<u8>, CliError> {
    let stream = connect(path, request, Some(patience))?;
    stream.shutdown(Shutdown::Write).map_err(|error| fault(path, &error))?;
    let mut octets = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut octets).map_err(|error| fault(path, &error))?;
    Ok(octets)
}

fn foreign(path: &Path) -> CliError {
    CliError::new(format!("{}: the answer is not a gateway's", path.display()), "check --socket")
}

/// Sends a request and hands over each line of the answer, what it is and what it says, until `hear` has enough.
/// # Errors
/// As [`ask`].
pub fn stream(path: &Path, request: &Request, mut hear: impl FnMut(&str, &Value) -> bool) -> Result<(), CliError> {
    // Nothing may happen for long.
    let mut lines = BufReader::new(connect(path, request, None)?);
    loop {
        let mut line = Vec::new();
        lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|error| fault(path, &error))?;
        if line.is_empty() {
            return Ok(());
        }
        let (what, data) = read(path, &line)?;
        if !hear(&what, &data) {
            return Ok(());
        }
    }
}

fn connect(path: &Path, request: &Request, patience: Option<Duration>) -> Result<UnixStream, CliError> {
    let io = |error: io::Error| fault(path, &error);
    let mut stream = UnixStream::connect(path).map_err(io)?;
    stream.set_read_timeout(patience).and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(io)?;
    let mut line = serde_json::to_vec(request).map_err(|error| io(error.into()))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(io)?;
    Ok(stream)
}

fn fault(path: &Path, error: &io::Error) -> CliError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "no gateway runs there: start one with sealgate run CONFIG.yaml, or give its --config or --socket"
        }
        io::ErrorKind::PermissionDenied => "run this as the gateway's user or group, or as root",
        _ => "is the gateway stuck? see its log",
    };
    CliError::new(format!("{}: {error}", path.display()), remedy)
}

/// What an answer is, and what it says.
fn read(path: &Path, octets: &[u8]) -> Result<(String, Value), CliError> {
    let foreign = || foreign(path);
    let mut reply: Value = serde_json::from_slice(octets).map_err(|_| foreign())?;
    let what = reply.get("what").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (reply.get("ok").and_then(Value::as_bool), reply.get("error").and_then(Value::as_str)) {
        (Some(true), _) => Ok((what, reply.get_mut("data").map(Value::take).unwrap_or_default())),
        (_, Some(error)) => Err(CliError::new(
            format!("the gateway says: {error}"),
            "sealgate show says how it stands; are both of one version?",
        )),
        _ => Err(foreign()),
    }
}
