//! Long tags where short ones do (X.690 §8.1.2): filters that compare octets miss what a decoder reads.

use sealgate_wire::Reason;

use super::kit::*;

fn argument(who: &[u8]) -> Vec<u8> {
    of(0x30, &[who, &number(0x81, "999035550001")])
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let who = &imsi(0x80, HOME)[2..];
    let long = |tag: &[u8], value: &[u8]| [tag, &[value.len() as u8], value].concat();
    let data = |element: &[u8]| begin(&SUBSCRIBER_DATA, &[&invoke(1, 7, &argument(element))]);
    // [0] in ways that are longer than they need to be.
    for tag in [&[0x9f, 0x00][..], &[0x9f, 0x1e], &[0x9f, 0x80, 0x00], &[0x9f, 0x80, 0x20], &[0x9f, 0x80, 0x80, 0x40]] {
        let tcap = data(&long(tag, who));
        let at = place(&tcap, tag);
        for setting in ["strict", "canonicalise"] {
            all.push(case(format!("{tag:02x?}"), ss7(&tcap), Reason::BerTagLong).under(setting).at(at));
        }
    }
    for tag in [&[0x9f, 0x81, 0x82, 0x83, 0x84, 0x05][..], &[0x9f, 0xff, 0xff, 0xff, 0xff]] {
        all.push(case(format!("{tag:02x?}"), ss7(&data(&long(tag, who))), Reason::BerLength));
    }
    // Every element of a message in its long form.
    let inside = imsi(0x80, HOME);
    let place_of =
        |level: usize, tag: u8| move |at: usize| if at == level { vec![tag | 0x1f, tag & 0x1f] } else { vec![tag] };
    let make = |level: usize| {
        let put = |at: usize, tag: u8, value: &[u8]| {
            let mut out = place_of(level, tag)(at);
            sealgate_wire::ber::put_len(value.len(), &mut out);
            out.extend_from_slice(value);
            out
        };
        let argument = put(1, 0x30, &put(2, 0x80, &inside[2..]));
        let operation = put(3, 2, &[7]);
        let component = put(4, 0xa1, &[&put(5, 2, &[1]), &operation[..], &argument].concat());
        let name = put(6, 0xa1, &put(7, 6, &SUBSCRIBER_DATA));
        let external = [&SYNTAX[..], &put(8, 0xa0, &put(9, 0x60, &name))].concat();
        let dialogue = put(10, 0x6b, &put(11, 0x28, &external));
        let parts = [put(12, 0x48, &fresh()), dialogue, put(13, 0x6c, &component)].concat();
        put(14, 0x62, &parts)
    };
    for level in 1..14 {
        let want = Reason::BerTagLong;
        all.push(case(format!("long at level {level}"), ss7(&make(level)), want));
    }
    all.push(case("a long message tag", ss7(&make(14)), Reason::TcapTag));
    all.push(case("all short, of ours", ss7(&make(0)), Reason::PolHomeImsi));
    all.push(case("short, of ours", ss7(&data(&imsi(0x80, HOME))), Reason::PolHomeImsi));
    all.push(benign("short, of B's own", ss7(&data(&imsi(0x80, B)))));
    // From 31 on a tag is long, and means itself.
    let more = [&imsi(0x80, B)[..], &long(&[0x9f, 0x1f], &[1])].concat();
    all.push(benign("[31] beside it", ss7(&data(&more))));
    let more = [&imsi(0x80, B)[..], &long(&[0xbf, 0x81, 0x00], &imsi(0x80, HOME))].concat();
    all.push(benign("[128] beside it", ss7(&data(&more))));
    all
}
