//! The strict decoding of a message: formats 11.3 in one walk, with what screening asks for.

use super::dictionary::{self, ENTERED, KNOWN};
use super::{Avp, AvpId, Avps, FLAG_MANDATORY, Flags, Header, MAX_DEPTH, View};
use crate::{Reason, Refusal};

/// The most AVPs of a message, those in groups included. The largest subscriber profiles have some hundred.
pub const MAX_AVPS: usize = 4096;

/// A message whose structure is proven, with the AVPs that everybody asks for (RFC 6733 §3, §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// All of it.
    pub view: View<'a>,
    /// The values of its header.
    pub header: Header,
    /// Session-Id.
    pub session_id: Option<&'a [u8]>,
    /// Origin-Host. Present, unless the message is hop-local.
    pub origin_host: Option<&'a [u8]>,
    /// Origin-Realm. Present, unless the message is hop-local.
    pub origin_realm: Option<&'a [u8]>,
    /// Destination-Host.
    pub destination_host: Option<&'a [u8]>,
    /// Destination-Realm.
    pub destination_realm: Option<&'a [u8]>,
    /// User-Name.
    pub user_name: Option<&'a [u8]>,
    /// Result-Code; the code inside of an Experimental-Result is at [`Message::experimental_result`].
    pub result_code: Option<u32>,
    /// Auth-Session-State: 0 the state is kept, 1 it is not.
    pub auth_session_state: Option<u32>,
    /// Visited-PLMN-Id; three octets as of TS 23.003, or whatever was sent.
    pub visited_plmn: Option<&'a [u8]>,
    /// Experimental-Result, the first one.
    pub experimental: Option<Avp<'a>>,
    /// DESS-Signature. Its inside is the security step's and was not looked at.
    pub dess: Option<Avp<'a>>,
    /// How many Route-Records there are; [`Message::route_records`] reads them.
    pub route_record_count: usize,
    /// False if an octet of padding is not zero, here or in a group (formats 11.3).
    pub canonical: bool,
    marks: u32,
}

impl<'a> Message<'a> {
    /// Reads a message: every AVP is inside of its parent, those of groups that [`dictionary`] knows too.
    ///
    /// Not entered are DESS-Signature, which the security step reads and which never reaches the host, and Failed-AVP,
    /// which quotes what somebody else found malformed (RFC 6733 §7.5).
    /// * `octets`: one whole message
    /// # Errors
    /// In this order: those of [`View::new`]; [`Reason::DiaAvpLength`] for an AVP that ends outside of its parent or
    /// before its own header, or a Result-Code or Auth-Session-State of other than four octets;
    /// [`Reason::DiaAvpDepth`] below [`MAX_DEPTH`] groups or behind [`MAX_AVPS`] AVPs; [`Reason::DiaFlags`] for a
    /// reserved flag, or an error that is a request. Then, unless the message is hop-local: [`Reason::DiaAvpDup`] for
    /// a second one of what may occur once; [`Reason::DiaOriginMissing`].
    /// # Source
    /// formats 2 and 11.3.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        Self::parse_each(octets, |_, _| ())
    }

    /// The same, and reports every AVP that is read, in the order of the tree, so that who wants more of a message than is
    /// kept here needs no walk of his own.
    ///
    /// What is reported of a message that is then refused must not be used: of that the octets behind it were not proven.
    /// * `each`: the group that the AVP lies in, `None` if in none; and the AVP. A group comes before what is in it
    /// # Errors
    /// Those of [`Message::parse`].
    #[inline]
    pub fn parse_each(octets: &'a [u8], mut each: impl FnMut(Option<&Avp<'a>>, &Avp<'a>)) -> Result<Self, Refusal> {
        let view = View::new(octets)?;
        let header = view.header();
        let mut walk = Walk { left: MAX_AVPS, marks: 0 };
        let mut texts = [None; TEXTS];
        let (mut result_code, mut auth_session_state) = (None, None);
        let (mut visited_plmn, mut experimental, mut dess, mut route_record_count) = (None, None, None, 0);
        let mut twice = None;
        let mut avps = view.avps();
        while !avps.is_empty() {
            let Some(avp) = avps.step() else { return Err(avps.cut()) };
            let Some(counted) = walk.count(&avp) else { return Err(Reason::DiaAvpDepth.at(avp.at)) };
            walk = counted;
            each(None, &avp);
            let again = match Role::of(avp.id) {
                Role::Other => continue,
                Role::Unknown => {
                    walk.marks |= stranger(&avp);
                    continue;
                }
                Role::Application => {
                    walk.marks |= other(&avp, &view);
                    continue;
                }
                Role::VendorApplication => {
                    walk.marks |= other_inside(&avp, &view);
                    walk = walk.group(avp, 1, &mut each)?;
                    continue;
                }
                Role::Group => {
                    walk = walk.group(avp, 1, &mut each)?;
                    continue;
                }
                Role::ResultCode => result_code.replace(number(&avp)?).is_some(),
                Role::AuthSessionState => auth_session_state.replace(number(&avp)?).is_some(),
                Role::Dess => dess.replace(avp).is_some(),
                Role::RouteRecord => {
                    route_record_count += 1;
                    continue;
                }
                Role::VisitedPlmn => visited_plmn.replace(avp.data).is_some(),
                Role::Experimental => {
                    experimental.get_or_insert(avp);
                    walk = walk.group(avp, 1, &mut each)?;
                    continue;
                }
                text => texts.get_mut(text as usize).is_some_and(|slot| slot.replace(avp.data).is_some()),
            };
            if again {
                twice = repeated(twice, avp.at);
            }
        }
        if header.flags.0 & 0x0f != 0 || header.flags.has(Flags(Flags::REQUEST.0 | Flags::ERROR.0)) {
            return Err(Reason::DiaFlags.at(4));
        }
        let [session_id, origin_host, origin_realm, destination_host, destination_realm, user_name] = texts;
        if !header.is_hop_local() {
            if let Some(twice) = twice {
                return Err(twice);
            }
            if origin_host.is_none() || origin_realm.is_none() {
                return Err(Reason::DiaOriginMissing.at(view.total_len()));
            }
        }
        Ok(Self {
            view,
            header,
            session_id,
            origin_host,
            origin_realm,
            destination_host,
            destination_realm,
            user_name,
            result_code,
            auth_session_state,
            visited_plmn,
            experimental,
            dess,
            route_record_count,
            canonical: walk.marks & PADDING == 0,
            marks: walk.marks,
        })
    }

    /// Octet of the first AVP that must be understood and is not known, in a group or not.
    pub fn unknown(&self) -> Option<usize> {
        let is = |avp: &Avp<'_>| dictionary::bits(avp.id) & KNOWN == 0 && avp.flags & FLAG_MANDATORY != 0;
        if self.marks & UNKNOWN == 0 { None } else { first(self.view.avps(), 0, &is) }
    }

    /// Octet of the first Auth-Application-Id or Acct-Application-Id, in a Vendor-Specific-Application-Id or not, that names
    /// another application than the header.
    pub fn other_application(&self) -> Option<usize> {
        let is = |avp: &Avp<'_>| is_other(avp, self.header.application);
        if self.marks & OTHER_APPLICATION == 0 { None } else { first(self.view.avps(), 0, &is) }
    }

    /// Vendor and code of the Experimental-Result; `None` without one, or if it lacks either.
    pub fn experimental_result(&self) -> Option<(u32, u32)> {
        let group = self.experimental?;
        let read = |id| group.children().flatten().find(|avp| avp.id == id)?.u32();
        Some((read(AvpId::new(0, 266))?, read(AvpId::EXPERIMENTAL_RESULT_CODE)?))
    }

    /// The agents on the way, in message order (RFC 6733 §6.7.1).
    pub fn route_records(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let all = if self.route_record_count == 0 { Avps::new(&[], 0) } else { self.view.avps() };
        all.flatten().filter(|avp| avp.id == AvpId::ROUTE_RECORD).map(|avp| avp.data)
    }
}

/// Groups whose inside the host will read as AVPs.
#[inline]
pub(super) const fn is_entered(id: AvpId) -> bool {
    dictionary::bits(id) & ENTERED != 0
}

/// What the walk does with an AVP outside of groups. The first ones hold text and may occur once: their number is their
/// place among those.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Role {
    SessionId,
    OriginHost,
    OriginRealm,
    DestinationHost,
    DestinationRealm,
    UserName,
    ResultCode,
    AuthSessionState,
    Dess,
    RouteRecord,
    VisitedPlmn,
    Experimental,
    Application,
    VendorApplication,
    Group,
    Unknown,
    Other,
}

const TEXTS: usize = Role::UserName as usize + 1;

/// Those of the IETF's codes, which most AVPs of most messages have; what is above is nothing that is looked at.
static ROLES: [Role; 1024] = {
    let mut roles = [Role::Other; 1024];
    let mut code = 0;
    while code < roles.len() {
        roles[code] = Role::plain(AvpId::new(0, code as u32));
        code += 1;
    }
    roles[258] = Role::Application; // Auth-Application-Id
    roles[259] = Role::Application; // Acct-Application-Id
    roles[260] = Role::VendorApplication;
    roles[AvpId::SESSION_ID.code() as usize] = Role::SessionId;
    roles[AvpId::ORIGIN_HOST.code() as usize] = Role::OriginHost;
    roles[AvpId::ORIGIN_REALM.code() as usize] = Role::OriginRealm;
    roles[AvpId::DESTINATION_HOST.code() as usize] = Role::DestinationHost;
    roles[AvpId::DESTINATION_REALM.code() as usize] = Role::DestinationRealm;
    roles[AvpId::USER_NAME.code() as usize] = Role::UserName;
    roles[AvpId::RESULT_CODE.code() as usize] = Role::ResultCode;
    roles[AvpId::AUTH_SESSION_STATE.code() as usize] = Role::AuthSessionState;
    roles[AvpId::ROUTE_RECORD.code() as usize] = Role::RouteRecord;
    roles[AvpId::EXPERIMENTAL_RESULT.code() as usize] = Role::Experimental;
    roles
};

impl Role {
    #[inline]
    fn of(id: AvpId) -> Self {
        if id.vendor() == 0 {
            return ROLES.get(id.code() as usize).copied().unwrap_or(Role::Unknown);
        }
        match id {
            AvpId::VISITED_PLMN_ID => Role::VisitedPlmn,
            AvpId::DESS_SIGNATURE => Role::Dess,
            id => Role::plain(id),
        }
    }

    /// That of an AVP of which nothing more is kept.
    #[inline]
    const fn plain(id: AvpId) -> Self {
        match dictionary::bits(id) {
            0 => Role::Unknown,
            bits if bits & ENTERED != 0 => Role::Group,
            _ => Role::Other,
        }
    }
}

/// [`OTHER_APPLICATION`] if a Vendor-Specific-Application-Id names another one than the header.
#[inline(never)]
fn other_inside(group: &Avp<'_>, view: &View<'_>) -> u32 {
    group.children().flatten().fold(0, |marks, child| marks | other(&child, view))
}

/// [`OTHER_APPLICATION`] if this AVP names another one. Not inlined: it is one of many, and the loop around it wants registers.
#[inline(never)]
fn other(avp: &Avp<'_>, view: &View<'_>) -> u32 {
    if is_other(avp, view.header().application) { OTHER_APPLICATION } else { 0 }
}

/// An Auth-Application-Id or Acct-Application-Id of another application.
fn is_other(avp: &Avp<'_>, application: u32) -> bool {
    Role::of(avp.id) == Role::Application && avp.u32() != Some(application)
}

/// [`unknown`] outside of groups, where hardly any AVP is.
#[cold]
#[inline(never)]
fn stranger(avp: &Avp<'_>) -> u32 {
    unknown(avp)
}

/// [`UNKNOWN`] if this AVP, which nobody knows, must be understood (RFC 6733 §4.1).
#[inline(always)]
const fn unknown(avp: &Avp<'_>) -> u32 {
    ((avp.flags & FLAG_MANDATORY) as u32) << (31 - FLAG_MANDATORY.trailing_zeros())
}

/// Octet of the first AVP that `is` so, in the order of the tree; groups are entered as the walk enters them.
#[cold]
fn first(avps: Avps<'_>, depth: usize, is: &dyn Fn(&Avp<'_>) -> bool) -> Option<usize> {
    for avp in avps.flatten() {
        if is(&avp) {
            return Some(avp.at);
        }
        if is_entered(avp.id)
            && depth < MAX_DEPTH
            && let Some(at) = first(avp.children(), depth + 1, is)
        {
            return Some(at);
        }
    }
    None
}

/// A number of 32 bits, whatever else the AVP holds being malformed.
#[inline]
fn number(avp: &Avp<'_>) -> Result<u32, Refusal> {
    avp.u32().ok_or(Reason::DiaAvpLength.at(avp.length_at()))
}

/// The first of what was repeated. Not inlined: hardly any message has it.
#[cold]
#[inline(never)]
fn repeated(before: Option<Refusal>, at: usize) -> Option<Refusal> {
    before.or(Some(Reason::DiaAvpDup.at(at)))
}

/// Octets of padding that are not zero, all laid over each other.
const PADDING: u32 = 0x00ff_ffff;
/// An application is named that is not the header's.
const OTHER_APPLICATION: u32 = 1 << 30;
/// There is an AVP that must be understood and is not known.
const UNKNOWN: u32 = 1 << 31;

/// What a walk over all AVPs counts and sees. Handed on by value, so that it stays in registers.
#[derive(Clone, Copy)]
struct Walk {
    /// AVPs that may still come.
    left: usize,
    /// [`PADDING`], [`OTHER_APPLICATION`], [`UNKNOWN`]: where, is looked up only of what is refused.
    marks: u32,
}

impl Walk {
    #[inline]
    fn count(self, avp: &Avp<'_>) -> Option<Self> {
        Some(Self { left: self.left.checked_sub(1)?, marks: self.marks | avp.padding() })
    }

    /// Walks the inside of a group; `depth`: in how many groups its AVPs lie.
    fn group<'a>(
        mut self,
        group: Avp<'a>,
        depth: usize,
        each: &mut impl FnMut(Option<&Avp<'a>>, &Avp<'a>),
    ) -> Result<Self, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Reason::DiaAvpDepth.at(group.at));
        }
        let mut avps = group.children();
        while !avps.is_empty() {
            let Some(avp) = avps.step() else { return Err(avps.cut()) };
            let Some(counted) = self.count(&avp) else { return Err(Reason::DiaAvpDepth.at(avp.at)) };
            self = counted;
            each(Some(&group), &avp);
            match dictionary::bits(avp.id) {
                KNOWN => {}
                0 => self.marks |= unknown(&avp),
                bits if bits & ENTERED != 0 => self = self.group(avp, depth + 1, each)?,
                _ => {}
            }
        }
        Ok(self)
    }
}
