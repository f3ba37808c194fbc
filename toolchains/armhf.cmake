# 32-bit ARM with hardware floating point, as Debian's armhf: ARMv7-A, VFPv3-D16, Thumb-2.
set(LEAT_ARCH armhf)
set(LEAT_TRIPLET arm-linux-gnueabihf)
set(LEAT_TOOL_PREFIX arm-linux-gnueabihf-)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static)
# GCC tells at each std::vector argument that GCC 7.1 changed how it is passed; all is compiled anew.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
