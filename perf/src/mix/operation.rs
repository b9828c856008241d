//! The operations that messages invoke: who asks whom, and with what argument. What has no TCAP is composed elsewhere.

use sealgate_wire::addr::{Digits, Ssn};
use sealgate_wire::ber::{put_tlv, put_with};
use sealgate_wire::diameter::dictionary;
use sealgate_wire::{cap, isup, map, tcap};

use super::s6a;

/// What carries a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Protocol {
    /// TCAP over SCCP and M3UA.
    Tcap,
    /// Diameter over SCTP.
    Diameter,
    /// SIP over UDP.
    Sip,
    /// ISUP over M3UA.
    Isup,
}

impl Protocol {
    /// Those that have links of their own, each in its own place.
    pub const CARRIERS: [Protocol; 3] = [Protocol::Tcap, Protocol::Diameter, Protocol::Sip];

    /// Whose links carry it.
    pub const fn carrier(self) -> Protocol {
        match self {
            Protocol::Tcap | Protocol::Isup => Protocol::Tcap,
            Protocol::Diameter => Protocol::Diameter,
            Protocol::Sip => Protocol::Sip,
        }
    }
}

/// An operation of MAP (TS 29.002) or CAP (TS 29.078) that opens a dialogue, a command of S6a (TS 29.272), a call,
/// or another request of SIP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Operation {
    /// MAP, a subscriber has arrived.
    UpdateLocation,
    /// MAP, vectors to authenticate a subscriber.
    SendAuthenticationInfo,
    /// MAP, a subscriber has left.
    CancelLocation,
    /// MAP, what a subscriber may do.
    InsertSubscriberData,
    /// MAP, a subscriber was forgotten.
    PurgeMs,
    /// MAP, where to send a short message.
    SendRoutingInfoForSm,
    /// MAP, a short message to a mobile.
    MtForwardSm,
    /// MAP, a short message from a mobile.
    MoForwardSm,
    /// MAP, USSD from a mobile.
    ProcessUnstructuredSs,
    /// MAP, USSD to a mobile.
    UnstructuredSs,
    /// CAP, a call asks what to do.
    InitialDp,
    /// Diameter, a subscriber has arrived.
    S6aUpdateLocation,
    /// Diameter, vectors to authenticate a subscriber.
    S6aAuthenticationInformation,
    /// ISUP, a call.
    Iam,
    /// SIP, a call.
    Invite,
    /// SIP, what somebody is capable of.
    Options,
    /// SIP, the end of a call.
    Bye,
}

/// Whose subscriber a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// Of the one that is asked.
    Asked,
    /// Of the one that asks.
    Asking,
}

/// Who speaks of whom in an argument.
pub(super) struct Story<'a> {
    /// The node that speaks.
    pub(super) own: &'a Digits,
    /// The node that is spoken to.
    pub(super) other: &'a Digits,
    pub(super) imsi: &'a Digits,
    pub(super) msisdn: &'a Digits,
    /// Octets of text in a short message.
    pub(super) sms_octets: usize,
}

const HLR: Ssn = Ssn::HLR;
const VLR: Ssn = Ssn::VLR;
const MSC: Ssn = Ssn::MSC;
/// CAP (TS 23.003 §8).
const CAP: Ssn = Ssn(146);

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 17] = [
        Operation::UpdateLocation,
        Operation::SendAuthenticationInfo,
        Operation::CancelLocation,
        Operation::InsertSubscriberData,
        Operation::PurgeMs,
        Operation::SendRoutingInfoForSm,
        Operation::MtForwardSm,
        Operation::MoForwardSm,
        Operation::ProcessUnstructuredSs,
        Operation::UnstructuredSs,
        Operation::InitialDp,
        Operation::S6aUpdateLocation,
        Operation::S6aAuthenticationInformation,
        Operation::Iam,
        Operation::Invite,
        Operation::Options,
        Operation::Bye,
    ];

    /// What carries it.
    pub const fn protocol(self) -> Protocol {
        match self {
            Operation::S6aUpdateLocation | Operation::S6aAuthenticationInformation => Protocol::Diameter,
            Operation::Iam => Protocol::Isup,
            Operation::Invite | Operation::Options | Operation::Bye => Protocol::Sip,
            _ => Protocol::Tcap,
        }
    }

    /// Whether the other side answers it.
    pub(super) const fn is_answered(self) -> bool {
        matches!(self.protocol(), Protocol::Tcap | Protocol::Diameter)
    }

    /// Whether it passes without a signature whatever a policy says.
    pub(super) const fn is_exempt(self) -> bool {
        matches!(self, Operation::Options | Operation::Bye)
    }

    /// Its code in its protocol.
    pub const fn code(self) -> i32 {
        match self {
            Operation::UpdateLocation => 2,
            Operation::SendAuthenticationInfo => 56,
            Operation::CancelLocation => 3,
            Operation::InsertSubscriberData => 7,
            Operation::PurgeMs => 67,
            Operation::SendRoutingInfoForSm => 45,
            Operation::MtForwardSm => 44,
            Operation::MoForwardSm => 46,
            Operation::ProcessUnstructuredSs => 59,
            Operation::UnstructuredSs => 60,
            Operation::InitialDp => 0,
            Operation::S6aUpdateLocation => 316,
            Operation::S6aAuthenticationInformation => 318,
            Operation::Iam => isup::IAM as i32,
            Operation::Invite | Operation::Options | Operation::Bye => 0, // methods are words
        }
    }

    /// True for MAP, false for CAP and what has no TCAP.
    pub const fn is_map(self) -> bool {
        !matches!(self, Operation::InitialDp) && matches!(self.protocol(), Protocol::Tcap)
    }

    /// Its name in its protocol.
    pub fn name(self) -> &'static str {
        let code = self.code();
        let name = match self.protocol() {
            Protocol::Tcap if self.is_map() => map::operation_name(code),
            Protocol::Tcap => cap::operation_name(code),
            Protocol::Diameter => {
                let command = dictionary::application(s6a::S6A).and_then(|s6a| s6a.command(code as u32));
                command.map(|command| command.name)
            }
            Protocol::Isup => Some("IAM"),
            Protocol::Sip => Some(match self {
                Operation::Options => "OPTIONS",
                Operation::Bye => "BYE",
                _ => "INVITE",
            }),
        };
        name.unwrap_or("")
    }

    /// Its key in a profile.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Operation::UpdateLocation => "operations.updateLocation",
            Operation::SendAuthenticationInfo => "operations.sendAuthenticationInfo",
            Operation::CancelLocation => "operations.cancelLocation",
            Operation::InsertSubscriberData => "operations.insertSubscriberData",
            Operation::PurgeMs => "operations.purgeMS",
            Operation::SendRoutingInfoForSm => "operations.sendRoutingInfoForSM",
            Operation::MtForwardSm => "operations.mt-ForwardSM",
            Operation::MoForwardSm => "operations.mo-ForwardSM",
            Operation::ProcessUnstructuredSs => "operations.processUnstructuredSS-Request",
            Operation::UnstructuredSs => "operations.unstructuredSS-Request",
            Operation::InitialDp => "operations.initialDP",
            Operation::S6aUpdateLocation => "operations.Update-Location",
            Operation::S6aAuthenticationInformation => "operations.Authentication-Information",
            Operation::Iam => "operations.IAM",
            Operation::Invite => "operations.INVITE",
            Operation::Options => "operations.OPTIONS",
            Operation::Bye => "operations.BYE",
        }
    }

    /// The last two arcs of its application context (TS 29.002 §17.3; CAP phase 2: TS 09.78).
    pub(super) const fn context(self) -> [u8; 2] {
        match self {
            Operation::UpdateLocation => [1, 3],
            Operation::SendAuthenticationInfo => [14, 3],
            Operation::CancelLocation => [2, 3],
            Operation::InsertSubscriberData => [16, 3],
            Operation::PurgeMs => [27, 3],
            Operation::SendRoutingInfoForSm => [20, 3],
            Operation::MtForwardSm => [25, 3],
            Operation::MoForwardSm => [21, 3],
            Operation::ProcessUnstructuredSs | Operation::UnstructuredSs => [19, 2],
            Operation::InitialDp => [50, 1],
            Operation::S6aUpdateLocation | Operation::S6aAuthenticationInformation => [0, 0], // none
            Operation::Iam | Operation::Invite | Operation::Options | Operation::Bye => [0, 0],
        }
    }

    /// Subsystems of the one that asks and of the one that is asked.
    pub(super) const fn parties(self) -> (Ssn, Ssn) {
        match self {
            Operation::UpdateLocation
            | Operation::SendAuthenticationInfo
            | Operation::PurgeMs
            | Operation::ProcessUnstructuredSs
            | Operation::S6aUpdateLocation
            | Operation::S6aAuthenticationInformation => (VLR, HLR),
            Operation::CancelLocation | Operation::InsertSubscriberData | Operation::UnstructuredSs => (HLR, VLR),
            Operation::SendRoutingInfoForSm => (MSC, HLR),
            Operation::MtForwardSm | Operation::MoForwardSm | Operation::Iam => (MSC, MSC),
            Operation::Invite | Operation::Options | Operation::Bye => (MSC, MSC),
            Operation::InitialDp => (CAP, CAP),
        }
    }

    /// Home registers speak to visited networks of their own subscribers only.
    pub(super) const fn whose(self) -> Whose {
        match self {
            Operation::CancelLocation
            | Operation::InsertSubscriberData
            | Operation::UnstructuredSs
            | Operation::MtForwardSm => Whose::Asking,
            _ => Whose::Asked,
        }
    }

    /// Appends the component that asks.
    pub(super) fn question(self, invoke: u8, story: &Story<'_>, out: &mut Vec<u8>) {
        let mut argument = Vec::new();
        self.argument(story, &mut argument);
        tcap::emit_invoke(invoke, self.code(), &argument, out);
    }

    /// Appends the component that answers: a result, or what a service control says to a call.
    pub(super) fn answer(self, invoke: u8, story: &Story<'_>, out: &mut Vec<u8>) {
        const CONTINUE: i32 = 31; // TS 29.078 §6.1.11
        let mut result = Vec::new();
        match self {
            Operation::InitialDp => return tcap::emit_invoke(invoke + 1, CONTINUE, &[], out),
            Operation::UpdateLocation => map::update_location_result(story.own, &mut result),
            Operation::SendAuthenticationInfo => quintuplet(&mut result),
            Operation::SendRoutingInfoForSm => {
                map::send_routing_info_for_sm_result(story.imsi, story.own, &mut result);
            }
            Operation::ProcessUnstructuredSs | Operation::UnstructuredSs => put_with(0x30, &mut result, ussd_text),
            // What is done has nothing to say.
            Operation::CancelLocation
            | Operation::InsertSubscriberData
            | Operation::PurgeMs
            | Operation::MtForwardSm
            | Operation::MoForwardSm
            | Operation::S6aUpdateLocation
            | Operation::S6aAuthenticationInformation
            | Operation::Iam
            | Operation::Invite
            | Operation::Options
            | Operation::Bye => {}
        }
        tcap::emit_result_last(invoke, self.code(), &result, out);
    }

    /// Appends its argument, one whole element.
    fn argument(self, story: &Story<'_>, out: &mut Vec<u8>) {
        let &Story { own, other, imsi, msisdn, sms_octets } = story;
        match self {
            Operation::UpdateLocation => map::update_location(imsi, own, own, out),
            Operation::SendAuthenticationInfo => map::send_authentication_info(imsi, 3, out),
            Operation::CancelLocation => map::cancel_location(imsi, out),
            Operation::InsertSubscriberData => map::insert_subscriber_data(imsi, msisdn, out),
            Operation::PurgeMs => map::purge_ms(imsi, own, out),
            Operation::SendRoutingInfoForSm => map::send_routing_info_for_sm(msisdn, own, out),
            Operation::MtForwardSm => map::mt_forward_sm(imsi, own, &deliver(msisdn, sms_octets), out),
            Operation::MoForwardSm => mo_forward_sm(other, msisdn, &submit(msisdn, sms_octets), out),
            Operation::ProcessUnstructuredSs | Operation::UnstructuredSs => ussd(msisdn, out),
            Operation::InitialDp => initial_dp(own, imsi, msisdn, out),
            Operation::S6aUpdateLocation | Operation::S6aAuthenticationInformation | Operation::Iam => {} // no TCAP
            Operation::Invite | Operation::Options | Operation::Bye => {}
        }
    }
}

/// Nature of address international, numbering plan E.164, in MAP and SMS.
const INTERNATIONAL: u8 = 0x91;
/// Called and calling number in ISUP: nature international, then plan E.164; the caller's was verified by the network.
const CALLED: [u8; 8] = [0x04, 0x10, 0x99, 0x09, 0x03, 0x02, 0x10, 0x00]; // 999030200100
const ISUP_CALLING: [u8; 2] = [0x04, 0x13];

fn numbered(tag: u8, front: &[u8], digits: &Digits, out: &mut Vec<u8>) {
    put_with(tag, out, |out| {
        out.extend_from_slice(front);
        digits.write_packed(0x0f, out);
    });
}

/// An element whose tag has a second octet.
fn put_high(tags: [u8; 2], value: &[u8], out: &mut Vec<u8>) {
    let [first, second] = tags;
    out.push(first);
    put_tlv(second, value, out);
}

/// mo-ForwardSM: to our centre, from a subscriber.
fn mo_forward_sm(centre: &Digits, msisdn: &Digits, tpdu: &[u8], out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        numbered(0x84, &[INTERNATIONAL], centre, out);
        numbered(0x82, &[INTERNATIONAL], msisdn, out);
        put_tlv(0x04, tpdu, out);
    });
}

/// A USSD string of the default alphabet: `*100#`.
fn ussd_text(out: &mut Vec<u8>) {
    put_tlv(0x04, &[0x0f], out);
    put_tlv(0x04, &[0xaa, 0x18, 0x0c, 0x36, 0x02], out);
}

/// The same and whose mobile it is.
fn ussd(msisdn: &Digits, out: &mut Vec<u8>) {
    put_with(0x30, out, |out| {
        ussd_text(out);
        numbered(0x80, &[INTERNATIONAL], msisdn, out);
    });
}

/// Result of sendAuthenticationInfo, version 3: RAND, XRES, CK, IK and AUTN of one vector (TS 29.002 §17.7.1).
fn quintuplet(out: &mut Vec<u8>) {
    put_with(0xa3, out, |out| {
        put_with(0xa1, out, |out| {
            put_with(0x30, out, |out| {
                for (octet, len) in [(0x5a, 16), (0x0f, 8), (0xc3, 16), (0x96, 16), (0x69, 16)] {
                    put_tlv(0x04, &vec![octet; len], out);
                }
            });
        });
    });
}

/// initialDP of a mobile originated call that has its digits (TS 29.078 §6.1.1; tags above 30 have two octets).
fn initial_dp(msc: &Digits, imsi: &Digits, msisdn: &Digits, out: &mut Vec<u8>) {
    let (mut subscriber, mut address, mut location) = (Vec::new(), vec![INTERNATIONAL], Vec::new());
    imsi.write_packed(0x0f, &mut subscriber);
    msc.write_packed(0x0f, &mut address);
    put_tlv(0x02, &[0], &mut location); // age of the location: minutes
    put_tlv(0x81, &address, &mut location); // VLR number
    put_with(0x30, out, |out| {
        put_tlv(0x80, &[100], out); // service key
        put_tlv(0x82, &CALLED, out);
        numbered(0x83, &ISUP_CALLING, msisdn, out);
        put_tlv(0x85, &[0x0a], out); // ordinary subscriber
        put_with(0xbb, out, |out| put_tlv(0x80, &[0x80, 0x90, 0xa3], out)); // bearer: speech
        put_tlv(0x9c, &[2], out); // event: collected info
        put_high([0x9f, 0x32], &subscriber, out);
        put_high([0xbf, 0x34], &location, out);
        put_high([0xbf, 0x35], &[0x83, 1, 0x11], out); // teleservice: telephony
        put_high([0x9f, 0x36], &[0x5e, 0xa1, 0x9a, 0x7e], out); // call reference
        put_high([0x9f, 0x37], &address, out);
        put_high([0x9f, 0x39], &[0x02, 0x62, 0x11, 0x82, 0x02, 0x00, 0x00, 0x00], out); // time and zone
    });
}

/// The telephone number of a short message: digits, nature, packed.
fn sms_number(digits: &Digits, out: &mut Vec<u8>) {
    out.extend_from_slice(&[digits.len() as u8, INTERNATIONAL]);
    digits.write_packed(0x0f, out);
}

/// Protocol identifier 0, and eight-bit data: what is said is as long as it is.
const PLAIN_DATA: [u8; 2] = [0x00, 0x04];

fn sms_text(octets: usize, out: &mut Vec<u8>) {
    out.push(octets as u8);
    out.extend(b"The quick brown fox jumps over the lazy dog. ".iter().cycle().take(octets));
}

/// SMS-DELIVER (TS 23.040 §9.2.2.1), no more to send.
fn deliver(from: &Digits, octets: usize) -> Vec<u8> {
    let mut tpdu = vec![0x04];
    sms_number(from, &mut tpdu);
    tpdu.extend_from_slice(&PLAIN_DATA);
    tpdu.extend_from_slice(&[0x62, 0x11, 0x82, 0x02, 0x00, 0x00, 0x00]); // 2026-11-28
    sms_text(octets, &mut tpdu);
    tpdu
}

/// SMS-SUBMIT (TS 23.040 §9.2.2.2) without validity period.
fn submit(to: &Digits, octets: usize) -> Vec<u8> {
    let mut tpdu = vec![0x01, 0x00];
    sms_number(to, &mut tpdu);
    tpdu.extend_from_slice(&PLAIN_DATA);
    sms_text(octets, &mut tpdu);
    tpdu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_name_and_belongs_to_its_context() {
        for operation in Operation::ALL {
            assert_eq!(operation.key(), format!("operations.{}", operation.name()));
            let [number, version] = operation.context();
            let oid = [4, 0, 0, 1, 0, number, version];
            if operation.protocol() != Protocol::Tcap {
                continue;
            }
            if operation.is_map() {
                let context = map::context(&oid).expect("a context of MAP");
                assert!(context.operations.iter().any(|code| i32::from(*code) == operation.code()), "{operation:?}");
            } else {
                assert!(cap::context(&oid).is_some(), "{operation:?}");
            }
        }
    }
}
