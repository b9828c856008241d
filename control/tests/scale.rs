//! A repository with many operators of ten Global Title prefixes each: how long a first look, a delta and a swap take.
//!
//! `SEALGATE_OPERATORS=10000 cargo test --release -p sealgate-control --test scale -- --nocapture` prints the figures.

#[path = "common/repository.rs"]
mod repository;

use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PublicKeyData,
};
use repository::{Memory, NOW, Publisher, local, vectors};
use sealgate_control::tsca::store::Store;
use sealgate_control::tsca::sync::{Client, Settings};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{Identifiers, Role, oid};
use sealgate_crypto::verify::PublicKey;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::Keys;
use std::time::Instant;

/// Operators; `SEALGATE_OPERATORS` says another number.
const OPERATORS: u32 = 300;

fn ski(key: &KeyPair) -> KeyIdMethod {
    let public = PublicKey::from_spki_der(&key.subject_public_key_info()).expect("a key");
    KeyIdMethod::PreSpecified(public.ski().to_vec())
}

/// A certificate of the region for an operator with ten prefixes.
fn operator(number: u32, region: &Issuer<'_, KeyPair>) -> Vec<u8> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let time = |seconds| time::OffsetDateTime::from_unix_timestamp(NOW + seconds).expect("a time");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("operator {number}"));
    params.serial_number = Some(u64::from(10_000 + number).into());
    (params.not_before, params.not_after) = (time(-86_400), time(86_400 * 90));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
    params.key_identifier_method = ski(&key);
    params.use_authority_key_identifier_extension = true;
    let gt_prefixes = (0..10).map(|digit| (1, format!("999{number:05}{digit}"))).collect();
    let octets = Identifiers { gt_prefixes, ..Identifiers::default() }.to_der().expect("encoded");
    let mut identifiers = CustomExtension::from_oid_content(oid::CSP_IDENTIFIERS, octets);
    identifiers.set_criticality(true);
    params.custom_extensions.push(identifiers);
    params.custom_extensions.push(CustomExtension::from_oid_content(oid::SIGNER_ROLE, Role::Csp.to_der()));
    params.signed_by(&key, region).expect("made").der().to_vec()
}

#[test]
fn many_operators() {
    let operators =
        std::env::var("SEALGATE_OPERATORS").map_or(OPERATORS, |number| number.parse().expect("a number of operators"));
    let pem = std::fs::read_to_string(vectors().join("keys/region.key.pem")).expect("there");
    let key = KeyPair::from_pem(&pem).expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Sealgate Test");
    params.distinguished_name.push(DnType::CommonName, "TSCA Test Region 999");
    params.key_identifier_method = ski(&key);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let region = Issuer::new(params, key);
    let mut publisher = Publisher::new();
    for number in 0..operators {
        publisher.objects.insert(format!("csp/op-{number}.cer"), operator(number, &region));
    }
    publisher.publish();
    let mut client = Client::new(Settings::default(), local(), None, NOW);
    let timed = |what: &str, client: &mut Client, publisher: &Publisher| {
        let mut memory = Memory::of(publisher);
        let began = Instant::now();
        client.round(&mut [&mut memory], NOW, 0);
        println!("{what}: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(client.held().map(|held| held.manifest.serial), Some(publisher.serial));
        assert!(client.alarms().iter().next().is_none());
    };
    let octets = publisher.files["snapshot-2.json"].len();
    timed(
        &format!("first look, {} objects, {} MB", publisher.objects.len(), octets / 1_000_000),
        &mut client,
        &publisher,
    );
    publisher.objects.insert("csp/op-new.cer".to_owned(), operator(operators, &region));
    publisher.publish();
    timed("delta of one operator", &mut client, &publisher);
    let dir = std::env::temp_dir().join(format!("sealgate-scale-{}", std::process::id()));
    let store = Store::at(&dir);
    store.make().expect("a directory");
    let began = Instant::now();
    store.save(client.held().expect("held")).expect("saved");
    println!("store: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    let again = Client::new(Settings::default(), local(), Some(store.load(&local()).expect("read")), NOW);
    println!("start from the store: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    assert_eq!(again.trust().signers.len(), client.trust().signers.len());
    let _ = std::fs::remove_dir_all(dir);
    let text = "version: 1\nhome:\n  gt_prefixes: [{plan: e164, digits: \"99901\"}]\n  plmns: [\"00101\"]\nlinks:\n  wire: {type: m3ua, \
                remote: [192.0.2.10], local: [198.51.100.10], opcs: [4128], dpcs: [4112], ni: [international], \
                routing_contexts: [1], si: [sccp]}\npeers:\n  A: {gt: [\"99902\"], plmns: [\"00102\"]}\n";
    let policy = sealgate_config::Policy::parse(text).unwrap_or_else(|faults| panic!("{faults}"));
    let ring = KeyRing::new();
    let mut last = None;
    for what in ["first compile", "compile with known keys"] {
        let began = Instant::now();
        let snapshot = Snapshot::compile(&policy, client.trust(), &Keys::new(), 1500, &ring).expect("compiled");
        println!("{what}: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(snapshot.signers.len(), client.trust().signers.len());
        last = Some(snapshot);
    }
    drop(last);
}
