// SQL of people, looked at without being understood, and SQL that is put together.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::table {

// The words and parameters of a query, but not what stands in strings, quoted names and comments.
class QueryText {
 public:
  explicit QueryText(std::string_view sql);

  // `:name`, each once, in the order in which they come first.
  const std::vector<std::string>& parameters() const { return parameters_; }
  bool has_word(std::string_view lower_case) const;
  bool orders() const;  // ORDER BY, somewhere
  bool several() const { return several_; }
  // With literals in the place of the parameters.
  std::string filled(const std::function<std::string(std::string_view)>& literal) const;

 private:
  struct Piece {
    std::string_view text;
    bool parameter = false;
  };

  std::vector<Piece> pieces_;
  std::vector<std::string> parameters_;
  std::vector<std::string> words_;
  bool several_ = false;
};

// "a, b".
std::string joined(const std::vector<std::string>& names);

// `(a, b) > (x, y)`; of one: `a > x`. Both are SQL already, and as many of each.
std::string compared(const std::vector<std::string>& names, std::string_view how,
                     const std::vector<std::string>& values);

}  // namespace leat::table
