# The libraries that are compiled from Debian's source packages (scripts/sources) instead of linking
# Debian's archive. mbedTLS in every build, so that all of them speak the same TLS; with a toolchain
# also cJSON, which has no archive, seven functions of musl's libm, and SQLite, since SQLite and mbedTLS are the two largest parts of
# the binary, half of which leat does not use.
set(leat_sources "${PROJECT_SOURCE_DIR}/build/sources")

function(leat_compile_library target)
  cmake_parse_arguments(LIB "" "" "SOURCES;INCLUDE;DEFINE;OPTIONS;LINK" ${ARGN})
  add_library(${target} STATIC ${LIB_SOURCES})
  target_include_directories(${target} SYSTEM PUBLIC ${LIB_INCLUDE})
  target_compile_definitions(${target} PRIVATE ${LIB_DEFINE})
  target_compile_options(${target} PRIVATE -w ${LIB_OPTIONS})
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(${target} PUBLIC ${LIB_LINK})
endfunction()

# One target for its three archives. Whoever includes its headers must see the same configuration.
if(NOT EXISTS ${leat_sources}/mbedtls/library)
  message(FATAL_ERROR "no build/sources/mbedtls: scripts/sources mbedtls makes it")
endif()
file(GLOB mbedtls_sources ${leat_sources}/mbedtls/library/*.c)
# Its loop over the blocks of AES-GCM is not one of those that it lets others replace: gcm_stretch.c
# goes before it, in a copy.
set(gcm ${leat_sources}/mbedtls/library/gcm.c)
file(READ ${gcm} original)
string(REPLACE "    while (input_length >= 16) {\n" [[
    const size_t done = gcm_stretches(ctx, p, out_p, input_length);
    p += done;
    out_p += done;
    input_length -= done;
    while (input_length >= 16) {
]] changed "${original}")
if(changed STREQUAL original)
  message(FATAL_ERROR "${gcm}: where is its loop over blocks?")
endif()
list(REMOVE_ITEM mbedtls_sources ${gcm})
set(gcm ${CMAKE_CURRENT_BINARY_DIR}/mbedtls/gcm.c)
file(CONFIGURE OUTPUT ${gcm} CONTENT "${changed}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${leat_sources}/mbedtls/library/gcm.c)
leat_compile_library(dep_mbedtls SOURCES ${mbedtls_sources} ${gcm}
                     ${PROJECT_SOURCE_DIR}/toolchains/chacha20_alt.c ${PROJECT_SOURCE_DIR}/toolchains/gcm_stretch.c
  INCLUDE ${leat_sources}/mbedtls/include ${PROJECT_SOURCE_DIR}/toolchains
  OPTIONS -Os LINK Threads::Threads)
target_compile_definitions(dep_mbedtls PUBLIC MBEDTLS_CONFIG_FILE="tls_config.h")
add_library(dep_mbedcrypto ALIAS dep_mbedtls)
# What a handshake and each record spend their time in is made fast.
foreach(name aes aesni aesce bignum bignum_core chacha20 ecp ecp_curves poly1305 sha256 sha512)
  set_source_files_properties(${leat_sources}/mbedtls/library/${name}.c
                              PROPERTIES COMPILE_OPTIONS -O2)
endforeach()
set_source_files_properties(${PROJECT_SOURCE_DIR}/toolchains/chacha20_alt.c PROPERTIES COMPILE_OPTIONS -O2)
set_source_files_properties(${gcm} PROPERTIES COMPILE_OPTIONS
  "-O2;-I${leat_sources}/mbedtls/library;-include;${PROJECT_SOURCE_DIR}/toolchains/gcm_stretch.h")
# -O3 unrolls its loops over eight blocks, so that these stay in registers: 3,700 MB/s instead of 1,900.
set_source_files_properties(${PROJECT_SOURCE_DIR}/toolchains/gcm_stretch.c PROPERTIES
  COMPILE_OPTIONS "-O3;-I${leat_sources}/mbedtls/library")

if(LEAT_SYSROOT)  # set by a toolchain
  leat_compile_library(dep_cjson SOURCES ${leat_sources}/cjson/cJSON.c INCLUDE ${leat_sources}
                       OPTIONS -Os)

  # As in Debian's build, so that SQL means the same in all builds of leat, but without full text
  # search, R-trees, sessions and extensions from files, and without parts that nothing here calls
  # (caches that connections share, databases in memory from bytes: 5 KB). -O2 instead of
  # -Os was measured to save 2 % of the instructions of filter and map, and 4 % of those of an
  # aggregate, for 165 KB.
  # Seven functions of SQL for which glibc brings 73 KB, most of it tables, to be right in the last of
  # 16 digits nearly always; those of musl take 6 KB, and may be off by one there. Linked before libm.
  # -ffp-contract=off as musl's own build: reducing an argument counts on each rounding.
  file(STRINGS ${leat_sources}/musl/VERSION LEAT_MUSL_VERSION)
  set(musl_math acos asin atan atan2 cos sin tan __cos __rem_pio2 __rem_pio2_large __sin __tan)
  list(TRANSFORM musl_math REPLACE "(.+)" "${leat_sources}/musl/src/math/\\1.c")
  leat_compile_library(dep_musl SOURCES ${musl_math}
    INCLUDE ${PROJECT_SOURCE_DIR}/toolchains/musl OPTIONS -Os -ffp-contract=off LINK m)

  leat_compile_library(dep_sqlite SOURCES ${leat_sources}/sqlite3/sqlite3.c
    INCLUDE ${leat_sources}/sqlite3
    DEFINE SQLITE_THREADSAFE=1 SQLITE_ENABLE_MATH_FUNCTIONS SQLITE_SOUNDEX SQLITE_USE_URI
           SQLITE_SECURE_DELETE SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_OMIT_LOOKASIDE
           SQLITE_ALLOW_ROWID_IN_VIEW SQLITE_MAX_VARIABLE_NUMBER=250000 SQLITE_MAX_SCHEMA_RETRY=25
           SQLITE_OMIT_LOAD_EXTENSION SQLITE_ENABLE_COLUMN_METADATA SQLITE_OMIT_SHARED_CACHE SQLITE_OMIT_DEPRECATED
           SQLITE_OMIT_DESERIALIZE SQLITE_OMIT_TCL_VARIABLE
           HAVE_ISNAN HAVE_USLEEP HAVE_FDATASYNC HAVE_LOCALTIME_R HAVE_GMTIME_R HAVE_STRERROR_R
    OPTIONS -Os -fno-strict-aliasing
    LINK dep_musl Threads::Threads m)
endif()
