# What every translation unit is compiled with. Warnings are errors.
add_compile_options(-Wall -Wextra -Wconversion -Werror $<$<COMPILE_LANGUAGE:C>:-pedantic>)

# In a unity build a local name would also be held against what other files have in their unnamed
# namespaces.
if(NOT CMAKE_UNITY_BUILD)
    add_compile_options(-Wshadow)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wshadow=local $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()

# With optimisation g++ 12 finds these inside its own std::string and std::variant, where they are
# not (its bugs 105329, 105651); the sanitizers look for the real ones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    add_compile_options(-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
                        -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # libstdc++ 12 itself uses what it has declared deprecated, in std::stable_sort.
    add_compile_options(-Wno-deprecated-declarations)
    # g++ means less by -Wconversion; what is a fault is the same for both.
    add_compile_options(-Wno-sign-conversion)
endif()

# Line numbers are what reports of sanitizers and back traces need; all of -g costs a third of the
# time to compile.
string(REPLACE "-g" "-g1" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
set(CMAKE_CXX_FLAGS_DEBUG "-g1 -O1")

if(CAUSEWAY_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # The fuzz targets are linked with the same layers as the tests, which pay little for it.
        add_compile_options(-fsanitize=fuzzer-no-link)
    endif()
else()
    add_compile_options(-fstack-protector-strong)
    add_compile_definitions($<$<CONFIG:RelWithDebInfo,Release>:_FORTIFY_SOURCE=2>)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
