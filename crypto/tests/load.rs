//! The load procedure, check by check, over certificates made here by another library (rcgen).

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RevokedCertParams, SignatureAlgorithm,
};
use sealgate_crypto::pki::{
    Anchor, CertState, Certificate, CrlStale, Fault, Identifiers, Object, Options, Role, Trust, fuzzing, load, oid,
};
use sealgate_crypto::verify::PublicKey;
use std::sync::LazyLock;
use time::OffsetDateTime;

const NOW: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(second).expect("a second of this century")
}

fn ski(key: &KeyPair) -> [u8; 20] {
    PublicKey::from_spki_der(&key.subject_public_key_info()).expect("a key of the table").ski()
}

fn new_key(alg: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(alg).expect("a key")
}

fn wide() -> Identifiers {
    Identifiers { gt_prefixes: vec![(1, "999".into())], plmns: vec!["00102".into()], ..Identifiers::default() }
}

fn narrow() -> Identifiers {
    Identifiers { gt_prefixes: vec![(1, "99902".into())], ..Identifiers::default() }
}

fn extension(arcs: &[u64], critical: bool, content: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(arcs, content);
    extension.set_criticality(critical);
    extension
}

/// A key with its certificate parameters, which tests bend before signing.
struct Party {
    params: CertificateParams,
    key: KeyPair,
}

impl Party {
    fn new(name: &str, serial: u64, alg: &'static SignatureAlgorithm) -> Self {
        let key = new_key(alg);
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(serial.into());
        params.not_before = at(NOW - 10 * DAY);
        params.not_after = at(NOW + 100 * DAY);
        params.use_authority_key_identifier_extension = true;
        params.key_identifier_method = KeyIdMethod::PreSpecified(ski(&key).to_vec());
        Self { params, key }
    }

    fn authority(name: &str, serial: u64, path_len: Option<u8>, ids: &Identifiers) -> Self {
        let mut party = Self::new(name, serial, &PKCS_ECDSA_P256_SHA256);
        party.params.is_ca = IsCa::Ca(path_len.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
        party.params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        party.identify(ids);
        party
    }

    fn operator(name: &str, serial: u64) -> Self {
        let mut party = Self::new(name, serial, &PKCS_ECDSA_P256_SHA256);
        party.params.is_ca = IsCa::ExplicitNoCa;
        party.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        party.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
        party.identify(&narrow());
        party.params.custom_extensions.push(extension(oid::SIGNER_ROLE, false, Role::Csp.to_der()));
        party
    }

    fn with_key(mut self, alg: &'static SignatureAlgorithm) -> Self {
        self.key = new_key(alg);
        self.params.key_identifier_method = KeyIdMethod::PreSpecified(ski(&self.key).to_vec());
        self
    }

    fn identify(&mut self, ids: &Identifiers) {
        self.params.custom_extensions.retain(|one| !one.oid_components().eq(oid::CSP_IDENTIFIERS.iter().copied()));
        self.params.custom_extensions.insert(0, extension(oid::CSP_IDENTIFIERS, true, ids.to_der().expect("ids")));
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn signed_by(&self, issuer: &Self) -> Object {
        let certificate = self.params.signed_by(&self.key, &issuer.issuer()).expect("it signs");
        self.object(certificate.der().to_vec())
    }

    fn self_signed(&self) -> Object {
        self.object(self.params.self_signed(&self.key).expect("it signs").der().to_vec())
    }

    fn object(&self, der: Vec<u8>) -> Object {
        let name = match self.params.distinguished_name.get(&DnType::CommonName) {
            Some(rcgen::DnValue::Utf8String(name)) => name.clone(),
            _ => String::new(),
        };
        Object { name, der }
    }

    fn crl(&self, number: u64, this_update: i64, next_update: i64, serials: &[u64]) -> Object {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: at(NOW - DAY),
            reason_code: Some(rcgen::RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: at(this_update),
            next_update: at(next_update),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::PreSpecified(ski(&self.key).to_vec()),
        };
        let crl = params.signed_by(&self.issuer()).expect("it signs");
        Object { name: format!("{}-crl-{number}", self.object(Vec::new()).name), der: crl.der().to_vec() }
    }

    fn fresh_crl(&self) -> Object {
        self.crl(1, NOW - DAY, NOW + DAY, &[])
    }
}

/// A root, a region, and the lists both publish.
struct Lab {
    root: Party,
    region: Party,
    anchor: Object,
    region_der: Object,
}

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let root = Party::authority("root", 1, None, &Identifiers::everything());
    let region = Party::authority("region", 2, Some(0), &wide());
    Lab { anchor: root.self_signed(), region_der: region.signed_by(&root), root, region }
});

impl Lab {
    fn anchors(&self) -> Vec<Anchor> {
        vec![Anchor { der: self.anchor.der.clone(), limit: None }]
    }

    fn crls(&self) -> Vec<Object> {
        vec![self.root.fresh_crl(), self.region.fresh_crl()]
    }

    /// Loads `objects` beside the region, with fresh empty lists.
    fn load(&self, objects: &[Object]) -> Trust {
        let mut all = objects.to_vec();
        all.push(self.region_der.clone());
        load(&self.anchors(), &all, &self.crls(), Options::default(), NOW)
    }
}

fn names(trust: &Trust) -> Vec<&str> {
    trust.signers.iter().map(|one| one.certificate.name.as_str()).collect()
}

/// The one rejection there is.
fn rejection(trust: &Trust) -> (Fault, &str) {
    assert_eq!(trust.rejected.len(), 1, "{:#?}", trust.rejected);
    (trust.rejected[0].fault, trust.rejected[0].detail.as_str())
}

#[test]
fn every_kind_of_key_signs_messages() {
    let algs = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256];
    let objects: Vec<Object> = (10..)
        .zip(algs)
        .map(|(serial, alg)| Party::operator(&format!("op{serial}"), serial).with_key(alg).signed_by(&LAB.region))
        .collect();
    let trust = LAB.load(&objects);
    assert_eq!(names(&trust), ["op10", "op11", "op12", "op13"], "{:#?}", trust.rejected);
    assert!(trust.rejected.is_empty() && trust.authorities.len() == 2 && trust.crls.len() == 2);
    assert!(trust.signers.iter().all(|one| one.state(NOW) == CertState::Good));
}

#[test]
fn each_field_of_the_profile_is_earned() {
    type Bend = (&'static str, fn(&mut Party));
    let operator: &[Bend] = &[
        ("basicConstraints is missing", |p| p.params.is_ca = IsCa::NoCa),
        ("keyUsage must be digitalSignature", |p| p.params.key_usages.clear()),
        ("keyUsage must be digitalSignature", |p| p.params.key_usages.push(KeyUsagePurpose::KeyAgreement)),
        ("keyUsage must be digitalSignature", |p| p.params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        ("RFC 7093 method 1", |p| p.params.key_identifier_method = KeyIdMethod::Sha256),
        ("RFC 7093 method 1", |p| p.params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 20])),
        ("not 20 octets", |p| p.params.key_identifier_method = KeyIdMethod::PreSpecified(vec![7; 8])),
        ("authorityKeyIdentifier is missing", |p| p.params.use_authority_key_identifier_extension = false),
        ("cspIdentifiers is missing", |p| drop(p.params.custom_extensions.remove(0))),
        ("cspIdentifiers must be critical", |p| p.params.custom_extensions[0].set_criticality(false)),
        ("signerRole must not be critical", |p| p.params.custom_extensions[1].set_criticality(true)),
        ("signerRole is missing", |p| drop(p.params.custom_extensions.pop())),
        ("unknown signer role", |p| {
            p.params.custom_extensions[1] = extension(oid::SIGNER_ROLE, false, vec![0x0a, 1, 3]);
        }),
        ("anyIdentifier is for trust anchors", |p| p.identify(&Identifiers::everything())),
        ("twice", |p| p.params.custom_extensions.push(extension(oid::SIGNER_ROLE, false, Role::Hub.to_der()))),
        ("critical extension", |p| p.params.custom_extensions.push(extension(&[1, 2, 3, 4], true, vec![5, 0]))),
        ("TNAuthList must not be critical", |p| {
            p.params.custom_extensions.push(extension(oid::TN_AUTH_LIST, true, vec![0x30, 0]));
        }),
        ("TNAuthList:", |p| p.params.custom_extensions.push(extension(oid::TN_AUTH_LIST, false, vec![0x30, 0]))),
        ("serial number", |p| p.params.serial_number = Some(0.into())),
        ("serial number", |p| p.params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x7f; 21]))),
        ("more than 398 days", |p| p.params.not_after = p.params.not_before + time::Duration::days(399)),
        ("ends before it begins", |p| p.params.not_after = p.params.not_before - time::Duration::days(1)),
        ("repository signer has no cspIdentifiers", |p| {
            p.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_REPOSITORY.to_vec())];
        }),
    ];
    for (want, bend) in operator {
        let mut party = Party::operator("bent", 20);
        bend(&mut party);
        let trust = LAB.load(&[party.signed_by(&LAB.region)]);
        let (fault, detail) = rejection(&trust);
        assert_eq!(fault, Fault::Profile, "{want}");
        assert!(detail.contains(want), "want {want:?}, got {detail:?}");
    }
    let authority: &[Bend] = &[
        ("keyUsage must be keyCertSign and cRLSign", |p| p.params.key_usages.truncate(1)),
        ("no signerRole", |p| p.params.custom_extensions.push(extension(oid::SIGNER_ROLE, false, vec![0x0a, 1, 0]))),
        ("no extKeyUsage", |p| {
            p.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
        }),
        ("not P-256 or P-384", |p| {
            p.key = new_key(&PKCS_ED25519);
            p.params.key_identifier_method = KeyIdMethod::PreSpecified(ski(&p.key).to_vec());
        }),
    ];
    for (want, bend) in authority {
        let mut party = Party::authority("bent", 20, Some(0), &wide());
        bend(&mut party);
        let trust = LAB.load(&[party.signed_by(&LAB.root)]);
        let (fault, detail) = rejection(&trust);
        assert!(fault == Fault::Profile && detail.contains(want), "want {want:?}, got {detail:?}");
    }
}

#[test]
fn unknown_extensions_pass_unless_critical() {
    let mut party = Party::operator("op", 21);
    party.params.custom_extensions.push(extension(&[1, 2, 3, 4], false, vec![5, 0]));
    assert_eq!(names(&LAB.load(&[party.signed_by(&LAB.region)])), ["op"]);
}

#[test]
fn the_key_usage_of_an_end_entity_is_exactly_one() {
    let purpose = |arcs: &[u64]| ExtendedKeyUsagePurpose::Other(arcs.to_vec());
    let (messages, repository) = (purpose(oid::EKU_MESSAGES), purpose(oid::EKU_REPOSITORY));
    for purposes in [
        vec![],
        vec![ExtendedKeyUsagePurpose::ServerAuth],
        vec![ExtendedKeyUsagePurpose::Any],
        vec![messages.clone(), repository.clone()],
        vec![messages, ExtendedKeyUsagePurpose::ClientAuth],
    ] {
        let mut party = Party::operator("op", 22);
        party.params.extended_key_usages = purposes;
        assert_eq!(rejection(&LAB.load(&[party.signed_by(&LAB.region)])).0, Fault::Eku);
    }
    let mut party = Party::operator("repo", 23);
    party.params.extended_key_usages = vec![repository];
    party.params.custom_extensions.clear();
    let trust = LAB.load(&[party.signed_by(&LAB.region)]);
    assert!(trust.rejected.is_empty() && trust.signers.is_empty());
    assert_eq!(trust.repository.len(), 1);
}

#[test]
fn chains_are_no_longer_than_four_and_mind_the_path_length() {
    let root = &LAB.root;
    let first = Party::authority("first", 30, Some(1), &wide());
    let second = Party::authority("second", 31, Some(0), &wide());
    let third = Party::authority("third", 32, None, &wide());
    let (fourth, fifth) = (Party::operator("fourth", 33), Party::operator("fifth", 34));
    let objects = [
        fifth.signed_by(&third),
        fourth.signed_by(&second),
        third.signed_by(&second),
        second.signed_by(&first),
        first.signed_by(root),
    ];
    let crls: Vec<Object> = [root, &first, &second, &third].iter().map(|one| one.fresh_crl()).collect();
    let trust = load(&LAB.anchors(), &objects, &crls, Options::default(), NOW);
    assert_eq!(names(&trust), ["fourth"]);
    let faults: Vec<_> = trust.rejected.iter().map(|one| (one.name.as_str(), one.fault)).collect();
    assert_eq!(faults, [("fifth", Fault::Chain), ("third", Fault::Chain), ("third-crl-1", Fault::Chain)]);
    assert!(trust.rejected[1].detail.contains("more than 4"), "{:#?}", trust.rejected);

    // The region has path length 0: an authority below it is refused, and what that one issued.
    let below = Party::authority("below", 35, None, &wide());
    let trust = LAB.load(&[below.signed_by(&LAB.region), Party::operator("op", 36).signed_by(&below)]);
    assert!(names(&trust).is_empty() && trust.rejected.iter().all(|one| one.fault == Fault::Chain));
    assert!(trust.rejected[0].detail.contains("may not have authorities below"), "{:#?}", trust.rejected);
}

#[test]
fn only_a_known_issuer_with_its_own_key_counts() {
    let rogue_root = Party::authority("root", 1, None, &Identifiers::everything());
    let rogue_region = Party::authority("region", 2, Some(0), &wide());
    let by_impostor = Party::operator("impostor", 40).signed_by(&rogue_region);
    let (fault, detail) = (LAB.load(std::slice::from_ref(&by_impostor)), "another key than authorityKeyIdentifier");
    assert!(rejection(&fault).0 == Fault::Chain && rejection(&fault).1.contains(detail));

    // The right names and key identifier, signed by another key.
    let mut liar = Party::authority("region", 2, Some(0), &wide());
    liar.params.key_identifier_method = LAB.region.params.key_identifier_method.clone();
    let trust = LAB.load(&[Party::operator("liar", 41).signed_by(&liar)]);
    assert!(rejection(&trust).0 == Fault::Chain && rejection(&trust).1.contains("signature is not from"));

    let objects = [rogue_root.self_signed(), rogue_region.signed_by(&rogue_root), by_impostor];
    let trust = LAB.load(&objects);
    assert!(trust.signers.is_empty() && trust.authorities.len() == 2);
    assert!(trust.rejected.iter().all(|one| one.fault == Fault::Chain));
    assert!(trust.rejected.iter().any(|one| one.detail.contains("no configured trust anchor")));

    // An operator cannot issue.
    let operator = Party::operator("op", 42);
    let trust = LAB.load(&[Party::operator("child", 43).signed_by(&operator), operator.signed_by(&LAB.region)]);
    assert_eq!((names(&trust), rejection(&trust).0), (vec!["op"], Fault::Chain));
}

#[test]
fn an_anchor_is_a_self_signed_authority() {
    let anchor = |object: Object| load(&[Anchor { der: object.der, limit: None }], &[], &[], Options::default(), NOW);
    assert_eq!(rejection(&anchor(LAB.region_der.clone())).0, Fault::Chain);
    assert_eq!(rejection(&anchor(Party::operator("op", 1).self_signed())).0, Fault::Profile);
    assert_eq!(rejection(&anchor(Object { name: String::new(), der: vec![1, 2, 3] })).0, Fault::Profile);
    assert!(anchor(LAB.anchor.clone()).rejected.is_empty());
}

#[test]
fn time_and_revocation_keep_the_signer_and_name_the_state() {
    let window = |from: i64, to: i64| {
        let mut party = Party::operator("op", 50);
        (party.params.not_before, party.params.not_after) = (at(from), at(to));
        party.signed_by(&LAB.region)
    };
    let state = |object: Object| {
        let trust = LAB.load(&[object]);
        assert!(trust.rejected.is_empty(), "{:#?}", trust.rejected);
        (trust.signers[0].state(NOW), trust.signers[0].next_change(NOW), trust.next_change)
    };
    let late = NOW + 2 * DAY + 1; // the lists of the lab are due after a day and have a day of grace
    assert_eq!(state(window(NOW, NOW + DAY)), (CertState::Good, Some(NOW + DAY + 1), Some(NOW + DAY + 1)));
    assert_eq!(state(window(NOW - DAY, NOW)), (CertState::Good, Some(NOW + 1), Some(NOW + 1)));
    assert_eq!(state(window(NOW - DAY, NOW - 1)), (CertState::Expired, Some(late), Some(late)));
    assert_eq!(state(window(NOW + 1, NOW + DAY)), (CertState::NotYetValid, Some(NOW + 1), Some(NOW + 1)));

    let operator = Party::operator("op", 51);
    let objects = [LAB.region_der.clone(), operator.signed_by(&LAB.region)];
    let judge = |root: &[u64], region: &[u64]| {
        let crls = [LAB.root.crl(1, NOW - 1, NOW + DAY, root), LAB.region.crl(1, NOW - 1, NOW + DAY, region)];
        load(&LAB.anchors(), &objects, &crls, Options::default(), NOW).signers[0].state(NOW)
    };
    assert_eq!(judge(&[], &[]), CertState::Good);
    assert_eq!(judge(&[], &[50, 51]), CertState::Revoked);
    assert_eq!(judge(&[51], &[]), CertState::Good, "the serial number of another issuer");
    assert_eq!(judge(&[2], &[]), CertState::Revoked, "its authority is revoked");
}

#[test]
fn revocation_lists_must_be_there_signed_newest_and_fresh() {
    let objects = [LAB.region_der.clone(), Party::operator("op", 60).signed_by(&LAB.region)];
    let (root, region) = (LAB.root.crl(1, NOW - DAY, NOW + 9 * DAY, &[]), &LAB.region);
    let judge = |crls: &[Object], options, now| {
        let mut all = crls.to_vec();
        all.push(root.clone());
        let trust = load(&LAB.anchors(), &objects, &all, options, now);
        (trust.signers[0].state(now), trust.rejected.len())
    };
    let fail = Options::default();
    let keep = Options { crl_stale: CrlStale::Keep, ..fail };
    let (good, stale, revoked) = ((CertState::Good, 0), (CertState::CrlStale, 0), (CertState::Revoked, 0));
    assert_eq!(judge(&[], fail, NOW), stale, "missing");
    assert_eq!(judge(&[], keep, NOW), stale, "there is nothing to keep");
    let list = [region.crl(1, NOW - DAY, NOW, &[])];
    assert_eq!(judge(&list, fail, NOW + DAY), good, "the last second of the grace");
    assert_eq!(judge(&list, fail, NOW + DAY + 1), stale);
    assert_eq!(judge(&list, Options { crl_grace_s: 0, ..fail }, NOW + 1), stale);
    assert_eq!(judge(&list, keep, NOW + DAY + 1), good);
    assert_eq!(judge(&[region.crl(1, NOW + 1, NOW + DAY, &[60])], fail, NOW), stale, "not made yet");

    // 0x0100 is newer than 0xff, whatever the order of the files and the dates say.
    let (old, new) = (region.crl(0xff, NOW, NOW + DAY, &[]), region.crl(0x100, NOW - DAY, NOW + DAY, &[60]));
    assert_eq!(judge(&[old.clone(), new.clone()], fail, NOW), revoked);
    assert_eq!(judge(&[new, old], fail, NOW), revoked);

    let rogue = Party::authority("region", 2, Some(0), &wide());
    assert_eq!(judge(&[rogue.fresh_crl()], fail, NOW), (CertState::CrlStale, 1), "of another key");
    let mut bent = region.fresh_crl();
    if let Some(last) = bent.der.last_mut() {
        *last ^= 1;
    }
    assert_eq!(judge(&[bent], fail, NOW), (CertState::CrlStale, 1), "signature broken");
}

#[test]
fn time_does_not_wake_what_claims_too_much() {
    let mut party = Party::operator("op", 70);
    party.identify(&Identifiers { gt_prefixes: vec![(1, "998".into())], ..Identifiers::default() });
    let trust = LAB.load(&[party.signed_by(&LAB.region)]);
    assert_eq!(rejection(&trust).0, Fault::Overclaim);
    assert!(rejection(&trust).1.contains("GT prefix 998"), "{}", rejection(&trust).1);
    (party.params.not_before, party.params.not_after) = (at(NOW + DAY), at(NOW + 2 * DAY));
    let trust = LAB.load(&[party.signed_by(&LAB.region)]);
    assert_eq!(rejection(&trust).0, Fault::NotYetValid, "the first failed check names it");
}

/// An operator's certificate with the root's own name and key: signed by an anchor, and still no anchor.
#[test]
fn only_an_anchor_has_any_identifier() {
    let mut party = Party::operator("root", 71);
    party.identify(&Identifiers::everything());
    party.params.key_identifier_method = LAB.root.params.key_identifier_method.clone();
    let der = party.params.signed_by(&LAB.root.key, &LAB.root.issuer()).expect("it signs").der().to_vec();
    let trust = LAB.load(&[Object { name: "twin".into(), der }]);
    assert_eq!(rejection(&trust).0, Fault::Profile);
    assert!(trust.signers.is_empty());
}

#[test]
fn a_limit_on_the_anchor_narrows_everything_below() {
    let mut party = Party::operator("op", 80);
    party.identify(&wide());
    let limit = Identifiers { gt_prefixes: vec![(1, "99902".into()), (1, "88".into())], ..Identifiers::default() };
    let anchors = [Anchor { der: LAB.anchor.der.clone(), limit: Some(limit) }];
    let objects = [LAB.region_der.clone(), party.signed_by(&LAB.region)];
    let trust = load(&anchors, &objects, &LAB.crls(), Options::default(), NOW);
    assert!(trust.rejected.is_empty());
    assert_eq!(trust.signers[0].certificate.identifiers, narrow());
}

#[test]
fn renewals_of_operators_and_authorities_live_side_by_side() {
    let mut party = Party::operator("op", 90);
    let first = party.signed_by(&LAB.region);
    party.params.serial_number = Some(91.into());
    let second = party.signed_by(&LAB.region);
    let trust = LAB.load(&[first.clone(), second, first]);
    assert_eq!(names(&trust), ["op", "op"], "two certificates of one key; the third is a copy");
    assert_eq!(trust.signers[0].certificate.sai, trust.signers[1].certificate.sai);

    // An expired certificate of the region's key beside the good one does not harm what the region issued.
    let mut params = LAB.region.params.clone();
    (params.not_before, params.not_after) = (at(NOW - 9 * DAY), at(NOW - DAY));
    let old = params.signed_by(&LAB.region.key, &LAB.root.issuer()).expect("it signs");
    let old = Object { name: "old".into(), der: old.der().to_vec() };
    let trust = LAB.load(&[old, party.signed_by(&LAB.region), LAB.anchor.clone()]);
    assert!(trust.rejected.is_empty() && trust.authorities.len() == 3);
    assert_eq!(trust.signers[0].state(NOW), CertState::Good);
}

/// Not one bit: what the signature does not cover (the algorithm beside it, its own lengths) counts too.
#[test]
fn no_bit_of_a_certificate_can_change() {
    let good = Party::operator("op", 99).signed_by(&LAB.region);
    for bit in 0..good.der.len() * 8 {
        let mut bent = good.clone();
        bent.der[bit / 8] ^= 1 << (bit % 8);
        let trust = LAB.load(&[bent]);
        assert!(trust.signers.is_empty() && trust.rejected.len() == 1, "octet {} bit {}", bit / 8, bit % 8);
    }
}

#[test]
fn no_bit_of_a_revocation_list_can_change() {
    let (good, root) = (LAB.region.crl(3, NOW - DAY, NOW + DAY, &[7]), LAB.root.fresh_crl());
    for bit in 0..good.der.len() * 8 {
        let mut bent = good.clone();
        bent.der[bit / 8] ^= 1 << (bit % 8);
        let (certificates, crls) = ([LAB.region_der.clone()], [root.clone(), bent]);
        let trust = load(&LAB.anchors(), &certificates, &crls, Options::default(), NOW);
        assert!(trust.crls.len() == 1 && trust.rejected.len() == 1, "octet {} bit {}", bit / 8, bit % 8);
    }
}

#[test]
fn ber_is_not_der() {
    let good = Party::operator("op", 98).signed_by(&LAB.region);
    let mut long = vec![0x30, 0x83, 0x00];
    long.extend_from_slice(&good.der[2..]);
    let mut trailing = good.der.clone();
    trailing.push(0);
    for der in [long, trailing] {
        assert!(Certificate::parse(&Object { name: "op".into(), der }).is_err());
    }
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..256)) {
        fuzzing::pki(&octets);
        fuzzing::chain(&octets);
    }

    #[test]
    fn no_broken_certificate_or_list_panics(
        which in 0usize..3, at in any::<prop::sample::Index>(), octets in prop::collection::vec(any::<u8>(), 0..6), cut in any::<bool>()
    ) {
        static GOOD: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
            let list = LAB.region.crl(7, NOW - DAY, NOW + DAY, &[1, 2, 3]);
            [LAB.anchor.der.clone(), Party::operator("op", 97).signed_by(&LAB.region).der, list.der]
        });
        let mut bent = GOOD[which].clone();
        let at = at.index(bent.len());
        let end = if cut { bent.len() } else { (at + octets.len()).min(bent.len()) };
        bent.splice(at..end, octets);
        fuzzing::pki(&bent);
        fuzzing::chain(&bent);
    }
}
