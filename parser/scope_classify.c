/* scope_classify.c: from what is done with a name to what it means.
 *
 * Each name that a scope uses without binding it is looked for in the scopes around it, from the
 * inside out, past classes, whose names only their own body sees. Where it is found it becomes a
 * cell and the scopes on the way pass it on as a free variable. A comprehension that is compiled
 * into the code around it needs neither: it reaches the variables of that code directly.
 */
#include "scope_build.h"

#include <stdlib.h>
#include <string.h>

#define BOUND_FLAGS (SYMBOL_PARAMETER | SYMBOL_ASSIGNED | SYMBOL_IMPORTED | SYMBOL_TYPE_PARAM)

/* Bound by this very scope, and not declared to be another's. */
static bool is_bound(const Symbol *symbol) {
    return (symbol->flags & BOUND_FLAGS) != 0 &&
           (symbol->flags & (SYMBOL_GLOBAL | SYMBOL_NONLOCAL)) == 0;
}

/* The scope whose code a scope is compiled into. */
static Scope *code_scope(Scope *scope) {
    while (scope->is_inlined)
        scope = scope->parent;
    return scope;
}

/* Finding. */

typedef struct Found {
    Scope *owner; /* the function or comprehension that binds the name; NULL when none does */
    Symbol *symbol;
    bool is_global; /* a global statement on the way ends the search */
} Found;

/* The cell of a class, made when a method first needs it. */
static Symbol *class_cell(Builder *b, Scope *scope, AstName *name) {
    bool is_class = names_equal(name, "__class__");
    if (!is_class && !names_equal(name, "__classdict__")) return NULL;
    Symbol **cell = is_class ? &scope->class_cell : &scope->class_dict_cell;
    if (*cell == NULL) {
        *cell = arena_take_zeroed(b->arena, sizeof **cell);
        if (*cell == NULL) {
            scope_raise_memory(b);
            return NULL;
        }
        (*cell)->name = name;
        (*cell)->kind = SYMBOL_CELL;
        scope->needs_class_cell |= is_class;
        scope->needs_class_dict |= !is_class;
    }
    return *cell;
}

static Found find_outside(Builder *b, const Scope *scope, AstName *name) {
    for (Scope *outer = scope->parent; outer != NULL; outer = outer->parent) {
        if (outer->kind == SCOPE_CLASS) {
            Symbol *cell = class_cell(b, outer, name);
            if (cell != NULL) return (Found){outer, cell, false};
        }
        if (!outer->is_function) continue;
        Symbol *symbol = scope_find(outer, name);
        if (symbol == NULL) continue;
        if ((symbol->flags & SYMBOL_GLOBAL) != 0) return (Found){.is_global = true};
        if (is_bound(symbol)) return (Found){outer, symbol, false};
    }
    return (Found){0};
}

/* Makes a found variable reachable from `scope`: a cell where it is bound, free on the way. */
static bool connect(Builder *b, Scope *scope, AstName *name, const Found *found) {
    if (code_scope(scope) == found->owner || code_scope(scope) == code_scope(found->owner))
        return true;
    found->symbol->kind = SYMBOL_CELL;
    Scope *target = code_scope(found->owner);
    for (Scope *s = code_scope(scope); s != target; s = code_scope(s->parent)) {
        Symbol *symbol = scope_add(b->arena, s, name);
        if (symbol == NULL) return scope_raise_memory(b);
        if (s->kind == SCOPE_CLASS && is_bound(symbol))
            symbol->flags |= SYMBOL_FREE_CLASS;
        else if ((symbol->flags & SYMBOL_GLOBAL) == 0)
            symbol->kind = SYMBOL_FREE;
        else
            symbol->flags |= SYMBOL_FREE_CLASS;
    }
    return true;
}

/* Classifying. */

/* The first statement that names it; the list has the last one first. */
static AstSpan directive_span(const Scope *scope, const AstName *name) {
    AstSpan span = scope->span;
    for (const Directive *d = scope->directives; d != NULL; d = d->next) {
        if (d->name == name) span = d->span;
    }
    return span;
}

static bool classify_nonlocal(Builder *b, Scope *scope, Symbol *symbol) {
    const char *text = symbol->name->text;
    if ((symbol->flags & SYMBOL_GLOBAL) != 0)
        return scope_raise(b, directive_span(scope, symbol->name),
                           "name '%s' is nonlocal and global", text);
    if (scope->kind == SCOPE_MODULE)
        return scope_raise(b, directive_span(scope, symbol->name),
                           "nonlocal declaration not allowed at module level");
    Found found = find_outside(b, scope, symbol->name);
    if (found.owner == NULL)
        return b->error->kind == PARSE_NO_ERROR &&
               scope_raise(b, directive_span(scope, symbol->name),
                           "no binding for nonlocal '%s' found", text);
    if ((found.symbol->flags & SYMBOL_TYPE_PARAM) != 0)
        return scope_raise(b, directive_span(scope, symbol->name),
                           "nonlocal binding not allowed for type parameter '%s'", text);
    symbol->kind = SYMBOL_FREE;
    return connect(b, scope, symbol->name, &found);
}

/* A name in an annotation scope of a class: what the class does with it comes first. */
static bool classify_by_class(const Scope *scope, Symbol *symbol) {
    const Scope *outer = scope->parent;
    while (outer != NULL && outer->can_see_class_scope)
        outer = outer->parent;
    if (!scope->can_see_class_scope || outer == NULL || outer->kind != SCOPE_CLASS) return false;
    const Symbol *known = scope_find(outer, symbol->name);
    if (known == NULL) return false;
    if ((known->flags & SYMBOL_GLOBAL) != 0)
        symbol->kind = SYMBOL_GLOBAL_EXPLICIT;
    else if (is_bound(known))
        symbol->kind = SYMBOL_GLOBAL_IMPLICIT;
    else
        return false;
    return true;
}

static bool classify_symbol(Builder *b, Scope *scope, Symbol *symbol) {
    if ((symbol->flags & SYMBOL_NONLOCAL) != 0) return classify_nonlocal(b, scope, symbol);
    if ((symbol->flags & (SYMBOL_GLOBAL | SYMBOL_GLOBAL_BELOW)) != 0) {
        symbol->kind = SYMBOL_GLOBAL_EXPLICIT;
        return true;
    }
    if (is_bound(symbol)) {
        if (symbol->kind != SYMBOL_CELL) symbol->kind = SYMBOL_LOCAL;
        return true;
    }
    if (symbol->kind == SYMBOL_FREE || classify_by_class(scope, symbol)) return true;
    Found found = find_outside(b, scope, symbol->name);
    if (found.owner == NULL) {
        symbol->kind = SYMBOL_GLOBAL_IMPLICIT;
        return b->error->kind == PARSE_NO_ERROR;
    }
    symbol->kind = SYMBOL_FREE;
    return connect(b, scope, symbol->name, &found);
}

/* The children were linked with the last one first. */
static void reverse_children(Scope *scope) {
    Scope *reversed = NULL;
    for (Scope *child = scope->first_child; child != NULL;) {
        Scope *next = child->next_sibling;
        child->next_sibling = reversed;
        reversed = child;
        child = next;
    }
    scope->first_child = reversed;
}

static bool classify_scope(Builder *b, Scope *scope) {
    reverse_children(scope);
    /* Symbols added meanwhile are those that inner scopes pass through: they are classified. */
    int32_t count = scope->symbols.count;
    for (int32_t i = 0; i < count; i++) {
        if (!classify_symbol(b, scope, scope->symbols.items[i])) return false;
    }
    for (Scope *child = scope->first_child; child != NULL; child = child->next_sibling) {
        if (!classify_scope(b, child)) return false;
    }
    return true;
}

/* Listing. */

static int compare_symbols(const void *first, const void *second) {
    const Symbol *const *a = first;
    const Symbol *const *b = second;
    return strcmp((*a)->name->text, (*b)->name->text);
}

static void add_listed(SymbolSeq *seq, Symbol *symbol) {
    seq->items[seq->count++] = symbol;
}

/* Whether the code of the scope has the name among its free variables. */
static bool is_listed_free(const Scope *scope, const Symbol *symbol) {
    if (scope->is_inlined) return false;
    return symbol->kind == SYMBOL_FREE || (symbol->flags & SYMBOL_FREE_CLASS) != 0;
}

/* Sorts the cells and numbers everything. */
static void number_symbols(Scope *scope) {
    if (scope->cells.count > 1)
        qsort(scope->cells.items, (size_t)scope->cells.count, sizeof(Symbol *), compare_symbols);
    if (scope->frees.count > 1)
        qsort(scope->frees.items, (size_t)scope->frees.count, sizeof(Symbol *), compare_symbols);
    if (scope->class_cell != NULL) add_listed(&scope->cells, scope->class_cell);
    if (scope->class_dict_cell != NULL) add_listed(&scope->cells, scope->class_dict_cell);
    for (int32_t i = 0; i < scope->locals.count; i++)
        scope->locals.items[i]->index = i;
    for (int32_t i = 0; i < scope->cells.count; i++)
        scope->cells.items[i]->index = i;
    for (int32_t i = 0; i < scope->frees.count; i++)
        scope->frees.items[i]->index = i;
}

/* Fills in `locals`, `cells` and `frees`. The parameters were the first names of their scope. */
static bool list_symbols(Builder *b, Scope *scope) {
    size_t count = (size_t)scope->symbols.count;
    Symbol **items = arena_take(b->arena, (3 * count + 2) * sizeof *items);
    if (items == NULL) return scope_raise_memory(b);
    scope->locals = (SymbolSeq){items, 0};
    scope->cells = (SymbolSeq){items + count, 0};
    scope->frees = (SymbolSeq){items + 2 * count + 2, 0};
    for (int32_t i = 0; i < scope->symbols.count; i++) {
        Symbol *symbol = scope->symbols.items[i];
        bool is_parameter = (symbol->flags & SYMBOL_PARAMETER) != 0;
        if (symbol->kind == SYMBOL_LOCAL || (is_parameter && symbol->kind == SYMBOL_CELL))
            add_listed(&scope->locals, symbol);
        if (symbol->kind == SYMBOL_CELL) add_listed(&scope->cells, symbol);
        if (is_listed_free(scope, symbol)) add_listed(&scope->frees, symbol);
    }
    number_symbols(scope);
    for (Scope *child = scope->first_child; child != NULL; child = child->next_sibling) {
        if (!list_symbols(b, child)) return false;
    }
    return true;
}

bool scope_classify(Builder *b, Scope *scope) {
    return classify_scope(b, scope) && list_symbols(b, scope);
}
