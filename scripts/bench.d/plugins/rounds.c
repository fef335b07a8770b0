/* Asks for fires and writes down how long each answer took, in microseconds: a job that isn't due, and events. */
#include "sched_plugin.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const sched_host *host;

static sched_str str(const char *text) { return (sched_str){text, strlen(text)}; }

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static sched_status create(const sched_host *given, sched_str config, void **self, sched_error *err) {
  (void)config, (void)err;
  host = given;
  *self = &host;
  return 0;
}

static void destroy(void *self) { (void)self; }

static sched_status start(void *self, sched_error *err) {
  (void)self;
  FILE *file = fopen("rounds.new", "w");
  if (file == NULL) return SCHED_E_GENERIC;
  for (int n = 0; n < 400; n++) {
    double begun = now();
    if (host->fire_due(host->ctx, str("yearly"), err) != SCHED_NOT_DUE) return SCHED_E_GENERIC;
    fprintf(file, "due %f\n", now() - begun);
  }
  for (int n = 0; n < 100; n++) {
    char key[32];
    snprintf(key, sizeof key, "round-%d", n);
    double begun = now();
    if (host->fire_event(host->ctx, str("yearly"), str(key), err) < 0) return SCHED_E_GENERIC;
    fprintf(file, "event %f\n", now() - begun);
  }
  fclose(file);
  rename("rounds.new", "rounds");
  while (!host->is_stopping(host->ctx)) host->wait_until(host->ctx, INT64_MAX);
  return 0;
}

SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = {
  .magic = SCHED_PLUGIN_MAGIC, .abi_major = SCHED_ABI_MAJOR, .abi_minor = SCHED_ABI_MINOR,
  .struct_size = sizeof(sched_plugin), .name = "rounds", .version = "1",
  .create = create, .destroy = destroy, .start = start,
};
