//! Arguments for tests, demonstrations and load; each appends one whole parameter element.

use crate::addr::Digits;
use crate::ber::{put_integer, put_tlv, put_with};

const INTERNATIONAL_E164: u8 = 0x91;

fn imsi(tag: u8, digits: &Digits, out: &mut Vec<u8>) {
    put_with(tag, out, |out| digits.write_packed(0x0f, out));
}

fn number(tag: u8, digits: &Digits, out: &mut Vec<u8>) {
    put_with(tag, out, |out| {
        out.push(INTERNATIONAL_E164);
        digits.write_packed(0x0f, out);
    });
}

/// updateLocation, versions 2 and 3.
pub fn update_location(subscriber: &Digits, msc: &Digits, vlr: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        imsi(0x04, subscriber, out);
        number(0x81, msc, out);
        number(0x04, vlr, out);
    });
}

/// Result of updateLocation.
pub fn update_location_result(hlr: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| number(0x04, hlr, out));
}

/// cancelLocation, version 3.
pub fn cancel_location(subscriber: &Digits, out: &mut Vec<u8>) {
    put_with(0xa3, out, |out| imsi(0x04, subscriber, out));
}

/// insertSubscriberData with identities only.
pub fn insert_subscriber_data(subscriber: &Digits, msisdn: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        imsi(0x80, subscriber, out);
        number(0x81, msisdn, out);
    });
}

/// sendRoutingInfoForSM with delivery priority.
pub fn send_routing_info_for_sm(msisdn: &Digits, centre: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        number(0x80, msisdn, out);
        put_tlv(0x81, &[0xff], out);
        number(0x82, centre, out);
    });
}

/// Result of sendRoutingInfoForSM.
pub fn send_routing_info_for_sm_result(subscriber: &Digits, msc: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        imsi(0x04, subscriber, out);
        put_with(0xa0, out, |out| number(0x81, msc, out));
    });
}

/// anyTimeInterrogation for location and state.
pub fn any_time_interrogation(subscriber: &Digits, gsm_scf: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        put_with(0xa0, out, |out| imsi(0x80, subscriber, out));
        put_tlv(0xa1, &[0x80, 0x00, 0x81, 0x00], out);
        number(0x83, gsm_scf, out);
    });
}

/// sendAuthenticationInfo, version 3, for this many vectors.
pub fn send_authentication_info(subscriber: &Digits, vectors: u8, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        imsi(0x80, subscriber, out);
        put_integer(i32::from(vectors), out);
    });
}

/// mt-ForwardSM with this short message (TS 23.040 TPDU).
pub fn mt_forward_sm(subscriber: &Digits, centre: &Digits, tpdu: &[u8], out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        imsi(0x80, subscriber, out);
        number(0x84, centre, out);
        put_tlv(0x04, tpdu, out);
    });
}

/// purgeMS, version 3, from a VLR.
pub fn purge_ms(subscriber: &Digits, vlr: &Digits, out: &mut Vec<u8>) {
    put_with(0xa3, out, |out| {
        imsi(0x04, subscriber, out);
        number(0x80, vlr, out);
    });
}
