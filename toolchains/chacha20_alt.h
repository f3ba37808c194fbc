// In place of mbedTLS's ChaCha20 (MBEDTLS_CHACHA20_ALT) where there are vectors: chacha20_alt.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct mbedtls_chacha20_context {
  uint32_t state[16];            // RFC 8439 section 2.3; [12] counts the blocks
  unsigned char keystream[256];  // of four blocks
  size_t used;                   // bytes of it
} mbedtls_chacha20_context;
