/* What the files of musl's libm that are compiled here (toolchains/libraries.cmake) take from its
 * own libm.h, which does not go together with glibc's headers: a double as two words, and each
 * other. */
#include <float.h>
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
#define predict_false(condition) __builtin_expect(condition, 0)

/* By names of their own: glibc's libm has others of these names. Kernels on [-pi/4, pi/4], and the
 * argument in units of pi/2. */
#define __cos leat_musl_cos
#define __rem_pio2 leat_musl_rem_pio2
#define __rem_pio2_large leat_musl_rem_pio2_large
#define __sin leat_musl_sin
#define __tan leat_musl_tan
double __cos(double, double);
int __rem_pio2(double, double*);
int __rem_pio2_large(double*, double*, int, int, int);
double __sin(double, double, int);
double __tan(double, double, int);
