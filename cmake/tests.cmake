# SPDX-License-Identifier: BSD-2-Clause
# How a test joins the house. A build tree holds either every test (NVMF_TEST_SET empty) or those
# of one label, named "<label>.<test>": the tsan tree holds the tests labelled tsan, the fuzz tree
# those labelled fuzz, the release tree those labelled release. `./dev test` joins the trees into
# one ctest run, so the names must differ and a tree must not list what it did not build.

# nvmf_in_test_set(RESULT labels...): does this tree hold a test with these labels?
function(nvmf_in_test_set result)
  if(NVMF_TEST_SET STREQUAL "" OR NVMF_TEST_SET IN_LIST ARGN)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# A sanitizer's first report ends the test with its stack.
set(NVMF_TEST_ENVIRONMENT
  "ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1"
  "NVMFCTL=${CMAKE_BINARY_DIR}/cli/nvmfctl"
  "NVMF_SOURCE_DIR=${CMAKE_SOURCE_DIR}")

# nvmf_test(name COMMAND... [LABELS...] [TIMEOUT seconds] [ENVIRONMENT NAME=value...] [SERIAL]
#           [LOCK name] [SOAK] [PROPERTIES name value...])
# Exit status 77 after a line "skipped: REASON" is a skip; ./dev test lists the reasons.
# SERIAL: runs alone (it measures time, or needs the whole machine). LOCK: no two tests with the
# same lock run at once. SOAK: the long form of a test, which only `./dev soak` runs: it has an
# hour, and the label soak beside its own.
function(nvmf_test name)
  cmake_parse_arguments(ARG
    "SERIAL;SOAK" "TIMEOUT;LOCK" "COMMAND;LABELS;ENVIRONMENT;PROPERTIES" ${ARGN})
  nvmf_in_test_set(wanted ${ARG_LABELS})
  if(NOT wanted)
    return()
  endif()
  if(ARG_SOAK)
    list(APPEND ARG_LABELS soak)
    set(configurations CONFIGURATIONS soak)
    set(default_timeout 3600)
  else()
    set(configurations)
    set(default_timeout 120)
    if(NVMF_COVERAGE)
      set(default_timeout 600)  # every line counts itself, atomically
    endif()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT ${default_timeout})
  endif()
  if(NVMF_TEST_SET)
    # A test of this label may be named after it already: fuzz.pdu, not fuzz.fuzz.pdu.
    string(REGEX REPLACE "^${NVMF_TEST_SET}\\." "" name "${name}")
    string(PREPEND name "${NVMF_TEST_SET}.")
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} ${configurations})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "${NVMF_TEST_ENVIRONMENT};${ARG_ENVIRONMENT}")
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
  if(ARG_LOCK)
    # What has to go one after the other begins first, so that the rest runs beside it.
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK ${ARG_LOCK} COST 1000)
  endif()
  if(ARG_PROPERTIES)
    set_tests_properties(${name} PROPERTIES ${ARG_PROPERTIES})
  endif()
endfunction()

# nvmf_test_program(name SOURCES... DEPENDS... [LABELS...]): a program that tests need, built only
# in the trees that hold a test with these labels.
function(nvmf_test_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  nvmf_in_test_set(wanted ${ARG_LABELS})
  if(NOT wanted)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE nvmf_options ${ARG_DEPENDS})
endfunction()

# nvmf_script_tests(group): every *_test.sh and every transcript *.md of this folder is the test
# <group>.<name>. A line "labels: a b" in the file adds labels to the group's own.
function(nvmf_script_tests group)
  file(GLOB files CONFIGURE_DEPENDS *_test.sh *.md)
  nvmf_file_tests(${group} "" ${files})
endfunction()

# nvmf_file_tests(group prefix files...): the same of these files; names begin with the prefix.
function(nvmf_file_tests group prefix)
  set(files ${ARGN})
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${name})
    string(REPLACE "_" "-" name ${name})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} labels REGEX "^(#|<!--) labels: " LIMIT_COUNT 1)
    string(REGEX REPLACE "^(#|<!--) labels: *| *-->$" "" labels "${labels}")
    separate_arguments(labels)
    if(file MATCHES "\\.md$")
      set(command ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/support/transcript.py ${file})
    else()
      set(command bash ${file})
    endif()
    nvmf_test(${group}.${prefix}${name} COMMAND ${command} LABELS ${group} ${labels})
  endforeach()
endfunction()
