/* Octets of SCTP, M3UA and SCCP as the bridge reads and mends them. */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <stddef.h>
#include <stdint.h>

unsigned get16(const uint8_t *octets);
uint32_t get32(const uint8_t *octets);

/* The Internet checksum's sum over an IPv4 header: 0xffff where it is good. */
unsigned internet_sum(const uint8_t *octets, size_t len);

/* Makes the tables; before any of the three below. */
void crc32c_init(void);

/* CRC32c of an SCTP packet whose checksum field counts as zero; the value as it stands there, low octet first. */
uint32_t crc32c(const uint8_t *packet, size_t len);

/* The checksum that the packet has. */
uint32_t checksum_of(const uint8_t *packet);

/* Gives the packet the checksum it should have. */
void seal(uint8_t *packet, size_t len);

/* The TCAP message inside an M3UA payload message: offset and length, 0 where there is none that we know. */
size_t find_tcap(const uint8_t *message, size_t len, size_t *tcap_len);

/* The invoke id of a security component of SG-TCAP-1 for MAP in the TCAP message from `from` to `to`: the last place of
 * INTEGER, operation 81, SEQUENCE. 0 where there is none. */
size_t find_security(const uint8_t *message, size_t from, size_t to);

#endif
