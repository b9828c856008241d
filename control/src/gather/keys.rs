//! Private keys: those in files, those on tokens, and which of them are ours.

use super::{Problems, fault};
use sealgate_config::model::{Policy, TokenUri};
use sealgate_crypto::pki::{Identifiers, Trust};
use sealgate_crypto::secret::SecretError;
use sealgate_crypto::sign::{KeyFileError, SigningKey};
use sealgate_crypto::token::TokenAddress;
use sealgate_dataplane::policy::snapshot::Keys;
use std::path::Path;

/// The private keys of a directory, each under the name of its file up to the first dot.
///
/// * `needed`: whether the policy signs; without that a missing directory is no fault
/// * `lost`: takes the names of keys that have a fault
pub(super) fn read_keys(file: &Path, dir: &Path, needed: bool, lost: &mut Vec<String>, found: &mut Problems) -> Keys {
    let mut keys = Keys::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            if needed {
                let message = format!("{}: {error}", dir.display());
                found.faults.push(fault(file, "trust.keys", message, "give the directory of your private keys"));
            }
            return keys;
        }
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    for path in paths {
        let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = stem.split('.').next().unwrap_or(&stem).to_owned();
        match SigningKey::from_file(&path) {
            Ok(key) => {
                keys.insert(name, key);
            }
            Err(KeyFileError::File(SecretError::Shared { mode })) => {
                let message = format!("{}: mode {mode:03o} lets others at this private key", path.display());
                found.faults.push(fault(file, "trust.keys", message, "chmod 600, and take a new key if it was read"));
                lost.push(name);
            }
            Err(error) => found.warnings.push(format!("{}: no private key: {error}", path.display())),
        }
    }
    keys
}

/// The private keys on tokens. Each is asked for a signature here, so a PIN or a token that is wrong shows now.
///
/// * `lost`: takes the names of keys that have a fault
pub(super) fn read_token_keys(
    file: &Path,
    wanted: &[(String, TokenUri)],
    keys: &mut Keys,
    lost: &mut Vec<String>,
    found: &mut Problems,
) {
    for (name, uri) in wanted {
        let address = TokenAddress {
            module: uri.module.clone(),
            token: uri.token.clone(),
            serial: uri.serial.clone(),
            object: uri.object.clone(),
            id: uri.id.clone(),
            pin_file: uri.pin_file.clone(),
        };
        match SigningKey::from_token(&address) {
            Ok(key) => {
                if keys.insert(name.clone(), key).is_some() {
                    found
                        .warnings
                        .push(format!("{name}: the key on the token is used, the key file of this name is not"));
                }
            }
            Err(error) => {
                let path = format!("trust.token_keys.{name}");
                found.faults.push(fault(file, &path, error.to_string(), error.remedy()));
                lost.push(name.clone());
            }
        }
    }
}

/// Leaves only our keys. A key in our directory counts as ours, and what comes in signed with it as reflected; but the key
/// directory of a lab authority holds everybody's.
///
/// Ours are the signing key, each key whose certificate speaks for a title of ours (the one before a renewal), and those
/// without a certificate: whoever has them, we must not believe. Returns the names of the others.
pub fn keep_own(keys: &mut Keys, policy: &Policy, trust: &Trust) -> Vec<String> {
    let signing = policy.home.signing.as_ref().map(|signing| signing.cert.as_str());
    let speaks_for_us = |identifiers: &Identifiers| {
        let home = policy.home.gt_prefixes.iter().map(|prefix| (prefix.plan as u8, prefix.digits.to_string()));
        let touches = |(plan, ours): (u8, String)| {
            identifiers.covers_gt(plan, &ours)
                || identifiers.gt_prefixes.iter().any(|(other, theirs)| *other == plan && theirs.starts_with(&ours))
        };
        home.into_iter().any(touches)
    };
    let mut foreign = Vec::new();
    keys.retain(|name, key| {
        let sai = key.public().sai();
        let authority = trust.authorities.iter().any(|one| one.certificate.sai == sai);
        let mut certified = trust.signers.iter().filter(|one| one.certificate.sai == sai).peekable();
        let others = certified.peek().is_some() && !certified.any(|one| speaks_for_us(&one.certificate.identifiers));
        let keep = signing == Some(name) || !(authority || others);
        if !keep {
            foreign.push(name.clone());
        }
        keep
    });
    foreign
}
