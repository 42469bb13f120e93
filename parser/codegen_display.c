/* codegen_display.c - displays of lists, tuples, sets and dicts, and f-strings.
 *
 * Elements are evaluated into neighbouring registers and gathered by one instruction. Long displays
 * and those with stars start with the elements before and add the rest one by one.
 */
#include "parser/codegen.h"

enum {
    MAX_GATHERED = 64,
    MIN_COPIED = 5,
    MIN_COPIED_SET = 3 /* as CPython: the order of ints shows */
};

static Reg collection_reg(Unit *u, Reg dest) {
    return unit_is_visible(u, dest) ? emit_temp(u) : dest;
}

/* Evaluates elements from the first on into new temporaries, up to a star or the limit; how many.
 */
static int32_t gather(Unit *u, AstExprSeq elements, int32_t limit) {
    int32_t count = 0;
    while (count < elements.count && count < limit && elements.items[count]->kind != EXPR_Starred)
        expr_to(u, elements.items[count++], emit_temp(u));
    return count;
}

static void add_element(Unit *u, AstExpr *e, Reg collection, Opcode add, Opcode extend,
                        uint32_t is_call, AstSpan span) {
    Reg mark = u->top;
    bool is_star = e->kind == EXPR_Starred;
    AstExpr *source = is_star ? e->Starred.value : e;
    Reg value = expr_any(u, source, NO_REG);
    emit_at(u, span);
    if (is_star && is_call)
        emit_collect(u, extend, collection, value, 1);
    else
        emit(u, is_star ? extend : add, collection, value, 0, 0);
    u->top = mark;
}

/* Adds elements to the list in `list`; what fails is told of the whole, at `span`. is_call: it is
 * the arguments of f(*x), and messages name f. */
void display_list(Unit *u, AstExprSeq elements, Reg list, bool is_call, AstSpan span) {
    for (int32_t i = 0; i < elements.count; i++)
        add_element(u, elements.items[i], list, OP_LISTAPPEND, OP_LISTEXTEND, is_call, span);
}

static AstExprSeq rest_of(AstExprSeq elements, int32_t start) {
    return start >= elements.count ? (AstExprSeq){NULL, 0}
                                   : (AstExprSeq){elements.items + start, elements.count - start};
}

/* A display that fits one instruction: false if it does not. */
static bool gather_all(Unit *u, AstExprSeq elements, Opcode op, Reg dest, AstSpan span) {
    if (elements.count > MAX_GATHERED) return false;
    for (int32_t i = 0; i < elements.count; i++)
        if (elements.items[i]->kind == EXPR_Starred) return false;
    Reg mark = u->top;
    int32_t count = gather(u, elements, MAX_GATHERED);
    emit_at(u, span);
    emit_window(u, op, dest, count ? mark : 0, 0, count, (uint32_t)count);
    u->top = mark;
    return true;
}

static void start_list(Unit *u, AstExprSeq elements, Reg list, AstSpan span) {
    Reg mark = u->top;
    int32_t count = gather(u, elements, MAX_GATHERED);
    emit_at(u, span);
    emit_window(u, OP_NEWLIST, list, count ? mark : 0, 0, count, (uint32_t)count);
    u->top = mark;
    display_list(u, rest_of(elements, count), list, false, span);
}

static bool all_constant(Unit *u, AstExprSeq elements) {
    for (int32_t i = 0; i < elements.count; i++)
        if (fold_expr(u->gen, elements.items[i]) == VALUE_UNSET) return false;
    return true;
}

/* A longer list or set of constants is a copy of a constant tuple or frozenset. */
static bool copy_constants(Unit *u, AstExpr *e, AstExprSeq elements, Opcode make, Opcode extend,
                           Reg dest) {
    int32_t least = make == OP_NEWSET ? MIN_COPIED_SET : MIN_COPIED;
    if (elements.count < least || !all_constant(u, elements)) return false;
    Value constant = fold_container(u->gen, e);
    if (constant == VALUE_UNSET) return false;
    Reg mark = u->top, collection = collection_reg(u, dest), source = emit_temp(u);
    emit_at(u, e->span);
    emit(u, make, collection, 0, 0, 0);
    emit_const(u, constant, source);
    emit(u, extend, collection, source, 0, 0);
    emit_move(u, dest, collection);
    u->top = mark;
    return true;
}

static void list_to(Unit *u, AstExpr *e, Reg dest) {
    if (copy_constants(u, e, e->List.elts, OP_NEWLIST, OP_LISTEXTEND, dest)) return;
    if (gather_all(u, e->List.elts, OP_NEWLIST, dest, e->span)) return;
    Reg mark = u->top, list = collection_reg(u, dest);
    start_list(u, e->List.elts, list, e->span);
    emit_move(u, dest, list);
    u->top = mark;
}

void display_tuple(Unit *u, AstExprSeq elements, Reg dest, AstSpan span) {
    if (gather_all(u, elements, OP_NEWTUPLE, dest, span)) return;
    Reg mark = u->top, list = emit_temp(u);
    start_list(u, elements, list, span);
    emit_at(u, span);
    emit(u, OP_LISTTUPLE, dest, list, 0, 0);
    u->top = mark;
}

static void set_to(Unit *u, AstExpr *e, Reg dest) {
    AstExprSeq elements = e->Set.elts;
    if (copy_constants(u, e, elements, OP_NEWSET, OP_SETUPDATE, dest)) return;
    if (gather_all(u, elements, OP_NEWSET, dest, e->span)) return;
    Reg mark = u->top, set = collection_reg(u, dest);
    emit_at(u, e->span);
    emit(u, OP_NEWSET, set, 0, 0, 0);
    for (int32_t i = 0; i < elements.count; i++)
        add_element(u, elements.items[i], set, OP_SETADD, OP_SETUPDATE, 0, e->span);
    emit_move(u, dest, set);
    u->top = mark;
}

/* ---- dicts
 * ----------------------------------------------------------------------------------------------------
 */

static void dict_item(Unit *u, AstExpr *key, AstExpr *value, Reg dict, AstSpan span) {
    Reg mark = u->top;
    if (!key) {
        Reg source = expr_any(u, value, NO_REG);
        emit_at(u, span);
        emit(u, OP_DICTMERGE, dict, source, 0, 0);
    } else {
        Reg k = expr_operand(u, key, NO_REG, value), v = expr_any(u, value, NO_REG);
        emit_at(u, span);
        emit(u, OP_DICTSET, dict, k, v, 0);
    }
    u->top = mark;
}

static void dict_to(Unit *u, AstExpr *e, Reg dest) {
    AstExprSeq keys = e->Dict.keys, values = e->Dict.values;
    int32_t count = 0;
    Reg mark = u->top;
    Reg dict = collection_reg(u, dest), window = u->top;
    for (; count < keys.count && keys.items[count] && count < MAX_GATHERED / 2; count++) {
        expr_to(u, keys.items[count], emit_temp(u));
        expr_to(u, values.items[count], emit_temp(u));
    }
    bool is_whole = count == keys.count;
    emit_at(u, e->span);
    emit_window(u, OP_NEWDICT, is_whole ? dest : dict, count ? window : 0, 0, count,
                2 * (uint32_t)count);
    u->top = window;
    for (int32_t i = count; i < keys.count; i++)
        dict_item(u, keys.items[i], values.items[i], dict, e->span);
    if (!is_whole) emit_move(u, dest, dict);
    u->top = mark;
}

void display_to(Unit *u, AstExpr *e, Reg dest) {
    switch (e->kind) {
    case EXPR_List: list_to(u, e, dest); break;
    case EXPR_Tuple: display_tuple(u, e->Tuple.elts, dest, e->span); break;
    case EXPR_Set: set_to(u, e, dest); break;
    default: dict_to(u, e, dest); break;
    }
}

/* ---- f-strings
 * ------------------------------------------------------------------------------------------------
 */

static uint32_t conversion_number(int32_t conversion) {
    switch (conversion) {
    case 's': return 1;
    case 'r': return 2;
    case 'a': return 3;
    default: return 0;
    }
}

/* `plain`: the conversion where the program says none and no spec. */
static void formatted_value(Unit *u, AstExpr *e, Reg dest, uint32_t plain) {
    Reg mark = u->top;
    uint32_t conversion = conversion_number(e->FormattedValue.conversion);
    AstExpr *spec = e->FormattedValue.format_spec;
    Reg value;
    if (spec) {
        value = expr_operand(u, e->FormattedValue.value, NO_REG, spec);
        Reg text = emit_temp(u);
        expr_to(u, spec, text);
        emit_at(u, e->span);
        emit(u, OP_FORMATSPEC, dest, value, conversion, (int32_t)text);
    } else {
        value = expr_any(u, e->FormattedValue.value, unit_is_visible(u, dest) ? NO_REG : dest);
        emit_at(u, e->span);
        emit(u, OP_FORMAT, dest, value, conversion ? conversion : plain, 0);
    }
    u->top = mark;
}

static void joined_part(Unit *u, AstExpr *part, Reg dest, uint32_t plain) {
    if (part->kind == EXPR_FormattedValue)
        formatted_value(u, part, dest, plain);
    else
        expr_to(u, part, dest);
}

/* Very many parts are joined in pieces. */
static void joined(Unit *u, AstExpr *e, Reg dest) {
    AstExprSeq parts = e->JoinedStr.values;
    if (parts.count == 0) {
        emit_const(u, u->gen->vm->empty_str, dest);
        return;
    }
    if (parts.count == 1) {
        joined_part(u, parts.items[0], dest, 0);
        return;
    }
    Reg mark = u->top;
    for (int32_t i = 0; i < parts.count; i++) {
        joined_part(u, parts.items[i], emit_temp(u), FORMAT_PART);
        uint32_t count = u->top - mark;
        if (count < MAX_GATHERED && i + 1 < parts.count) continue;
        bool is_last = i + 1 == parts.count;
        emit_at(u, e->span);
        emit_window(u, OP_JOINSTR, is_last ? dest : mark, mark, 0, (int32_t)count, count);
        u->top = mark + 1;
    }
    u->top = mark;
}

void display_string(Unit *u, AstExpr *e, Reg dest) {
    emit_at(u, e->span);
    if (e->kind == EXPR_JoinedStr)
        joined(u, e, dest);
    else
        formatted_value(u, e, dest, 0);
}

/* ---- template strings
 * ----------------------------------------------------------------------------------------- */

static void interpolation(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top, window = emit_temps(u, 4);
    char conversion = (char)e->Interpolation.conversion;
    bool has_conversion = conversion == 's' || conversion == 'r' || conversion == 'a';
    expr_to(u, e->Interpolation.value, window);
    emit_at(u, e->span);
    emit_const(u, fold_constant(u->gen, &e->Interpolation.str), window + 1);
    emit_const(u, has_conversion ? str_new(u->gen->vm, &conversion, 1) : VALUE_NONE, window + 2);
    if (e->Interpolation.format_spec)
        expr_to(u, e->Interpolation.format_spec, window + 3);
    else
        emit_const(u, u->gen->vm->empty_str, window + 3);
    emit_at(u, e->span);
    emit_window(u, OP_INTRINSIC, dest, window, INTRINSIC_INTERPOLATION, 0, 4);
    u->top = mark;
}

/* The strings between the interpolations, one more than there are of those. */
static void template_strings(Unit *u, AstExprSeq parts, Reg list) {
    Reg mark = u->top, text = emit_temp(u);
    bool expects_text = true;
    emit(u, OP_NEWLIST, list, 0, 0, 0);
    for (int32_t i = 0; i <= parts.count; i++) {
        bool is_text = i < parts.count && parts.items[i]->kind != EXPR_Interpolation;
        if (is_text)
            expr_to(u, parts.items[i], text);
        else if (expects_text)
            emit_const(u, u->gen->vm->empty_str, text);
        if (is_text || expects_text) emit(u, OP_LISTAPPEND, list, text, 0, 0);
        expects_text = !is_text;
    }
    u->top = mark;
}

static void template(Unit *u, AstExpr *e, Reg dest) {
    AstExprSeq parts = e->TemplateStr.values;
    Reg mark = u->top, window = emit_temps(u, 2), list = emit_temp(u), value = emit_temp(u);
    template_strings(u, parts, list);
    emit(u, OP_LISTTUPLE, window, list, 0, 0);
    emit(u, OP_NEWLIST, list, 0, 0, 0);
    for (int32_t i = 0; i < parts.count; i++) {
        if (parts.items[i]->kind != EXPR_Interpolation) continue;
        interpolation(u, parts.items[i], value);
        emit(u, OP_LISTAPPEND, list, value, 0, 0);
    }
    emit(u, OP_LISTTUPLE, window + 1, list, 0, 0);
    emit_at(u, e->span);
    emit_window(u, OP_INTRINSIC, dest, window, INTRINSIC_TEMPLATE, 0, 2);
    u->top = mark;
}

void display_template(Unit *u, AstExpr *e, Reg dest) {
    emit_at(u, e->span);
    if (e->kind == EXPR_TemplateStr)
        template(u, e, dest);
    else
        interpolation(u, e, dest);
}
