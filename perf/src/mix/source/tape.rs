//! A capture played again and again in the associations of a world.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use sealgate_crypto::job::MAX_BATCH;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::PolicyCell;

use super::super::Side;
use super::super::capture::{self, Taken};
use super::super::lane::Lane;
use super::super::made::{Made, Worth};
use super::super::message::{Kind, PEERS};
use super::super::operation::Protocol;
use super::super::profile::Profile;
use super::super::reader::{Fate, Reader};
use super::super::template::Template;
use super::super::world::World;
use super::{CHUNK, Draft, MAX_FRAME, Sent, Source};

/// One message of the tape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Play {
    pub(super) side: Side,
    pub(super) association: u16,
    /// It shares the packet of the one before.
    pub(super) joined: bool,
    /// Whose key signs it.
    pub(super) key: Option<u32>,
    pub(super) template: usize,
    pub(super) refuse: bool,
}

/// All that is played, and where it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) plays: Vec<Play>,
    at: usize,
}

impl Tape {
    /// The next message; it begins again at its end. `None` if it is empty.
    fn next(&mut self) -> Option<Play> {
        let play = self.plays.get(self.at).copied();
        self.at = (self.at + 1) % self.plays.len().max(1);
        play
    }

    /// The next message, where it shares the packet of the one before.
    fn joined(&self) -> Option<&Play> {
        self.plays.get(self.at).filter(|play| play.joined)
    }
}

/// Laps before the fates of the last are believed: a signature of the capture that is still fresh passes the first time only.
const LAPS: usize = 2;
/// Turns that settle whatever one packet holds.
const TURNS: usize = 4;

impl Source {
    /// A source that plays the messages of a capture (pcap or pcapng) again and again.
    ///
    /// Messages keep their octets from SCCP up, but for a transaction identifier of the same length that is new each time.
    /// They travel in the world's associations, each association of the capture in one of them, with its TSNs, stream
    /// numbers, addresses and point codes. What makes no sense alone is left out: parts of messages, answers, management.
    /// From our own network comes what has a calling title of ours. The fate of each message is what a worker of the world
    /// makes of it, asked beforehand.
    ///
    /// * `sign`: BEGINs from titles of the world's peers are signed afresh each time, whether they were or not
    ///
    /// # Errors
    /// A capture that cannot be read, or in which nothing can be played.
    pub fn from_capture(
        path: &Path,
        profile: &Profile,
        world: &World,
        sign: bool,
    ) -> Result<(Self, Taken), Box<dyn Error>> {
        let (messages, taken) = capture::read(path, world, sign)?;
        let mut source = Self::new(profile, world)?;
        let number_len = world.numbering.title_len() - PEERS.len();
        let (mut templates, mut plays) = (Vec::new(), Vec::new());
        for message in &messages {
            let template = Template::learn(number_len, message.transaction_len(), |values| message.compose(values))?;
            let key = message.signer.and_then(|peer| world.peers.get(peer)).map(|peer| peer.key);
            let (_, all) = source.ranges.get(Protocol::Tcap as usize).copied().unwrap_or_default();
            let association = message.flow.checked_rem(all as usize).ok_or("the profile has no links of SS7")?;
            let association = u16::try_from(association)?;
            let (side, joined) = (message.side, message.joined);
            // What goes the other way cannot share a packet.
            let joined = joined && plays.last().is_some_and(|before: &Play| before.side == side);
            plays.push(Play { side, association, joined, key, template: templates.len(), refuse: false });
            templates.push(Some(template));
        }
        // No question of a tape is answered.
        (source.templates, source.tape, source.answers) = (templates, Tape { plays, at: 0 }, 0);
        let fates = rehearse(&mut source, world)?;
        source.settle(&fates);
        Ok((source, taken))
    }

    /// A packet of the tape.
    pub(super) fn play(&mut self, now_ms: u64, out: &mut Vec<u8>) -> Sent {
        let mut sent =
            Sent { side: Side::Interconnect, association: 0, first_tsn: 0, chunks: 0, refuse: 0, datagram: false };
        while let Some(play) = self.tape.next() {
            if sent.chunks == 0 {
                sent = self.begin(play.side, play.association, out);
            }
            let (values, kind) = (self.values(play.key.unwrap_or(0)), Kind::any(play.side));
            let (worth, template, key) = (Worth::Played(play.key.is_some()), play.template, play.key.unwrap_or(0));
            let len = self.len_of(template);
            let mut draft = Draft { worth, kind, template, len, values, key, association: None };
            self.write(&mut draft, play.association, now_ms, out);
            sent.refuse |= u32::from(play.refuse) << sent.chunks;
            sent.chunks += 1;
            let fits = |next: &Play| out.len() + CHUNK + self.len_of(next.template) <= MAX_FRAME;
            if u32::from(sent.chunks) == u32::BITS || !self.tape.joined().is_some_and(fits) {
                break;
            }
        }
        sent
    }

    /// Takes the fates of the tape's messages; all counters begin again.
    fn settle(&mut self, refused: &[bool]) {
        for (play, refused) in self.tape.plays.iter_mut().zip(refused) {
            play.refuse = *refused;
        }
        self.associations.iter_mut().flat_map(|association| &mut association.lanes).for_each(Lane::restart);
        self.sequences.clear();
        self.made = Made::default();
    }
}

/// Plays a tape to a worker and sees what becomes of each message: true, it is refused.
fn rehearse(source: &mut Source, world: &World) -> Result<Vec<bool>, Box<dyn Error>> {
    let snapshot = world.snapshot(&KeyRing::new())?;
    let now_ms = world.now_ms();
    let shared = Arc::new(Shared::new(&snapshot));
    let cell = Arc::new(PolicyCell::new(snapshot));
    // One packet at a time, whatever a peer sent before: none is refused for the load it makes.
    let config = PoolConfig { batch: MAX_BATCH, ..PoolConfig::default() };
    let (crypto, mut clients) = Pool::start(config, 1, &cell.current().ring)?;
    let client = clients.pop().ok_or("no crypto client")?;
    let pool = MemPool::new(256, sealgate_dataplane::io::mem::ROOM);
    let ports = [MemPort::new(&pool), MemPort::new(&pool)];
    let mut worker = Worker::new(WorkerConfig::default(), ports, cell.reader(), client, shared, Vec::new());
    let reader = Reader::new(world);
    let mut seen = HashMap::new();
    let mut through = |side: Side, frame: &[u8], seen: &mut HashMap<_, _>| -> Result<(), Box<dyn Error>> {
        if !worker.port_mut(side as usize).ok_or("a port")?.inject(frame)? {
            return Err("no packet buffer is free".into());
        }
        for _ in 0..TURNS {
            worker.turn(now_ms);
        }
        let exit = worker.port_mut(side.other() as usize).ok_or("a port")?;
        while let Some(frame) = exit.take_sent() {
            reader.read(frame.octets(), &mut |side, association, tsn, fate| {
                seen.insert((side, association, tsn), fate);
            });
        }
        Ok(())
    };
    for (side, frame) in source.handshake() {
        through(side, &frame, &mut seen)?;
    }
    let (mut fates, mut frame) = (Vec::new(), Vec::new());
    let len = source.tape.plays.len();
    while fates.len() < LAPS * len {
        let sent = source.next(now_ms, &mut frame);
        through(sent.side, &frame, &mut seen)?;
        for chunk in 0..u32::from(sent.chunks) {
            let fate = seen.remove(&(sent.side, sent.association, sent.first_tsn.wrapping_add(chunk)));
            fates.push(fate.ok_or("a message of the capture never left the worker")? == Fate::Refused);
        }
    }
    crypto.stop();
    // A packet never goes beyond the end of the tape.
    Ok(fates.split_off(fates.len() - len))
}
