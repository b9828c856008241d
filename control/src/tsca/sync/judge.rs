//! Whether what was fetched may come into force.

use super::super::alarm::Alarm;
use super::super::format::{Class, Digest, MAX_TOTAL};
use super::super::objects::Objects;
use super::super::proof::{LastGood, Signed, bad_signer, signer_state};
use super::super::source::Trouble;
use super::{Client, Done, HeldBack};
use sealgate_crypto::pki::{self, CertState, Object, Trust};
use std::collections::HashSet;

/// Most octets of revocation lists that stay in force although they were taken back.
const MAX_RETAINED: usize = MAX_TOTAL / 2;

impl Client {
    /// Before anything large is fetched: does the signer stand below an anchor by what is held? A late revocation list
    /// does not count yet, since what is fetched may hold the next one. With nothing held the question waits for the
    /// authorities that come in the snapshot.
    pub(super) fn check_chain(&self, signed: &Signed, now: i64) -> Result<(), Trouble> {
        let Some(held) = &self.held else { return Ok(()) };
        let mut certificates = signed.chain.clone();
        certificates.extend(self.local.certificates.iter().cloned());
        certificates.extend(held.objects.of(Class::Authority));
        let mut crls = held.objects.of(Class::Crl);
        crls.extend(self.local.crls.iter().chain(&held.retained).cloned());
        let trust = pki::load(&self.local.anchors, &certificates, &crls, self.settings.options, now);
        match signer_state(&trust, signed, now) {
            Ok(CertState::Good | CertState::CrlStale) => Ok(()),
            Ok(state) => Err(bad_signer(state.fault().map_or("", pki::Fault::name))),
            Err(why) => Err(bad_signer(&why)),
        }
    }

    /// Loads what would be in force, and says whether it may be.
    pub(super) fn judge(
        &mut self,
        signed: Signed,
        objects: Objects,
        digest: Digest,
        now: i64,
        notes: &mut Vec<(Alarm, String)>,
    ) -> Result<Done, Trouble> {
        // Lists in force, wherever they came from: one with a lower number does not replace them.
        let held = self.held.clone();
        let known = held.iter().flat_map(|held| held.objects.of(Class::Crl).into_iter().chain(held.retained.clone()));
        let in_force: HashSet<&[u8]> = self.trust.crls.iter().map(|crl| crl.der()).collect();
        let keep: Vec<Object> = known.filter(|crl| in_force.contains(crl.der.as_slice())).collect();
        let trust = self.load(&objects, &keep, &signed.chain, now);
        match signer_state(&trust, &signed, now) {
            Ok(CertState::Good) => {}
            Ok(state) => return Err(bad_signer(state.fault().map_or("", pki::Fault::name))),
            Err(why) => return Err(bad_signer(&why)),
        }
        if let Some((gone, of)) = self.shrinks(&trust, now) {
            let since = self.shrink.as_ref().map_or(now, |back| back.since);
            let confirmed = self.shrink.as_ref().is_some_and(|back| back.confirmed);
            self.shrink = Some(HeldBack { since, manifest: digest, confirmed });
            if !confirmed && now.saturating_sub(since) < self.settings.shrink_hold_s {
                let text = format!("serial {} would remove {gone} of {of} operators", signed.manifest.serial);
                notes.push((Alarm::RepoShrink, text));
                return Ok(Done::Kept);
            }
        }
        let offered: HashSet<Vec<u8>> = objects.of(Class::Crl).into_iter().map(|crl| crl.der).collect();
        let local: HashSet<&[u8]> = self.local.crls.iter().map(|crl| crl.der.as_slice()).collect();
        let used: HashSet<&[u8]> = trust.crls.iter().map(|crl| crl.der()).collect();
        let stays = |crl: &Object| {
            let der = crl.der.as_slice();
            used.contains(der) && !offered.contains(der) && !local.contains(der)
        };
        let retained: Vec<Object> = keep.into_iter().filter(stays).collect();
        if retained.iter().map(|crl| crl.der.len()).sum::<usize>() > MAX_RETAINED {
            let text = "more revocation lists are taken back than can be kept".to_owned();
            return Err(Trouble::Refused(Alarm::CrlRollback, text));
        }
        let names: Vec<_> = retained.iter().map(|crl| crl.name.as_str()).collect();
        let text = (!names.is_empty()).then(|| format!("the list before stays in force: {}", names.join(", ")));
        self.alarms.set(Alarm::CrlRollback, text, now);
        let Signed { manifest, octets, signature, signer, .. } = signed;
        let good = LastGood { manifest, octets, signature, signer, objects, retained };
        Ok(Done::Applied(Box::new((good, trust))))
    }

    pub(super) fn load(&mut self, objects: &Objects, retained: &[Object], chain: &[Object], now: i64) -> Trust {
        let mut certificates: Vec<Object> = self.pinned.iter().chain(&self.local.certificates).cloned().collect();
        certificates.extend(objects.certificates());
        certificates.extend(chain.iter().cloned());
        let mut crls = self.local.crls.clone();
        crls.extend(objects.of(Class::Crl));
        crls.extend(retained.iter().cloned());
        let options = self.settings.options;
        let mut trust = pki::load_again(&self.local.anchors, &certificates, &crls, options, now, &mut self.known);
        self.callers.judge(&mut trust, &self.local.anchors, &crls, options, now);
        trust
    }

    /// How many of the operators who may sign now would be gone, if they are too many. A renewal keeps the operator, and
    /// a revocation does: neither its key nor its name is gone.
    fn shrinks(&self, next: &Trust, now: i64) -> Option<(usize, usize)> {
        let keys: HashSet<_> = next.signers.iter().map(|one| one.certificate.sai).collect();
        let names: HashSet<_> = next.signers.iter().map(|one| one.certificate.subject.as_str()).collect();
        let good: Vec<_> = self.trust.signers.iter().filter(|one| one.state(now) == CertState::Good).collect();
        let stays = |one: &&&pki::Signer| {
            keys.contains(&one.certificate.sai) || names.contains(one.certificate.subject.as_str())
        };
        let gone = good.len() - good.iter().filter(stays).count();
        (gone * 100 > good.len() * self.settings.max_shrink_percent).then_some((gone, good.len()))
    }

    pub(super) fn tell_rejected(&mut self, trust: &Trust, now: i64) {
        let text = trust.rejected.first().map(|one| {
            format!("{} not used; the first is {}: {}: {}", trust.rejected.len(), one.name, one.fault, one.detail)
        });
        self.alarms.set(Alarm::CertRejected, text, now);
    }
}
