/* Verification by rte_cryptodev; compiled with the feature `cryptodev` only. No policy lives here. See wrapper.h.
 */
#define ALLOW_EXPERIMENTAL_API /* asymmetric sessions and capabilities are experimental in 22.11 */

#include <errno.h>
#include <string.h>

#include <rte_crypto.h>
#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mempool.h>
#include <rte_version.h>

#include "wrapper.h"

#if RTE_VER_YEAR != 22 || RTE_VER_MONTH != 11
#error "this shim is written for DPDK 22.11"
#endif

_Static_assert(SG_CURVE_P256 == RTE_CRYPTO_EC_GROUP_SECP256R1, "SG_CURVE_P256");
_Static_assert(SG_CURVE_P384 == RTE_CRYPTO_EC_GROUP_SECP384R1, "SG_CURVE_P384");
_Static_assert(SG_STATUS_SUCCESS == RTE_CRYPTO_OP_STATUS_SUCCESS, "SG_STATUS_SUCCESS");
_Static_assert(SG_STATUS_NOT_PROCESSED == RTE_CRYPTO_OP_STATUS_NOT_PROCESSED, "SG_STATUS_NOT_PROCESSED");
_Static_assert(SG_STATUS_AUTH_FAILED == RTE_CRYPTO_OP_STATUS_AUTH_FAILED, "SG_STATUS_AUTH_FAILED");
_Static_assert(SG_STATUS_INVALID_SESSION == RTE_CRYPTO_OP_STATUS_INVALID_SESSION, "SG_STATUS_INVALID_SESSION");
_Static_assert(SG_STATUS_INVALID_ARGS == RTE_CRYPTO_OP_STATUS_INVALID_ARGS, "SG_STATUS_INVALID_ARGS");
_Static_assert(SG_STATUS_ERROR == RTE_CRYPTO_OP_STATUS_ERROR, "SG_STATUS_ERROR");
_Static_assert(SG_ASYM_RSA == RTE_CRYPTO_ASYM_XFORM_RSA, "SG_ASYM_RSA");
_Static_assert(SG_ASYM_ECDSA == RTE_CRYPTO_ASYM_XFORM_ECDSA, "SG_ASYM_ECDSA");
_Static_assert(SG_ASYM_ECFPM == RTE_CRYPTO_ASYM_XFORM_ECFPM, "SG_ASYM_ECFPM");
_Static_assert(SG_MAX_CRYPTO == RTE_CRYPTO_MAX_DEVS, "SG_MAX_CRYPTO");

/* What follows an operation in its element: our name for it, and its numbers where the device can reach them. */
struct ecdsa {
	uint64_t cookie;
	uint32_t place;
	uint8_t x[SG_CURVE_OCTETS], y[SG_CURVE_OCTETS], digest[SG_CURVE_OCTETS], r[SG_CURVE_OCTETS], s[SG_CURVE_OCTETS];
};

static inline struct ecdsa *numbers_of(struct rte_crypto_op *op)
{
	return (struct ecdsa *)(op->asym + 1);
}

int sg_crypto_info(uint8_t dev, struct sg_crypto_info *info)
{
	struct rte_cryptodev_info found;
	struct rte_cryptodev_asym_capability_idx idx;
	const struct rte_cryptodev_asymmetric_xform_capability *capability;
	const char *name;
	int type;

	if (!rte_cryptodev_is_valid_dev(dev))
		return -ENODEV;
	memset(info, 0, sizeof(*info));
	rte_cryptodev_info_get(dev, &found);
	info->socket = rte_cryptodev_socket_id(dev);
	info->max_queues = found.max_nb_queue_pairs > UINT16_MAX ? UINT16_MAX : (uint16_t)found.max_nb_queue_pairs;
	name = rte_cryptodev_name_get(dev);
	strncpy(info->name, name == NULL ? "" : name, sizeof(info->name) - 1);
	strncpy(info->driver, found.driver_name == NULL ? "" : found.driver_name, sizeof(info->driver) - 1);
	if (found.device != NULL)
		strncpy(info->device, rte_dev_name(found.device), sizeof(info->device) - 1);
	if (!(found.feature_flags & RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO))
		return 0;
	for (type = SG_ASYM_RSA; type <= SG_ASYM_ECFPM; type++) {
		idx.type = type;
		capability = rte_cryptodev_asym_capability_get(dev, &idx);
		if (capability == NULL)
			continue;
		info->asym |= UINT32_C(1) << type;
		if (type == SG_ASYM_ECDSA)
			info->verifies = (capability->op_types & (1u << RTE_CRYPTO_ASYM_OP_VERIFY)) != 0;
	}
	return 0;
}

int sg_crypto_quiet(const char *type)
{
	return rte_log_set_level_pattern(type, RTE_LOG_CRIT);
}

int sg_crypto_configure(uint8_t dev, uint16_t queues)
{
	struct rte_cryptodev_config conf;

	memset(&conf, 0, sizeof(conf));
	conf.socket_id = rte_cryptodev_socket_id(dev);
	conf.nb_queue_pairs = queues;
	conf.ff_disable = RTE_CRYPTODEV_FF_SYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY;
	return rte_cryptodev_configure(dev, &conf);
}

int sg_crypto_queue(uint8_t dev, uint16_t queue, uint32_t descriptors)
{
	struct rte_cryptodev_qp_conf conf;

	/* Without sessionless operations there is no need for a session pool. */
	memset(&conf, 0, sizeof(conf));
	conf.nb_descriptors = descriptors;
	return rte_cryptodev_queue_pair_setup(dev, queue, &conf, rte_cryptodev_socket_id(dev));
}

int sg_crypto_start(uint8_t dev)
{
	return rte_cryptodev_start(dev);
}

void sg_crypto_stop(uint8_t dev)
{
	rte_cryptodev_stop(dev);
}

int sg_crypto_close(uint8_t dev)
{
	return rte_cryptodev_close(dev);
}

void *sg_crypto_session_pool(const char *name, uint32_t count, int socket)
{
	return rte_cryptodev_asym_session_pool_create(name, count, 0, 0, socket);
}

int sg_crypto_session(uint8_t dev, uint16_t curve, void *pool, void **session)
{
	struct rte_crypto_asym_xform xform;

	memset(&xform, 0, sizeof(xform));
	xform.xform_type = RTE_CRYPTO_ASYM_XFORM_ECDSA;
	xform.ec.curve_id = (enum rte_crypto_curve_id)curve;
	return rte_cryptodev_asym_session_create(dev, &xform, pool, session);
}

int sg_crypto_session_free(uint8_t dev, void *session)
{
	return rte_cryptodev_asym_session_free(dev, session);
}

void *sg_crypto_ops(const char *name, uint16_t count, int socket, void **ops)
{
	struct rte_mempool *pool;

	pool = rte_crypto_op_pool_create(name, RTE_CRYPTO_OP_TYPE_ASYMMETRIC, count, 0, sizeof(struct ecdsa), socket);
	if (pool == NULL)
		return NULL;
	if (rte_crypto_op_bulk_alloc(pool, RTE_CRYPTO_OP_TYPE_ASYMMETRIC, (struct rte_crypto_op **)ops, count) != count) {
		rte_mempool_free(pool);
		rte_errno = ENOMEM;
		return NULL;
	}
	return pool;
}

/* Copies a number in, and describes it to the device. */
static inline void give(struct rte_crypto_op *op, rte_crypto_param *param, uint8_t *to, const uint8_t *from, size_t len)
{
	memcpy(to, from, len);
	param->data = to;
	param->iova = op->phys_addr + (rte_iova_t)(to - (uint8_t *)op);
	param->length = len;
}

int sg_crypto_verify(void *raw, uint32_t place, uint64_t cookie, void *session, const uint8_t *point,
		     const uint8_t *digest, const uint8_t *signature, uint32_t len)
{
	struct rte_crypto_op *op = raw;
	struct rte_crypto_ecdsa_op_param *ecdsa = &op->asym->ecdsa;
	struct ecdsa *numbers = numbers_of(op);

	if (len == 0 || len > SG_CURVE_OCTETS)
		return -EINVAL;
	/* Also sets the status to not processed: what a driver leaves alone is no answer. */
	__rte_crypto_op_reset(op, RTE_CRYPTO_OP_TYPE_ASYMMETRIC);
	op->sess_type = RTE_CRYPTO_OP_WITH_SESSION;
	op->asym->session = session;
	numbers->cookie = cookie;
	numbers->place = place;
	ecdsa->op_type = RTE_CRYPTO_ASYM_OP_VERIFY;
	give(op, &ecdsa->q.x, numbers->x, point, len);
	give(op, &ecdsa->q.y, numbers->y, point + len, len);
	give(op, &ecdsa->message, numbers->digest, digest, len);
	give(op, &ecdsa->r, numbers->r, signature, len);
	give(op, &ecdsa->s, numbers->s, signature + len, len);
	return 0;
}

uint16_t sg_crypto_enqueue(uint8_t dev, uint16_t queue, void **ops, uint16_t count)
{
	return rte_cryptodev_enqueue_burst(dev, queue, (struct rte_crypto_op **)ops, count);
}

uint16_t sg_crypto_dequeue(uint8_t dev, uint16_t queue, struct sg_crypto_done *done, uint16_t max)
{
	struct rte_crypto_op *ops[SG_BURST];
	uint16_t count, i;

	count = rte_cryptodev_dequeue_burst(dev, queue, ops, max < SG_BURST ? max : SG_BURST);
	for (i = 0; i < count; i++) {
		done[i].cookie = numbers_of(ops[i])->cookie;
		done[i].place = numbers_of(ops[i])->place;
		done[i].status = ops[i]->status;
	}
	return count;
}
