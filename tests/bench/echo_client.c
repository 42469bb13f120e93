/* echo_client.c - loads an echo server: so many connections, each with one message under way, for
 * some seconds.
 *
 *     echo_client PORT CONNECTIONS BYTES SECONDS
 *
 * Prints the messages that came back per second. One thread, epoll: it takes little of what it
 * measures.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024 };
static char message[1 << 16], sink[1 << 16];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

int main(int count, char **args) {
    if (count != 5) return 2;
    int port = atoi(args[1]), connections = atoi(args[2]), size = atoi(args[3]);
    double seconds = atof(args[4]);
    int epoll = epoll_create1(0);
    int missing[MOST] = {0}, fds[MOST];
    struct epoll_event events[MOST];
    for (int i = 0; i < connections; i++) {
        fds[i] = dial(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
        missing[i] = size;
        if (write(fds[i], message, (size_t)size) != size) return 1;
    }
    long messages = 0;
    double start = now(), end = start + seconds;
    while (now() < end) {
        int ready = epoll_wait(epoll, events, MOST, 1000);
        for (int k = 0; k < ready; k++) {
            int i = (int)events[k].data.u32;
            ssize_t got = read(fds[i], sink, sizeof sink);
            if (got <= 0) return 1;
            missing[i] -= (int)got;
            if (missing[i] > 0) continue;
            messages++;
            missing[i] = size;
            if (write(fds[i], message, (size_t)size) != size) return 1;
        }
    }
    printf("%.0f\n", (double)messages / (now() - start));
    return 0;
}
