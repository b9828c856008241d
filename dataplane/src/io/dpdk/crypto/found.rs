//! Which crypto devices there are, and which of them may verify.

use super::super::Eal;
use dpdk_sys::{SG_ASYM_RSA, SG_MAX_CRYPTO};
use std::ffi::c_char;
use std::mem::MaybeUninit;

/// Names of a device's asymmetric algorithms, from the bit of RSA on.
const ALGORITHMS: [&str; 9] = ["rsa", "dh", "dsa", "modinv", "modex", "ecdsa", "ecdh", "ecpm", "ecfpm"];

/// Drivers that call a signature good that is not: never used, whatever they say they can do.
const LIARS: [&str; 1] = ["crypto_openssl"];

/// A crypto device that EAL knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u8,
    pub(super) name: String,
    /// On its bus.
    pub(super) device: String,
    pub(super) driver: String,
    pub(super) algorithms: Vec<&'static str>,
    pub(super) verifies: bool,
    pub(super) max_queues: u16,
    pub(super) socket: i32,
}

/// Why a device is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such device.
    #[error(
        "there is no crypto device {name} ({present}); is it bound to vfio-pci (dpdk-devbind.py --status-dev crypto)?"
    )]
    Absent {
        /// The device as configured.
        name: String,
        /// Those that are there.
        present: String,
    },
    /// A driver known to call a signature good that is not.
    #[error("the driver {0} reports success for a signature over another message: it is never used to verify")]
    Liar(String),
    /// It does not verify ECDSA.
    #[error("{driver} has no ECDSA verification (it has: {has})")]
    NoEcdsa {
        /// The driver.
        driver: String,
        /// Its asymmetric algorithms.
        has: String,
    },
    /// DPDK refused a step. Its own messages are on standard error.
    #[error("{step} failed: {text}")]
    Step {
        /// What was tried.
        step: &'static str,
        /// What the error number means.
        text: String,
    },
}

/// All crypto devices that EAL knows.
pub(super) fn all(_eal: Eal) -> Vec<Found> {
    (0..SG_MAX_CRYPTO).filter_map(look).collect()
}

/// One sentence about the crypto devices that EAL knows.
pub fn present(eal: Eal) -> String {
    let all = all(eal);
    if all.is_empty() {
        return "none is present".to_owned();
    }
    let one = |found: &Found| format!("{} by {}", found.name, found.driver);
    format!("present: {}", all.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn look(number: u8) -> Option<Found> {
    let mut info = MaybeUninit::<dpdk_sys::sg_crypto_info>::uninit();
    // SAFETY: EAL runs (the callers have an Eal). A number without a device is an error; otherwise, and only then, the shim
    // fills `info` in.
    let info = unsafe { (dpdk_sys::sg_crypto_info(number, info.as_mut_ptr()) == 0).then(|| info.assume_init()) }?;
    let algorithms = ALGORITHMS.iter().zip(SG_ASYM_RSA..).filter(|(_, bit)| info.asym >> bit & 1 == 1);
    Some(Found {
        number,
        name: text(&info.name),
        device: text(&info.device),
        driver: text(&info.driver),
        algorithms: algorithms.map(|(name, _)| *name).collect(),
        verifies: info.verifies == 1,
        max_queues: info.max_queues,
        socket: info.socket,
    })
}

/// What stands before the zero.
fn text(chars: &[c_char]) -> String {
    let octets: Vec<u8> = chars.iter().take_while(|c| **c != 0).map(|c| c.to_ne_bytes()[0]).collect();
    String::from_utf8_lossy(&octets).into_owned()
}

/// The device of this name or address. A card may be several crypto devices: the one that verifies is it.
pub(super) fn choose(all: &[Found], name: &str, present: impl FnOnce() -> String) -> Result<Found, Refused> {
    let mut mine: Vec<_> = all.iter().filter(|found| found.name == name || found.device == name).collect();
    // Of those that cannot, the one with any asymmetric algorithm says most.
    mine.sort_by_key(|found| (!found.verifies, found.algorithms.is_empty()));
    match mine.first() {
        Some(found) => judge(found).map(|()| (*found).clone()),
        None => Err(Refused::Absent { name: name.to_owned(), present: present() }),
    }
}

/// Whether a device may verify.
pub(super) fn judge(found: &Found) -> Result<(), Refused> {
    let driver = found.driver.clone();
    if LIARS.iter().any(|liar| driver.starts_with(liar)) {
        Err(Refused::Liar(driver))
    } else if !found.verifies || found.max_queues == 0 {
        let has = found.algorithms.join(", ");
        Err(Refused::NoEcdsa { driver, has: if has.is_empty() { "nothing asymmetric".to_owned() } else { has } })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, driver: &str, algorithms: &[&'static str]) -> Found {
        Found {
            number: 0,
            name: name.to_owned(),
            device: "0000:3d:01.0".to_owned(),
            driver: driver.to_owned(),
            algorithms: algorithms.to_vec(),
            verifies: algorithms.contains(&"ecdsa"),
            max_queues: 2,
            socket: -1,
        }
    }

    #[test]
    fn of_a_card_with_two_crypto_devices_the_one_that_verifies_is_chosen() {
        let sym = found("0000:3d:01.0_qat_sym", "crypto_qat", &[]);
        let asym = found("0000:3d:01.0_qat_asym", "crypto_qat_asym", &["rsa", "ecdsa"]);
        let none = || "none".to_owned();
        for all in [[sym.clone(), asym.clone()], [asym.clone(), sym.clone()]] {
            assert_eq!(choose(&all, "0000:3d:01.0", none).as_ref(), Ok(&asym));
        }
        // Named outright it is that one or none.
        let refused = choose(&[sym, asym], "0000:3d:01.0_qat_sym", none).unwrap_err();
        assert_eq!(refused.to_string(), "crypto_qat has no ECDSA verification (it has: nothing asymmetric)");
    }

    #[test]
    fn what_is_not_there_or_lies_or_has_no_ecdsa_is_refused_with_its_reason() {
        let absent = choose(&[], "0000:3d:01.0", || "none is present".to_owned()).unwrap_err();
        assert!(absent.to_string().starts_with("there is no crypto device 0000:3d:01.0 (none is present)"), "{absent}");
        // Not even if it had ECDSA.
        let liar = judge(&found("crypto_openssl", "crypto_openssl", &["rsa", "ecdsa"])).unwrap_err();
        assert!(liar.to_string().contains("another message"), "{liar}");
        let no = judge(&found("crypto_x", "crypto_x", &["rsa", "dh"])).unwrap_err();
        assert_eq!(no.to_string(), "crypto_x has no ECDSA verification (it has: rsa, dh)");
        assert!(judge(&Found { max_queues: 0, ..found("x", "x", &["ecdsa"]) }).is_err());
    }
}
