//! ISUP (ITU-T Q.763): any message's type, and all of an initial address message that says who calls whom.

mod rewrite;

pub use rewrite::{Mark, append, mark, strip};

use crate::addr::Digits;
use crate::{Reason, Refusal};

/// Message type of the initial address message (Q.763 table 4).
pub const IAM: u8 = 0x01;

/// Parameter codes (Q.763 table 5).
pub(crate) const CALLING_NUMBER: u8 = 0x0a;
pub(crate) const APPLICATION_TRANSPORT: u8 = 0x78;
pub(crate) const GENERIC_NUMBER: u8 = 0xc0;

/// Application context identifier of our own application, with its extension bit: 124, of the range for
/// non-standardised ones (Q.765 §11.1; formats 9).
pub(crate) const CONTEXT: u8 = 0x80 | 124;

/// Octets in front of the called party number: circuit, type, four fixed parameters, two pointers.
pub(crate) const FIXED: usize = 10;
/// Where the pointers are.
const TO_CALLED: usize = 8;
pub(crate) const TO_OPTIONAL: usize = 9;

/// One ISUP message, behind the label of MTP level 3 (Q.763 §1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<'a> {
    octets: &'a [u8],
    head: &'a [u8; 3],
}

impl<'a> View<'a> {
    /// Checks that circuit identification code and type are there; after that no accessor can fail or panic.
    ///
    /// # Errors
    /// [`Reason::IsupTruncated`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Refusal> {
        let head = octets.first_chunk().ok_or(Reason::IsupTruncated.at(octets.len()))?;
        Ok(Self { octets, head })
    }

    /// Circuit identification code, 12 bits.
    pub fn cic(&self) -> u16 {
        u16::from_le_bytes([self.head[0], self.head[1]]) & 0x0fff
    }

    /// Message type.
    pub fn kind(&self) -> u8 {
        self.head[2]
    }
}

/// A number of a party, behind the length of its parameter (Q.763 §3.9, §3.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number<'a> {
    head: &'a [u8; 2],
    signals: &'a [u8],
    /// Whether an ST signal may end it: only a called number has one.
    ends: bool,
}

impl<'a> Number<'a> {
    fn parse(content: &'a [u8], ends: bool, at: usize) -> Result<Self, Refusal> {
        let (head, signals) = content.split_first_chunk().ok_or(Reason::IsupNumForm.at(at))?;
        Ok(Self { head, signals, ends })
    }

    /// True for an international number of the telephony plan: nature of address 4, plan E.164.
    pub fn is_international(&self) -> bool {
        self.head[0] & 0x7f == 4 && self.is_e164()
    }

    fn is_e164(&self) -> bool {
        self.head[1] >> 4 & 7 == 1
    }

    /// The digits, 1 to 15, without the ST signal that ends a complete called number; `None` for another plan, for what is
    /// no decimal digit, and for none or more.
    pub fn digits(&self) -> Option<Digits> {
        let odd = usize::from(self.head[0] >> 7);
        let count = (self.signals.len() * 2).checked_sub(odd)?;
        let last = self.signals.last().map(|octet| if odd == 1 { octet & 0x0f } else { octet >> 4 });
        let count = count - usize::from(self.ends && last == Some(0x0f));
        let digits = Digits::from_nibbles(self.signals, count)?;
        (self.is_e164() && digits.is_decimal() && (1..=15).contains(&digits.len())).then_some(digits)
    }

    /// Address presentation restricted indicator, 0 to 3. Of a calling number only.
    pub fn presentation(&self) -> u8 {
        self.head[1] >> 2 & 3
    }
}

/// An application transport parameter of ours, behind its length (Q.763 §3.82).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct App<'a> {
    /// Its content, beginning with the application context identifier.
    pub content: &'a [u8],
    /// Octet of the message where the content begins.
    pub at: usize,
}

/// An initial address message whose structure is proven (Q.763 table 32).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Iam<'a> {
    /// Calling party's category.
    pub cpc: u8,
    /// Called party number.
    pub called: Number<'a>,
    /// Calling party number.
    pub calling: Option<Number<'a>>,
    /// The application transport parameter that carries our signature.
    pub app: Option<App<'a>>,
    /// Circuit, type, fixed parameters, pointers, called party number.
    pub(crate) front: &'a [u8],
    /// The optional parameters, without the octet that ends them.
    pub(crate) optional: &'a [u8],
}

impl<'a> Iam<'a> {
    /// Reads an IAM: nothing overlaps, nothing lies between or behind its parts, and what counts is there once.
    ///
    /// # Errors
    /// [`Reason::IsupTruncated`] where a part is cut; [`Reason::IsupPointer`] for a pointer that does not lead to the next
    /// part, and for octets behind the last one; [`Reason::IsupParamDup`] for a second calling number or a second parameter
    /// of ours; [`Reason::IsupNumForm`] for a number without its first two octets. `at` counts from the circuit.
    /// # Source
    /// formats 9; Q.763 §1.5 and §1.6.
    pub fn parse(view: View<'a>) -> Result<Self, Refusal> {
        let octets = view.octets;
        let cut = |at: usize| Reason::IsupTruncated.at(at);
        let fixed = octets.first_chunk::<FIXED>().ok_or(cut(octets.len()))?;
        // Each pointer counts from itself to the first octet that it points at.
        if TO_CALLED + usize::from(fixed[TO_CALLED]) != FIXED {
            return Err(Reason::IsupPointer.at(TO_CALLED));
        }
        let called_len = usize::from(*octets.get(FIXED).ok_or(Reason::IsupPointer.at(TO_CALLED))?);
        let called_at = FIXED + 1;
        let called = octets.get(called_at..called_at + called_len).ok_or(Reason::IsupPointer.at(TO_CALLED))?;
        let behind = called_at + called_len;
        let (front, rest) = octets.split_at_checked(behind).ok_or(cut(behind))?;
        let pointer = usize::from(fixed[TO_OPTIONAL]);
        if pointer == 0 && !rest.is_empty() || pointer != 0 && (TO_OPTIONAL + pointer != behind || rest.is_empty()) {
            return Err(Reason::IsupPointer.at(TO_OPTIONAL));
        }
        let mut iam = Self {
            cpc: fixed[6],
            called: Number::parse(called, true, called_at)?,
            calling: None,
            app: None,
            front,
            optional: &[],
        };
        if pointer == 0 {
            return Ok(iam);
        }
        let mut walk = Optional { octets: rest, at: behind };
        while let Some(parameter) = walk.next()? {
            let content_at = parameter.at + 2;
            let twice = Reason::IsupParamDup.at(parameter.at);
            match parameter.code {
                CALLING_NUMBER => {
                    let number = Number::parse(parameter.content, false, content_at)?;
                    if iam.calling.replace(number).is_some() {
                        return Err(twice);
                    }
                }
                APPLICATION_TRANSPORT if parameter.is_ours() => {
                    let app = App { content: parameter.content, at: content_at };
                    if iam.app.replace(app).is_some() {
                        return Err(twice);
                    }
                }
                _ => {}
            }
        }
        if !walk.octets.is_empty() {
            return Err(Reason::IsupPointer.at(walk.at)); // nobody looks behind the end
        }
        iam.optional = rest.get(..rest.len().saturating_sub(1)).unwrap_or(&[]);
        Ok(iam)
    }
}

/// One optional parameter.
pub(crate) struct Parameter<'a> {
    pub(crate) code: u8,
    pub(crate) content: &'a [u8],
    /// Code, length and content.
    pub(crate) raw: &'a [u8],
    at: usize,
}

impl Parameter<'_> {
    /// True for an application transport of our application.
    pub(crate) fn is_ours(&self) -> bool {
        self.code == APPLICATION_TRANSPORT && self.content.first() == Some(&CONTEXT)
    }
}

/// Walks an optional part up to the octet of zero that ends it.
pub(crate) struct Optional<'a> {
    pub(crate) octets: &'a [u8],
    at: usize,
}

impl<'a> Optional<'a> {
    /// Walks parameters that [`Iam::parse`] has read.
    pub(crate) const fn again(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// The next parameter; `None` at the end, which is taken too.
    pub(crate) fn next(&mut self) -> Result<Option<Parameter<'a>>, Refusal> {
        let cut = Reason::IsupTruncated.at(self.at);
        let (&code, rest) = self.octets.split_first().ok_or(cut)?;
        if code == 0 {
            (self.octets, self.at) = (rest, self.at + 1);
            return Ok(None);
        }
        let &len = rest.first().ok_or(cut)?;
        let (raw, rest) = self.octets.split_at_checked(2 + usize::from(len)).ok_or(cut)?;
        let content = raw.get(2..).unwrap_or(&[]);
        let parameter = Parameter { code, content, raw, at: self.at };
        (self.octets, self.at) = (rest, self.at + raw.len());
        Ok(Some(parameter))
    }
}

#[cfg(test)]
mod tests;
