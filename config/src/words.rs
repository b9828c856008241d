//! The words of the files and what they stand for: one table for reading and for writing.

use sealgate_wire::addr::Plan;

use crate::model::*;

/// One of [`Transports`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    Sctp,
    Udp,
    Tcp,
}

/// Words and their values; each value once.
pub(crate) type Words<T> = [(&'static str, T)];

pub(crate) const NUMA: &Words<Numa> = &[("warn", Numa::Warn), ("strict", Numa::Strict)];
pub(crate) const HUGEPAGES: &Words<Hugepages> =
    &[("auto", Hugepages::Auto), ("on", Hugepages::On), ("off", Hugepages::Off)];
pub(crate) const MEMORY_LOCK: &Words<MemoryLock> =
    &[("auto", MemoryLock::Auto), ("on", MemoryLock::On), ("off", MemoryLock::Off)];
pub(crate) const CRYPTO_ENGINE: &Words<CryptoEngine> =
    &[("auto", CryptoEngine::Auto), ("reference", CryptoEngine::Reference)];
pub(crate) const CRL_STALE: &Words<CrlStale> = &[("fail", CrlStale::Fail), ("keep", CrlStale::Keep)];
pub(crate) const REPO_STALE: &Words<RepoStale> = &[("keep", RepoStale::Keep), ("fail", RepoStale::Fail)];
pub(crate) const PLAN: &Words<Plan> = &[("e164", Plan::E164), ("e214", Plan::E214)];
pub(crate) const MODE: &Words<Mode> = &[("require", Mode::Require), ("prefer", Mode::Prefer), ("ignore", Mode::Ignore)];
pub(crate) const UNKNOWN_PEER: &Words<UnknownPeer> =
    &[("drop", UnknownPeer::Drop), ("treat_as_default", UnknownPeer::TreatAsDefault)];
pub(crate) const BER: &Words<Ber> = &[("strict", Ber::Strict), ("canonicalise", Ber::Canonicalise)];
pub(crate) const COLD_START: &Words<ColdStart> = &[("strict", ColdStart::Strict), ("lenient", ColdStart::Lenient)];
pub(crate) const SERVICE_MESSAGES: &Words<ServiceMessages> =
    &[("drop", ServiceMessages::Drop), ("rate_limited", ServiceMessages::RateLimited)];
pub(crate) const LINK_KIND: &Words<LinkKind> = &[
    ("m3ua", LinkKind::M3ua),
    ("m2pa", LinkKind::M2pa),
    ("sua", LinkKind::Sua),
    ("diameter", LinkKind::Diameter),
    ("sip", LinkKind::Sip),
    ("gtp", LinkKind::Gtp),
];
pub(crate) const TRANSPORT_DIAMETER: &Words<Transport> = &[("sctp", Transport::Sctp), ("tcp", Transport::Tcp)];
pub(crate) const TRANSPORT_SIP: &Words<Transport> = &[("udp", Transport::Udp), ("tcp", Transport::Tcp)];
pub(crate) const IP_FRAGMENTS: &Words<IpFragments> =
    &[("refuse", IpFragments::Refuse), ("reassemble", IpFragments::Reassemble)];
pub(crate) const ON_FAIL: &Words<OnFail> =
    &[("drop", OnFail::Drop), ("reject", OnFail::Reject), ("mark", OnFail::Mark)];
/// Rules for certificates that are not known yet.
pub(crate) const X5U_MISS: &Words<X5uMiss> =
    &[("reject", X5uMiss::Reject), ("hold", X5uMiss::Hold), ("unverified", X5uMiss::Unverified)];
pub(crate) const TUNNEL_CHECK: &Words<TunnelCheck> =
    &[("ignore", TunnelCheck::Ignore), ("learn", TunnelCheck::Learn), ("enforce", TunnelCheck::Enforce)];
pub(crate) const DETECT_MODE: &Words<DetectMode> =
    &[("off", DetectMode::Off), ("alert", DetectMode::Alert), ("drop", DetectMode::Drop)];
pub(crate) const ATTEST: &Words<Attest> = &[("A", Attest::A), ("B", Attest::B), ("C", Attest::C)];
pub(crate) const CATEGORY: &Words<Category> =
    &[("none", Category::None), ("cat1", Category::Cat1), ("cat2", Category::Cat2), ("cat3", Category::Cat3)];
pub(crate) const DESS_SAME_SECOND: &Words<DessSameSecond> =
    &[("drop", DessSameSecond::Drop), ("allow", DessSameSecond::Allow)];
pub(crate) const NI: &Words<u8> = &[("international", 0), ("spare", 1), ("national", 2), ("reserved", 3)];
pub(crate) const SI: &Words<u8> = &[("sccp", 3), ("isup", 5)];
pub(crate) const PROFILE: &Words<Profile> = &[
    ("SG-TCAP-1", Profile::SgTcap1),
    ("SG-TCAP-0", Profile::SgTcap0),
    ("SG-DIA-1", Profile::SgDia1),
    ("SG-DIA-0", Profile::SgDia0),
];
pub(crate) const PROFILE_TCAP: &Words<Profile> = &[("SG-TCAP-1", Profile::SgTcap1), ("SG-TCAP-0", Profile::SgTcap0)];
pub(crate) const PROFILE_DIAMETER: &Words<Profile> = &[("SG-DIA-1", Profile::SgDia1), ("SG-DIA-0", Profile::SgDia0)];
pub(crate) const ALG: &Words<AlgName> =
    &[("p256", AlgName::P256), ("ed25519", AlgName::Ed25519), ("rsa2048", AlgName::Rsa2048), ("p384", AlgName::P384)];
pub(crate) const ROLE: &Words<RoleName> =
    &[("csp", RoleName::Csp), ("carrier", RoleName::Carrier), ("hub", RoleName::Hub)];
pub(crate) const OVERSIZE: &Words<Oversize> = &[("unsigned", Oversize::Unsigned), ("refuse", Oversize::Refuse)];
pub(crate) const COPY_CALLED: &Words<CopyCalled> = &[("auto", CopyCalled::Auto), ("always", CopyCalled::Always)];
pub(crate) const CDPA_REWRITE: &Words<CdpaRewrite> = &[("own", CdpaRewrite::Own), ("exact", CdpaRewrite::Exact)];
pub(crate) const EXAMPLE_DIRECTION: &Words<bool> = &[("in", false), ("out", true)];
pub(crate) const EXAMPLE_SIGNATURE: &Words<ExampleSignature> = &[
    ("absent", ExampleSignature::Absent),
    ("valid", ExampleSignature::Valid),
    ("invalid", ExampleSignature::Invalid),
    ("unknown_signer", ExampleSignature::UnknownSigner),
];
/// Besides these, the name of any reason.
pub(crate) const EXPECT: &Words<Expect> = &[("pass", Expect::Pass), ("refuse", Expect::Refuse)];

/// The word for a value; every value has one.
pub(crate) fn word<T: PartialEq>(words: &Words<T>, value: &T) -> &'static str {
    words.iter().find(|(_, other)| other == value).map_or("", |(word, _)| word)
}
pub(crate) const PROTOCOL: &Words<Protocol> = &[
    ("map", Protocol::Map),
    ("cap", Protocol::Cap),
    ("isup", Protocol::Isup),
    ("diameter", Protocol::Diameter),
    ("sip", Protocol::Sip),
    ("gtp", Protocol::Gtp),
];
pub(crate) const SIGNATURE: &Words<Signature> = &[
    ("valid", Signature::Valid),
    ("absent", Signature::Absent),
    ("unknown_signer", Signature::UnknownSigner),
    ("unchecked", Signature::Unchecked),
];

/// An action, whose rate stands beside it.
#[derive(Clone, Copy)]
pub(crate) enum ActionWord {
    Plain(Action),
    RateLimit,
}

pub(crate) const ACTION: &Words<ActionWord> = &[
    ("allow", ActionWord::Plain(Action::Allow)),
    ("drop", ActionWord::Plain(Action::Drop)),
    ("reject", ActionWord::Plain(Action::Reject)),
    ("alert", ActionWord::Plain(Action::Alert)),
    ("rate_limit", ActionWord::RateLimit),
    ("mark", ActionWord::Plain(Action::Mark)),
];
pub(crate) const PER: &Words<Per> = &[("rule", Per::Rule), ("peer", Per::Peer), ("calling_gt", Per::CallingGt)];
pub(crate) const OVER: &Words<Over> = &[("drop", Over::Drop), ("reject", Over::Reject), ("alert", Over::Alert)];
pub(crate) const CHECK: &Words<Check> = &[
    ("cat1", Check::Cat1),
    ("cat2", Check::Cat2),
    ("cat3", Check::Cat3),
    ("home_routing", Check::HomeRouting),
    ("xlayer_addr", Check::XlayerAddr),
    ("ac_missing", Check::AcMissing),
    ("ac_opcode", Check::AcOpcode),
    ("command", Check::Command),
    ("host_realm", Check::HostRealm),
    ("vplmn_realm", Check::VplmnRealm),
    ("velocity", Check::Velocity),
    ("previous_location", Check::PrevLocation),
    ("multi_request", Check::MultiRequest),
    ("multi_protocol", Check::MultiProtocol),
    ("cross_generation", Check::CrossGeneration),
    ("scan", Check::Scan),
    ("flood", Check::Flood),
];
pub(crate) const UNMATCHED: &Words<Unmatched> =
    &[("allow", Unmatched::Allow), ("drop", Unmatched::Drop), ("reject", Unmatched::Reject)];
pub(crate) const SCREENING: &Words<Screening> =
    &[("learn", Screening::Learn), ("test", Screening::Test), ("active", Screening::Active)];
