//! What time alone does to a certificate, to the second and by the clock of the turn: nothing is loaded, compiled or swapped
//! in between.

mod common;

use common::traffic::{Call, frame, inbound};
use common::{Gateway, key, policy, trust_by};
use sealgate_crypto::pki::{CrlStale, Options};
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::Reason;

/// A worker over one snapshot, and how many messages it has had.
struct World {
    gateway: Gateway,
    sent: u32,
}

impl World {
    fn new(crl_stale: CrlStale) -> Self {
        let trust = trust_by(Options { crl_stale, ..Options::default() });
        let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
        Self { gateway: Gateway::with_trust(&policy(), &trust, config, PoolConfig::default(), |_| ()), sent: 0 }
    }

    /// What becomes of a message that is signed and received at this time.
    fn verdict(&mut self, signer: &str, at_ms: u64) -> Reason {
        self.sent += 1;
        let message = Call::inbound(self.sent).signed(&key(signer), self.sent.into(), at_ms);
        let octets = frame(&inbound(), 1000 + self.sent, &message);
        let step = self.gateway.frame(0, &octets, at_ms);
        let [record] = step.records.as_slice() else { panic!("{} verdicts", step.records.len()) };
        assert_eq!(step.sent[1].len(), 1, "a frame leaves: the message without its signature, or a no-op");
        record.reason
    }

    /// Verdicts a second before `at_s`, in its first and in its last millisecond, and a second after it.
    fn around(&mut self, signer: &str, at_s: u64) -> [Reason; 4] {
        [at_s * 1000 - 1000, at_s * 1000, at_s * 1000 + 999, at_s * 1000 + 1000].map(|ms| self.verdict(signer, ms))
    }
}

/// notAfter of a-ec: 2027-06-01T00:00:00Z.
const NOT_AFTER: u64 = 1_811_808_000;
/// notBefore of a-future: 2026-12-01T00:00:00Z.
const NOT_BEFORE: u64 = 1_796_083_200;
/// nextUpdate of region's list, 2026-11-23T00:00:00Z, and the grace of 24 hours.
const CRL_GOOD_TO: u64 = 1_795_478_400;

#[test]
fn a_certificate_is_good_up_to_and_with_its_last_second() {
    use Reason::{CrtExpired, OkVerified};
    let mut world = World::new(CrlStale::Keep);
    assert_eq!(world.around("a-ec", NOT_AFTER), [OkVerified, OkVerified, OkVerified, CrtExpired]);
    assert_eq!(world.verdict("a-ec", NOT_AFTER * 1000 + 86_400_000), CrtExpired, "and stays so");
}

#[test]
fn a_certificate_is_good_from_its_first_second_on() {
    use Reason::{CrtNotYetValid, OkVerified};
    let mut world = World::new(CrlStale::Keep);
    assert_eq!(world.around("a-future", NOT_BEFORE), [CrtNotYetValid, OkVerified, OkVerified, OkVerified]);
}

#[test]
fn a_revocation_list_is_good_to_the_last_second_of_its_grace() {
    use Reason::{CrtCrlStale, OkVerified};
    let mut world = World::new(CrlStale::Fail);
    assert_eq!(world.verdict("a-ec", (CRL_GOOD_TO - 86_400) * 1000 + 1000), OkVerified, "late, within its grace");
    assert_eq!(world.around("a-ec", CRL_GOOD_TO), [OkVerified, OkVerified, OkVerified, CrtCrlStale]);
    // With "keep" the same moment changes nothing.
    assert_eq!(World::new(CrlStale::Keep).around("a-ec", CRL_GOOD_TO), [OkVerified; 4]);
}
