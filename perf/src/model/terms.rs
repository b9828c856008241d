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

/// One term: what it is called, what it means, and what it is a multiple of.
pub(super) struct Term {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) of: fn(&Setting) -> f64,
}

fn inline(setting: &Setting) -> f64 {
    if setting.offload { 0.0 } else { setting.signed }
}

/// Terms of a worker's time for a message.
pub(super) const WORKER: [Term; 10] = [
    Term { name: "message", meaning: "any message", of: |_| 1.0 },
    Term { name: "signed, inline", meaning: "a signature that the worker verifies itself", of: inline },
    Term {
        name: "signed, offloaded",
        meaning: "a signature that is hashed and handed to a crypto thread, and a message that waits for it",
        of: |setting| if setting.offload { setting.signed } else { 0.0 },
    },
    Term { name: "turn", meaning: "a turn, shared by the messages of its burst", of: |setting| 1.0 / setting.burst },
    Term {
        name: "signed turn",
        meaning: "a batch of signatures, shared by those of a turn",
        of: |setting| inline(setting) / setting.burst,
    },
    Term { name: "octet", meaning: "an octet of the frame: copied, summed, read", of: |setting| setting.octets },
    Term { name: "short message", meaning: "what a short message costs beside its length", of: |setting| setting.sms },
    Term { name: "peers", meaning: "each doubling of the peers", of: |setting| setting.peers.log2() },
    Term { name: "prefixes", meaning: "each doubling of the prefixes", of: |setting| setting.prefixes.log2() },
    Term {
        name: "keys",
        meaning: "each doubling of the keys, for a signed message: tables in farther memory",
        of: |setting| setting.signed * setting.keys.log2(),
    },
];

/// Terms of a crypto thread's time for a signature.
pub(super) const CRYPTO: [Term; 2] = [
    Term { name: "signature", meaning: "a signature", of: |_| 1.0 },
    Term {
        name: "keys",
        meaning: "each doubling of the keys: tables in farther memory",
        of: |setting| setting.keys.log2(),
    },
];
