/* suggest.c - "Did you mean ...?": Levenshtein distance where a change of case costs half a change
 * of letter, limited to a third of the letters, the first nearest candidate winning: the rules (not
 * the code) of CPython's suggestions.
 */
#include "vm/suggest.h"
#include "vm/objects.h"

#include <ctype.h>

enum { MOVE_COST = 2, CASE_COST = 1, LONGEST = 40, MOST_CANDIDATES = 750 };

static int substitution_cost(unsigned char a, unsigned char b) {
    if (a == b) return 0;
    return tolower(a) == tolower(b) ? CASE_COST : MOVE_COST;
}

/* Distance of a and b, or limit + 1 when it is beyond. Bytes are compared, which is exact for ASCII
 * names. */
static int distance(const char *a, int a_size, const char *b, int b_size, int limit) {
    while (a_size && b_size && *a == *b)
        a++, b++, a_size--, b_size--;
    while (a_size && b_size && a[a_size - 1] == b[b_size - 1])
        a_size--, b_size--;
    if (!a_size || !b_size) return (a_size + b_size) * MOVE_COST;
    if (a_size > LONGEST || b_size > LONGEST) return limit + 1;
    int row[LONGEST + 1];
    for (int j = 0; j <= b_size; j++)
        row[j] = j * MOVE_COST;
    for (int i = 0; i < a_size; i++) {
        int diagonal = row[0], least;
        row[0] = least = (i + 1) * MOVE_COST;
        for (int j = 0; j < b_size; j++) {
            int substitute = diagonal + substitution_cost((unsigned char)a[i], (unsigned char)b[j]);
            int move = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + MOVE_COST;
            diagonal = row[j + 1];
            row[j + 1] = substitute < move ? substitute : move;
            if (row[j + 1] < least) least = row[j + 1];
        }
        if (least > limit) return limit + 1;
    }
    return row[b_size];
}

Value suggest_name(GenVM *vm, Value wrong, const Value *candidates, uint64_t count) {
    (void)vm;
    if (count > MOST_CANDIDATES) return VALUE_UNSET;
    const Str *name = AS_STR(wrong);
    Value best = VALUE_UNSET;
    int best_distance = 1 << 30;
    for (uint64_t i = 0; i < count; i++) {
        if (!value_is_str(candidates[i]) || str_equal(candidates[i], wrong)) continue;
        const Str *candidate = AS_STR(candidates[i]);
        int limit = (int)(name->size + candidate->size + 3) * MOVE_COST / 6;
        if (best_distance - 1 < limit) limit = best_distance - 1;
        int d = distance(name->data, (int)name->size, candidate->data, (int)candidate->size, limit);
        if (d > limit || d >= best_distance) continue;
        best = candidates[i];
        best_distance = d;
    }
    return best;
}
