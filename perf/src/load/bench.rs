//! What is measured under load: trials one after the other, each written down, and what follows from them.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sealgate_dataplane::io::FrameIo;

use super::calm::spoiled;
use super::feed::Feed;
use super::search::{Ask, Found, Goal, Shot, search};
use super::tester::{Offer, Outcome, Tester};
use crate::mix::Shape;
use crate::record::{Document, Latency, Trial};

/// Shares of the messages whose latency is written down, in percent.
const PERCENTILES: [f64; 18] =
    [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99, 99.995, 99.999, 100.0];
/// Of what was to be offered, so much must be.
const OFFERED: f64 = 0.99;
/// More than any tester can send.
const FULL_RATE: f64 = 1e9;
/// A trial that is not part of a search is made so often until it is undisturbed.
const ATTEMPTS: u32 = 4;
/// Messages of the longest burst.
const LONGEST_BURST: f64 = 1_048_576.0;
/// A soak is told in pieces of this length.
const SOAK_PIECE: Duration = Duration::from_secs(10);

/// A tester and a gateway, and what was seen so far.
pub struct Bench<'a, P: FrameIo, F, D> {
    tester: Tester<P, F>,
    /// The gateway under test.
    pub device: D,
    document: &'a mut Document,
    /// Of the traffic, before the names of its figures.
    mix: String,
    shape: Shape,
    seed: u64,
    /// Whether what is under test judges messages; one that only forwards does not.
    judges: bool,
    progress: ProgressBar,
}

impl<'a, P: FrameIo, F: Feed, D: super::rig::Device> Bench<'a, P, F, D> {
    /// * `mix`: name of the traffic; it stands before the names of all its figures
    /// # Errors
    /// Associations that do not open.
    pub fn new(
        mut tester: Tester<P, F>,
        device: D,
        document: &'a mut Document,
        mix: &str,
        shape: Shape,
        seed: u64,
    ) -> Result<Self, String> {
        tester.open()?;
        let progress = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}") {
            progress.set_style(style);
        }
        Ok(Self { tester, device, document, mix: mix.to_owned(), shape, seed, judges: true, progress })
    }

    /// What is under test only forwards: no verdict of it is looked at.
    pub fn forwards_all(&mut self) {
        self.judges = false;
    }

    /// The tester at its full rate: frames and messages that it can send and receive.
    /// # Errors
    /// A gateway that does not answer.
    pub fn full_rate(&mut self, seconds: f64) -> Result<(), String> {
        let (outcome, trial) = self.trial("full rate", FULL_RATE, seconds, None)?;
        self.figure("frames_per_s_per_core", "/s", outcome.frames as f64 / trial.seconds);
        self.figure("msgs_per_s_per_core", "/s", trial.offered_per_s);
        self.figure("full_rate_lost", "", trial.lost as f64);
        Ok(())
    }

    fn figure(&mut self, name: &str, unit: &str, value: f64) {
        self.document.add(&format!("{}.{name}", self.mix), unit, value);
    }

    /// One trial, written down.
    ///
    /// * `enough`: messages lost after which it may end early
    /// # Errors
    /// A gateway that does not answer.
    pub fn trial(
        &mut self,
        phase: &str,
        rate: f64,
        seconds: f64,
        enough: Option<u64>,
    ) -> Result<(Outcome, Trial), String> {
        self.seed = self.seed.wrapping_add(1);
        self.device.begin()?;
        let outcome = self.tester.trial(&Offer { rate, seconds, shape: self.shape, seed: self.seed, enough });
        let gateway = self.device.end()?;
        let ended_early = outcome.seconds < seconds * OFFERED;
        let disturbed = [("the tester", Some(outcome.tester)), ("the gateway", gateway)]
            .into_iter()
            .find_map(|(who, calm)| spoiled(who, &calm?));
        let behind = (outcome.offered_per_s < rate * OFFERED && !ended_early && rate < FULL_RATE)
            .then(|| format!("the tester offered {:.0} messages a second only", outcome.offered_per_s));
        let us = |quantile: f64| outcome.latency.value_at_quantile(quantile) as f64 / 1e3;
        let trial = Trial {
            phase: format!("{}: {phase}", self.mix),
            target_per_s: rate,
            offered_per_s: outcome.offered_per_s,
            seconds: outcome.seconds,
            sent: outcome.counts.sent,
            received: outcome.counts.received,
            silent: outcome.counts.silent,
            lost: outcome.counts.lost(),
            duplicates: outcome.counts.duplicates,
            misordered: outcome.counts.misordered,
            misjudged: if self.judges { outcome.counts.let_through + outcome.counts.turned_down } else { 0 },
            let_through: if self.judges { outcome.counts.let_through } else { 0 },
            latency_us: [us(0.5), us(0.99), us(0.999), us(0.9999), outcome.latency.max() as f64 / 1e3],
            tester: outcome.tester,
            gateway,
            spoiled: disturbed.or(behind),
        };
        self.progress.set_message(format!(
            "{}: {:.0}/s, {} lost, p99 {:.0} us{}",
            trial.phase,
            trial.offered_per_s,
            trial.lost,
            us(0.99),
            if trial.spoiled.is_some() { ", disturbed" } else { "" },
        ));
        self.progress.tick();
        self.document.trials.push(trial.clone());
        Ok((outcome, trial))
    }

    /// A trial that is made again while it was disturbed, a few times; then the least disturbed one counts, and stays flagged.
    /// # Errors
    /// A gateway that does not answer.
    pub fn calm_trial(&mut self, phase: &str, rate: f64, seconds: f64) -> Result<(Outcome, Trial), String> {
        let mut calmest = self.trial(phase, rate, seconds, None)?;
        for _ in 1..ATTEMPTS {
            if calmest.1.spoiled.is_none() {
                return Ok(calmest);
            }
            let next = self.trial(phase, rate, seconds, None)?;
            if next.1.spoiled.is_none() || longest_gap(&next.1) < longest_gap(&calmest.1) {
                calmest = next;
            }
        }
        if let Some(why) = &calmest.1.spoiled {
            let note =
                format!("{}: {phase}: disturbed in each of {ATTEMPTS} trials; the calmest counts: {why}", self.mix);
            self.document.notes.push(note);
        }
        Ok(calmest)
    }

    /// Searches for the highest load that holds, and writes it down under this name.
    /// # Errors
    /// A gateway that does not answer.
    pub fn search(&mut self, name: &str, goal: &Goal) -> Result<Found, String> {
        let mut fault = None;
        let found = search(goal, |ask: Ask| {
            let enough = (goal.loss_ratio * ask.rate * ask.seconds) as u64 + 1;
            let phase = if ask.last_phase { format!("{name}, final") } else { format!("{name}, search") };
            // The flood at the begin shows what is forwarded: it runs to its end.
            let enough = (ask.rate < goal.range.1).then_some(enough);
            match self.trial(&phase, ask.rate, ask.seconds, enough) {
                Ok((outcome, trial)) => Shot {
                    sent: trial.sent,
                    // To its sender a good message that is refused is lost.
                    lost: trial.lost + trial.misjudged,
                    forwarded_per_s: outcome.forwarded_per_s,
                    spoiled: trial.spoiled.is_some(),
                },
                Err(why) => {
                    // Nothing holds from here on, and the search soon ends.
                    fault.get_or_insert(why);
                    Shot { sent: 0, lost: 0, forwarded_per_s: 0.0, spoiled: false }
                }
            }
        });
        if let Some(why) = fault {
            return Err(why);
        }
        match found.holds {
            Some(holds) => self.figure(&format!("{name}_msgs_per_s"), "/s", holds),
            None => self.note(&format!("{name}: not even {:.0} messages a second hold", goal.range.0)),
        }
        match found.fails {
            Some(fails) => self.figure(&format!("{name}_upper_msgs_per_s"), "/s", fails),
            None => self.note(&format!("{name}: the highest load that was tried holds: the gateway may do more")),
        }
        if found.repeated > 0 {
            self.note(&format!("{name}: {} of {} trials were disturbed and made again", found.repeated, found.trials));
        }
        if found.flagged > 0 {
            let note = format!(
                "{name}: {} trials were disturbed to the end and counted as loss: the true value may be higher",
                found.flagged
            );
            self.note(&note);
        }
        Ok(found)
    }

    /// Something that a reader must know beside the figures.
    pub fn note(&mut self, text: &str) {
        self.document.notes.push(format!("{}: {text}", self.mix));
    }

    /// Latency at a load, from the due time, of messages that are to pass.
    ///
    /// * `name`: for people: "50 % of NDR"; `key`: for the names of the figures
    ///
    /// Returns the distribution's whole histogram too.
    /// # Errors
    /// A gateway that does not answer.
    pub fn latency(&mut self, name: &str, key: &str, rate: f64, seconds: f64) -> Result<Outcome, String> {
        let (outcome, trial) = self.calm_trial(&format!("latency at {name}"), rate, seconds)?;
        for (key_of, us) in ["p50", "p99", "p999", "p9999", "max"].iter().zip(trial.latency_us) {
            self.figure(&format!("latency_{key}_{key_of}_us"), "us", us);
        }
        let at = |percent: f64| (percent, outcome.latency.value_at_percentile(percent) as f64 / 1e3);
        self.document.latencies.push(Latency {
            name: format!("{}, {name}", self.mix),
            offered_per_s: trial.offered_per_s,
            count: outcome.latency.len(),
            percentiles: PERCENTILES.map(at).to_vec(),
            file: None,
        });
        Ok(outcome)
    }

    /// Reloads under load: how long the gateway was blocked by each, if loss is time (lost over offered rate).
    /// # Errors
    /// A policy that does not compile, or a gateway that cannot be told to.
    pub fn reload(&mut self, rate: f64, reloads: u32, seconds: f64) -> Result<(), String> {
        let mut lost = 0;
        for _ in 0..reloads {
            // Half of the time before, half after: the next trial begins when the workers have moved on.
            let (_, before) = self.trial("reload, before", rate, seconds / 2.0, None)?;
            self.device.reload()?;
            let (_, after) = self.trial("reload, after", rate, seconds / 2.0, None)?;
            lost += before.lost + after.lost;
        }
        self.figure("reload_lost", "", lost as f64);
        self.figure("reload_blocked_us", "us", lost as f64 / rate / f64::from(reloads.max(1)) * 1e6);
        Ok(())
    }

    /// The longest burst at this rate of which nothing is lost, in messages (RFC 9004).
    ///
    /// * `seconds`: a burst lasts no longer
    /// # Errors
    /// A gateway that does not answer.
    pub fn back_to_back(&mut self, rate: f64, seconds: f64, rounds: u32) -> Result<(), String> {
        let longest = (rate * seconds).clamp(2.0, LONGEST_BURST);
        let mut all_held = true;
        for _ in 0..rounds {
            let (mut holds, mut fails) = (1.0_f64, longest);
            while fails > holds * 1.05 {
                let length = (holds * fails).sqrt();
                let (_, trial) = self.trial("back to back", rate, length / rate, None)?;
                if trial.lost == 0 { holds = length } else { fails = length }
            }
            all_held &= fails == longest;
            self.figure("back_to_back_msgs", "messages", holds);
        }
        if all_held {
            self.note(&format!(
                "back to back: no burst was too long at {rate:.0} messages a second; a higher --max-rate asks for more"
            ));
        }
        Ok(())
    }

    /// A load kept up for a long time, in pieces of ten seconds or less.
    /// # Errors
    /// A gateway that does not answer.
    pub fn soak(&mut self, rate: f64, time: Duration) -> Result<(), String> {
        let pieces = time.as_millis().div_ceil(SOAK_PIECE.as_millis()).max(1);
        let (mut sent, mut lost, mut disturbed) = (0, 0, 0);
        for piece in 1..=pieces {
            let seconds = time.as_secs_f64() / pieces as f64;
            let (_, trial) = self.trial(&format!("soak, {piece} of {pieces}"), rate, seconds, None)?;
            (sent, lost) = (sent + trial.sent, lost + trial.lost);
            disturbed += u32::from(trial.spoiled.is_some());
            self.figure("soak_p999_us", "us", trial.latency_us[2]);
        }
        self.figure("soak_sent", "messages", sent as f64);
        self.figure("soak_lost", "messages", lost as f64);
        if disturbed > 0 {
            self.note(&format!("soak: {disturbed} of {pieces} pieces were disturbed; what they lost counts"));
        }
        Ok(())
    }

    /// Far more than the gateway can take: what is left to those whose messages are to pass.
    ///
    /// * `times`: of `ndr`, messages a second
    /// # Errors
    /// A gateway that does not answer.
    pub fn overload(&mut self, times: f64, ndr: f64, seconds: f64) -> Result<(), String> {
        let (outcome, trial) = self.calm_trial(&format!("overload {times:.0}x"), ndr * times, seconds)?;
        let key = format!("overload_{times:.0}x");
        let good = outcome.passed.received as f64 / outcome.passed.sent.max(1) as f64;
        self.figure(&format!("{key}_offered_msgs_per_s"), "/s", trial.offered_per_s);
        self.figure(&format!("{key}_answered_msgs_per_s"), "/s", outcome.forwarded_per_s);
        self.figure(&format!("{key}_good_that_passed"), "", good);
        self.figure(&format!("{key}_bad_that_passed"), "messages", trial.let_through as f64);
        self.figure(&format!("{key}_good_p99_us"), "us", trial.latency_us[1]);
        Ok(())
    }

    /// Names the file in which the whole histogram of the last latency is.
    pub fn file_of_last(&mut self, file: &str) {
        if let Some(last) = self.document.latencies.last_mut() {
            last.file = Some(file.to_owned());
        }
    }

    /// Ends, and gives both back: the gateway must end first, since ports in shared memory do not outlive their peer.
    pub fn end(self) -> (Tester<P, F>, D) {
        self.progress.finish_and_clear();
        (self.tester, self.device)
    }
}

/// The longest time between two polls, of tester and gateway, microseconds.
fn longest_gap(trial: &Trial) -> f64 {
    trial.tester.longest_gap_us.max(trial.gateway.map_or(0.0, |gateway| gateway.longest_gap_us))
}
