# SPDX-License-Identifier: BSD-2-Clause
# One interface target carries what every target of the house shares: the
# language, the warnings, the hardening and the sanitizers.
add_library(nvmf_options INTERFACE)
target_compile_features(nvmf_options INTERFACE cxx_std_23)
target_compile_options(nvmf_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wcast-align -Woverloaded-virtual -Wconversion
  -Wsign-conversion -Wformat=2 -Wimplicit-fallthrough
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC guesses wrong about std::optional and std::expected, differently at each -O level. Clang's
  # analysis of the same kind (-Wuninitialized, in -Wall) does not guess, and the fuzz tree has it.
  target_compile_options(nvmf_options INTERFACE -Wno-maybe-uninitialized)
endif()
# Asserts are the product's own guard against its own mistakes: they stay on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2 -g1" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
if(NVMF_UNITY)
  # A local name may be that of another file; the trees that compile file by file do warn.
  target_compile_options(nvmf_options INTERFACE -Wno-shadow)
endif()
if(NVMF_WERROR)
  target_compile_options(nvmf_options INTERFACE -Werror)
endif()
if(NVMF_SANITIZE)
  target_compile_options(nvmf_options INTERFACE
    -fsanitize=${NVMF_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(nvmf_options INTERFACE -fsanitize=${NVMF_SANITIZE})
endif()
if(NVMF_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC warns that TSan does not model fences. Asio has some around its handlers; the order that
  # matters comes from the scheduler's mutex, which TSan does see.
  target_compile_options(nvmf_options INTERFACE -Wno-tsan)
endif()
if(NVMF_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "NVMF_FUZZ needs Clang: libFuzzer is part of it")
  endif()
  # The libraries are instrumented; only the fuzz targets link libFuzzer's main().
  target_compile_options(nvmf_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NVMF_COVERAGE)
  target_compile_options(nvmf_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(nvmf_options INTERFACE --coverage)
endif()

# nvmf_library(name SOURCES... DEPENDS...): a static library in the house's dress.
# With NVMF_UNITY a dozen of its files are compiled as one: names that a file keeps to itself must
# then differ within a library.
function(nvmf_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(NVMF_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
  add_library(nvmf::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC nvmf_options ${ARG_DEPENDS})
endfunction()
