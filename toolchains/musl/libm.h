/* What acos.c, asin.c, atan.c and atan2.c of musl take from its own libm.h, which does not go
 * together with glibc's headers: a double as two words. */
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t leat_bits(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof(bits));
  return bits;
}
static inline double leat_number(uint64_t bits) {
  double number;
  memcpy(&number, &bits, sizeof(number));
  return number;
}

#define GET_HIGH_WORD(word, number) ((word) = (uint32_t)(leat_bits(number) >> 32))
#define GET_LOW_WORD(word, number) ((word) = (uint32_t)leat_bits(number))
#define SET_LOW_WORD(number, word) \
  ((number) = leat_number((leat_bits(number) & 0xffffffff00000000u) | (uint32_t)(word)))
#define EXTRACT_WORDS(high, low, number) \
  do {                                   \
    GET_HIGH_WORD(high, number);         \
    GET_LOW_WORD(low, number);           \
  } while (0)
#define FORCE_EVAL(x)             \
  do {                            \
    volatile double forced = (x); \
    (void)forced;                 \
  } while (0)
