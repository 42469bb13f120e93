/* codegen_condition.c - truth: conditions as jumps, comparisons, `and`, `or` and `not`.
 *
 * condition_jump is the heart: it jumps to a label when an expression's truth is `when`, else falls
 * through, and makes no bool on the way. Comparisons become one compare-and-jump instruction, with
 * the immediate forms where they fit.
 */
#include "parser/codegen.h"

/* The opcodes of a comparison lie in CompareOp order from these. */
static CompareOp compare_order(AstCmpOp op) {
    switch (op) {
    case CMPOP_Lt: return COMPARE_LT;
    case CMPOP_LtE: return COMPARE_LE;
    case CMPOP_Eq: return COMPARE_EQ;
    case CMPOP_NotEq: return COMPARE_NE;
    case CMPOP_Gt: return COMPARE_GT;
    case CMPOP_GtE: return COMPARE_GE;
    case CMPOP_Is:
    case CMPOP_IsNot:
    case CMPOP_In:
    case CMPOP_NotIn: break;
    }
    return COMPARE_EQ;
}

static Opcode compare_opcode(AstCmpOp op) {
    switch (op) {
    case CMPOP_Is: return OP_IS;
    case CMPOP_IsNot: return OP_ISNOT;
    case CMPOP_In: return OP_IN;
    case CMPOP_NotIn: return OP_NOTIN;
    default: return OP_LT + (Opcode)compare_order(op);
    }
}

/* Truth that is known now. */
bool condition_constant(Unit *u, AstExpr *e, bool *truth) {
    Value value = fold_expr(u->gen, e);
    if (value == VALUE_UNSET) return false;
    *truth = fold_truth(u->gen->vm, value);
    return true;
}

/* ---- comparisons as jumps
 * ------------------------------------------------------------------------------------- */

static void jump_is(Unit *u, bool is, Reg left, AstExpr *right, bool when, Label *label) {
    bool jump_if_same = is == when;
    if (fold_expr(u->gen, right) == VALUE_NONE) {
        emit_jump(u, jump_if_same ? OP_JNONE : OP_JNOTNONE, left, 0, label);
        return;
    }
    AstSpan span = u->span;
    Reg value = expr_any(u, right, NO_REG);
    emit_at(u, span);
    emit_jump(u, jump_if_same ? OP_JIS : OP_JISNOT, left, value, label);
}

static void jump_in(Unit *u, bool in, Reg left, AstExpr *right, bool when, Label *label) {
    AstSpan span = u->span;
    Reg result = emit_temp(u), container;
    Value constant = fold_container(u->gen, right);
    if (constant != VALUE_UNSET)
        emit_const(u, constant, container = emit_temp(u));
    else
        container = expr_any(u, right, NO_REG);
    emit_at(u, span);
    emit(u, OP_IN, result, left, container, 0);
    emit_jump(u, in == when ? OP_JT : OP_JF, result, 0, label);
}

static bool is_small_constant(Value v) {
    return is_int(v) || is_float(v) || value_is_str(v) || value_is_intlike(v) ||
           is_kind(v, TYPE_BYTES);
}

/* Compares R[left] with a constant, which is the left operand if `mirrored`: false where no
 * instruction takes that constant. */
static bool jump_constant(Unit *u, CompareOp order, Reg left, Value constant, bool mirrored,
                          bool when, Label *label) {
    static const CompareOp mirrors[] = {COMPARE_GT, COMPARE_GE, COMPARE_EQ,
                                        COMPARE_NE, COMPARE_LT, COMPARE_LE};
    CompareOp op = mirrored ? mirrors[order] : order;
    if (is_int(constant) && as_int(constant) >= -128 && as_int(constant) < 128) {
        emit_jump_full(u, (when ? OP_JLTI : OP_JNLTI) + (Opcode)op, left,
                       (uint32_t)as_int(constant) & 255, mirrored, label);
        return true;
    }
    if (!is_small_constant(constant)) return false;
    uint32_t index = emit_const_index(u, constant);
    if (index >= 256) return false;
    if (is_exact(constant, TYPE_STR) && (order == COMPARE_EQ || order == COMPARE_NE)) {
        bool if_equal = (order == COMPARE_EQ) == when;
        emit_jump_full(u, if_equal ? OP_JEQS : OP_JNES, left, index,
                       mirrored | (order == COMPARE_NE) << 1, label);
    } else {
        emit_jump_full(u, (when ? OP_JLTK : OP_JNLTK) + (Opcode)op, left, index, mirrored, label);
    }
    return true;
}

static void jump_ordered(Unit *u, CompareOp order, Reg left, AstExpr *right, bool when,
                         Label *label) {
    Value constant = fold_expr(u->gen, right);
    if (constant != VALUE_UNSET && jump_constant(u, order, left, constant, false, when, label))
        return;
    AstSpan span = u->span;
    Reg value = expr_any(u, right, NO_REG);
    emit_at(u, span);
    emit_jump(u, (when ? OP_JLT : OP_JNLT) + (Opcode)order, left, value, label);
}

/* Jumps when (R[left] op right) has the truth `when`; the span is that of the comparison. */
void condition_compare(Unit *u, AstCmpOp op, Reg left, AstExpr *right, bool when, Label *label) {
    Reg mark = u->top;
    switch (op) {
    case CMPOP_Is: jump_is(u, true, left, right, when, label); break;
    case CMPOP_IsNot: jump_is(u, false, left, right, when, label); break;
    case CMPOP_In: jump_in(u, true, left, right, when, label); break;
    case CMPOP_NotIn: jump_in(u, false, left, right, when, label); break;
    default: jump_ordered(u, compare_order(op), left, right, when, label); break;
    }
    u->top = mark;
}

/* The types that `type(x) is int` is one instruction for. */
static bool find_exact_type(const AstName *name, TypeId *type) {
    static const struct {
        const char *name;
        TypeId type;
    } types[] = {
        {"int", TYPE_INT},     {"float", TYPE_FLOAT}, {"str", TYPE_STR},   {"list", TYPE_LIST},
        {"tuple", TYPE_TUPLE}, {"dict", TYPE_DICT},   {"bool", TYPE_BOOL}, {"bytes", TYPE_BYTES},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (names_equal(name, types[i].name)) return *type = types[i].type, true;
    return false;
}

static bool is_builtin_name(Unit *u, const AstExpr *e) {
    return e->kind == EXPR_Name && name_resolve(u, e->Name.id).kind == VAR_GLOBAL;
}

/* In the library: type(x) is int, or is not. */
static bool jump_exact(Unit *u, const AstExpr *e, bool when, Label *label) {
    if (!u->gen->of_library) return false;
    AstCmpOp op = e->Compare.ops.items[0];
    const AstExpr *call = e->Compare.left, *right = e->Compare.comparators.items[0];
    TypeId type;
    if ((op != CMPOP_Is && op != CMPOP_IsNot) || call->kind != EXPR_Call ||
        call->Call.args.count != 1 || call->Call.keywords.count ||
        call->Call.args.items[0]->kind == EXPR_Starred || !is_builtin_name(u, call->Call.func) ||
        !names_equal(call->Call.func->Name.id, "type") || !is_builtin_name(u, right) ||
        !find_exact_type(right->Name.id, &type))
        return false;
    Reg value = expr_any(u, call->Call.args.items[0], NO_REG);
    emit_at(u, e->span);
    bool if_same = (op == CMPOP_Is) == when;
    uint32_t kinds = ((type == TYPE_INT) == if_same) | ((type == TYPE_FLOAT) == if_same) << 1 |
                     (uint32_t)!if_same << 2;
    emit_jump_full(u, OP_JEXACT, value, (uint32_t)type, kinds, label);
    return true;
}

/* The constant of `1 < x`, which is compared as x > 1 is; VALUE_UNSET for others. */
static Value left_constant(Unit *u, AstExpr *e) {
    AstCmpOp op = e->Compare.ops.items[0];
    if (op > CMPOP_GtE) return VALUE_UNSET;
    Value constant = fold_expr(u->gen, e->Compare.left);
    if (constant == VALUE_UNSET || !is_small_constant(constant)) return VALUE_UNSET;
    return fold_expr(u->gen, e->Compare.comparators.items[0]) == VALUE_UNSET ? constant
                                                                             : VALUE_UNSET;
}

static void jump_mirrored(Unit *u, CompareOp order, Value constant, Reg right, bool when,
                          Label *label) {
    if (jump_constant(u, order, right, constant, true, when, label)) return;
    Reg left = emit_temp(u);
    emit_const(u, constant, left);
    emit_jump(u, (when ? OP_JLT : OP_JNLT) + (Opcode)order, left, right, label);
}

/* Jumps if the comparison of two registers is false. */
static void jump_unless(Unit *u, AstCmpOp op, Reg left, Reg right, Label *label) {
    if (op == CMPOP_Is || op == CMPOP_IsNot) {
        emit_jump(u, op == CMPOP_Is ? OP_JISNOT : OP_JIS, left, right, label);
    } else if (op == CMPOP_In || op == CMPOP_NotIn) {
        Reg result = emit_temp(u);
        emit(u, OP_IN, result, left, right, 0);
        emit_jump(u, op == CMPOP_In ? OP_JF : OP_JT, result, 0, label);
    } else {
        emit_jump(u, OP_JNLT + (Opcode)compare_order(op), left, right, label);
    }
}

/* a < b < c: b is computed once and lies in a register that the second comparison reads as well. */
static void jump_chain(Unit *u, AstExpr *e, bool when, Label *label) {
    Label skip = LABEL_NEW;
    Label *on_false = when ? &skip : label;
    int32_t last = e->Compare.ops.count - 1;
    Value constant = left_constant(u, e);
    Reg left = NO_REG;
    if (constant == VALUE_UNSET)
        left = expr_operand(u, e->Compare.left, NO_REG, e->Compare.comparators.items[0]);
    for (int32_t i = 0; i < last; i++) {
        AstExpr *right = e->Compare.comparators.items[i];
        AstCmpOp op = e->Compare.ops.items[i];
        Reg value = expr_operand(u, right, NO_REG, e->Compare.comparators.items[i + 1]);
        Reg mark = u->top;
        emit_at(u, e->span);
        if (left == NO_REG)
            jump_mirrored(u, compare_order(op), constant, value, false, on_false);
        else
            jump_unless(u, op, left, value, on_false);
        u->top = mark;
        left = value;
    }
    emit_at(u, e->span);
    condition_compare(u, e->Compare.ops.items[last], left, e->Compare.comparators.items[last], when,
                      label);
    emit_label(u, &skip);
}

static void jump_single(Unit *u, AstExpr *e, bool when, Label *label) {
    AstExpr *right = e->Compare.comparators.items[0];
    AstCmpOp op = e->Compare.ops.items[0];
    Value constant = left_constant(u, e);
    Reg operand = constant == VALUE_UNSET ? expr_operand(u, e->Compare.left, NO_REG, right)
                                          : expr_any(u, right, NO_REG);
    emit_at(u, e->span);
    if (constant == VALUE_UNSET)
        condition_compare(u, op, operand, right, when, label);
    else
        jump_mirrored(u, compare_order(op), constant, operand, when, label);
}

static void jump_comparison(Unit *u, AstExpr *e, bool when, Label *label) {
    Reg mark = u->top;
    warning_of_compare(u->gen, e);
    if (e->Compare.ops.count > 1)
        jump_chain(u, e, when, label);
    else if (!jump_exact(u, e, when, label))
        jump_single(u, e, when, label);
    u->top = mark;
}

/* ---- conditions as jumps
 * -------------------------------------------------------------------------------------- */

static void jump_bool(Unit *u, AstExpr *e, bool when, Label *label) {
    bool decides = e->BoolOp.op == BOOLOP_Or; /* the truth of an operand that decides the whole */
    Label skip = LABEL_NEW;
    int32_t last = e->BoolOp.values.count - 1;
    for (int32_t i = 0; i < last; i++)
        condition_jump(u, e->BoolOp.values.items[i], decides, decides == when ? label : &skip);
    condition_jump(u, e->BoolOp.values.items[last], when, label);
    emit_label(u, &skip);
}

static void jump_if_else(Unit *u, AstExpr *e, bool when, Label *label) {
    Label otherwise = LABEL_NEW, end = LABEL_NEW;
    condition_jump(u, e->IfExp.test, false, &otherwise);
    condition_jump(u, e->IfExp.body, when, label);
    emit_goto(u, &end);
    emit_label(u, &otherwise);
    condition_jump(u, e->IfExp.orelse, when, label);
    emit_label(u, &end);
}

void condition_jump(Unit *u, AstExpr *e, bool when, Label *label) {
    bool truth;
    if (condition_constant(u, e, &truth)) {
        if (truth == when) emit_goto(u, label);
        return;
    }
    if (e->kind == EXPR_UnaryOp && e->UnaryOp.op == UNARYOP_Not) {
        condition_jump(u, e->UnaryOp.operand, !when, label);
    } else if (e->kind == EXPR_BoolOp) {
        jump_bool(u, e, when, label);
    } else if (e->kind == EXPR_IfExp) {
        jump_if_else(u, e, when, label);
    } else if (e->kind == EXPR_Compare) {
        jump_comparison(u, e, when, label);
    } else {
        Reg mark = u->top;
        Reg value = expr_any(u, e, NO_REG);
        emit_at(u, e->span);
        emit_jump(u, when ? OP_JT : OP_JF, value, 0, label);
        u->top = mark;
    }
}

/* ---- as values
 * ------------------------------------------------------------------------------------------------
 */

static Reg compare_container(Unit *u, AstCmpOp op, AstExpr *right, const AstExpr *later) {
    if (op == CMPOP_In || op == CMPOP_NotIn) {
        Value constant = fold_container(u->gen, right);
        if (constant != VALUE_UNSET) {
            Reg reg = emit_temp(u);
            emit_const(u, constant, reg);
            return reg;
        }
    }
    return later ? expr_operand(u, right, NO_REG, later) : expr_any(u, right, NO_REG);
}

static void compare_value(Unit *u, AstExpr *e, Reg dest) {
    Label end = LABEL_NEW;
    int32_t count = e->Compare.ops.count;
    warning_of_compare(u->gen, e);
    Reg result = count > 1 && unit_is_visible(u, dest) ? emit_temp(u) : dest;
    Reg hint = count == 1 && !unit_is_visible(u, dest) ? dest : NO_REG;
    Reg left = expr_operand(u, e->Compare.left, hint, e->Compare.comparators.items[0]);
    for (int32_t i = 0; i < count; i++) {
        AstExpr *later = i + 1 < count ? e->Compare.comparators.items[i + 1] : NULL;
        Reg right =
            compare_container(u, e->Compare.ops.items[i], e->Compare.comparators.items[i], later);
        emit_at(u, e->span);
        emit(u, compare_opcode(e->Compare.ops.items[i]), result, left, right, 0);
        if (later) emit_jump(u, OP_JF, result, 0, &end);
        left = right;
    }
    emit_label(u, &end);
    emit_move(u, dest, result);
}

/* The value of the operand that decides. */
static void bool_value_to(Unit *u, AstExpr *e, Reg dest) {
    bool decides = e->BoolOp.op == BOOLOP_Or;
    Label end = LABEL_NEW;
    Reg result = unit_is_visible(u, dest) ? emit_temp(u) : dest;
    int32_t last = e->BoolOp.values.count - 1;
    for (int32_t i = 0; i < last; i++) {
        bool truth;
        AstExpr *value = e->BoolOp.values.items[i];
        if (condition_constant(u, value, &truth)) {
            if (truth != decides) continue;
            expr_to(u, value, result);
            emit_goto(u, &end);
            continue;
        }
        expr_to(u, value, result);
        emit_at(u, value->span);
        emit_jump(u, decides ? OP_JT : OP_JF, result, 0, &end);
    }
    expr_to(u, e->BoolOp.values.items[last], result);
    emit_label(u, &end);
    emit_move(u, dest, result);
}

void condition_value(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    if (e->kind == EXPR_Compare)
        compare_value(u, e, dest);
    else
        bool_value_to(u, e, dest);
    u->top = mark;
}
