//! What a gateway's files give together: the lab authority's directory as it is, and what is wrong with one that is not.

mod common;

use common::{HOME, Lab, OTHER};
use sealgate_control::authority::{Authority, Reason};
use sealgate_control::gather::{Gathered, Problems};
use sealgate_crypto::pki::CertState;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use time::OffsetDateTime;

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn read(file: &Path, now: i64) -> Result<Gathered, Problems> {
    Gathered::read(file, None, now)
}

fn lines(problems: &Problems) -> Vec<String> {
    problems.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn the_directory_of_an_authority_will_do_as_it_is_but_for_the_keys_of_others() {
    let lab = Lab::new("gather");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let gathered = read(&file, now()).expect("good");
    let own = gathered.snapshot.own.as_ref().expect("it signs");
    assert!(gathered.snapshot.is_own_sai(own.sai));
    assert_eq!(gathered.trust.signers.len(), 2);
    let other = gathered.trust.signers.iter().find(|one| one.certificate.name == "other").expect("the peer's");
    assert!(!gathered.snapshot.is_own_sai(other.certificate.sai), "the peer's key lies there, and is not ours");
    assert_eq!(
        gathered.warnings,
        ["private keys of others lie in the key directory and are not used: other, region, root"]
    );

    // Our key before a renewal is ours; a key without a certificate is too.
    let keys = lab.file("tsca/keys");
    fs::copy(keys.join("home.key.pem"), keys.join("old-home.key.pem")).expect("copied");
    fs::write(keys.join("broken.key.pem"), "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
        .expect("written");
    let mode = |name: &str, mode| fs::set_permissions(keys.join(name), fs::Permissions::from_mode(mode)).expect("set");
    mode("broken.key.pem", 0o600);
    let warnings = read(&file, now()).expect("good").warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("broken.key.pem: no private key: "), "{warnings:?}");

    // A key that others can read is nobody's any more.
    mode("old-home.key.pem", 0o640);
    mode("home.key.pem", 0o604);
    let problems = read(&file, now()).expect_err("two keys for others to read");
    let lines = lines(&problems);
    assert_eq!(lines.len(), 2, "{problems}");
    for (line, want) in lines.iter().zip(["home.key.pem: mode 604", "old-home.key.pem: mode 640"]) {
        let (place, rest) = line.split_once(": trust.keys: ").expect("a place");
        assert!(place.ends_with("home.yaml:6") && rest.contains(want), "{problems}");
        assert!(rest.contains("lets others at this private key; chmod 600"), "{problems}");
    }
}

#[test]
fn a_key_on_a_token_that_is_not_there_is_a_fault_of_its_line() {
    let lab = Lab::new("token");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let text = fs::read_to_string(&file).expect("read");
    let uri = "pkcs11:token=t;object=home?module-path=/nowhere/libtoken.so&pin-source=file:/nowhere/pin";
    let text = text.replace("keys: tsca/keys}", &format!("keys: tsca/keys,\n  token_keys: {{home: \"{uri}\"}}}}"));
    let text = text.replace("crypto: []", "crypto: [1023]");
    fs::write(&file, text).expect("written");
    let problems = read(&file, now()).expect_err("no token");
    let lines = lines(&problems);
    let want = if cfg!(feature = "pkcs11") {
        "trust.token_keys.home: module /nowhere/libtoken.so: "
    } else {
        "trust.token_keys.home: this build cannot use PKCS#11 tokens; build with --features pkcs11"
    };
    // Not the line of ports.home.
    assert!(lines[0].contains("home.yaml:7: ") && lines[0].contains(want), "{problems}");
    assert_eq!(lines.len(), 1, "{problems}");
}

#[test]
fn a_renewal_that_cannot_be_is_a_fault_of_its_line() {
    let lab = Lab::new("enrolment");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let good = fs::read_to_string(&file).expect("read");
    let with = |more: &str| {
        let text = good.replace("keys: tsca/keys}", &format!("keys: tsca/keys,\n  {more}}}"));
        fs::write(&file, text).expect("written");
        read(&file, now()).map(|_| ()).map_err(|problems| lines(&problems).join("\n")).err().unwrap_or_default()
    };
    let roots = "enrolment: {url: \"https://localhost/\", roots: [tsca/certs/region.pem]}";
    assert_eq!(with(roots), "");
    let found = with("enrolment: {url: \"https://localhost/\", roots: [nowhere.pem]}");
    assert!(found.contains("home.yaml:7: trust.enrolment.roots: ") && found.contains("nowhere.pem"), "{found}");
    let policy = lab.file("home-policy.yaml");
    let text = fs::read_to_string(&policy).expect("read");
    let unsigned = text.replace("  signing: {cert: home, node_base: 1}\n", "").replace(", sign: yes", "");
    assert_ne!(text, unsigned);
    fs::write(&policy, unsigned).expect("written");
    let found = with(roots);
    assert!(found.contains("home.yaml:7: trust.enrolment: nothing is signed"), "{found}");
}

#[test]
fn certificates_that_may_not_sign_are_named_with_their_reason() {
    let lab = Lab::new("states");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let mut authority = Authority::open(&lab.file("tsca")).expect("an authority");
    authority.revoke("other", Reason::KeyCompromise, OffsetDateTime::now_utc()).expect("revoked");
    fs::write(lab.file("tsca/certs/junk.pem"), "nothing").expect("written");
    fs::copy(lab.file("tsca/certs/other.pem"), lab.file("junk.der")).expect("copied");
    let gathered = read(&file, now()).expect("it still starts");
    let states: Vec<_> = gathered.trust.signers.iter().map(|one| one.state(now())).collect();
    assert!(states.contains(&CertState::Revoked) && states.contains(&CertState::Good));
    let warnings = gathered.warnings.join("\n");
    assert!(warnings.contains("other is refused where a signature is required: R_CRT_REVOKED"), "{warnings}");
    assert!(warnings.contains("junk.pem: holds no CERTIFICATE: passed over"), "{warnings}");
    // Eight days later the lists are a day too late: nobody may sign, and each is named.
    let late = read(&file, now() + 9 * 86_400).expect("it starts").warnings.join("\n");
    assert!(late.contains("home is refused where a signature is required: R_CRT_CRL_STALE"), "{late}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let lab = Lab::new("wrong");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let change = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(lab.file(name)).expect("read");
        assert!(text.contains(from), "{text}");
        fs::write(lab.file(name), text.replace(from, to)).expect("written");
    };
    change("home.yaml", "crls: tsca/crls, keys: tsca/keys", "crls: tsca/none, keys: tsca/nokeys");
    change("home.yaml", "root.pem]", "root.pem, gone.pem]");
    change("home-policy.yaml", "mode: require", "mode: requre");
    let problems = read(&file, now()).expect_err("four faults");
    let lines = lines(&problems);
    assert_eq!(lines.len(), 4, "{problems}");
    assert!(lines[0].contains("home-policy.yaml:10: peers.other.mode: "), "{problems}");
    assert!(
        lines[1].contains("home.yaml:6: trust.anchors[1]: ") && lines[1].contains("sealgate tsca init"),
        "{problems}"
    );
    assert!(lines[2].contains("home.yaml:6: trust.crls: "), "{problems}");
    assert!(lines[3].contains("home.yaml:6: trust.keys: "), "{problems}");

    // A policy that does not sign needs no keys.
    change("home.yaml", "root.pem, gone.pem]", "root.pem]");
    change("home.yaml", "tsca/none", "tsca/crls");
    change("home-policy.yaml", "requre", "require");
    let problems = read(&file, now()).expect_err("no key");
    assert!(problems.to_string().contains("home-policy.yaml:5: home.signing.cert: no private key fits"), "{problems}");
    change("home-policy.yaml", "  signing: {cert: home, node_base: 1}\n", "");
    change("home-policy.yaml", "sign: yes", "sign: no");
    assert!(read(&file, now()).expect("good").snapshot.own.is_none());

    // Where no anchor can be used nobody can be believed, and that is not a gateway.
    fs::copy(lab.file("tsca/certs/other.pem"), lab.file("tsca/anchors/root.pem")).expect("copied");
    let problems = read(&file, now()).expect_err("no anchor").to_string();
    assert!(
        problems.contains("trust.anchors: no anchor can be used: R_CRT_PROFILE: a trust anchor is an authority"),
        "{problems}"
    );

    // A faulty appliance file does not hide the policy's faults.
    change("home.yaml", "cores: {workers: [", "cores: {wrokers: [");
    change("home-policy.yaml", "mode: require", "mode: requre");
    let problems = read(&file, now()).expect_err("two files").to_string();
    assert!(problems.contains("home.yaml:1: ") && problems.contains("home-policy.yaml:9: "), "{problems}");
}

#[test]
fn a_repository_needs_nothing_but_what_one_signs_with_and_whom_servers_are_certified_by() {
    let lab = Lab::new("gather-repository");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    fs::create_dir(lab.file("own")).expect("made");
    for name in ["home.pem", "region.pem"] {
        fs::copy(lab.file("tsca/certs").join(name), lab.file("own").join(name)).expect("copied");
    }
    let text = fs::read_to_string(&file).expect("read");
    let with = |rest: &str| {
        let from = "certificates: tsca/certs, crls: tsca/crls";
        fs::write(&file, text.replace(from, &format!("certificates: own, repository: {{store: trust, {rest}}}")))
            .expect("written");
        read(&file, now())
    };
    let gathered = with("urls: [\"https://localhost:1/\"], roots: [tsca/anchors/root.pem]").expect("good");
    let client = gathered.client;
    assert!(client.held().is_none() && gathered.trust.signers.len() == 1 && gathered.snapshot.own.is_some());
    assert!(!lab.file("trust").exists(), "reading makes nothing");
    let problems = with("urls: [\"https://localhost:1/\"], roots: [gone.pem]").expect_err("no roots");
    let lines = lines(&problems);
    assert!(lines.len() == 1 && lines[0].contains("home.yaml:6: trust.repository.roots: "), "{problems}");
    // A directory needs no roots, and a key whose certificate comes later is no fault.
    let policy = lab.file("home-policy.yaml");
    let keyed = fs::read_to_string(&policy).expect("read") + "sigfw_keys:\n  - {prefix: \"99902*\", cert: later}\n";
    fs::write(&policy, keyed.replace("[SG-TCAP-1]", "[SG-TCAP-1, SG-TCAP-0]")).expect("written");
    let gathered = with("urls: [\"file:///nowhere\"]").expect("good");
    assert!(gathered.warnings.iter().any(|one| one.contains("later is not used")), "{:?}", gathered.warnings);
}
