//! Where a private key on a PKCS#11 token is: a URI after RFC 7512, as far as it makes sense for a key that signs.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A private key on a token. What is not given is not compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenUri {
    /// Label of the token.
    pub token: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Label of the key.
    pub object: Option<String>,
    /// Identifier of the key, octets.
    pub id: Option<Vec<u8>>,
    /// The shared library of the token's maker; absolute.
    pub module: PathBuf,
    /// The file with the PIN; absolute.
    pub pin_file: PathBuf,
}

/// What is wrong with such a URI.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct TokenUriError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

const FORM: &str =
    "give pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/MODULE.so&pin-source=file:/etc/sealgate/token.pin";
const PATH_KEYS: &str = "use token, serial, object, id and type=private";
const QUERY_KEYS: &str = "use module-path and pin-source";
const ABSOLUTE: &str = "give a path that begins with /";

impl FromStr for TokenUri {
    type Err = TokenUriError;

    fn from_str(text: &str) -> Result<Self, TokenUriError> {
        let fault = |message: String, remedy| TokenUriError { message, remedy };
        let rest = text.strip_prefix("pkcs11:").ok_or_else(|| fault(format!("{text:?} is no PKCS#11 URI"), FORM))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut serial, mut object, mut kind) = (None, None, None, None);
        let (mut id, mut module, mut pin) = (None, None, None);
        let halves = [(path.split(';'), PATH_KEYS, true), (query.split('&'), QUERY_KEYS, false)];
        for (attributes, known, in_path) in halves {
            for attribute in attributes.filter(|attribute| !attribute.is_empty()) {
                let (key, value) = attribute
                    .split_once('=')
                    .ok_or_else(|| fault(format!("{attribute:?} has no value"), "give it as key=value"))?;
                let octets = decode(value).ok_or_else(|| {
                    fault(format!("{value:?} is not percent-encoded"), "write % and two hexadecimal digits")
                })?;
                if key == "id" && in_path {
                    once(&mut id, key, octets)?;
                    continue;
                }
                let words = String::from_utf8(octets)
                    .ok()
                    .filter(|words| !words.is_empty() && !words.contains(char::is_control));
                let words = words.ok_or_else(|| fault(format!("{key} is not text"), FORM))?;
                match (key, in_path) {
                    ("token", true) => once(&mut token, key, words)?,
                    ("serial", true) => once(&mut serial, key, words)?,
                    ("object", true) => once(&mut object, key, words)?,
                    ("type", true) if words == "private" => once(&mut kind, key, words)?,
                    ("module-path", false) => once(&mut module, key, PathBuf::from(words))?,
                    ("pin-source", false) => {
                        let path = words.strip_prefix("file:").unwrap_or(&words);
                        let path = if path.starts_with("///") { path.trim_start_matches("//") } else { path };
                        once(&mut pin, key, PathBuf::from(path))?;
                    }
                    ("pin-value", _) => {
                        let message = "pin-value puts the PIN where all who read this file see it".to_owned();
                        return Err(fault(message, "write it into a file of mode 600 and give pin-source=file:/path"));
                    }
                    _ => return Err(fault(format!("{key}={words} is of no use here"), known)),
                }
            }
        }
        if object.is_none() && id.is_none() {
            return Err(fault("it names no key".to_owned(), "give object=LABEL or id=%01"));
        }
        let absolute = |path: Option<PathBuf>, key: &str| match path {
            Some(path) if path.is_absolute() => Ok(path),
            Some(path) => Err(fault(format!("{key} {} is not absolute", path.display()), ABSOLUTE)),
            None => Err(fault(format!("{key} is missing"), FORM)),
        };
        let (module, pin_file) = (absolute(module, "module-path")?, absolute(pin, "pin-source")?);
        Ok(Self { token, serial, object, id, module, pin_file })
    }
}

fn once<T>(place: &mut Option<T>, key: &str, value: T) -> Result<(), TokenUriError> {
    if place.replace(value).is_some() {
        return Err(TokenUriError { message: format!("{key} stands here twice"), remedy: "keep one" });
    }
    Ok(())
}

/// Octets of a percent-encoded text (RFC 3986 2.1).
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'%' => {
                let mut digit = || char::from(octets.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    Some(out)
}

/// Percent-encodes all but unreserved characters and `keep`.
fn encode(f: &mut fmt::Formatter<'_>, octets: &[u8], keep: &[u8]) -> fmt::Result {
    octets.iter().try_for_each(|&octet| {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) || keep.contains(&octet) {
            f.write_char(octet.into())
        } else {
            write!(f, "%{octet:02x}")
        }
    })
}

impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "pkcs11:";
        let texts = [("token", &self.token), ("serial", &self.serial), ("object", &self.object)];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?.as_bytes())));
        for (key, octets) in texts.chain(self.id.iter().map(|id| ("id", id.as_slice()))) {
            write!(f, "{separator}{key}=")?;
            encode(f, octets, b"")?;
            separator = ";";
        }
        let path = |path: &Path| path.to_string_lossy().into_owned();
        f.write_str("?module-path=")?;
        encode(f, path(&self.module).as_bytes(), b"/")?;
        f.write_str("&pin-source=file:")?;
        encode(f, path(&self.pin_file).as_bytes(), b"/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str =
        "pkcs11:token=My%20HSM;serial=12ab;object=home-ec;id=%01%ff?module-path=/usr/lib/m.so&pin-source=file:/etc/pin";

    #[test]
    fn a_uri_is_read_and_written() {
        let uri: TokenUri = FULL.parse().unwrap();
        assert_eq!(uri.token.as_deref(), Some("My HSM"));
        assert_eq!((uri.serial.as_deref(), uri.object.as_deref()), (Some("12ab"), Some("home-ec")));
        assert_eq!(uri.id.as_deref(), Some(&[1, 255][..]));
        assert_eq!((uri.module.to_str(), uri.pin_file.to_str()), (Some("/usr/lib/m.so"), Some("/etc/pin")));
        assert_eq!(uri.to_string(), FULL);
    }

    #[test]
    fn other_ways_to_say_the_same() {
        let uri: TokenUri = FULL.parse().unwrap();
        for (from, to) in
            [("file:/etc", "file:///etc"), ("file:/etc", "/etc"), ("%ff", "%FF"), ("object=", "type=private;object=")]
        {
            assert_eq!(FULL.replace(from, to).parse(), Ok(uri.clone()), "{to}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, want) in [
            ("pkcs11:", "pkcs12:", "is no PKCS#11 URI"),
            ("serial=12ab", "slot-id=3", "slot-id=3 is of no use here"),
            ("serial=12ab", "type=public", "type=public is of no use here"),
            ("serial=12ab", "serial", "\"serial\" has no value"),
            ("serial=12ab", "token=b", "token stands here twice"),
            ("%20", "%2", "is not percent-encoded"),
            ("My%20HSM", "%80", "token is not text"),
            ("object=home-ec;id=%01%ff", "", "it names no key"),
            ("pin-source=file:/etc/pin", "pin-value=1234", "pin-value puts the PIN where"),
            ("pin-source=file:/etc/pin", "pin-source=|cat", "pin-source |cat is not absolute"),
            ("&pin-source=file:/etc/pin", "", "pin-source is missing"),
            ("module-path=/usr/lib/m.so&", "", "module-path is missing"),
            ("module-path=/usr/lib/m.so", "module-path=m.so", "module-path m.so is not absolute"),
        ] {
            let fault = FULL.replace(from, to).parse::<TokenUri>().unwrap_err();
            assert!(fault.message.contains(want), "{to}: {fault}");
        }
    }
}
