/* lexer.c: lines, indentation, names, operators and brackets; literals are in lex_literal.c and
 * names outside of ASCII in lex_name.c.
 *
 * The text ends in "\n\0", so a byte can always be looked at before it is known whether the source
 * goes on. `line` and `line_start` move on when a line's first byte is wanted, not when the newline
 * before it is consumed: errors at the end of the source belong to the last line there is.
 */
#include "lexer.h"

#include "error.h"

#include <stdio.h>
#include <string.h>

#define TAB_SIZE 8
#define WARNING_MAX 256 /* a warning quotes at most one character */

/* What a byte can begin or continue. */
enum {
    CHAR_NAME_START = 1,
    CHAR_NAME = 2,
    CHAR_DIGIT = 4,
};

static const uint8_t char_class[256] = {
    ['a' ... 'z'] = CHAR_NAME_START | CHAR_NAME,
    ['A' ... 'Z'] = CHAR_NAME_START | CHAR_NAME,
    ['_'] = CHAR_NAME_START | CHAR_NAME,
    ['0' ... '9'] = CHAR_NAME | CHAR_DIGIT,
};

static bool is_class(char c, int wanted) {
    return (char_class[(unsigned char)c] & wanted) != 0;
}

bool lexer_add_keywords(NameTable *names) {
    static const struct {
        const char *text;
        TokenKind kind;
    } words[] = {
#define KEYWORD(name, text) {text, TOKEN_##name},
#define SOFT(name, text) {text, TOKEN_##name},
#include "tokens.def"
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        AstName *name = names_intern_text(names, words[i].text);
        if (name == NULL) return false;
        name->token = (uint8_t)words[i].kind;
    }
    return true;
}

const char *token_text(TokenKind kind) {
    static const char *const texts[] = {
#define TOKEN(name, text) text,
#define OPERATOR(name, text) text,
#define KEYWORD(name, text) text,
#define SOFT(name, text) text,
#include "tokens.def"
    };
    return texts[kind];
}

void lexer_init(Lexer *lexer, Arena *arena, NameTable *names, const char *text, size_t len,
                ParseError *error) {
    lexer->warnings = NULL;
    lexer->last_warning = &lexer->warnings;
    lexer->arena = arena;
    lexer->names = names;
    lexer->error = error;
    lexer->text = text;
    lexer->end = text + len;
    lexer->cur = text;
    lexer->line_start = text;
    lexer->run_start = text;
    lexer->line = 1;
    lexer->at_line_start = true;
    lexer->has_eof_error = false;
    lexer->has_soft_error = false;
    lexer->has_open_literal = false;
    lexer->pending = 0;
    lexer->indent = 0;
    lexer->indents[0] = 0;
    lexer->alt_indents[0] = 0;
    lexer->paren_level = 0;
    lexer->fstring_level = 0;
}

/* Errors. */

static void set_error(Lexer *lexer, Token *token, ParseErrorKind kind, ErrorPlace place,
                      bool with_newline, const char *format, va_list args) {
    error_set(lexer->arena, lexer->error, kind, lexer->text, place, with_newline, format, args);
    token->kind = TOKEN_ERROR;
    token->name = NULL;
    token->end = lexer->cur;
}

void lexer_fail(Lexer *lexer, Token *token, const char *format, ...) {
    int32_t col = (int32_t)(lexer->cur - lexer->line_start);
    /* The place is the character that ends at cur. */
    while (col > 1 && ((unsigned char)lexer->line_start[col - 1] & 0xC0) == 0x80)
        col--;
    va_list args;
    va_start(args, format);
    set_error(lexer, token, PARSE_SYNTAX_ERROR, (ErrorPlace){lexer->line, col, lexer->line, -1},
              false, format, args);
    va_end(args);
}

void lexer_fail_range(Lexer *lexer, Token *token, int32_t col, int32_t end_col, const char *format,
                      ...) {
    va_list args;
    va_start(args, format);
    set_error(lexer, token, PARSE_SYNTAX_ERROR,
              (ErrorPlace){lexer->line, col, lexer->line, end_col}, false, format, args);
    va_end(args);
}

__attribute__((format(printf, 5, 6))) static void fail_at(Lexer *lexer, Token *token,
                                                          ParseErrorKind kind, ErrorPlace place,
                                                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_error(lexer, token, kind, place, true, format, args);
    va_end(args);
    lexer->has_soft_error = true;
}

static void fail_indentation(Lexer *lexer, Token *token, ParseErrorKind kind, const char *message) {
    fail_at(lexer, token, kind, (ErrorPlace){lexer->line, 1, lexer->line, 0}, "%s", message);
}

void lexer_fail_unclosed(Lexer *lexer, Token *token) {
    OpenParen open = lexer->parens[lexer->paren_level - 1];
    fail_at(lexer, token, PARSE_SYNTAX_ERROR, (ErrorPlace){open.line, open.col + 1, open.line, 0},
            "'%c' was never closed", open.bracket);
}

/* The source ends where it must go on. */
static void fail_eof(Lexer *lexer, Token *token) {
    lexer->has_eof_error = true;
    if (lexer->paren_level > 0) {
        lexer->has_open_literal = true;
        lexer_fail_unclosed(lexer, token);
        return;
    }
    int32_t col = (int32_t)(lexer->cur - lexer->line_start);
    fail_at(lexer, token, PARSE_SYNTAX_ERROR, (ErrorPlace){lexer->line, col, lexer->line, -1},
            "unexpected EOF while parsing");
}

void lexer_warn(Lexer *lexer, AstSpan span, const char *format, ...) {
    char buffer[WARNING_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    AstWarning *warning = arena_take(lexer->arena, sizeof *warning);
    const char *message = arena_copy_text(lexer->arena, buffer, (size_t)len);
    if (warning == NULL || message == NULL) return;
    *warning = (AstWarning){NULL, span, message};
    *lexer->last_warning = warning;
    lexer->last_warning = &warning->next;
}

/* Tokens. */

static void begin_token(Lexer *lexer, Token *token) {
    token->start = lexer->cur;
    token->name = NULL;
    token->span.line = lexer->line;
    token->span.col = (int32_t)(lexer->cur - lexer->line_start);
}

void lexer_finish(Lexer *lexer, Token *token, TokenKind kind) {
    token->kind = kind;
    token->end = lexer->cur;
    token->level = lexer->paren_level;
    token->span.end_line = lexer->line;
    token->span.end_col = (int32_t)(lexer->cur - lexer->line_start);
}

/* A token without text: its columns are -1. */
static void make_empty(Lexer *lexer, Token *token, TokenKind kind) {
    begin_token(lexer, token);
    lexer_finish(lexer, token, kind);
    token->span.col = -1;
    token->span.end_col = -1;
}

/* The newline before `cur` was consumed: the next line becomes the current one, if there is one. */
static void begin_line(Lexer *lexer) {
    if (lexer->cur < lexer->end && lexer->cur > lexer->line_start && lexer->cur[-1] == '\n') {
        lexer->line++;
        lexer->line_start = lexer->cur;
        lexer->run_start = lexer->cur;
    }
}

/* A backslash at `cur` must be followed by a newline and more text; moves behind the newline. */
static bool skip_continuation(Lexer *lexer, Token *token) {
    lexer->cur++;
    if (*lexer->cur != '\n') {
        lexer->cur++;
        int32_t col = (int32_t)(lexer->cur - lexer->run_start);
        fail_at(lexer, token, PARSE_SYNTAX_ERROR, (ErrorPlace){lexer->line, col, lexer->line, 0},
                "unexpected character after line continuation character");
        return false;
    }
    lexer->cur++;
    if (lexer->cur >= lexer->end) {
        lexer->has_open_literal = true;
        fail_eof(lexer, token);
        return false;
    }
    const char *run_start = lexer->run_start;
    begin_line(lexer);
    lexer->run_start = run_start;
    return true;
}

/* Indentation. */

/* Measures the blanks at the start of a line. False after an error. */
static bool measure_indent(Lexer *lexer, Token *token, int32_t *col, int32_t *alt_col) {
    int32_t continued = 0;
    int32_t alt = 0;
    int32_t at = 0;
    for (;; lexer->cur++) {
        char c = *lexer->cur;
        if (c == ' ') {
            at++;
            alt++;
        } else if (c == '\t') {
            at = (at / TAB_SIZE + 1) * TAB_SIZE;
            alt++;
        } else if (c == '\f') {
            at = alt = 0;
        } else if (c == '\\') {
            /* The blanks before the first backslash are the indentation. */
            continued = continued != 0 ? continued : at;
            if (!skip_continuation(lexer, token)) return false;
            lexer->cur--;
        } else {
            break;
        }
    }
    *col = continued != 0 ? continued : at;
    *alt_col = continued != 0 ? continued : alt;
    return true;
}

static const char inconsistent_tabs[] = "inconsistent use of tabs and spaces in indentation";

static bool push_indent(Lexer *lexer, Token *token, int32_t col, int32_t alt_col) {
    if (lexer->indent + 1 >= LEXER_MAX_INDENTS) {
        fail_indentation(lexer, token, PARSE_INDENTATION_ERROR, "too many levels of indentation");
        return false;
    }
    if (alt_col <= lexer->alt_indents[lexer->indent]) {
        fail_indentation(lexer, token, PARSE_TAB_ERROR, inconsistent_tabs);
        return false;
    }
    lexer->pending++;
    lexer->indent++;
    lexer->indents[lexer->indent] = col;
    lexer->alt_indents[lexer->indent] = alt_col;
    return true;
}

static bool pop_indents(Lexer *lexer, Token *token, int32_t col, int32_t alt_col) {
    while (lexer->indent > 0 && col < lexer->indents[lexer->indent]) {
        lexer->pending--;
        lexer->indent--;
    }
    if (col != lexer->indents[lexer->indent]) {
        const char *newline = strchr(lexer->cur, '\n');
        int32_t end = (int32_t)(newline - lexer->line_start) + 1;
        fail_at(lexer, token, PARSE_INDENTATION_ERROR,
                (ErrorPlace){lexer->line, end, lexer->line, -1},
                "unindent does not match any outer indentation level");
        return false;
    }
    if (alt_col != lexer->alt_indents[lexer->indent]) {
        fail_indentation(lexer, token, PARSE_TAB_ERROR, inconsistent_tabs);
        return false;
    }
    return true;
}

static void skip_comment(Lexer *lexer) {
    if (*lexer->cur == '#') lexer->cur = strchr(lexer->cur, '\n');
}

/* Passes over blank lines and comments to the first line with code, and compares its indentation
 * with the lines before. False after an error. */
static bool read_indentation(Lexer *lexer, Token *token) {
    for (;;) {
        begin_line(lexer);
        lexer->at_line_start = false;
        int32_t col = 0;
        int32_t alt_col = 0;
        if (!measure_indent(lexer, token, &col, &alt_col)) return false;
        skip_comment(lexer);
        if (*lexer->cur == '\n') {
            lexer->cur++;
            continue;
        }
        if (lexer->cur >= lexer->end) {
            lexer->pending -= lexer->indent;
            lexer->indent = 0;
            return true;
        }
        if (col > lexer->indents[lexer->indent]) return push_indent(lexer, token, col, alt_col);
        if (col < lexer->indents[lexer->indent]) return pop_indents(lexer, token, col, alt_col);
        if (alt_col != lexer->alt_indents[lexer->indent]) {
            fail_indentation(lexer, token, PARSE_TAB_ERROR, inconsistent_tabs);
            return false;
        }
        return true;
    }
}

/* Skips blanks, comments, continued lines, and inside brackets newlines. False after an error. */
static bool skip_blanks(Lexer *lexer, Token *token) {
    lexer->comment = NULL;
    for (;;) {
        char c = *lexer->cur;
        if (c == ' ' || c == '\t' || c == '\f') {
            lexer->cur++;
        } else if (c == '#') {
            lexer->comment = lexer->cur;
            skip_comment(lexer);
        } else if (c == '\n' && lexer->paren_level > 0) {
            lexer->cur++;
            begin_line(lexer);
        } else if (c == '\\') {
            begin_token(lexer, token);
            if (!skip_continuation(lexer, token)) return false;
        } else {
            return true;
        }
    }
}

/* Names and string prefixes. */

typedef struct Prefix {
    int len;
    bool has_b, has_r, has_u, has_f, has_t;
} Prefix;

/* The letters before a quote, if they are that. */
static bool read_prefix(const char *text, Prefix *prefix) {
    *prefix = (Prefix){0};
    for (;; prefix->len++) {
        bool *flag;
        switch (text[prefix->len] | 0x20) {
        case 'b': flag = &prefix->has_b; break;
        case 'r': flag = &prefix->has_r; break;
        case 'u': flag = &prefix->has_u; break;
        case 'f': flag = &prefix->has_f; break;
        case 't': flag = &prefix->has_t; break;
        default: return text[prefix->len] == '"' || text[prefix->len] == '\'';
        }
        if (*flag) return false;
        *flag = true;
    }
}

/* Names the first pair of prefixes that do not go together, in Python's order. */
static bool check_prefix(Lexer *lexer, Token *token, const Prefix *prefix) {
    const struct {
        bool is_bad;
        char first, second;
    } pairs[] = {
        {prefix->has_u && prefix->has_b, 'u', 'b'}, {prefix->has_u && prefix->has_r, 'u', 'r'},
        {prefix->has_u && prefix->has_f, 'u', 'f'}, {prefix->has_u && prefix->has_t, 'u', 't'},
        {prefix->has_b && prefix->has_f, 'b', 'f'}, {prefix->has_b && prefix->has_t, 'b', 't'},
        {prefix->has_f && prefix->has_t, 'f', 't'},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (!pairs[i].is_bad) continue;
        int32_t col = token->span.col + 1;
        lexer_fail_range(lexer, token, col, col + prefix->len,
                         "'%c' and '%c' prefixes are incompatible", pairs[i].first,
                         pairs[i].second);
        return false;
    }
    return true;
}

static void read_prefixed_string(Lexer *lexer, Token *token, const Prefix *prefix) {
    if (!check_prefix(lexer, token, prefix)) return;
    lexer->cur += prefix->len;
    if (!prefix->has_f && !prefix->has_t) {
        lexer_read_string(lexer, token);
        return;
    }
    lexer_open_fstring(lexer, token);
    if (token->kind == TOKEN_ERROR) return;
    FStringMode *mode = &lexer->fstrings[lexer->fstring_level - 1];
    mode->is_raw = prefix->has_r;
    mode->is_template = prefix->has_t;
    token->kind = prefix->has_t ? TOKEN_TSTRING_START : TOKEN_FSTRING_START;
}

static void finish_name(Lexer *lexer, Token *token, uint32_t hash) {
    size_t len = (size_t)(lexer->cur - token->start);
    AstName *name = names_intern_hashed(lexer->names, token->start, len, hash);
    if (name == NULL) {
        error_set_memory(lexer->error, "out of memory");
        token->kind = TOKEN_ERROR;
        return;
    }
    lexer_finish(lexer, token, name->token != 0 ? (TokenKind)name->token : TOKEN_NAME);
    token->name = name;
}

static void read_name(Lexer *lexer, Token *token) {
    uint32_t hash = lexer->names->seed;
    const char *cur = lexer->cur;
    for (; is_class(*cur, CHAR_NAME); cur++)
        hash = names_hash(hash, *cur);
    if ((unsigned char)*cur >= 0x80) {
        lexer_read_wide_name(lexer, token);
        return;
    }
    lexer->cur = cur;
    finish_name(lexer, token, hash);
}

static void read_name_or_string(Lexer *lexer, Token *token) {
    Prefix prefix;
    switch (*lexer->cur | 0x20) {
    case 'b':
    case 'r':
    case 'u':
    case 'f':
    case 't':
        if (read_prefix(lexer->cur, &prefix)) {
            read_prefixed_string(lexer, token, &prefix);
            return;
        }
        break;
    default: break;
    }
    read_name(lexer, token);
}

/* Operators and brackets. */

static FStringMode *current_fstring(Lexer *lexer) {
    return lexer->fstring_level > 0 ? &lexer->fstrings[lexer->fstring_level - 1] : NULL;
}

/* The longest operator at `text`, with its length. */
static TokenKind find_operator(const char *text, int *len) {
    char next = text[1];
#define MATCH(size, kind)                                                                          \
    do {                                                                                           \
        *len = size;                                                                               \
        return kind;                                                                               \
    } while (0)
#define WITH_EQUAL(plain, with_equal)                                                              \
    do {                                                                                           \
        if (next == '=') MATCH(2, TOKEN_##with_equal);                                             \
        MATCH(1, TOKEN_##plain);                                                                   \
    } while (0)
    switch (text[0]) {
    case '(': MATCH(1, TOKEN_LPAR);
    case ')': MATCH(1, TOKEN_RPAR);
    case '[': MATCH(1, TOKEN_LSQB);
    case ']': MATCH(1, TOKEN_RSQB);
    case '{': MATCH(1, TOKEN_LBRACE);
    case '}': MATCH(1, TOKEN_RBRACE);
    case ',': MATCH(1, TOKEN_COMMA);
    case ';': MATCH(1, TOKEN_SEMI);
    case '~': MATCH(1, TOKEN_TILDE);
    case ':': WITH_EQUAL(COLON, COLONEQUAL);
    case '=': WITH_EQUAL(EQUAL, EQEQUAL);
    case '!': WITH_EQUAL(EXCLAMATION, NOTEQUAL);
    case '+': WITH_EQUAL(PLUS, PLUSEQUAL);
    case '%': WITH_EQUAL(PERCENT, PERCENTEQUAL);
    case '&': WITH_EQUAL(AMPER, AMPEREQUAL);
    case '|': WITH_EQUAL(VBAR, VBAREQUAL);
    case '^': WITH_EQUAL(CIRCUMFLEX, CIRCUMFLEXEQUAL);
    case '@': WITH_EQUAL(AT, ATEQUAL);
    case '.':
        if (next == '.' && text[2] == '.') MATCH(3, TOKEN_ELLIPSIS);
        MATCH(1, TOKEN_DOT);
    case '-':
        if (next == '>') MATCH(2, TOKEN_RARROW);
        WITH_EQUAL(MINUS, MINEQUAL);
    case '*':
        if (next == '*' && text[2] == '=') MATCH(3, TOKEN_DOUBLESTAREQUAL);
        if (next == '*') MATCH(2, TOKEN_DOUBLESTAR);
        WITH_EQUAL(STAR, STAREQUAL);
    case '/':
        if (next == '/' && text[2] == '=') MATCH(3, TOKEN_DOUBLESLASHEQUAL);
        if (next == '/') MATCH(2, TOKEN_DOUBLESLASH);
        WITH_EQUAL(SLASH, SLASHEQUAL);
    case '<':
        if (next == '<' && text[2] == '=') MATCH(3, TOKEN_LEFTSHIFTEQUAL);
        if (next == '<') MATCH(2, TOKEN_LEFTSHIFT);
        if (next == '>') MATCH(2, TOKEN_NOTEQUAL);
        WITH_EQUAL(LESS, LESSEQUAL);
    case '>':
        if (next == '>' && text[2] == '=') MATCH(3, TOKEN_RIGHTSHIFTEQUAL);
        if (next == '>') MATCH(2, TOKEN_RIGHTSHIFT);
        WITH_EQUAL(GREATER, GREATEREQUAL);
    default: *len = 1; return TOKEN_ERROR;
    }
#undef WITH_EQUAL
#undef MATCH
}

static bool open_bracket(Lexer *lexer, Token *token) {
    if (lexer->paren_level >= LEXER_MAX_PARENS) {
        lexer_fail(lexer, token, "too many nested parentheses");
        return false;
    }
    lexer->parens[lexer->paren_level++] =
        (OpenParen){*token->start, token->span.line, token->span.col};
    FStringMode *mode = current_fstring(lexer);
    if (mode != NULL) mode->bracket_depth++;
    return true;
}

static bool fail_mismatch(Lexer *lexer, Token *token, OpenParen open, char bracket) {
    const FStringMode *mode = current_fstring(lexer);
    if (mode != NULL && open.bracket == '{' && mode->bracket_depth - 1 == mode->field_depth)
        lexer_fail(lexer, token, "%c-string: unmatched '%c'", mode->is_template ? 't' : 'f',
                   bracket);
    else if (open.line != lexer->line)
        lexer_fail(lexer, token,
                   "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d",
                   bracket, open.bracket, open.line);
    else
        lexer_fail(lexer, token, "closing parenthesis '%c' does not match opening parenthesis '%c'",
                   bracket, open.bracket);
    return false;
}

static bool close_bracket(Lexer *lexer, Token *token) {
    char bracket = *token->start;
    FStringMode *mode = current_fstring(lexer);
    char letter = mode != NULL && mode->is_template ? 't' : 'f';
    if (mode != NULL && mode->bracket_depth == 0 && bracket == '}') {
        lexer_fail(lexer, token, "%c-string: single '}' is not allowed", letter);
        return false;
    }
    if (lexer->paren_level == 0) {
        lexer_fail(lexer, token, "unmatched '%c'", bracket);
        return false;
    }
    OpenParen open = lexer->parens[--lexer->paren_level];
    if (bracket != (open.bracket == '(' ? ')' : open.bracket == '[' ? ']' : '}'))
        return fail_mismatch(lexer, token, open, bracket);
    if (mode == NULL) return true;
    mode->bracket_depth--;
    if (mode->bracket_depth < 0) {
        lexer_fail(lexer, token, "%c-string: unmatched '%c'", letter, bracket);
        return false;
    }
    if (bracket == '}' && mode->bracket_depth == mode->field_depth) {
        mode->field_depth--;
        mode->in_text = true;
        mode->in_format_spec = false;
    }
    return true;
}

static void read_operator(Lexer *lexer, Token *token) {
    FStringMode *mode = current_fstring(lexer);
    if (mode != NULL && *lexer->cur == ':' && mode->field_depth >= 0 &&
        mode->bracket_depth - 1 == mode->field_depth) {
        /* The end of a field's expression: the format spec is text. */
        lexer->cur++;
        mode->in_text = true;
        mode->in_format_spec = true;
        lexer_finish(lexer, token, TOKEN_COLON);
        return;
    }
    int len = 0;
    TokenKind kind = find_operator(lexer->cur, &len);
    unsigned char first = (unsigned char)*lexer->cur;
    lexer->cur += len;
    if (kind == TOKEN_ERROR && (first < 0x20 || first == 0x7F)) {
        lexer_fail(lexer, token, "invalid non-printable character U+%04X", first);
        return;
    }
    bool is_open = kind == TOKEN_LPAR || kind == TOKEN_LSQB || kind == TOKEN_LBRACE;
    bool is_close = kind == TOKEN_RPAR || kind == TOKEN_RSQB || kind == TOKEN_RBRACE;
    if ((is_open && !open_bracket(lexer, token)) || (is_close && !close_bracket(lexer, token)))
        return;
    lexer_finish(lexer, token, kind);
    if (kind == TOKEN_ERROR) /* `$`, `?` or a backquote: no token of the grammar */
        token->kind = TOKEN_UNKNOWN;
}

/* Behind a comment the token begins where the comment does, as in Python. */
static void read_newline(Lexer *lexer, Token *token) {
    if (lexer->comment != NULL) {
        token->start = lexer->comment;
        token->span.col = (int32_t)(lexer->comment - lexer->line_start);
    }
    lexer_finish(lexer, token, TOKEN_NEWLINE);
    token->span.end_col++; /* Python counts the newline in the token's end */
    lexer->cur++;
    lexer->at_line_start = true;
}

static void read_code(Lexer *lexer, Token *token) {
    char c = *lexer->cur;
    begin_token(lexer, token);
    if (lexer->cur >= lexer->end) {
        if (lexer->paren_level > 0)
            fail_eof(lexer, token);
        else
            make_empty(lexer, token, TOKEN_ENDMARKER);
    } else if (is_class(c, CHAR_NAME_START)) {
        read_name_or_string(lexer, token);
    } else if ((unsigned char)c >= 0x80) {
        lexer_read_wide_name(lexer, token);
    } else if (is_class(c, CHAR_DIGIT) || (c == '.' && is_class(lexer->cur[1], CHAR_DIGIT))) {
        lexer_read_number(lexer, token);
    } else if (c == '"' || c == '\'') {
        lexer_read_string(lexer, token);
    } else if (c == '\n') {
        read_newline(lexer, token);
    } else {
        read_operator(lexer, token);
    }
}

void lexer_next(Lexer *lexer, Token *token) {
    FStringMode *mode = current_fstring(lexer);
    if (mode != NULL && mode->in_text) {
        begin_token(lexer, token);
        if (lexer_read_fstring_text(lexer, token)) return;
    }
    if (lexer->at_line_start) {
        begin_token(lexer, token);
        if (!read_indentation(lexer, token)) return;
    }
    if (lexer->pending != 0) {
        make_empty(lexer, token, lexer->pending > 0 ? TOKEN_INDENT : TOKEN_DEDENT);
        lexer->pending += lexer->pending > 0 ? -1 : 1;
        return;
    }
    if (skip_blanks(lexer, token)) read_code(lexer, token);
}
