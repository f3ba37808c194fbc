// Random numbers for mbedTLS's functions: mbedtls_psa_get_random with MBEDTLS_PSA_RANDOM_STATE,
// once psa_crypto_init() was called. Internal to net/.
#pragma once

extern "C" {  // the header itself does not say so
#include <mbedtls/psa_util.h>
}
