# Shared by every folder: warnings, sanitizers, one way to declare a library and a test.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                          -Wnull-dereference -Wimplicit-fallthrough)
if(HVAGENT_WERROR)
    target_compile_options(warnings INTERFACE -Werror)
endif()
# GCC 12 warns about its own std::string in optimised builds.
target_compile_options(warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -Wno-null-dereference)

foreach(sanitizer IN LISTS HVAGENT_SANITIZE)
    add_compile_options(-fsanitize=${sanitizer} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${sanitizer})
endforeach()

find_program(ccache ccache)
if(ccache)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime
                                    CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${ccache})
    add_compile_options(-fpch-preprocess)
endif()

# hvagent_library(NAME SOURCES a.cpp... [PUBLIC libs...] [PRIVATE libs...])
# Third-party libraries belong under PRIVATE unless a public header of ours needs them.
function(hvagent_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC nlohmann_json::nlohmann_json ${arg_PUBLIC} PRIVATE warnings ${arg_PRIVATE})
    if(HVAGENT_PCH AND NOT name STREQUAL hvagent_pch)
        target_precompile_headers(${name} REUSE_FROM hvagent_pch)
    endif()
endfunction()

# hvagent_test(NAME SOURCES a.cpp... LIBS libs... [LABEL unit])
# A GoogleTest program, run as one CTest entry with the label of its tier.
function(hvagent_test name)
    cmake_parse_arguments(arg "" "LABEL" "SOURCES;LIBS" ${ARGN})
    find_package(GTest REQUIRED)
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE warnings ${arg_LIBS} GTest::gmock GTest::gtest GTest::gtest_main Threads::Threads)
    if(HVAGENT_PCH)
        # The precompiled header is built for libraries (-fPIC); programs would ask for -fPIE.
        target_compile_options(${name} PRIVATE -fPIC)
        target_precompile_headers(${name} REUSE_FROM hvagent_pch)
    endif()
    add_test(NAME ${name} COMMAND ${name})
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300)
endfunction()

if(HVAGENT_PCH)
    file(WRITE ${CMAKE_BINARY_DIR}/hvagent_pch.cpp "// carries the precompiled header\n")
    add_library(hvagent_pch STATIC ${CMAKE_BINARY_DIR}/hvagent_pch.cpp)
    target_link_libraries(hvagent_pch PRIVATE warnings)
    target_precompile_headers(hvagent_pch PRIVATE <algorithm> <atomic> <chrono> <condition_variable> <cstdint> <functional>
                              <map> <memory> <mutex> <optional> <set> <string> <string_view> <thread>
                              <unordered_map> <variant> <vector> <nlohmann/json.hpp>)
endif()
