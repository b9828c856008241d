//! Bodies of the fuzz targets, replayed over random and broken octets by plain tests.

use super::{Anchor, Certificate, CertificationRequest, Crl, Identifiers, Object, Options, Role, load};

/// No octets make a decoder panic, and what decodes encodes back to itself.
pub fn pki(octets: &[u8]) {
    let object = Object { name: "fuzz".to_owned(), der: octets.to_vec() };
    if let Ok(certificate) = Certificate::parse(&object) {
        assert_eq!(certificate.ski.first_chunk(), Some(&certificate.sai));
        assert!(certificate.serial.len() <= 20 && certificate.not_before <= certificate.not_after);
        identifiers_read_back(&certificate.identifiers);
    }
    if let Ok(crl) = Crl::parse(&object) {
        assert!(crl.this_update <= crl.next_update);
    }
    if let Ok(request) = CertificationRequest::parse(octets) {
        identifiers_read_back(&request.identifiers);
    }
    if let Ok(role) = Role::from_der(octets) {
        assert_eq!(role.to_der(), octets);
    }
    if let Ok(found) = Identifiers::from_der(octets) {
        identifiers_read_back(&found);
    }
    let mut found = Identifiers::default();
    if found.read_tn_auth_list(octets).is_ok() {
        identifiers_read_back(&found);
    }
}

/// As [`pki`], through the whole load procedure, with the octets in each place.
pub fn chain(octets: &[u8]) {
    let object = Object { name: "fuzz".to_owned(), der: octets.to_vec() };
    let anchor = Anchor { der: octets.to_vec(), limit: None };
    let objects = std::slice::from_ref(&object);
    let trust = load(&[anchor], objects, objects, Options::default(), 1_795_000_000);
    assert!(trust.signers.is_empty(), "a certificate that is its own anchor signs no messages");
}

fn identifiers_read_back(found: &Identifiers) {
    assert!(found.is_subset_of(found) && found.is_subset_of(&Identifiers::everything()));
    assert!(found.intersect(found).is_subset_of(found));
    let again = found.to_der().and_then(|octets| {
        let mut again = Identifiers::from_der(&octets)?;
        if let Some(list) = found.tn_auth_list_to_der()? {
            again.read_tn_auth_list(&list)?;
        }
        Ok(again)
    });
    assert_eq!(again.as_ref(), Ok(found));
}
