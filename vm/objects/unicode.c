/* unicode.c - properties and case mappings of single code points: see unicode.h.
 *
 * The category decides nearly everything; the tables hold the exceptions and are searched only when
 * it does not.
 */
#include "vm/objects/unicode.h"

#include "vm/objects/unicode_tables.h"

#include <stddef.h>
#include <utf8proc.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define IN(table, c) in_ranges(table, COUNT(table), c)

static bool in_ranges(const CharRange *ranges, size_t count, uint32_t c) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && c >= ranges[low].first;
}

/* The category as a bit, so that a set of categories is one mask. */
#define CATEGORY(name) ((uint32_t)1 << UTF8PROC_CATEGORY_##name)
#define LETTER (CATEGORY(LU) | CATEGORY(LL) | CATEGORY(LT) | CATEGORY(LM) | CATEGORY(LO))
#define XID_START (LETTER | CATEGORY(NL))
#define XID_CONTINUE (XID_START | CATEGORY(MN) | CATEGORY(MC) | CATEGORY(ND) | CATEGORY(PC))
#define UNPRINTABLE                                                                                \
    (CATEGORY(CC) | CATEGORY(CF) | CATEGORY(CS) | CATEGORY(CO) | CATEGORY(CN) | CATEGORY(ZL) |     \
     CATEGORY(ZP) | CATEGORY(ZS))
#define IGNORABLE (CATEGORY(MN) | CATEGORY(ME) | CATEGORY(CF) | CATEGORY(LM) | CATEGORY(SK))

static inline bool is_in(uint32_t c, uint32_t categories) {
    return categories >> utf8proc_get_property((utf8proc_int32_t)c)->category & 1;
}

bool char_is_alpha(uint32_t c) {
    return is_in(c, LETTER);
}
bool char_is_decimal(uint32_t c) {
    return is_in(c, CATEGORY(ND));
}
bool char_is_digit(uint32_t c) {
    return char_is_decimal(c) || IN(digits, c);
}
bool char_is_numeric(uint32_t c) {
    return is_in(c, CATEGORY(ND) | CATEGORY(NL) | CATEGORY(NO)) || IN(numeric_letters, c);
}
bool char_is_alnum(uint32_t c) {
    return char_is_alpha(c) || char_is_numeric(c);
}
bool char_is_printable(uint32_t c) {
    return c == ' ' || !is_in(c, UNPRINTABLE);
}

bool char_is_space(uint32_t c) {
    if (c < 0x1680) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool char_is_lower(uint32_t c) {
    return is_in(c, CATEGORY(LL)) || IN(other_lowercase, c);
}
bool char_is_upper(uint32_t c) {
    return is_in(c, CATEGORY(LU)) || IN(other_uppercase, c);
}
bool char_is_title(uint32_t c) {
    return is_in(c, CATEGORY(LT));
}
bool char_is_cased(uint32_t c) {
    return char_is_lower(c) || char_is_upper(c) || char_is_title(c);
}
bool char_is_case_ignorable(uint32_t c) {
    return is_in(c, IGNORABLE) || IN(case_ignorable_also, c);
}

bool char_is_xid_start(uint32_t c) {
    if (is_in(c, XID_START)) return !IN(xid_start_not, c);
    return c == '_' || IN(xid_start_also, c);
}

bool char_is_xid_continue(uint32_t c) {
    if (is_in(c, XID_CONTINUE)) return !IN(xid_continue_not, c);
    return IN(xid_continue_also, c);
}

/* ---- mappings ---- */

static const CharMapping *find_special(uint32_t c) {
    if (c < special_case[0].c || c > special_case[COUNT(special_case) - 1].c) return NULL;
    size_t low = 0, high = COUNT(special_case);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (special_case[middle].c < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT(special_case) && special_case[low].c == c ? &special_case[low] : NULL;
}

static unsigned copy_mapping(const uint16_t mapping[3], uint32_t *out) {
    unsigned count = 0;
    for (; count < 3 && mapping[count]; count++)
        out[count] = mapping[count];
    return count;
}

unsigned char_to_upper(uint32_t c, uint32_t *out) {
    const CharMapping *special = find_special(c);
    if (special) return copy_mapping(special->upper, out);
    out[0] = (uint32_t)utf8proc_toupper((utf8proc_int32_t)c);
    return 1;
}

unsigned char_to_title(uint32_t c, uint32_t *out) {
    const CharMapping *special = find_special(c);
    if (special) return copy_mapping(special->title, out);
    out[0] = (uint32_t)utf8proc_totitle((utf8proc_int32_t)c);
    return 1;
}

unsigned char_to_lower(uint32_t c, uint32_t *out) {
    if (c == 0x130) { /* the one lower case that is two code points: dotted I */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
    return 1;
}

unsigned char_to_folded(uint32_t c, uint32_t *out) {
    utf8proc_int32_t folded[CHAR_MAP_MAX];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)c, folded, CHAR_MAP_MAX,
                                                     UTF8PROC_CASEFOLD, &boundary);
    if (count < 1 || count > CHAR_MAP_MAX) { /* surrogates */
        out[0] = c;
        return 1;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++)
        out[i] = (uint32_t)folded[i];
    return (unsigned)count;
}

/* Decimal digits come in runs of ten, in order, that start with zero; only the run of mathematical
 * digits holds five sets at an offset of its own. */
int char_decimal_value(uint32_t c) {
    if (c >= '0' && c <= '9') return (int)c - '0';
    if (c < 0x660 || !char_is_decimal(c)) return -1;
    if (c >= 0x1D7CE && c <= 0x1D7FF) return (int)((c - 0x1D7CE) % 10);
    uint32_t first = c;
    while (c - first < 9 && char_is_decimal(first - 1))
        first--;
    return (int)(c - first);
}
