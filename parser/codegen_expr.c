/* codegen_expr.c - expressions: the dispatch over their kinds, operators, attributes, subscripts,
 * yield and await.
 *
 * Calls, displays, conditions and comprehensions have files of their own. The rules about registers
 * are in codegen.h.
 */
#include "parser/codegen.h"

/* ---- operands
 * -------------------------------------------------------------------------------------------------
 */

static bool binds_within(const AstExpr *e, int depth);

static bool any_binds(AstExprSeq elements, int depth) {
    for (int32_t i = 0; i < elements.count; i++)
        if (elements.items[i] && binds_within(elements.items[i], depth)) return true;
    return false;
}

/* Whether evaluating e may assign to a variable. What is deeper than a few levels counts as if it
 * did. */
static bool binds_within(const AstExpr *e, int depth) {
    if (depth == 0) return e->kind != EXPR_Name && e->kind != EXPR_Constant;
    depth--;
    switch (e->kind) {
    case EXPR_Name:
    case EXPR_Constant:
    case EXPR_Lambda: return false;
    case EXPR_Attribute: return binds_within(e->Attribute.value, depth);
    case EXPR_BinOp:
        return binds_within(e->BinOp.left, depth) || binds_within(e->BinOp.right, depth);
    case EXPR_UnaryOp: return binds_within(e->UnaryOp.operand, depth);
    case EXPR_Subscript:
        return binds_within(e->Subscript.value, depth) || binds_within(e->Subscript.slice, depth);
    case EXPR_Call:
        return e->Call.keywords.count || binds_within(e->Call.func, depth) ||
               any_binds(e->Call.args, depth);
    case EXPR_Tuple: return any_binds(e->Tuple.elts, depth);
    case EXPR_List: return any_binds(e->List.elts, depth);
    default: return true;
    }
}

bool expr_may_bind(const Unit *u, const AstExpr *e) {
    return u->gen->has_walrus && binds_within(e, 4);
}

static void named_expr(Unit *u, AstExpr *e, Reg value) {
    Var var = name_resolve(u, e->NamedExpr.target->Name.id);
    emit_at(u, e->NamedExpr.target->span);
    name_store(u, &var, value);
}

/* A walrus whose variable is a register computes into it. */
static Reg named_expr_any(Unit *u, AstExpr *e, Reg hint) {
    Var var = name_resolve(u, e->NamedExpr.target->Name.id);
    if (var.kind == VAR_REG) {
        expr_to(u, e->NamedExpr.value, var.reg);
        name_assigned(u, &var);
        return var.reg;
    }
    Reg value = hint != NO_REG ? hint : emit_temp(u);
    expr_to(u, e->NamedExpr.value, value);
    named_expr(u, e, value);
    return value;
}

Reg expr_any(Unit *u, AstExpr *e, Reg hint) {
    if (e->kind == EXPR_Name && fold_expr(u->gen, e) == VALUE_UNSET) {
        Var var = name_resolve(u, e->Name.id);
        if (var.kind == VAR_REG) {
            emit_at(u, e->span);
            name_check(u, &var);
            return var.reg;
        }
    }
    if (e->kind == EXPR_NamedExpr) return named_expr_any(u, e, hint);
    Reg value = hint != NO_REG ? hint : emit_temp(u);
    expr_to(u, e, value);
    return value;
}

Reg expr_operand(Unit *u, AstExpr *e, Reg hint, const AstExpr *later) {
    Reg value = expr_any(u, e, hint);
    if (!unit_is_visible(u, value) || !expr_may_bind(u, later)) return value;
    Reg copy = hint != NO_REG ? hint : emit_temp(u);
    emit_move(u, copy, value);
    return copy;
}

/* A register that may hold parts of a value before it is complete: the wanted one unless it is a
 * variable's. */
static Reg temp_hint(const Unit *u, Reg dest) {
    return unit_is_visible(u, dest) ? NO_REG : dest;
}

/* ---- operators
 * ------------------------------------------------------------------------------------------------
 */

static Opcode binary_opcode(AstOperator op) {
    switch (op) {
    case OPERATOR_Add: return OP_ADD;
    case OPERATOR_Sub: return OP_SUB;
    case OPERATOR_Mult: return OP_MUL;
    case OPERATOR_MatMult: return OP_MATMUL;
    case OPERATOR_Div: return OP_DIV;
    case OPERATOR_Mod: return OP_MOD;
    case OPERATOR_Pow: return OP_POW;
    case OPERATOR_LShift: return OP_LSHIFT;
    case OPERATOR_RShift: return OP_RSHIFT;
    case OPERATOR_BitOr: return OP_OR;
    case OPERATOR_BitXor: return OP_XOR;
    case OPERATOR_BitAnd: return OP_AND;
    case OPERATOR_FloorDiv: return OP_FLOORDIV;
    }
    return OP_ADD;
}

static bool fits_immediate(Value v) {
    return is_int(v) && as_int(v) >= INT32_MIN && as_int(v) <= INT32_MAX;
}

/* R[dest] = R[left] op right, at the present span. */
void expr_binary(Unit *u, AstOperator op, bool in_place, Reg dest, Reg left, AstExpr *right) {
    AstSpan span = u->span;
    Value constant = fold_expr(u->gen, right);
    Opcode opcode = binary_opcode(op);
    if (constant != VALUE_UNSET && fits_immediate(constant) &&
        (op == OPERATOR_Add || op == OPERATOR_Sub)) {
        emit(u, op == OPERATOR_Add ? OP_ADDI : OP_SUBI, dest, left, in_place,
             (int32_t)as_int(constant));
    } else if (constant != VALUE_UNSET) {
        opcode += OP_ADDK - OP_ADD;
        emit(u, opcode, dest, left, in_place, (int32_t)emit_const_index(u, constant));
        if (code_op_info[opcode].words == 2) emit_reciprocal(u, constant);
    } else {
        Reg mark = u->top, value = expr_any(u, right, NO_REG);
        emit_at(u, span);
        emit(u, opcode, dest, left, value, in_place);
        emit_pair(u, mark);
        u->top = mark;
    }
}

/* A number on the left of + or *: the instructions with a constant take it, the other way round. */
static bool constant_first(Unit *u, AstExpr *e, Reg dest) {
    Value left = fold_expr(u->gen, e->BinOp.left);
    bool is_number = left != VALUE_UNSET && (is_int(left) || is_float(left));
    AstOperator op = e->BinOp.op;
    if (!is_number || (op != OPERATOR_Add && op != OPERATOR_Mult)) return false;
    enum { LEFT = 2 };
    Reg right = expr_any(u, e->BinOp.right, temp_hint(u, dest));
    emit_at(u, e->span);
    if (op == OPERATOR_Add && fits_immediate(left))
        emit(u, OP_ADDI, dest, right, LEFT, (int32_t)as_int(left));
    else
        emit(u, op == OPERATOR_Add ? OP_ADDK : OP_MULK, dest, right, LEFT,
             (int32_t)emit_const_index(u, left));
    return true;
}

static void binary(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    if (!constant_first(u, e, dest)) {
        Reg left = expr_operand(u, e->BinOp.left, temp_hint(u, dest), e->BinOp.right);
        emit_at(u, e->span);
        expr_binary(u, e->BinOp.op, false, dest, left, e->BinOp.right);
        emit_pair(u, mark);
    }
    u->top = mark;
}

static bool is_negated_test(const AstExpr *e) {
    if (e->kind != EXPR_Compare || e->Compare.ops.count != 1) return false;
    AstCmpOp op = e->Compare.ops.items[0];
    return op == CMPOP_Is || op == CMPOP_IsNot || op == CMPOP_In || op == CMPOP_NotIn;
}

static AstCmpOp opposite(AstCmpOp op) {
    switch (op) {
    case CMPOP_Is: return CMPOP_IsNot;
    case CMPOP_IsNot: return CMPOP_Is;
    case CMPOP_In: return CMPOP_NotIn;
    default: return CMPOP_In;
    }
}

static void unary(Unit *u, AstExpr *e, Reg dest) {
    static const Opcode opcodes[] = {[UNARYOP_Invert] = OP_INVERT,
                                     [UNARYOP_Not] = OP_NOT,
                                     [UNARYOP_UAdd] = OP_POS,
                                     [UNARYOP_USub] = OP_NEG};
    AstExpr *operand = e->UnaryOp.operand;
    if (e->UnaryOp.op == UNARYOP_Not && is_negated_test(operand)) {
        AstCmpOp op = opposite(operand->Compare.ops.items[0]);
        AstExpr turned = {.kind = EXPR_Compare, .span = operand->span, .Compare = operand->Compare};
        turned.Compare.ops = (AstCmpOpSeq){&op, 1};
        condition_value(u, &turned, dest);
        return;
    }
    Reg mark = u->top;
    Reg value = expr_any(u, operand, temp_hint(u, dest));
    emit_at(u, e->span);
    emit(u, opcodes[e->UnaryOp.op], dest, value, 0, 0);
    u->top = mark;
}

static void if_else(Unit *u, AstExpr *e, Reg dest) {
    Label otherwise = LABEL_NEW, end = LABEL_NEW;
    condition_jump(u, e->IfExp.test, false, &otherwise);
    expr_to(u, e->IfExp.body, dest);
    emit_goto(u, &end);
    emit_label(u, &otherwise);
    expr_to(u, e->IfExp.orelse, dest);
    emit_label(u, &end);
}

/* ---- attributes and subscripts
 * -------------------------------------------------------------------------------- */

/* An attribute on a line of its own is reported there: the span begins at its name. */
AstSpan expr_attribute_span(AstSpan span, const AstExpr *attribute) {
    if (span.line == attribute->span.end_line) return span;
    int32_t size = (int32_t)attribute->Attribute.attr->len;
    span.line = attribute->span.end_line;
    if (size <= attribute->span.end_col) {
        span.col = attribute->span.end_col - size;
        span.end_col = attribute->span.end_col;
        span.end_line = span.line;
    }
    return span;
}

static void attribute_to(Unit *u, AstExpr *e, Reg dest) {
    if (call_super_attribute(u, e, dest)) return;
    Reg mark = u->top;
    Reg object = expr_any(u, e->Attribute.value, temp_hint(u, dest));
    emit_at(u, expr_attribute_span(e->span, e));
    emit_named(u, OP_GETATTR, dest, object, name_mangle(u, e->Attribute.attr));
    u->top = mark;
}

static void slice_part(Unit *u, AstExpr *part, Reg dest) {
    if (part)
        expr_to(u, part, dest);
    else
        emit_none(u, dest);
}

static Reg slice_parts(Unit *u, AstExpr *slice, int count) {
    Reg window = u->top;
    slice_part(u, slice->Slice.lower, emit_temp(u));
    slice_part(u, slice->Slice.upper, emit_temp(u));
    if (count == 3) slice_part(u, slice->Slice.step, emit_temp(u));
    return window;
}

static void slice_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top, window = slice_parts(u, e, 3);
    emit_at(u, e->span);
    emit_window(u, OP_NEWSLICE, dest, window, 0, 0, 3);
    u->top = mark;
}

/* The parts of a slice in registers that an instruction can name. */
static Reg slice_window(Unit *u, AstExpr *slice, int count) {
    Reg window = slice_parts(u, slice, count);
    if (!u->wide || window < 256) return window;
    Reg low = emit_scratch_window(u, (uint32_t)count);
    for (Reg i = 0; i < (Reg)count; i++)
        emit_move(u, low + i, window + i);
    return low;
}

/* R[dest] = R[object][lower : upper : step]. */
void expr_get_slice(Unit *u, AstExpr *slice, Reg object, Reg dest, AstSpan span) {
    int count = slice->Slice.step ? 3 : 2;
    Reg mark = u->top, window = slice_window(u, slice, count);
    emit_at(u, span);
    emit(u, OP_GETSLICE, dest, object, window, count);
    u->top = mark;
}

/* R[object][lower : upper : step] = R[value]. */
void expr_set_slice(Unit *u, AstExpr *slice, Reg object, Reg value, AstSpan span) {
    Reg mark = u->top, window = slice_window(u, slice, 3);
    emit_at(u, span);
    emit(u, OP_SETSLICE, object, window, value, 0);
    u->top = mark;
}

Reg expr_key(Unit *u, AstExpr *slice) {
    return expr_any(u, slice, NO_REG);
}

static void subscript_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    AstExpr *slice = e->Subscript.slice;
    warning_of_subscript(u->gen, e);
    Reg object = expr_operand(u, e->Subscript.value, temp_hint(u, dest), slice);
    Value constant = fold_expr(u->gen, slice);
    if (slice->kind == EXPR_Slice) {
        expr_get_slice(u, slice, object, dest, e->span);
    } else if (constant != VALUE_UNSET && fits_immediate(constant)) {
        emit_at(u, e->span);
        emit(u, OP_GETITEMI, dest, object, 0, (int32_t)as_int(constant));
    } else {
        Reg key = expr_key(u, slice);
        emit_at(u, e->span);
        emit(u, OP_GETITEM, dest, object, key, 0);
    }
    u->top = mark;
}

/* ---- yield and await
 * ------------------------------------------------------------------------------------------ */

static const Block *outermost_handler(const Unit *u) {
    const Block *found = NULL;
    for (const Block *block = u->block; block; block = block->outer)
        if (block->kind == BLOCK_HANDLER) found = block;
    return found;
}

static const Block *innermost_handler(const Unit *u) {
    const Block *block = u->block;
    while (block->kind != BLOCK_HANDLER)
        block = block->outer;
    return block;
}

/* Handled again, from the outermost handler to the innermost: what is being handled where the
 * generator goes on. */
static void reenter_handlers(Unit *u, const Block *block) {
    if (!block) return;
    reenter_handlers(u, block->outer);
    if (block->kind == BLOCK_HANDLER) emit(u, OP_EXCENTER, block->exception, block->saved, 0, 0);
}

/* A yield inside a handler: while the generator is suspended its resumer must not see the exception
 * that it handles, and an exception that is thrown in gets it as context. */
static void suspend_in_handler(Unit *u, const Block *outermost, Opcode op, Reg dest, Reg value,
                               uint32_t c) {
    Label thrown = LABEL_NEW, resumed = LABEL_NEW;
    Reg exception = emit_temp(u);
    Block around = {.kind = BLOCK_TRY, .handler = &thrown, .exception = exception, .start = -1};
    emit(u, OP_EXCLEAVE, outermost->saved, 0, 0, 0);
    emit_label_reach(u, &thrown);
    emit_range_open(u, &around);
    emit(u, op, dest, value, c, 0);
    emit_range_close(u, &around);
    emit_goto(u, &resumed);
    emit_label(u, &thrown);
    reenter_handlers(u, u->block);
    Reg ignored = emit_temp(u);
    emit_window(u, OP_INTRINSIC, ignored, exception, INTRINSIC_CHAIN_CONTEXT, 0, 1);
    emit(u, OP_RERAISE, exception, 0, 0, 0);
    emit_end(u);
    emit_label(u, &resumed);
    reenter_handlers(u, u->block);
}

/* Emits op, a suspension (YIELD, YIELDWRAP, YIELDFROM). c = 1: what is sent is not used, dest is 0.
 */
void expr_yield(Unit *u, Opcode op, Reg dest, Reg value, uint32_t c) {
    Reg mark = u->top;
    const Block *handler = outermost_handler(u);
    if (handler && op == OP_YIELDFROM && u->top < HANDLING_REGS)
        emit(u, OP_YIELDFROMH, dest, value, 0,
             code_handling(innermost_handler(u)->exception, handler->saved));
    else if (handler)
        suspend_in_handler(u, handler, op, dest, value, c);
    else
        emit(u, op, dest, value, c, 0);
    u->top = mark;
}

static void yield_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top, value;
    if (e->Yield.value)
        value = expr_any(u, e->Yield.value, NO_REG);
    else
        emit_none(u, value = emit_temp(u));
    emit_at(u, e->span);
    Opcode op = u->flags & CODE_ASYNC_GENERATOR ? OP_YIELDWRAP : OP_YIELD;
    if (dest == NO_REG) {
        expr_yield(u, op, 0, value, 1);
    } else { /* a variable keeps what it has until something is sent, and where something is thrown
              */
        Reg sent = !unit_is_visible(u, dest)    ? dest
                   : !unit_is_visible(u, value) ? value
                                                : emit_temp(u);
        expr_yield(u, op, sent, value, 0);
        emit_move(u, dest, sent);
    }
    u->top = mark;
}

static void yield_from_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top, iterator = emit_temp(u);
    Reg source = expr_any(u, e->YieldFrom.value, iterator);
    emit_at(u, e->span);
    emit(u, OP_GETYIELDITER, iterator, source, 0, 0);
    expr_yield(u, OP_YIELDFROM, dest, iterator, 0);
    u->top = mark;
}

/* R[dest] = await R[value], at the present span. */
void expr_await(Unit *u, Reg dest, Reg value, uint32_t kind) {
    Reg mark = u->top, iterator = emit_temp(u);
    emit(u, OP_GETAWAITABLE, iterator, value, kind, 0);
    expr_yield(u, OP_YIELDFROM, dest, iterator, 0);
    u->top = mark;
}

static void await_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    Reg value = expr_any(u, e->Await.value, temp_hint(u, dest));
    emit_at(u, e->span);
    expr_await(u, dest, value, 0);
    u->top = mark;
}

/* ---- dispatch
 * -------------------------------------------------------------------------------------------------
 */

static void name_to(Unit *u, AstExpr *e, Reg dest) {
    Var var = name_resolve(u, e->Name.id);
    emit_at(u, e->span);
    name_load(u, &var, dest);
}

static void named_expr_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    Reg value = named_expr_any(u, e, temp_hint(u, dest));
    emit_move(u, dest, value);
    u->top = mark;
}

void expr_to(Unit *u, AstExpr *e, Reg dest) {
    codegen_poll(u->gen);
    if (u->gen->failed) return;
    Value constant = fold_expr(u->gen, e);
    if (constant != VALUE_UNSET) {
        emit_at(u, e->span);
        emit_const(u, constant, dest);
        return;
    }
    switch (e->kind) {
    case EXPR_BoolOp:
    case EXPR_Compare: condition_value(u, e, dest); break;
    case EXPR_NamedExpr: named_expr_to(u, e, dest); break;
    case EXPR_BinOp: binary(u, e, dest); break;
    case EXPR_UnaryOp: unary(u, e, dest); break;
    case EXPR_Lambda: function_lambda(u, e, dest); break;
    case EXPR_IfExp: if_else(u, e, dest); break;
    case EXPR_Dict:
    case EXPR_Set:
    case EXPR_List:
    case EXPR_Tuple: display_to(u, e, dest); break;
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_DictComp:
    case EXPR_GeneratorExp: comprehension_to(u, e, dest); break;
    case EXPR_Await: await_to(u, e, dest); break;
    case EXPR_Yield: yield_to(u, e, dest); break;
    case EXPR_YieldFrom: yield_from_to(u, e, dest); break;
    case EXPR_Call: call_to(u, e, dest); break;
    case EXPR_FormattedValue:
    case EXPR_JoinedStr: display_string(u, e, dest); break;
    case EXPR_Interpolation:
    case EXPR_TemplateStr: display_template(u, e, dest); break;
    case EXPR_Constant: break; /* folded */
    case EXPR_Attribute: attribute_to(u, e, dest); break;
    case EXPR_Subscript: subscript_to(u, e, dest); break;
    case EXPR_Starred: codegen_error(u->gen, e->span, "can't use starred expression here"); break;
    case EXPR_Name: name_to(u, e, dest); break;
    case EXPR_Slice: slice_to(u, e, dest); break;
    }
}

/* ---- for effect
 * -----------------------------------------------------------------------------------------------
 */

static void bool_effect(Unit *u, AstExpr *e) {
    bool decides = e->BoolOp.op == BOOLOP_Or;
    Label end = LABEL_NEW;
    int32_t last = e->BoolOp.values.count - 1;
    for (int32_t i = 0; i < last; i++)
        condition_jump(u, e->BoolOp.values.items[i], decides, &end);
    expr_effect(u, e->BoolOp.values.items[last]);
    emit_label(u, &end);
}

static void if_else_effect(Unit *u, AstExpr *e) {
    Label otherwise = LABEL_NEW, end = LABEL_NEW;
    condition_jump(u, e->IfExp.test, false, &otherwise);
    expr_effect(u, e->IfExp.body);
    emit_goto(u, &end);
    emit_label(u, &otherwise);
    expr_effect(u, e->IfExp.orelse);
    emit_label(u, &end);
}

/* Evaluates e and forgets the value. */
void expr_effect(Unit *u, AstExpr *e) {
    if (fold_expr(u->gen, e) != VALUE_UNSET) return;
    Reg mark = u->top;
    switch (e->kind) {
    case EXPR_Yield: yield_to(u, e, NO_REG); break;
    case EXPR_BoolOp: bool_effect(u, e); break;
    case EXPR_IfExp: if_else_effect(u, e); break;
    default: expr_any(u, e, NO_REG); break;
    }
    u->top = mark;
}
