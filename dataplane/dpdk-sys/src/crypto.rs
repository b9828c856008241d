//! The part of the contract for crypto devices that verify.
//!
//! # Safety
//! Beside the common rules: a device is configured, its queues are set up and it is started in this order; bursts happen
//! between start and stop. An operation belongs to the caller until it is taken by [`sg_crypto_enqueue`], and again once
//! [`sg_crypto_dequeue`] has given it back, or once its queue was set up anew.

use std::ffi::{c_char, c_int, c_void};

/// Most devices (`RTE_CRYPTO_MAX_DEVS`); numbers are below that.
pub const SG_MAX_CRYPTO: u8 = 64;
/// Octets of the longest number of a curve.
pub const SG_CURVE_OCTETS: usize = 48;
/// The curve P-256 (`RTE_CRYPTO_EC_GROUP_SECP256R1`).
pub const SG_CURVE_P256: u16 = 23;
/// The curve P-384 (`RTE_CRYPTO_EC_GROUP_SECP384R1`).
pub const SG_CURVE_P384: u16 = 24;
/// First bit of [`sg_crypto_info::asym`] (`RTE_CRYPTO_ASYM_XFORM_RSA`); those that follow are DH, DSA, MODINV, MODEX, ECDSA,
/// ECDH, ECPM and ECFPM.
pub const SG_ASYM_RSA: u32 = 2;
/// The operation ended well: the signature holds.
pub const SG_STATUS_SUCCESS: i32 = 0;
/// The operation was not begun.
pub const SG_STATUS_NOT_PROCESSED: i32 = 1;
/// The signature does not hold.
pub const SG_STATUS_AUTH_FAILED: i32 = 2;
/// The session is not one of the device.
pub const SG_STATUS_INVALID_SESSION: i32 = 3;
/// The arguments are not valid.
pub const SG_STATUS_INVALID_ARGS: i32 = 4;
/// Any other fault.
pub const SG_STATUS_ERROR: i32 = 5;

/// A crypto device, cut down to what is asked of it. Texts end with a zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sg_crypto_info {
    /// Asymmetric algorithms, a bit each: `RTE_CRYPTO_ASYM_XFORM_*`.
    pub asym: u32,
    /// NUMA node, -1 unknown.
    pub socket: i32,
    /// Most queues.
    pub max_queues: u16,
    /// 1: ECDSA with verification.
    pub verifies: u8,
    /// Name of the crypto device.
    pub name: [c_char; 64],
    /// Name of the device on its bus: a PCI address.
    pub device: [c_char; 64],
    /// Name of the driver.
    pub driver: [c_char; 64],
}

/// An operation that came back.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct sg_crypto_done {
    /// As given to [`sg_crypto_verify`].
    pub cookie: u64,
    /// As given to [`sg_crypto_verify`].
    pub place: u32,
    /// `SG_STATUS_*`.
    pub status: i32,
}

unsafe extern "C" {
    /// `rte_cryptodev_info_get` and what belongs to it. `-ENODEV`: there is no device of this number.
    pub fn sg_crypto_info(dev: u8, info: *mut sg_crypto_info) -> c_int;
    /// `rte_log_set_level_pattern`: lets what logs under this name say critical things only.
    pub fn sg_crypto_quiet(kind: *const c_char) -> c_int;
    /// `rte_cryptodev_configure`, asymmetric operations only.
    pub fn sg_crypto_configure(dev: u8, queues: u16) -> c_int;
    /// `rte_cryptodev_queue_pair_setup`. The device is stopped; a queue that was set up before is made anew.
    pub fn sg_crypto_queue(dev: u8, queue: u16, descriptors: u32) -> c_int;
    /// `rte_cryptodev_start`.
    pub fn sg_crypto_start(dev: u8) -> c_int;
    /// `rte_cryptodev_stop`.
    pub fn sg_crypto_stop(dev: u8);
    /// `rte_cryptodev_close`, of a stopped device.
    pub fn sg_crypto_close(dev: u8) -> c_int;
    /// `rte_cryptodev_asym_session_pool_create`. Null: see [`sg_errno`](crate::sg_errno). For all devices that are there;
    /// freed by [`sg_pool_free`](crate::sg_pool_free).
    pub fn sg_crypto_session_pool(name: *const c_char, count: u32, socket: c_int) -> *mut c_void;
    /// `rte_cryptodev_asym_session_create` for ECDSA on this curve.
    pub fn sg_crypto_session(dev: u8, curve: u16, pool: *mut c_void, session: *mut *mut c_void) -> c_int;
    /// `rte_cryptodev_asym_session_free`. No operation on its way uses it.
    pub fn sg_crypto_session_free(dev: u8, session: *mut c_void) -> c_int;
    /// A pool of `count` operations, all of which are written to `ops` and belong to the caller. Null: see
    /// [`sg_errno`](crate::sg_errno). Freed by [`sg_pool_free`](crate::sg_pool_free).
    pub fn sg_crypto_ops(name: *const c_char, count: u16, socket: c_int, ops: *mut *mut c_void) -> *mut c_void;
    /// Makes `op` a verification. `point` is x then y, `signature` r then s, big-endian; each of these numbers and `digest`
    /// have `len` octets, at most [`SG_CURVE_OCTETS`]. All are copied.
    pub fn sg_crypto_verify(
        op: *mut c_void,
        place: u32,
        cookie: u64,
        session: *mut c_void,
        point: *const u8,
        digest: *const u8,
        signature: *const u8,
        len: u32,
    ) -> c_int;
    /// `rte_cryptodev_enqueue_burst`: from the front; returns how many were taken, and those belong to the device.
    pub fn sg_crypto_enqueue(dev: u8, queue: u16, ops: *mut *mut c_void, count: u16) -> u16;
    /// `rte_cryptodev_dequeue_burst` of at most [`SG_BURST`](crate::SG_BURST); writes and returns how many.
    pub fn sg_crypto_dequeue(dev: u8, queue: u16, done: *mut sg_crypto_done, max: u16) -> u16;
}
