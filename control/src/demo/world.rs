//! The demo's world: an authority with operators, a rogue one, and the configuration of HOME's gateway.

use crate::authority::{Authority, Reason, Request, Setup};
use crate::cli::CliError;
use crate::material::read_key;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Identifiers, PLAN_E164, PLAN_E214};
use sealgate_crypto::sign::SigningKey;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// Who takes part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operator {
    /// Ours: the gateway stands at its border.
    Home,
    /// Signs everything; the policy demands it.
    A,
    /// The same, with Ed25519 keys.
    B,
    /// On its way there: some of its nodes sign, and the policy prefers it.
    C,
}

impl Operator {
    /// Those at the other end of interconnect.
    pub const OTHERS: [Operator; 3] = [Operator::A, Operator::B, Operator::C];

    /// Its name in policy and output.
    pub const fn name(self) -> &'static str {
        match self {
            Operator::Home => "HOME",
            Operator::A => "A",
            Operator::B => "B",
            Operator::C => "C",
        }
    }

    /// Prefix of its Global Titles and telephone numbers.
    pub const fn gt(self) -> &'static str {
        match self {
            Operator::Home => "99901",
            Operator::A => "99902",
            Operator::B => "99903",
            Operator::C => "99904",
        }
    }

    /// Its network: mobile country and network code.
    pub const fn plmn(self) -> &'static str {
        match self {
            Operator::Home => "00101",
            Operator::A => "00102",
            Operator::B => "00103",
            Operator::C => "00104",
        }
    }

    /// Its Diameter realm.
    pub fn realm(self) -> String {
        let (country, network) = self.plmn().split_at(3);
        format!("epc.mnc0{network}.mcc{country}.3gppnetwork.org")
    }

    /// Its signalling point code.
    pub const fn point_code(self) -> u32 {
        match self {
            Operator::Home => 4112,
            Operator::A => 4128,
            Operator::B => 4144,
            Operator::C => 4160,
        }
    }

    fn identifiers(self) -> Identifiers {
        Identifiers {
            gt_prefixes: vec![(PLAN_E164, self.gt().to_owned()), (PLAN_E214, self.gt().to_owned())],
            plmns: vec![self.plmn().to_owned()],
            realms: vec![self.realm()],
            tn_ranges: vec![(format!("{}0000000", self.gt()), 10_000_000)],
            ..Identifiers::default()
        }
    }
}

/// Whose key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signer {
    /// A's, in force.
    A,
    /// B's, in force.
    B,
    /// B's of last year: expired.
    BOld,
    /// C's, in force.
    C,
    /// C's that was stolen: revoked.
    CStolen,
    /// A key whose certificate says A, from an authority that nobody trusts.
    Rogue,
}

impl Signer {
    const ALL: [Signer; 6] = [Signer::A, Signer::B, Signer::BOld, Signer::C, Signer::CStolen, Signer::Rogue];

    const fn name(self) -> &'static str {
        match self {
            Signer::A | Signer::Rogue => "a",
            Signer::B => "b",
            Signer::BOld => "b-old",
            Signer::C => "c",
            Signer::CStolen => "c-stolen",
        }
    }

    const fn operator(self) -> Operator {
        match self {
            Signer::A | Signer::Rogue => Operator::A,
            Signer::B | Signer::BOld => Operator::B,
            Signer::C | Signer::CStolen => Operator::C,
        }
    }

    const fn alg(self) -> Alg {
        match self {
            Signer::B | Signer::BOld => Alg::Ed25519,
            _ => Alg::P256,
        }
    }
}

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Files {
    /// The demo's directory.
    pub dir: PathBuf,
}

impl Files {
    /// A file of the demo.
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The appliance file.
    pub fn config(&self) -> PathBuf {
        self.at("sealgate.yaml")
    }
}

/// The keys of everybody who signs.
pub type Wallet = Vec<(Signer, SigningKey)>;

/// Makes both authorities, everybody's certificates and keys, and the gateway's two files.
///
/// * `now`: certificates and revocation lists are good at this time, but for those that should not be
/// # Errors
/// Whatever the authorities or the files give.
pub fn build(files: &Files, now: OffsetDateTime) -> Result<Wallet, CliError> {
    // Both have existed for a while: last year's certificate lies within their time.
    let founded = now - Duration::days(400);
    let mut authority =
        Authority::init(&files.at("authority"), &Setup { name: "Demo TSCA".into(), ..Setup::default() }, founded)?;
    let rogue_setup = Setup { name: "Rogue TSCA".into(), ..Setup::default() };
    let mut rogue = Authority::init(&files.at("rogue"), &rogue_setup, founded)?;
    let home = authority.issue(&Request::new("home", Operator::Home.identifiers()), now)?;
    // A gateway holds its own key and no other.
    let keys = files.at("keys");
    let copied = std::fs::create_dir_all(&keys).and_then(|()| {
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o700))?;
        std::fs::copy(&home.private_key, keys.join("home.key.pem")) // with its mode
    });
    copied
        .map_err(|fault| CliError::new(format!("{}: {fault}", keys.display()), "give another directory with --dir"))?;
    let mut wallet = Wallet::new();
    for signer in Signer::ALL {
        let mut request = Request { alg: signer.alg(), ..Request::new(signer.name(), signer.operator().identifiers()) };
        if signer == Signer::BOld {
            request.not_before = Some(founded);
            request.not_after = Some(now - Duration::days(10));
        }
        let by = if signer == Signer::Rogue { &mut rogue } else { &mut authority };
        let issued = by.issue(&request, now)?;
        wallet.push((signer, read_key(&issued.private_key)?));
    }
    authority.revoke(Signer::CStolen.name(), Reason::KeyCompromise, now)?;
    authority.publish(now)?;
    write(&files.at("policy.yaml"), POLICY)?;
    write(&files.config(), APPLIANCE)?;
    Ok(wallet)
}

/// Writes a file of the demo.
/// # Errors
/// What the system says.
pub fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text)
        .map_err(|fault| CliError::new(format!("{}: {fault}", path.display()), "give another directory with --dir"))
}

const POLICY: &str = "\
# Who may speak to HOME, and how. Made by `sealgate demo`; all numbers are from ranges that belong to nobody.
version: 1

home:                                # who we are: nobody outside may use these numbers
  gt_prefixes: [{plan: e164, digits: \"99901\"}, {plan: e214, digits: \"99901\"}]
  plmns: [\"00101\"]
  realms: [epc.mnc001.mcc001.3gppnetwork.org]
  tn_prefixes: [\"99901\"]
  signing: {cert: home, node_base: 1}   # what leaves is signed with this key

defaults:
  mode: require                      # a message must be signed
  unknown_peer: drop                 # and come from somebody we know
  cold_start: lenient                # the demo's traffic was signed before its gateway starts

links:                               # one for each way to a neighbour
  carrier-1:
    type: m3ua
    remote: [192.0.2.10]
    local: [198.51.100.10]
    opcs: [4128, 4144, 4160]
    dpcs: [4112]
    routing_contexts: [1]
    si: [sccp, isup]                 # telephone calls come this way too
    isup_mode: require               # and whose number they show must be signed for
  carrier-2:
    type: m3ua
    remote: [192.0.2.20]
    local: [198.51.100.10]
    opcs: [4128, 4144, 4160]
    dpcs: [4112]
    routing_contexts: [2]
  carrier-4g:
    type: diameter
    remote: [192.0.2.30]
    local: [198.51.100.30]
  carrier-calls:                     # calls over IP
    type: sip
    remote: [192.0.2.40]
    local: [198.51.100.40]
  carrier-data:                      # data of subscribers who are abroad
    type: gtp
    remote: [192.0.2.48/29]
    local: [198.51.100.50]

peers:                               # one for each operator
  A: {gt: [\"99902\"], plmns: [\"00102\"], realms: [epc.mnc002.mcc001.3gppnetwork.org], gtp: {from: [192.0.2.48/29]}, mode: require, sign: yes}
  B: {gt: [\"99903\"], plmns: [\"00103\"], mode: require, sign: yes}
  C: {gt: [\"99904\"], plmns: [\"00104\"], mode: prefer, sign: yes}   # not all of its nodes sign yet

stir:                                # who vouches for callers over IP
  hosts: [certs.demo.example]
  certificates: [{x5u: \"https://certs.demo.example/a.pem\", cert: a}]
  sign: {x5u: \"https://certs.demo.example/home.pem\", attest: A, origid: 123e4567-e89b-12d3-a456-426614174001}
";

const APPLIANCE: &str = "\
# The machine of the demo: capture files instead of network cards. Made by `sealgate demo`.
cores: {workers: [0]}
ports:
  interconnect: {device: \"pcap:interconnect.pcap,to-interconnect.pcap\"}
  home: {device: \"pcap:home.pcap,to-home.pcap\"}
trust:
  anchors: [authority/anchors/root.pem]
  certificates: authority/certs
  crls: authority/crls
  keys: keys
policy: policy.yaml
admin: {socket: admin.sock}
";
