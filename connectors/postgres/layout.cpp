#include "connectors/postgres/layout.h"

#include <algorithm>
#include <charconv>

#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr size_t kMostColumns = 1600;  // MaxHeapAttributeNumber

tl::unexpected<Error> strange_answer() {
  return fail(ErrorKind::kUnavailable, "the server's catalog gives a strange answer");
}

// A row of the answer; every value must be there.
class Values {
 public:
  explicit Values(const Row& row) : row_(row) {}

  const std::string& text() {
    static const std::string kEmpty;
    if (at_ == row_.size() || !row_[at_]) {
      ok_ = false;
      return kEmpty;
    }
    return *row_[at_++];
  }
  template <typename Number>
  Number number() {
    Number value = 0;
    const std::string& digits = text();
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) ok_ = false;
    return value;
  }
  bool truth() { return text() == "t"; }
  char letter() {
    const std::string& one = text();
    return one.empty() ? '\0' : one[0];
  }
  bool ok() const { return ok_ && at_ == row_.size(); }

 private:
  const Row& row_;
  size_t at_ = 0;
  bool ok_ = true;
};

Column read_column(Values& values) {
  Column column;
  column.number = values.number<int>();
  column.name = values.text();
  column.type = values.number<uint32_t>();
  column.not_null = values.truth();
  column.has_default = values.truth();
  column.identity_always = values.letter() == 'a';
  column.generated = values.truth();
  column.type_name = values.text();
  CatalogType type;
  type.oid = values.number<uint32_t>();
  type.modifier = values.number<int32_t>();
  type.kind = values.letter();
  type.category = values.letter();
  column.kind = kind_of(type);
  column.most_characters = most_characters(type);
  CatalogType element;
  element.oid = values.number<uint32_t>();
  element.kind = values.letter();
  column.element = kind_of(element);
  column.delimiter = values.letter();
  return column;
}

// "1 3" of an int2vector; the first `count` are the key, the rest was only included.
std::vector<int> read_key(Values& values) {
  std::vector<int> key;
  const std::string& text = values.text();
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    int number = 0;
    auto [next, error] = std::from_chars(p, end, number);
    if (error != std::errc()) break;
    key.push_back(number);
    p = next + 1;
  }
  auto count = values.number<size_t>();
  key.resize(std::min(key.size(), count));
  return key;
}

}  // namespace

Result<TableName> TableName::parse(std::string_view text) {
  std::vector<std::string> parts;
  size_t i = 0;
  auto bad = [](const char* why) { return fail(ErrorKind::kUsage, why); };
  while (true) {
    std::string part;
    if (i < text.size() && text[i] == '"') {
      for (++i; i < text.size(); ++i) {
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') ++i;
        part += text[i];
      }
      if (i == text.size()) return bad("a quote (\") is not closed");
      ++i;
    } else {
      for (; i < text.size() && text[i] != '.'; ++i) {
        if (text[i] == '"') return bad("a quote (\") stands in the middle of a name");
        char c = text[i];
        part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
    }
    if (part.empty()) return bad("a name is empty");
    parts.push_back(std::move(part));
    if (i == text.size()) break;
    if (text[i] != '.') return bad("nothing but a dot may follow a quoted name");
    ++i;
  }
  if (parts.size() > 2) return bad("write \"table\" or \"schema.table\"");
  if (parts.size() == 1) return TableName{"", parts[0]};
  return TableName{parts[0], parts[1]};
}

std::string TableName::sql() const {
  return (schema.empty() ? "" : quoted_name(schema) + ".") + quoted_name(name);
}

const Column* Layout::find(std::string_view column) const {
  for (const Column& known : columns)
    if (known.name == column) return &known;
  return nullptr;
}

bool Layout::same_columns(const Layout& other) const {
  return oid == other.oid && std::equal(columns.begin(), columns.end(), other.columns.begin(),
                                        other.columns.end(), [](const Column& a, const Column& b) {
                                          return a.number == b.number && a.name == b.name &&
                                                 a.type == b.type;
                                        });
}

bool Layout::is_among(const std::vector<std::vector<int>>& keys,
                      const std::vector<std::string>& names) const {
  std::vector<int> wanted;
  for (const std::string& column : names)
    if (const Column* known = find(column)) wanted.push_back(known->number);
  std::sort(wanted.begin(), wanted.end());
  return std::any_of(keys.begin(), keys.end(), [&wanted](std::vector<int> key) {
    std::sort(key.begin(), key.end());
    return key == wanted;
  });
}

// The three answers are told apart by their first column.
std::string layout_sql(const TableName& table) {
  std::string oid = "pg_catalog.to_regclass(" + quoted_text(table.sql()) + ")";
  return "SELECT 'T', c.oid, c.relname, c.relkind, EXISTS (SELECT FROM pg_catalog.pg_trigger g"
         " WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'"
         " AND g.tgtype & 7 = 7),"  // row, before, insert (catalog/pg_trigger.h)
         " c.relkind = 'r' AND EXISTS"
         " (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid)"
         " FROM pg_catalog.pg_class c WHERE c.oid = " +
         oid +
         ";"
         "SELECT 'C', a.attnum, a.attname, a.atttypid, a.attnotnull,"
         " a.atthasdef OR a.attidentity <> '' OR y.typdefault IS NOT NULL, a.attidentity::text || "
         "'-',"
         " a.attgenerated <> '', pg_catalog.format_type(a.atttypid, a.atttypmod),"
         " b.oid, b.modifier, b.typtype, b.typcategory,"
         " COALESCE(e.oid, 0), COALESCE(e.typtype::text, 'b'), COALESCE(e.typdelim::text, ',')"
         " FROM pg_catalog.pg_attribute a"
         " JOIN pg_catalog.pg_type y ON y.oid = a.atttypid CROSS JOIN LATERAL ("
         "WITH RECURSIVE base(oid, modifier) AS (SELECT a.atttypid, a.atttypmod UNION ALL"
         " SELECT t.typbasetype, t.typtypmod FROM base JOIN pg_catalog.pg_type t"
         " ON t.oid = base.oid WHERE t.typtype = 'd') SELECT t.oid, base.modifier, t.typtype,"
         " t.typcategory, t.typelem FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid"
         " WHERE t.typtype <> 'd') b LEFT JOIN LATERAL ("  // the elements of an array
         "WITH RECURSIVE base(oid) AS (SELECT b.typelem UNION ALL"
         " SELECT t.typbasetype FROM base JOIN pg_catalog.pg_type t"
         " ON t.oid = base.oid WHERE t.typtype = 'd') SELECT t.oid, t.typtype, t.typdelim"
         " FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid"
         " WHERE t.typtype <> 'd') e ON b.typcategory = 'A' WHERE a.attrelid = " +
         oid +
         " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;"
         "SELECT CASE WHEN i.indimmediate THEN 'I' ELSE 'D' END, i.indkey::text, i.indnkeyatts,"
         // The collations are those of the key's columns; both vectors begin with 0.
         " NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) n"
         " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]"
         " JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation"
         " WHERE NOT l.collisdeterministic AND i.indcollation[n] <> l.oid) "
         "FROM pg_catalog.pg_index i WHERE i.indrelid "
         "= " +
         oid +
         " AND i.indisunique AND i.indisvalid AND i.indpred IS NULL"
         " AND i.indexprs IS NULL";
}

Result<std::optional<Layout>> read_layout(const std::vector<Row>& rows) {
  std::optional<Layout> layout;
  for (const Row& row : rows) {
    Values values(row);
    char what = values.letter();
    if (what == 'T') {
      layout.emplace();
      layout->oid = values.number<uint32_t>();
      layout->name = values.text();
      layout->kind = values.letter();
      layout->before_insert_trigger = values.truth();
      layout->has_children = values.truth();
    } else if (what == 'C' && layout && layout->columns.size() < kMostColumns) {
      layout->columns.push_back(read_column(values));
    } else if ((what == 'I' || what == 'D') && layout) {
      std::vector<int> key = read_key(values);
      if (values.truth()) layout->telling_keys.push_back(key);
      (what == 'I' ? layout->unique_keys : layout->deferrable_keys).push_back(std::move(key));
    } else if (layout) {
      return strange_answer();
    }
    if (!values.ok()) return strange_answer();
  }
  return layout;
}

std::string layout_check_sql(const Layout& layout, const std::vector<bool>& columns) {
  std::string pairs;
  size_t count = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i]) continue;
    const Column& column = layout.columns[i];
    pairs += (count++ == 0 ? "(" : ",(") + std::to_string(column.number) + "," +
             std::to_string(column.type) + ")";
  }
  return "SELECT CASE WHEN count(*) = " + std::to_string(count) + " THEN 1 ELSE ('" +
         std::string(kLayoutChanged) +
         "' || count(*))::int4 END FROM pg_catalog.pg_attribute WHERE attrelid = " +
         std::to_string(layout.oid) + " AND NOT attisdropped AND (attnum, atttypid) IN (" + pairs +
         ")";
}

}  // namespace leat::postgres
