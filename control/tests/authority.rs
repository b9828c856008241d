//! What the lab authority issues, a gateway loads; what it revokes, a gateway refuses.

use sealgate_control::authority::{
    Authority, AuthorityError, Ca, MAX_DAYS, Publication, Reason, Request, Setup, lab_identifiers, notation,
};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{
    Anchor, CertState, Fault, Identifiers, Kind, Options, Role, Trust, load, objects_from_dir, objects_from_file,
};
use sealgate_crypto::sign::SigningKey;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

const NOW: i64 = 1_795_000_000;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).expect("a second of this century")
}

/// A directory of its own that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-authority-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn authority(&self) -> Authority {
        Authority::init(&self.0, &Setup::default(), now()).expect("a new authority")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn operator(digits: &str) -> Identifiers {
    Identifiers {
        gt_prefixes: vec![(1, digits.into()), (7, digits.into())],
        plmns: vec!["00102".into()],
        ispcs: vec![(4128, 4143)],
        realms: vec!["epc.mnc002.mcc001.3gppnetwork.org".into()],
        sip_domains: vec!["a.example".into()],
        tn_ranges: vec![(format!("{digits}0000000"), 10_000_000)],
        any: false,
    }
}

/// What a gateway whose `trust:` section names this directory loads at `at`.
fn trust(dir: &Path, at: i64) -> Trust {
    let anchors: Vec<Anchor> = objects_from_file(&dir.join("anchors/root.pem"), Kind::Certificate)
        .expect("the anchor is there")
        .into_iter()
        .map(|one| Anchor { der: one.der, limit: None })
        .collect();
    let (certificates, faults) = objects_from_dir(&dir.join("certs"), Kind::Certificate).expect("certs");
    let (crls, more) = objects_from_dir(&dir.join("crls"), Kind::Crl).expect("crls");
    assert!(faults.is_empty() && more.is_empty(), "{faults:?} {more:?}");
    load(&anchors, &certificates, &crls, Options::default(), at)
}

fn state(trust: &Trust, name: &str, at: i64) -> Option<CertState> {
    Some(trust.signers.iter().find(|one| one.certificate.name == name)?.state(at))
}

#[test]
fn what_is_issued_loads_without_a_rejection() {
    let dir = Dir::new("loads");
    let mut authority = dir.authority();
    let cases = [
        ("a-ec", Alg::P256, Role::Csp, Ca::Region),
        ("a-ed", Alg::Ed25519, Role::Carrier, Ca::Region),
        ("a-p384", Alg::P384, Role::Hub, Ca::Region),
        ("a-rsa", Alg::Rsa2048, Role::Csp, Ca::Root),
    ];
    for (name, alg, role, ca) in cases {
        let request = Request { alg, role, ca, ..Request::new(name, operator("99902")) };
        let made = authority.issue(&request, now()).expect("it is inside the region");
        assert_eq!((made.issued.name.as_str(), made.issued.alg.as_str()), (name, alg.name()));
    }
    let trust = trust(&dir.0, NOW);
    assert!(trust.rejected.is_empty(), "{:#?}", trust.rejected);
    assert_eq!((trust.signers.len(), trust.authorities.len(), trust.crls.len()), (4, 2, 2));
    for (name, alg, role, _) in cases {
        let signer = trust.signers.iter().find(|one| one.certificate.name == name).expect("a signer");
        assert_eq!(signer.state(NOW), CertState::Good);
        assert_eq!((signer.certificate.key.alg(), signer.certificate.role), (alg, Some(role)));
        assert_eq!(signer.certificate.identifiers, operator("99902"));
        assert_eq!(signer.valid_to - signer.valid_from, MAX_DAYS * 86_400);

        // The private key beside it is the one that the certificate names, in a file for its owner alone.
        let file = dir.0.join(format!("keys/{name}.key.pem"));
        assert_eq!(fs::metadata(&file).expect("a key").permissions().mode() & 0o777, 0o600);
        let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(&file).expect("a key")).expect("PKCS#8");
        assert_eq!(key.public(), signer.certificate.key);
    }
    // Until the lists are a day late.
    assert_eq!(state(&trust, "a-ec", NOW + 7 * 86_400), Some(CertState::Good));
    assert_eq!(state(&trust, "a-ec", NOW + 8 * 86_400), Some(CertState::CrlStale));
}

#[test]
fn revocation_reaches_the_gateway() {
    let dir = Dir::new("revoke");
    let mut authority = dir.authority();
    for name in ["a", "b"] {
        authority.issue(&Request::new(name, operator("99902")), now()).expect("issued");
    }
    let (issued, list) = authority.revoke("a", Reason::KeyCompromise, now()).expect("revoked");
    assert_eq!((issued.name.as_str(), list.ca, list.number, list.revoked), ("a", Ca::Region, 2, 1));
    let loaded = trust(&dir.0, NOW);
    assert_eq!(state(&loaded, "a", NOW), Some(CertState::Revoked));
    assert_eq!(state(&loaded, "b", NOW), Some(CertState::Good));
    assert!(matches!(authority.revoke("a", Reason::Unspecified, now()), Err(AuthorityError::Revoked(_))));
    assert!(matches!(authority.revoke("root", Reason::Unspecified, now()), Err(AuthorityError::RevokeRoot)));
    for unknown in ["c", "99", "-1", ""] {
        assert!(matches!(authority.revoke(unknown, Reason::Unspecified, now()), Err(AuthorityError::Unknown(_))));
    }
    // By serial number, in another process; and the list that is made again still has both.
    drop(authority);
    let serial = 1 + issued.serial;
    let mut authority = Authority::open(&dir.0).expect("an authority");
    authority.revoke(&serial.to_string(), Reason::Superseded, now()).expect("revoked");
    let week = now() + Duration::days(7);
    let [root, region] = authority.publish(week).expect("published");
    assert_eq!((root.number, root.revoked, region.number, region.revoked), (2, 0, 4, 2));
    let loaded = trust(&dir.0, week.unix_timestamp());
    assert_eq!(state(&loaded, "b", week.unix_timestamp()), Some(CertState::Revoked));

    // The region falls, and everything below it.
    authority.issue(&Request::new("c", operator("99903")), now()).expect("issued");
    assert_eq!(authority.revoke("region", Reason::CaCompromise, week).expect("revoked").1.ca, Ca::Root);
    let loaded = trust(&dir.0, week.unix_timestamp());
    assert_eq!(state(&loaded, "c", week.unix_timestamp()), Some(CertState::Revoked));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy_and_leaves_no_files() {
    let dir = Dir::new("refuse");
    let mut authority = dir.authority();
    authority.issue(&Request::new("taken", operator("99902")), now()).expect("issued");
    let good = || Request::new("new", operator("99903"));
    let with = |change: &dyn Fn(&mut Request)| {
        let mut request = good();
        change(&mut request);
        request
    };
    let cases: Vec<(Request, &str)> = vec![
        (with(&|r| r.operator = "taken".into()), "has a certificate already"),
        (with(&|r| r.operator = "../evil".into()), "cannot name an operator"),
        (with(&|r| r.operator = "Root".into()), "cannot name an operator"),
        (with(&|r| r.operator = "region".into()), "cannot name an operator"),
        (with(&|r| r.operator = "7".into()), "cannot name an operator"),
        (with(&|r| r.operator = String::new()), "cannot name an operator"),
        (with(&|r| r.identifiers = Identifiers::default()), "no identifier was given"),
        (with(&|r| r.identifiers = operator("998")), "GT prefix 998 is not inside what region has"),
        (with(&|r| r.identifiers.plmns.push("31041".into())), "PLMN 31041 is not inside"),
        (with(&|r| r.identifiers.ispcs.push((0, 4095))), "point codes 0-4095 is not inside"),
        (with(&|r| r.identifiers = Identifiers::everything()), "anyIdentifier is not inside what region has"),
        (
            with(&|r| (r.identifiers, r.ca) = (Identifiers::everything(), Ca::Root)),
            "anyIdentifier is not inside what root has",
        ),
        (with(&|r| r.identifiers.gt_prefixes.push((1, "99x".into()))), "not 1 to 15 decimal digits"),
        (with(&|r| r.identifiers.tn_ranges.push(("999".into(), 5))), "keeps their length"),
        (with(&|r| r.days = 399), "399 days is not from 1 to 398"),
        (with(&|r| r.days = 0), "0 days is not from 1"),
        (with(&|r| r.not_after = Some(now() - Duration::days(1))), "end before it begins"),
        (with(&|r| r.not_after = Some(now() + Duration::days(399))), "more than 398 days"),
        (with(&|r| r.not_before = Some(now() + Duration::days(3650))), "outlive its issuer"),
    ];
    for (request, want) in cases {
        let fault = authority.issue(&request, now()).expect_err(want);
        assert!(fault.to_string().contains(want), "want {want:?}, got \"{fault}\"");
        assert!(!fault.remedy().is_empty());
    }
    let names: Vec<_> = authority.state().issued.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["region", "taken"]);
    assert!(!dir.0.join("certs/new.pem").exists() && !dir.0.join("keys/new.key.pem").exists());

    assert!(matches!(Authority::init(&dir.0, &Setup::default(), now()), Err(AuthorityError::Exists(_))));
    assert!(matches!(Authority::open(&dir.0), Err(AuthorityError::Busy(_))));
    assert!(matches!(Authority::open(&dir.0.join("certs")), Err(AuthorityError::NoAuthority(_))));
    drop(authority);
    fs::write(dir.0.join("authority.db"), "what is this").expect("written");
    let fault = Authority::open(&dir.0).expect_err("no database");
    assert!(matches!(fault, AuthorityError::Store { .. }) && fault.remedy().contains("backup"), "{fault}");
}

/// What stands in `state.json` of a directory of before.
fn state_of_before(authority: &Authority) -> serde_json::Value {
    let mut state = serde_json::to_value(authority.state()).expect("JSON");
    for one in state["issued"].as_array_mut().expect("a list") {
        one.as_object_mut().expect("an object").remove("operator");
    }
    state
}

#[test]
fn a_directory_of_before_is_taken_over_once() {
    let dir = Dir::new("takeover");
    let mut authority = dir.authority();
    authority.issue(&Request::new("a", operator("99902")), now()).expect("issued");
    authority.issue(&Request::new("b", operator("99903")), now()).expect("issued");
    authority.revoke("b", Reason::Superseded, now()).expect("revoked");
    authority.publish_repository(Publication::default(), now()).expect("published");
    let (before, old) = (authority.state().clone(), state_of_before(&authority));
    drop(authority);
    fs::remove_file(dir.0.join("authority.db")).expect("removed");
    let write = |state: &serde_json::Value| fs::write(dir.0.join("state.json"), state.to_string()).expect("written");
    for (key, wrong) in [("next_serial", 2.into()), ("version", 9.into()), ("issued", 1.into())] {
        let mut state = old.clone();
        state[key] = wrong;
        write(&state);
        assert!(matches!(Authority::open(&dir.0), Err(AuthorityError::State { .. })), "{key}");
        assert!(dir.0.join("state.json").exists(), "nothing is taken over from a file that is wrong");
    }
    write(&old);
    let mut authority = Authority::open(&dir.0).expect("taken over");
    assert_eq!(authority.state(), &before);
    assert!(!dir.0.join("state.json").exists(), "an older sealgate counts on from nothing");
    let made = authority.issue(&Request::new("c", operator("99904")), now()).expect("issued");
    assert_eq!(made.issued.serial, before.next_serial);
    let [root, _] = authority.publish(now()).expect("published");
    assert_eq!(root.number, before.root_crl + 1);
    drop(authority);
    // What is removed from the directory, so that it is not published any more, does not come back.
    fs::remove_file(dir.0.join("certs/a.pem")).expect("removed");
    let authority = Authority::open(&dir.0).expect("opened");
    assert_eq!(authority.state().issued.len(), before.issued.len() + 1);
    assert!(state(&trust(&dir.0, NOW), "a", NOW).is_none() && state(&trust(&dir.0, NOW), "c", NOW).is_some());
}

#[test]
fn the_region_hands_on_what_it_was_given_and_no_more() {
    let dir = Dir::new("region");
    let setup = Setup { name: "Ruritania".into(), region: operator("99902"), region_alg: Alg::P384 };
    let mut authority = Authority::init(&dir.0, &setup, now()).expect("a new authority");
    authority.issue(&Request::new("all", operator("99902")), now()).expect("the same is inside");
    let fault = authority.issue(&Request::new("other", operator("99903")), now()).expect_err("outside");
    assert!(matches!(fault, AuthorityError::Outside { .. }));
    assert!(trust(&dir.0, NOW).rejected.is_empty());
    let rsa = Setup { region_alg: Alg::Rsa2048, ..Setup::default() };
    assert!(matches!(Authority::init(&dir.0.join("x"), &rsa, now()), Err(AuthorityError::CaAlg)));
    assert_eq!(lab_identifiers().check(), Ok(()));
}

#[test]
fn certificates_out_of_their_time_are_for_demonstrations() {
    let dir = Dir::new("time");
    let mut authority = dir.authority();
    let at = |text: &str| Some(notation::moment(text).expect("a moment"));
    let windows = [("past", "2025-12-01", "2026-11-01"), ("future", "2026-12-01", "2027-12-01T00:00:00Z")];
    for (name, from, to) in windows {
        let request = Request { not_before: at(from), not_after: at(to), ..Request::new(name, operator("99902")) };
        authority.issue(&request, now()).expect("issued");
    }
    let loaded = trust(&dir.0, NOW);
    assert!(loaded.rejected.is_empty());
    assert_eq!(state(&loaded, "past", NOW), Some(CertState::Expired));
    assert_eq!(state(&loaded, "future", NOW), Some(CertState::NotYetValid));
}

/// A second authority with the very same names is another one.
#[test]
fn a_rogue_authority_is_not_believed() {
    let (honest, rogue) = (Dir::new("honest"), Dir::new("rogue"));
    honest.authority();
    let mut impostor = rogue.authority();
    impostor.issue(&Request::new("evil", operator("99902")), now()).expect("issued");
    for name in ["evil", "region"] {
        let to = honest.0.join(format!("certs/{name}-rogue.pem"));
        fs::copy(rogue.0.join(format!("certs/{name}.pem")), to).expect("copied");
    }
    fs::copy(rogue.0.join("anchors/root.pem"), honest.0.join("certs/root-rogue.pem")).expect("copied");
    let loaded = trust(&honest.0, NOW);
    let faults: Vec<_> = loaded.rejected.iter().map(|one| (one.name.as_str(), one.fault)).collect();
    let chain = Fault::Chain;
    assert_eq!(faults, [("evil-rogue", chain), ("region-rogue", chain), ("root-rogue", chain)]);
    assert!(loaded.signers.is_empty());
}
