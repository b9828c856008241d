//! The bodies of the fuzz targets over octets that are nearly right, and PASSporTs against another reader of JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use sealgate_wire::addr::Digits;
use sealgate_wire::fuzzing::sip;
use sealgate_wire::sec::passport::{Compact, Identity, Party, Scratch, base64url};
use sealgate_wire::sip::Message;

const INVITE: &[u8] = b"INVITE sip:+2@b SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bKa\r\n\
    f: \"a \\\",\" <sip:+1-2;verstat=x;y@a:1;user=phone> ;x=\"1\" ; tag=2\r\nt :\r\n tel:+3;ext=4\r\ni: a\r\nCSeq: 1 INVITE\r\n\
    P-Asserted-Identity: <sip:b@a>, <tel:+1;verstat=x>\r\nDate: Wed, 18 Nov 2026 11:06:40 GMT\r\nl: 1\r\n\r\nxy";

const PARTS: &[u8] =
    b"{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"https:\\/\\/c.example\\/a\"}\0\
    {\"attest\":\"B\",\"dest\":{\"tn\":[\"2\",\"\\u0033\"]},\"iat\":17,\"orig\":{\"tn\":\"1\"},\"origid\":\"x\",\
    \"x\":[-1.5e3,true,null,{\"y\":\"\\ud83d\\ude00\"}]}";

/// Octets that mean something to one of the grammars.
fn telling() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(b'\r'),
        Just(b'\n'),
        proptest::sample::select(&b" \t\";,<>@:?%\\/+-.=()[]{}0129eEutn"[..]),
        any::<u8>()
    ]
}

/// `octets` with some of them set, left out or doubled.
fn changed(octets: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    vec((0..octets.len(), 0..3_u8, telling()), 0..4).prop_map(|changes| {
        let mut octets = octets.to_vec();
        for (at, kind, octet) in changes {
            let at = at.min(octets.len().saturating_sub(1));
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ => drop(octets.remove(at)),
            }
        }
        octets
    })
}

/// The payload of a token as we read it: `iat` and the number that calls.
fn ours(head: &[u8], payload: &[u8]) -> Option<(u64, String)> {
    let mut text =
        b"INVITE sip:2@a SIP/2.0\r\nFrom: <sip:1@a>\r\nTo: <sip:2@a>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\ny: ".to_vec();
    base64url::encode(head, &mut text);
    text.push(b'.');
    base64url::encode(payload, &mut text);
    text.extend_from_slice(b".AA;info=<https://c.example/a>;ppt=shaken\r\n\r\n");
    let message = Message::datagram(&text).ok()?;
    let identity = Identity::parse(&message.identities().next()?).ok()?;
    let one = Digits::default();
    let mut scratch = Scratch::default();
    let passport = identity.read(&Compact { orig: &one, dest: &one, date: None }, &mut scratch).ok()?;
    match passport.claims.orig {
        Party::Tn(text) => Some((passport.claims.iat, text.chars().collect())),
        Party::Uri(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn messages_nearly_right(octets in changed(INVITE)) {
        sip::sip(&octets);
    }

    #[test]
    fn tokens_nearly_right(octets in changed(PARTS)) {
        sip::passport(&octets);
    }

    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..200)) {
        sip::sip(&octets);
        sip::passport(&octets);
    }

    #[test]
    fn headers_of_anything(value in vec(telling(), 0..40)) {
        let mut octets = b"OPTIONS sip:a SIP/2.0\r\nFrom: ".to_vec();
        octets.extend_from_slice(&value);
        octets.extend_from_slice(b"\r\nTo: <sip:2@a>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\nP-Asserted-Identity: ");
        octets.extend_from_slice(&value);
        octets.extend_from_slice(b"\r\n\r\n");
        sip::sip(&octets);
    }

    /// What we read, serde_json reads, and finds the same in it.
    #[test]
    fn another_reader_agrees(octets in changed(PARTS)) {
        let Some(at) = octets.iter().position(|octet| *octet == 0) else { return Ok(()) };
        let (head, payload) = (&octets[..at], &octets[at + 1..]);
        let Some((iat, orig)) = ours(head, payload) else { return Ok(()) };
        let read: serde_json::Value = serde_json::from_slice(payload).expect("JSON for us is JSON for them");
        prop_assert_eq!(read["iat"].as_u64(), Some(iat));
        prop_assert_eq!(read["orig"]["tn"].as_str(), Some(&*orig));
        let read: serde_json::Value = serde_json::from_slice(head).expect("JSON for us is JSON for them");
        prop_assert_eq!(read["alg"].as_str(), Some("ES256"));
    }
}

#[test]
fn what_the_properties_begin_with_is_read() {
    assert!(Message::datagram(INVITE).is_ok_and(|message| message.calling(true).is_ok()));
    let at = PARTS.iter().position(|octet| *octet == 0).expect("two parts");
    assert_eq!(ours(&PARTS[..at], &PARTS[at + 1..]), Some((17, "1".into())));
}
