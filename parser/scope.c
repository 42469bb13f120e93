/* scope.c: the tables of scopes, and the queries that code generation makes. */
#include "scope.h"

#include "check.h"
#include "docstring.h"
#include "error.h"
#include "scope_build.h"

#include <string.h>

#define FIRST_SYMBOLS 8 /* a power of two */

/* Errors. */

bool scope_raise(Builder *b, AstSpan span, const char *format, ...) {
    if (b->error->kind != PARSE_NO_ERROR) return false;
    va_list args;
    va_start(args, format);
    error_set(b->arena, b->error, PARSE_SYNTAX_ERROR, b->module->source, error_place(span), true,
              format, args);
    va_end(args);
    return false;
}

bool scope_raise_memory(Builder *b) {
    if (b->error->kind == PARSE_NO_ERROR) error_set_memory(b->error, "out of memory");
    return false;
}

bool scope_enter_level(Builder *b) {
    if (b->depth < SCOPE_MAX_DEPTH) {
        b->depth++;
        return true;
    }
    if (b->error->kind == PARSE_NO_ERROR)
        *b->error = (ParseError){.kind = PARSE_RECURSION_ERROR,
                                 .message = "maximum recursion depth exceeded during compilation"};
    return false;
}

/* Symbols. */

Symbol *scope_find(const Scope *scope, const AstName *name) {
    if (scope->table_capacity == 0) return NULL;
    uint32_t mask = scope->table_capacity - 1;
    uint32_t slot = name->hash & mask;
    while (scope->table[slot] != NULL && scope->table[slot]->name != name)
        slot = (slot + 1) & mask;
    return scope->table[slot];
}

static void insert(Scope *scope, Symbol *symbol) {
    uint32_t mask = scope->table_capacity - 1;
    uint32_t slot = symbol->name->hash & mask;
    while (scope->table[slot] != NULL)
        slot = (slot + 1) & mask;
    scope->table[slot] = symbol;
}

/* Doubles the list of symbols and its table, which stays at most half full. */
static bool grow(Arena *arena, Scope *scope) {
    uint32_t capacity = scope->table_capacity == 0 ? 2 * FIRST_SYMBOLS : 2 * scope->table_capacity;
    Symbol **table = arena_take_zeroed(arena, capacity * sizeof *table);
    Symbol **items = arena_take(arena, capacity / 2 * sizeof *items);
    if (table == NULL || items == NULL) return false;
    if (scope->symbols.count != 0)
        memcpy(items, scope->symbols.items, (size_t)scope->symbols.count * sizeof *items);
    scope->symbols.items = items;
    scope->table = table;
    scope->table_capacity = capacity;
    for (int32_t i = 0; i < scope->symbols.count; i++)
        insert(scope, items[i]);
    return true;
}

Symbol *scope_add(Arena *arena, Scope *scope, AstName *mangled) {
    Symbol *symbol = scope_find(scope, mangled);
    if (symbol != NULL) return symbol;
    if ((uint32_t)scope->symbols.count >= scope->table_capacity / 2 && !grow(arena, scope))
        return NULL;
    symbol = arena_take_zeroed(arena, sizeof *symbol);
    if (symbol == NULL) return NULL;
    symbol->name = mangled;
    symbol->kind = SYMBOL_GLOBAL_IMPLICIT;
    symbol->index = -1;
    scope->symbols.items[scope->symbols.count++] = symbol;
    insert(scope, symbol);
    return symbol;
}

/* Names. */

static bool is_mangled(const AstName *name) {
    const char *text = name->text;
    uint32_t len = name->len;
    return len > 2 && text[0] == '_' && text[1] == '_' &&
           !(text[len - 1] == '_' && text[len - 2] == '_') && memchr(text, '.', len) == NULL;
}

AstName *scope_mangle(const Scope *scope, NameTable *names, AstName *name) {
    if (scope->private_class == NULL || !is_mangled(name)) return name;
    const char *prefix = scope->private_class->text;
    while (*prefix == '_')
        prefix++;
    size_t prefix_len = strlen(prefix);
    if (prefix_len == 0) return name;
    size_t len = 1 + prefix_len + name->len;
    char *text = arena_take(names->arena, len);
    if (text == NULL) return NULL;
    text[0] = '_';
    memcpy(text + 1, prefix, prefix_len);
    memcpy(text + 1 + prefix_len, name->text, name->len);
    AstName *mangled = names_intern(names, text, len);
    if (mangled == NULL || !scope->mangles_params_only) return mangled;
    const Symbol *symbol = scope_find(scope, mangled);
    return symbol != NULL && (symbol->flags & SYMBOL_TYPE_PARAM) != 0 ? mangled : name;
}

Symbol *scope_find_class_cell(const Scope *scope, const AstName *name) {
    if (scope->class_cell != NULL && scope->class_cell->name == name) return scope->class_cell;
    if (scope->class_dict_cell != NULL && scope->class_dict_cell->name == name)
        return scope->class_dict_cell;
    return NULL;
}

Resolution scope_resolve(Scope *scope, const AstName *name) {
    for (;; scope = scope->parent) {
        Symbol *symbol = scope_find(scope, name);
        bool is_elsewhere = scope->is_inlined && (symbol == NULL || symbol->kind == SYMBOL_FREE);
        if (!is_elsewhere) {
            SymbolKind kind = symbol == NULL ? SYMBOL_GLOBAL_IMPLICIT : symbol->kind;
            return (Resolution){kind, symbol, scope};
        }
        if (scope->parent->kind == SCOPE_CLASS) {
            Symbol *cell = scope_find_class_cell(scope->parent, name);
            if (cell != NULL) return (Resolution){SYMBOL_CELL, cell, scope->parent};
            Symbol *free_symbol = scope_find(scope->parent, name);
            bool is_free = free_symbol != NULL && (free_symbol->kind == SYMBOL_FREE ||
                                                   (free_symbol->flags & SYMBOL_FREE_CLASS) != 0);
            return (Resolution){is_free ? SYMBOL_FREE : SYMBOL_GLOBAL_IMPLICIT, free_symbol,
                                scope->parent};
        }
    }
}

/* Analysis. */

bool scope_analyze(Arena *arena, AstModule *module, ParseError *error) {
    *error = (ParseError){.kind = PARSE_NO_ERROR};
    int32_t last_future_line = 0;
    if (!check_futures(arena, module, error, &last_future_line)) return false;
    Builder b = {.arena = arena, .module = module, .names = module->names, .error = error};
    Building top = {0};
    AstSpan span = {1, 0, 1, 0};
    module->scope = scope_enter(&b, &top, SCOPE_MODULE, "<module>", span);
    if (module->scope == NULL) return false;
    module->scope->has_docstring =
        module->kind == MODULE_Module && docstring_clean(arena, &module->body);
    bool is_built = module->expression != NULL ? scope_visit_expr(&b, module->expression)
                                               : scope_visit_stmts(&b, &module->body);
    if (!is_built || !scope_classify(&b, module->scope))
        return error->kind != PARSE_NO_ERROR ? false : scope_raise_memory(&b);
    return check_module(arena, module, last_future_line, error);
}
