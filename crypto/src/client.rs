//! A worker's end of the pool: submit, flush once a turn, collect. Never blocks, and allocates nothing once running.

use crate::job::{Answer, Kind, LONGEST, MAX_MESSAGE, Outcome, Request, SHORT};
use crate::keyring::{KeyHandle, KeyRing, SignHandle};
use crate::pool::PoolConfig;
use crate::ring::{Consumer, Producer};
use crate::server::{End, Server};
use crate::shares::{Shares, Standing};
use crate::sign::MAX_OWN_SIGNATURE;
use crate::thread::Seat;
use crate::verify::Verified;
use crossbeam::queue::ArrayQueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Long messages that a ring takes whatever the queue's length.
const LONG: usize = 16;

/// Our own signatures whose octets fit into a ring of answers at a time; further ones wait where they are.
const SIGNATURES: usize = 64;

/// Why a job was not taken. It gets no outcome; the caller refuses or drops the message, with a reason of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// As many jobs are in flight as the queue takes, or their octets fill the rings.
    #[error("crypto queue is full")]
    Queue,
    /// The peer has its part of the queue in flight; others still have theirs.
    #[error("peer has used its share of the crypto queue")]
    Share,
    /// The message has more than [`MAX_MESSAGE`] octets and would have to be copied (Ed25519, signing).
    #[error("message is too long for the crypto queue")]
    TooLong,
    /// The key is installed in another ring than the pool's, and could be told from another key there by nothing.
    #[error("key is not of the pool's ring")]
    Foreign,
}

/// Outcomes so far; one writer each, read by [`Pool::stats`](crate::pool::Pool::stats).
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) verified: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) signed: AtomicU64,
    pub(crate) stale: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// A worker's ends of its rings to one thread, and that thread's seat.
pub(crate) struct Ends {
    requests: Producer,
    answers: Consumer,
    pub(crate) seat: Arc<Seat>,
}

impl Ends {
    /// Both sides of the rings between one worker and one thread.
    pub(crate) fn new(config: &PoolConfig, seat: &Arc<Seat>) -> (Self, End) {
        let (requests, from) = crate::ring::ring((config.queue * SHORT).max(LONG * LONGEST));
        let (answers, back) = crate::ring::ring(config.queue + SIGNATURES * (1 + MAX_OWN_SIGNATURE / 8));
        (Self { requests, answers: back, seat: Arc::clone(seat) }, End { requests: from, answers })
    }
}

/// Where control leaves the rings to a thread that was started again, and takes back those to the one before.
pub(crate) struct Relief {
    pub(crate) fresh: ArrayQueue<Box<Ends>>,
    pub(crate) spent: ArrayQueue<Box<Ends>>,
}

impl Relief {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { fresh: ArrayQueue::new(1), spent: ArrayQueue::new(1) })
    }
}

/// The way to one crypto thread, or to the server inline.
pub(crate) struct Lane {
    pub(crate) ends: Box<Ends>,
    pub(crate) relief: Arc<Relief>,
    /// Jobs given and not yet answered, and what they cost together.
    out: usize,
    load: usize,
    /// The thread has ended and what it left was taken in: whatever comes by these rings later answers jobs of before, whose
    /// numbers others may have by now.
    closed: bool,
}

impl Lane {
    pub(crate) fn new(ends: Ends, relief: Arc<Relief>) -> Self {
        Self { ends: Box::new(ends), relief, out: 0, load: 0, closed: false }
    }
}

/// Whose queue a job counts in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Peer(u32),
    Ourselves,
}

/// A job that waits for its answer.
#[derive(Clone, Copy)]
struct Pending {
    ticket: u64,
    owner: Owner,
    lane: usize,
    cost: u8,
}

/// One worker's access to the pool. Each job it accepts is answered exactly once, in any order, by
/// [`Client::collect`], also when crypto threads end or the pool is stopped.
pub struct Client {
    ring: KeyRing,
    lanes: Vec<Lane>,
    /// Where there are no threads.
    inline: Option<Box<Server>>,
    /// Jobs that go to one thread before the next one is chosen, and are shown to it together.
    batch: usize,
    queue: usize,
    share_percent: u32,
    shares: Shares,
    standing: Standing,
    /// Cost of what peers and we have in flight.
    load: usize,
    /// Whether the pool has engines that read tables.
    tables: bool,
    jobs: Box<[Option<Pending>]>,
    free: Vec<u32>,
    /// Lane of the moment, and the cost of jobs given to it since it was chosen.
    lane: usize,
    given: usize,
    counters: Arc<Counters>,
}

impl Client {
    pub(crate) fn new(
        config: &PoolConfig,
        ring: KeyRing,
        lanes: Vec<Lane>,
        inline: Option<Box<Server>>,
        counters: Arc<Counters>,
        tables: bool,
    ) -> Self {
        let queue = u32::try_from(config.queue).unwrap_or(u32::MAX);
        Self {
            ring,
            lanes,
            inline,
            batch: config.batch.div_ceil(2),
            queue: config.queue,
            share_percent: config.share_percent.into(),
            shares: Shares::new(config.queue),
            standing: Standing::new(),
            load: 0,
            tables,
            jobs: vec![None; config.queue].into_boxed_slice(),
            free: (0..queue).rev().collect(),
            lane: 0,
            given: 0,
            counters,
        }
    }

    /// Asks whether `signature` (raw form) holds for `message` under `key`.
    ///
    /// All is hashed here, while the message is hot in the caller's cache; Ed25519 travels with its message nevertheless,
    /// since the reference takes nothing else. A signature of the wrong length is taken and comes back refused.
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
        key: &KeyHandle,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Busy> {
        let copied = if key.key().takes_message() { message } else { &[] };
        if copied.len() > MAX_MESSAGE {
            return Err(Busy::TooLong);
        }
        let cost = key.class().verification(key.key().alg(), key.key().signature_len(), self.tables);
        if self.left() > 0 && !self.has_share(share, cost) {
            return Err(Busy::Share);
        }
        let signature = if signature.len() == key.key().signature_len() { signature } else { &[] };
        // Before anything is hashed for nothing.
        self.admit(key)?;
        let of_table = || key.class().has_table().then(|| key.key().challenge(message, signature)).flatten();
        let digest = key.key().digest(message).or_else(of_table);
        let digest = digest.as_ref().map_or(&[][..], AsRef::as_ref);
        let request = Request {
            kind: Kind::Verify,
            index: 0,
            key: key.id(),
            digest: u8::try_from(digest.len()).map_err(|_| Busy::TooLong)?,
            signature: u16::try_from(signature.len()).map_err(|_| Busy::TooLong)?,
            message: u16::try_from(copied.len()).map_err(|_| Busy::TooLong)?,
            cost,
        };
        self.submit(ticket, Owner::Peer(share), request, &[digest, signature, copied])?;
        self.shares.add(share, request.cost);
        Ok(())
    }

    /// Asks for a signature over `message`. Our own messages use no peer's share.
    /// * `ticket`: comes back with the outcome
    /// # Errors
    /// [`Busy::Queue`], [`Busy::TooLong`] or [`Busy::Foreign`]; the job was not taken and gets no outcome.
    pub fn sign(&mut self, ticket: u64, key: &SignHandle, message: &[u8]) -> Result<(), Busy> {
        if message.len() > MAX_MESSAGE {
            return Err(Busy::TooLong);
        }
        self.admit(key.handle())?;
        let request = Request {
            kind: Kind::Sign,
            index: 0,
            key: key.handle().id(),
            digest: 0,
            signature: u16::try_from(key.public().signature_len()).map_err(|_| Busy::TooLong)?,
            message: u16::try_from(message.len()).map_err(|_| Busy::TooLong)?,
            cost: 1,
        };
        self.submit(ticket, Owner::Ourselves, request, &[message])
    }

    /// Whether the peer may have one more job in flight: as much as `share_percent` of the queue if it is alone, and less
    /// the fuller the queue is of others, so that some of it is always left for whoever comes next.
    ///
    /// What counts is cost, not number: a peer that never has enough gets as much of the pool's time as any other such peer,
    /// since all of them have as much work in queues that are served in their order; one that asks for less gets all that it
    /// asks for. A peer whose signatures do not hold has no more than a chunk in flight, so that nobody waits behind it.
    /// A peer that has nothing in flight may have one job, whatever it costs.
    fn has_share(&self, share: u32, cost: u8) -> bool {
        let (has, left) = (u64::from(self.shares.get(share)), self.left() as u64);
        let would = if has == 0 { 0 } else { has + u64::from(cost.saturating_sub(1)) };
        let part = would * u64::from(100 - self.share_percent.min(100)) < left * u64::from(self.share_percent);
        part && (would < self.batch as u64 || !self.standing.is_bad(share))
    }

    /// What is left of the queue, in jobs of cost 1.
    fn left(&self) -> usize {
        self.queue.saturating_sub(self.load)
    }

    fn admit(&self, key: &KeyHandle) -> Result<(), Busy> {
        if !self.ring.is(key) {
            Err(Busy::Foreign)
        } else if self.free.is_empty() || self.left() == 0 {
            Err(Busy::Queue)
        } else {
            Ok(())
        }
    }

    /// Writes a job into the ring of the lane of the moment. Without any thread left it is answered as failed.
    fn submit(&mut self, ticket: u64, owner: Owner, request: Request, runs: &[&[u8]]) -> Result<(), Busy> {
        self.choose();
        let (Some(lane), Some(&index)) = (self.lanes.get_mut(self.lane), self.free.last()) else {
            return Err(Busy::Queue);
        };
        if lane.ends.seat.is_taken() {
            let request = Request { index, ..request };
            let requests = &mut lane.ends.requests;
            if !requests.push(request.words(), &request.header(), runs) {
                // What is in it may be shown and taken meanwhile.
                requests.publish();
                self.given = self.batch;
                return Err(Busy::Queue);
            }
            if requests.unpublished() >= self.batch * SHORT {
                requests.publish();
            }
        }
        let Some(place) = self.jobs.get_mut(index as usize) else { return Err(Busy::Queue) };
        *place = Some(Pending { ticket, owner, lane: self.lane, cost: request.cost });
        self.free.pop();
        let cost = usize::from(request.cost);
        lane.out += 1;
        lane.load += cost;
        self.load += cost;
        self.given += cost;
        Ok(())
    }

    /// Goes on to the thread that has the least of our work, once the present one has got a chunk of them.
    fn choose(&mut self) {
        let stays = self.given < self.batch && self.lanes.get(self.lane).is_some_and(|lane| lane.ends.seat.is_taken());
        if stays {
            return;
        }
        let alive = self.lanes.iter().enumerate().filter(|(_, lane)| lane.ends.seat.is_taken());
        self.lane = alive.min_by_key(|(_, lane)| lane.load).map_or(self.lane, |(index, _)| index);
        self.given = 0;
    }

    /// Once a turn: shows the crypto threads all that was submitted. Inline: verifies and signs it, now.
    pub fn flush(&mut self) {
        for lane in &mut self.lanes {
            lane.ends.requests.publish();
        }
        self.given = self.batch;
        if let (Some(server), Some(lane)) = (&mut self.inline, self.lanes.first()) {
            let chunks = server.turn_all();
            lane.ends.seat.add_chunks(chunks);
        }
    }

    /// Calls `each` for every job that has been answered since the last time. Never blocks.
    pub fn collect(&mut self, each: &mut dyn FnMut(Outcome<'_>)) {
        let Self { lanes, jobs, free, shares, standing, load, counters, .. } = self;
        let mut sums = [0_u64; 5];
        for (index, lane) in lanes.iter_mut().enumerate() {
            // Looked at first: of a thread that has ended nothing comes after what the ring holds then.
            let alive = lane.ends.seat.is_taken();
            let mut settle = |out: &mut usize, lane_load: &mut usize, job: u32, answer: Answer, signature: &[u8]| {
                let Some(place) = jobs.get_mut(job as usize) else { return };
                // A number that is not out on this lane is nobody's answer.
                let Some(pending) = place.take_if(|pending| pending.lane == index) else { return };
                *out -= 1;
                *lane_load -= usize::from(pending.cost);
                *load -= usize::from(pending.cost);
                free.push(job);
                if let Owner::Peer(share) = pending.owner {
                    shares.release(share, pending.cost);
                    match answer {
                        Answer::Verified => standing.better(share),
                        Answer::Refused => standing.worse(share),
                        _ => {}
                    }
                }
                let (outcome, sum) = outcome(pending, answer, signature);
                if let Some(count) = sums.get_mut(sum) {
                    *count += 1;
                }
                each(outcome);
            };
            let answers = &mut lane.ends.answers;
            while lane.out > 0
                && !lane.closed
                && let Some(word) = answers.peek()
            {
                let (job, answer) = Answer::from_word(word);
                // Room for a signature only where there is one: most turns collect nothing.
                if let Answer::Signed(len) = answer {
                    let mut signature = [0; MAX_OWN_SIGNATURE];
                    let made = signature.get_mut(..len.into()).unwrap_or_default();
                    answers.copy(1, made);
                    answers.skip(answer.words());
                    settle(&mut lane.out, &mut lane.load, job, answer, made);
                } else {
                    answers.skip(answer.words());
                    settle(&mut lane.out, &mut lane.load, job, answer, &[]);
                }
            }
            answers.release();
            if !alive {
                lane.closed = true;
                // What it was given and did not answer, nobody will.
                let count = if lane.out > 0 { u32::try_from(self.queue).unwrap_or(u32::MAX) } else { 0 };
                for job in 0..count {
                    settle(&mut lane.out, &mut lane.load, job, Answer::Failed, &[]);
                }
                if let Some(fresh) = lane.relief.fresh.pop() {
                    let spent = std::mem::replace(&mut lane.ends, fresh);
                    lane.closed = false;
                    // Control frees it; there is room, since it takes the last one back before it gives a new one.
                    let _ = lane.relief.spent.push(spent);
                }
            }
        }
        let counts = [&counters.verified, &counters.refused, &counters.signed, &counters.stale, &counters.failed];
        for (count, sum) in counts.into_iter().zip(sums).filter(|(_, sum)| *sum > 0) {
            count.store(count.load(Ordering::Relaxed) + sum, Ordering::Relaxed);
        }
    }

    /// Jobs accepted and not yet answered through [`Client::collect`].
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.queue - self.free.len()
    }
}

/// What a worker hears, and which counter counts it. An answer that does not fit the question is a failure.
fn outcome(pending: Pending, answer: Answer, signature: &[u8]) -> (Outcome<'_>, usize) {
    let ticket = pending.ticket;
    let asked = pending.owner != Owner::Ourselves;
    match answer {
        Answer::Verified if asked => (Outcome::Verified(Verified::new(ticket)), 0),
        Answer::Refused if asked => (Outcome::Refused { ticket }, 1),
        Answer::Signed(len) if !asked && usize::from(len) == signature.len() => {
            (Outcome::Signed { ticket, signature }, 2)
        }
        Answer::Stale => (Outcome::Stale { ticket }, 3),
        _ => (Outcome::Failed { ticket }, 4),
    }
}
