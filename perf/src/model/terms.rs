//! What a message's cost depends on, and how.

use serde::{Deserialize, Serialize};

/// The circumstances of a measurement, or of a server that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Share of messages that carry a signature, 0 to 1.
    pub signed: f64,
    /// Whether crypto threads verify, and not the worker itself.
    pub offload: bool,
    /// Frames that a turn finds, 1 to 32.
    pub burst: f64,
    /// Octets of a frame without its signature, mean.
    pub octets: f64,
    /// Share of messages that are short messages to a mobile, 0 to 1.
    pub sms: f64,
    /// Other operators.
    pub peers: f64,
    /// Their keys.
    pub keys: f64,
    /// Prefixes of Global Titles in the policy.
    pub prefixes: f64,
}

impl Setting {
    /// What can be varied, by name.
    pub fn variables(&self) -> [(&'static str, f64); 7] {
        [
            ("signed", self.signed),
            ("burst", self.burst),
            ("octets", self.octets),
            ("sms", self.sms),
            ("peers", self.peers),
            ("keys", self.keys),
            ("prefixes", self.prefixes),
        ]
    }
}

impl Setting {
    /// Share of turns that find anything signed.
    fn signed_turns(&self) -> f64 {
        1.0 - (1.0 - self.signed).powf(self.burst)
    }

    /// Signatures of a turn that finds any, mean.
    fn batch(&self) -> f64 {
        (self.signed * self.burst / self.signed_turns().max(f64::MIN_POSITIVE)).max(1.0)
    }
}

/// From which number on a table no longer lies near the core: below it costs nothing, above each doubling the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knees {
    /// Of peers.
    pub peers: f64,
    /// Of prefixes.
    pub prefixes: f64,
    /// Of keys.
    pub keys: f64,
}

/// What knees are tried.
pub(super) const TRIED: [f64; 8] = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0];

/// Doublings beyond a knee.
fn beyond(value: f64, knee: f64) -> f64 {
    (1.0 + value / knee).log2()
}

/// One term: what it is called, what it means, and what it is a multiple of.
pub(super) struct Term {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) of: fn(&Setting, &Knees) -> f64,
    /// Whether a knee belongs to it, and which.
    pub(super) knee: Option<fn(&mut Knees) -> &mut f64>,
}

const fn plain(name: &'static str, meaning: &'static str, of: fn(&Setting, &Knees) -> f64) -> Term {
    Term { name, meaning, of, knee: None }
}

fn inline(setting: &Setting) -> f64 {
    if setting.offload { 0.0 } else { setting.signed }
}

fn offloaded(setting: &Setting) -> f64 {
    if setting.offload { setting.signed } else { 0.0 }
}

/// Terms of a worker's time for a message.
pub(super) const WORKER: [Term; 11] = [
    plain("message", "any message", |_, _| 1.0),
    plain("signature", "a signature that the worker verifies itself, in a large batch", |setting, _| inline(setting)),
    plain("batch", "what such a signature costs more alone; less with the root of the batch", |setting, _| {
        inline(setting) / setting.batch().sqrt()
    }),
    plain("handed over", "a signature that is hashed and handed to a crypto thread", |setting, _| offloaded(setting)),
    plain("flush", "a turn that hands anything over, shared by its messages", |setting, _| {
        if setting.offload { setting.signed_turns() / setting.burst } else { 0.0 }
    }),
    plain("turn", "a turn, shared by its messages", |setting, _| 1.0 / setting.burst),
    plain("octet", "an octet of the frame: copied, summed, read", |setting, _| setting.octets),
    plain("short message", "what a short message costs beside its length", |setting, _| setting.sms),
    Term {
        name: "peers",
        meaning: "each doubling of the peers beyond the knee",
        of: |setting, knees| beyond(setting.peers, knees.peers),
        knee: Some(|knees| &mut knees.peers),
    },
    Term {
        name: "prefixes",
        meaning: "each doubling of the prefixes beyond the knee",
        of: |setting, knees| beyond(setting.prefixes, knees.prefixes),
        knee: Some(|knees| &mut knees.prefixes),
    },
    Term {
        name: "keys",
        meaning: "each doubling of the keys beyond the knee, for a signature",
        of: |setting, knees| inline(setting) * beyond(setting.keys, knees.keys),
        knee: Some(|knees| &mut knees.keys),
    },
];

/// Terms of a crypto thread's time for a signature.
pub(super) const CRYPTO: [Term; 2] = [
    plain("signature", "a signature", |_, _| 1.0),
    Term {
        name: "keys",
        meaning: "each doubling of the keys beyond the knee",
        of: |setting, knees| beyond(setting.keys, knees.keys),
        knee: Some(|knees| &mut knees.keys),
    },
];
