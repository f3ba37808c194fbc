// AES-GCM (NIST SP 800-38D), eight blocks at a time. mbedTLS takes one block after the other,
// through two calls each, and waits for each instruction: AES takes several cycles, but another can
// begin in each. Its loop over blocks calls this first (libraries.cmake). All else stays its own:
// the beginning and the end of messages, the tag, and processors without the instructions.
//
// The hash sums up the products of eight blocks with eight powers of its key, and reduces the sum
// once: "aggregated reduction" in S. Gueron, M. Kounavis, "Intel Carry-Less Multiplication
// Instruction and its Usage for Computing the GCM Mode" (2014). GCM counts bits from the other end
// than the instruction does. Its numbers with their bytes reversed are POLYVAL's, but for a shift
// of the key: RFC 8452 appendix A.
//
// No branch and no address depends on a secret.
#include "gcm_stretch.h"

#if defined(__x86_64__) || defined(__aarch64__)

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/aes.h>
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#if defined(MBEDTLS_ARIA_C) || defined(MBEDTLS_CAMELLIA_C)
#error "the cipher of a context is taken for AES"
#endif

enum { kBlocks = 8, kStretch = 16 * kBlocks };

typedef uint64_t Block __attribute__((vector_size(16)));
typedef uint32_t Words __attribute__((vector_size(16)));
typedef uint8_t Bytes __attribute__((vector_size(16)));

#ifdef __x86_64__

#include "aesni.h"

int gcm_has_instructions(void) {
  return mbedtls_aesni_has_support(MBEDTLS_AESNI_AES) &&
         mbedtls_aesni_has_support(MBEDTLS_AESNI_CLMUL);
}

// Each processor with AES instructions has SSSE3, which reverses bytes.
#pragma GCC target("aes,pclmul,ssse3")
#include <immintrin.h>

static inline Block low_product(Block a, Block b) {
  return (Block)_mm_clmulepi64_si128((__m128i)a, (__m128i)b, 0x00);
}

static inline Block high_product(Block a, Block b) {
  return (Block)_mm_clmulepi64_si128((__m128i)a, (__m128i)b, 0x11);
}

static inline void encrypt(Block blocks[kBlocks], const Block* keys, int rounds) {
  for (int i = 0; i < kBlocks; ++i) blocks[i] ^= keys[0];
  for (int round = 1; round < rounds; ++round)
    for (int i = 0; i < kBlocks; ++i)
      blocks[i] = (Block)_mm_aesenc_si128((__m128i)blocks[i], (__m128i)keys[round]);
  for (int i = 0; i < kBlocks; ++i)
    blocks[i] = (Block)_mm_aesenclast_si128((__m128i)blocks[i], (__m128i)keys[rounds]);
}

#else

#include <sys/auxv.h>

int gcm_has_instructions(void) {
  const unsigned long wanted = HWCAP_AES | HWCAP_PMULL;
  return (getauxval(AT_HWCAP) & wanted) == wanted;
}

#pragma GCC target("+crypto")
#include <arm_neon.h>

static inline Block low_product(Block a, Block b) {
  return (Block)vmull_p64((poly64_t)a[0], (poly64_t)b[0]);
}

static inline Block high_product(Block a, Block b) {
  return (Block)vmull_high_p64((poly64x2_t)a, (poly64x2_t)b);
}

// A round's key is added before it here, and after it on x86-64.
static inline void encrypt(Block blocks[kBlocks], const Block* keys, int rounds) {
  for (int round = 0; round + 1 < rounds; ++round)
    for (int i = 0; i < kBlocks; ++i)
      blocks[i] = (Block)vaesmcq_u8(vaeseq_u8((Bytes)blocks[i], (Bytes)keys[round]));
  for (int i = 0; i < kBlocks; ++i)
    blocks[i] = (Block)vaeseq_u8((Bytes)blocks[i], (Bytes)keys[rounds - 1]) ^ keys[rounds];
}

#endif

static inline Block load(const void* from) {
  Block block;
  memcpy(&block, from, sizeof block);
  return block;
}

static inline void store(void* to, Block block) {
  memcpy(to, &block, sizeof block);
}

static inline Block reversed(Block x) {
  return (Block)__builtin_shuffle((Bytes)x,
                                  (Bytes){15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
}

static inline Block halves_swapped(Block x) {
  return __builtin_shuffle(x, (Block){1, 0});
}

// 256 bits, in halves that overlap. `middle` is (a0 + a1)(b0 + b1), Karatsuba's, from which low and
// high are yet to be taken.
typedef struct Product {
  Block low, middle, high;
} Product;

static inline void add_product(Product* sum, Block a, Block b) {
  sum->low ^= low_product(a, b);
  sum->high ^= high_product(a, b);
  sum->middle ^= low_product(a ^ halves_swapped(a), b ^ halves_swapped(b));
}

// Divided by x^128, modulo x^128 + x^127 + x^126 + x^121 + 1: what POLYVAL calls dot() (RFC 8452
// section 3), in two steps of 64 bits (Montgomery's), as in S. Gueron, A. Langley, Y. Lindell,
// "AES-GCM-SIV: Specification and Analysis" (2017).
static inline Block reduced(Product sum) {
  const Block polynomial = {0xc200000000000000, 0};
  sum.middle ^= sum.low ^ sum.high;
  Block low = sum.low ^ (Block) { 0, sum.middle[0] };
  const Block high = sum.high ^ (Block) { sum.middle[1], 0 };
  low = halves_swapped(low) ^ low_product(low, polynomial);
  low = halves_swapped(low) ^ low_product(low, polynomial);
  return low ^ high;
}

static inline Block product(Block a, Block b) {
  Product sum = {{0, 0}, {0, 0}, {0, 0}};
  add_product(&sum, a, b);
  return reduced(sum);
}

// mulX_POLYVAL of RFC 8452 appendix A.
static inline Block times_x(Block a) {
  const uint64_t carry = -(a[1] >> 63);
  return (Block){a[0] << 1 ^ (carry & 1), a[1] << 1 ^ a[0] >> 63 ^ (carry & 0xc200000000000000)};
}

size_t gcm_stretches(struct mbedtls_gcm_context* context, const unsigned char* in,
                     unsigned char* out, size_t size) {
  if (size < kStretch || !gcm_has_instructions()) return 0;
  const mbedtls_aes_context* aes = context->cipher_ctx.cipher_ctx;
  Block keys[15];
  memcpy(keys, aes->buf + aes->rk_offset, 16 * ((size_t)aes->nr + 1));
  Block powers[kBlocks];  // of the hash's key, the highest first: what the first block is
                          // multiplied by
  powers[kBlocks - 1] = times_x(reversed(load(context->H[MBEDTLS_GCM_HTABLE_SIZE / 2])));
  for (int i = kBlocks - 1; i > 0; --i) powers[i - 1] = product(powers[i], powers[kBlocks - 1]);

  Words counter = (Words)reversed(load(context->y));
  Block hash = reversed(load(context->buf));
  const size_t done = size - size % kStretch;
  for (size_t at = 0; at < done; at += kStretch) {
    Block blocks[kBlocks];
    for (int i = 0; i < kBlocks; ++i) {
      counter += (Words){1, 0, 0, 0};
      blocks[i] = reversed((Block)counter);
    }
    encrypt(blocks, keys, aes->nr);
    Product sum = {{0, 0}, {0, 0}, {0, 0}};
    for (int i = 0; i < kBlocks; ++i) {
      const Block text = load(in + at + 16 * i);
      blocks[i] ^= text;
      store(out + at + 16 * i, blocks[i]);
      const Block hashed = reversed(context->mode == MBEDTLS_GCM_ENCRYPT ? blocks[i] : text);
      add_product(&sum, i == 0 ? hashed ^ hash : hashed, powers[i]);
    }
    hash = reduced(sum);
  }
  store(context->y, reversed((Block)counter));
  store(context->buf, reversed(hash));
  mbedtls_platform_zeroize(keys, sizeof keys);
  mbedtls_platform_zeroize(powers, sizeof powers);
  return done;
}

#endif
