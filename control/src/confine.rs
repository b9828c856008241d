//! What of the file system this process may touch (Landlock), from before its first thread on, so that all threads are held
//! to it: reading where programs, the machine and its own files are, writing where it keeps something, starting no program.

use crate::privilege::written;
use landlock::{
    ABI, Access, AccessFs, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    path_beneath_rules,
};
use sealgate_config::model::{Appliance, Device};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What is handled: files, directories and truncation. Calls on devices (V5) belong to DPDK's drivers.
const KNOWN: ABI = ABI::V3;
/// Where libraries, drivers, the system's certificates and names are, and the sockets of the manager and the journal.
const SYSTEM: [&str; 9] = ["/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev", "/run", "/var/run"];
/// Where DPDK's drivers write: vfio, huge pages, network devices.
const DRIVERS: [&str; 3] = ["/dev", "/sys", "/proc"];

/// Confines this thread and those that it makes, as far as the system can. Returns a line for the log.
///
/// * `config`: the appliance file; what lies beside it is read at a reload
pub fn confine(appliance: &Appliance, config: &Path) -> String {
    if !appliance.trust.token_keys.is_empty() {
        return "file access is not confined: a PKCS#11 module needs files that only it knows".to_owned();
    }
    let writes = writes(appliance);
    let eal = eal();
    // Nobody else makes it later. Where it cannot be made, EAL says so.
    let _ = DirBuilder::new().mode(0o700).create(&eal);
    match restrict(&reads(appliance, config), &writes, &eal) {
        Ok(status) => {
            let how = match status.ruleset {
                RulesetStatus::FullyEnforced => "file access is confined (Landlock)",
                RulesetStatus::PartiallyEnforced => "file access is confined as far as this kernel's Landlock can",
                RulesetStatus::NotEnforced => {
                    return "file access is not confined: no Landlock in this kernel".to_owned();
                }
            };
            let dirs: Vec<_> = writes.iter().map(|dir| dir.display().to_string()).collect();
            format!("{how}: writes to {} and devices, no program can be started", dirs.join(", "))
        }
        Err(error) => format!("file access is not confined: {error}"),
    }
}

fn restrict(reads: &[PathBuf], writes: &[PathBuf], eal: &Path) -> Result<RestrictionStatus, RulesetError> {
    // Execution is handled and given to nothing.
    let read = AccessFs::from_read(KNOWN) & !AccessFs::Execute;
    let all = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
    Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(DRIVERS, all))?
        .add_rules(path_beneath_rules([eal], all))?
        .add_rules(path_beneath_rules(reads, read))?
        .add_rules(path_beneath_rules(writes, all))?
        .restrict_self()
}

/// EAL's own directory, as DPDK 22.11 chooses it (`eal_create_runtime_dir`).
fn eal() -> PathBuf {
    let named = std::env::var_os("RUNTIME_DIRECTORY").or_else(|| match rustix::process::getuid().is_root() {
        true => Some("/var/run".into()),
        false => std::env::var_os("XDG_RUNTIME_DIR"),
    });
    PathBuf::from(named.unwrap_or_else(|| "/tmp".into())).join("dpdk")
}

/// Directories of the files that the configuration names.
fn reads(appliance: &Appliance, config: &Path) -> Vec<PathBuf> {
    let trust = &appliance.trust;
    let files = trust.anchors.iter().chain([&appliance.policy]).map(PathBuf::as_path).chain([config]);
    let mut reads: Vec<PathBuf> = files.map(beside).collect();
    reads.extend(trust.certificates.iter().chain(&trust.crls).chain([&trust.keys]).cloned());
    if let Some(repository) = &trust.repository {
        reads.extend(repository.roots.iter().map(|file| beside(file)));
        reads.extend(repository.urls.iter().filter_map(|url| match url {
            sealgate_config::model::RepoUrl::Directory(dir) => Some(dir.clone()),
            sealgate_config::model::RepoUrl::Https(_) => None,
        }));
    }
    reads.extend(trust.x5u.iter().flat_map(|x5u| &x5u.roots).map(|file| beside(file)));
    for port in [&appliance.ports.interconnect, &appliance.ports.home] {
        if let Device::Pcap { rx: Some(rx), .. } = &port.device {
            reads.push(beside(rx));
        }
    }
    reads
}

/// Directories that are written to.
fn writes(appliance: &Appliance) -> Vec<PathBuf> {
    let mut writes: Vec<PathBuf> = written(appliance).into_iter().map(|(_, dir, _)| dir).collect();
    for port in [&appliance.ports.interconnect, &appliance.ports.home] {
        match &port.device {
            Device::Pcap { tx: Some(tx), .. } => writes.push(beside(tx)),
            Device::Memif(arguments) => {
                let socket = arguments.split(',').find_map(|argument| argument.strip_prefix("socket="));
                writes.extend(socket.map(|socket| beside(Path::new(socket))));
            }
            _ => {}
        }
    }
    writes.sort();
    writes.dedup();
    writes
}

/// The directory of a file.
fn beside(file: &Path) -> PathBuf {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::ErrorKind;

    #[test]
    fn a_confined_thread_reads_and_writes_where_it_may_and_nowhere_else() {
        let dir = std::env::temp_dir().join(format!("sealgate-confine-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for name in ["etc", "state", "run", "other"] {
            fs::create_dir_all(dir.join(name)).expect("made");
            fs::write(dir.join(name).join("file"), "octets").expect("written");
        }
        let text = "cores: {workers: [0]}\nports: {interconnect: {device: \"null\"}, home: {device: \"null\"}}\n\
                    trust: {anchors: [root.pem], certificates: certs, crls: crls, keys: keys}\npolicy: policy.yaml\n\
                    state: ../state\nadmin: {socket: ../run/admin.sock}\n";
        let config = dir.join("etc/sealgate.yaml");
        fs::write(&config, text).expect("written");
        let appliance = sealgate_config::load_appliance_on(&config, None).expect("good");
        let work = dir.clone();
        // Only this thread is confined.
        let confined = move || {
            let said = confine(&appliance, &config);
            let refused = |result: std::io::Result<()>| result.is_err_and(|e| e.kind() == ErrorKind::PermissionDenied);
            let write = |name: &str| fs::write(work.join(name), "more");
            let read = |name: &str| fs::read(work.join(name)).map(|_| ());
            assert!(write("state/new").is_ok() && write("run/new").is_ok() && read("etc/file").is_ok());
            assert!(read("/etc/hostname").is_ok() && fs::read("/proc/self/status").is_ok());
            let refusals = [write("etc/file"), write("other/new"), read("other/file"), write("/etc/sealgate-confine")];
            let held = refusals.map(refused);
            let program = refused(std::process::Command::new("/bin/true").status().map(|_| ()));
            (said, held, program)
        };
        let (said, held, program) = std::thread::spawn(confined).join().expect("no panic");
        let is = said.starts_with("file access is confined (Landlock): writes to ");
        assert!(is || said.contains("Landlock in this kernel"), "{said}");
        assert_eq!((held, program), ([is; 4], is), "{said}");
        let _ = fs::remove_dir_all(dir);
    }
}
