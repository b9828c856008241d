//! CRC-32C as SCTP uses it (RFC 9260 appendix A), portable.
//!
//! Eight table look-ups take eight octets at once. The packet path has a faster one in the machine's own instruction;
//! this one needs no dependency.

use super::HEADER_LEN;

/// Castagnoli's polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// `TABLES[k][octet]`: the remainder of `octet` followed by `k` zero octets.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][octet] = crc;
        octet += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut octet = 0;
        while octet < 256 {
            let before = tables[k - 1][octet];
            tables[k][octet] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            octet += 1;
        }
        k += 1;
    }
    tables
}

/// The remainder of `octet` followed by `K` zero octets. An octet is always inside its table.
#[inline]
fn look<const K: usize>(octet: u8) -> u32 {
    const { assert!(K < 8) };
    TABLES[K][usize::from(octet)]
}

/// CRC-32C of `octets`. In an SCTP packet the value stands little-endian.
#[inline]
pub fn crc32c(octets: &[u8]) -> u32 {
    crc32c_append(0, octets)
}

/// CRC-32C of something whose CRC-32C is `crc`, followed by `octets`.
pub fn crc32c_append(crc: u32, octets: &[u8]) -> u32 {
    let mut crc = !crc;
    let (words, rest) = octets.as_chunks::<8>();
    for &[o0, o1, o2, o3, o4, o5, o6, o7] in words {
        let [c0, c1, c2, c3] = (crc ^ u32::from_le_bytes([o0, o1, o2, o3])).to_le_bytes();
        crc = look::<7>(c0)
            ^ look::<6>(c1)
            ^ look::<5>(c2)
            ^ look::<4>(c3)
            ^ look::<3>(o4)
            ^ look::<2>(o5)
            ^ look::<1>(o6)
            ^ look::<0>(o7);
    }
    for &octet in rest {
        crc = crc >> 8 ^ look::<0>(crc as u8 ^ octet);
    }
    !crc
}

/// The checksum that an SCTP packet should have: CRC-32C with zeros in the place of the checksum itself.
///
/// A packet shorter than its header has one too, over the octets there are.
pub fn packet_crc32c(packet: &[u8]) -> u32 {
    match (packet.get(..HEADER_LEN - 4), packet.get(HEADER_LEN..)) {
        (Some(head), Some(chunks)) => crc32c_append(crc32c_append(crc32c(head), &[0; 4]), chunks),
        _ => crc32c(packet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn check_values() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283, "vector un-020");
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa, "vector un-021, RFC 3720 B.4");
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43, "RFC 3720 B.4");
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46dd_794e, "RFC 3720 B.4");
        assert_eq!(crc32c(&[]), 0);
    }

    proptest! {
        #[test]
        fn eight_at_once_is_bit_by_bit(octets in vec(any::<u8>(), 0..70), cut in 0_usize..70) {
            let mut want = !0_u32;
            for octet in &octets {
                want ^= u32::from(*octet);
                for _ in 0..8 {
                    want = want >> 1 ^ if want & 1 == 1 { POLYNOMIAL } else { 0 };
                }
            }
            prop_assert_eq!(crc32c(&octets), !want);
            let (head, tail) = octets.split_at(cut.min(octets.len()));
            prop_assert_eq!(crc32c_append(crc32c(head), tail), !want);
        }
    }
}
