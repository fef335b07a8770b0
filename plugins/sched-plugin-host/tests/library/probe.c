/* A plugin that does what its configuration says: {"does": "WORD"}. */
#define _GNU_SOURCE
#include "sched_plugin.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const sched_host *host;
static char config[256];

static sched_str str(const char *text) { return (sched_str){text, strlen(text)}; }
static int does(const char *word) { return strstr(config, word) != NULL; }

static void say(const char *format, ...) {
  char text[700];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  host->log(host->ctx, SCHED_LOG_INFO, str(text));
}

static sched_status fail(sched_error *err, sched_status status, const char *message) {
  if (err != NULL) snprintf(err->message, sizeof err->message, "%s", message);
  return status;
}

#ifdef HANG_IN_CONSTRUCTOR
__attribute__((constructor)) static void hang(void) { pause(); }
#endif
#ifdef EXIT_IN_CONSTRUCTOR
__attribute__((constructor)) static void leave(void) { exit(0); }
#endif
#ifdef UNRESOLVED
extern int nowhere_to_be_found(void);
int call_it(void) { return nowhere_to_be_found(); }
#endif

/* What runs at a normal end of the process, which a plugin's child must not have. */
__attribute__((destructor)) static void at_exit(void) { fprintf(stderr, "destructor ran\n"); }

/* The host's table as a version 1.1 might have it. What is beyond struct_size isn't there. */
struct later_host { sched_host known; int64_t (*sunrise)(void *ctx); };

static sched_status create(const sched_host *given, sched_str json, void **self, sched_error *err) {
  host = given;
  snprintf(config, sizeof config, "%.*s", (int)json.len, json.ptr);
  char byte;
  printf("noise of create, %zd bytes of input\n", read(0, &byte, 1));
  fflush(stdout);
  sched_error why = {.struct_size = sizeof why};
  host->beat(host->ctx);
  if (does("ask in create")) say("too early: %d %s", host->tick(host->ctx, &why), why.message);
  if (does("look for the later call")) {
    const struct later_host *later = (const void *)host;
    if (host->struct_size < sizeof *later) say("a host of 1.%u has no sunrise", host->abi_minor);
    else say("sunrise at %lld", (long long)later->sunrise(host->ctx));
  }
  if (does("lack")) return fail(err, SCHED_E_UNAVAILABLE, "there is no bus");
  if (does("reject")) return fail(err, SCHED_E_INVALID, "config: no such word");
  if (does("say nothing")) return SCHED_E_GENERIC;
  if (does("crash in create")) abort();
  *self = config;
  return 0;
}

static void destroy(void *self) { say("destroyed %d", self == config); }

static void collect(void *ctx, sched_str chunk) { strncat(ctx, chunk.ptr, chunk.len); }

static void *fire_one(void *key) {
  sched_error err = {.struct_size = sizeof err};
  sched_status status = host->fire_event(host->ctx, str("job"), str(key), &err);
  say("%s: %d %s", (char *)key, status, status < 0 ? err.message : "");
  return NULL;
}

static void ask_everything(void) {
  sched_error err = {.struct_size = sizeof err};
  say("tick %d", host->tick(host->ctx, &err));
  say("fire_due %d", host->fire_due(host->ctx, str("a"), &err));
  say("fire_at %d", host->fire_at(host->ctx, str("b"), 1767225600000, &err));
  say("fire_event %d", host->fire_event(host->ctx, str("c"), str("key-1"), &err));
  sched_status status = host->fire_due(host->ctx, str("gone"), &err);
  say("gone %d %d %s", status, err.code, err.message);
  status = host->fire_due(host->ctx, (sched_str){"\xff\xfe", 2}, &err);
  say("not UTF-8 %d %s", status, err.message);
  say("nobody asks why %d", host->fire_due(host->ctx, str("gone"), NULL));
  char jobs[256] = "";
  status = host->list_jobs(host->ctx, (sched_sink){jobs, collect});
  say("jobs %d %s", status, jobs);
  say("next_wakeup %lld", (long long)host->next_wakeup(host->ctx));
  say("next_wakeup %lld", (long long)host->next_wakeup(host->ctx));
  host->log(host->ctx, SCHED_LOG_WARN, str("a warning"));
  host->beat(host->ctx);
}

static sched_status start(void *self, sched_error *err) {
  if (self != config) return fail(err, SCHED_E_GENERIC, "another self");
  if (does("crash in start")) abort();
  if (does("err in start")) return fail(err, SCHED_E_GENERIC, "no luck");
  if (does("return")) return 0;
  if (does("ignore stop")) for (;;) pause();
  if (does("ask")) ask_everything();
  if (does("race")) {
    pthread_t threads[4];
    static const char *keys[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, fire_one, (void *)keys[i]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  }
  if (does("hand on")) {
    host->wait_until(host->ctx, INT64_MAX);
    return host->tick(host->ctx, err);
  }
  while (!host->is_stopping(host->ctx)) say("woken %u", host->wait_until(host->ctx, INT64_MAX));
  say("start returns");
  return 0;
}

static sched_status stop(void *self, sched_error *err) {
  (void)self;
  if (does("err in stop")) return fail(err, SCHED_E_GENERIC, "still armed");
  if (does("ask in stop")) {
    char jobs[256] = "";
    host->list_jobs(host->ctx, (sched_sink){jobs, collect});
    say("stop sees %s", jobs);
  }
  say("stop");
  return 0;
}

static sched_status fire_due(void *self, sched_str job, sched_error *err) {
  (void)self;
  if (does("odd outcome")) return 42;
  return host->fire_due(host->ctx, job, err);
}

static sched_status reconcile(void *self, sched_error *err) {
  (void)self;
  return fail(err, SCHED_E_GENERIC, "three are not armed");
}

static sched_status on_jobs_changed(void *self, sched_error *err) {
  (void)self, (void)err;
  say("jobs changed");
  return 0;
}

#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef MINOR
#define MINOR SCHED_ABI_MINOR
#endif
#define TABLE(size)                                                                                                  \
  {                                                                                                                  \
    .magic = SCHED_PLUGIN_MAGIC, .abi_major = SCHED_ABI_MAJOR, .abi_minor = MINOR, .struct_size = size,              \
    .flags = FLAGS, .name = "probe", .version = "1.2.3", .create = create, .destroy = destroy, .start = start,       \
    .stop = stop, .fire_due = fire_due, .reconcile = reconcile, .on_jobs_changed = on_jobs_changed                   \
  }

#if defined(NO_SYMBOL)
/* Nothing is exported. */
void *unused[] = {create, destroy, start, stop, fire_due, reconcile, on_jobs_changed};
#elif defined(LONGER)
/* A table of a later version, with functions that this host doesn't know. */
struct longer { sched_plugin known; void *later[4]; };
extern SCHED_PLUGIN_EXPORT const struct longer longer __asm__("sched_plugin_v1");
const struct longer longer = {TABLE(sizeof(struct longer)), {start, start, start, start}};
#elif defined(SHORTER)
SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = TABLE(112);
#else
SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = TABLE(sizeof(sched_plugin));
#endif
