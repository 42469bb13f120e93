/* genvm_signature.c - the C API: is the signature of a host's function one?
 *
 * The binder (native.c) takes what it reads for well formed, as the engine's own tables are. Those
 * of a host are looked at here first, so that a slip of the pen is an error at once and not a
 * parameter that takes anything.
 */
#include "vm/bind.h"
#include "vm/genvm_private.h"

#include <ctype.h>
#include <stdlib.h>

typedef struct Params {
    const char *names[NATIVE_MAX_PARAMS];
    size_t sizes[NATIVE_MAX_PARAMS];
    int count;
    bool posonly, keyword_only, kwargs, optional; /* what has been seen */
} Params;

static void skip(const char **at, size_t count) {
    for (*at += count; **at == ' ';)
        ++*at;
}

static size_t name_size(const char *at) {
    size_t size = 0;
    if (isdigit((unsigned char)*at)) return 0;
    while (isalnum((unsigned char)at[size]) || at[size] == '_')
        size++;
    return size;
}

static bool take_char(const char **at, char c) {
    if (**at != c) return false;
    skip(at, 1);
    return true;
}

/* These give what is wrong, or NULL. */

static const char *read_type(const char **at) {
    do {
        size_t size = name_size(*at);
        if (!native_knows_type(*at, size)) return "unknown type";
        skip(at, size);
    } while (take_char(at, '|'));
    return NULL;
}

static const char *read_default(const char **at) {
    static const char *const words[] = {"?", "None", "True", "False", "()", "b''", NULL};
    for (const char *const *word = words; *word; word++) {
        size_t size = strlen(*word);
        if (strncmp(*at, *word, size) != 0 || (name_size(*at) > size && **word != 'b')) continue;
        return skip(at, size), NULL;
    }
    char *end;
    const char *close = **at == '\'' || **at == '"' ? strchr(*at + 1, **at) : NULL;
    if (close) return skip(at, (size_t)(close + 1 - *at)), NULL;
    if (strspn(*at, "+-.0123456789") == 0 || (strtod(*at, &end), end == *at))
        return "a default that is no number, text, True, False, None, (), b'' or ?";
    return skip(at, (size_t)(end - *at)), NULL;
}

static const char *add_name(Params *params, const char **at) {
    size_t size = name_size(*at);
    if (size == 0) return "a parameter without a name";
    for (int i = 0; i < params->count; i++)
        if (params->sizes[i] == size && !memcmp(params->names[i], *at, size))
            return "two parameters of the same name";
    if (params->count == NATIVE_MAX_PARAMS) return "more than 24 parameters";
    params->names[params->count] = *at;
    params->sizes[params->count++] = size;
    return skip(at, size), NULL;
}

static const char *read_marker(Params *params, const char **at, bool *found) {
    *found = true;
    if (take_char(at, '/')) {
        if (params->posonly || params->keyword_only || !params->count) return "a misplaced /";
        params->posonly = true;
        return NULL;
    }
    *found = **at == '*' && (*at)[1] != '*' && name_size(*at + 1) == 0;
    if (!*found) return NULL;
    skip(at, 1);
    if (params->keyword_only || **at == ')' || (**at == ',' && (*at)[1] == ')'))
        return "a misplaced *";
    params->keyword_only = true;
    return NULL;
}

static const char *read_param(Params *params, const char **at) {
    bool marker, star = false;
    const char *wrong = read_marker(params, at, &marker);
    if (wrong || marker) return wrong;
    if (params->kwargs) return "a parameter behind **";
    if (take_char(at, '*')) {
        star = true;
        params->kwargs = take_char(at, '*');
        if (!params->kwargs && params->keyword_only) return "a second *";
        params->keyword_only = true;
    }
    if ((wrong = add_name(params, at))) return wrong;
    if (take_char(at, ':') && (wrong = read_type(at))) return wrong;
    if (take_char(at, '=')) {
        params->optional = true;
        return star ? "a default behind *" : read_default(at);
    }
    if (params->optional && !params->keyword_only)
        return "a parameter without a default behind one that has it";
    return NULL;
}

static const char *read_signature(const char *at) {
    Params params = {.count = 0};
    for (int i = 0; i < 2; i++) {
        static const char *const kinds[] = {"static ", "classmethod "};
        if (!strncmp(at, kinds[i], strlen(kinds[i]))) skip(&at, strlen(kinds[i]));
    }
    size_t size = name_size(at);
    if (size == 0) return "no name";
    skip(&at, size);
    if (!take_char(&at, '(')) return "no (";
    while (!take_char(&at, ')')) {
        const char *wrong = read_param(&params, &at);
        if (wrong) return wrong;
        if (!take_char(&at, ',') && *at != ')') return "neither , nor ) behind a parameter";
    }
    return *at && strncmp(at, "->", 2) != 0 ? "more behind the )" : NULL;
}

bool genvm_check_signature(GenVM *vm, const char *signature) {
    const char *wrong = read_signature(signature);
    if (wrong) raise_error(vm, EXC_SYSTEM_ERROR, "signature %s: %s", signature, wrong);
    return !wrong;
}
