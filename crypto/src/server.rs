//! What answers jobs: takes them from the rings of its workers into a chunk, verifies and signs, and writes the answers
//! back. A crypto thread turns it for ever; inline, the worker turns it itself at each flush.

use crate::cell::Reader;
use crate::engine::{CHECKS, Check, Engine, Mode, Reference, Verdicts};
use crate::job::{Answer, HEADER, Kind, LONGEST, Request, SHORT};
use crate::keyring::{Found, Keys};
use crate::ring::{Consumer, Producer, words_for};
use crate::sample::Sampler;
use crate::sign::MAX_OWN_SIGNATURE;
use crate::tables::Hits;
use core::hint::spin_loop;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Looks at the cell of keys until a job whose key is not in view yet is answered as failed. Control is there for the
/// exchange of a pointer; only a stalled machine makes it longer.
const LOOKS: u32 = 100_000;

/// Cost that a worker was given more than another and pays back, at most.
const MOST_DEBT: isize = -256;

/// The server's ends of one worker's two rings.
pub(crate) struct End {
    pub(crate) requests: Consumer,
    pub(crate) answers: Producer,
}

struct Lane {
    end: End,
    /// Cost that may still be taken in this round. Below 0: what was taken too much, since a job is taken whole.
    credit: isize,
    /// Nothing more comes from it in this round: no job, or no room for one.
    idle: bool,
    /// Words that the answers of the chunk will take.
    owed: usize,
}

/// A part of the chunk's octets.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
}

struct Slip {
    lane: usize,
    request: Request,
    digest: Span,
    signature: Span,
    message: Span,
    answer: Answer,
}

/// How a server works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tempo {
    /// Jobs of a chunk at most. They also cost no more than so many of cost 1, but for the last.
    pub(crate) most: usize,
    /// Age of its first job at which a chunk is begun although more keep coming.
    pub(crate) age: Duration,
}

impl Tempo {
    /// Jobs with which a chunk is begun without waiting for more: half of what it may have, so that an engine that looks
    /// ahead has something to look at when more are there already.
    pub(crate) fn start(self) -> usize {
        self.most.div_ceil(2)
    }
}

/// What a server works with.
pub(crate) struct Tools {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) mode: Mode,
    pub(crate) keys: Reader<Keys>,
    pub(crate) hits: Arc<Hits>,
    /// None where the reference answers anyway.
    pub(crate) sampler: Option<Sampler>,
}

/// The rings of all workers, a chunk, and an engine.
pub(crate) struct Server {
    lanes: Vec<Lane>,
    tempo: Tempo,
    tools: Tools,
    slips: Vec<Slip>,
    octets: Box<[u8]>,
    used: usize,
    /// What the jobs of the chunk cost together.
    cost: usize,
    opened: Option<Instant>,
    /// Whose turn it is to be first.
    first: usize,
}

impl Server {
    pub(crate) fn new(ends: Vec<End>, tempo: Tempo, tools: Tools) -> Self {
        Self {
            lanes: ends.into_iter().map(|end| Lane { end, credit: 0, idle: true, owed: 0 }).collect(),
            tempo,
            tools,
            slips: Vec::with_capacity(tempo.most),
            octets: vec![0; (tempo.most * 2 * SHORT + 2 * LONGEST) * 8].into_boxed_slice(),
            used: 0,
            cost: 0,
            opened: None,
            first: 0,
        }
    }

    /// Takes what has come, and runs the chunk if it is time to. Returns how many jobs were answered, or `None` where
    /// there was nothing to do at all.
    pub(crate) fn turn(&mut self) -> Option<usize> {
        self.tools.keys.refresh();
        let came = self.take();
        if self.slips.is_empty() {
            return None;
        }
        let aged = || self.opened.is_some_and(|opened| opened.elapsed() >= self.tempo.age);
        if came == 0 || self.cost >= self.tempo.start() || aged() { Some(self.run()) } else { Some(0) }
    }

    /// Answers all that is there and for which there is room, now. Returns how many chunks that took.
    pub(crate) fn turn_all(&mut self) -> u64 {
        self.tools.keys.refresh();
        let mut chunks = 0;
        while self.take() > 0 || !self.slips.is_empty() {
            self.run();
            chunks += 1;
        }
        chunks
    }

    /// Takes jobs into the chunk: first from each worker its part, by cost, then from whoever has more.
    fn take(&mut self) -> usize {
        let before = self.slips.len();
        let count = self.lanes.len();
        let part = self.tempo.most.saturating_sub(self.cost).div_ceil(count.max(1)).cast_signed();
        // What counts is who had less than the others: whoever had least begins with its part, and so does who had nothing to
        // do, which saves nothing up.
        let least_had = self.lanes.iter().filter(|lane| !lane.idle).map(|lane| lane.credit).max().unwrap_or(part);
        for lane in &mut self.lanes {
            let behind = if lane.idle { 0 } else { lane.credit - least_had };
            (lane.credit, lane.idle) = (part + behind.max(MOST_DEBT), false);
        }
        for step in 0..count {
            self.take_from((self.first + step) % count, 0);
        }
        while !self.is_full()
            && let Some((index, credit)) = self.richest()
        {
            self.take_from(index, credit - 1);
        }
        self.first = (self.first + 1) % count.max(1);
        let came = self.slips.len() - before;
        if came > 0 && self.opened.is_none() {
            self.opened = Some(Instant::now());
        }
        came
    }

    fn is_full(&self) -> bool {
        self.cost >= self.tempo.most
    }

    /// The worker that has had least of those that may have more, and its credit.
    fn richest(&self) -> Option<(usize, isize)> {
        let some = self.lanes.iter().enumerate().filter(|(_, lane)| !lane.idle);
        some.map(|(index, lane)| (index, lane.credit)).max_by_key(|(_, credit)| *credit)
    }

    /// * `least`: credit at which no more is taken from this worker
    fn take_from(&mut self, index: usize, least: isize) {
        let full = |cost: usize| cost >= self.tempo.most;
        let Some(lane) = self.lanes.get_mut(index) else { return };
        while lane.credit > least && !full(self.cost) {
            let Some(first) = lane.end.requests.peek() else {
                lane.idle = true;
                break;
            };
            let from = &lane.end.requests;
            let request = Request::from_header([first, from.word(1), from.word(2)]);
            let lengths = [usize::from(request.digest), request.carried(), usize::from(request.message)];
            let owed = lane.owed + request.answer_words();
            // No room for its octets or for its answer: it waits where it is.
            if lengths.iter().sum::<usize>() > self.octets.len() - self.used || !lane.end.answers.has_room(owed) {
                lane.idle = true;
                break;
            }
            let mut word = HEADER;
            let spans = lengths.map(|len| {
                let span = Span { start: self.used, len };
                if let Some(to) = self.octets.get_mut(span.start..span.start + len) {
                    from.copy(word, to);
                }
                word += words_for(len);
                self.used += len;
                span
            });
            let [digest, signature, message] = spans;
            self.slips.push(Slip { lane: index, request, digest, signature, message, answer: Answer::default() });
            lane.end.requests.skip(request.words());
            lane.owed = owed;
            let cost = usize::from(request.cost.max(1));
            self.cost += cost;
            lane.credit -= cost.cast_signed();
        }
        lane.end.requests.release();
    }

    /// Answers the chunk and empties it.
    fn run(&mut self) -> usize {
        let Self { tools, slips, octets, lanes, .. } = self;
        look_for_keys(&mut tools.keys, slips);
        for part in slips.chunks_mut(CHECKS) {
            verify(tools, octets, part);
        }
        for slip in slips.iter() {
            let Some(lane) = lanes.get_mut(slip.lane) else { continue };
            match slip.request.kind {
                Kind::Verify => answer(lane, slip.request.index, slip.answer, &[]),
                Kind::Sign => sign(tools.keys.held(), octets, slip, lane),
            }
        }
        for lane in lanes.iter_mut() {
            lane.owed = 0;
            lane.end.answers.publish();
        }
        let count = self.slips.len();
        self.slips.clear();
        self.used = 0;
        self.cost = 0;
        self.opened = None;
        count
    }
}

/// Looks until every key of the chunk is in view, or is known to have been withdrawn.
fn look_for_keys(keys: &mut Reader<Keys>, slips: &[Slip]) {
    // After the jobs were taken: what was published before them is seen now, unless control is at the cell.
    keys.refresh();
    for _ in 0..LOOKS {
        let unknown = |slip: &Slip| matches!(keys.held().find(slip.request.key), Found::Unknown);
        if keys.is_current() || !slips.iter().any(unknown) {
            return;
        }
        spin_loop();
        keys.refresh();
    }
}

/// Finds the verdicts of up to [`CHECKS`] jobs; jobs to sign are passed over.
fn verify(tools: &mut Tools, octets: &[u8], slips: &mut [Slip]) {
    let keys = tools.keys.held();
    let mut checks = [None; CHECKS];
    let mut places = [0; CHECKS];
    let mut count = 0;
    for (place, slip) in slips.iter_mut().enumerate().filter(|(_, slip)| slip.request.kind == Kind::Verify) {
        let entry = match keys.find(slip.request.key) {
            Found::Key(entry) => entry,
            Found::Stale => {
                slip.answer = Answer::Stale;
                continue;
            }
            Found::Unknown => {
                slip.answer = Answer::Failed;
                continue;
            }
        };
        let check = Check {
            key: &entry.key,
            table: entry.table.as_deref(),
            digest: part(octets, slip.digest),
            message: part(octets, slip.message),
            signature: part(octets, slip.signature),
        };
        if let (Some(to), Some(at)) = (checks.get_mut(count), places.get_mut(count)) {
            (*to, *at) = (Some((check, entry)), place);
            count += 1;
        }
    }
    let Some(Some((first, _))) = checks.first() else { return };
    let mut dense = [*first; CHECKS];
    dense.iter_mut().zip(checks.iter().flatten()).for_each(|(to, (check, _))| *to = *check);
    let dense = dense.get(..count).unwrap_or_default();
    let mut verdicts = Verdicts::default();
    let distrusted = tools.mode.is_distrusted();
    if distrusted {
        Reference.verify(dense, &mut verdicts);
    } else {
        tools.engine.verify(dense, &mut verdicts);
    }
    for (index, ((check, entry), &place)) in checks.iter().flatten().zip(&places).enumerate() {
        let Some(slip) = slips.get_mut(place) else { continue };
        let held = verdicts.held(index);
        slip.answer = if held { Answer::Verified } else { Answer::Refused };
        if verdicts.again(index) {
            entry.class.mark_again();
        }
        if held {
            // Only what held makes a key one that a wider table is worth: nobody's garbage is given the memory of others.
            tools.hits.hit(slip.request.key.slot);
        }
        if let Some(sampler) = tools.sampler.as_mut().filter(|_| !distrusted) {
            sampler.see(&slip.request, entry, check, (held, verdicts.is_by_device(index)));
        }
    }
}

/// Makes a signature, straight into the ring of answers.
fn sign(keys: &Keys, octets: &[u8], slip: &Slip, lane: &mut Lane) {
    let index = slip.request.index;
    let signer = match keys.find(slip.request.key) {
        Found::Key(entry) => entry.signer.as_ref(),
        Found::Stale => return answer(lane, index, Answer::Stale, &[]),
        Found::Unknown => None,
    };
    let mut out = [0; MAX_OWN_SIGNATURE];
    let made = signer.and_then(|signer| signer.sign(part(octets, slip.message), &mut out).ok());
    let made = made.filter(|&len| len == usize::from(slip.request.signature)).and_then(|len| out.get(..len));
    match made {
        Some(signature) => answer(lane, index, Answer::Signed(slip.request.signature), signature),
        None => answer(lane, index, Answer::Failed, &[]),
    }
}

fn answer(lane: &mut Lane, index: u32, answer: Answer, signature: &[u8]) {
    let pushed = lane.end.answers.push(answer.words(), &[answer.word(index)], &[signature]);
    debug_assert!(pushed, "room was kept when the job was taken");
}

fn part(octets: &[u8], span: Span) -> &[u8] {
    octets.get(span.start..span.start + span.len).unwrap_or_default()
}
