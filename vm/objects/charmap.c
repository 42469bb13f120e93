/* charmap.c - the one-byte encodings: which character each byte of the upper half is. */
#include "vm/objects/text.h"

#define UPPER_HALF(...)                                                                            \
    { __VA_ARGS__ }

typedef struct Charmap {
    const char *name;
    const char *others; /* names with a blank before and behind each */
    uint16_t upper[128];
} Charmap;

/* clang-format off */
static const Charmap charmaps[] = {
#define CHARMAP(name, others, upper) {name, others, upper},
#include "vm/objects/charmaps.def"
#undef CHARMAP
};
/* clang-format on */

enum { NOTHING = 0xFFFD };

Codec charmap_find(const char *name) {
    char word[48];
    size_t size = strlen(name);
    if (size + 3 > sizeof word) return CODEC_UNKNOWN;
    memcpy(word + 1, name, size);
    word[0] = word[size + 1] = ' ';
    word[size + 2] = 0;
    for (size_t i = 0; i < sizeof charmaps / sizeof *charmaps; i++)
        if (!strcmp(charmaps[i].name, name) || strstr(charmaps[i].others, word))
            return (Codec)(CODEC_CHARMAPS + i);
    return CODEC_UNKNOWN;
}

const char *charmap_name(Codec codec) {
    return charmaps[codec - CODEC_CHARMAPS].name;
}

int32_t charmap_decode(Codec codec, uint8_t byte) {
    if (byte < 0x80) return byte;
    uint16_t c = charmaps[codec - CODEC_CHARMAPS].upper[byte - 0x80];
    return c == NOTHING ? -1 : c;
}

int charmap_encode(Codec codec, uint32_t c) {
    if (c < 0x80) return (int)c;
    const uint16_t *upper = charmaps[codec - CODEC_CHARMAPS].upper;
    for (int i = 0; i < 128 && c != NOTHING; i++)
        if (upper[i] == c) return 0x80 + i;
    return -1;
}
