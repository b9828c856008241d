//! Calls whose certificate comes late, calls that were diverted, and what home is told of them.

use std::sync::Arc;

use sealgate_config::model::{Attest, Mode, OnFail, Policy, X5uMiss};
use sealgate_crypto::pki::{Caller, Trust};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::Reason;
use sealgate_wire::sec::passport::{base64url, emit_identity};
use sealgate_wire::sip::Message;

use super::common::{Gateway, NOW_MS, key, keys, policy, trust};
use super::{OURS, frame, payload, reasons, vector};

const CALLER: &str = "999025550001";
const FIRST: &str = "999035550001";
const CALLED: &str = "999015550001";

/// What the PASSporTs of a test say.
struct Says<'a> {
    file: &'a str,
    ppt: &'a str,
    orig: &'a str,
    dest: &'a str,
    div: Option<&'a str>,
    iat: u64,
    key: &'a str,
}

impl Default for Says<'_> {
    fn default() -> Self {
        Self { file: "a-ec", ppt: "shaken", orig: CALLER, dest: CALLED, div: None, iat: NOW_MS / 1000, key: "a-ec" }
    }
}

impl Says<'_> {
    /// The header line.
    fn line(&self) -> String {
        let Self { file, ppt, orig, dest, div, iat, key: name } = self;
        let x5u = format!("https://certs.tsca.example/{file}.pem");
        let head = format!(r#"{{"alg":"ES256","ppt":"{ppt}","typ":"passport","x5u":"{x5u}"}}"#);
        let claims = match div {
            Some(div) => {
                format!(r#""dest":{{"tn":["{dest}"]}},"div":{{"tn":"{div}"}},"iat":{iat},"orig":{{"tn":"{orig}"}}"#)
            }
            None => format!(
                r#""attest":"A","dest":{{"tn":["{dest}"]}},"iat":{iat},"orig":{{"tn":"{orig}"}},"origid":"123e4567-e89b-12d3-a456-426614174000""#
            ),
        };
        let mut input = Vec::new();
        base64url::encode(head.as_bytes(), &mut input);
        input.push(b'.');
        base64url::encode(format!("{{{claims}}}").as_bytes(), &mut input);
        let mut line = Vec::new();
        emit_identity(&input, &signature(name, &input), x5u.as_bytes(), Some(ppt), &mut line);
        String::from_utf8(line).expect("text")
    }
}

fn signature(name: &str, input: &[u8]) -> [u8; 64] {
    let mut signature = [0; 256];
    assert_eq!(key(name).sign(input, &mut signature), Ok(64));
    *signature.first_chunk().expect("64 of 256")
}

/// An INVITE of the caller with these headers more, in a datagram; `from`: the address in From.
fn call(id: &str, from: &str, more: &str) -> Vec<u8> {
    let octets = format!(
        "INVITE sip:+{CALLED}@home.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
         From: <{from}>;tag=1\r\nTo: <sip:+{CALLED}@home.example>\r\nCall-ID: {id}@far\r\nCSeq: 1 INVITE\r\n\
         {more}Content-Length: 5\r\n\r\nv=0\r\n"
    );
    frame(false, octets.as_bytes())
}

fn plain_from() -> String {
    format!("sip:+{CALLER}@far.example")
}

/// The From of what came in, and all of it.
fn came_in(step: &super::Step) -> Vec<(String, String)> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("text");
    let all = step.sent[1].iter().map(|frame| payload(frame));
    all.map(|octets| {
        let message = Message::datagram(&octets).expect("sound");
        (text(message.from.uri.raw), text(&octets))
    })
    .collect()
}

fn marking() -> Policy {
    let mut policy = policy();
    policy.links.iter_mut().for_each(|link| link.sip.on_fail = OnFail::Mark);
    policy
}

const PASSED: &str = "sip:+999025550001;verstat=TN-Validation-Passed@far.example";
const FAILED: &str = "sip:+999025550001;verstat=TN-Validation-Failed@far.example";

#[test]
fn a_link_that_marks_lets_calls_in_and_says_what_they_are() {
    let says = Says::default();
    let good = says.line();
    let weaker = good.replacen("alg=ES256", "alg=RS256", 1);
    let stale = Says { iat: NOW_MS / 1000 - 61, ..says }.line();
    let foreign = Says { file: "b-ec", key: "b-ec", ..Says::default() }.line();
    let (passed, marked) = (Reason::OkVerified, Reason::OkMarked);
    for (more, want, event, from) in [
        (good.as_str(), passed, None, PASSED),
        ("", marked, Some(Reason::StirMissing), FAILED),
        (&stale, marked, Some(Reason::StirStale), FAILED),
        (&foreign, marked, Some(Reason::StirTn), FAILED),
        (&weaker, marked, Some(Reason::StirAlg), FAILED),
    ] {
        let mut gateway = Gateway::running(&marking());
        let step = gateway.frame(0, &call("1", &plain_from(), more), NOW_MS);
        assert_eq!(reasons(&step), [want], "{more}");
        let came = came_in(&step);
        assert_eq!(came[0].0, from, "{more}");
        assert!(came[0].1.ends_with("Content-Length: 5\r\n\r\nv=0\r\n"), "{}", came[0].1);
        if let Some(event) = event {
            assert_eq!(gateway.worker.stats().events[event.index()], 1, "{event:?}");
        }
        gateway.worker.publish();
        let (all, accounted) = gateway.worker.stats().frame_balance();
        assert_eq!(all, accounted);
    }
    // A signature that does not hold shows last.
    let forged = vector("si-010");
    let step = Gateway::running(&marking()).frame(0, &forged, NOW_MS);
    assert_eq!((reasons(&step), came_in(&step)[0].0.contains("TN-Validation-Failed")), (vec![marked], true));
    // What is wrong in another way stays out, and who is no caller of theirs.
    for (octets, want) in [
        (vector("si-022"), Reason::SipHdrDup),
        (call("1", "sip:+447700900123@far.example", &good), Reason::PolPeerUnknown),
    ] {
        let step = Gateway::running(&marking()).frame(0, &octets, NOW_MS);
        assert_eq!((reasons(&step), step.sent[1].len()), (vec![want], 0));
    }
    // Partial attestation vouches for no number.
    let mut policy = marking();
    policy.peers[0].min_attest = Attest::B;
    let partial = good_at(Attest::B);
    let step = Gateway::running(&policy).frame(0, &call("1", &plain_from(), &partial), NOW_MS);
    assert_eq!((reasons(&step), came_in(&step)[0].0.as_str()), (vec![passed], plain_from().as_str()));
}

/// A good header line of this attestation.
fn good_at(attest: Attest) -> String {
    use sealgate_wire::sec::passport::{Outgoing, Scratch};
    let x5u = "https://certs.tsca.example/a-ec.pem";
    let dest = [CALLED.parse().expect("digits")];
    let origid = "123e4567-e89b-12d3-a456-426614174000";
    let (orig, iat) = (CALLER.parse().expect("digits"), NOW_MS / 1000);
    let outgoing = Outgoing { x5u, attest, origid, orig, dest: &dest, iat };
    let (mut scratch, mut line) = (Scratch::default(), Vec::new());
    let input = outgoing.input(&mut scratch).expect("sound").to_vec();
    outgoing.emit(&input, &signature("a-ec", &input), &mut line);
    String::from_utf8(line).expect("text")
}

#[test]
fn nobody_outside_says_what_was_verified() {
    for on_fail in [OnFail::Drop, OnFail::Reject, OnFail::Mark] {
        let mut policy = policy();
        policy.links.iter_mut().for_each(|link| link.sip.on_fail = on_fail);
        policy.peers[0].mode = Mode::Prefer;
        let mut gateway = Gateway::running(&policy);
        for (i, from) in [
            "sip:+999025550001;verstat=TN-Validation-Passed@far.example",
            "sip:+999025550001@far.example;verstat=TN-Validation-Passed",
            "sip:+999025550001;VERST%61T=x@far.example",
            "tel:+999025550001;verstat=TN-Validation-Passed",
        ]
        .into_iter()
        .enumerate()
        {
            let good = Says { iat: NOW_MS / 1000 - i as u64, ..Says::default() }.line();
            for (more, says) in [(good.as_str(), "Passed"), ("", "")] {
                let step = gateway.frame(0, &call(&i.to_string(), from, more), NOW_MS);
                let came = came_in(&step);
                let got = came[0].0.to_lowercase().replace("%61", "a");
                let want = if on_fail == OnFail::Mark { says } else { "" };
                let count = got.matches("verstat").count();
                assert_eq!((count, got.contains("passed")), (want.len() / 6, want == "Passed"), "{from} {more}: {got}");
            }
        }
    }
    // Our own network may say so.
    let own = format!("sip:+{OURS};verstat=TN-Validation-Passed@home.example");
    let octets = frame(true, &payload(&call("1", &own, "")));
    let step = Gateway::running(&policy()).frame(1, &octets, NOW_MS);
    assert!(String::from_utf8_lossy(&payload(&step.sent[0][0])).contains("verstat"));
}

/// A policy that follows diversions.
fn following() -> Policy {
    let mut policy = policy();
    policy.stir.div = true;
    policy
}

#[test]
fn diverted_calls_are_followed_to_the_number_called_first() {
    let base = || Says { dest: FIRST, ..Says::default() };
    let div = || Says { file: "b-ec", ppt: "div", div: Some(FIRST), key: "b-ec", ..Says::default() };
    let both = format!("{}{}", base().line(), div().line());
    let with = |div: Says<'_>| format!("{}{}", base().line(), div.line());
    for (policy, more, want, why) in [
        (following(), both.clone(), Reason::OkVerified, "A calls B, B leads to us"),
        (following(), format!("{}{}", div().line(), base().line()), Reason::OkVerified, "in any order"),
        (policy(), both.clone(), Reason::StirDest, "nobody follows"),
        (following(), base().line(), Reason::StirDest, "no diversion"),
        (following(), div().line(), Reason::StirPpt, "a diversion of nothing"),
        (following(), with(Says { dest: FIRST, ..div() }), Reason::StirDiv, "leads elsewhere"),
        (following(), with(Says { orig: FIRST, ..div() }), Reason::StirDiv, "of another caller"),
        (following(), with(Says { file: "a-ec", key: "a-ec", ..div() }), Reason::StirTn, "A leads B's calls away"),
        (following(), with(Says { div: Some(CALLER), ..div() }), Reason::StirTn, "B leads A's calls away"),
        (following(), with(Says { key: "a-ec", ..div() }), Reason::StirSig, "B did not sign"),
        (following(), with(Says { iat: NOW_MS / 1000 - 61, ..div() }), Reason::StirStale, "long ago"),
        (following(), with(Says { file: "a-revoked", ..div() }), Reason::StirCert, "by a revoked certificate"),
        (following(), with(Says { file: "c-ec", ..div() }), Reason::StirX5uUnavailable, "nobody has it"),
        (following(), format!("{both}{}", div().line()), Reason::StirDiv, "one too many"),
        (
            following(),
            format!("{}{}", Says { key: "b-ec", ..base() }.line(), div().line()),
            Reason::StirSig,
            "A did not",
        ),
    ] {
        let mut gateway = Gateway::running(&policy);
        let step = gateway.frame(0, &call("1", &plain_from(), &more), NOW_MS);
        assert_eq!((reasons(&step), step.sent[1].len()), (vec![want], usize::from(want.passes())), "{why}");
    }
    // The same call again is one; the same PASSporTs in another are a replay, and so is the first one alone with another end.
    let mut gateway = Gateway::running(&following());
    let mut reason = |id: &str, more: &str| reasons(&gateway.frame(0, &call(id, &plain_from(), more), NOW_MS))[0];
    let longer = format!("{}{}", base().line(), Says { iat: NOW_MS / 1000 - 1, ..div() }.line());
    assert_eq!(reason("1", &both), Reason::OkVerified);
    assert_eq!(reason("1", &both), Reason::OkVerified);
    assert_eq!(reason("2", &both), Reason::StirReplay);
    // Diverted once more by whoever may: another path of the same call.
    assert_eq!(reason("2", &longer), Reason::OkVerified);
}

/// A trust in which the certificate of A was fetched from where its calls say.
fn fetched() -> Trust {
    let mut trust = trust();
    let found = trust.signers.iter().find(|signer| signer.certificate.name.contains("a-ec")).expect("loaded").clone();
    trust.callers = vec![Caller { x5u: "https://certs.tsca.example/a-ec.pem".into(), signer: found }];
    trust
}

/// A policy that names no certificate of A's.
fn waiting(rule: X5uMiss) -> Policy {
    let mut policy = policy();
    policy.stir.certificates.retain(|one| one.cert != "a-ec");
    policy.stir.x5u_miss = rule;
    policy
}

/// Puts the fetched certificate into force.
fn bring(gateway: &mut Gateway, policy: &Policy) {
    let next = gateway.cell.current().next_trust(policy, &fetched(), &keys(), 1500).expect("compiles");
    drop(gateway.cell.publish(Arc::new(next)));
}

fn followed(policy: &Policy) -> Gateway {
    let gateway = Gateway::running(policy);
    gateway.shared.misses.follow(true);
    gateway
}

const URL: &[u8] = b"https://certs.tsca.example/a-ec.pem";

#[test]
fn a_certificate_that_is_not_known_yet_is_asked_for_and_used_once_it_is_there() {
    let line = Says::default().line();
    for (rule, mode, want) in [
        (X5uMiss::Reject, Mode::Require, Reason::StirX5uUnavailable),
        (X5uMiss::Reject, Mode::Prefer, Reason::OkUnknownSigner),
        (X5uMiss::Unverified, Mode::Require, Reason::OkUnknownSigner),
    ] {
        let mut policy = waiting(rule);
        policy.peers[0].mode = mode;
        let mut gateway = followed(&policy);
        assert_eq!(reasons(&gateway.frame(0, &call("1", &plain_from(), &line), NOW_MS)), [want]);
        assert_eq!((gateway.shared.misses.next().as_deref(), gateway.shared.misses.next()), (Some(URL), None));
        bring(&mut gateway, &policy);
        assert_eq!(reasons(&gateway.frame(0, &call("2", &plain_from(), &line), NOW_MS)), [Reason::OkVerified]);
        assert_eq!(gateway.shared.misses.next(), None);
    }
    // Of a host that is not listed nobody is asked.
    let mut policy = waiting(X5uMiss::Hold);
    policy.stir.hosts = vec!["other.example".into()];
    let mut gateway = followed(&policy);
    assert_eq!(reasons(&gateway.frame(0, &call("1", &plain_from(), &line), NOW_MS)), [Reason::StirX5uDenied]);
    assert_eq!(gateway.shared.misses.next(), None);
}

#[test]
fn a_call_waits_for_its_certificate_and_nobody_else_does() {
    let policy = waiting(X5uMiss::Hold);
    let mut gateway = followed(&policy);
    let line = Says::default().line();
    let held = call("1", &plain_from(), &line);
    let bye = |id: &str, method: &str| {
        frame(
            false,
            format!(
                "{method} sip:+{CALLED}@home.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK{id}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:+{CALLER}@far.example>;tag=1\r\nTo: <sip:+{CALLED}@home.example>\r\n\
                 Call-ID: {id}@far\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
            )
            .as_bytes(),
        )
    };
    let step = gateway.burst(0, &[&held, &bye("1", "CANCEL"), &bye("2", "BYE")], NOW_MS);
    assert_eq!((reasons(&step), step.sent[1].len()), (vec![Reason::OkNotSubject], 1), "the other call's alone");
    assert_eq!(gateway.worker.in_flight(), 2);
    // Another policy that does not help changes nothing.
    let same = gateway.cell.current().next_trust(&policy, &trust(), &keys(), 1500).expect("compiles");
    drop(gateway.cell.publish(Arc::new(same)));
    let step = gateway.turn(NOW_MS + 40);
    assert_eq!((reasons(&step), gateway.worker.in_flight()), (vec![], 2));
    bring(&mut gateway, &policy);
    let step = gateway.turn(NOW_MS + 80);
    assert_eq!(reasons(&step), [Reason::OkNotSubject, Reason::OkVerified]);
    let methods: Vec<_> = came_in(&step).iter().map(|(_, all)| all[..6].to_owned()).collect();
    assert_eq!(
        (methods, gateway.worker.in_flight()),
        (vec!["INVITE".to_owned(), "CANCEL".to_owned()], 0),
        "in their order"
    );
    gateway.worker.publish();
    let (came, accounted) = gateway.worker.stats().frame_balance();
    assert_eq!(came, accounted);
}

#[test]
fn who_waits_too_long_is_refused_and_no_more_wait_than_may() {
    let mut policy = waiting(X5uMiss::Hold);
    policy.stir.hold_max = 4;
    policy.links.iter_mut().for_each(|link| link.sip.on_fail = OnFail::Reject);
    let mut gateway = followed(&policy);
    let calls: Vec<_> = (0..6)
        .map(|i| call(&i.to_string(), &plain_from(), &Says { iat: NOW_MS / 1000 - i, ..Says::default() }.line()))
        .collect();
    let frames: Vec<&[u8]> = calls.iter().map(Vec::as_slice).collect();
    let step = gateway.burst(0, &frames, NOW_MS);
    assert_eq!((reasons(&step), gateway.worker.in_flight()), (vec![Reason::StirX5uUnavailable; 2], 4));
    let mut at_ms = NOW_MS;
    for _ in 0..12 {
        at_ms += 40;
        assert_eq!(reasons(&gateway.turn(at_ms)), [], "{} ms", at_ms - NOW_MS);
    }
    let step = gateway.turn(at_ms + 40);
    assert_eq!(reasons(&step), [Reason::StirX5uUnavailable; 4]);
    assert_eq!((step.sent[0].len(), step.sent[1].len(), gateway.worker.in_flight()), (4, 0, 0), "each has its answer");
    gateway.worker.publish();
    let (came, accounted) = gateway.worker.stats().frame_balance();
    assert_eq!(came, accounted);
    // Where nobody fetches, nobody waits.
    let step = Gateway::running(&policy).frame(0, frames[0], NOW_MS);
    assert_eq!(reasons(&step), [Reason::StirX5uUnavailable]);
}

#[test]
fn what_we_vouch_for_depends_on_the_number() {
    let mut policy = policy();
    let sign = policy.stir.sign.as_mut().expect("a section");
    sign.levels = vec![("99901".parse().expect("digits"), Attest::B), ("9990100".parse().expect("digits"), Attest::C)];
    for (calling, want) in [(OURS, "C"), ("999011000001", "B")] {
        let octets = super::invite(calling, super::THEIRS, "");
        let step = Gateway::new(&policy, WorkerConfig { journal: true, ..WorkerConfig::default() }).frame(
            1,
            &frame(true, &octets),
            NOW_MS,
        );
        assert_eq!(reasons(&step), [Reason::OkSignedEgress]);
        let left = payload(&step.sent[0][0]);
        let message = Message::datagram(&left).expect("sound");
        let header = message.identities().next().expect("signed");
        let token = header.value.split(|&octet| octet == b'.').nth(1).expect("claims");
        let mut claims = Vec::new();
        assert!(base64url::decode(token, &mut claims).is_some());
        assert!(String::from_utf8_lossy(&claims).contains(&format!("\"attest\":\"{want}\"")));
    }
}

#[test]
fn responses_to_a_marked_call_say_why() {
    let response = |id: &str, status: &str, method: &str| {
        let text = format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK{id}\r\nFrom: <sip:+{CALLER}@far.example>;tag=1\r\n\
             To: <sip:+{CALLED}@home.example>;tag=2\r\nCall-ID: {id}@far\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        frame(true, text.as_bytes())
    };
    let mut gateway = Gateway::running(&marking());
    let stale = Says { iat: NOW_MS / 1000 - 61, ..Says::default() }.line();
    for (id, more) in [("1", ""), ("2", stale.as_str()), ("3", &Says::default().line())] {
        assert_eq!(gateway.frame(0, &call(id, &plain_from(), more), NOW_MS).sent[1].len(), 1);
    }
    for (id, status, method, want) in [
        ("1", "180 Ringing", "INVITE", Some("Reason: STIR;cause=428;text=\"Use Identity Header\"")),
        ("1", "200 OK", "INVITE", Some("Reason: STIR;cause=428;text=\"Use Identity Header\"")),
        ("2", "486 Busy Here", "INVITE", Some("Reason: STIR;cause=403;text=\"Stale Date\"")),
        ("1", "100 Trying", "INVITE", None),
        ("1", "200 OK", "CANCEL", None),
        ("3", "180 Ringing", "INVITE", None),
        ("4", "180 Ringing", "INVITE", None),
    ] {
        let octets = response(id, status, method);
        let step = gateway.frame(1, &octets, NOW_MS + 1000);
        let left = String::from_utf8(payload(&step.sent[0][0])).expect("text");
        assert_eq!(left.lines().find(|line| line.starts_with("Reason:")), want, "{id} {status}");
        let without: String = left.split_inclusive("\r\n").filter(|line| !line.starts_with("Reason:")).collect();
        assert_eq!(without.as_bytes(), payload(&octets), "{id} {status}");
    }
    let step = gateway.frame(1, &response("1", "200 OK", "INVITE"), NOW_MS + 200_000);
    assert!(!String::from_utf8_lossy(&payload(&step.sent[0][0])).contains("Reason"), "long ago");
}
