//! Detectors as the packet path sees them (formats 13.4).

use std::sync::Arc;

use sealgate_config::model::{DetectMode, Detection as Config, Switch};
use sealgate_wire::Reason;

use super::geo::Geo;
use crate::state::rate::Limit;
use crate::state::sources::ScanLimit;

/// A detector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Detector {
    /// A location update from where the subscriber cannot be yet.
    Velocity,
    /// A message from elsewhere than where the subscriber was last seen.
    PreviousLocation,
    /// Steps of one procedure from different operators.
    MultiRequest,
    /// Moved in MAP and in S6a to different operators.
    MultiProtocol,
    /// Vectors fetched in MAP from elsewhere than the subscriber is on S6a.
    CrossGeneration,
    /// One source that asks for many subscribers.
    Scan,
    /// One source that sends many requests.
    Flood,
}

impl Detector {
    /// All of them, in the order in which they look.
    pub const ALL: [Self; 7] = [
        Self::Velocity,
        Self::PreviousLocation,
        Self::MultiRequest,
        Self::MultiProtocol,
        Self::CrossGeneration,
        Self::Scan,
        Self::Flood,
    ];

    /// The reason of what it finds.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Velocity => Reason::DetVelocity,
            Self::PreviousLocation => Reason::DetPrevLocation,
            Self::MultiRequest => Reason::DetMultiRequest,
            Self::MultiProtocol => Reason::DetMultiProtocol,
            Self::CrossGeneration => Reason::DetCrossGeneration,
            Self::Scan => Reason::DetScan,
            Self::Flood => Reason::DetFlood,
        }
    }
}

/// How large memories are.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Subscribers whose place is remembered.
    pub subscribers: usize,
    /// For how long, seconds.
    pub idle_s: u32,
    /// Subscribers whose steps are remembered.
    pub steps: usize,
    /// Sources that are counted.
    pub sources: usize,
}

/// Whether and how detectors look.
#[derive(Clone, Debug)]
pub struct Detection {
    /// Whether any detector looks.
    pub any: bool,
    /// Sizes of memories, which a start takes.
    pub sizes: Sizes,
    switches: [Switch; 7],
    /// Kilometres an hour that are plausible.
    pub kmh: u32,
    /// How far apart steps of one procedure may lie to be one attack, milliseconds.
    pub steps_ms: u64,
    /// The same of moves in two protocols.
    pub protocols_ms: u64,
    /// The same of an attachment and vectors fetched.
    pub generations_ms: u64,
    /// How many subscribers a source may ask for.
    pub scan: ScanLimit,
    /// How many requests a source may send.
    pub flood: Limit,
    /// Where numbers and networks are.
    pub geo: Arc<Geo>,
}

impl Detection {
    /// What the policy says, with these places.
    pub(super) fn compile(config: &Config, geo: Arc<Geo>) -> Self {
        let ms = |seconds: u32| u64::from(seconds) * 1000;
        let Config { scan, flood, .. } = config;
        let switch = |detector| match detector {
            Detector::Velocity => config.velocity.switch,
            Detector::PreviousLocation => config.previous_location,
            Detector::MultiRequest => config.multi_request.switch,
            Detector::MultiProtocol => config.multi_protocol.switch,
            Detector::CrossGeneration => config.cross_generation.switch,
            Detector::Scan => scan.switch,
            Detector::Flood => flood.switch,
        };
        let switches = Detector::ALL.map(switch);
        Self {
            any: switches.iter().any(|switch| switch.mode != DetectMode::Off),
            sizes: Sizes {
                subscribers: config.subscribers.limit,
                idle_s: config.subscribers.idle_s,
                steps: config.steps.limit,
                sources: config.sources.limit,
            },
            switches,
            kmh: config.velocity.kmh,
            steps_ms: ms(config.multi_request.window_s),
            protocols_ms: ms(config.multi_protocol.window_s),
            generations_ms: ms(config.cross_generation.window_s),
            scan: ScanLimit::new(scan.subscribers, ms(scan.window_s)),
            flood: Limit { per_second: flood.per_second, burst: flood.burst },
            geo,
        }
    }

    /// Mode and learning period of a detector.
    pub fn switch(&self, detector: Detector) -> Switch {
        self.switches[detector as usize]
    }

    /// Whether a detector looks.
    pub fn looks(&self, detector: Detector) -> bool {
        self.switch(detector).mode != DetectMode::Off
    }

    /// Whether any does that must know where subscribers are.
    pub fn follows(&self) -> bool {
        self.looks(Detector::Velocity) || self.looks(Detector::PreviousLocation)
    }

    /// Whether any does that looks at steps.
    pub fn steps(&self) -> bool {
        [Detector::MultiRequest, Detector::MultiProtocol, Detector::CrossGeneration]
            .into_iter()
            .any(|one| self.looks(one))
    }

    /// Whether any does that looks at sources.
    pub fn counts(&self) -> bool {
        self.looks(Detector::Scan) || self.looks(Detector::Flood)
    }
}
