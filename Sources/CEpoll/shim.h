// What Swift's Glibc leaves out: epoll(7), eventfd(2), accept4(2), descriptors in messages (unix(7)) and the name of a thread.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const uint32_t shim_EPOLLIN = EPOLLIN;
static const uint32_t shim_EPOLLOUT = EPOLLOUT;
static const uint32_t shim_EPOLLERR = EPOLLERR;
static const uint32_t shim_EPOLLHUP = EPOLLHUP;

static inline int shim_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int shim_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Names the calling thread; the first 15 bytes count.
static inline void shim_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Declared here: _GNU_SOURCE, which <sys/socket.h> wants for it, would make this module's fd_set another type than other modules'.
extern int accept4(int, struct sockaddr *, socklen_t *, int);

// Accepts a connection, non-blocking.
static inline int shim_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The most descriptors that one message may carry (SCM_MAX_FD).
#define SHIM_DESCRIPTORS 253

// Sends one message with these descriptors; 0, or -1 with errno.
static inline int shim_send(int socket, const void *bytes, size_t size, const int *descriptors, size_t count, int flags) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * SHIM_DESCRIPTORS)];
    } control;
    struct iovec part = {(void *)bytes, size};
    struct msghdr message;
    if (count > SHIM_DESCRIPTORS) return errno = EINVAL, -1;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(head), descriptors, sizeof(int) * count);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size ? 0 : -1;
}

// Takes one message and its descriptors (room for SHIM_DESCRIPTORS). Its size, 0 at the end, -1 with errno; EMSGSIZE where it was cut.
static inline ssize_t shim_receive(int socket, void *bytes, size_t size, int *descriptors, size_t *count) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * SHIM_DESCRIPTORS)];
    } control;
    struct iovec part = {bytes, size};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    *count = 0;
    ssize_t taken;
    do taken = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (taken < 0 && errno == EINTR);
    if (taken < 0) return -1;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        *count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(head), *count * sizeof(int));
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return errno = EMSGSIZE, -1;
    return taken;
}

// Who is at the other end of a Unix socket (SO_PEERCRED). 0, or -1 with errno.
static inline int shim_peer(int socket, int *process, unsigned *user) {
    struct { int process; unsigned user, group; } peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *process = peer.process;
    *user = peer.user;
    return 0;
}
