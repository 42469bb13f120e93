/* codegen_assign.c - assignment to every kind of target, augmented assignment, del.
 *
 * `a, b = b, a` moves values between registers without a tuple: the values are evaluated first,
 * those that lie in a variable which an earlier target overwrites are copied, then the targets are
 * assigned from left to right.
 */
#include "parser/codegen.h"

enum { MAX_PARALLEL = 16 };

static AstExprSeq elements_of(const AstExpr *e) {
    if (e->kind == EXPR_Tuple) return e->Tuple.elts;
    if (e->kind == EXPR_List) return e->List.elts;
    return (AstExprSeq){NULL, -1};
}

/* ---- unpacking
 * ------------------------------------------------------------------------------------------------
 */

static int32_t find_star(Unit *u, AstExprSeq targets, AstSpan span) {
    int32_t star = -1;
    for (int32_t i = 0; i < targets.count; i++) {
        if (targets.items[i]->kind != EXPR_Starred) continue;
        if (star >= 0) codegen_error(u->gen, span, "multiple starred expressions in assignment");
        star = i;
    }
    if (star > 255)
        codegen_error(u->gen, span, "too many expressions in star-unpacking assignment");
    return star;
}

/* Variables in neighbouring registers, outside of any try: the items can be unpacked straight into
 * them. */
static bool neighbours(Unit *u, AstExprSeq targets, Reg *first) {
    if (targets.count == 0) return false;
    for (const Block *block = u->block; block; block = block->outer)
        if (block->kind != BLOCK_LOOP) return false;
    for (int32_t i = 0; i < targets.count; i++) {
        if (targets.items[i]->kind != EXPR_Name) return false;
        Var var = name_resolve(u, targets.items[i]->Name.id);
        if (var.kind != VAR_REG || (i > 0 && var.reg != *first + (Reg)i)) return false;
        if (i == 0) *first = var.reg;
    }
    return true;
}

static void assign_items(Unit *u, AstExprSeq targets, Reg first) {
    for (int32_t i = 0; i < targets.count; i++) {
        AstExpr *target = targets.items[i];
        expr_assign(u, target->kind == EXPR_Starred ? target->Starred.value : target,
                    first + (Reg)i);
    }
}

static void unpack(Unit *u, AstExpr *target, Reg value) {
    AstExprSeq targets = elements_of(target);
    uint32_t count = (uint32_t)targets.count;
    int32_t star = find_star(u, targets, target->span);
    Reg mark = u->top, window = NO_REG;
    emit_at(u, target->span);
    if (star < 0 && neighbours(u, targets, &window)) {
        emit_window_out(u, OP_UNPACK, window, value, 0, (int32_t)count, count);
    } else {
        window = emit_temps(u, count);
        if (star < 0)
            emit_window_out(u, OP_UNPACK, window, value, 0, (int32_t)count, count);
        else
            emit_window_out(u, OP_UNPACKEX, window, value, (uint32_t)star, targets.count - star - 1,
                            count);
    }
    assign_items(u, targets, window);
    u->top = mark;
}

/* ---- one target
 * -----------------------------------------------------------------------------------------------
 */

static void assign_attribute(Unit *u, AstExpr *target, Reg value) {
    class_note_attribute(u, target);
    Reg object = expr_any(u, target->Attribute.value, NO_REG);
    emit_at(u, expr_attribute_span(target->span, target));
    emit_named(u, OP_SETATTR, object, value, name_mangle(u, target->Attribute.attr));
}

static void assign_subscript(Unit *u, AstExpr *target, Reg value) {
    Reg object = expr_operand(u, target->Subscript.value, NO_REG, target->Subscript.slice);
    if (target->Subscript.slice->kind == EXPR_Slice) {
        expr_set_slice(u, target->Subscript.slice, object, value, target->span);
        return;
    }
    Reg key = expr_key(u, target->Subscript.slice);
    emit_at(u, target->span);
    emit(u, OP_SETITEM, object, key, value, 0);
}

/* Assigns R[value]. The value must stay where it is while the target's own expressions are
 * evaluated. */
void expr_assign(Unit *u, AstExpr *target, Reg value) {
    Reg mark = u->top;
    if ((target->kind == EXPR_Attribute || target->kind == EXPR_Subscript) &&
        unit_is_visible(u, value) && u->gen->has_walrus) {
        Reg copy = emit_temp(u);
        emit_move(u, copy, value);
        value = copy;
    }
    switch (target->kind) {
    case EXPR_Name: {
        Var var = name_resolve(u, target->Name.id);
        emit_at(u, target->span);
        name_store(u, &var, value);
        break;
    }
    case EXPR_Attribute: assign_attribute(u, target, value); break;
    case EXPR_Subscript: assign_subscript(u, target, value); break;
    case EXPR_Tuple:
    case EXPR_List: unpack(u, target, value); break;
    case EXPR_Starred: expr_assign(u, target->Starred.value, value); break;
    default: codegen_error(u->gen, target->span, "cannot assign to expression"); break;
    }
    u->top = mark;
}

/* ---- a, b = x, y
 * ---------------------------------------------------------------------------------------------- */

static bool has_star(AstExprSeq elements) {
    for (int32_t i = 0; i < elements.count; i++)
        if (elements.items[i]->kind == EXPR_Starred) return true;
    return false;
}

static bool is_parallel(Unit *u, const AstStmt *s) {
    if (s->Assign.targets.count != 1 || u->gen->has_walrus) return false;
    AstExprSeq targets = elements_of(s->Assign.targets.items[0]),
               values = elements_of(s->Assign.value);
    return targets.count == values.count && targets.count > 0 && targets.count <= MAX_PARALLEL &&
           !has_star(targets) && !has_star(values);
}

/* Whether assigning to one of the first `count` targets may overwrite the variable in `reg`. */
static bool overwrites(Unit *u, AstExprSeq targets, int32_t count, Reg reg) {
    for (int32_t i = 0; i < count; i++) {
        const AstExpr *target = targets.items[i];
        if (target->kind == EXPR_Tuple || target->kind == EXPR_List || target->kind == EXPR_Starred)
            return true;
        if (target->kind != EXPR_Name) continue;
        Var var = name_resolve(u, target->Name.id);
        if (var.kind == VAR_REG && var.reg == reg) return true;
    }
    return false;
}

static void assign_parallel(Unit *u, AstStmt *s) {
    AstExprSeq targets = elements_of(s->Assign.targets.items[0]),
               values = elements_of(s->Assign.value);
    Reg regs[MAX_PARALLEL];
    for (int32_t i = 0; i < values.count; i++) {
        regs[i] = NO_REG;
        if (fold_expr(u->gen, values.items[i]) != VALUE_UNSET) continue;
        regs[i] = expr_any(u, values.items[i], NO_REG);
        if (!unit_is_visible(u, regs[i]) || !overwrites(u, targets, i, regs[i])) continue;
        Reg copy = emit_temp(u);
        emit_move(u, copy, regs[i]);
        regs[i] = copy;
    }
    for (int32_t i = 0; i < values.count; i++) {
        Reg mark = u->top;
        if (regs[i] == NO_REG && targets.items[i]->kind == EXPR_Name) {
            Var var = name_resolve(u, targets.items[i]->Name.id);
            if (var.kind == VAR_REG) {
                expr_to(u, values.items[i], var.reg);
                name_assigned(u, &var);
                continue;
            }
        }
        if (regs[i] == NO_REG) expr_to(u, values.items[i], regs[i] = emit_temp(u));
        expr_assign(u, targets.items[i], regs[i]);
        u->top = mark;
    }
}

/* ---- the statement
 * -------------------------------------------------------------------------------------------- */

static bool assign_to_variable(Unit *u, AstExpr *target, AstExpr *value) {
    if (target->kind != EXPR_Name) return false;
    Var var = name_resolve(u, target->Name.id);
    if (var.kind != VAR_REG) return false;
    expr_to(u, value, var.reg);
    name_assigned(u, &var);
    return true;
}

static bool has_tuple_target(AstExprSeq targets) {
    for (int32_t i = 0; i < targets.count; i++)
        if (targets.items[i]->kind == EXPR_Tuple || targets.items[i]->kind == EXPR_List)
            return true;
    return false;
}

void assign_statement(Unit *u, AstStmt *s) {
    AstExprSeq targets = s->Assign.targets;
    Reg mark = u->top;
    if (is_parallel(u, s)) {
        assign_parallel(u, s);
    } else if (targets.count != 1 || !assign_to_variable(u, targets.items[0], s->Assign.value)) {
        Reg value = expr_any(u, s->Assign.value, NO_REG);
        if (unit_is_visible(u, value) && targets.count > 1 && has_tuple_target(targets)) {
            Reg copy = emit_temp(u);
            emit_move(u, copy, value);
            value = copy;
        }
        for (int32_t i = 0; i < targets.count; i++)
            expr_assign(u, targets.items[i], value);
    }
    u->top = mark;
}

/* ---- augmented assignment
 * ------------------------------------------------------------------------------------- */

static void augment_name(Unit *u, AstStmt *s) {
    AstExpr *target = s->AugAssign.target;
    Var var = name_resolve(u, target->Name.id);
    emit_at(u, target->span);
    if (var.kind == VAR_REG) {
        name_check(u, &var);
        Reg left = var.reg;
        if (expr_may_bind(u, s->AugAssign.value)) emit_move(u, left = emit_temp(u), var.reg);
        emit_at(u, s->span);
        expr_binary(u, s->AugAssign.op, true, var.reg, left, s->AugAssign.value);
        return;
    }
    Reg value = emit_temp(u);
    name_load(u, &var, value);
    emit_at(u, s->span);
    expr_binary(u, s->AugAssign.op, true, value, value, s->AugAssign.value);
    emit_at(u, target->span);
    name_store(u, &var, value);
}

static void augment_attribute(Unit *u, AstStmt *s) {
    AstExpr *target = s->AugAssign.target;
    AstSpan span = expr_attribute_span(target->span, target);
    AstName *name = name_mangle(u, target->Attribute.attr);
    Reg object = expr_operand(u, target->Attribute.value, NO_REG, s->AugAssign.value),
        value = emit_temp(u);
    emit_at(u, span);
    emit_named(u, OP_GETATTR, value, object, name);
    emit_at(u, s->span);
    expr_binary(u, s->AugAssign.op, true, value, value, s->AugAssign.value);
    emit_at(u, span);
    emit_named(u, OP_SETATTR, object, value, name);
}

static void augment_subscript(Unit *u, AstStmt *s) {
    AstExpr *target = s->AugAssign.target, *slice = target->Subscript.slice;
    Reg object = expr_operand(u, target->Subscript.value, NO_REG, slice);
    if (unit_is_visible(u, object) && expr_may_bind(u, s->AugAssign.value)) {
        Reg copy = emit_temp(u);
        emit_move(u, copy, object);
        object = copy;
    }
    Reg key = expr_operand(u, slice, NO_REG, s->AugAssign.value), value = emit_temp(u);
    emit_at(u, target->span);
    emit(u, OP_GETITEM, value, object, key, 0);
    emit_at(u, s->span);
    expr_binary(u, s->AugAssign.op, true, value, value, s->AugAssign.value);
    emit_at(u, target->span);
    emit(u, OP_SETITEM, object, key, value, 0);
}

void assign_augmented(Unit *u, AstStmt *s) {
    Reg mark = u->top;
    switch (s->AugAssign.target->kind) {
    case EXPR_Name: augment_name(u, s); break;
    case EXPR_Attribute: augment_attribute(u, s); break;
    case EXPR_Subscript: augment_subscript(u, s); break;
    default: codegen_error(u->gen, s->span, "illegal expression for augmented assignment"); break;
    }
    u->top = mark;
}

/* ---- del
 * ------------------------------------------------------------------------------------------------------
 */

void assign_delete(Unit *u, AstExpr *target) {
    Reg mark = u->top, object;
    AstExprSeq targets = elements_of(target);
    switch (target->kind) {
    case EXPR_Name: {
        Var var = name_resolve(u, target->Name.id);
        emit_at(u, target->span);
        name_delete(u, &var);
        break;
    }
    case EXPR_Attribute:
        object = expr_any(u, target->Attribute.value, NO_REG);
        emit_at(u, expr_attribute_span(target->span, target));
        emit(u, OP_DELATTR, object, 0, 0, (int32_t)name_const(u, target->Attribute.attr));
        break;
    case EXPR_Subscript: {
        object = expr_operand(u, target->Subscript.value, NO_REG, target->Subscript.slice);
        Reg key = expr_key(u, target->Subscript.slice);
        emit_at(u, target->span);
        emit(u, OP_DELITEM, object, key, 0, 0);
        break;
    }
    case EXPR_Tuple:
    case EXPR_List:
        for (int32_t i = 0; i < targets.count; i++)
            assign_delete(u, targets.items[i]);
        break;
    default: codegen_error(u->gen, target->span, "cannot delete expression"); break;
    }
    u->top = mark;
}
