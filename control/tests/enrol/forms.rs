//! Requests that are none: each rule of the form is earned, over https.

use super::*;
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealgate_crypto::pki::oid;

fn client(lab: &Lab, wish: &Wish, invitation: &Path) -> Client {
    let octets = fs::read(invitation).expect("there");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&octets).collect();
    let key = PrivateKeyDer::from_pem_slice(&octets).expect("a key");
    let url = format!("https://localhost:{}", lab.port);
    Client::new(&url, &wish.roots, chain.expect("a certificate"), key).expect("a client")
}

fn params() -> CertificateParams {
    let extension = |arcs: &[u64], critical, content| {
        let mut extension = CustomExtension::from_oid_content(arcs, content);
        extension.set_criticality(critical);
        extension
    };
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
    params.custom_extensions = vec![
        extension(oid::CSP_IDENTIFIERS, true, gt("99901").to_der().expect("encoded")),
        extension(oid::SIGNER_ROLE, false, Role::Csp.to_der()),
    ];
    params
}

#[test]
fn each_rule_of_the_form_is_earned_and_written_down() {
    let lab = Lab::new("forms");
    let wish = lab.gateway("home", gt("99901"));
    let client = client(&lab, &wish, &lab.invite("home"));
    let key = KeyPair::generate().expect("a key");
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = params();
        change(&mut params);
        params.serialize_request(&key).expect("made").der().to_vec()
    };
    let good = with(&|_| {});
    let flipped = |at: usize| {
        let mut octets = good.clone();
        let at = if at == usize::MAX { octets.len() - 1 } else { at };
        octets[at] ^= 1;
        octets
    };
    let tn = |octets: &[u8]| CustomExtension::from_oid_content(oid::TN_AUTH_LIST, octets.to_vec());
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (b"garbage".to_vec(), 400, "the request is neither DER nor PEM"),
        (Vec::new(), 400, "the request is neither DER nor PEM"),
        (good[..good.len() - 1].to_vec(), 400, "the request is not DER: an element is cut"),
        ([&good[..], &[0]].concat(), 400, "the request is not DER: octets follow"),
        (flipped(usize::MAX), 400, "the request's signature does not hold"),
        // A digit of the prefix in the signed part.
        (
            flipped(good.windows(5).position(|five| five == b"99901").expect("there") + 4),
            400,
            "the request's signature",
        ),
        (
            with(&|p| p.key_usages = vec![KeyUsagePurpose::DigitalSignature]),
            400,
            "extension 2.5.29.15 is not of the profile",
        ),
        (
            with(&|p| p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            400,
            "extension 2.5.29.19 is not",
        ),
        (with(&|p| p.extended_key_usages.clear()), 400, "extension extKeyUsage is missing"),
        (
            with(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_REPOSITORY.to_vec())]),
            400,
            "extension extKeyUsage must be sg.2.1",
        ),
        (
            with(&|p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth)),
            400,
            "extension extKeyUsage must be",
        ),
        (with(&|p| drop(p.custom_extensions.remove(0))), 400, "extension cspIdentifiers is missing"),
        (with(&|p| drop(p.custom_extensions.remove(1))), 400, "extension signerRole is missing"),
        (with(&|p| p.custom_extensions[0].set_criticality(false)), 400, "extension cspIdentifiers must be critical"),
        (with(&|p| p.custom_extensions[1].set_criticality(true)), 400, "extension signerRole must not be critical"),
        (
            with(&|p| p.custom_extensions.push(p.custom_extensions[1].clone())),
            400,
            "extension signerRole stands there twice",
        ),
        // A service provider code would be missing in the certificate.
        (
            with(&|p| p.custom_extensions.push(tn(&[0x30, 6, 0xa0, 4, 0x16, 2, 0x31, 0x32]))),
            400,
            "extension TNAuthList holds other than",
        ),
        (with(&|p| p.custom_extensions.push(tn(&[0x30, 0]))), 400, "cspIdentifiers has an element"),
        (
            CertificateParams::default().serialize_request(&key).expect("made").der().to_vec(),
            400,
            "the request has attributes",
        ),
        (vec![0x30; 70_000], 413, "the request is longer than 65536"),
    ];
    for (octets, status, want) in cases {
        match client.hand_in(&octets) {
            Err(EnrolError::Refused { status: found, why, .. }) => {
                assert!(found == status && why.starts_with(want), "want {want}: {found} {why}");
                assert_eq!(lab.last(), ("refuse", Some("home".to_owned()), why));
            }
            other => panic!("{want}: {other:?}"),
        }
    }
    // Before anything reads it.
    let lines = lab.log().len();
    let large = client.hand_in(&vec![b'A'; 200_000]).expect_err("too large");
    assert!(matches!(large, EnrolError::Refused { status: 413, .. }), "{large}");
    assert_eq!(lab.log().len(), lines);
    let pem = params().serialize_request(&key).expect("made").pem().expect("PEM");
    assert!(matches!(client.hand_in(pem.as_bytes()), Ok(Reply::Waiting { .. })), "PEM is a form too");
}

#[test]
fn refusals_fill_no_disk() {
    let lab = Lab::new("flood");
    let mut authority = lab.authority();
    for _ in 0..1010 {
        assert!(authority.asker(None, now()).is_err());
    }
    assert_eq!(authority.audit().expect("a log").iter().filter(|one| one.what.name() == "refuse").count(), 1000);
    assert!(authority.asker(None, now() + Duration::hours(2)).is_err());
    assert_eq!(authority.audit().expect("a log").iter().filter(|one| one.what.name() == "refuse").count(), 1001);
}
