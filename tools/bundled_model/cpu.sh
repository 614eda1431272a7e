#!/bin/sh
# Run a command in an environment that makes training fast on a CPU: large pages, an allocator that keeps its memory, and
# threads that sleep while they wait. On a shared machine, a spinning thread takes time from the thread it waits for.
exec env GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864 \
    OMP_WAIT_POLICY=PASSIVE \
    "$@"
