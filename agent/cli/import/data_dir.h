// Where a job that runs straight from its file keeps what must survive a kill.
#pragma once

#include <string>

namespace leat {

// Beside the file.
std::string imported_data_dir(const std::string& file);
// After a run in which all was delivered, so that the next begins anew as the other tool does. Dead
// letters stay.
void forget_imported(const std::string& file);

}  // namespace leat
