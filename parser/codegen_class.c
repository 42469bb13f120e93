/* codegen_class.c - class statements.
 *
 * A class body is code that gets its namespace in register 0. It ends by handing over the __class__
 * cell that its methods' super() and __class__ use. The names of the attributes that the methods
 * assign to self are collected while they are compiled, for __static_attributes__.
 */
#include "parser/codegen.h"

#include <stdlib.h>
#include <string.h>

static void store_text(Unit *u, const char *name, Reg value) {
    Var var = name_resolve_text(u, name);
    name_store(u, &var, value);
}

/* ---- self.name in methods
 * ------------------------------------------------------------------------------------- */

static bool has_attribute(const ScopeCode *known, const AstName *name) {
    for (uint32_t i = 0; i < known->attribute_count; i++)
        if (known->attributes[i] == name) return true;
    return false;
}

static void add_attribute(Codegen *gen, ScopeCode *known, AstName *name) {
    if (known->attribute_count == known->attribute_capacity) {
        uint32_t capacity = known->attribute_capacity ? known->attribute_capacity * 2 : 8;
        AstName **names = codegen_take(gen, capacity * sizeof(AstName *));
        if (!names) return;
        if (known->attribute_count)
            memcpy(names, known->attributes, known->attribute_count * sizeof(AstName *));
        known->attributes = names;
        known->attribute_capacity = capacity;
    }
    known->attributes[known->attribute_count++] = name;
}

void class_note_attribute(Unit *u, const AstExpr *target) {
    const AstExpr *object = target->Attribute.value;
    if (object->kind != EXPR_Name || !names_equal(object->Name.id, "self")) return;
    Unit *outer = u;
    while (outer && outer->code_scope->kind != SCOPE_CLASS)
        outer = outer->outer;
    if (!outer) return;
    AstName *name = name_mangle(u, target->Attribute.attr);
    if (!has_attribute(outer->scope_code, name)) add_attribute(u->gen, outer->scope_code, name);
}

static int compare_names(const void *a, const void *b) {
    return strcmp((*(AstName *const *)a)->text, (*(AstName *const *)b)->text);
}

static Value attributes_tuple(Unit *u) {
    ScopeCode *known = u->scope_code;
    if (known->attribute_count)
        qsort(known->attributes, known->attribute_count, sizeof(AstName *), compare_names);
    if (!known->attribute_count) return u->gen->vm->empty_tuple;
    Value tuple = tuple_new(u->gen->vm, known->attribute_count);
    if (tuple == VALUE_ERROR) return tuple;
    for (uint32_t i = 0; i < known->attribute_count; i++)
        AS_TUPLE(tuple)->items[i] = codegen_name(u->gen, known->attributes[i]);
    return tuple;
}

/* ---- the body
 * -------------------------------------------------------------------------------------------------
 */

static Reg cell_register(Unit *u, const char *text) {
    AstName *name = name_intern(u, text);
    const Symbol *symbol = name ? scope_find_class_cell(u->code_scope, name) : NULL;
    return symbol ? u->cell_regs[symbol->index] : NO_REG;
}

static void begin_namespace(Unit *u, const AstStmt *s) {
    Reg mark = u->top, value = emit_temp(u);
    emit_at(u, (AstSpan){s->span.line, 0, s->span.line, 0});
    Var module_name = name_resolve_text(u, "__name__");
    name_load(u, &module_name, value);
    store_text(u, "__module__", value);
    emit_const(u, u->qualname, value);
    store_text(u, "__qualname__", value);
    emit_const(u, int_value(function_first_line(s->span, s->ClassDef.decorator_list)), value);
    store_text(u, "__firstlineno__", value);
    Reg dict = cell_register(u, "__classdict__");
    if (dict != NO_REG) emit(u, OP_SETCELL, dict, 0, 0, 0);
    u->top = mark;
}

static void end_namespace(Unit *u) {
    Reg mark = u->top, value = emit_temp(u), dict = cell_register(u, "__classdict__");
    Reg cell = cell_register(u, "__class__");
    emit_at(u, (AstSpan){0, 0, 0, 0});
    emit_const(u, attributes_tuple(u), value);
    store_text(u, "__static_attributes__", value);
    if (dict != NO_REG) store_text(u, "__classdictcell__", dict);
    if (cell != NO_REG) {
        store_text(u, "__classcell__", cell);
        emit_return(u, cell);
    }
    u->top = mark;
}

static void class_body(Unit *u, const void *node) {
    const AstStmt *s = node;
    begin_namespace(u, s);
    annotation_body_begin(u, s->ClassDef.body);
    function_docstring(u, s->ClassDef.body);
    statements(u, s->ClassDef.body);
    annotation_body_end(u, s->ClassDef.body);
    if (u->reachable) end_namespace(u);
}

/* ---- the statement
 * -------------------------------------------------------------------------------------------- */

/* The class, in R[window], which is the topmost temporary. */
void class_make(Unit *u, AstStmt *s, Reg window, Reg generic_base) {
    int32_t line = function_first_line(s->span, s->ClassDef.decorator_list);
    Scope *scope = s->ClassDef.scope;
    emit_at(u, s->span);
    emit(u, OP_BUILDCLASS, window, 0, 0, 0);
    u->top = window + u->link;
    Reg function = emit_temp(u);
    Value code = codegen_unit(u->gen, u, scope, s->ClassDef.name->text, line, class_body, s);
    emit_at(u, s->span);
    function_make(u, code, scope, 0, 0, 0, function);
    emit_const(u, codegen_name(u->gen, s->ClassDef.name), emit_temp(u));
    call_class(u, window, s->ClassDef.bases, s->ClassDef.keywords, generic_base, s->span);
}

void class_statement(Unit *u, AstStmt *s) {
    AstExprSeq decorators = s->ClassDef.decorator_list;
    Reg mark = u->top, first = function_decorators(u, decorators);
    Var var = name_resolve(u, s->ClassDef.name);
    Reg dest = emit_temp(u);
    if (s->ClassDef.type_params.count)
        annotation_generic(u, s, dest);
    else
        class_make(u, s, dest, NO_REG);
    u->top = dest + 1;
    function_apply_decorators(u, decorators, first);
    emit_at(u, s->span);
    name_store(u, &var, decorators.count ? first : dest);
    u->top = mark;
}
