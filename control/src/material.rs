//! Policy and trust for the commands that judge capture files, compiled for the time of the capture.

use crate::cli::CliError;
use crate::gather::Gathered;
use sealgate_config::model::Port;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, Kind, Options};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::Keys;
use std::path::{Path, PathBuf};

/// Where policy and trust come from: an appliance file, or a policy file and the directory of an authority.
#[derive(Clone, Debug, clap::Args)]
pub struct Source {
    /// Appliance file; policy and trust are those that it names.
    #[arg(long, value_name = "SEALGATE.yaml", required_unless_present = "policy", conflicts_with_all = ["policy", "trust"])]
    pub config: Option<PathBuf>,
    /// Policy file, without an appliance.
    #[arg(long, value_name = "POLICY.yaml", requires = "trust")]
    pub policy: Option<PathBuf>,
    /// Directory with anchors, certs, crls and keys, as `sealgate tsca init` makes it.
    #[arg(long, value_name = "DIR", requires = "policy")]
    pub trust: Option<PathBuf>,
}

/// Policy and trust as a worker reads them, and what should be said about their files.
#[derive(Debug)]
pub struct Compiled {
    /// The tables.
    pub snapshot: Snapshot,
    /// Files and certificates that are not used, a sentence each.
    pub notes: Vec<String>,
}

impl Source {
    /// Reads the files and compiles them for a time: a certificate that is not valid then is known, and what it signed
    /// is refused under its true name.
    ///
    /// * `now_ms`: milliseconds since 1970
    /// # Errors
    /// What is wrong with the files.
    pub fn compile(&self, now_ms: u64) -> Result<Compiled, CliError> {
        let now_s = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        match (&self.config, &self.policy, &self.trust) {
            (Some(config), _, _) => {
                let gathered = Gathered::read(config, None, now_s)?;
                Ok(Compiled { snapshot: gathered.snapshot, notes: gathered.warnings })
            }
            (None, Some(policy), Some(trust)) => from_parts(policy, trust, now_s),
            _ => Err(CliError::new("no policy", "give --config SEALGATE.yaml, or --policy POLICY.yaml --trust DIR")),
        }
    }
}

fn from_parts(policy: &Path, trust: &Path, now_s: i64) -> Result<Compiled, CliError> {
    let checked = "sealgate check shows all that is wrong with a configuration";
    let policy = sealgate_config::load_policy(policy)
        .map_err(|faults| CliError::new(faults.to_string().trim_end().to_owned(), checked))?;
    let unreadable = |fault: pki::ReadError| {
        CliError::new(fault.to_string(), "--trust wants a directory with anchors, certs, crls and keys")
    };
    let folder = |sub: &str, kind| pki::objects_from_dir(&trust.join(sub), kind).map_err(unreadable);
    let (anchors, damaged) = folder("anchors", Kind::Certificate)?;
    if let Some(fault) = damaged.into_iter().next() {
        return Err(unreadable(fault)); // a trust anchor is never left out in silence
    }
    let anchors: Vec<_> = anchors.into_iter().map(|object| Anchor { der: object.der, limit: None }).collect();
    let (certificates, mut damaged) = folder("certs", Kind::Certificate)?;
    let (crls, more) = folder("crls", Kind::Crl)?;
    damaged.extend(more);
    let mut keys = Keys::new();
    if let Some(signing) = &policy.home.signing {
        keys.insert(signing.cert.clone(), read_key(&trust.join(format!("keys/{}.key.pem", signing.cert)))?);
    }
    let loaded = pki::load(&anchors, &certificates, &crls, Options::default(), now_s);
    let snapshot = Snapshot::compile(&policy, &loaded, &keys, Port::MTU, &KeyRing::new()).map_err(|faults| {
        CliError::new(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "), checked)
    })?;
    let rejected = loaded.rejected.iter().map(|one| format!("{} is not used: {}: {}", one.name, one.fault, one.detail));
    Ok(Compiled { snapshot, notes: damaged.iter().map(ToString::to_string).chain(rejected).collect() })
}

/// Reads a private key.
/// # Errors
/// The file and what is wrong with it; never anything of its content.
pub fn read_key(path: &Path) -> Result<SigningKey, CliError> {
    let shown = path.display();
    let remedy = "put the private key of the signing certificate there, PKCS #8 in PEM";
    let text = std::fs::read_to_string(path).map_err(|fault| CliError::new(format!("{shown}: {fault}"), remedy))?;
    SigningKey::from_pkcs8_pem(&text).map_err(|fault| CliError::new(format!("{shown}: {fault}"), remedy))
}
