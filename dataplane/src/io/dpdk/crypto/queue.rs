//! One queue of a crypto device.

use super::found::Refused;
use super::opened::{PLACES, Pool, Shared, pool, pool_name};
use dpdk_sys::{SG_BURST, sg_crypto_done};
use sealgate_crypto::engine::hardware::{Device, Done, Life, Op, Status};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// A queue's operations, which of them are on their way, and in which life of the device that was so.
pub(super) struct Lane {
    queue: u16,
    /// One for each place; null where there is none.
    ops: Box<[*mut c_void]>,
    busy: Box<[bool]>,
    out: usize,
    epoch: u64,
    /// Where the operations are.
    _pool: Pool,
}

// SAFETY: the operations belong to this value alone, but for those on their way, which it does not touch.
unsafe impl Send for Lane {}

impl Lane {
    /// EAL runs, and the caller holds the lock of `control`.
    pub(super) fn new(device: u8, queue: u16, socket: i32) -> Result<Self, Refused> {
        let mut ops = vec![ptr::null_mut(); usize::from(PLACES)].into_boxed_slice();
        let name = pool_name(&format!("{device}_{queue}"));
        // SAFETY: EAL runs; the name is copied; there is room for PLACES pointers.
        let raw = unsafe { dpdk_sys::sg_crypto_ops(name.as_ptr(), PLACES, socket, ops.as_mut_ptr()) };
        let pool = pool(raw, "making a pool of operations")?;
        Ok(Self { queue, busy: vec![false; ops.len()].into(), ops, out: 0, epoch: 0, _pool: pool })
    }

    /// Whether nothing is on its way in this life of the device.
    pub(super) fn is_idle_in(&self, epoch: u64) -> bool {
        self.out == 0 || self.epoch != epoch
    }
}

/// A queue that a thread has. Given back when it is dropped.
pub(super) struct CryptoQueue {
    shared: Arc<Shared>,
    /// Always there, until it is given back.
    lane: Option<Lane>,
    since: Instant,
}

impl CryptoQueue {
    pub(super) fn new(shared: Arc<Shared>, lane: Lane) -> Self {
        Self { shared, lane: Some(lane), since: Instant::now() }
    }
}

impl Drop for CryptoQueue {
    fn drop(&mut self) {
        self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner).extend(self.lane.take());
    }
}

impl Device for CryptoQueue {
    fn places(&self) -> usize {
        self.lane.as_ref().map_or(0, |lane| lane.ops.len())
    }

    fn enqueue(&mut self, ops: &[Op<'_>]) -> usize {
        let (shared, Some(lane)) = (&self.shared, self.lane.as_mut()) else { return 0 };
        // Never waits: while somebody restarts the device it takes nothing.
        let Ok(_open) = shared.gate.try_read() else { return 0 };
        if !shared.up.load(Ordering::Acquire) {
            return 0;
        }
        let epoch = shared.epoch.load(Ordering::Acquire);
        if lane.epoch != epoch {
            // What was on its way in an earlier life is not any more.
            lane.busy.fill(false);
            (lane.epoch, lane.out) = (epoch, 0);
        }
        let mut raw = [ptr::null_mut(); SG_BURST];
        let mut count = 0;
        for (op, to) in ops.iter().zip(&mut raw) {
            let place = usize::from(op.place);
            let idle = lane.busy.get(place) == Some(&false);
            let Some(&operation) = lane.ops.get(place).filter(|operation| idle && !operation.is_null()) else { break };
            let Some(session) = shared.sessions.iter().find(|session| session.alg == op.alg) else { break };
            let len = op.digest.len();
            if op.point.len() != 2 * len || op.signature.len() != 2 * len {
                break;
            }
            let Ok(octets) = u32::try_from(len) else { break };
            // SAFETY: the operation is ours and not on its way; the session is one of this device; the slices have the
            // lengths that the shim reads, and it refuses more than an operation has room for.
            let code = unsafe {
                dpdk_sys::sg_crypto_verify(
                    operation,
                    op.place.into(),
                    op.cookie,
                    session.raw,
                    op.point.as_ptr(),
                    op.digest.as_ptr(),
                    op.signature.as_ptr(),
                    octets,
                )
            };
            if code < 0 {
                break;
            }
            *to = operation;
            count += 1;
        }
        // SAFETY: the device is started and stays so while the gate is held; this queue is ours alone; the first `count`
        // operations are made and none is on its way.
        let taken = unsafe { dpdk_sys::sg_crypto_enqueue(shared.number, lane.queue, raw.as_mut_ptr(), count) };
        let taken = usize::from(taken).min(usize::from(count));
        for op in ops.iter().take(taken) {
            if let Some(busy) = lane.busy.get_mut(usize::from(op.place)) {
                *busy = true;
                lane.out += 1;
            }
        }
        taken
    }

    fn dequeue(&mut self, done: &mut [Done]) -> usize {
        let (shared, Some(lane)) = (&self.shared, self.lane.as_mut()) else { return 0 };
        let Ok(_open) = shared.gate.try_read() else { return 0 };
        // In another life than that in which it was last written to, nothing of this queue is on its way.
        if !shared.up.load(Ordering::Acquire) || lane.epoch != shared.epoch.load(Ordering::Acquire) {
            return 0;
        }
        let mut raw = [sg_crypto_done::default(); SG_BURST];
        let most = u16::try_from(done.len().min(SG_BURST)).unwrap_or(0);
        // SAFETY: as in `enqueue`; there is room for `most`, and only operations of ours come back in our queue.
        let got = unsafe { dpdk_sys::sg_crypto_dequeue(shared.number, lane.queue, raw.as_mut_ptr(), most) };
        let got = usize::from(got.min(most));
        for (to, from) in done.iter_mut().zip(&raw).take(got) {
            *to = Done { cookie: from.cookie, status: status(from.status) };
            let busy = usize::try_from(from.place).ok().and_then(|place| lane.busy.get_mut(place));
            if let Some(busy) = busy.filter(|busy| **busy) {
                *busy = false;
                lane.out -= 1;
            }
        }
        got
    }

    fn life(&self) -> Life {
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        Life { epoch, is_up: self.shared.up.load(Ordering::Acquire) }
    }

    fn restart(&mut self, epoch: u64) {
        self.shared.wanted.store(epoch + 1, Ordering::Release);
    }

    fn now(&mut self) -> Duration {
        self.since.elapsed()
    }
}

/// `rte_crypto_op_status` as the pool knows it.
fn status(code: i32) -> Status {
    match code {
        dpdk_sys::SG_STATUS_SUCCESS => Status::Success,
        dpdk_sys::SG_STATUS_NOT_PROCESSED => Status::NotProcessed,
        dpdk_sys::SG_STATUS_AUTH_FAILED => Status::AuthFailed,
        dpdk_sys::SG_STATUS_INVALID_SESSION => Status::InvalidSession,
        dpdk_sys::SG_STATUS_INVALID_ARGS => Status::InvalidArgs,
        dpdk_sys::SG_STATUS_ERROR => Status::Error,
        _ => Status::Unknown,
    }
}
