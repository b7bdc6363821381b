# causeway_common_headers(TARGET GROUP header...): the headers are compiled once, for the first target
# of the group, and used by all of it. Not with a compiler cache: its entries would hold for one build
# folder only.
function(causeway_common_headers target group)
    if(CMAKE_CXX_COMPILER_LAUNCHER)
        return()
    endif()
    get_property(first GLOBAL PROPERTY causeway_common_headers_of_${group})
    if(first)
        target_precompile_headers(${target} REUSE_FROM ${first})
    else()
        target_precompile_headers(${target} PRIVATE ${ARGN})
        set_property(GLOBAL PROPERTY causeway_common_headers_of_${group} ${target})
    endif()
endfunction()

# The main() of all unit test programs, compiled once.
add_library(causeway_unit_main OBJECT EXCLUDE_FROM_ALL tests/unit_main.cpp)
target_compile_definitions(causeway_unit_main PRIVATE DOCTEST_CONFIG_SUPER_FAST_ASSERTS)

# What of the preset "debug" is run by ./check: the unit tests and the fuzz targets.
if(CAUSEWAY_SANITIZE)
    add_custom_target(sanitized)
endif()

# causeway_layer(NAME [NEEDS layer...] [LIBRARIES target...]
#                [TEST_SOURCES file...] [TEST_LIBRARIES target...] [APART name...])
#
# A folder of causeway/ as a library: every x.cpp of it is compiled into causeway_NAME, and every
# x_test.cpp into one test program, NAME_test, which ctest runs under the label "unit", with sanitizers.
# TEST_SOURCES are compiled into the test program besides, and TEST_LIBRARIES linked.
# Files named main.cpp or *_main.cpp are programs (see causeway_program).
# Several files are compiled as one, which takes half the time. APART: the files (without .cpp) whose
# unnamed namespaces have names that others have too; each of them is compiled by itself. "all": every
# file.
function(causeway_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 layer "" "" "NEEDS;LIBRARIES;TEST_SOURCES;TEST_LIBRARIES;APART")
    file(GLOB sources CONFIGURE_DEPENDS causeway/${name}/*.cpp)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "(_test|/main|_main)\\.cpp$")
    if(layer_APART STREQUAL "all")
        set_source_files_properties(${sources} ${tests} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
        set(layer_APART)
    endif()
    foreach(file ${layer_APART})
        set_source_files_properties(causeway/${name}/${file}.cpp PROPERTIES
                                    SKIP_UNITY_BUILD_INCLUSION ON)
    endforeach()

    set(kind PUBLIC)
    if(sources)
        add_library(causeway_${name} STATIC ${sources})
    else()
        add_library(causeway_${name} INTERFACE)
        set(kind INTERFACE)
    endif()
    target_include_directories(causeway_${name} ${kind} ${PROJECT_SOURCE_DIR})
    list(TRANSFORM layer_NEEDS PREPEND causeway_ OUTPUT_VARIABLE needs)
    target_link_libraries(causeway_${name} ${kind} ${needs} ${layer_LIBRARIES} fmt::fmt)
    if(sources)
        causeway_common_headers(causeway_${name} layers cmake/common_headers.h)
    endif()

    if(tests AND BUILD_TESTING)
        add_executable(${name}_test ${tests} ${layer_TEST_SOURCES})
        target_link_libraries(${name}_test PRIVATE causeway_${name} causeway_unit_main ${layer_TEST_LIBRARIES})
        target_compile_definitions(${name}_test PRIVATE DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
        causeway_common_headers(${name}_test tests cmake/common_headers.h <doctest/doctest.h>)
        # ./check runs them under the sanitizers; elsewhere they are built when asked for by name.
        if(CAUSEWAY_SANITIZE)
            add_dependencies(sanitized ${name}_test)
        else()
            set_target_properties(${name}_test PROPERTIES EXCLUDE_FROM_ALL ON)
        endif()
        add_test(NAME unit.${name} COMMAND ${PROJECT_SOURCE_DIR}/build/debug/bin/${name}_test
                 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 600 PROCESSORS ${slots_ordinary})
    endif()
endfunction()

# causeway_program(NAME main-file NEEDS layer...)
function(causeway_program name main)
    cmake_parse_arguments(PARSE_ARGV 2 program "" "" "NEEDS")
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/causeway/${main})
        return()
    endif()
    add_executable(${name} causeway/${main})
    list(TRANSFORM program_NEEDS PREPEND causeway_ OUTPUT_VARIABLE needs)
    target_link_libraries(${name} PRIVATE ${needs})
    causeway_common_headers(${name} layers)
    install(TARGETS ${name})
endfunction()
