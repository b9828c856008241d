//! How the cost of a message grows with what traffic and policy are like: sweeps of one variable each, in one process.
//!
//! A worker turns as in the product, over ports in memory; its traffic is that of [`crate::mix`]. Points take turns in
//! short slices, in another order each round, so that whoever else wants the machine disturbs all of them alike. Time is
//! CPU time of the worker's thread unless it says otherwise. A slice counts only if each of its messages was judged as its
//! source says.

mod axes;
mod crypto;
mod inline;
mod machine;
mod rig;
mod workers;

use std::error::Error;
use std::time::Duration;

pub use self::axes::NAMES;
use self::inline::Inline;
use self::machine::ghz;
use crate::model::{Fault, Model, Observation, Setting};
use crate::record::{Axis, Document, Figure, Point, Series};

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names of sweeps, of [`NAMES`]; empty for all.
    pub only: Vec<String>,
    /// Rounds, in each of which every point has one slice.
    pub rounds: usize,
    /// About so much CPU time is one slice.
    pub slice: Duration,
    /// Most keys, 1 to 10,000.
    pub keys: u32,
    /// Leaves out what takes long to set up: most peers, most prefixes.
    pub quick: bool,
    /// Octets that tables of keys may have.
    pub table_memory: usize,
    /// Cores, the first of which has the worker.
    pub cores: Vec<usize>,
    /// Clock of the cores, GHz; `None`: as the system says.
    pub ghz: Option<f64>,
}

impl Plan {
    /// # Errors
    /// A sweep that there is not, no core, no round.
    fn check(&self) -> Result<(), Box<dyn Error>> {
        if let Some(name) = self.only.iter().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(format!("there is no sweep {name}: take some of {}", NAMES.join(", ")).into());
        }
        if self.rounds == 0 || self.slice.is_zero() {
            return Err("no rounds, or rounds of no time, measure nothing: give 1 or more".into());
        }
        if !(1..=10_000).contains(&self.keys) {
            return Err(format!("{} keys: give 1 to 10000, as many as a mix has peers", self.keys).into());
        }
        let there = core_affinity::get_core_ids().unwrap_or_default();
        match self.cores.iter().find(|core| !there.iter().any(|id| id.id == **core)) {
            Some(core) => Err(format!("core {core} is not available: give others with --cores").into()),
            None if self.cores.is_empty() => Err("no core: give some with --cores".into()),
            None => Ok(()),
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Setting up, or waiting for tables of keys: so many of so many points are ready.
    Ready(usize, usize),
    /// So many of so many slices are measured.
    Measured(usize, usize),
}

/// A point of a curve, and all that was measured there.
struct Measured {
    x: f64,
    setting: Setting,
    samples: Vec<f64>,
}

impl Measured {
    fn observation(&self) -> Observation {
        Observation { setting: self.setting, ns: Figure::new("ns", self.samples.clone()).median }
    }

    fn point(&self) -> Point {
        let figure = Figure::new("", self.samples.clone());
        Point { x: self.x, y: figure.median, low: figure.low, high: figure.high }
    }
}

/// A curve.
struct Curve {
    name: &'static str,
    title: &'static str,
    x: Axis,
    y: Axis,
    points: Vec<Measured>,
    /// What the model says at a point; `None` if it says nothing of such a curve.
    model: fn(&Model, &Measured) -> Option<f64>,
}

impl Curve {
    fn series(&self, model: Option<&Model>) -> Series {
        let said = |point: &Measured| Some((point.x, (self.model)(model?, point)?));
        Series {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            x: self.x.clone(),
            y: self.y.clone(),
            points: self.points.iter().map(Measured::point).collect(),
            model: self.points.iter().filter_map(said).collect(),
        }
    }
}

fn axis(label: &str, unit: &str, log: bool) -> Axis {
    Axis { label: label.to_owned(), unit: unit.to_owned(), log }
}

/// Measures all that a plan asks for, fits the model if all of it was measured, and adds both to a document.
///
/// * `progress`: told of every step
/// # Errors
/// A plan that cannot be carried out, a message that was not judged as it should be.
pub fn measure(plan: &Plan, document: &mut Document, mut progress: impl FnMut(Step)) -> Result<(), Box<dyn Error>> {
    plan.check()?;
    let mut inline = Inline::new(plan, &mut document.notes, &mut progress)?;
    inline.measure(plan, &mut progress)?;
    let (mut worker, mut signatures) = (inline.observations(), Vec::new());
    let mut curves = inline.curves();
    if plan.wants("offload") || plan.wants("crypto") {
        if plan.cores.len() < 2 {
            document.notes.push("one core: no crypto threads were measured".to_owned());
        } else {
            let with = crypto::crypto(plan, &mut inline, &mut document.notes, &mut progress)?;
            worker.extend(with.worker());
            signatures = with.thread();
            curves.extend(with.curves);
        }
    }
    let mut side_by_side = None;
    if plan.wants("workers") {
        let beside = workers::workers(plan, &mut progress)?;
        side_by_side = beside.pace(document);
        curves.extend(beside.curves);
    }
    let model = if plan.only.is_empty() { fit(plan, &worker, &signatures, document) } else { None };
    let model = model.map(|model| Model { side_by_side, ..model });
    document.series = curves.iter().map(|curve| curve.series(model.as_ref())).collect();
    document.model = model;
    document.notes.push(
        "CPU time of the thread, ports in memory; the median of the rounds, and the lowest and the highest".to_owned(),
    );
    if !plan.only.is_empty() {
        document.notes.push("no model: it needs all sweeps of one run".to_owned());
    }
    Ok(())
}

fn fit(plan: &Plan, worker: &[Observation], crypto: &[Observation], document: &mut Document) -> Option<Model> {
    let ghz = plan.ghz.or_else(|| ghz(plan.cores.first().copied().unwrap_or(0)));
    if ghz.is_none() {
        document
            .notes
            .push("the system does not say how fast the clock is: give --ghz to predict other servers".to_owned());
    }
    let ghz = ghz.unwrap_or(0.0);
    let fitted = Model::fit(ghz, worker, crypto).or_else(|fault| {
        let without = Model::fit(ghz, worker, &[])?;
        document.notes.push(format!("no crypto threads in the model: {fault}"));
        Ok(without)
    });
    fitted.map_err(|fault: Fault| document.notes.push(format!("no model: {fault}"))).ok()
}
