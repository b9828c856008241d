//! AVPs for people: names where the dictionary has them, values in the form of their type.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::dictionary::{self, Kind};
use super::{Avp, Avps, MAX_DEPTH, View};

/// Reports every AVP of a message with the number of groups around it, a group before what is in it.
///
/// Groups that are known and read as such are entered, the inside of others is left to [`Shown`]: nothing is refused here.
pub fn tree<'a>(view: &View<'a>, each: &mut impl FnMut(usize, &Avp<'a>)) {
    run(view.avps(), 0, each);
}

fn run<'a>(avps: Avps<'a>, depth: usize, each: &mut impl FnMut(usize, &Avp<'a>)) {
    for avp in avps.flatten() {
        each(depth, &avp);
        if depth < MAX_DEPTH && opens(&avp) {
            run(avp.children(), depth + 1, each);
        }
    }
}

/// True for a known group whose inside is AVPs.
fn opens(avp: &Avp<'_>) -> bool {
    dictionary::is_grouped(avp.id) && avp.children().all(|child| child.is_ok())
}

/// Name and value of an AVP, one line without its end.
///
/// An AVP that nobody knows is `code/vendor`; octets that its type does not fit are shown as octets. What comes from the
/// network is escaped: it cannot write on a terminal what it is not.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a, 'b>(pub &'b Avp<'a>);

impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let avp = self.0;
        let known = dictionary::avp(avp.id);
        match known {
            Some(known) => f.write_str(known.name)?,
            None if avp.id.vendor() == 0 => write!(f, "{}", avp.id.code())?,
            None => write!(f, "{}/{}", avp.id.code(), avp.id.vendor())?,
        }
        if opens(avp) {
            return Ok(());
        }
        f.write_str(" = ")?;
        value(known.map_or(Kind::OctetString, |known| known.kind), avp.data, f)
    }
}

fn value(kind: Kind, data: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        Kind::Unsigned32 if let Some(octets) = whole(data) => write!(f, "{}", u32::from_be_bytes(octets)),
        Kind::Integer32 | Kind::Enumerated if let Some(octets) = whole(data) => {
            write!(f, "{}", i32::from_be_bytes(octets))
        }
        Kind::Unsigned64 if let Some(octets) = whole(data) => write!(f, "{}", u64::from_be_bytes(octets)),
        Kind::Integer64 if let Some(octets) = whole(data) => write!(f, "{}", i64::from_be_bytes(octets)),
        Kind::Float32 if let Some(octets) = whole(data) => write!(f, "{}", f32::from_be_bytes(octets)),
        Kind::Time if let Some(octets) = whole(data) => write!(f, "{} s since 1900", u32::from_be_bytes(octets)),
        Kind::Address => match data {
            [0, 1, rest @ ..] if let Some(octets) = whole::<4>(rest) => write!(f, "{}", Ipv4Addr::from(octets)),
            [0, 2, rest @ ..] if let Some(octets) = whole::<16>(rest) => write!(f, "{}", Ipv6Addr::from(octets)),
            _ => octets(data, f),
        },
        Kind::Utf8String | Kind::Identity | Kind::Uri | Kind::IpFilterRule => match core::str::from_utf8(data) {
            Ok(text) => write!(f, "\"{}\"", text.escape_debug()),
            Err(_) => octets(data, f),
        },
        _ => octets(data, f),
    }
}

fn whole<const N: usize>(data: &[u8]) -> Option<[u8; N]> {
    data.try_into().ok()
}

fn octets(data: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

#[cfg(test)]
mod tests {
    use super::super::{AvpId, Header, begin, emit_avp, finish};
    use super::*;

    /// All lines of a message with these AVPs.
    fn lines(avps: &[(AvpId, &[u8])]) -> String {
        let mut message = Vec::new();
        let start = begin(&Header::default(), &mut message);
        avps.iter().for_each(|(id, data)| assert!(emit_avp(*id, 0, data, &mut message)));
        assert!(finish(start, &mut message));
        let mut text = Vec::new();
        tree(&View::new(&message).expect("ours"), &mut |depth, avp| {
            text.push(format!("{}{}", "  ".repeat(depth), Shown(avp)));
        });
        text.join("\n")
    }

    #[test]
    fn values_are_shown_by_their_type() {
        let mut result = Vec::new();
        assert!(emit_avp(AvpId::new(0, 266), 0, &10415_u32.to_be_bytes(), &mut result));
        assert!(emit_avp(AvpId::EXPERIMENTAL_RESULT_CODE, 0, &5001_u32.to_be_bytes(), &mut result));
        let v6: Vec<u8> = [&[0, 2][..], &Ipv6Addr::LOCALHOST.octets()].concat();
        let shown = lines(&[
            (AvpId::ORIGIN_HOST, b"mme1\x1b[2J"),
            (AvpId::EXPERIMENTAL_RESULT, &result),
            (AvpId::new(0, 429), &(-2_i32).to_be_bytes()),
            (AvpId::new(0, 447), &(-5_i64).to_be_bytes()),
            (AvpId::new(0, 421), &7_u64.to_be_bytes()),
            (AvpId::new(0, 55), &[0, 0, 1, 0]),
            (AvpId::new(0, 257), &[0, 1, 192, 0, 2, 1]),
            (AvpId::new(0, 257), &v6),
            (AvpId::new(AvpId::TGPP, 2852), &1.5_f32.to_be_bytes()),
            (AvpId::VISITED_PLMN_ID, &[0, 0xf1, 0x20]),
        ]);
        let want = "Origin-Host = \"mme1\\u{1b}[2J\"\nExperimental-Result\n  Vendor-Id = 10415\n  Experimental-Result-Code = \
            5001\nExponent = -2\nValue-Digits = -5\nCC-Total-Octets = 7\nEvent-Timestamp = 256 s since 1900\n\
            Host-IP-Address = 192.0.2.1\nHost-IP-Address = ::1\nMax-PLR-DL = 1.5\nVisited-PLMN-Id = 00f120";
        assert_eq!(shown, want);
    }

    #[test]
    fn what_does_not_fit_is_octets() {
        let shown = lines(&[
            (AvpId::new(0, 300), b"\x01"),
            (AvpId::new(193, 7), b"\x02"),
            (AvpId::RESULT_CODE, b"\x03"),
            (AvpId::ORIGIN_HOST, b"\xff"),
            (AvpId::PROXY_INFO, b"\x04"),
            (AvpId::new(0, 257), &[0, 1, 9]),
        ]);
        let want =
            "300 = 01\n7/193 = 02\nResult-Code = 03\nOrigin-Host = ff\nProxy-Info = 04\nHost-IP-Address = 000109";
        assert_eq!(shown, want);
    }
}
