/* check_match.c: checks of patterns; see check.h. */
#include "check.h"
#include "name_set.h"

#include <string.h>

/* The names that a pattern has bound so far, in order and as a set. */
typedef struct Bound {
    AstName **names;
    int32_t count;
    int32_t capacity;
    NameSet set;
} Bound;

static bool check_pattern(Check *c, const AstPattern *pattern, Bound *bound, bool may_match_all);

static bool fail_memory(Check *c) {
    *c->error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = "out of memory"};
    return false;
}

static bool bind(Check *c, Bound *bound, AstName *name, AstSpan span) {
    if (name == NULL) return true;
    if (name_set_has(&bound->set, name))
        return check_raise(c, span, "multiple assignments to name '%s' in pattern", name->text);
    if (bound->count == bound->capacity) {
        int32_t capacity = bound->capacity == 0 ? 8 : 2 * bound->capacity;
        AstName **names = arena_take(c->arena, (size_t)capacity * sizeof(AstName *));
        if (names == NULL) return fail_memory(c);
        if (bound->count != 0)
            memcpy(names, bound->names, (size_t)bound->count * sizeof(AstName *));
        bound->names = names;
        bound->capacity = capacity;
    }
    bound->names[bound->count++] = name;
    return name_set_add(&bound->set, c->arena, name) || fail_memory(c);
}

static bool check_patterns(Check *c, const AstPatternSeq *patterns, Bound *bound) {
    for (int32_t i = 0; i < patterns->count; i++) {
        if (!check_pattern(c, patterns->items[i], bound, true)) return false;
    }
    return true;
}

static bool check_sequence(Check *c, const AstPattern *pattern, Bound *bound) {
    bool has_star = false;
    const AstPatternSeq *patterns = &pattern->MatchSequence.patterns;
    for (int32_t i = 0; i < patterns->count; i++) {
        bool is_star = patterns->items[i]->kind == PATTERN_MatchStar;
        if (is_star && has_star)
            return check_raise(c, pattern->span, "multiple starred names in sequence pattern");
        has_star |= is_star;
    }
    return check_patterns(c, patterns, bound);
}

/* Whether two keys of a mapping pattern are the same literal. */
static bool is_same_key(const AstExpr *a, const AstExpr *b) {
    if (a->kind != EXPR_Constant || b->kind != EXPR_Constant) return false;
    const AstConstant *x = &a->Constant.value;
    const AstConstant *y = &b->Constant.value;
    if (x->kind != y->kind) return false;
    switch (x->kind) {
    case CONSTANT_Int: return x->fits && y->fits && x->value == y->value;
    case CONSTANT_Float:
    case CONSTANT_Complex: return x->number == y->number;
    case CONSTANT_Str:
    case CONSTANT_Bytes: return x->len == y->len && memcmp(x->text, y->text, x->len) == 0;
    case CONSTANT_None:
    case CONSTANT_True:
    case CONSTANT_False:
    case CONSTANT_Ellipsis: return true;
    }
    return false;
}

static bool raise_repeated_key(Check *c, AstSpan span, const AstConstant *key) {
    static const char message[] = "mapping pattern checks duplicate key";
    switch (key->kind) {
    case CONSTANT_None: return check_raise(c, span, "%s (None)", message);
    case CONSTANT_True: return check_raise(c, span, "%s (True)", message);
    case CONSTANT_False: return check_raise(c, span, "%s (False)", message);
    case CONSTANT_Int: return check_raise(c, span, "%s (%lld)", message, (long long)key->value);
    case CONSTANT_Float: return check_raise(c, span, "%s (%g)", message, key->number);
    case CONSTANT_Complex: return check_raise(c, span, "%s (%gj)", message, key->number);
    case CONSTANT_Str: return check_raise(c, span, "%s ('%s')", message, key->text);
    case CONSTANT_Bytes: return check_raise(c, span, "%s (b'%s')", message, key->text);
    case CONSTANT_Ellipsis: break;
    }
    return check_raise(c, span, "%s", message);
}

static uint32_t hash_key(const AstConstant *key) {
    uint32_t hash = (uint32_t)key->kind * 31u;
    if (key->kind == CONSTANT_Str || key->kind == CONSTANT_Bytes) {
        for (uint32_t i = 0; i < key->len; i++)
            hash = names_hash(hash, key->text[i]);
    } else if (key->kind == CONSTANT_Int && key->fits) {
        hash ^= (uint32_t)key->value * 2654435761u;
    }
    return hash ^ hash >> 15;
}

/* Refuses two keys that are the same literal. The table is at most half full. */
static bool check_keys(Check *c, const AstExprSeq *keys, AstSpan span) {
    if (keys->count < 2) return true;
    uint32_t capacity = 4;
    while (capacity < 2 * (uint32_t)keys->count)
        capacity *= 2;
    const AstExpr **slots = arena_take_zeroed(c->arena, capacity * sizeof *slots);
    if (slots == NULL) return fail_memory(c);
    for (int32_t i = 0; i < keys->count; i++) {
        const AstExpr *key = keys->items[i];
        if (key->kind != EXPR_Constant) continue;
        uint32_t slot = hash_key(&key->Constant.value) & (capacity - 1);
        for (; slots[slot] != NULL; slot = (slot + 1) & (capacity - 1)) {
            if (is_same_key(slots[slot], key))
                return raise_repeated_key(c, span, &key->Constant.value);
        }
        slots[slot] = key;
    }
    return true;
}

static bool check_mapping(Check *c, const AstPattern *pattern, Bound *bound) {
    return check_keys(c, &pattern->MatchMapping.keys, pattern->span) &&
           check_patterns(c, &pattern->MatchMapping.patterns, bound) &&
           bind(c, bound, pattern->MatchMapping.rest, pattern->span);
}

static bool check_class_pattern(Check *c, const AstPattern *pattern, Bound *bound) {
    const AstNameSeq *names = &pattern->MatchClass.kwd_attrs;
    NameSet seen = {0};
    for (int32_t i = 0; i < names->count; i++) {
        if (name_set_has(&seen, names->items[i]))
            return check_raise(c, pattern->MatchClass.kwd_patterns.items[i]->span,
                               "attribute name repeated in class pattern: %s",
                               names->items[i]->text);
        if (!name_set_add(&seen, c->arena, names->items[i])) return fail_memory(c);
    }
    return check_patterns(c, &pattern->MatchClass.patterns, bound) &&
           check_patterns(c, &pattern->MatchClass.kwd_patterns, bound);
}

static bool check_as(Check *c, const AstPattern *pattern, Bound *bound, bool may_match_all) {
    const AstName *name = pattern->MatchAs.name;
    if (pattern->MatchAs.pattern == NULL && !may_match_all) {
        if (name != NULL)
            return check_raise(c, pattern->span,
                               "name capture '%s' makes remaining patterns unreachable",
                               name->text);
        return check_raise(c, pattern->span, "wildcard makes remaining patterns unreachable");
    }
    return (pattern->MatchAs.pattern == NULL ||
            check_pattern(c, pattern->MatchAs.pattern, bound, may_match_all)) &&
           bind(c, bound, pattern->MatchAs.name, pattern->span);
}

/* Every alternative must bind the same names. */
static bool check_or(Check *c, const AstPattern *pattern, Bound *bound, bool may_match_all) {
    const AstPatternSeq *alternatives = &pattern->MatchOr.patterns;
    Bound first = {0};
    for (int32_t i = 0; i < alternatives->count; i++) {
        Bound own = {0};
        bool is_last = i == alternatives->count - 1;
        if (!check_pattern(c, alternatives->items[i], &own, is_last && may_match_all)) return false;
        if (i == 0) {
            first = own;
            continue;
        }
        bool is_same = own.count == first.count;
        for (int32_t j = 0; j < own.count && is_same; j++)
            is_same = name_set_has(&first.set, own.names[j]);
        if (!is_same)
            return check_raise(c, pattern->span, "alternative patterns bind different names");
    }
    for (int32_t i = 0; i < first.count; i++) {
        if (!bind(c, bound, first.names[i], pattern->span)) return false;
    }
    return true;
}

static bool check_pattern(Check *c, const AstPattern *pattern, Bound *bound, bool may_match_all) {
    switch (pattern->kind) {
    case PATTERN_MatchValue:
    case PATTERN_MatchSingleton: return true;
    case PATTERN_MatchSequence: return check_sequence(c, pattern, bound);
    case PATTERN_MatchMapping: return check_mapping(c, pattern, bound);
    case PATTERN_MatchClass: return check_class_pattern(c, pattern, bound);
    case PATTERN_MatchStar: return bind(c, bound, pattern->MatchStar.name, pattern->span);
    case PATTERN_MatchAs: return check_as(c, pattern, bound, may_match_all);
    case PATTERN_MatchOr: return check_or(c, pattern, bound, may_match_all);
    }
    return true;
}

bool check_match(Check *c, const AstMatchCaseSeq *cases) {
    for (int32_t i = 0; i < cases->count; i++) {
        const AstMatchCase *match_case = cases->items[i];
        Bound bound = {0};
        bool may_match_all = match_case->guard != NULL || i == cases->count - 1;
        if (!check_pattern(c, match_case->pattern, &bound, may_match_all)) return false;
    }
    return true;
}
