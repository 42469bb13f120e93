/* unicode_names.c - the names of characters, both ways.
 *
 * A name is a sequence of words: "GREEK", "SMALL", ... A word that begins with a hyphen follows its
 * predecessor directly, others after a space. The names stand in the order of their code points in
 * one stream of printable digits (base 90), each as the number of words it shares with the name
 * before, how many new words follow, and their numbers in the list of words, the most frequent
 * first. Looking for a name turns it into numbers once and walks the stream, which takes under a
 * millisecond. Ideographs and Hangul syllables have names by rule.
 */
#include "vm/objects/unicode_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef GEN_NO_LIBRARY
int64_t unicode_name_find(const char *name, size_t size) {
    (void)name, (void)size;
    return -1;
}

size_t unicode_name_of(uint32_t c, char *out) {
    (void)c, (void)out;
    return 0;
}
#else

#define NAME_WORDS
static const char words[] =
#include "vm/objects/unicode_names.def"
    ;
#undef NAME_WORDS
#define NAME_STREAM
static const char stream[] =
#include "vm/objects/unicode_names.def"
    ;
#undef NAME_STREAM
#define NAME_RUNS
static const struct {
    uint32_t first, count; /* consecutive code points that have names */
} runs[] = {
#include "vm/objects/unicode_names.def"
};
#undef NAME_RUNS
#define NAME_NUMBERED
static const struct {
    uint32_t first, last;
    const char *prefix; /* the code point follows in hexadecimal */
} numbered[] = {
#include "vm/objects/unicode_names.def"
};
#undef NAME_NUMBERED
#define NAME_ALIASES
static const struct {
    uint32_t c;
    const char *name;
} aliases[] = {
#include "vm/objects/unicode_names.def"
};
#undef NAME_ALIASES

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { WORDS_MAX = 16, SHARED_MAX = 9, TWO_DIGIT_WORDS = 85 * 90 };

/* ---- the stream ---- */

typedef struct Cursor {
    const char *at;
    uint16_t words[WORDS_MAX]; /* of the name last read */
    unsigned count;
} Cursor;

/* The digits are the printable ASCII characters without " ? and \. */
static unsigned digit(char c) {
    return (unsigned)c - ' ' - (c > '"') - (c > '?') - (c > '\\');
}

static unsigned take_word(Cursor *cursor) {
    unsigned first = digit(*cursor->at++), second = digit(*cursor->at++);
    if (first < 85) return first * 90 + second;
    return TWO_DIGIT_WORDS + (first - 85) * 8100 + second * 90 + digit(*cursor->at++);
}

static void next_name(Cursor *cursor) {
    unsigned head = digit(*cursor->at++), shared = head / SHARED_MAX, added = head % SHARED_MAX;
    if (added == 0) added = digit(*cursor->at++);
    for (unsigned i = 0; i < added; i++)
        cursor->words[shared + i] = (uint16_t)take_word(cursor);
    cursor->count = shared + added;
}

/* ---- Hangul syllables, by rule ---- */

enum { HANGUL_FIRST = 0xAC00, HANGUL_LAST = 0xD7A3, VOWELS = 21, TAILS = 28 };
static const char *const leads[] = {"G",  "GG", "N", "D",  "DD", "R", "M", "B", "BB", "S",
                                    "SS", "",   "J", "JJ", "C",  "K", "T", "P", "H"};
static const char *const vowels[] = {"A",   "AE", "YA", "YAE", "EO", "E",  "YEO",
                                     "YE",  "O",  "WA", "WAE", "OE", "YO", "U",
                                     "WEO", "WE", "WI", "YU",  "EU", "YI", "I"};
static const char *const tails[] = {"",   "G",  "GG", "GS", "N",  "NJ", "NH", "D", "L",  "LG",
                                    "LM", "LB", "LS", "LT", "LP", "LH", "M",  "B", "BS", "S",
                                    "SS", "NG", "J",  "C",  "K",  "T",  "P",  "H"};

static size_t put_hangul(uint32_t c, char *out) {
    unsigned index = c - HANGUL_FIRST;
    return (size_t)sprintf(out, "HANGUL SYLLABLE %s%s%s", leads[index / (VOWELS * TAILS)],
                           vowels[index / TAILS % VOWELS], tails[index % TAILS]);
}

static int64_t find_by_rule(const char *name) {
    char candidate[UNICODE_NAME_MAX];
    if (strncmp(name, "HANGUL SYLLABLE ", 16) == 0)
        for (uint32_t c = HANGUL_FIRST; c <= HANGUL_LAST; c++) {
            put_hangul(c, candidate);
            if (strcmp(candidate, name) == 0) return c;
        }
    for (size_t i = 0; i < COUNT(numbered); i++) {
        size_t size = strlen(numbered[i].prefix);
        unsigned c;
        if (strncmp(name, numbered[i].prefix, size) != 0 || sscanf(name + size, "%X", &c) != 1)
            continue;
        sprintf(candidate, "%s%04X", numbered[i].prefix, c);
        if (c >= numbered[i].first && c <= numbered[i].last && strcmp(candidate, name) == 0)
            return c;
    }
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (strcmp(aliases[i].name, name) == 0) return aliases[i].c;
    return -1;
}

/* ---- from names ---- */

typedef struct Word {
    const char *text;
    size_t size;
} Word;

/* Splits a name into words; 0: it has too many. */
static unsigned split(const char *name, Word *parts) {
    unsigned count = 0;
    for (bool first = true; *name || first; first = false) {
        if (count == WORDS_MAX) return 0;
        bool spaced = !first && *name == ' ';
        if (spaced) name++;
        size_t size = !spaced && *name == '-' ? 1 : 0; /* " -A" is an empty word and "-A" */
        while (name[size] && name[size] != ' ' && name[size] != '-')
            size++;
        parts[count++] = (Word){name, size};
        name += size;
    }
    return count;
}

/* The numbers of the words; false when one is in no name. */
static bool number_words(const Word *parts, unsigned count, uint16_t *numbers) {
    unsigned found = 0;
    uint16_t number = 0;
    for (const char *at = words, *space; (space = strchr(at, ' ')) != NULL;
         at = space + 1, number++)
        for (unsigned i = 0; i < count; i++)
            if (parts[i].size == (size_t)(space - at) &&
                memcmp(parts[i].text, at, parts[i].size) == 0) {
                numbers[i] = number;
                found++;
            }
    return found == count;
}

static int64_t find_in_stream(const uint16_t *numbers, unsigned count) {
    Cursor cursor = {.at = stream};
    for (size_t run = 0; run < COUNT(runs); run++)
        for (uint32_t i = 0; i < runs[run].count; i++) {
            next_name(&cursor);
            if (cursor.count == count &&
                memcmp(cursor.words, numbers, count * sizeof *numbers) == 0)
                return runs[run].first + i;
        }
    return -1;
}

int64_t unicode_name_find(const char *name, size_t size) {
    char upper[UNICODE_NAME_MAX];
    Word parts[WORDS_MAX];
    uint16_t numbers[WORDS_MAX];
    if (size == 0 || size >= sizeof upper || memchr(name, 0, size)) return -1;
    for (size_t i = 0; i < size; i++)
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    upper[size] = 0;
    int64_t c = find_by_rule(upper);
    if (c >= 0) return c;
    unsigned count = split(upper, parts);
    if (!count || !number_words(parts, count, numbers)) return -1;
    return find_in_stream(numbers, count);
}

/* ---- from characters ---- */

static size_t put_words(const Cursor *name, char *out) {
    char *start = out;
    for (unsigned i = 0; i < name->count; i++) {
        const char *at = words;
        for (unsigned skip = name->words[i]; skip > 0; skip--)
            at = strchr(at, ' ') + 1;
        size_t size = strcspn(at, " ");
        if (i && *at != '-') *out++ = ' ';
        memcpy(out, at, size);
        out += size;
    }
    *out = 0;
    return (size_t)(out - start);
}

size_t unicode_name_of(uint32_t c, char *out) {
    if (c >= HANGUL_FIRST && c <= HANGUL_LAST) return put_hangul(c, out);
    for (size_t i = 0; i < COUNT(numbered); i++)
        if (c >= numbered[i].first && c <= numbered[i].last)
            return (size_t)sprintf(out, "%s%04X", numbered[i].prefix, c);
    size_t before = 0, run = 0;
    for (; run < COUNT(runs) && c >= runs[run].first + runs[run].count; run++)
        before += runs[run].count;
    if (run == COUNT(runs) || c < runs[run].first) return 0;
    Cursor cursor = {.at = stream};
    for (before += c - runs[run].first + 1; before > 0; before--)
        next_name(&cursor);
    return put_words(&cursor, out);
}
#endif
