//! A repository that is broken, slow or lies: whatever it does, a look ends in its time and memory, what was held stays in
//! force, and an alarm says why.
//!
//! Each case prints what it cost: `hostile NAME: SECONDS, peak MEMORY`. Time is scaled: see `LIMITS` and the test of the
//! limits of a gateway.

#[path = "common/hostile.rs"]
mod hostile;
#[path = "common/repository.rs"]
mod repository;

use hostile::{Hostile, LIMITS, Manner, case, files_but, https, raw, synced};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PublicKeyData,
};
use repository::{Memory, NOW, OTHER_SESSION, Publisher, local, vectors};
use sealgate_control::tsca::fetch::Limits;
use sealgate_control::tsca::format::MAX_TOTAL;
use sealgate_control::tsca::sync::{Client, Settings};
use sealgate_crypto::pki::{Identifiers, oid};
use sealgate_crypto::verify::PublicKey;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

const UNREACHABLE: &[&str] = &["repo_unreachable"];
const SIGNATURE: &[&str] = &["repo_signature"];

/// A server that answers everything with these octets.
fn always(octets: impl Into<Vec<u8>>) -> Manner {
    let octets = octets.into();
    https(move |_, out| out.write_all(&octets))
}

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{more}\r\n")
}

/// Writes the same octets until the caller has enough.
fn for_ever(out: &mut dyn Write, octets: &[u8]) -> io::Result<()> {
    loop {
        out.write_all(octets)?;
    }
}

/// One look at a server, of a client that held serial 1.
fn from_serial_1(name: &str, manner: Manner, alarms: &[&str]) {
    case(name, &mut synced(&Publisher::new()), manner, NOW, alarms);
}

/// One look at a publisher that changed something and signed it.
fn signed(name: &str, change: impl FnOnce(&mut Publisher), alarms: &[&str]) {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    change(&mut publisher);
    case(name, &mut client, files_but(&publisher, |_, _| None), NOW, alarms);
}

/// The same where the deltas are out of the way, so that the snapshot is read.
fn signed_snapshot(name: &str, snapshot: impl FnOnce(&Publisher) -> Vec<u8>) {
    let change = |publisher: &mut Publisher| {
        let octets = snapshot(publisher);
        publisher.snapshot(octets);
    };
    signed(name, change, &["repo_delta", "repo_hash"]);
}

/// A snapshot with one object that is odd in one value.
fn odd_object(name: &str, key: &str, value: Value) {
    signed_snapshot(name, |publisher| {
        let file = format!("snapshot-{}.json", publisher.serial);
        let mut snapshot: Value = serde_json::from_slice(&publisher.files[&file]).expect("JSON");
        snapshot["objects"][1][key] = value;
        snapshot.to_string().into_bytes()
    });
}

fn odd_manifest(name: &str, path: &str, value: Value) {
    let change = |publisher: &mut Publisher| {
        let mut manifest = publisher.current();
        *manifest.pointer_mut(path).expect(path) = value;
        publisher.sign(&manifest);
    };
    signed(name, change, SIGNATURE);
}

#[test]
fn the_limits_of_a_gateway() {
    let seconds = Duration::from_secs;
    assert_eq!(Limits::default(), Limits { connect: seconds(5), read: seconds(10), whole: seconds(60) });
    assert!(LIMITS.whole < seconds(60) && LIMITS.read < seconds(10));
}

#[test]
#[ignore = "takes the 70 seconds that it is about"]
fn a_look_with_the_limits_of_a_gateway() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let drip = files_but(&publisher, |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head("").as_bytes())?;
            loop {
                out.write_all(b" ")?;
                sleep(Duration::from_millis(500));
            }
        })
    });
    let silent = https(|_, _| {
        sleep(Duration::from_secs(20));
        Ok(())
    });
    for (name, manner, want) in [("silent", silent, 10.0), ("slow drip", drip, 60.0)] {
        let server = Hostile::start(manner);
        let mut mirror = server.mirror_with(Limits::default());
        let began = std::time::Instant::now();
        mirror.begin(began + Limits::default().whole);
        client.round(&mut [&mut mirror], NOW, 0);
        let took = began.elapsed().as_secs_f64();
        println!("hostile {name}, limits of a gateway: {took:.1} s");
        assert!((want..want + 3.0).contains(&took));
    }
    assert_eq!(client.held().map(|held| held.manifest.serial), Some(1));
}

// The rows of the table of events, over the wire.

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

// Connections.

#[test]
fn silent_after_accept() {
    from_serial_1("silent", raw(|_stream| sleep(Duration::from_secs(3))), UNREACHABLE);
}

#[test]
fn closed_at_once() {
    from_serial_1("closed", raw(drop), UNREACHABLE);
}

#[test]
fn transient_accept_error() {
    let (publisher, tries) = (Publisher::new(), Arc::new(AtomicUsize::new(0)));
    let mut client = synced(&publisher);
    let (files, count) = (publisher.files.clone(), Arc::clone(&tries));
    let server = Hostile::start(https(move |name, out| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Err(io::Error::other("too many open files")),
        _ => hostile::file(&files, name, out),
    }));
    let mut mirror = server.mirror();
    for want in [3, 0] {
        mirror.begin(std::time::Instant::now() + LIMITS.whole);
        client.round(&mut [&mut mirror], NOW, 0);
        assert_eq!(client.failures(), want);
    }
    assert!(client.alarms().iter().next().is_none());
}

#[test]
fn noise_instead_of_tls() {
    from_serial_1("noise", raw(|mut stream| drop(stream.write_all(&[0xff; 4096]))), UNREACHABLE);
}

#[test]
fn plain_http_instead_of_tls() {
    let answer = |mut stream: std::net::TcpStream| drop(stream.write_all(head("Content-Length: 2\r\n").as_bytes()));
    from_serial_1("plain http", raw(answer), UNREACHABLE);
}

#[test]
fn a_handshake_that_drips() {
    let drip = |mut stream: std::net::TcpStream| {
        // The head of a TLS record of 4096 octets, and then one octet at a time.
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(&[22, 3, 3, 16, 0]);
        for _ in 0..60 {
            sleep(Duration::from_millis(50));
            if stream.write_all(&[2]).is_err() {
                break;
            }
        }
    };
    from_serial_1("slow handshake", raw(drip), UNREACHABLE);
}

// Answers.

#[test]
fn silent_after_the_request() {
    let silent = https(|_, _| {
        sleep(Duration::from_secs(2));
        Ok(())
    });
    from_serial_1("no answer", silent, UNREACHABLE);
}

#[test]
fn a_header_that_drips() {
    let drip = https(|_, out| {
        for octet in head("Content-Length: 5\r\n").repeat(9).bytes() {
            out.write_all(&[octet])?;
            sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    from_serial_1("slow header", drip, UNREACHABLE);
}

#[test]
fn a_body_that_drips() {
    let drip = https(|_, out| {
        out.write_all(head("Content-Length: 60000\r\n").as_bytes())?;
        loop {
            out.write_all(b" ")?;
            sleep(Duration::from_millis(50));
        }
    });
    from_serial_1("slow drip", drip, UNREACHABLE);
}

#[test]
fn a_body_that_stalls() {
    let stall = https(|_, out| {
        out.write_all(head("Content-Length: 60000\r\n").as_bytes())?;
        out.write_all(b"{")?;
        sleep(Duration::from_secs(2));
        Ok(())
    });
    let began = std::time::Instant::now();
    from_serial_1("stalled body", stall, UNREACHABLE);
    assert!(began.elapsed() > LIMITS.read, "it was waited for");
}

#[test]
fn a_snapshot_that_drips() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let size = publisher.files["snapshot-1.json"].len();
    let drip = files_but(&publisher, move |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head(&format!("Content-Length: {size}\r\n")).as_bytes())?;
            loop {
                out.write_all(b" ")?;
                sleep(Duration::from_millis(50));
            }
        })
    });
    case("slow snapshot", &mut client, drip, NOW, UNREACHABLE);
}

#[test]
fn a_header_without_end() {
    let endless = https(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
        for_ever(out, &[b'a'; 4096])
    });
    from_serial_1("endless header", endless, UNREACHABLE);
}

#[test]
fn header_lines_without_end() {
    let endless = https(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n")?;
        for_ever(out, b"X: y\r\n")
    });
    from_serial_1("endless header lines", endless, UNREACHABLE);
}

#[test]
fn a_body_without_end() {
    let endless = https(|_, out| {
        out.write_all(head("").as_bytes())?;
        for_ever(out, &[b' '; 16384])
    });
    from_serial_1("endless body", endless, UNREACHABLE);
}

#[test]
fn chunks_without_end() {
    let endless = https(|_, out| {
        out.write_all(head("Transfer-Encoding: chunked\r\n").as_bytes())?;
        for_ever(out, b"10\r\n                \r\n")
    });
    from_serial_1("endless chunks", endless, UNREACHABLE);
}

#[test]
fn a_chunk_of_a_huge_size() {
    let octets = head("Transfer-Encoding: chunked\r\n") + "ffffffffffffffffffff\r\n        ";
    from_serial_1("huge chunk", always(octets), UNREACHABLE);
}

#[test]
fn a_length_beyond_all_bounds() {
    from_serial_1("huge length", always(head("Content-Length: 99999999999999999\r\n") + "x"), UNREACHABLE);
}

#[test]
fn a_length_that_is_no_number() {
    from_serial_1("odd length", always(head("Content-Length: -1\r\n") + "x"), UNREACHABLE);
}

#[test]
fn closed_in_the_header() {
    from_serial_1("early close, header", always("HTTP/1.1 200 OK\r\nContent-Le"), UNREACHABLE);
}

#[test]
fn closed_in_the_body() {
    from_serial_1("early close, body", always(head("Content-Length: 500\r\n") + "{\"version\":1"), UNREACHABLE);
}

#[test]
fn closed_in_a_file_that_the_manifest_names() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let size = publisher.files["snapshot-1.json"].len();
    let cut = files_but(&publisher, move |name, out| {
        name.starts_with("snapshot").then(|| write!(out, "{}{{", head(&format!("Content-Length: {size}\r\n"))))
    });
    case("early close, snapshot", &mut client, cut, NOW, UNREACHABLE);
}

#[test]
fn redirects_without_end() {
    let on = https(|name, out| {
        write!(out, "HTTP/1.1 302 Found\r\nLocation: /{name}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    from_serial_1("endless redirect", on, UNREACHABLE);
}

#[test]
fn a_redirect_to_plain_http_or_elsewhere() {
    for to in ["http://localhost/manifest.json", "https://other.example/manifest.json", "file:///etc/passwd"] {
        let away = format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        from_serial_1("redirect elsewhere", always(away), UNREACHABLE);
    }
}

#[test]
fn a_gzip_bomb() {
    // What a kilobyte of gzip may become is not found out.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 1000]].concat();
    let labelled = [head("Content-Encoding: gzip\r\nContent-Length: 1010\r\n").as_bytes(), &bomb].concat();
    from_serial_1("gzip bomb", always(labelled), UNREACHABLE);
    let bare = [head("Content-Length: 1010\r\n").as_bytes(), &bomb].concat();
    from_serial_1("gzip bomb without its label", always(bare), SIGNATURE);
}

#[test]
fn not_modified_that_nobody_asked_for() {
    from_serial_1("unasked 304", always("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"), UNREACHABLE);
}

#[test]
fn a_status_that_is_none() {
    for octets in
        ["HTTP/1.1 999999 X\r\n\r\n", "HTTP/9 200\r\n\r\n", "\0\0\0\0\r\n\r\n", "{}", "HTTP/1.1 206 Partial\r\n\r\n"]
    {
        from_serial_1("odd status", always(octets), UNREACHABLE);
    }
}

#[test]
fn a_header_that_is_not_text() {
    let octets =
        [b"HTTP/1.1 200 OK\r\nETag: \xff\xfe\x01\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".as_slice()];
    from_serial_1("header not text", always(octets.concat()), UNREACHABLE);
}

// Files.

#[test]
fn a_manifest_that_is_too_long() {
    signed("long manifest", |publisher| publisher.sign_octets(vec![b' '; 64 * 1024 + 1]), UNREACHABLE);
}

#[test]
fn a_signer_file_without_end() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let endless = files_but(&publisher, |name, out| {
        (name == "signer.pem").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b'-'; 16384])
        })
    });
    case("endless signer", &mut client, endless, NOW, UNREACHABLE);
}

#[test]
fn a_signature_that_is_too_long() {
    let long = |publisher: &mut Publisher| publisher.files.get_mut("manifest.sig").expect("there").push(0);
    signed("long signature", long, SIGNATURE);
}

#[test]
fn a_manifest_with_wrong_types() {
    for (path, value) in [
        ("/serial", json!("2")),
        ("/serial", json!([])),
        ("/serial", Value::Null),
        ("/session", json!({})),
        ("/deltas", json!("x")),
        ("/snapshot", json!([])),
        ("/snapshot/size", json!("7")),
        ("/next_update", json!(0)),
    ] {
        odd_manifest("wrong type", path, value);
    }
}

#[test]
fn a_manifest_with_huge_numbers() {
    for number in ["1e999", "18446744073709551616", "-1", "0.5", "9".repeat(3000).as_str()] {
        let change = |publisher: &mut Publisher| {
            let text = publisher.current().to_string().replace("\"serial\":2", &format!("\"serial\":{number}"));
            publisher.sign_octets(text.into_bytes());
        };
        signed("huge number", change, SIGNATURE);
    }
    odd_manifest("huge size", "/snapshot/size", json!(u64::MAX));
    odd_manifest("huge size", "/snapshot/size", json!(MAX_TOTAL + 1));
}

#[test]
fn a_manifest_that_is_nested_without_end() {
    signed("nested", |publisher| publisher.sign_octets("[".repeat(60_000).into_bytes()), SIGNATURE);
}

#[test]
fn names_that_leave_the_repository() {
    for name in ["../../etc/passwd", "/etc/passwd", "https://other.example/x", "a/%2e%2e/b", "..\\x", "snap\u{0}shot"] {
        odd_manifest("path traversal, file", "/snapshot/uri", json!(name));
        odd_object("path traversal, object", "uri", json!(format!("csp/{name}")));
    }
}

#[test]
fn names_that_are_not_ascii() {
    odd_manifest("non-ASCII name, file", "/snapshot/uri", json!("sn\u{e4}pshot.json"));
    odd_object("non-ASCII name, object", "uri", json!("csp/\u{202e}rec.cer"));
    let octets = |publisher: &mut Publisher| {
        let text = publisher.current().to_string().replace("snapshot-2", "snapshot-X").into_bytes();
        publisher.sign_octets(text.iter().map(|octet| if *octet == b'X' { 0xff } else { *octet }).collect());
    };
    signed("name not UTF-8", octets, SIGNATURE);
}

#[test]
fn an_object_that_is_too_large() {
    use base64::Engine;
    let large = base64::engine::general_purpose::STANDARD.encode(vec![0x30; 64 * 1024 + 1]);
    odd_object("oversized object", "der", json!(large));
}

#[test]
fn objects_of_wrong_types() {
    for (key, value) in [("uri", json!(1)), ("sha256", json!(false)), ("der", json!({})), ("der", json!("\u{ff}"))] {
        odd_object("object of wrong type", key, value);
    }
}

#[test]
fn more_objects_than_there_may_be() {
    let _alone = hostile::alone();
    signed_snapshot("100,001 objects", |publisher| {
        let one = |i: usize| {
            json!({ "uri": format!("csp/{i}.cer"), "der": "AA==",
                "sha256": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" })
        };
        let all: Vec<_> = (0..=100_000).map(one).collect();
        json!({ "session": publisher.session, "serial": 2, "objects": all }).to_string().into_bytes()
    });
}

#[test]
fn a_snapshot_longer_than_it_says() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let long = files_but(&publisher, |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b' '; 16384])
        })
    });
    case("endless snapshot", &mut client, long, NOW, &["repo_session", "repo_hash"]);
}

#[test]
fn deltas_that_are_too_much_together() {
    let _alone = hostile::alone();
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    publisher.publish();
    let mut manifest = publisher.current();
    for (at, serial) in [(0, 2), (1, 3)] {
        let mut delta = publisher.files[&format!("delta-{serial}.json")].clone();
        delta.resize(MAX_TOTAL / 2 + 9, b' ');
        let mut reference = publisher.add(&format!("delta-{serial}.json"), delta);
        reference["serial"] = json!(serial);
        manifest["deltas"][at] = reference;
    }
    // The snapshot that stands in for them is too much as well.
    manifest["snapshot"]["size"] = json!(MAX_TOTAL);
    publisher.sign(&manifest);
    let endless = files_but(&publisher, |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b' '; 16384])
        })
    });
    let alarms = hostile::patient("64 MiB of deltas", &mut client, endless);
    assert_eq!((alarms, client.held().map(|held| held.manifest.serial)), (vec!["repo_delta", "repo_hash"], Some(1)));
}

#[test]
fn a_repository_as_large_as_may_be() {
    let _alone = hostile::alone();
    let octets = vec![0x30; 48 * 1024];
    let mut more = Vec::new();
    for i in 0..1020_u32 {
        more.push((format!("csp/{i}.cer"), [&octets[..], &i.to_be_bytes()].concat()));
    }
    taken("64 MiB", more, 1020);
}

#[test]
fn text_that_grows_when_it_is_read() {
    let _alone = hostile::alone();
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let digest = "0".repeat(64);
    let text = format!("{{\"objects\":[{{\"uri\":\"csp/a.cer\",\"sha256\":\"{digest}\",\"der\":\"");
    publisher.snapshot([text.into_bytes(), b"\\u0041".repeat(MAX_TOTAL / 6 - 99), b"\"}]}".to_vec()].concat());
    let alarms = hostile::patient("64 MiB of escapes", &mut client, files_but(&publisher, |_, _| None));
    assert_eq!((alarms, client.held().map(|held| held.manifest.serial)), (vec!["repo_delta", "repo_hash"], Some(1)));
}

/// A repository of another session in which more than the good objects lie; it is taken, and what is bad is not used.
fn taken(name: &str, more: Vec<(String, Vec<u8>)>, want: usize) {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let before = client.trust().signers.len();
    publisher.objects.extend(more);
    publisher.publish();
    hostile::patient(name, &mut client, files_but(&publisher, |_, _| None));
    let alarms: Vec<_> = client.alarms().iter().map(|(alarm, _)| alarm.name()).collect();
    assert_eq!((alarms, client.trust().signers.len()), (vec!["cert_rejected"], before), "{name}");
    assert_eq!(client.trust().rejected.len(), want, "{name}");
}

#[test]
fn octets_that_crash_decoders() {
    let mut seed = 1u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let octets = (0..length).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        });
        octets.collect()
    };
    let good = repository::der("certs/a-ec.pem");
    let mut more = vec![
        ("csp/nested.cer".to_owned(), [0x30, 0x80].repeat(30_000)),
        ("csp/length.cer".to_owned(), vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        ("ca/indefinite.cer".to_owned(), vec![0x30, 0x80, 0, 0]),
        ("crl/short.crl".to_owned(), vec![0x30]),
    ];
    for i in 0..200 {
        let mut octets = good.clone();
        let at = noise(2);
        let at = usize::from(at[0]) * 2 + usize::from(at[1]) % 2;
        octets[at % good.len()] ^= 1 << (i % 8);
        octets.extend(noise(i % 3));
        more.push((format!("csp/broken-{i}.cer"), octets));
        more.push((format!("crl/noise-{i}.crl"), noise(i + 1)));
    }
    let count = more.len();
    taken("decoder crash", more, count);
}

/// A certificate authority below another, and its certificate.
fn authority(number: usize, above: &KeyPair, above_name: &DistinguishedName) -> (KeyPair, DistinguishedName, Vec<u8>) {
    let ski = |key: &KeyPair| {
        let public = PublicKey::from_spki_der(&key.subject_public_key_info()).expect("a key");
        KeyIdMethod::PreSpecified(public.ski().to_vec())
    };
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("authority {number}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = name.clone();
    params.serial_number = Some((number as u64 + 1000).into());
    params.not_before = time::OffsetDateTime::from_unix_timestamp(NOW - 86_400).expect("a time");
    params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW + 86_400).expect("a time");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = ski(&key);
    params.use_authority_key_identifier_extension = true;
    let identifiers = Identifiers { gt_prefixes: vec![(1, "999".to_owned())], ..Identifiers::default() };
    let octets = identifiers.to_der().expect("encoded");
    let mut extension = CustomExtension::from_oid_content(oid::CSP_IDENTIFIERS, octets);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = above_name.clone();
    issuer.key_identifier_method = ski(above);
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let made = params.signed_by(&key, &Issuer::new(issuer, above)).expect("made");
    (key, name, made.der().to_vec())
}

#[test]
fn a_chain_without_end() {
    let pem = std::fs::read_to_string(vectors().join("keys/root.key.pem")).expect("there");
    let mut above = KeyPair::from_pem(&pem).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Sealgate Test");
    name.push(DnType::CommonName, "TSCA Test Root");
    let mut more = Vec::new();
    for number in 0..300 {
        let (key, own, der) = authority(number, &above, &name);
        more.push((format!("ca/chain-{number}.cer"), der));
        (above, name) = (key, own);
    }
    // Two may stand between the root and an operator, and no more.
    taken("endless chain", more, 298);
}

#[test]
fn a_chain_that_bites_its_tail() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "authority 2");
    let (first, first_name, one) = authority(1, &key, &name);
    let (_, _, two) = authority(2, &first, &first_name);
    taken("circular chain", vec![("ca/one.cer".to_owned(), one), ("ca/two.cer".to_owned(), two)], 2);
}

#[test]
fn a_chain_without_end_in_the_signer_file() {
    let many = |publisher: &mut Publisher| {
        let signer = publisher.files.get_mut("signer.pem").expect("there");
        let region = std::fs::read(vectors().join("certs/region.pem")).expect("there");
        (0..40).for_each(|_| signer.extend(&region));
    };
    signed("endless signer chain", many, SIGNATURE);
}
