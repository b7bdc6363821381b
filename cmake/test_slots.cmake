# How the tests share the machine: ./check gives ctest four slots a core, and one more.
include(ProcessorCount)
ProcessorCount(cores)
# Mostly waits for a peer, a timeout or a process: two of them a core.
set(slots_ordinary 2)
# Measures, loads the machine or counts lost pings: no other beside it...
math(EXPR slots_measured "4 * ${cores}")
# ...but what runs at idle priority, and takes only what is left over.
set(slots_idle 1)
