/* file_text_read.c - reading text: lines, characters, everything.
 *
 * Text is taken out of the source's buffer without being decoded first. A chunk of bytes is looked
 * at once: where it is UTF-8 (or ASCII in a codec that has it as a part), it joins the window, and
 * lines are cut out of the window as they are.
 *
 *     source's buffer   |  taken  |  window: a line\n another line\n a li|  not looked at yet  |
 * free  | ^ at                                   ^ window              ^ end
 *
 * A chunk that has to be decoded (another codec, an error handler at work) becomes text `ahead`,
 * together with what is left of the window, and lines are cut out of that until it is used up. Both
 * are a Region of UTF-8 to the functions here. Chunks are of the size that CPython decodes at once,
 * so that a bad byte is met at the same call with the same message.
 */
#include "vm/objects/files.h"

/* ---- the source's bytes ---- */

typedef struct View {
    const uint8_t *data;
    size_t at, end;
    uint32_t version;
} View;

static inline View view_of(const TextFile *file) {
    if (likely(file->source->kind != TYPE_BYTES_IO)) {
        const Buffered *source = (const Buffered *)file->source;
        const uint8_t *data = source->in ? source->in->data : NULL;
        return (View){data, source->at, source->end, source->version};
    }
    const MemoryFile *source = (const MemoryFile *)file->source;
    View view = {.at = source->at, .version = source->version};
    bytes_io_span(source, &view.data, &view.end);
    if (view.end < view.at) view.end = view.at;
    return view;
}

static inline void set_at(TextFile *file, size_t at) {
    if (likely(file->source->kind != TYPE_BYTES_IO))
        ((Buffered *)file->source)->at = at;
    else
        ((MemoryFile *)file->source)->at = at;
}

/* Nothing is known but where the source stands. */
static void know_nothing(TextFile *file) {
    View view = view_of(file);
    file->window = file->ascii_from = file->ascii_end = file->cr_at = view.at;
    file->version = view.version;
}

void file_text_forget(TextFile *file) {
    file->ahead = VALUE_UNSET;
    file->codec = file->start_codec;
    file->seen_cr = false;
    if (file->source) know_nothing(file);
}

static inline void synchronise(TextFile *file) {
    if (unlikely(view_of(file).version != file->version)) know_nothing(file);
}

/* Has the source read on; *more: did it get anything. */
static bool read_more(GenVM *vm, TextFile *file, bool *more) {
    *more = false;
    if (file->source->kind == TYPE_BYTES_IO) return true;
    Buffered *source = (Buffered *)file->source;
    size_t before = source->end - source->at, moved;
    if (!buffered_fill(vm, source, &moved)) return false;
    *more = source->end - source->at > before;
    file->window -= moved;
    file->ascii_from = file->ascii_from < moved ? 0 : file->ascii_from - moved;
    file->ascii_end = file->ascii_end < moved ? 0 : file->ascii_end - moved;
    file->cr_at = file->cr_at < moved ? 0 : file->cr_at - moved;
    file->version = source->version;
    return true;
}

/* ---- looking at bytes ---- */

/* Notes which line ends occur. */
void file_note_line_ends(uint8_t *seen, bool *seen_cr, const char *data, size_t size) {
    const char *at = data, *end = data + size;
    if (*seen_cr) {
        *seen |= *at == '\n' ? SEEN_CRLF : SEEN_CR;
        at += *at == '\n';
        *seen_cr = false;
    }
    const char *cr = memchr(at, '\r', (size_t)(end - at));
    if (!cr) {
        if (!(*seen & SEEN_LF) && memchr(at, '\n', (size_t)(end - at))) *seen |= SEEN_LF;
        return;
    }
    for (; at < end; at++) {
        if (*at == '\n') *seen |= SEEN_LF;
        if (*at != '\r') continue;
        if (at + 1 == end) {
            *seen_cr = true;
        } else if (at[1] == '\n') {
            *seen |= SEEN_CRLF;
            at++;
        } else {
            *seen |= SEEN_CR;
        }
    }
}

Value file_line_ends_seen(GenVM *vm, uint8_t seen) {
    static const struct {
        uint8_t bit;
        const char *text;
    } kinds[] = {{SEEN_CR, "\r"}, {SEEN_LF, "\n"}, {SEEN_CRLF, "\r\n"}};
    Value found[3];
    uint64_t count = 0;
    for (int i = 0; i < 3; i++)
        if (seen & kinds[i].bit && (found[count++] = str_from(vm, kinds[i].text)) == VALUE_ERROR)
            return VALUE_ERROR;
    return count == 0 ? VALUE_NONE : count == 1 ? found[0] : tuple_from_array(vm, found, count);
}

static void note_line_ends(TextFile *file, const char *data, size_t size) {
    if (size && (file->lines == LINES_TRANSLATED || file->lines == LINES_ANY))
        file_note_line_ends(&file->seen, &file->seen_cr, data, size);
}

/* The bytes from `window` on, plain text, become part of it. */
static void extend_window(TextFile *file, const uint8_t *data, size_t size) {
    size_t from = file->window, ascii = text_ascii_prefix(data + from, size);
    if (file->ascii_end != from) file->ascii_from = from;
    file->ascii_end = from + ascii;
    file->window = from + size;
    note_line_ends(file, (const char *)data + from, size);
    if (file->lines != LINES_TRANSLATED && file->lines != LINES_ANY) {
        file->cr_at = file->window;
    } else if (file->cr_at >= from) {
        const uint8_t *cr = memchr(data + from, '\r', size);
        file->cr_at = cr ? (size_t)(cr - data) : file->window;
    }
}

/* How much of a chunk is to be decoded now, so that no character is cut in two. */
static size_t whole_characters(Codec codec, const uint8_t *data, size_t size) {
    bool cut;
    size_t back, good;
    switch (codec) {
    case CODEC_UTF_8:
    case CODEC_UTF_8_SIG:
        for (back = 1; back <= 3 && back <= size;
             back++) { /* a sequence that starts in the last bytes and is not whole */
            if (utf8_is_tail((char)data[size - back])) continue;
            good = codec_utf8_prefix(data + size - back, back, &cut);
            return good == 0 && cut ? size - back : size;
        }
        return size;
    case CODEC_ASCII:
    case CODEC_LATIN_1: return size;
    case CODEC_UTF_16:
    case CODEC_UTF_16_LE:
    case CODEC_UTF_16_BE:
        size &= ~(size_t)1;
        back = codec == CODEC_UTF_16_BE ? 2 : 1; /* where the high byte of the last unit is */
        return size && (data[size - back] & 0xFC) == 0xD8 ? size - 2 : size;
    case CODEC_UTF_32:
    case CODEC_UTF_32_LE:
    case CODEC_UTF_32_BE: return size & ~(size_t)3;
    case CODEC_UNKNOWN:
    case CODEC_CHARMAPS: break;
    }
    return size;
}

/* Decodes `size` bytes behind the window, puts what is left of the window in front, and passes over
 * them all. */
static bool decode_ahead(GenVM *vm, TextFile *file, size_t size) {
    View view = view_of(file);
    native_commit(vm);
    const char *errors = str_c(vm, file->errors);
    size_t from = file->window;
    Value text =
        errors ? codec_decode_as(vm, file->codec, view.data + from, size, errors) : VALUE_ERROR;
    if (text != VALUE_ERROR) note_line_ends(file, AS_STR(text)->data, AS_STR(text)->size);
    if (text != VALUE_ERROR && file->ahead != VALUE_UNSET) {
        Value rest =
            str_sub(vm, file->ahead, file->ahead_at, AS_STR(file->ahead)->size - file->ahead_at);
        text = rest == VALUE_ERROR ? VALUE_ERROR : str_concat(vm, rest, text);
    } else if (text != VALUE_ERROR && view.at < from) {
        Value rest = str_new(vm, (const char *)view.data + view.at, from - view.at);
        text = rest == VALUE_ERROR ? VALUE_ERROR : str_concat(vm, rest, text);
    }
    file->ahead = text == VALUE_ERROR ? VALUE_UNSET : text;
    file->ahead_at = 0;
    gc_barrier(vm, file);
    set_at(file, from + size);
    know_nothing(file);
    return text != VALUE_ERROR;
}

/* A byte order mark says which codec it is, and is passed over. */
static bool take_mark(GenVM *vm, TextFile *file) {
    size_t width = file->codec == CODEC_UTF_8_SIG ? 3 : file->codec == CODEC_UTF_16 ? 2 : 4;
    View view = view_of(file);
    for (bool more = true; view.end - view.at < width && more; view = view_of(file))
        if (!read_more(vm, file, &more)) return false;
    size_t ready = view.end - view.at;
    if (ready == 0) return true; /* nothing yet: it may come */
    const uint8_t *p = view.data + view.at;
    static const struct {
        Codec codec, found;
        uint8_t mark[4];
    } marks[] = {{CODEC_UTF_8_SIG, CODEC_UTF_8, {0xEF, 0xBB, 0xBF}},
                 {CODEC_UTF_16, CODEC_UTF_16_LE, {0xFF, 0xFE}},
                 {CODEC_UTF_16, CODEC_UTF_16_BE, {0xFE, 0xFF}},
                 {CODEC_UTF_32, CODEC_UTF_32_LE, {0xFF, 0xFE, 0, 0}},
                 {CODEC_UTF_32, CODEC_UTF_32_BE, {0, 0, 0xFE, 0xFF}}};
    Codec found = file->codec == CODEC_UTF_8_SIG ? CODEC_UTF_8
                  : file->codec == CODEC_UTF_16  ? CODEC_UTF_16_LE
                                                 : CODEC_UTF_32_LE;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].codec != file->codec || ready < width || memcmp(p, marks[i].mark, width) != 0)
            continue;
        found = marks[i].found;
        set_at(file, view.at + width);
        break;
    }
    file->codec = found;
    know_nothing(file);
    return true;
}

static inline bool has_mark(Codec codec) {
    return codec == CODEC_UTF_8_SIG || codec == CODEC_UTF_16 || codec == CODEC_UTF_32;
}

/* Looks at another chunk: LEAF_TRUE when there is more to take than before, LEAF_FALSE at the end
 * of the file. */
static Leaf look_further(GenVM *vm, TextFile *file) {
    if (has_mark(file->codec) && !take_mark(vm, file)) return LEAF_ERROR;
    size_t most = file->chunk;
    for (bool at_end = false, starved = false;;) {
        View view = view_of(file);
        size_t from = file->window, size = view.end - from;
        if ((size == 0 || starved) && !at_end) {
            bool more;
            if (!read_more(vm, file, &more)) return LEAF_ERROR;
            at_end = !more;
            starved = false;
            continue;
        }
        if (size == 0) return LEAF_FALSE;
        if (size > most) size = most;
        bool cut = false;
        size_t good = 0;
        if (file->codec == CODEC_UTF_8 && file->ahead == VALUE_UNSET)
            good = codec_utf8_prefix(view.data + from, size, &cut);
        else if ((file->codec == CODEC_ASCII || file->codec == CODEC_LATIN_1) &&
                 file->ahead == VALUE_UNSET)
            good = text_is_ascii(view.data + from, size) ? size : 0;
        if (good && (good == size || cut)) {
            extend_window(file, view.data, good);
            return LEAF_TRUE;
        }
        size_t whole = at_end ? size : whole_characters(file->codec, view.data + from, size);
        if (whole) return decode_ahead(vm, file, whole) ? LEAF_TRUE : LEAF_ERROR;
        starved = size == view.end - from;
        if (!starved) most = size + 1; /* a chunk that is smaller than a character */
    }
}

/* ---- regions ---- */

typedef struct Region { /* valid UTF-8 that can be taken */
    const char *data;
    size_t size;
} Region;

static inline Region region_of(const TextFile *file) {
    if (unlikely(file->ahead != VALUE_UNSET)) {
        const Str *ahead = AS_STR(file->ahead);
        return (Region){ahead->data + file->ahead_at, ahead->size - file->ahead_at};
    }
    View view = view_of(file);
    return (Region){(const char *)view.data + view.at, file->window - view.at};
}

static void pass(TextFile *file, size_t size) {
    if (file->ahead == VALUE_UNSET) {
        size_t at = view_of(file).at + size;
        set_at(file, at);
        if (file->cr_at < at) { /* find the next one */
            View view = view_of(file);
            const uint8_t *cr = memchr(view.data + at, '\r', file->window - at);
            file->cr_at = cr ? (size_t)(cr - view.data) : file->window;
        }
        return;
    }
    file->ahead_at += size;
    if (file->ahead_at == AS_STR(file->ahead)->size) file->ahead = VALUE_UNSET;
}

/* Takes `size` bytes of the region, of which the first `text` are to be given, followed by a \n if
 * `add_lf`. */
static Value take(GenVM *vm, TextFile *file, size_t text, bool add_lf, size_t size) {
    Region region = region_of(file);
    Value v;
    if (add_lf) {
        Str *str = str_alloc(vm, text + 1, 0, 0);
        if (!str) return VALUE_ERROR;
        memcpy((char *)str->data, region.data, text);
        ((char *)str->data)[text] = '\n';
        v = text ? str_scanned(vm, str) : vm->characters['\n'];
    } else {
        v = text ? str_new(vm, region.data, text) : vm->empty_str;
    }
    if (v != VALUE_ERROR) pass(file, size);
    return v;
}

/* ---- lines ---- */

bool file_find_line_end(LineEnds lines, const char *data, size_t size, size_t from, bool at_end,
                        size_t *text, size_t *used) {
    const char *start = data + from, *end = data + size, *found;
    size_t left = size - from;
    *used = size;
    switch (lines) {
    case LINES_LF:
    case LINES_CR: found = memchr(start, lines == LINES_LF ? '\n' : '\r', left); break;
    case LINES_CRLF:
        for (found = start; (found = memchr(found, '\r', (size_t)(end - found))); found++)
            if (found + 1 < end && found[1] == '\n') break;
        if (found) found++;
        if (!found && left && end[-1] == '\r') *used = size - 1;
        break;
    default: {
        const char *lf = memchr(start, '\n', left);
        found = memchr(start, '\r', lf ? (size_t)(lf - start) : left);
        if (!found) {
            found = lf;
            break;
        }
        if (found + 1 == end && !at_end) {
            *used = (size_t)(found - data);
            return false;
        }
        size_t cr = (size_t)(found - data);
        *used = cr + (found + 1 < end && found[1] == '\n' ? 2 : 1);
        *text = lines == LINES_TRANSLATED ? cr : *used;
        return true;
    }
    }
    if (!found) return false;
    *text = *used = (size_t)(found + 1 - data);
    return true;
}

/* The bytes of `count` characters, or all. */
static size_t bytes_of_chars(Region region, size_t count, size_t *chars) {
    size_t ascii = text_ascii_prefix(region.data, region.size), at = ascii;
    *chars = ascii;
    if (ascii >= count) return *chars = count;
    for (; at < region.size && *chars < count; ++*chars)
        at += utf8_lead_width(region.data[at]);
    return at;
}

static Value cut_line(GenVM *vm, TextFile *file, int64_t limit, size_t text, size_t used) {
    bool add_lf = text < used;
    if (limit >= 0) {
        Region line = {region_of(file).data, text};
        size_t chars, bytes = bytes_of_chars(line, (size_t)limit, &chars);
        if (bytes < text || (add_lf && chars == (size_t)limit))
            return take(vm, file, bytes, false, bytes);
    }
    return take(vm, file, text, add_lf, used);
}

static COLD Value slow_line(GenVM *vm, TextFile *file, int64_t limit) {
    if (limit == 0) return vm->empty_str;
    size_t from = 0, text, used;
    bool at_end = false;
    for (;;) {
        Region region = region_of(file);
        if (from < region.size &&
            file_find_line_end(file->lines, region.data, region.size, from, at_end, &text, &used))
            return cut_line(vm, file, limit, text, used);
        if (from < region.size) from = used;
        if (limit >= 0) {
            size_t chars, bytes = bytes_of_chars(region, (size_t)limit, &chars);
            if (chars == (size_t)limit && bytes <= from) return take(vm, file, bytes, false, bytes);
        }
        if (at_end) return take(vm, file, region.size, false, region.size);
        Leaf more = look_further(vm, file);
        if (more == LEAF_ERROR) return VALUE_ERROR;
        at_end = more == LEAF_FALSE;
    }
}

/* The usual case: the line lies in the window and no \r before its \n. */
static inline Value quick_line(GenVM *vm, TextFile *file) {
    if (file->lines > LINES_LF) return VALUE_UNSET;
    View view = view_of(file);
    size_t end = file->cr_at;
    if (unlikely(view.at >= end || view.version != file->version)) return VALUE_UNSET;
    const uint8_t *start = view.data + view.at, *found = memchr(start, '\n', end - view.at);
    if (unlikely(!found)) return VALUE_UNSET;
    size_t size = (size_t)(found + 1 - start);
    set_at(file, view.at + size);
    if (view.at >= file->ascii_from && view.at + size <= file->ascii_end && size < STR_SIZE_MAX)
        return str_with_length(vm, (const char *)start, size, (uint32_t)size, STR_ASCII);
    return str_new(vm, (const char *)start, size);
}

Value file_text_line(GenVM *vm, TextFile *file, int64_t limit) {
    if (limit < 0 && file->ahead == VALUE_UNSET) {
        Value line = quick_line(vm, file);
        if (likely(line != VALUE_UNSET)) return line;
    }
    if (file->pending_used && !file_text_push(vm, file)) return VALUE_ERROR;
    synchronise(file);
    return slow_line(vm, file, limit);
}

/* ---- characters ---- */

/* Puts up to `count` characters of the region, line ends translated; a \r that ends it may need to
 * be seen from behind. */
static bool put_some(GenVM *vm, TextFile *file, StrBuilder *out, size_t *count) {
    Region region = region_of(file);
    size_t chars, plain = region.size;
    if (file->lines == LINES_TRANSLATED) {
        const char *cr = memchr(region.data, '\r', region.size);
        if (cr) plain = (size_t)(cr - region.data);
    }
    size_t bytes = bytes_of_chars((Region){region.data, plain}, *count, &chars);
    builder_put(out, region.data, bytes);
    *count -= chars;
    if (bytes) {
        pass(file, bytes);
    } else {
        if (region.size == 1) {
            if (look_further(vm, file) == LEAF_ERROR) return false;
            region = region_of(file);
        }
        builder_put_byte(out, '\n');
        --*count;
        pass(file, region.size > 1 && region.data[1] == '\n' ? 2 : 1);
    }
    return !out->failed;
}

static Value read_chars(GenVM *vm, TextFile *file, size_t count) {
    StrBuilder out;
    builder_init(&out, vm);
    while (count) {
        if (region_of(file).size == 0) {
            Leaf more = look_further(vm, file);
            if (more == LEAF_FALSE) break;
            if (more == LEAF_ERROR) return builder_drop(&out), VALUE_ERROR;
        } else if (!put_some(vm, file, &out, &count)) {
            return builder_drop(&out), VALUE_ERROR;
        }
    }
    return builder_finish(&out);
}

/* ---- everything ---- */

size_t file_translate(char *data, size_t size) {
    const char *from = memchr(data, '\r', size), *end = data + size;
    if (!from) return size;
    char *to = data + (from - data);
    while (from < end) {
        const char *cr = memchr(from, '\r', (size_t)(end - from));
        size_t plain = (size_t)((cr ? cr : end) - from);
        memmove(to, from, plain);
        to += plain;
        from += plain;
        if (!cr) break;
        *to++ = '\n';
        from += from + 1 < end && from[1] == '\n' ? 2 : 1;
    }
    return (size_t)(to - data);
}

static Value translated(GenVM *vm, TextFile *file, Value text) {
    if (text == VALUE_ERROR || file->lines != LINES_TRANSLATED) return text;
    Str *str = AS_STR(text);
    if (!memchr(str->data, '\r', str->size)) return text;
    Str *copy = str_alloc(vm, str->size, 0, 0);
    if (!copy) return VALUE_ERROR;
    memcpy((char *)copy->data, str->data, str->size);
    copy->size = (uint32_t)file_translate((char *)copy->data, str->size);
    return str_scanned(vm, copy);
}

static Value decode(GenVM *vm, TextFile *file, const uint8_t *data, size_t size) {
    native_commit(vm);
    const char *errors = str_c(vm, file->errors);
    return errors ? codec_decode_as(vm, file->codec, data, size, errors) : VALUE_ERROR;
}

/* The rest of a source whose size is not known. */
static Value rest_by_pieces(GenVM *vm, TextFile *file, const char *begun, size_t begun_size) {
    StrBuilder bytes;
    builder_init(&bytes, vm);
    builder_put(&bytes, begun, begun_size);
    Value text = VALUE_ERROR;
    if (buffered_read_rest(vm, (Buffered *)file->source, &bytes))
        text = decode(vm, file, (const uint8_t *)bytes.data, bytes.size);
    builder_drop(&bytes);
    return text;
}

/* Read straight into the str, where the bytes are UTF-8 or ASCII. */
static Value rest_of_file(GenVM *vm, TextFile *file) {
    Buffered *source = (Buffered *)file->source;
    if (!buffered_begin_read(vm, source)) return VALUE_ERROR;
    int64_t left = raw_bytes_left(source->raw);
    size_t size = (size_t)(left < 0 ? 0 : left) + (source->end - source->at), moved;
    if (left <= 0 || size >= STR_SIZE_MAX) return rest_by_pieces(vm, file, "", 0);
    if (!gc_check_size(vm, size)) return VALUE_ERROR;
    Str *str = str_alloc(vm, size, 0, 0);
    int64_t got = str ? buffered_read(vm, source, (uint8_t *)str->data, size) : -1;
    if (got < 0 || !buffered_fill(vm, source, &moved)) return VALUE_ERROR;
    if ((size_t)got < size || source->at < source->end)
        return rest_by_pieces(vm, file, str->data, (size_t)got);
    bool cut;
    bool plain = file->codec == CODEC_UTF_8
                     ? codec_utf8_prefix((const uint8_t *)str->data, size, &cut) == size
                     : file->codec <= CODEC_LATIN_1 && text_is_ascii(str->data, size);
    return plain ? str_scanned(vm, str) : decode(vm, file, (const uint8_t *)str->data, size);
}

static Value rest_of_source(GenVM *vm, TextFile *file) {
    if (file->source->kind != TYPE_BYTES_IO) return rest_of_file(vm, file);
    View view = view_of(file);
    set_at(file, view.end);
    return decode(vm, file, view.data + view.at, view.end - view.at);
}

static Value read_all(GenVM *vm, TextFile *file) {
    if (has_mark(file->codec) && !take_mark(vm, file)) return VALUE_ERROR;
    Region region = region_of(file);
    Value head = region.size ? str_new(vm, region.data, region.size) : VALUE_UNSET;
    if (head == VALUE_ERROR) return VALUE_ERROR;
    if (region.size) pass(file, region.size);
    Value text = rest_of_source(vm, file);
    know_nothing(file);
    if (text == VALUE_ERROR) return VALUE_ERROR;
    note_line_ends(file, AS_STR(text)->data, AS_STR(text)->size);
    if (file->seen_cr) file->seen |= SEEN_CR;
    file->seen_cr = false;
    if (head != VALUE_UNSET) text = str_concat(vm, head, text);
    return translated(vm, file, text);
}

Value file_text_read(GenVM *vm, TextFile *file, int64_t count) {
    if (file->pending_used && !file_text_push(vm, file)) return VALUE_ERROR;
    synchronise(file);
    return count < 0 ? read_all(vm, file) : read_chars(vm, file, (size_t)count);
}
