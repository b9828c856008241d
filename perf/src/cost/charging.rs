//! Credit-Control of Diameter (RFC 8506): what both our decoder and that of others read.

use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header, Message};

const CREDIT_CONTROL: u32 = 272;
/// Diameter Credit-Control application (Gy).
const GY: u32 = 4;
const AUTH_APPLICATION_ID: AvpId = AvpId::new(0, 258);
const CC_REQUEST_NUMBER: AvpId = AvpId::new(0, 415);
const CC_REQUEST_TYPE: AvpId = AvpId::new(0, 416);
const SUBSCRIPTION_ID: AvpId = AvpId::new(0, 443);
const SUBSCRIPTION_ID_DATA: AvpId = AvpId::new(0, 444);
const SUBSCRIPTION_ID_TYPE: AvpId = AvpId::new(0, 450);
const SERVICE_CONTEXT_ID: AvpId = AvpId::new(0, 461);

/// Messages that are read in turn.
pub const MESSAGES: u32 = 1024;

/// What is read from one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Command, application, and both identifiers.
    pub header: (u32, u32, u32, u32),
    /// Session-Id.
    pub session: &'a [u8],
    /// Origin-Host and Origin-Realm.
    pub origin: (&'a [u8], &'a [u8]),
    /// Destination-Realm.
    pub destination: &'a [u8],
    /// CC-Request-Type and CC-Request-Number.
    pub request: (u32, u32),
    /// The first Subscription-Id: type and data.
    pub subscription: (u32, &'a [u8]),
}

/// A Credit-Control-Request, each another one.
pub fn message(i: u32) -> Option<Vec<u8>> {
    let flags = Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0);
    let header =
        Header { flags, command: CREDIT_CONTROL, application: GY, hop_by_hop: i, end_to_end: i.wrapping_mul(7) };
    let (mut out, mut group) = (Vec::new(), Vec::new());
    let session = format!("pgw.epc.mnc002.mcc001.3gppnetwork.org;{i};{}", i.wrapping_mul(31));
    let subscriber = format!("99902{i:07}");
    let mut whole = diameter::emit_avp(SUBSCRIPTION_ID_TYPE, FLAG_MANDATORY, &0_u32.to_be_bytes(), &mut group)
        && diameter::emit_avp(SUBSCRIPTION_ID_DATA, FLAG_MANDATORY, subscriber.as_bytes(), &mut group);
    let start = diameter::begin(&header, &mut out);
    for (id, data) in [
        (AvpId::SESSION_ID, session.as_bytes()),
        (AvpId::ORIGIN_HOST, b"pgw.epc.mnc002.mcc001.3gppnetwork.org"),
        (AvpId::ORIGIN_REALM, b"epc.mnc002.mcc001.3gppnetwork.org"),
        (AvpId::DESTINATION_REALM, b"epc.mnc001.mcc001.3gppnetwork.org"),
        (AUTH_APPLICATION_ID, &GY.to_be_bytes()),
        (SERVICE_CONTEXT_ID, b"32251@3gpp.org"),
        (CC_REQUEST_TYPE, &1_u32.to_be_bytes()),
        (CC_REQUEST_NUMBER, &i.to_be_bytes()),
        (SUBSCRIPTION_ID, group.as_slice()),
    ] {
        whole &= diameter::emit_avp(id, FLAG_MANDATORY, data, &mut out);
    }
    (whole && diameter::finish(start, &mut out)).then_some(out)
}

/// Reads a message, checked as the gateway checks it.
#[inline(never)]
pub fn read(octets: &[u8]) -> Option<Reading<'_>> {
    let (mut kind, mut number) = (None, None);
    let (mut subscription, mut of, mut data) = (None, None, None);
    let message = Message::parse_each(octets, |group, avp| match (group, avp.id) {
        (None, CC_REQUEST_TYPE) => kind = avp.u32(),
        (None, CC_REQUEST_NUMBER) => number = avp.u32(),
        (None, SUBSCRIPTION_ID) if subscription.is_none() => subscription = Some(avp.at),
        (Some(group), SUBSCRIPTION_ID_TYPE) if subscription == Some(group.at) => of = avp.u32(),
        (Some(group), SUBSCRIPTION_ID_DATA) if subscription == Some(group.at) => data = Some(avp.data),
        _ => {}
    });
    let message = message.ok()?;
    let Header { command, application, hop_by_hop, end_to_end, .. } = message.header;
    Some(Reading {
        header: (command, application, hop_by_hop, end_to_end),
        session: message.session_id?,
        origin: (message.origin_host?, message.origin_realm?),
        destination: message.destination_realm?,
        request: (kind?, number?),
        subscription: (of?, data?),
    })
}
