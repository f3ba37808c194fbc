// The folder that a file is in. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace leat {

// "/a/b" → "/a", "/a" → "/", "a" → "."
std::string folder_of(const std::string& path);

// Whether the folder that a file is to be made in is there at all.
Status check_folder_of(const std::string& path);

// Whether this user can make files in it, as far as that can be known without making one that
// anybody could see. Fails with what the system says of it.
Status can_make_files(const std::string& folder);

// Waits until the names in `folder` are on the disk: without that, a power cut may take a file that
// was made, or undo that it was renamed, however well its content was synced.
Status sync_folder(const std::string& folder);

// Whether an errno value says that a disk is full, or what of it this user may have.
bool means_full(int error_number);

// With its parents; it may be there already. One that is made is its owner's alone (0700): what is
// in it is what people send through leat. Fails with kUnavailable when the disk is full, otherwise
// with kUsage.
Status make_folder(const std::string& path);

}  // namespace leat
