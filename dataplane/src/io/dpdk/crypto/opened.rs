//! A crypto device that was configured and started: its queues, its sessions, its restarts.

use super::super::{Eal, control, errno_text};
use super::found::{Found, Refused, all, choose, present};
use super::queue::{CryptoQueue, Lane};
use dpdk_sys::{SG_CURVE_P256, SG_CURVE_P384};
use sealgate_config::model::CryptoName;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::engine::hardware::{Device, Source};
use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Operations of a queue: two rounds of the pool.
pub(super) const PLACES: u16 = 128;

/// Descriptors of a queue; drivers want a power of two, and QAT no fewer than 128.
const DESCRIPTORS: u32 = 512;

/// What drivers log each forged signature under, by a system call of the thread that verifies.
const CHATTER: [&CStr; 1] = [c"pmd.qat.dp"];

/// The curves that are tried; whether the device knows them shows when its session is made.
const CURVES: [(Alg, u16); 2] = [(Alg::P256, SG_CURVE_P256), (Alg::P384, SG_CURVE_P384)];

/// A pool of DPDK's. Freed with this.
#[derive(Debug)]
pub(super) struct Pool(pub(super) NonNull<c_void>);

// SAFETY: a mempool may be used by any thread, and this handle only keeps it.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: the pool came from DPDK, nobody else frees it, and what was taken from it is not used any more: the device
        // is closed before its pools are dropped (see `Shared`).
        unsafe { dpdk_sys::sg_pool_free(self.0.as_ptr()) }
    }
}

/// A session. It says nothing but the curve, so all queues of its device may use it at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) alg: Alg,
    pub(super) raw: *mut c_void,
}

// SAFETY: a session is only read once it is made, and is freed with `Shared`, when no queue is left.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

/// What a device and its queues have in common.
pub(super) struct Shared {
    pub(super) number: u8,
    name: String,
    queues: u16,
    pub(super) sessions: Vec<Session>,
    /// Open for bursts, closed by who restarts the device.
    pub(super) gate: RwLock<()>,
    pub(super) up: AtomicBool,
    pub(super) epoch: AtomicU64,
    /// The life whose end is wanted, plus 1.
    pub(super) wanted: AtomicU64,
    /// Queues that nobody has.
    pub(super) lanes: Mutex<Vec<Lane>>,
    /// Dropped last, with the lanes' own.
    _sessions_pool: Option<Pool>,
}

/// A device opened for verification.
pub struct CryptoDevice(pub(super) Arc<Shared>);

impl CryptoDevice {
    /// Finds the device, judges it, and starts it with a queue for each of `threads`, or as many as it has.
    ///
    /// A PCI device must be among those that EAL was started with; a virtual one is plugged in here.
    /// # Errors
    /// [`Refused`]; the device is then left as it was.
    pub fn open(eal: Eal, name: &CryptoName, threads: usize) -> Result<Self, Refused> {
        let text = name.to_string();
        let plugged = match name {
            CryptoName::Virtual(_) if !all(eal).iter().any(|found| found.name == text) => Some(Plugged::new(&text)?),
            CryptoName::Virtual(_) | CryptoName::Pci(_) => None,
        };
        let found = choose(&all(eal), &text, || present(eal))?;
        let quiet = control();
        for name in CHATTER {
            // SAFETY: EAL runs, one thread at a time is here, the string is copied. A name that nobody has changes nothing.
            let _ = unsafe { dpdk_sys::sg_crypto_quiet(name.as_ptr()) };
        }
        drop(quiet);
        let shared = Shared::start(&found, &text, u16::try_from(threads).unwrap_or(u16::MAX), sessions)?;
        if let Some(plugged) = plugged {
            plugged.stay();
        }
        Ok(Self(Arc::new(shared)))
    }
}

impl Source for CryptoDevice {
    fn name(&self) -> String {
        self.0.name.clone()
    }

    fn algs(&self) -> Vec<Alg> {
        self.0.sessions.iter().map(|session| session.alg).collect()
    }

    fn queue(&self) -> Option<Box<dyn Device>> {
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        // What was on its way when a lane was given back may still come; after a restart it does not.
        let epoch = self.0.epoch.load(Ordering::Acquire);
        let place = lanes.iter().position(|lane| lane.is_idle_in(epoch))?;
        let lane = lanes.swap_remove(place);
        drop(lanes);
        Some(Box::new(CryptoQueue::new(Arc::clone(&self.0), lane)))
    }

    fn tend(&self) {
        if self.0.wanted.load(Ordering::Acquire) == self.0.epoch.load(Ordering::Acquire) + 1 {
            self.0.restart();
        }
    }
}

/// A virtual device that goes again unless it is told to stay.
struct Plugged(Option<CString>);

impl Plugged {
    fn new(name: &str) -> Result<Self, Refused> {
        let absent = |text| Refused::Step { step: "plugging the device in", text };
        let name = CString::new(name).map_err(|_| absent("a zero octet in its name".to_owned()))?;
        let _control = control();
        // SAFETY: EAL runs (the caller has an Eal), one thread at a time is here (control), the strings are copied.
        let code = unsafe { dpdk_sys::sg_hotplug(c"vdev".as_ptr(), name.as_ptr(), c"".as_ptr()) };
        if code < 0 { Err(absent(errno_text(code))) } else { Ok(Self(Some(name))) }
    }

    fn stay(mut self) {
        self.0 = None;
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        if let Some(name) = &self.0 {
            let _control = control();
            // SAFETY: as in `new`; the device is not in use: `open` did not come to its end.
            let _ = unsafe { dpdk_sys::sg_unplug(c"vdev".as_ptr(), name.as_ptr()) };
        }
    }
}

/// DPDK's own answer to a step.
fn step(step: &'static str, code: i32) -> Result<(), Refused> {
    if code < 0 { Err(Refused::Step { step, text: errno_text(code) }) } else { Ok(()) }
}

impl Shared {
    /// Configures and starts a device that was judged.
    ///
    /// * `sessions`: makes them, for the device of this number and from this pool
    pub(super) fn start(
        found: &Found,
        name: &str,
        threads: u16,
        sessions: impl FnOnce(u8, &Pool) -> Vec<Session>,
    ) -> Result<Self, Refused> {
        let (number, queues) = (found.number, threads.clamp(1, found.max_queues.max(1)));
        let mut shared = Self {
            number,
            name: if name == found.driver { name.to_owned() } else { format!("{name} ({})", found.driver) },
            queues,
            sessions: Vec::new(),
            gate: RwLock::new(()),
            up: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            lanes: Mutex::default(),
            _sessions_pool: None,
        };
        // Given back before `shared`, whose drop takes it as well.
        let _control = control();
        // SAFETY: EAL runs, the device is there and not started, one thread at a time is here.
        step("configuring the device", unsafe { dpdk_sys::sg_crypto_configure(number, queues) })?;
        let pool = session_pool(found)?;
        shared.sessions = sessions(number, &pool);
        shared._sessions_pool = Some(pool);
        if shared.sessions.is_empty() {
            return Err(Refused::Step { step: "making a session for ECDSA", text: "the driver takes none".to_owned() });
        }
        for queue in 0..queues {
            let lane = Lane::new(number, queue, found.socket)?;
            shared.lanes.get_mut().unwrap_or_else(PoisonError::into_inner).push(lane);
        }
        shared.set_up()?;
        shared.up.store(true, Ordering::Release);
        Ok(shared)
    }

    /// Makes the queues of the stopped device, anew if need be, and starts it.
    fn set_up(&self) -> Result<(), Refused> {
        for queue in 0..self.queues {
            // SAFETY: the device is configured with so many queues and is not started.
            step("setting up a queue", unsafe { dpdk_sys::sg_crypto_queue(self.number, queue, DESCRIPTORS) })?;
        }
        // SAFETY: all queues are set up.
        step("starting the device", unsafe { dpdk_sys::sg_crypto_start(self.number) })
    }

    /// Stops the device, makes its queues anew and starts it. Waits for bursts under way, which are short.
    pub(super) fn restart(&self) {
        let _closed = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let _control = control();
        self.up.store(false, Ordering::Release);
        // SAFETY: no burst is under way: each holds the gate. Stopping a stopped device is a message and no more.
        unsafe { dpdk_sys::sg_crypto_stop(self.number) }
        if self.set_up().is_ok() {
            self.epoch.fetch_add(1, Ordering::AcqRel);
            self.up.store(true, Ordering::Release);
        }
        // Asked once, answered once: who wants another try asks again.
        self.wanted.store(0, Ordering::Release);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _control = control();
        // SAFETY: no queue is left (each keeps an Arc), so no burst is under way, and no operation uses a session once the
        // device is stopped. Closing comes before the pools go, which are fields and dropped after this.
        unsafe {
            dpdk_sys::sg_crypto_stop(self.number);
            for session in self.sessions.iter().filter(|session| !session.raw.is_null()) {
                let _ = dpdk_sys::sg_crypto_session_free(self.number, session.raw);
            }
            let _ = dpdk_sys::sg_crypto_close(self.number);
        }
    }
}

fn session_pool(found: &Found) -> Result<Pool, Refused> {
    let name = pool_name("ses");
    // SAFETY: EAL runs; the name is copied.
    let raw = unsafe { dpdk_sys::sg_crypto_session_pool(name.as_ptr(), CURVES.len() as u32, found.socket) };
    pool(raw, "making a pool of sessions")
}

/// What DPDK made, or why it did not.
pub(super) fn pool(raw: *mut c_void, step: &'static str) -> Result<Pool, Refused> {
    // SAFETY: rte_errno is a variable of this thread.
    let refused = || Refused::Step { step, text: errno_text(unsafe { dpdk_sys::sg_errno() }) };
    NonNull::new(raw).map(Pool).ok_or_else(refused)
}

/// A name that no pool had before.
pub(super) fn pool_name(kind: &str) -> CString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    CString::new(format!("sg_crypto_{kind}_{number}")).unwrap_or_default()
}

/// A session for each curve that the driver takes.
pub(super) fn sessions(number: u8, pool: &Pool) -> Vec<Session> {
    CURVES.iter().filter_map(|curve| session(number, *curve, pool)).collect()
}

/// `None` where the driver does not take the curve.
fn session(number: u8, (alg, curve): (Alg, u16), pool: &Pool) -> Option<Session> {
    let mut raw = ptr::null_mut();
    // SAFETY: the device is configured, the pool is one of sessions with room for one of each curve; on success the session
    // is written to `raw`.
    let code = unsafe { dpdk_sys::sg_crypto_session(number, curve, pool.0.as_ptr(), &raw mut raw) };
    (code == 0 && !raw.is_null()).then_some(Session { alg, raw })
}
