//! The demo judged by its own note, the vectors through `replay`, and `explain` on a good and on a forged frame. Time is
//! that of the traffic: no test looks at a clock.

#[path = "demo/datagrams.rs"]
mod datagrams;
#[path = "../../dataplane/tests/common/sigtran.rs"]
mod sigtran;

use sealgate_config::model::LinkKind;
use sealgate_control::cli::explain::text;
use sealgate_control::demo::drive;
use sealgate_control::demo::judge::{self, Judged};
use sealgate_control::demo::kind::Kind;
use sealgate_control::demo::traffic::Traffic;
use sealgate_control::demo::world::{self, Files};
use sealgate_control::demo::{end_ms, prepare};
use sealgate_control::explain::{Frame, Outcome, explain};
use sealgate_control::material::Source;
use sealgate_control::offline::{How, replay};
use sealgate_dataplane::io::pcap::{Reader, Resolution, Writer};
use sealgate_dataplane::policy::Snapshot;
use sealgate_wire::addr::{GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::tcp::{Flags, Header};
use sealgate_wire::{frame_builder, ip, m3ua, map, sccp, sctp, tcap, tcp};
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;

/// When the demo's world is made.
const NOW: OffsetDateTime = datetime!(2027-03-01 12:00 UTC);

/// A directory that goes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-demo-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("directory");
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn demo(dir: &Dir, messages: usize) -> (Files, Traffic) {
    let files = Files { dir: dir.0.clone() };
    let wallet = world::build(&files, NOW).expect("world");
    let traffic = prepare(&files, &wallet, messages, NOW.unix_timestamp() as u64 * 1000).expect("traffic");
    (files, traffic)
}

fn snapshot(files: &Files) -> Snapshot {
    let source = Source { config: Some(files.config()), policy: None, trust: None };
    source.compile(NOW.unix_timestamp() as u64 * 1000).expect("configuration").snapshot
}

fn judged(files: &Files, traffic: &Traffic) -> Judged {
    let ran = drive::files(files, end_ms(traffic)).expect("run");
    judge::judge(traffic, &ran, &snapshot(files)).expect("captures")
}

#[test]
fn every_message_of_the_demo_gets_the_verdict_it_must() {
    let dir = Dir::new("verdicts");
    let (files, traffic) = demo(&dir, 600);
    let judged = judged(&files, &traffic);
    assert_eq!(judged.wrong, Vec::<String>::new());
    assert_eq!((judged.right(), judged.total), (600, 600));
    for kind in Kind::ALL {
        assert!(traffic.sent.iter().any(|sent| sent.kind == kind), "{kind:?} was not sent");
    }
    for row in &judged.rows {
        let all = if row.kind.expected().passes() { row.sent } else { 0 };
        assert_eq!(row.passed, all, "{row:?}");
    }
    let note: Value = serde_json::from_slice(&std::fs::read(files.at("traffic.json")).expect("note")).expect("JSON");
    assert_eq!(note["messages"].as_array().map(Vec::len), Some(traffic.sent.len()));
    assert!(traffic.sent.iter().any(|sent| sent.chunk == 3), "some packets carry several messages");
}

#[test]
fn the_check_of_the_demo_notices_a_wrong_verdict() {
    let dir = Dir::new("notices");
    let (files, mut traffic) = demo(&dir, 100);
    assert_eq!(judged(&files, &traffic).total, 100, "the least number has all kinds too");
    let forged = traffic.sent.iter_mut().find(|sent| sent.kind == Kind::Borrowed).expect("one");
    forged.kind = Kind::Signed;
    let judged = judged(&files, &traffic);
    assert!(judged.wrong.iter().any(|wrong| wrong.contains("a no-op left")), "{:?}", judged.wrong);
    assert!(judged.wrong.iter().any(|wrong| wrong.starts_with("counter of A R_CRT_RESOURCE")), "{:?}", judged.wrong);
}

fn one(files: &Files, frame: u64) -> Frame {
    let mut found = None;
    explain(snapshot(files), &files.at("traffic.pcap"), false, Some(frame), &mut |frame| {
        found = Some(frame);
        true
    })
    .expect("capture");
    found.expect("frame")
}

/// The first frame that has a message of this kind and nothing else.
fn alone(traffic: &Traffic, kind: Kind) -> u64 {
    let alone = |frame| traffic.sent.iter().filter(|sent| sent.frame == frame).count() == 1;
    traffic.sent.iter().find(|sent| sent.kind == kind && alone(sent.frame)).expect("alone").frame
}

/// Name of the step that failed, and how many passed before it and after it.
fn failed(frame: &Frame) -> (&'static str, usize, usize) {
    let steps = &frame.messages[0].verdict.as_ref().expect("verdict").steps;
    let at = steps.iter().position(|step| step.outcome == Outcome::Failed).expect("a failed step");
    let passed =
        |steps: &[sealgate_control::explain::Step]| steps.iter().filter(|step| step.outcome == Outcome::Passed).count();
    (steps[at].step, passed(&steps[..at]), passed(&steps[at + 1..]))
}

#[test]
fn explain_names_the_step_of_each_forgery() {
    let dir = Dir::new("steps");
    let (files, traffic) = demo(&dir, 1500);
    for (kind, step, field) in [
        (Kind::Unsigned, "MODE", ""),
        (Kind::ChangedSubscriber, "V17", "signature"),
        (Kind::ChangedSender, "V17", "signature"),
        (Kind::ChangedContext, "V17", "signature"),
        (Kind::Replayed, "V13", "sequence number"),
        (Kind::Late, "V12", "time stamp"),
        (Kind::Borrowed, "V15", "calling address"),
        (Kind::Rogue, "V10", "signer (SAI)"),
        (Kind::Expired, "V11", "signer (SAI)"),
        (Kind::Revoked, "V11", "signer (SAI)"),
        (Kind::Forbidden, "P6", ""),
        (Kind::OurSubscriber, "P8", ""),
        (Kind::OurNumber, "CGPA", "calling address"),
        (Kind::FourUnsigned, "MODE", ""),
        (Kind::FourChanged, "V17", "signature"),
        (Kind::FourReplayed, "V13", "sequence number"),
        (Kind::FourOurSubscriber, "D7", ""),
        (Kind::CallChanged, "V17", "signature"),
    ] {
        let sent = traffic.sent.iter().find(|sent| sent.kind == kind).expect("sent");
        let mut frame = one(&files, sent.frame);
        frame.messages.retain(|message| message.tsn == sent.tsn); // others may share its packet
        let (name, before, after) = failed(&frame);
        assert_eq!((name, after), (step, 0), "{kind:?}");
        let least = if sent.link == "carrier-4g" { 10 } else { 11 }; // Diameter has no layers between it and SCTP
        assert!(before >= least, "{kind:?}: {before} steps passed before {step}");
        let verdict = frame.messages[0].verdict.as_ref().expect("verdict");
        assert_eq!((verdict.reason, verdict.fate), (kind.expected().name(), "refused"), "{kind:?}");
        assert_eq!(verdict.octets.as_ref().map_or("", |excerpt| excerpt.field), field, "{kind:?}");
    }
}

#[test]
fn explain_reads_like_this() {
    let dir = Dir::new("text");
    let (files, traffic) = demo(&dir, 600);
    let good = text(&one(&files, alone(&traffic, Kind::Signed)), false);
    for line in [
        "  2027-03-01 12:00:00.",
        "  way       from interconnect to home, links.carrier-1",
        "  TCAP      BEGIN, from 100000",
        "  security  SG-TCAP-1, ",
        "    ok      V12    time: 0 s old; window 10 s past, 5 s ahead",
        "    ok      V17    signature: ",
        "  PASSED    0 R_OK_VERIFIED: signature valid, policy allows",
    ] {
        assert!(good.contains(line), "{line:?} is not in\n{good}");
    }
    assert!(!good.contains("FAILED") && !good.contains("V14"), "a step that does not apply is not claimed:\n{good}");
    let forged = text(&one(&files, alone(&traffic, Kind::ChangedSubscriber)), true);
    for line in [
        "  MAP       invoke 1 updateLocation (2), IMSI 00101",
        "    ok      V16    signer's role: role csp must be in peers.A.signer_roles",
        "    FAILED  V17    signature: p256, by a, over header, both addresses, dialogue and components",
        "    -       V18    counted once\n",
        "    -       P8     identities inside\n",
        "  REFUSED   411 R_SEC_SIG_INVALID: signature does not verify",
        "  rule      peers.A, mode require",
        "  where     signature, octets ",
    ] {
        assert!(forged.contains(line), "{line:?} is not in\n{forged}");
    }
    assert_eq!(forged.matches('[').count(), forged.matches(']').count());
    // The second of two segments: what is judged is what they make together.
    let last = traffic.sent.iter().find(|sent| sent.kind == Kind::LastSegment).expect("segment");
    let frame = one(&files, last.frame);
    let message = frame.messages.iter().find(|message| message.tsn == last.tsn).expect("message");
    assert_eq!(message.verdict.as_ref().map(|verdict| verdict.reason), Some("R_OK_VERIFIED"));
    assert!(message.layers.iter().any(|line| line.text.contains("mt-ForwardSM (44)")), "{message:?}");
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex")).collect()
}

/// The vectors' policy over their own trust.
fn vectors_config(dir: &Path) -> PathBuf {
    let dataplane = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane");
    let vectors = dataplane.join("vectors").display().to_string();
    // A gateway holds its own key only; those of the senders would make their messages reflected ones.
    let keys = dir.join("keys");
    std::fs::create_dir_all(&keys).expect("directory");
    let key = keys.join("home-ec.key.pem");
    std::fs::copy(dataplane.join("vectors/keys/home-ec.key.pem"), &key).expect("key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("mode");
    let text = format!(
        "cores: {{workers: [0]}}\nports:\n  interconnect: {{device: \"null\"}}\n  home: {{device: \"null\"}}\n\
         trust:\n  anchors: [\"{vectors}/certs/root.pem\"]\n  certificates: \"{vectors}/certs\"\n  crls: \"{vectors}/crls\"\n  \
         keys: \"{}\"\npolicy: \"{}\"\n",
        keys.display(),
        dataplane.join("tests/data/vectors-policy.yaml").display()
    );
    let path = dir.join("vectors.yaml");
    std::fs::write(&path, text).expect("write");
    path
}

/// The same with another policy: this text for that, wherever it stands.
fn config_with(dir: &Path, (before, after): (&str, &str)) -> PathBuf {
    let config = vectors_config(dir);
    let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/tests/data/vectors-policy.yaml");
    let policy = std::fs::read_to_string(&theirs).expect("policy");
    assert!(policy.contains(before), "{before}");
    let path = dir.join("policy.yaml");
    std::fs::write(&path, policy.replace(before, after)).expect("write");
    let appliance = std::fs::read_to_string(&config).expect("appliance");
    std::fs::write(&config, appliance.replace(&theirs.display().to_string(), &path.display().to_string()))
        .expect("write");
    config
}

/// All frames of a capture, as the gateway of a configuration sees them.
fn explained(config: PathBuf, input: &Path, at: u64) -> Vec<Frame> {
    let source = Source { config: Some(config), policy: None, trust: None };
    let snapshot = source.compile(at).expect("configuration").snapshot;
    let mut frames = Vec::new();
    let mut each = |frame| {
        frames.push(frame);
        true
    };
    explain(snapshot, input, false, None, &mut each).expect("capture");
    frames
}

/// Writes frames of one moment.
fn write(path: &Path, at: u64, frames: &[Vec<u8>]) {
    let mut writer = Writer::create(path, Resolution::Nano).expect("capture");
    frames.iter().for_each(|frame| writer.write(Duration::from_millis(at), frame).expect("written"));
    writer.finish().expect("written");
}

/// What the vector says must leave; `None` where it says so of the upper layers only.
fn wanted(vector: &Value) -> Option<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    for frame in vector["frames"].as_array()? {
        match frame["out_frame_hex"].as_str() {
            Some(out) => frames.push(hex(out)),
            None if frame["out_upper_hex"].is_string() => return None,
            None if frame["verdict"] == "pass" => frames.push(hex(frame["frame_hex"].as_str()?)),
            None => {}
        }
    }
    Some(frames)
}

/// Writes the frames of a vector; the time of the last one, milliseconds since 1970.
fn capture(vector: &Value, path: &Path) -> u64 {
    let mut writer = Writer::create(path, Resolution::Nano).expect("capture");
    let mut at = 0;
    for frame in vector["frames"].as_array().expect("frames") {
        at = frame["at_unix_ms"].as_u64().expect("time");
        let octets = hex(frame["frame_hex"].as_str().expect("hex"));
        writer.write(Duration::from_millis(at), &octets).expect("written");
    }
    writer.finish().expect("written");
    at
}

fn vectors_of(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/vectors").join(format!("{file}.json"));
    let mut parsed: Value = serde_json::from_slice(&std::fs::read(path).expect("vectors")).expect("JSON");
    match parsed["vectors"].take() {
        Value::Array(vectors) => vectors,
        other => panic!("{other}"),
    }
}

/// Explains a capture: one step fails of what is refused, the last one looked at, and none of what passes. Returns how many were
/// refused, adds what is wrong with the others, and hands each frame over as people read it.
fn steps_agree(
    source: &Source,
    (at, input): (u64, &Path),
    id: &Value,
    wrong: &mut Vec<String>,
    shown: &mut dyn FnMut(&str),
) -> usize {
    let mut refused = 0;
    let snapshot = source.compile(at).expect("configuration").snapshot;
    explain(snapshot, input, false, None, &mut |frame| {
        let verdicts = frame.messages.iter().filter_map(|message| message.verdict.as_ref());
        for verdict in verdicts.chain(frame.verdict.as_ref()) {
            let again = verdict.steps.iter().any(|step| step.step == "AGAIN");
            let want = usize::from(verdict.fate == "refused" && !again);
            refused += want;
            let failed = verdict.steps.iter().filter(|step| step.outcome == Outcome::Failed);
            let failed: Vec<_> = failed.map(|step| step.step).collect();
            if failed.len() != want {
                wrong.push(format!("{id}: {} fails at {failed:?}", verdict.reason));
            }
            let order = |outcome| verdict.steps.iter().rposition(|step| step.outcome == outcome);
            if want == 1 && order(Outcome::Passed) > order(Outcome::Failed) {
                wrong.push(format!("{id}: {} passes a step after the one that failed", verdict.reason));
            }
        }
        shown(&text(&frame, true));
        true
    })
    .expect("capture");
    refused
}

#[test]
fn explain_names_one_step_for_each_refusal_of_the_vectors_and_none_for_what_passes() {
    let dir = Dir::new("all-steps");
    let source = Source { config: Some(vectors_config(&dir.0)), policy: None, trust: None };
    let (mut refused, mut wrong) = (0, Vec::new());
    for file in [
        "tcap_native",
        "tcap_sigfw",
        "tcap_policy",
        "transport",
        "isup",
        "sip_identity",
        "diameter_native",
        "diameter_dess",
    ] {
        for vector in vectors_of(file) {
            let input = dir.0.join("in.pcap");
            let at = capture(&vector, &input);
            let shown = &mut |text: &str| assert!(!text.is_empty());
            refused += steps_agree(&source, (at, &input), &vector["id"], &mut wrong, shown);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(refused >= 100, "{refused}");
}

#[test]
fn so_it_does_over_m2pa_and_sua() {
    let label = "    opcs: [4128, 4144, 4160, 4176, 4224]\n    dpcs: [4112, 4113]\n    ni: [international]\n";
    let contexts = "    routing_contexts: [1]\n";
    let users = "    si: [sccp, isup]\n    isup_mode: require\n";
    let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/tests/data/vectors-policy.yaml");
    let policy = std::fs::read_to_string(&theirs).expect("policy");
    let dir = Dir::new("other-carriers");
    for (kind, word, gone, files, shown) in [
        (LinkKind::M2pa, "m2pa", &[contexts][..], &["tcap_native", "isup"][..], "  M2PA      user data, number "),
        (LinkKind::Sua, "sua", &[label, users], &["tcap_native"], "  SUA       CLDT, routing context 1"),
    ] {
        let mut text_of = policy.replace("type: m3ua", &format!("type: {word}"));
        for lines in gone {
            assert!(text_of.contains(lines), "{lines}");
            text_of = text_of.replace(lines, "");
        }
        let config = vectors_config(&dir.0);
        let path = dir.0.join(format!("{word}.yaml"));
        std::fs::write(&path, text_of).expect("write");
        let appliance = std::fs::read_to_string(&config).expect("appliance");
        let other = appliance.replace(&theirs.display().to_string(), &path.display().to_string());
        std::fs::write(&config, other).expect("write");
        let source = Source { config: Some(config), policy: None, trust: None };
        let (mut refused, mut wrong, mut seen) = (0, Vec::new(), 0);
        for mut vector in files.iter().flat_map(|file| vectors_of(file)) {
            for frame in vector["frames"].as_array_mut().expect("frames") {
                let octets = hex(frame["frame_hex"].as_str().expect("hex"));
                let said = sigtran::frame(kind, &octets).expect("can be said there");
                frame["frame_hex"] = said.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into();
            }
            let input = dir.0.join("in.pcap");
            let at = capture(&vector, &input);
            refused += steps_agree(&source, (at, &input), &vector["id"], &mut wrong, &mut |text| {
                assert!(!text.contains("M3UA"), "{text}");
                seen += usize::from(text.contains(shown));
            });
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(refused >= 30 && seen >= 60, "{refused} refused, {seen} shown");
    }
}

#[test]
fn explain_claims_no_look_at_a_calling_number_that_the_link_does_not_ask_for() {
    let dir = Dir::new("not-asked");
    let input = dir.0.join("in.pcap");
    let unsigned = vectors_of("isup").into_iter().find(|vector| vector["id"] == "is-004").expect("an unsigned call");
    let at = capture(&unsigned, &input);
    for (mode, asked, fate) in [("require", true, "refused"), ("prefer", false, "passed"), ("ignore", false, "passed")]
    {
        let config = config_with(&dir.0, ("isup_mode: require", &format!("isup_mode: {mode}")));
        let frames = explained(config, &input, at);
        let [frame] = &frames[..] else { panic!("{frames:?}") };
        let verdict = frame.messages[0].verdict.as_ref().expect("verdict");
        let outcome = |name| verdict.steps.iter().find(|step| step.step == name).expect("step").outcome;
        assert_eq!(outcome("CGPN") == Outcome::Passed, asked, "{mode}");
        assert_eq!(outcome("MODE") == Outcome::Passed, fate == "passed", "{mode}");
        assert_eq!(verdict.fate, fate, "{mode}");
    }
}

#[test]
fn explain_names_the_limit_of_dialogues() {
    let dir = Dir::new("dialogues");
    let input = dir.0.join("in.pcap");
    // One request under two identifiers.
    let vectors = vectors_of("diameter_native");
    let frame = |id: &str| {
        let vector = vectors.iter().find(|vector| vector["id"] == id).expect("a vector");
        let at = vector["frames"][0]["at_unix_ms"].as_u64().expect("time");
        (at, hex(vector["frames"][0]["frame_hex"].as_str().expect("hex")))
    };
    let ((at, first), (_, second)) = (frame("dn-001"), frame("dn-008"));
    write(&input, at, &[first, second]);
    for (most, fates) in [(1, ["passed", "refused"]), (2, ["passed", "passed"])] {
        let open = format!("transactions: {{check: yes, per_peer: {most}}}");
        let config = config_with(&dir.0, ("transactions: {check: no}", &open));
        let policy = dir.0.join("policy.yaml");
        let text = std::fs::read_to_string(&policy).expect("policy");
        std::fs::write(&policy, text.replace("    mode: require", "    mode: ignore")).expect("write");
        let frames = explained(config, &input, at);
        let verdicts: Vec<_> = frames.iter().filter_map(|frame| frame.messages[0].verdict.as_ref()).collect();
        assert_eq!(verdicts.iter().map(|verdict| verdict.fate).collect::<Vec<_>>(), fates, "{most}");
        let step = verdicts[1].steps.iter().find(|step| step.step == "DLG").expect("the step");
        assert_eq!(step.outcome == Outcome::Passed, most == 2);
        assert_eq!(step.detail, format!("fewer than {most} that A began are open"));
        if most == 1 {
            assert_eq!((verdicts[1].reason, failed(&frames[1]).0), ("R_RES_TABLE_FULL", "DLG"));
        }
    }
}

/// A frame with sendRoutingInfoForSM of B, which need not sign, to our HLR.
fn asks_for_routing() -> Vec<u8> {
    let title = |digits: &str, ssn| {
        let mut out = Vec::new();
        let title = GlobalTitle { plan: Plan::E164, digits: digits.parse().expect("digits") };
        sccp::emit_address(&title, ssn, 0, &mut out);
        out
    };
    let (mut argument, mut component, mut begin) = (Vec::new(), Vec::new(), Vec::new());
    let [subscriber, centre] = ["999015550001", "999030000011"].map(|digits| digits.parse().expect("digits"));
    map::send_routing_info_for_sm(&subscriber, &centre, &mut argument);
    tcap::emit_invoke(1, 45, &argument, &mut component);
    let id = tcap::Tid::new(&[0, 0, 0, 1]).expect("four octets");
    tcap::emit_begin(id, Some(&[4, 0, 0, 1, 0, 20, 3]), &component, &mut begin);
    let (called, calling) = (title("999010000001", Ssn::HLR), title("999030000011", Ssn::MSC));
    let mut user = Vec::new();
    sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, &begin, None, None, &mut user).expect("fits");
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(4128),
        dpc: PointCode(4112),
        si: 3,
        ni: 0,
        mp: 0,
        sls: 3,
        user: &user,
    };
    let mut message = Vec::new();
    assert!(data.emit(&mut message));
    let path = frame_builder::Path {
        source_mac: [2, 0, 0, 0, 0, 0x0a],
        destination_mac: [2, 0, 0, 0, 0, 0x0b],
        vlan: None,
        source: [192, 0, 2, 10].into(),
        destination: [198, 51, 100, 10].into(),
        source_port: 2905,
        destination_port: 2905,
        vtag: 0x5ea1_9a7e,
    };
    let (begin, end, unordered, immediate) = (true, true, false, false);
    let chunk = sctp::Data { begin, end, unordered, immediate, tsn: 1, stream: 1, ssn: 1, ppid: 3, user: &message };
    let mut out = Vec::new();
    assert!(path.emit(1, |out| assert!(sctp::emit_data(&chunk, out)), &mut out));
    out
}

#[test]
fn explain_names_the_router_of_short_messages() {
    let dir = Dir::new("router");
    let (input, at) = (dir.0.join("in.pcap"), 1_795_000_000_000);
    write(&input, at, &[asks_for_routing()]);
    let signing = "  signing: {cert: home-ec, node_base: 1}";
    for (title, want) in [("99901000077", "R_POL_HOME_ROUTING"), ("99901*", "R_OK_UNSIGNED_ALLOWED")] {
        let routed = format!("{signing}\n  sms_router: {{gt: [\"{title}\"]}}");
        let frames = explained(config_with(&dir.0, (signing, &routed)), &input, at);
        let verdict = frames[0].messages[0].verdict.as_ref().expect("verdict");
        assert_eq!(verdict.reason, want);
        let step = verdict.steps.iter().find(|step| step.step == "P8R").expect("the step");
        assert!(step.detail.contains("must be addressed to home.sms_router.gt"), "{}", step.detail);
        assert_eq!(step.outcome == Outcome::Failed, want == "R_POL_HOME_ROUTING");
    }
}

#[test]
fn replay_writes_what_the_vectors_want() {
    let dir = Dir::new("vectors");
    let source = Source { config: Some(vectors_config(&dir.0)), policy: None, trust: None };
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in ["tcap_native", "transport", "isup", "sip_identity", "diameter_native", "diameter_dess"] {
        for vector in &vectors_of(file) {
            // The policy or the memory is another there; and what leaves signed has another signature each time.
            let altered = vector["override"].is_object()
                || vector["open_transactions"].is_array()
                || vector["open_requests"].is_array();
            if altered || vector["direction"] == "egress" {
                continue;
            }
            let Some(wanted) = wanted(vector) else { continue };
            let (input, output) = (dir.0.join("in.pcap"), dir.0.join("out.pcap"));
            let at = capture(vector, &input);
            let snapshot = source.compile(at).expect("configuration").snapshot;
            let (reader, writer) = (Reader::open(&input), Writer::create(&output, Resolution::Nano));
            let how = How { cold: false, journal: true };
            let replayed =
                replay(snapshot, reader.expect("capture"), Some(writer.expect("capture")), how).expect("run");
            let (frames_in, accounted) = replayed.stats.frame_balance();
            assert_eq!(frames_in, accounted, "{}", vector["id"]);
            let (mut reader, mut octets, mut left) = (Reader::open(&output).expect("capture"), Vec::new(), Vec::new());
            while reader.read(&mut octets).expect("capture").is_some() {
                left.push(octets.clone());
            }
            if left != wanted {
                wrong.push(format!("{}: {} frames left, {} wanted, or others", vector["id"], left.len(), wanted.len()));
            }
            compared += 1;
        }
    }
    println!("replay agrees with {compared} vectors");
    assert_eq!(wrong, Vec::<String>::new());
    assert!(compared > 60, "{compared}");
}

#[test]
fn explain_reads_diameter_under_the_unspecified_identifier() {
    let dir = Dir::new("unspecified");
    let input = dir.0.join("in.pcap");
    let vector = vectors_of("diameter_native").into_iter().find(|vector| vector["id"] == "dn-001").expect("an id");
    let at = vector["frames"][0]["at_unix_ms"].as_u64().expect("time");
    let mut frame = hex(vector["frames"][0]["frame_hex"].as_str().expect("hex"));
    // Behind Ethernet, IPv4 and the header of SCTP: the last field of the DATA chunk's own header.
    frame[58..62].fill(0);
    let crc = sctp::packet_crc32c(&frame[34..]);
    assert!(sctp::seal(&mut frame[34..], crc));
    write(&input, at, &[frame]);
    let frames = explained(vectors_config(&dir.0), &input, at);
    let [message] = &frames[0].messages[..] else { panic!("{frames:?}") };
    assert_eq!(message.verdict.as_ref().expect("a verdict").fate, "passed");
    assert!(message.layers.iter().any(|line| line.layer == "Diameter"), "{message:?}");
}

/// A frame of the vectors' Diameter link over TCP, from its neighbour or to it.
fn over_tcp(outward: bool, flags: Flags, (seq, ack): (u32, u32), payload: &[u8]) -> Vec<u8> {
    let (theirs, ours) = (([192, 0, 2, 20], 40_000), ([198, 51, 100, 20], 3868));
    let ((from, source_port), (to, destination_port)) = if outward { (ours, theirs) } else { (theirs, ours) };
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, tcp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    let header = Header { source_port, destination_port, seq, ack, flags, window: 60_000, urgent: 0 };
    tcp::emit(&header, &tcp::Options::default(), payload, &mut out);
    assert!(tcp::seal(from.into(), to.into(), &mut out[34..]));
    let len = out.len() - 34;
    assert!(ip::set_lengths(&mut out[14..], len));
    out
}

#[test]
fn explain_finds_the_messages_of_a_connection() {
    let dir = Dir::new("connection");
    let config = config_with(&dir.0, ("    type: diameter\n", "    type: diameter\n    transports: [tcp]\n"));
    // A message that passes, and one that does not, cut so that the first is whole with the second segment.
    let said = |id: &str| {
        let vector = vectors_of("diameter_native").into_iter().find(|vector| vector["id"] == id).expect("an id");
        let at = vector["frames"][0]["at_unix_ms"].as_u64().expect("time");
        let frame = hex(vector["frames"][0]["frame_hex"].as_str().expect("hex"));
        let packet = sctp::Packet::parse(&frame[34..]).expect("SCTP");
        let chunk = packet.chunks().next().expect("a chunk");
        (at, sctp::Data::parse(&chunk).expect("DATA").user.to_vec())
    };
    let (at, good) = said("dn-001");
    let bad = {
        let mut bad = good.clone();
        let host = bad.windows(6).position(|six| six == b".epc.m").expect("a host");
        bad[host + 1] ^= 1;
        bad
    };
    let octets = [good.clone(), bad].concat();
    let input = dir.0.join("in.pcap");
    let (syn, ack) = (Flags::SYN, Flags::ACK);
    let segments = [
        over_tcp(false, syn, (99, 0), b""),
        over_tcp(true, syn.with(ack), (499, 100), b""),
        over_tcp(false, ack, (100, 500), &octets[..40]),
        over_tcp(false, ack, (140, 500), &octets[40..]),
    ];
    write(&input, at, &segments);
    let frames = explained(config, &input, at);
    assert_eq!(frames.iter().map(|frame| frame.messages.len()).collect::<Vec<_>>(), [0, 0, 0, 2]);
    let last = &frames[3];
    for (message, (seq, fate)) in last.messages.iter().zip([(100, "passed"), (100 + good.len() as u32, "refused")]) {
        let verdict = message.verdict.as_ref().expect("a verdict");
        assert_eq!((message.tsn, verdict.fate), (seq, fate));
        let outcome = |name| verdict.steps.iter().find(|step| step.step == name).map(|step| step.outcome);
        assert_eq!((outcome("FLOW"), outcome("CRC"), outcome("PPID")), (Some(Outcome::Passed), None, None));
        assert_eq!(outcome("V17") == Some(Outcome::Failed), fate == "refused");
    }
    let shown = text(last, false);
    assert!(shown.contains("port 40000 to 3868") && shown.contains("message 2 of 2, sequence number"), "{shown}");
    println!("{shown}");
}
