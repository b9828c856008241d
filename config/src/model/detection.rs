//! What only several messages show (ITU-T Q.3066): detectors, and the memories that they look into (formats 13.4).

use std::path::PathBuf;

use sealgate_wire::addr::Digits;

/// The section `detection`: all detectors are off where it is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detection {
    /// Memory of where subscribers were last seen.
    pub subscribers: SubscriberMemory,
    /// Memory of what subscribers did within an hour.
    pub steps: StepMemory,
    /// Memory of sources: calling Global Titles and Origin-Hosts.
    pub sources: SourceMemory,
    /// A location update from where the subscriber cannot be yet.
    pub velocity: Velocity,
    /// A message about a subscriber from another operator than where it was last seen.
    pub previous_location: Switch,
    /// Steps of one procedure from different operators.
    pub multi_request: Windowed,
    /// One source that asks for many subscribers.
    pub scan: Scan,
    /// One source that sends many messages.
    pub flood: Flood,
    /// A subscriber that moves to one operator in MAP and to another in S6a.
    pub multi_protocol: Windowed,
    /// Authentication vectors fetched in MAP by another operator than where the subscriber is on S6a.
    pub cross_generation: Windowed,
}

impl Default for Detection {
    fn default() -> Self {
        Self {
            subscribers: SubscriberMemory::default(),
            steps: StepMemory::default(),
            sources: SourceMemory::default(),
            velocity: Velocity::default(),
            previous_location: Switch::default(),
            // Who delivers asks just before.
            multi_request: Windowed { window_s: 60, ..Windowed::default() },
            scan: Scan::default(),
            flood: Flood::default(),
            multi_protocol: Windowed::default(),
            cross_generation: Windowed::default(),
        }
    }
}

/// What becomes of a message that a detector finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DetectMode {
    /// Nobody looks.
    #[default]
    Off,
    /// It is counted as an event and passes.
    Alert,
    /// It is refused.
    Drop,
}

/// Whether a detector looks, and since when it refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switch {
    /// What becomes of what it finds.
    pub mode: DetectMode,
    /// How long after a start, or after it was switched on, drop does as alert does, seconds: 0 to 2592000.
    pub learn_s: u32,
}

impl Switch {
    /// Off, with this learning period, seconds.
    const fn off(learn_s: u32) -> Self {
        Self { mode: DetectMode::Off, learn_s }
    }
}

impl Default for Switch {
    /// Off; a day.
    fn default() -> Self {
        Self::off(86_400)
    }
}

/// Memory of where subscribers were last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubscriberMemory {
    /// Subscribers remembered by all workers together: 1024 to 100000000.
    pub limit: usize,
    /// Time after which a subscriber is forgotten of whom nothing was seen, seconds: 36000 to 2160000.
    pub idle_s: u32,
}

impl Default for SubscriberMemory {
    fn default() -> Self {
        Self { limit: 65_536, idle_s: 604_800 }
    }
}

/// Memory of steps: who was told where a subscriber is, who purged it, where it moved to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StepMemory {
    /// Subscribers whose steps are remembered by all workers together: 1024 to 16777216.
    pub limit: usize,
}

impl Default for StepMemory {
    fn default() -> Self {
        Self { limit: 65_536 }
    }
}

/// Memory of sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceMemory {
    /// Sources remembered by all workers together: 256 to 1048576.
    pub limit: usize,
}

impl Default for SourceMemory {
    fn default() -> Self {
        Self { limit: 4096 }
    }
}

/// How fast a subscriber may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Velocity {
    /// Whether it looks.
    pub switch: Switch,
    /// Kilometres an hour that are plausible: 100 to 10000.
    pub kmh: u32,
    /// Where operators are; there wherever the mode is not off.
    pub geo: Option<Geo>,
}

impl Default for Velocity {
    fn default() -> Self {
        Self { switch: Switch::default(), kmh: 1000, geo: None }
    }
}

/// Where numbers and networks are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Geo {
    /// The file.
    pub file: PathBuf,
    /// What it says, in its order; empty if the policy was read from a text without a file.
    pub places: Vec<GeoPlace>,
}

/// One line of a geography.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GeoPlace {
    /// What is there.
    pub code: GeoCode,
    /// Latitude of its middle, millionths of a degree north: -90000000 to 90000000.
    pub latitude: i32,
    /// Longitude of its middle, millionths of a degree east: -180000000 to 180000000.
    pub longitude: i32,
    /// How far from the middle it reaches, kilometres: 0 to 20000.
    pub radius_km: u16,
    /// Its name, for people.
    pub name: String,
}

/// What a line of a geography is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GeoCode {
    /// Global Titles and node numbers that begin so, 1 to 15 digits of E.164.
    Number(Digits),
    /// Networks that begin so: MCC, or MCC and MNC, 3, 5 or 6 digits of E.212.
    Network(Digits),
}

/// One source that asks for many subscribers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Whether it looks.
    pub switch: Switch,
    /// Time in which subscribers are counted, seconds: 1 to 86400.
    pub window_s: u32,
    /// Different subscribers that a source may ask for in a window: 10 to 1000000.
    pub subscribers: u32,
}

impl Default for Scan {
    fn default() -> Self {
        Self { switch: Switch::default(), window_s: 600, subscribers: 5000 }
    }
}

/// One source that sends many messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flood {
    /// Whether it looks.
    pub switch: Switch,
    /// Requests of a source a second, in the long run: 1 to 1000000.
    pub per_second: u32,
    /// Requests at once after a pause: 1 to 1000000.
    pub burst: u32,
}

impl Default for Flood {
    fn default() -> Self {
        Self { switch: Switch::default(), per_second: 500, burst: 1000 }
    }
}

/// A detector that compares two events within a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windowed {
    /// Whether it looks.
    pub switch: Switch,
    /// How far apart both may lie, seconds: 2 to 3600.
    pub window_s: u32,
}

impl Default for Windowed {
    fn default() -> Self {
        Self { switch: Switch::default(), window_s: 300 }
    }
}
