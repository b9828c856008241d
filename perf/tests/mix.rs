//! Each profile's traffic through a real worker: every message must meet the fate that its source says.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::PolicyCell;
use sealgate_perf::gateway::NOW_MS;
use sealgate_perf::mix::{Appliance, Fate, Made, Operation, Profile, Reader, Sent, Side, Source, World};
use sealgate_wire::Reason;

type Fallible<T = ()> = Result<T, Box<dyn Error>>;

const MESSAGES: u64 = 20_000;

/// What must become of each message: by side, association and TSN.
type Expected = HashMap<(Side, u16, u32), Fate>;

struct Rig {
    worker: Worker<MemPort>,
    crypto: Pool,
    source: Source,
    reader: Reader,
    now_ms: u64,
    expected: Expected,
    /// Fates that were not as expected.
    misjudged: Vec<String>,
}

impl Rig {
    fn new(profile: &Profile) -> Fallible<Self> {
        let world = World::at(profile, (NOW_MS / 1000) as i64)?;
        let snapshot = world.snapshot(&KeyRing::new())?;
        let shared = Arc::new(Shared::new(&snapshot));
        let cell = Arc::new(PolicyCell::new(snapshot));
        let (crypto, mut clients) = Pool::start(PoolConfig::default(), 1, &cell.current().ring)?;
        let pool = MemPool::default();
        let ports = [MemPort::new(&pool), MemPort::new(&pool)];
        let client = clients.pop().ok_or("no client")?;
        // As if it had just been started: nothing that is signed now is too old for it.
        let config = WorkerConfig { started_ms: NOW_MS, ..WorkerConfig::default() };
        let worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
        let (source, reader) = (Source::new(profile, &world)?, Reader::new(&world));
        let (expected, misjudged) = (HashMap::new(), Vec::new());
        Ok(Self { worker, crypto, source, reader, now_ms: NOW_MS, expected, misjudged })
    }

    fn shake(&mut self) -> Fallible {
        let mut before = None;
        for (side, frame) in self.source.handshake() {
            if before.is_some_and(|before| before != side) {
                self.turns()?;
            }
            self.inject(side, &frame)?;
            before = Some(side);
        }
        self.turns()
    }

    fn inject(&mut self, side: Side, frame: &[u8]) -> Fallible {
        let port = self.worker.port_mut(side as usize).ok_or("a port")?;
        assert!(port.inject(frame)?);
        Ok(())
    }

    fn expect(&mut self, sent: &Sent) {
        for chunk in 0..sent.chunks {
            let fate = if sent.refuse >> chunk & 1 == 1 { Fate::Refused } else { Fate::Passed };
            let tsn = sent.first_tsn.wrapping_add(chunk.into());
            assert!(self.expected.insert((sent.side, sent.association, tsn), fate).is_none(), "a TSN twice");
        }
    }

    /// Turns until all is out, and reads it.
    fn turns(&mut self) -> Fallible {
        for _ in 0..8 {
            self.worker.turn(self.now_ms);
        }
        for side in [Side::Interconnect, Side::Home] {
            let port = self.worker.port_mut(side.other() as usize).ok_or("a port")?;
            while let Some(frame) = port.take_sent() {
                let ours = self.reader.read(frame.octets(), &mut |from, association, tsn, fate| {
                    assert_eq!(from, side);
                    let expected = self.expected.remove(&(from, association, tsn));
                    if expected != Some(fate) {
                        self.misjudged.push(format!("{from:?} {association} {tsn}: {fate:?}, not {expected:?}"));
                    }
                });
                assert!(ours, "not of this world: {:x?}", frame.octets());
            }
        }
        Ok(())
    }

    fn run(&mut self, messages: u64) -> Fallible {
        let mut frame = Vec::new();
        while self.source.made().messages < messages {
            for _ in 0..32 {
                let sent = self.source.next(self.now_ms, &mut frame);
                self.inject(sent.side, &frame)?;
                self.expect(&sent);
            }
            self.turns()?;
            self.now_ms += 1;
        }
        Ok(())
    }
}

#[test]
fn every_message_meets_the_fate_that_its_source_says() -> Fallible {
    for name in Profile::names() {
        let profile = Profile::named(name)?;
        let mut rig = Rig::new(&profile)?;
        rig.shake()?;
        rig.run(MESSAGES)?;
        let stats = rig.worker.stats().clone();
        let made = *rig.source.made();
        rig.crypto.stop();
        assert_eq!(rig.misjudged.first(), None, "{name}: {} in all; {made:?}", rig.misjudged.len());
        assert!(rig.expected.is_empty(), "{name}: {} never came out", rig.expected.len());
        assert_eq!(stats.frames_dropped.iter().sum::<u64>(), 0, "{name}");
        assert_eq!((stats.messages, stats.repeated), (made.messages, 0), "{name}");
        // Each for the reason that is meant.
        let signs = if profile.sign_outbound { made.outbound } else { 0 };
        for (reason, count) in [
            (Reason::OkVerified, made.signed),
            (Reason::OkUnsignedAllowed, made.unsigned + made.outbound - signs),
            (Reason::OkSignedEgress, signs),
            (Reason::SecSigInvalid, made.forged),
            (Reason::SccpCgpaOwn, made.spoofed),
            (Reason::SecReplay, made.replayed),
        ] {
            assert_eq!(stats.total(reason), count, "{name}: {}", reason.name());
        }
        shares(&profile, &made);
    }
    Ok(())
}

/// What was made has the shares that the profile asks for, within five standard deviations.
fn shares(profile: &Profile, made: &Made) {
    let close = |what: &str, count: u64, of: u64, share: f64, slack: f64| {
        let of = of as f64;
        let deviation = (of * share * (1.0 - share)).sqrt();
        let off = (count as f64 - of * share).abs();
        assert!(off <= 5.0 * deviation + slack, "{}: {what}: {count} of {of}, not {share}", profile.name);
    };
    // A message that does not fit waits for the next packet of its side.
    close("outbound", made.outbound, made.messages, profile.outbound, 0.02 * made.messages as f64);
    let inbound = made.messages - made.outbound;
    let judgement = &profile.judgement;
    // Replays begin when there is something to repeat: until then there are signed messages instead.
    let early = if judgement.replayed > 0.0 { (256.0 / judgement.signed * judgement.replayed).ceil() } else { 0.0 };
    close("signed", made.signed, inbound, judgement.signed, early);
    close("replayed", made.replayed, inbound, judgement.replayed, early);
    close("unsigned", made.unsigned, inbound, judgement.unsigned, 0.0);
    close("forged", made.forged, inbound, judgement.forged, 0.0);
    close("spoofed", made.spoofed, inbound, judgement.spoofed, 0.0);
    close("xudt", made.extended, made.messages, profile.xudt, 0.0);
    close("bundles", made.bundles, made.frames, profile.bundled, 0.01 * made.frames as f64);
    for (operation, count) in Operation::ALL.into_iter().zip(made.operations) {
        close(operation.name(), count, made.messages, profile.operations.share(operation), early);
    }
}

#[test]
fn a_peer_that_must_sign_is_refused_without() -> Fallible {
    let text = "mode: require\njudgement: {signed: 0.5, unsigned: 0.5}\nsms_octets: 140\nlinks: 1\nassociations: 1\n";
    let profile = Profile::parse(text, "test")?;
    let mut rig = Rig::new(&profile)?;
    rig.shake()?;
    rig.run(2000)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged, Vec::<String>::new());
    assert_eq!(rig.worker.stats().total(Reason::SecMissing), rig.source.made().unsigned);
    assert_eq!(rig.worker.stats().total(Reason::OkVerified), rig.source.made().signed);
    Ok(())
}

#[test]
fn a_thousand_associations_are_set_up() -> Fallible {
    let profile = Profile { links: 128, associations: 8, ..Profile::default() };
    let mut rig = Rig::new(&profile)?;
    assert_eq!(rig.source.associations(), 1024);
    rig.shake()?;
    rig.run(10_000)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged, Vec::<String>::new());
    assert!(rig.expected.is_empty());
    assert_eq!(rig.worker.stats().adopted, 0, "all were seen from their handshake on");
    Ok(())
}

#[test]
fn a_crowd_of_peers_shares_a_few_keys() -> Fallible {
    let profile = Profile { peers: 3000, keys: 7, prefixes: 30_000, ..Profile::named("signed-50")? };
    let mut rig = Rig::new(&profile)?;
    rig.shake()?;
    rig.run(5000)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged, Vec::<String>::new());
    assert!(rig.worker.stats().total(Reason::OkVerified) > 1000);
    Ok(())
}

#[test]
fn one_seed_gives_one_sequence_of_octets() -> Fallible {
    let octets = |profile: &Profile| -> Fallible<Vec<Vec<u8>>> {
        let world = World::at(profile, (NOW_MS / 1000) as i64)?;
        let mut source = Source::new(profile, &world)?;
        let mut frame = Vec::new();
        Ok((0..500)
            .map(|_| {
                source.next(NOW_MS, &mut frame);
                frame.clone()
            })
            .collect())
    };
    let profile = Profile::default();
    let first = octets(&profile)?;
    assert!(first == octets(&profile)?);
    let other = octets(&Profile { seed: 2, ..profile })?;
    assert!(first.iter().zip(&other).all(|(a, b)| a != b));
    Ok(())
}

#[test]
fn the_product_loads_what_a_world_writes() -> Fallible {
    let dir = scratch("written")?;
    let profile = Profile { peers: 5, keys: 3, ..Profile::default() };
    let world = World::new(&profile)?;
    let appliance = Appliance {
        interconnect: "memif:role=server,id=0,socket=/run/a.sock".to_owned(),
        home: "memif:role=server,id=1,socket=/run/a.sock".to_owned(),
        workers: vec![1, 2],
        crypto: vec![3],
    };
    world.write(&dir, &appliance)?;
    let (loaded, policy) = sealgate_config::load(&dir.join("sealgate.yaml"), None)?;
    assert_eq!(policy, world.policy()?);
    assert_eq!((loaded.cores.workers, loaded.cores.crypto), (vec![1, 2], vec![3]));
    let trust = dir.join("trust");
    for (sub, count) in [("certificates", 7), ("crls", 2), ("keys", 1)] {
        assert_eq!(std::fs::read_dir(trust.join(sub))?.count(), count, "{sub}");
    }
    let key = sealgate_crypto::sign::SigningKey::from_file(&trust.join("keys/home-ec.key.pem"))?;
    assert_eq!(key.alg() as u8, 1);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// An empty directory of this test.
fn scratch(name: &str) -> Fallible<PathBuf> {
    let dir = std::env::temp_dir().join(format!("sealgate-mix-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

#[test]
fn a_world_of_another_profile_is_refused() -> Fallible {
    let world = World::new(&Profile { peers: 3, prefixes: 0, ..Profile::default() })?;
    assert!(Source::new(&Profile { peers: 4, prefixes: 0, ..Profile::default() }, &world).is_err());
    Ok(())
}
