/* parser.h: what the files of the parser share; parse.h is the interface for everyone else.
 *
 * The parser is a recursive descent over a buffer of tokens, in two passes. The first accepts
 * correct programs and stops at the first token that fits nowhere. Only then a second pass reads
 * the same statement again with `diagnosing` set: it backtracks as Python's grammar does and tries
 * that grammar's "invalid" rules (diagnose_*.c), each of which stands for one helpful message.
 *
 * A parse function is named after its rule. It returns NULL when the rule does not match; the
 * position is then anywhere, and a caller with an alternative goes back by parser_reset. `failed`
 * is set when an error has been raised: nothing matches from then on, and all callers return NULL.
 */
#ifndef GEN_PARSER_PARSER_H
#define GEN_PARSER_PARSER_H

#include "ast.h"
#include "error.h"
#include "lexer.h"
#include "parse.h"
#include "source.h"

/* Rules whose result the second pass remembers for each token, so that backtracking stays linear.
 */
typedef enum MemoRule {
    MEMO_EXPRESSION,
    MEMO_DISJUNCTION,
    MEMO_BITWISE_OR,
    MEMO_PRIMARY,
    MEMO_STAR_EXPRESSION,
    MEMO_NAMED_EXPRESSION,
    MEMO_INVALID_NAMED_EXPRESSION,
    MEMO_ARGUMENTS,
    MEMO_ATOM,
    MEMO_COUNT,
} MemoRule;

typedef struct Memo {
    void *node;
    int32_t end; /* the position behind it */
    bool is_known;
} Memo;

typedef struct Parser {
    Arena *arena;
    NameTable *names;
    ParseError *error;
    ParseMode mode;
    bool allows_incomplete; /* a source that ends too early is PARSE_INCOMPLETE */
    int32_t statement_line; /* of the last statement that was read to its end, or 0 */
    SourceText source;
    Token *tokens; /* since the start of the top-level statement */
    int32_t count;
    int32_t capacity;
    int32_t pos;               /* of the next token */
    int32_t depth;             /* of nested rules */
    bool failed;               /* *error is set */
    bool lexer_failed;         /* ... by the lexer */
    bool diagnosing;           /* the second pass */
    bool quiet;                /* no "invalid" rules inside of one that must not raise */
    int64_t steps;             /* rules tried by the second pass */
    Memo (*memos)[MEMO_COUNT]; /* for each token, in the second pass */
    int32_t memo_capacity;
    void **stack; /* items of the sequences that are being built */
    int32_t stack_count;
    int32_t stack_capacity;
    Lexer lexer;
} Parser;

/* How deep rules may nest: enough for any brackets that the lexer lets through and for a thousand
 * unary operators, little enough for 1 MiB of C stack. */
#define PARSER_MAX_DEPTH 1500

/* Tokens. */

/* Reads one more token into the buffer. */
void parser_fill(Parser *p);

static inline const Token *parser_token(Parser *p) {
    if (p->pos == p->count) parser_fill(p);
    return &p->tokens[p->pos];
}

/* The kind of the next token; ERROR once something has failed. */
static inline TokenKind parser_kind(Parser *p) {
    if (p->failed) return TOKEN_ERROR;
    return parser_token(p)->kind;
}

/* The kind of the token after the next. */
TokenKind parser_kind_after(Parser *p);

static inline bool parser_at(Parser *p, TokenKind kind) {
    return parser_kind(p) == kind;
}

/* Consumes the next token when it is of this kind. */
static inline bool parser_accept(Parser *p, TokenKind kind) {
    if (parser_kind(p) != kind) return false;
    p->pos++;
    return true;
}

/* The same for a token that cannot be missing: raises "expected 'x'" at once. */
bool parser_expect_forced(Parser *p, TokenKind kind);

/* A NAME or a soft keyword. */
static inline bool parser_is_name(TokenKind kind) {
    return kind >= TOKEN_NAME && kind <= TOKEN_TYPE && kind != TOKEN_UNKNOWN;
}

/* Consumes a name and returns it, or NULL. */
AstName *parser_name(Parser *p);

/* A point to go back to: the position, and the sequences that were being built. */
typedef struct Mark {
    int32_t pos;
    int32_t height;
} Mark;

static inline Mark parser_mark(const Parser *p) {
    return (Mark){p->pos, p->stack_count};
}

static inline void parser_reset(Parser *p, Mark mark) {
    p->pos = mark.pos;
    p->stack_count = mark.height;
}

/* The span of the token before the next. */
static inline AstSpan parser_previous_span(const Parser *p) {
    return p->tokens[p->pos - 1].span;
}

/* From a start to the end of what was consumed last. */
AstSpan parser_span_from(const Parser *p, AstSpan start);

/* From the start of one to the end of another. */
static inline AstSpan span_join(AstSpan first, AstSpan last) {
    return (AstSpan){first.line, first.col, last.end_line, last.end_col};
}

/* Errors. Each raises unless something is raised already, and returns NULL. */

__attribute__((format(printf, 3, 4))) void *parser_raise(Parser *p, AstSpan span,
                                                         const char *format, ...);
/* From one span's start to the furthest byte the lexer has read. */
__attribute__((format(printf, 3, 4))) void *parser_raise_from(Parser *p, AstSpan span,
                                                              const char *format, ...);
/* At the last token read. */
__attribute__((format(printf, 2, 3))) void *parser_raise_last(Parser *p, const char *format, ...);
/* At the next token. */
__attribute__((format(printf, 2, 3))) void *parser_raise_next(Parser *p, const char *format, ...);
/* An IndentationError at the last token read. */
__attribute__((format(printf, 2, 3))) void *parser_raise_indentation(Parser *p, const char *format,
                                                                     ...);
/* At an exact place, of any kind. */
__attribute__((format(printf, 4, 5))) void *
parser_raise_place(Parser *p, ParseErrorKind kind, ErrorPlace place, const char *format, ...);
void *parser_raise_memory(Parser *p);

/* Counts a nested rule; false with an error raised when it is one too many. Each true needs a
 * parser_leave. */
bool parser_enter(Parser *p);
static inline void parser_leave(Parser *p) {
    p->depth--;
}

/* Whether "invalid" rules are to be tried. */
static inline bool parser_is_diagnosing(const Parser *p) {
    return p->diagnosing && !p->quiet && !p->failed;
}

/* The remembered result of a rule at the next token, for the second pass: true with *node set and
 * the position moved when there is one. */
bool parser_recall(Parser *p, MemoRule rule, void **node);
void *parser_remember(Parser *p, MemoRule rule, int32_t start, void *node);

/* Building sequences: items are pushed, then those above a mark become an array in the arena. */
bool parser_push(Parser *p, void *item);
/* PARSER_TAKE(p, mark, &node->Call.args), for any of the sequences of pointers in ast.h. */
#define PARSER_TAKE(p, mark, seq)                                                                  \
    (parser_take_items(p, mark, (void ***)&(seq)->items, &(seq)->count))
bool parser_take_items(Parser *p, int32_t mark, void ***items, int32_t *count);

/* Nodes: NULL with an error raised when memory is out. */
AstExpr *parser_expr(Parser *p, AstExprKind kind, AstSpan span);
AstStmt *parser_stmt(Parser *p, AstStmtKind kind, AstSpan span);
AstPattern *parser_pattern(Parser *p, AstPatternKind kind, AstSpan span);
void *parser_zeroed(Parser *p, size_t size);
AstExpr *parser_name_expr(Parser *p, const Token *token, AstContext ctx);

/* Expressions (parse_expr.c). */
AstExpr *parse_expression(Parser *p);
AstExpr *parse_expressions(Parser *p);
AstExpr *parse_star_expression(Parser *p);
AstExpr *parse_star_expressions(Parser *p);
AstExpr *parse_named_expression(Parser *p);
AstExpr *parse_star_named_expression(Parser *p);
AstExpr *parse_assignment_expression(Parser *p); /* at NAME ':=' */
AstExpr *parse_yield_expr(Parser *p);
AstExpr *parse_annotated_rhs(Parser *p); /* yield_expr | star_expressions */
AstExpr *parse_disjunction(Parser *p);
AstExpr *parse_inversion(Parser *p);
AstExpr *parse_bitwise_or(Parser *p);
AstExpr *parse_lambdef(Parser *p);
bool parser_starts_expression(TokenKind kind);

/* Primaries and atoms (parse_primary.c). */
AstExpr *parse_await_primary(Parser *p);
AstExpr *parse_primary(Parser *p);
AstExpr *parse_atom(Parser *p);
AstExpr *parse_slices(Parser *p);

/* The arguments of a call or a class, up to but without ')' (parse_call.c). */
typedef struct CallArgs {
    AstExprSeq args;
    AstKeywordSeq keywords;
} CallArgs;
bool parse_args(Parser *p, CallArgs *call);      /* without the closing comma */
bool parse_arguments(Parser *p, CallArgs *call); /* with it, and at ')' */
bool parse_kwargs(Parser *p);                    /* pushes them as parse_args does */
AstExpr *parse_call(Parser *p, AstSpan start, AstExpr *func);
AstExpr *parse_starred_expression(Parser *p); /* '*' expression */

/* What stands in brackets (parse_display.c). */
AstExpr *parse_display(Parser *p); /* at '(', '[' or '{' */
AstExpr *parse_genexp(Parser *p);
AstExpr *parse_tuple(Parser *p); /* these three for the second pass */
AstExpr *parse_group(Parser *p);
AstExpr *parse_list(Parser *p);
bool parse_double_starred_kvpair(Parser *p); /* pushes key and value */
bool parse_for_if_clauses(Parser *p, AstComprehensionSeq *generators);
bool parse_star_named_expressions(Parser *p); /* pushes them */

/* Strings (parse_string.c). */
AstExpr *parse_strings(Parser *p);
AstExpr *parse_fstring(Parser *p);
bool parse_format_pieces(Parser *p, bool is_template); /* of a format spec, pushed */
bool parser_starts_string(TokenKind kind);

/* Targets (parse_target.c). */
AstExpr *parse_star_targets(Parser *p);
AstExpr *parse_star_target(Parser *p);
/* Gives a parsed expression the context, when it is a valid target of that kind. */
bool target_set_context(AstExpr *target, AstContext ctx);
typedef enum TargetKind { TARGET_STAR, TARGET_DEL, TARGET_FOR } TargetKind;
/* The first part that is not a target, or NULL. */
AstExpr *target_find_invalid(AstExpr *target, TargetKind kind);
/* "cannot assign to literal" or nothing: raises when the target is invalid. Returns NULL. */
void *target_raise_invalid(Parser *p, TargetKind kind, AstExpr *target);
/* What an expression is called in messages: "function call". */
const char *expr_name(const AstExpr *expr);

/* Parameters (parse_params.c). */
AstArguments *parse_params(Parser *p, bool is_lambda); /* up to but without ')' or ':' */
bool parse_type_params(Parser *p, AstTypeParamSeq *params);

/* Statements (parse_stmt.c, parse_compound.c, parse_match.c). */
bool parse_statement(Parser *p);    /* pushes one compound or a line of simple ones */
bool parse_simple_stmts(Parser *p); /* pushes a line of them */
AstStmt *parse_simple_stmt(Parser *p);
AstStmt *parse_compound_stmt(Parser *p); /* at one of its keywords */
/* A block behind its colon. `what` and `line` are for the message about a missing one: "'if'
 * statement", "function definition". */
bool parse_block(Parser *p, const char *what, int32_t line, AstStmtSeq *body);
AstStmt *parse_match_stmt(Parser *p); /* NULL with the position reset when it is none */

/* "Invalid" rules, for the second pass alone. Each raises or returns with the position reset. */
void diagnose_expression(Parser *p);
void diagnose_named_expression(Parser *p);
void diagnose_assignment(Parser *p);
void diagnose_arguments(Parser *p);
void diagnose_kwarg(Parser *p);
void diagnose_starred(Parser *p);
void diagnose_comprehension(Parser *p);
void diagnose_group(Parser *p);
void diagnose_dict(Parser *p);
void diagnose_dict_comprehension(Parser *p);
void diagnose_for_target(Parser *p);
void diagnose_for_if_clause(Parser *p);
void diagnose_params(Parser *p, bool is_lambda);
void diagnose_star_etc(Parser *p, bool is_lambda);
void diagnose_kwds(Parser *p, bool is_lambda);
void diagnose_fstring_field(Parser *p);
void diagnose_with(Parser *p);
void diagnose_del(Parser *p);
void diagnose_raise(Parser *p);
void diagnose_import(Parser *p);

#endif
