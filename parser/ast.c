/* ast.c: the tables derived from ast.def, and the allocation of nodes.
 *
 * The tables let a walker or a printer treat every node alike: each kind lists its fields with
 * their offsets. A field macro does not know the node that it stands in, so each list is built in a
 * block where `Owner` names the node's struct.
 */
#include "ast.h"

#define FIELD(kind, name) {FIELD_##kind, (uint16_t)(OWNER_OFFSET + offsetof(Owner, name)), #name},
#define F_EXPR(name) FIELD(EXPR, name)
#define F_EXPR_OPT(name) FIELD(EXPR_OPT, name)
#define F_EXPRS(name) FIELD(EXPRS, name)
#define F_EXPRS_OPT(name) FIELD(EXPRS_OPT, name)
#define F_STMTS(name) FIELD(STMTS, name)
#define F_NAME(name) FIELD(NAME, name)
#define F_NAME_OPT(name) FIELD(NAME_OPT, name)
#define F_NAMES(name) FIELD(NAMES, name)
#define F_PATTERN_OPT(name) FIELD(PATTERN_OPT, name)
#define F_PATTERNS(name) FIELD(PATTERNS, name)
#define F_BOOLOP(name) FIELD(BOOLOP, name)
#define F_OPERATOR(name) FIELD(OPERATOR, name)
#define F_UNARYOP(name) FIELD(UNARYOP, name)
#define F_CONTEXT(name) FIELD(CONTEXT, name)
#define F_CMPOPS(name) FIELD(CMPOPS, name)
#define F_INT(name) FIELD(INT, name)
#define F_CONSTANT(name) FIELD(CONSTANT, name)
#define F_ARGUMENTS(name) FIELD(ARGUMENTS, name)
#define F_KEYWORDS(name) FIELD(KEYWORDS, name)
#define F_ALIASES(name) FIELD(ALIASES, name)
#define F_WITHITEMS(name) FIELD(WITHITEMS, name)
#define F_CASES(name) FIELD(CASES, name)
#define F_HANDLERS(name) FIELD(HANDLERS, name)
#define F_GENERATORS(name) FIELD(GENERATORS, name)
#define F_TYPE_PARAMS(name) FIELD(TYPE_PARAMS, name)
#define F_SCOPE(name) FIELD(SCOPE, name)

/* The body of a lookup's case: the list ends with an entry that field_count leaves out, since some
 * nodes have no fields and C has no empty arrays. */
#define NODE_CASE(type, prefix, node, ...)                                                         \
    case prefix##node: {                                                                           \
        typedef __typeof__(((type *)NULL)->node) Owner;                                            \
        enum { OWNER_OFFSET = offsetof(type, node) };                                              \
        static const AstField list[] = {__VA_ARGS__{FIELD_INT, 0, NULL}};                          \
        static const AstNodeInfo info = {#node, (uint16_t)(OWNER_OFFSET + sizeof(Owner)),          \
                                         (uint16_t)(sizeof list / sizeof list[0] - 1), list};      \
        return &info;                                                                              \
    }

const AstNodeInfo *ast_stmt_info(AstStmtKind kind) {
    switch (kind) {
#define AST_STMT(name, fields) NODE_CASE(AstStmt, STMT_, name, fields)
#include "ast.def"
    }
    return NULL;
}

const AstNodeInfo *ast_expr_info(AstExprKind kind) {
    switch (kind) {
#define AST_EXPR(name, fields) NODE_CASE(AstExpr, EXPR_, name, fields)
#include "ast.def"
    }
    return NULL;
}

const AstNodeInfo *ast_pattern_info(AstPatternKind kind) {
    switch (kind) {
#define AST_PATTERN(name, fields) NODE_CASE(AstPattern, PATTERN_, name, fields)
#include "ast.def"
    }
    return NULL;
}

const AstNodeInfo *ast_type_param_info(AstTypeParamKind kind) {
    switch (kind) {
#define AST_TYPE_PARAM(name, fields) NODE_CASE(AstTypeParam, TYPE_PARAM_, name, fields)
#include "ast.def"
    }
    return NULL;
}

#define AST_BOOLOP(name, text) #name,
const char *const ast_boolop_names[] = {
#include "ast.def"
};

#define AST_OPERATOR(name, text) #name,
const char *const ast_operator_names[] = {
#include "ast.def"
};

#define AST_OPERATOR(name, text) text,
const char *const ast_operator_texts[] = {
#include "ast.def"
};

#define AST_UNARYOP(name, text) #name,
const char *const ast_unaryop_names[] = {
#include "ast.def"
};

#define AST_CMPOP(name, text) #name,
const char *const ast_cmpop_names[] = {
#include "ast.def"
};

#define AST_CONTEXT(name) #name,
const char *const ast_context_names[] = {
#include "ast.def"
};

/* The bytes of a node of each kind. */
#define NODE_SIZE(type, node) (uint8_t)(offsetof(type, node) + sizeof(((type *)NULL)->node)),

#define AST_STMT(name, fields) NODE_SIZE(AstStmt, name)
static const uint8_t stmt_sizes[] = {
#include "ast.def"
};
_Static_assert(sizeof(AstStmt) <= UINT8_MAX, "the sizes of stmt nodes fit their table");

AstStmt *ast_new_stmt(Arena *arena, AstStmtKind kind, AstSpan span) {
    AstStmt *node = arena_take_zeroed(arena, stmt_sizes[kind]);
    if (node != NULL) {
        node->kind = kind;
        node->span = span;
    }
    return node;
}

#define AST_EXPR(name, fields) NODE_SIZE(AstExpr, name)
static const uint8_t expr_sizes[] = {
#include "ast.def"
};
_Static_assert(sizeof(AstExpr) <= UINT8_MAX, "the sizes of expr nodes fit their table");

AstExpr *ast_new_expr(Arena *arena, AstExprKind kind, AstSpan span) {
    AstExpr *node = arena_take_zeroed(arena, expr_sizes[kind]);
    if (node != NULL) {
        node->kind = kind;
        node->span = span;
    }
    return node;
}

#define AST_PATTERN(name, fields) NODE_SIZE(AstPattern, name)
static const uint8_t pattern_sizes[] = {
#include "ast.def"
};
_Static_assert(sizeof(AstPattern) <= UINT8_MAX, "the sizes of pattern nodes fit their table");

AstPattern *ast_new_pattern(Arena *arena, AstPatternKind kind, AstSpan span) {
    AstPattern *node = arena_take_zeroed(arena, pattern_sizes[kind]);
    if (node != NULL) {
        node->kind = kind;
        node->span = span;
    }
    return node;
}

#define AST_TYPE_PARAM(name, fields) NODE_SIZE(AstTypeParam, name)
static const uint8_t type_param_sizes[] = {
#include "ast.def"
};
_Static_assert(sizeof(AstTypeParam) <= UINT8_MAX, "the sizes of type_param nodes fit their table");

AstTypeParam *ast_new_type_param(Arena *arena, AstTypeParamKind kind, AstSpan span) {
    AstTypeParam *node = arena_take_zeroed(arena, type_param_sizes[kind]);
    if (node != NULL) {
        node->kind = kind;
        node->span = span;
    }
    return node;
}
