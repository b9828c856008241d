//! What rules ask of a message, and the kinds of answer.

use sealgate_config::model::{Category, Check, Signature};
use sealgate_crypto::pki::Role;
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;

use crate::pipeline::slots::SignatureState;
use crate::policy::snapshot::PeerId;

/// What one part of a message says of itself: an operation, a command, a call. What a protocol does not have is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The peer that it comes from or goes to.
    pub peer: PeerId,
    /// Operation, command, or type of message.
    pub code: Option<u32>,
    /// Method of SIP.
    pub method: &'a [u8],
    /// Content of the application context's OBJECT IDENTIFIER.
    pub ac: &'a [u8],
    /// Calling Global Title or number.
    pub calling: Option<Digits>,
    /// Called Global Title or number.
    pub called: Option<Digits>,
    /// Originating point code.
    pub opc: Option<u32>,
    /// Origin-Realm.
    pub realm: &'a [u8],
    /// The subscriber.
    pub imsi: Option<Digits>,
    /// Category of the code.
    pub category: Category,
    /// How it stands with its signature, which holds if there is one: else the message is refused for that.
    pub signature: SignatureState,
    /// Who signed, and as what.
    pub signer: Option<([u8; 8], Option<Role>)>,
    /// Minute of the day, UTC.
    pub minute: u16,
}

impl SignatureState {
    /// Its place among the flags of rules.
    #[inline(always)]
    pub(super) fn flag(self) -> u32 {
        let word = match self {
            SignatureState::Claimed => Signature::Valid,
            SignatureState::Absent => Signature::Absent,
            SignatureState::UnknownSigner => Signature::UnknownSigner,
            SignatureState::Unchecked => Signature::Unchecked,
        };
        1 << word as u32
    }
}

/// The built-in check that a reason is of, where a rule may switch it off.
pub fn check_of(reason: Reason) -> Option<Check> {
    Some(match reason {
        Reason::PolCat1 => Check::Cat1,
        Reason::PolCat2 | Reason::PolHomeImsi | Reason::PolImsiGt | Reason::PolRealmImsi => Check::Cat2,
        Reason::PolCat3 => Check::Cat3,
        Reason::PolHomeRouting => Check::HomeRouting,
        Reason::PolXlayerAddr => Check::XlayerAddr,
        Reason::TcapAcMissing => Check::AcMissing,
        Reason::TcapAcOpcode => Check::AcOpcode,
        Reason::DiaCmdApp => Check::Command,
        Reason::PolHostRealm => Check::HostRealm,
        Reason::PolVplmnRealm => Check::VplmnRealm,
        Reason::DetVelocity => Check::Velocity,
        Reason::DetPrevLocation => Check::PrevLocation,
        Reason::DetMultiRequest => Check::MultiRequest,
        Reason::DetMultiProtocol => Check::MultiProtocol,
        Reason::DetCrossGeneration => Check::CrossGeneration,
        Reason::DetScan => Check::Scan,
        Reason::DetFlood => Check::Flood,
        _ => return None,
    })
}

/// Built-in checks that are switched off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Overrides(u32);

impl Overrides {
    /// Those of a rule.
    pub(super) fn of(checks: &[Check]) -> Self {
        Self(checks.iter().fold(0, |flags, check| flags | 1 << *check as u32))
    }

    /// Whether the check that a reason is of is among them.
    pub fn has(self, reason: Reason) -> bool {
        self.0 != 0 && check_of(reason).is_some_and(|check| self.0 >> check as u32 & 1 != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
