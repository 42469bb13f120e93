/* lex_literal.c: where numbers and strings end. What they mean is decided in literals.c.
 *
 * An f-string comes out in pieces: a START, then MIDDLE tokens for its text and ordinary tokens for
 * its replacement fields, then an END. Its FStringMode says which of the two comes next: `in_text`
 * is cleared by the brace that opens a field and set by the one that closes it, or by the colon
 * before a format spec, which is text that can hold fields itself.
 */
#include "error.h"
#include "lexer.h"

#include <string.h>

/* Numbers. */

static bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hexadecimal(char c) {
    return is_decimal(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

static bool is_binary(char c) {
    return c == '0' || c == '1';
}

static bool is_name_char(char c) {
    return is_decimal(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Whether `text` begins with the rest of a keyword and then ends the word. */
static bool ends_keyword(const char *text, const char *rest) {
    size_t len = strlen(rest);
    return strncmp(text, rest, len) == 0 && !is_name_char(text[len]) &&
           (unsigned char)text[len] < 0x80;
}

/* A number may be followed at once by a keyword, as in `0or 1`, but by no other word. */
static bool check_end(Lexer *lexer, Token *token, const char *kind) {
    const char *next = lexer->cur;
    bool is_keyword = false;
    switch (*next) {
    case 'a': is_keyword = ends_keyword(next + 1, "nd"); break;
    case 'e': is_keyword = ends_keyword(next + 1, "lse"); break;
    case 'f': is_keyword = ends_keyword(next + 1, "or"); break;
    case 'i': is_keyword = next[1] == 'f' || next[1] == 'n' || next[1] == 's'; break;
    case 'n': is_keyword = ends_keyword(next + 1, "ot"); break;
    case 'o': is_keyword = ends_keyword(next + 1, "r"); break;
    default: break;
    }
    if (is_keyword) {
        int32_t last = (int32_t)(next - lexer->line_start) - 1; /* the number's last character */
        AstSpan place = {token->span.line, last, token->span.line, last};
        lexer_warn(lexer, place, "invalid %s literal", kind);
    }
    if (is_keyword || !is_name_char(*next)) return true;
    lexer_fail(lexer, token, "invalid %s literal", kind);
    return false;
}

/* Digits with single underscores between them. `cur` is at the first digit, or behind it. */
static bool skip_decimal(Lexer *lexer, Token *token) {
    for (;;) {
        while (is_decimal(*lexer->cur))
            lexer->cur++;
        if (*lexer->cur != '_') return true;
        lexer->cur++;
        if (!is_decimal(*lexer->cur)) {
            lexer_fail(lexer, token, "invalid decimal literal");
            return false;
        }
    }
}

static bool fail_digit(Lexer *lexer, Token *token, const char *kind) {
    if (is_decimal(*lexer->cur)) {
        lexer->cur++;
        lexer_fail(lexer, token, "invalid digit '%c' in %s literal", lexer->cur[-1], kind);
    } else {
        lexer_fail(lexer, token, "invalid %s literal", kind);
    }
    return false;
}

/* What follows 0x, 0o or 0b. */
static bool skip_based(Lexer *lexer, Token *token, bool (*is_digit)(char), const char *kind) {
    do {
        if (*lexer->cur == '_') lexer->cur++;
        if (!is_digit(*lexer->cur)) return fail_digit(lexer, token, kind);
        while (is_digit(*lexer->cur))
            lexer->cur++;
    } while (*lexer->cur == '_');
    if (is_decimal(*lexer->cur)) return fail_digit(lexer, token, kind);
    return check_end(lexer, token, kind);
}

/* The fraction, exponent and imaginary mark that may follow the integer part. */
static bool skip_fraction(Lexer *lexer, Token *token) {
    if (*lexer->cur == '.') {
        lexer->cur++;
        if (is_decimal(*lexer->cur) && !skip_decimal(lexer, token)) return false;
    }
    if ((*lexer->cur | 0x20) == 'e') {
        const char *digits = lexer->cur + 1;
        bool has_sign = *digits == '+' || *digits == '-';
        digits += has_sign;
        if (!is_decimal(*digits)) {
            if (!has_sign) return check_end(lexer, token, "decimal");
            lexer->cur = digits;
            lexer_fail(lexer, token, "invalid decimal literal");
            return false;
        }
        lexer->cur = digits;
        if (!skip_decimal(lexer, token)) return false;
    }
    if ((*lexer->cur | 0x20) == 'j') {
        lexer->cur++;
        return check_end(lexer, token, "imaginary");
    }
    return check_end(lexer, token, "decimal");
}

/* A number that begins with 0 and no letter: 0, 00, 0.5, 0e1, but not 07. */
static bool skip_zeros(Lexer *lexer, Token *token) {
    while (*lexer->cur == '0' || (*lexer->cur == '_' && is_decimal(lexer->cur[1])))
        lexer->cur++;
    const char *zeros_end = lexer->cur;
    bool is_nonzero = is_decimal(*lexer->cur);
    if ((is_nonzero || *lexer->cur == '_') && !skip_decimal(lexer, token)) return false;
    char next = *lexer->cur;
    if (is_nonzero && next != '.' && (next | 0x20) != 'e' && (next | 0x20) != 'j') {
        lexer_fail_range(lexer, token, (int32_t)(token->start + 1 - lexer->line_start),
                         (int32_t)(zeros_end - lexer->line_start),
                         "leading zeros in decimal integer literals are not permitted; use an 0o "
                         "prefix for octal integers");
        return false;
    }
    return skip_fraction(lexer, token);
}

void lexer_read_number(Lexer *lexer, Token *token) {
    bool is_fine;
    char letter = (char)(lexer->cur[1] | 0x20);
    if (*lexer->cur == '0' && (letter == 'x' || letter == 'o' || letter == 'b')) {
        lexer->cur += 2;
        is_fine = letter == 'x'   ? skip_based(lexer, token, is_hexadecimal, "hexadecimal")
                  : letter == 'o' ? skip_based(lexer, token, is_octal, "octal")
                                  : skip_based(lexer, token, is_binary, "binary");
    } else if (*lexer->cur == '0') {
        is_fine = skip_zeros(lexer, token);
    } else if (*lexer->cur == '.') {
        is_fine = skip_fraction(lexer, token);
    } else {
        is_fine = skip_decimal(lexer, token) && skip_fraction(lexer, token);
    }
    if (is_fine) lexer_finish(lexer, token, TOKEN_NUMBER);
}

/* Strings. */

/* Passes the newline at `cur`, unless it is the source's last byte. */
static void pass_newline(Lexer *lexer) {
    lexer->cur++;
    if (lexer->cur < lexer->end) {
        lexer->line++;
        lexer->line_start = lexer->cur;
    }
}

static int quote_size_at(const char *text) {
    return text[1] == text[0] && text[2] == text[0] ? 3 : 1;
}

/* Reports an error at the opening of a literal that has no end. */
static void rewind_to(Lexer *lexer, const char *start, const char *line_start, int32_t line) {
    lexer->cur = start + 1;
    lexer->line_start = line_start;
    lexer->line = line;
}

static void fail_unterminated(Lexer *lexer, Token *token, const char *line_start, char quote,
                              int quote_size, bool has_escaped_quote) {
    int32_t detected = lexer->line;
    lexer->has_eof_error = quote_size == 3;
    lexer->has_open_literal = quote_size == 3;
    rewind_to(lexer, token->start, line_start, token->span.line);
    const FStringMode *mode =
        lexer->fstring_level > 0 ? &lexer->fstrings[lexer->fstring_level - 1] : NULL;
    if (mode != NULL && mode->quote == quote && mode->quote_size == quote_size)
        lexer_fail(lexer, token, "%c-string: expecting '}'", mode->is_template ? 't' : 'f');
    else if (quote_size == 3)
        lexer_fail(lexer, token, "unterminated triple-quoted string literal (detected at line %d)",
                   detected);
    else
        lexer_fail(lexer, token, "unterminated string literal (detected at line %d)%s", detected,
                   has_escaped_quote ? "; perhaps you escaped the end quote?" : "");
}

void lexer_read_string(Lexer *lexer, Token *token) {
    char quote = *lexer->cur;
    int quote_size = quote_size_at(lexer->cur);
    const char *line_start = lexer->line_start;
    bool has_escaped_quote = false;
    lexer->cur += quote_size;
    for (;;) {
        char c = *lexer->cur;
        if (c == quote && (quote_size == 1 || quote_size_at(lexer->cur) == 3)) break;
        if (c == '\\') {
            lexer->cur++;
            c = *lexer->cur;
            has_escaped_quote |= c == quote;
            if (c == '\n')
                pass_newline(lexer);
            else if (lexer->cur < lexer->end)
                lexer->cur++;
        } else if (lexer->cur >= lexer->end || (c == '\n' && quote_size == 1)) {
            fail_unterminated(lexer, token, line_start, quote, quote_size, has_escaped_quote);
            return;
        } else if (c == '\n') {
            pass_newline(lexer);
        } else {
            lexer->cur++;
        }
    }
    lexer->cur += quote_size;
    lexer_finish(lexer, token, TOKEN_STRING);
}

/* f-strings. */

void lexer_open_fstring(Lexer *lexer, Token *token) {
    char quote = *lexer->cur;
    int quote_size = quote_size_at(lexer->cur);
    lexer->cur += quote_size;
    if (lexer->fstring_level + 1 >= LEXER_MAX_FSTRINGS) {
        lexer_fail(lexer, token, "too many nested f-strings");
        return;
    }
    lexer->fstrings[lexer->fstring_level++] = (FStringMode){
        .start = token->start,
        .line_start = lexer->line_start,
        .line = lexer->line,
        .field_depth = -1,
        .quote = quote,
        .quote_size = (uint8_t)quote_size,
        .in_text = true,
    };
    lexer_finish(lexer, token, TOKEN_FSTRING_START);
}

static void fail_unterminated_fstring(Lexer *lexer, Token *token, const FStringMode *mode) {
    int32_t detected = lexer->line;
    char letter = mode->is_template ? 't' : 'f';
    bool is_triple = mode->quote_size == 3;
    lexer->has_eof_error = is_triple;
    lexer->has_open_literal = is_triple;
    rewind_to(lexer, mode->start, mode->line_start, mode->line);
    lexer_fail(lexer, token, "unterminated %s%c-string literal (detected at line %d)",
               is_triple ? "triple-quoted " : "", letter, detected);
}

static bool is_at_quote(const Lexer *lexer, const FStringMode *mode) {
    return *lexer->cur == mode->quote && (mode->quote_size == 1 || quote_size_at(lexer->cur) == 3);
}

/* At an opening brace: a field begins unless it is doubled. */
static bool open_field(Lexer *lexer, Token *token, FStringMode *mode) {
    mode->field_depth++;
    mode->in_text = false;
    if (mode->field_depth < LEXER_MAX_FSTRING_FIELDS) return false;
    lexer_fail(lexer, token, "%c-string: expressions nested too deeply",
               mode->is_template ? 't' : 'f');
    return true;
}

/* A backslash in text: passes what it escapes, but not a brace, which keeps its meaning. Sets
 * *is_named at \N{, whose braces are part of the escape. */
static void skip_escape(Lexer *lexer, const FStringMode *mode, AstSpan span, bool *is_named) {
    lexer->cur++;
    char c = *lexer->cur;
    if (lexer->cur >= lexer->end) return;
    if (c == '{' || c == '}') {
        if (!mode->is_raw)
            lexer_warn(
                lexer, span,
                "\"\\%c\" is an invalid escape sequence. Such sequences will not work in the "
                "future. Did you mean \"\\\\%c\"? A raw string is also an option.",
                c, c);
        return;
    }
    if (c == '\n') {
        pass_newline(lexer);
    } else if (c == 'N' && !mode->is_raw && lexer->cur[1] == '{') {
        lexer->cur += 2;
        *is_named = true;
    } else {
        lexer->cur++;
    }
}

/* Ends a MIDDLE before the current byte, or after the first of two equal braces, which stand for
 * one: the token spans both, but its text has only the first. */
static bool finish_middle(Lexer *lexer, Token *token, const FStringMode *mode, bool has_doubled) {
    if (has_doubled) lexer->cur++;
    lexer_finish(lexer, token, mode->is_template ? TOKEN_TSTRING_MIDDLE : TOKEN_FSTRING_MIDDLE);
    if (has_doubled) {
        lexer->cur++;
        token->span.end_col++;
    }
    return true;
}

/* A closing brace in text: literal when doubled, else it ends the field that this text, a format
 * spec, belongs to, or is an error that the code lexer reports. */
static bool read_closing_brace(Lexer *lexer, Token *token, FStringMode *mode, bool in_spec) {
    bool is_doubled = lexer->cur[1] == '}' && !in_spec && mode->bracket_depth == 0;
    if (!is_doubled) {
        mode->in_text = false;
        mode->in_format_spec = false;
    }
    return finish_middle(lexer, token, mode, is_doubled);
}

static bool read_opening_brace(Lexer *lexer, Token *token, FStringMode *mode, bool in_spec) {
    bool is_doubled = lexer->cur[1] == '{' && !in_spec;
    if (!is_doubled && open_field(lexer, token, mode)) return true;
    if (!is_doubled) mode->in_format_spec = false;
    return finish_middle(lexer, token, mode, is_doubled);
}

static bool read_middle(Lexer *lexer, Token *token, FStringMode *mode) {
    bool is_named = false;
    for (;;) {
        char c = *lexer->cur;
        bool in_spec = mode->in_format_spec && mode->field_depth >= 0;
        if (is_at_quote(lexer, mode)) return finish_middle(lexer, token, mode, false);
        if (lexer->cur >= lexer->end || (c == '\n' && mode->quote_size == 1)) {
            if (in_spec && c == '\n') {
                mode->in_text = false;
                mode->in_format_spec = false;
                return finish_middle(lexer, token, mode, false);
            }
            fail_unterminated_fstring(lexer, token, mode);
            return true;
        }
        if (c == '{') return read_opening_brace(lexer, token, mode, in_spec);
        if (c == '}' && !is_named) return read_closing_brace(lexer, token, mode, in_spec);
        if (c == '}') is_named = false;
        if (c == '\\')
            skip_escape(lexer, mode, token->span, &is_named);
        else if (c == '\n')
            pass_newline(lexer);
        else
            lexer->cur++;
    }
}

bool lexer_read_fstring_text(Lexer *lexer, Token *token) {
    FStringMode *mode = &lexer->fstrings[lexer->fstring_level - 1];
    if (lexer->cur >= lexer->end) {
        fail_unterminated_fstring(lexer, token, mode);
        return true;
    }
    if (*lexer->cur == '{' && lexer->cur[1] != '{') return open_field(lexer, token, mode);
    if (is_at_quote(lexer, mode)) {
        lexer->cur += mode->quote_size;
        lexer->fstring_level--;
        lexer_finish(lexer, token, mode->is_template ? TOKEN_TSTRING_END : TOKEN_FSTRING_END);
        return true;
    }
    return read_middle(lexer, token, mode);
}
