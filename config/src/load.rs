//! From a file or a text to a checked configuration, or to all that is wrong with it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Faults, Report};
use crate::model::{Appliance, Geo, GeoPlace, Policy};
use crate::raw::{self, MAX_FILE};
use crate::walk::Item;
use crate::{appliance, geo, policy};

/// Loads an appliance file. Relative paths in it are taken from its directory.
///
/// # Errors
/// All that is wrong with the file.
pub fn load_appliance(path: &Path) -> Result<Appliance, Faults> {
    load_appliance_on(path, None)
}

/// [`load_appliance`] for a machine on which this process may run on the cores `present`; `None`: not known.
///
/// # Errors
/// All that is wrong with the file; a core map that this machine cannot have is among it, with the map.
pub fn load_appliance_on(path: &Path, present: Option<&[usize]>) -> Result<Appliance, Faults> {
    let file = path.display().to_string();
    let mut appliance = read(&contents(path)?, &file, |root| appliance::read(root, present))?;
    if let Some(base) = path.parent() {
        appliance::resolve(&mut appliance, base);
    }
    Ok(appliance)
}

/// Reads an appliance from `text`; `file` is its name in faults. Relative paths stay as they are.
///
/// # Errors
/// All that is wrong with the text.
pub fn parse_appliance(text: &str, file: &str) -> Result<Appliance, Faults> {
    read(text, file, |root| appliance::read(root, None))
}

/// Loads a policy file for a gateway with one worker.
///
/// # Errors
/// All that is wrong with the file.
pub fn load_policy(path: &Path) -> Result<Policy, Faults> {
    load_policy_for(path, 1)
}

/// Loads a policy file for a gateway with `workers` workers, each of which needs a node number to sign with.
///
/// # Errors
/// All that is wrong with the file.
pub fn load_policy_for(path: &Path, workers: usize) -> Result<Policy, Faults> {
    let base = path.parent().unwrap_or(Path::new(""));
    let mean = |root: &Item<'_>| policy::read(root, workers, base);
    let (policy, faults) = examine(&contents(path)?, &path.display().to_string(), mean);
    let mut faults = faults.unwrap_or_default();
    let policy = policy.map(|mut policy| {
        if let Some(geo) = &mut policy.detection.velocity.geo {
            faults = std::mem::take(&mut faults).and(read_geo(path.parent(), geo).err().unwrap_or_default());
        }
        policy
    });
    match policy {
        Some(policy) if faults.is_empty() => Ok(policy),
        _ => Err(faults),
    }
}

/// Reads the geography that a policy names; a relative path is taken from the directory of the policy.
fn read_geo(base: Option<&Path>, geo: &mut Geo) -> Result<(), Faults> {
    if let Some(base) = base {
        geo.file = base.join(&geo.file);
    }
    geo.places = load_geo(&geo.file)?;
    Ok(())
}

/// Loads a geography: where number prefixes and networks are.
///
/// # Errors
/// All that is wrong with the file.
pub fn load_geo(path: &Path) -> Result<Vec<GeoPlace>, Faults> {
    parse_geo(&contents(path)?, &path.display().to_string())
}

/// Reads a geography from `text`; `file` is its name in faults.
///
/// # Errors
/// All that is wrong with the text.
pub fn parse_geo(text: &str, file: &str) -> Result<Vec<GeoPlace>, Faults> {
    let report = Report::new(file);
    let places = geo::read(text, &report);
    if report.is_clean() { Ok(places) } else { Err(report.into_faults()) }
}

/// Reads a policy from `text` for a gateway with one worker; `file` is its name in faults. Relative paths in it are taken from
/// the working directory.
///
/// # Errors
/// All that is wrong with the text.
pub fn parse_policy(text: &str, file: &str) -> Result<Policy, Faults> {
    parse_policy_for(text, file, 1)
}

/// Reads a policy from `text` for a gateway with `workers` workers; `file` is its name in faults.
///
/// # Errors
/// All that is wrong with the text.
pub fn parse_policy_for(text: &str, file: &str, workers: usize) -> Result<Policy, Faults> {
    read(text, file, |root| policy::read(root, workers, Path::new("")))
}

/// Loads an appliance file and the policy file that it names; `present` as in [`load_appliance_on`].
///
/// # Errors
/// All that is wrong with both files. A policy is not looked for while its name is in doubt.
pub fn load(path: &Path, present: Option<&[usize]>) -> Result<(Appliance, Policy), Faults> {
    let appliance = match load_appliance_on(path, present) {
        Ok(appliance) => appliance,
        Err(faults) => {
            // A wrong ring size should not hide what is wrong with the policy.
            let sibling = named_policy(path).filter(|policy| policy.is_file());
            let others = sibling.and_then(|policy| load_policy(&policy).err());
            return Err(others.into_iter().fold(faults, Faults::and));
        }
    };
    let policy = load_policy_for(&appliance.policy, appliance.cores.workers.len())?;
    Ok((appliance, policy))
}

/// The policy file that a faulty appliance file names.
fn named_policy(path: &Path) -> Option<PathBuf> {
    let value: serde_yaml::Value = serde_yaml::from_str(&contents(path).ok()?).ok()?;
    Some(path.parent()?.join(value.get("policy")?.as_str()?))
}

impl Appliance {
    /// [`parse_appliance`] of a text without a file.
    ///
    /// # Errors
    /// All that is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        parse_appliance(text, "appliance")
    }
}

impl Policy {
    /// [`parse_policy`] of a text without a file, for one worker.
    ///
    /// # Errors
    /// All that is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        parse_policy(text, "policy")
    }
}

pub(crate) fn read<T>(text: &str, file: &str, mean: impl FnOnce(&Item<'_>) -> T) -> Result<T, Faults> {
    let (value, faults) = examine(text, file, mean);
    match (value, faults) {
        (Some(value), None) => Ok(value),
        (_, faults) => Err(faults.unwrap_or_default()),
    }
}

/// What a text says, with a stand-in wherever it says it wrongly, and what is wrong with it.
fn examine<T>(text: &str, file: &str, mean: impl FnOnce(&Item<'_>) -> T) -> (Option<T>, Option<Faults>) {
    let report = Report::new(file);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // some editors begin UTF-8 with a mark
    let Some(node) = raw::read(text, &report) else { return (None, Some(report.into_faults())) };
    let value = mean(&Item::root(&node, &report));
    if report.is_clean() && !raw::agrees(text, &node) {
        let remedy = "write it more plainly: one key a line, text in quotes";
        report.add(None, "", "two YAML readers understand this file differently", remedy);
    }
    let faults = (!report.is_clean()).then(|| report.into_faults());
    (Some(value), faults)
}

/// The text of a file of bounded size.
pub(crate) fn contents(path: &Path) -> Result<String, Faults> {
    let refuse = |line: usize, message: String, remedy: &str| {
        let file = path.display().to_string();
        let fault = Fault { file, line, column: line.min(1), path: String::new(), message, remedy: remedy.to_owned() };
        Faults::from(fault)
    };
    let unreadable = |error| refuse(0, format!("cannot be read: {error}"), "check the path and who may read it");
    let mut octets = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > MAX_FILE {
        return Err(refuse(0, format!("more than {MAX_FILE} octets"), "this is not a configuration: check the path"));
    }
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let lines = error.as_bytes().iter().take(good).filter(|octet| **octet == b'\n').count();
        refuse(lines + 1, "octets that are not UTF-8".to_owned(), "save the file as UTF-8")
    })
}
