/* parse_string.c: string literals, their concatenation, and f-strings.
 *
 * Adjacent literals become one node: a Constant when all are plain, else a JoinedStr (f-strings) or
 * TemplateStr (t-strings) whose neighbouring pieces of text are merged and whose empty ones are
 * gone.
 */
#include "literals.h"
#include "parser.h"
#include "vm/objects/unicode_names.h"

#include <string.h>

/* Text. */

static void *raise_escape(Parser *p, const EscapeError *error) {
    if (error->end == error->start + 1)
        return parser_raise_last(p,
                                 "(unicode error) 'unicodeescape' codec can't decode byte 0x5c in "
                                 "position %d: %s",
                                 error->start, error->reason);
    return parser_raise_last(p,
                             "(unicode error) 'unicodeescape' codec can't decode bytes in position "
                             "%d-%d: %s",
                             error->start, error->end - 1, error->reason);
}

/* The place of a backslash in the text that begins in the line of `span`; of one in bytes, the
 * literal's. */
static AstSpan escape_span(const Parser *p, AstSpan span, const char *text, const char *backslash,
                           bool is_bytes) {
    const char *start = backslash;
    if (!is_bytes) {
        for (const char *at = text; at < backslash; at++)
            span.line += *at == '\n';
        while (start > p->lexer.text && start[-1] != '\n')
            start--;
        span.col = (int32_t)(backslash - start);
    }
    return (AstSpan){span.line, span.col, span.line, span.col + 2};
}

static void warn_odd_escape(Parser *p, AstSpan span, const char *text, const char *escape,
                            bool is_bytes) {
    bool is_octal = *escape >= '0' && *escape <= '7';
    int len = is_octal ? 3 : 1;
    span = escape_span(p, span, text, escape - 1, is_bytes);
    lexer_warn(
        &p->lexer, span,
        "\"\\%.*s\" is an invalid %sescape sequence. Such sequences will not work in the future. "
        "Did you mean \"\\\\%.*s\"? A raw string is also an option.",
        len, escape, is_octal ? "octal " : "", len, escape);
}

/* Looking for names of characters takes time that the size of the source does not tell: as much as
 * so many bytes of the tree. False: no more. */
static bool afford_names(Arena *arena, const char *text, size_t len) {
    enum { BYTES = 32 * UNICODE_NAME_STEPS };
    for (const char *at = text, *end = text + len; arena->poll != NULL;) {
        at = memchr(at, 'N', (size_t)(end - at));
        if (at == NULL) break;
        if (at > text && at[-1] == '\\' && !arena->poll(arena->vm, BYTES)) return false;
        at++;
    }
    return true;
}

/* Fills in a Str or Bytes from the body of a literal. */
static bool decode_text(Parser *p, AstSpan span, const char *text, size_t len, bool is_raw,
                        bool is_bytes, AstConstant *constant) {
    constant->kind = is_bytes ? CONSTANT_Bytes : CONSTANT_Str;
    if (is_raw || len == 0 || memchr(text, '\\', len) == NULL) {
        constant->text = arena_copy_text(p->arena, text, len);
        constant->len = (uint32_t)len;
        return constant->text != NULL || parser_raise_memory(p) != NULL;
    }
    char *dst =
        is_bytes || afford_names(p->arena, text, len) ? arena_take(p->arena, len + 1) : NULL;
    if (dst == NULL) return parser_raise_memory(p) != NULL;
    EscapeError error = {0};
    int64_t size = is_bytes ? literal_decode_bytes(dst, text, len, &error)
                            : literal_decode_str(dst, text, len, &error);
    if (size < 0) {
        if (is_bytes)
            parser_raise_last(p, "(value error) %s %d", error.reason, error.start);
        else
            raise_escape(p, &error);
        return false;
    }
    if (error.odd != NULL && !p->diagnosing) warn_odd_escape(p, span, text, error.odd, is_bytes);
    dst[size] = '\0';
    constant->text = dst;
    constant->len = (uint32_t)size;
    return true;
}

static bool is_ascii(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80) return false;
    }
    return true;
}

static AstExpr *make_text(Parser *p, AstSpan span, const char *text, size_t len, bool is_raw) {
    AstExpr *expr = parser_expr(p, EXPR_Constant, span);
    if (expr == NULL || !decode_text(p, span, text, len, is_raw, false, &expr->Constant.value))
        return NULL;
    return expr;
}

/* string: STRING */
static AstExpr *parse_plain_string(Parser *p) {
    Token token = *parser_token(p);
    p->pos++;
    const char *text = token.start;
    bool is_raw = false;
    bool is_bytes = false;
    bool has_u = false;
    for (; *text != '"' && *text != '\''; text++) {
        is_raw |= (*text | 0x20) == 'r';
        is_bytes |= (*text | 0x20) == 'b';
        has_u |= *text == 'u';
    }
    size_t len = (size_t)(token.end - text);
    size_t quote = len >= 6 && text[1] == text[0] && text[2] == text[0] ? 3 : 1;
    text += quote;
    len -= 2 * quote;
    if (is_bytes && !is_ascii(text, len))
        return parser_raise(p, token.span, "bytes can only contain ASCII literal characters");
    AstExpr *expr = parser_expr(p, EXPR_Constant, token.span);
    if (expr == NULL ||
        !decode_text(p, token.span, text, len, is_raw, is_bytes, &expr->Constant.value))
        return NULL;
    expr->Constant.value.has_u_prefix = has_u;
    return expr;
}

/* Replacement fields. */

/* What the parts of one f-string have in common. */
typedef struct FString {
    TokenKind middle; /* FSTRING_MIDDLE or TSTRING_MIDDLE */
    TokenKind end;
    bool is_raw;
    bool is_template;
} FString;

typedef struct Field {
    AstExpr *value;
    AstExpr *spec;
    int32_t conversion; /* 's', 'r', 'a' or -1 */
    Token conversion_token;
    bool is_debug;
    const char *text; /* of the expression: between the brace and what ends it */
    const char *text_end;
    AstSpan text_span;
    AstSpan span;
} Field;

static AstExpr *parse_format_spec(Parser *p, const FString *f);

/* The text of a field without its comments. */
static AstExpr *make_field_text(Parser *p, const char *text, const char *end, AstSpan span) {
    char *copy = arena_take(p->arena, (size_t)(end - text) + 1);
    AstExpr *expr = parser_expr(p, EXPR_Constant, span);
    if (copy == NULL || expr == NULL) return parser_raise_memory(p);
    size_t size = 0;
    char quote = '\0';
    for (; text < end; text++) {
        if (quote == '\0' && *text == '#') {
            while (text < end && *text != '\n')
                text++;
            if (text == end) break;
        } else if (*text == '"' || *text == '\'') {
            quote = quote == *text ? '\0' : quote == '\0' ? *text : quote;
        }
        copy[size++] = *text;
    }
    copy[size] = '\0';
    expr->Constant.value = (AstConstant){.kind = CONSTANT_Str, .len = (uint32_t)size, .text = copy};
    return expr;
}

/* fstring_conversion: '!' NAME */
static bool parse_conversion(Parser *p, const FString *f, Field *field) {
    Token mark = *parser_token(p);
    if (!parser_accept(p, TOKEN_EXCLAMATION)) return true;
    Token token = *parser_token(p);
    AstName *name = parser_name(p);
    if (name == NULL) return false;
    char letter = f->is_template ? 't' : 'f';
    if (mark.end != token.start) {
        parser_raise(p, span_join(mark.span, token.span),
                     "%c-string: conversion type must come right after the exclamation mark",
                     letter);
        return false;
    }
    field->conversion = name->text[0];
    field->conversion_token = token;
    return true;
}

static bool check_conversion(Parser *p, const FString *f, const Field *field) {
    const AstName *name = field->conversion_token.name;
    if (name == NULL || (name->len == 1 && strchr("sra", name->text[0]) != NULL)) return true;
    parser_raise(p, field->conversion_token.span,
                 "%c-string: invalid conversion character '%s': expected 's', 'r', or 'a'",
                 f->is_template ? 't' : 'f', name->text);
    return false;
}

static bool parse_field_parts(Parser *p, const FString *f, Field *field) {
    Token open = *parser_token(p);
    p->pos++;
    field->conversion = -1;
    field->value = parse_annotated_rhs(p);
    if (field->value == NULL) return false;
    field->is_debug = parser_accept(p, TOKEN_EQUAL);
    TokenKind kind = parser_kind(p);
    if (kind == TOKEN_ERROR) return false;
    Token behind = *parser_token(p);
    field->text = open.end;
    field->text_end = behind.start;
    field->text_span =
        (AstSpan){open.span.end_line, open.span.end_col, behind.span.line, behind.span.col};
    if (!parse_conversion(p, f, field)) return false;
    if (parser_accept(p, TOKEN_COLON)) {
        field->spec = parse_format_spec(p, f);
        if (field->spec == NULL) return false;
    }
    if (!parser_accept(p, TOKEN_RBRACE) || !check_conversion(p, f, field)) return false;
    field->span = span_join(open.span, parser_previous_span(p));
    return true;
}

/* The expression's text in an Interpolation: without the '=' and the blanks around the whole. */
static void trim_interpolation(Field *field) {
    while (field->text_end > field->text && strchr(" \t\n\f\r=", field->text_end[-1]) != NULL)
        field->text_end--;
}

static AstExpr *make_interpolation(Parser *p, Field *field) {
    trim_interpolation(field);
    AstExpr *text = make_field_text(p, field->text, field->text_end, field->text_span);
    AstExpr *expr = parser_expr(p, EXPR_Interpolation, field->span);
    if (text == NULL || expr == NULL) return NULL;
    expr->Interpolation.value = field->value;
    expr->Interpolation.str = text->Constant.value;
    expr->Interpolation.conversion = field->conversion;
    expr->Interpolation.format_spec = field->spec;
    return expr;
}

static AstExpr *make_formatted_value(Parser *p, const Field *field) {
    AstExpr *expr = parser_expr(p, EXPR_FormattedValue, field->span);
    if (expr == NULL) return NULL;
    expr->FormattedValue.value = field->value;
    expr->FormattedValue.conversion = field->conversion;
    expr->FormattedValue.format_spec = field->spec;
    return expr;
}

/* fstring_replacement_field, pushed; with '=' the text of the expression comes first. */
static bool parse_field(Parser *p, const FString *f, bool in_spec) {
    Mark start = parser_mark(p);
    Field field = {0};
    if (!parser_enter(p)) return false;
    bool is_field = parse_field_parts(p, f, &field);
    parser_leave(p);
    if (!is_field) {
        parser_reset(p, start);
        if (parser_is_diagnosing(p)) diagnose_fstring_field(p);
        return false;
    }
    if (field.is_debug) {
        AstExpr *text = make_field_text(p, field.text, field.text_end, field.text_span);
        if (text == NULL || !parser_push(p, text)) return false;
        if (field.conversion == -1 && field.spec == NULL) field.conversion = 'r';
    }
    AstExpr *expr = f->is_template && !in_spec ? make_interpolation(p, &field)
                                               : make_formatted_value(p, &field);
    return expr != NULL && parser_push(p, expr);
}

/* Merging. */

static bool is_text(const AstExpr *expr) {
    return expr->kind == EXPR_Constant;
}

/* One Constant from a run of them. */
static AstExpr *merge_texts(Parser *p, AstExpr **items, int32_t count) {
    if (count == 1) return items[0];
    size_t len = 0;
    for (int32_t i = 0; i < count; i++)
        len += items[i]->Constant.value.len;
    char *text = arena_take(p->arena, len + 1);
    AstExpr *expr =
        parser_expr(p, EXPR_Constant, span_join(items[0]->span, items[count - 1]->span));
    if (text == NULL || expr == NULL || len > UINT32_MAX) return parser_raise_memory(p);
    expr->Constant.value = items[0]->Constant.value;
    expr->Constant.value.text = text;
    expr->Constant.value.len = (uint32_t)len;
    for (int32_t i = 0; i < count; i++) {
        memcpy(text, items[i]->Constant.value.text, items[i]->Constant.value.len);
        text += items[i]->Constant.value.len;
    }
    *text = '\0';
    return expr;
}

/* Merges the runs of text among the items above `height` and drops the empty ones. */
static bool merge_pieces(Parser *p, int32_t height) {
    int32_t out = height;
    int32_t i = height;
    while (i < p->stack_count) {
        int32_t run = i;
        while (run < p->stack_count && is_text(p->stack[run]))
            run++;
        if (run == i) {
            p->stack[out++] = p->stack[i++];
            continue;
        }
        AstExpr *text = merge_texts(p, (AstExpr **)p->stack + i, run - i);
        if (text == NULL) return false;
        i = run;
        if (text->Constant.value.len != 0) p->stack[out++] = text;
    }
    p->stack_count = out;
    return true;
}

static AstExpr *finish_joined(Parser *p, AstExprKind kind, AstSpan span, int32_t height) {
    AstExpr *expr = merge_pieces(p, height) ? parser_expr(p, kind, span) : NULL;
    if (expr == NULL) return NULL;
    AstExprSeq *values =
        kind == EXPR_JoinedStr ? &expr->JoinedStr.values : &expr->TemplateStr.values;
    return PARSER_TAKE(p, height, values) ? expr : NULL;
}

/* f-strings. */

/* Text and fields in turn, pushed, until neither matches. */
static bool parse_pieces(Parser *p, const FString *f, bool in_spec) {
    for (;;) {
        TokenKind kind = parser_kind(p);
        if (kind == f->middle) {
            const Token *token = parser_token(p);
            AstExpr *text = make_text(p, token->span, token->start,
                                      (size_t)(token->end - token->start), f->is_raw);
            p->pos++;
            if (text == NULL || !parser_push(p, text)) return false;
        } else if (kind != TOKEN_LBRACE) {
            return !p->failed;
        } else if (!parse_field(p, f, in_spec)) {
            return false;
        }
    }
}

bool parse_format_pieces(Parser *p, bool is_template) {
    FString f = {.middle = TOKEN_FSTRING_MIDDLE, .end = TOKEN_FSTRING_END};
    if (is_template)
        f = (FString){
            .middle = TOKEN_TSTRING_MIDDLE, .end = TOKEN_TSTRING_END, .is_template = true};
    return parse_pieces(p, &f, true);
}

/* fstring_full_format_spec, behind the colon */
static AstExpr *parse_format_spec(Parser *p, const FString *f) {
    int32_t height = p->stack_count;
    AstSpan colon = parser_previous_span(p);
    if (!parse_pieces(p, f, true)) return NULL;
    return finish_joined(p, EXPR_JoinedStr, parser_span_from(p, colon), height);
}

/* fstring: FSTRING_START fstring_middle* FSTRING_END, its pieces pushed */
static bool push_fstring(Parser *p) {
    Token start = *parser_token(p);
    FString f = {.middle = TOKEN_FSTRING_MIDDLE, .end = TOKEN_FSTRING_END};
    if (start.kind == TOKEN_TSTRING_START)
        f = (FString){
            .middle = TOKEN_TSTRING_MIDDLE, .end = TOKEN_TSTRING_END, .is_template = true};
    for (const char *c = start.start; *c != '"' && *c != '\''; c++)
        f.is_raw |= (*c | 0x20) == 'r';
    p->pos++;
    return parse_pieces(p, &f, false) && parser_accept(p, f.end);
}

AstExpr *parse_fstring(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstExprKind kind = parser_at(p, TOKEN_TSTRING_START) ? EXPR_TemplateStr : EXPR_JoinedStr;
    int32_t height = p->stack_count;
    if (!push_fstring(p)) return NULL;
    return finish_joined(p, kind, span_join(start, parser_previous_span(p)), height);
}

/* Concatenation. */

static AstExpr *finish_plain(Parser *p, AstSpan span, int32_t height) {
    AstExpr **items = (AstExpr **)p->stack + height;
    int32_t count = p->stack_count - height;
    AstExpr *expr = merge_texts(p, items, count);
    p->stack_count = height;
    if (expr != NULL) expr->span = span;
    return expr;
}

typedef struct Seen {
    bool bytes, text, formatted, template;
} Seen;

static bool push_string(Parser *p, Seen *seen) {
    if (!parser_at(p, TOKEN_STRING)) {
        if (parser_at(p, TOKEN_TSTRING_START))
            seen->template = true;
        else
            seen->text = seen->formatted = true;
        return push_fstring(p);
    }
    AstExpr *expr = parse_plain_string(p);
    if (expr == NULL) return false;
    if (expr->Constant.value.kind == CONSTANT_Bytes)
        seen->bytes = true;
    else
        seen->text = true;
    return parser_push(p, expr);
}

/* strings: (fstring | string)+ | tstring+ */
AstExpr *parse_strings(Parser *p) {
    int32_t height = p->stack_count;
    AstSpan start = parser_token(p)->span;
    AstSpan before = start;
    Seen seen = {0};
    do {
        AstSpan next = parser_token(p)->span;
        if (!push_string(p, &seen)) return NULL;
        AstSpan end = parser_previous_span(p);
        if (seen.template && (seen.bytes || seen.text))
            return parser_raise(p, span_join(before, end),
                                "cannot mix t-string literals with string or bytes literals");
        before = next;
    } while (parser_starts_string(parser_kind(p)));
    if (p->failed) return NULL;
    AstSpan span = span_join(start, parser_previous_span(p));
    if (seen.bytes && seen.text)
        return parser_raise_last(p, "cannot mix bytes and nonbytes literals");
    if (seen.formatted || seen.template)
        return finish_joined(p, seen.template ? EXPR_TemplateStr : EXPR_JoinedStr, span, height);
    return finish_plain(p, span, height);
}
