// Which prefix stands for which namespace where (Namespaces in XML 1.0), as far as it is asked for:
// xml.namespaces says what those of the document become.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/xml/dialect.h"

namespace leat {

class XmlScope {
 public:
  // Declarations of an element, which hold until close() of its depth.
  void declare(const XmlDialect& dialect, size_t depth, std::string_view attribute,
               std::string_view value) {
    int known = -1;
    for (size_t i = 0; i < dialect.namespaces.size(); ++i)
      if (dialect.namespaces[i].second == value) known = static_cast<int>(i);
    const size_t colon = attribute.find(':');
    std::string_view prefix;
    if (colon != std::string_view::npos) prefix = attribute.substr(colon + 1);
    declared_.push_back({std::string(prefix), known, depth});
  }
  void close(size_t depth) {
    while (!declared_.empty() && declared_.back().depth >= depth) declared_.pop_back();
  }

  static bool is_declaration(std::string_view attribute) {
    return attribute == "xmlns" || attribute.starts_with("xmlns:");
  }

  // The name as a field has it; attributes without a prefix are of no namespace.
  void name(const XmlDialect& dialect, std::string_view written, bool attribute,
            std::string& out) const {
    const size_t colon = written.find(':');
    const bool prefixed = colon != std::string_view::npos;
    const std::string_view prefix = prefixed ? written.substr(0, colon) : std::string_view();
    out = written;
    if (attribute && !prefixed) return;
    for (size_t i = declared_.size(); i-- > 0;) {
      if (declared_[i].prefix != prefix) continue;
      if (declared_[i].known < 0) return;
      out = dialect.namespaces[static_cast<size_t>(declared_[i].known)].first;
      if (!out.empty()) out += ':';
      out += prefixed ? written.substr(colon + 1) : written;
      return;
    }
  }

 private:
  struct Declared {
    std::string prefix;
    int known;  // its place in xml.namespaces; -1: it is not there
    size_t depth;
  };
  std::vector<Declared> declared_;
};

}  // namespace leat
