//! The rows of the table of events, over the wire.

use super::*;

#[test]
fn row_nobody_listens() {
    let server = Hostile::start(raw(drop));
    let mut mirror = server.mirror();
    drop(server);
    let mut client = synced(&Publisher::new());
    mirror.begin(std::time::Instant::now() + LIMITS.whole);
    client.round(&mut [&mut mirror], NOW, 0);
    assert!(client.alarms().stands(sealgate_control::tsca::alarm::Alarm::RepoUnreachable) && client.held().is_some());
}

#[test]
fn row_server_error() {
    from_serial_1("503", always("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), UNREACHABLE);
}

#[test]
fn row_manifest_signature() {
    let zeros = |publisher: &mut Publisher| drop(publisher.files.insert("manifest.sig".to_owned(), vec![0; 64]));
    signed("signature", zeros, SIGNATURE);
}

#[test]
fn row_signer_chain() {
    let other = |publisher: &mut Publisher| {
        let pem = std::fs::read(vectors().join("certs/a-ec.pem")).expect("there");
        publisher.files.insert("signer.pem".to_owned(), pem);
    };
    signed("signer", other, SIGNATURE);
}

#[test]
fn row_next_update_in_the_past() {
    let late = |publisher: &mut Publisher| {
        publisher.next_update = NOW - 1;
        publisher.publish();
    };
    signed("stale", late, &["repo_stale"]);
}

#[test]
fn row_rollback_by_a_server_that_withholds() {
    let old = Publisher::new();
    let mut new = old.clone();
    new.publish();
    case("downgrade", &mut synced(&new), files_but(&old, |_, _| None), NOW, &["repo_rollback"]);
}

#[test]
fn row_equivocation() {
    let mut twin = Publisher::new();
    let mut client = synced(&twin);
    let mut manifest = twin.current();
    manifest["next_update"] = json!(repository::time(NOW + 99));
    twin.sign(&manifest);
    case("equivocation", &mut client, files_but(&twin, |_, _| None), NOW, &["repo_equivocation"]);
}

#[test]
fn row_second_session_in_an_hour() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    client.round(&mut [&mut Memory::of(&publisher)], NOW, 0);
    publisher.restart(&OTHER_SESSION.replace("02", "03"));
    case("session", &mut client, files_but(&publisher, |_, _| None), NOW + 60, &["repo_session"]);
}

#[test]
fn row_delta_and_snapshot_wrong() {
    let wrong = |publisher: &mut Publisher| {
        for (name, octets) in &mut publisher.files {
            if name.starts_with("delta") || name.starts_with("snapshot") {
                octets[9] ^= 1;
            }
        }
    };
    signed("hash", wrong, &["repo_delta", "repo_hash"]);
}

#[test]
fn row_shrink() {
    let shrink = |publisher: &mut Publisher| {
        for name in ["a-ec", "a-ed", "b-ec"] {
            publisher.objects.remove(&format!("csp/{name}.cer"));
        }
        publisher.publish();
    };
    signed("shrink", shrink, &["repo_shrink"]);
}

#[test]
fn row_no_check_for_three_days() {
    let mut client = synced(&Publisher::new());
    let late = NOW + 72 * 3600 + 1;
    assert!(client.is_stale(late));
    case("stale hard", &mut client, always("x"), late, &["repo_unreachable", "repo_stale_hard"]);
}

#[test]
fn row_first_sync_of_an_empty_store() {
    let mut client = Client::new(Settings::default(), local(), None, NOW);
    let mut publisher = Publisher::new();
    publisher.objects.remove("ca/region.cer");
    publisher.publish();
    case("first", &mut client, files_but(&publisher, |_, _| None), NOW, SIGNATURE);
    assert!(client.held().is_none() && client.trust().signers.is_empty());
}
