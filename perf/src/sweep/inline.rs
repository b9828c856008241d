//! Sweeps of one thread, in which the worker verifies for itself.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use sealgate_crypto::pool::PoolConfig;

use super::axes::{self, Axis, Case};
use super::rig::{Common, Rig, signed};
use super::{Curve, Measured, Plan, Step, axis};
use crate::mix::Profile;
use crate::model::{Observation, Setting};
use crate::pool::stay_on;

/// Peers, keys and prefixes: what a policy depends on.
type Kind = (u32, u32, u32);

fn kind(profile: &Profile) -> Kind {
    (profile.peers, profile.keys, profile.prefixes)
}

/// All points, ready to run.
pub(super) struct Inline {
    sweeps: Vec<Axis>,
    rigs: Vec<Rig>,
    points: Vec<Measured>,
    commons: HashMap<Kind, Arc<Common>>,
    /// One a policy with signed traffic: those who make its tables, and keep them.
    warm: HashMap<Kind, Rig>,
}

/// Tables of keys are made, and nothing else done, on cores that the worker leaves.
pub(super) fn pool(plan: &Plan, cores: &[usize]) -> PoolConfig {
    PoolConfig {
        cores: cores.to_vec(),
        avoid: plan.cores.first().copied().into_iter().collect(),
        table_memory: plan.table_memory,
        ..PoolConfig::default()
    }
}

impl Inline {
    pub(super) fn new(
        plan: &Plan,
        notes: &mut Vec<String>,
        progress: &mut impl FnMut(Step),
    ) -> Result<Self, Box<dyn Error>> {
        stay_on(plan.cores.first().copied().unwrap_or(0));
        let quick = |profile: &Profile| !plan.quick || (profile.peers <= 1000 && profile.prefixes <= 100_000);
        let mut sweeps: Vec<_> = axes::all(plan.keys).into_iter().filter(|axis| plan.wants(axis.name)).collect();
        for sweep in &mut sweeps {
            sweep.cases.retain(|case| quick(&case.profile));
        }
        let mut all =
            Self { sweeps, rigs: Vec::new(), points: Vec::new(), commons: HashMap::new(), warm: HashMap::new() };
        let cases: Vec<Case> = all.sweeps.iter().flat_map(|sweep| sweep.cases.clone()).collect();
        for (done, case) in cases.iter().enumerate() {
            progress(Step::Ready(done, cases.len()));
            // Before anybody else has its ring.
            if all.signs(&case.profile) {
                all.warm_up(plan, &case.profile, notes)?;
            }
            let common = all.common(&case.profile)?;
            let rig = Rig::new(&common, &case.profile, case.burst, pool(plan, &[]))?;
            let octets = Rig::octets(&case.profile, &common.world)?;
            all.points.push(Measured {
                x: case.x.unwrap_or(octets),
                setting: setting(case, octets),
                samples: Vec::new(),
            });
            all.rigs.push(rig);
        }
        Ok(all)
    }

    /// Whether any point of this policy has signed traffic.
    fn signs(&self, profile: &Profile) -> bool {
        let mut cases = self.sweeps.iter().flat_map(|sweep| &sweep.cases);
        cases.any(|case| kind(&case.profile) == kind(profile) && case.profile.judgement.signed > 0.0)
    }

    /// Sees to it that keys have the tables that they have after a while of traffic.
    ///
    /// Of all pools with one ring of keys the first makes the tables, by what it is asked. So that is one of its own.
    pub(super) fn warm_up(
        &mut self,
        plan: &Plan,
        profile: &Profile,
        notes: &mut Vec<String>,
    ) -> Result<(), Box<dyn Error>> {
        if self.warm.contains_key(&kind(profile)) {
            return Ok(());
        }
        // A ring of its own policy, of which no pool makes tables yet.
        let common = Arc::new(Common::new(profile)?);
        let profile = Profile { judgement: signed(1.0), ..profile.clone() };
        let mut rig = Rig::new(&common, &profile, 32, pool(plan, &[]))?;
        let [none, small, base, wide] = rig.settle(profile.keys)?;
        notes.push(format!(
            "{} keys: {wide} with the widest table, {base} with a middle one, {small} with a small one, {none} with none",
            profile.keys
        ));
        self.warm.insert(kind(&profile), rig);
        self.commons.insert(kind(&profile), common);
        Ok(())
    }

    /// Keeps the tables of such traffic.
    pub(super) fn keep_warm(&mut self, profile: &Profile) -> Result<(), Box<dyn Error>> {
        match self.warm.get_mut(&kind(profile)) {
            Some(rig) if profile.judgement.signed > 0.0 => rig.keep_warm(profile.keys),
            _ => Ok(()),
        }
    }

    /// What points of one policy share, made when the first of them needs it.
    pub(super) fn common(&mut self, profile: &Profile) -> Result<Arc<Common>, Box<dyn Error>> {
        if let Some(common) = self.commons.get(&kind(profile)) {
            return Ok(Arc::clone(common));
        }
        let common = Arc::new(Common::new(profile)?);
        self.commons.insert(kind(profile), Arc::clone(&common));
        Ok(common)
    }

    pub(super) fn measure(&mut self, plan: &Plan, progress: &mut impl FnMut(Step)) -> Result<(), Box<dyn Error>> {
        let cases: Vec<_> =
            self.sweeps.iter().flat_map(|sweep| &sweep.cases).map(|case| case.profile.clone()).collect();
        let count = self.rigs.len();
        for round in 0..plan.rounds {
            for place in 0..count {
                let at = (place + round * 7) % count;
                if let Some(profile) = cases.get(at) {
                    self.keep_warm(profile)?;
                }
                let (Some(rig), Some(point)) = (self.rigs.get_mut(at), self.points.get_mut(at)) else { continue };
                let load = rig.load(plan.slice);
                point.samples.push(rig.slice(load)?.ns());
                progress(Step::Measured(round * count + place + 1, plan.rounds * count));
            }
        }
        Ok(())
    }

    pub(super) fn observations(&self) -> Vec<Observation> {
        self.points.iter().map(Measured::observation).collect()
    }

    /// Takes the curves out; rigs and what they share stay, and with them the tables of keys.
    pub(super) fn curves(&mut self) -> Vec<Curve> {
        let mut points = std::mem::take(&mut self.points).into_iter();
        let curve = |sweep: &Axis| Curve {
            name: sweep.name,
            title: sweep.title,
            x: axis(sweep.label, sweep.unit, sweep.log),
            y: axis("CPU time of a message", "ns", false),
            points: points.by_ref().take(sweep.cases.len()).collect(),
            model: |model, point| model.worker_ns(&point.setting),
        };
        self.sweeps.iter().map(curve).collect()
    }
}

/// The circumstances of a point.
pub(super) fn setting(case: &Case, octets: f64) -> Setting {
    let profile = &case.profile;
    Setting {
        signed: profile.judgement.signed,
        offload: false,
        burst: case.burst as f64,
        octets,
        sms: profile.operations.mt_forward_sm,
        peers: f64::from(profile.peers),
        keys: f64::from(profile.keys),
        prefixes: f64::from(profile.prefixes),
    }
}
