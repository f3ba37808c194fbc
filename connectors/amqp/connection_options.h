// What the options of the connection mean, for source and sink.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "options/options.h"
#include "protocols/amqp/session.h"

namespace leat::amqp {

// All but the name of the connection, and what is the source's or the sink's. Errors are of
// OptionErrors.
Result<SessionConfig> session_config(const Options& options);

// Whether the files that they name can be used.
Status check_files(const Options& options);

// What the broker shows the connection as.
std::string connection_name(std::string_view agent, std::string_view pipeline,
                            std::string_view suffix = "");

// Of a queue or a binding: a table that lives as long as this. Whole numbers and true and false are
// such, all else is text.
class Arguments {
 public:
  Arguments() = default;
  explicit Arguments(const Options::Map& map) : map_(map) {}

  void add(std::string name, std::string value) {
    map_.emplace_back(std::move(name), std::move(value));
  }
  bool has(std::string_view name) const;
  // Valid until this changes.
  amqp_table_t table() const;

 private:
  Options::Map map_;
  mutable std::vector<amqp_table_entry_t> entries_;
};

}  // namespace leat::amqp
