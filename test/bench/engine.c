// SPDX-License-Identifier: Apache-2.0
//
// The load generator's fast engine: what generator.ts does for a fixed time, on bare system calls. It exists because a
// fresh connection costs even the bare handles of Node more CPU than answering it costs the canned server, which then
// would idle (README.md, "Why a piece of C"). It makes no request and judges no answer in depth: engine.ts gives it the
// bytes, and checks the answers of which it prints samples. Linux only.
//
// engine FILE PORT fresh|persistent CONNECTIONS WARMUP_S WINDOW_S VERIFY_EVERY SERVER_PID SERVER_CORE
//
// FILE: four u32 in the machine's order (bytes of the bind, of one request, of one answer; number of requests), the
// bind, the requests. Output: lines "window …", "latency BUCKET COUNT", "error COUNT TEXT", "sample INDEX HEX".

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, MAX_PDU = 1024, BUCKETS = 22 * 32, MAX_ERRORS = 1000, KINDS = 16, SOURCES = 32 };
// A host closes a connection after so many requests; the client does so by itself.
enum { REQUESTS_PER_CONNECTION = 1000, FIRST_SOURCE_PORT = 20000, SOURCE_PORTS = 40000, DRAIN_S = 15 };
enum { PTYPE_RESPONSE = 2, PTYPE_FAULT = 3, PTYPE_BIND_ACK = 12 };

typedef struct {
  int fd, bound, bind_unsent;
  uint32_t request, answered, have;
  double sent_at;
  unsigned char in[MAX_PDU];
} connection;

static struct { uint32_t bind_bytes, request_bytes, answer_bytes, requests; } sizes;
static unsigned char *bind_pdu, *request_pdus;
static connection connections[MAX_CONNECTIONS];
static int epoll_fd, port, is_fresh, verify_every, server_pid, server_core, stopping, open_connections;
static uint32_t next_request, opened, latencies[BUCKETS], max_latency, error_total;
static uint64_t answers, window_answers;
static struct { char text[96]; uint32_t count; } errors[KINDS];

static void open_connection(connection *c);

static void die(const char *what) {
  fprintf(stderr, "engine: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// The same buckets as histogram.ts: 32 for each power of two.
static void record_latency(double seconds) {
  uint32_t v = seconds <= 0 ? 0 : seconds > 67 ? (1u << 26) - 1 : (uint32_t)(seconds * 1e6);
  if (v > max_latency) max_latency = v;
  uint32_t bucket = v;
  if (v >= 32) {
    uint32_t shift = 31u - (uint32_t)__builtin_clz(v) - 5u;
    bucket = (shift + 1) * 32 + ((v >> shift) - 32);
  }
  latencies[bucket]++;
}

static void count_error(const char *text) {
  int i = 0;
  while (i < KINDS - 1 && errors[i].count > 0 && strcmp(errors[i].text, text) != 0) i++;
  snprintf(errors[i].text, sizeof errors[i].text, "%s", text);
  errors[i].count++;
  if (++error_total > MAX_ERRORS) {
    fprintf(stderr, "more than %d errors, the last one: %s\n", MAX_ERRORS, text);
    exit(1);
  }
}

// Closes, and opens the next connection in the same slot unless the run is over.
static void release(connection *c, const char *error) {
  if (error != NULL) count_error(error);
  close(c->fd);
  open_connections--;
  if (!stopping) open_connection(c);
}

static int send_bytes(connection *c, const unsigned char *bytes, uint32_t length) {
  ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);
  return n == (ssize_t)length ? 0 : n >= 0 ? EMSGSIZE : errno;
}

static void watch(connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll_fd, operation, c->fd, &event) != 0) die("epoll_ctl");
}

// Source addresses in turn and source ports in sequence: the kernel need not search, no port is soon used again.
static void open_connection(connection *c) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  int one = 1;
  *c = (connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .sent_at = now()};
  if (c->fd < 0) die("socket");
  open_connections++;
  setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  address.sin_addr.s_addr = htonl(0x7f000101u + opened % SOURCES);
  address.sin_port = htons((uint16_t)(FIRST_SOURCE_PORT + opened / SOURCES % SOURCE_PORTS));
  opened++;
  if (bind(c->fd, (struct sockaddr *)&address, sizeof address) != 0) return release(c, strerror(errno));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    return release(c, strerror(errno));
  }
  // On loopback the connection is there when connect returns; if not (full backlog), wait until it can be written to.
  int error = send_bytes(c, bind_pdu, sizes.bind_bytes);
  c->bind_unsent = error == EAGAIN || error == ENOTCONN;
  if (error != 0 && !c->bind_unsent) return release(c, strerror(error));
  watch(c, EPOLL_CTL_ADD, c->bind_unsent ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void send_bind_late(connection *c) {
  int error = send_bytes(c, bind_pdu, sizes.bind_bytes);
  if (error != 0) return release(c, strerror(error));
  c->bind_unsent = 0;
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void send_next(connection *c) {
  if (stopping) return release(c, NULL);
  c->request = next_request;
  next_request = next_request + 1 == sizes.requests ? 0 : next_request + 1;
  if (!is_fresh) c->sent_at = now();
  int error = send_bytes(c, request_pdus + (size_t)c->request * sizes.request_bytes, sizes.request_bytes);
  if (error != 0) release(c, strerror(error));
}

static uint32_t u32_at(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void refuse_answer(connection *c, uint32_t length) {
  char text[96];
  uint32_t last = length >= 28 ? u32_at(c->in + length - 4) : 0;
  if (c->in[2] == PTYPE_RESPONSE) snprintf(text, sizeof text, "answer of %u bytes, HRESULT 0x%x", length, last);
  else if (c->in[2] == PTYPE_FAULT && length >= 28) snprintf(text, sizeof text, "fault 0x%x", u32_at(c->in + 24));
  else snprintf(text, sizeof text, "ptype %d of %u bytes", c->in[2], length);
  release(c, text);
}

static void on_answer(connection *c, uint32_t length) {
  if (c->in[2] != PTYPE_RESPONSE || length != sizes.answer_bytes || u32_at(c->in + length - 4) != 0) {
    return refuse_answer(c, length);
  }
  record_latency(now() - c->sent_at);
  window_answers++;
  if (verify_every > 0 && ++answers % (uint64_t)verify_every == 0) {
    printf("sample %u ", c->request);
    for (uint32_t i = 0; i < length; i++) printf("%02x", c->in[i]);
    putchar('\n');
  }
  c->have = 0;
  if (is_fresh || ++c->answered == REQUESTS_PER_CONNECTION) release(c, NULL);
  else send_next(c);
}

static void on_readable(connection *c) {
  ssize_t n = recv(c->fd, c->in + c->have, MAX_PDU - c->have, 0);
  if (n <= 0) {
    if (n < 0 && errno == EAGAIN) return;
    return release(c, n == 0 ? "EOF" : strerror(errno));
  }
  c->have += (uint32_t)n;
  if (c->have < 16) return;
  uint32_t length = c->in[8] | (uint32_t)c->in[9] << 8;
  if (length < 16 || length > MAX_PDU) return release(c, "PDU of an impossible length");
  if (c->have < length) return;
  if (c->bound) return on_answer(c, length);
  if (c->in[2] != PTYPE_BIND_ACK) return release(c, "bind not acknowledged");
  c->bound = 1;
  c->have = 0;
  send_next(c);
}

// It never sleeps while it waits. To wake a sleeping process on an idle core costs the sender: in a virtual machine some 10 µs a write, charged to the
// server, and the more the slower the server is. sched_yield lets redis-server run, which has the same core.
static void serve_events(void) {
  struct epoll_event events[64];
  int n = epoll_wait(epoll_fd, events, 64, 0);
  if (n == 0) sched_yield();
  for (int i = 0; i < n; i++) {
    connection *c = events[i].data.ptr;
    if (c->bind_unsent) send_bind_late(c);
    else on_readable(c);
  }
}

// proc(5), as in cpu.ts: utime + stime of a process; what the hypervisor took from a core. In seconds.
static double server_cpu(void) {
  char path[64], text[1024] = {0};
  unsigned long user = 0, system = 0;
  if (server_pid <= 0) return 0;
  snprintf(path, sizeof path, "/proc/%d/stat", server_pid);
  FILE *f = fopen(path, "r");
  if (f == NULL || fread(text, 1, sizeof text - 1, f) == 0) die(path);
  fclose(f);
  sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double stolen(void) {
  char line[512], format[64];
  unsigned long ticks = 0;
  FILE *f = fopen("/proc/stat", "r");
  if (f == NULL) die("/proc/stat");
  snprintf(format, sizeof format, "cpu%d %%*u %%*u %%*u %%*u %%*u %%*u %%*u %%lu", server_core);
  while (fgets(line, sizeof line, f) != NULL && sscanf(line, format, &ticks) != 1) {}
  fclose(f);
  return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static void read_requests(const char *path) {
  FILE *f = fopen(path, "r");
  if (f == NULL || fread(&sizes, sizeof sizes, 1, f) != 1) die(path);
  bind_pdu = malloc(sizes.bind_bytes);
  request_pdus = malloc((size_t)sizes.requests * sizes.request_bytes);
  if (bind_pdu == NULL || request_pdus == NULL) die("memory");
  if (fread(bind_pdu, sizes.bind_bytes, 1, f) != 1) die(path);
  if (fread(request_pdus, sizes.request_bytes, sizes.requests, f) != sizes.requests) die(path);
  fclose(f);
}

static void run_for(double seconds) {
  for (double end = now() + seconds; now() < end;) serve_events();
}

int main(int argc, char **argv) {
  if (argc != 10) return fputs("engine: started by engine.ts, with nine arguments\n", stderr), 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL); // never outlive load.ts
  read_requests(argv[1]);
  port = atoi(argv[2]);
  is_fresh = strcmp(argv[3], "fresh") == 0;
  int count = atoi(argv[4]);
  verify_every = atoi(argv[7]);
  server_pid = atoi(argv[8]);
  server_core = atoi(argv[9]);
  if (count < 1 || count > MAX_CONNECTIONS) return fputs("engine: 1 to 4096 connections\n", stderr), 2;
  opened = (uint32_t)(now() * 1e6) % SOURCE_PORTS * SOURCES; // another start than the last run's
  epoll_fd = epoll_create1(0);
  for (int i = 0; i < count; i++) open_connection(&connections[i]);
  run_for(atof(argv[5]));
  memset(latencies, 0, sizeof latencies);
  memset(errors, 0, sizeof errors);
  window_answers = max_latency = 0;
  double cpu = server_cpu(), steal = stolen(), own = own_cpu(), start = now();
  run_for(atof(argv[6]));
  double wall = now() - start;
  printf("window %llu %.6f %.2f %.2f %.6f %u\n", (unsigned long long)window_answers, wall, server_cpu() - cpu, stolen() - steal,
         own_cpu() - own, max_latency);
  for (int i = 0; i < BUCKETS; i++) {
    if (latencies[i] > 0) printf("latency %d %u\n", i, latencies[i]);
  }
  stopping = 1;
  for (double end = now() + DRAIN_S; open_connections > 0 && now() < end;) serve_events();
  if (open_connections > 0) count_error("no answer to the last request");
  for (int i = 0; i < KINDS; i++) {
    if (errors[i].count > 0) printf("error %u %s\n", errors[i].count, errors[i].text);
  }
  return 0;
}
