/* The messages of the lab: MAP dialogues in TCAP, SCCP and M3UA.
 *
 * Both endpoints build the same octets for the same number, so a receiver knows octet by octet what it must get. The
 * messages are unsigned; a gateway adds the signature and the next one has to take it off again without a trace. */
#ifndef LAB_MESSAGE_H
#define LAB_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_MAX 9000        /* octets of the longest M3UA message we build */
#define STREAMS_MAX 64
#define ROUTING_CONTEXT 1u

/* What a request is. All but GOOD must be refused by the gateway in front of host b. */
enum kind {
    GOOD,               /* updateLocation of operator A's visitor register to operator B's home register */
    BAD_NOBODY,         /* the calling global title belongs to no operator */
    BAD_OURS,           /* the calling global title is operator B's own */
    BAD_CATEGORY,       /* anyTimeInterrogation: an operation that is for B's own network only */
    BAD_TRAILING,       /* an octet too many behind the TCAP message */
    KINDS
};

/* What one M3UA message is. */
enum m3ua_type {
    ASPUP = 0x0301, ASPUP_ACK = 0x0304, BEAT_ACK = 0x0306, ASPAC = 0x0401, ASPAC_ACK = 0x0403, PAYLOAD = 0x0101
};

/* The kind of request `number` when every `bad_every`-th request is a bad one (0: none is). */
enum kind kind_of(uint32_t number, uint32_t bad_every);

/* The SCTP stream of message `number`: stream 0 carries M3UA management only, where there is more than one. */
uint16_t stream_of(uint32_t number, uint16_t streams);

/* Builds request `number` into `out` (MESSAGE_MAX octets) with `pad` octets of extension data in its argument; a TCAP
 * message that outgrows a UDT travels in a LUDT. Returns the length. */
size_t build_request(uint32_t number, enum kind kind, size_t pad, uint16_t streams, uint8_t *out);

/* Builds the answer to request `number`, padded likewise. */
size_t build_answer(uint32_t number, size_t pad, uint16_t streams, uint8_t *out);

/* Builds an M3UA management message without parameters, or with the routing context for ASPAC and ASPAC_ACK. */
size_t build_management(enum m3ua_type type, uint8_t *out);

/* The class and type of a message as in enum m3ua_type; -1 where it is no M3UA message of exactly `len` octets. */
int m3ua_type(const uint8_t *message, size_t len);

/* 1 for a Heartbeat Ack without parameters, or with one Heartbeat Data of zero octets only. */
int is_neutral(const uint8_t *message, size_t len);

/* Reads the number out of the transaction id behind `tag` (0x48 of a request, 0x49 of an answer); 0 where there is none. */
int number_in(const uint8_t *message, size_t len, uint8_t tag, uint32_t *number);

#endif
