// What the options `xml` of a source say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"

namespace leat {

extern const std::span<const Option> kXmlReadOptions;

// Which elements are records: "/orders/order" is each <order> directly in a document's root
// <orders>. Steps are local names: a prefix stands for what each document says, and a document is
// cut into records before anybody knows what it says.
struct XmlPath {
  std::vector<std::string> steps;  // none: the root of each document is a record, whatever its name

  // How many elements are open around a record.
  size_t level() const { return steps.empty() ? 0 : steps.size() - 1; }
  bool is_step(size_t level, std::string_view local_name) const {
    return steps.empty() || steps[level] == local_name;
  }
};

struct XmlDialect {
  XmlPath path;
  bool infer = true;                // numbers, true and false become what they look like
  std::vector<std::string> arrays;  // names of elements that are arrays even where there is one
  Options::Map namespaces;          // the prefix to be read → the namespace
  bool latin1 = false;              // else UTF-8

  static Result<XmlDialect> from(const Options& options);
  // A document that declares this encoding is read as what it is.
  bool is_encoding(std::string_view declared) const;
};

std::string_view local_name(std::string_view name);
// A name that an element or attribute may have (XML 1.0 section 2.3), of ASCII; beyond it all pass.
bool is_xml_name(std::string_view name);

}  // namespace leat
