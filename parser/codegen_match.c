/* codegen_match.c - match statements.
 *
 * A pattern is a series of tests that jump to one label on failure. What it captures stays in
 * temporaries until the whole pattern has matched; only then are the variables assigned, the guard
 * evaluated and the body run.
 */
#include "parser/codegen.h"

typedef struct Capture {
    AstName *name;
    Reg reg;
} Capture;

typedef struct Matching {
    Label *fail;
    Capture *captures;
    uint32_t count, capacity;
} Matching;

static void pattern(Unit *u, AstPattern *p, Reg subject, Matching *m);

/* ---- captures
 * -------------------------------------------------------------------------------------------------
 */

static void capture(Unit *u, Matching *m, AstName *name, Reg reg, AstSpan span) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->captures[i].name == name)
            codegen_error(u->gen, span, "multiple assignments to name '%s' in pattern", name->text);
    if (m->count == m->capacity) {
        uint32_t capacity = m->capacity ? m->capacity * 2 : 8;
        Capture *captures = codegen_take(u->gen, capacity * sizeof(Capture));
        if (!captures) return;
        for (uint32_t i = 0; i < m->count; i++)
            captures[i] = m->captures[i];
        m->captures = captures;
        m->capacity = capacity;
    }
    m->captures[m->count++] = (Capture){name, reg};
}

static void store_captures(Unit *u, const Matching *m) {
    for (uint32_t i = 0; i < m->count; i++) {
        Var var = name_resolve(u, m->captures[i].name);
        name_store(u, &var, m->captures[i].reg);
    }
}

/* ---- patterns that match anything
 * ----------------------------------------------------------------------------- */

static bool is_wildcard(const AstPattern *p) {
    return p->kind == PATTERN_MatchAs && !p->MatchAs.name;
}

static bool is_star_wildcard(const AstPattern *p) {
    return p->kind == PATTERN_MatchStar && !p->MatchStar.name;
}

/* The pattern in p that matches whatever comes, or NULL. */
static const AstPattern *irrefutable(const AstPattern *p) {
    if (p->kind == PATTERN_MatchAs) return p->MatchAs.pattern ? irrefutable(p->MatchAs.pattern) : p;
    if (p->kind == PATTERN_MatchOr)
        for (int32_t i = 0; i < p->MatchOr.patterns.count; i++) {
            const AstPattern *found = irrefutable(p->MatchOr.patterns.items[i]);
            if (found) return found;
        }
    return NULL;
}

static void refuse_unreachable(Unit *u, const AstPattern *p) {
    if (p->kind == PATTERN_MatchAs && p->MatchAs.name)
        codegen_error(u->gen, p->span, "name capture '%s' makes remaining patterns unreachable",
                      p->MatchAs.name->text);
    else
        codegen_error(u->gen, p->span, "wildcard makes remaining patterns unreachable");
}

/* ---- values
 * ---------------------------------------------------------------------------------------------------
 */

static void match_value(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    emit_at(u, p->span);
    condition_compare(u, CMPOP_Eq, subject, p->MatchValue.value, false, m->fail);
}

static void match_singleton(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    Value value = fold_constant(u->gen, &p->MatchSingleton.value);
    emit_at(u, p->span);
    if (value == VALUE_NONE) {
        emit_jump(u, OP_JNOTNONE, subject, 0, m->fail);
        return;
    }
    Reg mark = u->top, constant = emit_temp(u);
    emit_const(u, value, constant);
    emit_jump(u, OP_JISNOT, subject, constant, m->fail);
    u->top = mark;
}

static void match_as(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    if (p->MatchAs.pattern) pattern(u, p->MatchAs.pattern, subject, m);
    if (p->MatchAs.name) capture(u, m, p->MatchAs.name, subject, p->span);
}

/* ---- sequences
 * ------------------------------------------------------------------------------------------------
 */

static void item_pattern(Unit *u, AstPattern *p, Reg item, Matching *m) {
    if (p->kind == PATTERN_MatchStar) {
        if (p->MatchStar.name) capture(u, m, p->MatchStar.name, item, p->span);
    } else {
        pattern(u, p, item, m);
    }
}

static void check_length(Unit *u, Reg subject, int32_t count, bool at_least, Label *fail) {
    Reg mark = u->top, length = emit_temp(u);
    emit(u, OP_GETLEN, length, subject, 0, 0);
    if (count < 128) {
        emit_jump(u, at_least ? OP_JLTI : OP_JNEI, length, (uint32_t)count, fail);
    } else {
        Reg wanted = emit_temp(u);
        emit_const(u, int_value(count), wanted);
        emit_jump(u, at_least ? OP_JLT : OP_JNE, length, wanted, fail);
    }
    u->top = mark;
}

/* [a, b, *_, c]: the items are fetched one by one, those behind the star counted from the end. */
static void match_by_subscript(Unit *u, AstPatternSeq patterns, int32_t star, Reg subject,
                               Matching *m) {
    for (int32_t i = 0; i < patterns.count; i++) {
        if (i == star || is_wildcard(patterns.items[i])) continue;
        Reg item = emit_temp(u);
        emit_at(u, patterns.items[i]->span);
        if (i < star) {
            emit(u, OP_GETITEMI, item, subject, 0, i);
        } else {
            emit(u, OP_GETLEN, item, subject, 0, 0);
            emit(u, OP_SUBI, item, item, 0, patterns.count - i); /* as a subject may know no -1 */
            emit(u, OP_GETITEM, item, subject, item, 0);
        }
        pattern(u, patterns.items[i], item, m);
    }
}

static bool all_wildcards(AstPatternSeq patterns) {
    for (int32_t i = 0; i < patterns.count; i++)
        if (!is_wildcard(patterns.items[i]) && !is_star_wildcard(patterns.items[i])) return false;
    return true;
}

static int32_t pattern_star(Unit *u, const AstPattern *p) {
    int32_t star = -1;
    for (int32_t i = 0; i < p->MatchSequence.patterns.count; i++) {
        if (p->MatchSequence.patterns.items[i]->kind != PATTERN_MatchStar) continue;
        if (star >= 0)
            codegen_error(u->gen, p->span, "multiple starred expressions in sequence pattern");
        star = i;
    }
    if (star > 255)
        codegen_error(u->gen, p->span, "too many expressions in star-unpacking sequence pattern");
    return star;
}

static void match_sequence(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    AstPatternSeq patterns = p->MatchSequence.patterns;
    int32_t star = pattern_star(u, p), fixed = star < 0 ? patterns.count : patterns.count - 1;
    Reg mark = u->top, test = emit_temp(u);
    emit_at(u, p->span);
    emit(u, OP_MATCHSEQ, test, subject, 0, 0);
    emit_jump(u, OP_JF, test, 0, m->fail);
    u->top = mark;
    if (star < 0 || fixed > 0) check_length(u, subject, fixed, star >= 0, m->fail);
    if (all_wildcards(patterns)) return;
    if (star >= 0 && is_star_wildcard(patterns.items[star])) {
        match_by_subscript(u, patterns, star, subject, m);
        return;
    }
    uint32_t count = (uint32_t)patterns.count;
    Reg window = emit_temps(u, count);
    if (star < 0)
        emit_window_out(u, OP_UNPACK, window, subject, 0, (int32_t)count, count);
    else
        emit_window_out(u, OP_UNPACKEX, window, subject, (uint32_t)star, patterns.count - star - 1,
                        count);
    for (uint32_t i = 0; i < count; i++)
        item_pattern(u, patterns.items[i], window + i, m);
}

/* ---- mappings
 * -------------------------------------------------------------------------------------------------
 */

static void check_keys(Unit *u, const AstPattern *p) {
    AstExprSeq keys = p->MatchMapping.keys;
    for (int32_t i = 0; i < keys.count; i++) {
        Value key = fold_expr(u->gen, keys.items[i]);
        for (int32_t j = 0; j < i && key != VALUE_UNSET; j++) {
            Value other = fold_expr(u->gen, keys.items[j]);
            if (other == VALUE_UNSET || leaf_equal(u->gen->vm, key, other) != LEAF_TRUE) continue;
            Value text = leaf_repr(u->gen->vm, key);
            const char *shown =
                text == VALUE_ERROR || text == VALUE_TAIL ? NULL : str_c(u->gen->vm, text);
            codegen_error(u->gen, p->span, "mapping pattern checks duplicate key (%s)",
                          shown ? shown : "?");
        }
    }
}

static void match_mapping(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    AstExprSeq keys = p->MatchMapping.keys;
    check_keys(u, p);
    Reg mark = u->top, test = emit_temp(u);
    emit_at(u, p->span);
    emit(u, OP_MATCHMAP, test, subject, 0, 0);
    emit_jump(u, OP_JF, test, 0, m->fail);
    u->top = mark;
    if (keys.count) check_length(u, subject, keys.count, true, m->fail);
    if (!keys.count && !p->MatchMapping.rest) return;
    Reg key_tuple = emit_temp(u), values = emit_temp(u);
    display_tuple(u, keys, key_tuple, p->span);
    emit_at(u, p->span);
    if (keys.count) {
        emit(u, OP_MATCHKEYS, values, subject, key_tuple, 0);
        emit_jump(u, OP_JNONE, values, 0, m->fail);
        uint32_t count = (uint32_t)keys.count;
        Reg window = emit_temps(u, count);
        emit_window_out(u, OP_UNPACK, window, values, 0, (int32_t)count, count);
        for (uint32_t i = 0; i < count; i++)
            pattern(u, p->MatchMapping.patterns.items[i], window + i, m);
    }
    if (p->MatchMapping.rest) {
        Reg rest = emit_temp(u);
        emit_at(u, p->span);
        emit(u, OP_DICTREST, rest, subject, key_tuple, 0);
        capture(u, m, p->MatchMapping.rest, rest, p->span);
    }
}

/* ---- classes
 * --------------------------------------------------------------------------------------------------
 */

static Value attribute_names(Unit *u, const AstPattern *p) {
    AstNameSeq names = p->MatchClass.kwd_attrs;
    Value tuple =
        names.count ? tuple_new(u->gen->vm, (uint64_t)names.count) : u->gen->vm->empty_tuple;
    if (tuple == VALUE_ERROR) codegen_fail(u->gen);
    for (int32_t i = 0; i < names.count && tuple != VALUE_ERROR; i++) {
        for (int32_t j = 0; j < i; j++)
            if (names.items[i] == names.items[j])
                codegen_error(u->gen, p->MatchClass.kwd_patterns.items[i]->span,
                              "attribute name repeated in class pattern: %s", names.items[i]->text);
        AS_TUPLE(tuple)->items[i] = codegen_name(u->gen, names.items[i]);
    }
    return tuple;
}

static void match_class(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    AstPatternSeq positional = p->MatchClass.patterns, named = p->MatchClass.kwd_patterns;
    Reg window = emit_temps(u, 2), values = emit_temp(u);
    expr_to(u, p->MatchClass.cls, window);
    emit_at(u, p->span);
    emit_const(u, attribute_names(u, p), window + 1);
    Reg low = window;
    if (u->wide && window >= 256) {
        low = emit_scratch_window(u, 2);
        emit_move(u, low, window);
        emit_move(u, low + 1, window + 1);
    }
    emit(u, OP_MATCHCLASS, values, subject, low, positional.count);
    emit_jump(u, OP_JNONE, values, 0, m->fail);
    uint32_t count = (uint32_t)(positional.count + named.count);
    if (!count) return;
    Reg items = emit_temps(u, count);
    emit_window_out(u, OP_UNPACK, items, values, 0, (int32_t)count, count);
    for (int32_t i = 0; i < positional.count; i++)
        pattern(u, positional.items[i], items + (Reg)i, m);
    for (int32_t i = 0; i < named.count; i++)
        pattern(u, named.items[i], items + (Reg)(positional.count + i), m);
}

/* ---- alternatives
 * --------------------------------------------------------------------------------------------- */

static const Capture *find_capture(const Matching *m, uint32_t from, const AstName *name) {
    for (uint32_t i = from; i < m->count; i++)
        if (m->captures[i].name == name) return &m->captures[i];
    return NULL;
}

/* Every alternative captures the same names: they move to the registers of the first one's. */
static void unify_captures(Unit *u, const Matching *first, const Matching *other, AstSpan span) {
    bool same = first->count == other->count;
    for (uint32_t i = 0; same && i < first->count; i++) {
        const Capture *found = find_capture(other, 0, first->captures[i].name);
        if (found)
            emit_move(u, first->captures[i].reg, found->reg);
        else
            same = false;
    }
    if (!same) codegen_error(u->gen, span, "alternative patterns bind different names");
}

static void match_or(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    Label end = LABEL_NEW;
    Matching first = {NULL, NULL, 0, 0};
    int32_t count = p->MatchOr.patterns.count;
    for (int32_t i = 0; i < count; i++) {
        AstPattern *alternative = p->MatchOr.patterns.items[i];
        const AstPattern *catches_all = i + 1 < count ? irrefutable(alternative) : NULL;
        if (catches_all) refuse_unreachable(u, catches_all);
        Label next = LABEL_NEW;
        Reg mark = u->top;
        Matching branch = {i + 1 < count ? &next : m->fail, NULL, 0, 0};
        pattern(u, alternative, subject, &branch);
        if (i == 0) {
            /* The captures of the first alternative get registers that stay. */
            first = branch;
            for (uint32_t j = 0; j < first.count; j++) {
                Reg reg = emit_temp(u);
                emit_move(u, reg, first.captures[j].reg);
                first.captures[j].reg = reg;
            }
        } else {
            unify_captures(u, &first, &branch, p->span);
            u->top = mark;
        }
        if (i + 1 < count) emit_goto(u, &end);
        emit_label(u, &next);
    }
    emit_label(u, &end);
    for (uint32_t i = 0; i < first.count; i++)
        capture(u, m, first.captures[i].name, first.captures[i].reg, p->span);
}

/* ---- dispatch
 * -------------------------------------------------------------------------------------------------
 */

/* Temporaries stay in use: captures may lie in them. */
static void pattern(Unit *u, AstPattern *p, Reg subject, Matching *m) {
    switch (p->kind) {
    case PATTERN_MatchValue: match_value(u, p, subject, m); break;
    case PATTERN_MatchSingleton: match_singleton(u, p, subject, m); break;
    case PATTERN_MatchSequence: match_sequence(u, p, subject, m); break;
    case PATTERN_MatchMapping: match_mapping(u, p, subject, m); break;
    case PATTERN_MatchClass: match_class(u, p, subject, m); break;
    case PATTERN_MatchStar: break;
    case PATTERN_MatchAs: match_as(u, p, subject, m); break;
    case PATTERN_MatchOr: match_or(u, p, subject, m); break;
    }
}

static void match_case(Unit *u, AstMatchCase *c, Reg subject, Label *end) {
    Label next = LABEL_NEW;
    Matching m = {&next, NULL, 0, 0};
    Reg mark = u->top;
    pattern(u, c->pattern, subject, &m);
    emit_at(u, c->pattern->span);
    store_captures(u, &m);
    u->top = mark;
    if (c->guard) condition_jump(u, c->guard, false, &next);
    statements(u, c->body);
    emit_goto(u, end);
    emit_label(u, &next);
}

void match_statement(Unit *u, AstStmt *s) {
    Label end = LABEL_NEW;
    Reg mark = u->top, subject = emit_temp(u);
    expr_to(u, s->Match.subject, subject);
    for (int32_t i = 0; i < s->Match.cases.count; i++) {
        AstMatchCase *c = s->Match.cases.items[i];
        const AstPattern *catches_all =
            c->guard || i + 1 == s->Match.cases.count ? NULL : irrefutable(c->pattern);
        if (catches_all) refuse_unreachable(u, catches_all);
        match_case(u, c, subject, &end);
    }
    emit_label(u, &end);
    u->top = mark;
}
