//! The tester: one thread that sends what is due and takes what comes, and never waits for the gateway.
//!
//! Open loop: each message has a due time that depends on the offered load alone. A message that cannot be sent then,
//! because somebody stalled, is late all the same, and its latency counts from when it was due.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use quanta::Clock;
use sealgate_dataplane::io::{Frame, FrameIo};

use super::calm::Watched;
use super::feed::{Feed, Side};
use super::ledger::{Counts, Ledger};
use crate::mix::Shape;
use crate::record::Calm;

/// Frames sent between two looks at what came.
const BURST: usize = 32;
/// How long nothing may come until what is missing counts as lost.
const QUIET: Duration = Duration::from_millis(50);
/// How long a trial's rest may take at most.
const REST: Duration = Duration::from_secs(2);

/// What one trial offers.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Messages a second.
    pub rate: f64,
    /// For so many seconds.
    pub seconds: f64,
    /// Start of what is drawn by chance.
    pub seed: u64,
    /// How they are spread over the time.
    pub shape: Shape,
    /// Whether the trial may end once it has lost so many messages; what comes after that would change nothing.
    pub enough: Option<u64>,
}

/// What came of a trial.
pub struct Outcome {
    /// All messages.
    pub counts: Counts,
    /// Those that were to pass.
    pub passed: Counts,
    /// Frames that found no room at the gateway's port, as they would be lost in a network card.
    pub turned_away: u64,
    /// Frames made, each with one message or more.
    pub frames: u64,
    /// Messages offered a second.
    pub offered_per_s: f64,
    /// Messages that came back a second, while there were some.
    pub forwarded_per_s: f64,
    /// Seconds of offering.
    pub seconds: f64,
    /// From due to come, nanoseconds.
    pub latency: Histogram<u64>,
    /// How calm the tester's own thread was.
    pub tester: Calm,
}

/// Sends on two ports what a feed makes, and receives on both.
pub struct Tester<P: FrameIo, F> {
    /// The ports on the other end of the gateway's: interconnect and home.
    ports: [P; 2],
    feed: F,
    ledger: Ledger,
    clock: Clock,
    out: [VecDeque<P::Frame>; 2],
    came: Vec<P::Frame>,
    octets: Vec<u8>,
}

impl<P: FrameIo, F: Feed> Tester<P, F> {
    /// A tester over ports that lead to the gateway's interconnect and home port.
    pub fn new(ports: [P; 2], feed: F) -> Self {
        Self {
            ledger: Ledger::new(feed.associations(), |association, side| feed.first_tsn(association, side)),
            ports,
            feed,
            clock: Clock::new(),
            out: [VecDeque::with_capacity(2 * BURST), VecDeque::with_capacity(2 * BURST)],
            came: Vec::with_capacity(2 * BURST),
            octets: Vec::with_capacity(2048),
        }
    }

    /// Opens the associations: each packet is through before the next one is sent, since two ports keep no order.
    ///
    /// # Errors
    /// A gateway that lets one of them not through within two seconds.
    pub fn open(&mut self) -> Result<(), String> {
        let frames = self.feed.handshake();
        let all = frames.len();
        for (number, (side, octets)) in frames.into_iter().enumerate() {
            let until = self.clock.now() + REST;
            let mut sent = self.put(side, &octets);
            while !sent || self.take(0) == 0 {
                sent = sent || self.put(side, &octets);
                self.flush();
                if self.clock.now() > until {
                    let number = number + 1;
                    return Err(format!(
                        "packet {number} of {all} that open associations did not come through in 2 s: the gateway must \
                         run with this profile's configuration (sgperf mix PROFILE --write DIR), interconnect and home \
                         not exchanged"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Offers a load and waits for its last message.
    pub fn trial(&mut self, offer: &Offer) -> Outcome {
        self.ledger.begin();
        let watched = Watched::this();
        let mark = watched.mark();
        let began_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let (origin, end) = (self.clock.raw(), (offer.seconds * 1e9) as u64);
        let mut dues = offer.shape.due(offer.rate, offer.seed);
        let mut due = dues.next().unwrap_or(u64::MAX);
        let (mut turned_away, mut last, mut gap, mut made, mut frames) = (0, 0, 0, 0_u64, 0);
        loop {
            let now = self.clock.delta_as_nanos(origin, self.clock.raw());
            gap = gap.max(now - last);
            last = now;
            let until = now.min(end);
            for _ in 0..BURST {
                if due > until {
                    break;
                }
                let ledger = &self.ledger;
                let passed = |side, association, tsn| ledger.passed_on(side, association, tsn);
                let sent = self.feed.next(began_ms + now / 1_000_000, &mut self.octets, passed);
                for chunk in 0..u32::from(sent.chunks) {
                    let refuse = sent.refuse >> chunk & 1 == 1;
                    let tsn = sent.first_tsn.wrapping_add(chunk);
                    self.ledger.sent(sent.side, sent.association, tsn, due, refuse, sent.datagram);
                    due = dues.next().unwrap_or(u64::MAX);
                    made += 1;
                }
                frames += 1;
                let octets = std::mem::take(&mut self.octets);
                turned_away += u64::from(!self.put(sent.side, &octets));
                self.octets = octets;
            }
            turned_away += self.send();
            self.take(origin);
            // After the end there may be some left that were due before it.
            if now >= end && due > end || now >= 2 * end + 1_000_000 {
                break;
            }
            if offer.enough.is_some_and(|enough| turned_away >= enough) {
                break;
            }
        }
        let calm = mark.map(|mark| watched.since(&mark, Duration::from_nanos(gap)));
        self.settle(origin);
        let (counts, passed) = (self.ledger.counts().clone(), self.ledger.passed().clone());
        let seconds = (last.max(1)) as f64 / 1e9;
        Outcome {
            offered_per_s: made as f64 / seconds,
            forwarded_per_s: counts.received as f64 / seconds,
            seconds,
            frames,
            turned_away,
            latency: self.ledger.latency().clone(),
            tester: calm.unwrap_or_default(),
            counts,
            passed,
        }
    }

    /// Puts a frame into the queue to be sent; false if no buffer is free, or none is large enough.
    fn put(&mut self, side: Side, octets: &[u8]) -> bool {
        let Some(mut frame) = self.ports.get_mut(side as usize).and_then(FrameIo::alloc) else { return false };
        match (frame.set(octets), self.out.get_mut(side as usize)) {
            (Ok(()), Some(out)) => out.push_back(frame),
            _ => return false,
        }
        true
    }

    /// Sends what waits.
    fn flush(&mut self) {
        for (port, out) in self.ports.iter_mut().zip(&mut self.out) {
            port.tx(out);
        }
    }

    /// Sends what waits; what finds no room is gone. Returns how many frames that was.
    fn send(&mut self) -> u64 {
        let mut gone = 0;
        for (port, out) in self.ports.iter_mut().zip(&mut self.out) {
            if !out.is_empty() {
                port.tx(out);
                gone += out.len() as u64;
                out.clear();
            }
        }
        gone
    }

    /// Takes a burst from each port; returns how many frames came.
    fn take(&mut self, origin: u64) -> usize {
        let mut frames = 0;
        for port in &mut self.ports {
            if port.rx(&mut self.came, 2 * BURST) == 0 {
                continue;
            }
            let now = self.clock.delta_as_nanos(origin, self.clock.raw());
            frames += self.came.len();
            for frame in self.came.drain(..) {
                let ledger = &mut self.ledger;
                self.feed.read(frame.octets(), &mut |side, association, tsn, fate| {
                    ledger.came(side, association, tsn, fate, now);
                });
            }
        }
        frames
    }

    /// Takes what is still under way.
    fn settle(&mut self, origin: u64) {
        let began = self.clock.now();
        let mut heard = began;
        loop {
            let now = self.clock.now();
            if self.take(origin) > 0 {
                heard = now;
            }
            // A little longer if none is missing: one of them might come twice.
            let quiet = if self.ledger.counts().lost() == 0 { QUIET / 25 } else { QUIET };
            if now.duration_since(heard) > quiet || now.duration_since(began) > REST {
                break;
            }
        }
    }
}
