# What the ciphers of datagrams are computed with: intel-ipsec-mb, which exists for x86-64 only, and
# OpenSSL everywhere. Sets ipsec_mb to the library.
option(CAUSEWAY_MEASURE_COPY_CIPHER
       "For measuring only: datagrams are NOT protected, and understood by nobody else" OFF)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    find_library(ipsec_mb IPSec_MB REQUIRED)
    set_source_files_properties(causeway/datapath/record_cipher_ipsec_mb.cpp PROPERTIES
                                COMPILE_DEFINITIONS CAUSEWAY_IPSEC_MB)
endif()
if(CAUSEWAY_MEASURE_COPY_CIPHER)
    add_compile_definitions(CAUSEWAY_MEASURE_COPY_CIPHER)
endif()
