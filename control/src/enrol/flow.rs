//! One step towards a certificate: from whatever lies on disk to a ticket or an installed certificate.

use super::client::{Client, Reply};
use super::error::{EnrolError, io_at};
use super::files::{self, PRIVATE, Places, read_chain, read_key};
use super::request::certification_request;
use crate::durable;
use crate::tsca::fetch;
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealgate_config::model::TrustFiles;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{
    self, Anchor, Certificate, CertificationRequest, Identifiers, Kind, Options, Role, objects_from_octets,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Certificates in an answer: as deep as chains are (formats 12.1).
const MAX_CHAIN: usize = 4;

/// What is wanted, and how to get it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where key and certificate lie.
    pub places: Places,
    /// Address of the authority; `enrol` is below it.
    pub url: String,
    /// Whom the server's certificate must come from.
    pub roots: Vec<CertificateDer<'static>>,
    /// Trust anchors that the new certificate must come from, DER.
    pub anchors: Vec<Vec<u8>>,
    /// What to ask for; `None`: what the certificate in force has.
    pub identifiers: Option<Identifiers>,
    /// What kind of operator asks; `None`: that of the certificate in force, or a service provider.
    pub role: Option<Role>,
    /// Algorithm of a new key; `None`: that of the key in force, or P-256.
    pub alg: Option<Alg>,
    /// With what to ask.
    pub credential: Credential,
}

impl Wish {
    /// How a gateway with these files renews its certificate `name`; `None` without `trust.enrolment`.
    /// # Errors
    /// Anchors or roots that cannot be read.
    pub fn of(trust: &TrustFiles, name: &str) -> Result<Option<Self>, EnrolError> {
        let (Some(enrolment), Some(certificates)) = (&trust.enrolment, &trust.certificates) else { return Ok(None) };
        let places = Places { name: name.to_owned(), certificates: certificates.clone(), keys: trust.keys.clone() };
        Ok(Some(Self {
            places,
            url: enrolment.url.to_string(),
            roots: roots(&enrolment.roots)?,
            anchors: anchors(&trust.anchors)?,
            identifiers: None,
            role: None,
            alg: None,
            credential: Credential::Current,
        }))
    }
}

/// With what a gateway asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The certificate in force and its key.
    Current,
    /// An invitation: a file with a certificate and its key, PEM.
    Invitation(PathBuf),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody must approve it.
    Waiting {
        /// The authority's ticket.
        ticket: String,
        /// When to ask again, seconds.
        retry_s: u64,
    },
    /// The certificate is in force.
    Installed {
        /// Its file.
        certificate: PathBuf,
        /// Its serial number, hexadecimal.
        serial: String,
        /// Last second of its validity, seconds since 1970.
        not_after: i64,
    },
}

/// Asks once, and installs what is answered. Called again, it goes on where it was.
///
/// * `now`: seconds since 1970
/// # Errors
/// [`EnrolError`]; what was in force still is.
pub fn step(wish: &Wish, now: i64) -> Result<Step, EnrolError> {
    let places = &wish.places;
    places.settle(&mut || Ok(()))?;
    let current = places.current()?;
    let key_file = if current.is_some() { places.next_key() } else { places.key() };
    let request = prepare(wish, current.as_ref(), &key_file)?;
    let (chain, key) = credential(wish, current.as_ref(), now)?;
    let client = Client::new(&wish.url, &wish.roots, chain, key)?;
    let reply = match read_ticket(places)? {
        None => client.hand_in(&request.der),
        Some(ticket) => match client.ask_again(&ticket) {
            // The authority has lost it, or it was another authority's.
            Err(EnrolError::Refused { status: 404, .. }) => {
                forget(&places.ticket())?;
                client.hand_in(&request.der)
            }
            other => other,
        },
    };
    match reply {
        Ok(Reply::Waiting { ticket, retry_s }) => {
            write(&places.ticket(), ticket.as_bytes())?;
            Ok(Step::Waiting { ticket, retry_s })
        }
        Ok(Reply::Chain(pem)) => {
            let (made, chain) = accept(wish, &request, &pem, now)?;
            places.install(chain.as_bytes(), &mut || Ok(()))?;
            places.sweep(now)?;
            let serial = made.serial_hex();
            Ok(Step::Installed { certificate: places.certificate(), serial, not_after: made.not_after })
        }
        Err(fault) => {
            if matches!(fault, EnrolError::Refused { .. }) && !fault.is_temporary() {
                // A person or a rule said no: the next time it is a question of its own.
                forget(&places.ticket())?;
            }
            Err(fault)
        }
    }
}

/// The request that lies there, or a new one with its key. Both are on disk before anything is sent.
fn prepare(wish: &Wish, current: Option<&Certificate>, key_file: &Path) -> Result<CertificationRequest, EnrolError> {
    let places = &wish.places;
    let identifiers = wish.identifiers.as_ref().or(current.map(|one| &one.identifiers));
    let identifiers = identifiers.filter(|one| !one.is_empty()).ok_or(EnrolError::NoIdentifiers)?;
    let role = wish.role.or(current.and_then(|one| one.role)).unwrap_or(Role::Csp);
    let path = places.request();
    if key_file.exists() {
        let public = read_key(key_file)?.public();
        let held = fs::read(&path).ok().and_then(|octets| CertificationRequest::parse(&octets).ok());
        if let Some(held) = held.filter(|one| one.key == public && one.identifiers == *identifiers && one.role == role)
        {
            return Ok(held);
        }
    } else {
        let alg = wish.alg.or(current.map(|one| one.key.alg())).unwrap_or(Alg::P256);
        let key = crate::authority::new_key(alg).map_err(|fault| EnrolError::Make(fault.to_string()))?;
        write(key_file, key.serialize_pem().as_bytes())?;
    }
    let pem = fs::read_to_string(key_file).map_err(io_at(key_file))?;
    let key = KeyPair::from_pem(&pem).map_err(|fault| EnrolError::Make(fault.to_string()))?;
    let der = certification_request(&places.name, &key, identifiers, role)?;
    forget(&places.ticket())?;
    write(&path, &der)?;
    CertificationRequest::parse(&der).map_err(|fault| EnrolError::Make(fault.to_string()))
}

type Shown = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What the gateway shows of itself.
fn credential(wish: &Wish, current: Option<&Certificate>, now: i64) -> Result<Shown, EnrolError> {
    let (path, chain) = match (&wish.credential, current) {
        (Credential::Invitation(path), _) => {
            let octets = fs::read(path).map_err(io_at(path))?;
            let wrong = |why: String| EnrolError::File { path: path.clone(), why };
            let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&octets).collect();
            let all = all.map_err(|fault| wrong(fault.to_string()))?;
            if all.is_empty() {
                return Err(wrong("it holds no certificate".to_owned()));
            }
            (path.clone(), all)
        }
        (Credential::Current, Some(one)) if one.not_after >= now => {
            (wish.places.key(), vec![CertificateDer::from(one.der.clone())])
        }
        (Credential::Current, _) => return Err(EnrolError::NoCredential),
    };
    // Refuses a file that others can read.
    if matches!(wish.credential, Credential::Current) {
        read_key(&path)?;
    }
    let octets = fs::read(&path).map_err(io_at(&path))?;
    let key = PrivateKeyDer::from_pem_slice(&octets);
    Ok((chain, key.map_err(|fault| EnrolError::File { path, why: fault.to_string() })?))
}

/// Whether an answer is what was asked for: the key, the identifiers, the role, and a way to an anchor of ours. Returns the
/// certificate, and the file of it and those above it.
fn accept(
    wish: &Wish,
    request: &CertificationRequest,
    pem: &[u8],
    now: i64,
) -> Result<(Certificate, String), EnrolError> {
    let wrong = |why: String| EnrolError::Answer(why);
    let objects = objects_from_octets(&wish.places.name, pem, Kind::Certificate);
    let objects = objects.map_err(|fault| wrong(fault.to_string()))?;
    if objects.len() > MAX_CHAIN {
        return Err(wrong(format!("it holds {} certificates", objects.len())));
    }
    let first = objects.first().ok_or_else(|| wrong("it is empty".to_owned()))?;
    let made = Certificate::parse(first).map_err(|refused| wrong(refused.to_string()))?;
    if made.key != request.key {
        return Err(wrong("it certifies another key".to_owned()));
    }
    let same =
        made.identifiers.is_subset_of(&request.identifiers) && request.identifiers.is_subset_of(&made.identifiers);
    if !same || made.role != Some(request.role) {
        return Err(wrong("it certifies other identifiers than were asked for".to_owned()));
    }
    let anchors: Vec<_> = wish.anchors.iter().map(|der| Anchor { der: der.clone(), limit: None }).collect();
    let trust = pki::load(&anchors, &objects, &[], Options::default(), now);
    let signer = trust.signers.iter().find(|one| one.certificate.der == made.der);
    let Some(signer) = signer else {
        let why = trust.rejected.iter().find(|one| one.name == wish.places.name);
        let why = why.map_or_else(String::new, |one| format!(": {}", one.detail));
        return Err(wrong(format!("it does not come from an anchor of ours{why}")));
    };
    if now < signer.valid_from || now > signer.valid_to {
        return Err(wrong("it is not valid now; is the clock right?".to_owned()));
    }
    // Written anew, so that nothing else that came with it is installed.
    let chain = objects.iter().map(|one| crate::authority::pem(&one.der)).collect();
    Ok((made, chain))
}

fn read_ticket(places: &Places) -> Result<Option<String>, EnrolError> {
    let path = places.ticket();
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)
            .filter(|text| (1..=64).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_alphanumeric()))),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(io_at(&path)(fault)),
    }
}

fn write(path: &Path, octets: &[u8]) -> Result<(), EnrolError> {
    durable::write(path, octets, PRIVATE).map_err(io_at(path))
}

fn forget(path: &Path) -> Result<(), EnrolError> {
    files::remove(path).map_err(io_at(path))
}

/// Whom an https server must be certified by, for [`Wish::roots`]; without files, the system's.
/// # Errors
/// A file without a certificate, or no file of the system's.
pub fn roots(paths: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, EnrolError> {
    let path = || paths.first().cloned().unwrap_or_default();
    fetch::roots(paths).map_err(|fault| EnrolError::File { path: path(), why: fault.to_string() })
}

/// Trust anchors from files, for [`Wish::anchors`].
/// # Errors
/// A file without a certificate.
pub fn anchors(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, EnrolError> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(read_chain(path)?.into_iter().map(|one| one.der));
    }
    Ok(all)
}
