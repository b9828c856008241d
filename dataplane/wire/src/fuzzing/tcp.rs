//! TCP segments.

use core::net::{IpAddr, Ipv4Addr};

use crate::tcp::{self, HEADER_LEN, MAX_OPTIONS, Options, Segment};

/// A segment: written again it reads the same, but for options that nobody writes, and its checksum is good.
pub fn tcp(octets: &[u8]) {
    let Ok(segment) = Segment::parse(octets) else { return };
    let (mut options, mut again) = (segment.options, Vec::new());
    assert!(options.len() <= MAX_OPTIONS && options.len().is_multiple_of(4));
    options.others = false;
    tcp::emit(&segment.header, &options, segment.payload, &mut again);
    assert_eq!(again.len(), HEADER_LEN + options.len() + segment.payload.len());
    let read = Segment::parse(&again).unwrap_or_else(|refusal| panic!("{refusal:?} in what we wrote"));
    assert_eq!((read.header, read.payload), (segment.header, segment.payload));
    let blocks = read.options.sack.len();
    assert!(read.options.sack.iter().eq(options.sack.iter().take(blocks)));
    assert_eq!(Options { sack: options.sack, ..read.options }, options);
    let (from, to) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::BROADCAST));
    let sealed = tcp::seal(from, to, &mut again);
    assert_eq!(sealed, again.len() <= usize::from(u16::MAX));
    assert!(!sealed || tcp::checksum(from, to, &again) == Some(0));
}
