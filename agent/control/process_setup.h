// What the process needs before anything runs in it.
#pragma once

namespace leat {

// A few megabytes are all we want to use: one heap for all threads, pages given back early, and
// pool threads only as many as there are kinds of slow files. Before the first thread.
void limit_process_memory();

// What is free in the heap goes back to the system. Freed blocks stay between those of pipelines
// that go on: 11 of 13 MB were kept so when twenty jobs had ended. Any thread.
void return_free_memory();

// Takes as many descriptors as the process may have: the soft limit is raised to the hard one.
void raise_descriptor_limit();

}  // namespace leat
