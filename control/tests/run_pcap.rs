//! `sealgate run` as an operator starts it: files in, files and counters out. With feature dpdk the files are ports of
//! libdpdk without huge pages, otherwise plain ones; what comes out is the same.

mod common;

use common::{HOME, Lab, OTHER, frame, message, read_capture, write_capture};
use sealgate_wire::sctp::{self, ChunkKind, Packet};
use sealgate_wire::{eth, ip};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn sealgate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sealgate")).args(args).output().expect("it starts")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs a gateway on its files to their end, and returns what it counted.
fn run(config: &Path) -> Value {
    let done = sealgate(&["run", path(config), "--json"]);
    let log = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{log}");
    assert!(log.contains("sealgate ready: pcap:"), "{log}");
    assert!(!config.with_extension("sock").exists(), "the socket is gone");
    serde_json::from_slice(&done.stdout).unwrap_or_else(|fault| panic!("{fault}: {log}"))
}

/// Changes an octet of the user data of a frame's only DATA chunk, and makes its checksum good again.
fn tamper(octets: &mut [u8], from_end: usize) {
    let ethernet = eth::Frame::parse(octets).expect("Ethernet");
    let header = ethernet.header_len;
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    let (from, to) = (header + packet.header_len, header + packet.total_len);
    let sctp = octets.get_mut(from..to).expect("SCTP");
    let at = sctp.len() - from_end;
    sctp[at] ^= 1;
    let crc = sctp::packet_crc32c(sctp);
    assert!(sctp::seal(sctp, crc));
    assert!(Packet::parse(sctp).expect("SCTP").chunks().all(|chunk| chunk.kind == ChunkKind::DATA));
}

#[test]
fn one_gateway_signs_what_the_other_verifies_and_a_changed_message_is_overwritten() {
    let lab = Lab::new("run");
    let sent: Vec<Vec<u8>> = (0..50).map(|number| frame(number, &message())).collect();
    write_capture(&lab.file("in.pcap"), &sent);

    let signs = lab.gateway(&HOME, &OTHER, "pcap:,wire.pcap", "pcap:in.pcap");
    let counted = run(&signs);
    let status = &counted["status"];
    assert_eq!(status["state"], "done");
    assert_eq!((&status["frames"]["received"], &status["frames"]["sent"]), (&json!(50), &json!(50)), "{status}");
    assert_eq!(status["frames"]["unaccounted"], 0);
    assert_eq!(counted["peers"][1]["out"]["reasons"], json!({ "R_OK_SIGNED_EGRESS": 50 }));
    let mut wire = read_capture(&lab.file("wire.pcap"));
    assert!(wire.iter().zip(&sent).all(|(wire, sent)| wire.len() > sent.len() + 64), "they grew by a signature");

    // One octet of a signature, one of what it covers.
    tamper(&mut wire[10], 4);
    tamper(&mut wire[20], 120);
    write_capture(&lab.file("wire.pcap"), &wire);
    let verifies = lab.gateway(&OTHER, &HOME, "pcap:wire.pcap", "pcap:,out.pcap");
    let counted = run(&verifies);
    let status = &counted["status"];
    assert_eq!((&status["messages"]["passed"], &status["messages"]["refused"]), (&json!(48), &json!(2)), "{counted}");
    let reasons = &counted["peers"][1]["in"]["reasons"];
    assert_eq!(reasons["R_OK_VERIFIED"], 48, "{reasons}");
    let out = read_capture(&lab.file("out.pcap"));
    assert_eq!(out.len(), 50, "what is refused is overwritten, not dropped");
    let same = |number: usize| out[number] == sent[number];
    assert!((0..50).all(|number| same(number) != [10, 20].contains(&number)), "what passed is what was sent");
}

#[test]
fn a_restart_goes_on_from_the_memory_of_the_run_before() {
    let lab = Lab::new("warm");
    let sent: Vec<Vec<u8>> = (0..50).map(|number| frame(number, &message())).collect();
    write_capture(&lab.file("in.pcap"), &sent);
    run(&lab.gateway(&HOME, &OTHER, "pcap:,wire.pcap", "pcap:in.pcap"));

    let verifies = lab.gateway(&OTHER, &HOME, "pcap:wire.pcap", "pcap:,out.pcap");
    let text = std::fs::read_to_string(&verifies).expect("the file") + "state: var/state\n";
    std::fs::write(&verifies, text).expect("written");
    let memory = lab.file("var/state/replay-memory");
    let bad = lab.file("var/state/replay-memory.bad");
    let counted = |reason: &str, log: &str| {
        let done = sealgate(&["run", path(&verifies), "--json"]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.contains(log), "{log}: {said}");
        let counted: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        assert_eq!(counted["peers"][1]["in"]["reasons"][reason], 50, "{log}: {counted}");
        assert_eq!(std::fs::metadata(&memory).expect("a memory was left").permissions().mode() & 0o777, 0o600);
    };
    counted("R_OK_VERIFIED", "no replay memory in");
    counted("R_SEC_REPLAY", "warm start: replay memory of the run that ended");
    assert!(!bad.exists());
    let mut octets = std::fs::read(&memory).expect("a memory");
    octets[40] ^= 1;
    std::fs::write(&memory, &octets).expect("written");
    counted("R_OK_VERIFIED", "its SHA-256 is another; not used and moved to");
    assert_eq!(std::fs::read(&bad).expect("kept"), octets);
}

#[test]
fn faults_end_it_with_status_2_and_a_machine_that_lacks_something_with_1() {
    let lab = Lab::new("faults");
    let config = lab.gateway(&HOME, &OTHER, "pcap:,wire.pcap", "pcap:missing.pcap");
    let done = sealgate(&["run", path(&config)]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stderr).contains("missing.pcap"), "{done:?}");

    let good = sealgate(&["check", path(&config)]);
    assert!(good.status.success() && String::from_utf8_lossy(&good.stdout).contains(": good: 1 link(s)"), "{good:?}");
    let effective = sealgate(&["check", path(&config), "--effective"]);
    let text = String::from_utf8_lossy(&effective.stdout).into_owned();
    assert!(effective.status.success() && text.contains("rx_ring: 1024") && text.contains("adopt: "), "{text}");

    // Faults of both files and of the trust directories, all at once.
    let policy = lab.file("home-policy.yaml");
    let text = std::fs::read_to_string(&policy).expect("policy").replace("cert: home", "cert: nobody");
    std::fs::write(&policy, text).expect("written");
    std::fs::remove_dir_all(lab.file("tsca/crls")).expect("removed");
    for verb in ["check", "run"] {
        let bad = sealgate(&[verb, path(&config)]);
        assert_eq!(bad.status.code(), Some(2));
        let text = String::from_utf8_lossy(if verb == "check" { &bad.stdout } else { &bad.stderr }).into_owned();
        assert!(text.contains("home.yaml:6: trust.crls: "), "{text}");
        assert!(text.contains("home-policy.yaml:5: home.signing.cert: no certificate \"nobody\" is loaded"), "{text}");
    }
    let json = sealgate(&["check", path(&config), "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((&json["ok"], json["faults"].as_array().map(Vec::len)), (&json!(false), Some(2)));
}

#[cfg(not(feature = "dpdk"))]
#[test]
fn a_build_without_dpdk_says_what_it_lacks() {
    let lab = Lab::new("nodpdk");
    let config = lab.gateway(&HOME, &OTHER, "af_packet:eth0", "pcap:in.pcap");
    let done = sealgate(&["run", path(&config)]);
    assert_eq!(done.status.code(), Some(2));
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(
        text.contains("ports.interconnect.device: af_packet:eth0 needs DPDK") && text.contains("--features dpdk"),
        "{text}"
    );
    // The file itself is good: another build runs it.
    let check = sealgate(&["check", path(&config)]);
    assert!(check.status.success() && String::from_utf8_lossy(&check.stdout).starts_with("warning: "), "{check:?}");
}

#[cfg(not(feature = "dpdk"))]
#[test]
fn an_output_that_cannot_be_written_ends_it() {
    let lab = Lab::new("full");
    let sent: Vec<Vec<u8>> = (0..2000).map(|number| frame(number, &message())).collect();
    write_capture(&lab.file("in.pcap"), &sent);
    let config = lab.gateway(&HOME, &OTHER, "pcap:,/dev/full", "pcap:in.pcap");
    let done = sealgate(&["run", path(&config)]);
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(text.contains("/dev/full: octet ") && text.contains("No space left"), "{text}");
}

/// Two rings that nothing circles in: a gateway that waits for ever.
#[cfg(feature = "dpdk")]
#[test]
fn a_signal_stops_it_and_meanwhile_it_answers() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;
    let lab = Lab::new("signal");
    let config = lab.gateway(&HOME, &OTHER, "ring", "ring");
    let (socket, config) = (lab.file("home.sock"), path(&config));
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(["run", config])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.starts_with("sealgate ready: ring <-> ring, 1 worker(s)") {
        line.clear();
        assert!(log.read_line(&mut line).expect("text") > 0, "it ended");
    }
    for what in ["status", "peers", "reasons", "workers", "trust", "all"] {
        let shown = sealgate(&["show", what, "--config", config]);
        assert!(shown.status.success() && !shown.stdout.is_empty(), "{shown:?}");
    }
    let json = sealgate(&["show", "--socket", path(&socket), "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((&json["state"], &json["workers"]["running"]), (&json!("forwarding"), &json!(1)));

    let second = sealgate(&["run", config]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another gateway answers there"), "{second:?}");
    assert!(socket.exists(), "the socket of the living was left alone");

    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success() && child.wait().expect("it ends").success());
    let mut summary = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut summary).expect("text");
    assert!(summary.contains("sealgate 0.") && summary.contains("frames"), "{summary}");
    assert!(!socket.exists());
    let gone = sealgate(&["show", "--socket", path(&socket)]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no gateway runs there"), "{gone:?}");
}
