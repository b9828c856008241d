#include "options.h"

#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct options options = {
    .count = 2000, .rate = 500, .burst = 1, .streams = 17, .quiet_ms = 3000, .deadline_s = 120,
};

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("endpoint: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(2);
}

static void usage(FILE *to)
{
    fputs("endpoint (--client | --server) --local ADDRESS --remote ADDRESS [OPTION ...]\n"
          "  --port N        SCTP port of both ends (2905)\n"
          "  --count N       requests (2000)          --rate N      requests a second (500)\n"
          "  --burst N       requests at once (1)     --bundle      let SCTP put several into one packet\n"
          "  --streams N     SCTP streams (17)        --bad-every N every Nth request is one to refuse (0: none)\n"
          "  --pad N         octets of extension data in each argument (0)\n"
          "  --path-mtu N    largest IP packet        --segment N   largest DATA chunk, user octets\n"
          "  --quiet-ms N    silence that ends (3000) --deadline N  seconds until it gives up (120)\n"
          "Both ends need the same --count, --streams, --bad-every and --pad.\n",
          to);
}

static uint32_t number_of(const char *text, uint32_t least, uint32_t most)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || value < least || value > most) {
        fail("\"%s\" is not a number from %u to %u", text, least, most);
    }
    return (uint32_t)value;
}

static void address_of(const char *text, struct sockaddr_in *address)
{
    address->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &address->sin_addr) != 1) {
        fail("\"%s\" is not an IPv4 address", text);
    }
}

void options_parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"client", no_argument, NULL, 'c'}, {"server", no_argument, NULL, 's'}, {"bundle", no_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'}, {"local", required_argument, NULL, 'l'},
        {"remote", required_argument, NULL, 'r'}, {"port", required_argument, NULL, 'p'},
        {"count", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'R'},
        {"burst", required_argument, NULL, 'B'}, {"streams", required_argument, NULL, 'S'},
        {"bad-every", required_argument, NULL, 'x'}, {"pad", required_argument, NULL, 'P'},
        {"path-mtu", required_argument, NULL, 'm'}, {"segment", required_argument, NULL, 'g'},
        {"quiet-ms", required_argument, NULL, 'q'}, {"deadline", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0},
    };
    int name, role = 0;
    uint32_t port = 2905;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'c': case 's': role = name; break;
        case 'b': options.bundle = 1; break;
        case 'l': address_of(optarg, &options.local); break;
        case 'r': address_of(optarg, &options.remote); break;
        case 'p': port = number_of(optarg, 1, 65535); break;
        case 'n': options.count = number_of(optarg, 1, COUNT_MAX); break;
        case 'R': options.rate = number_of(optarg, 1, 2000); break;
        case 'B': options.burst = number_of(optarg, 1, 1000); break;
        case 'S': options.streams = (uint16_t)number_of(optarg, 1, STREAMS_MAX); break;
        case 'x': options.bad_every = number_of(optarg, 0, COUNT_MAX); break;
        case 'P': options.pad = number_of(optarg, 0, 8000); break;
        case 'm': options.path_mtu = number_of(optarg, 512, 9000); break;
        case 'g': options.segment = number_of(optarg, 20, 9000); break;
        case 'q': options.quiet_ms = number_of(optarg, 1, 600000); break;
        case 'd': options.deadline_s = number_of(optarg, 1, 3600); break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (role == 0 || options.local.sin_family == 0 || options.remote.sin_family == 0 || optind != argc) {
        usage(stderr);
        exit(2);
    }
    options.server = role == 's';
    options.local.sin_port = options.remote.sin_port = htons((uint16_t)port);
}
