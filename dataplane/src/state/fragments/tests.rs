//! Tests of [`Fragments`].

use super::*;
use proptest::prelude::*;

fn fragment(tsn: u32, bits: &str, payload: &'static [u8]) -> Fragment<'static> {
    Fragment {
        tsn,
        begin: bits.contains('B'),
        end: bits.contains('E'),
        unordered: bits.contains('U'),
        stream: 1,
        ssn: 7,
        ppid: 3,
        payload,
    }
}

fn lost(first_tsn: u32, last_tsn: u32, end: bool) -> Lost {
    Lost { first_tsn, last_tsn, end, unordered: false, stream: 1, ssn: 7 }
}

#[test]
fn a_message_is_whole_in_any_order_and_across_the_wrap() {
    let parts = [
        fragment(u32::MAX, "B", b"one "),
        fragment(0, "", b"two "),
        fragment(1, "", b"three "),
        fragment(2, "E", b"four"),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2]] {
        let mut hold = Fragments::new(Config::default());
        for &i in &order[..3] {
            assert_eq!(hold.push(&parts[i], 0), Progress::Held);
            assert_eq!(hold.push(&parts[i], 1), Progress::Held, "a retransmission inside the hold");
        }
        assert_eq!(hold.held(), 3);
        let Progress::Complete(message) = hold.push(&parts[order[3]], 2) else { panic!("not whole") };
        assert_eq!((message.first_tsn, message.last_tsn), (u32::MAX, 2));
        assert_eq!((message.octets, message.ends), (&b"one two three four"[..], &[4, 8, 14, 18][..]));
        assert_eq!((message.stream, message.ssn, message.ppid), (1, 7, 3));
        assert_eq!((hold.held(), hold.blocks.in_use(), hold.counters().duplicates), (0, 0, 3));
    }
}

#[test]
fn fragments_that_contradict_each_other_are_given_up_together() {
    let other = Fragment { ssn: 8, ..fragment(11, "", b"x") };
    for (bad, want) in [
        (fragment(10, "B", b"other octets"), lost(10, 10, false)),
        (fragment(10, "", b"first"), lost(10, 10, false)),
        (fragment(11, "B", b"x"), lost(10, 11, false)),
        (fragment(13, "B", b"x"), lost(10, 13, false)),
        (other, lost(10, 11, false)),
        (Fragment { ppid: 46, ..fragment(11, "E", b"x") }, lost(10, 11, true)),
        (Fragment { ppid: 46, ..fragment(14, "E", b"x") }, lost(10, 14, true)),
        (fragment(9, "E", b"x"), lost(9, 10, true)),
        (fragment(9, "", b"x"), lost(9, 10, false)),
    ] {
        let mut hold = Fragments::new(Config::default());
        assert_eq!(hold.push(&fragment(10, "B", b"first"), 0), Progress::Held);
        assert_eq!(hold.push(&bad, 0), Progress::Refused(want), "{bad:?}");
        assert_eq!((hold.held(), hold.blocks.in_use(), hold.counters().conflicts), (0, 0, 1));
    }
}

#[test]
fn neighbours_that_are_other_messages_do_not_disturb() {
    let mut hold = Fragments::new(Config::default());
    let next = |tsn, bits, payload| Fragment { ssn: 8, ..fragment(tsn, bits, payload) };
    assert_eq!(hold.push(&fragment(10, "B", b"a"), 0), Progress::Held);
    assert_eq!(hold.push(&next(12, "B", b"c"), 0), Progress::Held);
    assert!(matches!(hold.push(&fragment(11, "E", b"b"), 0), Progress::Complete(m) if m.octets == b"ab"));
    assert!(matches!(hold.push(&next(13, "E", b"d"), 0), Progress::Complete(m) if m.octets == b"cd"));
    assert!(matches!(hold.push(&fragment(14, "BE", b"e"), 0), Progress::Complete(m) if m.ends == [1]));
}

#[test]
fn a_hold_ends_at_its_deadline_with_all_of_its_message() {
    let mut hold = Fragments::new(Config::default());
    hold.push(&fragment(10, "B", b"a"), 1_000);
    hold.push(&fragment(12, "", b"c"), 1_100);
    hold.push(&Fragment { ssn: 8, ..fragment(20, "B", b"x") }, 1_100);
    assert_eq!(hold.expired(1_200), None, "exactly at the limit");
    assert_eq!(hold.expired(1_201), Some(lost(10, 12, false)), "with the one behind the gap");
    assert_eq!((hold.expired(1_201), hold.held()), (None, 1));
    assert_eq!(hold.push(&fragment(10, "B", b"a"), 1_300), Progress::Held, "sent again, it may pass");
    assert_eq!(hold.expired(1_301), Some(Lost { ssn: 8, ..lost(20, 20, false) }));
    hold.clear();
    assert_eq!((hold.held(), hold.blocks.in_use()), (0, 0));
}

#[test]
fn the_rest_of_an_abandoned_message_shares_its_fate() {
    let mut hold = Fragments::new(Config::default());
    hold.abandon(lost(10, 12, false), 0);
    for (bits, tsn) in [("", 13), ("", 15), ("B", 10), ("", 11), ("", 14), ("E", 16)] {
        let want = Progress::Refused(lost(tsn, tsn, bits == "E"));
        assert_eq!(hold.push(&fragment(tsn, bits, b"x"), 1), want, "{tsn}");
    }
    assert_eq!(hold.push(&fragment(17, "", b"x"), 1), Progress::Held, "its end came with 16");
    assert_eq!(hold.push(&Fragment { ssn: 8, ..fragment(20, "B", b"x") }, 1), Progress::Held);
    assert!(matches!(hold.push(&fragment(12, "", b"x"), 60_000), Progress::Refused(_)));
    assert_eq!(hold.push(&fragment(12, "", b"x"), 60_001), Progress::Held);
    let mut unordered = Lost { unordered: true, ..lost(30, 31, false) };
    hold.abandon(unordered, 60_001);
    assert_eq!(hold.push(&fragment(33, "U", b"x"), 60_001), Progress::Held, "perhaps another message");
    (unordered.first_tsn, unordered.last_tsn) = (32, 32);
    assert_eq!(hold.push(&fragment(32, "U", b"x"), 60_001), Progress::Refused(unordered));
}

#[test]
fn octets_messages_and_fragments_are_bounded() {
    let mut hold = Fragments::new(Config { octets: 300, messages: 2, fragments: 4, deadline_ms: 200 });
    hold.push(&fragment(10, "B", &[1; 200]), 0);
    assert_eq!(hold.push(&fragment(11, "", &[1; 101]), 0), Progress::Refused(lost(10, 11, false)));
    assert_eq!(hold.blocks.in_use(), 0);
    let message = |n: u16, bits| Fragment { ssn: n, ..fragment(u32::from(n) * 10, bits, b"x") };
    for n in [1, 2] {
        assert_eq!(hold.push(&message(n, "B"), 0), Progress::Held);
    }
    let third = Lost { ssn: 3, ..lost(30, 30, false) };
    assert_eq!(hold.push(&message(3, "B"), 0), Progress::Refused(third), "the newcomer goes");
    for tsn in [21, 22] {
        assert_eq!(hold.push(&Fragment { ssn: 2, ..fragment(tsn, "", b"x") }, 0), Progress::Held);
    }
    let fifth = Fragment { ssn: 2, ..fragment(23, "", b"x") };
    assert_eq!(hold.push(&fifth, 0), Progress::Refused(Lost { ssn: 2, ..lost(20, 23, false) }));
    assert_eq!((hold.held(), hold.counters().limited), (1, 3));
}

proptest! {
    /// Messages cut anywhere, their chunks shuffled and repeated, all come out once and whole.
    #[test]
    fn shuffled_messages_come_out_whole(
        start: u32,
        cuts in proptest::collection::vec((2..6_u32, any::<bool>()), 1..8),
        order in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 64),
    ) {
        let octets: Vec<u8> = (0..64).collect();
        let mut waiting = Vec::new();
        let mut tsn = start;
        for (ssn, &(parts, unordered)) in cuts.iter().enumerate() {
            for part in 0..parts {
                let payload = &octets[tsn.wrapping_sub(start) as usize..][..1];
                let (begin, end) = (part == 0, part == parts - 1);
                let (stream, ssn) = (1, if unordered { 0 } else { ssn as u16 });
                waiting.push(Fragment { tsn, begin, end, unordered, stream, ssn, ppid: 3, payload });
                tsn = tsn.wrapping_add(1);
            }
        }
        let total = waiting.len();
        let mut hold = Fragments::new(Config::default());
        let mut out = Vec::new();
        for (pick, repeat) in order {
            if waiting.is_empty() {
                break;
            }
            let next = waiting.swap_remove(pick.index(waiting.len()));
            match hold.push(&next, 0) {
                Progress::Held if repeat => prop_assert_eq!(hold.push(&next, 0), Progress::Held),
                Progress::Held => {}
                Progress::Complete(message) => {
                    let first = message.first_tsn.wrapping_sub(start) as usize;
                    prop_assert_eq!(message.octets, &octets[first..first + message.ends.len()]);
                    out.extend_from_slice(message.octets);
                }
                Progress::Refused(lost) => prop_assert!(false, "refused {lost:?}"),
            }
        }
        out.sort_unstable();
        prop_assert_eq!(out, &octets[..total]);
        prop_assert_eq!((hold.held(), hold.blocks.in_use()), (0, 0));
    }
}
