//! What traffic is made of, read from a file.

mod read;

use serde::Deserialize;

use super::operation::{Operation, Protocol};
use super::shape::Shape;

/// A mix of traffic. What a file leaves out is as in [`Profile::default`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// Of everything that is random: one seed, one sequence of octets.
    pub seed: u64,
    /// Other operators, 1 to 10,000.
    pub peers: u32,
    /// Their keys: several share one where there are fewer than peers. 0: one each.
    pub keys: u32,
    /// Prefixes of Global Titles in the policy, over all peers; at most 1,000,000. 0: one each.
    pub prefixes: u32,
    /// Neighbours in each protocol that has a share, 1 to 1,000.
    pub links: u16,
    /// Associations of each link, or flows of one of SIP; at most 1,024 on all links of all protocols together.
    pub associations: u16,
    /// What peers' messages need to pass.
    pub mode: Mode,
    /// Whether the gateway signs what our network sends.
    pub sign_outbound: bool,
    /// Share of packets that our own network sends.
    pub outbound: f64,
    /// Share of messages that answer what the other side asked, as far as there are questions; at most half, since each
    /// question is answered once.
    pub answers: f64,
    /// Share of packets that carry 2 to 8 messages, as many as fit into 1500 octets; over SCTP.
    pub bundled: f64,
    /// Share of messages in XUDT instead of UDT. What is too long for either is in LUDT.
    pub xudt: f64,
    /// Octets of text in a short message, 1 to 140.
    pub sms_octets: u8,
    /// What messages ask for.
    pub operations: Operations,
    /// What is right or wrong with messages from other operators.
    pub judgement: Judgement,
    /// How the rate lies over time.
    pub rate: Shape,
}

/// What peers' messages need to pass (formats 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A good signature.
    Require,
    /// No bad signature.
    Prefer,
}

impl Mode {
    /// As policies write it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Mode::Require => "require",
            Mode::Prefer => "prefer",
        }
    }
}

/// Shares of operations; they add up to 1, and what is left out is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Operations {
    /// MAP, a subscriber has arrived.
    #[serde(rename = "updateLocation")]
    pub update_location: f64,
    /// MAP, vectors to authenticate a subscriber.
    #[serde(rename = "sendAuthenticationInfo")]
    pub send_authentication_info: f64,
    /// MAP, a subscriber has left.
    #[serde(rename = "cancelLocation")]
    pub cancel_location: f64,
    /// MAP, what a subscriber may do.
    #[serde(rename = "insertSubscriberData")]
    pub insert_subscriber_data: f64,
    /// MAP, a subscriber was forgotten.
    #[serde(rename = "purgeMS")]
    pub purge_ms: f64,
    /// MAP, where to send a short message.
    #[serde(rename = "sendRoutingInfoForSM")]
    pub send_routing_info_for_sm: f64,
    /// MAP, a short message to a mobile.
    #[serde(rename = "mt-ForwardSM")]
    pub mt_forward_sm: f64,
    /// MAP, a short message from a mobile.
    #[serde(rename = "mo-ForwardSM")]
    pub mo_forward_sm: f64,
    /// MAP, USSD from a mobile.
    #[serde(rename = "processUnstructuredSS-Request")]
    pub process_unstructured_ss: f64,
    /// MAP, USSD to a mobile.
    #[serde(rename = "unstructuredSS-Request")]
    pub unstructured_ss: f64,
    /// CAP, a call asks what to do.
    #[serde(rename = "initialDP")]
    pub initial_dp: f64,
    /// Diameter (S6a), a subscriber has arrived.
    #[serde(rename = "Update-Location")]
    pub s6a_update_location: f64,
    /// Diameter (S6a), vectors to authenticate a subscriber.
    #[serde(rename = "Authentication-Information")]
    pub s6a_authentication_information: f64,
    /// ISUP, a call.
    #[serde(rename = "IAM")]
    pub iam: f64,
    /// SIP, a call.
    #[serde(rename = "INVITE")]
    pub invite: f64,
    /// SIP, what somebody is capable of: passes unsigned.
    #[serde(rename = "OPTIONS")]
    pub options: f64,
    /// SIP, the end of a call: passes unsigned.
    #[serde(rename = "BYE")]
    pub bye: f64,
}

impl Operations {
    /// The share of one.
    pub const fn share(&self, operation: Operation) -> f64 {
        match operation {
            Operation::UpdateLocation => self.update_location,
            Operation::SendAuthenticationInfo => self.send_authentication_info,
            Operation::CancelLocation => self.cancel_location,
            Operation::InsertSubscriberData => self.insert_subscriber_data,
            Operation::PurgeMs => self.purge_ms,
            Operation::SendRoutingInfoForSm => self.send_routing_info_for_sm,
            Operation::MtForwardSm => self.mt_forward_sm,
            Operation::MoForwardSm => self.mo_forward_sm,
            Operation::ProcessUnstructuredSs => self.process_unstructured_ss,
            Operation::UnstructuredSs => self.unstructured_ss,
            Operation::InitialDp => self.initial_dp,
            Operation::S6aUpdateLocation => self.s6a_update_location,
            Operation::S6aAuthenticationInformation => self.s6a_authentication_information,
            Operation::Iam => self.iam,
            Operation::Invite => self.invite,
            Operation::Options => self.options,
            Operation::Bye => self.bye,
        }
    }
}

/// Shares of what is right or wrong with messages from other operators that are judged by their signature; they add up to 1, and what is left out is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Judgement {
    /// A good signature.
    pub signed: f64,
    /// None.
    pub unsigned: f64,
    /// One that is not the message's. A gateway gives a peer in whose name many come less of its crypto threads, and then
    /// refuses good messages of that peer too.
    pub forged: f64,
    /// None, and a calling title or an Origin-Realm of ours; a call has a good one, and a calling number of ours.
    pub spoofed: f64,
    /// A good one that was there before: the message of some hundred signed ones ago under a new TSN, or of SIP with a new branch.
    pub replayed: f64,
}

impl Default for Profile {
    /// That of `perf/profiles/default.yaml`.
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            seed: 1,
            peers: 200,
            keys: 0,
            prefixes: 2000,
            links: 4,
            associations: 4,
            mode: Mode::Prefer,
            sign_outbound: true,
            outbound: 0.4,
            answers: 0.4,
            bundled: 0.1,
            xudt: 0.1,
            sms_octets: 60,
            operations: Operations {
                update_location: 0.16,
                send_authentication_info: 0.24,
                cancel_location: 0.07,
                insert_subscriber_data: 0.10,
                purge_ms: 0.03,
                send_routing_info_for_sm: 0.14,
                mt_forward_sm: 0.13,
                mo_forward_sm: 0.05,
                process_unstructured_ss: 0.03,
                unstructured_ss: 0.01,
                initial_dp: 0.04,
                ..Operations::default()
            },
            judgement: Judgement { signed: 0.3, unsigned: 0.695, forged: 0.002, spoofed: 0.002, replayed: 0.001 },
            rate: Shape::Constant,
        }
    }
}

impl Profile {
    /// Number of keys, and of prefixes: what 0 stands for.
    pub(super) fn keys(&self) -> u32 {
        if self.keys == 0 { self.peers } else { self.keys }
    }

    pub(super) fn prefixes(&self) -> u32 {
        self.prefixes.max(self.peers)
    }

    /// Whether any message is of this protocol.
    pub(super) fn has(&self, protocol: Protocol) -> bool {
        self.operations().any(|operation| operation.protocol() == protocol)
    }

    /// Links of those that have some: none if no message is carried by them. Those of Diameter come behind those of SS7,
    /// those of SIP behind both.
    pub(super) fn links_of(&self, carrier: Protocol) -> u16 {
        let mut all = self.operations();
        if all.any(|operation| operation.protocol().carrier() == carrier) { self.links } else { 0 }
    }

    /// Whether certificates have telephone numbers, for calls.
    pub(super) fn has_calls(&self) -> bool {
        self.has(Protocol::Isup) || self.has(Protocol::Sip)
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(|operation| self.operations.share(*operation) > 0.0)
    }

    /// Whether a gateway that was configured for one of them judges the other's messages as they are meant.
    pub fn same_gateway(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            let links = (Protocol::CARRIERS.map(|protocol| it.links_of(protocol)), it.has(Protocol::Isup));
            (it.seed, it.peers, it.keys(), it.prefixes(), links, it.associations, it.mode, it.sign_outbound)
        };
        of(self) == of(other)
    }
}
