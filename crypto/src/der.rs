//! The little DER that keys and raw signatures need: fixed algorithm identifiers, one length form each.

/// The object identifier that all EC keys begin with, before that of their curve (RFC 5480 2.1.1).
#[cfg(feature = "pkcs11")]
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// AlgorithmIdentifier of an EC key on P-256 (RFC 5480 2.1.1).
pub(crate) const ID_P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// AlgorithmIdentifier of an EC key on P-384 (RFC 5480 2.1.1).
pub(crate) const ID_P384: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// AlgorithmIdentifier of an Ed25519 key; parameters are absent (RFC 8410 3).
pub(crate) const ID_ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// AlgorithmIdentifier of an RSA key; parameters are NULL (RFC 3279 2.3.1).
pub(crate) const ID_RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Splits off the value of one TLV with this tag; definite, minimal length of at most 65,535 octets.
pub(crate) fn take(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, len], rest) = octets.split_first_chunk()?;
    let (len, rest) = match len {
        0..=0x7f => (usize::from(len), rest),
        0x81 => {
            let (&long, rest) = rest.split_first()?;
            (usize::from(long), (long >= 0x80).then_some(rest)?)
        }
        0x82 => {
            let (&long, rest) = rest.split_first_chunk()?;
            let len = u16::from_be_bytes(long);
            (usize::from(len), (len >= 0x100).then_some(rest)?)
        }
        _ => return None,
    };
    (first == tag).then_some(())?;
    rest.split_at_checked(len)
}

/// AlgorithmIdentifier content and BIT STRING value of a SubjectPublicKeyInfo that ends where its SEQUENCE ends.
pub(crate) fn spki(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, end) = take(der, 0x30)?;
    let (algorithm, rest) = take(info, 0x30)?;
    let (bits, trailing) = take(rest, 0x03)?;
    // A key is whole octets: the count of unused bits is 0.
    let (&0, bits) = bits.split_first()? else { return None };
    (end.is_empty() && trailing.is_empty()).then_some((algorithm, bits))
}

/// RSAPublicKey (RFC 8017 A.1.1) of a modulus and an exponent, both big-endian; leading zeros do no harm.
#[cfg(feature = "pkcs11")]
pub(crate) fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let put = |out: &mut Vec<u8>, tag, value: &[u8]| {
        let [high, low] = u16::try_from(value.len()).ok()?.to_be_bytes();
        out.push(tag);
        match (high, low) {
            (0, 0..=0x7f) => out.push(low),
            (0, _) => out.extend([0x81, low]),
            _ => out.extend([0x82, high, low]),
        }
        out.extend(value);
        Some(())
    };
    let mut body = Vec::new();
    for number in [modulus, exponent] {
        let significant = number.iter().position(|&octet| octet != 0)?;
        // One zero before keeps the number positive.
        let mut number = [&[0], number.get(significant..)?].concat();
        if number.get(1)? & 0x80 == 0 {
            number.remove(0);
        }
        put(&mut body, 0x02, &number)?;
    }
    let mut out = Vec::new();
    put(&mut out, 0x30, &body)?;
    Some(out)
}

/// AlgorithmIdentifier content of a PKCS#8 PrivateKeyInfo (RFC 5958 2).
pub(crate) fn pkcs8_algorithm(der: &[u8]) -> Option<&[u8]> {
    let (info, _) = take(der, 0x30)?;
    let (_version, rest) = take(info, 0x02)?;
    Some(take(rest, 0x30)?.0)
}

/// Octets that [`ecdsa_signature`] writes at most: P-384 with both top bits set.
const MAX_ECDSA: usize = 2 + 2 * (2 + 49);

/// A DER ECDSA signature on the stack.
pub(crate) struct EcdsaSignature {
    octets: [u8; MAX_ECDSA],
    len: usize,
}

impl EcdsaSignature {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// `SEQUENCE { INTEGER r, INTEGER s }` from r || s, both halves of `half` octets (at most 48).
///
/// aws-lc-rs would convert raw signatures itself, by way of four heap objects; this takes none.
pub(crate) fn ecdsa_signature(raw: &[u8], half: usize) -> Option<EcdsaSignature> {
    if raw.len() != half.checked_mul(2)? || half > 48 {
        return None;
    }
    let mut out = EcdsaSignature { octets: [0; MAX_ECDSA], len: 2 };
    for number in raw.chunks_exact(half) {
        let significant = number.iter().position(|&octet| octet != 0).unwrap_or(half.saturating_sub(1));
        let number = number.get(significant..)?;
        // A set top bit would make the INTEGER negative: one leading zero.
        let pad = usize::from(number.first()? & 0x80 != 0);
        let head = out.octets.get_mut(out.len..out.len + 2)?;
        head.copy_from_slice(&[0x02, u8::try_from(number.len() + pad).ok()?]);
        let at = out.len + 2 + pad;
        out.octets.get_mut(at..at + number.len())?.copy_from_slice(number);
        out.len = at + number.len();
    }
    let body = u8::try_from(out.len - 2).ok()?;
    out.octets.get_mut(..2)?.copy_from_slice(&[0x30, body]);
    Some(out)
}

/// r || s into both halves of `out` from `SEQUENCE { INTEGER r, INTEGER s }`, as a signing library writes it.
pub(crate) fn raw_signature(der: &[u8], out: &mut [u8]) -> Option<()> {
    let (mut numbers, end) = take(der, 0x30)?;
    if !end.is_empty() || out.is_empty() || !out.len().is_multiple_of(2) {
        return None;
    }
    let half = out.len() / 2;
    for to in out.chunks_exact_mut(half) {
        let (number, rest) = take(numbers, 0x02)?;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        let (zeros, digits) = to.split_at_mut_checked(half.checked_sub(number.len())?)?;
        zeros.fill(0);
        digits.copy_from_slice(number);
        numbers = rest;
    }
    numbers.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_definite_and_minimal() {
        assert_eq!(take(&[0x30, 1, 7, 9], 0x30), Some((&[7][..], &[9][..])));
        assert_eq!(take(&[0x30, 0], 0x30), Some((&[][..], &[][..])));
        for bad in
            [&[0x30, 2, 7][..], &[0x31, 1, 7], &[0x30, 0x80, 0, 0], &[0x30, 0x81, 1, 7], &[0x30], &[], &[0x30, 0x82, 1]]
        {
            assert_eq!(take(bad, 0x30), None, "{bad:?}");
        }
        let mut long = vec![0x30, 0x82, 0, 0xff];
        long.resize(4 + 0xff, 0);
        assert_eq!(take(&long, 0x30), None);
        long[2..4].copy_from_slice(&[1, 0]);
        long.push(0);
        assert!(take(&long, 0x30).is_some());
    }

    #[test]
    fn raw_signatures_become_minimal_integers() {
        let mut raw = [0; 64];
        assert_eq!(ecdsa_signature(&raw, 32).unwrap().as_slice(), [0x30, 6, 2, 1, 0, 2, 1, 0]);
        raw[31] = 0x80;
        raw[62..].copy_from_slice(&[1, 2]);
        assert_eq!(ecdsa_signature(&raw, 32).unwrap().as_slice(), [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 2]);
        let widest = ecdsa_signature(&[0xff; 96], 48).unwrap();
        assert_eq!((widest.as_slice().len(), widest.as_slice()[1]), (104, 102));
        assert!(ecdsa_signature(&[1; 63], 32).is_none());
        assert!(ecdsa_signature(&[1; 98], 49).is_none());
    }

    #[test]
    fn integers_become_raw_signatures_again() {
        let mut raw = [0; 64];
        for (at, octet) in [(0, 0x80), (1, 0), (31, 1), (32, 0), (33, 0x7f), (63, 0xff), (32, 0xff), (0, 0)] {
            raw[at] = octet;
            let mut back = [9; 64];
            assert_eq!(raw_signature(ecdsa_signature(&raw, 32).unwrap().as_slice(), &mut back), Some(()));
            assert_eq!(back, raw);
        }
        let der = ecdsa_signature(&[1; 96], 48).unwrap();
        assert_eq!(raw_signature(der.as_slice(), &mut [0; 64]), None, "wider than a half");
        assert_eq!(raw_signature(&[0x30, 3, 2, 1, 1], &mut [0; 64]), None, "one number");
        assert_eq!(raw_signature(&[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1], &mut [0; 64]), None, "three numbers");
        assert_eq!(raw_signature(&[0x30, 6, 2, 1, 1, 2, 1, 1, 0], &mut [0; 64]), None, "a tail");
    }

    #[cfg(feature = "pkcs11")]
    #[test]
    fn an_rsa_key_is_made_of_two_numbers() {
        assert_eq!(rsa_public(&[0, 0x7f], &[1, 0, 1]), Some(vec![0x30, 8, 2, 1, 0x7f, 2, 3, 1, 0, 1]));
        assert_eq!(rsa_public(&[0x80], &[3]), Some(vec![0x30, 7, 2, 2, 0, 0x80, 2, 1, 3]));
        let long = rsa_public(&[0xff; 256], &[3]).unwrap();
        assert_eq!(long[..9], [0x30, 0x82, 1, 8, 2, 0x82, 1, 1, 0]);
        assert_eq!(long.len(), 4 + 264);
        assert_eq!(rsa_public(&[0], &[3]), None);
    }

    #[test]
    fn a_key_ends_where_it_says() {
        let mut key = vec![0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];
        key.extend([9; 32]);
        assert_eq!(spki(&key), Some((ID_ED25519, &[9; 32][..])));
        let mut unused_bits = key.clone();
        unused_bits[11] = 1;
        assert_eq!(spki(&unused_bits), None);
        key.push(0);
        assert_eq!(spki(&key), None);
    }
}
