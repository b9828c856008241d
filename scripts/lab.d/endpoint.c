/* An SCTP endpoint of the lab: MAP dialogues over M3UA on libusrsctp, with an exact account of what came.
 *
 * The client (host a, an application server process) asks; the server (host b, a signalling gateway process) answers.
 * Both know each message octet by octet, so whatever stands between them is seen: lost, twice, out of order, altered,
 * replaced by a Heartbeat Ack. At the end each prints one JSON object on one line. */
#include "message.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <usrsctp.h>

#define PPID_M3UA 3
#define SECOND 1000000000ll

/* What this end saw. `lock` guards all of it: the receiver writes, the sender and the watchdog read. */
struct account {
    uint32_t sent, bad_sent, answered;
    uint32_t received;          /* octet for octet as expected, each number once */
    uint32_t bad_received;      /* bad requests that nobody stopped */
    uint32_t duplicated, misordered, altered, neutral, foreign, wrong_stream;
    uint32_t clean_tail;        /* received since the last message that was not as expected */
    uint32_t up, lost, restarted;
    long long last_ns;          /* time of the last message */
    long long stall_ns;         /* how late the sender woke up at worst: the machine was busy elsewhere */
    uint8_t seen[COUNT_MAX / 8 + 1];
    int64_t latest[STREAMS_MAX];
};

static struct account account;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct socket *association;
static atomic_int active, ended;
static long long started_ns;

static void acquire(void)
{
    if (pthread_mutex_lock(&lock) != 0) {
        fail("mutex");
    }
}

static void release(void)
{
    if (pthread_mutex_unlock(&lock) != 0) {
        fail("mutex");
    }
}

static long long now_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        fail("clock: %s", strerror(errno));
    }
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void sleep_until(long long due)
{
    const struct timespec at = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

/* Chunks sent but not acknowledged, and chunks not sent yet; 0 where there is no association any more. */
static unsigned under_way(void)
{
    struct sctp_status status;
    socklen_t len = sizeof status;
    memset(&status, 0, sizeof status);
    if (association == NULL
        || usrsctp_getsockopt(association, IPPROTO_SCTP, SCTP_STATUS, &status, &len) != 0) {
        return 0;
    }
    return (unsigned)status.sstat_unackdata + status.sstat_penddata;
}

static void report(int complete)
{
    struct sctpstat stat;
    acquire();
    usrsctp_get_stat(&stat);
    printf("{\"role\":\"%s\",\"complete\":%d,\"sent\":%u,\"bad_sent\":%u,\"answered\":%u,\"received\":%u,"
           "\"bad_received\":%u,\"duplicated\":%u,\"misordered\":%u,\"altered\":%u,\"neutral\":%u,\"foreign\":%u,"
           "\"wrong_stream\":%u,\"clean_tail\":%u,\"up\":%u,\"lost\":%u,\"restarted\":%u,",
           options.server ? "server" : "client", complete, account.sent, account.bad_sent, account.answered,
           account.received, account.bad_received, account.duplicated, account.misordered, account.altered,
           account.neutral, account.foreign, account.wrong_stream, account.clean_tail, account.up, account.lost,
           account.restarted);
    printf("\"retransmitted\":%u,\"fast\":%u,\"t3\":%u,\"duplicate_tsn\":%u,\"bad_checksum\":%u,\"bad_vtag\":%u,"
           "\"out_of_the_blue\":%u,\"aborted\":%u,\"chunks_sent\":%u,\"chunks_received\":%u,\"packets_sent\":%u,"
           "\"packets_received\":%u,\"stall_ms\":%lld,\"ms\":%lld}\n",
           stat.sctps_sendretransdata, stat.sctps_sendfastretrans, stat.sctps_timodata, stat.sctps_recvdupdata,
           stat.sctps_checksumerrors + stat.sctps_badsum, stat.sctps_badvtag, stat.sctps_outoftheblue,
           stat.sctps_aborted, stat.sctps_senddata, stat.sctps_recvdata, stat.sctps_outpackets, stat.sctps_inpackets,
           account.stall_ns / 1000000, (now_ns() - started_ns) / 1000000);
    if (fflush(stdout) != 0) {
        _exit(2);
    }
    release();
}

/* Ends the process at the deadline even where SCTP blocks for ever. */
static void *watchdog(void *unused)
{
    sleep_until(started_ns + options.deadline_s * SECOND);
    fprintf(stderr, "endpoint: not finished after %u s\n", options.deadline_s);
    report(0);
    _exit(3);
    return unused;
}

static void deliver(const uint8_t *message, size_t len, uint16_t stream)
{
    struct sctp_sendv_spa how;
    memset(&how, 0, sizeof how);
    how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
    how.sendv_sndinfo.snd_sid = stream;
    how.sendv_sndinfo.snd_ppid = htonl(PPID_M3UA);
    for (;;) {
        const ssize_t sent = usrsctp_sendv(association, message, len, NULL, 0, &how, sizeof how, SCTP_SENDV_SPA, 0);
        if (sent == (ssize_t)len) {
            return;
        }
        if (sent >= 0 || (errno != EINTR && errno != EAGAIN)) {
            fprintf(stderr, "endpoint: send: %s\n", sent >= 0 ? "cut short" : strerror(errno));
            report(0);
            _exit(1);
        }
    }
}

static void manage(enum m3ua_type type)
{
    uint8_t message[MESSAGE_MAX];
    deliver(message, build_management(type, message), 0);
}

/* Takes the account of one payload message. Returns 1 and its number where an answer is due. */
static int take(const uint8_t *message, size_t len, uint16_t stream, uint32_t *number)
{
    uint8_t expected[MESSAGE_MAX];
    enum kind kind;
    size_t want;
    if (!number_in(message, len, options.server ? 0x48 : 0x49, number) || *number >= options.count) {
        account.altered++;
        account.clean_tail = 0;
        return 0;
    }
    kind = kind_of(*number, options.bad_every);
    want = options.server ? build_request(*number, kind, options.pad, options.streams, expected)
                          : build_answer(*number, options.pad, options.streams, expected);
    if (want != len || memcmp(expected, message, len) != 0) {
        account.altered++;
        account.clean_tail = 0;
        return 0;
    }
    if ((account.seen[*number / 8] & 1 << *number % 8) != 0) {
        account.duplicated++;
        return 0;
    }
    if (stream != stream_of(*number, options.streams)) {
        account.wrong_stream++;
        return 0;
    }
    account.seen[*number / 8] |= (uint8_t)(1 << *number % 8);
    if (account.latest[stream] >= (int64_t)*number) {
        account.misordered++;
    } else {
        account.latest[stream] = *number;
    }
    if (kind != GOOD) {
        account.bad_received++;
        return 0;
    }
    account.received++;
    account.clean_tail++;
    return 1;
}

static void on_message(const uint8_t *message, size_t len, uint16_t stream)
{
    uint8_t answer[MESSAGE_MAX];
    uint32_t number = 0;
    int due = 0, reply = 0;
    const int type = m3ua_type(message, len);
    acquire();
    account.last_ns = now_ns();
    switch (type) {
    case PAYLOAD:
        due = take(message, len, stream, &number) && options.server;
        break;
    case ASPUP:
        reply = ASPUP_ACK;
        break;
    case ASPUP_ACK:
        reply = ASPAC;
        break;
    case ASPAC:
        reply = ASPAC_ACK;
        break;
    case ASPAC_ACK:
        atomic_store(&active, 1);
        break;
    default:
        if (is_neutral(message, len)) {
            account.neutral++;
        } else {
            account.foreign++;
        }
        account.clean_tail = 0;
    }
    account.answered += due ? 1 : 0;
    release();
    if (reply != 0) {
        manage((enum m3ua_type)reply);
    }
    if (due) {
        deliver(answer, build_answer(number, options.pad, options.streams, answer), stream);
    }
}

static void on_notification(const union sctp_notification *event, size_t len)
{
    if (len < sizeof event->sn_header || event->sn_header.sn_type != SCTP_ASSOC_CHANGE) {
        return;
    }
    acquire();
    switch (event->sn_assoc_change.sac_state) {
    case SCTP_COMM_UP:
        account.up++;
        break;
    case SCTP_COMM_LOST:
    case SCTP_CANT_STR_ASSOC:
        account.lost++;
        break;
    case SCTP_RESTART:
        account.restarted++;
        break;
    default:
        break;
    }
    release();
}

/* Reads until the peer closes or the association dies. */
static void *receive(void *unused)
{
    static uint8_t message[65536];
    size_t filled = 0;
    for (;;) {
        struct sctp_rcvinfo info;
        socklen_t info_len = sizeof info;
        unsigned info_type = 0;
        int flags = 0;
        const ssize_t got = usrsctp_recvv(association, message + filled, sizeof message - filled, NULL, NULL, &info,
                                          &info_len, &info_type, &flags);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        filled += (size_t)got;
        if ((flags & MSG_EOR) == 0 && filled < sizeof message) {
            continue;
        }
        if ((flags & MSG_NOTIFICATION) != 0) {
            on_notification((const union sctp_notification *)(const void *)message, filled);
        } else if (info_type != SCTP_RECVV_RCVINFO || ntohl(info.rcv_ppid) != PPID_M3UA
                   || info.rcv_sid >= STREAMS_MAX) {
            acquire();
            account.foreign++;
            release();
        } else {
            on_message(message, filled, info.rcv_sid);
        }
        filled = 0;
    }
    atomic_store(&ended, 1);
    return unused;
}

static void set(struct socket *socket, int level, int name, const void *value, socklen_t len, const char *what)
{
    if (usrsctp_setsockopt(socket, level, name, value, len) != 0) {
        fail("%s: %s", what, strerror(errno));
    }
}

static struct socket *open_socket(void)
{
    const int one = 1, nodelay = !options.bundle;
    const struct sctp_initmsg streams = {.sinit_num_ostreams = options.streams, .sinit_max_instreams = options.streams};
    const struct sctp_event change = {
        .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1,
    };
    struct socket *socket = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (socket == NULL) {
        fail("socket: %s", strerror(errno));
    }
    set(socket, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams, "SCTP_INITMSG");
    set(socket, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof nodelay, "SCTP_NODELAY");
    set(socket, IPPROTO_SCTP, SCTP_RECVRCVINFO, &one, sizeof one, "SCTP_RECVRCVINFO");
    set(socket, IPPROTO_SCTP, SCTP_EVENT, &change, sizeof change, "SCTP_EVENT");
    if (options.path_mtu != 0) {
        const struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = options.path_mtu};
        set(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path, "SCTP_PEER_ADDR_PARAMS");
    }
    if (options.segment != 0) {
        const struct sctp_assoc_value segment = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = options.segment};
        set(socket, IPPROTO_SCTP, SCTP_MAXSEG, &segment, sizeof segment, "SCTP_MAXSEG");
    }
    if (usrsctp_bind(socket, (struct sockaddr *)&options.local, sizeof options.local) != 0) {
        fail("bind: %s", strerror(errno));
    }
    return socket;
}

static void serve(void)
{
    struct socket *listener = open_socket();
    if (usrsctp_listen(listener, 1) != 0) {
        fail("listen: %s", strerror(errno));
    }
    puts("ready");
    if (fflush(stdout) != 0) {
        fail("stdout: %s", strerror(errno));
    }
    association = usrsctp_accept(listener, NULL, NULL);
    if (association == NULL) {
        fail("accept: %s", strerror(errno));
    }
    receive(NULL);
    usrsctp_close(listener);
}

static void send_all(void)
{
    uint8_t message[MESSAGE_MAX];
    const long long start = now_ns();
    for (uint32_t number = 0; number < options.count && !atomic_load(&ended); number++) {
        const enum kind kind = kind_of(number, options.bad_every);
        if (number % options.burst == 0) {
            const long long due = start + (long long)number * SECOND / options.rate;
            sleep_until(due);
            acquire();
            if (now_ns() - due > account.stall_ns) {
                account.stall_ns = now_ns() - due;
            }
            release();
        }
        deliver(message, build_request(number, kind, options.pad, options.streams, message),
                stream_of(number, options.streams));
        acquire();
        if (kind == GOOD) {
            account.sent++;
        } else {
            account.bad_sent++;
        }
        release();
    }
}

/* Waits until every answer is here, or nothing is under way and nothing new has come for the quiet time. */
static void settle(void)
{
    long long busy = now_ns();
    while (!atomic_load(&ended)) {
        const unsigned open = under_way();
        const long long now = now_ns();
        acquire();
        const int all = account.received + account.neutral + account.altered >= account.sent;
        if (open != 0) {
            busy = now;
        }
        const long long since = busy > account.last_ns ? busy : account.last_ns;
        release();
        if ((all && open == 0) || now - since > options.quiet_ms * (SECOND / 1000)) {
            return;
        }
        sleep_until(now + SECOND / 50);
    }
}

static void ask(void)
{
    pthread_t receiver;
    association = open_socket();
    if (usrsctp_connect(association, (struct sockaddr *)&options.remote, sizeof options.remote) != 0) {
        fail("connect: %s", strerror(errno));
    }
    if (pthread_create(&receiver, NULL, receive, NULL) != 0) {
        fail("cannot start the receiver");
    }
    manage(ASPUP);
    while (!atomic_load(&active) && !atomic_load(&ended)) {
        sleep_until(now_ns() + SECOND / 100);
    }
    send_all();
    settle();
    if (usrsctp_shutdown(association, SHUT_WR) != 0 && errno != ENOTCONN) {
        fail("shutdown: %s", strerror(errno));
    }
    if (pthread_join(receiver, NULL) != 0) {
        fail("cannot join the receiver");
    }
}

int main(int argc, char **argv)
{
    pthread_t timer;
    options_parse(argc, argv);
    started_ns = now_ns();
    account.last_ns = started_ns;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        account.latest[i] = -1;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        fail("signal: %s", strerror(errno));
    }
    usrsctp_init(0, NULL, NULL);
    /* Answer nothing that no association of ours asked for: the peer's stack would take it for its own. */
    if (usrsctp_sysctl_set_sctp_blackhole(2) != 0) {
        fail("blackhole mode");
    }
    if (pthread_create(&timer, NULL, watchdog, NULL) != 0) {
        fail("cannot start the watchdog");
    }
    if (options.server) {
        serve();
    } else {
        ask();
    }
    report(1);
    /* The stack's own threads hold the association until SHUTDOWN COMPLETE; leaving it at once would cut the peer off. */
    usrsctp_close(association);
    for (int i = 0; i < 100 && usrsctp_finish() != 0; i++) {
        sleep_until(now_ns() + SECOND / 50);
    }
    _exit(account.lost == 0 ? 0 : 1);
}
