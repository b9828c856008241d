//! What a message is in the talk of two nodes: a question, its answer, or neither.

use super::{Kind, Version};

/// What a message is to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Nodes speak of themselves: of no tunnel.
    Node,
    /// It wants an answer of this type; `first`: it may come before its receiver has given out an endpoint (TS 29.060 §8.2,
    /// TS 29.274 §5.5.2).
    Request {
        /// Type of the answer.
        answer: Kind,
        /// TEID 0 is possible.
        first: bool,
    },
    /// It answers; `then`: its own answer, where there is a third message.
    Answer {
        /// Type of the third message.
        then: Option<Kind>,
    },
    /// It wants no answer.
    Alone {
        /// As of requests.
        first: bool,
    },
}

/// The role of a message of TS 29.060 table 1 or TS 29.274 table 6.1-1. Numbers of neither are alone, and need an endpoint.
pub const fn role(version: Version, kind: Kind) -> Role {
    match version {
        Version::V1 => v1(kind.0),
        Version::V2 => v2(kind.0),
    }
}

const fn v1(kind: u8) -> Role {
    let next = Kind(kind.wrapping_add(1));
    match kind {
        1..=3 | 31 => Role::Node,
        // Create PDP Context and PDU Notification, what is asked of a subscriber's home, contexts that move, broadcasts,
        // MS Info Change Notification.
        16 | 27 | 32 | 34 | 36 | 48 | 50 | 53 | 56 | 61 | 96 | 98 | 100 | 102 | 104 | 112 | 114 | 116 | 118 | 120
        | 128 => Role::Request { answer: next, first: true },
        18 | 20 | 22 | 29 => Role::Request { answer: next, first: false },
        55 => Role::Request { answer: Kind(59), first: false },
        58 => Role::Request { answer: Kind(60), first: false },
        51 => Role::Answer { then: Some(Kind(52)) },
        17 | 19 | 21 | 23 | 28 | 30 | 33 | 35 | 37 | 49 | 52 | 54 | 57 | 59 | 60 | 62 | 97 | 99 | 101 | 103 | 105
        | 113 | 115 | 117 | 119 | 121 | 129 => Role::Answer { then: None },
        // RAN Information Relay.
        70 => Role::Alone { first: true },
        _ => Role::Alone { first: false },
    }
}

const fn v2(kind: u8) -> Role {
    let next = Kind(kind.wrapping_add(1));
    match kind {
        1..=3 => Role::Node,
        // SRVCC PS to CS, Create Session, sets of connections, PGW Downlink Triggering, Identification, Context, Forward
        // Relocation and its end, UE Registration Query, indirect forwarding, Suspend, PGW Restart, broadcasts.
        25 | 32 | 101 | 103 | 128 | 130 | 133 | 139 | 158 | 162 | 166 | 179 | 200 | 231 | 233 | 235 => {
            Role::Request { answer: next, first: true }
        }
        27 | 29 | 34 | 36 | 38 | 40 | 64 | 66 | 68 | 95 | 97 | 99 | 135 | 137 | 149 | 153 | 155 | 160 | 164 | 168
        | 170 | 176 | 211 => Role::Request { answer: next, first: false },
        131 => Role::Answer { then: Some(Kind(132)) },
        26 | 28 | 30 | 33 | 35 | 37 | 39 | 41 | 65 | 67 | 69 | 96 | 98 | 100 | 102 | 104 | 129 | 132 | 134 | 136
        | 138 | 140 | 150 | 154 | 156 | 159 | 161 | 163 | 165 | 167 | 169 | 171 | 177 | 180 | 201 | 212 | 232 | 234
        | 236 => Role::Answer { then: None },
        // Configuration Transfer Tunnel, RAN Information Relay.
        141 | 152 => Role::Alone { first: true },
        _ => Role::Alone { first: false },
    }
}

#[cfg(test)]
mod tests {
    use super::super::message_name;
    use super::*;

    /// What the name of a message says of it.
    #[test]
    fn roles_are_what_names_say() {
        for version in [Version::V1, Version::V2] {
            for kind in (0..=255).map(Kind) {
                let Some(name) = message_name(version, kind) else {
                    assert_eq!(role(version, kind), Role::Alone { first: false }, "{kind:?}");
                    continue;
                };
                let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
                match role(version, kind) {
                    Role::Node => {
                        assert!(ends(&["Echo Request", "Echo Response", "Indication", "Supported", "Notification"]))
                    }
                    Role::Request { answer, .. } => {
                        assert!(
                            ends(&["Request", "Notification", "Command", "Complete", "Context", "Activation"]),
                            "{name}"
                        );
                        assert!(matches!(role(version, answer), Role::Answer { .. }), "{name}");
                        let other = message_name(version, answer).unwrap_or_default();
                        let words = name.split(' ').zip(other.split(' ')).take_while(|(a, b)| a == b).count();
                        assert!(words > 0, "{name} is not answered by {other}");
                    }
                    Role::Answer { then } => {
                        assert!(ends(&["Response", "Acknowledge", "Failure Indication"]), "{name}");
                        assert_eq!(
                            then.is_some(),
                            ["SGSN Context Response", "Context Response"].contains(&name),
                            "{name}"
                        );
                    }
                    Role::Alone { .. } => {
                        assert!(!ends(&["Response", "Acknowledge"]), "{name}");
                        assert!(!name.ends_with("Request") || name == "SRVCC CS to PS Request", "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_answer_has_its_question() {
        for version in [Version::V1, Version::V2] {
            for kind in (0..=255).map(Kind).filter(|kind| matches!(role(version, *kind), Role::Answer { .. })) {
                let asks = |other: &Kind| match role(version, *other) {
                    Role::Request { answer, .. } => answer == kind,
                    Role::Answer { then } => then == Some(kind),
                    _ => false,
                };
                assert_eq!((0..=255).map(Kind).filter(asks).count(), 1, "{version:?} {kind:?}");
            }
        }
    }
}
