//! DPDK's environment layer: started once, never stopped.

use super::{control, errno_text};
use std::ffi::{CString, c_char, c_int};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

/// Proof that EAL runs.
///
/// It cannot be stopped: nothing that DPDK gave out would outlive that, and with the arguments that we start it with, the
/// system takes back everything when the process ends.
#[derive(Clone, Copy, Debug)]
pub struct Eal(());

/// EAL did not start, or does not take another thread.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EalError {
    /// EAL starts once in a process, and not again after a failure.
    #[error("EAL was started before; it starts once in a process")]
    Again,
    /// An argument with a zero octet.
    #[error("EAL argument {0:?} has a zero octet in it")]
    Argument(String),
    /// EAL refused to start. Its own messages are on standard error.
    #[error("EAL did not start with `{args}`: {text}{hint}")]
    Start {
        /// The arguments.
        args: String,
        /// What the error number means.
        text: String,
        /// What to look at.
        hint: &'static str,
    },
    /// EAL has no number left for another thread.
    #[error("EAL does not take another thread: {0}")]
    Thread(String),
}

/// Where to look when EAL does not start with this errno.
fn hint(code: i32) -> &'static str {
    match code {
        1 | 13 => "; huge pages and PCI devices need root or access rights",
        12 => "; too little memory: see memory.mbufs, or reserve huge pages with sysctl vm.nr_hugepages",
        19 | 2 => "; a driver or device is missing",
        22 => "; an argument is not understood, or two of them do not go together",
        _ => "",
    }
}

impl Eal {
    /// Starts EAL on this thread, which becomes its main lcore and is put on the cores of `--lcores`.
    ///
    /// Threads made after that inherit these cores: a worker must set its own.
    ///
    /// * `args`: those of [`Plan`](super::super::eal_args::Plan), without the program's name.
    /// # Errors
    /// [`EalError`]; after [`EalError::Start`] there is no second try in this process.
    pub fn init(args: &[String]) -> Result<Self, EalError> {
        static TRIED: AtomicBool = AtomicBool::new(false);
        let strings = std::iter::once("sealgate")
            .chain(args.iter().map(String::as_str))
            .map(|arg| CString::new(arg).map_err(|_| EalError::Argument(arg.to_owned())))
            .collect::<Result<Vec<_>, _>>()?;
        if TRIED.swap(true, Ordering::AcqRel) {
            return Err(EalError::Again);
        }
        // EAL keeps pointers into its arguments, so they are never freed; this happens once.
        let mut argv: Vec<*mut c_char> = strings.into_iter().map(CString::into_raw).collect();
        let argc = c_int::try_from(argv.len()).map_err(|_| EalError::Again)?;
        argv.push(std::ptr::null_mut());
        let argv = argv.leak();
        let _control = control();
        // SAFETY: rte_eal_init is called once in the process (TRIED), with argc strings and a null behind them, all of
        // which live and stay in place for ever.
        let code = unsafe { dpdk_sys::sg_eal_init(argc, argv.as_mut_ptr()) };
        if code < 0 {
            let code = code.wrapping_neg();
            return Err(EalError::Start { args: args.join(" "), text: errno_text(code), hint: hint(code) });
        }
        Ok(Self(()))
    }

    /// Makes this thread known to EAL, which gives it a cache of every pool: about a third fewer cycles for a frame.
    ///
    /// A thread that EAL knows already stays as it is.
    /// # Errors
    /// [`EalError::Thread`] when EAL has no number left.
    pub fn register_thread(self) -> Result<Registered, EalError> {
        // SAFETY: EAL runs (self). rte_lcore_id reads a variable of this thread.
        if unsafe { dpdk_sys::sg_lcore_id() } != dpdk_sys::SG_LCORE_ANY {
            return Ok(Registered { ours: false, _thread: PhantomData });
        }
        let _control = control();
        // SAFETY: EAL runs (self), and this thread is not registered.
        match unsafe { dpdk_sys::sg_thread_register() } {
            0 => Ok(Registered { ours: true, _thread: PhantomData }),
            code => Err(EalError::Thread(errno_text(code))),
        }
    }

    /// Time stamp counter of this core; it costs a few nanoseconds and no system call.
    pub fn tsc(self) -> u64 {
        // SAFETY: reads a register.
        unsafe { dpdk_sys::sg_tsc() }
    }

    /// Ticks of [`tsc`](Self::tsc) in a second.
    pub fn tsc_hz(self) -> u64 {
        // SAFETY: EAL runs (self) and has measured it.
        unsafe { dpdk_sys::sg_tsc_hz() }
    }
}

/// A thread is known to EAL as long as this lives. It stays on its thread.
#[derive(Debug)]
pub struct Registered {
    ours: bool,
    _thread: PhantomData<*mut ()>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if self.ours {
            let _control = control();
            // SAFETY: this thread registered and has not unregistered: the value cannot leave its thread (not Send).
            unsafe { dpdk_sys::sg_thread_unregister() }
        }
    }
}
