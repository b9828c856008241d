//! Strict decoding: a message whose elements are walked to their ends, and the identities that screening asks for.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Ie, Ies, Version, View};
use crate::addr::Digits;
use crate::diameter::plmn;
use crate::{Reason, Refusal};

/// Groups in groups: bearer contexts stand in a PDN connection (TS 29.274 table 7.3.1-2).
const MAX_DEPTH: usize = 2;
/// Octets of an access point name (TS 23.003 §9).
const MAX_APN: usize = 100;

/// An access point name: labels with their lengths in front (TS 23.003 §9.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Apn<'a>(&'a [u8]);

impl<'a> Apn<'a> {
    /// `None` unless labels of 1 to 63 letters, digits, hyphens and underscores fill the octets: a dot inside of a label would
    /// make two of one.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut rest = octets;
        while let Some((&len, tail)) = rest.split_first() {
            let (label, tail) = tail.split_at_checked(usize::from(len))?;
            let sound = label.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
            if !sound || !(1..=63).contains(&len) {
                return None;
            }
            rest = tail;
        }
        (1..=MAX_APN).contains(&octets.len()).then_some(Self(octets))
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&len, tail) = rest.split_first()?;
            let (label, tail) = tail.split_at_checked(usize::from(len))?;
            rest = tail;
            Some(label)
        })
    }

    /// Appends the name with dots between its labels.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (i, label) in self.labels().enumerate() {
            if i > 0 {
                out.push(b'.');
            }
            out.extend_from_slice(label);
        }
    }
}

/// A routeing area identity (TS 29.060 §7.7.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rai {
    /// MCC and MNC, 5 or 6 digits.
    pub plmn: Digits,
    /// Location area code.
    pub lac: u16,
    /// Routeing area code.
    pub rac: u8,
}

/// A tunnel endpoint with its address (TS 29.274 §8.22).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FTeid {
    /// Interface type: what the tunnel is for.
    pub interface: u8,
    /// Tunnel endpoint.
    pub teid: u32,
    /// Its IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub v6: Option<Ipv6Addr>,
}

impl FTeid {
    /// `None` unless the octets are just those that the flags announce, with one address at least.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let (&[flags, t0, t1, t2, t3], rest) = octets.split_first_chunk()?;
        let (has_v4, has_v6) = (flags & 0x80 != 0, flags & 0x40 != 0);
        let (v4, rest) = match has_v4 {
            true => rest.split_first_chunk::<4>().map(|(octets, rest)| (Some(Ipv4Addr::from(*octets)), rest))?,
            false => (None, rest),
        };
        let (v6, rest) = match has_v6 {
            true => rest.split_first_chunk::<16>().map(|(octets, rest)| (Some(Ipv6Addr::from(*octets)), rest))?,
            false => (None, rest),
        };
        let whole = rest.is_empty() && (has_v4 || has_v6);
        whole.then_some(Self { interface: flags & 0x3f, teid: u32::from_be_bytes([t0, t1, t2, t3]), v4, v6 })
    }
}

/// One control message, walked to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// Header and elements.
    pub view: View<'a>,
    /// The subscriber, 6 to 15 digits.
    pub imsi: Option<Digits>,
    /// The subscriber's number, 1 to 15 digits, without nature and plan.
    pub msisdn: Option<Digits>,
    /// Access point name.
    pub apn: Option<Apn<'a>>,
    /// Network that serves the subscriber, MCC and MNC: Serving Network of version 2.
    pub serving_network: Option<Digits>,
    /// Routeing area of version 1.
    pub rai: Option<Rai>,
    /// Where the sender wants the answer: TEID Control Plane of version 1, F-TEID of instance 0 in version 2.
    pub sender_teid: Option<u32>,
    /// Cause of the message, not of a bearer in it.
    pub cause: Option<u8>,
    /// Enterprise number of the first Private Extension (TS 29.060 §7.7.46, TS 29.274 §8.67).
    pub extension: Option<u16>,
}

/// Elements of one run that may stand there once, by number below and instance.
#[derive(Default)]
struct Seen(u128);

impl Seen {
    /// `false` if it was seen before.
    fn first(&mut self, place: u8, instance: u8) -> bool {
        let bit = 1_u128 << (u32::from(place & 7) * 16 + u32::from(instance & 15));
        let first = self.0 & bit == 0;
        self.0 |= bit;
        first
    }
}

impl<'a> Message<'a> {
    /// Walks all elements of a message to the ends of their groups.
    ///
    /// # Errors
    /// [`Reason::GtpIe`]: an element that is cut, out of its place (version 1), of unknown extent, or not of its form; a second
    /// one of those that name somebody: one receiver takes the first, another the last. [`Reason::GtpType`]: no name.
    pub fn of(view: View<'a>) -> Result<Self, Refusal> {
        let mut message = Self {
            view,
            imsi: None,
            msisdn: None,
            apn: None,
            serving_network: None,
            rai: None,
            sender_teid: None,
            cause: None,
            extension: None,
        };
        if view.name().is_none() {
            return Err(Reason::GtpType.at(view.at + 1));
        }
        message.walk(view.ies(), 0)?;
        Ok(message)
    }

    /// One message that fills `octets`.
    ///
    /// # Errors
    /// Those of [`View::split`] and [`Message::of`]; [`Reason::GtpLength`] if another one follows.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let (view, rest) = View::split(octets, 0)?;
        if !rest.is_empty() {
            return Err(Reason::GtpLength.at(view.total_len()));
        }
        Self::of(view)
    }

    fn walk(&mut self, ies: Ies<'a>, depth: usize) -> Result<(), Refusal> {
        let mut seen = Seen::default();
        for ie in ies {
            let ie = ie?;
            let sound = match ie.version {
                Version::V1 => self.v1(&ie, &mut seen),
                Version::V2 => self.v2(&ie, depth, &mut seen),
            };
            sound.ok_or(Reason::GtpIe.at(ie.at))?;
            if ie.is_group() {
                if depth == MAX_DEPTH {
                    return Err(Reason::GtpIe.at(ie.at));
                }
                self.walk(ie.children(), depth + 1)?;
            }
        }
        Ok(())
    }

    /// `None` if it is not of its form, or stands there twice.
    fn v1(&mut self, ie: &Ie<'a>, seen: &mut Seen) -> Option<()> {
        let place = match ie.kind {
            1 => {
                self.cause = Some(*ie.value.first()?);
                0
            }
            2 => {
                self.imsi = Some(imsi(ie.value)?);
                1
            }
            3 => {
                let &[a, b, c, l0, l1, rac] = ie.value.first_chunk()?;
                self.rai = Some(Rai { plmn: plmn(&[a, b, c])?, lac: u16::from_be_bytes([l0, l1]), rac });
                2
            }
            17 => {
                self.sender_teid = Some(u32::from_be_bytes(*ie.value.first_chunk()?));
                3
            }
            131 => {
                self.apn = Some(Apn::parse(ie.value)?);
                4
            }
            134 => {
                // Nature and plan in front (TS 29.060 §7.7.33, TS 29.002 ISDN-AddressString).
                let (_, number) = ie.value.split_first()?;
                self.msisdn = Some(msisdn(number)?);
                5
            }
            133 => return gsn_address(ie.value).map(drop),
            255 => return self.private(ie),
            _ => return Some(()),
        };
        seen.first(place, 0).then_some(())
    }

    /// The same of version 2.
    fn v2(&mut self, ie: &Ie<'a>, depth: usize, seen: &mut Seen) -> Option<()> {
        let (top, first) = (depth == 0, ie.instance == 0);
        // Of a bearer or a connection in a list they say nothing about the message.
        let keep = top && first;
        let place = match ie.kind {
            1 => {
                let digits = imsi(ie.value)?;
                self.imsi = if keep { Some(digits) } else { self.imsi };
                0
            }
            2 => {
                // The offending element stands behind, or nothing does (TS 29.274 §8.4).
                let (&cause, _) = ie.value.split_first()?;
                if !matches!(ie.value.len(), 2 | 6) {
                    return None;
                }
                self.cause = if keep { Some(cause) } else { self.cause };
                1
            }
            71 => {
                let apn = Apn::parse(ie.value)?;
                self.apn = if keep { Some(apn) } else { self.apn };
                2
            }
            76 => {
                let digits = msisdn(ie.value)?;
                self.msisdn = if keep { Some(digits) } else { self.msisdn };
                3
            }
            83 => {
                let network = plmn(ie.value)?;
                self.serving_network = if keep { Some(network) } else { self.serving_network };
                4
            }
            87 => {
                let endpoint = FTeid::parse(ie.value)?;
                self.sender_teid = if keep { Some(endpoint.teid) } else { self.sender_teid };
                5
            }
            255 => return self.private(ie),
            _ => return Some(()),
        };
        seen.first(place, ie.instance).then_some(())
    }

    fn private(&mut self, ie: &Ie<'a>) -> Option<()> {
        let number = u16::from_be_bytes(*ie.value.first_chunk()?);
        self.extension.get_or_insert(number);
        Some(())
    }

    /// Network of the sender's side as the message claims it: Serving Network, or that of the routeing area.
    pub fn network(&self) -> Option<Digits> {
        self.serving_network.or(self.rai.map(|rai| rai.plmn))
    }

    /// Where answers shall go as the message says: the first GSN Address of version 1, which is that of the control plane
    /// (TS 29.060 tables 5 to 8), and the endpoints of version 2 for control between gateways (TS 29.274 §8.22, interface types 6
    /// and 7), outside of groups. Not: who shall be asked next, whom a mobility node names beside itself (TS 29.274 table
    /// 7.2.1-1, instance 1).
    pub fn sender_addresses(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        const CREATE_SESSION: u8 = 32;
        let asks = (self.view.version, self.view.kind.0) == (Version::V2, CREATE_SESSION);
        let mut ies = self.view.ies().flatten();
        let first = ies.find(|ie| (ie.version, ie.kind) == (Version::V1, 133)).and_then(|ie| gsn_address(ie.value));
        let own = self.endpoints().filter(move |(instance, _)| *instance == 0 || !asks).map(|(_, endpoint)| endpoint);
        let control = own.filter(|endpoint| matches!(endpoint.interface, 6 | 7));
        let theirs =
            control.flat_map(|endpoint| [endpoint.v4.map(IpAddr::from), endpoint.v6.map(IpAddr::from)]).flatten();
        first.into_iter().chain(theirs)
    }

    /// Endpoints of the control plane that the message gives out: of version 1 the TEID Control Plane at each GSN Address, of
    /// version 2 those of the interfaces between gateways and mobility nodes (TS 29.274 §8.22), outside of groups.
    ///
    /// * `sender`: where the message comes from, which version 1 need not say
    pub fn given(&self, sender: IpAddr) -> impl Iterator<Item = (IpAddr, u32)> + use<'a> {
        let v1 = self.sender_teid.filter(|_| self.view.version == Version::V1);
        let view = self.view;
        let addresses = move || view.ies().flatten().filter(|ie| (ie.version, ie.kind) == (Version::V1, 133));
        let unnamed = v1.filter(|_| addresses().next().is_none()).map(|teid| (sender, teid));
        let named = addresses().filter_map(move |ie| Some((gsn_address(ie.value)?, v1?)));
        let control = |endpoint: &FTeid| matches!(endpoint.interface, 6 | 7 | 10..=14 | 17 | 18 | 30 | 32 | 35 | 36);
        let v2 = self.endpoints().map(|(_, endpoint)| endpoint).filter(control).flat_map(|endpoint| {
            let addresses = [endpoint.v4.map(IpAddr::from), endpoint.v6.map(IpAddr::from)];
            addresses.into_iter().flatten().map(move |address| (address, endpoint.teid))
        });
        unnamed.into_iter().chain(named).chain(v2).filter(|(_, teid)| *teid != 0)
    }

    /// Whether an answer says yes: of version 1 causes 128 to 191 (TS 29.060 §7.7.1), of version 2 16 to 63 (TS 29.274 §8.4).
    pub fn is_accepted(&self) -> bool {
        match self.view.version {
            Version::V1 => self.cause.is_some_and(|cause| (128..=191).contains(&cause)),
            Version::V2 => self.cause.is_some_and(|cause| (16..=63).contains(&cause)),
        }
    }

    /// The context of version 1 that it speaks of: its first NSAPI, from 5 on (TS 29.060 §7.7.17).
    pub fn nsapi(&self) -> Option<u8> {
        let mut ies = self.view.ies().flatten();
        let ie = ies.find(|ie| (ie.version, ie.kind) == (Version::V1, 20))?;
        ie.value.first().map(|octet| octet & 15).filter(|nsapi| *nsapi >= 5)
    }

    /// Whether it wants a tunnel to end with all that uses it: Delete PDP Context Request of one context, Delete Session Request,
    /// and Delete Bearer Request of the default bearer, which it then names outside of groups (TS 29.274 table 7.2.9.2-1).
    pub fn ends(&self) -> bool {
        match (self.view.version, self.view.kind.0) {
            (Version::V1, 20) | (Version::V2, 36) => true,
            (Version::V2, 99) => self.view.ies().flatten().any(|ie| (ie.kind, ie.instance) == (73, 0)),
            _ => false,
        }
    }

    /// Tunnel endpoints of version 2 outside of groups, with their instance.
    pub fn endpoints(&self) -> impl Iterator<Item = (u8, FTeid)> + use<'a> {
        let ies = self.view.ies().flatten().filter(|ie| (ie.version, ie.kind) == (Version::V2, 87));
        ies.filter_map(|ie| Some((ie.instance, FTeid::parse(ie.value)?)))
    }
}

/// A GSN Address (TS 29.060 §7.7.32).
fn gsn_address(octets: &[u8]) -> Option<IpAddr> {
    let v6 = || <[u8; 16]>::try_from(octets).ok().map(IpAddr::from);
    <[u8; 4]>::try_from(octets).ok().map(IpAddr::from).or_else(v6)
}

/// Digits in TBCD, filled up with `F` at the end and nowhere else.
fn tbcd(octets: &[u8]) -> Option<Digits> {
    let nibbles = octets.iter().flat_map(|octet| [octet & 15, octet >> 4]);
    let count = nibbles.clone().take_while(|nibble| *nibble < 10).count();
    let filled = nibbles.skip(count).all(|nibble| nibble == 15);
    if filled { Digits::from_nibbles(octets, count) } else { None }
}

/// MCC, MNC and at least one digit more, at most 15 (TS 23.003 §2.2).
fn imsi(octets: &[u8]) -> Option<Digits> {
    tbcd(octets).filter(|digits| octets.len() <= 8 && (6..=15).contains(&digits.len()))
}

/// At most 15 digits (E.164 §6).
fn msisdn(octets: &[u8]) -> Option<Digits> {
    tbcd(octets).filter(|digits| (1..=15).contains(&digits.len()))
}

/// All messages of one datagram: one, or in version 2 an answer and the next request behind it (TS 29.274 §5.5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// The first, and mostly the only one.
    pub first: Message<'a>,
    /// The one that it carries.
    pub second: Option<Message<'a>>,
}

impl<'a> Datagram<'a> {
    /// Reads all of a datagram.
    ///
    /// # Errors
    /// Those of [`View::split`] and [`Message::of`]; [`Reason::GtpLength`] for a third message.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let (view, rest) = View::split(octets, 0)?;
        let first = Message::of(view)?;
        if rest.is_empty() {
            return Ok(Self { first, second: None });
        }
        let at = view.total_len();
        let (view, rest) = View::split(rest, at)?;
        if view.version != Version::V2 {
            return Err(Reason::GtpVersion.at(at));
        }
        if !rest.is_empty() {
            return Err(Reason::GtpLength.at(at + view.total_len()));
        }
        Ok(Self { first, second: Some(Message::of(view)?) })
    }

    /// The messages in their order.
    pub fn messages(&self) -> impl Iterator<Item = &Message<'a>> {
        core::iter::once(&self.first).chain(&self.second)
    }
}
