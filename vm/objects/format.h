/* format.h - what the files of text formatting share: format.c (specs, padding, str),
 * format_number.c (int, float, complex) and format_percent.c (the % operator).
 */
#ifndef GEN_FORMAT_H
#define GEN_FORMAT_H

#include "vm/objects/number.h"

typedef struct
    FormatSpec {   /* [[fill]align][sign][z][#][0][width][grouping][.precision[grouping]][type]
                    */
    uint32_t fill; /* code point; ' ' when not given */
    char align;    /* < > = ^ */
    char sign;     /* + - space, 0: not given */
    bool no_negative_zero; /* z */
    bool alternate;        /* # */
    char group;            /* , or _ between thousands, 0: none */
    char fraction_group;
    int64_t width;     /* -1: not given */
    int64_t precision; /* -1: not given */
    uint32_t type;     /* code point */
} FormatSpec;

/* False with ValueError pending. `v` is what is formatted, for messages; default_type 0: stays 0
 * when not given. */
bool format_parse_spec(GenVM *vm, FormatSpec *spec, Value text, Value v, char default_type,
                       char default_align);
bool format_unknown_code(GenVM *vm, uint32_t code, Value v); /* false, with ValueError */
void format_put_fill(StrBuilder *out, uint32_t fill, int64_t count);
/* Pads `length` code points of text to spec's width. */
void format_put_padded(StrBuilder *out, const FormatSpec *spec, TextSpan text, int64_t length);

/* A number in pieces: [sign][prefix]digits rest. Only `digits` are grouped. */
typedef struct NumberParts {
    char sign; /* 0: none */
    TextSpan prefix, digits, rest;
    int64_t rest_length;                  /* code points */
    size_t fraction_start, fraction_size; /* of the digits behind the point, in rest */
} NumberParts;
void format_put_number(StrBuilder *out, const FormatSpec *spec, const NumberParts *parts);

/* The text of |d|: type is one of e f g r (repr) and E F G; keep_point: "5." ; add_dot: "5.0" where
 * a float of script would show it. Lies in the scratch. False with MemoryError pending. */
bool format_double(GenVM *vm, Scratch *scratch, double d, char type, int64_t precision,
                   bool keep_point, bool add_dot, TextSpan *text);

/* |d| with `places` digits behind the point, where that is quick; 0 elsewhere. `out` has
 * FORMAT_PLACES_SIZE bytes. */
size_t format_write_places(char *out, double d, int places);
enum { FORMAT_PLACES_SIZE = 64 };

/* ---- format_quick.c: the commonest specs ---- */

enum { FORMAT_QUICK_WIDTH = 64, FORMAT_QUICK_SIZE = FORMAT_PLACES_SIZE + FORMAT_QUICK_WIDTH };

/* A small int or an immediate float as text of ASCII into FORMAT_QUICK_SIZE bytes: its size; 0:
 * leave it to the general way. */
size_t format_quick_number(char *out, Value v, TextSpan spec); /* of any value */
/* Of a small int, an immediate float or an exact str; VALUE_UNSET: leave it to the general way. */
Value format_quick(GenVM *vm, Value v, Value spec);
/* Puts one of these by the field of % that *at stands in, behind the %, and moves *at behind that.
 * False: nothing is done. */
bool format_quick_percent(StrBuilder *out, Value v, const char **at, const char *end);

#endif
