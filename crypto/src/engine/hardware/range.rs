//! Which numbers of a signature may reach a device: r and s in 1 to n - 1. What a device makes of others is its own affair.

use crate::alg::Alg;

/// The curves' orders, big-endian (SEC 2, 2.4.2 and 2.5.1).
const N_P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const N_P384: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// The order of the curve, big-endian; `None` for what is no ECDSA.
pub(super) const fn order(alg: Alg) -> Option<&'static [u8]> {
    match alg {
        Alg::P256 => Some(&N_P256),
        Alg::P384 => Some(&N_P384),
        Alg::Ed25519 | Alg::Rsa2048 => None,
    }
}

/// Whether r and s, in one piece of the right length, are both in 1 to n - 1.
pub(super) fn is_in_range(order: &[u8], signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_at_checked(order.len()).filter(|(_, s)| s.len() == order.len()) else {
        return false;
    };
    // Big-endian numbers of one length are in the order of their octets.
    [r, s].iter().all(|number| *number < order && number.iter().any(|octet| *octet != 0))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The order with its last octet changed by so much.
    fn near(order: &[u8], by: i16) -> Vec<u8> {
        let mut number = order.to_vec();
        let last = number.last_mut().unwrap();
        *last = u8::try_from(i16::from(*last) + by).unwrap();
        number
    }

    #[test]
    fn both_numbers_are_in_one_to_n_less_one() {
        for alg in [Alg::P256, Alg::P384] {
            let order = order(alg).unwrap();
            let (mut one, zero, top) = (vec![0; order.len()], vec![0; order.len()], vec![0xff; order.len()]);
            *one.last_mut().unwrap() = 1;
            let cases = [(zero, false), (one.clone(), true), (near(order, -1), true), (order.to_vec(), false)];
            for (number, good) in cases.into_iter().chain([(near(order, 1), false), (top, false)]) {
                assert_eq!(is_in_range(order, &[number.clone(), one.clone()].concat()), good, "{alg} r {number:x?}");
                assert_eq!(is_in_range(order, &[one.clone(), number.clone()].concat()), good, "{alg} s {number:x?}");
            }
            assert!(!is_in_range(order, &one) && !is_in_range(order, &[one.clone(), one.clone(), one].concat()));
        }
        assert_eq!((order(Alg::Ed25519), order(Alg::Rsa2048)), (None, None));
    }
}
