//! The socket: who is let in, how long a caller may take, and when the file goes.

use super::answer::{self, Answer};
use super::protocol::{MAX_REQUEST, failure};
use super::trace;
use super::who::{Allowed, Caller};
use crate::cli::CliError;
use crate::report::Board;
use serde_json::Value;
use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// How long a caller may take to send a request or to take a part of the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a caller may take for a whole answer.
const WHOLE: Duration = Duration::from_secs(10);
/// Callers at once.
const MAX_CALLERS: usize = 16;
/// How often the door looks for callers and for its own end.
const LOOK: Duration = Duration::from_millis(20);
/// The most that is written at a time, octets.
const PART: usize = 64 * 1024;

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
    /// Opens the door. The socket of a dead process is replaced, and a directory that is missing is made.
    ///
    /// * `group`: whose members may come in, a name or a number; without one, those of the process's group
    /// # Errors
    /// A live socket, another file, no such group, or what the system refuses.
    pub fn open(path: &Path, group: Option<&str>, board: Arc<Board>) -> Result<Self, CliError> {
        check(path)?;
        let allowed = Allowed::with_group(group)
            .map_err(|why| CliError::new(format!("admin.group: {why}"), "give a group of /etc/group, or its number"))?;
        let io = |error: io::Error| {
            refused(path, &error.to_string(), "give a path of at most 107 octets in a directory that can be written")
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.exists()) {
            DirBuilder::new().mode(0o750).create(parent).map_err(io)?;
            give(parent, allowed.gid)?;
        }
        if fs::symlink_metadata(path).is_ok() {
            fs::remove_file(path).map_err(io)?;
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        let data = fs::symlink_metadata(path).map_err(io)?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut admin =
            Self { path: path.to_owned(), identity: (data.dev(), data.ino()), stop: Arc::clone(&stop), thread: None };
        give(path, allowed.gid)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let thread = Builder::new().name("admin".to_owned()).spawn(move || serve(&listener, &board, allowed, &stop));
        admin.thread = Some(thread.map_err(io)?);
        Ok(admin)
    }
}

/// Gives a file to the group of those who may come in.
fn give(path: &Path, gid: u32) -> Result<(), CliError> {
    if fs::symlink_metadata(path).is_ok_and(|data| data.gid() == gid) {
        return Ok(());
    }
    chown(path, None, Some(gid)).map_err(|error| {
        let message = format!("admin.group: {} cannot be given to group {gid}: {error}", path.display());
        CliError::new(message, "start it as root, or as a member of that group")
    })
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

fn serve(listener: &UnixListener, board: &Arc<Board>, allowed: Allowed, stop: &Arc<AtomicBool>) {
    let mut callers: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Ordering::Acquire) {
        callers.retain(|caller| !caller.is_finished());
        match listener.accept() {
            Ok((stream, _)) if callers.len() >= MAX_CALLERS => refuse(stream, "too many callers; try again"),
            Ok((stream, _)) => {
                let caller = match Caller::of(&stream) {
                    Ok(caller) if allowed.allows(&caller) => caller,
                    Ok(caller) => {
                        // Logged for somebody who tries doors; not louder, since anybody who reaches the file can call.
                        tracing::debug!("admin: user {} was refused", caller.uid);
                        refuse(stream, "only root, the gateway's user and its group (admin.group) may ask");
                        continue;
                    }
                    Err(_) => continue,
                };
                let (board, stop) = (Arc::clone(board), Arc::clone(stop));
                let thread = Builder::new().name("admin-caller".to_owned());
                // Without a thread the connection closes, and the caller sees that.
                callers.extend(thread.spawn(move || attend(stream, &board, &caller, &stop)));
            }
            // Nobody there, or nothing that waiting does not mend.
            Err(_) => sleep(LOOK),
        }
    }
    for caller in callers {
        let _ = caller.join();
    }
}

/// Says why nobody is let in, and hangs up; never waits for it.
fn refuse(mut stream: UnixStream, why: &str) {
    if stream.set_nonblocking(true).is_ok() {
        let _ = stream.write_all(format!("{}\n", failure(why)).as_bytes());
    }
}

/// Answers one caller until it goes, errs or is too slow.
fn attend(mut stream: UnixStream, board: &Board, caller: &Caller, stop: &AtomicBool) {
    let ready = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(LOOK)));
    if ready.and_then(|()| stream.set_write_timeout(Some(PATIENCE))).is_err() {
        return;
    }
    let mut pending = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let (reply, last) = match next_line(&mut stream, &mut pending, stop) {
            Ok(Some(line)) => match answer::to(&line, board, caller) {
                Ok(Answer::Line(reply)) => (reply, false),
                Ok(Answer::Trace(request)) => match trace::stream(&request, board, &mut stream, stop, say) {
                    Ok(()) => return,
                    Err(why) => (failure(&why), true),
                },
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

/// Writes a line. A caller that takes a little now and then is too slow as well.
fn say(stream: &mut UnixStream, reply: &Value) -> io::Result<()> {
    let mut line = reply.to_string().into_bytes();
    line.push(b'\n');
    let (deadline, mut rest) = (Instant::now() + WHOLE, line.as_slice());
    while !rest.is_empty() {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let written = stream.write(rest.get(..PART).unwrap_or(rest))?;
        rest = rest.get(written..).unwrap_or(&[]);
    }
    Ok(())
}
