/* codegen_name.c - variables: what a name means in the code that is generated, and its load, store
 * and deletion.
 *
 * scope.h says which scope binds a name; this file turns that into a register, a cell, a closure
 * cell, a global, or an entry of the namespace of a class or module, as a Var.
 */
#include "parser/codegen.h"

#include <string.h>

AstName *name_intern(Unit *u, const char *text) {
    AstName *name = names_intern_text(u->gen->module->names, text);
    if (!name) u->gen->failed = true;
    return name;
}

AstName *name_mangle(Unit *u, AstName *id) {
    AstName *name = scope_mangle(u->scope, u->gen->module->names, id);
    if (!name) u->gen->failed = true;
    return name ? name : id;
}

uint32_t name_const(Unit *u, AstName *id) {
    return emit_const_index(u, codegen_name(u->gen, name_mangle(u, id)));
}

static uint32_t var_const(Unit *u, const Var *var) {
    return emit_const_index(u, codegen_name(u->gen, var->name));
}

int32_t name_free_index(const Unit *u, const AstName *mangled) {
    for (int32_t i = 0; i < u->code_scope->frees.count; i++)
        if (u->code_scope->frees.items[i]->name == mangled) return i;
    return -1;
}

static const Inlined *find_inlined(const Unit *u, const Scope *owner) {
    for (const Inlined *inlined = u->inlined; inlined; inlined = inlined->outer)
        if (inlined->scope == owner) return inlined;
    return NULL;
}

/* The code asks for its variables by name, so that every one must be seen as unbound before it is
 * assigned. */
static void note_locals_access(Unit *u, const AstName *name) {
    static const char *const names[] = {"locals", "vars", "dir", "eval", "exec"};
    if (u->unset_all || name->len > 6) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names_equal(name, names[i])) u->unset_all = true;
}

static Var global_var(Unit *u, AstName *name, SymbolKind kind) {
    Var var = {VAR_GLOBAL, NO_REG, 0, -1, name};
    note_locals_access(u, name);
    if (kind == SYMBOL_GLOBAL_EXPLICIT) return var;
    if (u->scope->kind == SCOPE_CLASS) var.kind = VAR_NAME;
    if (u->code_scope->kind == SCOPE_MODULE && u->gen->namespace_mode) var.kind = VAR_NAME;
    if (u->scope->can_see_class_scope) {
        AstName *dict = names_intern_text(u->gen->module->names, "__classdict__");
        var.index = dict ? name_free_index(u, dict) : -1;
        if (var.index >= 0) var.kind = VAR_CLASSDICT;
    }
    return var;
}

static Var local_var(Unit *u, AstName *name, const Resolution *found) {
    Var var = {VAR_REG, NO_REG, 0, -1, name};
    uint32_t index = (uint32_t)found->symbol->index;
    const Inlined *inlined = find_inlined(u, found->owner);
    if (inlined) {
        var.reg = found->kind == SYMBOL_CELL ? inlined->cells[index] : inlined->locals[index];
        var.bit = inlined->first_bit + index;
    } else if (found->kind == SYMBOL_CELL) {
        var.reg = u->cell_regs[index];
    } else if (found->owner->is_function) {
        var.reg = u->local_regs[index];
        var.bit = index;
    } else {
        var.kind =
            found->owner->kind == SCOPE_CLASS || u->gen->namespace_mode ? VAR_NAME : VAR_GLOBAL;
        return var;
    }
    if (found->kind == SYMBOL_CELL) var.kind = VAR_CELL;
    return var;
}

static Var free_var(Unit *u, AstName *name) {
    Var var = {VAR_FREE, NO_REG, 0, name_free_index(u, name), name};
    if (u->scope->kind == SCOPE_CLASS) var.kind = VAR_NAME_FREE;
    if (u->scope->can_see_class_scope && !names_equal(name, "__classdict__"))
        var.kind = VAR_CLASSDICT_FREE;
    return var;
}

static Var resolve_mangled(Unit *u, AstName *name) {
    Resolution found = scope_resolve(u->scope, name);
    switch (found.kind) {
    case SYMBOL_LOCAL:
    case SYMBOL_CELL: return local_var(u, name, &found);
    case SYMBOL_FREE: return free_var(u, name);
    case SYMBOL_GLOBAL_EXPLICIT:
    case SYMBOL_GLOBAL_IMPLICIT: return global_var(u, name, found.kind);
    }
    return (Var){VAR_GLOBAL, NO_REG, 0, -1, name};
}

Var name_resolve(Unit *u, AstName *id) {
    return resolve_mangled(u, name_mangle(u, id));
}

Var name_resolve_text(Unit *u, const char *text) {
    AstName *name = name_intern(u, text);
    return name ? resolve_mangled(u, name) : (Var){VAR_GLOBAL, NO_REG, 0, -1, NULL};
}

/* ---- load, store, delete
 * -------------------------------------------------------------------------------------- */

void name_check(Unit *u, const Var *var) {
    uint64_t *word = &u->assigned[var->bit / 64], bit = (uint64_t)1 << var->bit % 64;
    if (!u->reachable || *word & bit) return;
    emit(u, OP_CHECK, var->reg, 0, 0, (int32_t)var_const(u, var));
    u->unset[var->bit / 64] |= bit;
    *word |= bit;
}

void name_assigned(Unit *u, const Var *var) {
    u->assigned[var->bit / 64] |= (uint64_t)1 << var->bit % 64;
    u->ever_assigned[var->bit / 64] |= (uint64_t)1 << var->bit % 64;
}

/* A closure number beyond 255 does not fit the one instruction that does this. */
static void load_far_free(Unit *u, const Var *var, Reg namespace, Reg dest) {
    Label absent = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top, key = emit_temp(u), found = emit_temp(u);
    emit(u, OP_LOADK, key, 0, 0, (int32_t)var_const(u, var));
    emit(u, OP_IN, found, key, namespace, 0);
    emit_jump(u, OP_JF, found, 0, &absent);
    emit(u, OP_GETITEM, dest, namespace, key, 0);
    emit_goto(u, &end);
    emit_label(u, &absent);
    emit(u, OP_GETFREE, dest, 0, 0, var->index);
    emit_label(u, &end);
    u->top = mark;
}

static void load_name_free(Unit *u, const Var *var, Reg namespace, Reg dest) {
    if (var->index > 255)
        load_far_free(u, var, namespace, dest);
    else
        emit(u, OP_GETNAMEFREE, dest, namespace, (uint32_t)var->index, (int32_t)var_const(u, var));
}

static void load_class_dict(Unit *u, const Var *var, Reg dest) {
    Reg mark = u->top, dict = emit_temp(u);
    AstName *name = name_intern(u, "__classdict__");
    emit(u, OP_GETFREE, dict, 0, 0, name ? name_free_index(u, name) : 0);
    if (var->kind == VAR_CLASSDICT)
        emit(u, OP_GETNAME, dest, dict, 0, (int32_t)var_const(u, var));
    else
        load_name_free(u, var, dict, dest);
    u->top = mark;
}

void name_load(Unit *u, const Var *var, Reg dest) {
    switch (var->kind) {
    case VAR_REG:
        name_check(u, var);
        emit_move(u, dest, var->reg);
        return;
    case VAR_CELL: emit(u, OP_GETCELL, dest, var->reg, 0, (int32_t)var_const(u, var)); return;
    case VAR_FREE: emit(u, OP_GETFREE, dest, 0, 0, var->index); return;
    case VAR_GLOBAL: emit(u, OP_GETGLOBAL, dest, 0, 0, (int32_t)var_const(u, var)); return;
    case VAR_NAME: emit(u, OP_GETNAME, dest, 0, 0, (int32_t)var_const(u, var)); return;
    case VAR_NAME_FREE: load_name_free(u, var, 0, dest); return;
    case VAR_CLASSDICT:
    case VAR_CLASSDICT_FREE: load_class_dict(u, var, dest); return;
    }
}

void name_store(Unit *u, const Var *var, Reg src) {
    switch (var->kind) {
    case VAR_REG:
        emit_move(u, var->reg, src);
        name_assigned(u, var);
        return;
    case VAR_CELL: emit(u, OP_SETCELL, var->reg, src, 0, 0); return;
    case VAR_FREE:
    case VAR_NAME_FREE:
    case VAR_CLASSDICT_FREE: emit(u, OP_SETFREE, src, 0, 0, var->index); return;
    case VAR_GLOBAL:
    case VAR_CLASSDICT: emit(u, OP_SETGLOBAL, src, 0, 0, (int32_t)var_const(u, var)); return;
    case VAR_NAME: emit(u, OP_SETNAME, src, 0, 0, (int32_t)var_const(u, var)); return;
    }
}

static void mark_unbound(Unit *u, const Var *var) {
    u->assigned[var->bit / 64] &= ~((uint64_t)1 << var->bit % 64);
    u->unset[var->bit / 64] |= (uint64_t)1 << var->bit % 64;
}

void name_delete(Unit *u, const Var *var) {
    switch (var->kind) {
    case VAR_REG:
        emit(u, OP_DELLOCAL, var->reg, 0, 0, (int32_t)var_const(u, var));
        mark_unbound(u, var);
        return;
    case VAR_CELL: emit(u, OP_DELCELL, var->reg, 0, 0, (int32_t)var_const(u, var)); return;
    case VAR_FREE:
    case VAR_NAME_FREE:
    case VAR_CLASSDICT_FREE: emit(u, OP_DELFREE, 0, 0, 0, var->index); return;
    case VAR_GLOBAL:
    case VAR_CLASSDICT: emit(u, OP_DELGLOBAL, 0, 0, 0, (int32_t)var_const(u, var)); return;
    case VAR_NAME: emit(u, OP_DELNAME, 0, 0, 0, (int32_t)var_const(u, var)); return;
    }
}

/* Unbinds the variable, which may be unbound already: the end of `except ... as name`. */
void name_unbind(Unit *u, const Var *var) {
    if (var->kind == VAR_REG) {
        emit(u, OP_UNSET, var->reg, 0, 0, 0);
        mark_unbound(u, var);
        return;
    }
    Reg mark = u->top, none = emit_temp(u);
    emit_none(u, none);
    name_store(u, var, none);
    name_delete(u, var);
    u->top = mark;
}

/* ---- closures
 * -------------------------------------------------------------------------------------------------
 */

/* The cell itself of a variable that an inner scope uses. */
static void load_cell(Unit *u, AstName *name, Reg dest) {
    for (const Inlined *inlined = u->inlined; inlined; inlined = inlined->outer) {
        const Symbol *symbol = scope_find(inlined->scope, name);
        if (symbol && symbol->kind == SYMBOL_CELL) {
            emit_move(u, dest, inlined->cells[symbol->index]);
            return;
        }
    }
    Symbol *symbol = scope_find_class_cell(u->code_scope, name);
    if (!symbol) symbol = scope_find(u->code_scope, name);
    if (symbol && symbol->kind == SYMBOL_CELL)
        emit_move(u, dest, u->cell_regs[symbol->index]);
    else
        emit(u, OP_FREECELL, dest, 0, 0, name_free_index(u, name));
}

Reg name_closure(Unit *u, const Scope *inner) {
    uint32_t count = (uint32_t)inner->frees.count;
    if (!count) return NO_REG;
    Reg tuple = emit_temp(u), mark = u->top;
    for (uint32_t i = 0; i < count; i++)
        load_cell(u, inner->frees.items[i]->name, emit_temp(u));
    emit_window(u, OP_NEWTUPLE, tuple, mark, 0, (int32_t)count, count);
    u->top = mark;
    return tuple;
}

/* ---- which variables a unit unbinds
 * --------------------------------------------------------------------------- */

static void note_deleted(Unit *u, AstName *id) {
    Var var = name_resolve(u, id);
    if (var.kind == VAR_REG) u->deleted[var.bit / 64] |= (uint64_t)1 << var.bit % 64;
}

static void note_target(Unit *u, const AstExpr *target) {
    if (target->kind == EXPR_Name) note_deleted(u, target->Name.id);
    const AstExprSeq *elements = target->kind == EXPR_Tuple  ? &target->Tuple.elts
                                 : target->kind == EXPR_List ? &target->List.elts
                                                             : NULL;
    for (int32_t i = 0; elements && i < elements->count; i++)
        note_target(u, elements->items[i]);
}

static void note_handlers(Unit *u, AstExceptHandlerSeq handlers) {
    for (int32_t i = 0; i < handlers.count; i++) {
        if (handlers.items[i]->name) note_deleted(u, handlers.items[i]->name);
        name_find_deleted(u, handlers.items[i]->body);
    }
}

static void note_statement(Unit *u, const AstStmt *s) {
    switch (s->kind) {
    case STMT_Delete:
        for (int32_t i = 0; i < s->Delete.targets.count; i++)
            note_target(u, s->Delete.targets.items[i]);
        break;
    case STMT_For:
    case STMT_AsyncFor:
        name_find_deleted(u, s->For.body);
        name_find_deleted(u, s->For.orelse);
        break;
    case STMT_While:
        name_find_deleted(u, s->While.body);
        name_find_deleted(u, s->While.orelse);
        break;
    case STMT_If:
        for (;; s = s->If.orelse.items[0]) {
            name_find_deleted(u, s->If.body);
            if (s->If.orelse.count != 1 || s->If.orelse.items[0]->kind != STMT_If) break;
        }
        name_find_deleted(u, s->If.orelse);
        break;
    case STMT_With:
    case STMT_AsyncWith: name_find_deleted(u, s->With.body); break;
    case STMT_Try:
    case STMT_TryStar:
        name_find_deleted(u, s->Try.body);
        note_handlers(u, s->Try.handlers);
        name_find_deleted(u, s->Try.orelse);
        name_find_deleted(u, s->Try.finalbody);
        break;
    case STMT_Match:
        for (int32_t i = 0; i < s->Match.cases.count; i++)
            name_find_deleted(u, s->Match.cases.items[i]->body);
        break;
    default: break;
    }
}

void name_find_deleted(Unit *u, AstStmtSeq body) {
    for (int32_t i = 0; i < body.count; i++)
        note_statement(u, body.items[i]);
}
