/* What Rust may call: one function per operation, plain C types, and of DPDK's structures only the head of a packet buffer.
 * src/lib.rs mirrors this file line by line. Functions return 0 or more for success and a negative errno otherwise,
 * unless they say something else.
 */
#ifndef SEALGATE_WRAPPER_H
#define SEALGATE_WRAPPER_H

#include <stdint.h>

/* Frames that one call of sg_rx or sg_tx moves at most. */
#define SG_BURST 64

/* The head of an rte_mbuf, which is in cache wherever a frame is at hand: what is read of every frame costs no call. shim.c
 * holds each place against DPDK's own.
 */
struct sg_mbuf {
	uint8_t *buf_addr;
	uint64_t buf_iova;
	uint16_t data_off;
	uint16_t refcnt;
	uint16_t nb_segs;
	uint16_t port;
	uint64_t ol_flags;
	uint32_t packet_type;
	uint32_t pkt_len;
	uint16_t data_len;
	uint16_t vlan_tci;
	uint32_t rss;      /* the device's hash; meaningful when ol_flags has SG_RX_RSS_HASH */
	uint32_t hash_high;
	uint16_t vlan_tci_outer;
	uint16_t buf_len;
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
/* At most SG_BURST. `segments`: above 1 if any of them has more than one. */
uint16_t sg_rx(uint16_t port, uint16_t queue, struct sg_mbuf **mbufs, uint16_t max, uint16_t *segments);
/* Sends mbufs[0..count] from the front; those sent no longer belong to the caller. */
uint16_t sg_tx(uint16_t port, uint16_t queue, struct sg_mbuf **mbufs, uint16_t count);
/* One segment without content. NULL: all are out. */
struct sg_mbuf *sg_mbuf_alloc(void *pool);
void sg_mbuf_free(struct sg_mbuf *mbuf);
/* Copies len octets in as the only content. -ENOBUFS: no room, nothing was changed. */
int sg_mbuf_set(struct sg_mbuf *mbuf, const uint8_t *octets, uint32_t len);
/* Brings all segments into the first. -ENOBUFS: no room, nothing was changed. */
int sg_mbuf_linearise(struct sg_mbuf *mbuf);

/* Hash of a tuple of `words` 32-bit words in host order, as a device with this key computes it. */
uint32_t sg_softrss(uint32_t *tuple, uint32_t words, const uint8_t *key);

/* Verification by crypto devices: crypto.c, with the feature `cryptodev`. */

/* Most devices (RTE_CRYPTO_MAX_DEVS); numbers are below that. */
#define SG_MAX_CRYPTO 64
/* Octets of the longest number of a curve. */
#define SG_CURVE_OCTETS 48
/* Curves (enum rte_crypto_curve_id). */
#define SG_CURVE_P256 23
#define SG_CURVE_P384 24
/* Asymmetric algorithms (enum rte_crypto_asym_xform_type): bits of sg_crypto_info.asym, first, ECDSA and last. */
#define SG_ASYM_RSA 2
#define SG_ASYM_ECDSA 7
#define SG_ASYM_ECFPM 10
/* How an operation ended (enum rte_crypto_op_status). */
#define SG_STATUS_SUCCESS 0
#define SG_STATUS_NOT_PROCESSED 1
#define SG_STATUS_AUTH_FAILED 2
#define SG_STATUS_INVALID_SESSION 3
#define SG_STATUS_INVALID_ARGS 4
#define SG_STATUS_ERROR 5

/* A crypto device, cut down to what is asked of it. Texts end with a zero. */
struct sg_crypto_info {
	uint32_t asym;        /* asymmetric algorithms, a bit each */
	int32_t socket;       /* NUMA node, -1 unknown */
	uint16_t max_queues;
	uint8_t verifies;     /* 1: ECDSA with verification */
	char name[64];        /* of the crypto device */
	char device[64];      /* of the device on its bus; a PCI address */
	char driver[64];
};

/* An operation that came back: as it was named, and how it ended. */
struct sg_crypto_done {
	uint64_t cookie;
	uint32_t place;
	int32_t status;
};

/* -ENODEV: there is no device of this number. */
int sg_crypto_info(uint8_t dev, struct sg_crypto_info *info);
/* Lets what logs under this name say critical things only. */
int sg_crypto_quiet(const char *type);
int sg_crypto_configure(uint8_t dev, uint16_t queues);
int sg_crypto_queue(uint8_t dev, uint16_t queue, uint32_t descriptors);
int sg_crypto_start(uint8_t dev);
void sg_crypto_stop(uint8_t dev);
int sg_crypto_close(uint8_t dev);
/* NULL: see sg_errno. Freed by sg_pool_free. */
void *sg_crypto_session_pool(const char *name, uint32_t count, int socket);
/* A session for ECDSA on this curve. */
int sg_crypto_session(uint8_t dev, uint16_t curve, void *pool, void **session);
int sg_crypto_session_free(uint8_t dev, void *session);
/* A pool of operations, all of which are written to ops and belong to the caller. NULL: see sg_errno. */
void *sg_crypto_ops(const char *name, uint16_t count, int socket, void **ops);
/* Makes op a verification. point: x, y; signature: r, s; each of these numbers and the digest have len octets. */
int sg_crypto_verify(void *op, uint32_t place, uint64_t cookie, void *session, const uint8_t *point,
		     const uint8_t *digest, const uint8_t *signature, uint32_t len);
/* From the front; returns how many were taken. */
uint16_t sg_crypto_enqueue(uint8_t dev, uint16_t queue, void **ops, uint16_t count);
/* At most SG_BURST. */
uint16_t sg_crypto_dequeue(uint8_t dev, uint16_t queue, struct sg_crypto_done *done, uint16_t max);

#endif
