//! The procedure of the repository's client: `repository.json` by id, and each row of its table of events.
//!
//! Prints `vectors repository P/T`. `SEALGATE_VECTORS` names another directory than the workspace's.

#[path = "common/repository.rs"]
mod repository;

use rcgen::{
    CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData, RevokedCertParams,
};
use repository::{Memory, NOW, OTHER_SESSION, Publisher, der, local, vectors};
use sealgate_control::tsca::alarm::Alarm;
use sealgate_control::tsca::source::{FetchError, Source};
use sealgate_control::tsca::sync::{Client, Local, Round, Settings};
use sealgate_crypto::pki::{CertState, Object};
use sealgate_crypto::verify::PublicKey;
use serde_json::{Value, json};
use std::fs;

/// The middle of the jitter.
const DICE: u32 = 100;

fn client() -> Client {
    Client::new(Settings::default(), local(), None, NOW)
}

fn look(client: &mut Client, source: &mut Memory, now: i64) -> Round {
    client.round(&mut [source], now, DICE)
}

fn alarms(client: &Client) -> Vec<&'static str> {
    client.alarms().iter().map(|(alarm, _)| alarm.name()).collect()
}

fn serial(client: &Client) -> Option<u64> {
    client.held().map(|held| held.manifest.serial)
}

/// The operators that may sign.
fn good(client: &Client, now: i64) -> Vec<String> {
    let good = client.trust().signers.iter().filter(|one| one.state(now) == CertState::Good);
    let mut names: Vec<_> = good.map(|one| one.certificate.name.clone()).collect();
    names.sort();
    names
}

/// A client that holds what a publisher published.
fn synced(publisher: &Publisher) -> Client {
    let mut client = client();
    look(&mut client, &mut Memory::of(publisher), NOW);
    assert_eq!((serial(&client), alarms(&client)), (Some(publisher.serial), vec![]));
    client
}

fn transport(why: &str) -> FetchError {
    FetchError::Transport(why.to_owned())
}

#[test]
fn vectors_by_id() {
    let read = |file: &str| fs::read(vectors().join(file)).expect(file);
    let whole: Value = serde_json::from_slice(&read("repository.json")).expect("JSON");
    let source = |vector: &Value| {
        let mut memory = Memory::default();
        let text = |key: &str| vector[key].as_str().expect(key).to_owned();
        memory.files.insert("manifest.json".to_owned(), read(&text("manifest")));
        memory.files.insert("manifest.sig".to_owned(), read(&text("sig")));
        memory.files.insert("signer.pem".to_owned(), read("repo/signer.pem"));
        for file in vector["files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let name = file.trim_start_matches("repo/").replace("-badhash", "");
            memory.files.insert(name, read(file));
        }
        memory
    };
    let vectors = whole["vectors"].as_array().expect("vectors");
    let mut failed = Vec::new();
    for vector in vectors {
        let mut client = client();
        if let Some(held) = vector["state"].as_u64() {
            let first = vectors.iter().find(|one| one["serial"] == json!(held) && one["state"].is_null());
            look(&mut client, &mut source(first.expect("a vector that leads there")), NOW);
            assert_eq!(serial(&client), Some(held));
        }
        let round = look(&mut client, &mut source(vector), NOW);
        let result = if round.applied.is_some() { "applied" } else { "kept" };
        let got = json!({ "result": result, "serial": serial(&client), "alarm": alarms(&client) });
        // Where the snapshot was taken since a delta is missing, formats 12.5 has an alarm.
        let alarm = match (&vector["alarm"], vector["title"].as_str()) {
            (Value::String(alarm), _) => vec![alarm.as_str()],
            (_, Some("delta missing: fall back to the snapshot")) => vec!["repo_delta"],
            _ => vec![],
        };
        let want = json!({ "result": vector["result"], "serial": vector["serial"], "alarm": alarm });
        if got != want {
            failed.push((vector["id"].clone(), got, want));
        }
    }
    println!("vectors repository {}/{}", vectors.len() - failed.len(), vectors.len());
    assert!(!vectors.is_empty() && failed.is_empty(), "id, got, want: {failed:#?}");
}

#[test]
fn a_server_that_does_not_answer_is_asked_less_often_and_told_of_at_the_third_time() {
    let publisher = Publisher::new();
    let mut client = synced(&publisher);
    let mut down = Memory::down();
    let mut pauses = Vec::new();
    for n in 1..=6 {
        pauses.push(look(&mut client, &mut down, NOW + n).next_s);
        assert_eq!(client.alarms().stands(Alarm::RepoUnreachable), n >= 3, "after {n}");
    }
    assert_eq!(pauses, [120, 240, 480, 900, 900, 900]);
    assert_eq!(serial(&client), Some(1));
    assert_eq!(look(&mut client, &mut Memory::of(&publisher), NOW + 10).next_s, 60);
    assert_eq!(alarms(&client), [""; 0]);
    let jitter = |dice| client.clone().round(&mut [&mut Memory::of(&publisher)], NOW, dice).next_s;
    assert_eq!([0, 100, 200, 201].map(jitter), [54, 60, 66, 54]);
}

#[test]
fn the_next_mirror_answers_for_one_that_does_not() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let (mut down, mut up) = (Memory::down(), Memory::of(&publisher));
    let round = client.round(&mut [&mut down, &mut up], NOW, DICE);
    assert!(round.applied.is_some() && client.failures() == 0);
    client.round(&mut [&mut down, &mut up], NOW, DICE);
    assert_eq!(down.asked.len(), 1, "the one that answered stays the first");
    // A mirror that lies is left at the next look, and no sooner: its alarm must be seen.
    publisher.publish();
    publisher.files.insert("manifest.sig".to_owned(), vec![0; 64]);
    let mut liar = Memory::of(&publisher);
    assert_eq!(client.mirror(), 1);
    client.round(&mut [&mut up, &mut liar], NOW, DICE);
    assert_eq!((alarms(&client), client.mirror()), (vec!["repo_signature"], 2));
    client.round(&mut [&mut up, &mut liar], NOW, DICE);
    assert_eq!(alarms(&client), [""; 0]);
}

#[test]
fn a_signer_that_is_not_the_repositorys_is_refused() {
    let publisher = Publisher::new();
    let signer = |file: &str| fs::read(vectors().join(file)).expect(file);
    let mut rogue = publisher.clone();
    rogue.publish();
    for held in [false, true] {
        for (file, why) in [("certs/a-ec.pem", "no repository signer"), ("certs/root.pem", "no repository signer")] {
            let mut memory = Memory::of(&rogue);
            memory.files.insert("signer.pem".to_owned(), signer(file));
            let mut client = if held { synced(&publisher) } else { client() };
            look(&mut client, &mut memory, NOW);
            let text = client.alarms().iter().map(|(_, one)| one.text.clone()).collect::<String>();
            assert!(alarms(&client) == ["repo_signature"] && text.contains(why), "{file}: {text}");
            assert_eq!(serial(&client), held.then_some(1));
        }
        // A good signer without its authority: nobody we trust stands above it.
        let mut orphan = rogue.clone();
        orphan.objects.remove("ca/region.cer");
        orphan.publish();
        let mut client = if held { synced(&publisher) } else { client() };
        look(&mut client, &mut Memory::of(&orphan), NOW);
        assert_eq!((alarms(&client), serial(&client)), (vec!["repo_signature"], held.then_some(1)));
    }
    for octets in [vec![], vec![0; 63], vec![0; 65], vec![0; 64]] {
        let mut memory = Memory::of(&rogue);
        memory.files.insert("manifest.sig".to_owned(), octets);
        let mut client = synced(&publisher);
        look(&mut client, &mut memory, NOW);
        assert_eq!((alarms(&client), serial(&client)), (vec!["repo_signature"], Some(1)));
    }
}

#[test]
fn a_manifest_that_is_late_counts_for_nothing_new_or_not() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let late = publisher.next_update + 1;
    look(&mut client, &mut Memory::of(&publisher), late - 1);
    assert_eq!(alarms(&client), [""; 0], "up to its last second");
    look(&mut client, &mut Memory::of(&publisher), late);
    assert_eq!((alarms(&client), serial(&client)), (vec!["repo_stale"], Some(1)));
    let mut frozen = Memory { frozen: true, ..Memory::of(&publisher) };
    look(&mut client, &mut frozen, late);
    assert_eq!(alarms(&client), ["repo_stale"], "\"not modified\" does not make it younger");
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), late);
    assert_eq!((alarms(&client), serial(&client)), (vec!["repo_stale"], Some(1)));
    publisher.next_update = late + 60;
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), late);
    assert_eq!((alarms(&client), serial(&client)), (vec![], Some(3)));
}

#[test]
fn serials_only_rise_and_each_has_one_manifest() {
    let mut publisher = Publisher::new();
    let first = publisher.clone();
    publisher.publish();
    let mut client = synced(&publisher);
    look(&mut client, &mut Memory::of(&first), NOW);
    assert_eq!((alarms(&client), serial(&client)), (vec!["repo_rollback"], Some(2)));
    let mut twin = first;
    twin.next_update += 1;
    twin.publish();
    look(&mut client, &mut Memory::of(&twin), NOW);
    assert_eq!((alarms(&client), serial(&client)), (vec!["repo_rollback", "repo_equivocation"], Some(2)));
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!(alarms(&client), [""; 0]);
}

#[test]
fn a_new_session_is_taken_once_an_hour_and_never_one_from_before() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.objects.remove("csp/b-ec.cer");
    publisher.this_update += 1;
    publisher.restart(OTHER_SESSION);
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((alarms(&client), good(&client, NOW).len()), (vec!["repo_session"], 6));
    let session = client.held().expect("held").manifest.session;
    let mut third = publisher.clone();
    third.restart(&OTHER_SESSION.replace("02", "03"));
    look(&mut client, &mut Memory::of(&third), NOW + 3599);
    assert_eq!((alarms(&client), client.held().expect("held").manifest.session), (vec!["repo_session"], session));
    look(&mut client, &mut Memory::of(&third), NOW + 3600);
    assert_ne!(client.held().expect("held").manifest.session, session);
    look(&mut client, &mut Memory::of(&third), NOW + 3601);
    assert_eq!(alarms(&client), [""; 0]);
    let mut older = Publisher::new();
    older.this_update -= 1;
    older.restart(repository::SESSION);
    look(&mut client, &mut Memory::of(&older), NOW + 9000);
    assert_eq!(alarms(&client), ["repo_rollback"]);
}

#[test]
fn deltas_are_followed_and_the_snapshot_stands_in_for_what_is_missing_or_wrong() {
    let mut publisher = Publisher::new();
    let client = synced(&publisher);
    publisher.objects.remove("csp/b-ec.cer");
    publisher.publish();
    publisher.objects.insert("csp/a-future.cer".to_owned(), der("certs/a-future.pem"));
    publisher.publish();
    let mut memory = Memory::of(&publisher);
    let mut stepped = client.clone();
    look(&mut stepped, &mut memory, NOW);
    assert_eq!((serial(&stepped), alarms(&stepped)), (Some(3), vec![]));
    assert!(!memory.asked.iter().any(|name| name.starts_with("snapshot")), "{:?}", memory.asked);
    let whole = stepped.held().expect("held").objects.clone();
    type Break = fn(&mut Memory);
    let breaks: [(&str, Break); 5] = [
        ("gone", |memory| drop(memory.files.remove("delta-2.json"))),
        ("one octet", |memory| memory.files.get_mut("delta-3.json").expect("there")[50] ^= 1),
        ("short", |memory| memory.files.get_mut("delta-3.json").expect("there").truncate(99)),
        ("long", |memory| memory.files.get_mut("delta-3.json").expect("there").push(b' ')),
        ("another", |memory| {
            drop(memory.files.insert("delta-3.json".to_owned(), memory.files["delta-2.json"].clone()))
        }),
    ];
    for (what, break_it) in breaks {
        let mut memory = Memory::of(&publisher);
        break_it(&mut memory);
        let mut client = client.clone();
        look(&mut client, &mut memory, NOW);
        assert_eq!((serial(&client), alarms(&client)), (Some(3), vec!["repo_delta"]), "{what}");
        assert_eq!(client.held().expect("held").objects, whole, "{what}");
    }
    let mut slow = Memory::of(&publisher);
    slow.faults.insert("delta-3.json".to_owned(), transport("timeout"));
    let mut kept = client.clone();
    look(&mut kept, &mut slow, NOW);
    assert_eq!((serial(&kept), kept.failures()), (Some(1), 1), "a server that is slow is no wrong delta");
    // Deltas that are named and signed, but do not start from what we hold.
    let mut liar = publisher.clone();
    let delta = json!({ "session": liar.session, "serial": 3, "publish": [],
        "withdraw": [{ "uri": "csp/a-ec.cer", "sha256": "0".repeat(64) }] });
    let mut manifest = liar.current();
    let mut reference = liar.add("delta-3.json", delta.to_string().into_bytes());
    reference["serial"] = json!(3);
    manifest["deltas"][1] = reference;
    liar.sign(&manifest);
    let mut fell_back = client.clone();
    look(&mut fell_back, &mut Memory::of(&liar), NOW);
    assert_eq!((alarms(&fell_back), &fell_back.held().expect("held").objects), (vec!["repo_delta"], &whole));
}

#[test]
fn a_snapshot_that_is_not_the_named_one_changes_nothing() {
    let mut publisher = Publisher::new();
    let client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    for octets in [vec![], b"{}".to_vec(), vec![b' '; 1 << 20]] {
        let mut memory = Memory::of(&publisher);
        memory.files.insert("snapshot-1.json".to_owned(), octets);
        let mut client = client.clone();
        look(&mut client, &mut memory, NOW);
        assert_eq!(alarms(&client), ["repo_session", "repo_hash"]);
        assert_eq!(client.held().expect("held").manifest.session.to_string(), repository::SESSION);
    }
    let mut malformed = publisher.clone();
    malformed.snapshot(b"{\"session\":1}".to_vec());
    let mut first = self::client();
    look(&mut first, &mut Memory::of(&malformed), NOW);
    assert_eq!((alarms(&first), serial(&first)), (vec!["repo_hash"], None));
}

#[test]
fn an_object_that_does_not_load_is_skipped_and_the_others_are_not() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let before = good(&client, NOW);
    for name in ["bad-overclaim", "bad-issuer", "bad-noeku"] {
        publisher.objects.insert(format!("csp/{name}.cer"), der(&format!("certs/{name}.pem")));
    }
    publisher.objects.insert("csp/noise.cer".to_owned(), vec![0x30, 3, 1, 2, 3]);
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((alarms(&client), good(&client, NOW)), (vec!["cert_rejected"], before));
    let mut faults: Vec<_> = client.trust().rejected.iter().map(|one| one.fault.name()).collect();
    faults.sort_unstable();
    assert_eq!(faults, ["R_CRT_CHAIN", "R_CRT_EKU", "R_CRT_OVERCLAIM", "R_CRT_PROFILE"]);
}

#[test]
fn too_many_operators_at_once_are_held_until_somebody_agrees_or_time_has_passed() {
    let mut publisher = Publisher::new();
    let client = synced(&publisher);
    publisher.objects.remove("csp/b-ec.cer");
    publisher.publish();
    let mut one = client.clone();
    look(&mut one, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&one), alarms(&one)), (Some(2), vec![]), "one of seven may go");
    publisher.objects.remove("csp/c-rsa.cer");
    publisher.publish();
    let mut held = client.clone();
    look(&mut held, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&held), alarms(&held)), (Some(1), vec!["repo_shrink"]));
    let mut again = Memory::of(&publisher);
    look(&mut held, &mut again, NOW + 60);
    assert!(!again.asked.iter().any(|name| name.contains('-')), "not fetched again: {:?}", again.asked);
    let mut agreed = held.clone();
    assert!(agreed.confirm_shrink() && !client.clone().confirm_shrink());
    look(&mut agreed, &mut Memory::of(&publisher), NOW + 61);
    assert_eq!((serial(&agreed), alarms(&agreed), good(&agreed, NOW).len()), (Some(3), vec![], 5));
    // The clock runs on while publications come.
    publisher.publish();
    look(&mut held, &mut Memory::of(&publisher), NOW + 6 * 3600 - 1);
    assert_eq!((serial(&held), alarms(&held)), (Some(1), vec!["repo_shrink"]));
    look(&mut held, &mut Memory::of(&publisher), NOW + 6 * 3600);
    assert_eq!((serial(&held), alarms(&held)), (Some(4), vec![]));
}

#[test]
fn without_a_check_for_three_days_trust_is_stale() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let limit = NOW + 72 * 3600;
    look(&mut client, &mut Memory::down(), limit);
    assert!(!client.is_stale(limit) && client.is_stale(limit + 1));
    assert_eq!(alarms(&client), ["repo_stale_hard"]);
    publisher.next_update = limit + 9;
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), limit + 2);
    assert!(!client.is_stale(limit + 2) && alarms(&client).is_empty());
    let held = client.held().map(|held| held.as_ref().clone());
    let mut later = Client::new(Settings::default(), local(), held, limit + 2);
    assert!(later.is_stale(limit + 2), "after a restart its age counts from when it was made");
}

#[test]
fn a_revocation_list_is_not_taken_back() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let list = publisher.objects.remove("crl/region.crl").expect("there");
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&client), alarms(&client), good(&client, NOW).len()), (Some(2), vec!["crl_rollback"], 7));
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&client), alarms(&client)), (Some(3), vec!["crl_rollback"]), "and stays in force");
    publisher.objects.insert("crl/region.crl".to_owned(), list);
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&client), alarms(&client)), (Some(4), vec![]));
    assert!(client.held().expect("held").retained.is_empty());
}

/// A list of the region with a number, which revokes the certificates with these serial numbers.
fn region_list(number: u64, revoked: &[u64]) -> Vec<u8> {
    let pem = fs::read_to_string(vectors().join("keys/region.key.pem")).expect("there");
    let key = KeyPair::from_pem(&pem).expect("a key");
    let ski = PublicKey::from_spki_der(&key.subject_public_key_info()).expect("a key").ski();
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    issuer.distinguished_name.push(DnType::OrganizationName, "Sealgate Test");
    issuer.distinguished_name.push(DnType::CommonName, "TSCA Test Region 999");
    issuer.key_usages = vec![KeyUsagePurpose::CrlSign];
    issuer.key_identifier_method = KeyIdMethod::PreSpecified(ski.to_vec());
    let time = |seconds| time::OffsetDateTime::from_unix_timestamp(NOW + seconds).expect("a time");
    let entry = |serial: &u64| RevokedCertParams {
        serial_number: (*serial).into(),
        revocation_time: time(-7200),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: time(-3600),
        next_update: time(86_400),
        crl_number: number.into(),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(ski.to_vec()),
    };
    list.signed_by(&Issuer::new(issuer, key)).expect("made").der().to_vec()
}

#[test]
fn a_revocation_list_with_a_lower_number_is_ignored() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let mut publish = |number, revoked: &[u64]| {
        publisher.objects.insert("crl/region.crl".to_owned(), region_list(number, revoked));
        publisher.publish();
        look(&mut client, &mut Memory::of(&publisher), NOW);
        assert_eq!(serial(&client), Some(publisher.serial));
        (alarms(&client), good(&client, NOW).len())
    };
    // Serial number 120 is b-ec's.
    assert_eq!(publish(9, &[120]), (vec![], 6));
    assert_eq!(publish(8, &[]), (vec!["crl_rollback"], 6), "what was revoked stays revoked");
    assert_eq!(publish(10, &[]), (vec![], 7));
}

#[test]
fn a_signer_that_is_revoked_is_refused() {
    // Serial number 160 is the repository signer's.
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let list = region_list(9, &[160]);
    publisher.objects.insert("crl/region.crl".to_owned(), list.clone());
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&client), alarms(&client)), (Some(1), vec!["repo_signature"]), "by what it brings");
    // By what is known already, and then nothing large is asked for.
    let known = Local { crls: vec![Object { name: "region".to_owned(), der: list }], ..local() };
    let held = client.held().map(|held| held.as_ref().clone());
    let mut client = Client::new(Settings::default(), known, held, NOW);
    let mut memory = Memory::of(&publisher);
    look(&mut client, &mut memory, NOW);
    assert_eq!((serial(&client), alarms(&client)), (Some(1), vec!["repo_signature"]));
    assert!(!memory.asked.iter().any(|name| name.contains('-')), "{:?}", memory.asked);
}

#[test]
fn a_publication_between_two_reads_is_read_once_more() {
    struct Racing(Memory, Memory);
    impl Source for Racing {
        fn manifest(&mut self, held: Option<&[u8; 32]>) -> Result<Option<Vec<u8>>, FetchError> {
            let answer = self.0.manifest(held);
            self.0 = self.1.clone();
            answer
        }
        fn get(&mut self, name: &str, max: usize) -> Result<Vec<u8>, FetchError> {
            self.0.get(name, max)
        }
    }
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let before = Memory::of(&publisher);
    publisher.publish();
    let last = Memory::of(&publisher);
    client.round(&mut [&mut Racing(before, last.clone())], NOW, DICE);
    assert_eq!((serial(&client), alarms(&client)), (Some(3), vec![]));
    // And where the next is offered for a moment, and then what is held again.
    publisher.publish();
    client.round(&mut [&mut Racing(Memory::of(&publisher), last)], NOW, DICE);
    assert_eq!((serial(&client), alarms(&client)), (Some(3), vec![]));
}

#[test]
fn what_came_into_force_is_the_same_when_it_is_judged_again() {
    // The region comes with the signer alone.
    let mut publisher = Publisher::new();
    publisher.objects.remove("ca/region.cer");
    let region = fs::read(vectors().join("certs/region.pem")).expect("there");
    publisher.files.get_mut("signer.pem").expect("there").extend(region);
    publisher.publish();
    let mut client = synced(&publisher);
    let before = good(&client, NOW);
    assert_eq!(before.len(), 7);
    client.reload(NOW + 1);
    assert_eq!((good(&client, NOW), alarms(&client)), (before.clone(), vec![]));
    let held = client.held().map(|held| held.as_ref().clone());
    assert_eq!(good(&Client::new(Settings::default(), local(), held, NOW), NOW), before);
}

#[test]
fn what_the_operator_gave_himself_stays_whatever_the_repository_says() {
    let own = Object { name: "own".to_owned(), der: der("certs/home-ec.pem") };
    let region = Object { name: "region".to_owned(), der: der("certs/region.pem") };
    let local = Local { certificates: vec![own, region], ..local() };
    let mut publisher = Publisher::new();
    let mut client = Client::new(Settings::default(), local, None, NOW);
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert!(good(&client, NOW).contains(&"own".to_owned()), "{:?}", good(&client, NOW));
    publisher.objects.remove("csp/home-ec.cer");
    publisher.publish();
    look(&mut client, &mut Memory::of(&publisher), NOW);
    assert_eq!((serial(&client), good(&client, NOW).len()), (Some(2), 7));
}
