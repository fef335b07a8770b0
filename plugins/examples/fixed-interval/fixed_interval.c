/* Looks for due jobs at a fixed interval. */
#include "sched_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  const sched_host *host;
  int64_t every_ms;
} metronome;

static sched_status fail(sched_error *err, sched_status status, const char *message) {
  if (err != NULL && err->struct_size >= sizeof *err) {
    err->code = status;
    snprintf(err->message, sizeof err->message, "%s", message);
  }
  return status;
}

/* The number behind `"every_seconds":`, 30 without one, or -1. A plugin with more to configure takes a JSON library. */
static long every_seconds(sched_str config) {
  static const char key[] = "\"every_seconds\":";
  char text[256];
  if (config.len >= sizeof text) return -1;
  memcpy(text, config.ptr, config.len);
  text[config.len] = '\0';
  const char *at = strstr(text, key);
  if (at == NULL) return 30;
  char *end;
  long seconds = strtol(at + sizeof key - 1, &end, 10);
  return *end == ',' || *end == '}' ? seconds : -1;
}

static sched_status create(const sched_host *host, sched_str config, void **self, sched_error *err) {
  long seconds = every_seconds(config);
  if (seconds < 1 || seconds > 86400)
    return fail(err, SCHED_E_INVALID, "config: `every_seconds` is not a number from 1 to 86400");
  metronome *made = malloc(sizeof *made);
  if (made == NULL) return fail(err, SCHED_E_GENERIC, "out of memory");
  made->host = host;
  made->every_ms = seconds * 1000;
  *self = made;
  return 0;
}

static void destroy(void *self) { free(self); }

/* Ticks at every multiple of the interval since 1970, until the host is stopping. */
static sched_status start(void *self, sched_error *err) {
  (void)err;
  const metronome *me = self;
  const sched_host *host = me->host;
  while (!host->is_stopping(host->ctx)) {
    sched_error why = {.struct_size = sizeof why};
    /* A store that fails now may not at the next look, and what was due still is. */
    if (host->tick(host->ctx, &why) < 0) {
      host->log(host->ctx, 2, (sched_str){why.message, strlen(why.message)});
    }
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    int64_t next_ms = (now_ms / me->every_ms + 1) * me->every_ms;
    /* A change of jobs ends a wait early. It is no reason to look early. */
    while (host->wait_until(host->ctx, next_ms) == SCHED_WAKE_JOBS_CHANGED) continue;
  }
  return 0;
}

SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = {
    .magic = SCHED_PLUGIN_MAGIC,
    .abi_major = SCHED_ABI_MAJOR,
    .abi_minor = SCHED_ABI_MINOR,
    .struct_size = sizeof(sched_plugin),
    .name = "fixed-interval",
    .version = "0.1.0",
    .create = create,
    .destroy = destroy,
    .start = start,
};
