//! Two gateways with traffic between them, one of which follows a repository: what is revoked there is refused within a
//! look, and no swap loses or misjudges a message.

mod common;

use common::{HOME, Lab, OTHER, frame, message};
use sealgate_control::admin::{self, Admin};
use sealgate_control::alarms::clock::ClockState;
use sealgate_control::authority::serve::{self, Server};
use sealgate_control::authority::{Authority, DIRECTORY, Publication, Reason as Why, Request};
use sealgate_control::gather::{Gathered, keep_own};
use sealgate_control::observe::{Observer, Settings};
use sealgate_control::publish::Publisher;
use sealgate_control::report::{Board, Current, What, Wishes};
use sealgate_control::secrecy::Locking;
use sealgate_control::tsca::fetch::{Base, Limits, Mirror, roots};
use sealgate_control::tsca::keeper::{Handle, Keeper, Parts};
use sealgate_control::tsca::store::Store;
use sealgate_crypto::pki::Identifiers;
use sealgate_dataplane::engine::{Engine, EngineConfig, now_ms};
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{MemFrame, MemPool, MemPort};
use sealgate_dataplane::policy::Snapshot;
use sealgate_wire::Reason;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).expect("this century")
}

/// Waits until something is so.
fn until(what: &str, mut seen: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !seen() {
        assert!(began.elapsed() < Duration::from_secs(20), "no {what}");
        sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

/// HOME's gateway signs, OTHER's verifies and follows the repository of the lab.
struct World {
    lab: Lab,
    _server: Server,
    signs: Arc<Engine>,
    verifies: Arc<Engine>,
    keeper: Option<Keeper>,
    trust: Arc<Current>,
    pool: MemPool,
    home: MemPort,
    other: MemPort,
    sent: u32,
    got: u32,
}

impl World {
    /// * `keys`: where OTHER's gateway looks for private keys: `own-keys`, or those of the lab, which are everybody's
    fn new(test: &str, keys: &str, more: &str) -> Self {
        let lab = Lab::new(test);
        Authority::open(&lab.file("tsca"))
            .and_then(|mut authority| authority.publish_repository(Publication::default(), OffsetDateTime::now_utc()))
            .expect("published");
        let (tls, cert) = serve::identity(&lab.file("tsca"), &["localhost".to_owned()]).expect("an identity");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(listen, &lab.file("tsca").join(DIRECTORY), tls).expect("a server");
        let url = format!("https://localhost:{}/", server.address().port());
        // What a gateway needs before it knows anybody: its own certificate and the authority above it.
        fs::create_dir(lab.file("own")).expect("made");
        for name in ["other.pem", "region.pem"] {
            fs::copy(lab.file("tsca/certs").join(name), lab.file("own").join(name)).expect("copied");
        }
        fs::create_dir(lab.file("own-keys")).expect("made");
        fs::copy(lab.file("tsca/keys/other.key.pem"), lab.file("own-keys/other.key.pem")).expect("copied");
        let first = lab.gateway(&HOME, &OTHER, "null", "null");
        let second = lab.gateway(&OTHER, &HOME, "null", "null");
        let text = fs::read_to_string(&second).expect("there");
        let from = "certificates: tsca/certs, crls: tsca/crls, keys: tsca/keys";
        assert!(text.contains(from));
        let follows = format!(
            "certificates: own, keys: {keys}, repository: {{urls: [\"{url}\"], store: var/trust, \
             roots: [\"{}\"], poll: 1h{more}}}",
            cert.display()
        );
        fs::write(&second, text.replace(from, &follows)).expect("written");

        let pool = MemPool::new(16_384, 2048);
        let (home, near_home) = MemPort::cable(&pool, 4096);
        let (between, far_between) = MemPort::cable(&pool, 4096);
        let (near_other, other) = MemPort::cable(&pool, 4096);
        let signs = start(gather(&first).snapshot, [between, near_home]);
        let mut gathered = gather(&second);
        let trust = Arc::new(Current::new(Arc::clone(&gathered.trust)));
        let repository = gathered.appliance.trust.repository.take().expect("given");
        let verifies = start(gathered.snapshot, [far_between, near_other]);
        let roots = roots(&repository.roots).expect("roots");
        let publisher = Publisher::new(&verifies, gathered.policy, gathered.keys, 1500, Arc::clone(&trust));
        let parts = Parts {
            client: gathered.client,
            mirrors: vec![Mirror::new(Base::Https(url), &roots, Limits::default())],
            store: Some(Store::at(&repository.store)),
            publisher: Arc::new(publisher),
        };
        let keeper = Some(Keeper::start(parts).expect("started"));
        Self { lab, _server: server, signs, verifies, keeper, trust, pool, home, other, sent: 0, got: 0 }
    }

    fn handle(&self) -> Handle {
        self.keeper.as_ref().expect("it runs").handle()
    }

    fn document(&self) -> Value {
        self.handle().document()
    }

    fn authority(&self) -> Authority {
        Authority::open(&self.lab.file("tsca")).expect("an authority")
    }

    fn publish(&self) -> u64 {
        let mut authority = self.authority();
        authority.publish_repository(Publication::default(), OffsetDateTime::now_utc()).expect("published").serial
    }

    /// Waits until the gateway holds a serial.
    fn follows(&self, serial: u64) -> Duration {
        self.handle().look();
        until("serial", || self.document()["serial"] == json!(serial))
    }

    /// Sends a message, with no more on the way than fit anywhere.
    fn send(&mut self) {
        let octets = frame(self.sent + 1, &message());
        let frame = self.pool.filled(&octets).expect("fits").expect("a buffer");
        let mut queue: VecDeque<MemFrame> = [frame].into();
        assert_eq!(self.home.tx(&mut queue), 1, "the cable is long enough");
        self.sent += 1;
        until("answer", || {
            self.receive();
            self.sent - self.got < 64
        });
    }

    fn receive(&mut self) {
        let mut burst = Vec::new();
        while self.other.rx(&mut burst, 64) > 0 {
            self.got += u32::try_from(burst.drain(..).count()).expect("a burst");
        }
    }

    /// Waits for everything sent, and returns the verdicts so far by reason.
    fn verdicts(&mut self, reasons: &[Reason]) -> Vec<u64> {
        until("last frame", || {
            self.receive();
            self.got == self.sent
        });
        let total = u64::from(self.sent);
        until("counters", || self.verifies.stats().messages == total);
        let stats = self.verifies.stats();
        // Shown where a test fails.
        let all = sealgate_wire::reason::ALL.iter().filter(|reason| stats.total(**reason) > 0);
        println!("verdicts: {:?}", all.map(|reason| (reason.name(), stats.total(*reason))).collect::<Vec<_>>());
        reasons.iter().map(|reason| stats.total(*reason)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.keeper = None;
        self.signs.stop(Duration::from_secs(1));
        self.verifies.stop(Duration::from_secs(1));
    }
}

fn gather(file: &Path) -> Gathered {
    Gathered::read(file, None, now_s()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn start(snapshot: Snapshot, ports: [MemPort; 2]) -> Arc<Engine> {
    Arc::new(Engine::start(EngineConfig::default(), snapshot, vec![ports], || Ok(())).expect("started"))
}

#[test]
fn a_revocation_is_in_force_one_look_later_and_signers_come_with_the_first() {
    let mut world = World::new("follow-revoke", "tsca/keys", "");
    until("first look", || world.document()["serial"] == json!(1));
    for _ in 0..20 {
        world.send();
    }
    assert_eq!(world.verdicts(&[Reason::OkVerified, Reason::CrtRevoked]), [20, 0]);
    let now = OffsetDateTime::now_utc();
    world.authority().revoke(HOME.name, Why::KeyCompromise, now).expect("revoked");
    let serial = world.publish();
    let took = world.follows(serial);
    println!("revocation in force {:.1} ms after the look began", took.as_secs_f64() * 1e3);
    assert!(took < Duration::from_secs(2), "{took:?}");
    for _ in 0..20 {
        world.send();
    }
    assert_eq!(world.verdicts(&[Reason::OkVerified, Reason::CrtRevoked]), [20, 20]);
    assert_eq!(world.document()["alarms"], json!([]));
    // What is shown is what holds.
    let trust = world.trust.get();
    let home = trust.signers.iter().find(|one| one.certificate.name == HOME.name).expect("known");
    assert!(home.revoked);
}

#[test]
fn swaps_under_load_lose_and_misjudge_nothing() {
    let mut world = World::new("follow-swaps", "own-keys", "");
    until("first look", || world.document()["serial"] == json!(1));
    let mut serial = 1;
    for round in 0..30 {
        let identifiers = Identifiers { gt_prefixes: vec![(1, format!("9991{round:02}"))], ..Identifiers::default() };
        let now = OffsetDateTime::now_utc();
        world.authority().issue(&Request::new(&format!("op-{round}"), identifiers), now).expect("issued");
        serial = world.publish();
        world.handle().look();
        for _ in 0..100 {
            world.send();
        }
    }
    world.follows(serial);
    let sent = u64::from(world.sent);
    assert_eq!(world.verdicts(&[Reason::OkVerified]), [sent]);
    let document = world.document();
    let swaps = document["swaps"].as_u64().expect("a number");
    println!("{swaps} swaps under {sent} messages: 0 lost, 0 misjudged");
    assert!(swaps >= 5 && document["alarms"] == json!([]), "{document}");
    assert_eq!(world.verifies.snapshot().signers.len(), 32);
    assert_eq!(world.verifies.stats().frames_dropped.iter().sum::<u64>(), 0);
}

#[test]
fn a_repository_that_goes_wrong_stops_no_message_and_the_next_start_begins_with_the_last_good() {
    let mut world = World::new("follow-wrong", "own-keys", "");
    until("first look", || world.document()["serial"] == json!(1));
    let dir = world.lab.file("tsca").join(DIRECTORY);
    fs::write(dir.join("manifest.sig"), [0; 64]).expect("written");
    fs::write(dir.join("manifest.json"), "{}").expect("written");
    world.handle().look();
    until("alarm", || world.document()["alarms"][0]["name"] == json!("repo_signature"));
    for _ in 0..20 {
        world.send();
    }
    assert_eq!(world.verdicts(&[Reason::OkVerified]), [20]);
    // Another gateway with the same files, and nobody to ask.
    let file = world.lab.file("other.yaml");
    let next = gather(&file);
    let held = next.client.held().expect("the last good");
    assert_eq!((held.manifest.serial, next.trust.signers.len()), (1, 2));
    // And once the file is damaged: nobody of the repository is known, and somebody is told.
    let store = world.lab.file("var/trust/last-good");
    let mut octets = fs::read(&store).expect("there");
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(&store, octets).expect("written");
    let lost = gather(&file);
    assert!(lost.warnings.iter().any(|one| one.starts_with("store_lost")), "{:?}", lost.warnings);
    assert_eq!(lost.trust.signers.len(), 1, "our own");
}

#[test]
fn the_operators_door_shows_the_repository_and_takes_wishes() {
    let world = World::new("follow-admin", "own-keys", "");
    until("first look", || world.document()["serial"] == json!(1));
    let (engine, trust) = (Arc::clone(&world.verifies), Arc::clone(&world.trust));
    let (config, repository) = (world.lab.file("other.yaml"), Some(world.handle()));
    let observer = Observer::start(
        &engine,
        Settings { clock: || Some(ClockState { synchronised: true, error_us: 0 }), ..Settings::default() },
    )
    .expect("a thread");
    let (memory, wishes, reloader) = (Locking::Off, Wishes::default(), None);
    let board = Board {
        config,
        engine,
        trust,
        repository,
        callers: None,
        enrolment: None,
        reloader,
        ports: Vec::new(),
        memory,
        observer,
        wishes,
    };
    let socket = world.lab.file("door.sock");
    let door = Admin::open(&socket, None, Arc::new(board)).expect("open");
    let shown = admin::ask(&socket, What::Repository).expect("an answer");
    assert_eq!((&shown["followed"], &shown["serial"], &shown["objects"]), (&json!(true), &json!(1), &json!(5)));
    let serial = world.publish();
    assert!(admin::request(&socket, "repository", "look").is_ok());
    until("serial", || world.document()["serial"] == json!(serial));
    let refused = admin::request(&socket, "repository", "confirm").expect_err("nothing").to_string();
    assert!(refused.contains("nothing is held back"), "{refused}");
    let refused = admin::request(&socket, "repository", "fly").expect_err("nothing").to_string();
    assert!(refused.contains("look, confirm"), "{refused}");
    fs::write(world.lab.file("tsca").join(DIRECTORY).join("manifest.json"), "{}").expect("written");
    assert!(admin::request(&socket, "repository", "look").is_ok());
    until("alarm", || {
        let status = admin::ask(&socket, What::Status).expect("an answer");
        status["alarms"][0]["name"] == json!("repo_signature") && status["alarms"][0]["severity"] == json!("critical")
    });
    drop(door);
}

#[test]
fn operators_that_would_go_at_once_are_held_back_until_somebody_agrees() {
    let mut world = World::new("follow-shrink", "own-keys", "");
    until("first look", || world.document()["serial"] == json!(1));
    assert!(!world.handle().confirm(), "nothing is held back");
    // Opened first: an authority writes a certificate that it has issued and whose file is missing.
    let mut authority = world.authority();
    fs::remove_file(world.lab.file("tsca/certs/home.pem")).expect("removed");
    let published = authority.publish_repository(Publication::default(), OffsetDateTime::now_utc());
    let serial = published.expect("published").serial;
    drop(authority);
    world.handle().look();
    until("alarm", || world.document()["alarms"][0]["name"] == json!("repo_shrink"));
    world.send();
    assert_eq!(world.verdicts(&[Reason::OkVerified]), [1]);
    assert!(world.handle().confirm());
    until("serial", || world.document()["serial"] == json!(serial));
    world.send();
    assert_eq!(world.verdicts(&[Reason::OkVerified, Reason::CrtUnknownSai]), [1, 1]);
}

#[test]
fn trust_that_was_not_checked_for_too_long_is_refused_where_that_is_wanted() {
    for (rule, want) in [("keep", [2, 0]), ("fail", [1, 1])] {
        let mut world =
            World::new(&format!("follow-{rule}"), "own-keys", &format!(", max_stale: 60s, repo_stale: {rule}"));
        until("first look", || world.document()["serial"] == json!(1));
        world.send();
        assert_eq!(world.verdicts(&[Reason::OkVerified]), [1]);
        // A gateway that starts again with what was made 61 seconds ago, and nobody answers.
        let mut gathered = gather(&world.lab.file("other.yaml"));
        let client = &mut gathered.client;
        let trust = client.in_force(now_s() + 61);
        assert!(client.alarms().stands(sealgate_control::tsca::alarm::Alarm::RepoStaleHard));
        world.keeper = None;
        keep_own(&mut gathered.keys, &gathered.policy, &trust);
        let compiled = world.verifies.snapshot().next(&gathered.policy, &trust, &gathered.keys, 1500);
        world.verifies.publish(compiled.expect("compiled"));
        world.send();
        assert_eq!(world.verdicts(&[Reason::OkVerified, Reason::CrtRepoStale]), want, "{rule}");
    }
}
