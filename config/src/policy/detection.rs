//! The section `detection` (formats 13.1 and 13.4).

use std::path::PathBuf;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section};
use crate::words::DETECT_MODE;

pub(super) fn read(item: &Item<'_>) -> Detection {
    let other = Detection::default();
    let mut section = Section::open(item);
    let subscribers = section.get("subscribers").map(|item| subscribers(&item));
    let steps = section.get("steps").map(|item| steps(&item));
    let sources = section.get("sources").map(|item| sources(&item));
    let velocity = section.get("velocity").map(|item| velocity(&item));
    let previous_location = section.get("previous_location").map(|item| {
        let mut section = Section::open(&item);
        let switch = switch(&mut section, other.previous_location);
        section.close();
        switch
    });
    let multi_request = section.get("multi_request").map(|item| windowed(&item, other.multi_request));
    let scan = section.get("scan").map(|item| scan(&item));
    let flood = section.get("flood").map(|item| flood(&item));
    let multi_protocol = section.get("multi_protocol").map(|item| windowed(&item, other.multi_protocol));
    let cross_generation = section.get("cross_generation").map(|item| windowed(&item, other.cross_generation));
    section.close();
    Detection {
        subscribers: subscribers.unwrap_or(other.subscribers),
        steps: steps.unwrap_or(other.steps),
        sources: sources.unwrap_or(other.sources),
        velocity: velocity.unwrap_or(other.velocity),
        previous_location: previous_location.unwrap_or(other.previous_location),
        multi_request: multi_request.unwrap_or(other.multi_request),
        scan: scan.unwrap_or(other.scan),
        flood: flood.unwrap_or(other.flood),
        multi_protocol: multi_protocol.unwrap_or(other.multi_protocol),
        cross_generation: cross_generation.unwrap_or(other.cross_generation),
    }
}

/// What every detector has.
fn switch(section: &mut Section<'_>, other: Switch) -> Switch {
    let mode = section.get("mode").and_then(|item| item.word("a mode of a detector", DETECT_MODE));
    let learn = section.get("learn").and_then(|item| units::duration_s(&item, 0..=2_592_000));
    Switch { mode: mode.unwrap_or(other.mode), learn_s: learn.unwrap_or(other.learn_s) }
}

fn subscribers(item: &Item<'_>) -> SubscriberMemory {
    let other = SubscriberMemory::default();
    let mut section = Section::open(item);
    let limit = section.get("limit").and_then(|item| item.number(1024..=100_000_000, "subscribers"));
    let idle = section.get("idle").and_then(|item| units::duration_s(&item, 36_000..=2_160_000));
    section.close();
    SubscriberMemory { limit: size(limit, other.limit), idle_s: idle.unwrap_or(other.idle_s) }
}

fn size(read: Option<u64>, other: usize) -> usize {
    read.and_then(|number| usize::try_from(number).ok()).unwrap_or(other)
}

fn steps(item: &Item<'_>) -> StepMemory {
    let mut section = Section::open(item);
    let limit = section.get("limit").and_then(|item| item.number(1024..=16_777_216, "subscribers"));
    section.close();
    StepMemory { limit: size(limit, StepMemory::default().limit) }
}

fn sources(item: &Item<'_>) -> SourceMemory {
    let mut section = Section::open(item);
    let limit = section.get("limit").and_then(|item| item.number(256..=1_048_576, "sources"));
    section.close();
    SourceMemory { limit: size(limit, SourceMemory::default().limit) }
}

fn velocity(item: &Item<'_>) -> Velocity {
    let other = Velocity::default();
    let mut section = Section::open(item);
    let switch = switch(&mut section, other.switch);
    let kmh = section.get("kmh").and_then(|item| units::number(&item, 100..=10_000, "kilometres an hour"));
    let file = section.get("geo");
    if switch.mode != DetectMode::Off && file.is_none() {
        section.missing("geo", "geo.csv; config/examples/geo.csv is one to begin with");
    }
    section.close();
    let file = file.and_then(|item| item.text("the name of a file").map(PathBuf::from));
    let geo = file.map(|file| Geo { file, places: Vec::new() });
    Velocity { switch, kmh: kmh.unwrap_or(other.kmh), geo }
}

fn scan(item: &Item<'_>) -> Scan {
    let other = Scan::default();
    let mut section = Section::open(item);
    let switch = switch(&mut section, other.switch);
    let window = section.get("window").and_then(|item| units::duration_s(&item, 1..=86_400));
    let subscribers = section.get("subscribers").and_then(|item| units::number(&item, 10..=1_000_000, "subscribers"));
    section.close();
    Scan { switch, window_s: window.unwrap_or(other.window_s), subscribers: subscribers.unwrap_or(other.subscribers) }
}

fn flood(item: &Item<'_>) -> Flood {
    let other = Flood::default();
    let mut section = Section::open(item);
    let switch = switch(&mut section, other.switch);
    let per_second =
        section.get("per_second").and_then(|item| units::number(&item, 1..=1_000_000, "requests a second"));
    let burst = section.get("burst").and_then(|item| units::number(&item, 1..=1_000_000, "requests"));
    section.close();
    Flood { switch, per_second: per_second.unwrap_or(other.per_second), burst: burst.unwrap_or(other.burst) }
}

fn windowed(item: &Item<'_>, other: Windowed) -> Windowed {
    let mut section = Section::open(item);
    let switch = switch(&mut section, other.switch);
    let window = section.get("window").and_then(|item| units::duration_s(&item, 2..=3600));
    section.close();
    Windowed { switch, window_s: window.unwrap_or(other.window_s) }
}
