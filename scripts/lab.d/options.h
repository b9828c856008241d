/* What an endpoint of the lab is told on its command line. */
#ifndef LAB_OPTIONS_H
#define LAB_OPTIONS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_MAX 1000000u

struct options {
    int server;
    struct sockaddr_in local, remote;
    uint32_t count;         /* requests */
    uint32_t rate;          /* requests a second */
    uint32_t burst;         /* requests handed to SCTP at once */
    uint32_t bad_every;
    size_t pad;
    uint16_t streams;
    int bundle;             /* 1: let SCTP bundle (Nagle on) */
    uint32_t path_mtu;      /* octets of the largest IP packet; 0: that of the interface */
    uint32_t segment;       /* user octets of the largest DATA chunk; 0: as the path allows */
    uint32_t quiet_ms;      /* the end: nothing under way and nothing new for so long */
    uint32_t deadline_s;    /* give up after so many seconds, whatever happens */
};

/* Read by all, written by options_parse() only, before there are threads. */
extern struct options options;

/* Fills `options`, or ends the process with a message. */
void options_parse(int argc, char **argv);

/* Ends the process with a message and status 2. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
