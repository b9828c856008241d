//! Writing elements, definite and minimal.

use super::{Elements, Rules, is_constructed, slice};
use crate::reason::Refusal;

/// How many octets a definite minimal length of `len` takes.
pub const fn length_octets(len: usize) -> usize {
    match len {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x100_0000 => 4,
        _ => 5,
    }
}

/// Appends a definite minimal length; `len` is below 2^32, as every length that [`next`](super::next) reads.
pub fn put_len(len: usize, out: &mut Vec<u8>) {
    let octets = (len as u32).to_be_bytes();
    let extra = length_octets(len) - 1;
    if extra == 0 {
        out.push(len as u8);
    } else {
        out.push(0x80 | extra as u8);
        out.extend_from_slice(slice(&octets, 4 - extra, 4));
    }
}

/// Appends an element with a one-octet tag.
pub fn put_tlv(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_len(value.len(), out);
    out.extend_from_slice(value);
}

/// Appends an INTEGER with the fewest octets (X.690 §8.3.2).
pub fn put_integer(value: i32, out: &mut Vec<u8>) {
    let octets = value.to_be_bytes();
    let spare = octets.windows(2).take_while(|pair| matches!(pair, [0, 0..0x80] | [0xff, 0x80..=0xff])).count();
    put_tlv(0x02, slice(&octets, spare, 4), out);
}

/// Appends an element whose value `inside` writes; the length is put in front of it afterwards, without an allocation
/// of its own.
pub fn put_with(tag: u8, out: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let body = open_len(out);
    inside(out);
    close_len(body, out);
}

/// Leaves one octet for a length and returns where the value begins.
fn open_len(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of the value from `body` to the end, moving the value where the length needs more octets.
fn close_len(body: usize, out: &mut Vec<u8>) {
    let len = out.len().saturating_sub(body);
    let extra = length_octets(len) - 1;
    if extra > 0 {
        out.resize(out.len() + extra, 0);
        out.copy_within(body..body + len, body + extra);
    }
    let octets = (len as u32).to_be_bytes();
    if let Some((first, rest)) = out.get_mut(body - 1..body + extra).and_then(|place| place.split_first_mut()) {
        *first = if extra == 0 { len as u8 } else { 0x80 | extra as u8 };
        rest.copy_from_slice(slice(&octets, 4 - extra, 4));
    }
}

/// Appends a run of elements with every constructed one definite and minimal; primitive contents stay as they are.
///
/// # Errors
/// As [`walk`](super::walk); `out` then holds a part of the run.
pub fn put_canonical(octets: &[u8], rules: Rules, depth: u8, out: &mut Vec<u8>) -> Result<(), Refusal> {
    for element in Elements::new(octets, rules, depth) {
        let element = element?;
        let tag_len = if element.tag & 0x1f == 0x1f {
            2 + element.raw.iter().skip(1).take_while(|octet| **octet & 0x80 != 0).count()
        } else {
            1
        };
        out.extend_from_slice(slice(element.raw, 0, tag_len));
        let body = open_len(out);
        if is_constructed(element.tag) {
            put_canonical(element.value, rules, depth + 1, out)?;
        } else {
            out.extend_from_slice(element.value);
        }
        close_len(body, out);
    }
    Ok(())
}
