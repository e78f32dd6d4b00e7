# Usage: cmake -DCXX=compiler -DROOT=source-dir [-DFLAGS=..] -P run.cmake
# The control must compile; every way around the evaluator must not, and for the right reason.
function(compile case result output)
  execute_process(
    COMMAND ${CXX} -std=c++20 -fsyntax-only -I${ROOT} -DCASE=${case}
            ${ROOT}/tests/unit/policy/admitted_compile_fail/main.cc
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  set(${result} ${status} PARENT_SCOPE)
  set(${output} "${out}" PARENT_SCOPE)
endfunction()

compile(0 status output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the control does not compile:\n${output}")
endif()
foreach(case 1 2 3 4 5 6)
  compile(${case} status output)
  if(status EQUAL 0)
    message(FATAL_ERROR "case ${case} compiles: an Admitted can be made outside the evaluator")
  endif()
  if(NOT output MATCHES "private|deleted|no matching|could not convert|no viable|passing|discards|const")
    message(FATAL_ERROR "case ${case} fails for another reason:\n${output}")
  endif()
endforeach()
