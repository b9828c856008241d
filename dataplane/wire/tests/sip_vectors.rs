//! Every SIP frame of the shared vectors: what the codec and the checks without key and memory say of it, and the octets that
//! its signature covers.

mod vectors;

use sealgate_wire::addr::Digits;
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::sec::passport::{self, Attest, Compact, Identity, Outgoing, Scratch, Text};
use sealgate_wire::sip::{self, Message};
use sealgate_wire::{eth, ip};
use serde_json::Value;
use vectors::{file, frames, hex, reason};

/// What only a certificate, a key or a memory can say; the same vectors pass here.
const BEYOND: &[Reason] = &[
    Reason::OkVerified,
    Reason::StirX5uUnavailable,
    Reason::StirCert,
    Reason::StirTn,
    Reason::StirSig,
    Reason::StirReplay,
];

/// One frame of a vector.
struct Step {
    id: String,
    message: Vec<u8>,
    at_s: u64,
    reason: Reason,
    status: Option<u16>,
    out_upper: Option<Vec<u8>>,
    tbs: Option<String>,
    title: String,
}

/// The payload of a UDP datagram.
fn message_of(frame: &[u8]) -> Vec<u8> {
    let frame = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(frame.ethertype, frame.payload).expect("IP").expect("IP");
    assert_eq!(packet.protocol, 17);
    packet.payload[8..].to_vec()
}

fn steps() -> Vec<Step> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let step = |(vector, frame): (&Value, &Value)| Step {
        id: text(&vector["id"]).expect("an id"),
        message: message_of(&hex(frame["frame_hex"].as_str().expect("a frame"))),
        at_s: frame["at_unix_ms"].as_u64().expect("a time") / 1000,
        reason: reason(frame),
        status: frame["sip_status"].as_u64().and_then(|status| u16::try_from(status).ok()),
        out_upper: text(&frame["out_upper_hex"]).map(|text| hex(&text)),
        tbs: text(&vector["tbs_text"]),
        title: text(&vector["title"]).expect("a title"),
    };
    frames(&file("sip_identity")).map(step).collect()
}

/// The hosts that certificates may come from.
fn hosts() -> Vec<String> {
    let hosts = file("context")["stir_x5u_hosts"].clone();
    serde_json::from_value(hosts).expect("a list of hosts")
}

/// What the steps S1 to S5, S8, S9 and S13 say, and the signing input.
fn judge(message: &Message<'_>, now_s: u64, hosts: &[String]) -> Result<String, Refusal> {
    let (calling, called) = (message.calling(true)?.digits, message.called()?.digits);
    let identity = passport::select(message, |_| false)?;
    let date = message.date()?;
    let mut scratch = Scratch::default();
    let compact = Compact { orig: &calling, dest: &called, date };
    let passport = identity.read(&compact, &mut scratch)?;
    let at = |result: Result<(), Reason>| result.map_err(|reason| reason.at(identity.at));
    let host = passport::x5u_host(identity.info).filter(|host| hosts.iter().any(|known| known.as_bytes() == *host));
    at(host.map(|_| ()).ok_or(Reason::StirX5uDenied))?;
    at(passport::fresh(now_s, passport.claims.iat, date, 60))?;
    at(passport.names(&calling, &called))?;
    identity.signature()?;
    at(passport.attested(Attest::C))?;
    Ok(String::from_utf8(passport.input.to_vec()).expect("ASCII"))
}

#[test]
fn each_vector_is_judged_as_far_as_octets_tell() {
    let (hosts, mut compared, mut refused) = (hosts(), 0, 0);
    for Step { id, message, at_s, reason, tbs, .. } in steps() {
        let message = match Message::datagram(&message) {
            Ok(message) => message,
            Err(refusal) => {
                assert_eq!(refusal.reason, reason, "{id}");
                refused += 1;
                continue;
            }
        };
        assert_eq!(message.is_initial_invite(), reason != Reason::OkNotSubject, "{id}");
        if !message.is_initial_invite() {
            continue;
        }
        let got = judge(&message, at_s, &hosts);
        match reason {
            reason if BEYOND.contains(&reason) => assert!(got.is_ok(), "{id} {got:?}"),
            Reason::OkUnsignedAllowed => {
                let none = got.as_ref().err().map(|refusal| refusal.reason);
                assert_eq!(none, Some(Reason::StirMissing), "{id}");
            }
            reason => {
                assert_eq!(got.as_ref().err().map(|refusal| refusal.reason), Some(reason), "{id}");
                refused += 1;
            }
        }
        if let Some(want) = tbs {
            assert_eq!(got, Ok(want), "{id}");
            compared += 1;
        }
    }
    assert_eq!((compared, refused), (2, 12), "strings compared, refused");
}

#[test]
fn what_passes_is_written_as_it_came() {
    let mut passed = 0;
    for Step { id, message, out_upper, .. } in steps() {
        let Some(want) = out_upper else { continue };
        let view = Message::datagram(&message).expect("passes").view;
        let mut out = Vec::new();
        assert!(sip::rebuild(&view, false, |_| false, b"", &mut out));
        assert_eq!(out, want, "{id}");
        assert_eq!(view.is_canonical(), id != "si-027", "{id}: the one with a fold");
        passed += 1;
    }
    assert_eq!(passed, 12);
}

#[test]
fn what_is_rejected_carries_the_status_of_its_reason() {
    let mut rejected = 0;
    for Step { id, reason, status, .. } in steps() {
        assert!(status.is_none() || status == reason.sip_status(), "{id}");
        rejected += usize::from(status.is_some());
    }
    assert_eq!(rejected, 18);
}

#[test]
fn our_writer_says_the_same() {
    let mut written = 0;
    for Step { id, message, tbs, reason, .. } in steps() {
        let Ok(message) = Message::datagram(&message) else { continue };
        for header in message.identities().filter(|_| reason == Reason::OkVerified) {
            let identity = Identity::parse(&header).expect("sound");
            if identity.ppt != Some(b"shaken") {
                continue;
            }
            let number = |text: Text<'_>| text.chars().collect::<String>().parse::<Digits>().expect("digits");
            let (calling, called) = (message.calling(true).expect("a number"), message.called().expect("a number"));
            let compact = Compact { orig: &calling.digits, dest: &called.digits, date: None };
            let mut scratch = Scratch::default();
            let passport = identity.read(&compact, &mut scratch).expect("sound");
            let origid: String = passport.claims.origid.expect("shaken").chars().collect();
            let dest: Vec<_> = passport.claims.dest.tns().map(number).collect();
            let outgoing = Outgoing {
                x5u: std::str::from_utf8(identity.info).expect("ASCII"),
                attest: passport.claims.attest.expect("shaken"),
                origid: &origid,
                orig: calling.digits,
                dest: &dest,
                iat: passport.claims.iat,
            };
            let mut own = Scratch::default();
            let input = outgoing.input(&mut own).expect("sound");
            assert_eq!(input, passport.input, "{id}");
            assert!(tbs.as_ref().is_none_or(|want| want.as_bytes() == input), "{id}");
            let mut line = Vec::new();
            outgoing.emit(input, &identity.signature().expect("64 octets"), &mut line);
            let want = [b"Identity: ", header.value, b"\r\n"].concat();
            assert_eq!(line, want, "{id}");
            written += 1;
        }
    }
    assert_eq!(written, 9);
}

#[test]
fn each_octet_of_a_signed_part_is_in_the_signing_input() {
    let steps = steps();
    let step = steps.iter().find(|step| step.id == "si-001").expect("the full form");
    let (hosts, now) = (hosts(), step.at_s);
    let message = Message::datagram(&step.message).expect("sound");
    let want = judge(&message, now, &hosts).expect("passes");
    let identity = passport::select(&message, |_| false).expect("one");
    let (mut seen, mut refused) = (0, 0);
    for at in identity.at..identity.at + want.len() {
        for octet in *b"AZaz09-_" {
            let mut changed = step.message.clone();
            if std::mem::replace(&mut changed[at], octet) == octet {
                continue;
            }
            match Message::datagram(&changed).and_then(|message| judge(&message, now, &hosts)) {
                Ok(input) => {
                    assert_ne!(input, want, "octet {at} to {octet} of {}", step.title);
                    seen += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(seen > 100 && refused > 1000, "{seen} seen, {refused} refused");
}
