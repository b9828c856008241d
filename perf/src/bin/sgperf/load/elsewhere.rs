//! A load over ports of DPDK: every traffic in a process of its own, beside its gateway's.
//!
//! EAL starts once in a process, and a port of memif does not outlive its peer: so each traffic begins anew.

use super::args::Measure;
use super::{Load, drive, floor_alone, setup, through_forwarder};
use sealgate_perf::load::feed::Traffic;
use sealgate_perf::load::forward::Forwarder;
use sealgate_perf::load::ports::{self, Opened};
use sealgate_perf::load::remote::{Order, Remote, serve};
use sealgate_perf::load::rig::{Device, Nobody, Rig};
use sealgate_perf::load::tester::Tester;
use sealgate_perf::mix::{Profile, World};
use sealgate_perf::record::Document;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long a gateway over shared memory may take to be stopped once all is measured.
const STOP: Duration = Duration::from_secs(60);

/// One traffic after the other into the document.
pub fn measure(args: &Load, document: &mut Document) -> Result<(), Box<dyn Error>> {
    if !args.ports.is_empty() {
        one_gateway(args)?;
    }
    let mut parts = Vec::new();
    if args.measure.contains(&Measure::Floor) {
        parts.push((args.mixes.first().cloned(), vec![Measure::Floor]));
    }
    let rest: Vec<Measure> = args.measure.iter().copied().filter(|measure| *measure != Measure::Floor).collect();
    parts.extend(args.mixes.iter().map(|mix| (Some(mix.clone()), rest.clone())));
    for (mix, measure) in parts {
        let part = Load { mixes: mix.into_iter().collect(), measure, ..args.clone() };
        document.absorb(in_process_of_its_own(&part)?);
    }
    Ok(())
}

/// Whether one gateway, which nobody here can start anew, is enough for all that is to be measured.
fn one_gateway(args: &Load) -> Result<(), Box<dyn Error>> {
    let profiles = args.mixes.iter().map(|mix| Profile::find(mix)).collect::<Result<Vec<_>, _>>()?;
    let Some((first, rest)) = profiles.split_first() else { return Err("no traffic".into()) };
    if let Some(other) = rest.iter().find(|other| !first.same_gateway(other)) {
        let (first, other) = (&first.name, &other.name);
        return Err(format!(
            "{first} and {other} need gateways of different configurations: with --ports name those that share one"
        )
        .into());
    }
    if !rest.is_empty() && args.ports.iter().any(|device| shared_memory(device)) {
        return Err("over memif a gateway carries one traffic, and must then be stopped: name one".into());
    }
    Ok(())
}

fn shared_memory(device: &str) -> bool {
    device.starts_with("memif:")
}

fn in_process_of_its_own(part: &Load) -> Result<Document, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("load-part").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(stdin) = child.stdin.take() {
        serde_json::to_writer(stdin, part)?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{}: the measurement ended early; see above", part.mixes.join(" ")).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What `sgperf load-part` does: reads what is to be measured, and prints the document.
pub fn part() -> Result<(), Box<dyn Error>> {
    // Whoever ends the command ends this too.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let args: Load = serde_json::from_reader(std::io::stdin())?;
    let mut document = Document::begin("load");
    let profile = Profile::find(args.mixes.first().ok_or("no traffic")?)?;
    if args.ports.is_empty() {
        over_memif(&args, &profile, &mut document)?
    } else {
        over_ports(&args, &profile, &mut document)?
    }
    document.print(true)
}

fn over_memif(args: &Load, profile: &Profile, document: &mut Document) -> Result<(), Box<dyn Error>> {
    let floor = args.measure.contains(&Measure::Floor);
    if floor {
        floor_alone(args, profile, document)?;
    }
    let folder = Folder::make()?;
    let [far, near] = ports::memif(&folder.0, args.depth);
    let order = Order {
        profile: (!floor).then(|| args.mixes.first().cloned()).flatten(),
        setup: setup(args)?,
        devices: far,
        depth: args.depth,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("gateway");
    let remote = Remote::start(command, &order)?;
    let Opened { queues, ports: _ports, eal: _ } = connect(args, &near)?;
    let pair = queues.into_iter().next().ok_or("no queue")?;
    let world = World::new(profile)?;
    let tester = Tester::new(pair, Traffic::new(profile, &world)?);
    if floor {
        return through_forwarder(tester, profile, remote, 2.0 * args.seconds, document);
    }
    let (_tester, remote) = drive(args, profile, tester, remote, document)?;
    drop(remote);
    Ok(())
}

/// Towards a gateway on another machine, or one that somebody else started.
fn over_ports(args: &Load, profile: &Profile, document: &mut Document) -> Result<(), Box<dyn Error>> {
    if args.measure.contains(&Measure::Floor) {
        return floor_alone(args, profile, document);
    }
    let [one, two] = args.ports.as_slice() else { return Err("--ports takes two devices".into()) };
    let traffic = Traffic::new(profile, &World::new(profile)?)?;
    let Opened { queues, ports, eal: _ } = connect(args, &[one.clone(), two.clone()])?;
    let pair = queues.into_iter().next().ok_or("no queue")?;
    let measured = drive(args, profile, Tester::new(pair, traffic), Nobody, document);
    if shared_memory(one) || shared_memory(two) {
        // Its driver reads memory that is gone if this end goes first: what breaks then is the gateway under test.
        eprintln!(
            "all is measured: stop the gateway now, its memif must end before this one; {} s left",
            STOP.as_secs()
        );
        if !ports::wait_gone(&ports, STOP)? {
            document.notes.push("the gateway was not stopped in time: its memif driver may have crashed".to_owned());
        }
    }
    drop(measured?);
    Ok(())
}

/// Opens the tester's ports: EAL's own thread is this one, on the tester's core.
fn connect(args: &Load, devices: &[String; 2]) -> Result<Opened, Box<dyn Error>> {
    let opened = ports::two(devices, args.depth, Some(args.tester_core), &[args.tester_core])?;
    opened.wait()?;
    Ok(opened)
}

/// What `sgperf gateway` does: reads its order, opens its ports and answers until nobody asks any more.
pub fn gateway() -> Result<(), Box<dyn Error>> {
    let mut lines = std::io::stdin().lines();
    let order: Order = serde_json::from_str(&lines.next().ok_or("no order came")??)?;
    let Opened { eal, queues, ports: _ports } = ports::two(&order.devices, order.depth, None, &order.setup.workers)?;
    let enter = move || eal.register_thread().map_err(|error| error.to_string());
    let mut out = std::io::stdout();
    match &order.profile {
        Some(name) => {
            let world = Arc::new(World::new(&Profile::find(name)?)?);
            let mut rig = Rig::start(world, &order.setup, queues, enter)?;
            serve(&mut rig, &mut lines, &mut out)?;
            rig.stop();
        }
        None => {
            let pair = queues.into_iter().next().ok_or("no queue")?;
            let core = *order.setup.workers.first().ok_or("no worker core")?;
            let mut forwarder = Forwarder::start(pair, core, enter)?;
            serve(&mut forwarder as &mut dyn Device, &mut lines, &mut out)?;
        }
    }
    Ok(())
}

/// A directory for a socket, gone with this.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Box<dyn Error>> {
        let folder = std::env::temp_dir().join(format!("sgperf-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a socket nobody listens on.
        let _ = fs::remove_dir_all(&self.0);
    }
}
