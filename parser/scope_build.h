/* scope_build.h: what the files of scope analysis share; scope.h is the interface for everyone
 * else.
 *
 * Analysis goes over the tree twice and over the scopes once: scope_build.c (statements) and
 * scope_visit.c (expressions) make a Scope for each piece of code and note in it what is done with
 * which name; scope.c then classifies the names; check.c makes the checks that need no names.
 */
#ifndef GEN_PARSER_SCOPE_BUILD_H
#define GEN_PARSER_SCOPE_BUILD_H

#include "scope.h"

/* A global or nonlocal statement, for errors that are found later. */
typedef struct Directive {
    AstName *name;
    AstSpan span;
    struct Directive *next;
} Directive;

/* What a scope needs only while it is built. */
typedef struct Building {
    Scope *scope;
    struct Building *outer;
    const char *comprehension; /* "list comprehension" and so on; NULL in other scopes */
    const char *type_variable; /* "a TypeVar bound" and so on; NULL in other scopes */
    int32_t iterable_depth;    /* inside the iterable of a comprehension of this scope */
    bool in_iteration_target;  /* names that are bound now are iteration variables */

} Building;

typedef struct Builder {
    Arena *arena;
    AstModule *module;
    NameTable *names;
    ParseError *error;
    Building *current;
    AstName *private_class; /* mangles __x at this point, or NULL */
    int32_t depth;          /* of the tree, see SCOPE_MAX_DEPTH */

} Builder;

/* How deep the tree may be: every walk over it recurses, here and in code generation. */
#define SCOPE_MAX_DEPTH 2200

/* Raises at a span and returns false; a second error changes nothing. */
__attribute__((format(printf, 3, 4))) bool scope_raise(Builder *b, AstSpan span, const char *format,
                                                       ...);
bool scope_raise_memory(Builder *b);

/* Count a level of the tree; false with an error when it is one too many. */
bool scope_enter_level(Builder *b);
static inline void scope_leave_level(Builder *b) {
    b->depth--;
}

/* Begins a scope inside of the current one. The `building` is the caller's; the scope is returned,
 * or NULL. scope_leave ends it. */
Scope *scope_enter(Builder *b, Building *building, ScopeKind kind, const char *name, AstSpan span);
void scope_reenter(Builder *b, Building *building, Scope *scope);
void scope_leave(Builder *b);

/* Notes what is done with a name in the current scope, or in `building`. */
bool scope_define(Builder *b, AstName *name, uint32_t flags, AstSpan span);
bool scope_define_in(Builder *b, Building *building, AstName *name, uint32_t flags, AstSpan span);
bool scope_define_text(Builder *b, const char *name, uint32_t flags);
/* The flags of a name in a scope, 0 when it is not there. */
uint32_t scope_flags(Builder *b, const Scope *scope, AstName *name);
bool scope_add_directive(Builder *b, AstName *name, AstSpan span);

/* Adds a symbol for a mangled name, or finds it. */
Symbol *scope_add(Arena *arena, Scope *scope, AstName *mangled);

/* The visitors. Each is false after an error. */
bool scope_visit_expr(Builder *b, AstExpr *expr);
bool scope_visit_exprs(Builder *b, const AstExprSeq *exprs);
bool scope_visit_stmts(Builder *b, const AstStmtSeq *stmts);
bool scope_visit_params(Builder *b, const AstArguments *args);
bool scope_visit_defaults(Builder *b, const AstArguments *args);
bool scope_visit_keywords(Builder *b, const AstKeywordSeq *keywords);
/* "yield expression", "await expression" or "named expression" where there may be none. */
bool scope_check_annotation(Builder *b, const char *what, AstSpan span);

/* Whether the name may be bound ("assign to") or deleted ("delete"). */
bool scope_check_name(Builder *b, const AstName *name, AstSpan span, const char *verb);

/* Classifies the names of all scopes (scope_classify.c). */
bool scope_classify(Builder *b, Scope *scope);

#endif
