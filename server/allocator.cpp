// What jemalloc reads before `main`, under the name that it looks for. What the engine holds is up to gigabytes of small parts that are visited at random; with
// pages of 4 KiB most visits look their address up first, which took from a third to two thirds of what a signal costs. So memory is asked for in huge pages,
// also where the kernel gives them only to who asks. glibc's malloc does that for the first thread alone, and the engine lives in others. What is freed is
// given back after a minute: sooner, and busy threads spend their time on giving back what they ask for again.
extern "C" {
const char* malloc_conf = "thp:always,metadata_thp:auto,dirty_decay_ms:60000";
}
