/* check_match.c: checks of patterns; see check.h. */
#include "check.h"

#include <string.h>

/* The names that a pattern has bound so far. */
typedef struct Bound {
    AstName **names;
    int32_t count;
    int32_t capacity;
} Bound;

static bool check_pattern(Check *c, const AstPattern *pattern, Bound *bound, bool may_match_all);

static bool has_name(const Bound *bound, const AstName *name) {
    for (int32_t i = 0; i < bound->count; i++) {
        if (bound->names[i] == name) return true;
    }
    return false;
}

static bool bind(Check *c, Bound *bound, AstName *name, AstSpan span) {
    if (name == NULL) return true;
    if (has_name(bound, name))
        return check_raise(c, span, "multiple assignments to name '%s' in pattern", name->text);
    if (bound->count == bound->capacity) {
        int32_t capacity = bound->capacity == 0 ? 8 : 2 * bound->capacity;
        AstName **names = arena_take(c->arena, (size_t)capacity * sizeof(AstName *));
        if (names == NULL) {
            *c->error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = "out of memory"};
            return false;
        }
        if (bound->count != 0)
            memcpy(names, bound->names, (size_t)bound->count * sizeof(AstName *));
        bound->names = names;
        bound->capacity = capacity;
    }
    bound->names[bound->count++] = name;
    return true;
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
            return check_raise(c, pattern->span,
                               "multiple starred names in sequence pattern");
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

static bool check_mapping(Check *c, const AstPattern *pattern, Bound *bound) {
    const AstExprSeq *keys = &pattern->MatchMapping.keys;
    for (int32_t i = 0; i < keys->count; i++) {
        for (int32_t j = 0; j < i; j++) {
            if (is_same_key(keys->items[i], keys->items[j]))
                return raise_repeated_key(c, pattern->span, &keys->items[i]->Constant.value);
        }
    }
    return check_patterns(c, &pattern->MatchMapping.patterns, bound) &&
           bind(c, bound, pattern->MatchMapping.rest, pattern->span);
}

static bool check_class_pattern(Check *c, const AstPattern *pattern, Bound *bound) {
    const AstNameSeq *names = &pattern->MatchClass.kwd_attrs;
    for (int32_t i = 0; i < names->count; i++) {
        for (int32_t j = i + 1; j < names->count; j++) {
            if (names->items[i] == names->items[j])
                return check_raise(c, pattern->MatchClass.kwd_patterns.items[j]->span,
                                   "attribute name repeated in class pattern: %s",
                                   names->items[i]->text);
        }
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
            is_same = has_name(&first, own.names[j]);
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
