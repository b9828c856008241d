//! The messages of RFC 4475 by name, and what becomes of each: read, or refused for a reason that the list gives.

use std::fs;
use std::path::Path;

use sealgate_wire::Reason;
use sealgate_wire::sip::{Message, Piece, Start, rebuild, stream_len};

/// Name; the reason it is refused for and the octet, or `None`; why, where the RFC would have it otherwise, and what it shows.
type Case = (&'static str, Option<(Reason, u32)>, &'static str);

const MESSAGES: [Case; 49] = [
    // §3.1.1: valid messages.
    ("wsinv", None, "folds and white space everywhere: read, and not canonical"),
    (
        "intmeth",
        Some((Reason::SipSyntax, 234)),
        "valid, but holds BEL, NUL and DEL behind backslashes: a reader in C stops",
    ),
    ("esc01", None, "escapes in URIs"),
    ("escnull", None, "an escaped NUL in URIs; nobody here takes escapes away"),
    ("esc02", None, "a percent sign in names is no escape"),
    ("lwsdisp", None, "no space between display name and bracket"),
    ("longreq", None, "long values"),
    ("dblreq", None, "octets behind Content-Length are another message, or nothing in a datagram"),
    ("semiuri", None, "semicolons in a user part"),
    ("transports", None, "all kinds of Via"),
    ("mpart01", None, "an Identity header of RFC 4474, which is for the security step"),
    ("unreason", None, "a Reason-Phrase that is no ASCII"),
    ("noreason", None, "an empty Reason-Phrase"),
    // §3.1.2: invalid messages.
    ("badinv01", None, "separators gone wild in Via and Contact, which are copied and not read"),
    ("clerr", Some((Reason::SipSyntax, 336)), "Content-Length beyond the datagram"),
    ("ncl", Some((Reason::SipSyntax, 326)), "Content-Length below zero"),
    ("scalar02", Some((Reason::SipSyntax, 269)), "Max-Forwards above 255, and CSeq beyond 32 bits"),
    ("scalarlg", Some((Reason::SipSyntax, 198)), "CSeq beyond 32 bits in a response"),
    ("quotbal", Some((Reason::SipSyntax, 41)), "a quote that nobody closes"),
    ("ltgtruri", Some((Reason::SipSyntax, 7)), "brackets around the Request-URI"),
    ("lwsruri", Some((Reason::SipSyntax, 29)), "white space in the Request-URI"),
    ("lwsstart", Some((Reason::SipSyntax, 7)), "two spaces in the start line"),
    ("trws", Some((Reason::SipSyntax, 38)), "white space behind the version"),
    ("escruri", Some((Reason::SipSyntax, 27)), "headers in the Request-URI"),
    ("baddate", None, "a Date of another zone: read, and refused where the Date is asked for"),
    ("regbadct", None, "a Contact that wants brackets, which is not read"),
    ("badaspec", Some((Reason::SipSyntax, 206)), "white space within brackets"),
    ("baddn", Some((Reason::SipSyntax, 135)), "a comma in a display name without quotes"),
    ("badvers", Some((Reason::SipSyntax, 33)), "another version of SIP; the RFC answers 505"),
    ("mismatch01", Some((Reason::SipSyntax, 163)), "method of CSeq is not the request's"),
    ("mismatch02", Some((Reason::SipSyntax, 165)), "the same with a method nobody knows"),
    ("bigcode", Some((Reason::SipSyntax, 7)), "a status of more than three digits"),
    // §3.2: the transaction layer.
    ("badbranch", None, "a branch without anything behind its cookie"),
    // §3.3: the application layer.
    ("insuf", Some((Reason::SipHdrMissing, 152)), "no To, From, Call-ID"),
    ("unkscm", None, "a Request-URI of a scheme nobody knows"),
    ("novelsc", None, "a Request-URI of another scheme"),
    ("unksm2", None, "To and From of schemes nobody knows"),
    ("bext01", None, "extensions nobody knows"),
    ("invut", None, "a body of a type nobody knows"),
    ("regaut01", None, "an Authorization of a scheme nobody knows"),
    ("multi01", Some((Reason::SipHdrDup, 197)), "two of CSeq, Call-ID, To, From and Max-Forwards"),
    ("mcl01", Some((Reason::SipHdrDup, 268)), "two of Content-Length"),
    ("bcast", None, "a Via of a broadcast address"),
    ("zeromf", None, "Max-Forwards of zero"),
    ("cparam01", None, "a parameter of a Contact"),
    ("cparam02", None, "a parameter of a URI in a Contact"),
    ("regescrt", None, "headers in a URI in a Contact"),
    ("sdp01", None, "an Accept of a type nobody knows"),
    // §3.4: what was before RFC 3261.
    ("inv2543", None, "no branch, no tag in From, no Max-Forwards, no Content-Length"),
];

fn message(name: &str) -> Vec<u8> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sip_torture"));
    fs::read(folder.join(name).with_extension("dat")).expect("a message of RFC 4475")
}

#[test]
fn each_message_has_its_end() {
    let mut wrong = Vec::new();
    for (name, want, why) in MESSAGES {
        let octets = message(name);
        let got = Message::datagram(&octets).err().map(|refusal| (refusal.reason, refusal.at));
        if got != want {
            wrong.push(format!("{name}: {got:?}, not {want:?} ({why})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip_torture")).expect("a folder");
    let files = folder.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "dat"));
    assert_eq!(files.count(), MESSAGES.len());
}

#[test]
fn the_tortuous_invite_is_read_as_it_is_meant() {
    let octets = message("wsinv");
    let message = Message::datagram(&octets).expect("valid");
    assert_eq!((message.to.tag, message.from.tag), (Some(&b"1918181833n"[..]), Some(&b"98asjd8"[..])));
    assert_eq!(
        (message.from.display, message.from.uri.raw),
        (&br#""J Rosenberg \\\"""#[..], &b"sip:jdrosen@example.com"[..])
    );
    assert_eq!((message.cseq.number, message.branch()), (9, Some(&b"390skdjuw"[..])));
    assert_eq!((message.view.body().len(), message.view.trailing(), message.view.is_canonical()), (150, 0, false));
    let mut plain = Vec::new();
    assert!(rebuild(&message.view, true, |_| false, b"", &mut plain));
    let again = Message::datagram(&plain).expect("ours");
    assert!(again.view.is_canonical());
    let (to, from) = (again.to.tag, again.from.display);
    assert_eq!((to, from, again.view.body()), (message.to.tag, message.from.display, message.view.body()));
}

#[test]
fn two_requests_of_a_stream_are_two() {
    let octets = message("dblreq");
    assert_eq!(Message::datagram(&octets).map(|message| message.view.trailing()), Ok(448));
    let Ok(Some(Piece::Message(first))) = stream_len(&octets) else { panic!("a border") };
    let rest = &octets[first..];
    assert!(Message::stream(&octets[..first]).is_ok());
    assert_eq!(stream_len(rest), Ok(Some(Piece::Idle(2))));
    // The second body has three octets more than its Content-Length says.
    assert_eq!(stream_len(&rest[2..]), Ok(Some(Piece::Message(rest.len() - 5))));
    assert!(Message::stream(&rest[2..rest.len() - 3]).is_ok_and(|message| message.is_initial_invite()));
}

#[test]
fn a_date_is_refused_where_it_is_asked_for() {
    let octets = message("baddate");
    let date = Message::datagram(&octets).and_then(|message| message.date());
    assert!(date.is_err_and(|refusal| refusal.reason == Reason::SipSyntax));
    let octets = message("unreason");
    let message = Message::datagram(&octets).expect("valid");
    assert!(matches!(message.view.start(), Start::Response { status: 200, phrase } if !phrase.is_ascii()));
}
