//! The operator's door: a Unix socket that answers questions, one line of JSON each way.
//!
//! ```text
//! {"v":1,"cmd":"show","what":"status"}          -> {"v":1,"ok":true,"what":"status","data":{...}}
//! {"v":1,"cmd":"repository","what":"look"}      -> {"v":1,"ok":true,"what":"look","data":{}}
//! {"v":1,"cmd":"repository","what":"confirm"}   -> the same, or a refusal where nothing is held back
//! {"v":1,"cmd":"reload","what":"all"}           -> what changed; or, with nothing changed, a refusal and its "faults"
//! anything else                                 -> {"v":1,"ok":false,"error":"..."}, and the connection is closed
//! ```
//!
//! It only reads copies of counters and wakes the thread that follows the repository, so nothing that is said here reaches
//! a worker. A request has a size and a time, and
//! there are only so many callers at once.

use crate::cli::CliError;
use crate::report::{Board, What};
use sealgate_dataplane::engine::now_ms;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// Version of requests and answers.
pub const VERSION: u32 = 1;
/// The longest request, octets.
const MAX_REQUEST: usize = 4096;
/// How long a caller may take to send a request or to read the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Callers at once.
const MAX_CALLERS: usize = 16;
/// How often the door looks for callers and for its own end.
const LOOK: Duration = Duration::from_millis(20);

/// A request. Unknown fields are refused: they would be a wish that goes unheard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`VERSION`].
    pub v: u32,
    /// `show` or `repository`.
    pub cmd: String,
    /// A word of [`What::ALL`]; or `look` or `confirm`.
    pub what: String,
}

/// An open door. Dropping it closes it and removes the socket.
pub struct Admin {
    path: PathBuf,
    /// Device and inode of our socket, so that nobody else's is removed.
    identity: (u64, u64),
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Whether somebody answers at this socket.
/// # Errors
/// A path that is something else than a socket, or cannot be looked at.
fn is_alive(path: &Path) -> Result<Option<bool>, CliError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(path, &error.to_string(), "check the path and who may use it")),
        Ok(data) if !data.file_type().is_socket() => {
            Err(refused(path, "there is something else than a socket", "give another path, or remove it yourself"))
        }
        Ok(_) => Ok(Some(UnixStream::connect(path).is_ok())),
    }
}

fn refused(path: &Path, why: &str, remedy: &str) -> CliError {
    CliError::new(format!("admin.socket: {}: {why}", path.display()), remedy)
}

/// Refuses a socket behind which a gateway lives. Call it before ports are opened: two gateways on one configuration would
/// fight for them.
/// # Errors
/// A live socket, or a path that cannot be one.
pub fn check(path: &Path) -> Result<(), CliError> {
    match is_alive(path)? {
        Some(true) => {
            Err(refused(path, "another gateway answers there", "stop it, or give this one a socket of its own"))
        }
        Some(false) | None => Ok(()),
    }
}

impl Admin {
    /// Opens the door, for the owner and the group of the process. The socket of a dead process is replaced, and a
    /// directory that is missing is made.
    /// # Errors
    /// A live socket, another file, or what the system refuses.
    pub fn open(path: &Path, board: Arc<Board>) -> Result<Self, CliError> {
        check(path)?;
        let io = |error: io::Error| {
            refused(path, &error.to_string(), "give a path of at most 107 octets in a directory that can be written")
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.exists()) {
            fs::create_dir(parent).map_err(io)?;
        }
        if fs::symlink_metadata(path).is_ok() {
            fs::remove_file(path).map_err(io)?;
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        let data = fs::symlink_metadata(path).map_err(io)?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut admin =
            Self { path: path.to_owned(), identity: (data.dev(), data.ino()), stop: Arc::clone(&stop), thread: None };
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let thread = Builder::new().name("admin".to_owned()).spawn(move || serve(&listener, &board, &stop));
        admin.thread = Some(thread.map_err(io)?);
        Ok(admin)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if fs::symlink_metadata(&self.path).is_ok_and(|data| (data.dev(), data.ino()) == self.identity) {
            // If it cannot be removed, the next start finds it dead and replaces it.
            let _ = fs::remove_file(&self.path);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &UnixListener, board: &Arc<Board>, stop: &Arc<AtomicBool>) {
    let mut callers: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Ordering::Acquire) {
        callers.retain(|caller| !caller.is_finished());
        match listener.accept() {
            Ok((mut stream, _)) if callers.len() >= MAX_CALLERS => {
                let _ = say(&mut stream, &failure("too many callers; try again"));
            }
            Ok((stream, _)) => {
                let (board, stop) = (Arc::clone(board), Arc::clone(stop));
                let caller = Builder::new().name("admin-caller".to_owned());
                // Without a thread the connection closes, and the caller sees that.
                callers.extend(caller.spawn(move || attend(stream, &board, &stop)));
            }
            // Nobody there, or nothing that waiting does not mend.
            Err(_) => sleep(LOOK),
        }
    }
    for caller in callers {
        let _ = caller.join();
    }
}

/// Answers one caller until it goes, errs or is too slow.
fn attend(mut stream: UnixStream, board: &Board, stop: &AtomicBool) {
    let ready = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(LOOK)));
    if ready.and_then(|()| stream.set_write_timeout(Some(PATIENCE))).is_err() {
        return;
    }
    let mut pending = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let (reply, last) = match next_line(&mut stream, &mut pending, stop) {
            Ok(Some(line)) => match answer(&line, board) {
                Ok(reply) => (reply, false),
                Err(why) => (failure(&why), true),
            },
            Ok(None) => return,
            Err(why) => (failure(why), true),
        };
        if say(&mut stream, &reply).is_err() || last {
            return;
        }
    }
}

/// The next line, without its end; what follows it stays in `pending`. `None`: the caller went away, or we do.
fn next_line(
    stream: &mut UnixStream,
    pending: &mut Vec<u8>,
    stop: &AtomicBool,
) -> Result<Option<Vec<u8>>, &'static str> {
    let deadline = Instant::now() + PATIENCE;
    let mut part = [0; 1024];
    loop {
        if let Some(end) = pending.iter().position(|octet| *octet == b'\n') {
            let rest = pending.split_off(end + 1);
            let mut line = std::mem::replace(pending, rest);
            line.pop();
            return Ok(Some(line));
        }
        if pending.len() > MAX_REQUEST {
            return Err("the request is longer than 4096 octets");
        }
        if stop.load(Ordering::Acquire) {
            return Ok(None);
        }
        match stream.read(&mut part) {
            Ok(0) if pending.is_empty() => return Ok(None),
            Ok(0) => return Err("the request ends without a line feed"),
            Ok(count) => pending.extend(part.iter().take(count)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if Instant::now() >= deadline {
                    return Err("no whole request within 2 seconds");
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(None),
        }
        if Instant::now() >= deadline && !pending.contains(&b'\n') {
            return Err("no whole request within 2 seconds");
        }
    }
}

fn answer(line: &[u8], board: &Board) -> Result<Value, String> {
    let request: Request = serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))?;
    if request.v != VERSION {
        return Err(format!("version {} is not known; this gateway speaks version {VERSION}", request.v));
    }
    match request.cmd.as_str() {
        "show" => {}
        "repository" => return act(&request.what, board),
        "reload" => return reload(board),
        other => return Err(format!("\"{other}\" is not a command; there are: show, repository, reload")),
    }
    let Some(what) = What::from_name(&request.what) else {
        let words: Vec<_> = What::ALL.iter().map(|(word, _)| *word).collect();
        return Err(format!("\"{}\" cannot be shown; there are: {}", request.what, words.join(", ")));
    };
    Ok(json!({ "v": VERSION, "ok": true, "what": what.name(), "data": board.document(what, now_ms()) }))
}

/// Tells the thread that follows the repository what to do.
fn act(what: &str, board: &Board) -> Result<Value, String> {
    let handle = board.repository.as_ref().ok_or("this gateway follows no repository")?;
    match what {
        "look" => handle.look(),
        "confirm" if handle.confirm() => {}
        "confirm" => return Err("nothing is held back".to_owned()),
        other => return Err(format!("\"{other}\" cannot be done; there are: look, confirm")),
    }
    Ok(json!({ "v": VERSION, "ok": true, "what": what, "data": {} }))
}

/// Reads everything again. Faults are an answer, not an error of the caller's.
fn reload(board: &Board) -> Result<Value, String> {
    let reloader = board.reloader.as_ref().ok_or("this gateway has no files")?;
    let now = i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX);
    let outcome = reloader.reload(now);
    crate::reload::log(&outcome);
    Ok(match outcome {
        Ok(reloaded) => json!({ "v": VERSION, "ok": true, "what": "all", "data": reloaded.to_json() }),
        Err(problems) => {
            json!({ "v": VERSION, "ok": false, "error": problems.to_string(), "faults": problems.to_json() })
        }
    })
}

fn failure(why: &str) -> Value {
    json!({ "v": VERSION, "ok": false, "error": why })
}

fn say(stream: &mut UnixStream, reply: &Value) -> io::Result<()> {
    let mut line = reply.to_string().into_bytes();
    line.push(b'\n');
    stream.write_all(&line)
}

/// Asks a gateway, as a caller.
/// # Errors
/// Nobody answers there, or the answer is a refusal or not one of ours.
pub fn ask(path: &Path, what: What) -> Result<Value, CliError> {
    request(path, "show", what.name())
}

/// Tells a gateway something, as a caller.
/// # Errors
/// As [`ask`].
pub fn request(path: &Path, cmd: &str, what: &str) -> Result<Value, CliError> {
    let mut reply = exchange(path, cmd, what, PATIENCE * 2)?;
    match reply.get("error").and_then(Value::as_str) {
        None => Ok(reply.get_mut("data").map(Value::take).unwrap_or_default()),
        Some(error) => Err(CliError::new(
            format!("the gateway says: {error}"),
            "sealgate show repository says how it stands; are both of one version?",
        )),
    }
}

/// One request and its whole answer.
///
/// * `patience`: how long the gateway may be silent
/// # Errors
/// Nobody answers there, or not one of ours.
pub fn exchange(path: &Path, cmd: &str, what: &str, patience: Duration) -> Result<Value, CliError> {
    let io = |error: io::Error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                "no gateway runs there: start one with sealgate run CONFIG.yaml, or give its --config or --socket"
            }
            io::ErrorKind::PermissionDenied => "run this as the gateway's user or group, or as root",
            _ => "is the gateway stuck? see its log",
        };
        CliError::new(format!("{}: {error}", path.display()), remedy)
    };
    let mut stream = UnixStream::connect(path).map_err(io)?;
    let patience = Some(patience);
    stream.set_read_timeout(patience).and_then(|()| stream.set_write_timeout(patience)).map_err(io)?;
    let request = json!(Request { v: VERSION, cmd: cmd.to_owned(), what: what.to_owned() });
    say(&mut stream, &request).map_err(io)?;
    stream.shutdown(std::net::Shutdown::Write).map_err(io)?;
    let mut octets = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut octets).map_err(io)?;
    let foreign = || CliError::new(format!("{}: the answer is not a gateway's", path.display()), "check --socket");
    let reply: Value = serde_json::from_slice(&octets).map_err(|_| foreign())?;
    if reply.get("ok").and_then(Value::as_bool).is_some() { Ok(reply) } else { Err(foreign()) }
}

/// The longest answer that is read, octets: some ten thousand certificates.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
