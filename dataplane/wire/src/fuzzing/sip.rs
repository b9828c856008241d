//! SIP, and PASSporTs in its Identity headers.

use crate::addr::Digits;
use crate::sec::passport::{self, Attest, Compact, Identity, MAX_DIVS, Outgoing, Passport, Scratch};
use crate::sip::{self, Header, MAX_LEN, Message, Name, Piece, Verstat, View};

/// A message: what is read is read again from what is written, and only what was asked for changes.
pub fn sip(octets: &[u8]) {
    borders(octets);
    let Ok(view) = View::datagram(octets) else {
        assert!(View::stream(octets).is_err());
        return;
    };
    if let Ok(same) = View::stream(octets) {
        assert_eq!((same, view.trailing()), (view, 0));
        assert_eq!(sip::stream_len(octets), Ok(Some(Piece::Message(octets.len()))));
    }
    writes_back(octets, &view);
    let Ok(message) = Message::of(view) else { return };
    if let Ok(tn) = message.calling(true).and(message.called()) {
        assert!(tn.digits.is_decimal() && (1..=15).contains(&tn.digits.len()));
    }
    if let Ok(Some(seconds)) = message.date() {
        let mut date = Vec::new();
        assert!(sip::emit_date(seconds, &mut date));
        assert_eq!(sip::unix_seconds(&date), Some(seconds));
    }
    let _ = message.branch();
    assert_eq!(message.identities().count(), message.identity_count);
    marks(&message);
    rejects(&message);
}

/// Whatever pieces a stream is cut in, its borders are the same.
fn borders(octets: &[u8]) {
    let whole = sip::stream_len(octets);
    let mut borders = sip::Borders::default();
    for len in 0..octets.len().min(256) {
        match borders.next(octets.get(..len).unwrap_or_default()) {
            Ok(None) => {}
            // A run of idle octets may be told in parts.
            Ok(Some(Piece::Idle(n))) => {
                assert!(n <= len && matches!(whole, Ok(Some(Piece::Idle(all))) if all >= n));
                break;
            }
            other => assert_eq!(other, whole),
        }
    }
    if let Ok(Some(Piece::Message(len))) = whole {
        assert!(len <= MAX_LEN);
        assert!(octets.get(..len).is_none_or(|message| View::stream(message).is_ok()));
    }
    let mut filler = octets.to_vec();
    sip::fill(filler.len(), 0, &mut filler);
    assert!(filler.is_empty() || sip::stream_len(&filler) == Ok(Some(Piece::Idle(filler.len()))));
}

/// Header by header as received, and in the plain form, where each says the same.
fn writes_back(octets: &[u8], view: &View<'_>) {
    let mut again = view.start_line().to_vec();
    view.headers().for_each(|header| again.extend_from_slice(header.raw));
    again.extend_from_slice(b"\r\n");
    again.extend_from_slice(view.body());
    assert_eq!((&again[..], view.octets()), (view.octets(), &octets[..octets.len() - view.trailing()]));
    let mut out = Vec::new();
    assert!(sip::rebuild(view, false, |_| false, b"", &mut out));
    assert_eq!(out, again);
    out.clear();
    assert!(sip::rebuild(view, true, |_| false, b"", &mut out) || octets.len() + 256 > MAX_LEN);
    let plain = View::datagram(&out).unwrap_or_else(|refusal| panic!("{refusal:?} in the plain form"));
    assert!(plain.is_canonical() && plain.body() == view.body() && plain.start() == view.start());
    assert!(!view.is_canonical() || out == octets);
    let words = |header: Header<'_>| {
        let words = header.value.split(|octet| b" \t\r\n".contains(octet)).filter(|word| !word.is_empty());
        (header.name, words.map(<[u8]>::to_vec).collect::<Vec<_>>())
    };
    assert!(plain.headers().map(words).eq(view.headers().map(words)));
    for (i, one) in view.headers().enumerate().take(8) {
        out.clear();
        if sip::rebuild(view, false, |header| header.at == one.at, b"X: y\r\n", &mut out)
            && one.name != Name::ContentLength
        {
            let view = View::datagram(&out).unwrap_or_else(|refusal| panic!("{refusal:?} without header {i}"));
            assert!(view.headers().last().is_some_and(|header| header.raw == b"X: y\r\n"));
        }
    }
}

/// A verdict is written once, the number stays, and what others wrote is gone.
fn marks(message: &Message<'_>) {
    for (verdict, use_pai) in [(None, true), (Some(Verstat::Failed), true), (Some(Verstat::Passed), false)] {
        let mut out = Vec::new();
        if sip::mark(message, verdict, use_pai, |_| false, b"", &mut out).is_err() {
            assert!(out.is_empty());
            continue;
        }
        let marked = Message::datagram(&out).unwrap_or_else(|refusal| panic!("{refusal:?} in a marked message"));
        assert!(marked.view.is_canonical());
        assert_eq!(marked.from.uri.tn().ok(), message.from.uri.tn().ok());
        assert_eq!(marked.calling(use_pai).ok(), message.calling(use_pai).ok());
        assert_eq!((marked.from.tag, marked.from.uri.host), (message.from.tag, message.from.uri.host));
        let mut again = Vec::new();
        assert_eq!(sip::mark(&marked, verdict, use_pai, |_| false, b"", &mut again), Ok(()));
        assert_eq!(again, out);
    }
}

/// A rejection is a response to the same request.
fn rejects(message: &Message<'_>) {
    let (mut reason, mut out) = (Vec::new(), Vec::new());
    sip::emit_reason(438, false, Some(b"AA"), &mut reason);
    if !sip::emit_rejection(message, 438, false, b"sg", &reason, &mut out) || out.len() > MAX_LEN {
        return;
    }
    let answer = Message::datagram(&out).unwrap_or_else(|refusal| panic!("{refusal:?} in a rejection"));
    assert!(answer.view.is_canonical() && answer.method().is_none());
    assert_eq!((answer.call_id, answer.cseq, answer.from.tag), (message.call_id, message.cseq, message.from.tag));
    assert_eq!(answer.to.tag, message.to.tag.or(Some(b"sg")));
    let vias = |view: &View<'_>| view.headers().filter(|header| header.name == Name::Via).count();
    assert_eq!(vias(&answer.view), vias(&message.view));
}

/// The value of an Identity header, or the JSON of both parts of a token with a zero octet between them.
pub fn passport(octets: &[u8]) {
    let mut value = Vec::new();
    match split_at_zero(octets) {
        Some((head, payload)) => {
            passport::base64url::encode(head, &mut value);
            value.push(b'.');
            passport::base64url::encode(payload, &mut value);
            value.push(b'.');
            passport::base64url::encode(&[0x55; 64], &mut value);
            value.extend_from_slice(b";info=<https://c.example/a>;ppt=shaken");
        }
        None => value.extend_from_slice(octets),
    }
    let mut message = b"INVITE sip:2@a SIP/2.0\r\nFrom: <sip:1@a>;tag=1\r\nTo: <sip:2@a>\r\n".to_vec();
    message.extend_from_slice(b"Call-ID: a\r\nCSeq: 1 INVITE\r\nIdentity: ");
    message.extend_from_slice(&value);
    message.extend_from_slice(b"\r\n\r\n");
    let Ok(message) = Message::datagram(&message) else { return };
    let (Ok(orig), Ok(dest)) = (message.calling(true), message.called()) else { return };
    let compact = Compact { orig: &orig.digits, dest: &dest.digits, date: Some(1) };
    for header in message.identities() {
        let Ok(identity) = Identity::parse(&header) else { continue };
        let _ = passport::x5u_host(identity.info);
        let (mut scratch, mut own) = (Scratch::default(), Scratch::default());
        let Ok(passport) = identity.read(&compact, &mut scratch) else { continue };
        assert!(passport.input.is_ascii());
        judges(&passport, &compact);
        let Ok(signature) = identity.signature() else { continue };
        let mut line = Vec::new();
        let ppt = identity.ppt.and_then(|ppt| core::str::from_utf8(ppt).ok());
        let input = if identity.token.starts_with(b"..") { &b"."[..] } else { passport.input };
        passport::emit_identity(input, &signature, identity.info, ppt, &mut line);
        let text = line.strip_prefix(b"Identity: ").and_then(|line| line.strip_suffix(b"\r\n")).unwrap_or_default();
        let again = Header { value: text, ..header };
        let again = Identity::parse(&again).unwrap_or_else(|refusal| panic!("{refusal:?} in our own header"));
        assert_eq!((again.token, again.info, again.ppt), (identity.token, identity.info, identity.ppt));
        assert_eq!(again.read(&compact, &mut own), Ok(passport));
    }
}

/// The checks that need no key say something, whatever the claims are; what they let pass, we could have signed.
fn judges(passport: &Passport<'_>, compact: &Compact<'_>) {
    let named = passport.names(compact.orig, compact.dest);
    let divs = [*passport; MAX_DIVS];
    for count in [0, 1, MAX_DIVS] {
        let chain = passport::div_chain(passport, divs.get(..count).unwrap_or_default(), compact.orig, compact.dest);
        assert!(count > 0 || chain == named);
    }
    assert!(passport::fresh(passport.claims.iat, passport.claims.iat, None, 0).is_ok());
    assert!(passport.attested(Attest::C).is_ok());
    let (Ok(()), Some(attest)) = (named, passport.claims.attest) else { return };
    let dest: Vec<Digits> = passport
        .claims
        .dest
        .tns()
        .filter_map(|text| text.chars().collect::<String>().parse().ok())
        .filter(|number: &Digits| number.is_decimal() && !number.is_empty())
        .collect();
    let outgoing = Outgoing {
        x5u: "https://c.example/a",
        attest,
        origid: "x",
        orig: *compact.orig,
        dest: &dest,
        iat: passport.claims.iat,
    };
    assert!(outgoing.input(&mut Scratch::default()).is_some());
}

/// Octets before and behind the first zero.
fn split_at_zero(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = octets.iter().position(|&octet| octet == 0)?;
    Some((octets.get(..at)?, octets.get(at + 1..)?))
}
