/* re.c - the module _re, on which stdlib/re.gen rests: compiled patterns and matches, on PCRE2.
 *
 * The patterns that come here are in PCRE2's syntax already (stdlib/re.gen translates Python's and
 * finds what is wrong with it). Text is matched where it lies, as UTF-8; a match keeps byte offsets
 * and counts characters when it is asked for them.
 *
 * Matching is bounded. PCRE2 stops at a limit of inner units: groups and repeats that are entered.
 * A search that needs more goes on in pieces, each of which tries some of the places where a match
 * can begin; what a single place needs beyond the limit is done by a pattern that calls back at
 * every item (`watched`): slower, but it charges what it does, to the character, and can be
 * stopped. So a pattern that explodes ends as any endless loop does.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "stdlib/modules.h"
#include "vm/image_custom.h"
#include "vm/memory.h"
#include "vm/objects/containers.h"
#include "vm/objects/text.h"

#include <stdlib.h>

enum {
    UNITS = 1 << 18, /* of a piece, and one more for each byte of the text: a few milliseconds */
    UNITS_A_STEP = 16,
    LOOKS_A_UNIT = 32,       /* characters, in a repeat */
    WATCHED_PIECE = 1 << 14, /* units between two looks at the budget */
    HEAP_LIMIT = 1 << 20     /* KiB; it is in the budget, too */
};

typedef struct Pattern {
    Value pattern, groupindex, names; /* names: tuple by group number, None where it has none */
    Value templates;                  /* dict for re.gen: parsed replacement texts */
    Value translated;                 /* what PCRE2 compiled, and with which options: for images */
    uint32_t options;
    int64_t flags;
    uint32_t groups;
    bool is_bytes;
    pcre2_code *code;
    pcre2_code *watched; /* the same with a call at every item, once a match has needed it */
    pcre2_match_data *data;
    pcre2_match_context *context;
    size_t counted; /* bytes of machine code, which PCRE2 takes from the system */
} Pattern;

typedef struct Match {
    Value pattern, string;
    int64_t pos, endpos; /* in characters */
    int64_t lastindex;   /* 0: none */
    uint32_t count;      /* groups, the whole match included */
    size_t at[];         /* byte offsets: start and end of each; PCRE2_UNSET */
} Match;

#define PATTERN(v) ((Pattern *)(void *)AS(HostObject, v)->payload)
#define MATCH(v) ((Match *)(void *)AS(HostObject, v)->payload)

/* ---- the subject ---- */

typedef struct Subject {
    const char *data;
    size_t size;
    bool counts; /* a character is a byte */
} Subject;

static bool subject_of(GenVM *vm, Value v, const Pattern *pattern, Subject *subject) {
    const uint8_t *data;
    if (value_is_str(v) && !pattern->is_bytes) {
        Str *str = AS_STR(v);
        *subject = (Subject){str->data, str->size, str_is_ascii(str)};
        return true;
    }
    if (value_is_str(v)) {
        raise_type(vm, "cannot use a bytes pattern on a string-like object");
        return false;
    }
    if (!bytes_view(vm, v, &data, &subject->size)) {
        raise_type(vm, "expected string or bytes-like object, got '%T'", v);
        return false;
    }
    if (!pattern->is_bytes) {
        raise_type(vm, "cannot use a string pattern on a bytes-like object");
        return false;
    }
    subject->data = (const char *)data;
    subject->counts = true;
    return true;
}

/* The byte offset of a character, clamped to the text. */
static size_t byte_at(GenVM *vm, Value v, const Subject *subject, int64_t index) {
    if (index <= 0) return 0;
    if (subject->counts) return (uint64_t)index < subject->size ? (size_t)index : subject->size;
    if ((uint64_t)index >= AS_STR(v)->length) return subject->size;
    return str_offset(vm, AS_STR(v), index);
}

static int64_t char_at(const Subject *subject, size_t offset) {
    return subject->counts ? (int64_t)offset : (int64_t)text_count_chars(subject->data, offset);
}

static Value piece(GenVM *vm, const Pattern *pattern, const Subject *subject, size_t from,
                   size_t to) {
    if (from > to) to = from;
    if (pattern->is_bytes) return bytes_new(vm, subject->data + from, to - from);
    return str_new(vm, subject->data + from, to - from);
}

/* ---- matching ---- */

static Value raise_match_error(GenVM *vm, int code) {
    char text[120];
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAPLIMIT) return raise_memory(vm);
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    return raise_runtime(vm, "regular expression: %s", text);
}

static pcre2_code *compile_own(GenVM *vm, const uint8_t *text, size_t size, uint32_t options,
                               int *code, size_t *offset);

/* The text that PCRE2 has compiled: the same as long as the pattern lives. */
static const uint8_t *translated_text(GenVM *vm, const Pattern *pattern, size_t *size) {
    const uint8_t *text = NULL;
    if (!value_is_str(pattern->translated)) {
        bytes_view(vm, pattern->translated, &text, size);
        return text;
    }
    *size = AS_STR(pattern->translated)->size;
    return (const uint8_t *)AS_STR(pattern->translated)->data;
}

typedef struct Watch { /* over a match that calls back */
    GenVM *vm;
    size_t at;      /* where the last call was, in bytes */
    uint64_t units; /* since the last look at the budget */
    uint64_t paid;  /* steps */
    bool stopped;
} Watch;

static int watch(pcre2_callout_block *call, void *context) {
    Watch *w = context;
    size_t at = call->current_position;
    w->units += 1 + (at > w->at ? at - w->at : w->at - at) / LOOKS_A_UNIT;
    w->at = at;
    if (w->units < WATCHED_PIECE) return 0;
    uint64_t steps = w->units / UNITS_A_STEP;
    w->stopped = !native_pay(w->vm, steps, w->paid);
    w->paid += steps;
    w->units = 0;
    return w->stopped ? PCRE2_ERROR_CALLOUT : 0;
}

typedef struct Search { /* one match to be found */
    GenVM *vm;
    Pattern *pattern;
    PCRE2_SPTR text;
    size_t from, end;
    uint32_t options;
    uint64_t units; /* that a piece may take */
    uint64_t paid;  /* steps, for what was done in pieces */
} Search;

/* PCRE2's own stack on the machine's is small: what does not fit takes memory instead. */
static int match_piece(Search *s, const pcre2_code *code, size_t from, uint32_t options) {
    pcre2_match_context *context = s->pattern->context;
    int result = pcre2_match(code, s->text, s->end, from, options, s->pattern->data, context);
    if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
    options |= PCRE2_NO_JIT;
    return pcre2_match(code, s->text, s->end, from, options, s->pattern->data, context);
}

/* To machine code, where PCRE2 can; elsewhere matching interprets. */
static bool translate(GenVM *vm, pcre2_code *code, size_t *counted) {
    size_t size = 0;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size);
    return memory_count(vm, counted, *counted + size) || (raise_memory(vm), false);
}

static bool make_watched(GenVM *vm, Pattern *pattern) {
    if (pattern->watched) return true;
    size_t size = 0, offset;
    int code = 0;
    const uint8_t *text = translated_text(vm, pattern, &size);
    pattern->watched =
        compile_own(vm, text, size, pattern->options | PCRE2_AUTO_CALLOUT, &code, &offset);
    if (!pattern->watched && vm->exception == VALUE_UNSET) raise_match_error(vm, code);
    if (!pattern->watched) return false;
    if (translate(vm, pattern->watched, &pattern->counted)) return true;
    pcre2_code_free(pattern->watched);
    pattern->watched = NULL;
    return false;
}

/* A match that begins at `from`. PCRE2_ERROR_CALLOUT: an exception is pending, or the task stops.
 */
static int match_watched(Search *s, size_t from) {
    pcre2_match_context *context = s->pattern->context;
    if (!make_watched(s->vm, s->pattern)) return PCRE2_ERROR_CALLOUT;
    Watch w = {.vm = s->vm, .at = from, .paid = s->paid};
    pcre2_set_match_limit(context, UINT32_MAX);
    pcre2_set_callout(context, watch, &w);
    int code = match_piece(s, s->pattern->watched, from, s->options | PCRE2_ANCHORED);
    pcre2_set_callout(context, NULL, NULL);
    pcre2_set_match_limit(context, (uint32_t)s->units);
    s->paid = w.paid;
    if (w.stopped) return PCRE2_ERROR_CALLOUT;
    return native_charge(s->vm, w.units / UNITS_A_STEP) ? code : PCRE2_ERROR_CALLOUT;
}

static size_t next_start(const Search *s, size_t at) {
    at++;
    while (!s->pattern->is_bytes && at < s->end && (s->text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* A match that begins at `at` or up to `wide` bytes behind. */
static int match_between(Search *s, size_t at, size_t wide) {
    pcre2_set_offset_limit(s->pattern->context, at + wide);
    int code = match_piece(s, s->pattern->code, at, s->options);
    pcre2_set_offset_limit(s->pattern->context, PCRE2_UNSET);
    return code == PCRE2_ERROR_MATCHLIMIT && wide == 0 ? match_watched(s, at) : code;
}

/* A search in pieces, which grow as long as that goes well. */
static int match_in_pieces(Search *s) {
    size_t at = s->from, wide = (s->end - s->from) / 8;
    for (;;) {
        uint64_t steps = s->units / UNITS_A_STEP;
        if (!native_pay(s->vm, steps, s->paid)) return PCRE2_ERROR_CALLOUT;
        s->paid += steps;
        int code = match_between(s, at, wide);
        if (code == PCRE2_ERROR_MATCHLIMIT) {
            wide /= 8;
            continue;
        }
        if (code != PCRE2_ERROR_NOMATCH || at + wide >= s->end) return code;
        at = next_start(s, at + wide);
        wide = 2 * wide + 1;
        s->options &= ~(uint32_t)PCRE2_NOTEMPTY_ATSTART; /* that is where the search begins */
    }
}

/* A search in long text, with a look at the deadline before each piece of it. */
static int match_far(Search *s) {
    enum { WIDE = 1 << 22 }; /* bytes: some milliseconds, where the pattern is simple */
    while (s->end - s->from > WIDE) {
        int code = match_between(s, s->from, WIDE);
        if (code == PCRE2_ERROR_MATCHLIMIT) return match_in_pieces(s);
        if (code != PCRE2_ERROR_NOMATCH) return code;
        s->from = next_start(s, s->from + WIDE);
        s->options &= ~(uint32_t)PCRE2_NOTEMPTY_ATSTART;
        if (!native_look(s->vm)) return PCRE2_ERROR_CALLOUT;
    }
    return match_piece(s, s->pattern->code, s->from, s->options);
}

/* 1: found, 0: not, -1: an exception is pending, or the task stops. */
static int run(GenVM *vm, Pattern *pattern, const Subject *subject, size_t from, size_t end,
               uint32_t options) {
    Search s = {.vm = vm,
                .pattern = pattern,
                .text = (PCRE2_SPTR)subject->data,
                .from = from,
                .end = end,
                .options = options | PCRE2_NO_UTF_CHECK,
                .units = UNITS + (end - from)};
    pcre2_set_match_limit(pattern->context, (uint32_t)s.units);
    int code =
        options & PCRE2_ANCHORED ? match_piece(&s, pattern->code, from, s.options) : match_far(&s);
    if (code == PCRE2_ERROR_MATCHLIMIT)
        code = options & PCRE2_ANCHORED ? match_watched(&s, from) : match_in_pieces(&s);
    if (code >= 0) {
        size_t to = pcre2_get_ovector_pointer(pattern->data)[1];
        return native_charge(vm, 1 + (to > from ? to - from : 0) / 16) ? 1 : -1;
    }
    if (code == PCRE2_ERROR_NOMATCH) return native_charge(vm, 1 + (end - from) / 64) ? 0 : -1;
    if (code != PCRE2_ERROR_CALLOUT) raise_match_error(vm, code);
    return -1;
}

/* Does the outer group of two that end together contain the inner one? By the starts. */
static int64_t last_group(const size_t *at, uint32_t count) {
    int64_t last = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (at[2 * i] == PCRE2_UNSET) continue;
        bool later = !last || at[2 * i + 1] > at[2 * last + 1] ||
                     (at[2 * i + 1] == at[2 * last + 1] && at[2 * i] >= at[2 * last + 1] &&
                      at[2 * i] > at[2 * last]);
        if (later) last = i;
    }
    return last;
}

static HostObject *match_allocate(GenVM *vm, uint32_t count) {
    size_t size = sizeof(HostObject) + sizeof(Match) + 2 * count * sizeof(size_t);
    HostObject *host = gc_new_of(vm, size, TYPE_HOST, type_from(vm->roots[ROOT_MATCH]));
    if (!host) return NULL;
    host->size = size - sizeof(HostObject);
    host->attributes = VALUE_UNSET;
    *(Match *)(void *)host->payload = (Match){VALUE_NONE, VALUE_NONE, 0, 0, 0, count};
    return host;
}

static Value match_new(GenVM *vm, Value self, Value string, int64_t pos, int64_t endpos) {
    Pattern *pattern = PATTERN(self);
    uint32_t count = pattern->groups + 1;
    HostObject *host = match_allocate(vm, count);
    if (!host) return VALUE_ERROR;
    Match *match = (Match *)(void *)host->payload;
    *match = (Match){self, string, pos, endpos, 0, count};
    const size_t *found = pcre2_get_ovector_pointer(pattern->data);
    memcpy(match->at, found, 2 * count * sizeof(size_t));
    match->lastindex = last_group(match->at, count);
    return object_value(host);
}

enum { HOW_SEARCH, HOW_MATCH, HOW_FULL };
static const uint32_t how_options[] = {0, PCRE2_ANCHORED, PCRE2_ANCHORED | PCRE2_ENDANCHORED};

static Value find(GenVM *vm, Value *args, int how) {
    Pattern *pattern = PATTERN(args[0]);
    Subject subject;
    if (!subject_of(vm, args[1], pattern, &subject)) return VALUE_ERROR;
    int64_t length = subject.counts ? (int64_t)subject.size : (int64_t)AS_STR(args[1])->length;
    int64_t pos = as_int(args[2]), end = as_int(args[3]);
    if (pos < 0) pos = 0;
    if (end < 0) end = 0;
    if (end > length) end = length;
    if (pos > length) pos = length;
    if (pos > end) return VALUE_NONE;
    size_t last = end == length ? subject.size : byte_at(vm, args[1], &subject, end);
    int found =
        run(vm, pattern, &subject, byte_at(vm, args[1], &subject, pos), last, how_options[how]);
    if (found <= 0) return found ? VALUE_ERROR : VALUE_NONE;
    return match_new(vm, args[0], args[1], pos, end);
}

static Value pattern_search(GenVM *vm, Value *args) {
    return find(vm, args, HOW_SEARCH);
}
static Value pattern_match(GenVM *vm, Value *args) {
    return find(vm, args, HOW_MATCH);
}
static Value pattern_fullmatch(GenVM *vm, Value *args) {
    return find(vm, args, HOW_FULL);
}

/* ---- walking over all matches ---- */

typedef struct Walk {
    GenVM *vm;
    Pattern *pattern;
    Subject subject;
    size_t at, end;
    bool was_empty; /* the match before was empty, at `at`: the next one there may not be */
    size_t passed;  /* bytes that may have been looked at since the last look at the deadline */
    const size_t *found;
} Walk;

static bool walk_begin(Walk *walk, GenVM *vm, Value self, Value string, int64_t pos,
                       int64_t endpos) {
    *walk = (Walk){.vm = vm, .pattern = PATTERN(self)};
    if (!subject_of(vm, string, walk->pattern, &walk->subject)) return false;
    walk->at = byte_at(vm, string, &walk->subject, pos);
    walk->end = byte_at(vm, string, &walk->subject, endpos);
    return true;
}

enum { WALK_PIECE = 1 << 16 };

/* As run(): 1 with walk->found. */
static int walk_next(Walk *walk) {
    if (walk->at > walk->end) return 0;
    walk->passed += walk->end - walk->at;
    if (walk->passed >= WALK_PIECE) {
        walk->passed = 0;
        if (!native_look(walk->vm)) return -1;
    }
    uint32_t options = walk->was_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
    int found = run(walk->vm, walk->pattern, &walk->subject, walk->at, walk->end, options);
    if (found <= 0) return found;
    walk->found = pcre2_get_ovector_pointer(walk->pattern->data);
    walk->at = walk->found[1] > walk->found[0] ? walk->found[1] : walk->found[0];
    walk->was_empty = walk->found[1] <= walk->found[0];
    return 1;
}

static Value found_group(Walk *walk, uint32_t group, Value absent) {
    size_t from = walk->found[2 * group], to = walk->found[2 * group + 1];
    if (from == PCRE2_UNSET) return absent;
    return piece(walk->vm, walk->pattern, &walk->subject, from, to);
}

/* What findall lists for a match: the text, the one group, or a tuple of the groups. */
static Value listed(Walk *walk) {
    uint32_t groups = walk->pattern->groups;
    Value empty = walk->pattern->is_bytes ? walk->vm->empty_bytes : walk->vm->empty_str;
    if (groups <= 1) return found_group(walk, groups, empty);
    Value tuple = tuple_new(walk->vm, groups);
    for (uint32_t i = 0; tuple != VALUE_ERROR && i < groups; i++) {
        Value group = found_group(walk, i + 1, empty);
        if (group == VALUE_ERROR) return group;
        AS_TUPLE(tuple)->items[i] = group;
    }
    return tuple;
}

static Value pattern_findall(GenVM *vm, Value *args) {
    Walk walk;
    if (!walk_begin(&walk, vm, args[0], args[1], as_int(args[2]), as_int(args[3])))
        return VALUE_ERROR;
    Value list = list_new(vm, 0);
    int found;
    while (list != VALUE_ERROR && (found = walk_next(&walk)) != 0) {
        Value item = found < 0 ? VALUE_ERROR : listed(&walk);
        if (item == VALUE_ERROR || !native_glance(vm, AS_LIST(list)->count) ||
            !list_append(vm, list, item))
            return VALUE_ERROR;
    }
    return list;
}

static bool is_start(const Walk *walk) {
    bool is_end = walk->pattern->is_bytes || walk->at == walk->subject.size;
    return is_end || ((uint8_t)walk->subject.data[walk->at] & 0xC0) != 0x80;
}

/* _step(string, [byte offset, was empty], endpos): the next match for finditer; None at the end. */
static Value pattern_step(GenVM *vm, Value *args) {
    Walk walk;
    Value *state = AS_LIST(args[2])->items;
    if (AS_LIST(args[2])->count != 2 || !is_int(state[0]))
        return raise_type(vm, "no state of a search");
    if (!walk_begin(&walk, vm, args[0], args[1], 0, as_int(args[4]))) return VALUE_ERROR;
    walk.at = (size_t)as_int(state[0]);
    if (walk.at > walk.end) return VALUE_NONE;
    if (!is_start(&walk)) return raise_value(vm, "a search goes on within a character");
    walk.was_empty = state[1] == VALUE_TRUE;
    int found = walk_next(&walk);
    if (found <= 0) return found ? VALUE_ERROR : VALUE_NONE;
    state[0] = int_value((int64_t)walk.at);
    state[1] = bool_value(walk.was_empty);
    return match_new(vm, args[0], args[1], as_int(args[3]), as_int(args[4]));
}

static Value pattern_begin(GenVM *vm, Value *args) {
    Walk walk;
    if (!walk_begin(&walk, vm, args[0], args[1], as_int(args[2]), 0)) return VALUE_ERROR;
    Value state[] = {int_value((int64_t)walk.at), VALUE_FALSE};
    return list_from_array(vm, state, 2);
}

static Value pattern_split(GenVM *vm, Value *args) {
    Walk walk;
    int64_t most = as_int(args[2]), done = 0;
    if (!walk_begin(&walk, vm, args[0], args[1], 0, INT64_MAX)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    size_t from = 0;
    int found = 0;
    while (list != VALUE_ERROR && (most == 0 || done < most) && (found = walk_next(&walk)) > 0) {
        Value text = piece(vm, walk.pattern, &walk.subject, from, walk.found[0]);
        if (text == VALUE_ERROR || !native_glance(vm, (uint64_t)done) ||
            !list_append(vm, list, text))
            return VALUE_ERROR;
        for (uint32_t i = 1; i <= walk.pattern->groups; i++) {
            Value group = found_group(&walk, i, VALUE_NONE);
            if (group == VALUE_ERROR || !list_append(vm, list, group)) return VALUE_ERROR;
        }
        from = walk.at;
        done++;
    }
    if (found < 0 || list == VALUE_ERROR) return VALUE_ERROR;
    Value rest = piece(vm, walk.pattern, &walk.subject, from, walk.subject.size);
    return rest != VALUE_ERROR && list_append(vm, list, rest) ? list : VALUE_ERROR;
}

static bool put_text(Walk *walk, StrBuilder *out, Value v) {
    const uint8_t *data;
    size_t size;
    bool is_bytes = walk->pattern->is_bytes;
    if (value_is_str(v) && !is_bytes) return builder_put_str(out, v);
    if (is_bytes && bytes_view(walk->vm, v, &data, &size))
        return builder_put(out, (const char *)data, size);
    raise_type(walk->vm, "expected %s instance, %T found", is_bytes ? "a bytes-like object" : "str",
               v);
    return false;
}

/* The parts of a replacement: texts, and group numbers. */
static bool put_template(Walk *walk, StrBuilder *out, Value parts) {
    for (uint64_t i = 0; i < AS_LIST(parts)->count; i++) {
        Value part = AS_LIST(parts)->items[i];
        if (!is_int(part)) {
            if (!put_text(walk, out, part)) return false;
            continue;
        }
        if (as_int(part) < 0 || as_int(part) > walk->pattern->groups)
            return raise_index(walk->vm, "no such group"), false;
        size_t from = walk->found[2 * as_int(part)], to = walk->found[2 * as_int(part) + 1];
        if (from != PCRE2_UNSET && !builder_put(out, walk->subject.data + from, to - from))
            return false;
    }
    return true;
}

/* _sub(string, parts, count): (new text, how many were replaced) */
static Value pattern_sub(GenVM *vm, Value *args) {
    Walk walk;
    int64_t most = as_int(args[3]), done = 0;
    if (!walk_begin(&walk, vm, args[0], args[1], 0, INT64_MAX)) return VALUE_ERROR;
    StrBuilder out;
    builder_init_work(&out, vm);
    size_t from = 0;
    int found = 0;
    bool ok = true;
    while (ok && (most == 0 || done < most) && (found = walk_next(&walk)) > 0) {
        ok = native_glance(vm, (uint64_t)done) &&
             builder_put(&out, walk.subject.data + from, walk.found[0] - from) &&
             put_template(&walk, &out, args[2]);
        from = walk.at;
        done++;
    }
    ok = ok && found >= 0 && builder_put(&out, walk.subject.data + from, walk.subject.size - from);
    if (!ok) {
        builder_drop(&out);
        return VALUE_ERROR;
    }
    if (!done && (is_exact(args[1], TYPE_STR) || is_exact(args[1], TYPE_BYTES))) {
        builder_drop(&out);
        return tuple_pack(vm, 2, args[1], int_value(0));
    }
    Value text = walk.pattern->is_bytes ? builder_finish_bytes(&out) : builder_finish(&out);
    return text == VALUE_ERROR ? text : tuple_pack(vm, 2, text, int_value(done));
}

/* ---- methods that are written in Gen ---- */

typedef enum InGen {
    IN_GEN_FINDITER,
    IN_GEN_SUB,
    IN_GEN_SUBN,
    IN_GEN_SCANNER,
    IN_GEN_EXPAND,
    IN_GEN_COUNT
} InGen;

static Value call_in_gen(GenVM *vm, InGen function, uint32_t count, const Value *args) {
    Value functions = vm->roots[ROOT_RE_FUNCTIONS];
    if (functions == VALUE_UNSET) return raise_runtime(vm, "the module re is not imported");
    return native_call_array(vm, AS_TUPLE(functions)->items[function], count, args);
}
static Value method_finditer(GenVM *vm, Value *args) {
    return call_in_gen(vm, IN_GEN_FINDITER, 4, args);
}
static Value method_sub(GenVM *vm, Value *args) {
    return call_in_gen(vm, IN_GEN_SUB, 4, args);
}
static Value method_subn(GenVM *vm, Value *args) {
    return call_in_gen(vm, IN_GEN_SUBN, 4, args);
}
static Value method_scanner(GenVM *vm, Value *args) {
    return call_in_gen(vm, IN_GEN_SCANNER, 4, args);
}
static Value method_expand(GenVM *vm, Value *args) {
    return call_in_gen(vm, IN_GEN_EXPAND, 2, args);
}

/* ---- the type Pattern ---- */

static void pattern_trace(GenVM *vm, Object *object) {
    Pattern *pattern = (Pattern *)(void *)((HostObject *)object)->payload;
    gc_mark(vm, pattern->pattern);
    gc_mark(vm, pattern->groupindex);
    gc_mark(vm, pattern->names);
    gc_mark(vm, pattern->templates);
    gc_mark(vm, pattern->translated);
}

static void pattern_finalize(GenVM *vm, Object *object) {
    Pattern *pattern = (Pattern *)(void *)((HostObject *)object)->payload;
    pcre2_match_data_free(pattern->data);
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    pcre2_code_free(pattern->watched);
    memory_count(vm, &pattern->counted, 0);
    pattern->data = NULL;
    pattern->context = NULL;
    pattern->code = NULL;
}

static Value pattern_hash(GenVM *vm, Value self) {
    uint64_t hash;
    if (leaf_hash(vm, PATTERN(self)->pattern, &hash) != LEAF_TRUE) return VALUE_ERROR;
    return int_value((int64_t)((hash ^ (uint64_t)PATTERN(self)->flags * 1000003u) >> 3));
}

static Value pattern_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || type_of(vm, left) != type_of(vm, right))
        return VALUE_NOT_IMPLEMENTED;
    Pattern *a = PATTERN(left), *b = PATTERN(right);
    Leaf same = a->flags == b->flags && a->is_bytes == b->is_bytes
                    ? leaf_equal(vm, a->pattern, b->pattern)
                    : LEAF_FALSE;
    return same < 0 ? VALUE_ERROR : bool_value((same == LEAF_TRUE) == (op == COMPARE_EQ));
}

static Value pattern_repr(GenVM *vm, Value self) {
    static const struct {
        int64_t flag;
        const char *name;
    } flags[] = {{2, "IGNORECASE"}, {4, "LOCALE"},  {8, "MULTILINE"}, {16, "DOTALL"},
                 {64, "VERBOSE"},   {128, "DEBUG"}, {256, "ASCII"}};
    const Pattern *pattern = PATTERN(self);
    Value shown = leaf_repr(vm, pattern->pattern);
    if (shown == VALUE_ERROR || shown == VALUE_TAIL) return shown;
    if (AS_STR(shown)->length > 200) shown = str_slice(vm, shown, 0, 200);
    StrBuilder out;
    builder_init(&out, vm);
    builder_put_format(&out, "re.compile(%S", shown);
    bool first = true;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!(pattern->flags & flags[i].flag)) continue;
        builder_put_format(&out, "%sre.%s", first ? ", " : "|", flags[i].name);
        first = false;
    }
    builder_put_byte(&out, ')');
    return builder_finish(&out);
}

static Value get_pattern(GenVM *vm, Value self) {
    return (void)vm, PATTERN(self)->pattern;
}
static Value get_flags(GenVM *vm, Value self) {
    return (void)vm, int_value(PATTERN(self)->flags);
}
static Value get_groups(GenVM *vm, Value self) {
    return (void)vm, int_value(PATTERN(self)->groups);
}
static Value get_groupindex(GenVM *vm, Value self) {
    return mapping_proxy_new(vm, PATTERN(self)->groupindex);
}
static Value get_templates(GenVM *vm, Value self) {
    return (void)vm, PATTERN(self)->templates;
}
static Value self_of_copy(GenVM *vm, Value *args) {
    return (void)vm, args[0];
}

/* ---- compiling ---- */

static void *take_memory(size_t size, void *vm) {
    return memory_new(vm, size);
}
static void give_memory(void *block, void *vm) {
    (void)vm;
    memory_free(block);
}

/* What is compiled here keeps to the memory of the VM, and so do the data of its matches. */
static pcre2_code *compile_own(GenVM *vm, const uint8_t *text, size_t size, uint32_t options,
                               int *code, size_t *offset) {
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, give_memory, vm);
    pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
    pcre2_code *compiled = NULL;
    if (context)
        compiled = pcre2_compile(text, size, options, code, offset, context);
    else
        raise_memory(vm);
    if (!compiled && *code == PCRE2_ERROR_HEAP_FAILED) raise_memory(vm);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    return compiled;
}

static pcre2_match_context *new_match_context(GenVM *vm) {
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, give_memory, vm);
    pcre2_match_context *context = memory ? pcre2_match_context_create(memory) : NULL;
    pcre2_general_context_free(memory);
    if (context) pcre2_set_heap_limit(context, HEAP_LIMIT);
    return context;
}

/* A Pattern of text that PCRE2 takes, its values not yet set; NULL with an exception pending, or
 * without one where PCRE2 finds it wrong: *code and *offset. */
static HostObject *pattern_new(GenVM *vm, const uint8_t *text, size_t size, uint32_t options,
                               int *code, size_t *offset) {
    if (!native_charge(vm, size)) return NULL;
    pcre2_code *compiled =
        compile_own(vm, text, size, options | PCRE2_USE_OFFSET_LIMIT, code, offset);
    if (!compiled) return NULL;
    HostObject *host = gc_new_of(vm, sizeof *host + sizeof(Pattern), TYPE_HOST,
                                 type_from(vm->roots[ROOT_PATTERN]));
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(compiled, NULL);
    pcre2_match_context *context = new_match_context(vm);
    Value templates = dict_new(vm);
    if (!host || !data || !context || templates == VALUE_ERROR) {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        pcre2_code_free(compiled);
        if (vm->exception == VALUE_UNSET) raise_memory(vm);
        return NULL;
    }
    host->size = sizeof(Pattern);
    host->attributes = VALUE_UNSET;
    Pattern *pattern = (Pattern *)(void *)host->payload;
    *pattern = (Pattern){.pattern = VALUE_NONE,
                         .groupindex = VALUE_NONE,
                         .names = VALUE_NONE,
                         .templates = templates,
                         .translated = VALUE_NONE,
                         .options = options,
                         .is_bytes = !(options & PCRE2_UTF),
                         .code = compiled,
                         .data = data,
                         .context = context};
    pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
    gc_finalizable(vm, host);
    return translate(vm, compiled, &pattern->counted) ? host : NULL;
}

/* Patterns of text match text, in UTF-8; those of bytes do not look for characters. */
enum {
    OPTIONS = PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_EXTENDED | PCRE2_UCP,
    OPTIONS_OF_TEXT = PCRE2_UTF | PCRE2_NO_UTF_CHECK,
};

static uint32_t allowed_options(int64_t options, bool is_text) {
    return ((uint32_t)options & OPTIONS) | PCRE2_NEVER_BACKSLASH_C |
           (is_text ? (uint32_t)OPTIONS_OF_TEXT : 0);
}

/* compile(pattern, translated, flags, PCRE2's options, groupindex, names): a Pattern, or what PCRE2
 * says is wrong as (message, byte offset). */
static Value compile(GenVM *vm, Value *args) {
    const uint8_t *text;
    size_t size, offset = 0;
    int code = 0;
    bool is_text = value_is_str(args[1]);
    if (is_text) {
        text = (const uint8_t *)AS_STR(args[1])->data;
        size = AS_STR(args[1])->size;
    } else if (!is_kind(args[1], TYPE_BYTES) || !bytes_view(vm, args[1], &text, &size)) {
        return raise_type(vm, "first argument must be string or compiled pattern");
    }
    HostObject *host =
        pattern_new(vm, text, size, allowed_options(as_int(args[3]), is_text), &code, &offset);
    if (!host && code == PCRE2_ERROR_HEAP_FAILED && vm->exception == VALUE_UNSET)
        return raise_memory(vm);
    if (!host && vm->exception == VALUE_UNSET && !vm->stop) {
        char message[160];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
        return tuple_pack(vm, 2, str_from(vm, message), int_value((int64_t)offset));
    }
    if (!host) return VALUE_ERROR;
    Pattern *pattern = (Pattern *)(void *)host->payload;
    if (AS_TUPLE(args[5])->count != (uint64_t)pattern->groups + 1)
        return raise_value(vm, "names of %u groups are wanted", pattern->groups + 1);
    pattern->pattern = args[0];
    pattern->groupindex = args[4];
    pattern->names = args[5];
    pattern->translated = args[1];
    pattern->flags = as_int(args[2]);
    return object_value(host);
}

/* ---- in images: a pattern is compiled anew ---- */

static void save_pattern_shell(ImageWriter *w, Object *object) {
    const Pattern *pattern = PATTERN(object_value(object));
    size_t size = 0;
    const uint8_t *text = translated_text(w->vm, pattern, &size);
    image_put_number(w->out, pattern->options);
    image_put_number(w->out, image_zigzag(pattern->flags));
    image_put_number(w->out, size);
    image_put(w->out, text, size);
}

static void save_pattern_body(ImageWriter *w, Object *object) {
    const Pattern *pattern = PATTERN(object_value(object));
    image_put_value(w, pattern->pattern);
    image_put_value(w, pattern->groupindex);
    image_put_value(w, pattern->names);
}

static Object *load_pattern_shell(ImageReader *r, Type *type) {
    const uint8_t *text;
    size_t size, offset;
    int code;
    uint32_t options;
    (void)type;
    if (!image_get_u32(r, &options)) return NULL;
    uint64_t flags = image_get_number(r);
    if (!image_get_block(r, &text, &size)) return NULL;
    bool is_text = options & PCRE2_UTF;
    if (options != allowed_options(options, is_text) || (is_text && !image_check_text(text, size)))
        return image_bad(r, "a pattern of an unknown form"), NULL;
    HostObject *host = pattern_new(r->vm, text, size, options, &code, &offset);
    if (!host) return image_bad(r, "a pattern that does not compile"), NULL;
    Pattern *pattern = (Pattern *)(void *)host->payload;
    pattern->flags = (int64_t)(flags >> 1) ^ -(int64_t)(flags & 1);
    pattern->translated =
        is_text ? str_new(r->vm, (const char *)text, size) : bytes_new(r->vm, text, size);
    return pattern->translated == VALUE_ERROR ? NULL : &host->header;
}

static bool load_pattern_body(ImageReader *r, Object *object) {
    Pattern *pattern = PATTERN(object_value(object));
    return image_get_kind(r, pattern->is_bytes ? TYPE_BYTES : TYPE_STR, &pattern->pattern) &&
           image_get_kind(r, TYPE_DICT, &pattern->groupindex) &&
           image_get_kind(r, TYPE_TUPLE, &pattern->names) &&
           (AS_TUPLE(pattern->names)->count == (uint64_t)pattern->groups + 1 ||
            image_bad(r, "a pattern with other groups"));
}

static const ImageCustom pattern_image = {
    .version = 1,
    .save_shell = save_pattern_shell,
    .save_body = save_pattern_body,
    .load_shell = load_pattern_shell,
    .load_body = load_pattern_body,
};

static const NativeDef pattern_methods[] = {
    {"match(self, string, pos: index = 0, endpos: index = 2305843009213693951)", pattern_match,
     "Matches zero or more characters at the beginning of the string."},
    {"fullmatch(self, string, pos: index = 0, endpos: index = 2305843009213693951)",
     pattern_fullmatch, "Matches against all of the string."},
    {"search(self, string, pos: index = 0, endpos: index = 2305843009213693951)", pattern_search,
     "Scan through string looking for a match, and return a corresponding match object instance."},
    {"findall(self, string, pos: index = 0, endpos: index = 2305843009213693951)", pattern_findall,
     "Return a list of all non-overlapping matches of pattern in string."},
    {"split(self, string, maxsplit: index = 0)", pattern_split,
     "Split string by the occurrences of pattern."},
    {"finditer(self, string, pos: index = 0, endpos: index = 2305843009213693951)", method_finditer,
     "Return an iterator over all non-overlapping matches for the RE pattern in string."},
    {"sub(self, repl, string, count: index = 0)", method_sub,
     "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern "
     "in "
     "string by the replacement repl."},
    {"subn(self, repl, string, count: index = 0)", method_subn,
     "Return the tuple (new_string, number_of_subs_made)."},
    {"scanner(self, string, pos: index = 0, endpos: index = 2305843009213693951)", method_scanner,
     NULL},
    {"_begin(self, string, pos: index, /)", pattern_begin, NULL},
    {"_step(self, string, state: list, pos: index, endpos: index, /)", pattern_step, NULL},
    {"_sub(self, string, parts: list, count: index, /)", pattern_sub, NULL},
    {"__copy__(self, /)", self_of_copy, NULL},
    {"__deepcopy__(self, memo, /)", self_of_copy, NULL},
    {"classmethod __class_getitem__(cls, item, /)", generic_alias_method, "See PEP 585"},
    {0},
};

static const AttributeDef pattern_attributes[] = {
    {"pattern", get_pattern, attribute_readonly,
     "The pattern string from which the RE object was compiled."},
    {"flags", get_flags, attribute_readonly, "The regex matching flags."},
    {"groups", get_groups, attribute_readonly, "The number of capturing groups in the pattern."},
    {"groupindex", get_groupindex, attribute_readonly,
     "A dictionary mapping group names to group numbers."},
    {"_templates", get_templates, attribute_readonly, NULL},
    {0},
};

static const BuiltinType pattern_type = {
    .name = "Pattern",
    .module = "re",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(HostObject) + sizeof(Pattern),
    .doc = "Compiled regular expression object.",
    .methods = pattern_methods,
    .attributes = pattern_attributes,
    .slots = {.repr = pattern_repr,
              .hash = pattern_hash,
              .compare = pattern_compare,
              .trace = pattern_trace,
              .finalize = pattern_finalize,
              .custom = &pattern_image},
};

/* ---- the type Match ---- */

static void match_trace(GenVM *vm, Object *object) {
    Match *match = (Match *)(void *)((HostObject *)object)->payload;
    gc_mark(vm, match->pattern);
    gc_mark(vm, match->string);
}

static bool match_subject(GenVM *vm, const Match *match, Subject *subject) {
    return subject_of(vm, match->string, PATTERN(match->pattern), subject);
}

static Value group_text(GenVM *vm, const Match *match, int64_t group, Value absent) {
    Subject subject;
    if (match->at[2 * group] == PCRE2_UNSET) return absent;
    if (!match_subject(vm, match, &subject)) return VALUE_ERROR;
    size_t to = match->at[2 * group + 1] < subject.size ? match->at[2 * group + 1] : subject.size;
    return piece(vm, PATTERN(match->pattern), &subject, match->at[2 * group], to);
}

/* A group's number from its number or name; -1 with IndexError. */
static int64_t group_number(GenVM *vm, const Match *match, Value which) {
    int64_t number = -1;
    if (value_is_intlike(which)) {
        if (!int_to_i64(which, &number)) number = -1;
    } else {
        Value found;
        Leaf leaf = dict_get(vm, AS_DICT(PATTERN(match->pattern)->groupindex), which, &found);
        if (leaf == LEAF_ERROR) error_clear(vm);
        if (leaf == LEAF_TRUE && is_int(found)) number = as_int(found);
    }
    if (number >= 0 && number < match->count) return number;
    raise_index(vm, "no such group");
    return -1;
}

static Value group_of(GenVM *vm, const Match *match, Value which) {
    int64_t number = group_number(vm, match, which);
    return number < 0 ? VALUE_ERROR : group_text(vm, match, number, VALUE_NONE);
}

static Value match_group(GenVM *vm, Value *args) {
    const Match *match = MATCH(args[0]);
    const Tuple *wanted = AS_TUPLE(args[1]);
    if (wanted->count == 0) return group_text(vm, match, 0, VALUE_NONE);
    if (wanted->count == 1) return group_of(vm, match, wanted->items[0]);
    Value tuple = tuple_new(vm, wanted->count);
    for (uint64_t i = 0; tuple != VALUE_ERROR && i < wanted->count; i++) {
        Value text = group_of(vm, match, wanted->items[i]);
        if (text == VALUE_ERROR) return text;
        AS_TUPLE(tuple)->items[i] = text;
    }
    return tuple;
}

static Value match_getitem(GenVM *vm, Value self, Value key) {
    return group_of(vm, MATCH(self), key);
}

static Value match_groups(GenVM *vm, Value *args) {
    const Match *match = MATCH(args[0]);
    Value tuple = tuple_new(vm, match->count - 1);
    for (uint32_t i = 1; tuple != VALUE_ERROR && i < match->count; i++) {
        Value text = group_text(vm, match, i, args[1]);
        if (text == VALUE_ERROR) return text;
        AS_TUPLE(tuple)->items[i - 1] = text;
    }
    return tuple;
}

static Value match_groupdict(GenVM *vm, Value *args) {
    const Match *match = MATCH(args[0]);
    Value dict = dict_new(vm), name, number;
    uint32_t position = 0;
    while (dict != VALUE_ERROR &&
           dict_next(AS_DICT(PATTERN(match->pattern)->groupindex), &position, &name, &number)) {
        if (!value_is_str(name) || !is_int(number) || as_int(number) < 0 ||
            as_int(number) >= match->count)
            return raise_index(vm, "no such group");
        Value text = group_text(vm, match, as_int(number), args[1]);
        if (text == VALUE_ERROR || !dict_set_str(vm, AS_DICT(dict), name, text)) return VALUE_ERROR;
    }
    return dict;
}

/* Where group `which` starts (side 0) or ends (1), in characters; -1: it is not in the match. */
static Value place(GenVM *vm, const Match *match, int64_t number, int side) {
    Subject subject;
    size_t offset = match->at[2 * number + side];
    if (offset == PCRE2_UNSET) return int_value(-1);
    if (!match_subject(vm, match, &subject)) return VALUE_ERROR;
    return int_value(char_at(&subject, offset < subject.size ? offset : subject.size));
}

static Value match_start(GenVM *vm, Value *args) {
    int64_t number = group_number(vm, MATCH(args[0]), args[1]);
    return number < 0 ? VALUE_ERROR : place(vm, MATCH(args[0]), number, 0);
}
static Value match_end(GenVM *vm, Value *args) {
    int64_t number = group_number(vm, MATCH(args[0]), args[1]);
    return number < 0 ? VALUE_ERROR : place(vm, MATCH(args[0]), number, 1);
}

static Value span_of(GenVM *vm, const Match *match, int64_t number) {
    Value start = place(vm, match, number, 0), end = place(vm, match, number, 1);
    if (start == VALUE_ERROR || end == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 2, start, end);
}
static Value match_span(GenVM *vm, Value *args) {
    int64_t number = group_number(vm, MATCH(args[0]), args[1]);
    return number < 0 ? VALUE_ERROR : span_of(vm, MATCH(args[0]), number);
}

static Value match_repr(GenVM *vm, Value self) {
    Value span = span_of(vm, MATCH(self), 0), text = group_text(vm, MATCH(self), 0, VALUE_NONE);
    if (span == VALUE_ERROR || text == VALUE_ERROR) return VALUE_ERROR;
    return str_format(vm, "<re.Match object; span=%V, match=%V>", span, text);
}

static Value get_re(GenVM *vm, Value self) {
    return (void)vm, MATCH(self)->pattern;
}
static Value get_string(GenVM *vm, Value self) {
    return (void)vm, MATCH(self)->string;
}
static Value get_pos(GenVM *vm, Value self) {
    return (void)vm, int_value(MATCH(self)->pos);
}
static Value get_endpos(GenVM *vm, Value self) {
    const Match *match = MATCH(self);
    Subject subject;
    if (!match_subject(vm, match, &subject)) return VALUE_ERROR;
    int64_t length =
        subject.counts ? (int64_t)subject.size : (int64_t)AS_STR(match->string)->length;
    return int_value(match->endpos < length ? match->endpos : length);
}
static Value get_lastindex(GenVM *vm, Value self) {
    (void)vm;
    return MATCH(self)->lastindex ? int_value(MATCH(self)->lastindex) : VALUE_NONE;
}
static Value get_lastgroup(GenVM *vm, Value self) {
    (void)vm;
    const Match *match = MATCH(self);
    return match->lastindex ? AS_TUPLE(PATTERN(match->pattern)->names)->items[match->lastindex]
                            : VALUE_NONE;
}
static Value get_regs(GenVM *vm, Value self) {
    const Match *match = MATCH(self);
    Value tuple = tuple_new(vm, match->count);
    for (uint32_t i = 0; tuple != VALUE_ERROR && i < match->count; i++) {
        Value span = span_of(vm, match, i);
        if (span == VALUE_ERROR) return span;
        AS_TUPLE(tuple)->items[i] = span;
    }
    return tuple;
}

static void save_match_shell(ImageWriter *w, Object *object) {
    const Match *match = MATCH(object_value(object));
    image_put_number(w->out, match->count);
    image_put_number(w->out, image_zigzag(match->pos));
    image_put_number(w->out, image_zigzag(match->endpos));
    for (uint32_t i = 0; i < 2 * match->count; i++)
        image_put_number(w->out, match->at[i] == PCRE2_UNSET ? 0 : match->at[i] + 1);
}

static void save_match_body(ImageWriter *w, Object *object) {
    image_put_value(w, MATCH(object_value(object))->pattern);
    image_put_value(w, MATCH(object_value(object))->string);
}

static Object *load_match_shell(ImageReader *r, Type *type) {
    uint64_t count = image_get_number(r), pos = image_get_number(r), end = image_get_number(r);
    (void)type;
    if (count == 0 || count > (size_t)(r->end - r->at) / 2)
        return image_bad(r, "a match without its groups"), NULL;
    HostObject *host = match_allocate(r->vm, (uint32_t)count);
    if (!host) return NULL;
    Match *match = (Match *)(void *)host->payload;
    match->pos = (int64_t)(pos >> 1);
    match->endpos = (int64_t)(end >> 1);
    for (uint64_t i = 0; i < 2 * count; i++)
        match->at[i] = image_get_number(r) - 1;
    match->lastindex = last_group(match->at, match->count);
    return int_fits(match->pos) && int_fits(match->endpos) ? &host->header : NULL;
}

static bool load_match_body(ImageReader *r, Object *object) {
    Match *match = MATCH(object_value(object));
    if (!image_get_kind(r, TYPE_HOST, &match->pattern) || !image_get_value(r, &match->string))
        return false;
    return object_value(type_of(r->vm, match->pattern)) == r->vm->roots[ROOT_PATTERN] ||
           image_bad(r, "a match of no pattern");
}

/* Groups begin and end where characters do, within the text. What is no str may have shrunk since.
 */
static bool check_match(ImageReader *r, Object *object) {
    const Match *match = MATCH(object_value(object));
    Subject subject;
    if (match->count != PATTERN(match->pattern)->groups + 1) return false;
    if (!subject_of(r->vm, match->string, PATTERN(match->pattern), &subject))
        return error_clear(r->vm), false;
    for (uint32_t i = 0; i < 2 * match->count; i++) {
        size_t at = match->at[i];
        if ((at == PCRE2_UNSET) != (match->at[i ^ 1] == PCRE2_UNSET)) return false;
        if (at == PCRE2_UNSET) continue;
        if (at > INT32_MAX || (value_is_str(match->string) && at > subject.size)) return false;
        bool inside = value_is_str(match->string) && at < subject.size;
        if (inside && ((uint8_t)subject.data[at] & 0xC0) == 0x80) return false;
    }
    return true;
}

static const ImageCustom match_image = {
    .version = 1,
    .save_shell = save_match_shell,
    .save_body = save_match_body,
    .load_shell = load_match_shell,
    .load_body = load_match_body,
    .check = check_match,
};

static const NativeDef match_methods[] = {
    {"group(self, *groups)", match_group, "Return one or more subgroups of the match."},
    {"groups(self, default = None)", match_groups,
     "Return a tuple containing all the subgroups of the match."},
    {"groupdict(self, default = None)", match_groupdict,
     "Return a dictionary containing all the named subgroups of the match, keyed by the subgroup "
     "name."},
    {"expand(self, template)", method_expand,
     "Return the string obtained by doing backslash substitution on the string template, as done "
     "by "
     "the sub() method."},
    {"start(self, group = 0, /)", match_start,
     "Return index of the start of the substring matched by group."},
    {"end(self, group = 0, /)", match_end,
     "Return index of the end of the substring matched by group."},
    {"span(self, group = 0, /)", match_span,
     "Return the tuple (self.start(group), self.end(group))."},
    {"__copy__(self, /)", self_of_copy, NULL},
    {"__deepcopy__(self, memo, /)", self_of_copy, NULL},
    {"classmethod __class_getitem__(cls, item, /)", generic_alias_method, "See PEP 585"},
    {0},
};

static const AttributeDef match_attributes[] = {
    {"re", get_re, attribute_readonly, "The regular expression object."},
    {"string", get_string, attribute_readonly, "The string passed to match() or search()."},
    {"pos", get_pos, attribute_readonly,
     "The index into the string at which the RE engine started looking for a match."},
    {"endpos", get_endpos, attribute_readonly,
     "The index into the string beyond which the RE engine will not go."},
    {"lastindex", get_lastindex, attribute_readonly,
     "The integer index of the last matched capturing group."},
    {"lastgroup", get_lastgroup, attribute_readonly,
     "The name of the last matched capturing group."},
    {"regs", get_regs, attribute_readonly, NULL},
    {0},
};

static const BuiltinType match_type = {
    .name = "Match",
    .module = "re",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(HostObject) + sizeof(Match),
    .doc = "The result of re.match() and re.search().",
    .methods = match_methods,
    .attributes = match_attributes,
    .slots = {.repr = match_repr,
              .getitem = match_getitem,
              .trace = match_trace,
              .custom = &match_image},
};

static Value set_functions(GenVM *vm, Value *args) {
    Value tuple = tuple_from_array(vm, args, IN_GEN_COUNT);
    if (tuple == VALUE_ERROR) return tuple;
    vm->roots[ROOT_RE_FUNCTIONS] = tuple;
    return VALUE_NONE;
}

static const NativeDef functions[] = {
    {"set_functions(finditer, sub, subn, scanner, expand, /)", set_functions,
     "The methods that are written in Gen."},
    {"compile(pattern, translated, flags: index, options: index, groupindex: dict, names: tuple, "
     "/)",
     compile, "A Pattern, or (message, byte offset)."},
    {0},
};

static bool add_type(GenVM *vm, Module *module, const BuiltinType *def, int root) {
    Type *type = type_new_native(vm, def, NULL);
    if (!type) return false;
    vm->roots[root] = object_value(type);
    return dict_set_str(vm, module->dict, str_intern_from(vm, def->name, strlen(def->name)),
                        object_value(type));
}

static bool set_number(GenVM *vm, Module *module, const char *name, int64_t number) {
    return dict_set_str(vm, module->dict, str_intern_from(vm, name, strlen(name)),
                        int_value(number));
}

static bool init(GenVM *vm, Module *module) {
    return add_type(vm, module, &pattern_type, ROOT_PATTERN) &&
           add_type(vm, module, &match_type, ROOT_MATCH) &&
           set_number(vm, module, "CASELESS", PCRE2_CASELESS) &&
           set_number(vm, module, "MULTILINE", PCRE2_MULTILINE) &&
           set_number(vm, module, "DOTALL", PCRE2_DOTALL) &&
           set_number(vm, module, "EXTENDED", PCRE2_EXTENDED) &&
           set_number(vm, module, "UTF", PCRE2_UTF | PCRE2_NO_UTF_CHECK) &&
           set_number(vm, module, "UCP", PCRE2_UCP) &&
           set_number(vm, module, "ALWAYS", PCRE2_NEVER_BACKSLASH_C);
}

const NativeModule re_module = {"_re", functions, init};
