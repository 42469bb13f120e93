/* carets.c - where the carets of a traceback go.
 *
 * The rules are those of CPython's traceback module: the failing expression is parsed by itself,
 * and if it is a binary operation, a call or a subscript the carets mark the part that does it.
 * Carets that would underline a whole statement, or the call that a return or an assignment
 * consists of, are left out. Of an expression over many lines only the significant ones are shown.
 */
#include "parser/carets.h"

#include "parser/parse.h"
#include "vm/objects.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

typedef struct Line {
    const char *text;
    int32_t size;
} Line;

typedef struct Place {
    int32_t line, col; /* bytes */
} Place;

typedef struct Excerpt {
    Line *lines; /* without the common indentation */
    int32_t count;
    int32_t start, end; /* of the expression: bytes in the first and in the last line */
    bool has_anchors;
    Place left, right; /* between them the anchors */
} Excerpt;

/* ---- lines
 * ----------------------------------------------------------------------------------------------------
 */

static bool split_lines(Excerpt *x, Arena *arena, const char *text, size_t size) {
    const char *end = text + size;
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    x->lines = arena_take(arena, count * sizeof(Line));
    for (x->count = 0; x->lines;
         text = x->lines[x->count - 1].text + x->lines[x->count - 1].size + 1) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        x->lines[x->count++] = (Line){text, (int32_t)((newline ? newline : end) - text)};
        if (!newline) break;
    }
    return x->lines != NULL;
}

static int32_t indentation(Line line) {
    int32_t n = 0;
    while (n < line.size && (line.text[n] == ' ' || line.text[n] == '\t' || line.text[n] == '\f'))
        n++;
    return n;
}

/* What all lines but blank ones begin with. */
static int32_t common_indentation(const Excerpt *x) {
    int32_t first = -1, common = 0;
    for (int32_t i = 0; i < x->count; i++) {
        int32_t own = indentation(x->lines[i]);
        if (own == x->lines[i].size) continue;
        if (first < 0) {
            first = i;
            common = own;
        }
        if (own < common) common = own;
        while (common > 0 && memcmp(x->lines[i].text, x->lines[first].text, (size_t)common) != 0)
            common--;
    }
    return common;
}

static int32_t clamp(int32_t n, int32_t low, int32_t high) {
    return n < low ? low : n > high ? high : n;
}

static void dedent(Excerpt *x) {
    int32_t common = common_indentation(x);
    for (int32_t i = 0; i < x->count; i++) {
        int32_t taken = clamp(common, 0, x->lines[i].size);
        x->lines[i].text += taken;
        x->lines[i].size -= taken;
    }
    x->start = clamp(x->start - common, 0, x->lines[0].size);
    x->end = clamp(x->end - common, 0, x->lines[x->count - 1].size);
}

/* How many columns of a terminal the first `size` bytes take. */
static int32_t display_width(Line line, int32_t size) {
    int32_t width = 0;
    for (int32_t i = 0; i < size && i < line.size;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)line.text + i, line.size - i, &c);
        if (used < 1) used = 1, c = 'x';
        width += c >= 0x1100 && utf8proc_charwidth(c) == 2 ? 2 : 1;
        i += (int32_t)used;
    }
    return width;
}

/* ---- the expression
 * ------------------------------------------------------------------------------------------- */

/* Parses text[0..size) behind `before` and in front of `after`. */
static AstModule *parse_between(Arena *arena, const char *before, const char *text, size_t size,
                                const char *after) {
    size_t before_size = strlen(before), after_size = strlen(after);
    char *source = arena_take(arena, before_size + size + after_size + 1);
    ParseError error;
    if (!source) return NULL;
    memcpy(source, before, before_size);
    memcpy(source + before_size, text, size);
    memcpy(source + before_size + size, after, after_size);
    return parse_source(arena, source, before_size + size + after_size, PARSE_FILE, &error);
}

/* The excerpt's lines from the start to the end of the expression. */
static char *segment_text(Arena *arena, const Excerpt *x, bool whole, size_t *size) {
    size_t total = 1;
    for (int32_t i = 0; i < x->count; i++)
        total += (size_t)x->lines[i].size + 1;
    char *text = arena_take(arena, total);
    *size = 0;
    for (int32_t i = 0; text && i < x->count; i++) {
        int32_t from = i == 0 && !whole ? x->start : 0;
        int32_t to = i == x->count - 1 && !whole ? x->end : x->lines[i].size;
        if (i > 0) text[(*size)++] = '\n';
        if (to <= from) continue;
        memcpy(text + *size, x->lines[i].text + from, (size_t)(to - from));
        *size += (size_t)(to - from);
    }
    return text;
}

/* A position in the parsed text, whose first line is an added bracket, as a place in the excerpt.
 */
static Place place_of(const Excerpt *x, int32_t line, int32_t col) {
    Place place = {line - 2, col};
    if (place.line == 0) place.col += x->start;
    return place;
}

static int32_t line_end(const Excerpt *x, int32_t line) {
    return line == x->count - 1 ? x->end : x->lines[line].size;
}

/* Goes on to the next character, past line ends. */
static bool skip_line_ends(const Excerpt *x, Place *place) {
    while (place->line < x->count && place->col >= line_end(x, place->line))
        *place = (Place){place->line + 1, 0};
    return place->line < x->count;
}

static bool is_operator_start(char c) {
    return !isspace((unsigned char)c) && c != ')';
}
static bool is_bracket(char c) {
    return c == '[';
}
static bool is_parenthesis(char c) {
    return c == '(';
}

/* The next character that will do, comments and continued lines left out. */
static bool find_character(const Excerpt *x, Place *place, bool (*will_do)(char)) {
    while (skip_line_ends(x, place)) {
        char c = x->lines[place->line].text[place->col];
        if (c == '\\' || c == '#')
            *place = (Place){place->line + 1, 0};
        else if (will_do(c))
            return true;
        else
            place->col++;
    }
    return false;
}

static bool anchor_binary(Excerpt *x, const AstExpr *e) {
    const AstExpr *left = e->BinOp.left, *right = e->BinOp.right;
    x->left = place_of(x, left->span.end_line, left->span.end_col);
    if (!find_character(x, &x->left, is_operator_start)) return false;
    Place next = {x->left.line, x->left.col + 1},
          limit = place_of(x, right->span.line, right->span.col);
    x->right = next;
    bool is_outside = limit.line > next.line || next.col < limit.col;
    if (next.col < line_end(x, next.line) && is_outside) {
        char c = x->lines[next.line].text[next.col];
        if (!isspace((unsigned char)c) && c != '\\' && c != '#') x->right.col++;
    }
    return true;
}

static bool anchor_brackets(Excerpt *x, const AstExpr *e, const AstExpr *left,
                            bool (*opens)(char)) {
    x->left = place_of(x, left->span.end_line, left->span.end_col);
    x->right = place_of(x, e->span.end_line, e->span.end_col);
    return find_character(x, &x->left, opens);
}

static bool find_anchors(Excerpt *x, Arena *arena) {
    size_t size;
    char *text = segment_text(arena, x, false, &size);
    AstModule *module = text ? parse_between(arena, "(\n", text, size, "\n)") : NULL;
    if (!module || module->body.count != 1 || module->body.items[0]->kind != STMT_Expr)
        return false;
    const AstExpr *e = module->body.items[0]->Expr.value;
    switch (e->kind) {
    case EXPR_BinOp: return anchor_binary(x, e);
    case EXPR_Subscript: return anchor_brackets(x, e, e->Subscript.value, is_bracket);
    case EXPR_Call: return anchor_brackets(x, e, e->Call.func, is_parenthesis);
    default: return false;
    }
}

/* ---- whether to show any
 * -------------------------------------------------------------------------------------- */

static bool spans_expression(const Excerpt *x, const AstExpr *e) {
    return e->span.line == 1 && e->span.end_line == x->count && e->span.col == x->start &&
           e->span.end_col == x->end;
}

/* The expression is the call of `return f(...)` or `x = ...(...)`. */
static bool is_plain_statement(const Excerpt *x, Arena *arena) {
    size_t size;
    char *text = segment_text(arena, x, true, &size);
    AstModule *module = text ? parse_between(arena, "", text, size, "") : NULL;
    if (!module || module->body.count == 0) return false;
    const AstStmt *s = module->body.items[0];
    if (s->kind == STMT_Return && s->Return.value && s->Return.value->kind == EXPR_Call)
        return s->Return.value->Call.func->kind == EXPR_Name &&
               spans_expression(x, s->Return.value);
    if (s->kind == STMT_Assign && s->Assign.value->kind == EXPR_Call)
        return spans_expression(x, s->Assign.value);
    return false;
}

static bool is_blank(const char *text, int32_t size) {
    for (int32_t i = 0; i < size; i++)
        if (!isspace((unsigned char)text[i])) return false;
    return true;
}

static bool wants_carets(const Excerpt *x, Arena *arena) {
    if (is_plain_statement(x, arena)) return false;
    if (x->has_anchors) return true;
    Line last = x->lines[x->count - 1];
    return !is_blank(x->lines[0].text, x->start) ||
           !is_blank(last.text + x->end, last.size - x->end);
}

/* ---- output
 * ---------------------------------------------------------------------------------------------------
 */

static void put_carets(StrBuilder *out, const Excerpt *x, int32_t number) {
    Line line = x->lines[number];
    bool is_first = number == 0, is_last = number == x->count - 1;
    int32_t stop = display_width(line, is_last ? x->end : line.size), blank = indentation(line);
    int32_t start = is_first ? display_width(line, x->start) : 0;
    int32_t left = x->has_anchors ? display_width(x->lines[x->left.line], x->left.col) : 0;
    int32_t right = x->has_anchors ? display_width(x->lines[x->right.line], x->right.col) : 0;
    for (int32_t col = 0; col < stop; col++) {
        bool after = number > x->left.line || (number == x->left.line && col >= left);
        bool before = number < x->right.line || (number == x->right.line && col < right);
        bool is_primary = x->has_anchors && !(after && before);
        builder_put_byte(out, col < blank || col < start ? ' ' : is_primary ? '~' : '^');
    }
    builder_put_byte(out, '\n');
}

static void put_line(StrBuilder *out, const Excerpt *x, int32_t number, bool with_carets) {
    builder_put(out, x->lines[number].text, (size_t)x->lines[number].size);
    builder_put_byte(out, '\n');
    if (with_carets) put_carets(out, x, number);
}

/* The first and the last line, and those around the anchors. */
static bool is_significant(const Excerpt *x, int32_t number) {
    if (number == 0 || number == x->count - 1) return true;
    return x->has_anchors && ((number >= x->left.line - 1 && number <= x->left.line + 1) ||
                              (number >= x->right.line - 1 && number <= x->right.line + 1));
}

static void put_lines(StrBuilder *out, const Excerpt *x, bool with_carets) {
    int32_t shown = 0;
    put_line(out, x, 0, with_carets);
    for (int32_t i = 1; i < x->count; i++) {
        if (!is_significant(x, i)) continue;
        if (i - shown == 2) put_line(out, x, i - 1, with_carets);
        if (i - shown > 2) builder_put_format(out, "...<%d lines>...\n", i - shown - 1);
        put_line(out, x, i, with_carets);
        shown = i;
    }
}

Value carets_show(GenVM *vm, Value text, Value start, Value end) {
    Excerpt x = {.start = (int32_t)as_int(start), .end = (int32_t)as_int(end)};
    Arena arena;
    StrBuilder out;
    arena_init(&arena, vm, 0);
    if (!split_lines(&x, &arena, AS_STR(text)->data, AS_STR(text)->size)) return raise_memory(vm);
    dedent(&x);
    x.has_anchors = find_anchors(&x, &arena) && x.left.line < x.count && x.right.line < x.count;
    builder_init(&out, vm);
    put_lines(&out, &x, wants_carets(&x, &arena));
    arena_free(&arena);
    return builder_finish(&out);
}
