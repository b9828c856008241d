//! Security elements of signed signalling: the header all native profiles share, and a file a profile.

pub mod dess;
pub mod dia0;
pub mod dia1;
pub mod ecdsa;
mod header;
pub mod isup1;
pub mod passport;
mod sorted;
pub mod tcap0;
pub mod tcap1;

pub use header::{CalledCopy, FLAG_CALLED_COPY, FLAG_WAS_UDT, Header, Tvp, signature_len};
pub use sorted::Sorter;

/// One TLV of exactly this one-octet tag in DER (definite, minimal length): its value and what follows it.
fn der(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = octets.split_first_chunk()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match length {
        ..=0x7f => (usize::from(length), rest),
        0x81 => {
            let (&n, rest) = rest.split_first()?;
            (usize::from(n), rest)
        }
        0x82 => {
            let (&n, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(n)), rest)
        }
        _ => return None,
    };
    let coded = octets.len() - rest.len();
    let minimal = 2 + usize::from(length > 0x7f) + usize::from(length > 0xff);
    if coded != minimal {
        return None;
    }
    rest.split_at_checked(length)
}

/// Appends tag, definite minimal length and nothing else.
fn put_head(tag: u8, length: usize, out: &mut Vec<u8>) {
    out.push(tag);
    match length {
        ..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend_from_slice(&[0x81, length as u8]),
        _ => {
            out.push(0x82);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
}

/// Octets that [`put_head`] takes for this length.
fn head_len(length: usize) -> usize {
    2 + usize::from(length > 0x7f) + usize::from(length > 0xff)
}
