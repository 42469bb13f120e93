/* codegen_statement.c - the dispatch over statements, and those that are small: if, import, raise,
 * assert, expression statements.
 */
#include "parser/codegen.h"

#include <string.h>

/* ---- if
 * -------------------------------------------------------------------------------------------------------
 */

/* A chain of elif is a loop here, not a recursion. */
static void if_statement(Unit *u, AstStmt *s) {
    Label end = LABEL_NEW;
    for (;;) {
        Label otherwise = LABEL_NEW;
        Label *exit = loop_exit_label(u, s->If.body);
        bool is_last = s->If.orelse.count == 0;
        if (exit) {
            condition_jump(u, s->If.test, true, exit);
        } else {
            condition_jump(u, s->If.test, false, is_last ? &end : &otherwise);
            statements(u, s->If.body);
            if (!is_last) emit_goto(u, &end);
            emit_label(u, &otherwise);
        }
        if (is_last) break;
        if (s->If.orelse.count != 1 || s->If.orelse.items[0]->kind != STMT_If) {
            statements(u, s->If.orelse);
            break;
        }
        s = s->If.orelse.items[0];
    }
    emit_label(u, &end);
}

/* ---- import
 * ---------------------------------------------------------------------------------------------------
 */

static void import_module(Unit *u, Value name, Value from_list, int32_t level, Reg dest) {
    Reg mark = u->top, window = emit_temps(u, 2);
    emit_const(u, int_value(level), window);
    emit_const(u, from_list, window + 1);
    emit_window(u, OP_IMPORT, dest, window, 0, (int32_t)emit_const_index(u, name), 2);
    u->top = mark;
}

static void store_name(Unit *u, AstName *name, Reg value) {
    Var var = name_resolve(u, name);
    name_store(u, &var, value);
}

static AstName *name_part(Unit *u, const char *text, size_t size) {
    AstName *name = names_intern(u->gen->module->names, text, size);
    if (!name) codegen_fail(u->gen);
    return name;
}

/* import a.b.c as d: the module a is imported, then its attributes are followed. */
static void import_dotted_as(Unit *u, const AstAlias *alias, Reg module) {
    const char *dot = memchr(alias->name->text, '.', alias->name->len);
    while (dot) {
        const char *start = dot + 1;
        size_t rest = alias->name->len - (size_t)(start - alias->name->text);
        dot = memchr(start, '.', rest);
        AstName *part = name_part(u, start, dot ? (size_t)(dot - start) : rest);
        if (part)
            emit(u, OP_IMPORTFROM, module, module, 0,
                 (int32_t)emit_const_index(u, codegen_name(u->gen, part)));
    }
    store_name(u, alias->asname, module);
}

static void import_statement(Unit *u, AstStmt *s) {
    for (int32_t i = 0; i < s->Import.names.count; i++) {
        AstAlias *alias = s->Import.names.items[i];
        Reg mark = u->top, module = emit_temp(u);
        emit_at(u, s->span);
        import_module(u, codegen_name(u->gen, alias->name), VALUE_NONE, 0, module);
        const char *dot = memchr(alias->name->text, '.', alias->name->len);
        AstName *first =
            dot ? name_part(u, alias->name->text, (size_t)(dot - alias->name->text)) : alias->name;
        if (alias->asname)
            import_dotted_as(u, alias, module);
        else if (first)
            store_name(u, first, module);
        u->top = mark;
    }
}

static Value imported_names(Unit *u, AstAliasSeq names) {
    Value tuple = tuple_new(u->gen->vm, (uint64_t)names.count);
    if (tuple == VALUE_ERROR) codegen_fail(u->gen);
    for (int32_t i = 0; i < names.count && tuple != VALUE_ERROR; i++)
        AS_TUPLE(tuple)->items[i] = codegen_name(u->gen, names.items[i]->name);
    return tuple;
}

static void import_from(Unit *u, AstStmt *s) {
    AstAliasSeq names = s->ImportFrom.names;
    Reg mark = u->top, module = emit_temp(u), value = emit_temp(u);
    Value from =
        s->ImportFrom.module ? codegen_name(u->gen, s->ImportFrom.module) : u->gen->vm->empty_str;
    emit_at(u, s->span);
    import_module(u, from, imported_names(u, names), s->ImportFrom.level, module);
    if (names.count == 1 && names_equal(names.items[0]->name, "*")) {
        emit(u, OP_IMPORTSTAR, module, 0, 0, 0);
    } else {
        for (int32_t i = 0; i < names.count; i++) {
            AstAlias *alias = names.items[i];
            emit(u, OP_IMPORTFROM, value, module, 0,
                 (int32_t)emit_const_index(u, codegen_name(u->gen, alias->name)));
            store_name(u, alias->asname ? alias->asname : alias->name, value);
        }
    }
    u->top = mark;
}

/* ---- raise, assert
 * -------------------------------------------------------------------------------------------- */

static void raise_statement(Unit *u, AstStmt *s) {
    Reg mark = u->top, exception = 0, cause = 0;
    AstExpr *exc = s->Raise.exc, *from = s->Raise.cause;
    if (exc) exception = from ? expr_operand(u, exc, NO_REG, from) : expr_any(u, exc, NO_REG);
    if (from) cause = expr_any(u, from, NO_REG);
    emit_at(u, s->span);
    emit(u, OP_RAISE, exception, cause, from ? 2 : exc ? 1 : 0, 0);
    emit_end(u);
    u->top = mark;
}

static void assert_statement(Unit *u, AstStmt *s) {
    Label passed = LABEL_NEW;
    Reg mark = u->top, message = 0;
    warning_of_assert(u->gen, s);
    condition_jump(u, s->Assert.test, true, &passed);
    if (s->Assert.msg) message = expr_any(u, s->Assert.msg, NO_REG);
    emit_at(u, s->Assert.test->span);
    emit(u, OP_ASSERTFAIL, message, 0, s->Assert.msg != NULL, 0);
    emit_end(u);
    emit_label(u, &passed);
    u->top = mark;
}

/* ---- expression statements
 * ------------------------------------------------------------------------------------ */

static void expression_statement(Unit *u, AstStmt *s) {
    bool prints = u->gen->module->kind == MODULE_Interactive && u->code_scope->kind == SCOPE_MODULE;
    if (!prints) {
        expr_effect(u, s->Expr.value);
        return;
    }
    Reg mark = u->top, value = expr_any(u, s->Expr.value, NO_REG);
    emit_at(u, s->span);
    emit(u, OP_PRINTEXPR, value, 0, 0, 0);
    u->top = mark;
}

/* ---- dispatch
 * -------------------------------------------------------------------------------------------------
 */

void statement(Unit *u, AstStmt *s) {
    emit_at(u, s->span);
    switch (s->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef: function_statement(u, s); break;
    case STMT_ClassDef: class_statement(u, s); break;
    case STMT_Return: loop_return(u, s); break;
    case STMT_Delete:
        for (int32_t i = 0; i < s->Delete.targets.count; i++)
            assign_delete(u, s->Delete.targets.items[i]);
        break;
    case STMT_Assign: assign_statement(u, s); break;
    case STMT_TypeAlias: annotation_type_alias(u, s); break;
    case STMT_AugAssign: assign_augmented(u, s); break;
    case STMT_AnnAssign: annotation_statement(u, s); break;
    case STMT_For: loop_for(u, s); break;
    case STMT_AsyncFor: loop_async_for(u, s); break;
    case STMT_While: loop_while(u, s); break;
    case STMT_If: if_statement(u, s); break;
    case STMT_With:
    case STMT_AsyncWith: with_statement(u, s); break;
    case STMT_Match: match_statement(u, s); break;
    case STMT_Raise: raise_statement(u, s); break;
    case STMT_Try: try_statement(u, s); break;
    case STMT_TryStar: try_star_statement(u, s); break;
    case STMT_Assert: assert_statement(u, s); break;
    case STMT_Import: import_statement(u, s); break;
    case STMT_ImportFrom: import_from(u, s); break;
    case STMT_Expr: expression_statement(u, s); break;
    case STMT_Break:
    case STMT_Continue: loop_exit(u, s); break;
    case STMT_Global:
    case STMT_Nonlocal:
    case STMT_Pass: break;
    }
}

/* Code behind a return, raise or endless loop is not reached and not emitted. */
void statements(Unit *u, AstStmtSeq body) {
    for (int32_t i = 0; i < body.count && u->reachable && !u->gen->failed; i++) {
        codegen_poll(u->gen);
        statement(u, body.items[i]);
    }
}
