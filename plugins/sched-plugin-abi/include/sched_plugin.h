/* The C ABI between sched and a library that is a trigger provider of it, version 1, for 64-bit platforms.
 *
 * A plugin is a shared library that exports one piece of data, `sched_plugin_v1` (see the end of this file). It decides
 * *when* a job fires and asks the host to fire it; it never runs a job. The library is loaded into a process of its own.
 *
 * Rules for both sides:
 *  - A `sched_str` is UTF-8, not ended by a zero, and borrowed for the call. Whoever wants to keep it makes a copy.
 *  - Nothing that is allocated on one side is freed on the other.
 *  - No exception and no longjmp leaves a function that is called through these tables.
 *  - The structs grow at their end only. A minor version never changes what is here.
 *
 * The Rust crate `sched-plugin-abi` holds the same; a test compiles this file as C11 and as C++17 and compares them.
 */
#ifndef SCHED_PLUGIN_H
#define SCHED_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define SCHED_STATIC_ASSERT(claim) static_assert(claim, #claim)
#else
#define SCHED_STATIC_ASSERT(claim) _Static_assert(claim, #claim)
#endif

#define SCHED_PLUGIN_MAGIC 0x00474C5044484353ull /* "SCHDPLG\0", little endian */
#define SCHED_ABI_MAJOR 1u
#define SCHED_ABI_MINOR 0u

/* `flags` of a plugin. Of the low 16 bits a host must know all that are set, or refuse; the high bits are hints. */
#define SCHED_FLAG_EXTERNAL 0x1u /* start arms something outside and returns: no ticks are expected */
#define SCHED_FLAGS_REQUIRED 0xFFFFu

/* What every call answers: below zero an error; for fires, from zero on, what became of it; else 0. */
typedef int32_t sched_status;
#define SCHED_STARTED 0
#define SCHED_QUEUED 1
#define SCHED_NOT_DUE 2
#define SCHED_LOST 3 /* somebody else fired it */
#define SCHED_PAUSED 4
#define SCHED_SKIPPED 5
#define SCHED_DRAINING 6 /* the daemon starts nothing any more; what is due stays due */
#define SCHED_E_GENERIC (-1)
#define SCHED_E_PANIC (-2)
#define SCHED_E_UNAVAILABLE (-3) /* this machine lacks what the plugin needs; the message says what */
#define SCHED_E_INVALID (-4)
#define SCHED_E_NOT_FOUND (-5)
#define SCHED_E_STOPPING (-6)
#define SCHED_E_REVOKED (-7) /* another provider has taken over */

/* Levels of `log`. */
#define SCHED_LOG_ERROR 1
#define SCHED_LOG_WARN 2
#define SCHED_LOG_INFO 3
#define SCHED_LOG_DEBUG 4
#define SCHED_LOG_TRACE 5

/* What `wait_until` answers, as bits; 0 if the time has come. */
#define SCHED_WAKE_STOPPING 0x1u
#define SCHED_WAKE_JOBS_CHANGED 0x2u

/* Borrowed text. */
typedef struct { const char *ptr; size_t len; } sched_str;

/* Where a call puts what went wrong; 512 bytes. The caller allocates it and sets struct_size. Whoever fills it ends the
 * message with a zero. It may be NULL: then nobody wants to know. */
typedef struct { uint32_t struct_size; int32_t code; char message[504]; } sched_error;

/* Where a call puts a long text, chunk by chunk. */
typedef struct { void *ctx; void (*write)(void *ctx, sched_str chunk); } sched_sink;

/* What a plugin may ask of the host: 104 bytes. It lives as long as the process, every call may be made from any thread,
 * and a fire returns at the claim, never only when the job has run. The first argument is always `ctx`. */
typedef struct sched_host {
  uint32_t struct_size, abi_major, abi_minor, reserved;
  void *ctx;
  void (*log)(void *ctx, int32_t level, sched_str msg);
  sched_status (*list_jobs)(void *ctx, sched_sink out); /* JSON, in chunks */
  sched_status (*fire_due)(void *ctx, sched_str job_id, sched_error *err); /* what is due now, else SCHED_NOT_DUE */
  sched_status (*fire_at)(void *ctx, sched_str job_id, int64_t unix_ms, sched_error *err); /* that very instant */
  sched_status (*fire_event)(void *ctx, sched_str job_id, sched_str key, sched_error *err); /* once for each key */
  sched_status (*tick)(void *ctx, sched_error *err); /* fires all that is due now */
  void (*beat)(void *ctx); /* "I am at work": for plugins that wait elsewhere than in wait_until */
  int64_t (*next_wakeup)(void *ctx); /* when a job is due next, in unix ms; -1 if none is */
  int32_t (*is_stopping)(void *ctx);
  uint32_t (*wait_until)(void *ctx, int64_t unix_ms); /* beats meanwhile; answers SCHED_WAKE_ bits */
} sched_host;

/* A plugin: 120 bytes in version 1.0. From is_available on, NULL means the host's default. */
typedef struct sched_plugin {
  uint64_t magic; /* SCHED_PLUGIN_MAGIC */
  uint32_t abi_major, abi_minor, struct_size, min_host_minor, flags, reserved;
  const char *name, *version, *build_info; /* UTF-8, ended by a zero; build_info may be NULL */
  /* The host calls it once, and keeps `self` for the other calls. The config is the one of plugin.yaml and config.yaml. */
  sched_status (*create)(const sched_host *host, sched_str config_json, void **self, sched_error *err);
  void (*destroy)(void *self);
  /* Works until the host is stopping; with SCHED_FLAG_EXTERNAL it arms something and returns. */
  sched_status (*start)(void *self, sched_error *err);
  sched_status (*is_available)(void *self, sched_error *err); /* before start; never touches the network */
  sched_status (*stop)(void *self, sched_error *err); /* may run beside start */
  sched_status (*fire_due)(void *self, sched_str job_id, sched_error *err);
  sched_status (*reconcile)(void *self, sched_error *err);
  sched_status (*on_jobs_changed)(void *self, sched_error *err);
} sched_plugin;

SCHED_STATIC_ASSERT(sizeof(void *) == 8);
SCHED_STATIC_ASSERT(sizeof(sched_str) == 16);
SCHED_STATIC_ASSERT(sizeof(sched_error) == 512);
SCHED_STATIC_ASSERT(sizeof(sched_sink) == 16);
SCHED_STATIC_ASSERT(sizeof(sched_host) == 104);
SCHED_STATIC_ASSERT(offsetof(sched_host, ctx) == 16);
SCHED_STATIC_ASSERT(offsetof(sched_host, log) == 24);
SCHED_STATIC_ASSERT(offsetof(sched_host, list_jobs) == 32);
SCHED_STATIC_ASSERT(offsetof(sched_host, fire_due) == 40);
SCHED_STATIC_ASSERT(offsetof(sched_host, fire_at) == 48);
SCHED_STATIC_ASSERT(offsetof(sched_host, fire_event) == 56);
SCHED_STATIC_ASSERT(offsetof(sched_host, tick) == 64);
SCHED_STATIC_ASSERT(offsetof(sched_host, beat) == 72);
SCHED_STATIC_ASSERT(offsetof(sched_host, next_wakeup) == 80);
SCHED_STATIC_ASSERT(offsetof(sched_host, is_stopping) == 88);
SCHED_STATIC_ASSERT(offsetof(sched_host, wait_until) == 96);
SCHED_STATIC_ASSERT(sizeof(sched_plugin) == 120);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, abi_major) == 8);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, abi_minor) == 12);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, struct_size) == 16);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, min_host_minor) == 20);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, flags) == 24);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, name) == 32);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, version) == 40);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, build_info) == 48);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, create) == 56);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, destroy) == 64);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, start) == 72);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, is_available) == 80);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, stop) == 88);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, fire_due) == 96);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, reconcile) == 104);
SCHED_STATIC_ASSERT(offsetof(sched_plugin, on_jobs_changed) == 112);

/* The symbol that a plugin defines, as data, so that the host can read its head from the file before any code runs:
 *   SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1 = { SCHED_PLUGIN_MAGIC, SCHED_ABI_MAJOR, ... }; */
#define SCHED_PLUGIN_EXPORT __attribute__((visibility("default")))
extern SCHED_PLUGIN_EXPORT const sched_plugin sched_plugin_v1;

#ifdef __cplusplus
}
#endif
#endif /* SCHED_PLUGIN_H */
