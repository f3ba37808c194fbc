// Makes the properties and headers of a message from a record, as the options `properties` and
// `headers` say.
//
// Thread: the loop's thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "options/options.h"
#include "protocols/amqp/codec.h"
#include "record/batch.h"
#include "record/template.h"

namespace leat::amqp {

class PropertyMaker {
 public:
  // Errors are of OptionErrors.
  static Result<PropertyMaker> from(const Options& options);

  // Valid until the next call. Errors are kData.
  Result<const amqp_basic_properties_t*> make(const Record& record);

 private:
  struct Text {  // one that is a short string
    amqp_flags_t flag = 0;
    amqp_bytes_t amqp_basic_properties_t::*member = nullptr;
    std::string_view name;
    Template text;
    std::string made;
  };
  struct Header {
    std::string name;
    Template text;
    std::string made;
  };
  bool add_header(Header& header, const Record& record);

  std::vector<Text> texts_;
  std::vector<Header> headers_;
  std::vector<amqp_table_entry_t> entries_;  // scratch
  std::string content_type_;
  std::string expiration_;
  bool timestamp_ = false;
  amqp_basic_properties_t properties_{};
};

}  // namespace leat::amqp
