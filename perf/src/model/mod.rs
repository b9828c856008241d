//! What a message costs as an equation, fitted to sweeps; and what a server does by it.
//!
//! # The equation
//!
//! A worker's CPU time for a message, nanoseconds:
//!
//! ```text
//! cost = a                                      any message
//!      + b * signed                             a signature that the worker verifies itself, in a large batch
//!      + c * signed / sqrt(batch)               what it costs more in a small one
//!      (b' * signed + c' * any / burst          instead, where crypto threads verify: handing over, and doing so at all)
//!      + t / burst                              a turn, shared by the messages that it finds
//!      + o * octets                             an octet of the frame: copied, summed, read
//!      + s * sms                                what a short message costs beside its length
//!      + p * log2(1 + peers / P)                look-ups by operator
//!      + q * log2(1 + prefixes / Q)             look-ups by prefix
//!      + k * signed * log2(1 + keys / K)        tables of keys, where the worker verifies itself
//! ```
//!
//! * `any = 1 - (1 - signed) ^ burst` is the share of turns that find anything signed, and `batch = signed * burst / any`
//!   the signatures of such a turn. The root was seen, not derived: the engine shares some work by the batch and fills its
//!   lanes with the rest.
//! * `P`, `Q` and `K` are knees: below them a table lies near the core and its size costs nothing, above each doubling
//!   costs the same. Caches have steps and no logarithms; a curve that is right at both ends is off between them by less
//!   than a step, and what it misses shows in the scatter, and so in every interval. Knees are those of some that fit best
//!   ([`Fit::knees`]), and each counts as one more coefficient.
//!
//! A crypto thread's CPU time for a signature is `v + k * log2(1 + keys / K)`. With `W` workers and `M` crypto threads a
//! server passes `min(W / cost, M / (signed * crypto))` messages a second.
//!
//! # How sure
//!
//! Least squares with each measurement weighted by one over its own size: a median is a few percent off, be it 700 ns or
//! 5,000. The 95 % interval of a prediction is that of Student's t for one more measurement: it holds the errors of all
//! coefficients with their covariance, and the scatter that is left. t was chosen and not the quantiles of left-out
//! residuals, since with some thirty points a 95 % quantile of those is one or two points; they are kept beside it as a
//! check that does not believe in the equation ([`Fit::left_out`]).
//!
//! # What it assumes
//!
//! See [`ASSUMPTIONS`].

mod predict;
mod solve;
mod student;
mod terms;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::predict::{ASSUMPTIONS, Prediction, Range, Server};
use self::solve::{Collinear, Solution, dot, least_squares};
use self::terms::{CRYPTO, TRIED, Term, WORKER};
pub use self::terms::{Knees, Setting};

/// One point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Its circumstances.
    pub setting: Setting,
    /// CPU time of a message, nanoseconds; median of the rounds.
    pub ns: f64,
}

/// One coefficient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// Its term.
    pub name: String,
    /// What that is.
    pub meaning: String,
    /// Nanoseconds.
    pub ns: f64,
    /// Its standard error, nanoseconds.
    pub error: f64,
}

/// An equation that was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Its terms; those that nothing was measured of are left out.
    pub coefficients: Vec<Coefficient>,
    /// From which numbers on tables cost something.
    pub knees: Knees,
    /// Covariance of the coefficients, for a relative scatter of 1.
    covariance: Vec<Vec<f64>>,
    /// Points it was fitted to.
    pub points: usize,
    /// Points above the number of coefficients and knees.
    pub freedom: usize,
    /// Relative scatter of a point around the equation: its standard deviation.
    pub scatter: f64,
    /// How far each point is from the equation that all others give, relative: the root of the mean square.
    pub left_out: f64,
    /// The farthest of these.
    pub left_out_worst: f64,
}

/// Why there is no equation.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    /// Fewer points than are needed to say how sure it is.
    #[error(
        "{points} points are too few for {terms} coefficients and knees and their errors: sweep at least {} points, over all of: {}",
        terms + 3,
        names.join(", ")
    )]
    TooFew {
        /// There were.
        points: usize,
        /// Coefficients.
        terms: usize,
        /// Their names.
        names: Vec<&'static str>,
    },
    /// Terms that were never varied apart from others.
    #[error("the sweeps cannot tell {} from other terms: vary it while all else stays", names.join(" and "))]
    Collinear {
        /// Their names.
        names: Vec<&'static str>,
    },
    /// A number that cannot have been measured.
    #[error("point {place} says {ns} ns at {setting:?}: not a measurement")]
    Impossible {
        /// From 0.
        place: usize,
        /// What it says.
        ns: f64,
        /// Where.
        setting: Box<Setting>,
    },
}

/// The equations of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Clock of the machine on which was measured, as its system says, GHz.
    pub ghz: f64,
    /// A worker's time for a message.
    pub worker: Fit,
    /// A crypto thread's time for a signature, if one was measured.
    pub crypto: Option<Fit>,
    /// Where nothing was varied: the first point.
    pub usual: Setting,
    /// Lowest and highest of each variable that was swept.
    pub swept: IndexMap<String, (f64, f64)>,
    /// Highest share signed of a worker with crypto threads.
    pub offloaded: f64,
    /// Most workers that were measured beside each other, and a worker's pace there against one alone.
    pub side_by_side: Option<(usize, f64)>,
}

impl Model {
    /// Fits both equations.
    ///
    /// * `worker`, `crypto`: medians, the usual circumstances first; `crypto` may be empty where there was no core for it
    /// # Errors
    /// Too few points, or terms that were not varied apart.
    pub fn fit(ghz: f64, worker: &[Observation], crypto: &[Observation]) -> Result<Self, Fault> {
        let mut swept: IndexMap<String, (f64, f64)> = IndexMap::new();
        for (name, value) in worker.iter().flat_map(|point| point.setting.variables()) {
            let (low, high) = swept.entry(name.to_owned()).or_insert((value, value));
            (*low, *high) = (low.min(value), high.max(value));
        }
        let Some(usual) = worker.first().map(|point| point.setting) else {
            return Err(Fault::TooFew {
                points: 0,
                terms: WORKER.len(),
                names: WORKER.iter().map(|term| term.name).collect(),
            });
        };
        let offloaded = worker.iter().filter(|point| point.setting.offload).map(|point| point.setting.signed);
        let offloaded = offloaded.fold(0.0, f64::max);
        let crypto = if crypto.is_empty() { None } else { Some(Fit::new(&CRYPTO, crypto)?) };
        Ok(Self { ghz, worker: Fit::new(&WORKER, worker)?, crypto, usual, swept, offloaded, side_by_side: None })
    }

    /// A worker's time for a message by the equation, nanoseconds; `None` if a term that counts there was not measured.
    pub fn worker_ns(&self, setting: &Setting) -> Option<f64> {
        Some(self.worker.at(&WORKER, setting)?.middle)
    }

    /// A crypto thread's time for a signature by the equation, nanoseconds.
    pub fn crypto_ns(&self, setting: &Setting) -> Option<f64> {
        Some(self.crypto.as_ref()?.at(&CRYPTO, setting)?.middle)
    }
}

impl Fit {
    fn new(terms: &'static [Term], points: &[Observation]) -> Result<Self, Fault> {
        if let Some((place, point)) =
            points.iter().enumerate().find(|(_, point)| !(point.ns.is_finite() && point.ns > 0.0))
        {
            return Err(Fault::Impossible { place, ns: point.ns, setting: Box::new(point.setting) });
        }
        let mut knees = Knees { peers: 1000.0, prefixes: 1000.0, keys: 1000.0 };
        // Of a term that is nothing at every point nothing can be said.
        let seen = |term: &&Term| points.iter().any(|point| (term.of)(&point.setting, &knees) != 0.0);
        let terms: Vec<_> = terms.iter().filter(seen).collect();
        let bent: Vec<_> = terms.iter().filter_map(|term| term.knee).collect();
        let names: Vec<_> = terms.iter().map(|term| term.name).collect();
        let (n, p) = (points.len(), terms.len() + bent.len());
        if n < p + 3 {
            return Err(Fault::TooFew { points: n, terms: p, names });
        }
        let mut best: Option<(f64, Knees, Solution)> = None;
        for tried in 0..TRIED.len().pow(bent.len() as u32) {
            for (place, knee) in bent.iter().enumerate() {
                let which = tried / TRIED.len().pow(place as u32) % TRIED.len();
                *knee(&mut knees) = TRIED.get(which).copied().unwrap_or(1.0);
            }
            // Each row over its own size: the left side of every equation is 1.
            let column = |term: &&Term| points.iter().map(|at| (term.of)(&at.setting, &knees) / at.ns).collect();
            let columns: Vec<Vec<f64>> = terms.iter().map(column).collect();
            let solution = least_squares(&columns, &vec![1.0; n]).map_err(|Collinear(which)| Fault::Collinear {
                names: which.into_iter().filter_map(|place| names.get(place).copied()).collect(),
            })?;
            let left = dot(&solution.residuals, &solution.residuals);
            if best.as_ref().is_none_or(|(least, _, _)| left < *least) {
                best = Some((left, knees, solution));
            }
        }
        let Some((_, knees, solution)) = best else { return Err(Fault::TooFew { points: n, terms: p, names }) };
        let freedom = n - p;
        let scatter = (dot(&solution.residuals, &solution.residuals) / freedom as f64).sqrt();
        let left_out: Vec<f64> = solution
            .residuals
            .iter()
            .zip(&solution.leverage)
            .map(|(left, leverage)| left / (1.0 - leverage).max(f64::EPSILON))
            .collect();
        let coefficients = terms.iter().enumerate().map(|(place, term)| Coefficient {
            name: term.name.to_owned(),
            meaning: term.meaning.to_owned(),
            ns: solution.coefficients.get(place).copied().unwrap_or(f64::NAN),
            error: scatter
                * solution.covariance.get(place).and_then(|row| row.get(place)).map_or(f64::NAN, |v| v.sqrt()),
        });
        Ok(Self {
            coefficients: coefficients.collect(),
            knees,
            covariance: solution.covariance,
            points: n,
            freedom,
            scatter,
            left_out: (dot(&left_out, &left_out) / n as f64).sqrt(),
            left_out_worst: left_out.iter().fold(0.0, |worst: f64, left| worst.max(left.abs())),
        })
    }
}
