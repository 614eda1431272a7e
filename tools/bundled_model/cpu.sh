#!/bin/sh
# Run a command with what makes training quick on a CPU: large pages, an allocator that keeps what it has, and threads
# that sleep while they wait, since on a shared machine a spinning thread takes the time of the one it waits for.
exec env GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864 \
    OMP_WAIT_POLICY=PASSIVE \
    "$@"
