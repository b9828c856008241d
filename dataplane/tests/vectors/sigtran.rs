//! The vectors of M3UA in M2PA and in SUA: the same verdicts, the same message inside, and of M2PA the same numbers.

use sealgate_config::model::LinkKind;
use sealgate_wire::{m2pa, m3ua, sccp, sua};
use serde_json::Value;

use super::common::sigtran::{BSN, data_of, frame, message, turn};
use super::common::{hex, to_hex, vectors};
use super::{Step, balance, gateway, overridden, verdict};

/// Faults below the message, which making the frame anew mends; a routing context, which M2PA has
/// none of.
const ELSEWHERE: [&str; 4] = ["tr-002", "tr-004", "tr-005", "tr-012"];

/// Runs a file; what cannot be said in the other protocol is not run, and must be what is listed.
fn run(file: &str, kind: LinkKind, unsaid: &[&str]) {
    let path = vectors().join(format!("{file}.json"));
    let parsed: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("readable")).expect("JSON");
    let (mut ran, mut left_out, mut faults) = (0, Vec::new(), Vec::new());
    for vector in parsed["vectors"].as_array().expect("vectors") {
        let id = vector["id"].as_str().expect("id");
        if ELSEWHERE.contains(&id) {
            continue;
        }
        let frames = vector["frames"].as_array().expect("frames");
        let octets = frames.iter().map(|frame| hex(frame["frame_hex"].as_str().expect("hex")));
        let said: Option<Vec<_>> = octets.map(|octets| frame(kind, &octets)).collect();
        match said {
            Some(said) => {
                ran += 1;
                faults.extend(check(vector, kind, frames, &said).err().map(|fault| format!("{id}: {fault}")));
            }
            None => left_out.push(id),
        }
    }
    println!("vectors {file} over {kind:?}: {ran}, not said there: {left_out:?}");
    assert!(faults.is_empty(), "{} failed\n{}", faults.len(), faults.join("\n"));
    assert_eq!(left_out, unsaid);
}

fn check(vector: &Value, kind: LinkKind, frames: &[Value], said: &[Vec<u8>]) -> Result<(), String> {
    let mut policy = overridden(vector);
    turn(&mut policy.links[0], kind);
    let mut gateway = gateway(vector, policy);
    let egress = vector["direction"] == "egress";
    for (i, (frame, octets)) in frames.iter().zip(said).enumerate() {
        let step = gateway.frame(usize::from(egress), octets, frame["at_unix_ms"].as_u64().expect("time"));
        let fault = |fault: String| format!("frame {i}: {fault}");
        verdict(vector, frame, &step).map_err(fault)?;
        if !egress {
            output(kind, frame, octets, &step).map_err(fault)?;
        }
        let (frames_in, frames_out) = balance(&mut gateway);
        if frames_in != frames_out {
            return Err(format!("frame {i}: {frames_in} frames in, {frames_out} accounted for"));
        }
    }
    Ok(())
}

/// Each chunk leaves under its TSN with what the vector wants in it.
fn output(kind: LinkKind, frame: &Value, input: &[u8], step: &Step) -> Result<(), String> {
    let [sent] = step.sent[1].as_slice() else { return Err(format!("{} frames left", step.sent[1].len())) };
    let (_, came) = data_of(input).ok_or("unreadable")?;
    let (_, left) = data_of(sent).ok_or("unreadable")?;
    let as_came = hex(frame["frame_hex"].as_str().unwrap_or(""));
    let wanted = frame["out_frame_hex"].as_str().map_or(as_came, hex);
    let (_, wanted) = data_of(&wanted).ok_or("vector unreadable")?;
    assert_eq!((left.len(), wanted.len()), (came.len(), came.len()));
    for ((came, left), wanted) in came.iter().zip(&left).zip(&wanted) {
        assert_eq!((left.tsn, left.stream, left.ssn, left.ppid), (came.tsn, came.stream, came.ssn, came.ppid));
        let filler = wanted.user == m3ua::BEAT_ACK;
        let want = match kind {
            LinkKind::M2pa if filler => {
                let mut out = Vec::new();
                assert!(m2pa::emit_filler(came.user, came.user.len(), &mut out));
                let read = m2pa::Message::parse(left.user).map_err(|refusal| format!("{refusal:?}"))?;
                assert_eq!((read.fsn, read.bsn), (came.tsn & 0xff_ffff, BSN));
                out
            }
            LinkKind::M2pa => message(kind, came.tsn, wanted.user).ok_or("too long")?,
            _ if filler => m3ua::BEAT_ACK.to_vec(),
            _ => {
                let data = m3ua::View::new(wanted.user).and_then(m3ua::Data::parse).expect("M3UA");
                let unitdata = sccp::Unitdata::parse(data.user).expect("SCCP");
                let mut out = Vec::new();
                assert!(sua::rebuild(came.user, unitdata.data, &mut out));
                out
            }
        };
        if left.user != want {
            return Err(format!("left {}\n    want {}", to_hex(left.user), to_hex(&want)));
        }
    }
    Ok(())
}

#[test]
fn tcap_over_m2pa() {
    run("tcap_native", LinkKind::M2pa, &[]);
    run("tcap_sigfw", LinkKind::M2pa, &[]);
    run("tcap_policy", LinkKind::M2pa, &[]);
}

#[test]
fn labels_and_chunks_over_m2pa() {
    // Faults of M3UA, SCTP and IP, and messages in fragments.
    let unsaid = ["tr-003", "tr-006", "tr-007", "tr-008", "tr-009", "tr-018", "tr-020", "tr-021", "tr-022", "tr-023"];
    run("transport", LinkKind::M2pa, &unsaid);
}

#[test]
fn isup_over_m2pa() {
    run("isup", LinkKind::M2pa, &[]);
}

#[test]
fn tcap_over_sua() {
    run("tcap_native", LinkKind::Sua, &[]);
    run("tcap_sigfw", LinkKind::Sua, &[]);
    run("tcap_policy", LinkKind::Sua, &[]);
}
