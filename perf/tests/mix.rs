//! Each profile's traffic through a real worker: every message must meet the fate that its source says.

mod mix_rig;

use mix_rig::{Fallible, Rig, scratch};
use sealgate_crypto::pool::PoolConfig;
use sealgate_perf::gateway::NOW_MS;
use sealgate_perf::mix::{Appliance, Made, Operation, Profile, Source, World};
use sealgate_wire::{Reason, reason};

const MESSAGES: u64 = 20_000;

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
        assert_eq!(stats.frames_dropped.iter().sum::<u64>(), rig.silent.len() as u64, "{name}");
        assert_eq!((stats.messages, stats.repeated), (made.messages, 0), "{name}");
        // Each for the reason that is meant.
        let signs = if profile.sign_outbound { made.outbound } else { 0 };
        for (reason, count) in [
            (Reason::OkVerified, made.signed),
            (Reason::OkUnsignedAllowed, made.unsigned + made.outbound - signs),
            (Reason::OkSignedEgress, signs),
            (Reason::OkNotSubject, made.exempt),
        ] {
            let others: Vec<_> = reason::ALL.iter().map(|reason| (reason.name(), stats.total(*reason))).collect();
            let others: Vec<_> = others.into_iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(stats.total(reason), count, "{name}: {}; {others:?}", reason.name());
        }
        let forged = [Reason::SecSigInvalid, Reason::StirSig].map(|reason| stats.total(reason));
        assert_eq!(forged.iter().sum::<u64>(), made.forged, "{name}: {forged:?}");
        // An answer of Diameter that comes again finds no request before anybody looks at its signature.
        let replayed = [Reason::SecReplay, Reason::DiaState, Reason::StirReplay].map(|reason| stats.total(reason));
        assert_eq!(replayed.iter().sum::<u64>(), made.replayed, "{name}: {replayed:?}");
        // A title of ours; a realm, or a number in SIP, of ours, which is no peer's; a number of ours, which no certificate of theirs has.
        let spoofed =
            [Reason::SccpCgpaOwn, Reason::PolPeerUnknown, Reason::CrtResource].map(|reason| stats.total(reason));
        assert_eq!(spoofed.iter().sum::<u64>(), made.spoofed, "{name}: {spoofed:?}");
        assert_eq!(made.answers > 0, profile.outbound > 0.0 && profile.answers > 0.0, "{name}");
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
    let judged = made.messages - made.exempt;
    close("outbound", made.outbound, judged, profile.outbound, 0.02 * judged as f64);
    let inbound = judged - made.outbound;
    let judgement = &profile.judgement;
    // Replays begin when there is something to repeat: until then there are signed messages instead.
    let early = if judgement.replayed > 0.0 { (256.0 / judgement.signed * judgement.replayed).ceil() } else { 0.0 };
    close("signed", made.signed, inbound, judgement.signed, early);
    close("replayed", made.replayed, inbound, judgement.replayed, early);
    close("unsigned", made.unsigned, inbound, judgement.unsigned, 0.0);
    close("forged", made.forged, inbound, judgement.forged, 0.0);
    close("spoofed", made.spoofed, inbound, judgement.spoofed, 0.0);
    // An answer waits for a thousand questions behind its own, and is never more than there are questions.
    let askers = [made.outbound, inbound - made.forged - made.spoofed - made.replayed];
    let most = profile.answers * made.messages as f64;
    assert!((made.answers as f64) <= most + 5.0 * most.sqrt(), "{}: {} answers", profile.name, made.answers);
    let least = askers.iter().map(|asked| (*asked as f64 * profile.answers - 1100.0).max(0.0)).fold(f64::MAX, f64::min);
    assert!(made.answers as f64 >= least, "{}: {} answers, {askers:?}", profile.name, made.answers);
    close("xudt", made.extended, made.messages, profile.xudt, 0.0);
    close("bundles", made.bundles, made.frames, profile.bundled, 0.01 * made.frames as f64);
    if profile.operations.iam > 0.0 && made.answers > 0 {
        return; // calls have no answers: the others have more than their share
    }
    for (operation, count) in Operation::ALL.into_iter().zip(made.operations) {
        close(operation.name(), count, made.messages, profile.operations.share(operation), early);
    }
}

#[test]
fn a_peer_that_must_sign_is_refused_without() -> Fallible {
    let text = "mode: require\njudgement: {signed: 0.5, unsigned: 0.5}\nsms_octets: 140\nlinks: 1\nassociations: 1\n";
    for (more, missing) in [
        ("", Reason::SecMissing),
        ("operations: {INVITE: 0.8, OPTIONS: 0.2}\nsign_outbound: false\n", Reason::StirMissing),
    ] {
        let profile = Profile::parse(&format!("{text}{more}"), "test")?;
        let mut rig = Rig::new(&profile)?;
        rig.shake()?;
        rig.run(2000)?;
        rig.crypto.stop();
        assert_eq!(rig.misjudged.first(), None, "{} in all; {more}", rig.misjudged.len());
        assert!(rig.expected.is_empty(), "{more}");
        let (stats, made) = (rig.worker.stats(), rig.source.made());
        assert_eq!(stats.total(missing), made.unsigned, "{more}");
        assert_eq!(stats.total(Reason::OkVerified), made.signed, "{more}");
        assert_eq!(stats.total(Reason::OkNotSubject), made.exempt, "{more}");
    }
    Ok(())
}

#[test]
fn a_crypto_thread_changes_no_fate() -> Fallible {
    // Replays beside originals that still wait for their thread.
    let text = "judgement: {signed: 0.7, replayed: 0.3}\npeers: 3\nprefixes: 0\nlinks: 2\noutbound: 0.1\n";
    for (more, replay) in [("", Reason::SecReplay), ("operations: {INVITE: 1}\n", Reason::StirReplay)] {
        let profile = Profile::parse(&format!("{text}{more}"), "test")?;
        let world = World::at(&profile, (NOW_MS / 1000) as i64)?;
        let source = Source::new(&profile, &world)?;
        let crypto = PoolConfig { cores: vec![0], share_percent: 100, ..PoolConfig::default() };
        let mut rig = Rig::on(&world, source, crypto)?;
        rig.shake()?;
        while rig.source.made().messages < 6000 && rig.expected.is_empty() {
            // No more at a time than the queue takes of keys that have no table yet: what is refused for that is not judged.
            let more = rig.source.made().messages + 100;
            rig.run(more)?;
            rig.drain()?;
        }
        assert_eq!(rig.misjudged.first(), None, "{} in all; {more}", rig.misjudged.len());
        assert!(rig.expected.is_empty(), "{more}");
        assert_eq!(rig.worker.stats().total(replay), rig.source.made().replayed, "{more}");
        rig.crypto.stop();
    }
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
    assert_eq!(rig.misjudged.first(), None, "{} in all", rig.misjudged.len());
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
    assert_eq!(rig.misjudged.first(), None, "{} in all", rig.misjudged.len());
    assert!(rig.worker.stats().total(Reason::OkVerified) > 1000);
    Ok(())
}

#[test]
fn ten_thousand_keys_are_remembered_at_once() -> Fallible {
    let profile = Profile { peers: 10_000, prefixes: 0, ..Profile::named("signed-100")? };
    let world = World::at(&profile, (NOW_MS / 1000) as i64)?;
    let mut rig = Rig::with(&world, Source::new(&profile, &world)?)?;
    rig.shake()?;
    // Three of each on average: all but one of twenty are met.
    rig.run(30_000)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged.first(), None, "{} in all", rig.misjudged.len());
    assert_eq!(rig.worker.stats().total(Reason::OkVerified), rig.source.made().signed);
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
        depth: 2048,
        workers: vec![1, 2],
        crypto: vec![3],
    };
    world.write(&dir, &appliance)?;
    let (loaded, policy) = sealgate_config::load(&dir.join("sealgate.yaml"), None)?;
    assert_eq!(policy, world.policy()?);
    assert_eq!((loaded.cores.workers, loaded.cores.crypto), (vec![1, 2], vec![3]));
    assert_eq!((loaded.ports.home.rx_ring, loaded.crypto.table_memory_mb), (2048, 1024));
    let trust = dir.join("trust");
    for (sub, count) in [("certificates", 7), ("crls", 2), ("keys", 1)] {
        assert_eq!(std::fs::read_dir(trust.join(sub))?.count(), count, "{sub}");
    }
    let key = sealgate_crypto::sign::SigningKey::from_file(&trust.join("keys/home-ec.key.pem"))?;
    assert_eq!(key.alg() as u8, 1);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

#[test]
fn a_world_of_another_profile_is_refused() -> Fallible {
    let world = World::new(&Profile { peers: 3, prefixes: 0, ..Profile::default() })?;
    assert!(Source::new(&Profile { peers: 4, prefixes: 0, ..Profile::default() }, &world).is_err());
    Ok(())
}
