/* time.c - the module _time, on which stdlib/time.gen rests: clocks, the calendar, sleeping.
 *
 * All of it needs GEN_CAP_CLOCK, but for what only converts; the local time of a VM without it is
 * UTC. Times are kept as seconds and nanoseconds, never as floats, until a float is what is asked
 * for. The time zone comes from the environment, and so under the environment's lock (posix.h).
 */
#include "stdlib/posix.h"
#include "vm/bind.h"
#include "vm/genvm.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/task.h"
#include "vm/threads.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NANOSECONDS ((int64_t)1000000000)

/* ---- clocks ---- */

static Value clock_seconds(GenVM *vm, clockid_t clock) {
    struct timespec now;
    if (!threads_may_tell_time(vm)) return VALUE_ERROR;
    if (clock_gettime(clock, &now) != 0) return raise_os_error(vm, errno, VALUE_UNSET);
    return float_value(vm, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
}

static Value clock_nanoseconds(GenVM *vm, clockid_t clock) {
    struct timespec now;
    if (!threads_may_tell_time(vm)) return VALUE_ERROR;
    if (clock_gettime(clock, &now) != 0) return raise_os_error(vm, errno, VALUE_UNSET);
    return int_from_i64(vm, (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec);
}

#define CLOCK(name, id)                                                                            \
    static Value time_##name(GenVM *vm, Value *args) {                                             \
        return (void)args, clock_seconds(vm, id);                                                  \
    }                                                                                              \
    static Value time_##name##_ns(GenVM *vm, Value *args) {                                        \
        return (void)args, clock_nanoseconds(vm, id);                                              \
    }
CLOCK(time, CLOCK_REALTIME)
CLOCK(monotonic, CLOCK_MONOTONIC)
CLOCK(perf_counter, CLOCK_MONOTONIC)
CLOCK(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK(thread_time, CLOCK_THREAD_CPUTIME_ID)

static Value time_clock_gettime(GenVM *vm, Value *args) {
    return clock_seconds(vm, (clockid_t)as_int(args[0]));
}
static Value time_clock_gettime_ns(GenVM *vm, Value *args) {
    return clock_nanoseconds(vm, (clockid_t)as_int(args[0]));
}

static Value time_clock_getres(GenVM *vm, Value *args) {
    struct timespec step;
    if (!threads_may_tell_time(vm)) return VALUE_ERROR;
    if (clock_getres((clockid_t)as_int(args[0]), &step) != 0)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return float_value(vm, (double)step.tv_sec + (double)step.tv_nsec * 1e-9);
}

/* ---- sleeping ---- */

static bool to_duration(GenVM *vm, Value v, struct timespec *duration) {
    double seconds;
    int64_t whole;
    if (value_is_intlike(v)) {
        if (!int_to_i64(v, &whole) || whole > INT64_MAX / NANOSECONDS)
            return raise_overflow(vm, "timestamp out of range for platform time_t"), false;
        *duration = (struct timespec){whole, 0};
    } else if (value_is_float(v)) {
        seconds = value_float(v);
        if (isnan(seconds)) return raise_value(vm, "Invalid value NaN (not a number)"), false;
        if (fabs(seconds) > 9e9)
            return raise_overflow(vm, "timestamp out of range for platform time_t"), false;
        double rounded = ceil(seconds * 1e9);
        *duration = (struct timespec){(time_t)floor(rounded / 1e9), 0};
        duration->tv_nsec = (long)(rounded - (double)duration->tv_sec * 1e9);
    } else {
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", v), false;
    }
    if (duration->tv_sec >= 0) return true;
    raise_value(vm, "sleep length must be non-negative");
    return false;
}

/* A signal's handler runs first, then the rest of the time is slept. */
static Value sleep_again(GenVM *vm, const struct timespec *until) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double left =
        (double)(until->tv_sec - now.tv_sec) + 1e-9 * (double)(until->tv_nsec - now.tv_nsec);
    return native_twin(vm, TWIN_SLEEP_AGAIN, 1, float_value(vm, left > 0 ? left : 0));
}

/* The thread sleeps, others go on. */
static Value sleep_parked(GenVM *vm, const struct timespec *duration) {
    uint64_t until = vm->threads->current->until;
    if (!duration->tv_sec && !duration->tv_nsec) return threads_yield(vm);
    if (!vm->resumed)
        until =
            threads_now() + (uint64_t)duration->tv_sec * 1000000000u + (uint64_t)duration->tv_nsec;
    if (threads_now() >= until) return VALUE_NONE;
    if (vm->interrupted && threads_is_main(vm)) {
        struct timespec end = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
        if (vm_interrupt_waits(vm)) return sleep_again(vm, &end);
        if (!vm_poll_native(vm)) return VALUE_ERROR;
    }
    return threads_park(vm, until, -1, 0);
}

static void add_time(struct timespec *time, const struct timespec *duration) {
    time->tv_sec += duration->tv_sec;
    time->tv_nsec += duration->tv_nsec;
    if (time->tv_nsec < NANOSECONDS) return;
    time->tv_sec++;
    time->tv_nsec -= NANOSECONDS;
}

/* The deadline of the task comes first: it stops before it sleeps for the rest. */
static Value sleep_in_part(GenVM *vm, const struct timespec *whole, uint64_t nanoseconds) {
    struct timespec now, until;
    clock_gettime(CLOCK_MONOTONIC, &now);
    until = now;
    add_time(&until, whole);
    add_time(&now, &(struct timespec){(time_t)(nanoseconds / NANOSECONDS),
                                      (long)(nanoseconds % NANOSECONDS)});
    while (!vm->interrupted &&
           clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL) == EINTR) {
    }
    return vm->task->killer == VALUE_UNSET ? sleep_again(vm, &until) : VALUE_NONE;
}

static Value time_sleep(GenVM *vm, Value *args) {
    struct timespec until, duration;
    if (!to_duration(vm, args[0], &duration) || !threads_may_tell_time(vm)) return VALUE_ERROR;
    if (vm->resumed || threads_are_many(vm)) return sleep_parked(vm, &duration);
    uint64_t whole = (uint64_t)duration.tv_sec * NANOSECONDS + (uint64_t)duration.tv_nsec;
    uint64_t part = budget_wait(vm, whole);
    if (part < whole) return sleep_in_part(vm, &duration, part);
    clock_gettime(CLOCK_MONOTONIC, &until);
    add_time(&until, &duration);
    for (int failed;
         (failed = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)) != 0;) {
        if (failed != EINTR) return raise_os_error(vm, failed, VALUE_UNSET);
        if (vm_interrupt_waits(vm)) return sleep_again(vm, &until);
        if (vm->interrupted && !vm_poll_native(vm)) return VALUE_ERROR;
    }
    return vm_after_signal(vm); /* one may have come before the sleep */
}

/* ---- the calendar ---- */

/* Seconds since the epoch, rounded down; None: now. */
static bool to_time(GenVM *vm, Value v, time_t *out) {
    int64_t whole;
    if (v == VALUE_NONE) {
        if (!threads_may_tell_time(vm)) return false;
        *out = time(NULL);
        return true;
    }
    if (value_is_float(v)) {
        double seconds = floor(value_float(v));
        if (isnan(seconds)) return raise_value(vm, "Invalid value NaN (not a number)"), false;
        if (fabs(seconds) >= 9.2e18)
            return raise_overflow(vm, "timestamp out of range for platform time_t"), false;
        *out = (time_t)seconds;
        return true;
    }
    if (!value_is_intlike(v))
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", v), false;
    if (!int_to_i64(v, &whole))
        return raise_overflow(vm, "timestamp out of range for platform time_t"), false;
    *out = whole;
    return true;
}

static Value tm_tuple(GenVM *vm, const struct tm *tm) {
    Value zone = str_from(vm, tm->tm_zone ? tm->tm_zone : "");
    if (zone == VALUE_ERROR) return zone;
    Value fields[] = {int_value(tm->tm_year + (int64_t)1900),
                      int_value(tm->tm_mon + 1),
                      int_value(tm->tm_mday),
                      int_value(tm->tm_hour),
                      int_value(tm->tm_min),
                      int_value(tm->tm_sec),
                      int_value((tm->tm_wday + 6) % 7),
                      int_value(tm->tm_yday + 1),
                      int_value(tm->tm_isdst),
                      zone,
                      int_value(tm->tm_gmtoff)};
    return tuple_from_array(vm, fields, 11);
}

static Value time_gmtime(GenVM *vm, Value *args) {
    time_t when;
    struct tm tm;
    if (!to_time(vm, args[0], &when)) return VALUE_ERROR;
    errno = 0;
    if (!gmtime_r(&when, &tm)) return raise_os_error(vm, errno ? errno : EINVAL, VALUE_UNSET);
    tm.tm_zone = "UTC";
    return tm_tuple(vm, &tm);
}

static Value time_localtime(GenVM *vm, Value *args) {
    time_t when;
    struct tm tm;
    if (!to_time(vm, args[0], &when)) return VALUE_ERROR;
    errno = 0;
    if (!(vm->capabilities & GEN_CAP_CLOCK)) return time_gmtime(vm, args);
    posix_lock_environment();
    bool ok = localtime_r(&when, &tm) != NULL;
    int code = errno;
    Value tuple = ok ? tm_tuple(vm, &tm) : VALUE_ERROR; /* with the zone's name */
    posix_unlock_environment();
    return ok ? tuple : raise_os_error(vm, code ? code : EINVAL, VALUE_UNSET);
}

/* Nine ints of a tuple (or struct_time) as a struct tm. */
static bool to_tm(GenVM *vm, Value v, const char *function, struct tm *tm, Value *zone) {
    int64_t fields[9];
    *tm = (struct tm){0};
    if (!is_kind(v, TYPE_TUPLE))
        return raise_type(vm, "Tuple or struct_time argument required"), false;
    Tuple *tuple = AS_TUPLE(v);
    if (tuple->count != 9)
        return raise_type(vm, "%s(): illegal time tuple argument", function), false;
    for (int i = 0; i < 9; i++) {
        if (!value_is_intlike(tuple->items[i]))
            return raise_type(vm, "'%T' object cannot be interpreted as an integer",
                              tuple->items[i]),
                   false;
        if (!int_to_i64(tuple->items[i], &fields[i]) || fields[i] > INT32_MAX ||
            fields[i] < INT32_MIN + 1900)
            return raise_overflow(vm, i ? "Python int too large to convert to C int"
                                        : "year out of range"),
                   false;
    }
    tm->tm_year = (int)(fields[0] - 1900);
    tm->tm_mon = (int)(fields[1] - 1);
    tm->tm_mday = (int)fields[2];
    tm->tm_hour = (int)fields[3];
    tm->tm_min = (int)fields[4];
    tm->tm_sec = (int)fields[5];
    tm->tm_wday = (int)((fields[6] + 1) % 7);
    tm->tm_yday = (int)(fields[7] - 1);
    tm->tm_isdst = (int)fields[8];
    *zone = attribute_find(vm, v, str_intern_from(vm, "tm_zone", 7));
    if (*zone == VALUE_ERROR) return false;
    Value offset = attribute_find(vm, v, str_intern_from(vm, "tm_gmtoff", 9));
    if (offset == VALUE_ERROR) return false;
    int64_t seconds;
    if (value_is_int(offset) && int_to_i64(offset, &seconds)) tm->tm_gmtoff = seconds;
    return true;
}

static time_t seconds_of(GenVM *vm, struct tm *tm) {
    if (!(vm->capabilities & GEN_CAP_CLOCK)) return timegm(tm);
    posix_lock_environment();
    time_t when = mktime(tm);
    posix_unlock_environment();
    return when;
}

static Value time_mktime(GenVM *vm, Value *args) {
    struct tm tm;
    Value zone;
    if (!to_tm(vm, args[0], "mktime", &tm, &zone)) return VALUE_ERROR;
    tm.tm_wday = -1; /* mktime sets it, unless it fails */
    time_t when = seconds_of(vm, &tm);
    if (when == -1 && tm.tm_wday == -1) return raise_overflow(vm, "mktime argument out of range");
    return float_value(vm, (double)when);
}

/* Zeros in the month, day and day of the year count as one. */
static bool check_tm(GenVM *vm, struct tm *tm) {
    if (tm->tm_mon == -1) tm->tm_mon = 0;
    if (tm->tm_mday == 0) tm->tm_mday = 1;
    if (tm->tm_yday == -1) tm->tm_yday = 0;
    const char *wrong = tm->tm_mon < 0 || tm->tm_mon > 11      ? "month"
                        : tm->tm_mday < 0 || tm->tm_mday > 31  ? "day of month"
                        : tm->tm_hour < 0 || tm->tm_hour > 23  ? "hour"
                        : tm->tm_min < 0 || tm->tm_min > 59    ? "minute"
                        : tm->tm_sec < 0 || tm->tm_sec > 61    ? "seconds"
                        : tm->tm_wday < 0                      ? "day of week"
                        : tm->tm_yday < 0 || tm->tm_yday > 365 ? "day of year"
                                                               : NULL;
    if (wrong) raise_value(vm, "%s out of range", wrong);
    return !wrong;
}

static void put_formatted(StrBuilder *out, const char *format, const struct tm *tm) {
    size_t least = strlen(format) + 256;
    for (size_t capacity = least; *format; capacity *= 2) {
        char *text = memory_new(out->vm, capacity);
        if (!text) {
            raise_memory(out->vm);
            out->failed = true;
            return;
        }
        size_t size = strftime(text, capacity, format, tm);
        if (size) builder_put(out, text, size);
        memory_free(text);
        if (size || capacity > 64 * least) return; /* nothing at all: %Z, %p may be empty */
    }
}

/* NULs stand for themselves between formats of the C library. */
static Value format_tm(GenVM *vm, const char *format, size_t size, const struct tm *tm) {
    StrBuilder out;
    builder_init(&out, vm);
    for (const char *end = format + size;; format++) {
        put_formatted(&out, format, tm);
        format += strlen(format);
        if (format == end || out.failed) break;
        builder_put_byte(&out, 0);
    }
    Value bytes = builder_finish_bytes(&out);
    if (bytes == VALUE_ERROR) return VALUE_ERROR;
    const Bytes *text = AS(Bytes, bytes);
    return str_decode_utf8(vm, (const char *)text->data, text->size, "surrogateescape");
}

static Value time_strftime(GenVM *vm, Value *args) {
    struct tm tm;
    Value zone = VALUE_UNSET;
    if (!to_tm(vm, args[1], "strftime", &tm, &zone) || !check_tm(vm, &tm)) return VALUE_ERROR;
    const char *format = str_c(vm, args[0]), *name = "UTC";
    if (!format || (value_is_str(zone) && !(name = str_c_whole(vm, zone)))) return VALUE_ERROR;
    posix_lock_environment();
    bool is_local = !value_is_str(zone) && vm->capabilities & GEN_CAP_CLOCK;
    tm.tm_zone = is_local ? tzname[tm.tm_isdst > 0] : name;
    Value text = format_tm(vm, format, AS_STR(args[0])->size, &tm);
    posix_unlock_environment();
    return text;
}

static Value time_asctime(GenVM *vm, Value *args) {
    static const char names[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    Value zone;
    if (!to_tm(vm, args[0], "asctime", &tm, &zone) || !check_tm(vm, &tm)) return VALUE_ERROR;
    char text[80];
    snprintf(text, sizeof text, "%.3s %.3s%3d %.2d:%.2d:%.2d %d", names + 3 * tm.tm_wday,
             months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             1900 + tm.tm_year);
    return str_from(vm, text);
}

/* (seconds west of UTC, the same in summer, are there summer times, names) */
static Value time_zone(GenVM *vm, Value *args) {
    (void)args;
    posix_lock_environment();
    tzset();
    int year = 1970 + (int)(time(NULL) / 31557600);
    long winter = 0, summer = 0;
    const char *names[2] = {"UTC", "UTC"};
    for (int half = 0; half < 2 && vm->capabilities & GEN_CAP_CLOCK; half++) {
        struct tm tm = {.tm_year = year - 1900,
                        .tm_mon = half * 6,
                        .tm_mday = 1,
                        .tm_hour = 12,
                        .tm_isdst = -1};
        mktime(&tm);
        if (half == 0) {
            winter = summer = -tm.tm_gmtoff;
            names[0] = names[1] = tm.tm_zone;
        } else if (-tm.tm_gmtoff != winter) {
            bool north = -tm.tm_gmtoff < winter;
            names[north] = tm.tm_zone;
            if (north)
                summer = -tm.tm_gmtoff;
            else
                winter = -tm.tm_gmtoff;
        }
    }
    Value first = str_from(vm, names[0]), second = str_from(vm, names[1]);
    posix_unlock_environment();
    if (first == VALUE_ERROR || second == VALUE_ERROR) return VALUE_ERROR;
    Value pair = tuple_pack(vm, 2, first, second);
    return pair == VALUE_ERROR ? pair
                               : tuple_pack(vm, 4, int_value(winter), int_value(summer),
                                            int_value(winter != summer), pair);
}

static const NativeDef functions[] = {
    {"time()", time_time, "Return the current time in seconds since the Epoch."},
    {"time_ns()", time_time_ns, "Return the current time in nanoseconds since the Epoch."},
    {"monotonic()", time_monotonic, "Monotonic clock, cannot go backward."},
    {"monotonic_ns()", time_monotonic_ns, "Monotonic clock, cannot go backward, as nanoseconds."},
    {"perf_counter()", time_perf_counter, "Performance counter for benchmarking."},
    {"perf_counter_ns()", time_perf_counter_ns,
     "Performance counter for benchmarking as nanoseconds."},
    {"process_time()", time_process_time,
     "Process time for profiling: sum of the kernel and user-space CPU time."},
    {"process_time_ns()", time_process_time_ns, "Process time for profiling as nanoseconds."},
    {"thread_time()", time_thread_time,
     "Thread time for profiling: sum of the kernel and user-space CPU time."},
    {"thread_time_ns()", time_thread_time_ns, "Thread time for profiling as nanoseconds."},
    {"clock_gettime(clk_id: size, /)", time_clock_gettime,
     "Return the time of the specified clock as a float."},
    {"clock_gettime_ns(clk_id: size, /)", time_clock_gettime_ns,
     "Return the time of the specified clock as nanoseconds."},
    {"clock_getres(clk_id: size, /)", time_clock_getres,
     "Return the resolution of the specified clock."},
    {"sleep(seconds, /)", time_sleep, "Delay execution for a given number of seconds."},
    {"mktime(tuple, /)", time_mktime,
     "Convert a time tuple in local time to seconds since the Epoch."},
    {"_gmtime(seconds, /)", time_gmtime, NULL},
    {"_localtime(seconds, /)", time_localtime, NULL},
    {"_strftime(format: str, tuple, /)", time_strftime, NULL},
    {"_asctime(tuple, /)", time_asctime, NULL},
    {"_zone()", time_zone, NULL},
    {NULL, NULL, NULL},
};

static bool init(GenVM *vm, Module *module) {
    static const struct {
        const char *name;
        int64_t value;
    } clocks[] = {{"CLOCK_REALTIME", CLOCK_REALTIME},
                  {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
                  {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
                  {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
                  {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
                  {"CLOCK_BOOTTIME", CLOCK_BOOTTIME}};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        Value name = str_intern_from(vm, clocks[i].name, strlen(clocks[i].name));
        if (name == VALUE_ERROR ||
            !dict_set_str(vm, module->dict, name, int_value(clocks[i].value)))
            return false;
    }
    return true;
}

const NativeModule time_module = {"_time", functions, init};
