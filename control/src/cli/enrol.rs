//! `sealgate enrol`: this gateway's certificate.

use super::tsca::{AlgArg, IdentifierArgs, RoleArg};
use super::{CliError, print};
use crate::authority::notation;
use crate::enrol::{Credential, EnrolError, Places, Step, Wish, anchors, roots, step};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Arguments of `sealgate enrol`.
///
/// Makes a private key (mode 0600), sends a request signed by it, waits until somebody at the authority approves it, and
/// installs certificate and key as NAME.pem and NAME.key.pem. Broken off, the same command goes on with the same key and
/// ticket. The first time, --credential is the invitation that the authority made (sealgate tsca invite) and identifiers are
/// those that it has on record for you; after that the certificate in force and its identifiers are taken, and a key that is
/// replaced stays until its certificate ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the certificate, as home.signing.cert in the policy [default: the one there, with --config].
    #[arg(required_unless_present = "config")]
    name: Option<String>,
    /// The gateway's appliance file, which has directories, anchors and (trust.enrolment) the authority.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The authority's address: `https://tsca.example:8443/`.
    #[arg(long, required_unless_present = "config")]
    url: Option<String>,
    /// Certificate that the authority's https server is checked against [default: the system's].
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Trust anchor that the new certificate must come from.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    anchors: Vec<PathBuf>,
    /// Directory for the certificate.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    certificates: Option<PathBuf>,
    /// Directory for the private key.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    keys: Option<PathBuf>,
    /// The invitation: client certificate and key in one file [default: the certificate in force].
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    #[command(flatten)]
    identifiers: IdentifierArgs,
    /// What kind of operator you are [default: as before, or csp].
    #[arg(long)]
    role: Option<RoleArg>,
    /// Algorithm of a new key [default: as before, or p256].
    #[arg(long)]
    alg: Option<AlgArg>,
    /// Minutes to wait for approval; 0 asks once.
    #[arg(long, default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=10_080))]
    wait: u32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl From<EnrolError> for CliError {
    fn from(fault: EnrolError) -> Self {
        Self::new(fault.to_string(), fault.remedy())
    }
}

/// Runs the command.
/// # Errors
/// What stands in the way, with its remedy; also that nobody decided in time.
pub fn run(args: Args) -> Result<(), CliError> {
    let (wait, json) = (Duration::from_secs(60 * u64::from(args.wait)), args.json);
    let wish = wish(args)?;
    let _held = wish.places.hold()?;
    let until = Instant::now() + wait;
    let mut told = None;
    loop {
        match step(&wish, OffsetDateTime::now_utc().unix_timestamp())? {
            Step::Installed { certificate, serial, not_after } => {
                let (key, until) = (wish.places.key(), notation::show(not_after));
                let shown = match json {
                    true => format!(
                        "{:#}\n",
                        json!({ "state": "installed", "certificate": certificate, "private_key": key, "serial": serial,
                            "not_after": until })
                    ),
                    false => format!(
                        "installed {}: serial {serial}, valid to {until}\n\
                         \x20 certificate  {}\n\
                         \x20 private key  {} (mode 0600)\n\
                         next: once the authority has published it, name it in the policy (home.signing.cert: {}) and start or reload the gateway\n",
                        wish.places.name,
                        certificate.display(),
                        key.display(),
                        wish.places.name
                    ),
                };
                print(&shown);
                return Ok(());
            }
            Step::Waiting { ticket, retry_s } => {
                if told.as_ref() != Some(&ticket) {
                    eprintln!(
                        "waiting for the authority's approval, ticket {ticket}; Ctrl-C and the same command again go on"
                    );
                    told = Some(ticket.clone());
                }
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    if json {
                        print(&format!("{:#}\n", json!({ "state": "waiting", "ticket": ticket })));
                    }
                    return Err(CliError::new(
                        format!("nobody at the authority decided yet about ticket {ticket}"),
                        "ask them for it (sealgate tsca approve), then give the same command again",
                    ));
                }
                std::thread::sleep(Duration::from_secs(retry_s).min(left));
            }
        }
    }
}

/// From the command line, and what it leaves out from the appliance file.
fn wish(args: Args) -> Result<Wish, CliError> {
    let checked = "sealgate check shows all that is wrong with a configuration";
    let named = args.config.as_ref().map(|file| {
        sealgate_config::load(file, None).map_err(|faults| {
            CliError::new(faults.to_string().trim_end().to_owned(), checked).with_code(CliError::CONFIGURATION)
        })
    });
    let (trust, signing) = match named.transpose()? {
        Some((appliance, policy)) => (Some(appliance.trust), policy.home.signing.map(|signing| signing.cert)),
        None => (None, None),
    };
    let need = |what: &str, remedy: &str| {
        CliError::new(format!("{what} is not known"), remedy).with_code(CliError::CONFIGURATION)
    };
    let of_trust = trust.as_ref();
    let enrolment = of_trust.and_then(|trust| trust.enrolment.as_ref());
    let certificates = args.certificates.or_else(|| of_trust?.certificates.clone());
    let name = args
        .name
        .or(signing)
        .ok_or_else(|| need("the certificate's name", "give it, or home.signing.cert in the policy"))?;
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '.', '\0']) {
        return Err(need("a name for files", "give a name without dots and slashes"));
    }
    let files =
        if args.roots.is_empty() { enrolment.map(|one| one.roots.clone()).unwrap_or_default() } else { args.roots };
    let from = if args.anchors.is_empty() {
        of_trust.map(|one| one.anchors.clone()).unwrap_or_default()
    } else {
        args.anchors
    };
    let identifiers = Some(args.identifiers.take()).filter(|has| !has.is_empty());
    Ok(Wish {
        places: Places {
            name,
            certificates: certificates
                .ok_or_else(|| need("the directory of certificates", "give --certificates DIR"))?,
            keys: (args.keys.or_else(|| Some(of_trust?.keys.clone())))
                .ok_or_else(|| need("the directory of keys", "give --keys DIR"))?,
        },
        url: (args.url.or_else(|| Some(enrolment?.url.to_string())))
            .ok_or_else(|| need("the authority's address", "give --url, or trust.enrolment in the appliance file"))?,
        roots: roots(&files)?,
        anchors: anchors(&from)?,
        identifiers,
        role: args.role.map(Into::into),
        alg: args.alg.map(Into::into),
        credential: args.credential.map_or(Credential::Current, Credential::Invitation),
    })
}
