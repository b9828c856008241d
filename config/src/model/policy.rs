//! The policy file: who may speak, and how (formats 13.1). Reloadable.

use sealgate_wire::addr::{Digits, Plan};
pub use sealgate_wire::sec::passport::Attest;

use super::{Category, Detection, Example, Link, Network, Rule, Screening, Tables, Unmatched};

/// The policy file, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Who we are.
    pub home: Home,
    /// What holds where a peer says nothing else.
    pub defaults: Defaults,
    /// Associations with neighbours, in file order; never empty.
    pub links: Vec<Link>,
    /// Other operators, in file order.
    pub peers: Vec<Peer>,
    /// Operations, application contexts and commands that are known.
    pub tables: Tables,
    /// Operations that are never, or not always, meant for outsiders: what the tables say, and the file on top of it.
    pub categories: Categories,
    /// Keys of SigFW compatible peers (formats 5).
    pub sigfw_keys: Vec<SigfwKey>,
    /// Keys of DESS senders (formats 7).
    pub dess_keys: Vec<DessKey>,
    /// Certificates of callers in SIP, and what our own calls are signed with (formats 8).
    pub stir: Stir,
    /// What operators say of messages, in their order: the first rule that matches counts.
    pub rules: Vec<Rule>,
    /// What only several messages show.
    pub detection: Detection,
    /// Messages, and what must become of them: a policy that judges one otherwise is not put into force.
    pub examples: Vec<Example>,
}

/// Who we are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Home {
    /// Global Titles that are ours; never empty.
    pub gt_prefixes: Vec<GtPrefix>,
    /// Our networks, MCC and MNC, 5 or 6 digits; never empty.
    pub plmns: Vec<Digits>,
    /// Our Diameter realms, in lower case; what lies under one is ours too. The first one is what we sign as.
    pub realms: Vec<String>,
    /// Prefixes of telephone numbers that are ours: calls from them leave signed (formats 9).
    pub tn_prefixes: Vec<Digits>,
    /// What we sign with; `None`: nothing leaves signed.
    pub signing: Option<Signing>,
    /// Who answers where our subscribers are to get a short message; `None`: whoever is asked.
    pub sms_router: Option<SmsRouter>,
}

/// The routers of short messages, which answer in the place of HLR and HSS (SMS home routing: 3GPP TR 23.840, TS 23.040).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SmsRouter {
    /// Titles that sendRoutingInfoForSM may be addressed to, of E.164; empty: any of ours. Never empty where `hosts` is.
    pub gt: Vec<RouterTitle>,
    /// Hosts that S6c Send-Routing-Info-for-SM may name, or realms under which they lie, in lower case; empty: any.
    pub hosts: Vec<String>,
}

/// A Global Title, or all that begin with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RouterTitle {
    /// 1 to 15 decimal digits.
    pub digits: Digits,
    /// More digits may follow.
    pub prefix: bool,
}

/// A prefix of Global Titles in one numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GtPrefix {
    /// Numbering plan.
    pub plan: Plan,
    /// 1 to 15 decimal digits.
    pub digits: Digits,
}

/// What we sign with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signing {
    /// Name of our certificate in the trust store; its private key has the same name.
    pub cert: String,
    /// Node number of the first worker; the next has the next number (formats 1.3).
    pub node_base: u8,
}

/// What holds where a peer says nothing else, and what is the same for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defaults {
    /// Mode of peers that name none.
    pub mode: Mode,
    /// What becomes of a calling Global Title that no peer has.
    pub unknown_peer: UnknownPeer,
    /// How strictly BER is read.
    pub ber: Ber,
    /// Time and sequence window of native profiles.
    pub window: Window,
    /// Time window of SigFW compatible profiles.
    pub compat_window: CompatWindow,
    /// What becomes of a DESS message that was signed twice within a second (formats 7).
    pub dess_same_second: DessSameSecond,
    /// What becomes of a message signed before this gateway started (formats 1.5).
    pub cold_start: ColdStart,
    /// Memory of open transactions.
    pub transactions: Transactions,
    /// What becomes of service messages that answer nothing we signed (formats 4.6).
    pub unsigned_service_messages: ServiceMessages,
    /// TCAP aborts passed unsigned, per peer and second (formats 4.6).
    pub abort_per_peer: u32,
    /// Whether LUDT may carry what outgrows UDT and XUDT, to and from peers that say nothing else.
    pub ludt: bool,
    /// Whether the way to peers that say nothing else has no narrowband link, so that 268 octets are no limit.
    pub m3ua_only: bool,
    /// Subsystems besides 146 whose operations are not MAP (formats 4.1).
    pub other_tcap_ssns: Vec<u8>,
    /// Subsystems that may speak and be spoken to (formats 11.2); never empty.
    pub ssns: Vec<u8>,
    /// Limits of SCCP reassembly.
    pub reassembly: Reassembly,
    /// Limits of SCTP reassembly.
    pub hold: Hold,
    /// Limits of connections over TCP.
    pub tcp: Tcp,
    /// Memory of tunnels of GTP.
    pub tunnels: Tunnels,
    /// Memory of retransmissions.
    pub retransmission: Retransmission,
    /// Whether associations that were up before this gateway are taken over; else their packets are refused until INIT.
    pub adopt: bool,
    /// What the policy does to messages that it refuses for what they ask.
    pub screening: Screening,
    /// What becomes of a message that no rule matches.
    pub unmatched: Unmatched,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            mode: Mode::Require,
            unknown_peer: UnknownPeer::Drop,
            ber: Ber::Canonicalise,
            window: Window::default(),
            compat_window: CompatWindow::default(),
            dess_same_second: DessSameSecond::default(),
            cold_start: ColdStart::Strict,
            transactions: Transactions::default(),
            unsigned_service_messages: ServiceMessages::Drop,
            abort_per_peer: 50,
            ludt: false,
            m3ua_only: false,
            other_tcap_ssns: Vec::new(),
            ssns: vec![6, 7, 8, 9, 145, 146, 147, 148, 149],
            reassembly: Reassembly::default(),
            hold: Hold::default(),
            tcp: Tcp::default(),
            tunnels: Tunnels::default(),
            retransmission: Retransmission::default(),
            adopt: true,
            screening: Screening::Active,
            unmatched: Unmatched::Allow,
        }
    }
}

/// What a peer's messages must have to pass (formats 1.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// A good signature.
    #[default]
    Require,
    /// No bad signature.
    Prefer,
    /// Nothing; signatures are not looked at.
    Ignore,
}

/// What becomes of a calling Global Title that no peer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownPeer {
    /// Refused.
    #[default]
    Drop,
    /// Judged as a peer that says nothing of its own.
    TreatAsDefault,
}

/// How strictly BER is read (formats 11.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ber {
    /// Indefinite and non-minimal lengths are refused.
    Strict,
    /// They are accepted and rewritten.
    #[default]
    Canonicalise,
}

/// Time and sequence window of native profiles (formats 1.4 and 1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Oldest signature, milliseconds: 1000 to 60000.
    pub past_ms: u32,
    /// Furthest signature in the future, milliseconds: 1000 to 60000.
    pub future_ms: u32,
    /// Sequence numbers remembered: a power of two, 1024 to 1048576.
    pub seq: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { past_ms: 10_000, future_ms: 5_000, seq: 65_536 }
    }
}

/// Time window of SigFW compatible profiles (formats 1.4): may be lowered from SigFW's own 30 s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompatWindow {
    /// Oldest signature, milliseconds: 1000 to 30000.
    pub past_ms: u32,
    /// Furthest signature in the future, milliseconds: 1000 to 30000.
    pub future_ms: u32,
}

impl Default for CompatWindow {
    fn default() -> Self {
        Self { past_ms: 30_000, future_ms: 30_000 }
    }
}

/// What becomes of a message signed before this gateway started (formats 1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColdStart {
    /// Refused: it may be a replay of what was accepted before the restart.
    #[default]
    Strict,
    /// Judged by the time window alone.
    Lenient,
}

/// What becomes of a DESS message that was signed twice within a second: with RSA both are the same octets (formats 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DessSameSecond {
    /// The second one is refused as a replay.
    #[default]
    Drop,
    /// It passes while the second lasts that its time stamp names.
    Allow,
}

/// Memory of open transactions (formats 13.2, step 1), and of open Diameter requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transactions {
    /// Whether CONTINUE, END and ABORT need an open transaction, and a Diameter answer an open request.
    pub check: bool,
    /// Transactions remembered by all workers together: 1024 to 16777216; plan twice as many as are open at once.
    pub limit: usize,
    /// Of them, those that a peer which says nothing else may have begun, and as many that we have begun with it: 1 to `limit`.
    pub per_peer: u32,
    /// Time since our side's last message after which a transaction is forgotten, seconds: 1 to 28800.
    pub timeout_s: u32,
    /// Time after a start in which an unknown transaction is taken for an older one, seconds: 0 to 86400.
    pub grace_s: u32,
}

impl Default for Transactions {
    fn default() -> Self {
        Self { check: true, limit: 262_144, per_peer: 65_536, timeout_s: 300, grace_s: 60 }
    }
}

impl Transactions {
    /// What holds for a peer that says nothing else.
    pub fn of_peer(&self) -> PeerTransactions {
        PeerTransactions { limit: self.per_peer, timeout_s: self.timeout_s }
    }
}

/// What a peer's transactions may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerTransactions {
    /// How many it may have begun, and as many that we have begun with it: 1 to the limit of all.
    pub limit: u32,
    /// Time since our side's last message after which one is forgotten, seconds: 1 to 28800.
    pub timeout_s: u32,
}

/// What becomes of service messages that answer nothing we signed (formats 4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ServiceMessages {
    /// Refused.
    #[default]
    Drop,
    /// Passed, at the rate of `abort_per_peer`, for peers we do not sign towards.
    RateLimited,
}

/// Limits of SCCP reassembly, per link and direction at each worker (formats 11.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reassembly {
    /// Longest wait for the last segment, milliseconds: 100 to 60000.
    pub timeout_ms: u32,
    /// Segments of a message: 1 to 16.
    pub segments: u8,
    /// Messages that wait at a time: 1 to 65536.
    pub contexts: u32,
}

impl Default for Reassembly {
    fn default() -> Self {
        Self { timeout_ms: 10_000, segments: 16, contexts: 4096 }
    }
}

/// Limits of SCTP reassembly, per message (formats 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Longest wait for the last fragment, milliseconds: 10 to 10000.
    pub deadline_ms: u32,
    /// Octets held: 1500 to 1048576.
    pub octets: u32,
}

impl Default for Hold {
    fn default() -> Self {
        Self { deadline_ms: 200, octets: 65_536 }
    }
}

/// Limits of connections over TCP (formats 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tcp {
    /// Longest wait for the rest of a message, milliseconds: 250 to 30000. A host sends again after 200 ms at the earliest (RFC 6298
    /// asks for a second), so that less would refuse what was lost once.
    pub hold_ms: u32,
    /// Connections of one worker: 16 to 65536.
    pub connections: u32,
}

impl Default for Tcp {
    fn default() -> Self {
        Self { hold_ms: 2000, connections: 1024 }
    }
}

/// Memory of tunnels of GTP-C (formats 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TunnelCheck {
    /// None is kept.
    Ignore,
    /// It is kept, and what it speaks against is counted and passes.
    #[default]
    Learn,
    /// What it speaks against is refused.
    Enforce,
}

/// Memory of tunnels of GTP-C (formats 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tunnels {
    /// What links of GTP do that say nothing else.
    pub check: TunnelCheck,
    /// Endpoints of ours remembered by all workers together: 1024 to 16777216; plan twice as many as are in use at once.
    pub limit: usize,
    /// Time after which an endpoint is forgotten of which nobody spoke, seconds: 60 to 3456000.
    pub idle_s: u32,
    /// Time after a start in which an unknown endpoint becomes that of the peer whose request our node accepts, seconds: 0 to
    /// 3456000.
    pub adopt_s: u32,
}

impl Default for Tunnels {
    fn default() -> Self {
        Self { check: TunnelCheck::Learn, limit: 262_144, idle_s: 2_592_000, adopt_s: 86_400 }
    }
}

/// Memory of retransmissions, per direction of an association (formats 1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retransmission {
    /// Transmission sequence numbers remembered: a power of two, 4096 to 65536.
    pub tsns: u32,
    /// Octets of rewritten messages remembered: 65536 to 67108864.
    pub octets: u32,
}

impl Default for Retransmission {
    fn default() -> Self {
        Self { tsns: 4096, octets: 2 * 1024 * 1024 }
    }
}

/// What becomes of a call whose certificate is allowed and not known yet (formats 8, S6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum X5uMiss {
    /// It is refused, in mode `prefer` taken for unsigned.
    #[default]
    Reject,
    /// It waits for its certificate, and is then treated as with `reject` if none came.
    Hold,
    /// It is taken for unsigned whatever the mode says.
    Unverified,
}

/// Certificates of callers in SIP (RFC 8225), and what our own calls are signed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stir {
    /// Hosts that certificates may come from.
    pub hosts: Vec<String>,
    /// Certificates by the URL that names them.
    pub certificates: Vec<StirCertificate>,
    /// How old, or ahead of our clock, a PASSporT may be, seconds: 1 to 60.
    pub window_s: u32,
    /// What becomes of a call whose certificate is not known yet.
    pub x5u_miss: X5uMiss,
    /// Calls that wait for their certificates at a time, at each worker.
    pub hold_max: u32,
    /// Whether diverted calls are followed by their PASSporTs of `div` (RFC 8946).
    pub div: bool,
    /// What our own calls are signed as.
    pub sign: Option<StirSign>,
}

impl Default for Stir {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            certificates: Vec::new(),
            window_s: 60,
            x5u_miss: X5uMiss::Reject,
            hold_max: 256,
            div: false,
            sign: None,
        }
    }
}

/// A certificate that a PASSporT may name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StirCertificate {
    /// Its x5u: an https URL.
    pub x5u: String,
    /// Its name in the trust store.
    pub cert: String,
}

/// What our own calls say (RFC 8588).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StirSign {
    /// Where others find our certificate: an https URL.
    pub x5u: String,
    /// What we vouch for.
    pub attest: Attest,
    /// What we vouch for where a calling number begins with these digits; the longest counts.
    pub levels: Vec<(Digits, Attest)>,
    /// A UUID that stands for this gateway.
    pub origid: String,
}

impl StirSign {
    /// What we vouch for of a call from this number.
    pub fn attest_of(&self, calling: &Digits) -> Attest {
        let within = self.levels.iter().filter(|(digits, _)| calling.starts_with(digits));
        within.max_by_key(|(digits, _)| digits.len()).map_or(self.attest, |(_, attest)| *attest)
    }
}

/// How a peer speaks GTP.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeerGtp {
    /// Networks of its nodes; empty: it speaks none. The longest one that holds an address says whose it is.
    pub from: Vec<Network>,
    /// Message types that it may use where its link lets them; `None`: all of those.
    pub messages_v1: Option<Vec<u8>>,
    /// The same of version 2.
    pub messages_v2: Option<Vec<u8>>,
}

/// Another operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its name in this file.
    pub name: String,
    /// Prefixes of its Global Titles, whatever the plan. Never empty where it has neither realm nor nodes of GTP.
    pub gt: Vec<Digits>,
    /// Its Diameter realms, in lower case; what lies under one belongs to it too. Never empty where it has no title.
    pub realms: Vec<String>,
    /// Where its GTP comes from, and what it may be.
    pub gtp: PeerGtp,
    /// Its networks, MCC and MNC, 5 or 6 digits.
    pub plmns: Vec<Digits>,
    /// What its messages must have to pass.
    pub mode: Mode,
    /// What the policy does to messages of it that it refuses for what they ask.
    pub screening: Screening,
    /// Signature profiles it may use; never empty.
    pub profiles: Vec<Profile>,
    /// Algorithms it may use with SG-TCAP-1 and SG-DIA-1; never empty.
    pub algs: Vec<AlgName>,
    /// Who may sign for it with SG-TCAP-1 and SG-DIA-1; never empty.
    pub signer_roles: Vec<RoleName>,
    /// Whether we sign what goes to it.
    pub sign: bool,
    /// The profile we sign SS7 with.
    pub sign_profile: Profile,
    /// The profile we sign Diameter with.
    pub sign_profile_diameter: Profile,
    /// Links it may come in by; empty: any.
    pub links: Vec<String>,
    /// The least that a SHAKEN PASSporT of it must vouch for.
    pub min_attest: Attest,
    /// Its own times; `None`: those of [`Defaults`], whose sequence window holds for all.
    pub window: Option<Window>,
    /// Its own transactions; `None`: as [`Defaults`] has them.
    pub transactions: Option<PeerTransactions>,
    /// What becomes of a message that outgrows what can be carried when it is signed.
    pub oversize: Oversize,
    /// Whether LUDT may carry what outgrows UDT and XUDT, to it and from it.
    pub ludt: bool,
    /// Whether the way to it has no narrowband link, so that 268 octets are no limit.
    pub m3ua_only: bool,
    /// When the called address is copied into the security header (formats 4.4).
    pub copy_called: CopyCalled,
    /// Which copy of the called address is accepted when it was translated on its way (formats 4.5, V14).
    pub cdpa_rewrite: CdpaRewrite,
    /// Operation code of the security component in MAP dialogues (formats 4.1).
    pub sec_opcode_map: i32,
    /// The same in all other dialogues (formats 4.1).
    pub sec_opcode_other: i32,
    /// Whether BEGIN may come without application context: MAP version 1.
    pub allow_no_ac: bool,
    /// Whether a [`KeyRef::Spki`] for it may be RSA from 1024 bits; else from 2048.
    pub allow_legacy_rsa: bool,
}

/// A signature profile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Profile {
    /// Native SS7, formats 4.
    SgTcap1,
    /// SigFW compatible SS7, formats 5.
    SgTcap0,
    /// Native Diameter, formats 6.
    SgDia1,
    /// DESS as SigFW signs it, formats 7.
    SgDia0,
}

/// A signature algorithm by its name in the file (formats 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum AlgName {
    /// ECDSA over P-256 with SHA-256.
    P256 = 1,
    /// Ed25519.
    Ed25519 = 2,
    /// RSA of 2048 bits, PKCS#1 v1.5 with SHA-256.
    Rsa2048 = 3,
    /// ECDSA over P-384 with SHA-384.
    P384 = 4,
}

impl AlgName {
    /// Its number in the security header.
    pub const fn wire(self) -> u8 {
        self as u8
    }
}

/// Who signs (formats 12.2, signerRole).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoleName {
    /// The operator itself.
    Csp,
    /// A carrier on its behalf.
    Carrier,
    /// A hub on its behalf.
    Hub,
}

/// What becomes of a message that outgrows what can be carried when it is signed (formats 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Oversize {
    /// It leaves as it came, counted and alarmed.
    #[default]
    Unsigned,
    /// It is refused.
    Refuse,
}

/// When the called address is copied into the security header (formats 4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CopyCalled {
    /// For E.214 titles, which are translated on the way.
    #[default]
    Auto,
    /// Always.
    Always,
}

/// Which copy of the called address is accepted when it was translated on its way (formats 4.5, V14).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CdpaRewrite {
    /// One that lies in our own prefixes.
    #[default]
    Own,
    /// Only one that equals the called address.
    Exact,
}

/// Operations that are never, or not always, meant for outsiders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Categories {
    /// Of MAP.
    pub map: MapCategories,
    /// Of Diameter.
    pub diameter: DiameterCategories,
}

impl Categories {
    /// Those of the tables, each rising by code.
    pub fn of(tables: &Tables) -> Self {
        let map = |category| {
            let of = tables.map.operations.iter().filter(|operation| operation.category == category);
            sorted(of.map(|operation| i32::from(operation.code)))
        };
        let diameter = |category| {
            let all = tables.diameter.iter().flat_map(|application| &application.commands);
            sorted(all.filter(|command| command.category == category).map(|command| command.code))
        };
        Self {
            map: MapCategories { cat1: map(Category::Cat1), cat2: map(Category::Cat2), cat3: map(Category::Cat3) },
            diameter: DiameterCategories {
                cat1: diameter(Category::Cat1),
                cat2: diameter(Category::Cat2),
                cat3: diameter(Category::Cat3),
            },
        }
    }
}

/// Each code once, rising.
fn sorted<T: Ord>(codes: impl Iterator<Item = T>) -> Vec<T> {
    let mut codes: Vec<T> = codes.collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Diameter command codes by category (GSMA FS.19); no code is in two of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiameterCategories {
    /// Never from outside.
    pub cat1: Vec<u32>,
    /// Only for the peer's own subscribers: they come from the home network of the subscriber.
    pub cat2: Vec<u32>,
    /// Only from where the subscriber is.
    pub cat3: Vec<u32>,
}

/// MAP operation codes by category (GSMA FS.11); no code is in two of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapCategories {
    /// Never from outside.
    pub cat1: Vec<i32>,
    /// Only for the peer's own subscribers.
    pub cat2: Vec<i32>,
    /// Only from where the subscriber is.
    pub cat3: Vec<i32>,
}

/// The key of a SigFW compatible sender (formats 5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigfwKey {
    /// Calling Global Titles that it signs for; the longest prefix wins.
    pub prefix: Digits,
    /// The key.
    pub key: KeyRef,
}

/// The key of a DESS sender (formats 7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DessKey {
    /// Origin-Realm that it signs for, in lower case.
    pub realm: String,
    /// DESS-Signing-Identity that it names, in lower case.
    pub identity: String,
    /// The key.
    pub key: KeyRef,
}

/// Where a key comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyRef {
    /// The certificate of this name in the trust store.
    Certificate(String),
    /// A DER SubjectPublicKeyInfo.
    Spki(Vec<u8>),
}
