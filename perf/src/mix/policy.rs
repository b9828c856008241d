//! The policy and the appliance file of a world, as text that the product reads.

use std::fmt::Write;

use super::lane::{DIAMETER_PORT, FIRST_CODE, HOME_CODE, HOSTS, NEIGHBOURS, PORT, SIP_PORT, address, link_name};
use super::message::{HOME, HOME_PLMN, PEERS};
use super::operation::Protocol;
use super::profile::Profile;
use super::{invite, s6a};

/// Name of our certificate and key.
pub(super) const OURS: &str = "home-ec";

/// How the titles of peers are made: first [`PEERS`], then the number of the peer, of a prefix of its, and of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    peers: u32,
    prefixes: u32,
    /// Digits of a peer's number, and of a prefix's within it.
    peer_len: usize,
    prefix_len: usize,
    /// Digits behind [`PEERS`]: 6 or 8.
    number_len: usize,
}

impl Numbering {
    pub(super) fn new(profile: &Profile) -> Self {
        let digits = |count: u32| count.saturating_sub(1).checked_ilog10().map_or(1, |log| log as usize + 1);
        let (peers, prefixes) = (profile.peers, profile.prefixes());
        let most = prefixes.div_ceil(peers);
        let (peer_len, prefix_len) = (digits(peers), if most > 1 { digits(most) } else { 0 });
        let number_len = if peer_len + prefix_len <= 6 { 6 } else { 8 };
        Self { peers, prefixes, peer_len, prefix_len, number_len }
    }

    /// Digits of a title.
    pub(super) fn title_len(&self) -> usize {
        PEERS.len() + self.number_len
    }

    /// Prefixes of a peer: one more for the first ones where they do not divide evenly.
    pub(super) fn prefixes_of(&self, peer: u32) -> u32 {
        self.prefixes / self.peers + u32::from(peer < self.prefixes % self.peers)
    }

    /// The last digits of the title of a node; `node` is any number.
    pub(super) fn number(&self, peer: u32, prefix: u32, node: u32) -> u32 {
        let nodes = 10_u32.pow((self.number_len - self.peer_len - self.prefix_len) as u32);
        let prefixes = 10_u32.pow(self.prefix_len as u32);
        (peer * prefixes + prefix) * nodes + node % nodes
    }

    /// The peer that a title belongs to.
    pub(super) fn peer_of(&self, title: &str) -> Option<usize> {
        let number = title.strip_prefix(PEERS)?.get(..self.peer_len)?;
        let peer: u32 = number.parse().ok()?;
        (peer < self.peers).then_some(peer as usize)
    }

    /// The first telephone number of a peer, and how many follow it.
    pub(super) fn telephones(&self, peer: u32) -> (String, u64) {
        let number_len = self.number_len;
        let first = format!("{PEERS}{:0number_len$}", self.number(peer, 0, 0));
        (first, 10_u64.pow((number_len - self.peer_len) as u32))
    }

    /// The number of a peer that stands in its realm, and in the URL of its certificate; it calls from this one in SIP.
    pub(super) fn realm_number(&self, peer: u32) -> u32 {
        self.number(peer, 0, 0)
    }

    /// A peer's Diameter realm.
    pub(super) fn realm(&self, peer: u32) -> String {
        s6a::realm(self.realm_number(peer), self.number_len)
    }

    /// What all titles of a peer begin with.
    pub(super) fn base(&self, peer: u32) -> String {
        format!("{PEERS}{peer:0len$}", len = self.peer_len)
    }

    fn prefix(&self, peer: u32, prefix: u32) -> String {
        match self.prefix_len {
            0 => self.base(peer),
            len => format!("{}{prefix:0len$}", self.base(peer)),
        }
    }
}

/// Network of a peer's subscribers: test networks of mobile country code 999, shared where there are more peers than 1000.
fn network(peer: u32) -> [u32; 6] {
    let number = peer % 1000;
    [9, 9, 9, number / 100, number / 10 % 10, number % 10]
}

/// The same packed as in an IMSI.
pub(super) fn packed_network(peer: u32) -> [u8; 3] {
    let [a, b, c, d, e, f] = network(peer).map(|digit| digit as u8);
    [a | b << 4, c | d << 4, e | f << 4]
}

/// The policy.
pub(super) fn policy(profile: &Profile, numbering: &Numbering) -> String {
    let mut text = String::with_capacity(256 * profile.peers as usize + 24 * profile.prefixes() as usize);
    // Writing to a String does not fail.
    let _ = write_policy(profile, numbering, &mut text);
    text
}

fn write_policy(profile: &Profile, numbering: &Numbering, text: &mut String) -> std::fmt::Result {
    let prefix = HOME.get(..5).unwrap_or(HOME);
    let plmn = HOME_PLMN.get(..5).unwrap_or(HOME_PLMN);
    writeln!(text, "# The policy for profile {} of sgperf.\n\nversion: 1\n", profile.name.escape_debug())?;
    writeln!(text, "home:\n  gt_prefixes: [{{plan: e164, digits: \"{prefix}\"}}]\n  plmns: [\"{plmn}\"]")?;
    let ([ss7, diameter, sip], mut first) = (Protocol::CARRIERS.map(|protocol| profile.links_of(protocol)), 0);
    if diameter > 0 {
        writeln!(text, "  realms: [{}]", s6a::HOME_REALM)?;
    }
    let isup = profile.has(Protocol::Isup);
    if profile.has_calls() {
        writeln!(text, "  tn_prefixes: [\"{prefix}\"]")?;
    }
    writeln!(text, "  signing: {{cert: {OURS}, node_base: 1}}\n")?;
    // What a signature makes too long leaves as LUDT, as it came in.
    writeln!(text, "defaults: {{mode: {}, ludt: yes, m3ua_only: yes}}\n\nlinks:", profile.mode.word())?;
    let sign = if profile.sign_outbound { "yes" } else { "no" };
    let si = if isup { format!(", si: [sccp, isup], isup_sign: {sign}") } else { String::new() };
    for link in 0..ss7 {
        let (code, context) = (FIRST_CODE + u32::from(link), link + 1);
        let ports = match profile.associations {
            1 => format!(", ports: {{remote: {PORT}, local: {PORT}}}"),
            _ => String::new(),
        };
        writeln!(
            text,
            "  {}: {{type: m3ua, remote: [{}], local: [{}]{ports}, opcs: [{code}], dpcs: [{HOME_CODE}], \
             routing_contexts: [{context}]{si}, mtu: 1500}}",
            link_name(link),
            address(NEIGHBOURS, link),
            address(HOSTS, link),
        )?;
    }
    first += ss7;
    for link in first..first + diameter {
        let ports = match profile.associations {
            1 => format!(", ports: {{remote: {DIAMETER_PORT}, local: {DIAMETER_PORT}}}"),
            _ => String::new(),
        };
        let (name, remote, local) = (link_name(link), address(NEIGHBOURS, link), address(HOSTS, link));
        writeln!(text, "  {name}: {{type: diameter, remote: [{remote}], local: [{local}]{ports}, mtu: 1500}}")?;
    }
    first += diameter;
    for link in first..first + sip {
        let ports = match profile.associations {
            1 => format!(", ports: {{remote: {SIP_PORT}, local: {SIP_PORT}}}"),
            _ => String::new(),
        };
        let (name, remote, local) = (link_name(link), address(NEIGHBOURS, link), address(HOSTS, link));
        writeln!(
            text,
            "  {name}: {{type: sip, remote: [{remote}], local: [{local}]{ports}, on_fail: drop, mtu: 1500}}"
        )?;
    }
    writeln!(text, "\npeers:")?;
    for peer in 0..profile.peers {
        let plmn: String = network(peer).iter().map(u32::to_string).collect();
        write!(text, "  {}: {{plmns: [\"{plmn}\"], algs: [p256], sign: {sign}, gt: [", peer_name(peer))?;
        for prefix in 0..numbering.prefixes_of(peer) {
            let comma = if prefix > 0 { ", " } else { "" };
            write!(text, "{comma}\"{}\"", numbering.prefix(peer, prefix))?;
        }
        write!(text, "]")?;
        if diameter > 0 {
            write!(text, ", realms: [{}]", numbering.realm(peer))?;
        }
        writeln!(text, "}}")?;
    }
    if sip > 0 { write_stir(profile, numbering, text) } else { Ok(()) }
}

/// Where a PASSporT says that certificates are, and what our calls are signed with.
fn write_stir(profile: &Profile, numbering: &Numbering, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\nstir:\n  hosts: [{}]\n  certificates:", invite::CERTIFICATES)?;
    for peer in 0..profile.peers {
        let x5u = invite::x5u(numbering.realm_number(peer), numbering.number_len);
        writeln!(text, "    - {{x5u: \"{x5u}\", cert: {}}}", peer_name(peer))?;
    }
    if profile.sign_outbound {
        let (x5u, origid) = (invite::home_x5u(), invite::HOME_ORIGID);
        writeln!(text, "  sign: {{x5u: \"{x5u}\", attest: A, origid: {origid}}}")?;
    }
    Ok(())
}

/// The name of a peer in the policy and of its certificate.
pub(super) fn peer_name(peer: u32) -> String {
    format!("peer-{}", peer + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_a_peer_begin_with_its_prefixes_and_no_other() {
        for (peers, prefixes) in [(1, 0), (1, 1_000_000), (10_000, 0), (10_000, 1_000_000), (7, 100), (200, 2001)] {
            let profile = Profile { peers, prefixes, ..Profile::default() };
            let numbering = Numbering::new(&profile);
            assert!(matches!(numbering.title_len(), 12 | 14), "{peers} {prefixes}");
            let total: u32 = (0..peers).map(|peer| numbering.prefixes_of(peer)).sum();
            assert_eq!(total, profile.prefixes());
            for peer in [0, peers - 1, peers / 2] {
                let last = numbering.prefixes_of(peer) - 1;
                let number = numbering.number(peer, last, 123_456_789);
                let title = format!("{PEERS}{number:0len$}", len = numbering.number_len);
                assert_eq!(title.len(), numbering.title_len());
                assert!(title.starts_with(&numbering.prefix(peer, last)), "{title}");
                assert!(title.starts_with(&numbering.base(peer)), "{title}");
                assert_eq!(numbering.peer_of(&title), Some(peer as usize));
            }
        }
    }
}
