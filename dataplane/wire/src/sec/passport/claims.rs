//! What the two parts of a PASSporT say (RFC 8225 §4, §5; RFC 8588 §4, §5; RFC 8946 §4).

use super::json::{Object, Text, Value};
use crate::addr::Digits;

/// The first part: how the second is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// Algorithm.
    pub alg: Text<'a>,
    /// `passport`.
    pub typ: Text<'a>,
    /// Where the certificate is.
    pub x5u: Text<'a>,
    /// Extension, such as `shaken` or `div`.
    pub ppt: Option<Text<'a>>,
}

impl<'a> Head<'a> {
    /// `None` if one of the first three is missing, one of the four is no string, or something is said to be critical: an
    /// extension that must be understood, and none is (RFC 7515 §4.1.11).
    pub(super) fn of(object: Object<'a>) -> Option<Self> {
        let text = |name: &str| object.get(name).map(Value::text);
        if object.get("crit").is_some() {
            return None;
        }
        let ppt = match text("ppt") {
            Some(ppt) => Some(ppt.filter(|ppt| !ppt.is_empty())?),
            None => None,
        };
        Some(Self { alg: text("alg")??, typ: text("typ")??, x5u: text("x5u")??, ppt })
    }
}

/// One who calls or is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party<'a> {
    /// By number.
    Tn(Text<'a>),
    /// By URI.
    Uri(Text<'a>),
}

impl Party<'_> {
    /// True if this is the number, digit by digit: RFC 8225 §5.2.1 has them canonical, without `+` or separators.
    pub fn is_tn(&self, number: &Digits) -> bool {
        matches!(self, Party::Tn(text) if same(*text, number))
    }

    /// The number, if it is one of 1 to 15 decimal digits.
    pub fn number(&self) -> Option<Digits> {
        let Party::Tn(text) = self else { return None };
        let mut digits = [0; 15];
        let mut count = 0;
        for character in text.chars() {
            *digits.get_mut(count)? = u8::try_from(character).ok().filter(u8::is_ascii_digit)?;
            count += 1;
        }
        let text = core::str::from_utf8(digits.get(..count)?).ok()?;
        text.parse().ok().filter(|number: &Digits| !number.is_empty())
    }
}

fn same(text: Text<'_>, number: &Digits) -> bool {
    text.chars().eq(number.iter().map(|digit| char::from(b'0' + digit)))
}

/// Those who are called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dest<'a> {
    tn: Option<Value<'a>>,
    uri: Option<Value<'a>>,
}

impl<'a> Dest<'a> {
    /// Lists of strings under `tn` and `uri`, at least one of them and none empty.
    fn of(object: Object<'a>) -> Option<Self> {
        let list = |name: &str| -> Option<Option<Value<'a>>> {
            let Some(value) = object.get(name) else { return Some(None) };
            let mut items = value.items()?.peekable();
            items.peek()?;
            items.all(|item| item.text().is_some()).then_some(Some(value))
        };
        let dest = Self { tn: list("tn")?, uri: list("uri")? };
        (dest.tn.is_some() || dest.uri.is_some()).then_some(dest)
    }

    fn texts(value: Option<Value<'a>>) -> impl Iterator<Item = Text<'a>> {
        value.and_then(Value::items).into_iter().flatten().filter_map(Value::text)
    }

    /// The numbers.
    pub fn tns(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        Self::texts(self.tn)
    }

    /// The URIs.
    pub fn uris(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        Self::texts(self.uri)
    }

    /// True if the number is among them.
    pub fn has_tn(&self, number: &Digits) -> bool {
        self.tns().any(|text| same(text, number))
    }
}

/// What the signer vouches for; the greater the more (RFC 8588 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Attest {
    /// Gateway: only where the call came in.
    C,
    /// Partial: the customer.
    B,
    /// Full: the customer, and that the number is theirs.
    A,
}

impl Attest {
    /// As the claim has it.
    pub const fn text(self) -> &'static str {
        match self {
            Attest::A => "A",
            Attest::B => "B",
            Attest::C => "C",
        }
    }
}

/// The second part: who calls whom, and when that was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claims<'a> {
    /// Unix seconds.
    pub iat: u64,
    /// Who calls.
    pub orig: Party<'a>,
    /// Who is called.
    pub dest: Dest<'a>,
    /// Level of attestation.
    pub attest: Option<Attest>,
    /// Origination identifier.
    pub origid: Option<Text<'a>>,
    /// Who was called before the call was diverted.
    pub div: Option<Party<'a>>,
}

impl<'a> Claims<'a> {
    /// `None` if `iat`, `orig` or `dest` is missing or of another shape, or one of the others is there and of another
    /// shape. Keys of media (`mky`) and claims nobody here knows may be there.
    pub(super) fn of(object: Object<'a>) -> Option<Self> {
        let orig = object.get("orig")?.object()?;
        if orig.members().count() != 1 {
            return None; // exactly one, by number or by URI (RFC 8225 §5.2.1)
        }
        let attest = match object.get("attest") {
            None => None,
            Some(value) => {
                let text = value.text()?;
                Some([Attest::A, Attest::B, Attest::C].into_iter().find(|attest| text.is(attest.text()))?)
            }
        };
        let origid = match object.get("origid") {
            None => None,
            Some(value) => Some(value.text().filter(|text| !text.is_empty())?),
        };
        let div = match object.get("div") {
            None => None,
            Some(value) => Some(party(value.object()?)?),
        };
        Some(Self {
            iat: object.get("iat")?.integer()?,
            orig: party(orig)?,
            dest: Dest::of(object.get("dest")?.object()?)?,
            attest,
            origid,
            div,
        })
    }
}

/// Under `tn` or `uri`, not both.
fn party(object: Object<'_>) -> Option<Party<'_>> {
    match (object.get("tn"), object.get("uri")) {
        (Some(value), None) => value.text().map(Party::Tn),
        (None, Some(value)) => value.text().map(Party::Uri),
        _ => None,
    }
}
