/* What Rust may call: one function per operation, plain C types, no DPDK structure in sight.
 * src/lib.rs mirrors this file line by line. Functions return 0 or more for success and a negative errno otherwise,
 * unless they say something else.
 */
#ifndef SEALGATE_WRAPPER_H
#define SEALGATE_WRAPPER_H

#include <stdint.h>

/* Frames that one call of sg_rx or sg_tx moves at most. */
#define SG_BURST 64

/* A received or allocated frame. `data` and `len` are those of the first segment. */
struct sg_frame {
	void *mbuf;
	uint8_t *data;
	uint64_t ol_flags;
	uint32_t len;
	uint32_t rss;      /* the device's hash; meaningful when ol_flags has SG_RX_RSS_HASH */
	uint16_t nb_segs;
	uint16_t port;
};

/* The device set this frame's hash (RTE_MBUF_F_RX_RSS_HASH). */
#define SG_RX_RSS_HASH (UINT64_C(1) << 1)

/* What a device can do, cut down to what is asked of it. */
struct sg_info {
	uint64_t rss;      /* hash functions that the device has, as RTE_ETH_RSS_* bits */
	uint32_t ifindex;  /* host interface behind the port, 0 if none */
	int32_t socket;    /* NUMA node, -1 unknown */
	uint16_t max_rx_queues;
	uint16_t max_tx_queues;
	uint16_t min_mtu;
	uint16_t max_mtu;
	uint8_t key_size;  /* octets of the hash key; 0: the device does not tell */
	char driver[32];
};

/* Counters of a port since it was opened. */
struct sg_stats {
	uint64_t ipackets, opackets, ibytes, obytes;
	uint64_t imissed, ierrors, oerrors, rx_nombuf;
};

/* Link state. */
struct sg_link {
	uint32_t mbps;     /* UINT32_MAX: unknown */
	uint8_t up;
	uint8_t full_duplex;
};

/* EAL and threads. */
int sg_eal_init(int argc, char **argv);
int sg_errno(void);
const char *sg_strerror(int code);
const char *sg_version(void);
int sg_thread_register(void);
void sg_thread_unregister(void);
uint32_t sg_lcore_id(void);                /* UINT32_MAX: this thread is not known to EAL */
uint64_t sg_tsc(void);
uint64_t sg_tsc_hz(void);

/* Devices and ports. */
int sg_hotplug(const char *bus, const char *name, const char *args);
int sg_unplug(const char *bus, const char *name);
int sg_port_by_name(const char *name, uint16_t *port);
int sg_port_info(uint16_t port, struct sg_info *info);
/* rss 0: no hashing. key may be NULL: the device's own. Bits that the device lacks are an error. */
int sg_port_configure(uint16_t port, uint16_t queues, uint16_t mtu, uint64_t rss, uint8_t *key, uint8_t key_size);
int sg_port_adjust_rings(uint16_t port, uint16_t *rx_ring, uint16_t *tx_ring);
int sg_port_rx_queue(uint16_t port, uint16_t queue, uint16_t ring, void *pool);
int sg_port_tx_queue(uint16_t port, uint16_t queue, uint16_t ring);
int sg_port_promiscuous(uint16_t port);
int sg_port_start(uint16_t port);
int sg_port_stop(uint16_t port);
int sg_port_close(uint16_t port);
int sg_port_link(uint16_t port, struct sg_link *link);
int sg_port_stats(uint16_t port, struct sg_stats *stats);
int sg_port_mac(uint16_t port, uint8_t mac[6]);

/* Pools. NULL: see sg_errno. room: octets of a frame that one buffer holds, headroom apart. */
void *sg_pool_create(const char *name, uint32_t count, uint32_t cache, uint16_t room, int socket);
void sg_pool_free(void *pool);
uint32_t sg_pool_free_count(const void *pool);
uint32_t sg_pool_in_use(const void *pool);
/* Octets of memory that one buffer of this pool takes, header and padding included. */
uint32_t sg_pool_element(const void *pool);

/* Frames. */
uint16_t sg_rx(uint16_t port, uint16_t queue, struct sg_frame *frames, uint16_t max);
/* Sends mbufs[0..count] from the front; those sent no longer belong to the caller. */
uint16_t sg_tx(uint16_t port, uint16_t queue, void **mbufs, uint16_t count);
int sg_frame_alloc(void *pool, struct sg_frame *frame);
void sg_frame_free(void *mbuf);
/* Octets that the buffer holds from its data offset to its end. */
uint32_t sg_frame_room(const void *mbuf);
/* Copies len octets in as the only content. -ENOBUFS: no room, nothing was changed. */
int sg_frame_set(void *mbuf, const uint8_t *octets, uint32_t len);
/* Brings all segments into the first. -ENOBUFS: no room, nothing was changed. */
int sg_frame_linearise(void *mbuf, struct sg_frame *frame);

/* Hash of a tuple of `words` 32-bit words in host order, as a device with this key computes it. */
uint32_t sg_softrss(uint32_t *tuple, uint32_t words, const uint8_t *key);

#endif
