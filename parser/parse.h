/* parse.h: text in, syntax tree or one error out.
 *
 * parse_source reads a whole source and returns its tree, which lives in the arena that the caller
 * gives, together with every name and literal: the source itself may be dropped. On failure it
 * returns NULL and fills in a ParseError with what a SyntaxError carries. Any bytes are a valid
 * argument. The tree has passed the checks of the grammar; scope_analyze (scope.h) makes those that
 * need names and surroundings ('return' outside function and so on).
 *
 *     Arena arena;
 *     arena_init(&arena, vm, 64 << 20);
 *     ParseError error;
 *     AstModule *module = parse_source(&arena, text, len, PARSE_FILE, &error);
 *     if (module == NULL || !scope_analyze(&arena, module, &error))
 *         ... error.kind, error.message, error.line ...
 *     arena_free(&arena);
 */
#ifndef GEN_PARSER_PARSE_H
#define GEN_PARSER_PARSE_H

#include "ast.h"

/* What the source is. */
typedef enum ParseMode {
    PARSE_FILE,   /* any number of statements */
    PARSE_EVAL,   /* one expression */
    PARSE_SINGLE, /* one statement at the interactive prompt */
} ParseMode;

typedef enum ParseErrorKind {
    PARSE_NO_ERROR,
    PARSE_SYNTAX_ERROR,
    PARSE_INDENTATION_ERROR,
    PARSE_TAB_ERROR,
    PARSE_MEMORY_ERROR,    /* the arena is exhausted, or the source nests too deeply */
    PARSE_RECURSION_ERROR, /* scope analysis found the tree too deep */
    PARSE_INCOMPLETE,      /* PARSE_SINGLE alone: the source is the beginning of a statement */
} ParseErrorKind;

/* A failure. The texts live in the arena or are constants. Columns count characters (not bytes)
 * from 1, as SyntaxError.offset does; 0 stands for "nowhere", and an end of 0 for "unknown". What
 * is wrong with a declared encoding is nowhere in line 0, at column -1. */
typedef struct ParseError {
    ParseErrorKind kind;
    const char *message;
    int32_t line;
    int32_t col;
    int32_t end_line;
    int32_t end_col;
    const char *text; /* the source line with its newline, or NULL where there is none */
    const char *hint; /* a better message for a person, as "invalid syntax. Did you mean 'while'?",
                         or NULL. Python shows it in the traceback of an uncaught error only. It has
                         a place of its own: the line hint_text and the columns there. */
    const char *hint_text;
    int32_t hint_col;
    int32_t hint_end_col;
} ParseError;

/* The tree of `source`, or NULL with *error filled in. In PARSE_SINGLE mode a source that only
 * needs more lines fails with PARSE_INCOMPLETE: a prompt then asks for the next line and tries
 * again with all of them. A compound statement is complete once an empty line follows it. */
AstModule *parse_source(Arena *arena, const char *source, size_t len, ParseMode mode,
                        ParseError *error);

/* The same for text that was decoded before, as the argument of exec: it is UTF-8, and a coding
 * cookie or a byte order mark in it has no meaning. */
AstModule *parse_text(Arena *arena, const char *text, size_t len, ParseMode mode,
                      ParseError *error);

/* Whether a text is a program or the beginning of one. */
bool parse_beginning(Arena *arena, const char *text, size_t len, ParseError *error);

/* The name of the exception type: "SyntaxError", "TabError" and so on. */
const char *parse_error_type(ParseErrorKind kind);

#endif
