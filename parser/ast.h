/* ast.h: the syntax tree, as plain structs.
 *
 * The tree mirrors Python 3.14's abstract grammar node for node (ast.def lists them), so a reader
 * who knows Python's `ast` module knows this one: `stmt->If.test`, `expr->Call.args`. A node has a
 * `kind`, a `span` and the fields of its kind in a union member that bears the node's name. Reading
 * a member other than the one that `kind` names is a defect: nodes are allocated only as large as
 * their own kind (ast_new_expr and its siblings see to that).
 *
 * Everything lives in the arena of the parse and dies with it. Identifiers are interned for each
 * parse: two names are equal exactly when their pointers are. Sequences are held by value as a
 * count and an array; an empty one has count 0 and items that must not be touched.
 */
#ifndef GEN_PARSER_AST_H
#define GEN_PARSER_AST_H

#include "arena.h"
#include "names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Scope Scope;
typedef struct AstStmt AstStmt;
typedef struct AstExpr AstExpr;
typedef struct AstPattern AstPattern;
typedef struct AstTypeParam AstTypeParam;

/* Where a node stands in the source: lines count from 1, columns are bytes of UTF-8 from 0, and the
 * end is exclusive. */
typedef struct AstSpan {
    int32_t line;
    int32_t col;
    int32_t end_line;
    int32_t end_col;
} AstSpan;

/* The kinds, from the table: EXPR_BoolOp, STMT_If, PATTERN_MatchAs, TYPE_PARAM_TypeVar, BOOLOP_And,
 * OPERATOR_Add, UNARYOP_Not, CMPOP_NotIn, CTX_Load, CONSTANT_Int and so on. */
#define AST_STMT(name, fields) STMT_##name,
typedef enum AstStmtKind {
#include "ast.def"
} AstStmtKind;

#define AST_EXPR(name, fields) EXPR_##name,
typedef enum AstExprKind {
#include "ast.def"
} AstExprKind;

#define AST_PATTERN(name, fields) PATTERN_##name,
typedef enum AstPatternKind {
#include "ast.def"
} AstPatternKind;

#define AST_TYPE_PARAM(name, fields) TYPE_PARAM_##name,
typedef enum AstTypeParamKind {
#include "ast.def"
} AstTypeParamKind;

#define AST_BOOLOP(name, text) BOOLOP_##name,
typedef enum AstBoolOp {
#include "ast.def"
} AstBoolOp;

#define AST_OPERATOR(name, text) OPERATOR_##name,
typedef enum AstOperator {
#include "ast.def"
} AstOperator;

#define AST_UNARYOP(name, text) UNARYOP_##name,
typedef enum AstUnaryOp {
#include "ast.def"
} AstUnaryOp;

#define AST_CMPOP(name, text) CMPOP_##name,
typedef enum AstCmpOp {
#include "ast.def"
} AstCmpOp;

#define AST_CONTEXT(name) CTX_##name,
typedef enum AstContext {
#include "ast.def"
} AstContext;

#define AST_CONSTANT(name) CONSTANT_##name,
typedef enum AstConstantKind {
#include "ast.def"
} AstConstantKind;

/* A literal's value. Adjacent string literals are one constant, escapes are decoded. */
typedef struct AstConstant {
    AstConstantKind kind;
    bool has_u_prefix; /* a string written u"..." */
    bool fits;    /* an Int whose value is in `value`: it needs at most 62 bits with its sign */
    uint8_t base; /* of an Int's digits: 2, 8, 10 or 16 */
    uint32_t len; /* of text, in bytes */
    union {
        int64_t value; /* Int, when it fits */
        double number; /* Float; for Complex the imaginary part, the real part being 0 */
    };
    const char *text; /* Int: its digits without prefix and underscores. Bytes: as they are. Str:
                         UTF-8, where an escaped surrogate ("\ud800") stands as its three-byte form
                         (WTF-8). Always followed by a NUL that `len` does not count. */
} AstConstant;

typedef struct AstArg {
    AstSpan span;
    AstName *arg;
    AstExpr *annotation; /* or NULL */
} AstArg;

typedef struct AstKeyword {
    AstSpan span;
    AstName *arg; /* NULL for **value */
    AstExpr *value;
} AstKeyword;

typedef struct AstAlias {
    AstSpan span;
    AstName *name;   /* dotted in an import statement; "*" in a star import */
    AstName *asname; /* or NULL */
} AstAlias;

/* Sequences, by value. */
typedef struct AstExprSeq {
    AstExpr **items;
    int32_t count;
} AstExprSeq;

typedef struct AstStmtSeq {
    AstStmt **items;
    int32_t count;
} AstStmtSeq;

typedef struct AstPatternSeq {
    AstPattern **items;
    int32_t count;
} AstPatternSeq;

typedef struct AstNameSeq {
    AstName **items;
    int32_t count;
} AstNameSeq;

typedef struct AstArgSeq {
    AstArg **items;
    int32_t count;
} AstArgSeq;

typedef struct AstKeywordSeq {
    AstKeyword **items;
    int32_t count;
} AstKeywordSeq;

typedef struct AstAliasSeq {
    AstAlias **items;
    int32_t count;
} AstAliasSeq;

typedef struct AstTypeParamSeq {
    AstTypeParam **items;
    int32_t count;
} AstTypeParamSeq;

typedef struct AstCmpOpSeq {
    AstCmpOp *items;
    int32_t count;
} AstCmpOpSeq;

typedef struct AstWithItem {
    AstExpr *context_expr;
    AstExpr *optional_vars; /* or NULL */
} AstWithItem;

typedef struct AstWithItemSeq {
    AstWithItem **items;
    int32_t count;
} AstWithItemSeq;

typedef struct AstMatchCase {
    AstPattern *pattern;
    AstExpr *guard; /* or NULL */
    AstStmtSeq body;
} AstMatchCase;

typedef struct AstMatchCaseSeq {
    AstMatchCase **items;
    int32_t count;
} AstMatchCaseSeq;

typedef struct AstExceptHandler {
    AstSpan span;
    AstExpr *type; /* NULL for a bare except: */
    AstName *name; /* or NULL */
    AstStmtSeq body;
} AstExceptHandler;

typedef struct AstExceptHandlerSeq {
    AstExceptHandler **items;
    int32_t count;
} AstExceptHandlerSeq;

typedef struct AstComprehension {
    AstExpr *target;
    AstExpr *iter;
    AstExprSeq ifs;
    bool is_async;
} AstComprehension;

typedef struct AstComprehensionSeq {
    AstComprehension **items;
    int32_t count;
} AstComprehensionSeq;

/* The parameters of a function or lambda. `defaults` belong to the last ones of posonlyargs + args;
 * `kw_defaults` has an item for each of kwonlyargs, NULL where there is no default. */
typedef struct AstArguments {
    AstArgSeq posonlyargs;
    AstArgSeq args;
    AstArg *vararg; /* or NULL */
    AstArgSeq kwonlyargs;
    AstExprSeq kw_defaults;
    AstArg *kwarg; /* or NULL */
    AstExprSeq defaults;
} AstArguments;

/* The nodes, from the table. */
#define F_EXPR(name) AstExpr *name;
#define F_EXPR_OPT(name) AstExpr *name;
#define F_EXPRS(name) AstExprSeq name;
#define F_EXPRS_OPT(name) AstExprSeq name;
#define F_STMTS(name) AstStmtSeq name;
#define F_NAME(name) AstName *name;
#define F_NAME_OPT(name) AstName *name;
#define F_NAMES(name) AstNameSeq name;
#define F_PATTERN_OPT(name) AstPattern *name;
#define F_PATTERNS(name) AstPatternSeq name;
#define F_BOOLOP(name) AstBoolOp name;
#define F_OPERATOR(name) AstOperator name;
#define F_UNARYOP(name) AstUnaryOp name;
#define F_CONTEXT(name) AstContext name;
#define F_CMPOPS(name) AstCmpOpSeq name;
#define F_INT(name) int32_t name;
#define F_CONSTANT(name) AstConstant name;
#define F_ARGUMENTS(name) AstArguments *name;
#define F_KEYWORDS(name) AstKeywordSeq name;
#define F_ALIASES(name) AstAliasSeq name;
#define F_WITHITEMS(name) AstWithItemSeq name;
#define F_CASES(name) AstMatchCaseSeq name;
#define F_HANDLERS(name) AstExceptHandlerSeq name;
#define F_GENERATORS(name) AstComprehensionSeq name;
#define F_TYPE_PARAMS(name) AstTypeParamSeq name;
#define F_SCOPE(name) Scope *name;

#define AST_STMT(name, fields)                                                                     \
    struct {                                                                                       \
        fields                                                                                     \
    } name;
struct AstStmt {
    AstStmtKind kind;
    AstSpan span;
    union {
#include "ast.def"
    };
};

#define AST_EXPR(name, fields)                                                                     \
    struct {                                                                                       \
        fields                                                                                     \
    } name;
struct AstExpr {
    AstExprKind kind;
    AstSpan span;
    union {
#include "ast.def"
    };
};

#define AST_PATTERN(name, fields)                                                                  \
    struct {                                                                                       \
        fields                                                                                     \
    } name;
struct AstPattern {
    AstPatternKind kind;
    AstSpan span;
    union {
#include "ast.def"
    };
};

#define AST_TYPE_PARAM(name, fields)                                                               \
    struct {                                                                                       \
        fields                                                                                     \
    } name;
struct AstTypeParam {
    AstTypeParamKind kind;
    AstSpan span;
    union {
#include "ast.def"
    };
};

#undef F_EXPR
#undef F_EXPR_OPT
#undef F_EXPRS
#undef F_EXPRS_OPT
#undef F_STMTS
#undef F_NAME
#undef F_NAME_OPT
#undef F_NAMES
#undef F_PATTERN_OPT
#undef F_PATTERNS
#undef F_BOOLOP
#undef F_OPERATOR
#undef F_UNARYOP
#undef F_CONTEXT
#undef F_CMPOPS
#undef F_INT
#undef F_CONSTANT
#undef F_ARGUMENTS
#undef F_KEYWORDS
#undef F_ALIASES
#undef F_WITHITEMS
#undef F_CASES
#undef F_HANDLERS
#undef F_GENERATORS
#undef F_TYPE_PARAMS
#undef F_SCOPE

/* What a whole source is: the three ways to compile it. */
typedef enum AstModuleKind {
    MODULE_Module,      /* a file: body */
    MODULE_Interactive, /* one statement at the prompt: body */
    MODULE_Expression,  /* eval: expression */
} AstModuleKind;

/* What the lexer or the parser finds odd but accepts: a SyntaxWarning. */
typedef struct AstWarning {
    struct AstWarning *next;
    AstSpan span;
    const char *message;
} AstWarning;

typedef struct AstModule {
    AstModuleKind kind;
    bool has_future_annotations; /* from __future__ import annotations: annotations stay text */
    AstStmtSeq body;
    AstExpr *expression;  /* of an Expression, else NULL */
    NameTable *names;     /* every identifier of the parse; further ones may be added */
    const char *source;   /* the text that was parsed, for errors; UTF-8 with "\n" line ends */
    Scope *scope;         /* filled in by scope analysis */
    AstWarning *warnings; /* in the order of the source */
} AstModule;

/* What a field holds; the order of bytes in a node is the compiler's affair. */
typedef enum AstFieldKind {
    FIELD_EXPR,
    FIELD_EXPR_OPT,
    FIELD_EXPRS,
    FIELD_EXPRS_OPT,
    FIELD_STMTS,
    FIELD_NAME,
    FIELD_NAME_OPT,
    FIELD_NAMES,
    FIELD_PATTERN_OPT,
    FIELD_PATTERNS,
    FIELD_BOOLOP,
    FIELD_OPERATOR,
    FIELD_UNARYOP,
    FIELD_CONTEXT,
    FIELD_CMPOPS,
    FIELD_INT,
    FIELD_CONSTANT,
    FIELD_ARGUMENTS,
    FIELD_KEYWORDS,
    FIELD_ALIASES,
    FIELD_WITHITEMS,
    FIELD_CASES,
    FIELD_HANDLERS,
    FIELD_GENERATORS,
    FIELD_TYPE_PARAMS,
    FIELD_SCOPE,
} AstFieldKind;

typedef struct AstField {
    AstFieldKind kind;
    uint16_t offset; /* of the field in its node */
    const char *name;
} AstField;

/* A kind of node: its name, what it takes to allocate one, and its fields in order. */
typedef struct AstNodeInfo {
    const char *name;
    uint16_t size;
    uint16_t field_count;
    const AstField *fields;
} AstNodeInfo;

const AstNodeInfo *ast_stmt_info(AstStmtKind kind);
const AstNodeInfo *ast_expr_info(AstExprKind kind);
const AstNodeInfo *ast_pattern_info(AstPatternKind kind);
const AstNodeInfo *ast_type_param_info(AstTypeParamKind kind);

/* Names ("Add") and spellings ("+") of the operators, indexed by the enum. */
extern const char *const ast_boolop_names[];
extern const char *const ast_operator_names[];
extern const char *const ast_operator_texts[];
extern const char *const ast_unaryop_names[];
extern const char *const ast_cmpop_names[];
extern const char *const ast_context_names[];

/* A node of the kind with its fields zero, or NULL when the arena is exhausted. */
AstStmt *ast_new_stmt(Arena *arena, AstStmtKind kind, AstSpan span);
AstExpr *ast_new_expr(Arena *arena, AstExprKind kind, AstSpan span);
AstPattern *ast_new_pattern(Arena *arena, AstPatternKind kind, AstSpan span);
AstTypeParam *ast_new_type_param(Arena *arena, AstTypeParamKind kind, AstSpan span);

#endif
