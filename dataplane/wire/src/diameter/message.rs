//! The strict decoding of a message: formats 11.3 in one walk, with what screening asks for.

use super::{Avp, AvpId, Avps, Flags, Header, MAX_DEPTH, View, dictionary};
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
    /// Visited-PLMN-Id, the first one; three octets as of TS 23.003, or whatever was sent.
    pub visited_plmn: Option<&'a [u8]>,
    /// Experimental-Result, the first one.
    pub experimental: Option<Avp<'a>>,
    /// DESS-Signature. Its inside is the security step's and was not looked at.
    pub dess: Option<Avp<'a>>,
    /// How many Route-Records there are; [`Message::route_records`] reads them.
    pub route_record_count: usize,
    /// False if an octet of padding is not zero, here or in a group (formats 11.3).
    pub canonical: bool,
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
        let view = View::new(octets)?;
        let header = view.header();
        let mut message = Self {
            view,
            header,
            session_id: None,
            origin_host: None,
            origin_realm: None,
            destination_host: None,
            destination_realm: None,
            user_name: None,
            result_code: None,
            auth_session_state: None,
            visited_plmn: None,
            experimental: None,
            dess: None,
            route_record_count: 0,
            canonical: true,
        };
        let mut walk = Walk { left: MAX_AVPS, canonical: true };
        let mut twice = None;
        for avp in view.avps() {
            let avp = avp?;
            walk.count(&avp)?;
            if !message.take(&avp, &mut walk)? && twice.is_none() {
                twice = Some(Reason::DiaAvpDup.at(avp.at));
            }
        }
        message.canonical = walk.canonical;
        if header.flags.0 & 0x0f != 0 || header.flags.has(Flags(Flags::REQUEST.0 | Flags::ERROR.0)) {
            return Err(Reason::DiaFlags.at(4));
        }
        if header.is_hop_local() {
            return Ok(message);
        }
        if let Some(twice) = twice {
            return Err(twice);
        }
        if message.origin_host.is_none() || message.origin_realm.is_none() {
            return Err(Reason::DiaOriginMissing.at(view.total_len()));
        }
        Ok(message)
    }

    /// Takes one AVP; `false` if it may occur once and was seen before.
    #[inline]
    fn take(&mut self, avp: &Avp<'a>, walk: &mut Walk) -> Result<bool, Refusal> {
        let slot = match avp.id {
            AvpId::SESSION_ID => &mut self.session_id,
            AvpId::ORIGIN_HOST => &mut self.origin_host,
            AvpId::ORIGIN_REALM => &mut self.origin_realm,
            AvpId::DESTINATION_HOST => &mut self.destination_host,
            AvpId::DESTINATION_REALM => &mut self.destination_realm,
            AvpId::USER_NAME => &mut self.user_name,
            AvpId::RESULT_CODE => return once(&mut self.result_code, number(avp)?),
            AvpId::AUTH_SESSION_STATE => return once(&mut self.auth_session_state, number(avp)?),
            AvpId::DESS_SIGNATURE => return once(&mut self.dess, *avp),
            AvpId::ROUTE_RECORD => {
                self.route_record_count += 1;
                return Ok(true);
            }
            AvpId::VISITED_PLMN_ID => {
                self.visited_plmn.get_or_insert(avp.data);
                return Ok(true);
            }
            id => {
                if id == AvpId::EXPERIMENTAL_RESULT {
                    self.experimental.get_or_insert(*avp);
                }
                if is_entered(id) {
                    walk.group(avp, 1)?;
                }
                return Ok(true);
            }
        };
        once(slot, avp.data)
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
pub(super) fn is_entered(id: AvpId) -> bool {
    dictionary::is_grouped(id) && id != AvpId::DESS_SIGNATURE && id != AvpId::FAILED_AVP
}

/// Fills the place of what may occur once; `false` if it was filled before.
#[inline]
fn once<T>(slot: &mut Option<T>, value: T) -> Result<bool, Refusal> {
    Ok(slot.replace(value).is_none())
}

/// A number of 32 bits, whatever else the AVP holds being malformed.
#[inline]
fn number(avp: &Avp<'_>) -> Result<u32, Refusal> {
    avp.u32().ok_or(Reason::DiaAvpLength.at(avp.length_at()))
}

/// What a walk over all AVPs counts and sees.
struct Walk {
    /// AVPs that may still come.
    left: usize,
    canonical: bool,
}

impl Walk {
    #[inline]
    fn count(&mut self, avp: &Avp<'_>) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or(Reason::DiaAvpDepth.at(avp.at))?;
        self.canonical &= avp.is_canonical();
        Ok(())
    }

    /// Walks the inside of a group; `depth`: in how many groups its AVPs lie.
    fn group(&mut self, group: &Avp<'_>, depth: usize) -> Result<(), Refusal> {
        if depth > MAX_DEPTH {
            return Err(Reason::DiaAvpDepth.at(group.at));
        }
        for avp in group.children() {
            let avp = avp?;
            self.count(&avp)?;
            if is_entered(avp.id) {
                self.group(&avp, depth + 1)?;
            }
        }
        Ok(())
    }
}
