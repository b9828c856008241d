#include "wire.h"

#include <string.h>

static uint32_t crc_table[256];

void crc32c_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78 : 0);
        }
        crc_table[i] = value;
    }
}

unsigned get16(const uint8_t *octets)
{
    return (unsigned)octets[0] << 8 | octets[1];
}

uint32_t get32(const uint8_t *octets)
{
    return (uint32_t)get16(octets) << 16 | get16(octets + 2);
}

uint32_t crc32c(const uint8_t *packet, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        const uint8_t octet = i >= 8 && i < 12 ? 0 : packet[i];
        crc = crc >> 8 ^ crc_table[(crc ^ octet) & 0xff];
    }
    return ~crc;
}

uint32_t checksum_of(const uint8_t *packet)
{
    return (uint32_t)packet[8] | (uint32_t)packet[9] << 8 | (uint32_t)packet[10] << 16 | (uint32_t)packet[11] << 24;
}

void seal(uint8_t *packet, size_t len)
{
    const uint32_t crc = crc32c(packet, len);
    for (int i = 0; i < 4; i++) {
        packet[8 + i] = (uint8_t)(crc >> 8 * i);
    }
}

unsigned internet_sum(const uint8_t *octets, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += get16(octets + i);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

size_t find_tcap(const uint8_t *message, size_t len, size_t *tcap_len)
{
    size_t at = 8, data;
    if (len < 8 || message[0] != 1 || message[2] != 1 || message[3] != 1 || get32(message + 4) != len) {
        return 0;
    }
    while (at + 4 <= len && get16(message + at) != 0x0210) {
        const size_t parameter = get16(message + at + 2);
        if (parameter < 4) {
            return 0;
        }
        at += (parameter + 3) & ~(size_t)3;
    }
    if (at + 4 + 12 + 15 > len || message[at + 12] != 3) {
        return 0;
    }
    at += 16;
    switch (message[at]) {
    case 0x09:
        data = at + 4 + message[at + 4];
        *tcap_len = data < len ? message[data] : 0;
        data += 1;
        break;
    case 0x11:
        data = at + 5 + message[at + 5];
        *tcap_len = data < len ? message[data] : 0;
        data += 1;
        break;
    case 0x13:
        data = at + 8 + (message[at + 7] | (size_t)message[at + 8] << 8);
        *tcap_len = data + 1 < len ? message[data] | (size_t)message[data + 1] << 8 : 0;
        data += 2;
        break;
    default:
        return 0;
    }
    return *tcap_len >= 16 && data + *tcap_len <= len ? data : 0;
}

size_t find_security(const uint8_t *message, size_t from, size_t to)
{
    static const uint8_t operation[] = {0x02, 0x01, 0x51, 0x30};
    for (size_t at = to - sizeof operation; at >= from + 3; at--) {
        if (memcmp(message + at, operation, sizeof operation) == 0 && message[at - 3] == 0x02) {
            return at - 1;
        }
    }
    return 0;
}
