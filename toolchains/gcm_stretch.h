// AES-GCM with the processor's instructions, for mbedTLS's: gcm_stretch.c.
#pragma once

#include <stddef.h>

struct mbedtls_gcm_context;

#if defined(__x86_64__) || defined(__aarch64__)

#ifdef __cplusplus
extern "C" {
#endif

// Whether this processor has the instructions: AES, and multiplication without carries.
int gcm_has_instructions(void);

// The next of `size` bytes of a message that stands at the beginning of a block: encrypts or
// decrypts them, as `context` says, and hashes them for the tag. Returns how many those were: as
// many whole stretches of 128 bytes as there are, none where the processor has no instructions for
// it. `out` is `in`, or lies before it.
size_t gcm_stretches(struct mbedtls_gcm_context* context, const unsigned char* in,
                     unsigned char* out, size_t size);

#ifdef __cplusplus
}
#endif

#else  // 32-bit ARM: all is mbedTLS's.

static inline int gcm_has_instructions(void) {
  return 0;
}
static inline size_t gcm_stretches(struct mbedtls_gcm_context* context, const unsigned char* in,
                                   unsigned char* out, size_t size) {
  return (void)context, (void)in, (void)out, (void)size, 0;
}

#endif
