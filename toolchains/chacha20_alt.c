// ChaCha20 (RFC 8439 section 2.4), four blocks at a time: word i of all four lies in one vector, so
// that all of a round is arithmetic on vectors. mbedTLS's own makes one block after the other,
// which is what most of HTTPS's CPU time went into: ChaCha20-Poly1305 is by far the fastest cipher
// where the processor has no instructions for AES, and so the first that is offered there.
//
// The compiler's vectors are SSE2's or NEON's, which each x86-64 and each 64-bit ARM has, so
// nothing is chosen at run time. No branch and no address depends on a secret.
#include <mbedtls/chacha20.h>

#ifdef MBEDTLS_CHACHA20_ALT

#include <mbedtls/platform_util.h>
#include <string.h>

typedef uint32_t Lanes __attribute__((vector_size(16)));

enum { kBlock = 64, kBlocks = 4, kStretch = kBlock * kBlocks };

static inline Lanes rotated(Lanes x, int left) {
  return (x << left) | (x >> (32 - left));
}

#define QUARTER_ROUND(a, b, c, d)                                                                 \
  (a += b, d = rotated(d ^ a, 16), c += d, b = rotated(b ^ c, 12), a += b, d = rotated(d ^ a, 8), \
   c += d, b = rotated(b ^ c, 7))

// The next four blocks, XORed with `in`.
static void next_blocks(uint32_t state[16], const unsigned char* in, unsigned char* out) {
  Lanes first[16];
  Lanes x[16];
  for (int i = 0; i < 16; ++i) first[i] = (Lanes){state[i], state[i], state[i], state[i]};
  first[12] += (Lanes){0, 1, 2, 3};
  memcpy(x, first, sizeof x);
  for (int round = 0; round < 10; ++round) {
    QUARTER_ROUND(x[0], x[4], x[8], x[12]);
    QUARTER_ROUND(x[1], x[5], x[9], x[13]);
    QUARTER_ROUND(x[2], x[6], x[10], x[14]);
    QUARTER_ROUND(x[3], x[7], x[11], x[15]);
    QUARTER_ROUND(x[0], x[5], x[10], x[15]);
    QUARTER_ROUND(x[1], x[6], x[11], x[12]);
    QUARTER_ROUND(x[2], x[7], x[8], x[13]);
    QUARTER_ROUND(x[3], x[4], x[9], x[14]);
  }
  for (int i = 0; i < 16; i += 4) {  // four words of each block
    Lanes a = x[i] + first[i];
    Lanes b = x[i + 1] + first[i + 1];
    Lanes c = x[i + 2] + first[i + 2];
    Lanes d = x[i + 3] + first[i + 3];
    Lanes ab_low = __builtin_shuffle(a, b, (Lanes){0, 4, 1, 5});
    Lanes ab_high = __builtin_shuffle(a, b, (Lanes){2, 6, 3, 7});
    Lanes cd_low = __builtin_shuffle(c, d, (Lanes){0, 4, 1, 5});
    Lanes cd_high = __builtin_shuffle(c, d, (Lanes){2, 6, 3, 7});
    Lanes words[kBlocks] = {__builtin_shuffle(ab_low, cd_low, (Lanes){0, 1, 4, 5}),
                            __builtin_shuffle(ab_low, cd_low, (Lanes){2, 3, 6, 7}),
                            __builtin_shuffle(ab_high, cd_high, (Lanes){0, 1, 4, 5}),
                            __builtin_shuffle(ab_high, cd_high, (Lanes){2, 3, 6, 7})};
    for (int block = 0; block < kBlocks; ++block) {
      const size_t at = (size_t)(kBlock * block + 4 * i);
      Lanes text;
      memcpy(&text, in + at, sizeof text);
      text ^= words[block];
      memcpy(out + at, &text, sizeof text);
    }
  }
  state[12] += kBlocks;
}

void mbedtls_chacha20_init(mbedtls_chacha20_context* ctx) {
  memset(ctx, 0, sizeof *ctx);
  ctx->used = kStretch;
}

void mbedtls_chacha20_free(mbedtls_chacha20_context* ctx) {
  if (ctx != NULL) mbedtls_platform_zeroize(ctx, sizeof *ctx);
}

int mbedtls_chacha20_setkey(mbedtls_chacha20_context* ctx, const unsigned char key[32]) {
  static const char kWords[] = "expand 32-byte k";
  memcpy(ctx->state, kWords, 16);
  memcpy(ctx->state + 4, key, 32);
  return 0;
}

int mbedtls_chacha20_starts(mbedtls_chacha20_context* ctx, const unsigned char nonce[12],
                            uint32_t counter) {
  ctx->state[12] = counter;
  memcpy(ctx->state + 13, nonce, 12);
  mbedtls_platform_zeroize(ctx->keystream, sizeof ctx->keystream);
  ctx->used = kStretch;
  return 0;
}

int mbedtls_chacha20_update(mbedtls_chacha20_context* ctx, size_t size, const unsigned char* input,
                            unsigned char* output) {
  while (size > 0) {
    if (ctx->used == kStretch && size >= kStretch) {
      next_blocks(ctx->state, input, output);
      input += kStretch;
      output += kStretch;
      size -= kStretch;
      continue;
    }
    if (ctx->used == kStretch) {
      memset(ctx->keystream, 0, kStretch);
      next_blocks(ctx->state, ctx->keystream, ctx->keystream);
      ctx->used = 0;
    }
    for (; size > 0 && ctx->used < kStretch; --size)
      *output++ = *input++ ^ ctx->keystream[ctx->used++];
  }
  return 0;
}

int mbedtls_chacha20_crypt(const unsigned char key[32], const unsigned char nonce[12],
                           uint32_t counter, size_t size, const unsigned char* input,
                           unsigned char* output) {
  mbedtls_chacha20_context ctx;
  mbedtls_chacha20_init(&ctx);
  mbedtls_chacha20_setkey(&ctx, key);
  mbedtls_chacha20_starts(&ctx, nonce, counter);
  mbedtls_chacha20_update(&ctx, size, input, output);
  mbedtls_chacha20_free(&ctx);
  return 0;
}

#endif  // MBEDTLS_CHACHA20_ALT
