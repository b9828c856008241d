use super::*;
use crate::addr::Digits;
use crate::sip::{Header, Message, Name};
use crate::{Reason, Refusal};

fn digits(text: &str) -> Digits {
    text.parse().expect("digits")
}

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    base64url::encode(text.as_bytes(), &mut out);
    String::from_utf8(out).expect("ASCII")
}

/// 64 octets of zero.
const SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn header(value: &str) -> Header<'_> {
    let octets = value.as_bytes();
    Header { name: Name::Identity, written: b"Identity", value: octets, value_at: 100, raw: octets, at: 90 }
}

const X5U: &str = "https://cert.example.org/passport.cer";

/// A value of these two parts; `ppt` outside as inside.
fn value(head: &str, payload: &str, ppt: Option<&str>) -> String {
    let ppt = ppt.map(|ppt| format!(";ppt={ppt}")).unwrap_or_default();
    format!("{}.{}.{SIGNATURE};info=<{X5U}>;alg=ES256{ppt}", encoded(head), encoded(payload))
}

/// Reads a value; gives the signing input.
fn read(value: &str) -> Result<String, Refusal> {
    let identity = Identity::parse(&header(value))?;
    let mut scratch = Scratch::default();
    let (orig, dest) = (digits("12155551212"), digits("12125551213"));
    let passport = identity.read(&Compact { orig: &orig, dest: &dest, date: Some(1_443_208_345) }, &mut scratch)?;
    Ok(String::from_utf8(passport.input.to_vec()).expect("ASCII"))
}

fn reason(value: &str) -> Option<Reason> {
    read(value).err().map(|refusal| refusal.reason)
}

#[test]
fn base64url_has_one_text_for_each_octet_string() {
    for (text, want) in [
        ("", Some(&b""[..])),
        ("AA", Some(&[0])),
        ("-_8", Some(&[0xfb, 0xff])),
        ("AAEC", Some(&[0, 1, 2])),
        ("A", None),
        ("AAAAA", None),
        ("AB", None),  // spare bits
        ("AI", None),  // spare bits
        ("AAB", None), // spare bits
        ("AAC", None), // spare bits
        ("AA==", None),
        ("A A", None),
        ("+/8", None),
        ("AA\n", None),
    ] {
        let mut out = vec![7];
        let got = base64url::decode(text.as_bytes(), &mut out);
        assert_eq!(got.map(|()| &out[1..]), want, "{text:?}");
        assert_eq!(base64url::is_sound(text.as_bytes()), want.is_some());
        let mut place = vec![0; want.map_or(0, <[u8]>::len)];
        assert_eq!(base64url::decode_into(text.as_bytes(), &mut place).is_some(), want.is_some(), "{text:?}");
        assert_eq!(&place[..], want.unwrap_or_default());
        assert!(base64url::decode_into(text.as_bytes(), &mut [0; 9]).is_none());
    }
}

/// RFC 8225, Appendix A: the token, and the same in compact form (§7).
#[test]
fn rfc8225_appendix_a() -> Result<(), Refusal> {
    let head = r#"{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}"#;
    let payload = r#"{"dest":{"uri":["sip:alice@example.com"]},"iat":1471375418,"orig":{"tn":"12155551212"}}"#;
    let token = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9j\
        ZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9.\
        eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI\
        6MTQ3MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19.\
        VLBCIVDCaeK6M4hLJb6SHQvacAQVvoiiEOWQ_iUkqk79UD81fHQ0E1b3_GluIkb\
        a7UWYRM47ZbNFdOJquE35cw";
    let value = format!("{token};info=<{X5U}>;alg=ES256");
    let identity = Identity::parse(&header(&value))?;
    let compact = Compact { orig: &digits("1"), dest: &digits("2"), date: None };
    let mut scratch = Scratch::default();
    let passport = identity.read(&compact, &mut scratch)?;
    assert_eq!(passport.input, format!("{}.{}", encoded(head), encoded(payload)).as_bytes());
    assert!(token.as_bytes().starts_with(passport.input));
    assert!(passport.head.x5u.is(X5U) && passport.head.ppt.is_none());
    let claims = passport.claims;
    assert_eq!((claims.iat, claims.orig.is_tn(&digits("12155551212"))), (1_471_375_418, true));
    assert_eq!((claims.dest.tns().count(), claims.dest.uris().count()), (0, 1));
    assert!(claims.dest.uris().all(|uri| uri.is("sip:alice@example.com")));
    assert_eq!(passport.names(&digits("12155551212"), &digits("2")), Err(Reason::StirDest), "called by URI");
    let signature = identity.signature()?;
    assert_eq!((signature[0], signature[63]), (0x54, 0x73));
    assert_eq!(identity.signature_text(), &token.as_bytes()[token.len() - 86..]);
    // The compact form names its parties by number here (formats 8), so it is another input than the full one.
    let value = format!("..{};info=<{X5U}>;alg=ES256", &token[token.len() - 86..]);
    let want = r#"{"dest":{"tn":["12125551213"]},"iat":1443208345,"orig":{"tn":"12155551212"}}"#;
    assert_eq!(read(&value)?, format!("{}.{}", encoded(head), encoded(want)));
    Ok(())
}

/// Examples of drafts, and of RFC 8588 before its erratum 6656: `iat` is a string, which RFC 8225 §5.1.1 does not have.
#[test]
fn rfc8588_section_6_before_and_after_its_erratum() -> Result<(), Refusal> {
    let head = r#"{"alg":"ES256","typ":"passport","ppt":"shaken","x5u":"https://cert.example.org/passport.cer"}"#;
    let payload = r#"{"attest":"A","dest":{"tn":["12155550131"]},"iat":1443208345,"orig":{"tn":"12155550121"},"origid":"123e4567-e89b-12d3-a456-426655440000"}"#;
    let before = payload.replace("1443208345", "\"1443208345\"");
    assert_eq!(reason(&value(head, &before, Some("shaken"))), Some(Reason::StirSyntax));
    let value = value(head, payload, Some("\"shaken\""));
    let identity = Identity::parse(&header(&value))?;
    let compact = Compact { orig: &digits("1"), dest: &digits("2"), date: None };
    let mut scratch = Scratch::default();
    let passport = identity.read(&compact, &mut scratch)?;
    assert_eq!(passport.names(&digits("12155550121"), &digits("12155550131")), Ok(()));
    assert_eq!(passport.names(&digits("12155550122"), &digits("12155550131")), Err(Reason::StirOrig));
    assert_eq!(passport.names(&digits("12155550121"), &digits("12155550132")), Err(Reason::StirDest));
    assert_eq!(passport.claims.attest, Some(Attest::A));
    assert!(passport.claims.origid.is_some_and(|origid| origid.is("123e4567-e89b-12d3-a456-426655440000")));
    Ok(())
}

/// RFC 8224 §4.1: the header with parameters in any order, quoted or not; and its predecessor's (RFC 4474), which is none.
#[test]
fn rfc8224_section_4() {
    for (value, sound) in [
        (format!("..{SIGNATURE};info=<{X5U}>"), true),
        (format!("..{SIGNATURE} ; alg = ES256 ; info = <{X5U}>"), true),
        (format!("..{SIGNATURE};ppt=\"shaken\";INFO=<{X5U}>;ALG=\"ES256\""), true),
        (format!("..{SIGNATURE};info=<{X5U}>;other=x;flag;q=\"a;b\""), true),
        (format!("..{SIGNATURE};alg=ES256"), false),
        (format!("..{SIGNATURE};info={X5U}"), false),
        (format!("..{SIGNATURE};info=\"{X5U}\""), false),
        (format!("..{SIGNATURE};info=<{X5U}>;info=<{X5U}>"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;alg=ES256;alg=ES256"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt=a;ppt=a"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt=<a>"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt="), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt=\"\""), false),
        (format!("..{SIGNATURE};info=<{X5U}>;ppt=\"sha\\ken\""), false),
        (format!("..{SIGNATURE};info=<{X5U}>,..{SIGNATURE};info=<{X5U}>"), false),
        (format!("..{SIGNATURE};info=<{X5U}>;"), false),
        (format!("..{SIGNATURE};info=<{X5U}> x"), false),
        (format!("..{SIGNATURE};info=<{X5U} >"), false),
        (format!("..{SIGNATURE};info=<{X5U}"), false),
        (format!("..{SIGNATURE};info=<x>"), false),
        (format!("..{SIGNATURE};info=<https:{}>", "x".repeat(MAX_INFO)), false),
        (format!(";info=<{X5U}>"), false),
        (format!("\"r5mwreLuyDRYBi/0TiPwEsY3rEVsk\";info=<{X5U}>"), true), // no token, but that is for the next step
        (String::new(), false),
    ] {
        let got = Identity::parse(&header(&value));
        assert_eq!(got.is_ok(), sound, "{value}: {got:?}");
        assert!(got.is_ok() || got.is_err_and(|refusal| refusal.reason == Reason::StirSyntax));
    }
}

#[test]
fn tokens_have_three_parts_of_one_form() {
    let compact = |signature: &str, rest: &str| format!("{signature};info=<{X5U}>{rest}");
    for (value, want) in [
        (compact(&format!("..{SIGNATURE}"), ""), None),
        (compact(&format!("..{SIGNATURE}"), ";alg=ES256"), None),
        (compact(&format!("..{SIGNATURE}"), ";alg=ES384"), Some(Reason::StirAlg)),
        (compact(&format!("..{SIGNATURE}"), ";ppt=shaken"), Some(Reason::StirSyntax)),
        (compact(&format!(".{SIGNATURE}"), ""), Some(Reason::StirSyntax)),
        (compact(&format!("...{SIGNATURE}"), ""), Some(Reason::StirSyntax)),
        (compact(&format!("e30..{SIGNATURE}"), ""), Some(Reason::StirSyntax)),
        (compact(&format!(".e30.{SIGNATURE}"), ""), Some(Reason::StirSyntax)),
        (compact(&format!("e30.e30.{SIGNATURE}"), ""), Some(Reason::StirSyntax)),
        (compact(&format!("..{SIGNATURE}=="), ""), Some(Reason::StirSyntax)),
        (compact(&format!("..{}B", &SIGNATURE[1..]), ""), Some(Reason::StirSyntax)),
        (compact(&format!("{0}.{0}.{SIGNATURE}", "A".repeat(MAX_PART + 4)), ""), Some(Reason::StirSyntax)),
    ] {
        assert_eq!(reason(&value), want, "{value}");
    }
    let value = compact(&format!("..{SIGNATURE}"), "");
    let identity = Identity::parse(&header(&value)).expect("sound");
    let one = digits("1");
    let read = identity.read(&Compact { orig: &one, dest: &one, date: None }, &mut Scratch::default()).map(|_| ());
    assert_eq!(read, Err(Reason::StirDate.at(100)));
    for (text, want) in
        [(&SIGNATURE[..84], Reason::StirSig), (&SIGNATURE[..85], Reason::StirSyntax), ("", Reason::StirSig)]
    {
        let value = compact(&format!("..{text}"), "");
        let identity = Identity::parse(&header(&value)).expect("sound");
        assert_eq!(identity.signature(), Err(want.at(102)), "{text}");
    }
}

#[test]
fn head_and_parameters_say_the_same() {
    let payload = r#"{"attest":"B","dest":{"tn":["1"]},"iat":1,"orig":{"tn":"2"},"origid":"x"}"#;
    let good =
        r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https:\/\/cert.example.org\/passport.cer","x":1}"#;
    assert_eq!(reason(&value(good, payload, Some("shaken"))), None);
    for (old, new, want) in [
        ("ES256", "RS256", Reason::StirAlg),
        ("ES256", "es256", Reason::StirAlg),
        ("ES256", "none", Reason::StirAlg),
        ("passport", "JWT", Reason::StirSyntax),
        ("cert.example.org", "cert.example.com", Reason::StirSyntax),
        ("\"shaken\"", "\"div\"", Reason::StirSyntax),
        ("\"shaken\"", "1", Reason::StirSyntax),
        ("\"ppt\":\"shaken\",", "", Reason::StirSyntax),
        ("\"typ\":\"passport\",", "", Reason::StirSyntax),
        ("\"x\":1", "\"crit\":[\"x\"]", Reason::StirSyntax),
        ("\"x\":1", "\"alg\":\"ES256\"", Reason::StirSyntax),
        ("\"x\":1", "\"\\u0061lg\":\"none\"", Reason::StirSyntax),
    ] {
        assert!(good.contains(old));
        assert_eq!(reason(&value(&good.replacen(old, new, 1), payload, Some("shaken"))), Some(want), "{old} {new}");
    }
    assert_eq!(reason(&value(good, payload, None)), Some(Reason::StirSyntax), "ppt inside only");
    let other = value(good, payload, Some("shaken")).replace("alg=ES256", "alg=RS256");
    assert_eq!(reason(&other), Some(Reason::StirAlg), "alg outside");
}

#[test]
fn claims_are_of_their_shapes() {
    let head = r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.org/passport.cer"}"#;
    let good = r#"{"attest":"B","dest":{"tn":["1","3"]},"iat":1,"mky":[{"alg":"sha-256","dig":"02"}],"orig":{"tn":"2"},"origid":"x"}"#;
    assert_eq!(reason(&value(head, good, Some("shaken"))), None);
    for (old, new) in [
        ("\"iat\":1", "\"iat\":1.0"),
        ("\"iat\":1", "\"iat\":-1"),
        ("\"iat\":1", "\"iat\":1e3"),
        ("\"iat\":1", "\"iat\":9007199254740992"),
        ("\"iat\":1,", ""),
        ("\"orig\":{\"tn\":\"2\"}", "\"orig\":{\"tn\":\"2\",\"uri\":\"x\"}"),
        ("\"orig\":{\"tn\":\"2\"}", "\"orig\":{\"tn\":[\"2\"]}"),
        ("\"orig\":{\"tn\":\"2\"}", "\"orig\":{}"),
        ("\"orig\":{\"tn\":\"2\"}", "\"orig\":\"2\""),
        ("\"orig\":{\"tn\":\"2\"}", "\"orig\":{\"tn\":\"2\"},\"orig\":{\"tn\":\"2\"}"),
        ("[\"1\",\"3\"]", "\"1\""),
        ("[\"1\",\"3\"]", "[]"),
        ("[\"1\",\"3\"]", "[1]"),
        ("\"tn\":[\"1\",\"3\"]", ""),
        ("\"attest\":\"B\"", "\"attest\":\"D\""),
        ("\"attest\":\"B\"", "\"attest\":1"),
        ("\"attest\":\"B\",", ""),
        (",\"origid\":\"x\"", ""),
        ("\"origid\":\"x\"", "\"origid\":\"\""),
        ("\"origid\":\"x\"", "\"origid\":\"x\",\"div\":{}"),
    ] {
        assert!(good.contains(old));
        let bad = value(head, &good.replacen(old, new, 1), Some("shaken"));
        assert_eq!(reason(&bad), Some(Reason::StirSyntax), "{old} {new}");
    }
}

#[test]
fn times_are_fresh_to_the_second_both_ways() {
    let stale = Err(Reason::StirStale);
    for (iat, date, want) in [
        (940, None, Ok(())),
        (939, None, stale),
        (1060, None, Ok(())),
        (1061, None, stale),
        (1000, Some(1060), Ok(())),
        (1000, Some(1061), stale),
        (1000, Some(939), stale),
        (u64::MAX, None, stale),
        (0, None, stale),
    ] {
        assert_eq!(fresh(1000, iat, date, 60), want, "{iat} {date:?}");
    }
}

#[test]
fn hosts_are_those_that_a_client_would_ask() {
    for (info, want) in [
        ("https://certs.example/a.pem", Some("certs.example")),
        ("HTTPS://certs.example:8443/a", Some("certs.example")),
        ("http://certs.example/a", None),
        ("https://certs.example@other.example/a", None),
        ("https://certs.example:443@other.example/a", None),
        ("https://certs.example:65536/a", None),
        ("https://certs.example:/a", None),
        ("https://certs.example", None),
        ("https://certs.example?/", None),
        ("https:///a", None),
        ("https://[::1]/a", None),
        ("https://certs%2eexample/a", None),
    ] {
        assert_eq!(x5u_host(info.as_bytes()), want.map(str::as_bytes), "{info}");
    }
}

#[test]
fn attestation_has_an_order() -> Result<(), Refusal> {
    let head = r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.org/passport.cer"}"#;
    let payload = r#"{"attest":"B","dest":{"tn":["1"]},"iat":1,"orig":{"tn":"2"},"origid":"x"}"#;
    let value = value(head, payload, Some("shaken"));
    let identity = Identity::parse(&header(&value))?;
    let one = digits("1");
    let mut scratch = Scratch::default();
    let passport = identity.read(&Compact { orig: &one, dest: &one, date: None }, &mut scratch)?;
    assert_eq!(passport.attested(Attest::C), Ok(()));
    assert_eq!(passport.attested(Attest::B), Ok(()));
    assert_eq!(passport.attested(Attest::A), Err(Reason::StirAttest));
    Ok(())
}

#[test]
fn the_first_usable_header_decides() {
    let invite = |identities: &[String]| {
        let mut text =
            "INVITE sip:2@a SIP/2.0\r\nFrom: <sip:1@a>;tag=1\r\nTo: <sip:2@a>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"
                .to_owned();
        identities.iter().for_each(|value| text += &format!("Identity: {value}\r\n"));
        text + "\r\n"
    };
    let value = |token: &str, ppt: &str| format!("{token};info=<{X5U}>{ppt}");
    let of = |values: &[String]| {
        let text = invite(values);
        let message = Message::datagram(text.as_bytes()).expect("sound");
        let supports = |ppt: &[u8]| ppt == b"rph" || ppt == b"div";
        select(&message, supports).map(|found| found.token.to_vec()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(of(&[]), Err(Reason::StirMissing));
    assert_eq!(of(&[value("a", ";ppt=rcd"), value("b", ";ppt=x")]), Err(Reason::StirPpt));
    assert_eq!(of(&[value("a", ";ppt=rcd"), value("b", ";ppt=shaken"), value("c", "")]), Ok(b"b".to_vec()));
    assert_eq!(of(&[value("a", ";ppt=\"rph\"")]), Ok(b"a".to_vec()));
    assert_eq!(of(&[value("a", ";ppt=\"div\"")]), Err(Reason::StirPpt));
    let text = invite(&[value("a", ";ppt=div"), value("b", ""), value("c", ";ppt=\"div\""), "d".to_owned()]);
    let message = Message::datagram(text.as_bytes()).expect("sound");
    let divs: Vec<_> = diversions(&message).map(|found| found.ok().map(|found| found.token)).collect();
    assert_eq!(divs, [Some(&b"a"[..]), Some(b"c"), None]);
    assert_eq!(of(&[value("a", "")]), Ok(b"a".to_vec()));
    assert_eq!(of(&["a".to_owned(), value("b", "")]), Err(Reason::StirSyntax));
}

/// The calls of RFC 8946 §4: A calls B, B is diverted to C, C to D.
#[test]
fn rfc8946_section_4() {
    let head = |ppt: &str| format!(r#"{{"alg":"ES256","ppt":"{ppt}","typ":"passport","x5u":"{X5U}"}}"#);
    let base = |orig: &str, dest: &str| {
        let payload = format!(
            r#"{{"attest":"A","dest":{{"tn":["{dest}"]}},"iat":1443208345,"orig":{{"tn":"{orig}"}},"origid":"x"}}"#
        );
        value(&head("shaken"), &payload, Some("shaken"))
    };
    let div = |orig: &str, from: &str, dest: &str| {
        let payload = format!(
            r#"{{"dest":{{"tn":["{dest}"]}},"div":{{"tn":"{from}"}},"iat":1443208345,"orig":{{"tn":"{orig}"}}}}"#
        );
        value(&head("div"), &payload, Some("div"))
    };
    const A: &str = "12155551212";
    const B: &str = "12155551213";
    const C: &str = "12155551214";
    const D: &str = "12155551215";
    let chain = |values: &[String], called: &str| {
        let mut scratches = vec![Scratch::default(); values.len()];
        let one = digits("1");
        let compact = Compact { orig: &one, dest: &one, date: None };
        let read = values.iter().zip(&mut scratches).map(|(value, scratch)| {
            Identity::parse(&header(value)).expect("sound").read(&compact, scratch).expect("sound")
        });
        let read: Vec<_> = read.collect();
        div_chain(&read[0], &read[1..], &digits(A), &digits(called))
    };
    let broken = Err(Reason::StirDiv);
    for (values, called, want) in [
        (vec![base(A, B)], B, Ok(())),
        (vec![base(A, B)], C, Err(Reason::StirDest)),
        (vec![base(A, B), div(A, B, C)], C, Ok(())),
        (vec![base(A, B), div(A, B, C), div(A, C, D)], D, Ok(())),
        (vec![base(A, B), div(A, C, D), div(A, B, C)], D, Ok(())),
        (vec![base(A, B), div(A, B, C), div(A, C, B), div(A, B, C)], C, Ok(())), // to and fro
        (vec![base(A, B), div(A, B, C)], D, broken),
        (vec![base(A, B), div(A, C, D)], D, broken),
        (vec![base(A, B), div(A, B, C), div(A, C, D)], C, broken), // one is left over
        (vec![base(A, B), div(A, B, C)], B, broken),
        (vec![base(A, B), div(A, B, B), div(A, C, D)], B, broken), // none counts twice
        (vec![base(A, C), div(A, B, C)], C, broken),
        (vec![base(A, B), div(D, B, C)], C, broken), // of another caller
        (vec![base(D, B), div(D, B, C)], C, Err(Reason::StirOrig)),
    ] {
        assert_eq!(chain(&values, called), want, "{} to {called}", values.len());
    }
    let long = |count: usize| [vec![base(A, B)], vec![div(A, B, B); count]].concat();
    assert_eq!((chain(&long(MAX_DIVS), B), chain(&long(MAX_DIVS + 1), B)), (Ok(()), broken));
    let without = value(&head("div"), r#"{"dest":{"tn":["1"]},"iat":1,"orig":{"tn":"2"}}"#, Some("div"));
    assert_eq!(reason(&without), Some(Reason::StirSyntax), "ppt div without a div claim");
}

#[test]
fn what_would_have_to_be_escaped_is_not_signed() {
    let dest = [digits("1")];
    let good = Outgoing { x5u: X5U, attest: Attest::C, origid: "x-1", orig: digits("2"), dest: &dest, iat: 0 };
    let mut scratch = Scratch::default();
    let input = good.input(&mut scratch).map(<[u8]>::to_vec).expect("plain");
    let mut line = Vec::new();
    good.emit(&input, &[0; 64], &mut line);
    let text = String::from_utf8(line).expect("ASCII");
    let value = text.strip_prefix("Identity: ").and_then(|text| text.strip_suffix("\r\n")).expect("a line");
    assert_eq!(read(value).map(String::into_bytes), Ok(input));
    for bad in [
        Outgoing { x5u: "https://a/\"", ..good },
        Outgoing { x5u: "https://a/>", ..good },
        Outgoing { x5u: "", ..good },
        Outgoing { origid: "a\\b", ..good },
        Outgoing { origid: "a b", ..good },
        Outgoing { origid: "\u{e9}", ..good },
        Outgoing { orig: Digits::default(), ..good },
        Outgoing { orig: digits("a"), ..good },
        Outgoing { dest: &[], ..good },
    ] {
        assert_eq!(bad.input(&mut scratch), None, "{bad:?}");
    }
}
