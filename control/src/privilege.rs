//! From root to a user of its own, for good: after the ports are open, before there is a worker.
//!
//! The C library's calls change all threads of the process (those of DPDK too), where the system call alone would change
//! one; threads that are made later inherit what these left. [`Account::become_it`] looks at each thread in
//! `/proc/self/task` afterwards and does not believe the calls alone.

use crate::cli::CliError;
use crate::secrecy;
use nix::unistd::{Group, User, initgroups, setresgid, setresuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use sealgate_config::model::{Appliance, Device};
use std::ffi::CString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Permissions that nobody but the owner may have of a directory above one that root makes.
const OTHERS_WRITE: u32 = 0o022;
/// Sticky bit: in such a directory nobody moves what is another's.
const STICKY: u32 = 0o1000;
/// Key files that are looked at, at most.
const MAX_FILES: usize = 4096;

/// The user that the process becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    name: CString,
    uid: u32,
    gid: u32,
}

/// Whom `service` names, if that is somebody else than we are; then we are root.
/// # Errors
/// There is no such user or group, it is root, or we are neither it nor root.
pub fn account(appliance: &Appliance) -> Result<Option<Account>, CliError> {
    let Some(service) = &appliance.service else { return Ok(None) };
    let fault = |key: &str, why: String, remedy: &str| {
        Err(CliError::new(format!("service.{key}: {why}"), remedy).with_code(CliError::CONFIGURATION))
    };
    let Ok(Some(user)) = User::from_name(&service.user) else {
        let remedy = "make it: adduser --system --group --no-create-home NAME; or leave service out";
        return fault("user", format!("there is no user {}", service.user), remedy);
    };
    let gid = match &service.group {
        None => user.gid,
        Some(name) => match Group::from_name(name) {
            Ok(Some(group)) => group.gid,
            _ => return fault("group", format!("there is no group {name}"), "make it: addgroup --system NAME"),
        },
    };
    if user.uid.is_root() || gid.as_raw() == 0 {
        return fault(
            "user",
            "root and its group are what this takes away".to_owned(),
            "name another, or leave it out",
        );
    }
    if [&appliance.ports.interconnect, &appliance.ports.home].iter().any(|port| matches!(port.device, Device::AfXdp(_)))
    {
        // Its program would stay on the interface, and be in the way of the next start.
        let why = "af_xdp ports need CAP_NET_ADMIN once more when they are closed".to_owned();
        let remedy =
            "start it as that user with the capability, as interface.conf.example of the unit does, without service";
        return fault("user", why, remedy);
    }
    let (real, effective) = (rustix::process::getuid().as_raw(), rustix::process::geteuid().as_raw());
    let name = CString::new(user.name).unwrap_or_default();
    let account = Account { name, uid: user.uid.as_raw(), gid: gid.as_raw() };
    match (real, effective) {
        (0, 0) => Ok(Some(account)),
        (real, effective) if real == effective && real == account.uid => Ok(None),
        (real, _) => {
            let why = format!("user {real} cannot become {}", service.user);
            fault("user", why, "start it as root or as that user, or leave service out")
        }
    }
}

impl Account {
    /// Makes the directories that the user will write to, and says what it could not read at a reload.
    /// # Errors
    /// A directory that the user cannot write to.
    pub fn prepare(&self, appliance: &Appliance, config: &Path) -> Result<Vec<String>, CliError> {
        for (key, dir, mode) in written(appliance) {
            self.make(&dir, mode).map_err(|error| {
                let remedy = format!("chown it to {}, and let it through the directories above", self.name());
                CliError::new(format!("{key}: {}: {error}", dir.display()), remedy)
            })?;
        }
        let files = read(appliance, config);
        let unreadable =
            self.act(move || files.into_iter().filter(|file| File::open(file).is_err()).collect::<Vec<_>>());
        let unreadable =
            unreadable.map_err(|error| CliError::new(format!("service.user: {error}"), "is this root?"))?;
        let text = |file: &PathBuf| {
            format!("{} cannot be read by {}: a reload will fail; chown or chgrp it", file.display(), self.name())
        };
        Ok(unreadable.iter().map(text).collect())
    }

    /// Becomes this user on all threads, and gives up every capability.
    /// # Errors
    /// The system refuses, or a thread is left with more.
    pub fn become_it(&self) -> Result<(), CliError> {
        let fault =
            |why: String| CliError::new(format!("service.user: {why}"), "start it with systemd's User= instead");
        let (uid, gid) = (nix::unistd::Uid::from_raw(self.uid), nix::unistd::Gid::from_raw(self.gid));
        initgroups(&self.name, gid)
            .and_then(|()| setresgid(gid, gid, gid))
            .and_then(|()| setresuid(uid, uid, uid))
            .map_err(|error| fault(format!("cannot become {}: {error}", self.name())))?;
        self.look().map_err(fault)?;
        // A change of user sets this back to what the system has for such programs.
        secrecy::forbid_dumps().map_err(|error| fault(format!("core dumps are not forbidden: {error}")))?;
        tracing::info!("user {} ({}:{}) on all threads, no capability", self.name(), self.uid, self.gid);
        Ok(())
    }

    fn name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    /// Looks at each thread.
    fn look(&self) -> Result<(), String> {
        for task in fs::read_dir("/proc/self/task").map_err(|error| format!("/proc: {error}"))? {
            let file = task.map_err(|error| format!("/proc: {error}"))?.path().join("status");
            // A thread that has ended meanwhile has nothing left.
            let Ok(status) = fs::read_to_string(&file) else { continue };
            if !is_dropped(&status, self.uid, self.gid) {
                return Err(format!(
                    "{} shows a thread that is not {} without capabilities",
                    file.display(),
                    self.name()
                ));
            }
        }
        Ok(())
    }

    /// Makes a directory for the user if there is none.
    fn make(&self, dir: &Path, mode: u32) -> io::Result<()> {
        // The user itself first: whatever links somebody who has its rights may have left there, they give no more than that.
        let own = dir.to_owned();
        let made = self.act(move || {
            DirBuilder::new().recursive(true).mode(mode).create(&own)?;
            rustix::fs::access(&own, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
                .map_err(io::Error::from)
        })?;
        match made {
            Err(_) if fs::symlink_metadata(dir).is_err() => {}
            other => return other,
        }
        let parent = dir.parent().unwrap_or(Path::new("/"));
        // Root makes one only where nobody else could put another in its place.
        for above in parent.ancestors() {
            let Ok(about) = fs::symlink_metadata(above) else { continue };
            let open = about.mode() & OTHERS_WRITE != 0 && about.mode() & STICKY == 0;
            if about.uid() != 0 || open {
                return Err(io::Error::other(format!(
                    "{} is not root's alone, so root makes nothing in it",
                    above.display()
                )));
            }
        }
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
        DirBuilder::new().mode(mode).create(dir)?;
        let nofollow =
            i32::try_from((rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW).bits()).unwrap_or(0);
        let made = OpenOptions::new().read(true).custom_flags(nofollow).open(dir)?;
        std::os::unix::fs::fchown(&made, Some(self.uid), Some(self.gid))
    }

    /// Does something with this user's rights, on a thread that gives up its own for that and then ends.
    fn act<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let (uid, gid) = (rustix::process::Uid::from_raw(self.uid), rustix::process::Gid::from_raw(self.gid));
        let work = move || {
            set_thread_groups(&[gid])?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
            Ok(what())
        };
        let thread = std::thread::Builder::new().name("as-user".to_owned()).spawn(work)?;
        thread.join().map_err(|_| io::Error::other("a thread of another user ended before its time"))?
    }
}

/// What a gateway writes to while it runs: key, directory, and the mode that it is made with.
pub fn written(appliance: &Appliance) -> Vec<(&'static str, PathBuf, u32)> {
    let state = appliance.state.iter().map(|dir| ("state", dir.clone(), 0o700));
    let store = appliance.trust.repository.iter().map(|one| ("trust.repository.store", one.store.clone(), 0o700));
    // The group may use the admin socket.
    let socket = appliance.admin.socket.parent().filter(|dir| !dir.as_os_str().is_empty());
    // A renewed certificate and its key are installed where the old ones are.
    let trust = &appliance.trust;
    let own = trust.enrolment.iter().flat_map(|_| {
        let certificates = trust.certificates.iter().map(|dir| ("trust.certificates", dir.clone(), 0o755));
        certificates.chain([("trust.keys", trust.keys.clone(), 0o700)])
    });
    state.chain(store).chain(own).chain(socket.map(|dir| ("admin.socket", dir.to_owned(), 0o750))).collect()
}

/// What a reload reads: files, and what lies in the directories.
fn read(appliance: &Appliance, config: &Path) -> Vec<PathBuf> {
    let trust = &appliance.trust;
    let mut files = vec![config.to_owned(), appliance.policy.clone()];
    files.extend(trust.anchors.iter().cloned());
    for dir in trust.certificates.iter().chain(&trust.crls).chain([&trust.keys]) {
        files.push(dir.clone());
        files.extend(fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).take(MAX_FILES));
    }
    files
}

/// Whether a thread is this user, in each of the four ids, without a capability and without a way to get one.
///
/// * `status`: its file of that name, proc(5)
fn is_dropped(status: &str, uid: u32, gid: u32) -> bool {
    let field = |name: &str| {
        let mut lines = status.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.next().map(|text| text.split_ascii_whitespace().collect::<Vec<_>>()).unwrap_or_default()
    };
    let is = |name: &str, id: u32| field(name).len() == 4 && field(name).iter().all(|word| word.parse() == Ok(id));
    let empty = |name: &str| field(name).first().is_some_and(|set| u64::from_str_radix(set, 16) == Ok(0));
    is("Uid", uid)
        && is("Gid", gid)
        && !field("Groups").contains(&"0")
        && ["CapInh", "CapPrm", "CapEff", "CapAmb"].iter().all(|name| empty(name))
        && field("NoNewPrivs") == ["1"]
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tsealgate\nUid:\t991\t991\t991\t991\nGid:\t990\t990\t990\t990\nGroups:\t990 \n\
        CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
        CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n";

    #[test]
    fn a_thread_that_kept_anything_is_found() {
        assert!(is_dropped(STATUS, 991, 990));
        assert!(!is_dropped("", 991, 990) && !is_dropped(STATUS, 990, 990) && !is_dropped(STATUS, 991, 991));
        for (from, to) in [
            ("Uid:\t991\t991\t991\t991", "Uid:\t991\t991\t0\t991"),
            ("Gid:\t990\t990\t990\t990", "Gid:\t990\t0\t990\t990"),
            ("Groups:\t990 ", "Groups:\t0 990 "),
            ("CapPrm:\t0000000000000000", "CapPrm:\t0000000000004000"),
            ("CapAmb:\t0000000000000000\n", ""),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
        ] {
            assert!(STATUS.contains(from) && !is_dropped(&STATUS.replace(from, to), 991, 990), "{to}");
        }
    }
}
