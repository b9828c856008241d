//! A capture, played again and again: the worker makes of each message what the source says.

mod mix_rig;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mix_rig::{Fallible, Rig, scratch};
use sealgate_dataplane::io::pcap::{Resolution, Writer};
use sealgate_perf::gateway::NOW_MS;
use sealgate_perf::mix::{Made, Profile, Source, World};
use sealgate_wire::Reason;

/// A profile with every operation and carrier, and short messages that are in LUDT once they are signed.
fn profile() -> Fallible<Profile> {
    let text = "name: recorded\npeers: 20\nprefixes: 40\nbundled: 0.3\nxudt: 0.3\nsms_octets: 140\nlinks: 2\n\
                judgement: {signed: 0.3, unsigned: 0.5, forged: 0.2}\n";
    Ok(Profile::parse(text, "recorded")?)
}

/// Frames of a profile as they were an hour ago, and what is in them.
fn record(profile: &Profile, world: &World, path: &Path, frames: usize) -> Fallible<Made> {
    let mut source = Source::new(profile, world)?;
    let mut writer = Writer::create(path, Resolution::Micro)?;
    for (_, frame) in source.handshake() {
        writer.write(Duration::from_secs(1), &frame)?;
    }
    let mut frame = Vec::new();
    for _ in 0..frames {
        source.next(NOW_MS - 3_600_000, &mut frame);
        writer.write(Duration::from_secs(1), &frame)?;
    }
    writer.finish()?;
    Ok(*source.made())
}

fn recording(name: &str) -> Fallible<(Profile, World, PathBuf, Made)> {
    let profile = profile()?;
    let world = World::at(&profile, (NOW_MS / 1000) as i64)?;
    let path = scratch(name)?.join("recorded.pcap");
    let made = record(&profile, &world, &path, 300)?;
    Ok((profile, world, path, made))
}

#[test]
fn a_capture_is_played_as_it_was() -> Fallible {
    let (profile, world, path, made) = recording("plain")?;
    let (source, taken) = Source::from_capture(&path, &profile, &world, false)?;
    assert_eq!((taken.messages, taken.signed), (made.messages, 0));
    assert!(taken.left_out.is_empty(), "handshakes have no messages: {:?}", taken.left_out);
    let mut rig = Rig::with(&world, source)?;
    rig.shake()?;
    rig.run(5 * made.messages)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged.first(), None, "{} in all", rig.misjudged.len());
    assert!(rig.expected.is_empty());
    let stats = rig.worker.stats();
    assert_eq!((stats.messages, stats.repeated), (rig.source.made().played, 0));
    // What was signed an hour ago is too old, good or not.
    assert!(stats.total(Reason::SecTimePast) >= 5 * (made.signed + made.forged));
    assert_eq!(stats.total(Reason::OkVerified), 0);
    assert!(stats.total(Reason::OkUnsignedAllowed) >= 5 * made.unsigned);
    Ok(())
}

#[test]
fn a_capture_is_signed_afresh_each_time() -> Fallible {
    let (profile, world, path, made) = recording("signed")?;
    let (source, taken) = Source::from_capture(&path, &profile, &world, true)?;
    assert_eq!((taken.messages, taken.signed), (made.messages, made.messages - made.outbound));
    let mut rig = Rig::with(&world, source)?;
    rig.shake()?;
    rig.run(5 * made.messages)?;
    rig.crypto.stop();
    assert_eq!(rig.misjudged.first(), None, "{} in all", rig.misjudged.len());
    assert!(rig.expected.is_empty());
    let stats = rig.worker.stats();
    assert!(stats.total(Reason::OkVerified) >= 5 * taken.signed);
    assert_eq!(stats.total(Reason::OkVerified) + stats.total(Reason::OkSignedEgress), stats.messages);
    Ok(())
}

#[test]
fn a_capture_without_messages_says_why() -> Fallible {
    let profile = profile()?;
    let world = World::at(&profile, (NOW_MS / 1000) as i64)?;
    let dir = scratch("empty")?;
    let path = dir.join("empty.pcap");
    let mut writer = Writer::create(&path, Resolution::Micro)?;
    writer.write(Duration::from_secs(1), &[0; 60])?;
    writer.finish()?;
    let fault = Source::from_capture(&path, &profile, &world, false).map(|_| ()).map_err(|fault| fault.to_string());
    assert!(fault.is_err_and(|fault| fault.contains("no SCTP over IP: 1")));
    assert!(Source::from_capture(&dir.join("none.pcap"), &profile, &world, false).is_err());
    Ok(())
}

/// Captures of the folder that `SEALGATE_CAPTURES` names, which are not part of the project; without it, none.
#[test]
fn captures_of_others_are_played_too() -> Fallible {
    let Some(folder) = std::env::var_os("SEALGATE_CAPTURES") else { return Ok(()) };
    let profile = Profile::default();
    let world = World::at(&profile, (NOW_MS / 1000) as i64)?;
    let mut played = 0;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "pcap" && extension != "pcapng") {
            continue;
        }
        let Ok((source, taken)) = Source::from_capture(&path, &profile, &world, false) else { continue };
        let mut rig = Rig::with(&world, source)?;
        rig.shake()?;
        rig.run(3 * taken.messages)?;
        rig.crypto.stop();
        assert_eq!(rig.misjudged.first(), None, "{}", path.display());
        assert!(rig.expected.is_empty(), "{}", path.display());
        played += 1;
    }
    assert!(played > 0, "no capture with messages is there");
    Ok(())
}
