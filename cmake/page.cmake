# SPDX-License-Identifier: BSD-2-Clause
# cmake -DFOLDER=... -DSCRIPTS="a.js b.js" -DOUT=FILE.cpp -P page.cmake
# Joins page.html, page.css and the scripts of FOLDER into one page, and writes it as the literals
# of trace_page_parts(): what stands before its data, and what stands behind. The page's policy
# allows this style and this script, told by their hashes, and nothing else: no network, no inline
# code.
cmake_minimum_required(VERSION 3.22)

# The value of a hexadecimal text in base64 (RFC 4648), as a policy wants its hashes.
function(base64_of_hex hex result)
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(text "")
  string(LENGTH "${hex}" length)
  foreach(at RANGE 0 ${length} 6)
    string(SUBSTRING "${hex}" ${at} 6 group)
    string(LENGTH "${group}" have)
    if(have EQUAL 0)
      break()
    endif()
    string(SUBSTRING "${group}000000" 0 6 whole)
    math(EXPR word "0x${whole}")
    math(EXPR last "(${have} * 4 + 5) / 6 - 1")
    foreach(k RANGE 0 3)
      if(k GREATER last)
        string(APPEND text "=")
      else()
        math(EXPR digit "(${word} >> (18 - 6 * ${k})) & 63")
        string(SUBSTRING "${digits}" ${digit} 1 sign)
        string(APPEND text "${sign}")
      endif()
    endforeach()
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# The text as C++ literals, none longer than a compiler must take.
function(literals text result)
  set(out "")
  string(LENGTH "${text}" left)
  set(at 0)
  while(left GREATER 0)
    set(size 16000)
    if(left LESS size)
      set(size ${left})
    endif()
    string(SUBSTRING "${text}" ${at} ${size} piece)
    string(APPEND out "    R\"page~~(${piece})page~~\",\n")
    math(EXPR at "${at} + ${size}")
    math(EXPR left "${left} - ${size}")
  endwhile()
  set(${result} "${out}" PARENT_SCOPE)
endfunction()

file(READ "${FOLDER}/page.html" page)
file(READ "${FOLDER}/page.css" style)
set(script "")
separate_arguments(SCRIPTS)
foreach(name IN LISTS SCRIPTS)
  file(READ "${FOLDER}/${name}" one)
  string(APPEND script "${one}")
endforeach()
if("${page}${style}${script}" MATCHES "[^\t\n -~]")
  message(FATAL_ERROR "the page holds a byte that is not ASCII: '${CMAKE_MATCH_0}'")
endif()
foreach(part style script)
  string(SHA256 hash "${${part}}")
  base64_of_hex("${hash}" ${part}_hash)
endforeach()
set(policy "default-src 'none'; script-src 'sha256-${script_hash}'; ")
string(APPEND policy "style-src 'sha256-${style_hash}'; base-uri 'none'; form-action 'none'")
foreach(part policy style script)
  string(REPLACE "@${part}@" "${${part}}" page "${page}")
endforeach()
string(FIND "${page}" "@data@" middle)
if(middle LESS 0)
  message(FATAL_ERROR "page.html has no place for its data")
endif()
string(SUBSTRING "${page}" 0 ${middle} before)
math(EXPR rest "${middle} + 6")
string(SUBSTRING "${page}" ${rest} -1 after)
literals("${before}" before)
literals("${after}" after)
file(WRITE "${OUT}" "// Made by cmake/page.cmake.
#include \"tracing/html_page.hpp\"

namespace nvmf::cli {

namespace {
constexpr std::string_view before[] = {
${before}};
constexpr std::string_view after[] = {
${after}};
}  // namespace

page_parts trace_page_parts() { return {before, after}; }

}  // namespace nvmf::cli
")
