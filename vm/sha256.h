/* sha256.h - the hash by which code is named in images. */
#ifndef GEN_SHA256_H
#define GEN_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(const uint8_t *data, size_t size, uint8_t digest[32]);

#endif
