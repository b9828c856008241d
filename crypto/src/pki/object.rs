//! Files as they come: PEM or DER, one object or several.

use std::io;
use std::path::Path;
use x509_parser::pem::Pem;

/// Most octets of one file: a revocation list with half a million entries fits.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// A certificate or a revocation list, not yet looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What to call it in output: the file's name without its extensions.
    pub name: String,
    /// Its octets.
    pub der: Vec<u8>,
}

/// Which objects are wanted from a PEM file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `CERTIFICATE`.
    Certificate,
    /// `X509 CRL`.
    Crl,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::Crl => "X509 CRL",
        }
    }
}

/// Why a file gave no objects.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused; retry may help.
    #[error("{path}: {source}")]
    Io {
        /// File or directory.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any real one.
    #[error("{0}: larger than 32 MiB")]
    TooLarge(String),
    /// PEM that does not decode.
    #[error("{0}: not PEM: {1}")]
    Pem(String, String),
    /// Nothing of the wanted kind is in it.
    #[error("{0}: holds no {1}")]
    Empty(String, &'static str),
}

/// The objects of one kind in the octets of a file. DER counts as one object; of PEM, other labels are passed over.
///
/// The first object is called `name`, those after it `name#2` and so on.
/// # Errors
/// [`ReadError::Pem`] or [`ReadError::Empty`]; nothing is taken from a file of which a part does not decode.
pub fn objects_from_octets(name: &str, octets: &[u8], kind: Kind) -> Result<Vec<Object>, ReadError> {
    // A SEQUENCE with a long length: PEM never starts with these.
    if matches!(octets, [0x30, 0x80..=0xff, ..]) {
        return Ok(vec![Object { name: name.to_owned(), der: octets.to_vec() }]);
    }
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(octets) {
        let block = block.map_err(|fault| ReadError::Pem(name.to_owned(), fault.to_string()))?;
        if block.label == kind.label() {
            let name = match found.len() {
                0 => name.to_owned(),
                before => format!("{name}#{}", before + 1),
            };
            found.push(Object { name, der: block.contents });
        }
    }
    if found.is_empty() { Err(ReadError::Empty(name.to_owned(), kind.label())) } else { Ok(found) }
}

/// The objects of one kind in a file, named after it: `a-ec` for `certs/a-ec.pem`.
/// # Errors
/// As [`objects_from_octets`], with the path; [`ReadError::Io`] and [`ReadError::TooLarge`].
pub fn objects_from_file(path: &Path, kind: Kind) -> Result<Vec<Object>, ReadError> {
    let shown = path.display().to_string();
    let io = |source| ReadError::Io { path: shown.clone(), source };
    if std::fs::metadata(path).map_err(io)?.len() > MAX_FILE {
        return Err(ReadError::TooLarge(shown));
    }
    let octets = std::fs::read(path).map_err(io)?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(&file);
    objects_from_octets(stem, &octets, kind).map_err(|fault| match fault {
        ReadError::Pem(_, why) => ReadError::Pem(shown.clone(), why),
        ReadError::Empty(_, label) => ReadError::Empty(shown.clone(), label),
        other => other,
    })
}

/// The objects of one kind in the files `*.pem`, `*.crt`, `*.cer`, `*.crl` and `*.der` of a directory, in the order of
/// their names. A file that gives none is an error beside the others, not instead of them.
/// # Errors
/// [`ReadError::Io`] if the directory cannot be listed.
pub fn objects_from_dir(path: &Path, kind: Kind) -> Result<(Vec<Object>, Vec<ReadError>), ReadError> {
    let io = |source| ReadError::Io { path: path.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        let wanted = file.extension().and_then(|extension| extension.to_str());
        if matches!(wanted, Some("pem" | "crt" | "cer" | "crl" | "der")) {
            files.push(file);
        }
    }
    files.sort();
    let (mut objects, mut faults) = (Vec::new(), Vec::new());
    for file in files {
        match objects_from_file(&file, kind) {
            Ok(found) => objects.extend(found),
            Err(fault) => faults.push(fault),
        }
    }
    Ok((objects, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "text before\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n\
        -----BEGIN X509 CRL-----\nMAE=\n-----END X509 CRL-----\n\
        -----BEGIN CERTIFICATE-----\nMAI=\n-----END CERTIFICATE-----\n";

    #[test]
    fn pem_gives_each_object_of_the_kind() -> Result<(), ReadError> {
        let names = |found: Vec<Object>| found.into_iter().map(|one| (one.name, one.der)).collect::<Vec<_>>();
        let certificates = names(objects_from_octets("x", PEM.as_bytes(), Kind::Certificate)?);
        assert_eq!(certificates, [("x".into(), vec![0x30, 0]), ("x#2".into(), vec![0x30, 2])]);
        assert_eq!(names(objects_from_octets("x", PEM.as_bytes(), Kind::Crl)?), [("x".into(), vec![0x30, 1])]);
        assert_eq!(objects_from_octets("x", &[0x30, 0x82, 0, 0], Kind::Crl)?.len(), 1);
        Ok(())
    }

    #[test]
    fn what_is_not_pem_is_an_error() {
        for octets in [&b""[..], b"hello", b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(objects_from_octets("x", octets, Kind::Certificate), Err(ReadError::Empty(..))));
        }
        for octets in
            [&b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"[..], b"-----BEGIN CERTIFICATE-----\nMAA="]
        {
            assert!(matches!(objects_from_octets("x", octets, Kind::Certificate), Err(ReadError::Pem(..))));
        }
    }
}
