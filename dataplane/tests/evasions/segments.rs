//! One message in several XUDT segments: it is judged as a whole, and its parts cannot be exchanged.

use sealgate_wire::Reason;
use sealgate_wire::sccp::{self, Segmentation};

use super::kit::*;

/// One segment.
struct Part<'a> {
    calling: &'a str,
    reference: u32,
    first: bool,
    remaining: u8,
    data: &'a [u8],
}

impl Part<'_> {
    fn carried(&self) -> Carried {
        let [_, a, b, c] = self.reference.to_be_bytes();
        let segment =
            Segmentation { first: self.first, in_sequence: true, remaining: self.remaining, local_ref: [a, b, c] };
        let mut out = Vec::new();
        let (called, calling) = (address(OURS, 6), address(self.calling, 7));
        sccp::emit(sccp::Kind::Xudt, 1, None, &called, &calling, self.data, Some(segment), None, &mut out)
            .expect("fits");
        Carried::In(inward(&out))
    }
}

/// A reference that nobody had before.
fn reference() -> u32 {
    u32::from_be_bytes(fresh()) & 0xff_ffff
}

/// A message in so many segments of equal length.
fn cut(tcap: &[u8], count: usize) -> Vec<Carried> {
    let reference = reference();
    let parts: Vec<&[u8]> = tcap.chunks(tcap.len().div_ceil(count)).collect();
    let last = parts.len() - 1;
    let part = |(i, data): (usize, &&[u8])| {
        Part { calling: THEIRS, reference, first: i == 0, remaining: (last - i) as u8, data }.carried()
    };
    parts.iter().enumerate().map(part).collect()
}

/// The same message in one XUDT, as it leaves.
fn in_one(tcap: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (called, calling) = (address(OURS, 6), address(THEIRS, 7));
    sccp::emit(sccp::Kind::Xudt, 1, None, &called, &calling, tcap, None, None, &mut out).expect("fits");
    inward(&out)
}

/// A case of segments of which the last one decides.
fn whole(name: String, mut parts: Vec<Carried>, want: Reason) -> Case {
    let last = parts.pop().expect("one at least");
    case(name, last, want).after(parts)
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let asks = || begin(&INTERROGATION, &[&invoke(1, 71, &interrogation(HOME))]);
    let data = |who: &str| begin(&SUBSCRIBER_DATA, &[&invoke(1, 7, &insert_data(who))]);
    let hidden =
        || begin(&LOCATION, &[&invoke(1, 2, &update_location(B, THEIRS)), &invoke(2, 71, &interrogation(HOME))]);
    for count in 1..=8 {
        all.push(whole(format!("category 1 in {count}"), cut(&asks(), count), Reason::PolCat1));
        all.push(whole(format!("a subscriber of ours in {count}"), cut(&data(HOME), count), Reason::PolHomeImsi));
        all.push(whole(format!("a second component in {count}"), cut(&hidden(), count), Reason::PolCat1));
        let mine = data(B);
        let benign = whole(format!("B's own in {count}"), cut(&mine, count), Reason::OkUnsignedAllowed);
        all.push(benign.under("ludt").leaving(in_one(&mine)));
    }
    for (name, mut tcap, want) in [
        ("octets behind the message", asks(), Reason::TcapTrailing),
        ("a message that is cut", asks(), Reason::BerLength),
    ] {
        if want == Reason::TcapTrailing {
            tcap.push(0)
        } else {
            tcap.truncate(tcap.len() - 2)
        }
        all.push(whole(name.into(), cut(&tcap, 3), want));
    }
    let tcap = asks();
    let (head, tail) = tcap.split_at(40);
    let part =
        |calling, reference, first, remaining, data| Part { calling, reference, first, remaining, data }.carried();
    for (name, to_come, calling, same, remaining) in [
        ("a part of another sender", 1, "999030000012", true, 0),
        ("a part of another message", 1, THEIRS, false, 0),
        ("as many to come as before", 3, THEIRS, true, 3),
        ("more to come than before", 1, THEIRS, true, 2),
        ("one left out", 3, THEIRS, true, 1),
    ] {
        let mine = reference();
        let other = part(calling, if same { mine } else { reference() }, false, remaining, tail);
        let before = vec![part(THEIRS, mine, true, to_come, head)];
        all.push(case(name, other, Reason::SccpReasmConflict).after(before));
    }
    all.push(case("a last part alone", part(THEIRS, reference(), false, 0, tail), Reason::SccpReasmConflict));
    all.push(case("a part of the middle alone", part(THEIRS, reference(), false, 2, tail), Reason::SccpReasmConflict));
    // A harmless first part whose place a second one takes: what came last is what is judged, and what leaves.
    let (mine, harmless) = (reference(), data(B));
    let (first, second) = harmless.split_at(40);
    let before = vec![part(THEIRS, mine, true, 1, first), part(THEIRS, mine, true, 1, head)];
    all.push(
        case("a first part in the place of another", part(THEIRS, mine, false, 0, tail), Reason::PolCat1).after(before),
    );
    let before = vec![part(THEIRS, mine, true, 1, head), part(THEIRS, mine, true, 1, first)];
    let again = part(THEIRS, mine, false, 0, second);
    all.push(benign("the other way round", again).after(before).under("ludt").leaving(in_one(&harmless)));
    all.push(case(
        "a first part of nobody's",
        part("999070000011", reference(), true, 1, head),
        Reason::PolPeerUnknown,
    ));
    all
}
