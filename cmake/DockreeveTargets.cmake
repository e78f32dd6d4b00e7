# How every target here is compiled, and the three ways to make one.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(LLD ld.lld)
if(LLD)
  add_link_options(-fuse-ld=lld)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(dockreeve_flags INTERFACE)
target_include_directories(dockreeve_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(dockreeve_flags INTERFACE DOCKREEVE_VERSION="${PROJECT_VERSION}")
target_compile_options(dockreeve_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wformat=2 -Wundef -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -Wrestrict of g++ 12 sees overlaps in std::string that are not there (GCC bug 105651).
  target_compile_options(dockreeve_flags INTERFACE -Wduplicated-cond -Wlogical-op -Wno-restrict
    -ftrivial-auto-var-init=zero)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(dockreeve_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full)
  target_link_options(dockreeve_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(DOCKREEVE_SANITIZE)
  add_compile_options(-fsanitize=${DOCKREEVE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DOCKREEVE_SANITIZE})
endif()

# The library of one top folder: all its .cc files.
function(dockreeve_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC dockreeve_flags ${ARGN})
endfunction()

# A gtest binary from all *_test.cc below a folder, registered with ctest.
function(dockreeve_test name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE DOCKREEVE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  # gtest's macros are not ours to mend.
  target_compile_options(${name} PRIVATE -Wno-sign-conversion -Wno-conversion)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# A libFuzzer target from one file, with its seed corpus in tests/fuzz/corpus/NAME.
function(dockreeve_fuzz name)
  add_executable(fuzz_${name} fuzz/${name}_fuzz.cc)
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
