//! Certificates of callers: a gateway fetches them while their calls wait, and what a host does instead costs its own calls alone.

use super::common::{Lab, OTHER};
use super::hostile::{Hostile, alone, file, https};
use sealgate_control::authority::{Authority, Reason as Why, Request, Setup};
use sealgate_control::callers::Callers;
use sealgate_control::gather::Gathered;
use sealgate_control::publish::Publisher;
use sealgate_control::report::Current;
use sealgate_control::tsca::keeper::{Keeper, Parts};
use sealgate_crypto::pki::Identifiers;
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::engine::{Engine, EngineConfig, now_ms};
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{MemFrame, MemPool, MemPort};
use sealgate_wire::sec::passport::{Attest, Outgoing, Scratch};
use sealgate_wire::{Reason, ip, udp};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const CALLER: &str = "999025550001";

/// A gateway with a link of SIP that knows no certificate of a caller, and the server that has them.
struct World {
    lab: Lab,
    server: Hostile,
    engine: Arc<Engine>,
    keeper: Option<Keeper>,
    callers: Option<Callers>,
    pool: MemPool,
    far: MemPort,
    home: MemPort,
    calls: u32,
}

impl World {
    fn new() -> Self {
        let lab = Lab::new("callers");
        let now = OffsetDateTime::now_utc();
        let mut authority = Authority::open(&lab.file("tsca")).expect("an authority");
        let numbers = Identifiers { tn_ranges: vec![("999025550000".into(), 100)], ..Identifiers::default() };
        authority.issue(&Request::new("caller", numbers), now).expect("issued");
        Authority::init(&lab.file("else"), &Setup::default(), now)
            .and_then(|mut other| {
                let numbers = Identifiers { tn_ranges: vec![("999025550000".into(), 100)], ..Identifiers::default() };
                other.issue(&Request::new("caller", numbers), now)
            })
            .expect("another authority");
        let pem = |name: &str| fs::read(lab.file(name)).expect("there");
        let leaf = pem("tsca/certs/caller.pem");
        let mut files = BTreeMap::from([
            ("leaf.pem".to_owned(), leaf.clone()),
            ("chain.pem".to_owned(), [leaf.clone(), pem("tsca/certs/region.pem")].concat()),
            ("else.pem".to_owned(), [pem("else/certs/caller.pem"), pem("else/certs/region.pem")].concat()),
            ("text.pem".to_owned(), b"<html>not here</html>".to_vec()),
            ("many.pem".to_owned(), leaf.repeat(9)),
        ]);
        files.insert("long.pem".to_owned(), [leaf.as_slice(), &[b'\n'; 64 << 10]].concat());
        let server = Hostile::start(https(move |name, out| {
            match name {
            "moved.pem" => out.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: https://localhost/leaf.pem\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            "never.pem" => {
                sleep(Duration::from_secs(5));
                Ok(())
            }
            name => file(&files, name, out),
        }
        }));
        // What a gateway has before anybody calls: its own certificate and the authority above it.
        fs::create_dir(lab.file("own")).expect("made");
        for name in ["home.pem", "region.pem"] {
            fs::copy(lab.file("tsca/certs").join(name), lab.file("own").join(name)).expect("copied");
        }
        let config = lab.gateway(&super::common::HOME, &OTHER, "null", "null");
        let text = fs::read_to_string(&config).expect("there").replace("certificates: tsca/certs", "certificates: own");
        fs::write(&config, text).expect("written");
        let policy = "version: 1\n\
            home: {gt_prefixes: [{plan: e164, digits: \"99901\"}], plmns: [\"00101\"], tn_prefixes: [\"99901\"]}\n\
            defaults: {cold_start: lenient}\n\
            links:\n  calls: {type: sip, remote: [192.0.2.30], local: [198.51.100.30]}\n\
            peers:\n  other: {gt: [\"99902\"], mode: require}\n\
            stir: {hosts: [localhost], x5u_miss: hold}\n";
        fs::write(lab.file("home-policy.yaml"), policy).expect("written");
        let now_s = i64::try_from(now_ms() / 1000).expect("this century");
        let gathered = Gathered::read(&config, None, now_s).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(gathered.warnings.iter().any(|text| text.contains("nothing is fetched")), "{:?}", gathered.warnings);

        let pool = MemPool::new(4096, 4096);
        let (far, near_far) = MemPort::cable(&pool, 512);
        let (near_home, home) = MemPort::cable(&pool, 512);
        let ports = vec![[near_far, near_home]];
        let engine = Engine::start(EngineConfig::default(), gathered.snapshot, ports, || Ok(())).expect("started");
        let engine = Arc::new(engine);
        let trust = Arc::new(Current::new(gathered.trust));
        let publisher = Arc::new(Publisher::new(&engine, gathered.policy, gathered.keys, 1500, trust));
        let parts = Parts { client: gathered.client, mirrors: Vec::new(), store: None, publisher };
        let keeper = Keeper::start(parts).expect("started");
        let (_, roots) = server.place();
        let callers = Callers::start(&engine, roots, 64, keeper.handle()).expect("started");
        let (keeper, callers) = (Some(keeper), Some(callers));
        Self { lab, server, engine, keeper, callers, pool, far, home, calls: 0 }
    }

    /// Sends an INVITE whose certificate is this file of the server.
    fn call(&mut self, file: &str) {
        self.calls += 1;
        let x5u = format!("https://localhost:{}/{file}", self.server.place().0);
        let text = fs::read_to_string(self.lab.file("tsca/keys/caller.key.pem")).expect("there");
        let key = SigningKey::from_pkcs8_pem(&text).expect("a key");
        // Nobody is called twice: a PASSporT that comes again would be a replay.
        let called = format!("9990155500{:02}", self.calls);
        let dest = [called.parse().expect("digits")];
        let (orig, iat) = (CALLER.parse().expect("digits"), now_ms() / 1000);
        let origid = "123e4567-e89b-12d3-a456-426614174000";
        let outgoing = Outgoing { x5u: &x5u, attest: Attest::A, origid, orig, dest: &dest, iat };
        let (mut scratch, mut line, mut signature) = (Scratch::default(), Vec::new(), [0; 256]);
        let input = outgoing.input(&mut scratch).expect("sound").to_vec();
        assert_eq!(key.sign(&input, &mut signature), Ok(64));
        outgoing.emit(&input, signature.first_chunk().expect("64 of 256"), &mut line);
        let id = self.calls;
        let invite = format!(
            "INVITE sip:+{called}@home.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
             From: <sip:+{CALLER}@far.example>;tag=1\r\nTo: <sip:+{called}@home.example>\r\nCall-ID: {id}@far\r\n\
             CSeq: 1 INVITE\r\n{}Content-Length: 0\r\n\r\n",
            String::from_utf8_lossy(&line)
        );
        let (theirs, ours) = ([192, 0, 2, 30], [198, 51, 100, 30]);
        let mut out = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0];
        out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
        out.extend_from_slice(&theirs);
        out.extend_from_slice(&ours);
        assert!(udp::emit((IpAddr::from(theirs), 5060), (IpAddr::from(ours), 5060), invite.as_bytes(), &mut out));
        assert!(ip::set_lengths(&mut out[14..], udp::HEADER_LEN + invite.len()));
        let frame = self.pool.filled(&out).expect("fits").expect("a buffer");
        let mut queue: VecDeque<MemFrame> = [frame].into();
        assert_eq!(self.far.tx(&mut queue), 1);
    }

    /// Verdicts by reason, for where a test fails.
    fn seen(&self) -> Vec<(&'static str, u64)> {
        let stats = self.engine.stats();
        let all = sealgate_wire::reason::ALL.iter().map(|reason| (reason.name(), stats.total(*reason)));
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Waits until as many calls had this reason, and says how long that took.
    fn until(&self, reason: Reason, want: u64) -> Duration {
        let began = Instant::now();
        while self.engine.stats().total(reason) < want {
            assert!(began.elapsed() < Duration::from_secs(20), "{} of {want}: {:?}", reason.name(), self.seen());
            sleep(Duration::from_millis(1));
        }
        assert_eq!(self.engine.stats().total(reason), want, "{}", reason.name());
        began.elapsed()
    }

    /// Frames that came in since the last look: at least as many as are waited for, and those shortly behind.
    fn came_in(&mut self, want: usize) -> usize {
        let (mut burst, mut all, began) = (Vec::new(), 0, Instant::now());
        loop {
            while self.home.rx(&mut burst, 64) > 0 {
                all += burst.drain(..).count();
            }
            if began.elapsed() > Duration::from_secs(if all < want { 20 } else { 0 }) + Duration::from_millis(20) {
                return all;
            }
            sleep(Duration::from_millis(1));
        }
    }

    fn document(&self) -> Value {
        self.callers.as_ref().expect("it runs").view().document()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        (self.callers, self.keeper) = (None, None);
        self.engine.stop(Duration::from_secs(1));
    }
}

#[test]
fn a_call_waits_while_its_certificate_is_fetched_and_a_host_that_lies_harms_its_own_calls_alone() {
    let _alone = alone();
    let mut world = World::new();
    // A host that does not answer, and behind it one that does.
    world.call("never.pem");
    world.call("chain.pem");
    let took = world.until(Reason::OkVerified, 1).max(world.until(Reason::StirX5uUnavailable, 1));
    println!("callers: a certificate fetched, judged and in force, a host that hangs beside it refused: {took:?}");
    assert_eq!(world.came_in(1), 1);
    // Known now: nobody waits.
    world.call("chain.pem");
    world.until(Reason::OkVerified, 2);
    assert_eq!(world.came_in(1), 1);
    // A leaf alone does where its authority is known.
    world.call("leaf.pem");
    world.until(Reason::OkVerified, 3);
    assert_eq!(world.came_in(1), 1);
    // What gives nothing is refused as soon as that is known, and at once when it is named again.
    let began = Instant::now();
    for file in ["else.pem", "text.pem", "many.pem", "long.pem", "moved.pem", "gone.pem", "leaf.pem?x=1"] {
        world.call(file);
    }
    world.until(Reason::StirX5uUnavailable, 8);
    assert_eq!(world.came_in(0), 0);
    println!("callers: seven that gave nothing refused after {:?}", began.elapsed());
    let began = Instant::now();
    world.call("never.pem");
    world.until(Reason::StirX5uUnavailable, 9);
    assert_eq!(world.came_in(0), 0);
    println!("callers: one that hung before refused after {:?}", began.elapsed());
    let began = Instant::now();
    while world.document()["failed"] != 7 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", world.document());
        sleep(Duration::from_millis(5));
    }
    let document = world.document();
    assert_eq!((&document["certificates"], &document["fetched"]), (&2.into(), &2.into()));
    assert!(document["refused"].as_u64().is_some_and(|count| count > 0), "{document}");
    // A revocation holds for what was fetched as for all: the files are read again.
    let authority = || Authority::open(&world.lab.file("tsca")).expect("an authority");
    authority().revoke("caller", Why::KeyCompromise, OffsetDateTime::now_utc()).expect("revoked");
    let files = sealgate_control::gather::Files::read(&world.lab.file("home.yaml")).expect("good");
    let now_s = i64::try_from(now_ms() / 1000).expect("this century");
    let handle = world.keeper.as_ref().expect("it runs").handle();
    let swap = handle.reload(files.policy, files.keys, files.local, now_s, |_, _, _, _| {
        Ok::<(), sealgate_control::publish::Refused>(())
    });
    assert!(swap.is_ok(), "{swap:?}");
    assert!(Path::new(&world.lab.file("own")).exists());
    world.call("chain.pem");
    world.until(Reason::StirCert, 1);
    assert_eq!(world.came_in(0), 0);
}
