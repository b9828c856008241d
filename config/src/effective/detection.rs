//! The section `detection` as it is printed.

use serde_yaml::Value;

use super::{LEFT_OUT, map, path, seconds, word};
use crate::model::*;
use crate::words::DETECT_MODE;

pub(super) fn section(detection: &Detection) -> Value {
    let Detection { subscribers, velocity, scan, flood, .. } = detection;
    map([
        ("subscribers", map([("limit", subscribers.limit.into()), ("idle", seconds(subscribers.idle_s))])),
        ("steps", map([("limit", detection.steps.limit.into())])),
        ("sources", map([("limit", detection.sources.limit.into())])),
        (
            "velocity",
            map([
                mode(&velocity.switch),
                learn(&velocity.switch),
                ("kmh", velocity.kmh.into()),
                ("geo", velocity.geo.as_ref().map_or(LEFT_OUT, |geo| path(&geo.file))),
            ]),
        ),
        ("previous_location", map([mode(&detection.previous_location), learn(&detection.previous_location)])),
        ("multi_request", windowed(&detection.multi_request)),
        (
            "scan",
            map([
                mode(&scan.switch),
                learn(&scan.switch),
                ("window", seconds(scan.window_s)),
                ("subscribers", scan.subscribers.into()),
            ]),
        ),
        (
            "flood",
            map([
                mode(&flood.switch),
                learn(&flood.switch),
                ("per_second", flood.per_second.into()),
                ("burst", flood.burst.into()),
            ]),
        ),
        ("multi_protocol", windowed(&detection.multi_protocol)),
        ("cross_generation", windowed(&detection.cross_generation)),
    ])
}

fn windowed(detector: &Windowed) -> Value {
    map([mode(&detector.switch), learn(&detector.switch), ("window", seconds(detector.window_s))])
}

fn mode(switch: &Switch) -> (&'static str, Value) {
    ("mode", word(DETECT_MODE, &switch.mode).into())
}

fn learn(switch: &Switch) -> (&'static str, Value) {
    ("learn", seconds(switch.learn_s))
}
