/* scope.h: which variable each name means.
 *
 * scope_analyze walks the tree once, builds a Scope for every piece of code that has variables of
 * its own, and stores it in the node (FunctionDef.scope, ListComp.scope and so on; the module's in
 * AstModule.scope). Then every name is classified, from the inside out: a name that an inner scope
 * uses and an outer function binds becomes a cell there and free in between. It also makes the
 * checks that need to know the surroundings: 'return' outside function, global after use, and so
 * on.
 *
 * Names in a Scope are mangled (`__x` in a class C is `_C__x`); scope_mangle makes that of a
 * written one, and scope_find and scope_resolve take it.
 *
 * Comprehensions: a list, set or dict comprehension has a scope of its own, but no frame: it is to
 * be compiled into its parent's code (`is_inlined`), with its own variables as further registers.
 * Its first iterable is evaluated outside of it. A generator expression has code of its own, and
 * its only parameter is `.0`, the first iterable's iterator.
 *
 * Annotations are evaluated lazily, as Python 3.14 does: `annotation_scope` is the scope of the
 * function `__annotate__(format)`. Its only parameter is `.format`.
 */
#ifndef GEN_PARSER_SCOPE_H
#define GEN_PARSER_SCOPE_H

#include "parse.h"

typedef enum ScopeKind {
    SCOPE_MODULE,
    SCOPE_CLASS,
    SCOPE_FUNCTION, /* def and async def */
    SCOPE_LAMBDA,
    SCOPE_COMPREHENSION, /* list, set and dict comprehensions, and generator expressions */
    SCOPE_ANNOTATIONS,   /* __annotate__ of a function, class or module */
    SCOPE_TYPE_PARAMS,   /* around a generic function, class or type alias: binds its parameters */
    SCOPE_TYPE_ALIAS,    /* the value of a type statement */
    SCOPE_TYPE_VARIABLE, /* the bound or the default of one type parameter */
} ScopeKind;

typedef enum SymbolKind {
    SYMBOL_LOCAL,           /* bound here, used nowhere else */
    SYMBOL_CELL,            /* bound here and used by an inner scope */
    SYMBOL_FREE,            /* bound in an outer function */
    SYMBOL_GLOBAL_EXPLICIT, /* a global statement says so */
    SYMBOL_GLOBAL_IMPLICIT, /* not bound in any enclosing function: global or builtin */
} SymbolKind;

/* What is done with a name in its scope. */
enum {
    SYMBOL_PARAMETER = 1 << 0,
    SYMBOL_ASSIGNED = 1 << 1, /* bound by an assignment, def, class, for, with, except, del, ... */
    SYMBOL_USED = 1 << 2,
    SYMBOL_ANNOTATED = 1 << 3,
    SYMBOL_IMPORTED = 1 << 4,
    SYMBOL_GLOBAL = 1 << 5,   /* named by a global statement */
    SYMBOL_NONLOCAL = 1 << 6, /* named by a nonlocal statement */
    SYMBOL_TYPE_PARAM = 1 << 7,
    SYMBOL_ITERATION = 1 << 8,  /* the target of a comprehension */
    SYMBOL_FREE_CLASS = 1 << 9, /* in a class body: bound here, and also free for the methods: the
                                   class code must hand the outer cell on, see Scope.frees */
};

enum {                                /* more Symbol.flags */
       SYMBOL_GLOBAL_BELOW = 1 << 10, /* in a module: named by a global statement of an inner scope;
                                         the module's own statements then mean the global, too */
};

typedef struct Symbol {
    AstName *name; /* mangled */
    SymbolKind kind;
    uint32_t flags;
    int32_t index; /* its place in `locals`, `cells` or `frees`, by its kind; in a class with
                      SYMBOL_FREE_CLASS that in `frees`; -1 for globals */
} Symbol;

/* Symbols are referred to by these lists, in an order that is the same for every run. */
typedef struct SymbolSeq {
    Symbol **items;
    int32_t count;
} SymbolSeq;

struct Scope {
    ScopeKind kind;
    AstName *name;      /* of the function or class; "<lambda>", "<listcomp>", "<module>", ... */
    Scope *parent;      /* NULL for the module */
    Scope *first_child; /* the scopes right inside, in the order of the source */
    Scope *next_sibling;
    Scope
        *annotation_scope; /* of a class or module: its __annotate__, or NULL without annotations */
    AstSpan span;          /* of the node it belongs to */

    SymbolSeq symbols; /* all, in order of first appearance */
    SymbolSeq
        locals;      /* co_varnames: the parameters (also those that are cells) in the order
                        positional-only, positional, keyword-only, *args, **kwargs; then the rest */
    SymbolSeq cells; /* co_cellvars, sorted by name; class_cell and class_dict_cell last */
    SymbolSeq frees; /* co_freevars, sorted by name; in a class also those that it hands on */

    bool is_function;      /* its code runs in a frame with fast locals: all but module and class */
    bool is_nested;        /* somewhere inside a function */
    bool is_generator;     /* has a yield; also a generator expression */
    bool is_async;         /* async def */
    bool is_coroutine;     /* async def, or a comprehension with await or async for */
    bool is_inlined;       /* a comprehension that is compiled into its parent's code */
    bool has_return_value; /* a return statement with a value */
    bool has_star_args;
    bool has_star_kwargs;
    bool needs_class_cell;    /* a class whose methods use __class__ or super */
    bool needs_class_dict;    /* a class whose annotation scopes look names up in its namespace */
    bool can_see_class_scope; /* an annotation scope right inside a class: a name is looked up in
                                 the class's namespace (through the free variable __classdict__)
                                 before the global or the outer variable */
    bool has_docstring;       /* the first statement of the body is the docstring */

    AstName *private_class;   /* the class whose name mangles __x here, or NULL */
    bool mangles_params_only; /* ... but only the type parameters of a generic class */
    Symbol *class_cell;       /* of a class: the cell __class__ when needs_class_cell, in `cells` */
    Symbol *class_dict_cell;  /* of a class: the cell __classdict__ when needs_class_dict */
    struct Directive *directives; /* its global and nonlocal statements, for errors */
    Symbol **table;               /* hash table over `symbols`, for scope_find */
    uint32_t table_capacity;
};

/* What a name means for code that is generated in `scope`: inlined comprehensions are seen through,
 * so `owner` is the scope whose code or inlined comprehension binds the variable:
 *   LOCAL, CELL             a variable of `owner`, which is `scope` or an inlining parent of it
 *   FREE                    a free variable of the code: `symbol` is in owner->frees
 *   GLOBAL_EXPLICIT/IMPLICIT  not a variable of any function
 * In a module or a class body LOCAL means: in the namespace (a name in a class that is not found
 * there is looked up as a global). A class's own FREE name is looked up in the namespace first,
 * too.
 */
typedef struct Resolution {
    SymbolKind kind;
    Symbol *symbol;
    Scope *owner;
} Resolution;

/* Fills in the scopes of the tree and makes the checks that need them. False with *error filled in
 * when one fails. To be called once for each tree, with the arena of the parse. */
bool scope_analyze(Arena *arena, AstModule *module, ParseError *error);

/* The symbol of a mangled name in this very scope, or NULL. Constant time. */
Symbol *scope_find(const Scope *scope, const AstName *name);

/* The cells that a class makes for its methods, __class__ and __classdict__, by name; NULL: none.
 */
Symbol *scope_find_class_cell(const Scope *scope, const AstName *name);

/* The name as the scope knows it: `__x` mangled by the class around, any other name itself. NULL
 * when the arena is exhausted. */
AstName *scope_mangle(const Scope *scope, NameTable *names, AstName *name);

/* What a mangled name means in `scope`. A name that the scope does not have is a global. */
Resolution scope_resolve(Scope *scope, const AstName *name);

#endif
