//! What is wrong with a file is said with its line, its key and its remedy.

/// How every policy here begins: four lines.
macro_rules! home {
    () => {
        r#"version: 1
home:
  gt_prefixes: [{plan: e164, digits: "99901"}]
  plmns: ["00101"]
"#
    };
}

/// Its first link: seven lines.
macro_rules! ss7_link {
    () => {
        "links:
  ss7-1:
    type: m3ua
    remote: [192.0.2.10]
    local: [198.51.100.10]
    opcs: [4128]
    dpcs: [4112]
"
    };
}

#[path = "broken/appliance.rs"]
mod appliance;
#[path = "broken/calls.rs"]
mod calls;
#[path = "broken/detection.rs"]
mod detection;
#[path = "broken/diameter.rs"]
mod diameter;
#[path = "broken/examples.rs"]
mod examples;
#[path = "broken/gtp.rs"]
mod gtp;
#[path = "broken/router.rs"]
mod router;
#[path = "broken/rules.rs"]
mod rules;
#[path = "broken/sigtran.rs"]
mod sigtran;

use std::path::Path;

use proptest::prelude::*;
use sealgate_config::{Appliance, Device, Policy, load, load_appliance, load_policy, parse_policy_for};

const POLICY: &str = concat!(
    home!(),
    r#"  signing: {cert: home-ec, node_base: 1}
defaults:
  mode: require
  window: {past: 10s, future: 5s, seq: 65536}
"#,
    ss7_link!(),
    r#"  ss7-2:
    type: m3ua
    remote: ["2001:db8::1"]
    local: ["2001:db8::2"]
    opcs: [4128]
    dpcs: [4112]
peers:
  A:
    gt: ["99902"]
    plmns: ["00102"]
    links: [ss7-1]
    sign: yes
  C:
    gt: ["99904"]
    profiles: [SG-TCAP-0]
    algs: [rsa2048]
categories:
  map: {cat1: [22], cat2: [3]}
sigfw_keys:
  - {prefix: "99904*", cert: c-rsa}
"#,
);

const APPLIANCE: &str = r#"cores: {main: 0, workers: [1], crypto: [2]}
ports:
  interconnect: {device: "0000:3b:00.0"}
  home: {device: "af_packet:veth1", mtu: 1500, rx_ring: 1024}
crypto: {batch: 64}
trust: {anchors: [root.pem], certificates: c, crls: r, keys: k, crl_grace: 24h}
policy: policy.yaml
"#;

/// A text of the good file, what takes its place, and the faults of the whole file after that.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn check<T: std::fmt::Debug>(good: &str, cases: &[Case], parse: fn(&str) -> Result<T, sealgate_config::Faults>) {
    assert!(parse(good).is_ok(), "{:?}", parse(good));
    for (from, to, want) in cases {
        assert_eq!(good.matches(from).count(), 1, "{from}");
        let faults = parse(&good.replace(from, to)).expect_err(to);
        let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(found, *want, "{from} -> {to}");
    }
}

#[test]
fn faults_of_a_policy() {
    let cases: &[Case] = &[
        ("version: 1", "version: 2", &["p.yaml:1: version: 2 is out of range; give 1 to 1"]),
        ("version: 1\n", "", &["p.yaml:1: version: missing; give it, as version: 1"]),
        (
            "mode: require",
            "mode: requre",
            &[
                "p.yaml:7: defaults.mode: \"requre\" is not a mode (did you mean \"require\"?); use require, prefer or ignore",
            ],
        ),
        (
            "{past: 10s, future: 5s, seq: 65536}",
            "{past: 10, future: 61s, seq: 60000}",
            &[
                "p.yaml:8: defaults.window.past: 10 has no unit; use ms, s, min or h, as 10s or 200ms",
                "p.yaml:8: defaults.window.future: 61s is out of range; give 1s to 1min",
                "p.yaml:8: defaults.window.seq: 60000 is not a power of two; use 32768 or 65536",
            ],
        ),
        (
            "past: 10s",
            "past: 1.5s",
            &[
                "p.yaml:8: defaults.window.past: \"1.5s\" is not a duration; give a whole number and its unit, as 10s or 200ms",
            ],
        ),
        (
            "past: 10s",
            "past: 10sec",
            &[
                "p.yaml:8: defaults.window.past: \"10sec\" has no unit of time: \"sec\"; use ms, s, min or h, as 10s or 200ms",
            ],
        ),
        (
            "seq: 65536",
            "seq: 512",
            &["p.yaml:8: defaults.window.seq: 512 is out of range; give 1024 to 1048576 sequence numbers"],
        ),
        (
            "plmns: [\"00101\"]",
            "plmns: [00101]",
            &[
                "p.yaml:4: home.plmns[0]: 00101 is a number, not a network of 5 or 6 digits (MCC and MNC); put it in quotes: \"00101\"",
            ],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [99902]",
            &[
                "p.yaml:24: peers.A.gt[0]: 99902 is a number, not a prefix of 1 to 15 digits; put it in quotes: \"99902\"",
            ],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [\"9990a\"]",
            &[
                "p.yaml:24: peers.A.gt[0]: \"9990a\" is not a prefix of 1 to 15 digits; give a prefix of 1 to 15 digits, in quotes",
            ],
        ),
        (
            "gt: [\"99902\"]",
            "gt: \"99902\"",
            &["p.yaml:24: peers.A.gt: \"99902\" is not a list; put it in brackets: [\"99902\"]"],
        ),
        ("gt: [\"99902\"]", "gt: []", &["p.yaml:24: peers.A.gt: the list is empty; give at least one, as [\"99902\"]"]),
        (
            "links: [ss7-1]",
            "links: []",
            &["p.yaml:26: peers.A.links: the list is empty; give at least one, as [ss7-1], or leave the key out"],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [\"99902\", \"99902\"]",
            &["p.yaml:24: peers.A.gt[1]: \"99902\" stands here twice; keep one; the first is on line 24"],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [\"99904\"]",
            &[
                "p.yaml:29: peers.C.gt[0]: the prefix 99904 is peer A's too (line 24); keep it with one of them, or make one of the two longer",
            ],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [\"999012\"]",
            &[
                "p.yaml:24: peers.A.gt[0]: 999012 lies in our own prefix 99901; nobody else may claim our titles: take it out, or make home.gt_prefixes longer",
            ],
        ),
        (
            "gt: [\"99902\"]",
            "gt: [\"9990\"]",
            &[
                "p.yaml:24: peers.A.gt[0]: 9990 has our own prefix 99901 in it (line 3); make it longer, so that it has nothing of ours",
            ],
        ),
        (
            "plmns: [\"00102\"]",
            "plmns: [\"00101\"]",
            &[
                "p.yaml:25: peers.A.plmns[0]: 00101 is in home.plmns too; a network is ours or the peer's: keep it in one place",
            ],
        ),
        (
            "links: [ss7-1]",
            "links: [ss7-3]",
            &["p.yaml:26: peers.A.links[0]: there is no link \"ss7-3\" (did you mean \"ss7-1\"?); known: ss7-1, ss7-2"],
        ),
        (
            "  signing: {cert: home-ec, node_base: 1}\n",
            "",
            &["p.yaml:26: peers.A.sign: nothing to sign with; give home.signing: {cert: NAME, node_base: 1}"],
        ),
        (
            "remote: [\"2001:db8::1\"]\n    local: [\"2001:db8::2\"]",
            "remote: [192.0.2.9, 192.0.2.10]\n    local: [198.51.100.10]",
            &[
                "p.yaml:18: links.ss7-2.remote[1]: 192.0.2.10 to 198.51.100.10 is in link ss7-1 too; an association belongs to one link: keep the pair in one",
            ],
        ),
        (
            "local: [\"2001:db8::2\"]",
            "local: [192.0.2.1]",
            &[
                "p.yaml:19: links.ss7-2.local[0]: no remote address is of the family of 192.0.2.1; give addresses of one family",
            ],
        ),
        (
            "remote: [192.0.2.10]",
            "remote: [192.0.2.300, 224.0.0.1]",
            &[
                "p.yaml:12: links.ss7-1.remote[0]: \"192.0.2.300\" is not an IP address; give one as 192.0.2.10 or 2001:db8::10",
                "p.yaml:12: links.ss7-1.remote[1]: 224.0.0.1 is not the address of a host; give the address of one host",
            ],
        ),
        (
            "profiles: [SG-TCAP-0]",
            "profiles: [SG-TCAP-1]",
            &[
                "p.yaml:35: sigfw_keys[0]: no peer with a prefix at 99904 may use SG-TCAP-0; add SG-TCAP-0 to the peer's profiles, or take the key out",
            ],
        ),
        (
            "profiles: [SG-TCAP-0]",
            "profiles: [SG-TCAP-0, SG-SIP-1]",
            &[
                "p.yaml:30: peers.C.profiles[1]: \"SG-SIP-1\" is not a profile (did you mean \"SG-DIA-1\"?); use SG-TCAP-1, SG-TCAP-0, SG-DIA-1 or SG-DIA-0",
            ],
        ),
        (
            "cert: c-rsa",
            "cert: ../c",
            &[
                "p.yaml:35: sigfw_keys[0].cert: \"../c\" is not the name of a certificate; give its name in the trust store without directory: letters, digits, - _ and .",
            ],
        ),
        (", cert: c-rsa", "", &["p.yaml:35: sigfw_keys[0]: no key; give cert: NAME, or spki: BASE64"]),
        (
            "cert: c-rsa",
            "spki: MAA",
            &[
                "p.yaml:35: sigfw_keys[0].spki: not a SubjectPublicKeyInfo in base64; give the DER form in base64 on one line: MIIB...",
            ],
        ),
        (
            "cat2: [3]",
            "cat2: [3], cat4: [2]",
            &["p.yaml:33: categories.map.cat4: unknown key (did you mean \"cat1\"?); known here: cat1, cat2, cat3"],
        ),
        (
            "  window: {past: 10s",
            "  transactions: {timeout: 9h}\n  window: {past: 10s",
            &["p.yaml:8: defaults.transactions.timeout: 9h is out of range; give 1s to 8h"],
        ),
        (
            "  window: {past: 10s",
            "  transactions: {limit: 2048, per_peer: 4096}\n  window: {past: 10s",
            &[
                "p.yaml:8: defaults.transactions.per_peer: 4096 for one peer is more than the 2048 of defaults.transactions.limit for all; give less here, or more there",
            ],
        ),
        (
            "  window: {past: 10s",
            "  transactions: {per_peer: 0}\n  window: {past: 10s",
            &["p.yaml:8: defaults.transactions.per_peer: 0 is out of range; give 1 to 16777216 transactions"],
        ),
        (
            "sign: yes",
            "sign: yes\n    transactions: {limit: 300000, timeout: 0s}",
            &[
                "p.yaml:28: peers.A.transactions.limit: 300000 for one peer is more than the 262144 of defaults.transactions.limit for all; give less here, or more there",
                "p.yaml:28: peers.A.transactions.timeout: 0s is out of range; give 1s to 8h",
            ],
        ),
        (
            "sign: yes",
            "sign: yes\n    transactions: {per_peer: 3}",
            &["p.yaml:28: peers.A.transactions.per_peer: unknown key; known here: limit, timeout"],
        ),
        (
            "cat2: [3]",
            "cat2: [22]",
            &[
                "p.yaml:33: categories.map.cat2[0]: operation 22 is in a category already; keep one; the first is on line 33",
            ],
        ),
        (
            "node_base: 1}",
            "node_base: 254}",
            &["p.yaml:5: home.signing.node_base: node numbers from 254 on do not last for 4 workers; give at most 251"],
        ),
        ("sign: yes", "sign: yep", &["p.yaml:27: peers.A.sign: \"yep\" is neither yes nor no; use yes or no"]),
        ("sign: yes", "sign:", &["p.yaml:27: peers.A.sign: no value; give one, or take the key out"]),
        (
            "sign: yes",
            "sign: yes\n    sign: no",
            &["p.yaml:28: peers.A.sign: the key stands here twice; keep one; the first is on line 27"],
        ),
        (
            "  A:\n",
            "  \"a b\":\n",
            &["p.yaml:23: peers: \"a b\" cannot name a peer; use 1 to 32 letters, digits, - _ or ."],
        ),
        ("  C:\n", "  A:\n", &["p.yaml:28: peers.A: the key stands here twice; keep one; the first is on line 23"]),
        (
            "categories:\n",
            "categries:\n",
            &[
                "p.yaml:32: categries: unknown key (did you mean \"categories\"?); known here: version, home, defaults, tables, links, peers, categories, sigfw_keys, dess_keys, stir, rules, detection, examples",
            ],
        ),
        ("  mode: require", "\tmode: require", &["p.yaml:7: a tab in the indentation; indent with spaces"]),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 4));
}

#[test]
fn a_peer_that_says_nothing_may_have_a_quarter_of_all_transactions() {
    let read = |from: &str, to: &str| {
        let text = POLICY.replacen("sign: yes", from, 1).replacen("  window: {past: 10s", to, 1);
        let policy = parse_policy_for(&text, "p.yaml", 4).unwrap_or_else(|faults| panic!("{faults}"));
        let own = policy.peers[0].transactions.unwrap_or_else(|| policy.defaults.transactions.of_peer());
        (policy.defaults.transactions.per_peer, own.limit, own.timeout_s)
    };
    let as_is = "  window: {past: 10s";
    assert_eq!(read("sign: yes", as_is), (65_536, 65_536, 300));
    let all = "  transactions: {limit: 2048, timeout: 2min}\n  window: {past: 10s";
    assert_eq!(read("sign: yes", all), (512, 512, 120));
    assert_eq!(read("sign: yes\n    transactions: {timeout: 7s}", all), (512, 512, 7));
    assert_eq!(read("sign: yes\n    transactions: {limit: 2048}", all), (512, 2048, 120));
}

/// A directory of its own, gone at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-config-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn put(&self, name: &str, octets: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, octets).expect("a file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn both_files_are_read_in_one_run_and_the_refused_core_map_is_shown() {
    let scratch = Scratch::new("both");
    let appliance = scratch.put("a.yaml", format!("{APPLIANCE}state: state\n"));
    scratch.put("policy.yaml", POLICY);
    let (read, _) = load(&appliance, Some(&[0, 1, 2])).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(read.trust.anchors, [scratch.0.join("root.pem")]);
    assert_eq!(read.state, Some(scratch.0.join("state")));

    scratch.put("policy.yaml", POLICY.replace("mode: require", "mode: no"));
    let faults = load(&appliance, Some(&[0, 1])).expect_err("core 2 is not there");
    let lines: Vec<String> =
        faults.to_string().lines().map(|line| line.replace(&format!("{}/", scratch.0.display()), "")).collect();
    assert_eq!(
        lines,
        [
            "a.yaml:1: cores.crypto[0]: core 2 is not on this machine; use a core of 0, 1",
            "policy.yaml:7: defaults.mode: \"no\" is not a mode; use require, prefer or ignore",
            "",
            "core map refused:",
            "  core 0   main",
            "  core 1   worker 0",
            "  core 2   crypto 0  <- not on this machine",
        ]
    );
}

#[test]
fn what_is_no_text_file_is_refused() {
    let scratch = Scratch::new("files");
    for (octets, line, want) in [
        (&b"version: 1\nhome: \xff\n"[..], 2, "octets that are not UTF-8"),
        (&vec![b'#'; 32 * 1024 * 1024 + 1], 0, "more than 33554432 octets"),
        (b"", 0, "the file is empty"),
    ] {
        let faults = load_policy(&scratch.put("p.yaml", octets)).expect_err(want);
        let found: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.line, fault.message.as_str())).collect();
        assert_eq!(found, [(line, want)]);
    }
    let faults = load_appliance(Path::new("/nowhere/sealgate.yaml")).expect_err("there is none");
    assert!(faults.to_string().starts_with("/nowhere/sealgate.yaml: cannot be read: "), "{faults}");
}

#[test]
fn a_megabyte_of_something_else_is_refused_within_bounds() {
    let big = |piece: &str| piece.repeat(1_000_000 / piece.len());
    for text in [
        big("a: b\n"),
        big("- [x, {y: z}]\n"),
        big("peers: {A: {gt: [\"1\"]}}\n"),
        format!("version: 1\nlinks: [{}]\n", big("1, ")),
        format!("peers:\n{}", (0..50_000).map(|i| format!("  p{i}: {{gt: 1}}\n")).collect::<String>()),
        big("'\""),
        big("&a *a "),
    ] {
        let faults = Policy::parse(&text).expect_err("not a policy");
        assert!(faults.len() <= 1001, "{}", faults.len());
    }
}

#[test]
fn a_file_of_another_editor_reads_the_same() {
    let want = Policy::parse(POLICY);
    assert_eq!(Policy::parse(&POLICY.replace('\n', "\r\n")), want);
    assert_eq!(Policy::parse(&format!("\u{feff}{POLICY}")), want);
    assert_eq!(Policy::parse(&format!("---\n{POLICY}...\n")), want);
}

#[test]
fn a_fault_is_one_line_whatever_the_file_has_in_it() {
    let key = format!("{POLICY}\"a\\n\\e[31m{}\": 1\n", "x".repeat(5000));
    let faults = Policy::parse(&key).expect_err("unknown key");
    let shown = faults.to_string();
    assert!(shown.lines().count() == 1 && shown.len() < 1500 && !shown.contains('\u{1b}'), "{shown}");
}

proptest! {
    /// Any piece of a good file replaced by anything: never a panic, and what loads prints to what loads the same.
    #[test]
    fn a_splice_is_refused_or_means_something(at in 0usize..POLICY.len(), cut in 0usize..40, put in "[a-c0-9:\\-\\[\\]{},\n \t\"'#&*!|>?%~]{0,12}") {
        let mut text = POLICY.to_owned();
        let end = (at + cut).min(text.len());
        text.replace_range(at..end, &put);
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::parse(&policy.to_yaml()), Ok(policy));
        }
    }
}

#[test]
fn enrolment_has_its_defaults_and_needs_a_directory_to_put_certificates_into() {
    let with = |keys: &str| APPLIANCE.replace("certificates: c, crls: r, keys: k, crl_grace: 24h", keys);
    let enrolment = "keys: k, enrolment: {url: \"https://tsca.example:8443\", roots: [t.pem]}";
    let good = with(&format!("certificates: c, crls: r, {enrolment}"));
    let appliance = Appliance::parse(&good).unwrap_or_else(|faults| panic!("{faults}"));
    let read = appliance.trust.enrolment.as_ref().expect("there");
    assert_eq!((read.url.to_string(), read.renew_before_s), ("https://tsca.example:8443/".to_owned(), 14 * 86_400));
    assert_eq!(Appliance::parse(&appliance.to_yaml()).unwrap_or_else(|faults| panic!("{faults}")), appliance);
    let repository = "repository: {urls: [\"https://tsca.example/repo\"], store: s}";
    let faults = Appliance::parse(&with(&format!("{enrolment}, {repository}"))).expect_err("no directory");
    assert_eq!(faults.iter().map(|one| one.path.clone()).collect::<Vec<_>>(), ["trust.certificates"]);
}

#[test]
fn a_repository_stands_for_the_directories_and_has_its_defaults() {
    let good = APPLIANCE.replace(
        "certificates: c, crls: r, keys: k, crl_grace: 24h",
        "keys: k, repository: {urls: [\"https://tsca.example/repo\"], store: s, roots: [t.pem]}",
    );
    let appliance = Appliance::parse(&good).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((&appliance.trust.certificates, &appliance.trust.crls), (&None, &None));
    let repository = appliance.trust.repository.as_ref().expect("there");
    assert_eq!(repository.urls.iter().map(ToString::to_string).collect::<Vec<_>>(), ["https://tsca.example/repo/"]);
    assert_eq!((repository.poll_s, repository.max_shrink_percent), (60, 20));
    assert_eq!((repository.shrink_hold_s, repository.max_stale_s), (6 * 3600, 72 * 3600));
    assert_eq!(repository.repo_stale, sealgate_config::RepoStale::Keep);
    assert_eq!(Appliance::parse(&appliance.to_yaml()).unwrap_or_else(|faults| panic!("{faults}")), appliance);
}
