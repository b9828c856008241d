/* The wire between the two gateways of the lab: a bridge of two interfaces that sees all and, told to, does harm.
 *
 * Without an option it forwards frames as they are and counts. Its victims are payload messages of M3UA in one whole
 * DATA chunk; which ones depends on the TSN only, so that a retransmission meets the same fate. What it changes gets a
 * new CRC32c: no lower layer can tell. At SIGTERM or SIGINT it prints one JSON object on one line. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define FRAME_MAX 9216
#define TSN_SPAN 1048576u       /* TSNs of one direction that are told apart */
#define CAPTURES 32u            /* messages remembered for a replay */
#define MESSAGE_MAX 2048
#define LATE 32u                /* messages that one held back comes late; of 17 streams, the same one again */

/* One way through the bridge, and what was seen and done on it. */
struct way {
    const char *name;
    int in, out;
    int started;
    uint32_t base;              /* TSN of the first DATA chunk */
    uint32_t frames, packets, other, data, messages, fragments, bundles, most_chunks, signed_messages, retransmitted;
    uint32_t bad_crc, bad_header, too_long, longest;
    uint32_t tampered, replayed, late, dropped, doubled, unsent;
    uint8_t seen[TSN_SPAN / 8], struck[TSN_SPAN / 8];
    struct { size_t len; uint8_t octets[MESSAGE_MAX]; } captured[CAPTURES];
    uint32_t captures;
    struct { size_t len; uint8_t octets[MESSAGE_MAX]; } held;
    struct { size_t len; uint32_t next; uint8_t octets[FRAME_MAX]; } parts;     /* of the message being put together */
};

static struct way ways[2] = {{.name = "ab"}, {.name = "ba"}};
static uint32_t tamper_every, replay_every, late_every, drop_every, double_every;
static int victims = 1;         /* bit 0: from the first interface to the second, bit 1: back */
static int signed_only;
static uint32_t frame_limit = 1514;
static FILE *tap;
static volatile sig_atomic_t stop;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("middle: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

static int marked(const uint8_t *map, uint32_t position)
{
    return (map[position / 8] & 1 << position % 8) != 0;
}

static void mark(uint8_t *map, uint32_t position)
{
    map[position / 8] |= (uint8_t)(1 << position % 8);
}

static void count_message(struct way *way, const uint8_t *message, size_t len)
{
    size_t tcap_len = 0;
    const size_t tcap = find_tcap(message, len, &tcap_len);
    if (tcap != 0) {
        way->messages++;
        way->signed_messages += (uint32_t)(find_security(message, tcap, tcap + tcap_len) != 0);
    }
}

/* Puts a message in several DATA chunks together, only to count it. Its chunks have consecutive TSNs. */
static void collect(struct way *way, uint32_t position, int flags, const uint8_t *part, size_t len)
{
    if ((flags & 2) != 0) {
        way->parts.len = 0;
    } else if (position != way->parts.next) {
        return;
    }
    if (len > sizeof way->parts.octets - way->parts.len) {
        return;
    }
    memcpy(way->parts.octets + way->parts.len, part, len);
    way->parts.len += len;
    way->parts.next = position + 1;
    if ((flags & 1) != 0) {
        count_message(way, way->parts.octets, way->parts.len);
    }
}

/* Does harm to one whole message, or remembers it. 1 if it was changed. */
static int handle(struct way *way, uint32_t position, uint8_t *message, size_t len, int first)
{
    size_t tcap_len = 0;
    const size_t tcap = find_tcap(message, len, &tcap_len);
    const size_t security = tcap == 0 ? 0 : find_security(message, tcap, tcap + tcap_len);
    if (tcap == 0) {
        return 0;
    }
    if ((victims & 1 << (way - ways)) == 0 || (signed_only && security == 0)) {
        return 0;
    }
    if (replay_every != 0 && position % replay_every == replay_every / 2 && len <= MESSAGE_MAX && first) {
        way->captured[way->captures % CAPTURES].len = len;
        memcpy(way->captured[way->captures % CAPTURES].octets, message, len);
        way->captures++;
    }
    if (replay_every != 0 && position % replay_every == 0 && way->captures != 0) {
        /* In turn the newest and the oldest one that is remembered. */
        const uint32_t back = position / replay_every % 2 == 0 || way->captures < CAPTURES ? 1 : CAPTURES;
        const size_t which = (way->captures - back) % CAPTURES;
        if (way->captured[which].len == len) {
            memcpy(message, way->captured[which].octets, len);
            way->replayed += (uint32_t)first;
            return 1;
        }
    }
    if (late_every != 0 && position % late_every == 0 && len <= MESSAGE_MAX) {
        /* A Heartbeat Ack of the same length takes its place. */
        static const uint8_t neutral[] = {1, 0, 3, 6};
        way->held.len = len;
        memcpy(way->held.octets, message, len);
        memset(message + 8, 0, len - 8);
        memcpy(message, neutral, sizeof neutral);
        message[9] = 9;
        message[10] = (uint8_t)((len - 8) >> 8);
        message[11] = (uint8_t)(len - 8);
        return 1;
    }
    if (late_every != 0 && position % late_every == LATE && way->held.len == len) {
        memcpy(message, way->held.octets, len);
        way->late += (uint32_t)first;
        return 1;
    }
    if (tamper_every != 0 && position % tamper_every == 0) {
        /* Another octet of the TCAP message and another bit of it each time. The invoke id of the security component
         * is left alone: no signature covers it and nothing hangs on it. */
        const uint32_t turn = position / tamper_every;
        size_t at = tcap + turn * 7 % tcap_len;
        at += at == security ? 1 : 0;
        message[at] ^= (uint8_t)(1 << turn % 8);
        way->tampered += (uint32_t)first;
        return 1;
    }
    return 0;
}

/* Looks through one SCTP packet. 1 to forward it once, 2 twice, 0 to lose it. */
static int inspect(struct way *way, uint8_t *packet, size_t len)
{
    uint32_t chunks = 0;
    int changed = 0, copies = 1;
    way->packets++;
    if (checksum_of(packet) != crc32c(packet, len)) {
        way->bad_crc++;
    }
    for (size_t at = 12; at + 4 <= len;) {
        const size_t chunk = get16(packet + at + 2);
        if (chunk < 4 || at + chunk > len) {
            way->bad_header++;
            break;
        }
        if (packet[at] == 0 && chunk > 16) {
            const uint32_t tsn = get32(packet + at + 4);
            if (!way->started) {
                way->started = 1;
                way->base = tsn;
            }
            const uint32_t position = (tsn - way->base) % TSN_SPAN;
            const int first = !marked(way->seen, position), whole = (packet[at + 1] & 3) == 3;
            mark(way->seen, position);
            chunks++;
            way->data += (uint32_t)first;
            way->retransmitted += (uint32_t)!first;
            way->fragments += (uint32_t)(first && !whole);
            if (first) {
                collect(way, position, packet[at + 1], packet + at + 16, chunk - 16);
            }
            if (whole && get32(packet + at + 12) == 3) {
                changed |= handle(way, position, packet + at + 16, chunk - 16, first);
            }
            if ((victims & 1 << (way - ways)) != 0 && position != 0 && !marked(way->struck, position)) {
                if (drop_every != 0 && position % drop_every == 0) {
                    mark(way->struck, position);
                    copies = 0;
                } else if (double_every != 0 && position % double_every == 0) {
                    mark(way->struck, position);
                    copies = copies == 0 ? 0 : 2;
                }
            }
        }
        at += (chunk + 3) & ~(size_t)3;
    }
    way->bundles += (uint32_t)(chunks > 1);
    way->most_chunks = chunks > way->most_chunks ? chunks : way->most_chunks;
    way->dropped += (uint32_t)(copies == 0);
    way->doubled += (uint32_t)(copies == 2);
    if (changed) {
        seal(packet, len);
    }
    return copies;
}

static void write_tap(const uint8_t *frame, size_t len)
{
    struct timespec now;
    if (tap == NULL) {
        return;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        fail("clock: %s", strerror(errno));
    }
    const uint32_t head[] = {(uint32_t)now.tv_sec, (uint32_t)(now.tv_nsec / 1000), (uint32_t)len, (uint32_t)len};
    if (fwrite(head, sizeof head, 1, tap) != 1 || fwrite(frame, len, 1, tap) != 1) {
        fail("tap: %s", strerror(errno));
    }
}

/* Takes one frame from the way's entry to its exit. 0 when no frame is waiting. */
static int carry(struct way *way)
{
    static uint8_t frame[FRAME_MAX];
    int copies = 1;
    const ssize_t got = recv(way->in, frame, sizeof frame, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) {
            return 0;
        }
        fail("receive: %s", strerror(errno));
    }
    const size_t len = (size_t)got;
    if (len > sizeof frame) {
        way->too_long++;
        return 1;
    }
    way->frames++;
    way->longest = len > way->longest ? (uint32_t)len : way->longest;
    way->too_long += (uint32_t)(len > frame_limit);
    if (len >= 34 && get16(frame + 12) == ETHERTYPE_IP && frame[23] == IPPROTO_SCTP) {
        const size_t header = (frame[14] & 0xfu) * 4, total = get16(frame + 16);
        if (header < 20 || total < header + 12 || 14 + total > len || internet_sum(frame + 14, header) != 0xffff) {
            way->bad_header++;
        } else {
            copies = inspect(way, frame + 14 + header, total - header);
        }
    } else {
        way->other++;
    }
    for (int i = 0; i < copies; i++) {
        write_tap(frame, len);
        if (send(way->out, frame, len, 0) != (ssize_t)len) {
            way->unsent++;      /* the other end is down, or full: as on any wire, the frame is lost */
        }
    }
    return 1;
}

static int open_interface(const char *name)
{
    const int one = 1, space = 8 << 20;
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name),
    };
    const struct packet_mreq all = {.mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    const int interface = socket(AF_PACKET, SOCK_RAW, 0);
    if (interface < 0 || address.sll_ifindex == 0) {
        fail("%s: %s", name, strerror(errno));
    }
    if (setsockopt(interface, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0
        || setsockopt(interface, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) != 0
        || bind(interface, (const struct sockaddr *)&address, sizeof address) != 0
        || setsockopt(interface, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0) {
        fail("%s: %s", name, strerror(errno));
    }
    return interface;
}

static void open_tap(const char *path)
{
    const uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    tap = fopen(path, "wb");
    if (tap == NULL || fwrite(head, sizeof head, 1, tap) != 1) {
        fail("%s: %s", path, strerror(errno));
    }
}

static void report(void)
{
    printf("{");
    for (int i = 0; i < 2; i++) {
        const struct way *way = &ways[i];
        struct tpacket_stats stats = {0};
        socklen_t len = sizeof stats;
        if (getsockopt(way->in, SOL_PACKET, PACKET_STATISTICS, &stats, &len) != 0) {
            fail("statistics: %s", strerror(errno));
        }
        const struct { const char *name; uint32_t value; } fields[] = {
            {"frames", way->frames}, {"packets", way->packets}, {"other", way->other}, {"data", way->data},
            {"messages", way->messages}, {"signed", way->signed_messages}, {"fragments", way->fragments},
            {"bundles", way->bundles}, {"most_chunks", way->most_chunks}, {"retransmitted", way->retransmitted},
            {"tampered", way->tampered}, {"replayed", way->replayed}, {"late", way->late}, {"dropped", way->dropped},
            {"doubled", way->doubled}, {"bad_crc", way->bad_crc}, {"bad_header", way->bad_header},
            {"too_long", way->too_long}, {"longest", way->longest}, {"unsent", way->unsent},
            {"overrun", stats.tp_drops},
        };
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
            printf("%s\"%s_%s\":%u", i == 0 && k == 0 ? "" : ",", way->name, fields[k].name, fields[k].value);
        }
    }
    puts("}");
    if (fflush(stdout) != 0 || (tap != NULL && fclose(tap) != 0)) {
        fail("output: %s", strerror(errno));
    }
}

static void usage(FILE *to)
{
    fputs("middle [OPTION ...] INTERFACE INTERFACE\n"
          "  --tamper N   flip a bit in each Nth message       --replay N   lay an earlier message over each Nth\n"
          "  --drop N     lose each Nth DATA chunk once        --double N   send each Nth DATA chunk twice\n"
          "  --late N     hold each Nth message back and lay it over one 32 later\n"
          "  --way ab|ba|both  which way is harmed (ab: from the first interface to the second)\n"
          "  --signed     harm signed messages only            --tap FILE   write what leaves to a capture file\n"
          "  --limit N    longest frame that is no fault (1514)\n",
          to);
}

static uint32_t number_of(const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || value < 2 || value > TSN_SPAN) {
        fail("\"%s\" is not a number from 2 to %u", text, TSN_SPAN);
    }
    return (uint32_t)value;
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"tamper", required_argument, NULL, 't'}, {"replay", required_argument, NULL, 'r'},
        {"late", required_argument, NULL, 'L'},
        {"drop", required_argument, NULL, 'd'}, {"double", required_argument, NULL, 'D'},
        {"way", required_argument, NULL, 'w'}, {"signed", no_argument, NULL, 's'},
        {"tap", required_argument, NULL, 'T'}, {"limit", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 't': tamper_every = number_of(optarg); break;
        case 'r': replay_every = number_of(optarg); break;
        case 'L': late_every = number_of(optarg); break;
        case 'd': drop_every = number_of(optarg); break;
        case 'D': double_every = number_of(optarg); break;
        case 'w':
            victims = strcmp(optarg, "ab") == 0 ? 1 : strcmp(optarg, "ba") == 0 ? 2 : strcmp(optarg, "both") == 0 ? 3 : 0;
            if (victims == 0) {
                fail("--way is ab, ba or both, not \"%s\"", optarg);
            }
            break;
        case 's': signed_only = 1; break;
        case 'T': open_tap(optarg); break;
        case 'l': frame_limit = number_of(optarg); break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (optind + 2 != argc) {
        usage(stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = on_signal};
    parse(argc, argv);
    crc32c_init();
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0) {
        fail("signals: %s", strerror(errno));
    }
    ways[0].in = ways[1].out = open_interface(argv[optind]);
    ways[1].in = ways[0].out = open_interface(argv[optind + 1]);
    puts("ready");
    if (fflush(stdout) != 0) {
        fail("stdout: %s", strerror(errno));
    }
    while (!stop) {
        struct pollfd ends[] = {{.fd = ways[0].in, .events = POLLIN}, {.fd = ways[1].in, .events = POLLIN}};
        if (poll(ends, 2, 200) < 0 && errno != EINTR) {
            fail("poll: %s", strerror(errno));
        }
        for (int i = 0; i < 2; i++) {
            for (int burst = 0; burst < 64 && carry(&ways[i]); burst++) {
            }
        }
    }
    report();
    return 0;
}
