/* lex_name.c: identifiers with characters outside of ASCII.
 *
 * Python's rule is Unicode's XID_Start and XID_Continue, after which names are compared in NFKC.
 * utf8proc knows general categories but not these two properties, so they are derived as UAX #31
 * does: categories, plus the characters of Other_ID_Start and Other_ID_Continue, minus those whose
 * NFKC form would not be an identifier.
 */
#include "error.h"
#include "lexer.h"
#include "vm/memory.h"

#include <string.h>
#include <utf8proc.h>

typedef struct Range {
    int32_t first;
    int32_t last;
} Range;

static const Range other_id_start[] = {{0x1885, 0x1886}, {0x2118, 0x2118}, {0x212E, 0x212E}};

static const Range other_id_continue[] = {
    {0x00B7, 0x00B7}, {0x0387, 0x0387}, {0x1369, 0x1371}, {0x19DA, 0x19DA}};

/* ID_Start, but their NFKC form begins with a character that is not. */
static const Range not_xid_start[] = {
    {0x037A, 0x037A}, {0x0E33, 0x0E33}, {0x0EB3, 0x0EB3}, {0xFC5E, 0xFC63}, {0xFDFA, 0xFDFB},
    {0xFE70, 0xFE70}, {0xFE72, 0xFE72}, {0xFE74, 0xFE74}, {0xFE76, 0xFE76}, {0xFE78, 0xFE78},
    {0xFE7A, 0xFE7A}, {0xFE7C, 0xFE7C}, {0xFE7E, 0xFE7E}, {0xFF9E, 0xFF9F}};

/* ID_Continue, but their NFKC form holds a space or another stranger. */
static const Range not_xid_continue[] = {{0x037A, 0x037A}, {0xFC5E, 0xFC63}, {0xFDFA, 0xFDFB},
                                         {0xFE70, 0xFE70}, {0xFE72, 0xFE72}, {0xFE74, 0xFE74},
                                         {0xFE76, 0xFE76}, {0xFE78, 0xFE78}, {0xFE7A, 0xFE7A},
                                         {0xFE7C, 0xFE7C}, {0xFE7E, 0xFE7E}};

static bool is_in(int32_t c, const Range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    }
    return false;
}

#define IS_IN(c, table) is_in(c, table, sizeof table / sizeof table[0])

static bool is_xid_start(int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL: return !IS_IN(c, not_xid_start) && c != 0x2E2F;
    default: return c == '_' || IS_IN(c, other_id_start);
    }
}

static bool is_xid_continue(int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_PC: return !IS_IN(c, not_xid_continue) && c != 0x2E2F;
    default: return IS_IN(c, other_id_start) || IS_IN(c, other_id_continue);
    }
}

static bool is_printable(int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return c == ' ';
    default: return true;
    }
}

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static void fail_character(Lexer *lexer, Token *token, int32_t c, const char *text, int size) {
    if (is_printable(c))
        lexer_fail(lexer, token, "invalid character '%.*s' (U+%04X)", size, text, (unsigned)c);
    else
        lexer_fail(lexer, token, "invalid non-printable character U+%04X", (unsigned)c);
}

/* Moves `cur` behind the identifier; false at a character that no identifier may hold. */
static bool check_characters(Lexer *lexer, Token *token) {
    bool is_first = true;
    while (is_name_byte(*lexer->cur)) {
        int32_t c = 0;
        int size = (int)utf8proc_iterate((const utf8proc_uint8_t *)lexer->cur, -1, &c);
        if (size <= 0) { /* the source was checked: a surrogate in text is the only way here */
            c = (unsigned char)*lexer->cur;
            size = 1;
        }
        const char *text = lexer->cur;
        lexer->cur += size;
        if (c >= 0x80 && !(is_first ? is_xid_start(c) : is_xid_continue(c))) {
            fail_character(lexer, token, c, text, size);
            return false;
        }
        is_first = false;
    }
    return true;
}

/* The name in normal form KC; NULL: no memory. */
static AstName *intern_normal(Lexer *lexer, const char *start, utf8proc_ssize_t size) {
    const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    const utf8proc_uint8_t *text = (const utf8proc_uint8_t *)start;
    utf8proc_ssize_t count = utf8proc_decompose(text, size, NULL, 0, form);
    if (count < 0) return NULL;
    int32_t *normal = memory_new(lexer->names->arena->vm, ((size_t)count + 1) * sizeof *normal);
    if (normal == NULL) return NULL;
    count = utf8proc_decompose(text, size, normal, count, form);
    if (count >= 0) count = utf8proc_reencode(normal, count, form); /* in place */
    AstName *name =
        count < 0 ? NULL : names_intern(lexer->names, (const char *)normal, (size_t)count);
    memory_free(normal);
    return name;
}

void lexer_read_wide_name(Lexer *lexer, Token *token) {
    if (!check_characters(lexer, token)) return;
    AstName *name = intern_normal(lexer, token->start, lexer->cur - token->start);
    if (name == NULL) {
        error_set_memory(lexer->error, "out of memory");
        token->kind = TOKEN_ERROR;
        return;
    }
    /* A name that only becomes a keyword by normalisation stays a name, as in Python. */
    lexer_finish(lexer, token, TOKEN_NAME);
    token->name = name;
}
