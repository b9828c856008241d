//! What a measurement leaves behind: one JSON document a command, which [`crate`]'s report reads again.
//!
//! Figures stand at the top level under their own names, so that a program finds `unsigned_msgs_per_s_per_core` without
//! knowing anything else of the document.

mod figure;
mod machine;

use std::error::Error;
use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::model::Model;

pub use self::figure::Figure;
pub use self::machine::{Machine, Run};

/// All that one command measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// What ran, when, and where.
    pub run: Run,
    /// Curves: a figure over something that was varied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// Distributions of latency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies: Vec<Latency>,
    /// Every trial under load, also those that were spoiled and repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
    /// The equation that was fitted to the curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// What a reader must know beside the figures: what was left out, what was spoiled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The figures by name, in the order in which they were first measured.
    #[serde(flatten)]
    pub figures: IndexMap<String, Figure>,
}

impl Document {
    /// An empty document of a command that begins now.
    pub fn begin(command: &str) -> Self {
        Self {
            run: Run::begin(command),
            series: Vec::new(),
            latencies: Vec::new(),
            trials: Vec::new(),
            model: None,
            notes: Vec::new(),
            figures: IndexMap::new(),
        }
    }

    /// Adds one sample of a figure.
    pub fn add(&mut self, name: &str, unit: &str, sample: f64) {
        match self.figures.get_mut(name) {
            Some(figure) => figure.push(sample),
            None => {
                self.figures.insert(name.to_owned(), Figure::new(unit, vec![sample]));
            }
        }
    }

    /// The same if it is a number. If it is none, since nothing was there to be counted, a note says so once.
    pub fn add_or_note(&mut self, name: &str, unit: &str, sample: f64) {
        if sample.is_finite() {
            return self.add(name, unit, sample);
        }
        let note = format!("{name}: a round had nothing to count and is left out");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Takes over all that another document holds but where it ran.
    pub fn absorb(&mut self, other: Self) {
        self.series.extend(other.series);
        self.latencies.extend(other.latencies);
        self.trials.extend(other.trials);
        self.notes.extend(other.notes);
        self.model = self.model.take().or(other.model);
        for (name, figure) in other.figures {
            for sample in &figure.samples {
                self.add(&name, &figure.unit, *sample);
            }
        }
    }

    /// The median of a figure.
    pub fn median(&self, name: &str) -> Option<f64> {
        self.figures.get(name).map(|figure| figure.median)
    }

    /// # Errors
    /// A file that cannot be read, or that is no such document.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{}: not a document of sgperf --json: {error}", path.display()).into())
    }

    /// The document as text, or as a table of its figures for people.
    /// # Errors
    /// None that was seen.
    pub fn print(&mut self, json: bool) -> Result<(), Box<dyn Error>> {
        self.run.end();
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!("{:<36} {:>14} {:>14} {:>14}", "", "median", "lowest", "highest");
        for (name, figure) in &self.figures {
            println!("{name:<36} {} {} {} {}", cell(figure.median), cell(figure.low), cell(figure.high), figure.unit);
        }
        for note in &self.notes {
            println!("note: {note}");
        }
        Ok(())
    }
}

/// A number for a column: as many decimals as it needs.
fn cell(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:>14.0}"),
        v if v >= 10.0 => format!("{value:>14.1}"),
        _ => format!("{value:>14.3}"),
    }
}

/// One axis of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it shows.
    pub label: String,
    /// In which unit; empty for a number without one.
    pub unit: String,
    /// Whether it is read best with a logarithmic scale.
    #[serde(default)]
    pub log: bool,
}

/// One point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What was varied.
    pub x: f64,
    /// The median of what was measured.
    pub y: f64,
    /// The lowest sample.
    pub low: f64,
    /// The highest sample.
    pub high: f64,
}

/// A figure over something that was varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name for programs.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// What was varied.
    pub x: Axis,
    /// What was measured.
    pub y: Axis,
    /// From the lowest `x`.
    pub points: Vec<Point>,
    /// What the model says at each point, if one was fitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<(f64, f64)>,
}

/// How long messages took, from the time at which they were due.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// What was offered, for people: "unsigned, 50 % of NDR".
    pub name: String,
    /// Messages offered a second.
    pub offered_per_s: f64,
    /// Messages counted.
    pub count: u64,
    /// Share of the messages in percent, and within how many microseconds they were through; from 0 % to 100 %.
    pub percentiles: Vec<(f64, f64)>,
    /// File beside the document with the whole histogram, in HdrHistogram's interval log format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How undisturbed a thread was during a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calm {
    /// Times that the system took the core from it.
    pub switches: u64,
    /// CPU time over time by the clock, at most 1; up to 10 ms too much, since the kernel counts in ticks.
    pub share: f64,
    /// CPU time, milliseconds, to a tick of the kernel.
    #[serde(default)]
    pub cpu_ms: f64,
    /// The longest time between two looks at its queues, microseconds.
    pub longest_gap_us: f64,
    /// Milliseconds that the host took from its core, in steps of 10.
    #[serde(default)]
    pub stolen_ms: u64,
}

/// One trial: a load offered for a while, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What it was for: "search", "final", "latency 50 %".
    pub phase: String,
    /// Messages that were to be offered a second.
    pub target_per_s: f64,
    /// Messages that were offered a second.
    pub offered_per_s: f64,
    /// Seconds of offering.
    pub seconds: f64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that came back, or something in their place, each counted once.
    pub received: u64,
    /// Messages that had to be refused and came to nothing, as datagrams do.
    #[serde(default)]
    pub silent: u64,
    /// Messages of which nothing came, and should have.
    pub lost: u64,
    /// Messages that came more than once.
    pub duplicates: u64,
    /// Messages that came after a later one of their stream.
    pub misordered: u64,
    /// Messages that passed and should have been refused, or the other way round.
    pub misjudged: u64,
    /// Of these, messages that passed and should have been refused.
    #[serde(default)]
    pub let_through: u64,
    /// Microseconds from the due time: median, 99 %, 99.9 %, 99.99 %, longest.
    pub latency_us: [f64; 5],
    /// The thread that sends and receives.
    pub tester: Calm,
    /// The workers of the gateway, the least calm of them; `None` where it is on another machine.
    pub gateway: Option<Calm>,
    /// Why the trial says nothing about the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoiled: Option<String>,
}
