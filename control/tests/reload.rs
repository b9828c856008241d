//! A gateway that reads its files again while it forwards: what changes, what a broken file changes (nothing), and what people
//! are told.

mod common;

use common::{HOME, Lab, OTHER, frame, message};
use sealgate_control::admin::Admin;
use sealgate_control::alarms::clock::ClockState;
use sealgate_control::authority::serve;
use sealgate_control::gather::Gathered;
use sealgate_control::observe::{Observer, Settings};
use sealgate_control::publish::Publisher;
use sealgate_control::reload::Reloader;
use sealgate_control::report::{Board, Current, Wishes};
use sealgate_control::secrecy::Locking;
use sealgate_control::tsca::fetch::{Base, Limits, Mirror, roots};
use sealgate_control::tsca::keeper::{Keeper, Parts};
use sealgate_dataplane::engine::{Engine, EngineConfig, now_ms};
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{MemFrame, MemPool, MemPort};
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).expect("this century")
}

/// OTHER's gateway with its door, over ports in memory.
struct World {
    lab: Lab,
    file: PathBuf,
    engine: Arc<Engine>,
    reloader: Arc<Reloader>,
    keeper: Option<Keeper>,
    door: Option<Admin>,
    pool: MemPool,
    wire: MemPort,
    host: MemPort,
    sent: u32,
}

impl World {
    fn new(test: &str) -> Self {
        Self::following(test, Vec::new())
    }

    /// The same that follows a repository.
    fn following(test: &str, mirrors: Vec<Mirror>) -> Self {
        let lab = Lab::new(test);
        // Each gateway has keys of its own; those of the lab are everybody's.
        fs::create_dir(lab.file("own-keys")).expect("made");
        fs::copy(lab.file("tsca/keys/other.key.pem"), lab.file("own-keys/other.key.pem")).expect("copied");
        let file = lab.gateway(&OTHER, &HOME, "null", "null");
        let text = fs::read_to_string(&file).expect("there").replace("keys: tsca/keys", "keys: own-keys");
        fs::write(&file, text).expect("written");
        let Gathered { appliance, policy, trust, keys, client, snapshot, .. } =
            Gathered::read(&file, None, now_s()).unwrap_or_else(|problems| panic!("{problems}"));
        let pool = MemPool::new(4096, 2048);
        let ((near_wire, wire), (near_host, host)) = (MemPort::cable(&pool, 1024), MemPort::cable(&pool, 1024));
        let ports = vec![[near_wire, near_host]];
        let engine = Arc::new(Engine::start(EngineConfig::default(), snapshot, ports, || Ok(())).expect("started"));
        let trust = Arc::new(Current::new(trust));
        let publisher = Arc::new(Publisher::new(&engine, policy, keys, 1500, Arc::clone(&trust)));
        let parts = Parts { client, mirrors, store: None, publisher: Arc::clone(&publisher) };
        let keeper = Keeper::start(parts).expect("started");
        let reloader = Arc::new(Reloader::new(&file, appliance, publisher, keeper.handle()));
        let board = Board {
            config: file.clone(),
            engine: Arc::clone(&engine),
            trust,
            repository: Some(keeper.handle()),
            callers: None,
            enrolment: None,
            reloader: Some(Arc::clone(&reloader)),
            ports: Vec::new(),
            memory: Locking::Off,
            observer: Observer::start(
                &engine,
                Settings { clock: || Some(ClockState { synchronised: true, error_us: 0 }), ..Settings::default() },
            )
            .expect("a thread"),
            wishes: Wishes::default(),
        };
        let door = Admin::open(&lab.file("other.sock"), None, Arc::new(board)).expect("open");
        let (keeper, door) = (Some(keeper), Some(door));
        Self { lab, file, engine, reloader, keeper, door, pool, wire, host, sent: 0 }
    }

    /// Changes the policy file.
    fn edit(&self, from: &str, to: &str) {
        let path = self.lab.file("other-policy.yaml");
        let text = fs::read_to_string(&path).expect("there");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("written");
    }

    fn reload(&self) -> Result<Value, String> {
        self.reloader.reload(now_s()).map(|reloaded| reloaded.to_json()).map_err(|problems| problems.to_string())
    }

    /// Sends an unsigned message of HOME, and returns how often it and others like it had each verdict.
    fn judge(&mut self, reasons: &[Reason]) -> Vec<u64> {
        self.sent += 1;
        let octets = frame(self.sent, &message());
        let frame = self.pool.filled(&octets).expect("fits").expect("a buffer");
        let mut queue: VecDeque<MemFrame> = [frame].into();
        assert_eq!(self.wire.tx(&mut queue), 1);
        let began = Instant::now();
        let mut burst = Vec::new();
        while self.engine.stats().messages < u64::from(self.sent) {
            self.host.rx(&mut burst, 64);
            burst.clear();
            assert!(began.elapsed() < Duration::from_secs(20), "no verdict");
            sleep(Duration::from_millis(1));
        }
        let stats = self.engine.stats();
        reasons.iter().map(|reason| stats.total(*reason)).collect()
    }

    fn command(&self, args: &[&str]) -> Output {
        let config = self.file.to_str().expect("UTF-8");
        let all = args.iter().copied().chain(["--config", config]);
        Command::new(env!("CARGO_BIN_EXE_sealgate")).args(all).output().expect("it starts")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.door = None;
        self.keeper = None;
        self.engine.stop(Duration::from_secs(1));
    }
}

const SEEN: [Reason; 3] = [Reason::SecMissing, Reason::OkUnsignedAllowed, Reason::PolPeerUnknown];

#[test]
fn a_mode_a_peer_and_a_certificate_take_effect_with_the_next_message() {
    let mut world = World::new("reload-mode");
    assert_eq!(world.judge(&SEEN), [1, 0, 0]);
    world.edit("mode: require", "mode: prefer");
    let shown = world.reload().expect("in force");
    assert_eq!(shown["changes"], json!([{ "path": "peers.home.mode", "before": "require", "after": "prefer" }]));
    assert_eq!((&shown["generation"], &shown["next_start"]), (&json!(2), &json!([])));
    assert_eq!(world.judge(&SEEN), [1, 1, 0]);
    // Another peer takes the place of this one, which keeps its row and its counts.
    world.edit("  home: {gt: [\"99901\"]", "  third: {gt: [\"99903\"]");
    world.reload().expect("in force");
    assert_eq!(world.judge(&SEEN), [1, 1, 1]);
    let snapshot = world.engine.snapshot();
    let names: Vec<_> = snapshot.peers.iter().map(|peer| (peer.name.as_str(), peer.gone)).collect();
    assert_eq!(names, [("unknown", false), ("home", true), ("third", false)]);
    world.edit("  third: {gt: [\"99903\"]", "  home: {gt: [\"99901\"]");
    world.reload().expect("in force");
    assert_eq!(world.judge(&SEEN), [1, 2, 1]);
    let row = world.engine.stats().verdicts(1, Direction::In).expect("a row");
    assert_eq!(row[Reason::OkUnsignedAllowed.index()], 2, "counted where it was counted before");
    // A new certificate in the directory.
    let known = || world.engine.snapshot().signers.len();
    let before = known();
    let dir = world.lab.file("tsca");
    let mut authority = sealgate_control::authority::Authority::open(&dir).expect("an authority");
    let identifiers =
        sealgate_crypto::pki::Identifiers { gt_prefixes: vec![(1, "99907".into())], ..Default::default() };
    let request = sealgate_control::authority::Request::new("late", identifiers);
    authority.issue(&request, time::OffsetDateTime::now_utc()).expect("issued");
    world.reload().expect("in force");
    assert_eq!(known(), before + 1);
}

#[test]
fn a_broken_file_changes_nothing_and_says_where_it_is_broken() {
    let mut world = World::new("reload-broken");
    for (from, to, want) in [
        ("mode: require", "mode: requier", "other-policy.yaml:10: peers.home.mode: \"requier\" is not a mode"),
        ("mode: requier", "mode: require, links: [wier]", "there is no link \"wier\" (did you mean \"wire\"?)"),
        ("mode: require, links: [wier]", "mode: require, sign: [", ""),
        ("mode: require, sign: [", "mode: require", "-"),
        ("signing: {cert: other", "signing: {cert: nobody", "no certificate \"nobody\" is loaded"),
    ] {
        world.edit(from, to);
        match want {
            "-" => assert!(world.reload().is_ok()),
            want => {
                let why = world.reload().expect_err("broken");
                assert!(why.contains(want), "{why}");
            }
        }
    }
    assert_eq!(world.judge(&SEEN), [1, 0, 0], "the policy before is in force");
    // As a command: the same faults, and a status that is not zero.
    let done = world.command(&["reload"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("home.signing.cert") && said.contains("nothing has changed"), "{said}");
    world.edit("signing: {cert: nobody", "signing: {cert: other");
    let done = world.command(&["reload"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.contains("in force: 0 change(s)"), "{said}");
}

const EXAMPLES: &str = "\
examples:
  - {name: signed by its owner, calling_gt: \"999010000011\", called_gt: \"999020000001\", signature: valid, expect: pass}
  - {name: not signed, calling_gt: \"999010000011\", called_gt: \"999020000001\", expect: R_SEC_MISSING}
  - {name: forged, calling_gt: \"999010000011\", called_gt: \"999020000001\", signature: invalid, expect: R_SEC_SIG_INVALID}
  - {name: a stranger's, calling_gt: \"999010000011\", called_gt: \"999020000001\", signature: unknown_signer, expect: R_CRT_UNKNOWN_SAI}
  - {name: the real one, calling_gt: \"999010000011\", called_gt: \"999020000001\", signature: valid, signer: home, expect: pass}
  - {name: signed by another, calling_gt: \"999010000011\", called_gt: \"999020000001\", signature: valid, signer: other, expect: refuse}
  - {name: a location asked for, calling_gt: \"999010000011\", called_gt: \"999020000001\", opcode: 71, signature: valid, expect: R_POL_CAT1}
  - {name: from us, direction: out, calling_gt: \"999020000001\", called_gt: \"999010000011\", calling_ssn: 6, called_ssn: 7, expect: R_OK_SIGNED_EGRESS}
";

#[test]
fn a_policy_that_judges_its_own_examples_otherwise_does_not_come_into_force() {
    let mut world = World::new("reload-examples");
    let path = world.lab.file("other-policy.yaml");
    let plain = fs::read_to_string(&path).expect("there");
    fs::write(&path, format!("{plain}{EXAMPLES}")).expect("written");
    let shown = world.reload().unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((&shown["examples"], &shown["generation"]), (&json!(8), &json!(2)), "{shown}");
    for (from, to, want) in [
        ("mode: require", "mode: prefer", "example \"not signed\": it passes (R_OK_UNSIGNED_ALLOWED"),
        ("sign: yes", "sign: no", "example \"from us\": it passes (R_OK_UNSIGNED_ALLOWED"),
        ("algs: [p256]", "algs: [ed25519]", "example \"the real one\": it is refused (R_"),
        ("signer_roles: [csp]", "signer_roles: [hub]", "example \"the real one\": it is refused (R_"),
        ("gt: [\"99901\"]", "gt: [\"99903\"]", "example \"signed by its owner\": it is refused (R_POL_PEER_UNKNOWN"),
        ("expect: R_POL_CAT1", "expect: R_OK_VERIFIED", "example \"a location asked for\": it is refused (R_POL_CAT1"),
        ("signer: home", "signer: nobody", "example \"the real one\": it cannot be tried: no such certificate"),
    ] {
        world.edit(from, to);
        let why = world.reload().expect_err("an example says no");
        assert!(why.contains(want), "{why}");
        world.edit(to, from);
    }
    world.edit("expect: R_SEC_SIG_INVALID", "expect: pass");
    let why = world.reload().expect_err("an example says no");
    assert!(why.contains("other-policy.yaml:14: examples[2]: example \"forged\""), "its own line: {why}");
    world.edit("signature: invalid, expect: pass", "signature: invalid, expect: R_SEC_SIG_INVALID");
    assert_eq!(world.judge(&SEEN), [1, 0, 0]);
    assert_eq!(world.reload().expect("in force")["generation"], json!(3));
    // The same at start, where it is about the policy alone; a certificate that changed since is a warning.
    world.edit("mode: require", "mode: prefer");
    let why = Gathered::read(&world.file, None, now_s()).expect_err("an example says no").to_string();
    assert!(why.contains("example \"not signed\"") && !why.contains("the real one"), "{why}");
    world.edit("mode: prefer", "mode: require");
    world.edit("signer: home", "signer: nobody");
    let gathered = Gathered::read(&world.file, None, now_s()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(gathered.warnings.iter().any(|one| one.contains("the real one")), "{:?}", gathered.warnings);
}

#[test]
fn what_is_read_at_start_alone_is_named() {
    let world = World::new("reload-later");
    world.edit(
        "window: {past: 60s, future: 60s}",
        "window: {past: 60s, future: 60s, seq: 1024}, transactions: {limit: 1024, timeout: 1min}",
    );
    let text = fs::read_to_string(&world.file).expect("there");
    fs::write(&world.file, text.replace("{hugepages: off}", "{hugepages: off, mbufs: 4096}")).expect("written");
    let shown = world.reload().expect("in force");
    assert_eq!(shown["next_start"], json!(["memory", "defaults.window.seq", "defaults.transactions.limit"]));
}

#[test]
fn a_diff_names_keys_and_verdicts_before_anything_changes() {
    let mut world = World::new("reload-diff");
    let frames: Vec<_> = (1..=20).map(|number| frame(number, &message())).collect();
    common::write_capture(&world.lab.file("in.pcap"), &frames);
    world.edit("mode: require", "mode: prefer");
    let capture = world.lab.file("in.pcap");
    let done = world.command(&["diff", "--pcap", capture.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("~ peers.home.mode: require -> prefer\n1 change\n"), "{said}");
    assert!(said.contains("20 of 20 messages of the capture are judged otherwise"), "{said}");
    assert!(said.contains("R_SEC_MISSING") && said.contains("R_OK_UNSIGNED_ALLOWED"), "{said}");
    assert_eq!(world.judge(&SEEN), [1, 0, 0], "nothing changed");
    let done = world.command(&["diff", "--json"]);
    let said: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(said["changes"].as_array().map(Vec::len), Some(1));
    world.reload().expect("in force");
    let done = world.command(&["diff"]);
    assert_eq!(String::from_utf8_lossy(&done.stdout), "the policies say the same\n");
}

#[test]
fn a_whatif_says_which_rule_would_refuse_which_frames() {
    let world = World::new("reload-whatif");
    let frames: Vec<_> = (1..=7).map(|number| frame(number, &message())).collect();
    common::write_capture(&world.lab.file("in.pcap"), &frames);
    let text = fs::read_to_string(world.lab.file("other-policy.yaml")).expect("there");
    let policies = [
        ("open.yaml", text.replace("mode: require", "mode: prefer")),
        ("ruled.yaml", text.replace("mode: require", "mode: prefer") + RULE),
        ("learned.yaml", text.replace("mode: require", "mode: prefer, screening: learn") + RULE),
    ];
    for (name, text) in &policies {
        fs::write(world.lab.file(name), text).expect("written");
    }
    let file = |name: &str| world.lab.file(name).to_str().expect("UTF-8").to_owned();
    let whatif = |policy: &str, more: &[&str]| {
        let (policy, capture) = (file(policy), file("in.pcap"));
        let arguments: Vec<&str> = ["whatif", &policy, &capture].iter().chain(more).copied().collect();
        let done = world.command(&arguments);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    // Against what is in force, which wants signatures.
    let said = whatif("open.yaml", &[]);
    assert!(said.starts_with("7 of 7 messages of the capture are judged otherwise: 0 would be refused"), "{said}");
    let against = ["--against", &file("open.yaml")];
    let said = whatif("ruled.yaml", &against);
    assert!(said.contains("7 would be refused that passed, 0 would pass"), "{said}");
    assert!(said.contains("R_OK_UNSIGNED_ALLOWED") && said.contains("R_POL_RULE by no-routing"), "{said}");
    assert!(said.contains("1, 2, 3, 4, 5, ..."), "frames as tshark counts them: {said}");
    let said: Value =
        serde_json::from_str(&whatif("learned.yaml", &[&against[..], &["--json"]].concat())).expect("JSON");
    assert_eq!((&said["newly_refused"], &said["otherwise"]), (&json!(0), &json!(7)), "{said}");
    assert_eq!(said["rows"][0]["after"]["would"], json!("R_POL_RULE"), "{said}");
    assert!(whatif("open.yaml", &against).starts_with("0 of 7"), "the same policy judges the same");
}

/// A rule that refuses questions for routing information.
const RULE: &str =
    "\nrules:\n  - {id: no-routing, match: {protocol: map, direction: in, opcode: [45]}, action: drop}\n";

#[test]
fn a_server_that_says_nothing_holds_up_no_reload() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("an address");
    let url = format!("https://localhost:{}/", silent.local_addr().expect("an address").port());
    let lab = Lab::new("reload-silent-tls");
    let (_, cert) = serve::identity(&lab.file("tsca"), &["localhost".to_owned()]).expect("an identity");
    let mirror = Mirror::new(Base::Https(url), &roots(&[cert]).expect("roots"), Limits::default());
    let mut world = World::following("reload-silent", vec![mirror]);
    // The look has begun, and goes on for as long as the server may be silent: 10 s.
    let caller = silent.accept().expect("the gateway calls");
    let began = Instant::now();
    world.edit("mode: require", "mode: prefer");
    world.reload().expect("in force");
    let document = world.keeper.as_ref().expect("it runs").handle().document();
    assert_eq!((&document["followed"], &document["failures"]), (&json!(true), &json!(0)), "{document}");
    assert!(began.elapsed() < Limits::default().read, "the look goes on");
    assert_eq!(world.judge(&SEEN), [0, 1, 0]);
    // And what the look comes to does not undo it.
    drop(caller);
    drop(silent);
    let handle = world.keeper.as_ref().expect("it runs").handle();
    while handle.document()["failures"] == json!(0) {
        assert!(began.elapsed() < Duration::from_secs(40), "the look ends");
        sleep(Duration::from_millis(10));
    }
    assert_eq!(world.judge(&SEEN), [0, 2, 0]);
}
