//! Encodings that decoders read differently (formats 11.1): indefinite, padded, too long or too short lengths, at each level of
//! a message, where they are refused and where they are written anew.

use sealgate_wire::Reason;
use sealgate_wire::ber::Rules;
use sealgate_wire::tcap::Message;

use super::kit::*;

/// How the length of one element is written.
#[derive(Clone, Copy)]
enum Form {
    Definite,
    Indefinite,
    Padded(u8),
}

impl Form {
    fn put(self, tag: u8, value: &[u8]) -> Vec<u8> {
        match self {
            Form::Definite => tlv(tag, value),
            Form::Indefinite => [&[tag, 0x80][..], value, &[0, 0]].concat(),
            Form::Padded(octets) => {
                let mut out = vec![tag, 0x80 | octets];
                out.extend((0..octets).rev().map(|i| if i < 4 { (value.len() >> (8 * i)) as u8 } else { 0 }));
                out.extend_from_slice(value);
                out
            }
        }
    }
}

const LEVELS: [&str; 9] = [
    "message",
    "dialogue portion",
    "external",
    "dialogue unit",
    "component portion",
    "component",
    "argument",
    "identity inside",
    "IMSI",
];

/// anyTimeInterrogation or, harmless, provideSubscriberInfo of B's own, with one level in this form.
fn message(level: usize, form: Form, forbidden: bool, id: [u8; 4]) -> Vec<u8> {
    let put = |at: usize, tag: u8, value: &[u8]| if at == level { form } else { Form::Definite }.put(tag, value);
    let who = if forbidden { imsi(0x80, HOME) } else { imsi(0x80, B) };
    let who = put(8, 0x80, &who[2..]);
    let (context, op, argument) = if forbidden {
        (INTERROGATION, 71, [put(7, 0xa0, &who), vec![0xa1, 2, 0x80, 0], number(0x83, THEIRS)].concat())
    } else {
        (map(28, 3), 70, [who, put(7, 0xa2, &[0x80, 0])].concat())
    };
    let argument = put(6, 0x30, &argument);
    let component = put(5, 0xa1, &[&[2, 1, 1][..], &code(op), &argument].concat());
    let name = of(0xa1, &[&tlv(6, &context)]);
    let unit = put(3, 0x60, &[&[0x80, 2, 7, 0x80][..], &name].concat());
    let external = put(2, 0x28, &[&SYNTAX[..], &tlv(0xa0, &unit)].concat());
    let parts = [tlv(0x48, &id), put(1, 0x6b, &external), put(4, 0x6c, &component)].concat();
    put(0, 0x62, &parts)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (level, name) in LEVELS.iter().enumerate() {
        for (what, form, strict) in [
            ("indefinite", Form::Indefinite, Reason::BerIndefinite),
            ("padded by one", Form::Padded(1), Reason::BerNonMinimal),
            ("padded to four", Form::Padded(4), Reason::BerNonMinimal),
            ("of five octets", Form::Padded(5), Reason::BerLength),
        ] {
            let long = level == 0 && matches!(form, Form::Padded(1)); // what needs an octet is not padded by one
            let primitive = level == 8 && matches!(form, Form::Indefinite);
            let id = fresh();
            let tcap = message(level, form, false, id);
            let name = |also: &str| format!("{what}: {name}{also}");
            if !long {
                all.push(case(name(""), ss7(&tcap), strict));
            }
            // In production such lengths are written anew, and never a way around the checks behind them.
            let unread = matches!(form, Form::Padded(5)) || primitive;
            let want = if unread { Reason::BerLength } else { Reason::PolCat1 };
            all.push(case(name(", of cat1"), ss7(&message(level, form, true, fresh())), want).under("canonicalise"));
            if unread {
                continue;
            }
            let plain = message(level, Form::Definite, false, id);
            assert!(Message::parse(&plain, Rules::Strict).is_ok_and(|read| read.canonical));
            let Carried::In(want) = ss7(&plain) else { unreachable!("it is one to us") };
            all.push(benign(name(", written anew"), ss7(&tcap)).under("canonicalise").leaving(want));
        }
    }
    let plain = message(9, Form::Definite, false, fresh());
    all.push(benign("definite and minimal", ss7(&plain)));
    let mut add = |name: &str, tcap: Vec<u8>, want| {
        for setting in ["strict", "canonicalise"] {
            all.push(case(name, ss7(&tcap), want).under(setting));
        }
    };
    add("an octet behind it", [&plain[..], &[0]].concat(), Reason::TcapTrailing);
    add(
        "another message behind it",
        [&plain[..], &message(9, Form::Definite, true, fresh())].concat(),
        Reason::TcapTrailing,
    );
    add("a message cut", plain[..plain.len() - 1].to_vec(), Reason::BerLength);
    let argument = |inside: &[u8]| begin(&map(28, 3), &[&invoke(1, 70, &tlv(0x30, inside))]);
    add("end of contents without a beginning", argument(&[&imsi(0x80, B)[..], &[0, 0]].concat()), Reason::BerLength);
    add("a length past its parent", argument(&[0x80, 9, 0, 1, 3]), Reason::BerLength);
    add("a length far past its parent", argument(&[0x80, 0x84, 0xff, 0xff, 0xff, 0xff]), Reason::BerLength);
    add("a length of 127 octets", argument(&[0x80, 0xff, 0]), Reason::BerLength);
    add("a tag without a length", argument(&[0x80]), Reason::BerLength);
    add("universal tag 0", argument(&[0x20, 2, 0x80, 0]), Reason::BerLength);
    let deep = |levels: usize| (0..levels).fold(vec![0x80, 1, 0], |inside, _| tlv(0xa9, &inside));
    let nested = |levels: usize| argument(&[&imsi(0x80, B)[..], &deep(levels)].concat());
    add("seventeen levels", nested(14), Reason::BerDepth);
    add("a hundred levels", nested(50), Reason::BerDepth);
    all.push(benign("sixteen levels", ss7(&nested(12))));
    let endless = ss7(&argument(&[0x80, 0x80, 0, 1, 0, 0]));
    all.push(case("a value of indefinite length", endless.clone(), Reason::BerIndefinite));
    all.push(case("a value of indefinite length", endless, Reason::BerLength).under("canonicalise"));
    // Without end-of-contents octets, or with those of an outer element in the way of an inner one.
    let open = [&[0x62, 0x80][..], &tlv(0x48, &fresh()), &request(&map(28, 3))].concat();
    all.push(case("open to the end", ss7(&open), Reason::BerLength).under("canonicalise"));
    let early = [&open[..], &[0, 0], &portion_of(&[&invoke(1, 71, &interrogation(HOME))])].concat();
    all.push(case("components behind end of contents", ss7(&early), Reason::TcapTrailing).under("canonicalise"));
    all
}
