//! The challenge of a signature: SHA-512 of R, A and the message (RFC 8032 5.1.7), padded as FIPS 180-4, 5.1.2 says.

use super::sum::{LANES, Lanes};
use aws_lc_rs::digest::{Context, SHA512};

/// Octets of a block.
pub(super) const BLOCK: usize = 128;

/// What is hashed for one signature.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) r: &'a [u8; 32],
    pub(super) a: &'a [u8; 32],
    pub(super) message: &'a [u8],
}

impl Input<'_> {
    /// Blocks with padding: 64 octets, the message, one octet 0x80 at least, 16 octets of length.
    pub(super) fn blocks(&self) -> usize {
        (64 + self.message.len() + 17).div_ceil(BLOCK)
    }

    /// Block `index` of R, A, the message and the padding; all zero after the last one.
    pub(super) fn block(&self, index: usize, out: &mut [u8; BLOCK]) {
        out.fill(0);
        let mut at = 0;
        if index == 0 {
            out[..32].copy_from_slice(self.r);
            out[32..64].copy_from_slice(self.a);
            at = 64;
        }
        // The message's first octet is octet 64 of the whole.
        let Some(rest) = self.message.get(index * BLOCK + at - 64..) else { return self.length(index, out) };
        let take = rest.len().min(BLOCK - at);
        out[at..at + take].copy_from_slice(&rest[..take]);
        if let Some(end) = out.get_mut(at + take) {
            *end = 0x80;
        }
        self.length(index, out);
    }

    /// The length in bits at the end of the last block.
    fn length(&self, index: usize, out: &mut [u8; BLOCK]) {
        if index + 1 == self.blocks() {
            let bits = (64 + self.message.len() as u128) * 8;
            out[BLOCK - 16..].copy_from_slice(&bits.to_be_bytes());
        }
    }
}

/// The digests of one to [`LANES`] inputs, best of about equal lengths.
pub(super) fn digests(lanes: Lanes, inputs: &[Input<'_>], out: &mut [[u8; 64]; LANES]) {
    match lanes {
        // One alone is faster in aws-lc's code.
        #[cfg(target_arch = "x86_64")]
        Lanes::Vector(avx2) if inputs.len() > 1 => avx2.digests(inputs, out),
        _ => {
            for (input, out) in inputs.iter().zip(out) {
                let mut context = Context::new(&SHA512);
                context.update(input.r);
                context.update(input.a);
                context.update(input.message);
                out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
            }
        }
    }
}
