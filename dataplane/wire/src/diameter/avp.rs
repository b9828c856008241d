//! One AVP, its name, and the walk over a run of them.

use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// The AVP carries a vendor (RFC 6733 §4.1).
pub const FLAG_VENDOR: u8 = 0x80;
/// Whoever does not know the AVP must refuse the message.
pub const FLAG_MANDATORY: u8 = 0x40;
/// Reserved for end-to-end security.
pub const FLAG_PROTECTED: u8 = 0x20;
/// An AVP lies in at most so many groups (formats 11.3).
pub const MAX_DEPTH: usize = 8;

/// What an AVP is: the number of its vendor, 0 for the IETF, and its code there.
///
/// One word, so that a match over many of them is one comparison each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AvpId(u64);

impl AvpId {
    /// Vendor number of 3GPP.
    pub const TGPP: u32 = 10415;
    /// Vendor number of the GSMA, whose AVPs the DESS form uses.
    pub const GSMA: u32 = 46304;
    /// Vendor number of the native profile's header (formats 0: a number for documentation).
    pub const SEALGATE: u32 = 32473;

    /// User-Name (RFC 6733 §8.14): the IMSI in most applications of 3GPP.
    pub const USER_NAME: AvpId = AvpId::new(0, 1);
    /// Proxy-State (RFC 6733 §6.7.4).
    pub const PROXY_STATE: AvpId = AvpId::new(0, 33);
    /// Session-Id (RFC 6733 §8.8).
    pub const SESSION_ID: AvpId = AvpId::new(0, 263);
    /// Origin-Host (RFC 6733 §6.3).
    pub const ORIGIN_HOST: AvpId = AvpId::new(0, 264);
    /// Result-Code (RFC 6733 §7.1).
    pub const RESULT_CODE: AvpId = AvpId::new(0, 268);
    /// Auth-Session-State (RFC 6733 §8.11).
    pub const AUTH_SESSION_STATE: AvpId = AvpId::new(0, 277);
    /// Failed-AVP (RFC 6733 §7.5).
    pub const FAILED_AVP: AvpId = AvpId::new(0, 279);
    /// Route-Record (RFC 6733 §6.7.1).
    pub const ROUTE_RECORD: AvpId = AvpId::new(0, 282);
    /// Destination-Realm (RFC 6733 §6.6).
    pub const DESTINATION_REALM: AvpId = AvpId::new(0, 283);
    /// Proxy-Info (RFC 6733 §6.7.2).
    pub const PROXY_INFO: AvpId = AvpId::new(0, 284);
    /// Destination-Host (RFC 6733 §6.5).
    pub const DESTINATION_HOST: AvpId = AvpId::new(0, 293);
    /// Origin-Realm (RFC 6733 §6.4).
    pub const ORIGIN_REALM: AvpId = AvpId::new(0, 296);
    /// Experimental-Result (RFC 6733 §7.6).
    pub const EXPERIMENTAL_RESULT: AvpId = AvpId::new(0, 297);
    /// Experimental-Result-Code (RFC 6733 §7.7).
    pub const EXPERIMENTAL_RESULT_CODE: AvpId = AvpId::new(0, 298);
    /// Visited-PLMN-Id (TS 29.272 §7.3.9).
    pub const VISITED_PLMN_ID: AvpId = AvpId::new(Self::TGPP, 1407);
    /// DESS-Signature (formats 6).
    pub const DESS_SIGNATURE: AvpId = AvpId::new(Self::GSMA, 1000);
    /// DESS-Digital-Signature (formats 6).
    pub const DESS_DIGITAL_SIGNATURE: AvpId = AvpId::new(Self::GSMA, 1001);
    /// DESS-System-Time (formats 6).
    pub const DESS_SYSTEM_TIME: AvpId = AvpId::new(Self::GSMA, 1002);
    /// DESS-Signing-Identity (formats 6).
    pub const DESS_SIGNING_IDENTITY: AvpId = AvpId::new(Self::GSMA, 1003);
    /// DESS-Digital-Signature-Type (formats 6).
    pub const DESS_DIGITAL_SIGNATURE_TYPE: AvpId = AvpId::new(Self::GSMA, 1004);
    /// SG-Security-Header (formats 6).
    pub const SG_SECURITY_HEADER: AvpId = AvpId::new(Self::SEALGATE, 1);

    /// The AVP `code` of `vendor`.
    #[inline]
    pub const fn new(vendor: u32, code: u32) -> Self {
        Self((vendor as u64) << 32 | code as u64)
    }

    /// The same as `==`, for tables that are built when this crate is.
    #[inline]
    pub(super) const fn is(self, other: Self) -> bool {
        self.0 == other.0
    }

    /// Number of the vendor; 0 is the IETF, whether the AVP says so or names nobody.
    #[inline]
    pub const fn vendor(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Code among the vendor's AVPs.
    #[inline]
    pub const fn code(self) -> u32 {
        self.0 as u32
    }
}

/// One AVP in place (RFC 6733 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Avp<'a> {
    /// What it is.
    pub id: AvpId,
    /// [`FLAG_VENDOR`], [`FLAG_MANDATORY`], [`FLAG_PROTECTED`], and five bits that should be zero.
    pub flags: u8,
    /// Octet of the message where its code begins.
    pub at: usize,
    /// Without header and padding.
    pub data: &'a [u8],
    /// Header, data and padding.
    pub raw: &'a [u8],
}

impl<'a> Avp<'a> {
    /// The data as a number of 32 bits; `None` if it has not four octets.
    #[inline]
    pub fn u32(&self) -> Option<u32> {
        self.data.try_into().ok().map(u32::from_be_bytes)
    }

    /// Octet of the message where the data begins.
    #[inline]
    pub const fn data_at(&self) -> usize {
        self.at + if self.flags & FLAG_VENDOR == 0 { 8 } else { 12 }
    }

    /// Octet of the message where the length stands: what a refusal of the length points at.
    #[inline]
    pub const fn length_at(&self) -> usize {
        self.at + 5
    }

    /// The data as AVPs, for an AVP that is a group.
    #[inline]
    pub const fn children(&self) -> Avps<'a> {
        Avps::new(self.data, self.data_at())
    }

    /// True if the octets that fill it up are zero.
    #[inline]
    pub fn is_canonical(&self) -> bool {
        self.padding() == 0
    }

    /// The octets that fill it up, as a number that is zero if all of them are.
    #[inline]
    pub(super) fn padding(&self) -> u32 {
        // Header and whole are multiples of four: of the last four octets, one to four are not padding. What comes later is
        // the higher part of a number that is read from its low end.
        let kept = 8 * ((self.data.len() + 3) % 4) as u32;
        self.raw.last_chunk().map_or(0, |last| u32::from_le_bytes(*last) >> 8 >> kept)
    }
}

/// Walks AVPs in their order. After a refusal the walk is over.
///
/// The length of an AVP counts its header and not its padding; header, data and padding lie inside the parent
/// (formats 11.3), the padding of the last one too.
#[derive(Clone, Copy, Debug)]
pub struct Avps<'a>(Reader<'a>);

impl<'a> Avps<'a> {
    /// Walks `octets`, whose first one is octet `at` of the message.
    #[inline]
    pub const fn new(octets: &'a [u8], at: usize) -> Self {
        Self(Reader::new_at(octets, at))
    }

    /// True if nothing is left.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next AVP; `None`, and nothing moved, if it is not whole: [`Avps::cut`] says where.
    ///
    /// An `Option` and no `Result`: that one lays a refusal over the fields, and moves them through memory with each AVP.
    #[inline]
    pub(super) fn step(&mut self) -> Option<Avp<'a>> {
        let (mut after, at) = (self.0, self.0.at());
        let (head, rest) = after.peek().split_first_chunk()?;
        // Code, flags and length in one load.
        let head = u64::from_be_bytes(*head);
        let (code, flags, len) = ((head >> 32) as u32, (head >> 24) as u8, (head & 0xff_ffff) as usize);
        let raw = after.take((len + 3) & !3)?;
        let (vendor, header) = if flags & FLAG_VENDOR == 0 {
            (0, 8)
        } else {
            let (&vendor, _) = rest.split_first_chunk()?;
            (u32::from_be_bytes(vendor), 12)
        };
        let data = raw.get(header..len)?;
        self.0 = after;
        Some(Avp { id: AvpId::new(vendor, code), flags, at, data, raw })
    }

    /// Why [`Avps::step`] gave nothing although something is left.
    #[cold]
    pub(super) fn cut(&self) -> Refusal {
        let at = self.0.at();
        Reason::DiaAvpLength.at(if self.0.len() < 8 { at } else { at + 5 })
    }
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<Avp<'a>, Refusal>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let avp = self.step();
        Some(avp.ok_or_else(|| {
            let cut = self.cut();
            self.0.rest();
            cut
        }))
    }
}
