# What the toolchains have in common: fully static binaries, linked with the archives of Debian 12
# in build/sysroot/ARCH (scripts/sysroot makes it). A toolchain sets LEAT_ARCH (Debian's name),
# LEAT_TRIPLET and LEAT_TOOL_PREFIX, and includes this.
set(CMAKE_SYSTEM_NAME Linux)
set(LEAT_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${LEAT_ARCH}")
cmake_path(NORMAL_PATH LEAT_SYSROOT)
if(NOT EXISTS "${LEAT_SYSROOT}")
  message(FATAL_ERROR "no ${LEAT_SYSROOT}: scripts/sysroot ${LEAT_ARCH} makes it")
endif()

set(CMAKE_C_COMPILER ${LEAT_TOOL_PREFIX}gcc)
set(CMAKE_CXX_COMPILER ${LEAT_TOOL_PREFIX}g++)

set(CMAKE_SYSROOT "${LEAT_SYSROOT}")
set(CMAKE_LIBRARY_ARCHITECTURE ${LEAT_TRIPLET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# A cross compiler looks for libc in its own folder before it looks under the sysroot: -B (start-up
# objects) and -L (archives) come before either.
set(leat_libraries "${LEAT_SYSROOT}/usr/lib/${LEAT_TRIPLET}")
# LLD, since it folds functions with the same code into one (the same template for two types, most of
# all): 115 KB of armhf. The compiler looks for it where its own tools are, but for -B.
find_program(LEAT_LLD ld.lld REQUIRED NO_CMAKE_FIND_ROOT_PATH)
cmake_path(GET LEAT_LLD PARENT_PATH leat_lld)
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-static -B${leat_libraries}/ -L${leat_libraries} -B${leat_lld} -fuse-ld=lld -Wl,--icf=all,-O2")

# Debian has no GoogleTest for this target: it is compiled.
set(LEAT_GTEST_SOURCE "/usr/src/googletest")
