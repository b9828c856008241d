use super::*;
use crate::{Reason, Refusal};

/// A request with these header lines, without CR LF at their ends, and this body.
fn request(lines: &[&str], body: &str) -> Vec<u8> {
    let mut out = b"INVITE sip:+999015550001@home.example SIP/2.0\r\n".to_vec();
    for line in lines {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.as_bytes());
    out
}

const FROM: &str = "From: <sip:+999025550001@a.example;user=phone>;tag=19";
const TO: &str = "To: <sip:+999015550001@home.example>";
const CALL: &str = "Call-ID: a84b4c76e66710@192.0.2.30";
const CSEQ: &str = "CSeq: 314159 INVITE";

fn with(lines: &[&str]) -> Vec<u8> {
    request(&[&[FROM, TO, CALL, CSEQ], lines].concat(), "")
}

fn reason_of(octets: &[u8]) -> Option<Reason> {
    Message::datagram(octets).err().map(|refusal| refusal.reason)
}

fn text(octets: &[u8]) -> &str {
    core::str::from_utf8(octets).expect("UTF-8")
}

#[test]
fn a_request_reads_field_by_field() -> Result<(), Refusal> {
    let lines = [
        "v: SIP/2.0/UDP 192.0.2.30:5060;rport;branch=z9hG4bKa, SIP/2.0/UDP x;branch=z9hG4bKb",
        "f: \"A \\\"<sip:1@b>;tag=2\" <sip:+999-0255(50)001@a.example:5061;user=phone>;x=\"y;tag=3\" ; TAG = 19",
        "TO :\r\n <tel:+999015550001;phone-context=x>",
        "i: a@b",
        "CSeq: 0009\r\n  INVITE",
        "P-Asserted-Identity: <sip:alice@a.example>, \"a, b\" <tel:+999025550002>",
        "Date: Wed, 18 Nov 2026 11:06:40 GMT",
        "y: one",
        "Identity: two",
        "l: 3",
    ];
    let octets = request(&lines, "v=0\r\n");
    let message = Message::datagram(&octets)?;
    assert_eq!((message.method(), message.is_initial_invite()), (Some(Method::INVITE), true));
    let from = message.from;
    assert_eq!((text(from.display), from.tag), ("\"A \\\"<sip:1@b>;tag=2\"", Some(&b"19"[..])));
    assert_eq!((from.uri.scheme, text(from.uri.host), from.uri.port), (Scheme::Sip, "a.example", Some(5061)));
    assert_eq!((from.uri.param("USER"), from.uri.param("x")), (Some(&b"phone"[..]), None));
    assert_eq!(from.uri.tn()?, Tn { digits: "999025550001".parse().unwrap_or_default(), global: true });
    assert_eq!(text(&octets[from.uri.at..][..3]), "sip");
    assert_eq!((message.to.uri.scheme, message.called()?.digits.to_string()), (Scheme::Tel, "999015550001".into()));
    assert_eq!(message.calling(true)?.digits.to_string(), "999025550002");
    assert_eq!(message.calling(false)?.digits.to_string(), "999025550001");
    assert_eq!((text(message.call_id), message.cseq.number), ("a@b", 9));
    assert_eq!((message.date()?, message.branch()), (Some(1_795_000_000), Some(&b"z9hG4bKa"[..])));
    let identities: Vec<_> = message.identities().map(|header| text(header.value)).collect();
    assert_eq!((identities, message.identity_count), (vec!["one", "two"], 2));
    assert_eq!((message.view.body(), message.view.trailing(), message.view.is_canonical()), (&b"v=0"[..], 2, false));
    for header in message.view.headers() {
        assert_eq!(&octets[header.at..][..header.raw.len()], header.raw);
        assert_eq!(&octets[header.value_at..][..header.value.len()], header.value);
    }
    Ok(())
}

#[test]
fn a_response_reads() -> Result<(), Refusal> {
    let octets = text(&with(&["Content-Length: 0"])).replacen(
        "INVITE sip:+999015550001@home.example SIP/2.0",
        "SIP/2.0 486 ",
        1,
    );
    let message = Message::datagram(octets.as_bytes())?;
    assert_eq!(message.view.start(), Start::Response { status: 486, phrase: b"" });
    assert!(!message.is_initial_invite() && message.view.is_canonical());
    for (line, at) in
        [("SIP/2.0 486", 7), ("SIP/2.0  86 x", 8), ("SIP/2.0 099 x", 8), ("SIP/2.0 700 x", 8), ("SIP/2.0 4860 x", 7)]
    {
        let bad = octets.replacen("SIP/2.0 486 ", line, 1);
        assert_eq!(View::datagram(bad.as_bytes()), Err(Reason::SipSyntax.at(at)), "{line}");
    }
    Ok(())
}

#[test]
fn what_two_decoders_read_differently_is_refused() {
    let good = with(&["Max-Forwards: 68", "Subject: x"]);
    assert_eq!(reason_of(&good), None);
    let good = text(&good);
    for (old, new, want) in [
        ("INVITE sip", "INVITE  sip", Reason::SipSyntax),
        (" SIP/2.0", "  SIP/2.0", Reason::SipSyntax),
        ("SIP/2.0\r", "SIP/2.0 \r", Reason::SipSyntax),
        ("SIP/2.0\r", "SIP/3.0\r", Reason::SipSyntax),
        ("INVITE sip", "Invite sip", Reason::SipMethod),
        ("@home.example SIP", "@home.example?Route=x SIP", Reason::SipSyntax),
        ("INVITE sip:+999015550001", "INVITE <sip:+999015550001", Reason::SipSyntax),
        ("INVITE sip", " INVITE sip", Reason::SipSyntax),
        ("INVITE sip", "\r\nINVITE sip", Reason::SipSyntax),
        ("Subject: x\r\n", "Subject: x\n", Reason::SipSyntax),
        ("Subject: x", "Subject: x\rFrom: y", Reason::SipSyntax),
        ("Subject: x", "Subject: x\0", Reason::SipSyntax),
        ("Subject: x", "Subject: \"\\\x7f\"", Reason::SipSyntax),
        ("Subject: x", "Subject", Reason::SipSyntax),
        ("Subject: x", "Sub ject: x", Reason::SipSyntax),
        ("Subject: x", ": x", Reason::SipSyntax),
        ("Subject: x", "Subj\u{e9}ct: x", Reason::SipSyntax),
        ("Subject: x", "Subject: x\r\n ", Reason::SipSyntax),
        ("Subject: x", "l: 0\r\nContent-Length: 0", Reason::SipHdrDup),
        ("Subject: x", "l: 0, 0", Reason::SipSyntax),
        ("Subject: x", "l: +0", Reason::SipSyntax),
        ("Subject: x", "l:", Reason::SipSyntax),
        ("Subject: x", "l: 1", Reason::SipSyntax),
        ("Subject: x", "l: 99999999999", Reason::SipSyntax),
        ("Subject: x", "t: <sip:a@b>", Reason::SipHdrDup),
        ("Subject: x", "Max-Forwards : 68", Reason::SipHdrDup),
        ("Subject: x", "Date: x\r\nDATE: x", Reason::SipHdrDup),
        ("Subject: x\r\n\r\n", "Subject: x\r\n", Reason::SipSyntax),
        ("From: ", "Form: ", Reason::SipHdrMissing),
        ("To: <", "To: x\"<", Reason::SipSyntax),
        ("Call-ID: a84", "Call-ID: a 84", Reason::SipSyntax),
        ("CSeq: 314159", "CSeq: 2147483648", Reason::SipSyntax),
        ("314159 INVITE", "314159 ACK", Reason::SipSyntax),
        ("314159 INVITE", "314159", Reason::SipSyntax),
        ("Max-Forwards: 68", "Max-Forwards: 256", Reason::SipSyntax),
        (";tag=19", ";tag=19;tag=20", Reason::SipSyntax),
        (";tag=19", ";tag", Reason::SipSyntax),
        (";tag=19", ";tag=", Reason::SipSyntax),
        (";tag=19", ", <sip:1@b>", Reason::SipSyntax),
        (";tag=19", " x", Reason::SipSyntax),
        ("From: <", "From: a, b <", Reason::SipSyntax),
        ("From: <", "From: \"a <", Reason::SipSyntax),
        ("From: <", "From: \"a\" b <", Reason::SipSyntax),
        ("From: <", "From: < ", Reason::SipSyntax),
        ("From: <sip:+999025550001@a.example;user=phone>", "From: sip:1,2@a", Reason::SipSyntax),
        ("From: <sip:+999025550001@a.example;user=phone>", "From: sip:1?2@a", Reason::SipSyntax),
        ("@a.example;user", "@b@a.example;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example;x=@b;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example;;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example:65536;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example:005060;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example?x=y;user", Reason::SipSyntax),
        ("@a.example;user", "@a.example;x=%0g;user", Reason::SipSyntax),
        ("@a.example;user", "@[::1;user", Reason::SipSyntax),
        ("sip:+999025550001@", "sip:@", Reason::SipSyntax),
    ] {
        assert!(good.contains(old), "{old}");
        let bad = good.replacen(old, new, 1);
        assert_eq!(reason_of(bad.as_bytes()), Some(want), "{old:?} {new:?}");
    }
    let mut long = good.replace("Subject: x", "l: 65536").into_bytes();
    long.resize(MAX_LEN + 1, b'x');
    assert_eq!(Message::datagram(&long), Err(Reason::SipTooBig.at(MAX_LEN)));
}

#[test]
fn canonical_is_what_nobody_reads_otherwise() {
    for (line, want) in [
        ("Subject: x", true),
        ("s:x  y\t", true),
        ("Subject : x", false),
        ("Subject\t: x", false),
        ("Subject:\r\n x", false),
        ("Subject: x\r\n\ty", false),
    ] {
        let octets = with(&[line]);
        let view = View::datagram(&octets).expect("sound");
        assert_eq!(view.is_canonical(), want, "{line:?}");
        assert!(view.headers().last().is_some_and(|header| header.is_canonical() == want), "{line:?}");
        let mut out = Vec::new();
        assert!(rebuild(&view, true, |_| false, b"", &mut out));
        assert_eq!(out == octets, want, "{line:?}");
    }
}

#[test]
fn bodies_end_where_their_carrier_says() {
    let octets = with(&["l: 2"]);
    let whole = [&octets[..], b"ab"].concat();
    let more = [&octets[..], b"abc"].concat();
    assert_eq!(View::stream(&whole).map(|view| view.body()), Ok(&b"ab"[..]));
    assert!(View::stream(&more).is_err_and(|refusal| refusal.reason == Reason::SipSyntax));
    assert!(View::datagram(&octets).is_err_and(|refusal| refusal.reason == Reason::SipSyntax));
    assert_eq!(View::datagram(&more).map(|view| (view.trailing(), view.octets().len())), Ok((1, whole.len())));
    assert!(View::stream(&with(&[])).is_err_and(|refusal| refusal.reason == Reason::SipHdrMissing));
    let mut out = Vec::new();
    assert!(View::datagram(&more).is_ok_and(|view| rebuild(&view, true, |_| false, b"", &mut out)));
    assert_eq!(out, whole);
}

#[test]
fn borders_are_found_however_a_stream_is_cut() {
    let one = [&with(&["l: 5"])[..], b"\r\n\r\nx"].concat();
    let stream = [b"\r\n\r\n", &one[..], b"\r\n\n", &one[..], b"\r"].concat();
    for step in 1..=stream.len() {
        let (mut borders, mut rest, mut pieces) = (Borders::default(), Vec::new(), Vec::new());
        for chunk in stream.chunks(step) {
            rest.extend_from_slice(chunk);
            while let Some(piece) =
                borders.next(&rest).unwrap_or_else(|refusal| panic!("{refusal:?} in steps of {step}"))
            {
                let (Piece::Idle(len) | Piece::Message(len)) = piece;
                if len > rest.len() {
                    break;
                }
                let behind = rest.split_off(len);
                if let Piece::Message(_) = piece {
                    assert_eq!(rest, one, "in steps of {step}");
                    pieces.push(len);
                }
                rest = behind;
            }
        }
        assert_eq!((pieces, &rest[..]), (vec![one.len(); 2], &b"\r"[..]), "in steps of {step}");
    }
}

#[test]
fn a_stream_without_borders_is_refused() {
    let endless = vec![b'x'; MAX_LEN];
    assert_eq!(stream_len(&endless[..MAX_LEN - 1]), Ok(None));
    assert_eq!(stream_len(&endless), Err(Reason::SipTooBig.at(MAX_LEN)));
    assert!(stream_len(&with(&[])).is_err_and(|refusal| refusal.reason == Reason::SipHdrMissing));
    let exact = MAX_LEN - with(&["l: 00000"]).len();
    assert_eq!(stream_len(&with(&[&format!("l: {exact:05}")])), Ok(Some(Piece::Message(MAX_LEN))));
    let over = stream_len(&with(&[&format!("l: {:05}", exact + 1)]));
    assert!(over.is_err_and(|refusal| refusal.reason == Reason::SipTooBig));
}

#[test]
fn keepalives_are_no_messages() {
    for (datagram, want) in [("", true), ("\r\n", true), ("\r\n\r\n", true), ("\n", false), ("\r\n\r\n\r\n", false)] {
        assert_eq!(is_keepalive(datagram.as_bytes()), want, "{datagram:?}");
    }
}

#[test]
fn an_initial_invite_has_no_tag_in_to() {
    for (to, want) in [
        ("To: <sip:a@b>", true),
        ("To: <sip:a@b;tag=1>", true), // of the URI
        ("To: \";tag=1\" <sip:a@b>", true),
        ("To: <sip:a@b>;x=\";tag=1\"", true),
        ("To: <sip:a@b>;tagged=1", true),
        ("To: sip:a@b;tag=1", false), // without brackets it is the header's
        ("To: sip:a@b\r\n ; Tag = 1", false),
    ] {
        let octets = request(&[FROM, to, CALL, CSEQ], "");
        assert_eq!(Message::datagram(&octets).map(|message| message.is_initial_invite()), Ok(want), "{to}");
    }
}

#[test]
fn numbers_are_canonical_or_none() {
    for (uri, want) in [
        ("sip:+999025550001@a", Some("999025550001")),
        ("sips:+999-(025)55.0001@a", Some("999025550001")),
        ("sip:+999025550001;verstat=x@a", Some("999025550001")),
        ("sip:+999025550001:secret@a", Some("999025550001")),
        ("tel:+999025550001;ext=1", Some("999025550001")),
        ("tel:123456789012345", Some("123456789012345")),
        ("tel:1234567890123456", None),
        ("sip:999+025550001@a", None),
        ("sip:%2B999025550001@a", None),
        ("sip:+@a", None),
        ("sip:alice@a", None),
        ("sip:999025550001", None), // a host
        ("tel:*21", None),
        ("urn:999025550001", None),
    ] {
        let uri = Uri::parse(uri.as_bytes(), 7);
        let got = uri.and_then(|uri| uri.tn());
        assert_eq!(got.map(|tn| tn.digits.to_string()), want.map(Into::into).ok_or(Reason::SipTnForm.at(7)), "{uri:?}");
    }
    let code = "99902".parse().ok();
    for (number, want) in [("5550001", Some("999025550001")), ("+5550001", Some("5550001")), ("12345678901", None)] {
        let tn = Tn::read(number.as_bytes()).and_then(|tn| tn.canonical(code.as_ref()));
        assert_eq!(tn.map(|digits| digits.to_string()).as_deref(), want, "{number}");
    }
}

#[test]
fn asserted_identities_agree_or_are_refused() {
    for (lines, want) in [
        (&["P-Asserted-Identity: <sip:+1@a>, <tel:+1>"][..], Ok("1")),
        (&["P-Asserted-Identity: <sip:+1@a>", "P-Asserted-Identity: tel:+1"], Ok("1")),
        (&["P-Asserted-Identity: <sip:bob@a>, <tel:+1>"], Ok("1")),
        (&["P-Asserted-Identity: <sip:bob@a>"], Err(Reason::SipTnForm)),
        (&["P-Asserted-Identity: <sip:+1@a>, <tel:+2>"], Err(Reason::SipTnForm)),
        (&["P-Asserted-Identity: <sip:+1@a>, <sips:+1@a>"], Err(Reason::SipHdrDup)),
        (&["P-Asserted-Identity: <sip:+1@a>, <tel:+1>, <tel:+1>"], Err(Reason::SipHdrDup)),
        (&["P-Asserted-Identity: <sip:+1@a>,"], Err(Reason::SipSyntax)),
        (&["P-Asserted-Identity:"], Err(Reason::SipSyntax)),
    ] {
        let octets = with(lines);
        let got = Message::datagram(&octets).and_then(|message| message.calling(true));
        let got = got.map(|tn| tn.digits.to_string()).map_err(|refusal| refusal.reason);
        assert_eq!(got, want.map(Into::into), "{lines:?}");
    }
}

#[test]
fn dates_are_of_one_form() {
    for (date, want) in [
        ("Wed, 18 Nov 2026 11:06:40 GMT", Some(1_795_000_000)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
        ("Fri, 29 Feb 2100 00:00:00 GMT", None),
        ("Thu, 18 Nov 2026 11:06:40 GMT", None),
        ("Wed, 18 Nov 2026 24:06:40 GMT", None),
        ("Wed, 18 Nov 2026 11:60:40 GMT", None),
        ("Wed, 18 Nov 2026 11:06:60 GMT", None),
        ("Wed, 18 Nov 2026 11:06:40 EST", None),
        ("Wed, 18 Nov 2026 11:06:40 GMT ", None),
        ("Wed, 18 nov 2026 11:06:40 GMT", None),
        ("Wed,  8 Nov 2026 11:06:40 GMT", None),
        ("Wed, 31 Dec 1969 23:59:59 GMT", None),
    ] {
        assert_eq!(unix_seconds(date.as_bytes()), want, "{date}");
    }
    let mut out = Vec::new();
    assert!(!emit_date(253_402_300_800, &mut out) && out.is_empty());
    for seconds in (0..253_402_300_800).step_by(7_654_321) {
        out.clear();
        assert!(emit_date(seconds, &mut out));
        assert_eq!(unix_seconds(&out), Some(seconds), "{}", text(&out));
    }
}

#[test]
fn headers_come_and_go_by_their_place() -> Result<(), Refusal> {
    let octets = with(&["y : a", "Identity: b,\r\n  c", "l: 1"]);
    let octets = [&octets[..], b"x"].concat();
    let message = Message::datagram(&octets)?;
    let second = message.identities().nth(1).map(|header| header.at);
    let mut out = Vec::new();
    assert!(rebuild(&message.view, false, |header| Some(header.at) == second, b"Identity: c\r\n", &mut out));
    assert_eq!(text(&out), text(&with(&["y : a", "l: 1", "Identity: c"])).to_owned() + "x");
    out.clear();
    assert!(rebuild(&message.view, true, |_| false, b"", &mut out));
    assert_eq!(text(&out), text(&with(&["y: a", "Identity: b, c", "l: 1"])).to_owned() + "x");
    assert!(Message::datagram(&out)?.view.is_canonical());
    let long = vec![b'x'; MAX_LEN];
    assert!(!rebuild(&message.view, true, |_| false, &long, &mut out));
    Ok(())
}

#[test]
fn verdicts_stand_at_the_number_that_was_judged() {
    for (line, verdict, want) in [
        (
            "From: <sip:+1@a;user=phone>;tag=2",
            Some(Verstat::Failed),
            "From: <sip:+1;verstat=TN-Validation-Failed@a;user=phone>;tag=2",
        ),
        ("f: sip:+1@a:5061 ;tag=2", Some(Verstat::Passed), "From: <sip:+1;verstat=TN-Validation-Passed@a:5061>;tag=2"),
        (
            "From: \"x, y\" <tel:+1;a=b>",
            Some(Verstat::Passed),
            "From: \"x, y\" <tel:+1;verstat=TN-Validation-Passed;a=b>",
        ),
        (
            "From: <sip:+1;verstat=a;x;VERSTAT:pw@a;verstat;user=phone>;verstat=b;tag=2",
            None,
            "From: <sip:+1;x:pw@a;user=phone>;tag=2",
        ),
        ("From: <sip:+1;ver%73tat=a@a;v%65rstat=x>", None, "From: <sip:+1@a>"),
        (
            "From: x <tel:+1;verstat=TN-Validation-Passed>",
            Some(Verstat::Failed),
            "From: x <tel:+1;verstat=TN-Validation-Failed>",
        ),
        ("From: <sip:a.example;verstat=x>", None, "From: <sip:a.example>"),
        ("From: <urn:x>", None, "From: <urn:x>"),
    ] {
        let octets = request(&[line, TO, CALL, CSEQ], "");
        let message = Message::datagram(&octets).unwrap_or_else(|refusal| panic!("{refusal:?} {line}"));
        let mut out = Vec::new();
        assert_eq!(mark(&message, verdict, true, |_| false, b"", &mut out), Ok(()), "{line}");
        assert_eq!(text(&out), text(&request(&[want, TO, CALL, CSEQ], "")), "{line}");
    }
    let lines = ["P-Asserted-Identity: <sip:bob@a;verstat=x>, <tel:+1>", "Identity: x"];
    let octets = with(&lines);
    let message = Message::datagram(&octets).expect("sound");
    let mut out = Vec::new();
    let is_identity = |header: &Header<'_>| header.name == Name::Identity;
    assert_eq!(mark(&message, Some(Verstat::Failed), true, is_identity, b"", &mut out), Ok(()));
    let want = "P-Asserted-Identity: <sip:bob@a>, <tel:+1;verstat=TN-Validation-Failed>";
    assert_eq!(text(&out), text(&with(&[want])));
    let octets = with(&["P-Asserted-Identity: <sip:bob@a>"]);
    let message = Message::datagram(&octets).expect("sound");
    let refused = mark(&message, Some(Verstat::Failed), true, |_| false, b"", &mut out);
    assert!(refused.is_err_and(|refusal| refusal.reason == Reason::SipTnForm));
}

#[test]
fn a_rejection_copies_what_names_the_request() -> Result<(), Refusal> {
    let vias = ["v : SIP/2.0/UDP a\r\n ;branch=1", "Via: SIP/2.0/UDP b;branch=2"];
    let octets = request(&[vias[0], FROM, TO, vias[1], "i: x", CSEQ, "y: z", "l: 0"], "");
    let (mut reason, mut out) = (Vec::new(), Vec::new());
    emit_reason(438, false, Some(b"c2ln"), &mut reason);
    assert!(emit_rejection(&Message::datagram(&octets)?, 438, false, b"sg1", &reason, &mut out));
    let want = "SIP/2.0 438 Invalid Identity Header\r\nVia: SIP/2.0/UDP a ;branch=1\r\n\
        From: <sip:+999025550001@a.example;user=phone>;tag=19\r\nTo: <sip:+999015550001@home.example>;tag=sg1\r\n\
        Via: SIP/2.0/UDP b;branch=2\r\nCall-ID: x\r\nCSeq: 314159 INVITE\r\n\
        Reason: STIR;cause=438;text=\"Invalid Identity Header\";ppi=\"..c2ln\"\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(text(&out), want);
    let answer = out.clone();
    assert!(!emit_rejection(&Message::datagram(&answer)?, 438, false, b"sg1", b"", &mut out), "a response");
    let tagged = text(&octets).replace("home.example>", "home.example>;tag=5");
    out.clear();
    assert!(emit_rejection(&Message::datagram(tagged.as_bytes())?, 403, true, b"sg1", b"", &mut out));
    assert!(text(&out).starts_with("SIP/2.0 403 Stale Date\r\n") && text(&out).contains("home.example>;tag=5\r\n"));
    let ack = text(&octets).replace("INVITE", "ACK");
    assert!(!emit_rejection(&Message::datagram(ack.as_bytes())?, 403, false, b"sg1", b"", &mut out));
    Ok(())
}

#[test]
fn fillers_are_skipped_whole() {
    for len in 0..40 {
        let mut octets = vec![b'x'; len];
        fill(len, 0, &mut octets);
        let want = if len == 0 { Ok(None) } else { Ok(Some(Piece::Idle(len))) };
        assert_eq!(stream_len(&octets), want);
        assert!(octets.last().is_none_or(|last| *last == b'\n'));
        for cut in 0..=len {
            let mut pieces = vec![b'x'; len];
            let (front, back) = pieces.split_at_mut(cut);
            fill(len, 0, front);
            fill(len, cut, back);
            assert_eq!(pieces, octets, "cut at {cut}");
        }
    }
}
