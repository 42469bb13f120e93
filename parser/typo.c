/* typo.c: misspelt keywords, by the rules of Python 3.14's traceback module.
 *
 * The candidates for a name are the keyword at the least edit distance and the three most similar
 * ones by common substrings; a candidate is right when the text parses with it, at least as the
 * beginning of a program.
 */
#include "typo.h"

#include "lexer.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_TEXT 1024 /* a longer text is not searched */
#define MOST_NAMES 10     /* of a line are tried */
#define MOST_MATCHES 3
#define LONGEST_WORD 40
#define MOVE_COST 2
#define CASE_COST 1

static const char *const keywords[] = {
#define KEYWORD(name, text) text,
#include "tokens.def"
};

#define KEYWORD_COUNT ((int)(sizeof keywords / sizeof keywords[0]))

/* Similarity. */

static int least(int a, int b) {
    return a < b ? a : b;
}

static int change_cost(char a, char b) {
    if (a == b) return 0;
    return (a | 0x20) == (b | 0x20) ? CASE_COST : MOVE_COST;
}

/* Levenshtein's distance of two words of at most LONGEST_WORD bytes. */
static int edit_distance(const char *a, int a_len, const char *b, int b_len) {
    int row[LONGEST_WORD + 1];
    for (int j = 0; j <= b_len; j++)
        row[j] = j * MOVE_COST;
    for (int i = 0; i < a_len; i++) {
        int diagonal = row[0];
        row[0] = (i + 1) * MOVE_COST;
        for (int j = 0; j < b_len; j++) {
            int changed = diagonal + change_cost(a[i], b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + MOVE_COST);
        }
    }
    return row[b_len];
}

/* The nearest keyword within a third of the letters, or NULL. */
static const char *nearest_keyword(const char *word, int len) {
    const char *best = NULL;
    int best_distance = INT32_MAX;
    for (int i = 0; i < KEYWORD_COUNT; i++) {
        int keyword_len = (int)strlen(keywords[i]);
        int distance = edit_distance(word, len, keywords[i], keyword_len);
        if (distance <= (len + keyword_len + 3) * MOVE_COST / 6 && distance < best_distance) {
            best = keywords[i];
            best_distance = distance;
        }
    }
    return best;
}

/* How many bytes two words have in common: their longest common part, and so on on both sides. */
static int common_bytes(const char *a, int a_len, const char *b, int b_len) {
    int best_a = 0, best_b = 0, best = 0;
    for (int i = 0; i < a_len; i++) {
        for (int j = 0; j < b_len; j++) {
            int size = 0;
            while (i + size < a_len && j + size < b_len && a[i + size] == b[j + size])
                size++;
            if (size > best) {
                best = size;
                best_a = i;
                best_b = j;
            }
        }
    }
    if (best == 0) return 0;
    int a_rest = best_a + best, b_rest = best_b + best;
    return best + common_bytes(a, best_a, b, best_b) +
           common_bytes(a + a_rest, a_len - a_rest, b + b_rest, b_len - b_rest);
}

typedef struct Match {
    const char *keyword;
    double score;
} Match;

static int compare_matches(const void *first, const void *second) {
    const Match *a = first;
    const Match *b = second;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return strcmp(b->keyword, a->keyword);
}

/* Up to MOST_MATCHES candidates for a word, the best first. */
static int find_candidates(const char *word, int len, const char *candidates[MOST_MATCHES]) {
    Match matches[KEYWORD_COUNT];
    int match_count = 0;
    for (int i = 0; i < KEYWORD_COUNT; i++) {
        int keyword_len = (int)strlen(keywords[i]);
        int common = common_bytes(keywords[i], keyword_len, word, len);
        double score = 2.0 * common / (keyword_len + len);
        if (score >= 0.5) matches[match_count++] = (Match){keywords[i], score};
    }
    qsort(matches, (size_t)match_count, sizeof *matches, compare_matches);
    int count = 0;
    const char *nearest = nearest_keyword(word, len);
    if (nearest != NULL) candidates[count++] = nearest;
    for (int i = 0; i < match_count && i < MOST_MATCHES && count < MOST_MATCHES; i++)
        candidates[count++] = matches[i].keyword;
    return count;
}

/* The text. */

static const char *skip_lines(const char *text, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        const char *newline = strchr(text, '\n');
        if (newline == NULL) return text + strlen(text);
        text = newline + 1;
    }
    return text;
}

/* The blanks that all lines with code begin with. */
static size_t common_indent(const char *text, const char *end) {
    const char *first = NULL;
    size_t len = 0;
    for (const char *line = text; line < end; line = skip_lines(line, 1)) {
        size_t indent = strspn(line, " \t");
        if (line[indent] == '\n' || line[indent] == '\0') continue;
        if (first == NULL) {
            first = line;
            len = indent;
        }
        size_t same = 0;
        while (same < len && same < indent && line[same] == first[same])
            same++;
        len = same;
    }
    return len;
}

/* Copies the lines without their common indentation. */
static size_t dedent(char *dst, const char *text, const char *end) {
    size_t indent = common_indent(text, end);
    size_t size = 0;
    for (const char *line = text; line < end;) {
        const char *next = skip_lines(line, 1);
        if (next > end) next = end;
        size_t len = (size_t)(next - line);
        size_t cut = strspn(line, " \t") < indent ? strspn(line, " \t") : indent;
        memcpy(dst + size, line + cut, len - cut);
        size += len - cut;
        line = next;
    }
    dst[size] = '\0';
    return size;
}

/* The search. */

typedef struct Search {
    Arena *arena;
    const char *text; /* ends in a newline */
    size_t len;
    int32_t last_line; /* of the text: the one with the error */
    ParseError *error;
} Search;

/* Whether the text parses, or is a beginning, with the token replaced. */
static bool parses_with(Search *s, const Token *token, const char *keyword) {
    size_t before = (size_t)(token->start - s->text);
    size_t keyword_len = strlen(keyword);
    size_t behind = s->len - (size_t)(token->end - s->text);
    char *changed = arena_take(s->arena, before + keyword_len + behind + 1);
    if (changed == NULL) return false;
    memcpy(changed, s->text, before);
    memcpy(changed + before, keyword, keyword_len);
    memcpy(changed + before + keyword_len, token->end, behind);
    ParseError ignored;
    size_t len = before + keyword_len + behind;
    return parse_beginning(s->arena, changed, len, &ignored);
}

static void set_hint(Search *s, const Token *token, const char *keyword) {
    static const char format[] = "invalid syntax. Did you mean '";
    size_t len = strlen(keyword);
    char *message = arena_take(s->arena, sizeof format + len + 2);
    const char *line = skip_lines(s->text, token->span.line - 1);
    char *text = arena_copy_text(s->arena, line, strcspn(line, "\n"));
    if (message == NULL || text == NULL) return;
    memcpy(message, format, sizeof format - 1);
    memcpy(message + sizeof format - 1, keyword, len);
    memcpy(message + sizeof format - 1 + len, "'?", 3);
    s->error->hint = message;
    s->error->hint_text = text;
    s->error->hint_col = token->span.col + 1;
    s->error->hint_end_col = token->span.end_col + 1;
}

static bool try_token(Search *s, const Token *token) {
    int len = (int)(token->end - token->start);
    const char *candidates[MOST_MATCHES];
    if (len > LONGEST_WORD) return false;
    int count = find_candidates(token->start, len, candidates);
    for (int i = 0; i < count; i++) {
        if (parses_with(s, token, candidates[i])) {
            set_hint(s, token, candidates[i]);
            return true;
        }
    }
    return false;
}

static bool is_name(TokenKind kind) {
    return kind == TOKEN_NAME || kind == TOKEN_UNDERSCORE || kind == TOKEN_MATCH ||
           kind == TOKEN_CASE || kind == TOKEN_TYPE;
}

static void search(Search *s) {
    NameTable names;
    names_init(&names, s->arena);
    Lexer *lexer = arena_take(s->arena, sizeof *lexer);
    ParseError ignored;
    if (lexer == NULL || !lexer_add_keywords(&names)) return;
    lexer_init(lexer, s->arena, &names, s->text, s->len, &ignored);
    Token token;
    int left = MOST_NAMES;
    do {
        lexer_next(lexer, &token);
        if (is_name(token.kind) && token.span.line == s->last_line &&
            (left-- == 0 || try_token(s, &token)))
            return;
    } while (token.kind != TOKEN_ERROR && token.kind != TOKEN_ENDMARKER);
}

void typo_explain(Arena *arena, const char *source, int32_t statement_line, ParseError *error) {
    bool is_plain = strcmp(error->message, "invalid syntax") == 0 ||
                    strstr(error->message, "Perhaps you forgot a comma") != NULL;
    if (error->kind != PARSE_SYNTAX_ERROR || !is_plain || error->line <= 0) return;
    int32_t first = statement_line > 0 ? statement_line - 1 : 0;
    const char *start = skip_lines(source, first);
    const char *end = skip_lines(source, error->line);
    if (end <= start || end - start > LONGEST_TEXT) return;
    char *text = arena_take(arena, (size_t)(end - start) + 1);
    if (text == NULL) return;
    Search s = {arena, text, dedent(text, start, end), error->line - first, error};
    search(&s);
}
