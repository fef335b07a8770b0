/* A plugin that ticks, and whatever it is made into: -DIN_START=CRASH does that in `start`, and so on. */
#include "sched_plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOTHING (void)0
#define CRASH *(volatile int *)8 = 1
#define HANG for (;;) pause()
#define SPAM_STDOUT for (;;) puts("spam and spam")
#define SPAM_STDERR for (;;) fputs("spam without an end of the line ", stderr)
#define SWAP fputs("other code", freopen("libzoo.so", "w", stderr)), fflush(stderr)
#ifndef IN_CONSTRUCTOR
#define IN_CONSTRUCTOR NOTHING
#endif
#ifndef IN_CREATE
#define IN_CREATE NOTHING
#endif
#ifndef IN_IS_AVAILABLE
#define IN_IS_AVAILABLE NOTHING
#endif
#ifndef IN_START
#define IN_START NOTHING
#endif
#ifndef IN_STOP
#define IN_STOP NOTHING
#endif

#ifndef IN_TURN
#define IN_TURN NOTHING
#endif

static const sched_host *host;

__attribute__((constructor)) static void constructor(void) { IN_CONSTRUCTOR; }

static sched_status create(const sched_host *given, sched_str config, void **self, sched_error *err) {
  (void)config, (void)err;
  *self = (void *)&host;
  host = given;
  IN_CREATE;
  return 0;
}

static void destroy(void *self) { (void)self; }

static sched_status is_available(void *self, sched_error *err) {
  (void)self, (void)err;
  IN_IS_AVAILABLE;
  return 0;
}

static sched_status start(void *self, sched_error *err) {
  (void)self;
  IN_START;
  while (!host->is_stopping(host->ctx)) {
    IN_TURN;
    if (host->tick(host->ctx, err) < 0) return host->is_stopping(host->ctx) ? 0 : SCHED_E_GENERIC;
    host->wait_until(host->ctx, host->next_wakeup(host->ctx));
  }
  return 0;
}

static sched_status stop(void *self, sched_error *err) {
  (void)self, (void)err;
  IN_STOP;
  return 0;
}

#ifdef UNDEFINED
extern int nowhere_to_be_found(void);
int call_it(void) { return nowhere_to_be_found(); }
#endif

#ifndef MAGIC
#define MAGIC SCHED_PLUGIN_MAGIC
#endif
#ifndef MAJOR
#define MAJOR SCHED_ABI_MAJOR
#endif
#ifndef SIZE
#define SIZE sizeof(sched_plugin)
#endif
#ifndef NEEDS
#define NEEDS 0
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef DESTROY
#define DESTROY destroy
#endif
#ifndef START
#define START start
#endif
#ifndef NAME
#define NAME "zoo"
#endif

#ifdef FUNCTION
__asm__(".globl sched_plugin_v1\n.type sched_plugin_v1, @function\nsched_plugin_v1: ret\n.size sched_plugin_v1, 128");
#define SYMBOL another
#elif !defined(SYMBOL)
#define SYMBOL sched_plugin_v1
#endif
extern SCHED_PLUGIN_EXPORT const sched_plugin SYMBOL;
const sched_plugin SYMBOL = {
  .magic = MAGIC, .abi_major = MAJOR, .struct_size = SIZE, .min_host_minor = NEEDS, .flags = FLAGS, .name = NAME,
  .version = "1", .create = CREATE, .destroy = DESTROY, .start = START, .is_available = is_available, .stop = stop,
};

/* Where a program is wanted, and not a library. */
int main(void) { return 0; }
