//! What differs from one message to the next, as octets ready to be written over a template.

/// One value of each kind. What a template does not have is not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Values {
    /// Last digits of the peer's title: below 10^8.
    pub(super) number: u32,
    /// Digits of a subscriber: below 10^8. An IMSI has all eight, a telephone number the last six.
    pub(super) subscriber: u32,
    /// Network of the peer's subscribers, six digits packed.
    pub(super) plmn: [u8; 3],
    /// Originating transaction identifier.
    pub(super) transaction: [u8; 4],
    /// Whose signature it is.
    pub(super) sai: [u8; 8],
    /// Time of signing.
    pub(super) tvp: [u8; 4],
    /// The same in seconds since 1900, as Diameter has it.
    pub(super) seconds: [u8; 4],
    /// Sequence number.
    pub(super) seq: [u8; 8],
    /// Raw signature.
    pub(super) signature: [u8; 64],
}

/// What a value is, to find its places and to write it there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// Packed, in the SCCP address and in arguments.
    Number,
    /// In ASCII, in what a signature covers.
    NumberText,
    /// Eight digits packed.
    Subscriber,
    /// All eight in ASCII.
    SubscriberText,
    /// The last six packed.
    Telephone,
    /// The last six in ASCII.
    TelephoneText,
    Plmn,
    /// Six digits in ASCII.
    PlmnText,
    /// As a Visited-PLMN-Id.
    Visited,
    Transaction,
    /// Eight hexadecimal digits.
    TransactionText,
    Sai,
    /// The front of the SAI, which is the index of the security parameters.
    SaiFront,
    Tvp,
    Seconds,
    /// Seconds since 1970, ten digits in ASCII.
    SecondsText,
    Seq,
    Signature,
}

impl Field {
    pub(super) const ALL: [Field; 18] = [
        Field::Number,
        Field::NumberText,
        Field::Subscriber,
        Field::SubscriberText,
        Field::Telephone,
        Field::TelephoneText,
        Field::Plmn,
        Field::PlmnText,
        Field::Visited,
        Field::Transaction,
        Field::TransactionText,
        Field::Sai,
        Field::SaiFront,
        Field::Tvp,
        Field::Seconds,
        Field::SecondsText,
        Field::Seq,
        Field::Signature,
    ];
}

/// Two digits as one octet, the first in its low half; and as text.
const PAIRS: [(u8, [u8; 2]); 100] = {
    let mut pairs = [(0, [0; 2]); 100];
    let mut i = 0;
    while i < 100 {
        let (tens, ones) = ((i / 10) as u8, (i % 10) as u8);
        pairs[i] = (tens | ones << 4, [b'0' + tens, b'0' + ones]);
        i += 1;
    }
    pairs
};

fn pairs(number: u32) -> [(u8, [u8; 2]); 4] {
    let pair = |part: u32| PAIRS[(part % 100) as usize];
    [pair(number / 1_000_000), pair(number / 10_000), pair(number / 100), pair(number)]
}

/// Eight digits, packed.
#[inline]
pub(super) fn packed(number: u32) -> [u8; 4] {
    pairs(number).map(|(octet, _)| octet)
}

/// Eight digits as text.
#[inline]
pub(super) fn text(number: u32) -> [u8; 8] {
    let [(_, [a, b]), (_, [c, d]), (_, [e, f]), (_, [g, h])] = pairs(number);
    [a, b, c, d, e, f, g, h]
}

/// Six digits, packed before, as text.
#[inline]
pub(super) fn unpacked([a, b, c]: [u8; 3]) -> [u8; 6] {
    let digits = |pair: u8| [b'0' + (pair & 0x0f), b'0' + (pair >> 4)];
    let ([a, b], [c, d], [e, f]) = (digits(a), digits(b), digits(c));
    [a, b, c, d, e, f]
}

/// The same as a Visited-PLMN-Id: the third digit of its network code stands before the first two (TS 24.008 §10.5.1.3).
#[inline]
pub(super) fn visited([a, b, c]: [u8; 3]) -> [u8; 3] {
    [a, b & 0x0f | c & 0xf0, b >> 4 | c << 4]
}

/// Seconds from 1900 to 1970 (RFC 868).
const TO_1970: u32 = 2_208_988_800;
/// Times since 1900 that differ in every octet, and in every digit when counted from 1970.
const ONES: [u8; 4] = 1_111_111_111_u32.wrapping_add(TO_1970).to_be_bytes();
const TWOS: [u8; 4] = 2_222_222_222_u32.wrapping_add(TO_1970).to_be_bytes();

/// Seconds since 1970 of those since 1900.
pub(super) fn unix_seconds(seconds: [u8; 4]) -> u32 {
    u32::from_be_bytes(seconds).wrapping_sub(TO_1970)
}

/// The same as text, ten digits.
#[inline]
pub(super) fn unix_text(seconds: [u8; 4]) -> [u8; 10] {
    let unix = unix_seconds(seconds);
    let ([_, _, _, _, _, _, a, b], [c, d, e, f, g, h, i, j]) = (text(unix / 100_000_000), text(unix));
    [a, b, c, d, e, f, g, h, i, j]
}

/// Eight hexadecimal digits.
#[inline]
pub(super) fn hex(octets: [u8; 4]) -> [u8; 8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let [a, b, c, d] = octets.map(|octet| [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]
}

impl Values {
    /// Two sets of values that differ in every octet of what `field` is written as, and in nothing else.
    pub(super) fn probes(field: Field) -> [Values; 2] {
        let one = Values {
            number: 0,
            subscriber: 0,
            plmn: [0x21, 0x43, 0x65],
            transaction: [0x11; 4],
            sai: [0x11; 8],
            tvp: [0x11; 4],
            seconds: ONES,
            seq: [0x11; 8],
            signature: [0x11; 64],
        };
        let two = match field {
            Field::Number | Field::NumberText => Values { number: 11_111_111, ..one },
            Field::Subscriber | Field::SubscriberText | Field::Telephone | Field::TelephoneText => {
                Values { subscriber: 11_111_111, ..one }
            }
            Field::Plmn | Field::PlmnText | Field::Visited => Values { plmn: [0x87, 0x09, 0x21], ..one },
            Field::Transaction | Field::TransactionText => Values { transaction: [0x22; 4], ..one },
            Field::Sai | Field::SaiFront => Values { sai: [0x22; 8], ..one },
            Field::Tvp => Values { tvp: [0x22; 4], ..one },
            Field::Seconds | Field::SecondsText => Values { seconds: TWOS, ..one },
            Field::Seq => Values { seq: [0x22; 8], ..one },
            Field::Signature => Values { signature: [0x22; 64], ..one },
        };
        [one, two]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visited_network_is_written_as_wire_writes_it() {
        let plmn = [0x13, 0x40, 0x21];
        let digits =
            sealgate_wire::addr::Digits::from_tbcd(&plmn).and_then(|all| sealgate_wire::diameter::plmn_octets(&all));
        assert_eq!(digits, Some(visited(plmn)));
    }

    #[test]
    fn digits_are_packed_as_wire_packs_them() {
        for number in [0, 7, 12_345_678, 99_999_999, 10_000_000] {
            let digits: sealgate_wire::addr::Digits = format!("{number:08}").parse().unwrap_or_default();
            let (mut octets, mut letters) = (Vec::new(), Vec::new());
            digits.write_packed(0, &mut octets);
            digits.write_ascii(&mut letters);
            assert_eq!((packed(number).as_slice(), text(number).as_slice()), (octets.as_slice(), letters.as_slice()));
        }
    }
}
