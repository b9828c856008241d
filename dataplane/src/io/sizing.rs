//! How many packet buffers a configuration needs, of what size, and how much memory that is.

use sealgate_config::model::{Device, Port};

/// Frames that one call moves at most; what a worker may have in hand is counted in these.
pub const BURST: u32 = 64;

/// Buffers that each worker keeps for itself, so that most frames are taken and given back without a lock. A pool lets
/// its cache grow to one and a half times this.
pub const CACHE: u32 = 256;

/// Octets of room in front of a frame and of the descriptor before that (`RTE_PKTMBUF_HEADROOM`, `struct rte_mbuf`),
/// of the pool's own header, and of padding, at most. A test compares this with what a pool says of itself.
const OVERHEAD: u64 = 128 + 128 + 64 + 128;

/// Ethernet header, two VLAN tags and four MPLS labels, octets: what a frame is longer than its packet.
pub const LINK: u16 = 14 + 8 + 16;

/// The least room that drivers ask for, octets (`RTE_MBUF_DEFAULT_DATAROOM`).
const LEAST_ROOM: u16 = 2048;

/// What each ring of DPDK's AF_XDP driver holds, whatever is asked of it.
const AF_XDP_RING: u32 = 2048;

/// An ordinary page, octets.
const SMALL_PAGE: u64 = 4096;

/// What EAL and the ports take beside the buffers, MB.
const FIXED_MB: u64 = 64;

/// A pool of packet buffers, before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Buffers.
    pub count: u32,
    /// Octets of a frame that one buffer holds: the largest frame of any port, so that none comes in pieces.
    pub room: u16,
}

/// Memory that pools and EAL need. It depends on the kind of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// In huge pages, MB.
    pub huge_mb: u64,
    /// In ordinary pages, MB.
    pub small_mb: u64,
}

impl Sizing {
    /// What these ports need when every ring is full, every worker has its hands full and `parked` frames wait.
    ///
    /// * `workers`: each has one queue pair on every port;
    /// * `parked`: frames that all workers together may hold back (crypto, reassembly);
    /// * `fixed`: the operator's own number of buffers, taken as it is.
    pub fn of(ports: &[&Port], workers: usize, parked: usize, fixed: Option<u32>) -> Self {
        let workers = u32::try_from(workers).unwrap_or(u32::MAX);
        let rings: u32 = ports.iter().map(|port| rings(port)).sum();
        let by_worker = rings.saturating_add(CACHE + CACHE / 2 + 2 * BURST);
        let computed = workers.saturating_mul(by_worker).saturating_add(u32::try_from(parked).unwrap_or(u32::MAX));
        let mtu = ports.iter().map(|port| port.mtu).max().unwrap_or(Port::MTU);
        let room = mtu.saturating_add(LINK).next_multiple_of(64).max(LEAST_ROOM);
        Self { count: fixed.unwrap_or(computed), room }
    }

    /// The same with buffers for frames of so many octets, where the ports need no larger ones.
    pub fn holding(self, octets: Option<u16>) -> Self {
        Self { room: octets.map_or(self.room, |octets| octets.next_multiple_of(64).max(self.room)), ..self }
    }

    /// Memory for `pools` such pools and for EAL itself.
    pub fn memory(&self, pools: u32) -> Memory {
        let (element, page) = (self.element(), SMALL_PAGE);
        // DPDK lets no buffer cross the border of an ordinary page, and asks for whole pages for one longer than that.
        let in_pages = if element <= page { page / (page / element) } else { element.next_multiple_of(page) };
        let megabytes = |element: u64| {
            // Each buffer has a place in the pool's ring too, whose size is a power of two.
            let pool = u64::from(self.count) * element + (u64::from(self.count) + 1).next_power_of_two() * 8;
            FIXED_MB + (pool * u64::from(pools)).div_ceil(1 << 20)
        };
        Memory { huge_mb: megabytes(element), small_mb: megabytes(in_pages) }
    }

    /// Octets that one buffer takes, at most.
    pub fn element(&self) -> u64 {
        u64::from(self.room) + OVERHEAD
    }
}

/// Buffers in the rings of one queue pair.
fn rings(port: &Port) -> u32 {
    let least = match port.device {
        Device::AfXdp(_) => AF_XDP_RING,
        _ => 0,
    };
    u32::from(port.rx_ring).max(least) + u32::from(port.tx_ring).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(mtu: u16, rx_ring: u16, tx_ring: u16) -> Port {
        Port { device: Device::Null, mtu, rx_ring, tx_ring }
    }

    #[test]
    fn every_ring_cache_and_hand_is_counted() {
        let (a, b) = (port(1500, 1024, 512), port(1500, 64, 64));
        let got = Sizing::of(&[&a, &b], 2, 1000, None);
        assert_eq!(got, Sizing { count: 2 * (1024 + 512 + 128 + 384 + 128) + 1000, room: 2048 });
        assert_eq!(Sizing::of(&[&a, &b], 2, 1000, Some(77)).count, 77);
        let xdp = Port { device: Device::AfXdp("e".into()), ..a };
        assert_eq!(Sizing::of(&[&xdp], 1, 0, None).count, 2048 + 2048 + 384 + 128);
    }

    #[test]
    fn a_large_frame_fits_one_buffer() {
        for (mtu, room) in [(1500, 2048), (2010, 2048), (2011, 2112), (9000, 9088), (9600, 9664)] {
            assert_eq!(Sizing::of(&[&port(mtu, 64, 64)], 1, 0, None).room, room, "MTU {mtu}");
        }
        for (octets, room) in [(None, 2048), (Some(2048), 2048), (Some(8000), 8000), (Some(8001), 8064)] {
            assert_eq!(Sizing::of(&[&port(1500, 64, 64)], 1, 0, None).holding(octets).room, room, "{octets:?}");
        }
        assert_eq!(Sizing::of(&[&port(9000, 64, 64)], 1, 0, None).holding(Some(8000)).room, 9088, "never smaller");
    }

    #[test]
    fn memory_grows_with_the_pools_and_with_small_pages() {
        let mb = |count, room, pools| {
            let Memory { huge_mb, small_mb } = Sizing { count, room }.memory(pools);
            (huge_mb, small_mb)
        };
        assert_eq!((mb(16384, 2048, 0), mb(16384, 2048, 1)), ((64, 64), (104, 129)));
        assert_eq!(mb(16384, 2048, 2), (143, 193));
        assert_eq!(mb(16384, 9024, 1), (213, 257), "three pages for each");
    }
}
