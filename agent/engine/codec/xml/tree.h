// One element, read by expat, as a record.
//
// Expat never sees a document: records are given to it one after another, as children of an element
// that we make up. So there is no document type, and with it no entity that could be expanded, and
// what is wrong with one record ends with it.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/text/value_run.h"
#include "codec/xml/dialect.h"
#include "codec/xml/names.h"
#include "codec/xml/scope.h"
#include "record/batch.h"

struct XML_ParserStruct;

namespace leat {

class XmlTree {
 public:
  // As deep as JSON may be nested, which is what becomes of it.
  static constexpr size_t kMaxDepth = 60;

  explicit XmlTree(const XmlDialect& dialect);  // which outlives it
  ~XmlTree();
  XmlTree(const XmlTree&) = delete;
  XmlTree& operator=(const XmlTree&) = delete;

  // Before the records of a batch.
  void begin();
  // `scope`: of the elements around it. Appends a record to the batch, which must not hold many
  // more than the element has text; its place is the caller's to set. False: it is none, and
  // problem() says why and where in it.
  bool read(std::string_view element, XmlScope& scope, Batch& batch, ValueRun& values);
  const std::string& problem() const { return problem_; }

  size_t held() const;

 private:
  // A tree of what an element holds, in the order of the document.
  struct Node {
    XmlName* name = nullptr;  // null: text
    bool attribute = false;
    bool blank = false;  // text: only space
    uint32_t text = 0;   // where it begins in text_, and its size
    uint32_t size = 0;
    uint32_t first = 0;  // children; 0: none, for nobody's child is the root
    uint32_t last = 0;
    uint32_t next = 0;  // sibling
    uint32_t same = 0;  // the next of the same name
  };
  // What the children of an element are by name: fields.
  struct Field {
    XmlName* name;
    uint32_t first;
  };
  struct Handlers;

  void restart();
  XmlName& name_of(const char* written, bool attribute);
  void start(const char* name, const char** attributes);
  void end();
  void text(const char* text, int size);
  uint32_t add(const Node& node);

  bool make(Batch& batch, ValueRun& values);
  ShapeRef shape_of_fields(size_t from);
  void collect(uint32_t element);
  Value value_of(Field field, Arena& arena);
  Value plain(std::string_view text, Arena& arena) const;
  bool is_text_only(const Node& element) const;
  std::string_view text_of(const Node& element);
  void write(Field field);
  void write(uint32_t node);
  void write_text(std::string_view text);
  bool fail_at(std::string_view element, std::string_view why);

  const XmlDialect& dialect_;
  XML_ParserStruct* const parser_;
  XmlNames names_;
  XmlName text_name_;  // "#text"
  XmlScope* scope_ = nullptr;
  bool reading_ = false;        // and not in what we made up
  const char* stop_ = nullptr;  // why the handlers stopped expat
  int64_t base_ = 0;            // expat's count of bytes where the record began
  std::vector<Node> nodes_;
  std::vector<uint32_t> open_;
  std::string text_;
  std::vector<Field> fields_;  // a stack of them while nested elements are written; so it moves,
                               // and they are given by value
  uint64_t collected_ = 0;     // how many elements have been
  std::string json_;
  std::string joined_;
  std::string mapped_;
  std::string problem_;
  // Of records with these fields.
  using Key = std::vector<const XmlName*>;
  std::map<Key, ShapeRef> shapes_;
  Key key_;
  Key last_key_;
  ShapeRef last_shape_;
  size_t shape_bytes_ = 0;
};

}  // namespace leat
