/* A provider for sched: looks for due jobs at a fixed interval, and fires them. */
#include "sched_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  const sched_host *host;
  int64_t every_ms;
} provider;

/* Says why. The caller may not want to know. */
static sched_status fail(sched_error *err, sched_status status, const char *message) {
  if (err != NULL && err->struct_size >= sizeof *err) {
    err->code = status;
    snprintf(err->message, sizeof err->message, "%s", message);
  }
  return status;
}

/* The number behind `"every_seconds":`, or -1. A plugin with more to configure takes a JSON library. */
static long every_seconds(sched_str config) {
  static const char key[] = "\"every_seconds\":";
  char text[1024];
  if (config.len >= sizeof text) return -1;
  memcpy(text, config.ptr, config.len); /* it isn't ended by a zero */
  text[config.len] = '\0';
  const char *at = strstr(text, key);
  if (at == NULL) return -1;
  char *end;
  long seconds = strtol(at + sizeof key - 1, &end, 10);
  return *end == ',' || *end == '}' ? seconds : -1;
}

/* Called once, before anything else. An error says what is wrong with the configuration: the built-in ticker does the work
   then, and `sched status` shows the text. */
static sched_status create(const sched_host *host, sched_str config, void **self, sched_error *err) {
  long seconds = every_seconds(config);
  if (seconds < 1 || seconds > 3600)
    return fail(err, SCHED_E_INVALID, "config: `every_seconds` is not a number from 1 to 3600");
  provider *made = malloc(sizeof *made);
  if (made == NULL) return fail(err, SCHED_E_GENERIC, "out of memory");
  made->host = host;
  made->every_ms = seconds * 1000;
  *self = made;
  return 0;
}

static void destroy(void *self) { free(self); }

static int64_t now_ms(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Works until the daemon stops. To return early is a failure, and so is to be silent: `wait_until` beats by itself, and who
   waits elsewhere calls `beat`. */
static sched_status start(void *self, sched_error *err) {
  (void)err; /* for a start that fails */
  const provider *me = self;
  const sched_host *host = me->host;
  char line[64];
  int len = snprintf(line, sizeof line, "looking for due jobs every %ld s", (long)(me->every_ms / 1000));
  host->log(host->ctx, SCHED_LOG_INFO, (sched_str){line, (size_t)len}); /* in the daemon's log */
  while (!host->is_stopping(host->ctx)) {
    /* Fires all that is due. For one job there is `fire_due`, and for something that happened outside, whatever the schedule
       says, `fire_event`. No occurrence fires twice. */
    sched_error why = {.struct_size = sizeof why};
    if (host->tick(host->ctx, &why) < 0) {
      /* No reason to end: on a disk that is full now, what was due still is in a moment. */
      host->log(host->ctx, SCHED_LOG_WARN, (sched_str){why.message, strlen(why.message)});
    }
    /* To fire at the instant, wait until `next_wakeup` in its place. */
    host->wait_until(host->ctx, now_ms() + me->every_ms);
  }
  return 0;
}

/* What sched looks for in the library. The name is that of the folder and of plugin.yaml. A function that is left out, as the
   hooks are here, is the host's to do. */
SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = {
    .magic = SCHED_PLUGIN_MAGIC,
    .abi_major = SCHED_ABI_MAJOR,
    .abi_minor = SCHED_ABI_MINOR,
    .struct_size = sizeof(sched_plugin),
    .name = "@NAME@",
    .version = "0.1.0",
    .create = create,
    .destroy = destroy,
    .start = start,
};
