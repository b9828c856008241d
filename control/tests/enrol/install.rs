//! A renewal that is broken off anywhere leaves a gateway that starts and signs.

use super::common::{HOME, Lab as Gateways, OTHER};
use super::*;
use sealgate_control::gather::Gathered;
use std::io;

/// A certificate for the key of a renewal, as the authority answers.
fn renewed(lab: &Gateways, places: &Places) -> (String, sealgate_crypto::verify::PublicKey) {
    let mut authority = Authority::open(&lab.file("tsca")).expect("an authority");
    let numbering = Numbering::parse("operator,kind,value\nhome,gt,99901\nhome,plmn,00101\n").expect("good");
    authority.set_numbering(&numbering, now()).expect("loaded");
    let key = rcgen::KeyPair::generate().expect("a key");
    fs::write(places.next_key(), key.serialize_pem()).expect("written");
    fs::set_permissions(places.next_key(), fs::Permissions::from_mode(0o600)).expect("set");
    let has = Identifiers { plmns: vec!["00101".into()], ..gt("99901") };
    let der = certification_request("home", &key, &has, Role::Csp).expect("made");
    fs::write(places.keys.join("home.request"), &der).expect("written");
    let asker = authority.asker_in_person("home").expect("a name");
    let Ok(Answer::Waiting(ticket)) = authority.enrol(&asker, &der, now()) else { panic!("not waiting") };
    let Ok((_, Answer::Issued { chain, .. })) = authority.approve(&ticket, now()) else { panic!("not issued") };
    (chain, SigningKey::from_file(&places.next_key()).expect("a key").public())
}

#[test]
fn killed_at_any_step_it_leaves_a_certificate_with_its_key() {
    let lab = Gateways::new("install");
    let places = Places { name: "home".to_owned(), certificates: lab.file("own"), keys: lab.file("own-keys") };
    let begin = || {
        for (from, to) in [("tsca/certs/home.pem", "own/home.pem"), ("tsca/keys/home.key.pem", "own-keys/home.key.pem")]
        {
            let to = lab.file(to);
            let dir = to.parent().expect("a directory");
            let _ = fs::remove_dir_all(dir);
            fs::create_dir_all(dir).expect("a directory");
            fs::copy(lab.file(from), to).expect("copied");
        }
        for name in ["region", "other"] {
            fs::copy(lab.file(&format!("tsca/certs/{name}.pem")), lab.file(&format!("own/{name}.pem")))
                .expect("copied");
        }
    };
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let text = fs::read_to_string(&file).expect("read");
    let text =
        text.replace("certificates: tsca/certs", "certificates: own").replace("keys: tsca/keys", "keys: own-keys");
    fs::write(&file, text).expect("written");
    begin();
    let old = SigningKey::from_file(&places.key()).expect("a key").public();
    let (mut seen_old, mut seen_new) = (0, 0);
    for last in 0.. {
        begin();
        let (chain, new) = renewed(&lab, &places);
        let mut left = last;
        let mut kill = || match left {
            0 => Err(io::Error::other("killed")),
            _ => {
                left -= 1;
                Ok(())
            }
        };
        let done = places.install(chain.as_bytes(), &mut kill);
        // It starts as it is, and signs with a key whose certificate it has.
        let gathered = Gathered::read(&file, None, unix()).unwrap_or_else(|fault| panic!("step {last}: {fault}"));
        let own = gathered.snapshot.own.as_ref().expect("it signs");
        match own.sai {
            sai if sai == old.sai() => seen_old += 1,
            sai if sai == new.sai() => seen_new += 1,
            sai => panic!("step {last}: {sai:02x?}"),
        }
        // Both keys are ours all the while: what comes in signed with either is a reflection.
        assert!(gathered.snapshot.is_own_sai(old.sai()) && gathered.snapshot.is_own_sai(new.sai()), "step {last}");
        if done.is_ok() {
            assert!(last > 10, "each file's steps are among them: {last}");
            break;
        }
        // The next command finishes what was begun.
        if places.current().expect("read").expect("there").key == new {
            places.settle(&mut || Ok(())).expect("settled");
            assert_eq!(SigningKey::from_file(&places.key()).expect("a key").public(), new);
            assert!(!places.next_key().exists() && !places.keys.join("home.request").exists());
        }
    }
    assert!(seen_old > 5 && seen_new > 2, "{seen_old} {seen_new}");
}

#[test]
fn a_repository_that_has_the_certificate_before_under_our_name_is_no_trouble() {
    let lab = Gateways::new("both");
    let keys = lab.file("own-keys");
    fs::create_dir_all(&keys).expect("a directory");
    fs::copy(lab.file("tsca/keys/home.key.pem"), keys.join("home.key.pem")).expect("copied");
    let places = Places { name: "home".to_owned(), certificates: lab.file("tsca/certs"), keys };
    let (chain, new) = renewed(&lab, &places);
    // The authority's directory has both: home.pem of before, and home-2.pem, which is ours now.
    let own = lab.file("own");
    fs::create_dir_all(&own).expect("a directory");
    fs::copy(lab.file("tsca/certs/home.pem"), own.join("home.pem")).expect("copied");
    let places = Places { certificates: own, ..places };
    Authority::open(&lab.file("tsca"))
        .and_then(|mut authority| authority.publish_repository(Default::default(), now()))
        .expect("published");
    places.install(chain.as_bytes(), &mut || Ok(())).expect("installed");
    let file = lab.gateway(&HOME, &OTHER, "null", "null");
    let text = fs::read_to_string(&file).expect("read");
    let text = text.replace(
        "certificates: tsca/certs, crls: tsca/crls, keys: tsca/keys",
        "certificates: own, crls: tsca/crls, keys: own-keys",
    );
    fs::write(&file, &text).expect("written");
    // What a repository adds comes after the directories.
    for (n, name) in ["home", "home-2", "other"].iter().enumerate() {
        let to = lab.file(&format!("own/z{n}.pem"));
        fs::copy(lab.file(&format!("tsca/certs/{name}.pem")), to).expect("copied");
    }
    let gathered = Gathered::read(&file, None, unix()).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(gathered.snapshot.own.as_ref().map(|own| own.sai), Some(new.sai()));
}
