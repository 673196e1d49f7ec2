/*
 * stalling-disk FILE PROGRAM ARGUMENT...
 *
 * Runs PROGRAM on a disk whose syncs hang for as long as FILE exists.
 *
 * The kernel asks before each fsync and fdatasync (seccomp's user notification), whoever
 * calls it and however it was linked, and a second process answers: at once, or when
 * FILE is gone. PROGRAM keeps the process id of its caller's child, so that it is killed
 * and measured like any other.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often a hanging disk is looked at, and how many syncs may hang at once. */
#define LOOK_MS 5
#define HANGING_MAX 256

static void fail(const char *what) {
  fprintf(stderr, "stalling-disk: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Answers arrive on the descriptor that this gives. */
static int ask_before_syncs(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (fd < 0) fail("seccomp");
  return fd;
}

static void pass(int socket, int fd) {
  char byte = 0, room[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) fail("sendmsg");
}

static int take(int socket) {
  char byte, room[CMSG_SPACE(sizeof(int))];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  if (recvmsg(socket, &message, 0) != 1) exit(1);
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head == NULL) exit(1);
  int fd;
  memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return fd;
}

/* One whose caller was killed is not there any more: nobody waits for that answer. */
static void go_on(int fd, __u64 id) {
  struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Until nobody is left who could ask. */
static void answer_syncs(int fd, const char *file) {
  __u64 hanging[HANGING_MAX];
  int count = 0;
  for (;;) {
    struct pollfd wait = {fd, POLLIN, 0};
    poll(&wait, 1, count > 0 ? LOOK_MS : -1);
    if (wait.revents & (POLLHUP | POLLERR | POLLNVAL)) exit(0);
    if (wait.revents & POLLIN) {
      struct seccomp_notif question = {0};
      if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0) {
        if (access(file, F_OK) == 0 && count < HANGING_MAX) hanging[count++] = question.id;
        else go_on(fd, question.id);
      }
    }
    if (count > 0 && access(file, F_OK) != 0) {
      while (count > 0) go_on(fd, hanging[--count]);
    }
  }
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: stalling-disk FILE PROGRAM ARGUMENT...\n");
    return 2;
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    int fd;
    close(pair[0]);
    fd = take(pair[1]);
    /* Whoever reads what PROGRAM says must see its end. */
    for (int standard = 0; standard < 3; standard += 1) close(standard);
    answer_syncs(fd, arguments[1]);
  }
  pass(pair[0], ask_before_syncs());
  execvp(arguments[2], arguments + 2);
  fail(arguments[2]);
}
