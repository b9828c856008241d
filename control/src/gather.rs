//! From the files of a gateway to everything it needs, or to all that is wrong with them.
//!
//! `run`, `check` and the commands that judge capture files read the same files through the same door, so that what
//! `check` accepts is what `run` starts with.

mod keys;

pub use keys::keep_own;

use crate::cli::CliError;
use crate::examples;
use crate::tsca::alarm::Alarm;
use crate::tsca::fetch;
use crate::tsca::store::{LoadError, Store};
use crate::tsca::sync::{Client, Local, Settings};
use keys::{read_keys, read_token_keys};
use sealgate_config::model::{Appliance, CrlStale, KeyRef, Policy, RepoStale, Repository, TrustFiles, X5uMiss};
use sealgate_config::{Fault, load_appliance_on, load_policy_for};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, CertState, Kind, Object, Options, Trust};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::{CompileError, Keys};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the files of a gateway say, each checked by itself.
#[derive(Debug)]
pub struct Files {
    /// The machine.
    pub appliance: Appliance,
    /// Who may speak.
    pub policy: Policy,
    /// Anchors, certificates and revocation lists in files.
    pub local: Local,
    /// All private keys that were found; [`keep_own`] says which are ours.
    pub keys: Keys,
    /// What works and should not stay so, a sentence each: files that are not used.
    pub warnings: Vec<String>,
}

/// Everything that the files of a gateway say, checked and compiled.
#[derive(Debug)]
pub struct Gathered {
    /// The machine.
    pub appliance: Appliance,
    /// Who may speak.
    pub policy: Policy,
    /// Certificates and revocation lists, judged at the time of reading.
    pub trust: Arc<Trust>,
    /// All private keys that were found; [`keep_own`] says which are ours.
    pub keys: Keys,
    /// What follows the repository if there is one, with the last good state of it.
    pub client: Client,
    /// Policy and trust as the workers read them.
    pub snapshot: Snapshot,
    /// What works and should not stay so, a sentence each: certificates and keys that are not used.
    pub warnings: Vec<String>,
}

/// All that is wrong with the files. Displays as one line a fault; a refused core map follows as a table.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The faults, in the order of reading; never empty in an error.
    pub faults: Vec<Fault>,
    /// The core map, where the cores are at fault.
    pub core_map: Option<String>,
    /// What would have been warnings.
    pub warnings: Vec<String>,
}

impl Problems {
    /// The faults for programs.
    pub fn to_json(&self) -> Value {
        let fault = |fault: &Fault| {
            json!({ "file": fault.file, "line": fault.line, "column": fault.column, "key": fault.path,
                "message": fault.message, "remedy": fault.remedy })
        };
        self.faults.iter().map(fault).collect()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i == 0 { "" } else { "\n" })?;
        }
        match &self.core_map {
            Some(map) => write!(f, "\n\ncore map refused:\n{map}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for CliError {
    fn from(problems: Problems) -> Self {
        let shown = problems.to_string();
        Self::new(shown, "sealgate check shows all that is wrong with a configuration")
            .with_code(CliError::CONFIGURATION)
    }
}

/// What could be read, though parts of it may be missing or wrong.
struct Draft {
    appliance: Appliance,
    policy: Option<Policy>,
    local: Local,
    keys: Keys,
    /// Names of keys that have a fault.
    lost: Vec<String>,
}

impl Draft {
    /// Reads the appliance file, the policy that it names, certificates, revocation lists and keys.
    ///
    /// * `present`: cores that this process may run on; `None`: not known, any will do
    /// # Errors
    /// An appliance file with faults, which hides all others but those of the policy; others go to `found`.
    fn read(file: &Path, present: Option<&[usize]>, found: &mut Problems) -> Result<Self, Problems> {
        let appliance = match load_appliance_on(file, present) {
            Ok(appliance) => appliance,
            Err(_) => {
                // This one also looks into the policy file, if the faulty file still names it.
                let faults = sealgate_config::load(file, present).err().unwrap_or_default();
                let core_map = faults.core_map().map(str::to_owned);
                return Err(Problems { faults: faults.iter().cloned().collect(), core_map, warnings: Vec::new() });
            }
        };
        let policy = match load_policy_for(&appliance.policy, appliance.cores.workers.len()) {
            Ok(policy) => Some(policy),
            Err(faults) => {
                found.faults.extend(faults.iter().cloned());
                None
            }
        };
        let local = read_local(file, &appliance.trust, found);
        let signing = policy.as_ref().and_then(|policy| policy.home.signing.as_ref());
        if let Some((path, why, remedy)) = crate::enrol::fault(&appliance.trust, signing.map(|one| one.cert.as_str()))
            && policy.is_some()
        {
            found.faults.push(fault(file, path, why, remedy));
        }
        let signs = policy.as_ref().is_none_or(|policy| policy.home.signing.is_some());
        let mut lost = Vec::new();
        let mut keys = read_keys(file, &appliance.trust.keys, signs, &mut lost, found);
        read_token_keys(file, &appliance.trust.token_keys, &mut keys, &mut lost, found);
        Ok(Self { appliance, policy, local, keys, lost })
    }
}

impl Files {
    /// Reads everything again, for a gateway that runs.
    /// # Errors
    /// All faults of all files at once, as far as one does not hide another.
    pub fn read(file: &Path) -> Result<Self, Problems> {
        let mut found = Problems::default();
        let Draft { appliance, policy, local, keys, .. } = Draft::read(file, None, &mut found)?;
        match policy {
            Some(policy) if found.faults.is_empty() => {
                Ok(Self { appliance, policy, local, keys, warnings: found.warnings })
            }
            _ => Err(found),
        }
    }
}

impl Gathered {
    /// Reads the appliance file, the policy that it names and the trust directories, and compiles them.
    ///
    /// * `present`: cores that this process may run on; `None`: not known, any will do
    /// * `now`: seconds since 1970, at which certificates are judged
    /// # Errors
    /// All faults of all files at once, as far as one does not hide another.
    pub fn read(file: &Path, present: Option<&[usize]>, now: i64) -> Result<Self, Problems> {
        let mut found = Problems::default();
        let Draft { appliance, policy, local, keys, lost } = Draft::read(file, present, &mut found)?;
        let mut client = begin(file, &appliance.trust, local, now, &mut found);
        let trust = client.in_force(now);
        check_anchors(file, &client, &mut found);
        found.warnings.extend(doubts(&trust, now));
        if let Some(signing) = policy.as_ref().and_then(|one| one.home.signing.as_ref()) {
            client.pin(&signing.cert);
        }
        if policy.as_ref().is_some_and(|policy| policy.stir.x5u_miss == X5uMiss::Hold) && appliance.trust.x5u.is_none()
        {
            let text =
                "stir.x5u_miss: hold: no call waits, since nothing is fetched without trust.x5u in the appliance file";
            found.warnings.push(text.to_owned());
        }
        let snapshot = policy.as_ref().and_then(|policy| {
            let ready = Ready::new(policy, &keys, &trust);
            found.warnings.extend(ready.warnings());
            match Snapshot::compile(&ready.policy, &trust, &ready.own, mtu(&appliance), &KeyRing::new()) {
                Ok(snapshot) => {
                    let wrong = examples::judge(policy, &trust, &keys, mtu(&appliance), now).unwrap_or_default();
                    for wrong in wrong {
                        // What became of a certificate since is no reason not to start.
                        match &wrong.signer {
                            Some(_) => found.warnings.push(wrong.to_string()),
                            None => found.faults.push(wrong.fault(&appliance.policy)),
                        }
                    }
                    Some(snapshot)
                }
                Err(errors) => {
                    // That a key is missing follows from its own fault.
                    let follows =
                        |error: &&CompileError| matches!(error, CompileError::SigningKey(name) if lost.contains(name));
                    let errors = errors.iter().filter(|error| !follows(error));
                    found.faults.extend(errors.map(|error| compile_fault(&appliance.policy, error)));
                    None
                }
            }
        });
        match (policy, snapshot) {
            (Some(policy), Some(snapshot)) if found.faults.is_empty() => {
                Ok(Self { appliance, policy, trust, keys, client, snapshot, warnings: found.warnings })
            }
            _ => Err(found),
        }
    }
}

/// Largest IP packet of both ports.
pub fn mtu(appliance: &Appliance) -> u16 {
    appliance.ports.interconnect.mtu.min(appliance.ports.home.mtu)
}

/// A policy and keys as far as they go with the certificates that are known.
pub struct Ready {
    /// The policy without the keys of SG-TCAP-0 whose certificates are missing.
    pub policy: Policy,
    /// Our keys.
    pub own: Keys,
    /// Names of the certificates that are missing.
    pub missing: Vec<String>,
    /// Names of keys of others.
    pub foreign: Vec<String>,
}

impl Ready {
    /// Leaves out what does not go with these certificates.
    pub fn new(policy: &Policy, keys: &Keys, trust: &Trust) -> Self {
        let (policy, missing) = without_lost_keys(policy, trust);
        let mut own = keys.clone();
        let foreign = keep_own(&mut own, &policy, trust);
        Self { policy, own, missing, foreign }
    }

    /// What was left out, a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let missing =
            self.missing.iter().map(|name| format!("sigfw_keys: {name} is not used until its certificate is known"));
        let names = self.foreign.join(", ");
        let foreign = (!names.is_empty())
            .then(|| format!("private keys of others lie in the key directory and are not used: {names}"));
        missing.chain(foreign)
    }
}

/// The policy without the keys of SG-TCAP-0 whose certificates are gone, and their names: one certificate that was
/// withdrawn must not keep a revocation of others from taking effect.
fn without_lost_keys(policy: &Policy, trust: &Trust) -> (Policy, Vec<String>) {
    let names: HashSet<&str> = trust.signers.iter().map(|one| one.certificate.name.as_str()).collect();
    let (mut policy, mut missing) = (policy.clone(), Vec::new());
    policy.sigfw_keys.retain(|key| match &key.key {
        KeyRef::Certificate(name) if !names.contains(name.as_str()) => {
            missing.push(name.clone());
            false
        }
        KeyRef::Certificate(_) | KeyRef::Spki(_) => true,
    });
    (policy, missing)
}

/// The line on which a key stands, from 1; 0 if it is not found. Each part of the path is looked for after the one above it;
/// what is not found leaves the line of the part above.
fn line_of(file: &Path, path: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let (mut found, mut from) = (0, (0, 0));
    for key in path.split('.').filter_map(|part| part.split('[').next()) {
        let Some((line, column)) = place_of(&text, key, from) else { break };
        (found, from) = (line + 1, (line, column));
    }
    found
}

/// Line and column of `key:` at or behind a place, both from 0; comments do not count.
fn place_of(text: &str, key: &str, from: (usize, usize)) -> Option<(usize, usize)> {
    let wanted = format!("{key}:");
    text.lines().enumerate().skip(from.0).find_map(|(number, line)| {
        let line = line.split('#').next().unwrap_or_default();
        let mut places = line.match_indices(&wanted).map(|(at, _)| at);
        let column = places.find(|&at| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            (number, at) >= from && before.is_none_or(|c| matches!(c, ' ' | '{' | ',' | '-'))
        })?;
        Some((number, column))
    })
}

/// A fault of a key of this file.
pub(crate) fn fault(file: &Path, path: &str, message: String, remedy: &str) -> Fault {
    Fault {
        file: file.display().to_string(),
        line: line_of(file, path),
        column: 0,
        path: path.to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}

/// A fault of compiling: the message carries key, cause and remedy, in this form.
pub(crate) fn compile_fault(policy: &Path, error: &CompileError) -> Fault {
    let (path, remedy) = match error {
        CompileError::SigningCert(_) => {
            ("home.signing.cert", "sealgate check lists the certificates that were rejected")
        }
        CompileError::SigningKey(_) => ("home.signing.cert", "the key is a PKCS#8 file named after the certificate"),
        CompileError::SigfwKey(_) => ("sigfw_keys", "name a loaded certificate, or give spki"),
        CompileError::StirCert(_) => ("stir.certificates", "name a loaded certificate"),
        CompileError::DessKey(_) => ("dess_keys", "name a loaded certificate of RSA or P-256, or give spki"),
        CompileError::TooMany(_) => {
            ("", "names of earlier policies count until the next start: start again, or split the file")
        }
    };
    let text = error.to_string();
    let message = text.strip_prefix(path).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
    fault(policy, path, message.to_owned(), remedy)
}

/// Anchors, certificates and revocation lists in files.
fn read_local(file: &Path, files: &TrustFiles, found: &mut Problems) -> Local {
    let mut anchors = Vec::new();
    for (i, path) in files.anchors.iter().enumerate() {
        match pki::objects_from_file(path, Kind::Certificate) {
            Ok(objects) => anchors.extend(objects.into_iter().map(|object| Anchor { der: object.der, limit: None })),
            Err(error) => found.faults.push(fault(
                file,
                &format!("trust.anchors[{i}]"),
                error.to_string(),
                "give the root certificate of your TSCA, or make a lab authority: sealgate tsca init DIR",
            )),
        }
    }
    let mut objects = |key, dir: &Option<PathBuf>, kind| {
        dir.as_deref().map(|dir| read_objects(file, key, dir, kind, found)).unwrap_or_default()
    };
    let certificates = objects("trust.certificates", &files.certificates, Kind::Certificate);
    let crls = objects("trust.crls", &files.crls, Kind::Crl);
    Local { anchors, certificates, crls }
}

/// What follows the repository from the last good state of it, or holds what the files say where none is followed.
fn begin(file: &Path, files: &TrustFiles, local: Local, now: i64, found: &mut Problems) -> Client {
    let options = Options {
        crl_grace_s: i64::from(files.crl_grace_s),
        crl_stale: match files.crl_stale {
            CrlStale::Fail => pki::CrlStale::Fail,
            CrlStale::Keep => pki::CrlStale::Keep,
        },
    };
    let remedy = "name the certificate that the server's comes from, or install the system's (ca-certificates)";
    if let Some(x5u) = &files.x5u
        && let Err(error) = fetch::roots(&x5u.roots)
    {
        found.faults.push(fault(file, "trust.x5u.roots", error.to_string(), remedy));
    }
    let Some(repository) = &files.repository else {
        return Client::new(Settings { options, ..Settings::ALONE }, local, None, now);
    };
    if let Err(error) = fetch::roots_of(repository) {
        found.faults.push(fault(file, "trust.repository.roots", error.to_string(), remedy));
    }
    last_good(repository, local, options, now, found)
}

/// That there is an anchor that can be used, if any was given that could be read.
pub(crate) fn check_anchors(file: &Path, client: &Client, found: &mut Problems) {
    let trust = client.trust();
    if !client.local().anchors.is_empty() && trust.authorities.is_empty() {
        let why = trust.rejected.first().map_or(String::new(), |one| format!(": {}: {}", one.fault, one.detail));
        let remedy = "a trust anchor is a self-signed authority certificate of the TSCA profile";
        found.faults.push(fault(file, "trust.anchors", format!("no anchor can be used{why}"), remedy));
    }
}

/// Certificates that are not used, or will be refused, a sentence each.
pub(crate) fn doubts(trust: &Trust, now: i64) -> Vec<String> {
    let rejected = trust.rejected.iter().map(|one| format!("{} is not used: {}: {}", one.name, one.fault, one.detail));
    let doubtful = trust.signers.iter().filter_map(|signer| {
        let state = signer.state(now);
        let fault = state.fault()?;
        let later = state == CertState::NotYetValid;
        let what = if later { "not valid yet" } else { "refused where a signature is required" };
        Some(format!("{} is {what}: {fault}", signer.certificate.name))
    });
    rejected.chain(doubtful).collect()
}

/// Begins with what was held last of a repository.
fn last_good(repository: &Repository, local: Local, options: Options, now: i64, found: &mut Problems) -> Client {
    let settings = Settings {
        poll_s: repository.poll_s.into(),
        max_shrink_percent: repository.max_shrink_percent.into(),
        shrink_hold_s: repository.shrink_hold_s.into(),
        max_stale_s: repository.max_stale_s.into(),
        stale_fails: repository.repo_stale == RepoStale::Fail,
        options,
    };
    match Store::at(&repository.store).load(&local) {
        Ok(good) => Client::new(settings, local, Some(good), now),
        Err(LoadError::None) => Client::new(settings, local, None, now),
        Err(LoadError::Lost(why)) => {
            let text =
                format!("{}: {why}; nothing of the repository is trusted until it answers", repository.store.display());
            found.warnings.push(format!("{}: {text}", Alarm::StoreLost));
            let mut client = Client::new(settings, local, None, now);
            client.alarms_mut().raise(Alarm::StoreLost, text, now);
            client
        }
    }
}

fn read_objects(file: &Path, key: &str, dir: &Path, kind: Kind, found: &mut Problems) -> Vec<Object> {
    match pki::objects_from_dir(dir, kind) {
        Ok((objects, errors)) => {
            found.warnings.extend(errors.iter().map(|error| format!("{error}: passed over")));
            objects
        }
        Err(error) => {
            found.faults.push(fault(
                file,
                key,
                error.to_string(),
                "give a directory that can be read; it may be empty",
            ));
            Vec::new()
        }
    }
}
