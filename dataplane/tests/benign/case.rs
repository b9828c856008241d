//! What a capture is taken for, and the policy that an operator at one of its ends would write.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use sealgate_config::model::Policy;
use sealgate_config::{load_geo, parse_policy};

/// An operator, or what stands for one: a domain of nodes that another one speaks to.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    pub gt: &'static [&'static str],
    pub plmns: &'static [&'static str],
    pub realms: &'static [&'static str],
    /// Its nodes of GTP.
    pub nodes: &'static [&'static str],
    /// What else a policy says of it as a peer, each with a comma in front.
    pub more: &'static str,
}

/// One that has nothing.
pub const NOBODY: Operator = Operator { gt: &[], plmns: &[], realms: &[], nodes: &[], more: "" };

/// Ends of which the titles do not matter.
pub const ONE: &[Operator] = &[Operator { gt: &["1"], ..NOBODY }];
pub const OTHER: &[Operator] = &[Operator { gt: &["2"], ..NOBODY }];

/// A link between both ends of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub kind: &'static str,
    /// Addresses at the one end, and at the other.
    pub hosts: [&'static [&'static str]; 2],
    /// Point codes behind the one end, and behind the other.
    pub codes: [&'static [u32]; 2],
    /// What else a policy says of it, each with a comma in front.
    pub more: &'static str,
}

/// A capture.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub capture: &'static str,
    /// Whose part is taken, where it is run more than once.
    pub party: &'static str,
    /// Operators at the one end, and at the other.
    pub ends: [&'static [Operator]; 2],
    pub links: &'static [Link],
    /// Rules in front of those of every policy, lines of YAML; what operators agreed upon besides.
    pub rules: &'static str,
    /// Keys of `defaults`, lines of YAML.
    pub defaults: &'static str,
    /// Sections besides, lines of YAML.
    pub sections: &'static str,
    /// Ports of hosts that have one address in common: what comes from there and goes there has this one instead.
    pub apart: &'static [(u16, &'static str)],
    /// Whether the messages are laid into frames anew: what carries them is made up, or of a kind that no link has.
    pub anew: bool,
    /// Point codes, or titles, whose messages came from the other end then, where the capture has one direction for both.
    pub answers: &'static [u32],
    pub titles: &'static [&'static str],
    /// Whether the questions are put in that the answers in it answer: it has the one direction and not the other.
    pub asks: bool,
    /// Whether wrong checksums are put right: a card was to make them, and the capture was taken before it did.
    pub mend: bool,
    /// Which of the two ends has the gateway, one after the other.
    pub homes: &'static [usize],
}

/// One without anything, seen from both ends.
pub const CASE: Case = Case {
    capture: "",
    party: "",
    ends: [&[NOBODY], &[NOBODY]],
    links: &[],
    rules: "",
    defaults: "",
    sections: "",
    apart: &[],
    anew: false,
    answers: &[],
    titles: &[],
    asks: false,
    mend: true,
    homes: &[1, 0],
};

/// What the policy of every case has. Nobody signs in the captures: what comes back undelivered cannot be known as one's own.
const DEFAULTS: &str = "
  mode: prefer
  unknown_peer: drop
  ber: canonicalise
  screening: active
  unmatched: drop
  unsigned_service_messages: rate_limited
  transactions: {check: yes}
  tunnels: {check: enforce, adopt: 0s}";

/// All detectors refuse, from the first message on.
const DETECTION: &str = "
detection:
  velocity: {mode: drop, learn: 0s, geo: geo.csv}
  previous_location: {mode: drop, learn: 0s}
  multi_request: {mode: drop, learn: 0s}
  scan: {mode: drop, learn: 0s}
  flood: {mode: drop, learn: 0s}
  multi_protocol: {mode: drop, learn: 0s}
  cross_generation: {mode: drop, learn: 0s}
";

/// Applications of one maker are known besides; the tests run in the folder of their package.
pub const OF_A_MAKER: &str = "tables: {diameter: tests/data/benign/diameter.yaml}\n";

/// What nobody gave a rule is refused; these let in what an agreement between two operators covers, each from its peer only.
const RULES: &str = "
  - {id: map, match: {protocol: map, direction: in, peer: PEERS, called_gt: TITLES, category: [none, cat2, cat3]}, action: allow}
  - {id: cap, match: {protocol: cap, direction: in, peer: PEERS, called_gt: TITLES}, action: allow}
  - {id: isup, match: {protocol: isup, direction: in, opc: [CODES]}, action: allow}
  - {id: diameter, match: {protocol: diameter, direction: in, peer: PEERS, category: [none, cat2, cat3]}, action: allow}
  - {id: calls, match: {protocol: sip, direction: in, peer: PEERS, method: [INVITE, OPTIONS, MESSAGE]}, action: allow}
  - {id: gtp, match: {protocol: gtp, direction: in, peer: PEERS}, action: allow}
  - {id: ours, match: {direction: out}, action: allow}
";

impl Case {
    /// The policy of the end that has the gateway.
    pub fn policy(&self, home: usize) -> Policy {
        let text = self.text(home);
        let mut policy = parse_policy(&text, self.capture).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        let geo = policy.detection.velocity.geo.as_mut().expect("a geography");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/geo.csv");
        geo.places = load_geo(&file).unwrap_or_else(|faults| panic!("{faults}"));
        policy
    }

    fn text(&self, home: usize) -> String {
        let (ours, theirs) = (self.ends[home], self.ends[1 - home]);
        // Inside one network both ends have it and its realms: they are whoever's speaks, since nobody there is a stranger.
        let all = |of: fn(&Operator) -> &'static [&'static str]| {
            let theirs = |name: &&str| theirs.iter().any(|peer| of(peer).contains(name));
            ours.iter().flat_map(of).copied().filter(|name| !theirs(name)).collect::<Vec<_>>()
        };
        let or = |list: Vec<&'static str>, other| if list.is_empty() { vec![other] } else { list };
        // A home needs a title and a network, whatever it speaks.
        let (titles, plmns) = (or(all(|one| one.gt), "99999"), or(all(|one| one.plmns), "99999"));
        let mut text = "version: 1\nhome:\n  gt_prefixes:\n".to_owned();
        for (digits, plan) in titles.iter().flat_map(|digits| [(digits, "e164"), (digits, "e214")]) {
            put(&mut text, format_args!("    - {{plan: {plan}, digits: \"{digits}\"}}\n"));
        }
        put(&mut text, format_args!("  plmns: {}\n  tn_prefixes: {}\n", quoted(&plmns), quoted(&titles)));
        let realms = all(|one| one.realms);
        if !realms.is_empty() {
            put(&mut text, format_args!("  realms: {}\n", quoted(&realms)));
        }
        put(&mut text, format_args!("defaults:{DEFAULTS}\n{}links:\n", self.defaults));
        for (i, link) in self.links.iter().enumerate() {
            let (near, far) = (quoted(link.hosts[home]), quoted(link.hosts[1 - home]));
            put(&mut text, format_args!("  link-{i}: {{type: {}, remote: {far}, local: {near}", link.kind));
            if matches!(link.kind, "m3ua" | "m2pa") {
                put(&mut text, format_args!(", opcs: {:?}, dpcs: {:?}", link.codes[1 - home], link.codes[home]));
            }
            put(&mut text, format_args!("{}}}\n", link.more));
        }
        text.push_str("peers:\n");
        for (i, peer) in theirs.iter().enumerate() {
            // Of its nodes, those that some link has.
            let gtp = || self.links.iter().filter(|link| link.kind == "gtp").flat_map(|link| link.hosts[1 - home]);
            let nodes: Vec<_> = peer.nodes.iter().copied().filter(|node| gtp().any(|host| host == node)).collect();
            let mut said: Vec<_> = [("plmns", peer.plmns), ("gt", peer.gt), ("realms", peer.realms)]
                .into_iter()
                .filter(|(_, list)| !list.is_empty())
                .map(|(key, list)| format!("{key}: {}", quoted(list)))
                .collect();
            if !nodes.is_empty() {
                said.push(format!("gtp: {{from: {}}}", quoted(&nodes)));
            }
            put(&mut text, format_args!("  peer-{i}: {{{}{}}}\n", said.join(", "), peer.more));
        }
        let peers: Vec<_> = (0..theirs.len()).map(|i| format!("peer-{i}")).collect();
        let codes: BTreeSet<_> = self.links.iter().flat_map(|link| link.codes[1 - home]).collect();
        let codes: Vec<_> = codes.into_iter().map(u32::to_string).collect();
        let codes = if codes.is_empty() { "0".to_owned() } else { codes.join(", ") };
        let filled = |rules: &str| {
            let rules = rules.replace("PEERS", &format!("[{}]", peers.join(", ")));
            rules.replace("TITLES", &quoted(&titles)).replace("CODES", &codes)
        };
        let (own, usual) = (filled(self.rules), filled(RULES));
        put(&mut text, format_args!("{}{DETECTION}rules:{own}{usual}", self.sections));
        text
    }
}

fn put(text: &mut String, piece: std::fmt::Arguments<'_>) {
    text.write_fmt(piece).expect("a string takes it");
}

/// A list of YAML.
fn quoted(list: &[&str]) -> String {
    format!("{list:?}")
}

/// A link of M3UA.
pub const fn m3ua(
    one: &'static [&'static str],
    other: &'static [&'static str],
    codes: [&'static [u32]; 2],
    more: &'static str,
) -> Link {
    Link { kind: "m3ua", hosts: [one, other], codes, more }
}

/// A link without point codes.
pub const fn link(
    kind: &'static str,
    one: &'static [&'static str],
    other: &'static [&'static str],
    more: &'static str,
) -> Link {
    Link { kind, hosts: [one, other], codes: [&[], &[]], more }
}
