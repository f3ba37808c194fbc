# Fully static for x86-64. A sysroot and not the system's libraries, so that the archives are the
# same on each machine that builds it.
set(LEAT_ARCH amd64)
set(LEAT_TRIPLET x86_64-linux-gnu)
set(LEAT_TOOL_PREFIX x86_64-linux-gnu-)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
