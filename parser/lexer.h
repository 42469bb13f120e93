/* lexer.h: text to tokens, one at a time.
 *
 * The lexer knows lines, indentation, brackets and where an f-string is text and where it is code
 * (PEP 701); it needs nothing from the parser. It is driven by lexer_next, and after an error token
 * its `error` says what is wrong. Text comes from source.h: it ends in "\n\0".
 */
#ifndef GEN_PARSER_LEXER_H
#define GEN_PARSER_LEXER_H

#include "ast.h"
#include "parse.h"

/* Limits of CPython, so that a program is accepted here exactly when it is there. */
#define LEXER_MAX_PARENS 200
#define LEXER_MAX_INDENTS 100
#define LEXER_MAX_FSTRINGS 150
#define LEXER_MAX_FSTRING_FIELDS 3

#define TOKEN(name, text) TOKEN_##name,
#define OPERATOR(name, text) TOKEN_##name,
#define KEYWORD(name, text) TOKEN_##name,
#define SOFT(name, text) TOKEN_##name,
typedef enum TokenKind {
#include "tokens.def"
} TokenKind;

typedef struct Token {
    TokenKind kind;
    AstSpan span;
    const char *start; /* its text in the source */
    const char *end;
    AstName *name; /* of a NAME, keyword or soft keyword, else NULL */
    int32_t level; /* brackets open behind it */
} Token;

/* One f-string or t-string that is being read: its text alternates with replacement fields. */
typedef struct FStringMode {
    const char *start;      /* the first byte of the token, at its prefix */
    const char *line_start; /* of the line with `start` */
    int32_t line;
    int32_t bracket_depth; /* brackets open inside of its fields */
    int32_t field_depth;   /* fields open: -1 outside of any, 1 in a nested format spec */
    char quote;
    uint8_t quote_size; /* 1 or 3 */
    bool is_raw;
    bool is_template;
    bool in_text; /* the next token is text, not code */
    bool in_format_spec;
} FStringMode;

typedef struct OpenParen {
    char bracket;
    int32_t line;
    int32_t col;
} OpenParen;

typedef struct Lexer {
    AstWarning *warnings, **last_warning; /* a list, and where its next one goes */
    Arena *arena;
    NameTable *names;
    ParseError *error;
    const char *text; /* the whole source */
    const char *end;
    const char *cur;        /* the next byte */
    const char *line_start; /* of the line with `cur` */
    const char *comment;    /* the last one passed over before the current token, or NULL */
    const char *run_start;  /* of the first of the lines that backslashes continue up to it */
    int32_t line;
    bool at_line_start;    /* indentation comes next */
    bool has_eof_error;    /* the error is that the source ended too early */
    bool has_open_literal; /* ... inside brackets or a triple-quoted string */
    bool has_soft_error;   /* the error is no better than one that the parser found before it */
    int32_t pending;       /* INDENT tokens to come, or DEDENT ones when negative */
    int32_t indent;        /* the current depth in the two stacks below */
    int32_t paren_level;
    int32_t fstring_level;                  /* f-strings open */
    int32_t indents[LEXER_MAX_INDENTS];     /* columns with tabs to 8 */
    int32_t alt_indents[LEXER_MAX_INDENTS]; /* columns with tabs to 1, to find inconsistencies */
    OpenParen parens[LEXER_MAX_PARENS];
    FStringMode fstrings[LEXER_MAX_FSTRINGS];
} Lexer;

/* Begins at the start of the text. Errors go to *error. */
void lexer_init(Lexer *lexer, Arena *arena, NameTable *names, const char *text, size_t len,
                ParseError *error);

/* Enters the keywords into a table of names; once for each table. False without memory. */
bool lexer_add_keywords(NameTable *names);

/* Reads the next token. After ENDMARKER comes ENDMARKER. An ERROR token leaves *error filled in. */
void lexer_next(Lexer *lexer, Token *token);

/* Sets the error that the innermost open bracket is never closed. */
void lexer_fail_unclosed(Lexer *lexer, Token *token);

/* Notes a SyntaxWarning for a place in the source. */
__attribute__((format(printf, 3, 4))) void lexer_warn(Lexer *lexer, AstSpan span,
                                                      const char *format, ...);

/* How the token is written, or what it is called: ":" or "newline". */
const char *token_text(TokenKind kind);

/* For the other lexer files. */

/* Sets the error at the last byte consumed and makes the token an ERROR. Formats as printf. */
__attribute__((format(printf, 3, 4))) void lexer_fail(Lexer *lexer, Token *token,
                                                      const char *format, ...);

/* The same at given 1-based columns of the current line. */
__attribute__((format(printf, 5, 6))) void
lexer_fail_range(Lexer *lexer, Token *token, int32_t col, int32_t end_col, const char *format, ...);

/* Ends the token at `cur`. */
void lexer_finish(Lexer *lexer, Token *token, TokenKind kind);

/* Literals (lex_literal.c). Each begins with `cur` at the literal's first byte, or for strings at
 * the quote after the prefix. */
void lexer_read_number(Lexer *lexer, Token *token);
void lexer_read_string(Lexer *lexer, Token *token);
void lexer_open_fstring(Lexer *lexer, Token *token);
/* The next token of an f-string in its text: a middle, an end, or false for the start of a field.
 */
bool lexer_read_fstring_text(Lexer *lexer, Token *token);

/* Identifiers outside of ASCII (lex_name.c): checks the characters and normalises to NFKC. */
void lexer_read_wide_name(Lexer *lexer, Token *token);

#endif
