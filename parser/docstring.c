/* docstring.c: the indentation of docstrings; see docstring.h. */
#include "docstring.h"

#include <string.h>

static size_t line_end(const char *text, size_t len, size_t start) {
    const char *newline = memchr(text + start, '\n', len - start);
    return newline == NULL ? len : (size_t)(newline - text);
}

static size_t count_spaces(const char *text, size_t start, size_t end) {
    size_t spaces = 0;
    while (start + spaces < end && text[start + spaces] == ' ')
        spaces++;
    return spaces;
}

/* The least indentation of the lines behind the first that are not blank. */
static size_t find_margin(const char *text, size_t len) {
    size_t margin = SIZE_MAX;
    size_t start = line_end(text, len, 0);
    while (start < len) {
        start++;
        size_t end = line_end(text, len, start);
        size_t spaces = count_spaces(text, start, end);
        if (start + spaces < end && spaces < margin) margin = spaces;
        start = end;
    }
    return margin == SIZE_MAX ? 0 : margin;
}

/* Tabs become spaces up to the next column that is a multiple of 8. */
static char *expand_tabs(Arena *arena, const char *text, size_t *len) {
    size_t tabs = 0;
    for (size_t i = 0; i < *len; i++)
        tabs += text[i] == '\t';
    char *out = arena_take(arena, *len + tabs * 7 + 1);
    if (out == NULL) return NULL;
    size_t size = 0;
    size_t col = 0;
    for (size_t i = 0; i < *len; i++) {
        if (text[i] == '\t') {
            do {
                out[size++] = ' ';
                col++;
            } while (col % 8 != 0);
            continue;
        }
        out[size++] = text[i];
        if (text[i] == '\n' || text[i] == '\r')
            col = 0;
        else if (((unsigned char)text[i] & 0xC0) != 0x80)
            col++;
    }
    out[size] = '\0';
    *len = size;
    return out;
}

static void clean(Arena *arena, AstConstant *doc) {
    size_t len = doc->len;
    char *text = expand_tabs(arena, doc->text, &len);
    if (text == NULL) return;
    size_t margin = find_margin(text, len);
    size_t out = 0;
    size_t start = count_spaces(text, 0, len);
    for (;;) {
        size_t end = line_end(text, len, start);
        memmove(text + out, text + start, end - start);
        out += end - start;
        if (end == len) break;
        text[out++] = '\n';
        start = end + 1;
        size_t spaces = count_spaces(text, start, len);
        start += spaces < margin ? spaces : margin;
    }
    text[out] = '\0';
    doc->text = text;
    doc->len = (uint32_t)out;
}

bool docstring_clean(Arena *arena, const AstStmtSeq *body) {
    if (body->count == 0 || body->items[0]->kind != STMT_Expr) return false;
    AstExpr *expr = body->items[0]->Expr.value;
    if (expr->kind != EXPR_Constant || expr->Constant.value.kind != CONSTANT_Str) return false;
    clean(arena, &expr->Constant.value);
    return true;
}
