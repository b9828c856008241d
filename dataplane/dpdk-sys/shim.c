/* With crypto.c the only C of Sealgate: most of DPDK's fast path is static inline functions, which a linker cannot offer to Rust.
 * No policy lives here. See wrapper.h.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_thash.h>
#include <rte_version.h>

#include "wrapper.h"

#if RTE_VER_YEAR != 22 || RTE_VER_MONTH != 11
#error "this shim is written for DPDK 22.11"
#endif

_Static_assert(SG_RX_RSS_HASH == RTE_MBUF_F_RX_RSS_HASH, "SG_RX_RSS_HASH");

/* Rust reads these places of a buffer: a release that moves one does not compile. */
#define SAME_PLACE(ours, theirs) \
	_Static_assert(offsetof(struct sg_mbuf, ours) == offsetof(struct rte_mbuf, theirs) && \
		       sizeof(((struct sg_mbuf *)0)->ours) == sizeof(((struct rte_mbuf *)0)->theirs), #ours)
SAME_PLACE(buf_addr, buf_addr);
SAME_PLACE(data_off, data_off);
SAME_PLACE(nb_segs, nb_segs);
SAME_PLACE(ol_flags, ol_flags);
SAME_PLACE(data_len, data_len);
SAME_PLACE(rss, hash.rss);
SAME_PLACE(buf_len, buf_len);
_Static_assert(sizeof(struct sg_mbuf) <= RTE_CACHE_LINE_SIZE, "sg_mbuf is the first line of an rte_mbuf");

/* EAL and threads */

int sg_eal_init(int argc, char **argv)
{
	/* EAL reports through rte_errno, not through its return value. */
	return rte_eal_init(argc, argv) < 0 ? -(rte_errno ? rte_errno : EINVAL) : 0;
}

int sg_errno(void)
{
	return rte_errno;
}

const char *sg_strerror(int code)
{
	return rte_strerror(code);
}

const char *sg_version(void)
{
	return rte_version();
}

int sg_thread_register(void)
{
	return rte_thread_register() == 0 ? 0 : -rte_errno;
}

void sg_thread_unregister(void)
{
	rte_thread_unregister();
}

uint32_t sg_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t sg_tsc(void)
{
	return rte_rdtsc();
}

uint64_t sg_tsc_hz(void)
{
	return rte_get_tsc_hz();
}

/* Devices and ports */

int sg_hotplug(const char *bus, const char *name, const char *args)
{
	return rte_eal_hotplug_add(bus, name, args);
}

int sg_unplug(const char *bus, const char *name)
{
	return rte_eal_hotplug_remove(bus, name);
}

int sg_port_by_name(const char *name, uint16_t *port)
{
	return rte_eth_dev_get_port_by_name(name, port);
}

int sg_port_info(uint16_t port, struct sg_info *info)
{
	struct rte_eth_dev_info dev;
	int code = rte_eth_dev_info_get(port, &dev);

	if (code != 0)
		return code;
	memset(info, 0, sizeof(*info));
	info->rss = dev.flow_type_rss_offloads;
	info->ifindex = dev.if_index;
	info->socket = rte_eth_dev_socket_id(port);
	info->max_rx_queues = dev.max_rx_queues;
	info->max_tx_queues = dev.max_tx_queues;
	info->min_mtu = dev.min_mtu;
	info->max_mtu = dev.max_mtu;
	info->key_size = dev.hash_key_size;
	if (dev.driver_name != NULL)
		strncpy(info->driver, dev.driver_name, sizeof(info->driver) - 1);
	return 0;
}

int sg_port_configure(uint16_t port, uint16_t queues, uint16_t mtu, uint64_t rss, uint8_t *key, uint8_t key_size)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.rxmode.mtu = mtu;
	if (rss != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = rss;
		conf.rx_adv_conf.rss_conf.rss_key = key;
		conf.rx_adv_conf.rss_conf.rss_key_len = key == NULL ? 0 : key_size;
	}
	return rte_eth_dev_configure(port, queues, queues, &conf);
}

int sg_port_adjust_rings(uint16_t port, uint16_t *rx_ring, uint16_t *tx_ring)
{
	return rte_eth_dev_adjust_nb_rx_tx_desc(port, rx_ring, tx_ring);
}

int sg_port_rx_queue(uint16_t port, uint16_t queue, uint16_t ring, void *pool)
{
	/* NULL: the driver's own thresholds, no offloads. */
	return rte_eth_rx_queue_setup(port, queue, ring, rte_eth_dev_socket_id(port), NULL, pool);
}

int sg_port_tx_queue(uint16_t port, uint16_t queue, uint16_t ring)
{
	return rte_eth_tx_queue_setup(port, queue, ring, rte_eth_dev_socket_id(port), NULL);
}

int sg_port_promiscuous(uint16_t port)
{
	return rte_eth_promiscuous_enable(port);
}

int sg_port_start(uint16_t port)
{
	return rte_eth_dev_start(port);
}

int sg_port_stop(uint16_t port)
{
	return rte_eth_dev_stop(port);
}

int sg_port_close(uint16_t port)
{
	return rte_eth_dev_close(port);
}

int sg_port_link(uint16_t port, struct sg_link *link)
{
	struct rte_eth_link state;
	int code;

	memset(&state, 0, sizeof(state));
	code = rte_eth_link_get_nowait(port, &state);
	if (code != 0)
		return code;
	link->mbps = state.link_speed;
	link->up = state.link_status == RTE_ETH_LINK_UP;
	link->full_duplex = state.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
	return 0;
}

int sg_port_stats(uint16_t port, struct sg_stats *stats)
{
	struct rte_eth_stats all;
	int code = rte_eth_stats_get(port, &all);

	if (code != 0)
		return code;
	stats->ipackets = all.ipackets;
	stats->opackets = all.opackets;
	stats->ibytes = all.ibytes;
	stats->obytes = all.obytes;
	stats->imissed = all.imissed;
	stats->ierrors = all.ierrors;
	stats->oerrors = all.oerrors;
	stats->rx_nombuf = all.rx_nombuf;
	return 0;
}

int sg_port_mac(uint16_t port, uint8_t mac[6])
{
	struct rte_ether_addr address;
	int code = rte_eth_macaddr_get(port, &address);

	if (code == 0)
		memcpy(mac, address.addr_bytes, 6);
	return code;
}

/* Pools */

void *sg_pool_create(const char *name, uint32_t count, uint32_t cache, uint16_t room, int socket)
{
	if (room > UINT16_MAX - RTE_PKTMBUF_HEADROOM) {
		rte_errno = EINVAL;
		return NULL;
	}
	return rte_pktmbuf_pool_create(name, count, cache, 0, room + RTE_PKTMBUF_HEADROOM, socket);
}

void sg_pool_free(void *pool)
{
	rte_mempool_free(pool);
}

uint32_t sg_pool_free_count(const void *pool)
{
	return rte_mempool_avail_count(pool);
}

uint32_t sg_pool_in_use(const void *pool)
{
	return rte_mempool_in_use_count(pool);
}

uint32_t sg_pool_element(const void *pool)
{
	const struct rte_mempool *p = pool;

	return p->header_size + p->elt_size + p->trailer_size;
}

/* Frames */

uint16_t sg_rx(uint16_t port, uint16_t queue, struct sg_mbuf **mbufs, uint16_t max, uint16_t *segments)
{
	struct rte_mbuf **frames = (struct rte_mbuf **)mbufs;
	uint16_t count, i, any = 0;

	count = rte_eth_rx_burst(port, queue, frames, max < SG_BURST ? max : SG_BURST);
	for (i = 0; i < count; i++) {
		/* The driver has just written the head of each; its octets are what the caller will wait for. */
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
		any |= frames[i]->nb_segs;
	}
	*segments = any;
	return count;
}

uint16_t sg_tx(uint16_t port, uint16_t queue, struct sg_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, (struct rte_mbuf **)mbufs, count);
}

struct sg_mbuf *sg_mbuf_alloc(void *pool)
{
	return (struct sg_mbuf *)rte_pktmbuf_alloc(pool);
}

void sg_mbuf_free(struct sg_mbuf *mbuf)
{
	rte_pktmbuf_free((struct rte_mbuf *)mbuf);
}

int sg_mbuf_set(struct sg_mbuf *mbuf, const uint8_t *octets, uint32_t len)
{
	struct rte_mbuf *m = (struct rte_mbuf *)mbuf;

	/* A further segment or owner would make the first buffer not ours alone to write. */
	if (len > (uint32_t)m->buf_len - m->data_off || m->nb_segs != 1 || rte_mbuf_refcnt_read(m) != 1 ||
	    !RTE_MBUF_DIRECT(m))
		return -ENOBUFS;
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), octets, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return 0;
}

int sg_mbuf_linearise(struct sg_mbuf *mbuf)
{
	/* The only failure is a tail room too short for the rest: checked before anything is copied. */
	return rte_pktmbuf_linearize((struct rte_mbuf *)mbuf) == 0 ? 0 : -ENOBUFS;
}

uint32_t sg_softrss(uint32_t *tuple, uint32_t words, const uint8_t *key)
{
	return rte_softrss(tuple, words, key);
}
