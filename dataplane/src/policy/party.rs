//! Operators as the packet path sees them: what they may use, and how they are spoken to.

use std::time::Duration;

use sealgate_config::model::{
    Attest, CdpaRewrite, CopyCalled, Defaults, Mode, Oversize, PeerTransactions, Policy, Profile, RoleName, Screening,
};
use sealgate_crypto::pki::Role;
use sealgate_wire::addr::Digits;
use sealgate_wire::gtp::{Kind, Version};

use super::places::Places;
use super::snapshot::{LinkId, flags};
use super::stir;

/// Types of GTP messages, a flag each.
#[derive(Clone, Copy, Debug)]
pub struct GtpKinds {
    v1: [bool; 256],
    v2: [bool; 256],
}

impl GtpKinds {
    /// Those of the lists; all where there is none.
    pub(super) fn of(v1: Option<&[u8]>, v2: Option<&[u8]>) -> Self {
        let flags =
            |kinds: Option<&[u8]>| kinds.map_or([true; 256], |kinds| flags(kinds.iter().map(|kind| i32::from(*kind))));
        Self { v1: flags(v1), v2: flags(v2) }
    }

    /// Whether a type is among them.
    pub fn has(&self, version: Version, kind: Kind) -> bool {
        let flags = if version == Version::V1 { &self.v1 } else { &self.v2 };
        flags[usize::from(kind.0)]
    }
}

/// One operator.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name in the policy.
    pub name: String,
    /// What its messages must have to pass.
    pub mode: Mode,
    /// What becomes of messages that the policy refuses for what they ask.
    pub screening: Screening,
    /// Links it may come in by; empty: any.
    pub links: Vec<LinkId>,
    /// Time window of native profiles.
    pub window: (Duration, Duration),
    /// The least that a SHAKEN PASSporT of it must vouch for.
    pub min_attest: Attest,
    /// Networks of its subscribers.
    pub plmns: Vec<Digits>,
    /// Messages of GTP that it may use where its link lets them.
    pub gtp: GtpKinds,
    /// Whether we sign SS7 towards it, and with which profile.
    pub sign: Option<Profile>,
    /// The same of Diameter.
    pub sign_diameter: Option<Profile>,
    /// What becomes of a message that outgrows its carrier.
    pub oversize: Oversize,
    /// Whether LUDT may be used.
    pub ludt: bool,
    /// Whether 268 octets are no limit on the way.
    pub m3ua_only: bool,
    /// When the called address is copied into the header.
    pub copy_called: CopyCalled,
    /// Which copies of a translated called address are accepted.
    pub cdpa_rewrite: CdpaRewrite,
    /// Operation code of the security component in MAP dialogues.
    pub opcode_map: i32,
    /// The same in other dialogues.
    pub opcode_other: i32,
    /// Whether BEGIN may come without application context.
    pub allow_no_ac: bool,
    /// How many dialogues it may have begun with us, and we with it, and how long one stays open.
    pub transactions: PeerTransactions,
    /// The policy no longer names it: no title is its own, but what is in flight knows it.
    pub gone: bool,
    profiles: u8,
    algs: u8,
    roles: u8,
}

impl Peer {
    /// The same one, which the policy no longer names.
    pub(super) fn left(&self) -> Self {
        Self { gone: true, ..self.clone() }
    }

    /// Whether the peer may use this profile.
    pub fn allows_profile(&self, profile: Profile) -> bool {
        self.profiles & 1 << profile as u8 != 0
    }

    /// Whether the peer may use this algorithm, by its number in the header.
    pub fn allows_alg(&self, alg: u8) -> bool {
        alg < 8 && self.algs & 1 << alg != 0
    }

    /// Whether this role may sign for the peer.
    pub fn allows_role(&self, role: Option<Role>) -> bool {
        role.is_some_and(|role| self.roles & 1 << role as u8 != 0)
    }
}

impl Peer {
    /// The row for senders that belong to no configured peer.
    pub(super) fn unknown(defaults: &Defaults) -> Self {
        Self {
            name: "unknown".into(),
            mode: defaults.mode,
            screening: defaults.screening,
            links: Vec::new(),
            window: window(&defaults.window),
            plmns: Vec::new(),
            gtp: GtpKinds::of(None, None),
            sign: None,
            sign_diameter: None,
            min_attest: stir::LEAST,
            oversize: Oversize::Unsigned,
            ludt: defaults.ludt,
            m3ua_only: defaults.m3ua_only,
            copy_called: CopyCalled::Auto,
            cdpa_rewrite: CdpaRewrite::Own,
            opcode_map: sealgate_wire::sec::tcap1::OPCODE_MAP,
            opcode_other: sealgate_wire::sec::tcap1::OPCODE_OTHER,
            allow_no_ac: false,
            transactions: defaults.transactions.of_peer(),
            gone: false,
            profiles: 1 << Profile::SgTcap1 as u8 | 1 << Profile::SgDia1 as u8,
            algs: 1 << 1 | 1 << 2 | 1 << 4,
            roles: 1 << Role::Csp as u8,
        }
    }

    pub(super) fn compile(peer: &sealgate_config::model::Peer, policy: &Policy, links: &Places) -> Self {
        Self {
            name: peer.name.clone(),
            mode: peer.mode,
            screening: peer.screening,
            links: peer.links.iter().filter_map(|name| links.get(name)).map(|id| id as LinkId).collect(),
            window: window(peer.window.as_ref().unwrap_or(&policy.defaults.window)),
            plmns: peer.plmns.clone(),
            gtp: GtpKinds::of(peer.gtp.messages_v1.as_deref(), peer.gtp.messages_v2.as_deref()),
            sign: peer.sign.then_some(peer.sign_profile),
            sign_diameter: peer.sign.then_some(peer.sign_profile_diameter),
            min_attest: peer.min_attest,
            oversize: peer.oversize,
            ludt: peer.ludt,
            m3ua_only: peer.m3ua_only,
            copy_called: peer.copy_called,
            cdpa_rewrite: peer.cdpa_rewrite,
            opcode_map: peer.sec_opcode_map,
            opcode_other: peer.sec_opcode_other,
            allow_no_ac: peer.allow_no_ac,
            transactions: peer.transactions.unwrap_or_else(|| policy.defaults.transactions.of_peer()),
            gone: false,
            profiles: peer.profiles.iter().fold(0, |mask, &profile| mask | 1 << profile as u8),
            algs: peer.algs.iter().fold(0, |mask, alg| mask | 1 << alg.wire()),
            roles: peer.signer_roles.iter().fold(0, |mask, role| mask | 1 << role_of(*role) as u8),
        }
    }
}

fn role_of(name: RoleName) -> Role {
    match name {
        RoleName::Csp => Role::Csp,
        RoleName::Carrier => Role::Carrier,
        RoleName::Hub => Role::Hub,
    }
}

fn window(window: &sealgate_config::model::Window) -> (Duration, Duration) {
    (Duration::from_millis(window.past_ms.into()), Duration::from_millis(window.future_ms.into()))
}
