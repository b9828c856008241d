//! The canonical telephone number of formats 8 and RFC 8224 §8.3.

use super::{Scheme, Uri};
use crate::addr::Digits;
use crate::{Reason, Refusal};

/// A telephone number of 1 to 15 decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tn {
    /// Its digits without separators.
    pub digits: Digits,
    /// True if a `+` stood before them: the country code is among them.
    pub global: bool,
}

/// The most digits of an E.164 number.
const MAX: usize = 15;

impl Tn {
    /// Reads a number: decimal digits with visual separators `-.()` anywhere, perhaps behind a `+`.
    ///
    /// `None` for any other octet, `%` among them: one decoder takes escapes away before it looks, another does not.
    pub fn read(text: &[u8]) -> Option<Self> {
        let (global, text) = text.strip_prefix(b"+").map_or((false, text), |rest| (true, rest));
        let mut packed = [0; MAX.div_ceil(2)];
        let mut len = 0;
        for octet in text.iter().filter(|octet| !b"-.() ".contains(octet)) {
            if !octet.is_ascii_digit() || len == MAX {
                return None;
            }
            *packed.get_mut(len / 2)? |= (octet & 0x0f) << (4 * (len % 2));
            len += 1;
        }
        let digits = Digits::from_nibbles(&packed, len).filter(|digits| !digits.is_empty())?;
        Some(Self { digits, global })
    }

    /// The number with a country code before it, if it stands without `+`; as it is where `default_cc` is `None`.
    ///
    /// `None` if that is more than 15 digits.
    pub fn canonical(&self, default_cc: Option<&Digits>) -> Option<Digits> {
        let Some(code) = default_cc.filter(|_| !self.global) else { return Some(self.digits) };
        let len = code.len() + self.digits.len();
        let mut packed = [0; MAX.div_ceil(2)];
        for (i, digit) in code.iter().chain(self.digits.iter()).enumerate() {
            *packed.get_mut(i / 2)? |= digit << (4 * (i % 2));
        }
        if len > MAX { None } else { Digits::from_nibbles(&packed, len) }
    }
}

impl Uri<'_> {
    /// The telephone number that the URI names: user part up to its parameters.
    /// # Errors
    /// [`Reason::SipTnForm`]
    /// # Source
    /// formats 8, RFC 8224 §8.3.
    pub fn tn(&self) -> Result<Tn, Refusal> {
        let number = self.subscriber().filter(|_| self.scheme != Scheme::Other);
        number.and_then(Tn::read).ok_or(Reason::SipTnForm.at(self.at))
    }
}
