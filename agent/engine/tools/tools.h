// Each operation's function, for the table in operations.cpp.
#pragma once

#include <memory>
#include <string>

#include "tools/operations.h"

namespace leat {

using ToolResult = Result<std::string>;

ToolResult list_spools(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult spooled_records(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult drop_spooled(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult list_positions(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult reset_positions(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult list_runs(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult list_tasks(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);
ToolResult compact_journal(std::unique_ptr<JournalDatabase>& journal, OperationRequest& request);

// kUsage where neither the configuration nor the journal has the request's pipeline: it is a
// mistake in the name. "" is all of them.
Status check_pipeline(JournalDatabase& journal, const OperationRequest& request);

}  // namespace leat
