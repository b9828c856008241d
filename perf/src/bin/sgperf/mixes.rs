//! `sgperf mix`: what a mix of traffic is made of, and what making it costs.

use clap::Args;
use sealgate_dataplane::io::pcap::{Resolution, Writer};
use sealgate_perf::measure::cpu_now;
use sealgate_perf::mix::{Appliance, Fate, Made, Operation, Profile, Reader, Source, Taken, World};
use sealgate_perf::record::Document;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

#[derive(Args)]
pub struct Mix {
    /// default, unsigned, signed-10, signed-50, signed-100, attack, diameter, isup, sip, interconnect, or a file; perf/profiles has them with all keys.
    profile: String,
    /// Frames of a round, and of the capture.
    #[arg(short = 'n', long, default_value_t = 100_000)]
    frames: u64,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Writes the handshakes and the frames of one round into this capture instead of measuring.
    #[arg(short, long, value_name = "FILE.pcap")]
    output: Option<PathBuf>,
    /// Plays the messages of this capture (pcap or pcapng) over and over instead of the mix, in the profile's associations.
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Signs them afresh where they open a dialogue from a title of one of the profile's peers.
    #[arg(long, requires = "capture")]
    sign: bool,
    /// Writes a configuration of the product for this traffic into this directory instead of measuring.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Device of the port towards other operators in that configuration.
    #[arg(long, default_value = "null", requires = "write")]
    interconnect: String,
    /// Device of the port towards our own network in it.
    #[arg(long, default_value = "null", requires = "write")]
    home: String,
    /// Frames that wait in each ring or queue of its ports.
    #[arg(long, default_value_t = 1024, requires = "write", value_parser = super::load::depth)]
    depth: u16,
    /// Cores of its workers.
    #[arg(long, value_delimiter = ',', default_value = "0", requires = "write")]
    worker_cores: Vec<usize>,
    /// Cores of its crypto threads; none: workers verify for themselves.
    #[arg(long, value_delimiter = ',', requires = "write")]
    crypto_cores: Vec<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Mix) -> Result<(), Box<dyn Error>> {
    let profile = Profile::find(&args.profile)?;
    let world = World::new(&profile)?;
    if let Some(dir) = &args.write {
        let appliance = Appliance {
            interconnect: args.interconnect.clone(),
            home: args.home.clone(),
            depth: args.depth,
            workers: args.worker_cores.clone(),
            crypto: args.crypto_cores.clone(),
        };
        world.write(dir, &appliance)?;
        next_steps(dir, args);
        if args.output.is_none() {
            return Ok(());
        }
    }
    let mut source = match &args.capture {
        Some(path) => {
            let (source, taken) = Source::from_capture(path, &profile, &world, args.sign)?;
            tell(&taken);
            source
        }
        None => Source::new(&profile, &world)?,
    };
    if let Some(path) = &args.output {
        return capture(path, &mut source, args.frames);
    }
    let mut document = Document::begin("mix");
    measure(&mut source, &Reader::new(&world), args, &mut document)?;
    if !args.json && args.capture.is_none() {
        show(&profile, source.made());
    }
    document.print(args.json)
}

/// What to do with a configuration, to whoever had it written.
fn next_steps(dir: &Path, args: &Mix) {
    let Mix { profile, interconnect, home, depth, .. } = args;
    eprintln!("on the gateway's machine:  sealgate run {}", dir.join("sealgate.yaml").display());
    if interconnect == "null" || home == "null" {
        eprintln!("but first name its ports:  --interconnect DEVICE --home DEVICE, or edit that file");
    }
    // The tester's end of shared memory has the same name but for its role; of a cable nobody knows the other end.
    let other_end = |device: &String, name: &str| match device.strip_prefix("memif:") {
        Some(_) => format!("'{}'", device.replace("role=server", "role=client")),
        None => name.to_owned(),
    };
    let (one, two) = (other_end(interconnect, "INTERCONNECT"), other_end(home, "HOME"));
    eprintln!("then on the tester's:      sgperf load {profile} --depth {depth} --ports {one} {two}");
}

/// What a capture gives, to whoever watches.
fn tell(taken: &Taken) {
    let Taken { frames, messages, signed, left_out } = taken;
    eprintln!("{frames} frames: {messages} messages are played, {signed} of them signed afresh");
    for (what, count) in left_out {
        eprintln!("{count:>12} left out: {what}");
    }
}

fn now_ms() -> Result<u64, Box<dyn Error>> {
    Ok(u64::try_from(SystemTime::UNIX_EPOCH.elapsed()?.as_millis())?)
}

/// Frames at 10,000 a second from now on.
fn capture(path: &Path, source: &mut Source, frames: u64) -> Result<(), Box<dyn Error>> {
    const GAP: Duration = Duration::from_micros(100);
    let mut writer = Writer::create(path, Resolution::Micro)?;
    let mut time = SystemTime::UNIX_EPOCH.elapsed()?;
    for (_, frame) in source.handshake() {
        writer.write(time, &frame)?;
        time += GAP;
    }
    let mut frame = Vec::new();
    for _ in 0..frames {
        source.next(u64::try_from(time.as_millis())?, &mut frame);
        writer.write(time, &frame)?;
        time += GAP;
    }
    writer.finish()?;
    Ok(())
}

/// CPU time of making a frame, and of reading it, each over whole rounds.
fn measure(source: &mut Source, reader: &Reader, args: &Mix, document: &mut Document) -> Result<(), Box<dyn Error>> {
    const KEPT: usize = 1024;
    let mut frames = vec![Vec::new(); KEPT];
    let count = args.frames.max(KEPT as u64);
    // The first round warms.
    for round in 0..=args.rounds.max(1) {
        let before = *source.made();
        let (mut made, mut read, mut passed) = (Duration::ZERO, Duration::ZERO, 0_u64);
        while source.made().frames - before.frames < count {
            let (now, start) = (now_ms()?, cpu_now());
            for frame in &mut frames {
                black_box(source.next(now, frame));
            }
            let between = cpu_now();
            for frame in &frames {
                reader.read(black_box(frame), &mut |_, _, _, fate| passed += u64::from(fate == Fate::Passed));
            }
            made += between.saturating_sub(start);
            read += cpu_now().saturating_sub(between);
        }
        let of = |made: &Made| (made.frames as f64, made.messages as f64);
        let ((f0, m0), (f1, m1)) = (of(&before), of(source.made()));
        if black_box(passed) as f64 != m1 - m0 {
            return Err("the reader lost a message of the source".into());
        }
        if round == 0 {
            continue;
        }
        document.add("mix_source_ns_per_frame", "ns", made.as_secs_f64() * 1e9 / (f1 - f0));
        document.add("mix_source_ns_per_message", "ns", made.as_secs_f64() * 1e9 / (m1 - m0));
        document.add("mix_reader_ns_per_frame", "ns", read.as_secs_f64() * 1e9 / (f1 - f0));
    }
    let made = source.made();
    document.add("mix_octets_per_frame", "octets", made.octets as f64 / made.frames as f64);
    document.add("mix_messages_per_frame", "", made.messages as f64 / made.frames as f64);
    Ok(())
}

/// What was made, beside what was asked for.
fn show(profile: &Profile, made: &Made) {
    let percent = |count: u64, of: u64| 100.0 * count as f64 / of.max(1) as f64;
    let row = |what: &str, count: u64, of: u64, asked: f64| {
        println!("{what:<36} {count:>12} {:>9.2} % {:>9.2} %", percent(count, of), 100.0 * asked);
    };
    let Profile { name, peers, links, associations, .. } = profile;
    println!("{name}: {peers} peers, {links} links of {associations} associations");
    println!("{:<36} {:>12} {:>11} {:>11}", "", "messages", "made", "asked for");
    row("from our own network", made.outbound, made.messages - made.exempt, profile.outbound);
    let (inbound, judgement) = (made.messages - made.outbound - made.exempt, &profile.judgement);
    for (what, count, asked) in [
        ("from others: signed", made.signed, judgement.signed),
        ("from others: unsigned", made.unsigned, judgement.unsigned),
        ("from others: forged", made.forged, judgement.forged),
        ("from others: spoofed", made.spoofed, judgement.spoofed),
        ("from others: replayed", made.replayed, judgement.replayed),
    ] {
        row(what, count, inbound, asked);
    }
    row("answers", made.answers, made.messages, profile.answers);
    row("in XUDT, or LUDT", made.extended, made.messages, profile.xudt);
    for (operation, count) in Operation::ALL.into_iter().zip(made.operations) {
        row(operation.name(), count, made.messages, profile.operations.share(operation));
    }
    println!("{:<36} {:>12}", "", "packets");
    row("with several messages", made.bundles, made.frames, profile.bundled);
    println!();
}
