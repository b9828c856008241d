//! base64url without padding (RFC 4648 §5, RFC 7515 §2), one text for each octet string.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const NONE: u8 = 0xff;

const VALUES: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 64 {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// True if `text` is what [`encode`] writes for some octets.
pub fn is_sound(text: &[u8]) -> bool {
    let spare = match (text.len() % 4, text.last()) {
        (1, _) => return false,
        (2, Some(&last)) => VALUES[usize::from(last)] & 0x0f,
        (3, Some(&last)) => VALUES[usize::from(last)] & 0x03,
        _ => 0,
    };
    // Bits that belong to no octet: with them, one signature has sixteen texts.
    spare == 0 && text.iter().all(|&octet| VALUES[usize::from(octet)] != NONE)
}

/// Appends the octets of `text`. `None`, and nothing appended, for padding, white space, another alphabet or spare bits.
pub fn decode(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !is_sound(text) {
        return None;
    }
    for four in text.chunks(4) {
        let word = four.iter().fold(0_u32, |word, &octet| word << 6 | u32::from(VALUES[usize::from(octet)]));
        let [_, octets @ ..] = (word << (6 * (4 - four.len()))).to_be_bytes();
        out.extend_from_slice(octets.get(..four.len() - 1).unwrap_or_default());
    }
    Some(())
}

/// Writes the octets of `text` to all of `place`. `None` if their number is another, or [`decode`] refuses.
pub fn decode_into(text: &[u8], place: &mut [u8]) -> Option<()> {
    if !is_sound(text) || text.len() / 4 * 3 + text.len() % 4 * 3 / 4 != place.len() {
        return None;
    }
    for (four, octets) in text.chunks(4).zip(place.chunks_mut(3)) {
        let word = four.iter().fold(0_u32, |word, &octet| word << 6 | u32::from(VALUES[usize::from(octet)]));
        let [_, decoded @ ..] = (word << (6 * (4 - four.len()))).to_be_bytes();
        octets.copy_from_slice(decoded.get(..octets.len())?);
    }
    Some(())
}

/// Writes the text of `octets` to all of `place`; false, and what was there left in part, if it is of another length.
pub fn encode_into(octets: &[u8], place: &mut [u8]) -> bool {
    if place.len() != (octets.len() * 4).div_ceil(3) {
        return false;
    }
    for (three, digits) in octets.chunks(3).zip(place.chunks_mut(4)) {
        let word = three.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet)) << (8 * (3 - three.len()));
        for (i, digit) in digits.iter_mut().enumerate() {
            *digit = ALPHABET[(word >> (18 - 6 * i)) as usize & 63];
        }
    }
    true
}

/// Appends the text of `octets`.
pub fn encode(octets: &[u8], out: &mut Vec<u8>) {
    for three in octets.chunks(3) {
        let word = three.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet)) << (8 * (3 - three.len()));
        let digit = |i: usize| ALPHABET[(word >> (18 - 6 * i)) as usize & 63];
        out.extend((0..=three.len()).map(digit));
    }
}
