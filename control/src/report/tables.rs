//! Associations and the memories that outlive a message.

use sealgate_dataplane::engine::{Engine, WorkerState};
use sealgate_dataplane::pipeline::tap::{AssociationView, View};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::PeerId;
use sealgate_dataplane::state::dialogues::{Begun, Dialogues};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long workers may take to show their associations: each does with its counters, ten times a second.
const PATIENCE: Duration = Duration::from_millis(600);
/// Between two looks for that.
const LOOK: Duration = Duration::from_millis(10);

/// Associations of each worker, at most 256 of each; a worker that did not answer in time shows what it had.
pub(super) fn associations(engine: &Engine) -> Value {
    let tap = &engine.shared().tap;
    let question = tap.ask_views();
    let until = Instant::now() + PATIENCE;
    let answered = |view: &View| question.wrapping_sub(view.answers) as i32 <= 0;
    let waiting = || {
        let workers = engine.workers();
        let mut running = (0..).zip(&workers).filter(|(_, worker)| worker.state == WorkerState::Running);
        running.any(|(number, _)| tap.view(number).is_some_and(|view| !answered(&view)))
    };
    while waiting() && Instant::now() < until {
        sleep(LOOK);
    }
    let snapshot = engine.snapshot();
    let one = |association: &AssociationView| {
        let link = snapshot.links.get(usize::from(association.link));
        json!({
            "link": link.map(|link| &link.name), "remote": association.remote, "local": association.local,
            "proven": association.proven, "seen_ms": association.seen_ms, "waiting": association.waiting,
            "fragments": association.fragments,
        })
    };
    let views = (0..engine.workers().len()).filter_map(|number| Some((number, tap.view(number)?)));
    views
        .map(|(number, view)| {
            json!({ "worker": number, "total": view.total, "shown": view.list.len(), "current": answered(&view),
                "associations": view.list.iter().map(one).collect::<Vec<_>>() })
        })
        .collect()
}

/// Transactions that are open with one peer.
pub(crate) struct OpenWith<'s> {
    pub id: PeerId,
    pub name: &'s str,
    pub by_them: u32,
    pub by_us: u32,
    /// How many either side may have begun.
    pub limit: u32,
}

/// Those of each peer.
pub(crate) fn open_with<'s>(dialogues: &Dialogues, snapshot: &'s Snapshot) -> impl Iterator<Item = OpenWith<'s>> {
    (0..=PeerId::MAX).zip(&snapshot.peers).map(|(id, peer)| OpenWith {
        id,
        name: &peer.name,
        by_them: dialogues.count(id, Begun::ByThem),
        by_us: dialogues.count(id, Begun::ByUs),
        limit: peer.transactions.limit,
    })
}

impl OpenWith<'_> {
    /// Whether there is one.
    pub fn any(&self) -> bool {
        self.by_them > 0 || self.by_us > 0
    }
}

/// Replay windows, digests, open transactions, tunnels, and what detectors remember.
pub(super) fn replay(engine: &Engine) -> Value {
    let shared = engine.shared();
    let (replay, digests, dialogues) =
        (shared.replay.counters(), shared.digests.counters(), shared.dialogues.counters());
    let tunnels = shared.tunnels.counters();
    let memories = &shared.detection;
    let (subscribers, steps) = (memories.subscribers.counters(), memories.steps.counters());
    let snapshot = engine.snapshot();
    let mut open: Vec<_> = open_with(&shared.dialogues, &snapshot).filter(OpenWith::any).collect();
    open.sort_by_key(|peer| Reverse(peer.by_them.max(peer.by_us)));
    let one = |peer: &OpenWith<'_>| json!({ "peer": peer.name, "by_them": peer.by_them, "by_us": peer.by_us, "limit": peer.limit });
    let all: u64 = open.iter().map(|peer| u64::from(peer.by_them) + u64::from(peer.by_us)).sum();
    json!({
        "windows": { "in_use": shared.replay.in_use(), "limit": shared.replay.capacity(), "opened": replay.opened,
            "reclaimed": replay.reclaimed, "replays": replay.replays, "old": replay.old,
            "refused_full": replay.full, "refused_signer_full": replay.signer_full },
        "digests": { "replays": digests.replays, "evicted": digests.evicted },
        "transactions": { "opened": dialogues.opened, "evicted": dialogues.evicted, "expired": dialogues.expired,
            "refused": shared.dialogues.refused(), "open": all, "peers": open.iter().map(one).collect::<Vec<_>>() },
        "tunnels": { "opened": tunnels.opened, "adopted": tunnels.adopted, "closed": tunnels.closed,
            "expired": tunnels.expired, "evicted": tunnels.evicted },
        "detection": { "memory_octets": memories.memory(),
            "subscribers": { "opened": subscribers.opened, "expired": subscribers.expired, "evicted": subscribers.evicted },
            "steps": { "opened": steps.opened, "expired": steps.expired, "evicted": steps.evicted },
            "updates": { "evicted": memories.pending.evicted() }, "sources": { "evicted": memories.sources.evicted() } },
    })
}
