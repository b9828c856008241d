//! Names, types and places of applications, commands and AVPs: a file an application, each with the clause it is from.
//!
//! Asked on the packet path for which AVPs are groups ([`is_grouped`]) and which commands an application has
//! ([`Application::command`]); everything else is for people. An unknown code stays a number.

mod base;
mod credit;
mod cx;
mod gi;
mod gsma;
mod gx;
mod gy;
mod nasreq;
mod rx;
mod s13;
mod s6a;
mod s6c;
mod s6m;
mod sgd;
mod sh;
mod slg;
mod slh;

use super::AvpId;

/// How the data of an AVP is read (RFC 6733 §4.2 to §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Octets.
    OctetString,
    /// Four octets, signed.
    Integer32,
    /// Eight octets, signed.
    Integer64,
    /// Four octets.
    Unsigned32,
    /// Eight octets.
    Unsigned64,
    /// Four octets, IEEE 754.
    Float32,
    /// AVPs.
    Grouped,
    /// Two octets of family, then an address.
    Address,
    /// Four octets: seconds since 1900.
    Time,
    /// Text.
    Utf8String,
    /// A host or realm.
    Identity,
    /// Where a host is, and how it is spoken to.
    Uri,
    /// Four octets, signed: one of a list.
    Enumerated,
    /// A filter in the syntax of ipfw.
    IpFilterRule,
}

/// What is known of an AVP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Code among its vendor's AVPs.
    pub code: u32,
    /// How its data is read.
    pub kind: Kind,
    /// Name, as its standard writes it.
    pub name: &'static str,
}

/// A command: one code for request and answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Command code.
    pub code: u32,
    /// Name without "-Request" and "-Answer".
    pub name: &'static str,
    /// Short name of the request; that of the answer ends in A.
    pub request: &'static str,
}

impl Command {
    /// Short name of the answer.
    pub fn answer(&self) -> impl core::fmt::Display + use<> {
        struct Answer(&'static str);
        impl core::fmt::Display for Answer {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}A", self.0.strip_suffix('R').unwrap_or(self.0))
            }
        }
        Answer(self.request)
    }
}

/// An application and its commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Application {
    /// Application identifier.
    pub id: u32,
    /// Name of the reference points.
    pub name: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// By code, rising.
    pub commands: &'static [Command],
}

impl Application {
    /// The command of this code; `None`: it does not belong here.
    #[inline]
    pub fn command(&self, code: u32) -> Option<&'static Command> {
        self.commands.iter().find(|command| command.code == code)
    }
}

/// Every application that we know, by identifier.
pub const APPLICATIONS: &[Application] = &[
    base::APPLICATION,
    credit::APPLICATION,
    cx::APPLICATION,
    sh::APPLICATION,
    rx::APPLICATION,
    gx::APPLICATION,
    s6a::APPLICATION,
    s13::APPLICATION,
    slg::APPLICATION,
    slh::APPLICATION,
    s6c::APPLICATION,
    sgd::APPLICATION,
];

/// The application of this identifier.
#[inline]
pub fn application(id: u32) -> Option<&'static Application> {
    APPLICATIONS.iter().find(|application| application.id == id)
}

/// Tables of AVPs by vendor; each rises by code, and no code is in two of one vendor.
const IETF: &[&[Definition]] = &[base::AVPS, nasreq::AVPS, credit::AVPS];
const TGPP: &[&[Definition]] = &[
    gi::AVPS,
    rx::AVPS,
    cx::AVPS,
    sh::AVPS,
    gy::AVPS,
    gx::AVPS,
    s6a::AVPS,
    s13::AVPS,
    slh::AVPS,
    slg::AVPS,
    s6m::AVPS,
    s6c::AVPS,
    sgd::AVPS,
];

static IETF_INDEX: Index<1024> = Index::of(IETF, AvpId::FAILED_AVP.code());
static TGPP_INDEX: Index<4608> = Index::of(TGPP, u32::MAX);

/// What is known of an AVP; `None` if nothing is.
#[inline]
pub fn avp(id: AvpId) -> Option<&'static Definition> {
    match id.vendor() {
        0 => IETF_INDEX.find(IETF, id.code()),
        AvpId::TGPP => TGPP_INDEX.find(TGPP, id.code()),
        AvpId::GSMA => gsma::GSMA.iter().find(|avp| avp.code == id.code()),
        AvpId::SEALGATE => gsma::SEALGATE.iter().find(|avp| avp.code == id.code()),
        _ => None,
    }
}

/// Bits of [`bits`]: the AVP is known.
pub(super) const KNOWN: u8 = 1;
/// It holds AVPs.
pub(super) const GROUP: u8 = 2;
/// The host reads what it holds as AVPs of this message: not DESS-Signature, which never reaches it, and not Failed-AVP, which
/// quotes what somebody else found malformed (RFC 6733 §7.5).
pub(super) const ENTERED: u8 = 4;

/// What is known of an AVP, in one look: [`KNOWN`], [`GROUP`], [`ENTERED`]; 0 if nothing is.
#[inline]
pub(super) const fn bits(id: AvpId) -> u8 {
    match id.vendor() {
        0 => IETF_INDEX.bits(id.code()),
        AvpId::TGPP => TGPP_INDEX.bits(id.code()),
        AvpId::GSMA if id.is(AvpId::DESS_SIGNATURE) => KNOWN | GROUP,
        AvpId::GSMA => gsma::bits(id.code(), gsma::GSMA),
        AvpId::SEALGATE => gsma::bits(id.code(), gsma::SEALGATE),
        _ => 0,
    }
}

/// True for an AVP that holds AVPs; false for one that nobody knows.
#[inline]
pub const fn is_grouped(id: AvpId) -> bool {
    bits(id) & GROUP != 0
}

/// Every AVP that we know, with its vendor.
pub fn avps() -> impl Iterator<Item = (u32, &'static Definition)> {
    let of = |vendor, tables: &'static [&'static [Definition]]| {
        tables.iter().flat_map(move |table| table.iter().map(move |avp| (vendor, avp)))
    };
    of(0, IETF)
        .chain(of(AvpId::TGPP, TGPP))
        .chain(of(AvpId::GSMA, &[gsma::GSMA]))
        .chain(of(AvpId::SEALGATE, &[gsma::SEALGATE]))
}

/// Where the definition of each code below `N` is, built when this crate is.
struct Index<const N: usize> {
    /// Number of the table in the upper four bits, one more than the place in it below; 0: not known.
    places: [u16; N],
    /// Four [`bits`] a code, the lowest first.
    bits: [u8; N],
}

impl<const N: usize> Index<N> {
    /// * `quoted`: a group that is not [`ENTERED`]
    const fn of(tables: &[&[Definition]], quoted: u32) -> Self {
        let mut index = Self { places: [0; N], bits: [0; N] };
        assert!(tables.len() <= 16, "four bits for the table");
        let mut table = 0;
        while table < tables.len() {
            assert!(tables[table].len() < 0xfff, "twelve bits for the place");
            let mut place = 0;
            while place < tables[table].len() {
                let Definition { code, kind, .. } = tables[table][place];
                let code = code as usize;
                assert!(index.places[code] == 0, "a code is defined twice");
                index.places[code] = (table as u16) << 12 | (place as u16 + 1);
                let bits = match kind {
                    Kind::Grouped if code as u32 == quoted => KNOWN | GROUP,
                    Kind::Grouped => KNOWN | GROUP | ENTERED,
                    _ => KNOWN,
                };
                index.bits[code / 2] |= bits << (4 * (code % 2));
                place += 1;
            }
            table += 1;
        }
        index
    }

    #[inline]
    fn find(&self, tables: &'static [&'static [Definition]], code: u32) -> Option<&'static Definition> {
        let place = *self.places.get(code as usize)?;
        let at = usize::from(place & 0xfff).checked_sub(1)?;
        tables.get(usize::from(place >> 12))?.get(at)
    }

    #[inline]
    const fn bits(&self, code: u32) -> u8 {
        let code = code as usize;
        if code < N { self.bits[code / 2] >> (4 * (code % 2)) & 0xf } else { 0 }
    }
}

/// A table of AVPs: `code Kind "Name"` a line.
macro_rules! definitions {
    ($($code:literal $kind:ident $name:literal)*) => {
        &[$($crate::diameter::dictionary::Definition {
            code: $code, kind: $crate::diameter::dictionary::Kind::$kind, name: $name,
        },)*]
    };
}
use definitions;

/// A table of commands: `code "Name" "Short name of the request"` a line.
macro_rules! commands {
    ($($code:literal $name:literal $request:literal)*) => {
        &[$($crate::diameter::dictionary::Command { code: $code, name: $name, request: $request },)*]
    };
}
use commands;

#[cfg(test)]
mod tests;
