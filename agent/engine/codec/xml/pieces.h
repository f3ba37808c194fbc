// Where an XML document can be cut: the records, and what stands around them.
//
// Only tags are looked at, and of those within a record only the ones of its own name. So the end
// of a record is found whatever is wrong within it, and reading goes on at any record after a
// restart, without what came before. What is in a record is expat's business (tree.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/xml/dialect.h"

namespace leat {

struct XmlPiece {
  enum class Kind : uint8_t {
    kNothing,      // space, comments, instructions, and elements beside the records
    kDeclaration,  // <?xml … ?>: a document begins
    kOpens,        // the start tag of an element around the records
    kCloses,       // its end tag
    kRecord,
    kBad,
  };
  Kind kind = Kind::kNothing;
  std::string_view text;
  const char* end = nullptr;      // where the next one begins
  bool complete = false;          // false: it ends where the bytes do, and may go on
  const char* problem = nullptr;  // of kBad
};

class XmlPieces {
 public:
  static constexpr const char* kOtherRoot = "not the root that xml.record begins with";

  // `level`: how many elements are open where reading begins. In a stream that is the path's: it is
  // cut nowhere else. A declaration, a document type, or an element of the root's
  // name where a record may stand begins a document in any case.
  XmlPieces(const XmlPath& path, size_t level) : path_(path), level_(level) {}

  XmlPiece next(const char* p, const char* end);
  size_t level() const { return level_; }
  bool among_records() const { return level_ == path_.level(); }

 private:
  XmlPiece tag(const char* p, const char* end);
  XmlPiece end_tag(const char* p, const char* end);
  XmlPiece markup(const char* p, const char* end);

  const XmlPath& path_;
  size_t level_;
};

// Calls f(name, value as it is written) for each attribute of a start tag or a declaration, as far
// as they can be read.
template <typename F>
void each_xml_attribute(std::string_view tag, F&& f);

bool is_xml_space(char c);

template <typename F>
void each_xml_attribute(std::string_view tag, F&& f) {
  size_t at = tag.find_first_of(" \t\r\n");
  for (;;) {
    at = tag.find_first_not_of(" \t\r\n", at);
    if (at == std::string_view::npos) return;
    const size_t equals = tag.find('=', at);
    if (equals == std::string_view::npos) return;
    std::string_view name = tag.substr(at, equals - at);
    name = name.substr(0, name.find_first_of(" \t\r\n"));
    const size_t quote = tag.find_first_not_of(" \t\r\n", equals + 1);
    if (quote == std::string_view::npos || (tag[quote] != '"' && tag[quote] != '\'')) return;
    const size_t close = tag.find(tag[quote], quote + 1);
    if (close == std::string_view::npos) return;
    f(name, tag.substr(quote + 1, close - quote - 1));
    at = close + 1;
  }
}

}  // namespace leat
