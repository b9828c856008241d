//! `sealgate run`: a gateway in the foreground.

use super::{CliError, print, show};
use crate::admin::{self, Admin};
use crate::api;
use crate::confine::confine;
use crate::gather::Gathered;
use crate::http::Server;
use crate::logging;
use crate::privilege;
use crate::report::{Board, What};
use crate::secrecy;
use crate::service;
use crate::supervise::{Condition, Gateway};
use sealgate_config::load_appliance_on;
use sealgate_config::model::Mode;
use sealgate_crypto::engine::hardware::DeviceState;
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::io::eal_args::Facts;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the main thread looks at signals and at the gateway.
const LOOK: Duration = Duration::from_millis(20);

/// Looks between two at what the service manager shows.
const STATUS: u32 = 25;

const MANUAL: &str = "\
The line \"sealgate ready: ...\" says that frames are forwarded from now on.
Ctrl-C or SIGTERM stops: nothing more is received, frames in hand get their verdict and leave within 2 seconds, then it \
prints what it counted and ends with status 0. A second signal ends it at once. On capture files (pcap:IN,OUT) it ends by \
itself when they have been read.
SIGHUP, or sealgate reload, reads policy, keys, certificates and revocation lists again while traffic goes on.
A fault inside never opens the way: the gateway stops, and with it the traffic.";

/// Arguments of `sealgate run`.
#[derive(Debug, clap::Args)]
#[command(after_help = MANUAL)]
pub struct Args {
    /// The appliance file; it names policy, trust directories, ports and the admin socket.
    config: PathBuf,
    /// Print the final counters to standard output as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
/// # Errors
/// Faults of the configuration (status 2); a machine that lacks something, or a gateway that broke (status 1).
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    logging::start();
    // Before there is a secret to dump.
    if let Err(error) = secrecy::forbid_dumps() {
        tracing::warn!("core dumps are not forbidden: {error}");
    }
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        tracing::warn!("a program that this one starts could gain privileges: {error}");
    }
    settle(&args.config)?;
    let now = i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX);
    let gathered = Gathered::read(&args.config, Some(&Facts::read().cpus), now)?;
    for warning in &gathered.warnings {
        tracing::warn!("{warning}");
    }
    let sealgate_config::Admin { socket, group, http, .. } = gathered.appliance.admin.clone();
    admin::check(&socket)?;
    let stop = signals()?;
    let hangup = hangup()?;
    let gateway = Gateway::start(&args.config, gathered)?;
    let admin = match Admin::open(&socket, group.as_deref(), gateway.board()) {
        Ok(admin) => admin,
        Err(error) => {
            gateway.stop(|_| ());
            return Err(error);
        }
    };
    let served = match http.map(|address| serve(address, &gateway)).transpose() {
        Ok(served) => served,
        Err(error) => {
            drop(admin);
            gateway.stop(|_| ());
            return Err(error);
        }
    };
    announce(&gateway, &socket);
    service::ready();
    let condition = watch(&gateway, &stop, &hangup);
    service::stopping();
    // Callers first: they hold the board, and with it the ports.
    drop((admin, served));
    let (document, stopped, complaint) = gateway.stop(|board| board.document(What::All, now_ms()));
    if stopped.late > 0 {
        tracing::warn!("{} worker(s) still held frames at the deadline; they were dropped", stopped.late);
    }
    print(&if args.json { format!("{document}\n") } else { show::summary(&document) });
    let broken = match condition {
        Condition::Broken(why) => Some(why),
        Condition::Forwarding | Condition::Finished => complaint,
    };
    match broken {
        Some(why) => Err(CliError::new(why, "the gateway stopped; nothing was let through because of this")),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Serves metrics and documents over HTTP.
fn serve(address: SocketAddr, gateway: &Gateway) -> Result<Server, CliError> {
    let server = api::serve(address, gateway.board()).map_err(|error| {
        CliError::new(format!("admin.http: {address}: {error}"), "give another port of this host, or leave it out")
    })?;
    tracing::info!("metrics at http://{}/metrics", server.address());
    Ok(server)
}

/// Makes directories for the user that this process will be, and confines it to the files of its configuration. Before there
/// is another thread: what is taken from this one is missing in all that it makes.
fn settle(config: &Path) -> Result<(), CliError> {
    // What is wrong with the file is said by whoever reads all of them.
    let Ok(appliance) = load_appliance_on(config, None) else { return Ok(()) };
    match privilege::account(&appliance)? {
        Some(account) => {
            for warning in account.prepare(&appliance, config)? {
                tracing::warn!("{warning}");
            }
        }
        None => {
            for (_, dir, mode) in privilege::written(&appliance) {
                // Whoever uses it says what is wrong with it.
                let _ = DirBuilder::new().recursive(true).mode(mode).create(dir);
            }
            if rustix::process::geteuid().is_root() {
                tracing::warn!("the gateway stays root: name a user in service, or start it as one");
            }
        }
    }
    tracing::info!("{}", confine(&appliance, config));
    Ok(())
}

/// A flag that the first SIGTERM or SIGINT raises; the second ends the process.
fn signals() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag down, and only raises it.
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| CliError::new(format!("cannot handle signals: {error}"), "see the system's limits"))?;
    }
    Ok(stop)
}

/// A flag that SIGHUP raises: whoever expects a reload must not stop the traffic instead.
fn hangup() -> Result<Arc<AtomicBool>, CliError> {
    let hangup = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, Arc::clone(&hangup))
        .map_err(|error| CliError::new(format!("cannot handle signals: {error}"), "see the system's limits"))?;
    Ok(hangup)
}

fn announce(gateway: &Gateway, socket: &Path) {
    let board = gateway.board();
    let devices: Vec<_> = board.ports.iter().map(|port| port.device.as_str()).collect();
    let workers = board.engine.workers().len();
    let crypto = board.engine.crypto();
    for choice in &crypto.engines {
        tracing::info!("{}: {}, {}", choice.alg, choice.engine, choice.why);
    }
    if let Some(device) = crypto.device.as_ref().filter(|device| device.state == DeviceState::Serving) {
        tracing::info!("crypto.device {}: {}, {} thread(s)", device.name, device.state.name(), device.serving);
    }
    let crypto = match crypto.threads {
        0 => "workers verify inline".to_owned(),
        threads => format!("{threads} crypto thread(s)"),
    };
    let snapshot = board.engine.snapshot();
    for peer in snapshot.peers.iter().skip(1).filter(|peer| peer.mode != Mode::Require) {
        tracing::warn!("peer {} needs no signature: its mode is {:?}", peer.name, peer.mode);
    }
    eprintln!(
        "sealgate ready: {}, {workers} worker(s), {crypto}, admin socket {}",
        devices.join(" <-> "),
        socket.display()
    );
}

/// Reads the files again, on a thread of its own: faults and alarms are looked at meanwhile.
fn reload(gateway: &Gateway) {
    let Some(reloader) = gateway.board().reloader.clone() else { return };
    let now = i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX);
    let thread = std::thread::Builder::new().name("reload".to_owned());
    let work = move || {
        service::reloading();
        crate::reload::log(&reloader.reload(now));
        service::ready();
    };
    if let Err(fault) = thread.spawn(work) {
        tracing::error!("reload: no thread for it: {fault}");
    }
}

/// How the gateway is, in a line.
fn status(board: &Board, workers: usize) -> String {
    let serial = board.repository.as_ref().and_then(|handle| handle.document().get("serial").and_then(Value::as_u64));
    let serial = serial.map(|serial| format!(", serial {serial}")).unwrap_or_default();
    format!("{}, {workers} worker(s){serial}", board.state())
}

/// Waits for a signal, the end of all input, or a fault.
fn watch(gateway: &Gateway, stop: &AtomicBool, hangup: &AtomicBool) -> Condition {
    let board = gateway.board();
    let (mut line, mut looks) = (String::new(), 0_u32);
    let mut watchdog = service::watchdog();
    let workers = board.engine.workers().len();
    loop {
        if looks.is_multiple_of(STATUS) {
            let now = status(&board, workers);
            if now != line {
                service::status(&now);
                line = now;
            }
        }
        if let Some(watchdog) = &mut watchdog
            && watchdog.is_due(Instant::now())
        {
            watchdog.beat(Instant::now(), &board.engine.workers());
        }
        looks = looks.wrapping_add(1);
        let condition = gateway.condition();
        if condition != Condition::Forwarding {
            board.observer.look();
            return condition;
        }
        if stop.load(Ordering::Relaxed) || board.stop_wished() {
            tracing::info!("stopping: what is in hand may still leave");
            return condition;
        }
        if hangup.swap(false, Ordering::Relaxed) {
            reload(gateway);
        }
        sleep(LOOK);
    }
}
