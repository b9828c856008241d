//! Faults of what a policy says of GTP.

use sealgate_config::{Policy, parse_policy_for};

use super::check;

const POLICY: &str = concat!(
    home!(),
    ss7_link!(),
    r#"  grx-1:
    type: gtp
    remote: [203.0.113.0/26, "2001:db8:a::/48"]
    local: [198.51.100.40, "2001:db8::40"]
    messages_v1: []
    messages_v2: [1, 2, 32, 33]
    user_plane: yes
peers:
  A:
    gtp: {from: [203.0.113.0/28, "2001:db8:a::/64"], messages_v2: [32]}
    plmns: ["00102"]
  B:
    gt: ["99903"]
    gtp: {from: [203.0.113.16/28]}
    plmns: ["00103"]
"#,
);

#[test]
fn faults_of_gtp() {
    let cases: &[super::Case] = &[
        (
            "user_plane: yes",
            "ports: {remote: 1, local: 2}",
            &[
                "p.yaml:18: links.grx-1.ports: unknown key; known here: type, remote, local, messages_v1, messages_v2, user_plane, tunnels, mtu, ip_fragments",
            ],
        ),
        (
            "    user_plane: yes",
            "    user_plane: yes\n    tunnels: off",
            &["p.yaml:19: links.grx-1.tunnels: \"off\" is not a rule for tunnels; use ignore, learn or enforce"],
        ),
        (
            "links:",
            "defaults: {tunnels: {check: enforce, limit: 1000, idle: 59s, adopt: 961h}}\nlinks:",
            &[
                "p.yaml:5: defaults.tunnels.limit: 1000 is out of range; give 1024 to 16777216 tunnels",
                "p.yaml:5: defaults.tunnels.idle: 59s is out of range; give 1min to 960h",
                "p.yaml:5: defaults.tunnels.adopt: 961h is out of range; give 0s to 960h",
            ],
        ),
        (
            "203.0.113.0/26",
            "203.0.113.1/26",
            &[
                "p.yaml:14: links.grx-1.remote[0]: 203.0.113.1/26 has bits behind its length; give 203.0.113.0/26, or one address without /",
            ],
        ),
        (
            "203.0.113.0/26",
            "203.0.113.0/33",
            &[
                "p.yaml:14: links.grx-1.remote[0]: \"203.0.113.0/33\" is not a network of IP addresses; give one as 192.0.2.0/28 or 2001:db8::/48",
            ],
        ),
        (
            "203.0.113.0/26",
            "224.0.0.0/4",
            &["p.yaml:14: links.grx-1.remote[0]: 224.0.0.0/4 is no network of hosts; give the neighbours' addresses"],
        ),
        (
            "[198.51.100.40,",
            "[203.0.113.5,",
            &[
                "p.yaml:15: links.grx-1.local[0]: 203.0.113.5 is at both ends; give the neighbour's in remote, our host's in local",
            ],
        ),
        (
            "[1, 2, 32, 33]",
            "[1, 2, 4, 33]",
            &["p.yaml:17: links.grx-1.messages_v2[2]: 4 is no control message of version 2; see TS 29.274 table 6.1-1"],
        ),
        (
            "messages_v1: []",
            "messages_v1: [255]",
            &["p.yaml:16: links.grx-1.messages_v1[0]: 255 is out of range; give 1 to 254 (a message type)"],
        ),
        (
            "from: [203.0.113.16/28]",
            "from: []",
            &["p.yaml:25: peers.B.gtp.from: the list is empty; give at least one, as [192.0.2.0/28]"],
        ),
        (
            "from: [203.0.113.16/28]",
            "from: [203.0.113.0/28]",
            &[
                "p.yaml:25: peers.B.gtp.from[0]: 203.0.113.0/28 is peer A's too (line 21); keep it with one of them, or make one of the two narrower",
            ],
        ),
        (
            "from: [203.0.113.16/28]",
            "from: [203.0.114.16/28]",
            &[
                "p.yaml:25: peers.B.gtp.from[0]: no link of type gtp has an address of 203.0.114.16/28 in remote; add it there, or take it out here",
            ],
        ),
        (
            "    plmns: [\"00103\"]\n",
            "",
            &[
                "p.yaml:25: peers.B.gtp.from[0]: no network of subscribers: none of its messages could pass; give the peer plmns, as [\"00102\"]",
            ],
        ),
        (
            "remote: [192.0.2.10]\n    local: [198.51.100.10]",
            "remote: [203.0.113.7]\n    local: [198.51.100.40]",
            &[
                "p.yaml:14: links.grx-1.remote[0]: addresses of 203.0.113.0/26 to the same local address are in link ss7-1 too; a packet belongs to one link: keep the addresses in one",
            ],
        ),
        (
            "peers:\n",
            "  grx-2:\n    type: gtp\n    remote: [203.0.113.32/27]\n    local: [198.51.100.40]\npeers:\n",
            &[
                "p.yaml:21: links.grx-2.remote[0]: addresses of 203.0.113.32/27 to the same local address are in link grx-1 too; a packet belongs to one link: keep the addresses in one",
            ],
        ),
        (
            "    gtp: {from: [203.0.113.0/28, \"2001:db8:a::/64\"], messages_v2: [32]}\n",
            "",
            &["p.yaml:20: peers.A.gt: missing; give it, as gt: [\"99902\"], or give realms"],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}

#[test]
fn what_gtp_says_is_printed_as_it_was_read() {
    let policy = parse_policy_for(POLICY, "p.yaml", 4).expect("sound");
    let link = &policy.links[1].gtp;
    assert_eq!((link.messages.v1.len(), link.messages.v2.as_slice(), link.user_plane), (0, &[1, 2, 32, 33][..], true));
    assert_eq!(
        (policy.peers[0].gtp.messages_v1.as_deref(), policy.peers[0].gtp.messages_v2.as_deref()),
        (None, Some(&[32][..]))
    );
    let again = parse_policy_for(&policy.to_yaml(), "again.yaml", 4).expect("sound");
    assert_eq!(again, policy);
}
