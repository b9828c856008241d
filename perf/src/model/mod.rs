//! What a message costs as an equation, fitted to sweeps; and what a server does by it.
//!
//! # The equation
//!
//! A worker's CPU time for a message, nanoseconds:
//!
//! ```text
//! cost = a                          any message
//!      + b  * signed                a signature that the worker verifies itself
//!        (b' * signed               or one that it hands to a crypto thread)
//!      + t  / burst                 a turn, shared by the messages that it finds
//!      + t' * signed / burst        a batch of signatures, shared in the same way (inline only)
//!      + c  * octets                an octet of the frame: copied, summed, read
//!      + s  * sms                   what a short message costs beside its length
//!      + d  * log2(peers)           steps of a look-up by operator, and its memory
//!      + e  * log2(prefixes)        the same by prefix
//!      + f  * signed * log2(keys)   tables of keys: each doubling lies farther from the core
//! ```
//!
//! A crypto thread's CPU time for a signature is `v + g * log2(keys)`. With `W` workers and `M` crypto threads a server passes
//! `min(W / cost, M / (signed * crypto))` messages a second.
//!
//! Logarithms are no law of caches, which have steps. They are right at the ends of what was swept and within a step
//! between; what they miss shows in the residuals, and so in every interval.
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
use self::solve::{Collinear, dot, least_squares};
pub use self::terms::Setting;
use self::terms::{CRYPTO, Term, WORKER};

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
    /// Covariance of the coefficients, for a relative scatter of 1.
    covariance: Vec<Vec<f64>>,
    /// Points it was fitted to.
    pub points: usize,
    /// Points above the number of coefficients.
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
        "{points} points are too few for {terms} coefficients and their errors: sweep at least {} points, over all of: {}",
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
    /// Lowest and highest of each variable that was swept.
    pub swept: IndexMap<String, (f64, f64)>,
    /// Most workers that were measured beside each other, and a worker's pace there against one alone.
    pub side_by_side: Option<(usize, f64)>,
}

impl Model {
    /// Fits both equations.
    ///
    /// * `worker`, `crypto`: medians; `crypto` may be empty where there was no core for it
    /// # Errors
    /// Too few points, or terms that were not varied apart.
    pub fn fit(ghz: f64, worker: &[Observation], crypto: &[Observation]) -> Result<Self, Fault> {
        let mut swept: IndexMap<String, (f64, f64)> = IndexMap::new();
        for (name, value) in worker.iter().flat_map(|point| point.setting.variables()) {
            let (low, high) = swept.entry(name.to_owned()).or_insert((value, value));
            (*low, *high) = (low.min(value), high.max(value));
        }
        let crypto = if crypto.is_empty() { None } else { Some(Fit::new(&CRYPTO, crypto)?) };
        Ok(Self { ghz, worker: Fit::new(&WORKER, worker)?, crypto, swept, side_by_side: None })
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
        // Of a term that is nothing at every point nothing can be said.
        let seen = |term: &&Term| points.iter().any(|point| (term.of)(&point.setting) != 0.0);
        let terms: Vec<_> = terms.iter().filter(seen).collect();
        let names = |which: &mut dyn Iterator<Item = usize>| {
            which.filter_map(|place| terms.get(place)).map(|term| term.name).collect::<Vec<_>>()
        };
        let (n, p) = (points.len(), terms.len());
        if n < p + 3 {
            return Err(Fault::TooFew { points: n, terms: p, names: names(&mut (0..p)) });
        }
        let column = |term: &&Term| points.iter().map(|point| (term.of)(&point.setting) / point.ns).collect();
        let columns: Vec<Vec<f64>> = terms.iter().map(column).collect();
        // Each row over its own size: the left side of every equation is 1.
        let solution = least_squares(&columns, &vec![1.0; n])
            .map_err(|Collinear(which)| Fault::Collinear { names: names(&mut which.into_iter()) })?;
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
            covariance: solution.covariance,
            points: n,
            freedom,
            scatter,
            left_out: (dot(&left_out, &left_out) / n as f64).sqrt(),
            left_out_worst: left_out.iter().fold(0.0, |worst: f64, left| worst.max(left.abs())),
        })
    }
}
