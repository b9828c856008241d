//! The project's test certificates and keys.
#![allow(dead_code, reason = "each test file uses a part")]

use sealgate_crypto::alg::Alg;
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::PublicKey;
use std::fs;
use std::path::PathBuf;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate name for each algorithm; its key file has the same name.
pub const SIGNERS: [(&str, Alg); 4] =
    [("a-ec", Alg::P256), ("a-ed", Alg::Ed25519), ("a-rsa", Alg::Rsa2048), ("a-p384", Alg::P384)];

pub fn vectors(name: &str) -> PathBuf {
    let dir = std::env::var_os("SEALGATE_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../dataplane/vectors")), PathBuf::from);
    dir.join(name)
}

pub fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(vectors(name)).unwrap()).unwrap()
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// SubjectPublicKeyInfo of a certificate.
pub fn spki(name: &str) -> Vec<u8> {
    let pem = fs::read(vectors(&format!("certs/{name}.pem"))).unwrap();
    let (_, pem) = parse_x509_pem(&pem).unwrap();
    X509Certificate::from_der(&pem.contents).unwrap().1.public_key().raw.to_vec()
}

pub fn public(name: &str) -> PublicKey {
    PublicKey::from_spki_der(&spki(name)).unwrap()
}

pub fn key_text(name: &str) -> String {
    fs::read_to_string(vectors(&format!("keys/{name}.key.pem"))).unwrap()
}

pub fn signing(name: &str) -> SigningKey {
    SigningKey::from_pkcs8_pem(&key_text(name)).unwrap()
}

pub fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let mut out = [0; 256];
    let len = key.sign(message, &mut out).unwrap();
    out[..len].to_vec()
}
