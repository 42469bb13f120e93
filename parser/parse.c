/* parse.c: the token buffer, errors, and the rules at the top: file, eval and interactive.
 *
 * The buffer begins at the current top-level statement, so a long file needs no more of it than its
 * longest statement, and the second pass can begin again there.
 */
#include "parser.h"
#include "typo.h"
#include "vm/memory.h"

#include <string.h>

#define FIRST_TOKENS 256
#define FIRST_STACK 256

/* The second pass gives up on its message after this many rules for each token: a bound on the time
 * that a hostile source can take, far above what real ones need. */
#define STEPS_PER_TOKEN 2000
#define STEPS_AT_LEAST 200000

static const char too_complex[] = "Parser stack overflowed - Python source too complex to compile";

/* Doubles an array in the arena. */
static bool grow_array(Parser *p, void **items, int32_t *capacity, int32_t first, size_t size) {
    int32_t wanted = *capacity == 0 ? first : *capacity * 2;
    void *grown = wanted > INT32_MAX / 4 ? NULL : arena_take(p->arena, (size_t)wanted * size);
    if (grown == NULL) {
        parser_raise_memory(p);
        return false;
    }
    if (*capacity != 0) memcpy(grown, *items, (size_t)*capacity * size);
    *items = grown;
    *capacity = wanted;
    return true;
}

/* Tokens. */

static bool grow_tokens(Parser *p) {
    return grow_array(p, (void **)&p->tokens, &p->capacity, FIRST_TOKENS, sizeof *p->tokens);
}

/* There is always room for one more token, which is an ERROR once something has failed. */
void parser_fill(Parser *p) {
    if (p->count + 1 == p->capacity) grow_tokens(p);
    Token *token = &p->tokens[p->count];
    if (p->failed) {
        *token = (Token){.kind = TOKEN_ERROR, .start = p->lexer.cur, .end = p->lexer.cur};
        return;
    }
    lexer_next(&p->lexer, token);
    if (token->kind == TOKEN_ERROR) {
        p->failed = true;
        p->lexer_failed = true;
        return;
    }
    p->count++;
}

TokenKind parser_kind_after(Parser *p) {
    if (parser_kind(p) == TOKEN_ERROR) return TOKEN_ERROR;
    if (p->pos + 1 == p->count) {
        p->pos++;
        parser_fill(p);
        p->pos--;
    }
    return p->failed ? TOKEN_ERROR : p->tokens[p->pos + 1].kind;
}

bool parser_expect_forced(Parser *p, TokenKind kind) {
    if (parser_accept(p, kind)) return true;
    if (!p->failed) parser_raise_next(p, "expected '%s'", token_text(kind));
    return false;
}

AstName *parser_name(Parser *p) {
    if (!parser_is_name(parser_kind(p))) return NULL;
    return p->tokens[p->pos++].name;
}

AstSpan parser_span_from(const Parser *p, AstSpan start) {
    int32_t last = p->pos - 1;
    while (last > 0 &&
           (p->tokens[last].kind == TOKEN_NEWLINE || p->tokens[last].kind == TOKEN_INDENT ||
            p->tokens[last].kind == TOKEN_DEDENT))
        last--;
    return span_join(start, p->tokens[last].span);
}

/* Errors. */

static void *raise_place(Parser *p, ParseErrorKind kind, ErrorPlace place, const char *format,
                         va_list args) {
    if (p->failed) return NULL;
    p->failed = true;
    error_set(p->arena, p->error, kind, p->source.text, place, p->lexer.line <= place.line, format,
              args);
    return NULL;
}

void *parser_raise_place(Parser *p, ParseErrorKind kind, ErrorPlace place, const char *format,
                         ...) {
    va_list args;
    va_start(args, format);
    raise_place(p, kind, place, format, args);
    va_end(args);
    return NULL;
}

void *parser_raise(Parser *p, AstSpan span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    raise_place(p, PARSE_SYNTAX_ERROR, error_place(span), format, args);
    va_end(args);
    return NULL;
}

void *parser_raise_from(Parser *p, AstSpan span, const char *format, ...) {
    ErrorPlace place = error_place(span);
    place.end_line = p->lexer.line;
    place.end_col = (int32_t)(p->lexer.cur - p->lexer.line_start);
    va_list args;
    va_start(args, format);
    raise_place(p, PARSE_SYNTAX_ERROR, place, format, args);
    va_end(args);
    return NULL;
}

/* The place of a token; one without text is where the lexer stands, and nowhere behind the end. */
static ErrorPlace token_place(const Parser *p, const Token *token) {
    ErrorPlace place = error_place(token->span);
    if (token->span.col < 0) {
        bool is_end = p->lexer.cur >= p->lexer.end;
        place.col = is_end ? 0 : (int32_t)(p->lexer.cur - p->lexer.line_start);
        place.end_col = -1;
    }
    return place;
}

static ErrorPlace last_place(const Parser *p) {
    return p->count == 0 ? (ErrorPlace){1, 0, 1, -1} : token_place(p, &p->tokens[p->count - 1]);
}

void *parser_raise_last(Parser *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    raise_place(p, PARSE_SYNTAX_ERROR, last_place(p), format, args);
    va_end(args);
    return NULL;
}

void *parser_raise_next(Parser *p, const char *format, ...) {
    if (parser_kind(p) == TOKEN_ERROR) return NULL;
    va_list args;
    va_start(args, format);
    raise_place(p, PARSE_SYNTAX_ERROR, token_place(p, parser_token(p)), format, args);
    va_end(args);
    return NULL;
}

void *parser_raise_indentation(Parser *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    raise_place(p, PARSE_INDENTATION_ERROR, last_place(p), format, args);
    va_end(args);
    return NULL;
}

void *parser_raise_memory(Parser *p) {
    if (!p->failed) {
        p->failed = true;
        error_set_memory(p->error, "out of memory");
    }
    return NULL;
}

bool parser_enter(Parser *p) {
    if (p->depth >= PARSER_MAX_DEPTH) {
        if (!p->failed) {
            p->failed = true;
            error_set_memory(p->error, too_complex);
        }
        return false;
    }
    if (p->diagnosing && ++p->steps > STEPS_AT_LEAST + (int64_t)p->count * STEPS_PER_TOKEN)
        p->failed = true; /* without an error: the generic one is raised in the end */
    p->depth++;
    return true;
}

/* Remembered results. */

static bool grow_memos(Parser *p) {
    int32_t wanted = p->capacity;
    Memo(*memos)[MEMO_COUNT] = arena_take_zeroed(p->arena, (size_t)wanted * sizeof *memos);
    if (memos == NULL) {
        parser_raise_memory(p);
        return false;
    }
    if (p->memo_capacity != 0) memcpy(memos, p->memos, (size_t)p->memo_capacity * sizeof *memos);
    p->memos = memos;
    p->memo_capacity = wanted;
    return true;
}

bool parser_recall(Parser *p, MemoRule rule, void **node) {
    if (p->failed || p->pos >= p->memo_capacity || !p->memos[p->pos][rule].is_known) return false;
    Memo *memo = &p->memos[p->pos][rule];
    *node = memo->node;
    p->pos = memo->end;
    return true;
}

void *parser_remember(Parser *p, MemoRule rule, int32_t start, void *node) {
    if (p->failed || (start >= p->memo_capacity && !grow_memos(p))) return NULL;
    p->memos[start][rule] = (Memo){node, p->pos, true};
    return node;
}

/* Sequences. */

bool parser_push(Parser *p, void *item) {
    if (p->stack_count == p->stack_capacity &&
        !grow_array(p, (void **)&p->stack, &p->stack_capacity, FIRST_STACK, sizeof *p->stack))
        return false;
    p->stack[p->stack_count++] = item;
    return true;
}

bool parser_take_items(Parser *p, int32_t mark, void ***items, int32_t *count) {
    int32_t taken = p->stack_count - mark;
    p->stack_count = mark;
    *count = 0;
    *items = NULL;
    if (taken == 0) return true;
    *items = arena_take(p->arena, (size_t)taken * sizeof **items);
    if (*items == NULL) {
        parser_raise_memory(p);
        return false;
    }
    memcpy(*items, p->stack + mark, (size_t)taken * sizeof **items);
    *count = taken;
    return true;
}

/* Nodes. */

AstExpr *parser_expr(Parser *p, AstExprKind kind, AstSpan span) {
    AstExpr *expr = ast_new_expr(p->arena, kind, span);
    return expr != NULL ? expr : parser_raise_memory(p);
}

AstStmt *parser_stmt(Parser *p, AstStmtKind kind, AstSpan span) {
    AstStmt *stmt = ast_new_stmt(p->arena, kind, span);
    return stmt != NULL ? stmt : parser_raise_memory(p);
}

AstPattern *parser_pattern(Parser *p, AstPatternKind kind, AstSpan span) {
    AstPattern *pattern = ast_new_pattern(p->arena, kind, span);
    return pattern != NULL ? pattern : parser_raise_memory(p);
}

void *parser_zeroed(Parser *p, size_t size) {
    void *piece = arena_take_zeroed(p->arena, size);
    return piece != NULL ? piece : parser_raise_memory(p);
}

AstExpr *parser_name_expr(Parser *p, const Token *token, AstContext ctx) {
    AstName *id = token->name;
    AstExpr *expr = parser_expr(p, EXPR_Name, token->span);
    if (expr != NULL) {
        expr->Name.id = id;
        expr->Name.ctx = ctx;
    }
    return expr;
}

/* The rules at the top. */

/* Forgets the tokens of the statements before: nothing goes back behind a top-level statement. */
static void begin_statement(Parser *p) {
    int32_t left = p->count - p->pos;
    if (left > 0) memmove(p->tokens, p->tokens + p->pos, (size_t)left * sizeof *p->tokens);
    if (p->memo_capacity > 0 && p->pos > 0)
        memset(p->memos, 0, (size_t)p->memo_capacity * sizeof *p->memos);
    p->count = left;
    p->pos = 0;
}

static bool parse_statements(Parser *p) {
    while (!p->failed) {
        begin_statement(p);
        if (parser_at(p, TOKEN_ENDMARKER)) return true;
        if (!parse_statement(p)) return false;
    }
    return false;
}

/* file: [statements] ENDMARKER */
static bool parse_file(Parser *p, AstModule *module) {
    module->kind = MODULE_Module;
    return parse_statements(p) && PARSER_TAKE(p, 0, &module->body);
}

/* eval: expressions NEWLINE* ENDMARKER */
static bool parse_eval(Parser *p, AstModule *module) {
    module->kind = MODULE_Expression;
    module->expression = parse_expressions(p);
    if (module->expression == NULL) return false;
    while (parser_accept(p, TOKEN_NEWLINE)) {
    }
    return parser_accept(p, TOKEN_ENDMARKER);
}

/* Whether the source ends in an empty line: the sign that a compound statement is complete. */
static bool ends_in_blank_line(const Parser *p) {
    const char *text = p->source.text;
    size_t end = p->source.len - 1;
    if (p->source.newline_is_added) return false;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
        end--;
    return end == 0 || text[end - 1] == '\n';
}

static bool is_compound(const AstStmt *stmt) {
    switch (stmt->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef:
    case STMT_ClassDef:
    case STMT_For:
    case STMT_AsyncFor:
    case STMT_While:
    case STMT_If:
    case STMT_With:
    case STMT_AsyncWith:
    case STMT_Match:
    case STMT_Try:
    case STMT_TryStar: return true;
    default: return false;
    }
}

static bool fail_incomplete(Parser *p) {
    p->failed = true;
    *p->error = (ParseError){.kind = PARSE_INCOMPLETE, .message = "incomplete input"};
    return false;
}

/* interactive: one statement, or simple statements on one line, or nothing. */
static bool parse_interactive(Parser *p, AstModule *module) {
    module->kind = MODULE_Interactive;
    begin_statement(p);
    if (parser_at(p, TOKEN_ENDMARKER)) return true;
    if (!parse_statement(p) || !PARSER_TAKE(p, 0, &module->body)) return false;
    if (is_compound(module->body.items[0]) && !ends_in_blank_line(p)) return fail_incomplete(p);
    if (parser_at(p, TOKEN_ENDMARKER)) return true;
    if (!p->failed)
        parser_raise_place(p, PARSE_SYNTAX_ERROR, (ErrorPlace){1, 1, 1, 0},
                           "multiple statements found while compiling a single statement");
    return false;
}

static bool parse_top(Parser *p, AstModule *module) {
    p->stack_count = 0;
    p->depth = 0;
    switch (p->mode) {
    case PARSE_FILE: return parse_file(p, module);
    case PARSE_EVAL: return parse_eval(p, module);
    case PARSE_SINGLE: return parse_interactive(p, module);
    }
    return false;
}

/* After a failure. */

/* Reads on to the end of the source: an error of the lexer further on, or an unclosed bracket
 * above, explains more than what the parser has found, unless it is a soft one or inside of an
 * f-string. `line` is that of the parser's error token. */
static void look_for_lexer_error(Parser *p, int32_t line) {
    ParseError error = *p->error;
    Lexer *lexer = &p->lexer;
    Token token;
    do {
        lexer_next(lexer, &token);
    } while (token.kind != TOKEN_ERROR && token.kind != TOKEN_ENDMARKER);
    if (token.kind == TOKEN_ERROR && !lexer->has_soft_error && lexer->fstring_level == 0) return;
    *p->error = error;
    bool is_soft = token.kind == TOKEN_ERROR && lexer->has_soft_error;
    if (is_soft && lexer->paren_level > 0 && line > lexer->parens[lexer->paren_level - 1].line)
        lexer_fail_unclosed(lexer, &token);
}

/* "invalid syntax" at the token where the first pass stopped, or what its kind says better: then at
 * `place`, since such a token has no text. */
static void raise_generic(Parser *p, const Token *last, ErrorPlace place) {
    p->failed = false;
    ErrorPlace exact = error_place(last->span);
    if (last->kind == TOKEN_INDENT)
        parser_raise_place(p, PARSE_INDENTATION_ERROR, place, "unexpected indent");
    else if (last->kind == TOKEN_DEDENT)
        parser_raise_place(p, PARSE_INDENTATION_ERROR, place, "unexpected unindent");
    else
        parser_raise_place(p, PARSE_SYNTAX_ERROR, exact, "invalid syntax");
}

/* Whether the parser stopped only because the source does not go on. */
static bool is_at_end(const Parser *p) {
    if (p->lexer_failed) return p->lexer.has_open_literal;
    const Token *last = &p->tokens[p->count - 1];
    bool is_end = last->kind == TOKEN_ENDMARKER || last->kind == TOKEN_DEDENT;
    return is_end && p->lexer.cur >= p->lexer.end && !ends_in_blank_line(p);
}

/* The first pass has failed: finds the error to report. */
static void explain(Parser *p, AstModule *module) {
    if (p->error->kind == PARSE_MEMORY_ERROR || p->error->kind == PARSE_INCOMPLETE) return;
    if (p->allows_incomplete && is_at_end(p)) {
        fail_incomplete(p);
        return;
    }
    if (p->lexer_failed) return;
    Token last = p->tokens[p->count - 1];
    ErrorPlace place = last_place(p);
    for (int pass = 0; pass < 2 && !p->failed; pass++) {
        /* First quietly: what is wrong in a dict comes before all else, see diagnose_dict. */
        p->diagnosing = true;
        p->quiet = pass == 0;
        p->pos = 0;
        if (p->memo_capacity > 0) memset(p->memos, 0, (size_t)p->memo_capacity * sizeof *p->memos);
        parse_top(p, module);
    }
    if (p->error->kind == PARSE_MEMORY_ERROR || p->lexer_failed) return;
    bool is_generic = p->error->kind == PARSE_NO_ERROR;
    if (is_generic) raise_generic(p, &last, place);
    bool is_indentation = is_generic && p->error->kind == PARSE_INDENTATION_ERROR;
    if (p->mode != PARSE_SINGLE && !is_indentation && p->error->kind != PARSE_MEMORY_ERROR)
        look_for_lexer_error(p, p->tokens[p->count - 1].span.line);
}

/* Reads the source into the module; what the parser needs beside it lives in *p. */
static bool run(Parser *p, AstModule *module, const char *source, size_t len, bool is_text) {
    if (!lexer_add_keywords(p->names) || !grow_tokens(p)) {
        error_set_memory(p->error, "out of memory");
        return false;
    }
    if (!source_decode(p->arena, source, len, is_text, &p->source, p->error)) return false;
    lexer_init(&p->lexer, p->arena, p->names, p->source.text, p->source.len, p->error);
    bool is_parsed = parse_top(p, module) && !p->failed;
    if (!is_parsed) explain(p, module);
    module->names = p->names;
    module->source = p->source.text;
    module->warnings = p->lexer.warnings;
    return is_parsed;
}

typedef struct ParseWish {
    ParseMode mode;
    bool is_text;
    bool allows_incomplete;
    bool wants_hint;
} ParseWish;

static AstModule *parse(Arena *arena, const char *source, size_t len, ParseWish wish,
                        ParseError *error) {
    *error = (ParseError){.kind = PARSE_NO_ERROR};
    AstModule *module = arena_take_zeroed(arena, sizeof *module);
    NameTable *names = arena_take(arena, sizeof *names);
    Parser *p = memory_new(arena->vm, sizeof *p);
    if (module == NULL || names == NULL || p == NULL) {
        memory_free(p);
        error_set_memory(error, "out of memory");
        return NULL;
    }
    names_init(names, arena);
    *p = (Parser){.arena = arena, .names = names, .error = error, .mode = wish.mode};
    p->allows_incomplete = wish.allows_incomplete;
    bool is_parsed = run(p, module, source, len, wish.is_text);
    if (!is_parsed && wish.wants_hint && p->source.text != NULL)
        typo_explain(arena, p->source.text, p->statement_line, error);
    memory_free(p);
    return is_parsed ? module : NULL;
}

AstModule *parse_source(Arena *arena, const char *source, size_t len, ParseMode mode,
                        ParseError *error) {
    return parse(arena, source, len, (ParseWish){mode, false, mode == PARSE_SINGLE, true}, error);
}

AstModule *parse_text(Arena *arena, const char *text, size_t len, ParseMode mode,
                      ParseError *error) {
    return parse(arena, text, len, (ParseWish){mode, true, mode == PARSE_SINGLE, true}, error);
}

bool parse_beginning(Arena *arena, const char *text, size_t len, ParseError *error) {
    return parse(arena, text, len, (ParseWish){PARSE_FILE, true, true, false}, error) != NULL ||
           error->kind == PARSE_INCOMPLETE;
}
