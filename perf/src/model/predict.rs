//! What a server does by a model, and how sure that is.

use super::student::t95;
use super::terms::{CRYPTO, Setting, Term, WORKER};
use super::{Fit, Model};

/// What every prediction takes for granted.
pub const ASSUMPTIONS: [&str; 6] = [
    "time goes down as the clock goes up: right for a core of the same kind, and not for another one",
    "each worker and each crypto thread has a core of its own, and shares it with no second hardware thread",
    "workers do not slow each other down: caches and memory bandwidth that they share are not in the equation",
    "frames come from memory and go nowhere: what a network card and its driver cost comes on top",
    "traffic spreads evenly over the workers, and signatures over the crypto threads",
    "a core that is busy all the time has no room left: plan with less",
];

/// A number, and the interval that holds it 95 times of 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The middle.
    pub middle: f64,
    /// The lower end; at least 0.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A server that somebody asks about.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Cores of workers.
    pub workers: usize,
    /// Cores of crypto threads; 0: workers verify for themselves.
    pub crypto: usize,
    /// Its clock, GHz.
    pub ghz: f64,
}

/// What it does.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// A worker's time for a message, nanoseconds.
    pub worker_ns: Range,
    /// A crypto thread's time for a signature, nanoseconds.
    pub crypto_ns: Option<Range>,
    /// Messages a second.
    pub per_second: Range,
    /// Whether crypto threads are what there is too little of.
    pub bound_by_crypto: bool,
    /// Where it leaves what was measured; nothing is known there.
    pub beyond: Vec<String>,
}

impl Fit {
    /// The equation at a place, and the 95 % interval of one measurement there; `None` if a term that counts there was
    /// not measured.
    pub(super) fn at(&self, terms: &[Term], setting: &Setting) -> Option<Range> {
        let mut row = Vec::with_capacity(self.coefficients.len());
        let mut known = 0;
        for term in terms {
            let value = (term.of)(setting, &self.knees);
            if self.coefficients.get(known).is_some_and(|coefficient| coefficient.name == term.name) {
                row.push(value);
                known += 1;
            } else if value != 0.0 {
                return None;
            }
        }
        let middle: f64 = self.coefficients.iter().zip(&row).map(|(coefficient, value)| coefficient.ns * value).sum();
        let quadratic: f64 = self
            .covariance
            .iter()
            .zip(&row)
            .map(|(line, a)| a * line.iter().zip(&row).map(|(covariance, b)| covariance * b).sum::<f64>())
            .sum();
        // The scatter of a measurement is in proportion to its size.
        let deviation = self.scatter * (quadratic + middle * middle).max(0.0).sqrt();
        let half = t95(self.freedom) * deviation;
        Some(Range { middle, low: (middle - half).max(0.0), high: middle + half })
    }
}

/// A number for people: three decimals at most.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Model {
    /// What a server does with traffic of these circumstances.
    ///
    /// * `setting`: its `offload` is what the server has
    /// # Errors
    /// A server without workers or clock, a model without crypto threads for a server that has some, an equation that
    /// says less than nothing there.
    pub fn predict(&self, server: &Server, setting: &Setting) -> Result<Prediction, String> {
        if server.workers == 0 {
            return Err("a server without workers passes nothing: give --cores 1 or more".to_owned());
        }
        if !(server.ghz.is_finite() && server.ghz > 0.0 && self.ghz > 0.0) {
            return Err(format!("a clock of {} GHz against one of {} GHz says nothing", server.ghz, self.ghz));
        }
        let setting = Setting { offload: server.crypto > 0, ..*setting };
        let unknown =
            "the model has no crypto threads: sweep on a machine with two cores or more, or give --crypto-cores 0";
        let slower = self.ghz / server.ghz;
        let scale =
            |range: Range| Range { middle: range.middle * slower, low: range.low * slower, high: range.high * slower };
        let worker = scale(self.worker.at(&WORKER, &setting).ok_or(unknown)?);
        let crypto = match &self.crypto {
            Some(crypto) if setting.offload => Some(scale(crypto.at(&CRYPTO, &setting).ok_or(unknown)?)),
            None if setting.offload => return Err(unknown.to_owned()),
            _ => None,
        };
        if worker.middle <= 0.0 || crypto.is_some_and(|range| range.middle <= 0.0) {
            return Err("the equation says less than nothing there: too far from what was measured".to_owned());
        }
        let rate = |cores: usize, ns: f64| cores as f64 * 1e9 / ns.max(f64::MIN_POSITIVE);
        let rates = |cores, range: Range, share: f64| Range {
            middle: rate(cores, range.middle * share),
            low: rate(cores, range.high * share),
            high: rate(cores, range.low * share),
        };
        let workers = rates(server.workers, worker, 1.0);
        let crypto_rate =
            crypto.filter(|_| setting.signed > 0.0).map(|range| rates(server.crypto, range, setting.signed));
        let bound_by_crypto = crypto_rate.is_some_and(|crypto| crypto.middle < workers.middle);
        let per_second = crypto_rate.map_or(workers, |crypto| Range {
            middle: crypto.middle.min(workers.middle),
            low: crypto.low.min(workers.low),
            high: crypto.high.min(workers.high),
        });
        let beyond = self.beyond(server, &setting);
        Ok(Prediction { worker_ns: worker, crypto_ns: crypto, per_second, bound_by_crypto, beyond })
    }

    fn beyond(&self, server: &Server, setting: &Setting) -> Vec<String> {
        let mut beyond = Vec::new();
        for (name, value) in setting.variables() {
            let Some((low, high)) = self.swept.get(name) else { continue };
            if value < low * (1.0 - 1e-9) || value > high * (1.0 + 1e-9) {
                beyond.push(format!("{name} = {value}: swept from {} to {}", round(*low), round(*high)));
            }
        }
        if setting.offload && setting.signed > self.offloaded {
            let (asked, known) = (setting.signed, self.offloaded);
            beyond.push(format!("{asked} signed with crypto threads: a worker's part was measured up to {known}"));
        }
        let measured = self.side_by_side.map_or(1, |(workers, _)| workers);
        if server.workers > measured {
            beyond.push(format!("{} workers: measured with {measured} beside each other", server.workers));
        }
        if server.crypto > 1 {
            beyond.push(format!("{} crypto threads: their time was measured with 1", server.crypto));
        }
        if (server.ghz / self.ghz - 1.0).abs() > 0.25 {
            beyond.push(format!("{:.2} GHz: measured at {:.2} GHz", server.ghz, self.ghz));
        }
        beyond
    }
}
