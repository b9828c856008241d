//! Values with a form of their own: durations, digits, names, addresses, keys in base64.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use sealgate_wire::addr::Digits;

use crate::model::Network;
use crate::walk::Item;

/// The units of a duration with their milliseconds, largest first.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

/// A duration as it is written: in the largest unit that holds it whole.
pub(crate) fn duration_text(ms: u64) -> String {
    let unit = UNITS.iter().find(|(_, length)| ms > 0 && ms.is_multiple_of(*length)).unwrap_or(&("s", 1000));
    format!("{}{}", ms / unit.1, unit.0)
}

/// A duration in milliseconds; `range` too.
pub(crate) fn duration_ms(item: &Item<'_>, range: RangeInclusive<u32>) -> Option<u32> {
    let text = item.written("a duration, as 10s or 200ms")?;
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let (low, high) = (duration_text(u64::from(*range.start())), duration_text(u64::from(*range.end())));
    let number: Option<u64> = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    let (Some(number), false) = (number, unit.contains(char::is_whitespace)) else {
        item.fault(format!("{text:?} is not a duration"), "give a whole number and its unit, as 10s or 200ms");
        return None;
    };
    let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let message = match unit {
            "" => format!("{text} has no unit"),
            _ => format!("{text:?} has no unit of time: {unit:?}"),
        };
        item.fault(message, "use ms, s, min or h, as 10s or 200ms");
        return None;
    };
    let ms = number.checked_mul(*length).and_then(|ms| u32::try_from(ms).ok()).filter(|ms| range.contains(ms));
    if ms.is_none() {
        item.fault(format!("{text} is out of range"), format!("give {low} to {high}"));
    }
    ms
}

/// A duration in whole seconds; `range` too.
pub(crate) fn duration_s(item: &Item<'_>, range: RangeInclusive<u32>) -> Option<u32> {
    let ms = duration_ms(item, range.start() * 1000..=range.end() * 1000)?;
    if ms % 1000 != 0 {
        item.fault(format!("{ms}ms is not a whole number of seconds"), "give seconds");
        return None;
    }
    Some(ms / 1000)
}

/// Decimal digits; `count` of them. Unquoted ones are refused: YAML takes them for a number.
pub(crate) fn digits(item: &Item<'_>, count: RangeInclusive<usize>, wanted: &str) -> Option<Digits> {
    let text = item.quoted(wanted)?;
    let digits = read_digits(text, count);
    if digits.is_none() {
        item.fault(format!("{text:?} is not {wanted}"), format!("give {wanted}, in quotes"));
    }
    digits
}

/// Decimal digits, or nothing.
pub(crate) fn read_digits(text: &str, count: RangeInclusive<usize>) -> Option<Digits> {
    text.parse().ok().filter(|digits: &Digits| digits.is_decimal() && count.contains(&digits.len()))
}

/// A prefix of a Global Title.
pub(crate) fn prefix(item: &Item<'_>) -> Option<Digits> {
    digits(item, 1..=15, "a prefix of 1 to 15 digits")
}

/// A Diameter realm or host (RFC 6733 §4.3.1), in lower case.
pub(crate) fn realm(item: &Item<'_>) -> Option<String> {
    let text = item.text("a realm")?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() > 255 || !text.split('.').all(label) {
        let remedy = "give it as epc.mnc001.mcc001.3gppnetwork.org";
        item.fault(format!("{text:?} is not a realm"), remedy);
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// Where a certificate is found: an https URL of printable ASCII.
pub(crate) fn https_url(item: &Item<'_>) -> Option<String> {
    let text = item.text("an https URL")?;
    let printable = text.bytes().all(|octet| (0x21..0x7f).contains(&octet) && !b"\"<>\\".contains(&octet));
    let known = printable && text.len() <= sealgate_wire::sec::passport::MAX_INFO;
    if !known || sealgate_wire::sec::passport::x5u_host(text.as_bytes()).is_none() {
        item.fault(format!("{text:?} is not an https URL"), "give it as https://certs.example/home.pem");
        return None;
    }
    Some(text.to_owned())
}

/// A UUID (RFC 9562 §4).
pub(crate) fn uuid(item: &Item<'_>) -> Option<String> {
    let text = item.text("a UUID")?;
    let form = |(i, octet): (usize, u8)| match i {
        8 | 13 | 18 | 23 => octet == b'-',
        _ => octet.is_ascii_hexdigit(),
    };
    if text.len() != 36 || !text.bytes().enumerate().all(form) {
        item.fault(format!("{text:?} is not a UUID"), "make one with uuidgen");
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// A network: MCC and MNC.
pub(crate) fn plmn(item: &Item<'_>) -> Option<Digits> {
    digits(item, 5..=6, "a network of 5 or 6 digits (MCC and MNC)")
}

/// The name of a certificate in the trust store: it is looked up as a file, so it stays within one directory.
pub(crate) fn certificate_name(item: &Item<'_>) -> Option<String> {
    let text = item.text("the name of a certificate")?;
    let good = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !text.starts_with('.');
    if text.len() > 64 || !good {
        let remedy = "give its name in the trust store without directory: letters, digits, - _ and .";
        item.fault(format!("{text:?} is not the name of a certificate"), remedy);
        return None;
    }
    Some(text.to_owned())
}

/// An address of a host.
pub(crate) fn address(item: &Item<'_>) -> Option<IpAddr> {
    let text = item.written("an IP address")?;
    let address: Option<IpAddr> = text.parse().ok();
    match address {
        None => item.fault(format!("{text:?} is not an IP address"), "give one as 192.0.2.10 or 2001:db8::10"),
        Some(address) if address.is_unspecified() || address.is_multicast() => {
            item.fault(format!("{address} is not the address of a host"), "give the address of one host");
            return None;
        }
        Some(_) => {}
    }
    address
}

/// A network of addresses, or one address.
pub(crate) fn network(item: &Item<'_>) -> Option<Network> {
    let text = item.written("a network of IP addresses")?;
    let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
    let read = || {
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let len = match len {
            Some(len) => len.parse().ok().filter(|number: &u8| *number <= whole && number.to_string() == len)?,
            None => whole,
        };
        Some((address, len))
    };
    let Some((address, len)) = read() else {
        item.fault(format!("{text:?} is not a network of IP addresses"), "give one as 192.0.2.0/28 or 2001:db8::/48");
        return None;
    };
    let network = Network::of(address, len);
    if network.address != address {
        item.fault(format!("{text} has bits behind its length"), format!("give {network}, or one address without /"));
        return None;
    }
    if address.is_multicast() || len == 0 || (address.is_unspecified() && len > 8) {
        item.fault(format!("{text} is no network of hosts"), "give the neighbours' addresses");
        return None;
    }
    Some(network)
}

/// Largest IP packet.
pub(crate) fn mtu(item: &Item<'_>) -> Option<u16> {
    item.number(576..=9600, "octets").and_then(|number| u16::try_from(number).ok())
}

/// A number of at most 32 bits; `range` and `unit` as in [`Item::number`].
pub(crate) fn number(item: &Item<'_>, range: RangeInclusive<u32>, unit: &str) -> Option<u32> {
    item.number(u64::from(*range.start())..=u64::from(*range.end()), unit).and_then(|number| u32::try_from(number).ok())
}

/// A number of at most 8 bits; `range` and `unit` as in [`Item::number`].
pub(crate) fn octet(item: &Item<'_>, range: RangeInclusive<u8>, unit: &str) -> Option<u8> {
    item.number(u64::from(*range.start())..=u64::from(*range.end()), unit).and_then(|number| u8::try_from(number).ok())
}

/// A file or directory.
pub(crate) fn path(item: &Item<'_>) -> Option<PathBuf> {
    item.text("a path").map(PathBuf::from)
}

/// Octets from base64: standard alphabet, padding required, nothing between. `None` for anything else.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let chunks = text.as_bytes().chunks(4);
    let last = chunks.len().checked_sub(1)?;
    for (i, chunk) in chunks.enumerate() {
        let padding = chunk.iter().rev().take_while(|b| **b == b'=').count();
        if chunk.len() != 4 || padding > 2 || (padding > 0 && i < last) {
            return None;
        }
        let mut bits = 0u32;
        for b in chunk.iter().take(4 - padding) {
            let value = match b {
                b'A'..=b'Z' => b - b'A',
                b'a'..=b'z' => b - b'a' + 26,
                b'0'..=b'9' => b - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * padding;
        let [_, octets @ ..] = bits.to_be_bytes();
        let (used, unused) = octets.split_at_checked(3 - padding)?;
        if unused.iter().any(|octet| *octet != 0) {
            return None; // two texts for the same octets
        }
        out.extend_from_slice(used);
    }
    Some(out)
}

/// Octets as base64: standard alphabet with padding.
pub(crate) fn to_base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(octets.len().div_ceil(3) * 4);
    for chunk in octets.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, i| bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let value = (bits >> (18 - 6 * i)) & 0x3f;
            let letter = ALPHABET.get(value as usize).copied().unwrap_or(b'=');
            out.push(char::from(if i <= chunk.len() { letter } else { b'=' }));
        }
    }
    out
}

/// A DER SubjectPublicKeyInfo as far as its outermost length says: the key itself is read by who uses it.
pub(crate) fn spki(item: &Item<'_>) -> Option<Vec<u8>> {
    let text = item.text("a key in base64")?;
    let octets = from_base64(text).filter(|octets| {
        let (header, length) = match octets.as_slice() {
            [0x30, length @ 0..=0x7f, ..] => (2, usize::from(*length)),
            [0x30, 0x81, length, ..] => (3, usize::from(*length)),
            [0x30, 0x82, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            _ => return false,
        };
        octets.len() == header + length
    });
    if octets.is_none() {
        item.fault("not a SubjectPublicKeyInfo in base64", "give the DER form in base64 on one line: MIIB...");
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_text_for_each_octets() {
        for (octets, text) in [(&b"f"[..], "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foob", "Zm9vYg==")] {
            assert_eq!(to_base64(octets), text);
            assert_eq!(from_base64(text).as_deref(), Some(octets));
        }
        for bad in ["", "Zg", "Zg=", "Zh==", "Zg==Zm9v", "Zm9v\n", "Z===", "Zm-v"] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn durations_are_written_in_their_largest_whole_unit() {
        for (ms, text) in [(0, "0s"), (200, "200ms"), (10_000, "10s"), (90_000, "90s"), (86_400_000, "24h")] {
            assert_eq!(duration_text(ms), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn base64_gives_back_what_it_was_given(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..64)) {
            proptest::prop_assert_eq!(from_base64(&to_base64(&octets)), Some(octets));
        }
    }
}
