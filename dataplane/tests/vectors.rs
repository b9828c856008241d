//! Every frame vector through the real pipeline: verdict, reason and output frame.

mod common;
#[path = "vectors/sigtran.rs"]
mod sigtran;

use common::{Gateway, Step, hex, policy, to_hex, vectors};
use sealgate_config::model::{Ber, DetectMode, Geo, Mode, Policy, RoleName, Switch};
use sealgate_dataplane::pipeline::worker::ANY_PEER;
use sealgate_dataplane::pipeline::{Record, WorkerConfig};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::dialogues::Opening;
use sealgate_wire::sctp::{ChunkKind, Data, Packet};
use sealgate_wire::sec::tcap1;
use sealgate_wire::{Reason, eth, ip, m3ua, sccp, tcap, udp};
use serde_json::Value;

/// What a file of vectors came to.
#[derive(Default)]
struct Score {
    passed: usize,
    total: usize,
    faults: Vec<String>,
}

fn run(file: &str) -> Score {
    let path = vectors().join(format!("{file}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let parsed: Value = serde_json::from_str(&text).expect("JSON");
    let mut score = Score::default();
    for vector in parsed["vectors"].as_array().expect("vectors") {
        let id = vector["id"].as_str().expect("id");
        score.total += 1;
        match check(vector) {
            Ok(()) => score.passed += 1,
            Err(fault) => score.faults.push(format!("{id}: {fault}")),
        }
    }
    println!("vectors {file} {}/{}", score.passed, score.total);
    score
}

fn mode(value: &Value) -> Mode {
    match value.as_str() {
        Some("require") => Mode::Require,
        Some("prefer") => Mode::Prefer,
        Some("ignore") => Mode::Ignore,
        other => panic!("mode {other:?}"),
    }
}

/// The geography of `context.json`: between A and B are 9000 km, along the equator.
const GEO: &str = "kind,code,latitude,longitude,radius_km,name\n\
    gt,99902,0,0,0,A\nplmn,00102,0,0,0,A\ngt,99903,0,80.938,0,B\nplmn,00103,0,80.938,0,B\n";

fn overridden(vector: &Value) -> Policy {
    let mut policy = policy();
    let velocity = &mut policy.detection.velocity;
    velocity.switch = Switch { mode: DetectMode::Drop, learn_s: 0 };
    let places = sealgate_config::parse_geo(GEO, "geo.csv").unwrap_or_else(|faults| panic!("{faults}"));
    velocity.geo = Some(Geo { file: "geo.csv".into(), places });
    for (key, value) in vector["override"].as_object().into_iter().flatten() {
        let path: Vec<&str> = key.split('.').collect();
        match path.as_slice() {
            ["links", name, "isup_mode"] => {
                let link = policy.links.iter_mut().find(|link| link.name == *name).expect("known link");
                link.isup.mode = mode(value);
            }
            ["ber"] => policy.defaults.ber = if value == "canonicalise" { Ber::Canonicalise } else { Ber::Strict },
            ["peers", name, what] => {
                let peer = policy.peers.iter_mut().find(|peer| peer.name == *name).expect("known peer");
                match *what {
                    "mode" => peer.mode = mode(value),
                    "signer_roles" => {
                        let role = |role: &Value| match role.as_str() {
                            Some("csp") => RoleName::Csp,
                            Some("carrier") => RoleName::Carrier,
                            Some("hub") => RoleName::Hub,
                            other => panic!("role {other:?}"),
                        };
                        peer.signer_roles = value.as_array().expect("roles").iter().map(role).collect();
                    }
                    other => panic!("override of {other}"),
                }
            }
            other => panic!("override of {other:?}"),
        }
    }
    if vector["open_transactions"].is_array() || vector["open_requests"].is_array() {
        policy.defaults.transactions.check = true;
        policy.defaults.transactions.grace_s = 0;
    }
    policy
}

/// The gateway that a vector wants, before its first frame.
fn gateway(vector: &Value, mut policy: Policy) -> Gateway {
    if let (Some(node), Some(signing)) = (vector["egress_node"].as_u64(), policy.home.signing.as_mut()) {
        signing.node_base = node as u8;
    }
    let first_seq = vector["egress_seq"].as_u64().unwrap_or(1);
    let gateway = Gateway::new(&policy, WorkerConfig { journal: true, first_seq, ..WorkerConfig::default() });
    let frames = vector["frames"].as_array().expect("frames");
    for id in vector["open_transactions"].as_array().into_iter().flatten() {
        // The vectors do not say who of HOME opened it, so whoever is called in the first frame did.
        let called = called_digits(&hex(frames[0]["frame_hex"].as_str().expect("hex")));
        let shared = gateway.worker.shared();
        let key = shared.transaction_key(&hex(id.as_str().expect("id")), &called);
        assert!(shared.dialogues.open(key, Opening::ours(ANY_PEER), common::NOW_MS));
    }
    for pair in vector["open_requests"].as_array().into_iter().flatten() {
        let number = |i: usize| pair[i].as_u64().and_then(|id| u32::try_from(id).ok()).expect("an identifier");
        let shared = gateway.worker.shared();
        let link = policy.links.iter().position(|link| link.name == "dia-1").expect("a link") as u16;
        let key = shared.request_key(link, Direction::Out, number(0), number(1));
        assert!(shared.dialogues.open(key, Opening::ours(ANY_PEER), common::NOW_MS));
    }
    gateway
}

fn check(vector: &Value) -> Result<(), String> {
    let mut gateway = gateway(vector, overridden(vector));
    let egress = vector["direction"] == "egress";
    let frames = vector["frames"].as_array().expect("frames");
    for (i, frame) in frames.iter().enumerate() {
        let octets = hex(frame["frame_hex"].as_str().expect("hex"));
        let at_ms = frame["at_unix_ms"].as_u64().expect("time");
        let step = gateway.frame(usize::from(egress), &octets, at_ms);
        verdict(vector, frame, &step).map_err(|fault| format!("frame {i}: {fault}"))?;
        output(vector, frame, &octets, &step, usize::from(!egress)).map_err(|fault| format!("frame {i}: {fault}"))?;
        let (frames_in, frames_out) = balance(&mut gateway);
        if frames_in != frames_out {
            return Err(format!("frame {i}: {frames_in} frames in, {frames_out} accounted for"));
        }
    }
    Ok(())
}

fn balance(gateway: &mut Gateway) -> (u64, u64) {
    gateway.worker.publish();
    let stats = gateway.worker.stats();
    let (messages_in, messages_out) = stats.message_balance();
    assert_eq!(messages_in, messages_out, "messages in and accounted for");
    stats.frame_balance()
}

/// Called digits of the SCCP message in a frame.
fn called_digits(frame: &[u8]) -> sealgate_wire::addr::Digits {
    let user = user_data(frame).remove(0);
    let data = m3ua::Data::parse(m3ua::View::new(&user).expect("M3UA")).expect("DATA");
    let unitdata = sccp::Unitdata::parse(data.user).expect("SCCP");
    let called = sccp::Address::parse(unitdata.called).and_then(|address| address.title()).expect("title");
    called.expect("title").digits
}

/// User data of every DATA chunk, or of a datagram.
fn user_data(frame: &[u8]) -> Vec<Vec<u8>> {
    let ethernet = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    if packet.protocol == udp::PROTOCOL {
        let datagram = udp::Datagram::parse(packet.source, packet.destination, packet.payload).expect("UDP");
        return vec![datagram.payload.to_vec()];
    }
    let sctp = Packet::parse(packet.payload).expect("SCTP");
    sctp.chunks()
        .filter(|chunk| chunk.kind == ChunkKind::DATA)
        .map(|chunk| Data::parse(&chunk).expect("DATA").user.to_vec())
        .collect()
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::OkHeld => "hold",
        reason if reason.passes() => "pass",
        _ => "drop",
    }
}

fn verdict(vector: &Value, frame: &Value, step: &Step) -> Result<(), String> {
    let got = |records: &[Record]| records.iter().map(|r| (word(r.reason), r.reason.name())).collect::<Vec<_>>();
    if let Some(chunks) = vector["per_chunk"].as_array() {
        let want: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk["verdict"].as_str().unwrap_or(""), chunk["reason"].as_str().unwrap_or("")))
            .collect();
        return if got(&step.records) == want {
            Ok(())
        } else {
            Err(format!("want {want:?}, got {:?}", got(&step.records)))
        };
    }
    let want = (frame["verdict"].as_str().unwrap_or(""), frame["reason"].as_str().unwrap_or(""));
    if want.0 == "hold" && step.records.is_empty() {
        return Ok(()); // a fragment: its message has no verdict yet
    }
    let got = got(&step.records);
    if got != [want] {
        return Err(format!(
            "want {want:?}, got {got:?} at {:?}",
            step.records.iter().map(|r| r.at).collect::<Vec<_>>()
        ));
    }
    let code = step.records.first().map(|record| u64::from(record.reason.code()));
    if code == frame["code"].as_u64() { Ok(()) } else { Err(format!("code {code:?}, want {}", frame["code"])) }
}

fn output(vector: &Value, frame: &Value, input: &[u8], step: &Step, exit: usize) -> Result<(), String> {
    if !step.sent[1 - exit].is_empty() {
        return Err("a frame left by the port it came in".into());
    }
    let sent = &step.sent[exit];
    if vector["direction"] == "egress" {
        return signed(vector, frame, sent);
    }
    match frame["out_frame_hex"].as_str() {
        Some(want) if sent.len() == 1 && to_hex(&sent[0]) == want => {}
        Some(want) => {
            let got = sent.iter().map(|octets| to_hex(octets)).collect::<Vec<_>>().join(" + ");
            return Err(format!("left {got}\n    want {want}"));
        }
        None if frame["verdict"] == "pass" => {
            let Some(upper) = frame["out_upper_hex"].as_str() else {
                return if sent.iter().map(Vec::as_slice).eq([input]) {
                    Ok(())
                } else {
                    Err("not passed as it came".into())
                };
            };
            // A message over several frames: put together, it carries what is wanted, and each chunk carries some of it.
            let parts: Vec<_> = sent.iter().flat_map(|frame| user_data(frame)).collect();
            if parts.iter().any(Vec::is_empty) || !to_hex(&parts.concat()).contains(upper) {
                return Err(format!("{} chunks do not carry {upper}", parts.len()));
            }
        }
        None if sent.is_empty() => {}
        None => return Err("a frame left that should not".into()),
    }
    Ok(())
}

/// An egress vector: all but the signature as given, and the signature ours.
fn signed(vector: &Value, frame: &Value, sent: &[Vec<u8>]) -> Result<(), String> {
    let [sent] = sent else { return Err(format!("{} frames left", sent.len())) };
    let want = hex(frame["out_frame_hex"].as_str().ok_or("no output frame in the vector")?);
    let user = user_data(sent).remove(0);
    let wanted = user_data(&want).remove(0);
    let parse = |user: &[u8]| -> Result<(Vec<u8>, Vec<u8>), sealgate_wire::Refusal> {
        let data = m3ua::Data::parse(m3ua::View::new(user)?)?;
        let unitdata = sccp::Unitdata::parse(data.user)?;
        let message = tcap::Message::parse(unitdata.data, sealgate_wire::ber::Rules::Strict)?;
        let component = message.components.last().ok_or(Reason::TcapComponent.at(0))?;
        let protection = tcap1::parse(component.parameter)?;
        let mut blank = user.to_vec();
        let end = protection.signature.as_ptr() as usize - user.as_ptr() as usize + protection.signature.len();
        blank[end - protection.signature.len()..end].fill(0);
        Ok((blank, protection.signature.to_vec()))
    };
    let (blank, signature) = parse(&user).map_err(|refusal| format!("unreadable: {refusal:?}"))?;
    let (wanted, _) = parse(&wanted).map_err(|refusal| format!("vector unreadable: {refusal:?}"))?;
    if blank != wanted {
        return Err(format!("left {}\n    want {}", to_hex(&blank), to_hex(&wanted)));
    }
    let tbs = hex(vector["tbs"].as_str().ok_or("no tbs in the vector")?);
    if !common::key("home-ec").public().verify(&tbs, &signature) {
        return Err("our signature does not hold over the vector's octets".into());
    }
    Ok(())
}

fn assert_all(score: Score) {
    assert!(score.faults.is_empty(), "{} of {} failed\n{}", score.faults.len(), score.total, score.faults.join("\n"));
    assert!(score.total > 0);
}

#[test]
fn tcap_native() {
    assert_all(run("tcap_native"));
}

#[test]
fn tcap_sigfw() {
    assert_all(run("tcap_sigfw"));
}

#[test]
fn diameter_native() {
    assert_all(run("diameter_native"));
}

#[test]
fn diameter_dess() {
    assert_all(run("diameter_dess"));
}

#[test]
fn isup() {
    assert_all(run("isup"));
}

#[test]
fn sip_identity() {
    assert_all(run("sip_identity"));
}

#[test]
fn transport() {
    assert_all(run("transport"));
}

#[test]
fn tcap_policy() {
    assert_all(run("tcap_policy"));
}
