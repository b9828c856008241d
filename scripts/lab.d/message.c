#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Point codes, titles and subsystems; scripts/lab writes the same into the gateways' policies. */
#define POINT_CODE_A 4128u
#define POINT_CODE_B 4112u
#define TITLE_A "999020000011"
#define TITLE_B "999010000001"
#define TITLE_NOBODY "999770000001"
#define SSN_HLR 6
#define SSN_VLR 7
#define UDT_DATA_MAX 254
#define TID_BASE 0x10000000u

/* Octets that are written from the front. */
struct buffer {
    uint8_t octets[MESSAGE_MAX];
    size_t len;
};

/* An empty buffer; its octets stay unset, since clearing 9000 of them for each element would cost more than the rest. */
#define BUFFER(name) struct buffer name; name.len = 0

static void put(struct buffer *to, const void *octets, size_t len)
{
    if (len > sizeof to->octets - to->len) {
        fprintf(stderr, "lab: a message would be longer than %d octets; use a smaller --pad\n", MESSAGE_MAX);
        exit(2);
    }
    memcpy(to->octets + to->len, octets, len);
    to->len += len;
}

static void put8(struct buffer *to, unsigned value)
{
    const uint8_t octet = (uint8_t)value;
    put(to, &octet, 1);
}

static void put16(struct buffer *to, unsigned value)
{
    put8(to, value >> 8);
    put8(to, value);
}

static void put32(struct buffer *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to, value & 0xffff);
}

/* A BER element with a definite length in as few octets as possible. */
static void put_tlv(struct buffer *to, unsigned tag, const struct buffer *value)
{
    put8(to, tag);
    if (value->len < 0x80) {
        put8(to, (unsigned)value->len);
    } else if (value->len < 0x100) {
        put8(to, 0x81);
        put8(to, (unsigned)value->len);
    } else {
        put8(to, 0x82);
        put16(to, (unsigned)value->len);
    }
    put(to, value->octets, value->len);
}

static void wrap(struct buffer *value, unsigned tag)
{
    BUFFER(inner);
    put(&inner, value->octets, value->len);
    value->len = 0;
    put_tlv(value, tag, &inner);
}

/* Digits two to an octet, the first one low; `filler` ends an odd number of them. */
static void put_digits(struct buffer *to, const char *digits, unsigned filler)
{
    for (; digits[0] != 0; digits += digits[1] != 0 ? 2 : 1) {
        const unsigned high = digits[1] != 0 ? (unsigned)(digits[1] - '0') : filler;
        put8(to, high << 4 | (unsigned)(digits[0] - '0'));
        if (digits[1] == 0) {
            break;
        }
    }
}

static void put_isdn(struct buffer *to, unsigned tag, const char *digits)
{
    BUFFER(value);
    put8(&value, 0x91);                 /* international number, E.164 */
    put_digits(&value, digits, 0xf);
    put_tlv(to, tag, &value);
}

static void put_imsi(struct buffer *to, unsigned tag, uint32_t number)
{
    char digits[16];
    BUFFER(value);
    (void)snprintf(digits, sizeof digits, "00101%010lu", (unsigned long)number % 10000000000ul);
    put_digits(&value, digits, 0xf);
    put_tlv(to, tag, &value);
}

/* An extension container with one private extension of `pad` octets (3GPP TS 29.002, 17.7.11). */
static void put_padding(struct buffer *to, uint32_t number, size_t pad)
{
    static const uint8_t identifier[] = {0x06, 0x03, 0x2a, 0x03, 0x04};
    BUFFER(value);
    BUFFER(extension);
    if (pad == 0) {
        return;
    }
    for (size_t i = 0; i < pad; i++) {
        put8(&value, (unsigned)(number + i * 7));
    }
    put(&extension, identifier, sizeof identifier);
    put_tlv(&extension, 0x04, &value);
    wrap(&extension, 0x30);
    wrap(&extension, 0xa0);
    put_tlv(to, 0x30, &extension);
}

/* The dialogue portion: AARQ (request) or AARE (accepted) with a MAP application context of version 3. */
static void put_dialogue(struct buffer *to, int answer, unsigned context)
{
    static const uint8_t abstract_syntax[] = {0x06, 0x07, 0x00, 0x11, 0x86, 0x05, 0x01, 0x01, 0x01};
    static const uint8_t version[] = {0x80, 0x02, 0x07, 0x80};
    static const uint8_t accepted[] = {0xa2, 0x03, 0x02, 0x01, 0x00, 0xa3, 0x05, 0xa1, 0x03, 0x02, 0x01, 0x00};
    const uint8_t name[] = {0xa1, 0x09, 0x06, 0x07, 0x04, 0x00, 0x00, 0x01, 0x00, (uint8_t)context, 0x03};
    BUFFER(apdu);
    BUFFER(external);
    put(&apdu, version, sizeof version);
    put(&apdu, name, sizeof name);
    if (answer) {
        put(&apdu, accepted, sizeof accepted);
    }
    wrap(&apdu, answer ? 0x61 : 0x60);
    put(&external, abstract_syntax, sizeof abstract_syntax);
    put_tlv(&external, 0xa0, &apdu);
    wrap(&external, 0x28);
    put_tlv(to, 0x6b, &external);
}

static void put_tid(struct buffer *to, unsigned tag, uint32_t number)
{
    put8(to, tag);
    put8(to, 4);
    put32(to, TID_BASE + number);
}

static void put_invoke(struct buffer *to, unsigned operation, const struct buffer *argument)
{
    BUFFER(component);
    const uint8_t head[] = {0x02, 0x01, 0x01, 0x02, 0x01, (uint8_t)operation};
    put(&component, head, sizeof head);
    put(&component, argument->octets, argument->len);
    wrap(&component, 0xa1);
    put_tlv(to, 0x6c, &component);
}

static void tcap_request(struct buffer *to, uint32_t number, enum kind kind, size_t pad)
{
    BUFFER(argument);
    put_tid(to, 0x48, number);
    if (kind == BAD_CATEGORY) {
        static const uint8_t subscriber_info[] = {0xa1, 0x04, 0x80, 0x00, 0x81, 0x00};
        BUFFER(identity);
        put_imsi(&identity, 0x80, number);
        put_tlv(&argument, 0xa0, &identity);
        put(&argument, subscriber_info, sizeof subscriber_info);
        put_isdn(&argument, 0x83, TITLE_A);
        wrap(&argument, 0x30);
        put_dialogue(to, 0, 29);
        put_invoke(to, 71, &argument);
    } else {
        put_imsi(&argument, 0x04, number);
        put_isdn(&argument, 0x81, TITLE_A);
        put_isdn(&argument, 0x04, TITLE_A);
        put_padding(&argument, number, pad);
        wrap(&argument, 0x30);
        put_dialogue(to, 0, 1);
        put_invoke(to, 2, &argument);
    }
    wrap(to, 0x62);
    if (kind == BAD_TRAILING) {
        put8(to, 0);
    }
}

static void tcap_answer(struct buffer *to, uint32_t number, size_t pad)
{
    static const uint8_t invoke_id[] = {0x02, 0x01, 0x01}, operation[] = {0x02, 0x01, 0x02};
    BUFFER(parameter);
    BUFFER(result);
    BUFFER(component);
    put_tid(to, 0x49, number);
    put_dialogue(to, 1, 1);
    put_isdn(&parameter, 0x04, TITLE_B);
    put_padding(&parameter, number, pad);
    wrap(&parameter, 0x30);
    put(&result, operation, sizeof operation);
    put(&result, parameter.octets, parameter.len);
    put(&component, invoke_id, sizeof invoke_id);
    put_tlv(&component, 0x30, &result);
    wrap(&component, 0xa2);
    put_tlv(to, 0x6c, &component);
    wrap(to, 0x64);
}

/* A party address routed on its global title (ITU-T Q.713, 3.4; indicator 4). */
static void put_address(struct buffer *to, const char *digits, unsigned ssn)
{
    const uint8_t head[] = {0x12, (uint8_t)ssn, 0x00, strlen(digits) % 2 != 0 ? 0x11 : 0x12, 0x04};
    put(to, head, sizeof head);
    put_digits(to, digits, 0);
}

static void put_variable(struct buffer *to, const struct buffer *value)
{
    put8(to, (unsigned)value->len);
    put(to, value->octets, value->len);
}

/* A UDT where the data fits, else a LUDT, whose pointers and data length have the low octet first. */
static void put_sccp(struct buffer *to, const struct buffer *called, const struct buffer *calling,
                     const struct buffer *data)
{
    if (data->len <= UDT_DATA_MAX) {
        const uint8_t head[] = {0x09, 0x00, 3, (uint8_t)(3 + called->len), (uint8_t)(3 + called->len + calling->len)};
        put(to, head, sizeof head);
        put_variable(to, called);
        put_variable(to, calling);
        put_variable(to, data);
        return;
    }
    const size_t at_calling = 1 + called->len, at_data = at_calling + 1 + calling->len;
    const size_t pointers[] = {7, 5 + at_calling, 3 + at_data, 0};
    put8(to, 0x13);
    put8(to, 0x00);
    put8(to, 15);
    for (size_t i = 0; i < 4; i++) {
        put8(to, (unsigned)pointers[i] & 0xff);
        put8(to, (unsigned)pointers[i] >> 8);
    }
    put_variable(to, called);
    put_variable(to, calling);
    put8(to, (unsigned)data->len & 0xff);
    put8(to, (unsigned)data->len >> 8);
    put(to, data->octets, data->len);
}

/* An M3UA DATA message (RFC 4666, 3.3.1) with routing context and protocol data, SCCP in the international network. */
static size_t finish(uint32_t from, uint32_t into, unsigned sls, const struct buffer *sccp, uint8_t *out)
{
    BUFFER(message);
    const size_t parameter = 4 + 12 + sccp->len, padding = (4 - parameter % 4) % 4;
    put32(&message, 0x01000101);
    put32(&message, (uint32_t)(8 + 8 + parameter + padding));
    put32(&message, 0x00060008);
    put32(&message, ROUTING_CONTEXT);
    put16(&message, 0x0210);
    put16(&message, (unsigned)parameter);
    put32(&message, from);
    put32(&message, into);
    put8(&message, 3);
    put8(&message, 0);
    put8(&message, 0);
    put8(&message, sls);
    put(&message, sccp->octets, sccp->len);
    put(&message, "\0\0\0", padding);
    memcpy(out, message.octets, message.len);
    return message.len;
}

enum kind kind_of(uint32_t number, uint32_t bad_every)
{
    if (bad_every == 0 || number % bad_every != bad_every - 1) {
        return GOOD;
    }
    return (enum kind)(1 + number / bad_every % (KINDS - 1));
}

uint16_t stream_of(uint32_t number, uint16_t streams)
{
    return streams < 2 ? 0 : (uint16_t)(1 + number % (streams - 1u));
}

size_t build_request(uint32_t number, enum kind kind, size_t pad, uint16_t streams, uint8_t *out)
{
    BUFFER(called);
    BUFFER(calling);
    BUFFER(tcap);
    BUFFER(sccp);
    put_address(&called, TITLE_B, SSN_HLR);
    put_address(&calling, kind == BAD_NOBODY ? TITLE_NOBODY : kind == BAD_OURS ? TITLE_B : TITLE_A, SSN_VLR);
    tcap_request(&tcap, number, kind, pad);
    put_sccp(&sccp, &called, &calling, &tcap);
    return finish(POINT_CODE_A, POINT_CODE_B, stream_of(number, streams) & 0xf, &sccp, out);
}

size_t build_answer(uint32_t number, size_t pad, uint16_t streams, uint8_t *out)
{
    BUFFER(called);
    BUFFER(calling);
    BUFFER(tcap);
    BUFFER(sccp);
    put_address(&called, TITLE_A, SSN_VLR);
    put_address(&calling, TITLE_B, SSN_HLR);
    tcap_answer(&tcap, number, pad);
    put_sccp(&sccp, &called, &calling, &tcap);
    return finish(POINT_CODE_B, POINT_CODE_A, stream_of(number, streams) & 0xf, &sccp, out);
}

size_t build_management(enum m3ua_type type, uint8_t *out)
{
    BUFFER(message);
    const int with_context = type == ASPAC || type == ASPAC_ACK;
    put16(&message, 0x0100);
    put16(&message, (unsigned)type);
    put32(&message, with_context ? 16 : 8);
    if (with_context) {
        put32(&message, 0x00060008);
        put32(&message, ROUTING_CONTEXT);
    }
    memcpy(out, message.octets, message.len);
    return message.len;
}

static uint32_t get32(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

int m3ua_type(const uint8_t *message, size_t len)
{
    if (len < 8 || message[0] != 1 || get32(message + 4) != len) {
        return -1;
    }
    return message[2] << 8 | message[3];
}

int is_neutral(const uint8_t *message, size_t len)
{
    if (m3ua_type(message, len) != BEAT_ACK) {
        return 0;
    }
    if (len == 8) {
        return 1;
    }
    if (len < 12 || message[8] != 0 || message[9] != 9) {
        return 0;
    }
    const size_t parameter = (size_t)message[10] << 8 | message[11];
    if (parameter < 4 || parameter > len - 8 || len - 8 - parameter > 3) {
        return 0;
    }
    for (size_t i = 12; i < len; i++) {
        if (message[i] != 0) {
            return 0;
        }
    }
    return 1;
}

int number_in(const uint8_t *message, size_t len, uint8_t tag, uint32_t *number)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        if (message[i] == tag && message[i + 1] == 4 && message[i + 2] >> 4 == TID_BASE >> 28) {
            *number = get32(message + i + 2) - TID_BASE;
            return 1;
        }
    }
    return 0;
}
