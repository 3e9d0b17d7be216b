/* What JavaScript cannot try by itself. Each verb prints one line for each thing it tried: what, and what the kernel answered. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static void tell(const char *what, long result) { printf("%s %d\n", what, result < 0 ? errno : 0); }

/* System calls by number, with arguments that no kernel can carry out: only who refuses them differs. */
static int calls(int count, char **numbers) {
  for (int i = 0; i < count; i++) {
    errno = 0;
    long result = syscall(atol(numbers[i]), (void *)1, -1L, -1L, -1L, -1L, -1L);
    tell(numbers[i], result);
  }
  return 0;
}

static void family(const char *name, int domain, int type, int protocol) { tell(name, socket(domain, type, protocol)); }

static int sockets(void) {
  family("unix", AF_UNIX, SOCK_STREAM, 0);
  family("inet", AF_INET, SOCK_STREAM, 0);
  family("inet6", AF_INET6, SOCK_STREAM, 0);
  family("raw", AF_INET, SOCK_RAW, 1);
  family("packet", AF_PACKET, SOCK_RAW, 0);
  family("netlink", AF_NETLINK, SOCK_RAW, 0);
  family("vsock", 40, SOCK_STREAM, 0);
  return 0;
}

static int child_of_clone(void *unused) {
  (void)unused;
  _exit(0);
}

static int spaces(void) {
  static char stack[65536];
  struct { const char *name; int flag; } kinds[] = {
      {"user", CLONE_NEWUSER}, {"mount", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"pid", CLONE_NEWPID}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"none", 0}};
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
    tell(kinds[i].name, clone(child_of_clone, stack + sizeof stack, kinds[i].flag | SIGCHLD, NULL));
  char args[88] = {0};
  tell("clone3", syscall(435, args, sizeof args));
  return 0;
}

static int forks(void) {
  int made = 0;
  while (made < 100000) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      sleep(30);
      _exit(0);
    }
    made++;
  }
  printf("forks %d\n", made);
  fflush(stdout);
  pause();
  return 0;
}

static int memory(long limit_mib) {
  const size_t step = 16 << 20;
  for (long mib = 0; mib < limit_mib; mib += 16) {
    char *block = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
      printf("memory %ld\n", mib);
      return 0;
    }
    memset(block, 1, step);
  }
  printf("memory %ld\n", limit_mib);
  return 0;
}

int main(int count, char **words) {
  const char *verb = count > 1 ? words[1] : "";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(verb, "calls") == 0) return calls(count - 2, words + 2);
  if (strcmp(verb, "sockets") == 0) return sockets();
  if (strcmp(verb, "spaces") == 0) return spaces();
  if (strcmp(verb, "forks") == 0) return forks();
  if (strcmp(verb, "memory") == 0) return memory(atol(words[2]));
  if (strcmp(verb, "who") == 0) return printf("uid %d\neuid %d\n", getuid(), geteuid()) < 0;
  if (strcmp(verb, "personality") == 0) {
    tell("ask", syscall(135, 0xffffffffUL));
    tell("usual", syscall(135, 0UL));
    tell("no-randomize", syscall(135, 0x0040000UL));
    return 0;
  }
  if (strcmp(verb, "signals") == 0) {
    tell("all", kill(-1, 0));
    tell("host", kill(atoi(words[2]), 0));
    return 0;
  }
  if (strcmp(verb, "old-interface") == 0) { /* the 32-bit way into the kernel, whose numbers the filter does not know */
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result)::"memory");
    printf("old-interface %ld\n", result);
    return 0;
  }
  if (strcmp(verb, "give-capability") == 0) { /* cap_sys_admin, effective and permitted */
    unsigned char data[20] = {1, 0, 0, 2, 0, 0, 0x20};
    tell("give-capability", setxattr(words[2], "security.capability", data, sizeof data, 0));
    return 0;
  }
  return 64;
}
