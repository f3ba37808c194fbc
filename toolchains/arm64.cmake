# 64-bit ARM, as Debian's arm64: ARMv8-A.
set(LEAT_ARCH arm64)
set(LEAT_TRIPLET aarch64-linux-gnu)
set(LEAT_TOOL_PREFIX aarch64-linux-gnu-)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
