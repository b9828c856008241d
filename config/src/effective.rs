//! The effective configuration: everything that holds, what was left out with the value it got. Loads back the same.

mod detection;
mod rules;

use std::fmt::Display;
use std::path::Path;

use sealgate_wire::addr::Digits;
use serde_yaml::{Mapping, Value};

use crate::model::*;
use crate::policy::VERSION;
use crate::policy::examples::expect_word;
use crate::units::{duration_text, to_base64};
use crate::words::*;

impl Appliance {
    /// This configuration as YAML, every key given.
    pub fn to_yaml(&self) -> String {
        let port = |port: &Port| {
            map([
                ("device", text(&port.device)),
                ("mtu", port.mtu.into()),
                ("rx_ring", port.rx_ring.into()),
                ("tx_ring", port.tx_ring.into()),
            ])
        };
        let cores = map([
            ("main", self.cores.main.map_or(LEFT_OUT, Value::from)),
            ("workers", list(&self.cores.workers, |core| Value::from(*core))),
            ("crypto", list(&self.cores.crypto, |core| Value::from(*core))),
            ("numa", word(NUMA, &self.cores.numa).into()),
        ]);
        let trust = map([
            ("anchors", list(&self.trust.anchors, |anchor| path(anchor))),
            ("certificates", self.trust.certificates.as_deref().map_or(LEFT_OUT, path)),
            ("crls", self.trust.crls.as_deref().map_or(LEFT_OUT, path)),
            ("keys", path(&self.trust.keys)),
            ("token_keys", named(&self.trust.token_keys, |(cert, uri)| (cert, text(uri)))),
            ("crl_grace", seconds(self.trust.crl_grace_s)),
            ("crl_stale", word(CRL_STALE, &self.trust.crl_stale).into()),
            ("repository", self.trust.repository.as_ref().map_or(LEFT_OUT, repository)),
            ("x5u", self.trust.x5u.as_ref().map_or(LEFT_OUT, x5u)),
            ("enrolment", self.trust.enrolment.as_ref().map_or(LEFT_OUT, enrolment)),
        ]);
        let memory = map([
            ("hugepages", word(HUGEPAGES, &self.memory.hugepages).into()),
            ("mbufs", self.memory.mbufs.map_or("auto".into(), Value::from)),
            ("buffer", self.memory.buffer.map_or("auto".into(), Value::from)),
            ("lock", word(MEMORY_LOCK, &self.memory.lock).into()),
        ]);
        let crypto = map([
            ("engine", word(CRYPTO_ENGINE, &self.crypto.engine).into()),
            ("device", self.crypto.device.as_ref().map_or(LEFT_OUT, |device| device.to_string().into())),
            ("batch", self.crypto.batch.into()),
            ("batch_us", self.crypto.batch_us.into()),
            ("queue", self.crypto.queue.into()),
            ("share_percent", self.crypto.share_percent.into()),
            ("table_memory_mb", self.crypto.table_memory_mb.into()),
        ]);
        let admin = map([
            ("socket", path(&self.admin.socket)),
            ("group", self.admin.group.as_ref().map_or(LEFT_OUT, text)),
            ("http", self.admin.http.as_ref().map_or(LEFT_OUT, text)),
            ("refused", self.admin.refused.into()),
        ]);
        print(map([
            ("cores", cores),
            ("ports", map([("interconnect", port(&self.ports.interconnect)), ("home", port(&self.ports.home))])),
            ("memory", memory),
            ("crypto", crypto),
            ("trust", trust),
            ("policy", path(&self.policy)),
            ("state", self.state.as_deref().map_or(LEFT_OUT, path)),
            ("admin", admin),
            ("service", self.service.as_ref().map_or(LEFT_OUT, service)),
        ]))
    }
}

fn service(service: &Service) -> Value {
    let group = service.group.as_deref().map_or(LEFT_OUT, Value::from);
    map([("user", service.user.as_str().into()), ("group", group)])
}

impl Policy {
    /// This policy as YAML, every key given.
    pub fn to_yaml(&self) -> String {
        let codes = |codes: &Vec<i32>| list(codes, |code| Value::from(*code));
        let commands = |codes: &Vec<u32>| list(codes, |code| Value::from(*code));
        let Categories { map: of_map, diameter } = &self.categories;
        print(map([
            ("version", VERSION.into()),
            ("home", home(&self.home)),
            ("defaults", defaults(&self.defaults)),
            ("tables", tables(&self.tables.files)),
            ("links", named(&self.links, |one| (&one.name, link(one, &self.tables)))),
            ("peers", named(&self.peers, |one| (&one.name, peer(one)))),
            (
                "categories",
                map([
                    (
                        "map",
                        map([
                            ("cat1", codes(&of_map.cat1)),
                            ("cat2", codes(&of_map.cat2)),
                            ("cat3", codes(&of_map.cat3)),
                        ]),
                    ),
                    (
                        "diameter",
                        map([
                            ("cat1", commands(&diameter.cat1)),
                            ("cat2", commands(&diameter.cat2)),
                            ("cat3", commands(&diameter.cat3)),
                        ]),
                    ),
                ]),
            ),
            ("sigfw_keys", list(&self.sigfw_keys, sigfw_key)),
            ("dess_keys", list(&self.dess_keys, dess_key)),
            ("stir", stir(&self.stir)),
            ("rules", list(&self.rules, rules::rule)),
            ("detection", detection::section(&self.detection)),
            ("examples", list(&self.examples, example)),
        ]))
    }
}

fn tables(files: &TableFiles) -> Value {
    if files.iter().next().is_none() {
        return LEFT_OUT;
    }
    let file = |file: &Option<std::path::PathBuf>| file.as_deref().map_or(LEFT_OUT, path);
    map([("map", file(&files.map)), ("cap", file(&files.cap)), ("diameter", file(&files.diameter))])
}

fn x5u(x5u: &X5u) -> Value {
    map([("roots", some(&x5u.roots, |root| path(root))), ("limit", x5u.limit.into())])
}

fn repository(repository: &Repository) -> Value {
    map([
        ("urls", list(&repository.urls, text)),
        ("store", path(&repository.store)),
        ("roots", some(&repository.roots, |root| path(root))),
        ("poll", seconds(repository.poll_s)),
        ("max_shrink_percent", repository.max_shrink_percent.into()),
        ("shrink_hold", seconds(repository.shrink_hold_s)),
        ("max_stale", seconds(repository.max_stale_s)),
        ("repo_stale", word(REPO_STALE, &repository.repo_stale).into()),
    ])
}

fn enrolment(enrolment: &Enrolment) -> Value {
    map([
        ("url", text(&enrolment.url)),
        ("roots", some(&enrolment.roots, |root| path(root))),
        ("renew_before", seconds(enrolment.renew_before_s)),
    ])
}

fn home(home: &Home) -> Value {
    let gt = |prefix: &GtPrefix| map([("plan", word(PLAN, &prefix.plan).into()), ("digits", text(&prefix.digits))]);
    let signing = |signing: &Signing| map([("cert", text(&signing.cert)), ("node_base", signing.node_base.into())]);
    map([
        ("gt_prefixes", list(&home.gt_prefixes, gt)),
        ("plmns", list(&home.plmns, text)),
        ("realms", some(&home.realms, text)),
        ("tn_prefixes", some(&home.tn_prefixes, text)),
        ("signing", home.signing.as_ref().map_or(LEFT_OUT, signing)),
        ("sms_router", home.sms_router.as_ref().map_or(LEFT_OUT, sms_router)),
    ])
}

fn sms_router(router: &SmsRouter) -> Value {
    let title = |title: &RouterTitle| {
        if title.prefix { text(&format_args!("{}*", title.digits)) } else { text(&title.digits) }
    };
    map([("gt", some(&router.gt, title)), ("hosts", some(&router.hosts, text))])
}

fn defaults(defaults: &Defaults) -> Value {
    let compat = &defaults.compat_window;
    let (transactions, reassembly) = (&defaults.transactions, &defaults.reassembly);
    map([
        ("mode", word(MODE, &defaults.mode).into()),
        ("unknown_peer", word(UNKNOWN_PEER, &defaults.unknown_peer).into()),
        ("ber", word(BER, &defaults.ber).into()),
        ("window", window(&defaults.window)),
        ("compat_window", map([("past", millis(compat.past_ms)), ("future", millis(compat.future_ms))])),
        ("dess_same_second", word(DESS_SAME_SECOND, &defaults.dess_same_second).into()),
        ("cold_start", word(COLD_START, &defaults.cold_start).into()),
        (
            "transactions",
            map([
                ("check", yes(transactions.check)),
                ("limit", transactions.limit.into()),
                ("per_peer", transactions.per_peer.into()),
                ("timeout", seconds(transactions.timeout_s)),
                ("grace", seconds(transactions.grace_s)),
            ]),
        ),
        ("unsigned_service_messages", word(SERVICE_MESSAGES, &defaults.unsigned_service_messages).into()),
        ("abort_per_peer", defaults.abort_per_peer.into()),
        ("ludt", yes(defaults.ludt)),
        ("m3ua_only", yes(defaults.m3ua_only)),
        ("ssns", list(&defaults.ssns, |ssn| Value::from(*ssn))),
        ("other_tcap_ssns", list(&defaults.other_tcap_ssns, |ssn| Value::from(*ssn))),
        (
            "reassembly",
            map([
                ("timeout", millis(reassembly.timeout_ms)),
                ("segments", reassembly.segments.into()),
                ("contexts", reassembly.contexts.into()),
            ]),
        ),
        ("hold", map([("deadline", millis(defaults.hold.deadline_ms)), ("octets", defaults.hold.octets.into())])),
        ("tcp", map([("hold", millis(defaults.tcp.hold_ms)), ("connections", defaults.tcp.connections.into())])),
        ("tunnels", tunnels(&defaults.tunnels)),
        (
            "retransmission",
            map([("tsns", defaults.retransmission.tsns.into()), ("octets", defaults.retransmission.octets.into())]),
        ),
        ("adopt", yes(defaults.adopt)),
        ("screening", word(SCREENING, &defaults.screening).into()),
        ("unmatched", word(UNMATCHED, &defaults.unmatched).into()),
    ])
}

fn tunnels(tunnels: &Tunnels) -> Value {
    map([
        ("check", word(TUNNEL_CHECK, &tunnels.check).into()),
        ("limit", tunnels.limit.into()),
        ("idle", seconds(tunnels.idle_s)),
        ("adopt", seconds(tunnels.adopt_s)),
    ])
}

fn window(window: &Window) -> Value {
    map([("past", millis(window.past_ms)), ("future", millis(window.future_ms)), ("seq", window.seq.into())])
}

fn peer_window(window: &Window) -> Value {
    map([("past", millis(window.past_ms)), ("future", millis(window.future_ms))])
}

fn peer_transactions(transactions: &PeerTransactions) -> Value {
    map([("limit", transactions.limit.into()), ("timeout", seconds(transactions.timeout_s))])
}

fn link(link: &Link, tables: &Tables) -> Value {
    // A link that carries something else has no keys of ISUP.
    let of_mtp3 = |value| if link.kind.is_mtp3() { value } else { LEFT_OUT };
    let of_sip = |value| if link.kind == LinkKind::Sip { value } else { LEFT_OUT };
    let of_gtp = |value| if link.kind == LinkKind::Gtp { value } else { LEFT_OUT };
    let isup = &link.isup;
    let ports = |ports: &LinkPorts| map([("remote", ports.remote.into()), ("local", ports.local.into())]);
    map([
        ("type", word(LINK_KIND, &link.kind).into()),
        ("transports", transports(link)),
        ("remote", if link.kind == LinkKind::Gtp { list(&link.gtp.remote, text) } else { list(&link.remote, text) }),
        ("local", list(&link.local, text)),
        ("ports", link.ports.as_ref().map_or(LEFT_OUT, ports)),
        ("vtag_in", link.vtag_in.map_or(LEFT_OUT, Value::from)),
        ("opcs", some(&link.opcs, |code| Value::from(*code))),
        ("dpcs", some(&link.dpcs, |code| Value::from(*code))),
        ("ni", some(&link.ni, |ni| word(NI, ni).into())),
        ("routing_contexts", some(&link.routing_contexts, |context| Value::from(*context))),
        ("si", some(&link.si, |si| word(SI, si).into())),
        ("isup_mode", of_mtp3(word(MODE, &isup.mode).into())),
        ("isup_sign", of_mtp3(yes(isup.sign))),
        ("isup_mark", of_mtp3(yes(isup.mark))),
        ("isup_copy_called", of_mtp3(yes(isup.copy_called))),
        ("use_pai", of_sip(yes(link.sip.use_pai))),
        ("default_cc", link.sip.default_cc.as_ref().map_or(LEFT_OUT, text)),
        ("on_fail", of_sip(word(ON_FAIL, &link.sip.on_fail).into())),
        ("messages_v1", of_gtp(numbers(&link.gtp.messages.v1))),
        ("messages_v2", of_gtp(numbers(&link.gtp.messages.v2))),
        ("user_plane", of_gtp(yes(link.gtp.user_plane))),
        ("tunnels", of_gtp(word(TUNNEL_CHECK, &link.gtp.tunnels).into())),
        (
            "applications",
            some(&link.applications, |id| tables.application_key(*id).map_or(Value::from(*id), Value::from)),
        ),
        ("mtu", link.mtu.map_or(LEFT_OUT, Value::from)),
        ("ip_fragments", word(IP_FRAGMENTS, &link.ip_fragments).into()),
    ])
}

fn transports(link: &Link) -> Value {
    let Transports { sctp, udp, tcp } = link.transports;
    let words = [(sctp, "sctp"), (udp, "udp"), (tcp, "tcp")];
    let words: Vec<_> = words.iter().filter(|(there, _)| *there).map(|(_, word)| *word).collect();
    let chosen = matches!(link.kind, LinkKind::Diameter | LinkKind::Sip);
    if chosen { some(&words, |word| Value::from(*word)) } else { LEFT_OUT }
}

fn numbers(numbers: &[u8]) -> Value {
    list(numbers, |number| Value::from(*number))
}

/// How a peer speaks GTP, if it does.
fn peer_gtp(gtp: &PeerGtp) -> Value {
    if gtp.from.is_empty() {
        return LEFT_OUT;
    }
    let messages = |types: &Option<Vec<u8>>| types.as_deref().map_or(LEFT_OUT, numbers);
    map([
        ("from", list(&gtp.from, text)),
        ("messages_v1", messages(&gtp.messages_v1)),
        ("messages_v2", messages(&gtp.messages_v2)),
    ])
}

fn peer(peer: &Peer) -> Value {
    map([
        ("gt", some(&peer.gt, text)),
        ("realms", some(&peer.realms, text)),
        ("gtp", peer_gtp(&peer.gtp)),
        ("plmns", some(&peer.plmns, text)),
        ("mode", word(MODE, &peer.mode).into()),
        ("screening", word(SCREENING, &peer.screening).into()),
        ("profiles", list(&peer.profiles, |profile| word(PROFILE, profile).into())),
        ("algs", list(&peer.algs, |alg| word(ALG, alg).into())),
        ("signer_roles", list(&peer.signer_roles, |role| word(ROLE, role).into())),
        ("sign", yes(peer.sign)),
        ("sign_profile", word(PROFILE, &peer.sign_profile).into()),
        ("sign_profile_diameter", word(PROFILE, &peer.sign_profile_diameter).into()),
        ("links", some(&peer.links, text)),
        ("min_attest", word(ATTEST, &peer.min_attest).into()),
        ("window", peer.window.as_ref().map_or(LEFT_OUT, peer_window)),
        ("transactions", peer.transactions.as_ref().map_or(LEFT_OUT, peer_transactions)),
        ("oversize", word(OVERSIZE, &peer.oversize).into()),
        ("ludt", yes(peer.ludt)),
        ("m3ua_only", yes(peer.m3ua_only)),
        ("copy_called", word(COPY_CALLED, &peer.copy_called).into()),
        ("cdpa_rewrite", word(CDPA_REWRITE, &peer.cdpa_rewrite).into()),
        ("sec_opcode_map", peer.sec_opcode_map.into()),
        ("sec_opcode_other", peer.sec_opcode_other.into()),
        ("allow_no_ac", yes(peer.allow_no_ac)),
        ("allow_legacy_rsa", yes(peer.allow_legacy_rsa)),
    ])
}

fn example(example: &Example) -> Value {
    map([
        ("name", text(&example.name)),
        ("direction", word(EXAMPLE_DIRECTION, &example.outbound).into()),
        ("link", example.link.as_ref().map_or(LEFT_OUT, text)),
        ("calling_gt", text(&example.calling_gt)),
        ("called_gt", text(&example.called_gt)),
        ("calling_ssn", example.calling_ssn.into()),
        ("called_ssn", example.called_ssn.into()),
        ("opcode", example.opcode.into()),
        ("imsi", example.imsi.as_ref().map_or(LEFT_OUT, text)),
        ("signature", word(EXAMPLE_SIGNATURE, &example.signature).into()),
        ("signer", example.signer.as_ref().map_or(LEFT_OUT, text)),
        ("expect", expect_word(&example.expect).into()),
    ])
}

fn sigfw_key(key: &SigfwKey) -> Value {
    map([("prefix", text(&format_args!("{}*", key.prefix))), key_ref(&key.key)])
}

fn stir(stir: &Stir) -> Value {
    let certificate = |one: &StirCertificate| map([("x5u", text(&one.x5u)), ("cert", text(&one.cert))]);
    let sign = |sign: &StirSign| {
        let attest = word(ATTEST, &sign.attest);
        let level = |(numbers, attest): &(Digits, Attest)| {
            map([("numbers", text(numbers)), ("attest", word(ATTEST, attest).into())])
        };
        let levels = if sign.levels.is_empty() { LEFT_OUT } else { list(&sign.levels, level) };
        map([("x5u", text(&sign.x5u)), ("attest", attest.into()), ("levels", levels), ("origid", text(&sign.origid))])
    };
    map([
        ("hosts", some(&stir.hosts, text)),
        ("certificates", list(&stir.certificates, certificate)),
        ("window", seconds(stir.window_s)),
        ("x5u_miss", word(X5U_MISS, &stir.x5u_miss).into()),
        ("hold_max", stir.hold_max.into()),
        ("div", yes(stir.div)),
        ("sign", stir.sign.as_ref().map_or(LEFT_OUT, sign)),
    ])
}

fn dess_key(key: &DessKey) -> Value {
    map([("realm", text(&key.realm)), ("identity", text(&key.identity)), key_ref(&key.key)])
}

fn key_ref(key: &KeyRef) -> (&'static str, Value) {
    match key {
        KeyRef::Certificate(name) => ("cert", text(name)),
        KeyRef::Spki(octets) => ("spki", to_base64(octets).into()),
    }
}

/// A key whose value is this is not written.
const LEFT_OUT: Value = Value::Null;

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let given = entries.into_iter().filter(|(_, value)| !value.is_null());
    Value::Mapping(given.map(|(key, value)| (key.into(), value)).collect::<Mapping>())
}

fn named<T>(items: &[T], entry: impl Fn(&T) -> (&String, Value)) -> Value {
    if items.is_empty() {
        return LEFT_OUT;
    }
    let entry = |item| {
        let (name, value) = entry(item);
        (Value::from(name.as_str()), value)
    };
    Value::Mapping(items.iter().map(entry).collect::<Mapping>())
}

fn list<T>(items: &[T], value: impl Fn(&T) -> Value) -> Value {
    Value::Sequence(items.iter().map(value).collect())
}

/// A list that may not stand empty in the file.
fn some<T>(items: &[T], value: impl Fn(&T) -> Value) -> Value {
    if items.is_empty() { LEFT_OUT } else { list(items, value) }
}

fn text(value: &(impl Display + ?Sized)) -> Value {
    Value::from(value.to_string())
}

fn path(path: &Path) -> Value {
    text(&path.display())
}

fn yes(flag: bool) -> Value {
    Value::from(if flag { "yes" } else { "no" })
}

fn millis(ms: u32) -> Value {
    duration_text(u64::from(ms)).into()
}

fn seconds(s: u32) -> Value {
    duration_text(u64::from(s) * 1000).into()
}

fn print(value: Value) -> String {
    // Maps of text, numbers and lists always serialise; a comment is still a file that says so.
    serde_yaml::to_string(&value).unwrap_or_else(|error| format!("# cannot be printed: {error}\n"))
}
