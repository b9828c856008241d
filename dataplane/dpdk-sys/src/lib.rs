//! Raw bindings to the system's libdpdk 22.11 through one C shim: no wrapper, no opinion.
//!
//! `wrapper.h` is the contract, this crate mirrors it line by line, `shim.c` and `crypto.c` fulfil it. Of DPDK's
//! structures only the head of a packet buffer crosses the border, [`sg_mbuf`], and `shim.c` does not compile where its layout
//! is another. Functions return 0 or more for success and a negative errno otherwise, unless they say something else.
//!
//! # Safety
//! Every function is a foreign call. Common rules, from the DPDK API reference:
//! * [`sg_eal_init`] comes first and once in a process; nothing but [`sg_version`] and [`sg_strerror`] may come before.
//! * One thread at a time per (port, queue, direction), and per port for anything that is not a burst.
//! * Queues are set up between configure and start; bursts happen between start and stop.
//! * An mbuf has one owner: who allocated or received it, until it is freed or taken by [`sg_tx`].

use std::ffi::{c_char, c_int, c_void};
use std::mem::offset_of;

#[cfg(feature = "cryptodev")]
mod crypto;
#[cfg(feature = "cryptodev")]
pub use crypto::*;

/// Frames that one call of [`sg_rx`] or [`sg_tx`] moves at most.
pub const SG_BURST: usize = 64;

/// The device set this frame's hash (`RTE_MBUF_F_RX_RSS_HASH`).
pub const SG_RX_RSS_HASH: u64 = 1 << 1;

/// What [`sg_lcore_id`] says of a thread that EAL does not know (`LCORE_ID_ANY`).
pub const SG_LCORE_ANY: u32 = u32::MAX;

/// Hash over the addresses of whole and fragmented IPv4 and IPv6 packets (`RTE_ETH_RSS_IP`).
pub const SG_RSS_IP: u64 = (1 << 2) | (1 << 3) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 13) | (1 << 15);
/// Hash over addresses and TCP ports (`RTE_ETH_RSS_TCP`).
pub const SG_RSS_TCP: u64 = (1 << 4) | (1 << 10) | (1 << 16);
/// Hash over addresses and UDP ports (`RTE_ETH_RSS_UDP`).
pub const SG_RSS_UDP: u64 = (1 << 5) | (1 << 11) | (1 << 17);
/// Hash over addresses and SCTP ports (`RTE_ETH_RSS_SCTP`).
pub const SG_RSS_SCTP: u64 = (1 << 6) | (1 << 12);

/// The head of an `rte_mbuf`: its first cache line, but for the pool.
///
/// Who owns the buffer may read all of it but `refcnt`, which others may change. Nothing of it is written in Rust.
#[repr(C)]
#[derive(Debug)]
pub struct sg_mbuf {
    /// First octet of the segment's buffer; never null.
    pub buf_addr: *mut u8,
    /// The same for devices.
    pub buf_iova: u64,
    /// Where in the buffer the segment's octets begin.
    pub data_off: u16,
    /// Owners.
    pub refcnt: u16,
    /// Segments, one or more.
    pub nb_segs: u16,
    /// Port that received the frame.
    pub port: u16,
    /// Offload flags as the driver set them.
    pub ol_flags: u64,
    /// What the device took the packet for.
    pub packet_type: u32,
    /// Octets of all segments.
    pub pkt_len: u32,
    /// Octets of this segment.
    pub data_len: u16,
    /// Tag that the device took off.
    pub vlan_tci: u16,
    /// The device's hash; meaningful when `ol_flags` has [`SG_RX_RSS_HASH`].
    pub rss: u32,
    /// The rest of it.
    pub hash_high: u32,
    /// Outer tag that the device took off.
    pub vlan_tci_outer: u16,
    /// Octets of the segment's buffer.
    pub buf_len: u16,
}

// As in wrapper.h, which shim.c holds against DPDK's own.
const _: () = {
    assert!(offset_of!(sg_mbuf, data_off) == 16 && offset_of!(sg_mbuf, nb_segs) == 20);
    assert!(offset_of!(sg_mbuf, ol_flags) == 24 && offset_of!(sg_mbuf, data_len) == 40);
    assert!(offset_of!(sg_mbuf, rss) == 44 && offset_of!(sg_mbuf, buf_len) == 54 && size_of::<sg_mbuf>() == 56);
};

/// What a device can do, cut down to what is asked of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sg_info {
    /// Hash functions that the device has, `RTE_ETH_RSS_*` bits.
    pub rss: u64,
    /// Host interface behind the port, 0 if none.
    pub ifindex: u32,
    /// NUMA node, -1 unknown.
    pub socket: i32,
    /// Most receive queues.
    pub max_rx_queues: u16,
    /// Most transmit queues.
    pub max_tx_queues: u16,
    /// Least MTU, octets.
    pub min_mtu: u16,
    /// Most MTU, octets.
    pub max_mtu: u16,
    /// Octets of the hash key; 0: the device does not tell.
    pub key_size: u8,
    /// Name of the driver, ended by a zero.
    pub driver: [c_char; 32],
}

/// Counters of a port since it was opened.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct sg_stats {
    /// Frames received.
    pub ipackets: u64,
    /// Frames sent.
    pub opackets: u64,
    /// Octets received.
    pub ibytes: u64,
    /// Octets sent.
    pub obytes: u64,
    /// Frames lost because the receive ring was full.
    pub imissed: u64,
    /// Frames received with errors.
    pub ierrors: u64,
    /// Frames that could not be sent.
    pub oerrors: u64,
    /// Receptions that failed for want of a buffer.
    pub rx_nombuf: u64,
}

/// Link state.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct sg_link {
    /// Speed, Mbit/s; `u32::MAX` unknown.
    pub mbps: u32,
    /// 1: up.
    pub up: u8,
    /// 1: full duplex.
    pub full_duplex: u8,
}

unsafe extern "C" {
    /// `rte_eal_init`. The strings must live as long as the process; `argv` may be reordered.
    pub fn sg_eal_init(argc: c_int, argv: *mut *mut c_char) -> c_int;
    /// `rte_errno` of this thread.
    pub fn sg_errno() -> c_int;
    /// `rte_strerror`: text of a positive errno, in a buffer of this thread.
    pub fn sg_strerror(code: c_int) -> *const c_char;
    /// `rte_version`: text of the library at run time, static.
    pub fn sg_version() -> *const c_char;
    /// `rte_thread_register`: gives this thread an lcore number and with it the mempool caches.
    pub fn sg_thread_register() -> c_int;
    /// `rte_thread_unregister`. Only for a thread that registered.
    pub fn sg_thread_unregister();
    /// `rte_lcore_id`; [`SG_LCORE_ANY`] for a thread that EAL does not know.
    pub fn sg_lcore_id() -> u32;
    /// Time stamp counter of this core.
    pub fn sg_tsc() -> u64;
    /// Its frequency, Hz.
    pub fn sg_tsc_hz() -> u64;

    /// `rte_eal_hotplug_add`.
    pub fn sg_hotplug(bus: *const c_char, name: *const c_char, args: *const c_char) -> c_int;
    /// `rte_eal_hotplug_remove`.
    pub fn sg_unplug(bus: *const c_char, name: *const c_char) -> c_int;
    /// `rte_eth_dev_get_port_by_name`.
    pub fn sg_port_by_name(name: *const c_char, port: *mut u16) -> c_int;
    /// `rte_eth_dev_info_get`.
    pub fn sg_port_info(port: u16, info: *mut sg_info) -> c_int;
    /// `rte_eth_dev_configure` with as many transmit as receive queues and no offloads. `rss` 0: no hashing. `key` may
    /// be null: the device's own.
    pub fn sg_port_configure(port: u16, queues: u16, mtu: u16, rss: u64, key: *mut u8, key_size: u8) -> c_int;
    /// `rte_eth_dev_adjust_nb_rx_tx_desc`.
    pub fn sg_port_adjust_rings(port: u16, rx_ring: *mut u16, tx_ring: *mut u16) -> c_int;
    /// `rte_eth_rx_queue_setup` with the driver's defaults.
    pub fn sg_port_rx_queue(port: u16, queue: u16, ring: u16, pool: *mut c_void) -> c_int;
    /// `rte_eth_tx_queue_setup` with the driver's defaults.
    pub fn sg_port_tx_queue(port: u16, queue: u16, ring: u16) -> c_int;
    /// `rte_eth_promiscuous_enable`.
    pub fn sg_port_promiscuous(port: u16) -> c_int;
    /// `rte_eth_dev_start`.
    pub fn sg_port_start(port: u16) -> c_int;
    /// `rte_eth_dev_stop`.
    pub fn sg_port_stop(port: u16) -> c_int;
    /// `rte_eth_dev_close`.
    pub fn sg_port_close(port: u16) -> c_int;
    /// `rte_eth_link_get_nowait`.
    pub fn sg_port_link(port: u16, link: *mut sg_link) -> c_int;
    /// `rte_eth_stats_get`.
    pub fn sg_port_stats(port: u16, stats: *mut sg_stats) -> c_int;
    /// `rte_eth_macaddr_get`.
    pub fn sg_port_mac(port: u16, mac: *mut u8) -> c_int;

    /// `rte_pktmbuf_pool_create`. `room`: octets of a frame that one buffer holds, headroom apart. Null: see
    /// [`sg_errno`].
    pub fn sg_pool_create(name: *const c_char, count: u32, cache: u32, room: u16, socket: c_int) -> *mut c_void;
    /// `rte_mempool_free`. No mbuf of it and no queue that uses it may be left.
    pub fn sg_pool_free(pool: *mut c_void);
    /// `rte_mempool_avail_count`: exact only while no other thread allocates or frees.
    pub fn sg_pool_free_count(pool: *const c_void) -> u32;
    /// `rte_mempool_in_use_count`: exact only while no other thread allocates or frees.
    pub fn sg_pool_in_use(pool: *const c_void) -> u32;
    /// Octets of memory that one buffer takes, header and padding included.
    pub fn sg_pool_element(pool: *const c_void) -> u32;

    /// `rte_eth_rx_burst` of at most [`SG_BURST`]; writes and returns how many. `segments`: above 1 if any of them has more
    /// than one.
    pub fn sg_rx(port: u16, queue: u16, mbufs: *mut *mut sg_mbuf, max: u16, segments: *mut u16) -> u16;
    /// `rte_eth_tx_burst`: sends from the front and returns how many; those no longer belong to the caller.
    pub fn sg_tx(port: u16, queue: u16, mbufs: *mut *mut sg_mbuf, count: u16) -> u16;
    /// `rte_pktmbuf_alloc`: one segment without content; null when all are out.
    pub fn sg_mbuf_alloc(pool: *mut c_void) -> *mut sg_mbuf;
    /// `rte_pktmbuf_free`.
    pub fn sg_mbuf_free(mbuf: *mut sg_mbuf);
    /// Copies `len` octets in as the only content. `-ENOBUFS`: no room, nothing was changed.
    pub fn sg_mbuf_set(mbuf: *mut sg_mbuf, octets: *const u8, len: u32) -> c_int;
    /// Brings all segments into the first. `-ENOBUFS`: no room, nothing was changed.
    pub fn sg_mbuf_linearise(mbuf: *mut sg_mbuf) -> c_int;

    /// The C library's own: number of the interface of this name in this thread's network namespace, 0 if none.
    pub fn if_nametoindex(name: *const c_char) -> u32;

    /// `rte_softrss`: hash of `words` 32-bit words in host order, as a device with this key computes it.
    pub fn sg_softrss(tuple: *mut u32, words: u32, key: *const u8) -> u32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    /// Toeplitz key and first two IPv4 vectors of the RSS specification (Microsoft, "Verifying the RSS hash
    /// calculation"): 161.142.100.80:1766 <- 66.9.149.187:2794, and 65.69.140.83:4739 <- 199.92.111.2:14230.
    const KEY: [u8; 40] = [
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca,
        0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b,
        0xbe, 0xac, 0x01, 0xfa,
    ];

    #[test]
    fn the_library_at_run_time_is_the_release_of_the_headers() {
        // SAFETY: rte_version returns a static string and needs no EAL.
        let version = unsafe { CStr::from_ptr(sg_version()) };
        assert!(version.to_string_lossy().contains("22.11"), "{version:?}");
    }

    #[test]
    fn software_hash_agrees_with_the_published_vectors() {
        for (mut tuple, want) in [
            ([0x4209_95bb, 0xa18e_6450, (2794 << 16) | 1766], 0x51cc_c178),
            ([0xc75c_6f02, 0x4145_8c53, (14230 << 16) | 4739], 0xc626_b0ea),
        ] {
            // SAFETY: rte_softrss reads `words` words and one key of 40 octets, and needs no EAL.
            assert_eq!(unsafe { sg_softrss(tuple.as_mut_ptr(), 3, KEY.as_ptr()) }, want);
        }
    }
}
