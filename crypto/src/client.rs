//! A worker's end of the pool: submit, flush once a turn, collect. Never blocks, and allocates nothing once running.

use crate::engine::Engine;
use crate::job::{Batch, MAX_MESSAGE, Outcome};
use crate::pool::PoolConfig;
use crate::shares::Shares;
use crate::sign::SigningKey;
use crate::thread::{Alive, Rings};
use crate::verify::PublicKey;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Batches beyond what the queue needs when all are full, so that small ones can travel at low load.
const SPARE_BATCHES: usize = 16;

/// Why a job was not taken. It gets no outcome; the caller refuses or drops the message, with a reason of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// As many jobs are in flight as the queue takes, or their octets fill all batches.
    #[error("crypto queue is full")]
    Queue,
    /// The peer has its part of the queue in flight; others still have theirs.
    #[error("peer has used its share of the crypto queue")]
    Share,
    /// The message has more than [`MAX_MESSAGE`] octets and would have to be copied (Ed25519, signing).
    #[error("message is too long for the crypto queue")]
    TooLong,
}

/// Outcomes so far; one writer each, read by [`Pool::stats`](crate::pool::Pool::stats).
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) batches: AtomicU64,
    pub(crate) verified: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) signed: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// The way to one crypto thread.
pub(crate) struct Lane {
    pub(crate) rings: Rings,
    pub(crate) alive: Alive,
    /// Batches there or on their way back.
    pub(crate) out: usize,
}

/// Who computes.
pub(crate) enum Crew {
    /// The caller of [`Client::flush`].
    Inline(Box<dyn Engine>),
    Threads(Vec<Lane>),
}

/// One worker's access to the pool. Each job it accepts is answered exactly once, in any order, by
/// [`Client::collect`], also when crypto threads end or the pool is stopped.
pub struct Client {
    crew: Crew,
    batch: usize,
    age: Duration,
    queue: usize,
    share_limit: u32,
    shares: Shares,
    in_flight: usize,
    open: Option<Box<Batch>>,
    free: VecDeque<Box<Batch>>,
    /// Inline only: full batches that wait for `flush`.
    ready: VecDeque<Box<Batch>>,
    done: VecDeque<Box<Batch>>,
    /// Whether a job came since the last flush.
    fresh: bool,
    counters: Arc<Counters>,
}

impl Client {
    /// Batches that a client of this configuration owns, which is what each of its rings must hold.
    pub(crate) fn batches(config: &PoolConfig) -> usize {
        config.queue.div_ceil(config.batch.max(1)) + SPARE_BATCHES
    }

    pub(crate) fn new(config: &PoolConfig, crew: Crew, counters: Arc<Counters>) -> Self {
        let batches = Self::batches(config);
        let share_limit = config.queue.saturating_mul(usize::from(config.share_percent)) / 100;
        Self {
            crew,
            batch: config.batch,
            age: Duration::from_micros(u64::from(config.batch_us)),
            queue: config.queue,
            share_limit: u32::try_from(share_limit.max(1)).unwrap_or(u32::MAX),
            shares: Shares::new(config.queue),
            in_flight: 0,
            open: None,
            free: (0..batches).map(|_| Box::new(Batch::new(config.batch))).collect(),
            ready: VecDeque::with_capacity(batches),
            done: VecDeque::with_capacity(batches),
            fresh: false,
            counters,
        }
    }

    /// Asks whether `signature` (raw form) holds for `message` under `key`.
    ///
    /// A signature of the wrong length is taken and comes back refused.
    /// * `ticket`: comes back with the outcome; the pool attaches no meaning to it
    /// * `share`: number of the peer whose part of the queue this uses
    /// # Errors
    /// [`Busy`]; the job was not taken and gets no outcome.
    /// # Source
    /// formats.md 1.3 and 1.6 (crypto_share).
    pub fn verify(
        &mut self,
        ticket: u64,
        share: u32,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Busy> {
        if key.takes_message() && message.len() > MAX_MESSAGE {
            return Err(Busy::TooLong);
        }
        if self.in_flight < self.queue && self.shares.get(share) >= self.share_limit {
            return Err(Busy::Share);
        }
        self.submit(|batch| batch.push_verify(ticket, share, key, message, signature).is_ok())?;
        self.shares.add(share);
        Ok(())
    }

    /// Asks for a signature over `message`. Our own messages use no peer's share.
    /// * `ticket`: comes back with the outcome
    /// # Errors
    /// [`Busy::Queue`] or [`Busy::TooLong`]; the job was not taken and gets no outcome.
    pub fn sign(&mut self, ticket: u64, key: &SigningKey, message: &[u8]) -> Result<(), Busy> {
        if message.len() > MAX_MESSAGE {
            return Err(Busy::TooLong);
        }
        self.submit(|batch| batch.push_sign(ticket, key, message).is_ok())
    }

    /// Adds a job to the open batch, or to the next one if it has no room for it.
    fn submit(&mut self, mut push: impl FnMut(&mut Batch) -> bool) -> Result<(), Busy> {
        if self.in_flight >= self.queue {
            return Err(Busy::Queue);
        }
        let pushed = self.open.as_mut().is_some_and(|open| push(open));
        if !pushed {
            let mut next = self.free.pop_front().ok_or(Busy::Queue)?;
            // Any one job fits into an empty batch.
            if !push(&mut next) {
                self.free.push_front(next);
                return Err(Busy::TooLong);
            }
            if let Some(full) = self.open.replace(next) {
                self.hand_over(full);
            }
        }
        self.in_flight += 1;
        self.fresh = true;
        if let Some(full) = self.open.take_if(|open| open.is_full()) {
            self.hand_over(full);
        }
        Ok(())
    }

    /// Once a turn: hands over the open batch when its first job is `batch_us` old or no job came since the last
    /// flush. Inline: verifies and signs all that was submitted, now.
    pub fn flush(&mut self) {
        self.flush_at(Instant::now());
    }

    /// As [`Client::flush`], with the time as a value.
    pub fn flush_at(&mut self, now: Instant) {
        let paused = !std::mem::take(&mut self.fresh);
        match &mut self.crew {
            Crew::Inline(engine) => {
                self.ready.extend(self.open.take());
                while let Some(mut batch) = self.ready.pop_front() {
                    batch.run(engine.as_mut());
                    self.done.push_back(batch);
                }
            }
            Crew::Threads(_) => {
                // A small batch may go only while the batches left can still take the rest of the queue.
                let room = self.free.len().saturating_mul(self.batch) >= self.queue - self.in_flight;
                let age = self.age;
                let due = self.open.take_if(|open| {
                    room && (paused || open.opened().is_some_and(|at| now.saturating_duration_since(at) >= age))
                });
                if let Some(batch) = due {
                    self.hand_over(batch);
                }
            }
        }
    }

    /// Gives a batch to the thread that has the fewest of ours. Without one it is answered as failed.
    fn hand_over(&mut self, batch: Box<Batch>) {
        match &mut self.crew {
            Crew::Inline(_) => self.ready.push_back(batch),
            Crew::Threads(lanes) => {
                let lane = lanes.iter_mut().filter(|lane| lane.alive.get()).min_by_key(|lane| lane.out);
                match lane {
                    Some(lane) => match lane.rings.requests.push(batch) {
                        Ok(()) => lane.out += 1,
                        Err(batch) => self.done.push_back(batch),
                    },
                    None => self.done.push_back(batch),
                }
            }
        }
    }

    /// Calls `each` for every job that has been answered since the last time. Never blocks.
    pub fn collect(&mut self, each: &mut dyn FnMut(Outcome<'_>)) {
        if let Crew::Threads(lanes) = &mut self.crew {
            for lane in lanes.iter_mut().filter(|lane| lane.out > 0) {
                // Looked at first: of a thread that has ended nothing comes after what the ring holds then.
                let alive = lane.alive.get();
                while let Some(batch) = lane.rings.results.pop() {
                    lane.out = lane.out.saturating_sub(1);
                    self.done.push_back(batch);
                }
                if !alive {
                    // Nobody else takes these any more. They were never run, so they answer `Failed`.
                    while let Some(batch) = lane.rings.requests.pop() {
                        lane.out = lane.out.saturating_sub(1);
                        self.done.push_back(batch);
                    }
                }
            }
        }
        let [mut batches, mut verified, mut refused, mut signed, mut failed] = [0_u64; 5];
        while let Some(mut batch) = self.done.pop_front() {
            batches += 1;
            self.in_flight = self.in_flight.saturating_sub(batch.len());
            batch.answer(|share, outcome| {
                if let Some(share) = share {
                    self.shares.release(share);
                }
                match &outcome {
                    Outcome::Verified(_) => verified += 1,
                    Outcome::Refused { .. } => refused += 1,
                    Outcome::Signed { .. } => signed += 1,
                    Outcome::Failed { .. } => failed += 1,
                }
                each(outcome);
            });
            // The most recent one first: its octets are still in the cache.
            self.free.push_front(batch);
        }
        if batches > 0 {
            self.counters.batches.fetch_add(batches, Ordering::Relaxed);
            self.counters.verified.fetch_add(verified, Ordering::Relaxed);
            self.counters.refused.fetch_add(refused, Ordering::Relaxed);
            self.counters.signed.fetch_add(signed, Ordering::Relaxed);
            self.counters.failed.fetch_add(failed, Ordering::Relaxed);
        }
    }

    /// Jobs accepted and not yet answered through [`Client::collect`].
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Check, Reference, Verdicts};
    use crate::pool::Pool;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use std::sync::atomic::AtomicBool;

    /// Waits while `held`, and dies when `broken`; otherwise the reference.
    #[derive(Clone, Default)]
    struct Fragile {
        held: Arc<AtomicBool>,
        broken: Arc<AtomicBool>,
    }

    impl Engine for Fragile {
        fn verify(&mut self, checks: &mut dyn Iterator<Item = Check<'_>>, verdicts: &mut Verdicts) {
            while self.held.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            // Even what was granted before does not count when the engine does not come to its end.
            Reference.verify(checks, verdicts);
            assert!(!self.broken.load(Ordering::Acquire), "engine told to break");
        }
    }

    fn key() -> (SigningKey, Vec<u8>) {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let key = SigningKey::from_pkcs8_der(der.as_ref()).unwrap();
        let mut out = [0; 256];
        let len = key.sign(b"m", &mut out).unwrap();
        (key, out[..len].to_vec())
    }

    fn config(cores: &[usize]) -> PoolConfig {
        PoolConfig { cores: cores.to_vec(), batch: 4, batch_us: 20, queue: 64, share_percent: 100 }
    }

    fn drain(client: &mut Client) -> Vec<(u64, bool)> {
        let (mut seen, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
        while client.in_flight() > 0 {
            client.flush();
            client.collect(&mut |outcome| {
                assert!(matches!(outcome, Outcome::Verified(_) | Outcome::Failed { .. }), "{outcome:?}");
                seen.push((outcome.ticket(), matches!(outcome, Outcome::Verified(_))));
            });
            assert!(Instant::now() < deadline, "{} jobs never came back", client.in_flight());
            std::thread::yield_now();
        }
        seen.sort_unstable();
        seen
    }

    #[test]
    fn a_thread_that_dies_fails_what_it_had_and_loses_nothing() {
        let (key, signature) = key();
        let engine = Fragile::default();
        let (pool, mut clients) = Pool::start_with(&config(&[0]), 2, || Box::new(engine.clone())).unwrap();
        engine.held.store(true, Ordering::Release);
        for client in &mut clients {
            for ticket in 0..30 {
                client.verify(ticket, 0, &key.public(), b"m", &signature).unwrap();
            }
        }
        engine.broken.store(true, Ordering::Release);
        engine.held.store(false, Ordering::Release);
        for client in &mut clients {
            let seen = drain(client);
            assert!(seen.iter().map(|(ticket, _)| *ticket).eq(0..30));
            assert!(seen.iter().all(|(_, verified)| !verified), "a batch cut short proves nothing");
            // And from now on.
            client.verify(30, 0, &key.public(), b"m", &signature).unwrap();
            assert_eq!(drain(client), [(30, false)]);
        }
        let stats = pool.stats();
        assert_eq!((stats.threads, stats.alive, stats.verified, stats.failed), (1, 0, 0, 62));
        assert_eq!(pool.stop(), 0);
    }

    #[test]
    fn the_other_thread_takes_over() {
        let (key, signature) = key();
        let engines = [Fragile::default(), Fragile::default()];
        let mut next = engines.iter().cloned();
        let (pool, mut clients) = Pool::start_with(&config(&[0, 1]), 1, || Box::new(next.next().unwrap())).unwrap();
        let client = &mut clients[0];
        engines[0].broken.store(true, Ordering::Release);
        // Two whole batches: the first thread gets one of them, or both while it is the only idle one.
        for ticket in 0..8 {
            client.verify(ticket, 0, &key.public(), b"m", &signature).unwrap();
        }
        assert!(drain(client).iter().any(|(_, verified)| !verified));
        for ticket in 0..16 {
            client.verify(ticket, 0, &key.public(), b"m", &signature).unwrap();
        }
        assert!(drain(client).into_iter().eq((0..16).map(|ticket| (ticket, true))));
        assert_eq!(pool.stats().alive, 1);
        assert_eq!(pool.stop(), 0);
    }

    #[test]
    fn a_part_filled_batch_goes_by_age_or_by_silence() {
        let (key, signature) = key();
        let (_pool, mut clients) = Pool::start(config(&[0]), 1).unwrap();
        let client = &mut clients[0];
        let now = Instant::now();
        client.verify(0, 0, &key.public(), b"m", &signature).unwrap();
        client.flush_at(now);
        assert!(client.open.is_some(), "young, and a job came in this turn");
        client.verify(1, 0, &key.public(), b"m", &signature).unwrap();
        client.flush_at(Instant::now() + Duration::from_micros(20));
        assert!(client.open.is_none(), "old");
        client.verify(2, 0, &key.public(), b"m", &signature).unwrap();
        client.flush_at(now);
        assert!(client.open.is_some());
        client.flush_at(now);
        assert!(client.open.is_none(), "nothing more came");
        assert_eq!(drain(client), [(0, true), (1, true), (2, true)]);
    }

    #[test]
    fn small_batches_never_cost_the_queue_its_promise() {
        let (key, signature) = key();
        let engine = Fragile::default();
        let (_pool, mut clients) = Pool::start_with(&config(&[0]), 1, || Box::new(engine.clone())).unwrap();
        let client = &mut clients[0];
        engine.held.store(true, Ordering::Release);
        let late = Instant::now() + Duration::from_secs(1);
        for ticket in 0..64 {
            assert_eq!(client.verify(ticket, 0, &key.public(), b"m", &signature), Ok(()), "{ticket}");
            client.flush_at(late);
        }
        assert_eq!(client.verify(64, 0, &key.public(), b"m", &signature), Err(Busy::Queue));
        engine.held.store(false, Ordering::Release);
        assert!(drain(client).into_iter().eq((0..64).map(|ticket| (ticket, true))));
    }

    #[test]
    fn inline_runs_everything_at_flush() {
        let (key, signature) = key();
        let (pool, mut clients) = Pool::start(config(&[]), 1).unwrap();
        let client = &mut clients[0];
        for ticket in 0..9 {
            client.verify(ticket, 0, &key.public(), b"m", &signature).unwrap();
        }
        client.collect(&mut |outcome| panic!("{outcome:?} before flush"));
        client.flush();
        let mut tickets = Vec::new();
        client.collect(&mut |outcome| tickets.push(outcome.ticket()));
        assert!(tickets.into_iter().eq(0..9), "inline keeps the order");
        let stats = pool.stats();
        assert_eq!((stats.threads, stats.batches, stats.verified), (0, 3, 9));
        let _ = pool.stop();
    }
}
