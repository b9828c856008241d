//! What `explain` says of datagrams: a call in IP fragments, and tunnels of GTP.

use sealgate_control::explain::{Frame, Outcome};
use sealgate_wire::ip::fragment::Cuts;
use sealgate_wire::{ip, udp};
use std::net::IpAddr;

use super::{Dir, capture, config_with, explained, hex, vectors_of, write};

#[test]
fn a_call_in_ip_fragments_is_shown_with_its_last_one() {
    let dir = Dir::new("fragments");
    let config = config_with(&dir.0, ("    type: sip\n", "    type: sip\n    ip_fragments: reassemble\n"));
    let (one, cut) = (dir.0.join("one.pcap"), dir.0.join("cut.pcap"));
    let call = vectors_of("sip_identity").into_iter().find(|vector| vector["id"] == "si-001").expect("a call");
    let at = capture(&call, &one);
    let frame = hex(call["frames"][0]["frame_hex"].as_str().expect("hex"));
    let (ethernet, packet) = frame.split_at(14);
    let mut cuts = Cuts::new(packet, 600, 7).expect("cuts");
    let mut pieces = Vec::new();
    while !cuts.is_done() {
        let mut piece = ethernet.to_vec();
        assert!(cuts.next(&mut piece));
        pieces.push(piece);
    }
    assert!(pieces.len() >= 2, "{}", pieces.len());
    write(&cut, at, &pieces);
    let whole = explained(config.clone(), &one, at);
    let frames = explained(config.clone(), &cut, at);
    let (last, before) = frames.split_last().expect("frames");
    let reason = |frame: &Frame| frame.verdict.as_ref().map(|verdict| verdict.reason);
    for frame in before {
        assert_eq!(reason(frame), Some("R_OK_HELD"));
        assert!(frame.layers.iter().any(|line| line.text.ends_with("more follows")), "{frame:?}");
    }
    let said = |text: &str| last.layers.iter().any(|line| line.text.contains(text));
    assert!(said("the last one") && said(&format!("put together: {} octets", frame.len())), "{last:?}");
    // As the packet in one: each step, and what is said of the call.
    assert_eq!(reason(last), Some("R_OK_VERIFIED"));
    let shown = |frame: &Frame| {
        let layers: Vec<_> = frame.layers.iter().filter(|line| line.layer != "fragment").collect();
        format!("{:?} {layers:?}", frame.verdict)
    };
    let [one] = &whole[..] else { panic!("{whole:?}") };
    assert_eq!(shown(last), shown(one));
    // With a hole there is nothing to show.
    write(&cut, at, &pieces[1..]);
    assert!(explained(config, &cut, at).iter().all(|frame| reason(frame) == Some("R_OK_HELD")));
}

/// A datagram of GTP-C between our node and one of A.
fn gtp(inward: bool, message: &[u8]) -> Vec<u8> {
    let (theirs, ours) = ([192, 0, 2, 65], [198, 51, 100, 40]);
    let (from, to) = if inward { (theirs, ours) } else { (ours, theirs) };
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    assert!(udp::emit((IpAddr::from(from), 2123), (IpAddr::from(to), 2123), message, &mut out));
    assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + message.len()));
    out
}

#[test]
fn a_tunnel_that_nobody_has_is_shown_as_such() {
    let dir = Dir::new("tunnels");
    let input = dir.0.join("in.pcap");
    // Our node gives out TEID 9 in a Modify Bearer Request; Delete Session Requests to it, and to TEID 8.
    let given =
        [&[0x48, 34, 0, 21, 0, 0, 0, 5, 0, 0, 7, 0, 87, 0, 9, 0, 0x86, 0, 0, 0, 9][..], &[198, 51, 100, 40]].concat();
    let ends = |teid| gtp(true, &[0x48, 36, 0, 8, 0, 0, 0, teid, 0, 0, 8, 0]);
    let at = 1_795_000_000_000;
    write(&input, at, &[gtp(false, &given), ends(9), ends(8)]);
    for (check, fate, outcome) in [
        ("enforce", "refused", (Outcome::Passed, Outcome::Failed)),
        ("learn", "passed", (Outcome::Passed, Outcome::Passed)),
        ("ignore", "passed", (Outcome::NotTaken, Outcome::NotTaken)),
    ] {
        let with = format!("    type: gtp\n    tunnels: {check}\n");
        let frames = explained(config_with(&dir.0, ("    type: gtp\n", &with)), &input, at);
        let verdicts: Vec<_> = frames.iter().filter_map(|frame| frame.verdict.as_ref()).collect();
        let step = |at: usize| verdicts[at].steps.iter().find(|step| step.step == "TUNNEL").map(|step| step.outcome);
        assert_eq!(verdicts.iter().map(|verdict| verdict.fate).collect::<Vec<_>>(), ["passed", "passed", fate]);
        assert_eq!((step(1), step(2)), (Some(outcome.0), Some(outcome.1)), "{check}");
        assert_eq!(verdicts[2].reason == "R_GTP_STATE", fate == "refused");
    }
}
