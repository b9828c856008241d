//! Crypto devices of this machine: DPDK's own in software, none of which may verify, and behind the same calls a driver that
//! reads operations as the header lays them out.

use super::super::Eal;
use super::found::{Refused, all};
use super::opened::{CryptoDevice, Session, Shared, sessions};
use crate::io::eal_args::{Facts, Request, plan};
use crate::io::sizing::Memory;
use aws_lc_rs::digest::{Digest, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use sealgate_config::model::{CryptoName, Hugepages};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::engine::hardware::{DeviceState, Done, Hardware, Life, Op, Source, Status};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Outcome, Pool, PoolConfig};
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::PublicKey;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// EAL, and one case at a time: they share its devices.
fn alone() -> (Eal, MutexGuard<'static, ()>) {
    static EAL: OnceLock<Eal> = OnceLock::new();
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let eal = *EAL.get_or_init(|| {
        let memory = Memory { huge_mb: 64, small_mb: 64 };
        let request = Request { main: None, hugepages: Hugepages::Off, pci: vec![], memory };
        Eal::init(&plan(&request, &Facts::read()).unwrap().args).unwrap()
    });
    (eal, alone)
}

fn open(eal: Eal, name: &str) -> Result<CryptoDevice, Refused> {
    CryptoDevice::open(eal, &name.parse().unwrap(), 1)
}

fn refusal(eal: Eal, name: &str) -> String {
    match open(eal, name) {
        Ok(_) => panic!("{name} was opened"),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn devices_in_software_are_refused_each_with_its_reason() {
    let (eal, _alone) = alone();
    assert_eq!(
        refusal(eal, "crypto_openssl"),
        "the driver crypto_openssl reports success for a signature over another message: it is never used to verify"
    );
    assert_eq!(refusal(eal, "crypto_null"), "crypto_null has no ECDSA verification (it has: nothing asymmetric)");
    let absent = refusal(eal, "0000:ff:1f.7");
    assert!(absent.starts_with("there is no crypto device 0000:ff:1f.7 (none is present)"), "{absent}");
    let unknown = refusal(eal, "crypto_nobody");
    assert!(unknown.starts_with("plugging the device in failed"), "{unknown}");
    assert_eq!(all(eal).len(), 0, "refused devices are unplugged");
}

/// Plugged in for as long as the value lives.
struct Plugged(&'static std::ffi::CStr);

impl Plugged {
    fn new(name: &'static std::ffi::CStr) -> Self {
        // SAFETY: EAL runs, the cases run one by one, the strings are copied.
        assert_eq!(unsafe { dpdk_sys::sg_hotplug(c"vdev".as_ptr(), name.as_ptr(), c"".as_ptr()) }, 0);
        Self(name)
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        // SAFETY: as above; the device was closed or never started.
        let _ = unsafe { dpdk_sys::sg_unplug(c"vdev".as_ptr(), self.0.as_ptr()) };
    }
}

#[test]
fn even_unjudged_openssl_takes_no_session_for_ecdsa() {
    let (eal, _alone) = alone();
    let plugged = Plugged::new(c"crypto_openssl");
    let found = all(eal).pop().unwrap();
    assert_eq!((found.name.as_str(), found.driver.as_str()), ("crypto_openssl", "crypto_openssl"));
    assert_eq!((found.algorithms.as_slice(), found.verifies), (&["rsa", "dh", "dsa", "modinv", "modex"][..], false));
    let refused = Shared::start(&found, "x", 1, sessions).err().map(|refused| refused.to_string());
    assert_eq!(refused.as_deref(), Some("making a session for ECDSA failed: the driver takes none"));
    drop(plugged);
}

/// `rte_crypto_param`.
#[repr(C)]
struct Param {
    data: *const u8,
    iova: u64,
    length: usize,
}

/// `rte_crypto_op` with what follows it: `rte_crypto_asym_op` with `rte_crypto_ecdsa_op_param`.
#[repr(C)]
struct Operation {
    kind: u8,
    status: u8,
    session_kind: u8,
    rest: [u8; 5],
    pool: *const c_void,
    address: u64,
    session: *const c_void,
    op_type: u32,
    private: Param,
    x: Param,
    y: Param,
    message: Param,
    nonce: Param,
    r: Param,
    s: Param,
}

/// `rte_crypto_fp_ops`: 64 octets, one for each device.
#[repr(C, align(64))]
struct Calls {
    enqueue: Burst,
    dequeue: Burst,
    rest: [usize; 6],
}

type Burst = extern "C" fn(*mut c_void, *mut *mut Operation, u16) -> u16;

unsafe extern "C" {
    static mut rte_crypto_fp_ops: [Calls; dpdk_sys::SG_MAX_CRYPTO as usize];
}

/// Operations that the driver below has, by address, and whether it keeps them.
struct Driver {
    has: VecDeque<usize>,
    keeps: bool,
}

static DRIVER: Mutex<Driver> = Mutex::new(Driver { has: VecDeque::new(), keeps: false });

fn driver() -> MutexGuard<'static, Driver> {
    DRIVER.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn enqueue(_: *mut c_void, ops: *mut *mut Operation, count: u16) -> u16 {
    // SAFETY: the caller gives `count` operations away.
    let ops = unsafe { std::slice::from_raw_parts(ops, usize::from(count)) };
    driver().has.extend(ops.iter().map(|op| *op as usize));
    count
}

extern "C" fn dequeue(_: *mut c_void, ops: *mut *mut Operation, count: u16) -> u16 {
    let mut driver = driver();
    if driver.keeps {
        return 0;
    }
    // SAFETY: the caller has room for `count`.
    let out = unsafe { std::slice::from_raw_parts_mut(ops, usize::from(count)) };
    let mut done = 0;
    for to in out {
        let Some(op) = driver.has.pop_front() else { break };
        *to = op as *mut Operation;
        // SAFETY: it came by `enqueue` and was not given back since.
        let op = unsafe { &mut **to };
        op.status = verify(op);
        done += 1;
    }
    done
}

/// What a driver does: reads numbers where the header says that they are.
fn verify(op: &Operation) -> u8 {
    const ASYMMETRIC: u8 = 2;
    const WITH_SESSION: u8 = 0;
    const VERIFY: u32 = 3;
    const SUCCESS: u8 = 0;
    const AUTH_FAILED: u8 = 2;
    const INVALID_ARGS: u8 = 4;
    assert_eq!((op.kind, op.status, op.session_kind, op.op_type), (ASYMMETRIC, 1, WITH_SESSION, VERIFY));
    assert!(op.private.data.is_null() && op.nonce.data.is_null() && op.rest == [0; 5]);
    let start = ptr::from_ref(op) as u64;
    let read = |param: &Param| {
        assert_eq!(param.iova - op.address, param.data as u64 - start, "both addresses are of one place");
        // SAFETY: the operation says that so many octets are there.
        unsafe { std::slice::from_raw_parts(param.data, param.length) }.to_vec()
    };
    let (x, y, digest) = (read(&op.x), read(&op.y), read(&op.message));
    let (r, s) = (read(&op.r), read(&op.s));
    assert!([&x, &y, &digest, &r, &s].iter().all(|number| number.len() == x.len()));
    let curve: (&EcdsaVerificationAlgorithm, _) = match x.len() {
        32 => (&ECDSA_P256_SHA256_FIXED, &SHA256),
        48 => (&ECDSA_P384_SHA384_FIXED, &SHA384),
        _ => return INVALID_ARGS,
    };
    let Ok(key) = ParsedPublicKey::new(curve.0, [&[4], &x[..], &y].concat()) else { return INVALID_ARGS };
    let Ok(digest) = Digest::import_less_safe(&digest, curve.1) else { return INVALID_ARGS };
    if key.verify_digest_sig(&digest, &[r, s].concat()).is_ok() { SUCCESS } else { AUTH_FAILED }
}

/// A device of which all but the driver is real.
fn stand_in(eal: Eal) -> CryptoDevice {
    let found = all(eal).pop().unwrap();
    let none = |_, _: &_| [Alg::P256, Alg::P384].map(|alg| Session { alg, raw: ptr::null_mut() }).to_vec();
    let device = CryptoDevice(Arc::new(Shared::start(&found, "stand-in", 1, none).unwrap()));
    take_over(&device);
    device
}

/// Starting a device makes its calls the driver's own.
fn take_over(device: &CryptoDevice) {
    driver().has.clear();
    driver().keeps = false;
    let number = usize::from(device.0.number);
    // SAFETY: the cases run one by one, and no burst is under way; the layout is that of the header.
    unsafe {
        let calls = &raw mut rte_crypto_fp_ops[number];
        (*calls).enqueue = enqueue;
        (*calls).dequeue = dequeue;
    }
}

#[test]
fn a_pool_verifies_through_the_library_and_a_driver_that_reads_as_the_header_says() {
    let (eal, _alone) = alone();
    let _plugged = Plugged::new(c"crypto_openssl");
    let device = stand_in(eal);
    let hardware = Hardware::new(Box::new(device));
    let (ring, own) = (KeyRing::new(), own(&ECDSA_P384_SHA384_FIXED_SIGNING));
    let mut out = [0; 256];
    let len = own.sign(b"m", &mut out).unwrap();
    let key = ring.install(&own.public()).unwrap();
    let config = PoolConfig { hardware: Some(hardware.clone()), base_window: 12, ..PoolConfig::default() };
    let (pool, mut clients) = Pool::start(config, 1, &ring).unwrap();
    let stats = hardware.stats();
    assert_eq!((stats.state, stats.why.as_str()), (DeviceState::Serving, ""), "its known answers are right");
    assert_eq!((stats.name.as_str(), stats.algs.len()), ("stand-in (crypto_openssl)", 2));
    let client = &mut clients[0];
    for ticket in 0..3000_u64 {
        let mut signature = out[..len].to_vec();
        signature[90] ^= u8::from(ticket % 2 == 1);
        client.verify(ticket, 0, &key, b"m", &signature).unwrap();
        client.flush();
        client.collect(&mut |outcome| {
            assert_eq!(matches!(outcome, Outcome::Verified(_)), outcome.ticket() % 2 == 0);
        });
    }
    let stats = hardware.stats();
    assert!(stats.answered > 1500 && stats.outs == 0, "{stats:?}");
    drop(clients);
    assert_eq!(pool.stop(), 0);
}

/// A fresh key to sign with.
fn own(alg: &'static EcdsaSigningAlgorithm) -> SigningKey {
    let der = EcdsaKeyPair::generate_pkcs8(alg, &aws_lc_rs::rand::SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8_der(der.as_ref()).unwrap()
}

/// A question that holds.
fn question() -> (PublicKey, [u8; 32], Vec<u8>) {
    let own = own(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let mut out = [0; 256];
    let len = own.sign(b"m", &mut out).unwrap();
    (own.public(), sealgate_crypto::verify::sha256(b"m"), out[..len].to_vec())
}

#[test]
fn an_operation_on_its_way_is_not_written_to_and_a_restart_ends_it() {
    let (eal, _alone) = alone();
    let _plugged = Plugged::new(c"crypto_openssl");
    let device = stand_in(eal);
    let mut queue = device.queue().unwrap();
    assert!(device.queue().is_none(), "one queue for one thread");
    let (key, digest, signature) = question();
    let op = |place, cookie| Op {
        place,
        cookie,
        alg: Alg::P256,
        point: &key.bits()[1..],
        digest: &digest,
        signature: &signature,
    };
    driver().keeps = true;
    assert_eq!(queue.enqueue(&[op(0, 10), op(1, 11)]), 2);
    // Taken up to the first whose place is on its way, or is none.
    assert_eq!((queue.enqueue(&[op(2, 12), op(1, 13), op(3, 14)]), queue.enqueue(&[op(128, 15)])), (1, 0));
    let mut done = [Done::default(); 64];
    assert_eq!(queue.dequeue(&mut done), 0);
    driver().keeps = false;
    assert_eq!(queue.dequeue(&mut done[..2]), 2);
    assert_eq!(done[..2], [10, 11].map(|cookie| Done { cookie, status: Status::Success }));
    // A queue that is given back with something on its way is not given out before a restart.
    drop(queue);
    assert!(device.queue().is_none());
    device.tend();
    assert!(device.queue().is_none(), "nobody asked for a restart");
    device.0.restart();
    let mut queue = device.queue().unwrap();
    assert_eq!(queue.life(), Life { epoch: 1, is_up: true });
    take_over(&device);
    assert_eq!(queue.dequeue(&mut done), 0);
    assert_eq!(queue.enqueue(&[op(2, 20)]), 1);
    assert_eq!((queue.dequeue(&mut done), done[0].cookie), (1, 20));
    // Asked for, of this life only.
    queue.restart(0);
    device.tend();
    assert_eq!(queue.life().epoch, 1);
    queue.restart(1);
    device.tend();
    assert_eq!(queue.life(), Life { epoch: 2, is_up: true });
    // While somebody is at the gate, nothing is taken and nobody waits.
    take_over(&device);
    let closed = device.0.gate.write().unwrap();
    assert_eq!((queue.enqueue(&[op(0, 30)]), queue.dequeue(&mut done)), (0, 0));
    drop(closed);
    assert_eq!(queue.enqueue(&[op(0, 30)]), 1);
}

#[test]
fn a_name_is_a_card_or_a_device_of_dpdks() {
    assert!(matches!("0000:3d:01.0".parse(), Ok(CryptoName::Pci(_))));
    assert!(matches!("crypto_openssl".parse(), Ok(CryptoName::Virtual(_))));
    for bad in ["", "crypto_", "qat", "crypto_a,b=c", "crypto_\0", "0000:3d:01"] {
        assert!(bad.parse::<CryptoName>().is_err(), "{bad:?}");
    }
}
