//! Both ports of an appliance, from EAL's arguments to queues.

use sealgate_config::model::Appliance;

use super::{Eal, EalError, Mempool, PoolError, Port, PortError, Queue};
use crate::io::eal_args::{Facts, Impossible, Plan, Request, plan};
use crate::io::sizing::Sizing;

/// EAL, and what it gave.
pub struct Opened {
    /// Proof that EAL runs; workers register with it.
    pub eal: Eal,
    /// How EAL was started, with what the operator should know of it.
    pub plan: Plan,
    /// Interconnect and home. They close when these and all queues are gone.
    pub ports: [Port; 2],
    /// For each worker its queue of both ports.
    pub queues: Vec<[Queue; 2]>,
}

/// Why the ports do not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// More workers than a port can have queues.
    #[error("cores.workers: more workers than a port has queues")]
    Workers,
    /// The machine lacks what is configured.
    #[error(transparent)]
    Plan(#[from] Impossible),
    /// EAL does not start.
    #[error(transparent)]
    Eal(#[from] EalError),
    /// No memory for packets.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A device refuses.
    #[error("ports.{side}.device: {error}")]
    Port {
        /// Which port.
        side: &'static str,
        /// What it says.
        error: PortError,
    },
}

/// Starts EAL on this thread, makes the pool of packet buffers and opens both ports with a queue for each worker.
///
/// * `parked`: frames that all workers together may hold back
/// # Errors
/// [`OpenError`]; EAL starts once in a process, so there is no second try in this one.
pub fn open(appliance: &Appliance, parked: usize) -> Result<Opened, OpenError> {
    let (interconnect, home) = (&appliance.ports.interconnect, &appliance.ports.home);
    let workers = appliance.cores.workers.len();
    let most = u16::try_from(workers).map_err(|_| OpenError::Workers)?;
    let sizing =
        Sizing::of(&[interconnect, home], workers, parked, appliance.memory.mbufs).holding(appliance.memory.buffer);
    let plan = plan(&Request::of(appliance, sizing.memory(1)), &Facts::read())?;
    let eal = Eal::init(&plan.args)?;
    let pool = Mempool::create(eal, sizing, None)?;
    let side = |side, port| Port::open(eal, port, most, &pool).map_err(|error| OpenError::Port { side, error });
    let (one, first) = side("interconnect", interconnect)?;
    let (two, second) = side("home", home)?;
    let queues = first.into_iter().zip(second).map(|(one, two)| [one, two]).collect();
    Ok(Opened { eal, plan, ports: [one, two], queues })
}
