//! The section `defaults`, and windows, which peers may have too.

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, twice};
use crate::words::*;

pub(super) fn read(item: &Item<'_>) -> Defaults {
    let other = Defaults::default();
    let mut section = Section::open(item);
    let mode = section.get("mode").and_then(|item| item.word("a mode", MODE));
    let unknown_peer = section.get("unknown_peer").and_then(|item| item.word("a rule for unknown peers", UNKNOWN_PEER));
    let ber = section.get("ber").and_then(|item| item.word("a strictness of BER", BER));
    let window = section.get("window").map(|item| read_window(&item, other.window));
    let compat_window = section.get("compat_window").map(|item| compat_window(&item));
    let same_second = "a rule for two signatures in a second";
    let same_second = section.get("dess_same_second").and_then(|item| item.word(same_second, DESS_SAME_SECOND));
    let cold_start = section.get("cold_start").and_then(|item| item.word("a rule for a cold start", COLD_START));
    let transactions = section.get("transactions").map(|item| transactions(&item));
    let unsigned_service_messages = section
        .get("unsigned_service_messages")
        .and_then(|item| item.word("a rule for service messages", SERVICE_MESSAGES));
    let abort_per_peer =
        section.get("abort_per_peer").and_then(|item| units::number(&item, 0..=1_000_000, "aborts a second"));
    let ludt = section.get("ludt").and_then(|item| item.flag());
    let m3ua_only = section.get("m3ua_only").and_then(|item| item.flag());
    let ssns_item = section.get("ssns");
    let ssns = ssns_item.as_ref().map(|item| item.set("6", ssn));
    let other_item = section.get("other_tcap_ssns");
    let other_tcap_ssns = other_item.as_ref().map(|item| item.list_or_none("147")).unwrap_or_default();
    let reassembly = section.get("reassembly").map(|item| reassembly(&item));
    let hold = section.get("hold").map(|item| hold(&item));
    let tcp = section.get("tcp").map(|item| tcp(&item));
    let tunnels = section.get("tunnels").map(|item| super::gtp::tunnels(&item));
    let retransmission = section.get("retransmission").map(|item| retransmission(&item));
    let adopt = section.get("adopt").and_then(|item| item.flag());
    let screening = section.get("screening").and_then(|item| item.word("a mode of screening", SCREENING));
    let unmatched = section.get("unmatched").and_then(|item| item.word("what becomes of the rest", UNMATCHED));
    section.close();

    let ssns = ssns.unwrap_or(other.ssns);
    let mut others: Vec<(u8, usize)> = Vec::new();
    for item in other_tcap_ssns {
        let Some(number) = ssn(&item) else { continue };
        if let Some((_, first)) = others.iter().find(|(seen, _)| *seen == number) {
            item.fault(format!("{number} stands here twice"), twice(first));
        } else if !ssns.contains(&number) {
            item.fault(format!("subsystem {number} may not speak at all"), "add it to ssns, or take it out here");
        }
        others.push((number, item.line()));
    }
    Defaults {
        mode: mode.unwrap_or(other.mode),
        unknown_peer: unknown_peer.unwrap_or(other.unknown_peer),
        ber: ber.unwrap_or(other.ber),
        window: window.unwrap_or(other.window),
        compat_window: compat_window.unwrap_or(other.compat_window),
        dess_same_second: same_second.unwrap_or(other.dess_same_second),
        cold_start: cold_start.unwrap_or(other.cold_start),
        transactions: transactions.unwrap_or(other.transactions),
        unsigned_service_messages: unsigned_service_messages.unwrap_or(other.unsigned_service_messages),
        abort_per_peer: abort_per_peer.unwrap_or(other.abort_per_peer),
        ludt: ludt.unwrap_or(other.ludt),
        m3ua_only: m3ua_only.unwrap_or(other.m3ua_only),
        other_tcap_ssns: others.into_iter().map(|(number, _)| number).collect(),
        ssns,
        reassembly: reassembly.unwrap_or(other.reassembly),
        hold: hold.unwrap_or(other.hold),
        tcp: tcp.unwrap_or(other.tcp),
        tunnels: tunnels.unwrap_or(other.tunnels),
        retransmission: retransmission.unwrap_or(other.retransmission),
        adopt: adopt.unwrap_or(other.adopt),
        screening: screening.unwrap_or(other.screening),
        unmatched: unmatched.unwrap_or(other.unmatched),
    }
}

fn ssn(item: &Item<'_>) -> Option<u8> {
    units::octet(item, 1..=254, "")
}

/// The window of a peer, which has times of its own; what it leaves out is as in `other`.
pub(super) fn peer_window(item: &Item<'_>, other: Window) -> Window {
    let mut section = Section::open(item);
    let (past, future) = times(&mut section);
    section.close();
    Window { past_ms: past.unwrap_or(other.past_ms), future_ms: future.unwrap_or(other.future_ms), seq: other.seq }
}

fn times(section: &mut Section<'_>) -> (Option<u32>, Option<u32>) {
    let past = section.get("past").and_then(|item| units::duration_ms(&item, 1_000..=60_000));
    let future = section.get("future").and_then(|item| units::duration_ms(&item, 1_000..=60_000));
    (past, future)
}

fn read_window(item: &Item<'_>, other: Window) -> Window {
    let mut section = Section::open(item);
    let (past, future) = times(&mut section);
    let seq = section.get("seq").and_then(|item| item.power_of_two(1024..=1_048_576, "sequence numbers"));
    section.close();
    Window {
        past_ms: past.unwrap_or(other.past_ms),
        future_ms: future.unwrap_or(other.future_ms),
        seq: seq.and_then(|seq| u32::try_from(seq).ok()).unwrap_or(other.seq),
    }
}

fn compat_window(item: &Item<'_>) -> CompatWindow {
    let other = CompatWindow::default();
    let mut section = Section::open(item);
    let past = section.get("past").and_then(|item| units::duration_ms(&item, 1_000..=30_000));
    let future = section.get("future").and_then(|item| units::duration_ms(&item, 1_000..=30_000));
    section.close();
    CompatWindow { past_ms: past.unwrap_or(other.past_ms), future_ms: future.unwrap_or(other.future_ms) }
}

fn transactions(item: &Item<'_>) -> Transactions {
    let other = Transactions::default();
    let mut section = Section::open(item);
    let check = section.get("check").and_then(|item| item.flag());
    let limit = section.get("limit").and_then(|item| item.number(1024..=16_777_216, "transactions"));
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(other.limit);
    let per_peer = section.get("per_peer").and_then(|item| share(&item, limit));
    let timeout = section.get("timeout").and_then(|item| transaction_timeout(&item));
    let grace = section.get("grace").and_then(|item| units::duration_s(&item, 0..=86_400));
    section.close();
    Transactions {
        check: check.unwrap_or(other.check),
        limit,
        // Four peers that have all they may fill no more than what should be open at once.
        per_peer: per_peer.unwrap_or(u32::try_from(limit / 4).unwrap_or(u32::MAX)),
        timeout_s: timeout.unwrap_or(other.timeout_s),
        grace_s: grace.unwrap_or(other.grace_s),
    }
}

/// The transactions of a peer, which has a limit and a time of its own; what it leaves out is as in `other`.
pub(super) fn peer_transactions(item: &Item<'_>, other: &Transactions) -> PeerTransactions {
    let mut section = Section::open(item);
    let limit = section.get("limit").and_then(|item| share(&item, other.limit));
    let timeout = section.get("timeout").and_then(|item| transaction_timeout(&item));
    section.close();
    PeerTransactions { limit: limit.unwrap_or(other.per_peer), timeout_s: timeout.unwrap_or(other.timeout_s) }
}

/// How many of all transactions one peer may have.
fn share(item: &Item<'_>, all: usize) -> Option<u32> {
    let number = units::number(item, 1..=16_777_216, "transactions")?;
    if usize::try_from(number).is_ok_and(|number| number > all) {
        item.fault(
            format!("{number} for one peer is more than the {all} of defaults.transactions.limit for all"),
            "give less here, or more there",
        );
        return None;
    }
    Some(number)
}

fn transaction_timeout(item: &Item<'_>) -> Option<u32> {
    units::duration_s(item, 1..=28_800)
}

fn reassembly(item: &Item<'_>) -> Reassembly {
    let other = Reassembly::default();
    let mut section = Section::open(item);
    let timeout = section.get("timeout").and_then(|item| units::duration_ms(&item, 100..=60_000));
    let segments = section.get("segments").and_then(|item| units::octet(&item, 1..=16, "segments"));
    let contexts = section.get("contexts").and_then(|item| units::number(&item, 1..=65_536, "messages"));
    section.close();
    Reassembly {
        timeout_ms: timeout.unwrap_or(other.timeout_ms),
        segments: segments.unwrap_or(other.segments),
        contexts: contexts.unwrap_or(other.contexts),
    }
}

fn hold(item: &Item<'_>) -> Hold {
    let other = Hold::default();
    let mut section = Section::open(item);
    let deadline = section.get("deadline").and_then(|item| units::duration_ms(&item, 10..=10_000));
    let octets = section.get("octets").and_then(|item| units::number(&item, 1500..=1_048_576, "octets"));
    section.close();
    Hold { deadline_ms: deadline.unwrap_or(other.deadline_ms), octets: octets.unwrap_or(other.octets) }
}

fn tcp(item: &Item<'_>) -> Tcp {
    let other = Tcp::default();
    let mut section = Section::open(item);
    let hold = section.get("hold").and_then(|item| units::duration_ms(&item, 250..=30_000));
    let connections = section.get("connections").and_then(|item| units::number(&item, 16..=65_536, "connections"));
    section.close();
    Tcp { hold_ms: hold.unwrap_or(other.hold_ms), connections: connections.unwrap_or(other.connections) }
}

fn retransmission(item: &Item<'_>) -> Retransmission {
    let other = Retransmission::default();
    let mut section = Section::open(item);
    let tsns = section.get("tsns").and_then(|item| item.power_of_two(4096..=65_536, "sequence numbers"));
    let octets = section.get("octets").and_then(|item| units::number(&item, 65_536..=67_108_864, "octets"));
    section.close();
    Retransmission {
        tsns: tsns.and_then(|tsns| u32::try_from(tsns).ok()).unwrap_or(other.tsns),
        octets: octets.unwrap_or(other.octets),
    }
}
